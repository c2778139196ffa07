/*
 * media/sfu/allocator.h - one subscriber's share-out (allocation.h): gathers what its slots
 * want and what the sources' layers cost, decides, and has the slots follow.
 *
 * Thread: the subscriber's worker. Costs nothing while the link bears all that is wanted.
 */
#ifndef MEDIA_SFU_ALLOCATOR_H
#define MEDIA_SFU_ALLOCATOR_H

#include <stdbool.h>
#include <stdint.h>

struct transport;
struct worker;

enum {
    ALLOCATOR_ABSENT_MS = 4000, /* a layer asked for that long that has not come is not coming */
    ALLOCATOR_ABSENT_RETRY_MS = 30000,
    ALLOCATOR_AUDIO_MS = 500, /* window over which speech is measured */
};

/* In the transport. Zero-filled: no estimate, everything is given. */
struct allocator {
    bool known;                     /* there is an estimate */
    bool dirty;                     /* rates have changed since the last decision */
    bool limited;                   /* some slot gets less than it wants */
    uint32_t budget, used, desired; /* bit/s */
    uint32_t audio_rate;            /* bit/s sent of late on audio slots */
    uint64_t audio_bytes;           /* sent at audio_ms */
    uint64_t audio_ms;
};

/* The estimate of the subscriber's link moved, or 200 ms have passed. UINT32_MAX: there is none any
 * more. */
void allocator_budget(struct worker *worker, struct transport *transport, uint32_t estimate_bps,
                      uint64_t now_ms);
/* Bit/s with which nothing would be limited: what is worth probing for. */
uint32_t allocator_desired(const struct transport *transport);

/* What a slot wants has changed: decides at once. */
void allocator_review(struct worker *worker, struct transport *transport);
/* Layers of a source cost something else now: decided with the next estimate. */
void allocator_rates_changed(struct transport *transport);

#endif
