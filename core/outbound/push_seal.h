/*
 * core/outbound/push_seal.h - what a push service passes on without being able to read it: messages
 * sealed for one browser (RFC 8291 over RFC 8188), and the proof of who sends them (VAPID, RFC
 * 8292). P-256, HKDF and AES-128-GCM are OpenSSL's. Any thread.
 */
#ifndef CORE_OUTBOUND_PUSH_SEAL_H
#define CORE_OUTBOUND_PUSH_SEAL_H

#include "core/status.h"

#include <stddef.h>
#include <stdint.h>

enum {
    PUSH_PRIVATE_BYTES = 32,
    PUSH_PUBLIC_BYTES = 65, /* a point, uncompressed: 4, x, y */
    PUSH_AUTH_BYTES = 16,
    PUSH_SALT_BYTES = 16,
    PUSH_RECORD_BYTES = 4096,                                  /* RFC 8291 4 */
    PUSH_HEAD_BYTES = PUSH_SALT_BYTES + 5 + PUSH_PUBLIC_BYTES, /* RFC 8188 2.1 */
    PUSH_PLAIN_MAX = PUSH_RECORD_BYTES - PUSH_HEAD_BYTES - 17,
    PUSH_SEALED_MAX = PUSH_RECORD_BYTES,
    PUSH_VAPID_MAX = 1024, /* bytes of a header line */
};

struct push_pair {
    uint8_t secret[PUSH_PRIVATE_BYTES], point[PUSH_PUBLIC_BYTES];
};

/* Errors: STATUS_NO_MEMORY. */
MUST_USE enum status push_pair_new(struct push_pair *ret_pair);

/* A browser: `p256dh` and `auth` of its subscription. */
struct push_browser {
    uint8_t point[PUSH_PUBLIC_BYTES], auth[PUSH_AUTH_BYTES];
};

/*
 * `fresh` and `salt` are of this message alone. *ret_length is at most PUSH_SEALED_MAX. Errors:
 * STATUS_LIMIT (over PUSH_PLAIN_MAX), STATUS_INVALID (the browser's point is none),
 * STATUS_NO_MEMORY.
 */
MUST_USE enum status push_seal(const struct push_browser *browser, const struct push_pair *fresh,
                               const uint8_t salt[PUSH_SALT_BYTES], const void *plain,
                               size_t length, uint8_t ret_sealed[PUSH_SEALED_MAX],
                               size_t *ret_length);

/* "Authorization: vapid t=..., k=...": `audience` is the push service's origin, `contact` an
 * https: or mailto: address, `expires_s` within a day (s since 1970). Errors: STATUS_LIMIT,
 * STATUS_NO_MEMORY. */
MUST_USE enum status push_vapid(const struct push_pair *own, const char *audience,
                                const char *contact, int64_t expires_s,
                                char ret_line[PUSH_VAPID_MAX]);

#endif
