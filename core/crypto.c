#include "core/crypto.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
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

/* A struct crypto_digest is OpenSSL's EVP_MD_CTX under another name. */
static EVP_MD_CTX *digest_context(struct crypto_digest *digest)
{
    return (EVP_MD_CTX *)(void *)digest;
}

enum status crypto_digest_new(struct crypto_digest **ret_digest)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (!context || !EVP_DigestInit_ex(context, EVP_sha256(), NULL)) {
        EVP_MD_CTX_free(context);
        return STATUS_NO_MEMORY;
    }
    *ret_digest = (struct crypto_digest *)(void *)context;
    return STATUS_OK;
}

void crypto_digest_add(struct crypto_digest *digest, const void *data, size_t length)
{
    if (!EVP_DigestUpdate(digest_context(digest), data, length))
        abort();
}

void crypto_digest_end(struct crypto_digest *digest, uint8_t ret_digest[CRYPTO_SHA256_BYTES])
{
    if (!EVP_DigestFinal_ex(digest_context(digest), ret_digest, NULL))
        abort();
}

struct crypto_digest *crypto_digest_free(struct crypto_digest *digest)
{
    EVP_MD_CTX_free(digest_context(digest));
    return NULL;
}

void crypto_hmac_sha256(const void *key, size_t key_length, const void *data, size_t length,
                        uint8_t ret_mac[CRYPTO_SHA256_BYTES])
{
    /* A NULL key would mean "the one from before" to OpenSSL. */
    if (!HMAC(EVP_sha256(), key ? key : "", (int)key_length, data, length, ret_mac, NULL))
        abort();
}

void crypto_hmac_sha1(const void *key, size_t key_length, const void *data, size_t length,
                      uint8_t ret_mac[CRYPTO_SHA1_BYTES])
{
    if (!HMAC(EVP_sha1(), key ? key : "", (int)key_length, data, length, ret_mac, NULL))
        abort();
}

void crypto_pbkdf2(const void *password, size_t length, const void *salt, size_t salt_length,
                   uint32_t rounds, uint8_t ret_key[CRYPTO_SHA256_BYTES])
{
    if (PKCS5_PBKDF2_HMAC(password, (int)length, salt, (int)salt_length, (int)rounds, EVP_sha256(),
                          CRYPTO_SHA256_BYTES, ret_key) != 1)
        abort();
}

bool crypto_equal(const void *left, const void *right, size_t length)
{
    return CRYPTO_memcmp(left, right, length) == 0;
}

void crypto_wipe(void *secret, size_t length)
{
    OPENSSL_cleanse(secret, length);
}

/* ---- AES-256-GCM ---- */

/* Fetched once: OpenSSL looks an algorithm up by name, under a lock, each time it is not. */
static EVP_CIPHER *gcm;

static void gcm_fetch(void)
{
    gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
}

/* Fails only without memory or without a provider; no caller could go on. */
static EVP_CIPHER_CTX *gcm_begin(const uint8_t *key, const uint8_t *nonce, const void *ad,
                                 size_t ad_length, int sealing)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    int used;
    pthread_once(&once, gcm_fetch);
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    if (!gcm || !context || !EVP_CipherInit_ex2(context, gcm, key, nonce, sealing, NULL) ||
        (ad_length > 0 && !EVP_CipherUpdate(context, NULL, &used, ad, (int)ad_length)))
        abort();
    return context;
}

void crypto_aead_seal(const uint8_t key[CRYPTO_KEY_BYTES], const uint8_t nonce[CRYPTO_NONCE_BYTES],
                      const void *ad, size_t ad_length, const void *plain, size_t length,
                      uint8_t *ret_sealed)
{
    int used = 0, rest = 0;
    EVP_CIPHER_CTX *context = gcm_begin(key, nonce, ad, ad_length, 1);
    if ((length > 0 && !EVP_CipherUpdate(context, ret_sealed, &used, plain, (int)length)) ||
        !EVP_CipherFinal_ex(context, ret_sealed + used, &rest) ||
        !EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, CRYPTO_TAG_BYTES, ret_sealed + length))
        abort();
    EVP_CIPHER_CTX_free(context);
}

