/* Tests of media/rtp/rtcp.h: RFC 3550 6, RFC 4585 6, RFC 5104 4.3.1, RFC 3611 4, REMB. */
#include "core/bytes.h"
#include "media/rtp/rtcp.h"
#include "tests/unit/media/rtp/wire.h"

static struct rtcp_packet read_one(const uint8_t *bytes, size_t length)
{
    struct rtcp_walk walk;
    struct rtcp_packet packet, next;
    assert_ok(rtcp_walk_new(bytes, length, &walk));
    assert_true(rtcp_walk_next(&walk, &packet));
    assert_false(rtcp_walk_next(&walk, &next));
    return packet;
}

static struct rtcp_packet load(const char *file, const char *name, uint8_t bytes[256])
{
    return read_one(bytes, vector_load(file, name, bytes, 256));
}

static void test_sr(void **state)
{
    (void)state;
    uint8_t bytes[256];
    struct rtcp_packet packet = load("rfc3550/rtcp.txt", "sr", bytes);
    assert_int_equal(RTCP_SR, packet.kind);
    assert_int_equal(0x11223344, packet.sender_ssrc);
    assert_true(packet.sender.ntp == UINT64_C(0x83AA7E8040000000));
    assert_int_equal(90000, packet.sender.rtp_timestamp);
    assert_int_equal(100, packet.sender.packets);
    assert_int_equal(40000, packet.sender.bytes);
    assert_int_equal(1, packet.item_count);
    struct rtcp_block block = rtcp_block_at(&packet, 0);
    assert_int_equal(0x55667788, block.ssrc);
    assert_int_equal(64, block.fraction_lost);
    assert_int_equal(-2, block.cumulative_lost);
    assert_int_equal(0x1FFFF, block.highest_sequence);
    assert_int_equal(24, block.jitter);
    assert_int_equal(0x7E804000, block.last_sr);
    assert_int_equal(0x10000, block.delay_since_sr);
    assert_int_equal(block.last_sr, rtcp_ntp_middle(packet.sender.ntp));

    uint8_t again[256];
    struct rtcp_writer writer = rtcp_writer_of(again, sizeof again);
    assert_ok(rtcp_write_sr(&writer, packet.sender_ssrc, &packet.sender, &block, 1));
    assert_int_equal(packet.length, writer.length);
    assert_memory_equal(bytes, again, writer.length);
}

static void test_rr(void **state)
{
    (void)state;
    uint8_t bytes[256], again[256];
    struct rtcp_packet packet = load("rfc3550/rtcp.txt", "rr", bytes);
    assert_int_equal(RTCP_RR, packet.kind);
    struct rtcp_block block = rtcp_block_at(&packet, 0);
    assert_int_equal(16, block.cumulative_lost);
    assert_int_equal(0x20005, block.highest_sequence);
    struct rtcp_writer writer = rtcp_writer_of(again, sizeof again);
    assert_ok(rtcp_write_rr(&writer, packet.sender_ssrc, &block, 1));
    assert_memory_equal(bytes, again, packet.length);
    bytes[0] = 0x82; /* says two blocks, holds one */
    assert_int_equal(RTCP_BROKEN, read_one(bytes, packet.length).kind);
}

static void test_sdes_and_bye(void **state)
{
    (void)state;
    uint8_t bytes[256], again[256];
    struct rtcp_packet packet = load("rfc3550/rtcp.txt", "sdes", bytes);
    assert_int_equal(RTCP_SDES, packet.kind);
    struct rtcp_writer writer = rtcp_writer_of(again, sizeof again);
    assert_ok(rtcp_write_sdes(&writer, 0x11223344, "me@host"));
    assert_int_equal(packet.length, writer.length);
    assert_memory_equal(bytes, again, writer.length);
    /* Ends on a word with a zero, however long the name. */
    char name[RTCP_CNAME_MAX + 2] = {0};
    for (size_t i = 1; i <= RTCP_CNAME_MAX; i++) {
        uint8_t buffer[300];
        memset(name, 'x', i);
        writer = rtcp_writer_of(buffer, sizeof buffer);
        assert_ok(rtcp_write_sdes(&writer, 1, name));
        assert_int_equal(0, buffer[writer.length - 1]);
        assert_int_equal(RTCP_SDES, read_one(buffer, writer.length).kind);
    }
    name[RTCP_CNAME_MAX] = 'x';
    assert_int_equal(STATUS_INVALID, rtcp_write_sdes(&writer, 1, name));
    assert_int_equal(STATUS_INVALID, rtcp_write_sdes(&writer, 1, ""));

    packet = load("rfc3550/rtcp.txt", "bye", bytes);
    assert_int_equal(RTCP_BYE, packet.kind);
    assert_int_equal(2, packet.item_count);
    uint32_t ssrcs[] = {rtcp_ssrc_at(&packet, 0), rtcp_ssrc_at(&packet, 1)};
    assert_int_equal(0x55667788, ssrcs[1]);
    writer = rtcp_writer_of(again, sizeof again);
    assert_ok(rtcp_write_bye(&writer, ssrcs, 2));
    assert_memory_equal(bytes, again, packet.length);
    packet = load("rfc3550/rtcp.txt", "bye_reason", bytes);
    assert_int_equal(RTCP_BYE, packet.kind);
    assert_int_equal(1, packet.item_count);
}

