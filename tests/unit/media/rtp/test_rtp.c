/* Tests of media/rtp/rtp.h: RFC 3550 5.1, RFC 8285 4, RFC 6464 3. */
#include "core/bytes.h"
#include "media/rtp/rtp.h"
#include "tests/unit/media/rtp/wire.h"

static size_t load(const char *name, uint8_t bytes[256])
{
    return vector_load("rfc8285/header.txt", name, bytes, 256);
}

static void check_element(const struct rtp_element *element, uint8_t id, uint8_t length,
                          uint8_t value)
{
    assert_int_equal(id, element->id);
    assert_int_equal(length, element->length);
    for (size_t i = 0; i < length; i++)
        assert_int_equal(value, element->value[i]);
}

static void test_one_byte_example(void **state)
{
    (void)state;
    uint8_t packet[256];
    size_t length = load("one_byte", packet);
    struct rtp_header header;
    assert_ok(rtp_parse(packet, length, &header));
    assert_int_equal(RTP_EXTENSION_ONE_BYTE, header.extension_form);
    assert_int_equal(16, header.extension_offset);
    assert_int_equal(12, header.extension_length);
    assert_int_equal(28, header.payload_offset);
    assert_int_equal(2, header.payload_length);
    assert_int_equal(96, header.payload_type);
    assert_int_equal(1, header.sequence);
    assert_int_equal(2, header.timestamp);
    assert_int_equal(3, header.ssrc);

    struct rtp_elements elements = rtp_elements_of(packet, &header);
    struct rtp_element element;
    assert_true(rtp_elements_next(&elements, &element));
    check_element(&element, 1, 1, 0x11);
    assert_true(rtp_elements_next(&elements, &element));
    check_element(&element, 2, 2, 0x22);
    assert_true(rtp_elements_next(&elements, &element));
    check_element(&element, 3, 4, 0x33);
    assert_false(rtp_elements_next(&elements, &element));
}

static void test_two_byte_example(void **state)
{
    (void)state;
    uint8_t packet[256];
    size_t length = load("two_byte", packet);
    struct rtp_header header;
    assert_ok(rtp_parse(packet, length, &header));
    assert_int_equal(RTP_EXTENSION_TWO_BYTE, header.extension_form);
    struct rtp_element element;
    assert_true(rtp_element_find(packet, &header, 1, &element));
    assert_int_equal(0, element.length);
    assert_true(rtp_element_find(packet, &header, 2, &element));
    check_element(&element, 2, 1, 0x22);
    assert_true(rtp_element_find(packet, &header, 3, &element));
    check_element(&element, 3, 4, 0x33);
    assert_false(rtp_element_find(packet, &header, 4, &element));
    assert_false(rtp_element_find(packet, &header, 0, &element));
}

static void test_reserved_ids_end_the_extension(void **state)
{
    (void)state;
    static const char *const names[] = {"id_15", "id_0_length"};
    for (size_t i = 0; i < 2; i++) {
        uint8_t packet[256];
        size_t length = load(names[i], packet);
        struct rtp_header header;
        struct rtp_element element;
        assert_ok(rtp_parse(packet, length, &header));
        assert_true(rtp_element_find(packet, &header, 1, &element));
        assert_int_equal(0x11, element.value[0]);
        assert_false(rtp_element_find(packet, &header, 2, &element));
        assert_false(rtp_element_find(packet, &header, 15, &element));
    }
}

static void test_element_past_the_block_is_no_element(void **state)
{
    (void)state;
    uint8_t packet[256];
    size_t length = load("one_byte", packet);
    packet[23] = 0x3F; /* 16 bytes where 4 are left */
    struct rtp_header header;
    struct rtp_element element;
    assert_ok(rtp_parse(packet, length, &header));
    assert_true(rtp_element_find(packet, &header, 2, &element));
    assert_false(rtp_element_find(packet, &header, 3, &element));
    length = load("two_byte", packet);
    packet[23] = 5; /* where 4 are left */
    assert_ok(rtp_parse(packet, length, &header));
    assert_true(rtp_element_find(packet, &header, 2, &element));
    assert_false(rtp_element_find(packet, &header, 3, &element));
}

