/* Tests of media/rtp/nack.h. */
#include "media/rtp/nack.h"
#include "tests/unit/media/rtp/wire.h"

static struct nack_list list;
static uint16_t due[NACK_ENTRIES_MAX];

static void start(uint16_t sequence)
{
    nack_init(&list, 0);
    nack_rtt_set(&list, 50);
    assert_int_equal(0, nack_received(&list, sequence, 0));
}

static void test_no_gap_no_question(void **state)
{
    (void)state;
    start(65530);
    for (uint16_t i = 1; i < 20; i++)
        assert_int_equal(0, nack_received(&list, (uint16_t)(65530 + i), i));
    assert_int_equal(0, nack_due(&list, 100, due, NACK_ENTRIES_MAX));
    assert_true(nack_next_ms(&list) == UINT64_MAX);
}

static void test_gap_is_asked_for_across_the_wrap(void **state)
{
    (void)state;
    start(65533);
    nack_received(&list, 2, 10);
    assert_true(nack_next_ms(&list) == 10);
    assert_int_equal(4, nack_due(&list, 10, due, NACK_ENTRIES_MAX));
    static const uint16_t expected[] = {65534, 65535, 0, 1};
    assert_memory_equal(expected, due, sizeof expected);
    /* Not again before the round trip is over. */
    assert_int_equal(0, nack_due(&list, 59, due, NACK_ENTRIES_MAX));
    assert_true(nack_next_ms(&list) == 60);
    assert_int_equal(1, nack_received(&list, 65535, 59));
    assert_int_equal(3, nack_due(&list, 60, due, NACK_ENTRIES_MAX));
    assert_int_equal(2, nack_received(&list, 0, 70));
    assert_int_equal(0, nack_received(&list, 0, 71)); /* a duplicate */
    assert_int_equal(2, list.recovered);
}

static void test_small_portions(void **state)
{
    (void)state;
    start(0);
    nack_received(&list, 11, 0);
    assert_int_equal(4, nack_due(&list, 0, due, 4));
    assert_int_equal(4, nack_due(&list, 0, due, 4));
    assert_int_equal(9, due[0] + 4); /* 5..8 */
    assert_int_equal(2, nack_due(&list, 0, due, 4));
    assert_int_equal(0, nack_due(&list, 0, due, 4));
}

static void test_reordering_is_waited_for(void **state)
{
    (void)state;
    nack_init(&list, 15);
    nack_received(&list, 1, 0);
    nack_received(&list, 3, 0);
    assert_int_equal(0, nack_due(&list, 14, due, 8));
    assert_int_equal(0, nack_received(&list, 2, 14));
    assert_int_equal(0, nack_due(&list, 15, due, 8));
    assert_int_equal(0, list.recovered);
    nack_received(&list, 5, 20);
    assert_int_equal(1, nack_due(&list, 35, due, 8));
    assert_int_equal(4, due[0]);
}

static void test_given_up_after_retries(void **state)
{
    (void)state;
    start(1);
    nack_received(&list, 3, 0);
    uint64_t now = 0;
    for (unsigned i = 0; i < NACK_RETRIES_MAX; i++, now += 50) {
        assert_int_equal(1, nack_due(&list, now, due, 8));
        assert_false(nack_key_frame_wanted(&list));
    }
    assert_int_equal(0, nack_due(&list, now, due, 8));
    assert_true(nack_key_frame_wanted(&list));
    assert_false(nack_key_frame_wanted(&list));
    assert_int_equal(1, list.given_up);
    assert_int_equal(0, list.count);
}

static void test_given_up_by_age(void **state)
{
    (void)state;
    start(1);
    nack_rtt_set(&list, 700);
    nack_received(&list, 3, 0);
    assert_int_equal(1, nack_due(&list, 0, due, 8));
    assert_int_equal(1, nack_due(&list, 700, due, 8));
    assert_true(nack_next_ms(&list) == NACK_AGE_MS);
    assert_int_equal(0, nack_due(&list, NACK_AGE_MS, due, 8));
    assert_true(nack_key_frame_wanted(&list));
}

