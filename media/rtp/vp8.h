/*
 * media/rtp/vp8.h - VP8 in RTP, RFC 7741 4.2 (descriptor), 4.3 and RFC 6386 9.1
 * (key frame, size). Pure functions, any thread.
 */
#ifndef MEDIA_RTP_VP8_H
#define MEDIA_RTP_VP8_H

#include "core/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vp8_descriptor {
    bool non_reference;                   /* N: may be dropped */
    bool partition_start;                 /* S */
    uint8_t partition;                    /* PID */
    bool has_picture_id, long_picture_id; /* long: 15 bits, else 7 */
    bool has_tl0picidx, has_tid, has_keyidx;
    uint16_t picture_id;
    uint8_t tl0picidx, tid, keyidx;
    bool layer_sync;                             /* Y: only with has_tid */
    uint8_t picture_id_offset, tl0picidx_offset; /* in the payload; 0: absent */
    size_t length;                               /* of the descriptor: where VP8 begins */
    bool key_frame;                              /* P = 0 in the first octet of partition 0 */
    uint16_t width, height;                      /* of a key frame whose header is here; else 0 */
};

/* Errors: STATUS_TRUNCATED (ends in the descriptor, or nothing after it). */
MUST_USE enum status vp8_parse(const uint8_t *payload, size_t length,
                               struct vp8_descriptor *ret_descriptor);
/*
 * Writes other numbers where the descriptor has them, in its own widths (7 or 15 bits);
 * fields it has not are left out.
 */
void vp8_rewrite(uint8_t *payload, const struct vp8_descriptor *descriptor, uint16_t picture_id,
                 uint8_t tl0picidx);
/* How far picture id `a` is ahead of `b`, both of 15 (long) or 7 bits. */
int vp8_picture_id_diff(uint16_t a, uint16_t b, bool long_picture_id);

#endif
