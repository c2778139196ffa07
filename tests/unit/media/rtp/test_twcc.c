/* Tests of media/rtp/twcc.h against draft-holmer-rmcat-transport-wide-cc-extensions-01. */
#include "core/bytes.h"
#include "media/rtp/rtcp.h"
#include "media/rtp/twcc.h"
#include "tests/unit/media/rtp/wire.h"

enum { REPORTS_MAX = 5000, PACKET_MAX = 1200 };

static struct twcc_recorder recorder;
static struct twcc_report reports[REPORTS_MAX];
static struct twcc_feedback feedback;
static size_t report_count;

static enum status parse(const uint8_t *packet, size_t length)
{
    return twcc_parse(packet, length, &feedback, reports, REPORTS_MAX, &report_count);
}

/* Builds one packet, checks it as RTCP, reads it into the globals. */
static void build_and_parse(size_t size)
{
    uint8_t packet[PACKET_MAX];
    size_t length = 0;
    assert_ok(twcc_build(&recorder, 1, 2, packet, size, &length));
    assert_true(length <= size);
    struct rtcp_walk walk;
    struct rtcp_packet rtcp;
    assert_ok(rtcp_walk_new(packet, length, &walk));
    assert_true(rtcp_walk_next(&walk, &rtcp));
    assert_int_equal(RTCP_TWCC, rtcp.kind);
    assert_int_equal(1, rtcp.sender_ssrc);
    assert_int_equal(2, rtcp.media_ssrc);
    assert_int_equal(length, rtcp.length);
    assert_ok(parse(rtcp.bytes, rtcp.length));
}

static size_t load(const char *name, uint8_t bytes[256])
{
    return vector_load("transport-cc/feedback.txt", name, bytes, 256);
}

static void test_run_length_example(void **state)
{
    (void)state;
    uint8_t bytes[256];
    assert_ok(parse(bytes, load("run", bytes)));
    assert_int_equal(222, report_count);
    assert_int_equal(100, feedback.base_sequence);
    assert_int_equal(5, feedback.feedback_count);
    assert_int_equal(1, feedback.reference_time);
    for (size_t i = 0; i < 221; i++)
        assert_false(reports[i].received);
    assert_true(reports[221].received);
    assert_int_equal(321, reports[221].sequence);
    assert_int_equal(64000 + 4 * 250, reports[221].arrival_us);

    /* The recorder says the same in the same bytes. */
    uint8_t packet[64];
    size_t length;
    twcc_recorder_init(&recorder);
    assert_ok(twcc_record(&recorder, 99, 64000));
    assert_ok(twcc_build(&recorder, 1, 2, packet, sizeof packet, &length));
    assert_ok(twcc_record(&recorder, 321, 65000));
    recorder.feedback_count = 5;
    assert_ok(twcc_build(&recorder, 1, 2, packet, sizeof packet, &length));
    assert_int_equal(28, length);
    assert_memory_equal(bytes, packet, length);
}

static void test_status_vector_examples(void **state)
{
    (void)state;
    static const bool received[] = {0, 1, 1, 1, 1, 1, 0, 0, 0, 1, 1, 1, 0, 0};
    uint8_t bytes[256];
    assert_ok(parse(bytes, load("one_bit", bytes)));
    assert_int_equal(14, report_count);
    int64_t at = -64000; /* reference time FFFFFF is -1 */
    int32_t delta = 0;
    for (size_t i = 0; i < 14; i++) {
        assert_int_equal(received[i], reports[i].received);
        if (!received[i])
            continue;
        at += ++delta * TWCC_TICK_US;
        assert_int_equal(delta, reports[i].delta);
        assert_int_equal(at, reports[i].arrival_us);
    }

    static const bool received7[] = {0, 1, 1, 1, 0, 0, 1};
    static const int32_t deltas7[] = {0, 1, 2, -1, 0, 0, 256};
    assert_ok(parse(bytes, load("two_bit", bytes)));
    assert_int_equal(7, report_count);
    for (size_t i = 0; i < 7; i++) {
        assert_int_equal((uint16_t)(0xFFFE + i), reports[i].sequence);
        assert_int_equal(received7[i], reports[i].received);
        if (received7[i])
            assert_int_equal(deltas7[i], reports[i].delta);
    }
    assert_int_equal(STATUS_INVALID, parse(bytes, load("reserved", bytes)));
}

