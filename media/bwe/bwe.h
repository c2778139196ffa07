/*
 * media/bwe/bwe.h - how much a subscriber's link bears (docs/design/congestion.md).
 *
 * Driven by transport-wide feedback: delay trend, queue length, losses and what arrived
 * (draft-ietf-rmcat-gcc-02), and by probes. A peer without such feedback is judged by its
 * REMB, and without that by the loss in its receiver reports.
 *
 * Evidence first: the estimate rises only by what was delivered or a probe has shown, and
 * falls only by congestion; a sender that uses less than it may learns nothing.
 *
 * Thread: the transport's worker. Pure: time is an argument, microseconds of a clock that
 * does not go back. No memory but sent.h's.
 */
#ifndef MEDIA_BWE_BWE_H
#define MEDIA_BWE_BWE_H

#include "core/status.h"
#include "media/bwe/delay.h"
#include "media/bwe/loss.h"
#include "media/bwe/probe.h"
#include "media/bwe/sent.h"
#include "media/bwe/throughput.h"
#include "media/rtp/twcc.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    BWE_BPS_MIN = 40000, /* speech: less would be no call */
    BWE_BPS_MAX = 50000000,
    BWE_BPS_FIRST = 300000, /* speech and a small picture, until a probe has shown more */
    BWE_SILENT_US = 600000, /* no feedback for that long while sending: the link is gone */
    BWE_SILENT_STEP_US = 200000,
    BWE_DEAF_US = 3000000, /* never any feedback: the peer does not give it */
    BWE_MISSING_MAX = 32,  /* of one feedback; of more the first */
};

enum bwe_source {
    BWE_NOTHING, /* no estimate: everything may be sent */
    BWE_TRANSPORT_WIDE,
    BWE_REMB,
    BWE_REPORTS,
};

/* Zero-filled: BWE_NOTHING, and what is put is not kept. */
struct bwe {
    enum bwe_source source;
    uint16_t sequence; /* next transport-wide number */
    struct sent sent;
    struct probe probe;

    uint32_t estimate_bps;
    uint32_t rtt_ms;   /* by feedback; 0: unknown */
    bool heard;        /* feedback has come */
    bool silent;       /* it has stopped */
    uint32_t loud_bps; /* estimate before that */
    uint64_t first_sent_us, heard_us, updated_us, lowered_us, stepped_us;

    /* After congestion: sends below the capacity until the queue is gone. */
    bool draining;
    uint64_t drain_until_us;
    uint32_t capacity_bps; /* found at the last congestion; 0: none, or outgrown */
    int64_t queue_us;
    uint64_t queued_us; /* the queue was short then */

    struct delay delay;
    struct loss loss;
    struct throughput arrived, offered;
    uint32_t kept_bps;                 /* estimate before losses lowered it */
    uint32_t missing[BWE_MISSING_MAX]; /* notes of what the last feedback said is lost */
    uint8_t missing_count;
};

/* `feedback`: the peer has negotiated transport-wide feedback. Errors: STATUS_NO_MEMORY (then as
 * without feedback). */
MUST_USE enum status bwe_open(struct bwe *bwe, bool feedback, uint64_t now_us);
void bwe_close(struct bwe *bwe);

/* A packet with the number bwe->sequence - 1 leaves. `note`: what of it is to be known when it is
 * lost; 0: nothing. */
static inline void bwe_sent(struct bwe *bwe, size_t size, uint32_t note, uint64_t now_us)
{
    uint16_t sequence = (uint16_t)(bwe->sequence - 1);
    if (bwe->probe.state != PROBE_SENDING) {
        sent_put(&bwe->sent, sequence, (uint16_t)size, 0, note, now_us);
        return;
    }
    sent_put(&bwe->sent, sequence, (uint16_t)size, bwe->probe.cluster, note, now_us);
    probe_sent(&bwe->probe, sequence, (uint16_t)size);
}

/* A feedback came: what twcc_parse made of it. What it says is lost is in bwe->missing. */
void bwe_feedback(struct bwe *bwe, const struct twcc_report *reports, size_t count,
                  uint64_t now_us);
/* Without transport-wide feedback. `sent_bps`: of late. */
void bwe_remb(struct bwe *bwe, uint64_t bps, uint32_t sent_bps, uint64_t now_us);
/* `fraction`: lost, of the worst video stream, 1/256. */
void bwe_report(struct bwe *bwe, uint8_t fraction, uint32_t sent_bps, uint64_t now_us);
/*
 * At least every 100 ms: a feedback that stays away, the beginning of a probe. `desired_bps`: what
 * would be used if the link bore it; 0: no probes.
 */
void bwe_tick(struct bwe *bwe, uint32_t desired_bps, uint64_t now_us);

/* bit/s of everything that leaves, SRTP's tags included, IP's and UDP's headers not;
 * UINT32_MAX: no evidence of any limit. */
uint32_t bwe_estimate(const struct bwe *bwe);
/* Percent of it at which bursts may leave (pacer.h). */
uint32_t bwe_burst_percent(const struct bwe *bwe);

#endif
