/*
 * media/bwe/pacer.h - how fast packets may leave: a bucket that empties at some multiple
 * of the estimate. What fits leaves at once; a burst beyond it waits.
 *
 * Kept as the time at which the bucket will be empty (the virtual scheduling of
 * ITU-T I.371), so that one packet costs a multiplication and two comparisons.
 */
#ifndef MEDIA_BWE_PACER_H
#define MEDIA_BWE_PACER_H

#include <stdbool.h>
#include <stdint.h>

enum {
    PACER_PERCENT = 250,      /* of the estimate: a key frame costs its room 2/5 of its time */
    PACER_PERCENT_NEAR = 150, /* where the link's capacity is known: more would be its queue */
    PACER_PERCENT_DRAIN =
        100,                /* a queue is to empty: a layer that goes on until its key frame too */
    PACER_BPS_MIN = 200000, /* a frame of the lowest layer shall not be spread over the next */
    PACER_BURST_US = 40000, /* bucket: a frame time, so that an ordinary frame never waits */
    PACER_WAIT_US_MAX = 400000, /* what waits longer makes the bucket empty faster */
};

/* Zero-filled does not pace. */
struct pacer {
    uint32_t ns_per_byte; /* 0: everything may leave at once */
    uint64_t empty_ns;
};

/* `percent`: of the estimate, one of the above. `waiting_bytes`: held back now. estimate_bps
 * UINT32_MAX: no pacing. */
void pacer_set(struct pacer *pacer, uint32_t estimate_bps, uint32_t percent,
               uint32_t waiting_bytes);

/* True: it may leave. */
static inline bool pacer_open(const struct pacer *pacer, uint64_t now_ns)
{
    return pacer->ns_per_byte == 0 || pacer->empty_ns <= now_ns + (uint64_t)PACER_BURST_US * 1000;
}

/* It left. */
static inline void pacer_sent(struct pacer *pacer, uint32_t bytes, uint64_t now_ns)
{
    uint64_t from_ns = pacer->empty_ns > now_ns ? pacer->empty_ns : now_ns;
    pacer->empty_ns = from_ns + (uint64_t)bytes * pacer->ns_per_byte;
}

/* Nanoseconds until it is open. */
static inline uint64_t pacer_wait_ns(const struct pacer *pacer, uint64_t now_ns)
{
    uint64_t open_ns = now_ns + (uint64_t)PACER_BURST_US * 1000;
    return pacer->ns_per_byte == 0 || pacer->empty_ns <= open_ns ? 0 : pacer->empty_ns - open_ns;
}

#endif
