/*
 * media/srtp/gcm.h - AES-GCM under one session key (RFC 5116 5.1, RFC 7714 8, 9).
 *
 * Two files implement it and the build takes one: gcm_ipsec_mb.c where there is
 * libipsec_mb (x86-64), gcm_evp.c elsewhere. A packet of 1,200 B costs 0.45 us with the
 * first and 0.93 with the second, and 1.3 and 3.1 when the caches have forgotten the
 * key: EVP asks for its parameters by name and keeps a key in many places.
 *
 * Private to media/srtp. Thread: the owner's.
 */
#ifndef MEDIA_SRTP_GCM_H
#define MEDIA_SRTP_GCM_H

#include "core/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    GCM_IV = 12,   /* bytes */
    GCM_TAG = 16,  /* bytes (RFC 7714 13.2) */
    GCM_LINE = 64, /* bytes of a cache line */
    GCM_HOT = 512, /* bytes of a struct gcm that a packet reads, from the beginning */
};

struct gcm;

/* A hint that gcm is about to be used. */
static inline void gcm_prefetch(const struct gcm *gcm)
{
    for (uintptr_t line = (uintptr_t)gcm; line < (uintptr_t)gcm + GCM_HOT; line += GCM_LINE)
        __builtin_prefetch((const void *)line);
}

/* key_length 16 or 32. `seal`: it encrypts, else it decrypts. Errors: STATUS_INVALID,
 * STATUS_NO_MEMORY, STATUS_INTERNAL (the library refused). */
MUST_USE enum status gcm_new(const uint8_t *key, size_t key_length, bool seal,
                             struct gcm **ret_gcm);
/* Wipes the key. Accepts NULL, returns NULL. */
struct gcm *gcm_free(struct gcm *gcm);

/* out gets length bytes, tag GCM_TAG; in == out or apart. False: the library refused. */
MUST_USE bool gcm_seal(struct gcm *gcm, const uint8_t iv[GCM_IV], const uint8_t *aad,
                       size_t aad_length, const uint8_t *in, size_t length, uint8_t *out,
                       uint8_t *tag);
/* In place; the bytes are worthless after an error. Errors: STATUS_CORRUPT, STATUS_INTERNAL. */
MUST_USE enum status gcm_open(struct gcm *gcm, const uint8_t iv[GCM_IV], const uint8_t *aad,
                              size_t aad_length, uint8_t *bytes, size_t length, const uint8_t *tag);

#endif
