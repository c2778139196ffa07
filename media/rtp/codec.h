/*
 * media/rtp/codec.h - one question for all codecs: what is in this packet, as far as
 * forwarding cares? Pure function, any thread.
 */
#ifndef MEDIA_RTP_CODEC_H
#define MEDIA_RTP_CODEC_H

#include "core/status.h"
#include "media/media.h"
#include "media/rtp/dependency_descriptor.h"
#include "media/rtp/vp8.h"
#include "media/rtp/vp9.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    CODEC_PICTURE_ID_NONE = -1,
    CODEC_TL0PICIDX_NONE = -1,
};

struct codec_info {
    bool key_frame;      /* a decoder can begin with the frame this packet begins */
    bool start_of_frame; /* first packet of a (layer) frame, as far as the payload tells */
    bool end_of_frame;   /* last packet of a (layer) frame; else trust the marker */
    bool switching_up;   /* VP8: from here on temporal_id may be added; VP9, DD: any above it too */
    bool discardable;    /* nothing is predicted from it */
    bool needs_layer_below; /* VP9: predicted from the spatial layer below in the same picture */
    uint8_t spatial_id, temporal_id;
    int32_t picture_id; /* CODEC_PICTURE_ID_NONE when absent */
    bool long_picture_id;
    int32_t tl0picidx;      /* CODEC_TL0PICIDX_NONE when absent */
    uint16_t width, height; /* 0: not said here */
    bool has_dd;            /* dd is filled and was taken into account */
    struct dd_frame dd;
    union {
        struct vp8_descriptor vp8; /* MEDIA_CODEC_VP8: for vp8_rewrite */
        struct vp9_descriptor vp9; /* MEDIA_CODEC_VP9 */
    };
};

/*
 * Dependency descriptor of the packet and the stream's structure; bytes NULL: none. When it
 * carries a structure, that goes to *structure and *known becomes true.
 */
struct codec_dd {
    const uint8_t *bytes;
    size_t length;
    struct dd_structure *structure; /* the receiver's; may be NULL when bytes is */
    bool *known;
};

/*
 * `marker`: of the RTP header. Payloads may be end-to-end encrypted: with a dependency descriptor
 * an unreadable payload is no error. Opus and RED are always frames of their own and never key
 * frames. A malformed descriptor, or one whose structure is not known, counts as none. H264
 * without one: SPS and first slice both begin a frame, though they are of the same.
 * Errors: STATUS_TRUNCATED, STATUS_INVALID, STATUS_UNSUPPORTED (codec NONE): such a packet is
 * to be dropped.
 */
MUST_USE enum status codec_inspect(enum media_codec codec, const uint8_t *payload, size_t length,
                                   bool marker, const struct codec_dd *dd,
                                   struct codec_info *ret_info);

#endif
