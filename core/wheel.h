/*
 * core/wheel.h - the timers of a loop: a hierarchical wheel of 1 ms ticks. Private
 * to core/loop.c; separate so that tests run it through years without sleeping.
 *
 * Level n has 64 slots of 64^n ticks. Start and stop are O(1). A bit per slot says
 * whether it holds timers, so that the next tick with work is found without walking.
 */
#ifndef CORE_WHEEL_H
#define CORE_WHEEL_H

#include "core/loop.h"

enum {
    WHEEL_LEVELS = 6, /* 64^6 ms: two years; a later timer waits in the last slot */
    WHEEL_SLOTS = 64,
};

struct wheel {
    uint64_t now_ms; /* last tick that was run */
    uint64_t busy[WHEEL_LEVELS];
    struct loop_timer slots[WHEEL_LEVELS][WHEEL_SLOTS]; /* list heads */
    struct loop_timer expired;                          /* head: due, handler not yet called */
};

void wheel_init(struct wheel *wheel, uint64_t now_ms);
/* timer->due_ms is set; one that is past fires at the next tick. */
void wheel_add(struct wheel *wheel, struct loop_timer *timer);
void wheel_remove(struct wheel *wheel, struct loop_timer *timer);
/* Moves what is due by now_ms to `expired`, in order of due_ms. */
void wheel_advance(struct wheel *wheel, uint64_t now_ms);
/* Takes the first expired timer, no longer running; NULL when there is none. */
struct loop_timer *wheel_take(struct wheel *wheel);
/* The next tick with work (no timer is due before it); UINT64_MAX without timers. */
uint64_t wheel_next_ms(const struct wheel *wheel);

#endif
