/*
 * media/rtp/av1.h - AV1 in RTP: the aggregation header (AV1 RTP specification 4.4) and
 * what it takes to know a key frame. Pure functions, any thread.
 */
#ifndef MEDIA_RTP_AV1_H
#define MEDIA_RTP_AV1_H

#include "core/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct av1_payload {
    bool continues_first;  /* Z */
    bool continues_last;   /* Y: the last element goes on in the next packet */
    uint8_t element_count; /* W: 0 when every element has its length */
    bool new_sequence;     /* N: first packet of a coded video sequence, a key frame */
    bool has_sequence_header;
    uint8_t temporal_id, spatial_id; /* of the first OBU with an extension; else 0 */
    uint16_t width, height;          /* from the sequence header: the largest frame; else 0 */
};

/* Errors: STATUS_TRUNCATED, STATUS_INVALID (N with Z: 4.4 forbids it). */
MUST_USE enum status av1_parse(const uint8_t *payload, size_t length,
                               struct av1_payload *ret_payload);

#endif
