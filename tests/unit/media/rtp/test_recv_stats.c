/* Tests of media/rtp/recv_stats.h: RFC 3550 A.1, A.3, A.8. */
#include "media/rtp/recv_stats.h"
#include "tests/unit/media/rtp/wire.h"

static struct recv_stats stats;

static enum recv_verdict feed(uint16_t sequence)
{
    return recv_stats_packet(&stats, sequence, 0, 100, 0);
}

static struct rtcp_block block_now(uint64_t now_us)
{
    struct rtcp_block block;
    assert_true(recv_stats_block(&stats, 7, now_us, &block));
    assert_int_equal(7, block.ssrc);
    return block;
}

static void test_nothing_received(void **state)
{
    (void)state;
    struct rtcp_block block;
    recv_stats_init(&stats, 90000);
    assert_false(recv_stats_block(&stats, 7, 0, &block));
    assert_int_equal(0, recv_stats_lost(&stats));
}

static void test_wrap_and_reordering(void **state)
{
    (void)state;
    recv_stats_init(&stats, 90000);
    assert_int_equal(RECV_OK, feed(65534));
    assert_int_equal(RECV_OK, feed(0));
    assert_int_equal(65536, recv_stats_highest(&stats));
    assert_int_equal(1, recv_stats_lost(&stats));
    assert_int_equal(RECV_OK, feed(65535)); /* late, from before the wrap */
    assert_int_equal(65536, recv_stats_highest(&stats));
    assert_int_equal(0, recv_stats_lost(&stats));
    assert_int_equal(RECV_OK, feed(65535)); /* twice */
    assert_int_equal(-1, recv_stats_lost(&stats));
    assert_int_equal(-1, block_now(0).cumulative_lost);
    assert_int_equal(400, stats.bytes);
}

/* A.3: the fraction is of the interval since the last report, in 1/256. */
static void test_fraction_lost(void **state)
{
    (void)state;
    recv_stats_init(&stats, 90000);
    for (uint16_t i = 0; i < 100; i++) {
        if (i % 4 != 1)
            feed(i);
    }
    struct rtcp_block block = block_now(0);
    assert_int_equal(64, block.fraction_lost);
    assert_int_equal(25, block.cumulative_lost);
    assert_int_equal(99, block.highest_sequence);
    assert_int_equal(0, block_now(0).fraction_lost); /* an empty interval */
    for (uint16_t i = 100; i < 200; i++)
        feed(i);
    block = block_now(0);
    assert_int_equal(0, block.fraction_lost);
    assert_int_equal(25, block.cumulative_lost);
    feed(198); /* more than expected: none lost, not a negative share */
    feed(199);
    assert_int_equal(0, block_now(0).fraction_lost);
    feed(2199);
    assert_int_equal(255, block_now(0).fraction_lost);
}

/* A.1: one packet from elsewhere counts for nothing, two in a row are a restart. */
static void test_restart(void **state)
{
    (void)state;
    recv_stats_init(&stats, 90000);
    for (uint16_t i = 0; i < 10; i++)
        feed(i);
    assert_int_equal(RECV_REJECTED, feed(40000));
    assert_int_equal(RECV_OK, feed(10));
    assert_int_equal(10, recv_stats_highest(&stats));
    assert_int_equal(RECV_REJECTED, feed(50000));
    assert_int_equal(RECV_REJECTED, feed(50002));
    assert_int_equal(RECV_RESTARTED, feed(50003));
    assert_int_equal(50003, recv_stats_highest(&stats));
    assert_int_equal(0, recv_stats_lost(&stats));
    assert_int_equal(RECV_OK, feed(50004));
    /* The largest jump that is loss, the first that is not; the same backwards. */
    assert_int_equal(RECV_OK, feed(50004 + RECV_DROPOUT_MAX - 1));
    assert_int_equal(RECV_REJECTED, feed(53003 + RECV_DROPOUT_MAX));
    assert_int_equal(RECV_OK, feed(53003 - RECV_MISORDER_MAX + 1));
    assert_int_equal(RECV_REJECTED, feed(53003 - RECV_MISORDER_MAX));
}

/* A.8: J += (|D| - J) / 16. */
static void test_jitter(void **state)
{
    (void)state;
    recv_stats_init(&stats, 90000);
    uint64_t now = 1000000;
    uint32_t timestamp = 4294967000u; /* wraps on the way */
    for (uint16_t i = 0; i < 100; i++) {
        recv_stats_packet(&stats, i, timestamp, 1, now);
        timestamp += 3000;
        now += i % 3 == 2 ? 33334 : 33333; /* 33.3333 ms */
    }
    assert_true(recv_stats_jitter(&stats) <= 1);
    /* One packet 16 ms late: D = 1440, J = 1440 / 16 = 90; the next on time: again 1440. */
    recv_stats_init(&stats, 90000);
    recv_stats_packet(&stats, 0, 0, 1, 1000000);
    recv_stats_packet(&stats, 1, 3600, 1, 1000000 + 40000 + 16000);
    assert_int_equal(90, recv_stats_jitter(&stats));
    recv_stats_packet(&stats, 2, 7200, 1, 1000000 + 80000);
    assert_int_equal(90 + 1440 / 16 - 90 / 16 - 1, recv_stats_jitter(&stats));
    /* Other packets of the same frame, and old ones, say nothing. */
    uint32_t jitter = recv_stats_jitter(&stats);
    recv_stats_packet(&stats, 3, 7200, 1, 1000000 + 99000);
    recv_stats_packet(&stats, 1, 3600, 1, 1000000 + 99000);
    assert_int_equal(jitter, recv_stats_jitter(&stats));
    /* A timestamp from elsewhere is a new clock. */
    recv_stats_packet(&stats, 4, 2000000000, 1, 1000000 + 120000);
    assert_int_equal(jitter, recv_stats_jitter(&stats));
    recv_stats_packet(&stats, 5, 2000000000 + 3600, 1, 1000000 + 160000);
    assert_true(recv_stats_jitter(&stats) < jitter);
}

static void test_sender_report_times(void **state)
{
    (void)state;
    recv_stats_init(&stats, 48000);
    feed(1);
    assert_int_equal(0, block_now(5000000).last_sr);
    assert_int_equal(0, block_now(5000000).delay_since_sr);
    struct rtcp_sender sender = {.ntp = UINT64_C(0x83AA7E8040000000), .rtp_timestamp = 9};
    recv_stats_sr(&stats, &sender, 5000000);
    struct rtcp_block block = block_now(6500000);
    assert_int_equal(0x7E804000, block.last_sr);
    assert_int_equal(0x18000, block.delay_since_sr);
    assert_int_equal(9, stats.sr_rtp);
}

static void test_unwrap(void **state)
{
    (void)state;
    struct seq_unwrapper unwrapper = {0};
    assert_int_equal(65000, seq_unwrap(&unwrapper, 65000));
    assert_int_equal(65536 + 10, seq_unwrap(&unwrapper, 10));
    assert_int_equal(65535, seq_unwrap(&unwrapper, 65535));
    assert_int_equal(65536 + 30000, seq_unwrap(&unwrapper, 30000));
    unwrapper = (struct seq_unwrapper){0};
    assert_int_equal(3, seq_unwrap(&unwrapper, 3));
    assert_int_equal(-2, seq_unwrap(&unwrapper, 65534));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_received), cmocka_unit_test(test_wrap_and_reordering),
        cmocka_unit_test(test_fraction_lost),    cmocka_unit_test(test_restart),
        cmocka_unit_test(test_jitter),           cmocka_unit_test(test_sender_report_times),
        cmocka_unit_test(test_unwrap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
