#include "core/outbound/push_seal.h"

#include "core/bytes.h"
#include "core/crypto.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <stdio.h>
#include <string.h>

enum {
    KEY_BYTES = 16, /* of AES-128 */
    NONCE_BYTES = 12,
    TAG_BYTES = 16,
    HASH_BYTES = CRYPTO_SHA256_BYTES,
    DER_MAX = 80, /* an ECDSA signature of P-256: 72 at most */
};

static const char curve[] = "P-256";

/* `secret` NULL: a public key. NULL: it is none, or no memory. */
static EVP_PKEY *key_of(const uint8_t *point, const uint8_t *secret)
{
    EVP_PKEY *key = NULL;
    OSSL_PARAM *parameters = NULL;
    BIGNUM *number = secret != NULL ? BN_bin2bn(secret, PUSH_PRIVATE_BYTES, NULL) : NULL;
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    if (build != NULL && context != NULL && (secret == NULL || number != NULL) &&
        OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, curve, 0) == 1 &&
        OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point,
                                         PUSH_PUBLIC_BYTES) == 1 &&
        (number == NULL || OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_PRIV_KEY, number) == 1))
        parameters = OSSL_PARAM_BLD_to_param(build);
    if (parameters == NULL || EVP_PKEY_fromdata_init(context) != 1 ||
        EVP_PKEY_fromdata(context, &key, secret != NULL ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY,
                          parameters) != 1)
        key = NULL;
    OSSL_PARAM_free(parameters);
    OSSL_PARAM_BLD_free(build);
    EVP_PKEY_CTX_free(context);
    BN_clear_free(number);
    return key;
}

enum status push_pair_new(struct push_pair *ret_pair)
{
    struct push_pair pair;
    size_t length = 0;
    BIGNUM *secret = NULL;
    EVP_PKEY *key = EVP_EC_gen(curve);
    bool made = key != NULL &&
                EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, pair.point,
                                                sizeof pair.point, &length) == 1 &&
                length == sizeof pair.point &&
                EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_PRIV_KEY, &secret) == 1 &&
                BN_bn2binpad(secret, pair.secret, sizeof pair.secret) == sizeof pair.secret;
    BN_clear_free(secret);
    EVP_PKEY_free(key);
    if (made)
        *ret_pair = pair;
    crypto_wipe(&pair, sizeof pair);
    return made ? STATUS_OK : STATUS_NO_MEMORY;
}

/* ---- sealing ---- */

static enum status agree(const struct push_browser *browser, const struct push_pair *fresh,
                         uint8_t ret_shared[PUSH_PRIVATE_BYTES])
{
    size_t length = PUSH_PRIVATE_BYTES;
    EVP_PKEY *own = key_of(fresh->point, fresh->secret), *other = key_of(browser->point, NULL);
    EVP_PKEY_CTX *context = own != NULL ? EVP_PKEY_CTX_new(own, NULL) : NULL;
    enum status status = other != NULL ? STATUS_NO_MEMORY : STATUS_INVALID;
    if (context != NULL && other != NULL && EVP_PKEY_derive_init(context) == 1)
        status = EVP_PKEY_derive_set_peer(context, other) == 1 &&
                         EVP_PKEY_derive(context, ret_shared, &length) == 1 &&
                         length == PUSH_PRIVATE_BYTES
                     ? STATUS_OK
                     : STATUS_INVALID;
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(other);
    EVP_PKEY_free(own);
    return status;
}

/* HKDF's second step for at most one block (RFC 5869 2.3); info_length leaves room for one byte. */
static void expand(const uint8_t key[HASH_BYTES], uint8_t *info, size_t info_length,
                   uint8_t ret_bytes[HASH_BYTES])
{
    info[info_length] = 1;
    crypto_hmac_sha256(key, HASH_BYTES, info, info_length + 1, ret_bytes);
}

/* RFC 8291 3.4, RFC 8188 2.2 and 2.3. */
static void keys_make(const struct push_browser *browser, const struct push_pair *fresh,
                      const uint8_t *salt, const uint8_t shared[PUSH_PRIVATE_BYTES],
                      uint8_t ret_key[HASH_BYTES], uint8_t ret_nonce[HASH_BYTES])
{
    static const char for_push[] = "WebPush: info", for_key[] = "Content-Encoding: aes128gcm",
                      for_nonce[] = "Content-Encoding: nonce";
    uint8_t info[sizeof for_push + 2 * PUSH_PUBLIC_BYTES + 1], secret[HASH_BYTES];
    crypto_hmac_sha256(browser->auth, PUSH_AUTH_BYTES, shared, PUSH_PRIVATE_BYTES, secret);
    memcpy(info, for_push, sizeof for_push); /* with its NUL */
    memcpy(info + sizeof for_push, browser->point, PUSH_PUBLIC_BYTES);
    memcpy(info + sizeof for_push + PUSH_PUBLIC_BYTES, fresh->point, PUSH_PUBLIC_BYTES);
    expand(secret, info, sizeof info - 1, secret);
    crypto_hmac_sha256(salt, PUSH_SALT_BYTES, secret, sizeof secret, secret);
    memcpy(info, for_key, sizeof for_key);
    expand(secret, info, sizeof for_key, ret_key);
    memcpy(info, for_nonce, sizeof for_nonce);
    expand(secret, info, sizeof for_nonce, ret_nonce);
    crypto_wipe(secret, sizeof secret);
}

