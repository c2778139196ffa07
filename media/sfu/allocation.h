/*
 * media/sfu/allocation.h - how a subscriber's budget is shared out among what it wants to
 * see and hear. Pure: numbers in, numbers out; time is an argument
 * (docs/design/congestion.md, "The allocator").
 *
 * Order: voices always; then the screen, then the speaker, then tiles by priority. The least
 * wanted tile is paused rather than everything starved. What a slot has is given up at once
 * when the budget falls, and won back one step at a time when there is headroom, at once when
 * there is plenty; a step that did not last is waited for longer the next time.
 */
#ifndef MEDIA_SFU_ALLOCATION_H
#define MEDIA_SFU_ALLOCATION_H

#include "media/media.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    ALLOCATION_PAUSED = -1,
    ALLOCATION_TEMPORAL_ALL = MEDIA_TEMPORAL_MAX - 1,
    ALLOCATION_HEADROOM = 8,         /* a step up must fit with 1/8 of itself to spare */
    ALLOCATION_PLENTY = 4,           /* several at once must leave 1/4 of the budget */
    ALLOCATION_CLIMB_MS = 500,       /* from one change of a slot to its next step up */
    ALLOCATION_HOLD_MAX_MS = 16000,  /* a step that failed: twice that, doubled to at most this */
    ALLOCATION_LAST_MS = 10000,      /* a step given up sooner than this failed */
    ALLOCATION_RATE_LOWEST = 150000, /* bit/s, assumed of a lowest layer nobody has measured */
    ALLOCATION_RATE_FACTOR = 3,      /* from one unmeasured layer to the next */
};

/* In the order in which they are served. */
enum allocation_kind { ALLOCATION_VOICE, ALLOCATION_SCREEN, ALLOCATION_SPEAKER, ALLOCATION_TILE };

struct allocation_want {
    uint8_t kind;        /* enum allocation_kind */
    uint8_t priority;    /* among tiles: larger is kept longer */
    uint16_t height;     /* pixels shown; 0: the highest layer */
    uint8_t layer_count; /* 0: nothing known yet */
    uint8_t absent_from; /* layers from this index on do not come though asked for */
    bool untried;        /* no picture was ever carried: there is nothing to probe the link with */
    const struct media_layer_info *layers; /* lowest first; VOICE: its bit rate in layers[0] */
};

/* What one slot has, kept from one decision to the next. Zero-filled is wrong: allocation_init. */
struct allocation {
    int8_t layer;            /* highest it may carry, or ALLOCATION_PAUSED */
    uint8_t temporal;        /* highest level of that layer */
    bool limited;            /* less than wanted, because of the budget */
    bool fresh;              /* no history: it may take all it wants at once */
    bool climbed;            /* since it last fell */
    int8_t failed_layer;     /* the step that did not last, MEDIA_RIDS_MAX: none; it and what is */
    uint8_t failed_temporal; /* above are not tried before failed_ms + hold_ms */
    uint16_t hold_ms;
    uint32_t climbed_bps, failed_bps; /* the budget when it was climbed to */
    uint64_t changed_ms, climbed_ms, failed_ms;
};

struct allocation_result {
    uint32_t used;    /* bit/s of what was given */
    uint32_t desired; /* bit/s, headroom included, with which nothing would be limited */
};

/* For a slot that carries something else from now on. */
void allocation_init(struct allocation *allocation);
/*
 * Shares out `budget` bit/s (UINT32_MAX: no limit known) among count <= MEDIA_SLOTS_MAX wants;
 * allocations[i] belongs to wants[i] and is brought up to date.
 * While all are untried and none fits, the most wanted gets its lowest step nevertheless: a first
 * guess of the budget is no reason to show nothing for good.
 */
struct allocation_result allocation_decide(uint32_t budget, const struct allocation_want *wants,
                                           struct allocation *allocations, size_t count,
                                           uint64_t now_ms);

#endif
