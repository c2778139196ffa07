/* media/srtp/transform.c - see transform.h. */
#include "media/srtp/transform.h"

#include "core/bytes.h"
#include "media/srtp/mac_batch.h"

#include <nettle/hmac.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>

static bool profile_is_gcm(enum protector_profile profile)
{
    return profile != PROTECTOR_AES_CM_SHA1_80 && profile != PROTECTOR_AES_CM_SHA1_32;
}

size_t protector_key_length(enum protector_profile profile)
{
    switch (profile) {
    case PROTECTOR_AES_CM_SHA1_80:
    case PROTECTOR_AES_CM_SHA1_32:
    case PROTECTOR_AES_GCM_128:
        return 16;
    case PROTECTOR_AES_GCM_256:
        return 32;
    }
    return 0;
}

size_t protector_salt_length(enum protector_profile profile)
{
    switch (profile) {
    case PROTECTOR_AES_CM_SHA1_80:
    case PROTECTOR_AES_CM_SHA1_32:
        return 14;
    case PROTECTOR_AES_GCM_128:
    case PROTECTOR_AES_GCM_256:
        return 12;
    }
    return 0;
}

/* AES-CTR over zeros is the keystream, which is the derived key (RFC 3711 4.3.3). */
static enum status keystream(const uint8_t *key, size_t key_length, const uint8_t iv[TRANSFORM_IV],
                             uint8_t *ret_stream, size_t length)
{
    enum status status = STATUS_INTERNAL;
    const EVP_CIPHER *kind = key_length == 32 ? EVP_aes_256_ctr() : EVP_aes_128_ctr();
    EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
    if (cipher == NULL)
        return STATUS_NO_MEMORY;
    memset(ret_stream, 0, length);
    int written = 0;
    if (EVP_EncryptInit_ex2(cipher, kind, key, iv, NULL) == 1 &&
        EVP_EncryptUpdate(cipher, ret_stream, &written, ret_stream, (int)length) == 1)
        status = STATUS_OK;
    EVP_CIPHER_CTX_free(cipher);
    return status;
}

enum status transform_derive(const struct protector_keys *keys, enum transform_label label,
                             uint8_t *ret_key, size_t length)
{
    size_t key_length = protector_key_length(keys->profile);
    if (key_length == 0)
        return STATUS_INVALID;
    /* x = label << 48 XOR master salt; GCM's shorter salt is padded on the right (RFC 7714 11). */
    uint8_t iv[TRANSFORM_IV] = {0};
    memcpy(iv, keys->salt, protector_salt_length(keys->profile));
    iv[7] ^= (uint8_t)label;
    return keystream(keys->key, key_length, iv, ret_key, length);
}

static enum status cipher_init(struct transform *transform, const struct transform_keys *keys)
{
    transform->cipher = EVP_CIPHER_CTX_new();
    if (transform->cipher == NULL)
        return STATUS_NO_MEMORY;
    /* Counter mode decrypts by encrypting. */
    return EVP_EncryptInit_ex2(transform->cipher, EVP_aes_128_ctr(), keys->key, NULL, NULL) == 1
               ? STATUS_OK
               : STATUS_INTERNAL;
}

static enum status mac_init(struct transform *transform, const struct transform_keys *keys)
{
    transform->mac = calloc(1, sizeof *transform->mac);
    if (transform->mac == NULL)
        return STATUS_NO_MEMORY;
    hmac_sha1_set_key(transform->mac, sizeof keys->auth, keys->auth);
    return STATUS_OK;
}

enum status transform_init_session(const struct transform_keys *keys, bool seal,
                                   struct transform *ret_transform)
{
    if (protector_key_length(keys->profile) == 0)
        return STATUS_INVALID;
    struct transform transform = {0};
    enum status status;
    memcpy(transform.salt, keys->salt, protector_salt_length(keys->profile));
    if (profile_is_gcm(keys->profile)) {
        transform.tail = GCM_TAG;
        status = gcm_new(keys->key, protector_key_length(keys->profile), seal, &transform.gcm);
    } else {
        transform.tail = TRANSFORM_SHA1_TAG;
        status = cipher_init(&transform, keys);
        if (status == STATUS_OK)
            status = mac_init(&transform, keys);
    }
    if (status != STATUS_OK) {
        transform_clear(&transform);
        return status;
    }
    *ret_transform = transform;
    return STATUS_OK;
}