static bool gcm(const uint8_t *key, const uint8_t *nonce, const uint8_t *plain, size_t length,
                uint8_t *ret_sealed)
{
    int done = 0, more = 0;
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    bool sealed =
        context != NULL && EVP_EncryptInit_ex(context, EVP_aes_128_gcm(), NULL, key, nonce) == 1 &&
        EVP_EncryptUpdate(context, ret_sealed, &done, plain, (int)length) == 1 &&
        EVP_EncryptFinal_ex(context, ret_sealed + done, &more) == 1 &&
        EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, TAG_BYTES, ret_sealed + length) == 1;
    EVP_CIPHER_CTX_free(context);
    return sealed;
}

enum status push_seal(const struct push_browser *browser, const struct push_pair *fresh,
                      const uint8_t salt[PUSH_SALT_BYTES], const void *plain, size_t length,
                      uint8_t ret_sealed[PUSH_SEALED_MAX], size_t *ret_length)
{
    uint8_t shared[PUSH_PRIVATE_BYTES], key[HASH_BYTES], nonce[HASH_BYTES];
    uint8_t padded[PUSH_PLAIN_MAX + 1];
    if (length > PUSH_PLAIN_MAX)
        return STATUS_LIMIT;
    enum status status = agree(browser, fresh, shared);
    if (status != STATUS_OK)
        return status;
    keys_make(browser, fresh, salt, shared, key, nonce);
    memcpy(ret_sealed, salt, PUSH_SALT_BYTES);
    store_be32(ret_sealed + PUSH_SALT_BYTES, PUSH_RECORD_BYTES);
    ret_sealed[PUSH_SALT_BYTES + 4] = PUSH_PUBLIC_BYTES;
    memcpy(ret_sealed + PUSH_SALT_BYTES + 5, fresh->point, PUSH_PUBLIC_BYTES);
    memcpy(padded, plain, length);
    padded[length] = 2; /* the last record */
    bool sealed = gcm(key, nonce, padded, length + 1, ret_sealed + PUSH_HEAD_BYTES);
    crypto_wipe(shared, sizeof shared);
    crypto_wipe(key, sizeof key);
    crypto_wipe(padded, sizeof padded);
    if (!sealed)
        return STATUS_NO_MEMORY;
    *ret_length = PUSH_HEAD_BYTES + length + 1 + TAG_BYTES;
    return STATUS_OK;
}

/* ---- who sends ---- */

/* r and s as JWS wants them (RFC 7518 3.4). */
static bool sign(const struct push_pair *own, const char *text, uint8_t ret_signature[64])
{
    uint8_t der[DER_MAX];
    const uint8_t *at = der;
    size_t length = sizeof der;
    bool made = false;
    EVP_PKEY *key = key_of(own->point, own->secret);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    ECDSA_SIG *signature = NULL;
    if (key != NULL && context != NULL &&
        EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key) == 1 &&
        EVP_DigestSign(context, der, &length, (const uint8_t *)text, strlen(text)) == 1)
        signature = d2i_ECDSA_SIG(NULL, &at, (long)length);
    if (signature != NULL)
        made = BN_bn2binpad(ECDSA_SIG_get0_r(signature), ret_signature, 32) == 32 &&
               BN_bn2binpad(ECDSA_SIG_get0_s(signature), ret_signature + 32, 32) == 32;
    ECDSA_SIG_free(signature);
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
    return made;
}

enum status push_vapid(const struct push_pair *own, const char *audience, const char *contact,
                       int64_t expires_s, char ret_line[PUSH_VAPID_MAX])
{
    static const char head[] = "{\"typ\":\"JWT\",\"alg\":\"ES256\"}";
    char claims[400], token[PUSH_VAPID_MAX], point[CRYPTO_BASE64URL_SIZE(PUSH_PUBLIC_BYTES)];
    char proof[CRYPTO_BASE64URL_SIZE(64)];
    uint8_t signature[64];
    int length = snprintf(claims, sizeof claims, "{\"aud\":\"%s\",\"exp\":%lld,\"sub\":\"%s\"}",
                          audience, (long long)expires_s, contact);
    if (length >= (int)sizeof claims)
        return STATUS_LIMIT;
    crypto_base64url(head, sizeof head - 1, token);
    size_t at = strlen(token);
    token[at++] = '.';
    crypto_base64url(claims, (size_t)length, token + at);
    if (!sign(own, token, signature))
        return STATUS_NO_MEMORY;
    crypto_base64url(signature, sizeof signature, proof);
    crypto_base64url(own->point, sizeof own->point, point);
    length = snprintf(ret_line, PUSH_VAPID_MAX, "Authorization: vapid t=%s.%s, k=%s", token, proof,
                      point);
    return length < PUSH_VAPID_MAX ? STATUS_OK : STATUS_LIMIT;
}