static void test_nack(void **state)
{
    (void)state;
    uint8_t bytes[256], again[256];
    struct rtcp_packet packet = load("rfc4585/feedback.txt", "nack", bytes);
    assert_int_equal(RTCP_NACK, packet.kind);
    assert_int_equal(1, packet.sender_ssrc);
    assert_int_equal(2, packet.media_ssrc);
    uint16_t sequences[8];
    assert_int_equal(3, rtcp_nack_list(&packet, sequences, 8));
    assert_int_equal(100, sequences[0]);
    assert_int_equal(101, sequences[1]);
    assert_int_equal(116, sequences[2]);
    assert_int_equal(2, rtcp_nack_list(&packet, sequences, 2));
    struct rtcp_writer writer = rtcp_writer_of(again, sizeof again);
    assert_ok(rtcp_write_nack(&writer, 1, 2, (const uint16_t[]){100, 101, 116}, 3));
    assert_memory_equal(bytes, again, packet.length);
    assert_int_equal(STATUS_INVALID, rtcp_write_nack(&writer, 1, 2, sequences, 0));
}

static void test_nack_round_trips(void **state)
{
    (void)state;
    uint64_t seed = 42;
    for (int round = 0; round < 500; round++) {
        uint16_t wanted[200], got[400];
        uint8_t bytes[1200];
        size_t count = 1 + dice(&seed) % 200;
        uint16_t at = (uint16_t)(65500 + dice(&seed) % 30);
        for (size_t i = 0; i < count; i++) {
            wanted[i] = at;
            at = (uint16_t)(at + 1 + dice(&seed) % ((unsigned)round % 40 + 1));
        }
        struct rtcp_writer writer = rtcp_writer_of(bytes, sizeof bytes);
        assert_ok(rtcp_write_nack(&writer, 1, 2, wanted, count));
        struct rtcp_packet packet = read_one(bytes, writer.length);
        assert_int_equal(count, rtcp_nack_list(&packet, got, 400));
        assert_memory_equal(wanted, got, count * sizeof wanted[0]);
    }
}

static void test_key_frame_requests(void **state)
{
    (void)state;
    uint8_t bytes[256], again[256];
    struct rtcp_packet packet = load("rfc4585/feedback.txt", "pli", bytes);
    assert_int_equal(RTCP_PLI, packet.kind);
    assert_int_equal(2, packet.media_ssrc);
    struct rtcp_writer writer = rtcp_writer_of(again, sizeof again);
    assert_ok(rtcp_write_pli(&writer, 1, 2));
    assert_int_equal(packet.length, writer.length);
    assert_memory_equal(bytes, again, writer.length);

    packet = load("rfc4585/feedback.txt", "fir", bytes);
    assert_int_equal(RTCP_FIR, packet.kind);
    assert_int_equal(2, packet.item_count);
    assert_int_equal(2, rtcp_ssrc_at(&packet, 0));
    assert_int_equal(7, rtcp_fir_sequence_at(&packet, 0));
    assert_int_equal(3, rtcp_ssrc_at(&packet, 1));
    assert_int_equal(255, rtcp_fir_sequence_at(&packet, 1));
    writer = rtcp_writer_of(again, sizeof again);
    assert_ok(rtcp_write_fir(&writer, 1, 2, 7));
    packet = read_one(again, writer.length);
    assert_int_equal(1, packet.item_count);
    assert_int_equal(2, rtcp_ssrc_at(&packet, 0));
    assert_int_equal(7, rtcp_fir_sequence_at(&packet, 0));
}

