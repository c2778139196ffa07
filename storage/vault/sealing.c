#include "storage/vault/sealing.h"

#include "core/bytes.h"

#include <assert.h>
#include <string.h>

static const uint8_t nonce_zero[CRYPTO_NONCE_BYTES];

static void derive(const uint8_t *secret, const char *use, uint8_t *ret_key)
{
    crypto_hmac_sha256(secret, CRYPTO_KEY_BYTES, use, strlen(use), ret_key);
}

void sealing_keys_make(const uint8_t secret[CRYPTO_KEY_BYTES], uint32_t number,
                       struct sealing_keys *ret_keys)
{
    ret_keys->number = number;
    derive(secret, "parley salt", ret_keys->salt);
    derive(secret, "parley seal", ret_keys->seal);
    derive(secret, "parley hash", ret_keys->hash);
}

static void salt_make(const struct sealing_keys *keys, const uint8_t *random, const uint8_t *place,
                      size_t place_length, const void *plain, size_t length, uint8_t *ret_salt)
{
    uint8_t input[CRYPTO_KEY_BYTES + 2 * CRYPTO_SHA256_BYTES], mac[CRYPTO_SHA256_BYTES];
    memcpy(input, random, CRYPTO_KEY_BYTES);
    crypto_sha256(place, place_length, input + CRYPTO_KEY_BYTES);
    crypto_sha256(plain, length, input + CRYPTO_KEY_BYTES + CRYPTO_SHA256_BYTES);
    crypto_hmac_sha256(keys->salt, sizeof keys->salt, input, sizeof input, mac);
    memcpy(ret_salt, mac, SEALING_SALT);
    crypto_wipe(input, sizeof input);
}

/* The head is authenticated with the place. */
static size_t ad_make(const uint8_t *sealed, const uint8_t *place, size_t place_length, uint8_t *ad)
{
    assert(place_length <= SEALING_PLACE_MAX);
    memcpy(ad, sealed, SEALING_HEAD);
    memcpy(ad + SEALING_HEAD, place, place_length);
    return SEALING_HEAD + place_length;
}

void sealing_seal(const struct sealing_keys *keys, const uint8_t random[CRYPTO_KEY_BYTES],
                  const uint8_t *place, size_t place_length, const void *plain, size_t length,
                  uint8_t *ret_sealed)
{
    uint8_t key[CRYPTO_KEY_BYTES], ad[SEALING_HEAD + SEALING_PLACE_MAX];
    ret_sealed[0] = SEALING_FORMAT;
    store_be32(ret_sealed + 1, keys->number);
    salt_make(keys, random, place, place_length, plain, length, ret_sealed + 5);
    crypto_hmac_sha256(keys->seal, sizeof keys->seal, ret_sealed + 5, SEALING_SALT, key);
    size_t ad_length = ad_make(ret_sealed, place, place_length, ad);
    crypto_aead_seal(key, nonce_zero, ad, ad_length, plain, length, ret_sealed + SEALING_HEAD);
    crypto_wipe(key, sizeof key);
}

enum status sealing_number(const uint8_t *sealed, size_t length, uint32_t *ret_number)
{
    if (length < SEALING_OVERHEAD || sealed[0] != SEALING_FORMAT)
        return STATUS_CORRUPT;
    *ret_number = load_be32(sealed + 1);
    return STATUS_OK;
}

enum status sealing_open(const struct sealing_keys *keys, const uint8_t *place, size_t place_length,
                         const uint8_t *sealed, size_t length, void *ret_plain)
{
    uint8_t key[CRYPTO_KEY_BYTES], ad[SEALING_HEAD + SEALING_PLACE_MAX];
    uint32_t number;
    if (sealing_number(sealed, length, &number) != STATUS_OK || number != keys->number)
        return STATUS_CORRUPT;
    crypto_hmac_sha256(keys->seal, sizeof keys->seal, sealed + 5, SEALING_SALT, key);
    size_t ad_length = ad_make(sealed, place, place_length, ad);
    enum status status = crypto_aead_open(key, nonce_zero, ad, ad_length, sealed + SEALING_HEAD,
                                          length - SEALING_HEAD, ret_plain);
    crypto_wipe(key, sizeof key);
    return status;
}
