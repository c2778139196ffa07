/*
 * media/sfu/slot_fec.h - forward error correction of a video slot: RFC 5109 parity inside
 * RED (RFC 2198), for subscribers to whom a repair by RTX would come too late.
 *
 * While transport.loss.fec_every is not 0, media leaves in RED and after so many packets,
 * at the latest at the end of the second picture, one parity packet follows with a number
 * of the slot's own (rewriter_insert). Only where the receiver knows a picture's place
 * from its picture id or dependency descriptor: a parity packet that is lost itself must
 * not look like a missing part of a picture.
 *
 * Thread: the subscriber's worker.
 */
#ifndef MEDIA_SFU_SLOT_FEC_H
#define MEDIA_SFU_SLOT_FEC_H

#include "media/rtp/ulpfec.h"
#include "media/sfu/slot_write.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SLOT_FEC_PICTURES = 2 /* a parity waits at most for the end of so many */ };

/* What the next parity packet of a slot protects. */
struct slot_fec {
    uint8_t packets, pictures; /* numbered since the last parity was */
    uint32_t timestamp;        /* of the newest that has left */
    struct ulpfec parity;
};

/* Whether this packet, which got its number now, is protected. Two compares where FEC is off. */
bool slot_fec_covers(struct worker *worker, struct slot *slot, const struct leaving *leaving);
/* A protected packet got its number. True: parity gets the next one and follows it. */
bool slot_fec_due(struct slot *slot, bool marker);
/* It leaves: header as written (RED's payload type in it) and payload without RED's byte. */
void slot_fec_add(struct slot *slot, const struct ulpfec_media *media);
/* The parity over what has left since the last one. False: it protects nothing. */
bool slot_fec_send(struct worker *worker, struct slot *slot, int64_t index);
/* Gives the memory back. */
void slot_fec_end(struct worker *worker, struct slot *slot);

#endif