static void test_other_profile_is_skipped(void **state)
{
    (void)state;
    uint8_t packet[256];
    size_t length = load("one_byte", packet);
    packet[12] = 0xAB;
    packet[13] = 0xCD;
    struct rtp_header header;
    struct rtp_element element;
    assert_ok(rtp_parse(packet, length, &header));
    assert_int_equal(RTP_EXTENSION_OTHER, header.extension_form);
    assert_int_equal(2, header.payload_length);
    assert_false(rtp_element_find(packet, &header, 1, &element));
}

static void test_padding(void **state)
{
    (void)state;
    uint8_t packet[64] = {0x80, 0x6F};
    struct rtp_header header;
    size_t length;
    assert_ok(rtp_pad(packet, 20, sizeof packet, 5, &length));
    assert_int_equal(25, length);
    assert_ok(rtp_parse(packet, length, &header));
    assert_int_equal(8, header.payload_length);
    assert_int_equal(5, header.padding_length);
    assert_int_equal(STATUS_INVALID, rtp_pad(packet, length, sizeof packet, 5, &length));

    packet[24] = 13; /* all payload is padding: a probe */
    assert_ok(rtp_parse(packet, length, &header));
    assert_int_equal(0, header.payload_length);
    packet[24] = 14;
    assert_int_equal(STATUS_INVALID, rtp_parse(packet, length, &header));
    packet[24] = 0;
    assert_int_equal(STATUS_INVALID, rtp_parse(packet, length, &header));

    packet[0] = 0x80;
    assert_int_equal(STATUS_TRUNCATED, rtp_pad(packet, 60, sizeof packet, 5, &length));
    assert_int_equal(STATUS_INVALID, rtp_pad(packet, 60, sizeof packet, 0, &length));
}

static void test_version(void **state)
{
    (void)state;
    uint8_t packet[12] = {0x80};
    struct rtp_header header;
    assert_ok(rtp_parse(packet, sizeof packet, &header));
    for (unsigned version = 0; version < 4; version++) {
        packet[0] = (uint8_t)(version << 6);
        assert_int_equal(version == 2 ? STATUS_OK : STATUS_INVALID,
                         rtp_parse(packet, sizeof packet, &header));
    }
}

static void test_rtcp_is_told_apart(void **state)
{
    (void)state;
    assert_true(rtp_is_rtcp((const uint8_t[]){0x80, 200}, 2));
    assert_true(rtp_is_rtcp((const uint8_t[]){0x80, 192}, 2));
    assert_true(rtp_is_rtcp((const uint8_t[]){0x80, 223}, 2));
    assert_false(rtp_is_rtcp((const uint8_t[]){0x80, 111}, 2));
    assert_false(rtp_is_rtcp((const uint8_t[]){0x80, 0x80 | 111}, 2));
    assert_false(rtp_is_rtcp((const uint8_t[]){0x80, 191}, 2));
    assert_false(rtp_is_rtcp((const uint8_t[]){0x80, 224}, 2));
    assert_false(rtp_is_rtcp((const uint8_t[]){0x80}, 1));
}

/* RFC 6464 3: V, then the level. */
static void test_audio_level(void **state)
{
    (void)state;
    uint8_t value[1], level = 0;
    bool voice = false;
    struct rtp_element element = rtp_audio_level_element(1, 30, true, value);
    assert_int_equal(0x80 | 30, value[0]);
    assert_true(rtp_audio_level_read(&element, &level, &voice));
    assert_int_equal(30, level);
    assert_true(voice);
    element = rtp_audio_level_element(1, 127, false, value);
    assert_true(rtp_audio_level_read(&element, &level, &voice));
    assert_int_equal(127, level);
    assert_false(voice);
    element.length = 2;
    assert_false(rtp_audio_level_read(&element, &level, &voice));
}

