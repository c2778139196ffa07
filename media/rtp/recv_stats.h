/*
 * media/rtp/recv_stats.h - what a receiver knows of one stream, for its report blocks.
 * RFC 3550 A.1 (sequence numbers, restart; no
 * probation: SRTP has authenticated the source), A.3 (loss), A.8 (jitter).
 *
 * Thread: one media worker owns it. Pure: arrival times are arguments.
 */
#ifndef MEDIA_RTP_RECV_STATS_H
#define MEDIA_RTP_RECV_STATS_H

#include "core/status.h"
#include "media/rtp/rtcp.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    RECV_SEQ_MOD = 1 << 16,
    RECV_DROPOUT_MAX = 3000, /* RFC 3550 A.1: a jump ahead up to this is loss */
    RECV_MISORDER_MAX = 100, /* a step back up to this is reordering */
};

struct recv_stats {
    bool started;
    uint16_t highest;
    uint32_t base, bad; /* bad: RECV_SEQ_MOD + 1 when none */
    uint64_t cycles;    /* RECV_SEQ_MOD for each wrap */
    uint64_t received;
    uint64_t bytes; /* payload bytes */
    uint64_t expected_prior, received_prior;
    /* Of the interval the last block was about. */
    uint64_t interval_expected, interval_lost;
    uint8_t fraction_lost;    /* 1/256 */
    uint32_t transit, jitter; /* jitter scaled by 16 */
    bool transit_known;
    uint32_t clock_rate;
    uint32_t last_timestamp;
    uint64_t sr_ntp, sr_arrival_us;
    uint32_t sr_rtp;
};

enum recv_verdict {
    RECV_OK,
    RECV_RESTARTED, /* sequence space began anew: unwrapped state elsewhere is void */
    RECV_REJECTED,  /* may be the first packet of a restart: counts for nothing */
};

/* clock_rate in Hz, > 0. */
void recv_stats_init(struct recv_stats *stats, uint32_t clock_rate);
enum recv_verdict recv_stats_packet(struct recv_stats *stats, uint16_t sequence, uint32_t timestamp,
                                    size_t payload_length, uint64_t now_us);
/* A sender report of this source came. */
void recv_stats_sr(struct recv_stats *stats, const struct rtcp_sender *sender, uint64_t now_us);
/*
 * A report block for RR or SR; begins a new interval of fraction_lost.
 * False: nothing received yet.
 */
bool recv_stats_block(struct recv_stats *stats, uint32_t ssrc, uint64_t now_us,
                      struct rtcp_block *ret_block);
/* Jitter in clock ticks. */
uint32_t recv_stats_jitter(const struct recv_stats *stats);
/* Signed, may be negative by duplicates; not clamped. */
int64_t recv_stats_lost(const struct recv_stats *stats);
uint32_t recv_stats_highest(const struct recv_stats *stats); /* extended */

/*
 * Unwraps a 16-bit counter into 64 bits: the value nearest to the last. Zero-filled is fresh.
 */
struct seq_unwrapper {
    bool started;
    int64_t last;
};
int64_t seq_unwrap(struct seq_unwrapper *unwrapper, uint16_t sequence);

#endif
