/*
 * media/sfu/downlink.h - how much a subscriber's link bears (media/bwe/), told to its
 * allocator and its pacer; and the probes that find out whether it bears more
 * (docs/design/congestion.md).
 *
 * Thread: the transport's worker.
 */
#ifndef MEDIA_SFU_DOWNLINK_H
#define MEDIA_SFU_DOWNLINK_H

#include "media/bwe/bwe.h"
#include "media/rtp/twcc.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    DOWNLINK_TICK_MS = 150,
    DOWNLINK_BUDGET_MS = 200,           /* the allocator hears at least that often... */
    DOWNLINK_BUDGET_PART = 20,          /* ...and when the estimate moved by one in so many */
    DOWNLINK_JUDGE_MS = 1000,           /* between judgements by receiver reports */
    DOWNLINK_PADDING_BPS_MAX = 1000000, /* faster probes are packets sent again, not padding */
};

struct transport;
struct worker;

/* In the transport. Zero-filled: no estimate. */
struct downlink {
    struct bwe bwe;
    uint32_t told_bps; /* to the allocator; 0: nothing */
    uint64_t told_ms;
    uint32_t sent_bps;   /* video, over the last judgement */
    uint8_t loss_worst;  /* 1/256, of the reports since then */
    bool reported;       /* there were some */
    uint64_t sent_bytes; /* video bytes then */
    uint64_t judged_ms;
};

/* DTLS is done, media may follow. */
void downlink_open(struct worker *worker, struct transport *transport);
void downlink_close(struct worker *worker, struct transport *transport);

/* What the subscriber says. */
void downlink_feedback(struct worker *worker, struct transport *transport,
                       const struct twcc_report *reports, size_t count);
void downlink_remb(struct worker *worker, struct transport *transport, uint64_t bps);
/* Fraction lost of a video slot, 1/256. */
void downlink_report(struct transport *transport, uint8_t fraction);

/* By the transport's timer while it may send. Returns ms until it wants another call. */
uint64_t downlink_tick(struct worker *worker, struct transport *transport);
/* What a probe wants to leave now leaves. True: it is not over. */
bool downlink_probe(struct worker *worker, struct transport *transport, uint64_t now_ns);

#endif
