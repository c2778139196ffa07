/*
 * media/sfu/pacing.h - video that has to wait for its turn because a burst (a key frame) is
 * larger than the subscriber's link takes at once.
 *
 * What waits is a reference to the packet and its numbers, in order; it is written when it
 * leaves. Speech and repairs never wait. A transport with something waiting, or with a probe
 * under way, is in the worker's list and is looked at each turn.
 *
 * Thread: the worker.
 */
#ifndef MEDIA_SFU_PACING_H
#define MEDIA_SFU_PACING_H

#include "media/bwe/pacer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    PACING_PACKETS_MAX = 512, /* of one transport: a large key frame; more leave at once */
    PACING_POOL_SLAB = 64,
    PACING_POOL_MAX = 1 << 16,
    PACING_SLEEP_US_MIN = 1000, /* several packets at once rather than a wake-up for each */
};

struct leaving;
struct slot;
struct transport;
struct worker;
struct paced;

/* In the transport. Zero-filled: nothing waits, nothing is paced. */
struct pacing {
    struct pacer pacer;
    struct paced *first, *last;
    uint32_t count, bytes;
    struct transport *next; /* in the worker's list */
    bool listed;
};

uint32_t pacing_block_bytes(void);

/* True: the packet has to wait. */
static inline bool pacing_busy(const struct pacing *pacing, uint64_t now_ns)
{
    return pacing->first != NULL || !pacer_open(&pacing->pacer, now_ns);
}

/* It waits; a reference is taken. False: no room, it shall leave now. */
bool pacing_hold(struct worker *worker, struct slot *slot, const struct leaving *leaving);
/* The transport is looked at each turn until nothing waits and no probe is under way. */
void pacing_wake(struct worker *worker, struct transport *transport);
/* All that waits leaves now: its slot is about to change how it writes. */
void pacing_flush(struct worker *worker, struct transport *transport);
/* All that waits is dropped, and the worker forgets the transport. */
void pacing_end(struct worker *worker, struct transport *transport);
/* Each turn: what may leave leaves. */
void pacing_turn(struct worker *worker);

#endif
