/*
 * media/stats.h - a look into transports while they run: what each receives, sends, and what
 * its peer reports, copied out by the worker that owns it.
 *
 * Bytes of streams and slots are payload octets (RFC 3550 6.4.1), as bytesReceived and bytesSent
 * of webrtc-stats count them; losses are those of RTCP report blocks.
 */
#ifndef MEDIA_STATS_H
#define MEDIA_STATS_H

#include "core/status.h"
#include "media/media.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    MEDIA_SWITCHES_MAX = 8,     /* remembered per slot */
    MEDIA_STATS_BATCH_MAX = 16, /* transports looked into in one turn of a worker */
    MEDIA_LOSS_ONE = 256,       /* fraction_lost of everything */
};

/* X(name, text): why a slot began another source or layer, or none. */
#define MEDIA_SWITCH_REASONS(X)                                                                    \
    X(SOURCE, "source")   /* another source was wanted, or the first */                            \
    X(VOICE, "voice")     /* another speaker has the lane */                                       \
    X(SIZE, "size")       /* the viewer shows it in another size */                                \
    X(LAYERS, "layers")   /* the publisher's layers came or went */                                \
    X(LINK, "link")       /* what the subscriber's link bears has changed */                       \
    X(RESTART, "restart") /* the publisher's stream began anew */

enum media_switch_reason {
#define MEDIA_SWITCH_ENUM(name, text) MEDIA_SWITCH_##name,
    MEDIA_SWITCH_REASONS(MEDIA_SWITCH_ENUM)
#undef MEDIA_SWITCH_ENUM
};

const char *media_switch_reason_name(enum media_switch_reason reason);

struct media_switch {
    uint64_t ms;     /* clock_mono_ms */
    uint8_t reason;  /* enum media_switch_reason */
    int8_t from, to; /* layers; -1: nothing was carried */
};

/* A layer of a track, as it comes from the publisher. */
struct media_stream_stats {
    uint8_t track, layer;
    uint8_t kind;  /* enum media_kind */
    uint8_t codec; /* enum media_codec */
    struct media_layer_info info;
    uint64_t packets, bytes;
    int64_t lost;          /* cumulative; less than 0 by duplicates */
    uint8_t fraction_lost; /* 1/256 of the last second */
    uint32_t jitter_us;
};

/* What a slot brings its subscriber; those that carry nothing are left out. */
struct media_slot_stats {
    uint8_t slot;
    uint8_t kind;  /* enum media_kind */
    uint8_t state; /* enum media_slot_state */
    struct media_source source;
    int8_t layer, target; /* carried, wanted; -1: none */
    uint8_t spatial;      /* highest forwarded, of SVC */
    uint8_t temporal;     /* highest level forwarded */
    uint16_t height;      /* of the carried layer; 0: unknown */
    uint32_t bitrate;     /* bit/s of payload */
    uint64_t packets, bytes;
    int32_t lost;
    uint8_t fraction_lost;
    uint32_t jitter_us;
    struct media_switch switches[MEDIA_SWITCHES_MAX]; /* oldest first */
    uint8_t switch_count;
};

struct media_transport_stats {
    uint64_t id; /* set by the caller */
    bool found;  /* the rest means something */
    uint8_t worker;
    bool tcp, lost;
    uint32_t rtt_us;   /* by its receiver reports; 0: unknown */
    uint32_t estimate; /* bit/s its link bears; 0: unknown */
    uint64_t remb;     /* bit/s it last asked for; 0: never */
    size_t stream_count, slot_count;
    struct media_stream_stats streams[MEDIA_TRACKS_MAX * MEDIA_RIDS_MAX];
    struct media_slot_stats slots[MEDIA_SLOTS_MAX];
};

/*
 * Fills rows[0..count) by their ids; transports that `worker` does not own stay not found.
 * count <= MEDIA_STATS_BATCH_MAX. Waits for the worker's next turn: for threads that may, never
 * from a loop's. media lives until it returns. Errors: STATUS_INVALID, as loop_call.
 */
MUST_USE enum status media_stats(struct media *media, uint8_t worker,
                                 struct media_transport_stats *rows, size_t count);

#endif
