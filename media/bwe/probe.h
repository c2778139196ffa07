/*
 * media/bwe/probe.h - asks the link whether it bears more than is sent: for some
 * milliseconds more than the estimate leaves (packets sent again, or padding), and what
 * arrived how fast is the answer.
 *
 * A cluster is all that leaves while it is under way, media too. Only one at a time.
 *
 * Times are microseconds: sent on our clock, arrivals on the receiver's.
 */
#ifndef MEDIA_BWE_PROBE_H
#define MEDIA_BWE_PROBE_H

#include <stdbool.h>
#include <stdint.h>

enum {
    PROBE_US = 30000, /* a cluster's length on a path without jitter */
    PROBE_US_MAX = 100000,
    PROBE_PACKETS = 6, /* fewer say nothing */
    PROBE_BYTES_MAX = 64000,
    PROBE_BPS_MAX = 20000000,
    PROBE_NEXT_US = 100000,      /* after one that found more */
    PROBE_AGAIN_US = 500000,     /* after one that says neither yes nor no */
    PROBE_WAIT_US = 1000000,     /* after one that did not, doubled up to */
    PROBE_WAIT_US_MAX = 2000000, /* a link that is back is found that soon */
    PROBE_ANSWER_US = 1200000,   /* no feedback about it until then: none will come */
};

enum probe_state { PROBE_IDLE, PROBE_SENDING, PROBE_AWAITING };

/* Zero-filled is the beginning: may probe at once. */
struct probe {
    enum probe_state state;
    uint8_t cluster; /* the last one's number, 1..SENT_CLUSTER_MAX */
    uint16_t last_sequence;
    uint32_t target_bps, before_bps;
    uint32_t sent_bytes, sent_packets;
    uint64_t begun_us, length_us, next_us, wait_us;
    int64_t slack_us;      /* arrivals may be spread that much without meaning anything */
    uint32_t lost_packets; /* told so */
    /* Of those received. */
    uint32_t received_bytes, received_packets, first_bytes, last_bytes;
    uint64_t sent_first_us, sent_last_us;
    int64_t arrival_first_us, arrival_last_us;
};

/* Begins when it is time: `desired_bps` is what would be used if the link bore it. */
void probe_consider(struct probe *probe, uint32_t estimate_bps, uint32_t desired_bps,
                    double jitter_ms, uint64_t now_us);
/* Bytes that shall leave now beside the media; 0 and no more PROBE_SENDING: that was all. */
uint32_t probe_due(struct probe *probe, uint64_t now_us);
/* Something left while PROBE_SENDING. */
void probe_sent(struct probe *probe, uint16_t sequence, uint16_t size);
/* A packet of the cluster was lost, or received. */
void probe_lost(struct probe *probe);
void probe_received(struct probe *probe, uint16_t size, uint64_t sent_us, int64_t arrival_us);
/*
 * After a feedback that told of everything up to `sequence`. Bit/s the link has borne; 0: not known
 * yet, or no answer to be had. `own_loss`: 0..1, lost whatever is sent.
 */
uint32_t probe_result(struct probe *probe, uint16_t sequence, double own_loss, uint64_t now_us);
/* The link is not what it was: what is under way counts no more, the next comes in wait_us. */
void probe_abandon(struct probe *probe, uint64_t wait_us, uint64_t now_us);

#endif