enum status crypto_aead_open(const uint8_t key[CRYPTO_KEY_BYTES],
                             const uint8_t nonce[CRYPTO_NONCE_BYTES], const void *ad,
                             size_t ad_length, const uint8_t *sealed, size_t sealed_length,
                             void *ret_plain)
{
    if (sealed_length < CRYPTO_TAG_BYTES)
        return STATUS_CORRUPT;
    int used = 0, rest = 0;
    size_t length = sealed_length - CRYPTO_TAG_BYTES;
    uint8_t tag[CRYPTO_TAG_BYTES], none[CRYPTO_TAG_BYTES];
    memcpy(tag, sealed + length, sizeof tag);
    EVP_CIPHER_CTX *context = gcm_begin(key, nonce, ad, ad_length, 0);
    bool good = (length == 0 || EVP_CipherUpdate(context, ret_plain, &used, sealed, (int)length)) &&
                EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, sizeof tag, tag) &&
                EVP_CipherFinal_ex(context, none, &rest) > 0;
    EVP_CIPHER_CTX_free(context);
    if (!good && length > 0)
        memset(ret_plain, 0, length); /* it was decrypted before it was found to be forged */
    return good ? STATUS_OK : STATUS_CORRUPT;
}

/* ---- texts ---- */

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

static int base64_digit(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

bool crypto_unbase64(const char *text, size_t length, void *ret_bytes, size_t size,
                     size_t *ret_length)
{
    uint8_t *out = ret_bytes;
    uint32_t bits = 0;
    int held = 0; /* bits not yet written */
    size_t count = 0, padding = 0;
    while (padding < 2 && length > padding && text[length - 1 - padding] == '=')
        padding++;
    if (length % 4 != 0)
        return false;
    for (size_t i = 0; i < length - padding; i++) {
        int digit = base64_digit(text[i]);
        if (digit < 0)
            return false;
        bits = bits << 6 | (uint32_t)digit;
        held += 6;
        if (held < 8)
            continue;
        held -= 8;
        if (count == size)
            return false;
        out[count++] = (uint8_t)(bits >> held);
    }
    *ret_length = count;
    /* What the padding stands for is zeros (RFC 4648 3.5): one text for one value. */
    return (bits & ((1U << held) - 1)) == 0;
}

static int base64url_digit(char digit)
{
    if (digit >= 'A' && digit <= 'Z')
        return digit - 'A';
    if (digit >= 'a' && digit <= 'z')
        return digit - 'a' + 26;
    if (digit >= '0' && digit <= '9')
        return digit - '0' + 52;
    return digit == '-' ? 62 : digit == '_' ? 63 : -1;
}

bool crypto_unbase64url(const char *text, size_t max, uint8_t *ret_bytes, size_t *ret_length)
{
    uint32_t bits = 0;
    int held = 0; /* bits not yet written */
    size_t length = 0;
    for (; *text != '\0'; text++) {
        int digit = base64url_digit(*text);
        if (digit < 0)
            return false;
        bits = bits << 6 | (uint32_t)digit;
        held += 6;
        if (held < 8)
            continue;
        if (length == max)
            return false;
        held -= 8;
        ret_bytes[length++] = (uint8_t)(bits >> held);
    }
    if (held == 6 || (bits & ((1U << held) - 1)) != 0)
        return false;
    *ret_length = length;
    return true;
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

static int hex_digit(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    return digit >= 'A' && digit <= 'F' ? digit - 'A' + 10 : -1;
}

bool crypto_unhex(const char *text, size_t length, uint8_t *ret_bytes)
{
    for (size_t i = 0; i < length; i++) {
        int high = hex_digit(text[2 * i]);
        int low = high < 0 ? -1 : hex_digit(text[2 * i + 1]);
        if (low < 0)
            return false;
        ret_bytes[i] = (uint8_t)(high << 4 | low);
    }
    return true;
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
