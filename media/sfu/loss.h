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
    LOSS_WINDOW_MS = 200,         /* a sample is made of at least that long... */
    LOSS_WINDOW_PACKETS = 20,     /* ...and that many packets, */
    LOSS_WINDOW_MS_MAX = 1000,    /* unless this has passed */
    LOSS_COUNTED_MS = 3000,       /* reports do not matter while feedback was counted that lately */
    LOSS_TWICE_PERMILLE = 50,     /* from here on a repetition goes twice: half of a path's losses
                                     would else cost a second round trip */
    LOSS_MISSED_PERMILLE = 30,    /* from here on what feedback misses is late no more */
    LOSS_FEC_ROUND_TRIP_MS = 150, /* a repair that takes longer comes too late for a calm picture */
    LOSS_FEC_PERMILLE = 15,       /* below, the repairs that come late are not worth a tenth more */
    LOSS_FEC_EVERY_MIN = 2,
    LOSS_FEC_EVERY_MAX = 12,
};

/* Zero-filled is "nothing lost". */
struct loss_meter {
    uint8_t red_depth;       /* copies of earlier packets each audio packet shall carry */
    uint8_t red_depth_max;   /* that the link bears; 0: unknown, then any */
    uint8_t fec_every;       /* one parity packet after so many of video; 0: none */
    uint16_t permille;       /* smoothed */
    uint32_t rtt8_ms;        /* smoothed, in eighths; 0: unknown */
    uint32_t received, lost; /* since window_ms */
    uint64_t window_ms, counted_ms;
};

/* One transport-wide feedback told of this many packets. */
void loss_counted(struct loss_meter *meter, uint32_t received, uint32_t lost, uint64_t now_ms);
/* A receiver report: fraction lost in 1/256 (RFC 3550 6.4.1). */
void loss_reported(struct loss_meter *meter, uint8_t fraction, uint64_t now_ms);

/* The round trip was measured. */
void loss_round_trip(struct loss_meter *meter, uint32_t rtt_ms);
/* The link bears this many bit/s: copies of speech are kept within two thirds of it. */
void loss_room(struct loss_meter *meter, uint32_t budget_bps);
/* What parity leaves of this many bit/s for the video it protects. */
uint32_t loss_fec_rest(const struct loss_meter *meter, uint32_t video_bps);

#endif