enum status transform_init(const struct protector_keys *keys, bool rtcp, bool seal,
                           struct transform *ret_transform)
{
    struct transform_keys session = {.profile = keys->profile};
    enum status status = transform_derive(keys, rtcp ? TRANSFORM_RTCP_KEY : TRANSFORM_RTP_KEY,
                                          session.key, protector_key_length(keys->profile));
    if (status == STATUS_OK)
        status = transform_derive(keys, rtcp ? TRANSFORM_RTCP_SALT : TRANSFORM_RTP_SALT,
                                  session.salt, protector_salt_length(keys->profile));
    if (status == STATUS_OK && !profile_is_gcm(keys->profile))
        status = transform_derive(keys, rtcp ? TRANSFORM_RTCP_AUTH : TRANSFORM_RTP_AUTH,
                                  session.auth, sizeof session.auth);
    if (status == STATUS_OK)
        status = transform_init_session(&session, seal, ret_transform);
    if (status == STATUS_OK && !rtcp && keys->profile == PROTECTOR_AES_CM_SHA1_32)
        ret_transform->tail = TRANSFORM_SHA1_SHORT_TAG;
    OPENSSL_cleanse(&session, sizeof session);
    return status;
}

void transform_clear(struct transform *transform)
{
    gcm_free(transform->gcm);
    EVP_CIPHER_CTX_free(transform->cipher);
    if (transform->mac != NULL)
        OPENSSL_cleanse(transform->mac, sizeof *transform->mac);
    free(transform->mac);
    OPENSSL_cleanse(transform, sizeof *transform);
}

void transform_iv(const struct transform *transform, uint32_t ssrc, uint64_t index,
                  uint8_t ret_iv[TRANSFORM_IV])
{
    /* GCM: 0 || SSRC || index, AES-CM: 0 || SSRC || index || 0, each XOR salt. */
    bool gcm = transform_is_gcm(transform);
    size_t zeros = gcm ? 2 : 4, salt = gcm ? 12 : 14;
    memset(ret_iv, 0, TRANSFORM_IV);
    store_be32(ret_iv + zeros, ssrc);
    store_be32(ret_iv + zeros + 4, (uint32_t)(index >> 16));
    store_be16(ret_iv + zeros + 8, (uint16_t)index);
    for (size_t i = 0; i < salt; i++)
        ret_iv[i] ^= transform->salt[i];
}

bool transform_ctr(struct transform *transform, const uint8_t iv[TRANSFORM_IV], const uint8_t *in,
                   size_t length, uint8_t *out)
{
    int written = 0;
    return EVP_EncryptInit_ex2(transform->cipher, NULL, NULL, iv, NULL) == 1 &&
           (length == 0 ||
            EVP_EncryptUpdate(transform->cipher, out, &written, in, (int)length) == 1);
}

void transform_mac(struct transform *transform, const uint8_t *bytes, size_t length,
                   uint8_t *ret_mac)
{
    hmac_sha1_update(transform->mac, length, bytes);
    hmac_sha1_digest(transform->mac, transform->tail, ret_mac); /* and begins anew */
}

void transform_mac_later(struct transform *transform, struct mac_batch *batch, const uint8_t *bytes,
                         size_t length, uint8_t *ret_mac)
{
    _Static_assert(sizeof transform->mac->inner.state == sizeof(uint32_t[MAC_BATCH_STATE]),
                   "what nettle keeps of a key is the state after its block");
    if (batch != NULL) {
        struct mac_batch_key key;
        memcpy(key.inner, transform->mac->inner.state, sizeof key.inner);
        memcpy(key.outer, transform->mac->outer.state, sizeof key.outer);
        if (mac_batch_add(batch, &key, bytes, length, transform->tail, ret_mac))
            return;
    }
    transform_mac(transform, bytes, length, ret_mac);
}

bool transform_equal(const uint8_t *left, const uint8_t *right, size_t length)
{
    return CRYPTO_memcmp(left, right, length) == 0;
}