static void test_nothing_to_say(void **state)
{
    (void)state;
    uint8_t packet[64];
    size_t length;
    twcc_recorder_init(&recorder);
    assert_false(twcc_pending(&recorder));
    assert_int_equal(STATUS_NOT_FOUND, twcc_build(&recorder, 1, 2, packet, 64, &length));
    assert_ok(twcc_record(&recorder, 7, 1000));
    assert_true(twcc_pending(&recorder));
    assert_int_equal(STATUS_TRUNCATED,
                     twcc_build(&recorder, 1, 2, packet, TWCC_FEEDBACK_MIN - 1, &length));
    build_and_parse(TWCC_FEEDBACK_MIN);
    assert_false(twcc_pending(&recorder));
    assert_int_equal(STATUS_NOT_FOUND, twcc_build(&recorder, 1, 2, packet, 64, &length));
}

static void test_duplicates_count_once(void **state)
{
    (void)state;
    twcc_recorder_init(&recorder);
    assert_ok(twcc_record(&recorder, 7, 1000));
    assert_int_equal(STATUS_DUPLICATE, twcc_record(&recorder, 7, 9000));
    build_and_parse(PACKET_MAX);
    assert_int_equal(1, report_count);
    assert_int_equal(1000, reports[0].arrival_us);
    assert_int_equal(STATUS_DUPLICATE, twcc_record(&recorder, 7, 20000));
    assert_false(twcc_pending(&recorder));
}

static void test_gap_is_reported_and_corrected(void **state)
{
    (void)state;
    twcc_recorder_init(&recorder);
    assert_ok(twcc_record(&recorder, 65534, 1000000));
    assert_ok(twcc_record(&recorder, 1, 1002000));
    build_and_parse(PACKET_MAX);
    assert_int_equal(4, report_count);
    assert_int_equal(65534, reports[0].sequence);
    assert_true(reports[0].received && !reports[1].received && !reports[2].received);
    assert_true(reports[3].received);
    assert_int_equal(0, feedback.feedback_count);

    /* 65535 comes late: again from there on. 0 stays missing. */
    assert_ok(twcc_record(&recorder, 65535, 1010000));
    build_and_parse(PACKET_MAX);
    assert_int_equal(3, report_count);
    assert_int_equal(65535, reports[0].sequence);
    assert_int_equal(1010000, reports[0].arrival_us);
    assert_false(reports[1].received);
    assert_true(reports[2].received);
    assert_int_equal(1002000, reports[2].arrival_us);
    assert_true(reports[2].delta < 0);
    assert_int_equal(1, feedback.feedback_count);
    assert_false(twcc_pending(&recorder));
}

static void test_too_late_is_not_reported_again(void **state)
{
    (void)state;
    twcc_recorder_init(&recorder);
    assert_ok(twcc_record(&recorder, 10, 1000000));
    assert_ok(twcc_record(&recorder, 12, 1000000));
    build_and_parse(PACKET_MAX);
    assert_int_equal(STATUS_LATE, twcc_record(&recorder, 11, 1000001 + TWCC_WINDOW_US));
    assert_false(twcc_pending(&recorder));
    assert_ok(twcc_record(&recorder, 11, 1000000 + TWCC_WINDOW_US));
    build_and_parse(PACKET_MAX);
    assert_int_equal(2, report_count);
}

static void test_before_the_first(void **state)
{
    (void)state;
    twcc_recorder_init(&recorder);
    assert_ok(twcc_record(&recorder, 0, 5000));
    assert_ok(twcc_record(&recorder, 65533, 6000));
    build_and_parse(PACKET_MAX);
    assert_int_equal(4, report_count);
    assert_int_equal(65533, feedback.base_sequence);
    assert_true(reports[0].received && !reports[1].received && !reports[2].received);
    assert_true(reports[3].received);
}

