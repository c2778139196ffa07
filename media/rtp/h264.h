/*
 * media/rtp/h264.h - H.264 in RTP, RFC 6184 5: single NAL unit, STAP-A, FU-A. Key frame
 * and size, nothing more. Pure functions, any thread.
 */
#ifndef MEDIA_RTP_H264_H
#define MEDIA_RTP_H264_H

#include "core/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct h264_payload {
    bool has_idr, has_sps, has_pps; /* such a unit begins in this packet */
    bool has_slice;                 /* a coded slice of any kind */
    bool starts_nal;                /* false: a later fragment */
    bool ends_nal;
    bool reference;         /* nal_ref_idc > 0 */
    bool first_slice;       /* a slice with first_mb_in_slice 0 begins here */
    bool key_frame;         /* SPS, or the first slice of an IDR picture begins here */
    uint16_t width, height; /* from the SPS, cropped; 0: none here, or not simple */
};

/* Errors: STATUS_TRUNCATED, STATUS_INVALID (reserved type), STATUS_UNSUPPORTED (interleaved modes:
 * STAP-B, MTAP, FU-B). */
MUST_USE enum status h264_parse(const uint8_t *payload, size_t length,
                                struct h264_payload *ret_payload);

#endif
