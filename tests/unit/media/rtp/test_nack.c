/* Tests of media/rtp/nack.h. */
#include "media/rtp/nack.h"
#include "tests/unit/media/rtp/wire.h"

static struct nack_list list;
static uint16_t due[NACK_ENTRIES_MAX];

static void start(uint16_t sequence)
{
    nack_init(&list, 0);
    nack_rtt_set(&list, 50);
    assert_int_equal(0, nack_received(&list, sequence, false, 0));
}

static void test_no_gap_no_question(void **state)
{
    (void)state;
    start(65530);
    for (uint16_t i = 1; i < 20; i++)
        assert_int_equal(0, nack_received(&list, (uint16_t)(65530 + i), false, i));
    assert_int_equal(0, nack_due(&list, 100, due, NACK_ENTRIES_MAX));
    assert_true(nack_next_ms(&list) == UINT64_MAX);
}

static void test_gap_is_asked_for_across_the_wrap(void **state)
{
    (void)state;
    start(65533);
    nack_received(&list, 2, false, 10);
    assert_true(nack_next_ms(&list) == 10);
    assert_int_equal(4, nack_due(&list, 10, due, NACK_ENTRIES_MAX));
    static const uint16_t expected[] = {65534, 65535, 0, 1};
    assert_memory_equal(expected, due, sizeof expected);
    /* Not again before the round trip is over. */
    assert_int_equal(0, nack_due(&list, 59, due, NACK_ENTRIES_MAX));
    assert_true(nack_next_ms(&list) == 60);
    assert_int_equal(1, nack_received(&list, 65535, true, 60));
    /* The repair took 50 ms: with a quarter for its variation the others have until 72. */
    assert_int_equal(0, nack_due(&list, 71, due, NACK_ENTRIES_MAX));
    assert_int_equal(3, nack_due(&list, 72, due, NACK_ENTRIES_MAX));
    assert_int_equal(2, nack_received(&list, 0, true, 80));
    assert_int_equal(0, nack_received(&list, 0, true, 81)); /* a duplicate */
    assert_int_equal(2, list.recovered);
}

static void test_small_portions(void **state)
{
    (void)state;
    start(0);
    nack_received(&list, 11, false, 0);
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
    nack_received(&list, 1, false, 0);
    nack_received(&list, 3, false, 0);
    assert_int_equal(0, nack_due(&list, 14, due, 8));
    assert_int_equal(0, nack_received(&list, 2, false, 14));
    assert_int_equal(0, nack_due(&list, 15, due, 8));
    assert_int_equal(0, list.recovered);
    /* It was 14 ms late: two more are waited for from now on. */
    nack_received(&list, 5, false, 20);
    assert_int_equal(0, nack_due(&list, 35, due, 8));
    assert_int_equal(1, nack_due(&list, 36, due, 8));
    assert_int_equal(4, due[0]);
}

static void test_given_up_after_retries(void **state)
{
    (void)state;
    start(1);
    nack_received(&list, 3, false, 0);
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
    nack_received(&list, 3, false, 0);
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
    nack_received(&list, 3, false, 0);
    assert_int_equal(1, nack_due(&list, 0, due, 8));
    assert_true(nack_next_ms(&list) == NACK_SPACING_MS_MIN);
    nack_rtt_set(&list, 0);
    assert_true(nack_next_ms(&list) == NACK_RTT_MS_DEFAULT);
}

static void test_too_many_gaps(void **state)
{
    (void)state;
    start(0);
    nack_received(&list, NACK_ENTRIES_MAX + 1, false, 0);
    assert_int_equal(NACK_ENTRIES_MAX, list.count);
    assert_false(nack_key_frame_wanted(&list));
    nack_received(&list, NACK_ENTRIES_MAX + 3, false, 0);
    assert_int_equal(0, list.count);
    assert_true(nack_key_frame_wanted(&list));
    assert_int_equal(NACK_ENTRIES_MAX + 1, list.given_up);
    /* It goes on from there. */
    nack_received(&list, NACK_ENTRIES_MAX + 5, false, 0);
    assert_int_equal(1, nack_due(&list, 0, due, 8));
    assert_int_equal(NACK_ENTRIES_MAX + 4, due[0]);
}

static void test_jump(void **state)
{
    (void)state;
    start(0);
    nack_received(&list, 30000, false, 0);
    assert_int_equal(0, list.count);
    assert_true(nack_key_frame_wanted(&list));
    assert_int_equal(0, nack_due(&list, 0, due, 8));
}

static void test_key_frame_forgets_what_is_older(void **state)
{
    (void)state;
    start(65530);
    nack_received(&list, 65535, false, 0);
    nack_received(&list, 5, false, 0);
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
            nack_received(&list, sequence, false, now);
            have[sequence] = true;
        }
        size_t count = nack_due(&list, now, due, 16);
        for (size_t d = 0; d < count; d++) {
            assert_false(have[due[d]]);
            if (dice(&seed) % 100 < 10)
                continue;
            assert_true(nack_received(&list, due[d], true, now) > 0);
            have[due[d]] = true;
        }
    }
    for (unsigned i = 0; i < 29000; i++)
        assert_true(have[(uint16_t)(40000 + i)]);
    assert_int_equal(0, list.given_up);
}