static void test_long_pause_begins_a_new_packet(void **state)
{
    (void)state;
    twcc_recorder_init(&recorder);
    assert_ok(twcc_record(&recorder, 1, 1000000));
    /* One tick more than 16 bits hold, then the last that they hold. */
    assert_ok(twcc_record(&recorder, 2, 1000000 + 32768 * 250));
    assert_ok(twcc_record(&recorder, 3, 1000000 + (32768 + 32767) * 250));
    build_and_parse(PACKET_MAX);
    assert_int_equal(1, report_count);
    build_and_parse(PACKET_MAX);
    assert_int_equal(2, report_count);
    assert_int_equal(2, reports[0].sequence);
    assert_int_equal(1000000 + 32768 * 250, reports[0].arrival_us);
    assert_int_equal(32767, reports[1].delta);
    assert_false(twcc_pending(&recorder));
}

static void test_jump_beyond_the_window(void **state)
{
    (void)state;
    twcc_recorder_init(&recorder);
    assert_ok(twcc_record(&recorder, 0, 1000));
    assert_ok(twcc_record(&recorder, 20000, 2000));
    build_and_parse(PACKET_MAX);
    assert_int_equal(TWCC_WINDOW_MAX, report_count);
    for (size_t i = 0; i + 1 < report_count; i++)
        assert_false(reports[i].received);
    assert_true(reports[report_count - 1].received);
    assert_int_equal(20000, reports[report_count - 1].sequence);
}

static void test_sender_that_counts_anew(void **state)
{
    (void)state;
    twcc_recorder_init(&recorder);
    assert_ok(twcc_record(&recorder, 30000, 1000));
    build_and_parse(PACKET_MAX);
    for (uint16_t i = 0; i + 1 < TWCC_LATE_RUN_MAX; i++)
        assert_int_equal(STATUS_LATE, twcc_record(&recorder, i, 2000));
    assert_ok(twcc_record(&recorder, 100, 3000));
    build_and_parse(PACKET_MAX);
    assert_int_equal(1, report_count);
    assert_int_equal(100, reports[0].sequence);
    assert_int_equal(1, feedback.feedback_count);
}

/* Base times of 24 bits go round; arrivals far from zero keep their distances. */
static void test_reference_time_wraps(void **state)
{
    (void)state;
    uint64_t now = (UINT64_C(1) << 24) * TWCC_BASE_US * 3 + 5 * TWCC_BASE_US + 1000;
    twcc_recorder_init(&recorder);
    assert_ok(twcc_record(&recorder, 1, now));
    build_and_parse(PACKET_MAX);
    assert_int_equal(5, feedback.reference_time);
    assert_int_equal(5 * TWCC_BASE_US + 1000, reports[0].arrival_us);
}

/* What a sender may conclude from all feedback packets, against what happened. */
struct ledger {
    uint64_t arrival[65536];
    bool sent_arrived[65536], told[65536], told_received[65536];
    int64_t told_us[65536];
};

static struct ledger ledger;

static void ledger_take(void)
{
    for (size_t i = 0; i < report_count; i++) {
        uint16_t seq = reports[i].sequence;
        assert_int_equal((uint16_t)(feedback.base_sequence + i), seq);
        /* Once told as received it never becomes missing. */
        assert_false(ledger.told_received[seq] && !reports[i].received);
        ledger.told[seq] = true;
        ledger.told_received[seq] = reports[i].received;
        ledger.told_us[seq] = reports[i].arrival_us;
    }
}

static void ledger_flush(uint64_t *seed)
{
    size_t size = TWCC_FEEDBACK_MIN + dice(seed) % (PACKET_MAX - TWCC_FEEDBACK_MIN);
    uint8_t count = recorder.feedback_count;
    while (twcc_pending(&recorder)) {
        build_and_parse(size);
        assert_int_equal(count++, feedback.feedback_count);
        ledger_take();
    }
}

