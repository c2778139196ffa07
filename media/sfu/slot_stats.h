/*
 * media/sfu/slot_stats.h - what is known of how a slot's stream reaches its subscriber, and
 * its last switches. Zero-filled is fresh. Thread: the subscriber's worker.
 */
#ifndef MEDIA_SFU_SLOT_STATS_H
#define MEDIA_SFU_SLOT_STATS_H

#include "media/rtp/rtcp.h"
#include "media/stats.h"

#include <stdbool.h>
#include <stdint.h>

enum { SLOT_STATS_MEASURE_MS = 900 };

struct slot_stats {
    uint64_t bytes_before, measured_ms;
    uint32_t bitrate; /* bit/s of payload over the last period */

    /* The subscriber's last receiver report. */
    bool reported;
    uint8_t fraction_lost; /* 1/256 */
    int32_t lost;          /* cumulative */
    uint32_t jitter;       /* clock ticks */

    struct media_switch switches[MEDIA_SWITCHES_MAX]; /* a ring */
    uint8_t switch_count;                             /* in it */
    uint8_t switch_next;
};

/* The slot begins something else; the oldest of MEDIA_SWITCHES_MAX is forgotten. */
void slot_stats_switch(struct slot_stats *stats, const struct media_switch *change);
/* A report block of the subscriber. Returns how many more packets it misses than at the last. */
uint32_t slot_stats_report(struct slot_stats *stats, const struct rtcp_block *block);
/* `bytes`: sent since the beginning. Brings the bitrate up to date; a period shorter than
 * SLOT_STATS_MEASURE_MS is left to grow. */
void slot_stats_measure(struct slot_stats *stats, uint64_t bytes, uint64_t now_ms);

#endif
