#include "tests/support/net_path.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { PAYLOAD = 1000 - NET_PATH_OVERHEAD, PACKET_BITS = 8000, MS = 1000 };

static struct net_path *path_of(uint64_t seed, struct net_path_settings settings)
{
    struct net_path *path;
    assert_int_equal(net_path_new(seed, &path), STATUS_OK);
    net_path_set(path, &settings, 0);
    return path;
}

static void offer(struct net_path *path, uint32_t number, uint64_t now_us)
{
    uint8_t bytes[PAYLOAD] = {0};
    memcpy(bytes, &number, sizeof number);
    enum status status = net_path_offer(path, bytes, sizeof bytes, NULL, now_us);
    assert_true(status == STATUS_OK || status == STATUS_LIMIT);
}

/* The next packet at the time it is due; false: nothing is under way. */
static bool next(struct net_path *path, uint32_t *ret_number, uint64_t *ret_us)
{
    for (;;) {
        uint64_t due = net_path_due_us(path);
        if (due == UINT64_MAX)
            return false;
        if (due > 0)
            assert_null(net_path_take(path, due - 1));
        const struct net_packet *packet = net_path_take(path, due);
        if (!packet) /* left the bottleneck only */
            continue;
        assert_int_equal(packet->length, PAYLOAD);
        memcpy(ret_number, packet->bytes, sizeof *ret_number);
        *ret_us = due;
        return true;
    }
}

static void test_a_perfect_way(void **state)
{
    (void)state;
    struct net_path *path = path_of(1, (struct net_path_settings){0});
    uint32_t number;
    uint64_t at;
    for (uint32_t i = 0; i < 100; i++)
        offer(path, i, i);
    for (uint32_t i = 0; i < 100; i++) {
        assert_true(next(path, &number, &at));
        assert_int_equal(number, i);
        assert_int_equal(at, i);
    }
    assert_false(next(path, &number, &at));
    assert_null(net_path_free(path));
    assert_null(net_path_free(NULL));
}

static void test_rate_and_delay(void **state)
{
    (void)state;
    struct net_path *path =
        path_of(1, (struct net_path_settings){.rate_bps = 1000000, .delay_us = 50 * MS});
    uint32_t number;
    uint64_t at;
    for (uint32_t i = 0; i < 10; i++)
        offer(path, i, 0);
    assert_int_equal(net_path_queued_bytes(path), 10000);
    for (uint32_t i = 0; i < 10; i++) {
        assert_true(next(path, &number, &at));
        assert_int_equal(number, i);
        assert_int_equal(at, 50 * MS + (i + 1) * 8 * MS); /* 8,000 bits at 1 Mbit/s: 8 ms */
    }
    assert_int_equal(net_path_counters(path)->queue_us_max, 80 * MS);
    net_path_free(path);
}

static void test_the_rate_changes_in_the_middle_of_a_packet(void **state)
{
    (void)state;
    struct net_path_settings settings = {.rate_bps = 1000000};
    struct net_path *path = path_of(1, settings);
    uint32_t number;
    uint64_t at;
    offer(path, 0, 0);
    offer(path, 1, 0);
    settings.rate_bps = 100000; /* 2 ms, a quarter, are sent: the other 6,000 bits take 60 ms */
    net_path_set(path, &settings, 2 * MS);
    assert_true(next(path, &number, &at));
    assert_int_equal(at, 62 * MS);
    settings.rate_bps = 0; /* no bottleneck any more: what waits leaves */
    net_path_set(path, &settings, 70 * MS);
    assert_true(next(path, &number, &at));
    assert_int_equal(number, 1);
    assert_int_equal(at, 70 * MS);
    net_path_free(path);
}

static void test_the_queue_is_bounded(void **state)
{
    (void)state;
    struct net_path *path =
        path_of(1, (struct net_path_settings){.rate_bps = 1000000, .queue_bytes = 5000});
    for (uint32_t i = 0; i < 20; i++)
        offer(path, i, 0);
    assert_int_equal(net_path_counters(path)->lost_queue, 15);
    struct net_path_settings in_time = {.rate_bps = 1000000, .queue_ms = 16};
    net_path_set(path, &in_time, 1000 * MS);
    for (uint32_t i = 0; i < 20; i++)
        offer(path, i, 2000 * MS);
    assert_int_equal(net_path_counters(path)->lost_queue, 15 + 18);
    net_path_free(path);
}

/* Offers `count`, a millisecond apart, and takes all; returns how many came, and their hash. */
static uint32_t run(struct net_path *path, uint32_t count, uint64_t *ret_hash)
{
    uint64_t hash = 0, at;
    uint32_t came = 0, number;
    for (uint32_t i = 0; i < count; i++)
        offer(path, i, (uint64_t)i * MS);
    for (; next(path, &number, &at); came++)
        hash = hash * 1099511628211u + at * 31 + number;
    *ret_hash = hash;
    return came;
}

