/* The wheel against the plainest model, through years of ticks. */
#include "core/rng.h"
#include "core/wheel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

enum { TIMERS = 300, STEPS = 20000 };

struct model {
    struct wheel wheel;
    struct loop_timer timers[TIMERS];
    struct rng rng;
};

/* Delays of every magnitude: a few bits out of up to 42. */
static uint64_t some_delay(struct rng *rng)
{
    return rng_next(rng) >> (22 + rng_below(rng, 42));
}

static uint64_t first_due(const struct model *model)
{
    uint64_t first = UINT64_MAX;
    for (int i = 0; i < TIMERS; i++) {
        const struct loop_timer *timer = &model->timers[i];
        if (timer->next && timer->due_ms < first)
            first = timer->due_ms;
    }
    return first;
}

static void advance_and_check(struct model *model, uint64_t now_ms)
{
    uint64_t expected = 0, seen = 0, last_due = 0;
    for (int i = 0; i < TIMERS; i++)
        expected += model->timers[i].next && model->timers[i].due_ms <= now_ms;
    wheel_advance(&model->wheel, now_ms);
    for (struct loop_timer *timer; (timer = wheel_take(&model->wheel)) != NULL; seen++) {
        assert_true(timer->due_ms <= now_ms && timer->due_ms >= last_due);
        last_due = timer->due_ms;
    }
    assert_int_equal(seen, expected);
    assert_true(wheel_next_ms(&model->wheel) <= first_due(model));
    assert_true(wheel_next_ms(&model->wheel) > now_ms);
}

static void replay(uint64_t seed, uint64_t start_ms)
{
    struct model *model = calloc(1, sizeof *model);
    assert_non_null(model);
    rng_seed(&model->rng, seed);
    wheel_init(&model->wheel, start_ms);
    uint64_t now_ms = start_ms;
    for (int step = 0; step < STEPS; step++) {
        struct loop_timer *timer = &model->timers[rng_below(&model->rng, TIMERS)];
        if (timer->next) {
            wheel_remove(&model->wheel, timer);
        } else {
            timer->due_ms = now_ms + 1 + some_delay(&model->rng);
            wheel_add(&model->wheel, timer);
        }
        if (rng_below(&model->rng, 3) == 0) {
            now_ms += some_delay(&model->rng) >> rng_below(&model->rng, 20);
            advance_and_check(model, now_ms);
        }
    }
    for (int i = 0; i < TIMERS; i++) {
        if (model->timers[i].next)
            wheel_remove(&model->wheel, &model->timers[i]);
    }
    assert_true(wheel_next_ms(&model->wheel) == UINT64_MAX);
    free(model);
}

static void test_against_model(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 6; seed++)
        replay(seed, seed * 123456789);
}

static void test_edges(void **state)
{
    (void)state;
    static struct wheel wheel;
    static const uint64_t delays[] = {1, 63, 64, 65, 4095, 4096, 262143, 262144, 1ull << 36};
    for (size_t i = 0; i < sizeof delays / sizeof delays[0]; i++) {
        for (uint64_t start = 4090; start < 4100; start++) {
            struct loop_timer timer = {.due_ms = start + delays[i]};
            wheel_init(&wheel, start);
            wheel_add(&wheel, &timer);
            wheel_advance(&wheel, timer.due_ms - 1);
            assert_null(wheel_take(&wheel));
            assert_true(wheel_next_ms(&wheel) == timer.due_ms);
            wheel_advance(&wheel, timer.due_ms);
            assert_ptr_equal(wheel_take(&wheel), &timer);
            assert_true(wheel_next_ms(&wheel) == UINT64_MAX);
        }
    }
}

static void test_past_is_next_tick(void **state)
{
    (void)state;
    static struct wheel wheel;
    struct loop_timer timer = {.due_ms = 5}, never = {.due_ms = UINT64_MAX};
    wheel_init(&wheel, 100);
    wheel_add(&wheel, &timer);
    wheel_add(&wheel, &never);
    assert_true(wheel_next_ms(&wheel) == 101);
    wheel_advance(&wheel, 101);
    wheel_remove(&wheel, &timer); /* expired, its handler not yet called */
    assert_null(wheel_take(&wheel));
    wheel_advance(&wheel, 1ull << 50);
    assert_null(wheel_take(&wheel));
    wheel_remove(&wheel, &never);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_model),
        cmocka_unit_test(test_edges),
        cmocka_unit_test(test_past_is_next_tick),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