/* ---- a network, seeded ---- */

enum { ON_WAY_MAX = 4096, STREAM_PACKETS = 20000 };

struct link {
    uint32_t loss_percent, delay_ms, jitter_ms; /* one way */
};

struct on_way {
    uint64_t when_ms;
    uint16_t sequence;
    bool repaired, request;
};

struct outcome {
    uint32_t lost_for_good, requests, needless; /* needless: for what was not lost */
    uint64_t given_up;
};

static struct on_way on_way[ON_WAY_MAX];
static size_t on_way_count;

static void post(const struct link *link, uint64_t *seed, uint64_t now_ms, uint16_t sequence,
                 bool repaired, bool request)
{
    if (dice(seed) % 100 < link->loss_percent)
        return;
    assert_true(on_way_count < ON_WAY_MAX);
    uint64_t jitter = link->jitter_ms > 0 ? dice(seed) % (link->jitter_ms + 1) : 0;
    on_way[on_way_count++] =
        (struct on_way){now_ms + link->delay_ms + jitter, sequence, repaired, request};
}

/* 500 packets a second through the link; requests and repairs go through it too. Each millisecond
 * is played. */
static struct outcome play(const struct link *link, uint64_t seed)
{
    static uint8_t fate[65536]; /* 1: it arrived; 2: on its way, not lost */
    struct outcome outcome = {0};
    uint32_t next = 0;
    memset(fate, 0, sizeof fate);
    on_way_count = 0;
    nack_init(&list, 10);
    for (uint64_t now = 1; next < STREAM_PACKETS || now % 4000 != 0; now++) {
        if (next < STREAM_PACKETS && now % 2 == 0) {
            size_t before = on_way_count;
            post(link, &seed, now, (uint16_t)next, false, false);
            if (on_way_count > before)
                fate[next] = 2;
            next++;
        }
        for (size_t i = 0; i < on_way_count;) {
            struct on_way one = on_way[i];
            if (one.when_ms > now) {
                i++;
                continue;
            }
            on_way[i] = on_way[--on_way_count];
            if (one.request) {
                post(link, &seed, now, one.sequence, true, false);
            } else {
                fate[one.sequence] = 1;
                nack_received(&list, one.sequence, one.repaired, now);
            }
        }
        size_t count = now % 5 == 0 ? nack_due(&list, now, due, NACK_ENTRIES_MAX) : 0;
        for (size_t i = 0; i < count; i++) {
            outcome.needless += fate[due[i]] != 0;
            post(link, &seed, now, due[i], false, true);
        }
        outcome.requests += (uint32_t)count;
    }
    for (size_t i = 0; i < STREAM_PACKETS; i++)
        outcome.lost_for_good += fate[i] != 1;
    outcome.given_up = list.given_up;
    return outcome;
}

static void test_lossy_networks(void **state)
{
    (void)state;
    static const uint32_t losses[] = {1, 5, 10, 20, 30};
    static const uint32_t delays[] = {5, 25, 100};
    for (uint64_t seed = 1; seed <= 3; seed++) {
        for (size_t l = 0; l < 5; l++) {
            for (size_t d = 0; d < 3; d++) {
                const struct link link = {losses[l], delays[d], 0};
                struct outcome outcome = play(&link, seed);
                double loss = losses[l] / 100.0;
                /* A request and its repair both have to get through. */
                double fails = 1 - (1 - loss) * (1 - loss), expected = loss * STREAM_PACKETS;
                double remaining = expected;
                uint32_t tries = (NACK_AGE_MS / 2 - 10) / (2 * delays[d] + 25);
                for (uint32_t t = 0; t < tries && t < NACK_RETRIES_MAX - 1; t++)
                    remaining *= fails;
                if (outcome.lost_for_good > remaining + 10 ||
                    outcome.requests > 1.3 * expected / (1 - fails) + 20 ||
                    outcome.needless > outcome.requests / 20)
                    fail_msg("seed %llu, loss %u %%, delay %u ms: %u lost for good, %u asked, %u "
                             "needless",
                             (unsigned long long)seed, losses[l], delays[d], outcome.lost_for_good,
                             outcome.requests, outcome.needless);
            }
        }
    }
}

static void test_disorder_is_learnt(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        /* Nothing is lost, but packets overtake each other by up to 40 ms. */
        const struct link disorder = {0, 20, 40};
        struct outcome outcome = play(&disorder, seed);
        assert_int_equal(outcome.lost_for_good, 0);
        assert_in_range(outcome.requests, 1, STREAM_PACKETS / 500);
        assert_int_equal(outcome.given_up, 0);
        /* With losses among them the wait settles; what is lost still comes. */
        const struct link both = {5, 20, 40};
        outcome = play(&both, seed);
        assert_true(outcome.lost_for_good <= 5);
        assert_true(outcome.needless < outcome.requests / 2);
    }
}

static void test_repairs_teach_the_round_trip(void **state)
{
    (void)state;
    nack_init(&list, 10);
    const struct link link = {5, 100, 0};
    (void)play(&link, 7);
    assert_in_range(list.repair8_ms / 8, 200, 210);
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
        cmocka_unit_test(test_lossy_networks),
        cmocka_unit_test(test_disorder_is_learnt),
        cmocka_unit_test(test_repairs_teach_the_round_trip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
