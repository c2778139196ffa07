/*
 * media/sfu/slot.h - an m-line on which we send: what it carries, what it shall carry,
 * and the writing of packets for this subscriber.
 *
 * A change of source or layer is make-before-break: `active` goes on until the first
 * packet of a key frame of `next` (or of the other layer) comes.
 *
 * Thread: the subscriber's worker.
 */
#ifndef MEDIA_SFU_SLOT_H
#define MEDIA_SFU_SLOT_H

#include "media/media.h"
#include "media/packet.h"
#include "media/sfu/allocation.h"
#include "media/sfu/feed.h"
#include "media/sfu/rewriter.h"
#include "media/sfu/slot_stats.h"
#include "media/sfu/transport.h"
#include "media/worker.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    SLOT_FRAME_AUDIO = 960,  /* timestamp ticks a switch moves at least: 20 ms */
    SLOT_FRAME_VIDEO = 3000, /* 1/30 s */
    /* What of a packet is to be known when it is lost (bwe_sent): its number, and */
    SLOT_NOTE = 1 << 25, /* that it is one of these */
    SLOT_NOTE_REPAIR = 1 << 24,
    SLOT_NOTE_SLOT = 16, /* shift: the slot's number */
};

struct slot {
    struct transport *transport;
    uint8_t number;
    uint8_t kind;  /* enum media_kind */
    uint8_t state; /* enum media_slot_state, as last told */
    uint8_t payload_count;
    const struct payload *payloads;
    struct media_extensions extensions;
    uint32_t ssrc, rtx_ssrc;
    struct media_want want;
    struct subscription active, next;

    /* How the present format goes to this subscriber; found anew when the format changes. */
    struct packet_format format;
    const struct payload *payload; /* NULL: not decodable here */
    uint8_t red_type, ulpfec_type; /* RED and ULPFEC for this subscriber; 0: it takes none */
    uint8_t aimed;                 /* enum media_switch_reason: why another layer is awaited */

    /* What the link bears of its source, and what is carried of that. */
    struct allocation allocation;
    uint64_t asked_ms, absent_until_ms; /* for a layer that does not come: allocator.c */
    uint8_t temporal;                   /* highest temporal level forwarded now */
    uint8_t spatial, spatial_target;    /* highest spatial layer forwarded now, and aimed at */

    uint64_t voice;            /* voice slots: whose voice the rewriter's segment is */
    struct rewriter *rewriter; /* NULL until something was forwarded */
    struct slot_fec *fec;      /* NULL: no parity in the making */
    int64_t rtx_index;         /* next number on the RTX stream */
    int64_t key_index;         /* number of the newest key frame's first packet */
    uint64_t packets, bytes;   /* payload octets; sender reports take them modulo 2^32 */
    uint64_t forwarded_ms;
    uint64_t reported_ms;
    struct slot_stats stats;
};

void slot_want(struct worker *worker, struct slot *slot, const struct media_want *want);
/* Tells the conductor how the slot fares. */
void slot_tell(struct worker *worker, struct slot *slot, enum media_slot_state state);
/* It begins another source or layer, or carries none from now on (FEED_LAYER_NONE). */
void slot_switched(struct worker *worker, struct slot *slot, enum media_switch_reason reason,
                   int8_t to);
/* What is wanted, the layers of its source, or what the link bears, have changed. */
void slot_retarget(struct worker *worker, struct slot *slot, enum media_switch_reason reason);
/* A packet of the feed this subscription is in. */
void slot_offer(struct worker *worker, struct subscription *subscription, struct packet *packet);
/* The source is gone. */
void slot_source_gone(struct worker *worker, struct subscription *subscription);
/* The subscriber misses the packet with this sequence number. */
void slot_repair(struct worker *worker, struct slot *slot, uint16_t sequence);
/* Feedback says that the packet with this number is lost, or (`repair`) its repetition: it is sent
 * again when no question of the subscriber's has led to that already. */
void slot_missed(struct worker *worker, struct slot *slot, uint16_t sequence, bool repair);
/* The packet `back` numbers before the newest once more, by RTX: a probe. False: it is not there.
 */
bool slot_again(struct worker *worker, struct slot *slot, uint16_t back);
/* It cannot decode what it has. */
void slot_refresh(struct worker *worker, struct slot *slot);
/* Leaves its feeds and gives its memory back. */
void slot_end(struct worker *worker, struct slot *slot);
/* The sender report for this moment. False: nothing to report. */
struct rtcp_sender;
bool slot_report(const struct slot *slot, uint64_t ntp, struct rtcp_sender *ret_sender);

/* Letter of the conductor: transport, slot, want. */
void slot_on_want(struct worker *worker, const struct letter *letter);

#endif
