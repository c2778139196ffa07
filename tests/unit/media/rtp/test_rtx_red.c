/* Tests of media/rtp/rtx.h (RFC 4588 4) and media/rtp/red.h (RFC 2198 3). */
#include "core/bytes.h"
#include "media/rtp/red.h"
#include "media/rtp/rtx.h"
#include "tests/unit/media/rtp/wire.h"

/* An RTP packet with a CSRC, an extension and padding. */
static size_t make_packet(uint8_t packet[128])
{
    struct rtp_writing writing = {
        .marker = true, .payload_type = 96, .sequence = 0xFFFF, .timestamp = 1234, .ssrc = 0xAAAA};
    writing.csrc_count = 1;
    writing.csrcs[0] = 0xC5C5;
    writing.element_count = 1;
    writing.elements[0] =
        (struct rtp_element){.id = 3, .length = 2, .value = (const uint8_t *)"xy"};
    size_t length;
    assert_ok(rtp_write(&writing, packet, 128, &length));
    memcpy(packet + length, "payload", 7);
    assert_ok(rtp_pad(packet, length + 7, 128, 4, &length));
    return length;
}

static void test_rtx_round_trip(void **state)
{
    (void)state;
    uint8_t packet[128], wrapped[128];
    size_t length = make_packet(packet), wrapped_length;
    assert_ok(rtx_wrap(packet, length, 97, 0xBBBB, 7, wrapped, sizeof wrapped, &wrapped_length));
    struct rtp_header header;
    assert_ok(rtp_parse(wrapped, wrapped_length, &header));
    assert_int_equal(97, header.payload_type);
    assert_int_equal(0xBBBB, header.ssrc);
    assert_int_equal(7, header.sequence);
    assert_int_equal(1234, header.timestamp);
    assert_true(header.marker);
    assert_false(header.padding);
    assert_int_equal(1, header.csrc_count);
    assert_int_equal(2 + 7, header.payload_length);
    assert_int_equal(0xFFFF, load_be16(wrapped + header.payload_offset));
    struct rtp_element element;
    assert_true(rtp_element_find(wrapped, &header, 3, &element));

    assert_ok(rtx_unwrap(wrapped, &wrapped_length, &header, 96, 0xAAAA));
    struct rtp_header again;
    assert_ok(rtp_parse(wrapped, wrapped_length, &again));
    assert_int_equal(0xFFFF, again.sequence);
    assert_int_equal(96, again.payload_type);
    assert_int_equal(0xAAAA, again.ssrc);
    assert_int_equal(7, again.payload_length);
    assert_memory_equal("payload", wrapped + again.payload_offset, 7);
    assert_int_equal(again.payload_length, header.payload_length);
    assert_int_equal(again.sequence, header.sequence);
}

static void test_rtx_unwrap_keeps_padding(void **state)
{
    (void)state;
    uint8_t packet[32] = {0x80, 97, 0, 1, [12] = 0x12, 0x34, 'a', 'b'};
    size_t length;
    struct rtp_header header;
    assert_ok(rtp_pad(packet, 16, sizeof packet, 3, &length));
    assert_ok(rtp_parse(packet, length, &header));
    assert_ok(rtx_unwrap(packet, &length, &header, 96, 1));
    assert_int_equal(17, length);
    assert_ok(rtp_parse(packet, length, &header));
    assert_int_equal(0x1234, header.sequence);
    assert_int_equal(2, header.payload_length);
    assert_int_equal(3, header.padding_length);
}

static void test_rtx_without_original(void **state)
{
    (void)state;
    uint8_t packet[16] = {0x80, 97, 0, 1};
    size_t length = 12;
    struct rtp_header header;
    assert_ok(rtp_parse(packet, 12, &header));
    assert_int_equal(STATUS_NOT_FOUND, rtx_unwrap(packet, &length, &header, 96, 1));
    assert_ok(rtp_parse(packet, 13, &header));
    length = 13;
    assert_int_equal(STATUS_TRUNCATED, rtx_unwrap(packet, &length, &header, 96, 1));
    assert_int_equal(13, length);
    assert_int_equal(97, packet[1]);
    assert_int_equal(STATUS_TRUNCATED, rtx_wrap(packet, 12, 97, 2, 3, packet, 13, &length));
}