static void test_random_loss_as_often_as_asked_and_again_with_the_seed(void **state)
{
    (void)state;
    const struct net_path_settings settings = {.loss_ppm = 100000, .jitter_us = 3 * MS};
    uint64_t hashes[3];
    for (unsigned i = 0; i < 3; i++) {
        struct net_path *path = path_of(i == 2 ? 8 : 7, settings);
        uint32_t came = run(path, 10000, &hashes[i]);
        assert_in_range(10000 - came, 900, 1100); /* 3.3 standard deviations */
        assert_int_equal(net_path_counters(path)->lost, 10000 - came);
        net_path_free(path);
    }
    assert_int_equal(hashes[0], hashes[1]);
    assert_int_not_equal(hashes[0], hashes[2]);
}

static void test_burst_loss_comes_in_bursts(void **state)
{
    (void)state;
    /* 1 % into bad, 20 % out: bursts of 5 on average, 4.8 % of the time bad. */
    struct net_path *path = path_of(3, (struct net_path_settings){.burst_enter_ppm = 10000,
                                                                  .burst_leave_ppm = 200000,
                                                                  .burst_loss_ppm = NET_PATH_PPM});
    uint32_t last = UINT32_MAX, number, bursts = 0, came = 0;
    uint64_t at;
    for (uint32_t i = 0; i < 16000; i++)
        offer(path, i, i);
    for (; next(path, &number, &at); came++) {
        bursts += number != last + 1;
        last = number;
    }
    uint32_t lost = 16000 - came;
    assert_in_range(lost, 450, 1100);
    assert_in_range(lost * 10 / bursts, 38, 65);
    net_path_free(path);
}

static void test_jitter_keeps_the_order_unless_told(void **state)
{
    (void)state;
    struct net_path_settings settings = {.jitter_us = 20 * MS, .delay_us = 5 * MS};
    for (unsigned reorder = 0; reorder < 2; reorder++) {
        settings.reorder = reorder;
        struct net_path *path = path_of(5, settings);
        uint64_t hash;
        assert_int_equal(run(path, 1000, &hash), 1000);
        if (reorder)
            assert_true(net_path_counters(path)->reordered > 100);
        else
            assert_int_equal(net_path_counters(path)->reordered, 0);
        net_path_free(path);
    }
}

static void test_duplicates(void **state)
{
    (void)state;
    struct net_path *path = path_of(5, (struct net_path_settings){.duplicate_ppm = 50000});
    uint64_t hash;
    uint32_t came = run(path, 10000, &hash);
    assert_in_range(came, 10400, 10600);
    assert_int_equal(net_path_counters(path)->duplicated, came - 10000);
    net_path_free(path);
}

static void test_an_outage_begins_and_ends(void **state)
{
    (void)state;
    struct net_path *path = path_of(5, (struct net_path_settings){.delay_us = 10 * MS});
    uint32_t number;
    uint64_t at;
    offer(path, 0, 0); /* is under way when it begins, and arrives */
    net_path_outage(path, 3000 * MS);
    offer(path, 1, 5 * MS);
    offer(path, 2, 2999 * MS);
    offer(path, 3, 3000 * MS);
    assert_true(next(path, &number, &at));
    assert_int_equal(number, 0);
    assert_true(next(path, &number, &at));
    assert_int_equal(number, 3);
    assert_int_equal(at, 3010 * MS);
    assert_int_equal(net_path_counters(path)->lost_outage, 2);
    net_path_free(path);
}

static void test_no_more_than_its_memory(void **state)
{
    (void)state;
    static const uint8_t bytes[NET_PATH_DATAGRAM_MAX + 1];
    struct net_path *path = path_of(5, (struct net_path_settings){.delay_us = 1000 * MS});
    assert_int_equal(net_path_offer(path, bytes, sizeof bytes, NULL, 0), STATUS_INVALID);
    for (uint32_t i = 0; i < NET_PATH_PACKETS_MAX; i++)
        assert_int_equal(net_path_offer(path, bytes, 10, NULL, 0), STATUS_OK);
    assert_int_equal(net_path_offer(path, bytes, 10, NULL, 0), STATUS_LIMIT);
    for (uint32_t i = 0; i < NET_PATH_PACKETS_MAX; i++)
        assert_non_null(net_path_take(path, 1000 * MS));
    assert_null(net_path_take(path, 1000 * MS));
    assert_int_equal(net_path_offer(path, bytes, 10, NULL, 0), STATUS_OK);
    net_path_free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_perfect_way),
        cmocka_unit_test(test_rate_and_delay),
        cmocka_unit_test(test_the_rate_changes_in_the_middle_of_a_packet),
        cmocka_unit_test(test_the_queue_is_bounded),
        cmocka_unit_test(test_random_loss_as_often_as_asked_and_again_with_the_seed),
        cmocka_unit_test(test_burst_loss_comes_in_bursts),
        cmocka_unit_test(test_jitter_keeps_the_order_unless_told),
        cmocka_unit_test(test_duplicates),
        cmocka_unit_test(test_an_outage_begins_and_ends),
        cmocka_unit_test(test_no_more_than_its_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
