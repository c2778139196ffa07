/* Who is heard: lanes, hysteresis, silence, order; and the smoothing of one microphone. */
#include "core/rng.h"
#include "media/sfu/speakers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { PACKET_MS = 20, START_MS = 100000 };

static int speak(struct speakers *speakers, uint64_t who, uint8_t level, uint64_t now_ms,
                 struct speaker *ret_displaced)
{
    const struct speaker speaker = {.transport = who, .level = level};
    bool taken;
    *ret_displaced = (struct speaker){0};
    return speakers_packet(speakers, &speaker, now_ms, &taken, ret_displaced);
}

static void test_the_first_to_speak_have_lanes(void **state)
{
    (void)state;
    struct speakers speakers = {.voices = 3};
    struct speaker displaced;
    for (int who = 1; who <= 3; who++)
        assert_int_equal(speak(&speakers, (uint64_t)who, 40, START_MS, &displaced), who - 1);
    assert_int_equal(speak(&speakers, 4, 40, START_MS, &displaced), -1);
    /* Louder, but their minimum time has not passed. */
    assert_int_equal(speak(&speakers, 4, 10, START_MS + SPEAKERS_PAUSE_MS - 1, &displaced), -1);
    /* The silent want nothing. */
    struct speakers empty = {.voices = 1};
    assert_int_equal(speak(&empty, 1, SPEAKERS_LOUD + 1, START_MS, &displaced), -1);
}

static void test_a_clearly_louder_one_takes_the_quietest(void **state)
{
    (void)state;
    struct speakers speakers = {.voices = 2};
    struct speaker displaced;
    uint64_t now_ms = START_MS;
    for (; now_ms < START_MS + SPEAKERS_HOLD_MS + 100; now_ms += PACKET_MS) {
        speak(&speakers, 1, 30, now_ms, &displaced);
        speak(&speakers, 2, 45, now_ms, &displaced);
    }
    assert_int_equal(speak(&speakers, 3, 45 - SPEAKERS_MARGIN + 1, now_ms, &displaced), -1);
    assert_int_equal(speak(&speakers, 3, 45 - SPEAKERS_MARGIN, now_ms, &displaced), 1);
    assert_int_equal(displaced.transport, 2);
    /* Which does not swing back at once. */
    assert_int_equal(speak(&speakers, 2, 25, now_ms + 1, &displaced), -1);
}

static void test_a_pause_gives_way_and_silence_gives_back(void **state)
{
    (void)state;
    struct speakers speakers = {.voices = 1};
    struct speaker displaced, released;
    speak(&speakers, 1, 20, START_MS, &displaced);
    assert_int_equal(speak(&speakers, 2, 50, START_MS + SPEAKERS_PAUSE_MS - 1, &displaced), -1);
    assert_int_equal(speak(&speakers, 2, 50, START_MS + SPEAKERS_PAUSE_MS, &displaced), 0);
    assert_int_equal(displaced.transport, 1);
    uint64_t since_ms = START_MS + SPEAKERS_PAUSE_MS;
    /* Packets of silence do not count as speech. */
    assert_int_equal(speak(&speakers, 2, 127, since_ms + 1000, &displaced), 0);
    assert_false(speakers_expire(&speakers, since_ms + SPEAKERS_SILENCE_MS - 1, &released));
    assert_true(speakers_expire(&speakers, since_ms + SPEAKERS_SILENCE_MS, &released));
    assert_int_equal(released.transport, 2);
    assert_false(speakers_expire(&speakers, since_ms + SPEAKERS_SILENCE_MS, &released));
}

static void test_order_does_not_flutter(void **state)
{
    (void)state;
    struct speakers speakers = {.voices = 3};
    struct speaker displaced;
    assert_false(speakers_order(&speakers));
    speak(&speakers, 1, 40, START_MS, &displaced);
    speak(&speakers, 2, 38, START_MS, &displaced);
    assert_true(speakers_order(&speakers));
    assert_int_equal(speakers.order_count, 2);
    assert_int_equal(speakers.lanes[speakers.order[0]].transport, 1);
    assert_false(speakers_order(&speakers));
    speak(&speakers, 2, 40 - SPEAKERS_MARGIN, START_MS + 20, &displaced);
    assert_true(speakers_order(&speakers));
    assert_int_equal(speakers.lanes[speakers.order[0]].transport, 2);
    /* A lane that changed hands is a change, even in place. */
    assert_true(speakers_remove(&speakers, 2, 0));
    assert_false(speakers_remove(&speakers, 2, 0));
    speak(&speakers, 3, 20, START_MS + 40, &displaced);
    assert_true(speakers_order(&speakers));
    assert_int_equal(speakers.order_count, 2);
}

static void test_loudness_rises_fast_and_falls_slowly(void **state)
{
    (void)state;
    struct loudness loudness = {0};
    assert_int_equal(loudness_packet(&loudness, 127), 127);
    for (int i = 0; i < 3; i++)
        loudness_packet(&loudness, 20);
    assert_in_range(loudness.level16 / 16, 20, 40);
    uint8_t level = 0;
    for (int i = 0; i < 5; i++)
        level = loudness_packet(&loudness, 127);
    assert_in_range(level, 20, 65);
    for (int i = 0; i < 500; i++)
        level = loudness_packet(&loudness, 127);
    assert_int_equal(level, 127);
    for (int i = 0; i < 500; i++)
        level = loudness_packet(&loudness, 0);
    assert_int_equal(level, 0);
}

/* 300 microphones of random speech: lanes are never given twice, and always to loud ones. */
static void test_a_noisy_hall(void **state)
{
    (void)state;
    enum { PEOPLE = 300, ROUNDS = 500 };
    struct speakers speakers = {.voices = 3};
    struct rng rng;
    rng_seed(&rng, 11);
    uint64_t changes = 0;
    for (uint64_t round = 0; round < ROUNDS; round++) {
        uint64_t now_ms = START_MS + round * PACKET_MS;
        for (uint64_t who = 1; who <= PEOPLE; who++) {
            const struct speaker speaker = {.transport = who,
                                            .level = (uint8_t)rng_below(&rng, 128)};
            struct speaker displaced;
            bool taken;
            int lane = speakers_packet(&speakers, &speaker, now_ms, &taken, &displaced);
            changes += taken;
            if (lane >= 0)
                assert_int_equal(speakers.lanes[lane].transport, who);
            if (taken)
                assert_true(speaker.level <= SPEAKERS_LOUD);
        }
        for (int a = 0; a < 3; a++)
            for (int b = 0; b < a; b++)
                assert_int_not_equal(speakers.lanes[a].transport, speakers.lanes[b].transport);
    }
    /* Each lane changes hands at most once in its minimum time. */
    assert_true(changes <= 3 * (ROUNDS * PACKET_MS / SPEAKERS_PAUSE_MS + 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_first_to_speak_have_lanes),
        cmocka_unit_test(test_a_clearly_louder_one_takes_the_quietest),
        cmocka_unit_test(test_a_pause_gives_way_and_silence_gives_back),
        cmocka_unit_test(test_order_does_not_flutter),
        cmocka_unit_test(test_loudness_rises_fast_and_falls_slowly),
        cmocka_unit_test(test_a_noisy_hall),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