static void test_red_round_trip(void **state)
{
    (void)state;
    struct red_view view = {.count = 3};
    view.blocks[0] = (struct red_block){111, 1920, (const uint8_t *)"old", 3};
    view.blocks[1] = (struct red_block){111, 960, (const uint8_t *)"newer", 5};
    view.blocks[2] = (struct red_block){111, 0, (const uint8_t *)"primary", 7};
    uint8_t payload[64];
    size_t length;
    assert_ok(red_build(&view, payload, sizeof payload, &length));
    assert_int_equal(4 + 4 + 1 + 15, length);
    /* RFC 2198 3: F and type, then 14 bits of offset and 10 of length. */
    assert_int_equal(0x80 | 111, payload[0]);
    assert_int_equal(1920 << 10 | 3, load_be24(payload + 1));
    assert_int_equal(111, payload[8]);
    struct red_view read;
    assert_ok(red_parse(payload, length, &read));
    assert_int_equal(3, read.count);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(view.blocks[i].payload_type, read.blocks[i].payload_type);
        assert_int_equal(view.blocks[i].timestamp_back, read.blocks[i].timestamp_back);
        assert_int_equal(view.blocks[i].length, read.blocks[i].length);
        assert_memory_equal(view.blocks[i].data, read.blocks[i].data, read.blocks[i].length);
    }
    for (size_t size = 0; size < length; size++)
        assert_int_equal(STATUS_TRUNCATED, red_build(&view, payload, size, &length));
}

static void test_red_limits(void **state)
{
    (void)state;
    uint8_t payload[64];
    size_t length;
    struct red_view view = {.count = 0};
    assert_int_equal(STATUS_INVALID, red_build(&view, payload, sizeof payload, &length));
    view.count = 2;
    view.blocks[0] = (struct red_block){111, RED_TIMESTAMP_BACK_MAX + 1, payload, 1};
    view.blocks[1] = (struct red_block){111, 0, payload, 1};
    assert_int_equal(STATUS_INVALID, red_build(&view, payload, sizeof payload, &length));
    view.blocks[0] = (struct red_block){111, 1, payload, RED_BLOCK_BYTES_MAX + 1};
    assert_int_equal(STATUS_INVALID, red_build(&view, payload, sizeof payload, &length));
    view.blocks[0] = (struct red_block){128, 1, payload, 1};
    assert_int_equal(STATUS_INVALID, red_build(&view, payload, sizeof payload, &length));

    memset(payload, 0, sizeof payload);
    struct red_view read;
    for (size_t i = 0; i < RED_BLOCKS_MAX; i++)
        payload[i * 4] = 0x80 | 111;
    assert_int_equal(STATUS_LIMIT, red_parse(payload, sizeof payload, &read));
    payload[(RED_BLOCKS_MAX - 1) * 4] = 111;
    assert_ok(red_parse(payload, sizeof payload, &read));
    assert_int_equal(RED_BLOCKS_MAX, read.count);
}

static void parse_prefix(uint8_t *bytes, size_t length)
{
    struct red_view view;
    if (red_parse(bytes, length, &view) != STATUS_OK)
        return;
    for (size_t i = 0; i < view.count; i++)
        assert_true(view.blocks[i].data + view.blocks[i].length <= bytes + length);
}

static void unwrap_prefix(uint8_t *bytes, size_t length)
{
    struct rtp_header header;
    if (rtp_parse(bytes, length, &header) == STATUS_OK)
        (void)!rtx_unwrap(bytes, &length, &header, 96, 1);
}

static void test_prefixes(void **state)
{
    (void)state;
    static const uint8_t red[] = {0xEF, 0x0F, 0x00, 0x03, 0x6F, 'o', 'l', 'd', 'n', 'e', 'w'};
    for_each_prefix(red, sizeof red, parse_prefix);
    uint8_t packet[128];
    for_each_prefix(packet, make_packet(packet), unwrap_prefix);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rtx_round_trip),
        cmocka_unit_test(test_rtx_unwrap_keeps_padding),
        cmocka_unit_test(test_rtx_without_original),
        cmocka_unit_test(test_red_round_trip),
        cmocka_unit_test(test_red_limits),
        cmocka_unit_test(test_prefixes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
