/*
 * media/bwe/sent.h - what left under each transport-wide sequence number, until its
 * receiver has said what became of it.
 *
 * Twelve bytes a packet. Begins small and is doubled, never on the sending path, when
 * packets were overwritten before anything was heard of them: a quiet subscriber keeps
 * half a KiB.
 *
 * Thread: the transport's worker. Times are microseconds of a clock that does not go back.
 */
#ifndef MEDIA_BWE_SENT_H
#define MEDIA_BWE_SENT_H

#include "core/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SENT_PACKETS_MIN = 64,   /* one second of audio; power of two */
    SENT_PACKETS_MAX = 4096, /* 2 s at 20 Mbit/s; 48 KiB */
    SENT_SIZE_MAX = 2047,    /* bytes: 11 bits */
    SENT_CLUSTER_MAX = 7,    /* 3 bits; 0: no probe */
    SENT_CLUSTER_SHIFT = 11,
    SENT_PAUSE_US = 600000, /* nothing sent for so long: what follows begins anew */
    SENT_HELD = 1 << 14,    /* something is to be told of it */
    SENT_LOST = 1 << 15,    /* told lost, may still come */
};

struct sent_packet {
    uint32_t at_us; /* low bits of the time it left */
    uint32_t note;  /* the caller's */
    uint16_t sequence;
    uint16_t marks; /* size, cluster << SENT_CLUSTER_SHIFT, SENT_HELD, SENT_LOST */
};

/* Zero-filled is closed: takes nothing, finds nothing. */
struct sent {
    struct sent_packet *packets;
    uint32_t mask;
    uint32_t overrun;           /* overwritten unheard-of since the last sent_fit */
    uint32_t last_us, begun_us; /* of the last packet; of the first after the last pause */
    bool any;
};

/* What became known of a packet. */
struct sent_fate {
    uint64_t at_us;
    uint32_t note;
    uint16_t size;
    uint8_t cluster;
    bool again; /* it was told lost before */
};

/* Errors: STATUS_NO_MEMORY. */
MUST_USE enum status sent_open(struct sent *sent);
void sent_close(struct sent *sent);
/* Doubled when it was too small. Without memory it stays as it is. */
void sent_fit(struct sent *sent);
/* It was received, or not: then it may still be told received later. False: not known (any more).
 */
bool sent_told(struct sent *sent, uint16_t sequence, bool received, uint64_t now_us,
               struct sent_fate *ret_fate);
/* Microseconds since something was put last; UINT64_MAX: never. */
uint64_t sent_idle_us(const struct sent *sent, uint64_t now_us);
/* Microseconds since the last pause ended; 0: nothing was put yet. */
uint64_t sent_going_us(const struct sent *sent, uint64_t now_us);

static inline void sent_put(struct sent *sent, uint16_t sequence, uint16_t size, uint8_t cluster,
                            uint32_t note, uint64_t now_us)
{
    if (sent->packets == NULL)
        return;
    struct sent_packet *packet = &sent->packets[sequence & sent->mask];
    sent->overrun += (packet->marks & (SENT_HELD | SENT_LOST)) == SENT_HELD;
    *packet = (struct sent_packet){
        .at_us = (uint32_t)now_us,
        .note = note,
        .sequence = sequence,
        .marks = (uint16_t)((size & SENT_SIZE_MAX) | cluster << SENT_CLUSTER_SHIFT | SENT_HELD)};
    if (!sent->any || (uint32_t)now_us - sent->last_us >= SENT_PAUSE_US)
        sent->begun_us = (uint32_t)now_us;
    sent->last_us = (uint32_t)now_us;
    sent->any = true;
}

#endif
