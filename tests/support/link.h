/*
 * tests/support/link.h - a network path inside a test: a rate that changes, a queue with an
 * end, delay, jitter, loss and reordering, all from one seed. Time is an argument.
 */
#ifndef TESTS_SUPPORT_LINK_H
#define TESTS_SUPPORT_LINK_H

#include "core/rng.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LINK_STEPS_MAX = 6, LINK_ONE = 1 << 16 };

/* From this time on the rate is `bps`; 0: nothing passes. */
struct link_step {
    uint64_t at_us;
    uint32_t bps;
};

struct link {
    struct rng rng;
    struct link_step steps[LINK_STEPS_MAX]; /* ascending, the first at 0 */
    size_t step_count;
    uint32_t delay_us, jitter_us; /* jitter: 0..jitter_us, each packet its own */
    uint32_t loss, reorder;       /* of LINK_ONE; reordered: held back by jitter_us + 10 ms */
    uint32_t queue_us;            /* longest queue; a packet that would wait longer is lost */
    bool keeps_order;             /* jitter does not reorder */
    uint64_t free_us, last_us;    /* the queue is empty then; last arrival */
};

/* Rate at this time. */
uint32_t link_bps(const struct link *link, uint64_t now_us);
/* When the packet arrives; 0: lost. Calls in order of time. */
uint64_t link_send(struct link *link, size_t bytes, uint64_t now_us);

#endif
