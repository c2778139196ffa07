/*
 * core/crypto.h - random bytes, digests, encodings: the one file that touches
 * OpenSSL's libcrypto for general use (media/ has its own for DTLS and SRTP).
 * Any thread.
 */
#ifndef CORE_CRYPTO_H
#define CORE_CRYPTO_H

#include "core/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    CRYPTO_SHA1_BYTES = 20,
    CRYPTO_SHA256_BYTES = 32,
    CRYPTO_TOKEN_CHARS = 43, /* base64url of 32 bytes */
    CRYPTO_ID_CHARS = 16,    /* base64url of 12 bytes: 96 bits */
    CRYPTO_KEY_BYTES = 32,   /* AES-256 */
    CRYPTO_NONCE_BYTES = 12,
    CRYPTO_TAG_BYTES = 16,
};

/* Fills from the system's generator; aborts the process when there is none. */
void crypto_random(void *ret_bytes, size_t length);
uint32_t crypto_random_u32(void);
uint64_t crypto_random_u64(void);

void crypto_sha256(const void *data, size_t length, uint8_t ret_digest[CRYPTO_SHA256_BYTES]);
/* SHA-256 piece by piece. Errors: STATUS_NO_MEMORY. */
struct crypto_digest;
MUST_USE enum status crypto_digest_new(struct crypto_digest **ret_digest);
void crypto_digest_add(struct crypto_digest *digest, const void *data, size_t length);
/* Ends it: nothing can be added afterwards. */
void crypto_digest_end(struct crypto_digest *digest, uint8_t ret_digest[CRYPTO_SHA256_BYTES]);
/* Accepts NULL, returns NULL. */
struct crypto_digest *crypto_digest_free(struct crypto_digest *digest);
void crypto_hmac_sha256(const void *key, size_t key_length, const void *data, size_t length,
                        uint8_t ret_mac[CRYPTO_SHA256_BYTES]);
/* Where a protocol has nothing better (RFC 6238). */
void crypto_hmac_sha1(const void *key, size_t key_length, const void *data, size_t length,
                      uint8_t ret_mac[CRYPTO_SHA1_BYTES]);
/* PBKDF2 with HMAC-SHA-256 (RFC 8018 5.2). */
void crypto_pbkdf2(const void *password, size_t length, const void *salt, size_t salt_length,
                   uint32_t rounds, uint8_t ret_key[CRYPTO_SHA256_BYTES]);
/* Same time wherever they differ. */
bool crypto_equal(const void *left, const void *right, size_t length);

/* Overwrites a secret; the compiler does not leave it out. */
void crypto_wipe(void *secret, size_t length);

/*
 * AES-256-GCM (NIST SP 800-38D): one key never meets one nonce twice. Writes `length` bytes of
 * ciphertext, which may be written where the plaintext is, and then the tag.
 */
void crypto_aead_seal(const uint8_t key[CRYPTO_KEY_BYTES], const uint8_t nonce[CRYPTO_NONCE_BYTES],
                      const void *ad, size_t ad_length, const void *plain, size_t length,
                      uint8_t *ret_sealed);
/* `sealed_length` counts the tag; ret_plain takes that less CRYPTO_TAG_BYTES and is zeros after an
 * error. Errors: STATUS_CORRUPT. */
MUST_USE enum status crypto_aead_open(const uint8_t key[CRYPTO_KEY_BYTES],
                                      const uint8_t nonce[CRYPTO_NONCE_BYTES], const void *ad,
                                      size_t ad_length, const uint8_t *sealed, size_t sealed_length,
                                      void *ret_plain);

/* Unpadded base64url (RFC 4648 5); ret_text gets a NUL and must hold CRYPTO_BASE64URL_SIZE(length).
 */
#define CRYPTO_BASE64URL_SIZE(length) (((length)*4 + 2) / 3 + 1)
void crypto_base64url(const void *data, size_t length, char *ret_text);
/* Base64 of RFC 4648 4, padded, nothing else in it; `size` bytes at most. False: it is not, or it
 * is more; ret_bytes may have changed. */
bool crypto_unbase64(const char *text, size_t length, void *ret_bytes, size_t size,
                     size_t *ret_length);
/* The strict inverse of crypto_base64url: no padding, no other characters, no bits left over.
 * Writes at most `max` bytes. False: it is none or is longer; ret_bytes may have changed. */
bool crypto_unbase64url(const char *text, size_t max, uint8_t *ret_bytes, size_t *ret_length);
/* ret_text must hold 2 * length + 1. Lower case. */
void crypto_hex(const void *data, size_t length, char *ret_text);
/* 2 * length digits of either case. False: they are not; ret_bytes may have changed. */
bool crypto_unhex(const char *text, size_t length, uint8_t *ret_bytes);

/* A new secret of 256 bits, a new public id of 96 bits, both base64url and NUL-terminated. */
void crypto_token(char ret_token[CRYPTO_TOKEN_CHARS + 1]);
void crypto_id(char ret_id[CRYPTO_ID_CHARS + 1]);

#endif
