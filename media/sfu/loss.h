/*
 * media/sfu/loss.h - how much one subscriber loses of what it is sent, and how much
 * redundancy that is worth (docs/design/loss.md).
 *
 * Transport-wide feedback counts every packet; receiver reports are a fallback where there
 * is none. Loss is believed quickly and forgotten slowly, so that redundancy is there
 * when the next burst comes. Pure: time is an argument. Thread: the subscriber's worker.
 */
#ifndef MEDIA_SFU_LOSS_H
#define MEDIA_SFU_LOSS_H

#include <stdbool.h>
#include <stdint.h>

enum {
    LOSS_WINDOW_MS = 200,      /* a sample is made of at least that long... */
    LOSS_WINDOW_PACKETS = 20,  /* ...and that many packets, */
    LOSS_WINDOW_MS_MAX = 1000, /* unless this has passed */
    LOSS_COUNTED_MS = 3000,    /* reports do not matter while feedback was counted that lately */
};

/* Zero-filled is "nothing lost". */
struct loss_meter {
    uint8_t red_depth;       /* copies of earlier packets each audio packet shall carry */
    uint16_t permille;       /* smoothed */
    uint32_t received, lost; /* since window_ms */
    uint64_t window_ms, counted_ms;
};

/* One transport-wide feedback told of this many packets. */
void loss_counted(struct loss_meter *meter, uint32_t received, uint32_t lost, uint64_t now_ms);
/* A receiver report: fraction lost in 1/256 (RFC 3550 6.4.1). */
void loss_reported(struct loss_meter *meter, uint8_t fraction, uint64_t now_ms);

#endif
