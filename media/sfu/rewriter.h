/*
 * media/sfu/rewriter.h - the numbers of one slot's stream: sequence, timestamp, VP8/VP9
 * picture id and TL0PICIDX, frame number of the dependency descriptor, continuous
 * across whatever the slot carries (docs/design/sfu.md, "Numbers in a slot").
 *
 * A segment begins with each switch of source or layer. Source gaps stay gaps; packets
 * left out on purpose leave none, and packets of our own (FEC) may be put in between. No
 * slot number is ever given to two packets.
 *
 * Pure: no sockets, no clock, no memory of its own. Thread: the subscriber's worker.
 */
#ifndef MEDIA_SFU_REWRITER_H
#define MEDIA_SFU_REWRITER_H

#include "core/status.h"
#include "media/packet.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    REWRITER_WINDOW = 512,   /* packets back that can be found again, or filled in late */
    REWRITER_SEGMENTS = 4,   /* switches back */
    REWRITER_OMISSIONS = 16, /* places back where something was left out or put in */
};

/* Slot number -> source number. REWRITER_WINDOW of them; only slots that answer NACKs have it. */
struct rewriter_map {
    struct {
        uint16_t index;         /* low bits of the source's */
        uint16_t picture_shift; /* slot's picture id less the source's, modulo 2^15 */
    } entries[REWRITER_WINDOW];
};

struct rewriter_segment {
    int64_t slot_begin, source_begin;
    int64_t source_newest;
    uint64_t source; /* whose packets: transport id */
    uint8_t track, layer;
    uint8_t spatial; /* highest spatial layer carried */
    uint8_t tl0_shift;
    uint16_t frame_shift;
    uint32_t timestamp_shift;
};

struct rewriter {
    bool started;    /* a packet was forwarded */
    uint8_t segment; /* the current one's place in segments */
    uint8_t segment_count;
    uint8_t omission, omission_count;
    int64_t next;    /* slot number of the next new packet */
    int32_t omitted; /* packets, in this segment, less those put in */
    uint16_t pictures_omitted;
    int32_t picture_last_omitted;
    uint32_t timestamp; /* of the newest packet */
    uint64_t arrived_ns;
    uint16_t picture_id;
    uint8_t tl0picidx;
    uint16_t frame_number;
    struct rewriter_map *map;               /* borrowed; NULL: nothing can be found again */
    uint64_t written[REWRITER_WINDOW / 64]; /* by slot number */
    struct rewriter_segment segments[REWRITER_SEGMENTS];
    struct {
        int64_t from; /* source number from which the counts below hold */
        int32_t omitted;
        uint16_t pictures_omitted;
    } omissions[REWRITER_OMISSIONS];
};

/* Bytes of a struct rewriter that each packet reads, from the beginning. */
#define REWRITER_HOT offsetof(struct rewriter, omissions)

/* What to write into the copy for this subscriber. */
struct rewritten {
    int64_t index; /* roc << 16 | sequence number */
    uint32_t timestamp;
    uint16_t picture_id;
    uint8_t tl0picidx;
    uint16_t frame_number;
};

/* Random first numbers; map may be NULL. */
void rewriter_init(struct rewriter *rewriter, uint64_t random, struct rewriter_map *map);
/*
 * From now on the packets of `first`'s source and layer are carried, beginning with it. The
 * timestamp goes on by the time between the arrivals, at least frame_ticks. `spatial`: highest
 * spatial layer carried.
 */
void rewriter_switch(struct rewriter *rewriter, const struct packet *first, uint8_t spatial,
                     uint32_t clock_rate, uint32_t frame_ticks);
/*
 * The same source goes on with another spatial layer from this packet on: a segment of its own, by
 * the same clock.
 */
void rewriter_split(struct rewriter *rewriter, const struct packet *first, uint8_t spatial);
/*
 * Numbers for a packet of the current segment. Errors: STATUS_LATE (before the segment, or too
 * old to be placed), STATUS_DUPLICATE.
 */
MUST_USE enum status rewriter_forward(struct rewriter *rewriter, const struct packet *packet,
                                      struct rewritten *ret_rewritten);
/*
 * A packet of the current segment is left out. VP8's picture ids close up over it; those of other
 * codecs and frame numbers do not, for their frames name each other by distance. Errors:
 * STATUS_EXISTS: it came so late that a number is already reserved; ret_rewritten is for a packet
 * without payload that fills it. STATUS_LATE, STATUS_DUPLICATE: nothing to do.
 */
MUST_USE enum status rewriter_omit(struct rewriter *rewriter, const struct packet *packet,
                                   struct rewritten *ret_rewritten);

/* A number for a packet of our own, after the newest one. A segment has begun. */
int64_t rewriter_insert(struct rewriter *rewriter);

/* What was sent under a sequence number. */
struct rewriter_found {
    const struct rewriter_segment *segment; /* borrowed until the next switch */
    int64_t source_index;
    int64_t index;
    uint16_t picture_shift;
};

/* Errors: STATUS_EXISTS: a packet without a source's payload, only ret_found->index is set;
 * STATUS_NOT_FOUND. */
MUST_USE enum status rewriter_find(const struct rewriter *rewriter, uint16_t sequence,
                                   struct rewriter_found *ret_found);
/* The numbers of a packet found again; the same as the first time. */
struct rewritten rewriter_again(const struct rewriter_found *found, const struct packet *packet);
/* The slot's timestamp for a source timestamp of the current segment. */
uint32_t rewriter_timestamp(const struct rewriter *rewriter, uint32_t source_timestamp);
/* The current segment; NULL before the first switch. */
const struct rewriter_segment *rewriter_segment_now(const struct rewriter *rewriter);

#endif