static void test_spacing_has_a_floor_and_a_default(void **state)
{
    (void)state;
    start(1);
    nack_rtt_set(&list, 1);
    nack_received(&list, 3, 0);
    assert_int_equal(1, nack_due(&list, 0, due, 8));
    assert_true(nack_next_ms(&list) == NACK_SPACING_MS_MIN);
    nack_rtt_set(&list, 0);
    assert_true(nack_next_ms(&list) == NACK_RTT_MS_DEFAULT);
}

static void test_too_many_gaps(void **state)
{
    (void)state;
    start(0);
    nack_received(&list, NACK_ENTRIES_MAX + 1, 0);
    assert_int_equal(NACK_ENTRIES_MAX, list.count);
    assert_false(nack_key_frame_wanted(&list));
    nack_received(&list, NACK_ENTRIES_MAX + 3, 0);
    assert_int_equal(0, list.count);
    assert_true(nack_key_frame_wanted(&list));
    assert_int_equal(NACK_ENTRIES_MAX + 1, list.given_up);
    /* It goes on from there. */
    nack_received(&list, NACK_ENTRIES_MAX + 5, 0);
    assert_int_equal(1, nack_due(&list, 0, due, 8));
    assert_int_equal(NACK_ENTRIES_MAX + 4, due[0]);
}

static void test_jump(void **state)
{
    (void)state;
    start(0);
    nack_received(&list, 30000, 0);
    assert_int_equal(0, list.count);
    assert_true(nack_key_frame_wanted(&list));
    assert_int_equal(0, nack_due(&list, 0, due, 8));
}

static void test_key_frame_forgets_what_is_older(void **state)
{
    (void)state;
    start(65530);
    nack_received(&list, 65535, 0);
    nack_received(&list, 5, 0);
    list.key_frame_wanted = true;
    nack_key_frame(&list, 2);
    assert_false(nack_key_frame_wanted(&list));
    assert_int_equal(3, nack_due(&list, 0, due, 8));
    assert_int_equal(2, due[0]);
}

/* Everything lost comes back by what is asked for; nothing else is asked for. */
static void test_random_stream_recovers(void **state)
{
    (void)state;
    uint64_t seed = 99;
    static bool have[65536];
    memset(have, 0, sizeof have);
    start(40000);
    have[40000] = true;
    uint64_t now = 0;
    for (unsigned i = 1; i <= 30000; i++) {
        uint16_t sequence = (uint16_t)(40000 + i);
        now += 2;
        if (dice(&seed) % 100 >= 10 || i == 30000) {
            nack_received(&list, sequence, now);
            have[sequence] = true;
        }
        size_t count = nack_due(&list, now, due, 16);
        for (size_t d = 0; d < count; d++) {
            assert_false(have[due[d]]);
            if (dice(&seed) % 100 < 10)
                continue;
            assert_true(nack_received(&list, due[d], now) > 0);
            have[due[d]] = true;
        }
    }
    for (unsigned i = 0; i < 29000; i++)
        assert_true(have[(uint16_t)(40000 + i)]);
    assert_int_equal(0, list.given_up);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_gap_no_question),
        cmocka_unit_test(test_gap_is_asked_for_across_the_wrap),
        cmocka_unit_test(test_small_portions),
        cmocka_unit_test(test_reordering_is_waited_for),
        cmocka_unit_test(test_given_up_after_retries),
        cmocka_unit_test(test_given_up_by_age),
        cmocka_unit_test(test_spacing_has_a_floor_and_a_default),
        cmocka_unit_test(test_too_many_gaps),
        cmocka_unit_test(test_jump),
        cmocka_unit_test(test_key_frame_forgets_what_is_older),
        cmocka_unit_test(test_random_stream_recovers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