static void test_remb(void **state)
{
    (void)state;
    uint8_t bytes[256], again[256];
    struct rtcp_packet packet = load("rfc4585/feedback.txt", "remb", bytes);
    assert_int_equal(RTCP_REMB, packet.kind);
    assert_int_equal(1000000, packet.bitrate);
    assert_int_equal(2, packet.item_count);
    assert_int_equal(3, rtcp_ssrc_at(&packet, 1));
    struct rtcp_writer writer = rtcp_writer_of(again, sizeof again);
    assert_ok(rtcp_write_remb(&writer, 1, 1000000, (const uint32_t[]){2, 3}, 2));
    assert_memory_equal(bytes, again, packet.length);

    static const uint64_t rates[] = {0, 1, 262143, 262144, 30000000, UINT64_C(1) << 40, UINT64_MAX};
    for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++) {
        writer = rtcp_writer_of(again, sizeof again);
        assert_ok(rtcp_write_remb(&writer, 1, rates[i], NULL, 0));
        packet = read_one(again, writer.length);
        assert_int_equal(RTCP_REMB, packet.kind);
        assert_true(packet.bitrate <= rates[i] && rates[i] - packet.bitrate <= rates[i] >> 17);
    }
    /* A mantissa that its exponent pushes out of 64 bits. */
    memset(again + 17, 0xFF, 3);
    assert_int_equal(RTCP_BROKEN, read_one(again, writer.length).kind);
    /* Another application's feedback is none of ours. */
    again[12] = 'X';
    assert_int_equal(RTCP_OTHER, read_one(again, writer.length).kind);
}

static void test_xr(void **state)
{
    (void)state;
    uint8_t bytes[256], again[256];
    struct rtcp_packet packet = load("rfc4585/feedback.txt", "xr", bytes);
    assert_int_equal(RTCP_XR, packet.kind);
    uint64_t ntp = 0;
    assert_true(rtcp_xr_reference_time(&packet, &ntp));
    assert_true(ntp == UINT64_C(0x83AA7E8040000000));
    struct rtcp_dlrr dlrr;
    assert_true(rtcp_xr_dlrr_find(&packet, 3, &dlrr));
    assert_int_equal(0x7E805000, dlrr.last_rr);
    assert_int_equal(0x10000, dlrr.delay_since_rr);
    assert_false(rtcp_xr_dlrr_find(&packet, 4, &dlrr));

    struct rtcp_writer writer = rtcp_writer_of(again, sizeof again);
    assert_ok(rtcp_write_xr_dlrr(&writer, 1, &dlrr, 1));
    packet = read_one(again, writer.length);
    struct rtcp_dlrr read;
    assert_true(rtcp_xr_dlrr_find(&packet, 3, &read));
    assert_memory_equal(&dlrr, &read, sizeof dlrr);
    assert_false(rtcp_xr_reference_time(&packet, &ntp));
    writer = rtcp_writer_of(again, sizeof again);
    assert_ok(rtcp_write_xr_reference_time(&writer, 1, 0x0123456789ABCDEF));
    packet = read_one(again, writer.length);
    assert_true(rtcp_xr_reference_time(&packet, &ntp));
    assert_true(ntp == 0x0123456789ABCDEF);
}

static void test_round_trip_time(void **state)
{
    (void)state;
    uint32_t rtt = 7;
    /* RFC 3550 6.4.1, figure 2: 0xb710:8000 - 0xb705:2000 - 0x0005:4000 = 6.125 s. */
    assert_true(rtcp_round_trip(0xB7108000, 0xB7052000, 0x00054000, &rtt));
    assert_int_equal(0x00062000, rtt);
    assert_false(rtcp_round_trip(0xB7108000, 0, 0, &rtt));
    assert_false(rtcp_round_trip(1000, 900, 200, &rtt));
    assert_int_equal(0x00062000, rtt);
}

