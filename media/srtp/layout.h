/*
 * media/srtp/layout.h - where the parts of SRTP and SRTCP packets lie.
 *
 *            GCM (RFC 7714 8, 9)                    AES-CM (RFC 3711 3.1, 3.4)
 *   RTP      header | payload | tag                 header | payload | tag
 *   RTCP     8 bytes | rest | tag | E, index        8 bytes | rest | E, index | tag
 *
 * Header and index word are authenticated, payload and rest encrypted as well. Private
 * to media/srtp. Thread: the owner of the transform.
 */
#ifndef MEDIA_SRTP_LAYOUT_H
#define MEDIA_SRTP_LAYOUT_H

#include "media/srtp/transform.h"

enum {
    LAYOUT_RTP_HEADER_MIN = 12,
    LAYOUT_RTCP_HEADER = 8, /* common header and the sender's SSRC */
    LAYOUT_RTCP_INDEX = 4,  /* E bit and 31-bit index */
};

/* Length of an RTP header with CSRCs and extension (RFC 3550 5.1, 5.3.1). Errors: STATUS_INVALID
 * (not version 2), STATUS_TRUNCATED. */
MUST_USE enum status layout_rtp_header(const uint8_t *packet, size_t length, size_t *ret_header);

/* `out` begins with the header; payload and tag are put behind it, AES-CM's tag when `batch` (may
 * be NULL) is finished. Errors: STATUS_INTERNAL. */
MUST_USE enum status layout_rtp_seal(struct transform *transform, struct mac_batch *batch,
                                     uint32_t roc, size_t header_length, const uint8_t *payload,
                                     size_t payload_length, uint8_t *out);
/* In place; `length` includes the tag, which is overwritten, and is long enough for it. Errors:
 * STATUS_CORRUPT, STATUS_INTERNAL. */
MUST_USE enum status layout_rtp_open(struct transform *transform, uint32_t roc,
                                     size_t header_length, uint8_t *packet, size_t length);

/* In place; grows by tail and index. Errors: STATUS_INTERNAL. */
MUST_USE enum status layout_rtcp_seal(struct transform *transform, uint32_t index, uint8_t *packet,
                                      size_t length);
/* What the packet claims. Errors: STATUS_INVALID (not RTCP), STATUS_TRUNCATED, STATUS_UNSUPPORTED
 * (E = 0). */
MUST_USE enum status layout_rtcp_index(const struct transform *transform, const uint8_t *packet,
                                       size_t length, uint32_t *ret_index);
/* After layout_rtcp_index said STATUS_OK. Errors: STATUS_CORRUPT, STATUS_INTERNAL. */
MUST_USE enum status layout_rtcp_open(struct transform *transform, uint32_t index, uint8_t *packet,
                                      size_t length);

#endif
