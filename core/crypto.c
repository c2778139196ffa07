#include "core/crypto.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <sys/random.h>

enum {
    TOKEN_BYTES = 32,
    ID_BYTES = 12,
};

void crypto_random(void *ret_bytes, size_t length)
{
    uint8_t *at = ret_bytes;
    while (length > 0) {
        ssize_t got = getrandom(at, length, 0);
        if (got < 0 && errno != EINTR)
            abort(); /* guessable secrets are worse than no server */
        if (got > 0) {
            at += got;
            length -= (size_t)got;
        }
    }
}

uint32_t crypto_random_u32(void)
{
    uint32_t value;
    crypto_random(&value, sizeof value);
    return value;
}

uint64_t crypto_random_u64(void)
{
    uint64_t value;
    crypto_random(&value, sizeof value);
    return value;
}

void crypto_sha256(const void *data, size_t length, uint8_t ret_digest[CRYPTO_SHA256_BYTES])
{
    if (!SHA256(data, length, ret_digest))
        abort(); /* only without memory or without a provider; no caller could go on */
}

void crypto_hmac_sha256(const void *key, size_t key_length, const void *data, size_t length,
                        uint8_t ret_mac[CRYPTO_SHA256_BYTES])
{
    /* A NULL key would mean "the one from before" to OpenSSL. */
    if (!HMAC(EVP_sha256(), key ? key : "", (int)key_length, data, length, ret_mac, NULL))
        abort();
}

bool crypto_equal(const void *left, const void *right, size_t length)
{
    return CRYPTO_memcmp(left, right, length) == 0;
}

void crypto_base64url(const void *data, size_t length, char *ret_text)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const uint8_t *bytes = data;
    uint32_t bits = 0;
    int held = 0; /* bits not yet written */
    for (size_t i = 0; i < length; i++) {
        bits = bits << 8 | bytes[i];
        for (held += 8; held >= 6; held -= 6)
            *ret_text++ = alphabet[bits >> (held - 6) & 63];
    }
    if (held > 0)
        *ret_text++ = alphabet[bits << (6 - held) & 63];
    *ret_text = '\0';
}

void crypto_hex(const void *data, size_t length, char *ret_text)
{
    const uint8_t *bytes = data;
    for (size_t i = 0; i < length; i++) {
        *ret_text++ = "0123456789abcdef"[bytes[i] >> 4];
        *ret_text++ = "0123456789abcdef"[bytes[i] & 15];
    }
    *ret_text = '\0';
}

void crypto_token(char ret_token[CRYPTO_TOKEN_CHARS + 1])
{
    uint8_t bytes[TOKEN_BYTES];
    crypto_random(bytes, sizeof bytes);
    crypto_base64url(bytes, sizeof bytes, ret_token);
    OPENSSL_cleanse(bytes, sizeof bytes);
}

void crypto_id(char ret_id[CRYPTO_ID_CHARS + 1])
{
    uint8_t bytes[ID_BYTES];
    crypto_random(bytes, sizeof bytes);
    crypto_base64url(bytes, sizeof bytes, ret_id);
}