static void test_compound_walk(void **state)
{
    (void)state;
    uint8_t bytes[256];
    struct rtcp_writer writer = rtcp_writer_of(bytes, sizeof bytes);
    assert_ok(rtcp_write_rr(&writer, 1, NULL, 0));
    assert_ok(rtcp_write_sdes(&writer, 1, "c"));
    assert_ok(rtcp_write_pli(&writer, 1, 2));
    size_t pli = writer.length - 12;
    assert_ok(rtcp_write_bye(&writer, (const uint32_t[]){1}, 1));
    static const enum rtcp_kind kinds[] = {RTCP_RR, RTCP_SDES, RTCP_PLI, RTCP_BYE};
    struct rtcp_walk walk;
    struct rtcp_packet packet;
    assert_ok(rtcp_walk_new(bytes, writer.length, &walk));
    for (size_t i = 0; i < 4; i++) {
        assert_true(rtcp_walk_next(&walk, &packet));
        assert_int_equal(kinds[i], packet.kind);
    }
    assert_false(rtcp_walk_next(&walk, &packet));

    bytes[pli + 1] = 210; /* unknown in the middle */
    assert_ok(rtcp_walk_new(bytes, writer.length, &walk));
    for (size_t i = 0; i < 4; i++)
        assert_true(rtcp_walk_next(&walk, &packet));
    assert_int_equal(RTCP_BYE, packet.kind);

    bytes[pli] = 0x41; /* version 1 in the middle: the whole is not RTCP */
    assert_int_equal(STATUS_INVALID, rtcp_walk_new(bytes, writer.length, &walk));
    bytes[pli] = 0x81;
    bytes[pli + 3] = 200; /* beyond the end */
    assert_int_equal(STATUS_TRUNCATED, rtcp_walk_new(bytes, writer.length, &walk));
    assert_int_equal(STATUS_TRUNCATED, rtcp_walk_new(bytes, 0, &walk));
    assert_int_equal(STATUS_TRUNCATED, rtcp_walk_new(bytes, 3, &walk));
}

static void test_padding(void **state)
{
    (void)state;
    uint8_t bytes[] = {0xA1, 206, 0, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 4};
    struct rtcp_packet packet = read_one(bytes, sizeof bytes);
    assert_int_equal(RTCP_PLI, packet.kind);
    assert_int_equal(12, packet.length);
    bytes[15] = 0;
    assert_int_equal(RTCP_BROKEN, read_one(bytes, sizeof bytes).kind);
    bytes[15] = 13;
    assert_int_equal(RTCP_BROKEN, read_one(bytes, sizeof bytes).kind);
    bytes[1] = 202; /* an SDES has no least length of its own */
    assert_int_equal(RTCP_BROKEN, read_one(bytes, sizeof bytes).kind);
    bytes[1] = 206;
    bytes[15] = 12; /* leaves the header alone */
    assert_int_equal(RTCP_BROKEN, read_one(bytes, sizeof bytes).kind);
}

static void test_writers_write_all_or_nothing(void **state)
{
    (void)state;
    struct rtcp_block block = {.ssrc = 1};
    struct rtcp_sender sender = {.ntp = 1};
    struct rtcp_dlrr dlrr = {.ssrc = 1};
    uint32_t ssrc = 1;
    uint16_t sequence = 1;
    for (size_t size = 0; size < 64; size++) {
        uint8_t bytes[64];
        struct rtcp_writer writer = rtcp_writer_of(bytes, size);
        enum status all[] = {
            rtcp_write_sr(&writer, 1, &sender, &block, 1),
            rtcp_write_rr(&writer, 1, &block, 1),
            rtcp_write_xr_dlrr(&writer, 1, &dlrr, 1),
            rtcp_write_xr_reference_time(&writer, 1, 1),
            rtcp_write_remb(&writer, 1, 1, &ssrc, 1),
            rtcp_write_fir(&writer, 1, 1, 1),
            rtcp_write_nack(&writer, 1, 1, &sequence, 1),
            rtcp_write_sdes(&writer, 1, "a"),
            rtcp_write_pli(&writer, 1, 1),
            rtcp_write_bye(&writer, &ssrc, 1),
        };
        size_t written = 0, seen = 0;
        for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
            assert_true(all[i] == STATUS_OK || all[i] == STATUS_TRUNCATED);
            written += all[i] == STATUS_OK;
        }
        struct rtcp_walk walk;
        struct rtcp_packet packet;
        if (written > 0)
            assert_ok(rtcp_walk_new(bytes, writer.length, &walk));
        while (written > 0 && rtcp_walk_next(&walk, &packet)) {
            assert_int_not_equal(RTCP_BROKEN, packet.kind);
            seen++;
        }
        assert_int_equal(written, seen);
    }
    struct rtcp_block many[RTCP_BLOCKS_MAX + 1] = {{0}};
    uint8_t bytes[1000];
    struct rtcp_writer writer = rtcp_writer_of(bytes, sizeof bytes);
    assert_int_equal(STATUS_INVALID, rtcp_write_rr(&writer, 1, many, RTCP_BLOCKS_MAX + 1));
    assert_ok(rtcp_write_rr(&writer, 1, many, RTCP_BLOCKS_MAX));
    assert_int_equal(RTCP_BLOCKS_MAX, read_one(bytes, writer.length).item_count);
}