static void test_numbers_of_transport_and_time(void **state)
{
    (void)state;
    uint8_t value[3];
    uint16_t seq = 0;
    uint32_t time = 0;
    struct rtp_element element = rtp_transport_seq_element(3, 0xFEDC, value);
    assert_true(rtp_transport_seq_read(&element, &seq));
    assert_int_equal(0xFEDC, seq);
    element.length = 3;
    assert_false(rtp_transport_seq_read(&element, &seq));

    /* 6.18 fixed point: 1.5 s is 0x060000; after 64 s it begins anew. */
    assert_int_equal(0x060000, rtp_send_time_of(1500000000));
    assert_int_equal(0x060000, rtp_send_time_of(65500000000));
    assert_int_equal(0x020000, rtp_send_time_of(UINT64_C(6400000000500000000)));
    element = rtp_send_time_element(4, 0xABCDEF, value);
    assert_true(rtp_send_time_read(&element, &time));
    assert_int_equal(0xABCDEF, time);
    element.length = 2;
    assert_false(rtp_send_time_read(&element, &time));

    uint8_t quarters = 0;
    element = (struct rtp_element){.id = 5, .length = 1, .value = (const uint8_t[]){0x0B}};
    assert_true(rtp_orientation_read(&element, &quarters));
    assert_int_equal(3, quarters);
}

static void test_text(void **state)
{
    (void)state;
    char text[4] = "?";
    struct rtp_element element = {.id = 1, .length = 3, .value = (const uint8_t *)"a1-"};
    assert_true(rtp_text_read(&element, text, sizeof text));
    assert_string_equal("a1-", text);
    assert_false(rtp_text_read(&element, text, 3));
    element.length = 0;
    assert_false(rtp_text_read(&element, text, sizeof text));
    element = (struct rtp_element){.id = 1, .length = 2, .value = (const uint8_t *)"a\0"};
    assert_false(rtp_text_read(&element, text, sizeof text));
    element.value = (const uint8_t *)"\xC3\xA4";
    assert_false(rtp_text_read(&element, text, sizeof text));
    assert_string_equal("a1-", text);
}

