/*
 * storage/vault/sealing.h - bytes sealed under a key; private to storage/. vault.h says why it is
 * done this way. Any thread.
 *
 *   format 1 | key number, 32 bits | salt, 24 bytes | AES-256-GCM ciphertext | tag, 16 bytes
 *
 *   salt  = HMAC-SHA256(salt key, random[32] | SHA-256(place) | SHA-256(plain))[0..24)
 *   key   = HMAC-SHA256(seal key, salt), nonce 0 (each key seals once), AD = head | place
 */
#ifndef STORAGE_VAULT_SEALING_H
#define STORAGE_VAULT_SEALING_H

#include "core/crypto.h"

enum {
    SEALING_FORMAT = 1,
    SEALING_SALT = 24,
    SEALING_HEAD = 1 + 4 + SEALING_SALT,
    SEALING_OVERHEAD = SEALING_HEAD + CRYPTO_TAG_BYTES,
    SEALING_PLACE_MAX = 512, /* bytes of what a value is bound to */
};

/* What is made from one secret; the secret itself is not kept. */
struct sealing_keys {
    uint32_t number; /* stands in what it seals */
    uint8_t salt[CRYPTO_KEY_BYTES], seal[CRYPTO_KEY_BYTES], hash[CRYPTO_KEY_BYTES];
};

void sealing_keys_make(const uint8_t secret[CRYPTO_KEY_BYTES], uint32_t number,
                       struct sealing_keys *ret_keys);
/* `random` has 32 bytes: an argument so that published vectors can be made again. */
void sealing_seal(const struct sealing_keys *keys, const uint8_t random[CRYPTO_KEY_BYTES],
                  const uint8_t *place, size_t place_length, const void *plain, size_t length,
                  uint8_t *ret_sealed);
/* The number of the key that opens it. Errors: STATUS_CORRUPT. */
MUST_USE enum status sealing_number(const uint8_t *sealed, size_t length, uint32_t *ret_number);
/* Errors: STATUS_CORRUPT. */
MUST_USE enum status sealing_open(const struct sealing_keys *keys, const uint8_t *place,
                                  size_t place_length, const uint8_t *sealed, size_t length,
                                  void *ret_plain);

#endif