/* Loss, bursts, reordering, pauses, every packet size: each number told, each as it was. */
static void random_stream(uint64_t seed, unsigned loss_percent, unsigned reorder_percent)
{
    memset(&ledger, 0, sizeof ledger);
    twcc_recorder_init(&recorder);
    uint16_t first = (uint16_t)dice(&seed), last = first;
    uint64_t now = 1000000 + dice(&seed);
    uint16_t held = 0;
    bool holding = false;
    bool last_received = false;
    for (int i = 0; i < 3000; i++) {
        uint16_t seq = (uint16_t)(first + i);
        now += dice(&seed) % (dice(&seed) % 50 == 0 ? 300000 : 700);
        bool lost = i > 0 && dice(&seed) % 100 < loss_percent;
        if (!lost && i > 0 && !holding && dice(&seed) % 100 < reorder_percent) {
            held = seq;
            holding = true;
            continue;
        }
        if (!lost) {
            assert_ok(twcc_record(&recorder, seq, now));
            ledger.sent_arrived[seq] = true;
            ledger.arrival[seq] = now;
            last = seq;
            last_received = true;
        }
        if (holding && last_received && dice(&seed) % 4 == 0) {
            holding = false;
            if (twcc_record(&recorder, held, now) == STATUS_OK) {
                ledger.sent_arrived[held] = true;
                ledger.arrival[held] = now;
                if (seq_diff(held, last) > 0)
                    last = held;
            }
        }
        if (dice(&seed) % 40 == 0)
            ledger_flush(&seed);
    }
    ledger_flush(&seed);
    for (uint16_t seq = first; seq_diff(seq, last) <= 0; seq++) {
        assert_true(ledger.told[seq]);
        assert_int_equal(ledger.sent_arrived[seq], ledger.told_received[seq]);
        if (!ledger.sent_arrived[seq])
            continue;
        /* Reference times have 24 bits: compare below their range. */
        int64_t range = (INT64_C(1) << 24) * TWCC_BASE_US;
        int64_t off = (ledger.told_us[seq] - (int64_t)ledger.arrival[seq]) % range;
        assert_true(off >= -TWCC_TICK_US / 2 && off <= TWCC_TICK_US / 2);
    }
}

static void test_random_streams(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 60; seed++)
        random_stream(seed * 7919, (unsigned)(seed * 7 % 60), (unsigned)(seed * 3 % 20));
}

static void test_parse_limits(void **state)
{
    (void)state;
    uint8_t bytes[256];
    size_t length = load("one_bit", bytes), count = 0;
    assert_int_equal(STATUS_LIMIT, twcc_parse(bytes, length, &feedback, reports, 13, &count));
    assert_ok(twcc_parse(bytes, length, &feedback, reports, 14, &count));
    store_be16(bytes + 14, 0);
    assert_int_equal(STATUS_INVALID, parse(bytes, length));
    store_be16(bytes + 14, 0xFFFF); /* more than its chunks say */
    assert_int_equal(STATUS_LIMIT, parse(bytes, length));
    store_be16(bytes + 14, 28);
    assert_int_equal(STATUS_TRUNCATED, parse(bytes, 22)); /* a chunk is missing */
    store_be16(bytes + 14, 14);
    assert_int_equal(STATUS_TRUNCATED, parse(bytes, 29)); /* a delta is missing */
    bytes[1] = 206;
    assert_int_equal(STATUS_INVALID, parse(bytes, length));
}

static void parse_prefix(uint8_t *bytes, size_t length)
{
    (void)!parse(bytes, length);
}

static void test_prefixes(void **state)
{
    (void)state;
    static const char *const names[] = {"run", "one_bit", "two_bit"};
    for (size_t i = 0; i < 3; i++) {
        uint8_t bytes[256];
        for_each_prefix(bytes, load(names[i], bytes), parse_prefix);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_run_length_example),
        cmocka_unit_test(test_status_vector_examples),
        cmocka_unit_test(test_nothing_to_say),
        cmocka_unit_test(test_duplicates_count_once),
        cmocka_unit_test(test_gap_is_reported_and_corrected),
        cmocka_unit_test(test_too_late_is_not_reported_again),
        cmocka_unit_test(test_before_the_first),
        cmocka_unit_test(test_long_pause_begins_a_new_packet),
        cmocka_unit_test(test_jump_beyond_the_window),
        cmocka_unit_test(test_sender_that_counts_anew),
        cmocka_unit_test(test_reference_time_wraps),
        cmocka_unit_test(test_random_streams),
        cmocka_unit_test(test_parse_limits),
        cmocka_unit_test(test_prefixes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