static void test_write_chooses_the_form(void **state)
{
    (void)state;
    uint8_t packet[512], value[255] = {1, 2, 3};
    struct {
        uint8_t id, length;
        enum rtp_extension_form form;
    } cases[] = {
        {1, 1, RTP_EXTENSION_ONE_BYTE},  {14, 16, RTP_EXTENSION_ONE_BYTE},
        {15, 1, RTP_EXTENSION_TWO_BYTE}, {1, 17, RTP_EXTENSION_TWO_BYTE},
        {1, 0, RTP_EXTENSION_TWO_BYTE},  {255, 255, RTP_EXTENSION_TWO_BYTE},
        {0, 3, RTP_EXTENSION_NONE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct rtp_writing writing = {.payload_type = 96, .element_count = 1};
        writing.elements[0] = (struct rtp_element){cases[i].id, cases[i].length, value};
        size_t length;
        assert_ok(rtp_write(&writing, packet, sizeof packet, &length));
        struct rtp_header header;
        struct rtp_element element;
        assert_ok(rtp_parse(packet, length, &header));
        assert_int_equal(cases[i].form, header.extension_form);
        assert_int_equal(0, header.payload_length);
        if (cases[i].id == 0)
            continue;
        assert_true(rtp_element_find(packet, &header, cases[i].id, &element));
        assert_int_equal(cases[i].length, element.length);
        assert_memory_equal(value, element.value, element.length);
    }
}

static void test_write_refuses(void **state)
{
    (void)state;
    uint8_t packet[64];
    size_t length = 7;
    struct rtp_writing writing = {.payload_type = 128};
    assert_int_equal(STATUS_INVALID, rtp_write(&writing, packet, sizeof packet, &length));
    writing = (struct rtp_writing){.csrc_count = 16};
    assert_int_equal(STATUS_INVALID, rtp_write(&writing, packet, sizeof packet, &length));
    writing = (struct rtp_writing){.element_count = RTP_EXTENSIONS_MAX + 1};
    assert_int_equal(STATUS_INVALID, rtp_write(&writing, packet, sizeof packet, &length));
    writing = (struct rtp_writing){.csrc_count = 1};
    assert_int_equal(STATUS_TRUNCATED, rtp_write(&writing, packet, 15, &length));
    assert_int_equal(7, length);
    assert_ok(rtp_write(&writing, packet, 16, &length));
    assert_int_equal(16, length);
}

static void parse_prefix(uint8_t *bytes, size_t length)
{
    struct rtp_header header;
    if (rtp_parse(bytes, length, &header) != STATUS_OK)
        return;
    struct rtp_elements elements = rtp_elements_of(bytes, &header);
    struct rtp_element element;
    unsigned sum = 0;
    while (rtp_elements_next(&elements, &element)) {
        for (size_t i = 0; i < element.length; i++)
            sum += element.value[i];
    }
    for (size_t i = 0; i < header.payload_length; i++)
        sum += bytes[header.payload_offset + i];
    assert_true(sum < UINT32_MAX);
}

/* What is written is read again, whatever it is; and every prefix of it is safe. */
static void test_random_round_trips(void **state)
{
    (void)state;
    uint64_t seed = 0x5EED;
    for (int round = 0; round < 2000; round++) {
        uint8_t values[RTP_EXTENSIONS_MAX][40], packet[1024];
        struct rtp_writing writing = {
            .marker = dice(&seed) & 1,
            .payload_type = dice(&seed) & 0x7F,
            .sequence = (uint16_t)dice(&seed),
            .timestamp = dice(&seed),
            .ssrc = dice(&seed),
            .csrc_count = dice(&seed) % (RTP_CSRCS_MAX + 1),
            .element_count = dice(&seed) % 8,
        };
        for (size_t i = 0; i < writing.csrc_count; i++)
            writing.csrcs[i] = dice(&seed);
        size_t longest = round % 2 ? 16 : 40;
        for (size_t i = 0; i < writing.element_count; i++) {
            memset(values[i], (int)dice(&seed), sizeof values[i]);
            writing.elements[i] = (struct rtp_element){
                .id = (uint8_t)(i + 1 + (round % 3 == 0 ? 9 : 0)),
                .length = (uint8_t)(1 + dice(&seed) % longest),
                .value = values[i],
            };
        }
        size_t length;
        assert_ok(rtp_write(&writing, packet, sizeof packet, &length));
        assert_int_equal(length, rtp_write_size(&writing));
        assert_int_equal(0, length % 4);
        struct rtp_header header;
        assert_ok(rtp_parse(packet, length, &header));
        assert_int_equal(length, header.payload_offset);
        assert_int_equal(writing.marker, header.marker);
        assert_int_equal(writing.payload_type, header.payload_type);
        assert_int_equal(writing.sequence, header.sequence);
        assert_int_equal(writing.timestamp, header.timestamp);
        assert_int_equal(writing.ssrc, header.ssrc);
        assert_int_equal(writing.csrc_count, header.csrc_count);
        assert_memory_equal(writing.csrcs, header.csrcs, writing.csrc_count * 4U);
        for (size_t i = 0; i < writing.element_count; i++) {
            struct rtp_element element;
            assert_true(rtp_element_find(packet, &header, writing.elements[i].id, &element));
            assert_int_equal(writing.elements[i].length, element.length);
            assert_memory_equal(writing.elements[i].value, element.value, element.length);
        }
        if (round < 50)
            for_each_prefix(packet, length, parse_prefix);
    }
}

static void test_setters(void **state)
{
    (void)state;
    uint8_t packet[12] = {0x80, 0x60};
    struct rtp_header header;
    rtp_marker_set(packet, true);
    rtp_payload_type_set(packet, 111);
    rtp_sequence_set(packet, 65535);
    rtp_timestamp_set(packet, 0xFFFFFFFE);
    rtp_ssrc_set(packet, 0x89ABCDEF);
    assert_ok(rtp_parse(packet, sizeof packet, &header));
    assert_true(header.marker);
    assert_int_equal(111, header.payload_type);
    assert_int_equal(65535, header.sequence);
    assert_int_equal(0xFFFFFFFE, header.timestamp);
    assert_int_equal(0x89ABCDEF, header.ssrc);
    rtp_marker_set(packet, false);
    assert_int_equal(111, packet[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_byte_example),
        cmocka_unit_test(test_two_byte_example),
        cmocka_unit_test(test_reserved_ids_end_the_extension),
        cmocka_unit_test(test_element_past_the_block_is_no_element),
        cmocka_unit_test(test_other_profile_is_skipped),
        cmocka_unit_test(test_padding),
        cmocka_unit_test(test_version),
        cmocka_unit_test(test_rtcp_is_told_apart),
        cmocka_unit_test(test_audio_level),
        cmocka_unit_test(test_numbers_of_transport_and_time),
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_write_chooses_the_form),
        cmocka_unit_test(test_write_refuses),
        cmocka_unit_test(test_random_round_trips),
        cmocka_unit_test(test_setters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
