/*
 * media/ice/stun_wire.h - the shape of a STUN message, looked at before libnice is.
 *
 * libnice reads MESSAGE-INTEGRITY and FINGERPRINT without asking how long they say they
 * are, and takes attributes behind MESSAGE-INTEGRITY for part of the message when they
 * come in an unusual order. So what reaches it has passed here. Private to media/ice.
 * Any thread.
 */
#ifndef MEDIA_ICE_STUN_WIRE_H
#define MEDIA_ICE_STUN_WIRE_H

#include "core/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    WIRE_HEADER = 20, /* RFC 8489 5 */
    WIRE_COOKIE = 0x2112a442,
    WIRE_BINDING_REQUEST = 0x0001,
    WIRE_USERNAME = 0x0006, /* attributes: RFC 8489 18.3, RFC 8445 16.1 */
    WIRE_MESSAGE_INTEGRITY = 0x0008,
    WIRE_FINGERPRINT = 0x8028,
    WIRE_ICE_CONTROLLED = 0x8029,
    WIRE_USERNAME_MAX = 513, /* RFC 8489 14.3: less than 513 bytes; two ufrags of 256 and a colon */
};

/* What a message holds; texts point into it. */
struct wire_message {
    uint16_t type;           /* class and method */
    const uint8_t *username; /* NULL: none */
    size_t username_length;
    bool integrity, fingerprint, controlled;
};

/*
 * Walks the message: cookie, exact length, every attribute inside it. Attributes
 * behind MESSAGE-INTEGRITY are not counted, except FINGERPRINT, which must be last
 * (RFC 8489 14.5, 14.7). Errors: STATUS_TRUNCATED, STATUS_INVALID (no STUN, wrong
 * lengths, an attribute that counts comes twice).
 */
MUST_USE enum status wire_read(const uint8_t *bytes, size_t length,
                               struct wire_message *ret_message);

#endif
