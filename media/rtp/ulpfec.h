/*
 * media/rtp/ulpfec.h - parity over RTP packets, RFC 5109 with one level: of the packets
 * a parity protects, any one that is lost can be made again from it and the others.
 *
 * Only the sending side. Pure functions, any thread.
 */
#ifndef MEDIA_RTP_ULPFEC_H
#define MEDIA_RTP_ULPFEC_H

#include "core/status.h"

#include <stddef.h>
#include <stdint.h>

enum {
    ULPFEC_SPAN = 48,             /* sequence numbers one parity can name: the long mask, 7.4 */
    ULPFEC_HEADER_BYTES = 10 + 8, /* FEC header and level 0 header with the long mask, 7.3, 7.4 */
    ULPFEC_BYTES_MAX = 1484,      /* of a protected packet behind its fixed header */
};

/* What was protected so far. Zero-filled: nothing. */
struct ulpfec {
    uint64_t mask; /* bit 47 - n: base + n is protected; 0: nothing */
    uint16_t base;
    uint16_t length;     /* of the longest one, without the fixed header */
    uint8_t recovery[8]; /* P, X, CC, M, PT; timestamp; length: in the order of 7.3, without base */
    uint8_t bytes[ULPFEC_BYTES_MAX];
};

/* A packet in two pieces: the header with CSRCs and extensions, and what follows it. */
struct ulpfec_media {
    const uint8_t *header, *body;
    size_t header_length, body_length; /* header_length: RTP_HEADER_BYTES or more */
};

/*
 * Protects one more packet; the first one's number is the base.
 * Errors: STATUS_LIMIT: too long, or its number is before the base or beyond the span;
 * STATUS_DUPLICATE.
 */
MUST_USE enum status ulpfec_protect(struct ulpfec *fec, const struct ulpfec_media *media);
/*
 * The payload of the FEC packet. Errors: STATUS_INVALID (nothing protected), STATUS_TRUNCATED
 * (does not fit).
 */
MUST_USE enum status ulpfec_write(const struct ulpfec *fec, uint8_t *ret_payload, size_t size,
                                  size_t *ret_length);
/* Begins anew; keeps no byte. */
void ulpfec_clear(struct ulpfec *fec);

#endif
