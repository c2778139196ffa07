/* Tests of media/codec/resample.h: what is heard passes, what would fold is gone, frames join. */
#include "media/codec/resample.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { NARROW = 8000, WIDE = 16000, FRAME = NARROW / 50, FRAMES = 50, SETTLED = 2, SIDE = 8 };

static const double LOUD = 12000;

/* The level of `hz` in dB below a full `LOUD`, over whole frames after the first ones. */
static double level_db(const int16_t *samples, size_t count, unsigned rate, double hz)
{
    double re = 0, im = 0;
    for (size_t i = 0; i < count; i++) {
        re += samples[i] * cos(2 * M_PI * hz * (double)i / rate);
        im += samples[i] * sin(2 * M_PI * hz * (double)i / rate);
    }
    return 20 * log10(2 * sqrt(re * re + im * im) / (double)count / LOUD + 1e-9);
}

static int16_t tone(size_t at, unsigned rate, double hz)
{
    return (int16_t)lrint(LOUD * sin(2 * M_PI * hz * (double)at / rate));
}

static int16_t made[FRAMES * FRAME * 2];

static void doubled(double hz)
{
    struct resample resample = {.past = {0}};
    for (size_t frame = 0; frame < FRAMES; frame++) {
        int16_t in[FRAME];
        for (size_t i = 0; i < FRAME; i++)
            in[i] = tone(frame * FRAME + i, NARROW, hz);
        resample_double(&resample, in, FRAME, made + frame * FRAME * 2);
    }
}

static void halved(double hz)
{
    struct resample resample = {.past = {0}};
    for (size_t frame = 0; frame < FRAMES; frame++) {
        int16_t in[FRAME * 2];
        for (size_t i = 0; i < sizeof in / sizeof in[0]; i++)
            in[i] = tone(frame * FRAME * 2 + i, WIDE, hz);
        resample_halve(&resample, in, FRAME, made + frame * FRAME);
    }
}

static double doubled_db(double hz)
{
    return level_db(made + SETTLED * FRAME * 2, (FRAMES - SETTLED) * FRAME * 2, WIDE, hz);
}

static double halved_db(double hz)
{
    return level_db(made + SETTLED * FRAME, (FRAMES - SETTLED) * FRAME, NARROW, hz);
}

static void test_voice_passes(void **state)
{
    static const double tones[] = {100, 300, 1000, 2000, 3000, 3400};
    (void)state;
    for (size_t i = 0; i < sizeof tones / sizeof tones[0]; i++) {
        doubled(tones[i]);
        assert_true(fabs(doubled_db(tones[i])) < 0.1);
        halved(tones[i]);
        assert_true(fabs(halved_db(tones[i])) < 0.1);
    }
}

static void test_nothing_folds(void **state)
{
    (void)state;
    doubled(3000);
    assert_true(doubled_db(NARROW - 3000) < -50);
    halved(5000);
    assert_true(halved_db(NARROW - 5000) < -50);
    halved(7000);
    assert_true(halved_db(NARROW - 7000) < -50);
}

/* The loudest there is: cut, not wrapped. */
static void test_loudest_is_cut(void **state)
{
    struct resample up = {.past = {0}}, down = {.past = {0}};
    int16_t square[FRAME], wide[FRAME * 2], narrow[FRAME];
    (void)state;
    for (size_t i = 0; i < FRAME; i++)
        square[i] = i / SIDE % 2 == 0 ? INT16_MAX : INT16_MIN;
    resample_double(&up, square, FRAME, wide);
    resample_halve(&down, wide, FRAME, narrow);
    /* The middles of the square's sides, later by both filters' delay. */
    for (size_t at = 3 * SIDE + SIDE / 2; at + RESAMPLE_REACH < FRAME; at += SIDE) {
        int16_t sample = narrow[at + RESAMPLE_REACH];
        assert_true(at / SIDE % 2 == 0 ? sample > INT16_MAX / 2 : sample < INT16_MIN / 2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_voice_passes),
        cmocka_unit_test(test_nothing_folds),
        cmocka_unit_test(test_loudest_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