static void test_losses_stay_in_24_bits(void **state)
{
    (void)state;
    static const int32_t lost[] = {INT32_MAX, INT32_MIN, 0x7FFFFF, -0x800000, -1};
    static const int32_t expected[] = {0x7FFFFF, -0x800000, 0x7FFFFF, -0x800000, -1};
    for (size_t i = 0; i < 5; i++) {
        uint8_t bytes[64];
        struct rtcp_block block = {.cumulative_lost = lost[i]};
        struct rtcp_writer writer = rtcp_writer_of(bytes, sizeof bytes);
        assert_ok(rtcp_write_rr(&writer, 1, &block, 1));
        struct rtcp_packet packet = read_one(bytes, writer.length);
        assert_int_equal(expected[i], rtcp_block_at(&packet, 0).cumulative_lost);
    }
}

/* Everything that can be read of a packet, read. */
static void read_all(const struct rtcp_packet *packet)
{
    uint16_t sequences[64];
    uint64_t ntp;
    struct rtcp_dlrr dlrr;
    for (size_t i = 0; i < packet->item_count; i++) {
        if (packet->kind == RTCP_SR || packet->kind == RTCP_RR)
            (void)rtcp_block_at(packet, i);
        if (packet->kind == RTCP_BYE || packet->kind == RTCP_REMB || packet->kind == RTCP_FIR)
            (void)rtcp_ssrc_at(packet, i);
        if (packet->kind == RTCP_FIR)
            (void)rtcp_fir_sequence_at(packet, i);
    }
    if (packet->kind == RTCP_NACK)
        (void)rtcp_nack_list(packet, sequences, 64);
    if (packet->kind == RTCP_XR) {
        (void)rtcp_xr_reference_time(packet, &ntp);
        (void)rtcp_xr_dlrr_find(packet, 2, &dlrr);
    }
}

static void walk_prefix(uint8_t *bytes, size_t length)
{
    struct rtcp_walk walk;
    struct rtcp_packet packet;
    /* As it is, and with the length field made to fit, so that the bodies are cut too. */
    for (int fitted = 0; fitted < 2; fitted++) {
        if (fitted && length >= 4)
            store_be16(bytes + 2, (uint16_t)(length / 4 - 1));
        if (rtcp_walk_new(bytes, length / 4 * 4, &walk) != STATUS_OK)
            continue;
        while (rtcp_walk_next(&walk, &packet))
            read_all(&packet);
    }
}

static void test_prefixes(void **state)
{
    (void)state;
    static const char *const names[][2] = {
        {"rfc3550/rtcp.txt", "sr"},         {"rfc3550/rtcp.txt", "rr"},
        {"rfc3550/rtcp.txt", "sdes"},       {"rfc3550/rtcp.txt", "bye"},
        {"rfc3550/rtcp.txt", "bye_reason"}, {"rfc4585/feedback.txt", "nack"},
        {"rfc4585/feedback.txt", "pli"},    {"rfc4585/feedback.txt", "fir"},
        {"rfc4585/feedback.txt", "remb"},   {"rfc4585/feedback.txt", "xr"},
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        uint8_t bytes[256];
        size_t length = vector_load(names[i][0], names[i][1], bytes, sizeof bytes);
        for_each_prefix(bytes, length, walk_prefix);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sr),
        cmocka_unit_test(test_rr),
        cmocka_unit_test(test_sdes_and_bye),
        cmocka_unit_test(test_nack),
        cmocka_unit_test(test_nack_round_trips),
        cmocka_unit_test(test_key_frame_requests),
        cmocka_unit_test(test_remb),
        cmocka_unit_test(test_xr),
        cmocka_unit_test(test_round_trip_time),
        cmocka_unit_test(test_compound_walk),
        cmocka_unit_test(test_padding),
        cmocka_unit_test(test_writers_write_all_or_nothing),
        cmocka_unit_test(test_losses_stay_in_24_bits),
        cmocka_unit_test(test_prefixes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
