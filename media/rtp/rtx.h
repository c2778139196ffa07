/*
 * media/rtp/rtx.h - retransmission payload format, RFC 4588 (SSRC multiplexing).
 * Pure functions, any thread.
 */
#ifndef MEDIA_RTP_RTX_H
#define MEDIA_RTP_RTX_H

#include "core/status.h"
#include "media/rtp/rtp.h"

#include <stddef.h>
#include <stdint.h>

enum {
    RTX_OSN_BYTES = 2, /* original sequence number, before the original payload (RFC 4588 4) */
};

/*
 * A retransmission of `packet` (any RTP packet of ours) with the stream's own payload type,
 * SSRC and sequence number; header extensions, CSRCs, timestamp and marker are kept,
 * padding is not. ret_packet must not overlap packet.
 * Errors: as rtp_parse; STATUS_TRUNCATED (does not fit in size).
 */
MUST_USE enum status rtx_wrap(const uint8_t *packet, size_t length, uint8_t rtx_payload_type,
                              uint32_t rtx_ssrc, uint16_t rtx_sequence, uint8_t *ret_packet,
                              size_t size, size_t *ret_length);

/*
 * Turns a retransmission back into the original, in place: the payload moves down by two
 * bytes, *length shrinks. `header` is of the packet and is brought up to date.
 * Errors: STATUS_NOT_FOUND (no original: an empty payload, sent as a probe),
 * STATUS_TRUNCATED (one byte of payload). Nothing is changed then.
 */
MUST_USE enum status rtx_unwrap(uint8_t *packet, size_t *length, struct rtp_header *header,
                                uint8_t payload_type, uint32_t ssrc);

#endif
