/*
 * media/packet.h - one received datagram in pooled memory, and what forwarding must
 * know about it, found out once by the worker that received it.
 *
 * Memory comes in three sizes, so that what is kept for repair, speech above all, takes little
 * more than it is long.
 *
 * A packet has one writer, the receiving worker, until the first reference is handed
 * to somebody else; from then on it is read only. References are atomic; the last one
 * gives the block back to the pool it came from, whichever thread holds it.
 */
#ifndef MEDIA_PACKET_H
#define MEDIA_PACKET_H

#include "core/pool.h"
#include "media/ice/ice.h"
#include "media/media.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum {
    PACKET_BYTES_MAX = 1600,    /* a datagram of an Ethernet path; longer ones are dropped */
    PACKET_BYTES_MEDIUM = 1264, /* what browsers make of video */
    PACKET_BYTES_SMALL = 368,   /* speech, checks, reports */
    PACKET_SLAB = 64,           /* packets taken from malloc at once */
    PACKET_NUMBER_NONE = -1,
};

enum packet_size { PACKET_SMALL, PACKET_MEDIUM, PACKET_LARGE, PACKET_SIZES };

/* The payload format in so far as a decoder must agree to it. Compared by value. */
struct packet_format {
    uint8_t codec; /* enum media_codec */
    uint8_t h264_packetization_mode;
    uint8_t vp9_profile;
    uint32_t h264_profile_level_id;
};

/* An extension element of the received packet; length 0: absent. */
struct packet_element {
    uint16_t offset; /* of the value, from the packet's first byte */
    uint8_t length;
};

struct packet {
    atomic_uint references;
    struct pool *pool;
    uint64_t arrived_ns;
    struct ice_path from;
    uint16_t length; /* bytes in data */
    uint8_t size;    /* enum packet_size */

    /* Set for media by the track that received it. */
    uint64_t source; /* its transport */
    int64_t index;   /* sequence number that never wraps, within its layer */
    uint32_t timestamp;
    uint32_t origin; /* SSRC that names the source, the same for all its layers */
    struct packet_format format;
    uint8_t track, layer;
    uint8_t epoch; /* of the stream: after a restart numbers begin anew */
    bool marker;
    bool repaired;   /* it came by RTX */
    bool start, key; /* begins a frame; begins a frame a decoder may begin with */
    bool end;        /* last packet of a layer frame */
    bool structure;  /* the dependency descriptor carries the template structure */
    uint8_t temporal_id, spatial_id;
    uint8_t spatial_count; /* spatial layers in this stream now; 1 where they are not told apart */
    uint16_t needs;        /* media/sfu/needs.h */
    bool switching_up;
    uint8_t loudness; /* microphones: smoothed -dBov */
    uint16_t payload_offset, payload_length;
    int32_t picture_id, tl0picidx; /* VP8, VP9; or PACKET_NUMBER_NONE */
    bool long_picture_id;
    uint8_t picture_id_offset, tl0picidx_offset; /* in the payload */
    int32_t frame_number;                        /* of the dependency descriptor, or NONE */
    struct packet_element audio_level, dependency, orientation, playout_delay, color_space;

    uint8_t data[]; /* as many as were asked for, at least */
};

/* A worker's packets of all sizes. */
struct packets;

/* `packets_max`: of each size. Errors: STATUS_INVALID, STATUS_NO_MEMORY. */
MUST_USE enum status packets_new(uint32_t packets_max, struct packets **ret_packets);
/* All must be back. Accepts NULL, returns NULL. */
struct packets *packets_free(struct packets *packets);
/* As pool_used, pool_slabs, pool_bytes, over all sizes. */
uint32_t packets_used(const struct packets *packets);
uint32_t packets_slabs(const struct packets *packets);
size_t packets_bytes(const struct packets *packets);

/* With one reference and room for `bytes` (at most PACKET_BYTES_MAX) of data; facts and length are
 * not initialised. NULL: there are no more. Owner only. */
struct packet *packet_new(struct packets *packets, size_t bytes);
struct packet *packet_ref(struct packet *packet);
/* `home`: those of the calling thread, NULL when it has none. Accepts NULL. */
void packet_unref(struct packet *packet, const struct packets *home);
/* Forgets what a track would set. */
void packet_facts_clear(struct packet *packet);

#endif
