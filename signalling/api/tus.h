/*
 * signalling/api/tus.h - fields of the resumable upload protocol tus 1.0.0 (https://tus.io).
 * Texts come from anybody. Any thread.
 */
#ifndef SIGNALLING_API_TUS_H
#define SIGNALLING_API_TUS_H

#include "core/arena.h"
#include "core/crypto.h"

#include <stdbool.h>
#include <stdint.h>

enum { TUS_VALUE_MAX = 512 /* bytes of one decoded value */ };

/* What we take of Upload-Metadata; NULL: it is not there. */
struct tus_metadata {
    const char *filename, *filetype;
    const char *folder; /* id of the folder it goes into */
    const char *file;   /* id of the file it is the next version of */
    bool has_digest;    /* sha256, base64 of base64 as tus has it for any value */
    uint8_t digest[CRYPTO_SHA256_BYTES];
};

/* "filename d29ybGQ=,filetype ...": unknown keys are left out. Errors: STATUS_INVALID (grammar,
 * base64, NUL, a key twice, too long), STATUS_NO_MEMORY. */
MUST_USE enum status tus_metadata_read(const char *value, struct arena *arena,
                                       struct tus_metadata *ret_metadata);
/* "sha256 BASE64". Errors: STATUS_UNSUPPORTED (another algorithm), STATUS_INVALID. */
MUST_USE enum status tus_checksum_read(const char *value, uint8_t ret_digest[CRYPTO_SHA256_BYTES]);
/* RFC 9530: "sha-256=:BASE64:", other algorithms beside it. Errors: as above. */
MUST_USE enum status tus_content_digest_read(const char *value,
                                             uint8_t ret_digest[CRYPTO_SHA256_BYTES]);
/* Digits, up to 15; false: it is no such number. */
bool tus_number_read(const char *value, int64_t *ret_number);

#endif
