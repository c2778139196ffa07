#include "tests/support/authenticator.h"

#include "core/bytes.h"
#include "core/crypto.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

enum { ES256 = -7, EDDSA = -8, DATA_MAX = 2048, SIGNATURE_MAX = 512, RSA_BITS = 2048 };

void authenticator_make(int algorithm, struct authenticator *ret_authenticator)
{
    *ret_authenticator = (struct authenticator){.algorithm = algorithm, .count = 1, .flags = 5};
    ret_authenticator->key = algorithm == ES256   ? EVP_EC_gen("P-256")
                             : algorithm == EDDSA ? EVP_PKEY_Q_keygen(NULL, NULL, "ED25519")
                                                  : EVP_RSA_gen(RSA_BITS);
    assert_non_null(ret_authenticator->key);
    crypto_random(ret_authenticator->id, sizeof ret_authenticator->id);
}

void authenticator_fini(struct authenticator *authenticator)
{
    EVP_PKEY_free(authenticator->key);
}

static const char *coded(const void *bytes, size_t length, struct arena *arena)
{
    char *text = arena_alloc(arena, CRYPTO_BASE64URL_SIZE(length));
    assert_non_null(text);
    crypto_base64url(bytes, length, text);
    return text;
}

static const char *client_text(const char *type, const char *origin, const char *challenge,
                               struct arena *arena)
{
    return arena_printf(arena,
                        "{\"type\":\"%s\",\"challenge\":\"%s\",\"origin\":\"%s\","
                        "\"crossOrigin\":false,\"other_keys_can_be_added_here\":\"x\"}",
                        type, coded(challenge, strlen(challenge), arena), origin);
}

static size_t put(uint8_t *at, const void *bytes, size_t length)
{
    memcpy(at, bytes, length);
    return length;
}

/* The public key as COSE has it (RFC 9053). */
static size_t put_key(uint8_t *at, const struct authenticator *authenticator)
{
    static const uint8_t es256[] = {0xa5, 1, 2, 3, 0x26, 0x20, 1, 0x21, 0x58, 32};
    static const uint8_t eddsa[] = {0xa4, 1, 1, 3, 0x27, 0x20, 6, 0x21, 0x58, 32};
    static const uint8_t rs256[] = {0xa4, 1, 3, 3, 0x39, 1, 0, 0x20, 0x59, 1, 0};
    static const uint8_t exponent[] = {0x21, 0x43, 1, 0, 1};
    const uint8_t *begun = at;
    size_t length = 0;
    if (authenticator->algorithm == EDDSA) {
        at += put(at, eddsa, sizeof eddsa);
        length = 32;
        assert_int_equal(EVP_PKEY_get_raw_public_key(authenticator->key, at, &length), 1);
        return (size_t)(at - begun) + length;
    }
    if (authenticator->algorithm == ES256) {
        uint8_t point[65];
        assert_int_equal(EVP_PKEY_get_octet_string_param(authenticator->key,
                                                         OSSL_PKEY_PARAM_PUB_KEY, point,
                                                         sizeof point, &length),
                         1);
        at += put(at, es256, sizeof es256);
        at += put(at, point + 1, 32);
        at += put(at, "\x22\x58\x20", 3);
        at += put(at, point + 33, 32);
        return (size_t)(at - begun);
    }
    BIGNUM *modulus = NULL;
    assert_int_equal(EVP_PKEY_get_bn_param(authenticator->key, OSSL_PKEY_PARAM_RSA_N, &modulus), 1);
    at += put(at, rs256, sizeof rs256);
    at += BN_bn2bin(modulus, at);
    BN_free(modulus);
    at += put(at, exponent, sizeof exponent);
    return (size_t)(at - begun);
}

static size_t put_head(uint8_t *at, const struct authenticator *authenticator, const char *rp,
                       uint8_t more)
{
    crypto_sha256(rp, strlen(rp), at);
    at[CRYPTO_SHA256_BYTES] = authenticator->flags | more;
    store_be32(at + CRYPTO_SHA256_BYTES + 1, authenticator->count);
    return CRYPTO_SHA256_BYTES + 5;
}

void authenticator_register(const struct authenticator *authenticator, const char *rp,
                            const char *origin, const char *challenge, struct arena *arena,
                            struct authenticator_said *ret_said)
{
    const char *client = client_text("webauthn.create", origin, challenge, arena);
    uint8_t data[DATA_MAX];
    size_t length = put_head(data, authenticator, rp, 64);
    memset(data + length, 0, 16); /* AAGUID: of no make in particular */
    length += 16;
    store_be16(data + length, sizeof authenticator->id);
    length += 2;
    length += put(data + length, authenticator->id, sizeof authenticator->id);
    length += put_key(data + length, authenticator);
    *ret_said = (struct authenticator_said){
        .credential = coded(authenticator->id, sizeof authenticator->id, arena),
        .client = coded(client, strlen(client), arena),
        .data = coded(data, length, arena)};
}

void authenticator_sign(struct authenticator *authenticator, const char *rp, const char *origin,
                        const char *challenge, struct arena *arena,
                        struct authenticator_said *ret_said)
{
    const char *client = client_text("webauthn.get", origin, challenge, arena);
    uint8_t data[DATA_MAX], signature[SIGNATURE_MAX];
    authenticator->count += authenticator->count > 0;
    size_t length = put_head(data, authenticator, rp, 0), signed_length = sizeof signature;
    crypto_sha256(client, strlen(client), data + length);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    const EVP_MD *digest = authenticator->algorithm == EDDSA ? NULL : EVP_sha256();
    assert_int_equal(EVP_DigestSignInit(context, NULL, digest, NULL, authenticator->key), 1);
    assert_int_equal(
        EVP_DigestSign(context, signature, &signed_length, data, length + CRYPTO_SHA256_BYTES), 1);
    EVP_MD_CTX_free(context);
    *ret_said = (struct authenticator_said){
        .credential = coded(authenticator->id, sizeof authenticator->id, arena),
        .client = coded(client, strlen(client), arena),
        .data = coded(data, length, arena),
        .signature = coded(signature, signed_length, arena)};
}
