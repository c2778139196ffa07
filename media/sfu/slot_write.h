/*
 * media/sfu/slot_write.h - how a packet is written for the subscriber of one slot: payload
 * type, header, extension elements, payload, protection. What is sent is decided in
 * slot.c and slot_choose.c.
 *
 * Thread: the subscriber's worker.
 */
#ifndef MEDIA_SFU_SLOT_WRITE_H
#define MEDIA_SFU_SLOT_WRITE_H

#include "media/sfu/slot.h"

/* How a packet leaves: as itself, or as a repair with numbers of another stream. */
struct leaving {
    const struct packet *packet;
    const struct rewritten *rewritten;
    bool repair;     /* by RTX */
    bool second;     /* the first copy of this repetition has just left */
    bool empty;      /* only its number: payload left out */
    bool covered;    /* in RED, protected by parity */
    bool parity;     /* not the packet but the parity over those covered so far */
    uint8_t spatial; /* highest spatial layer carried when it left first */
};

/* The last packet of the picture as this subscriber gets it (RFC 9628 4.1, AV1 RTP 4.2). */
static inline bool leaving_marker(const struct leaving *leaving)
{
    const struct packet *packet = leaving->packet;
    bool last = packet->spatial_count > 1 && packet->end && packet->spatial_id == leaving->spatial;
    return (packet->marker || last) && !leaving->empty;
}

struct ulpfec;

/* A packet of our own: parity, or the answer to a request for a number that carried no media. */
struct own {
    uint8_t type; /* payload type */
    uint32_t ssrc, timestamp;
    int64_t index;
    const struct ulpfec *parity; /* NULL: the answer */
    uint16_t original;           /* the number asked for (RFC 4588 4) */
};

/* Finds how this format goes to the subscriber. False: it cannot decode it. */
bool slot_format(struct slot *slot, const struct packet_format *format);
/* Without RTX a repetition has to be the same packet bit by bit: no element may change with time.
 */
bool slot_repairs_plainly(const struct slot *slot);
/* It leaves as soon as the pacer lets it. */
void slot_send(struct worker *worker, struct slot *slot, const struct leaving *leaving);
/* Writes, protects and queues; what does not fit is left out. */
void slot_leave(struct worker *worker, struct slot *slot, const struct leaving *leaving);
/* A packet of padding on the RTX stream, which the slot has: a probe. */
void slot_pad(struct worker *worker, struct slot *slot);
void slot_send_own(struct worker *worker, struct slot *slot, const struct own *own);

#endif
