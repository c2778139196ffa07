/*
 * media/sfu/narrow.h - how far a subscriber's video is stepped down because its link
 * is narrow: by what its receiver reports and REMB say. A plain stand-in where no
 * transport-wide feedback drives an estimator. Pure: time is an argument.
 */
#ifndef MEDIA_SFU_NARROW_H
#define MEDIA_SFU_NARROW_H

#include "media/media.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    NARROW_LOSS_HIGH = 26, /* 1/256: 10 %, for NARROW_BAD_MS: one step down */
    NARROW_LOSS_LOW = 5,   /* 1/256: 2 %, for NARROW_CALM_MS: one step up */
    NARROW_BAD_MS = 3000,
    NARROW_CALM_MS = 10000,
    NARROW_STEPS_MAX = MEDIA_RIDS_MAX, /* down to the lowest layer, then to its base frame rate */
};

/* Zero-filled is "nothing known, nothing taken away". */
struct narrow {
    uint8_t steps;
    uint64_t bad_since_ms, calm_since_ms; /* 0: not so now */
};

/*
 * A report came. `loss`: fraction of the worst stream in 1/256. `remb`: bit/s, 0 none; `sent`:
 * bit/s sent of late. True when steps changed.
 */
bool narrow_report(struct narrow *narrow, uint8_t loss, uint64_t remb, uint64_t sent,
                   uint64_t now_ms);
/* Layers from this index on are not for this subscriber. */
uint8_t narrow_layers(const struct narrow *narrow);
/* Highest temporal level it gets. */
uint8_t narrow_temporal(const struct narrow *narrow);

#endif
