/*
 * media/rtp/vp9.h - VP9 in RTP, RFC 9628 4.2. Pure functions, any thread.
 */
#ifndef MEDIA_RTP_VP9_H
#define MEDIA_RTP_VP9_H

#include "core/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    VP9_SPATIAL_MAX = 8,
    VP9_REFERENCES_MAX = 3, /* P_DIFFs of a frame, RFC 9628 4.2 */
};

struct vp9_descriptor {
    bool has_picture_id, long_picture_id; /* I, M */
    bool inter_picture;                   /* P: predicted from earlier pictures */
    bool has_layers;                      /* L */
    bool flexible;                        /* F */
    bool frame_start, frame_end;          /* B, E: of a layer frame */
    bool has_structure;                   /* V */
    bool not_reference_up;                /* Z: no higher spatial layer of this picture uses it */
    uint16_t picture_id;
    uint8_t tid, sid;
    bool switching_up; /* U */
    bool inter_layer;  /* D */
    uint8_t tl0picidx; /* has_layers and not flexible */
    uint8_t reference_count;
    uint8_t references[VP9_REFERENCES_MAX];
    uint8_t picture_id_offset, tl0picidx_offset;                /* 0: absent */
    uint8_t spatial_count;                                      /* has_structure: N_S + 1 */
    uint16_t widths[VP9_SPATIAL_MAX], heights[VP9_SPATIAL_MAX]; /* has_structure with Y; else 0 */
    size_t length;                                              /* of the descriptor */
    bool key_frame; /* start of the lowest layer frame of a picture decodable by itself */
    uint16_t width,
        height; /* of this layer, from the structure or the key frame's header; else 0 */
};

/* Errors: STATUS_TRUNCATED; STATUS_INVALID (more than three references). */
MUST_USE enum status vp9_parse(const uint8_t *payload, size_t length,
                               struct vp9_descriptor *ret_descriptor);
/* Writes other numbers where the descriptor has them, in its own widths. */
void vp9_rewrite(uint8_t *payload, const struct vp9_descriptor *descriptor, uint16_t picture_id,
                 uint8_t tl0picidx);

#endif
