#include "modules/auth/webauthn.h"

#include "core/bytes.h"
#include "core/crypto.h"
#include "core/json.h"

#include <fido.h>
#include <fido/eddsa.h>
#include <fido/es256.h>
#include <fido/rs256.h>
#include <stdlib.h>
#include <string.h>

/* Flags of authenticator data (Level 2, 6.1), and where in it things are. */
enum { FLAG_PRESENT = 1, FLAG_VERIFIED = 4, FLAG_CREDENTIAL = 64, DATA_MIN = 37, ID_AT = 55 };

enum { CBOR_TEXT = 3, CBOR_MAP = 5, CBOR_TAG = 6, CBOR_LONG = 24, CBOR_LONGEST = 27 };

static const int algorithms[] = {WEBAUTHN_ES256, WEBAUTHN_EDDSA, WEBAUTHN_RS256};

/* ---- what the browser said ---- */

static bool text_is(const struct json *json, const char *name, const char *value)
{
    const char *text = json_get_text(json, name);
    return text != NULL && strcmp(text, value) == 0;
}

static enum status client_check(const struct webauthn_expect *expect, const char *type,
                                struct webauthn_bytes client)
{
    struct json *json = NULL;
    struct json_error error;
    uint8_t challenge[256];
    size_t length = 0;
    if (client.length > WEBAUTHN_CLIENT_MAX)
        return STATUS_INVALID;
    enum status status = json_parse((const char *)client.bytes, client.length, &json, &error);
    if (status != STATUS_OK)
        return status;
    const char *said = json_get_text(json, "challenge");
    bool same = said != NULL && crypto_unbase64url(said, sizeof challenge, challenge, &length) &&
                length == strlen(expect->challenge) &&
                crypto_equal(challenge, expect->challenge, length);
    /* A page in a frame of another site's is not ours, whatever origin it has. */
    if (!same || !text_is(json, "type", type) || !text_is(json, "origin", expect->origin) ||
        json_get_true(json, "crossOrigin"))
        status = STATUS_DENIED;
    json_free(json);
    return status;
}

/* ---- what the authenticator said ---- */

/* libcbor takes memory for as many entries as a map or an array says it has (RFC 8949 3): here none
 * may say more than there are bytes left. Whether the rest makes sense is libfido2's question. */
static bool cbor_sizes_fit(const uint8_t *bytes, size_t length)
{
    for (size_t at = 0; at < length;) {
        uint8_t major = bytes[at] >> 5, info = bytes[at] & 31;
        uint64_t value = info;
        size_t wide = info < CBOR_LONG ? 0 : (size_t)1 << (info - CBOR_LONG);
        at++;
        if (info > CBOR_LONGEST || major == CBOR_TAG || wide > length - at)
            return false;
        for (size_t i = 0; i < wide; i++)
            value = (i == 0 ? 0 : value << 8) | bytes[at + i];
        at += wide;
        if (major < CBOR_TEXT - 1 || major > CBOR_MAP)
            continue;
        if (value > length - at)
            return false;
        at += major <= CBOR_TEXT ? (size_t)value : 0;
    }
    return true;
}

/* What is behind the fixed part: a credential with its key, extensions. */
static bool data_sizes_fit(struct webauthn_bytes data)
{
    size_t at = DATA_MIN;
    if ((data.bytes[CRYPTO_SHA256_BYTES] & FLAG_CREDENTIAL) != 0) {
        if (data.length < ID_AT)
            return false;
        at = ID_AT + (size_t)load_be16(data.bytes + ID_AT - 2);
    }
    return at <= data.length && cbor_sizes_fit(data.bytes + at, data.length - at);
}

/* Checks both and hashes the client data: what the signature is over, besides the data. */
static enum status said_check(const struct webauthn_expect *expect, const char *type,
                              struct webauthn_bytes client, struct webauthn_bytes data,
                              uint8_t ret_hash[CRYPTO_SHA256_BYTES])
{
    uint8_t rp[CRYPTO_SHA256_BYTES];
    if (data.length < DATA_MIN || data.length > WEBAUTHN_DATA_MAX || !data_sizes_fit(data))
        return STATUS_INVALID;
    enum status status = client_check(expect, type, client);
    if (status != STATUS_OK)
        return status;
    crypto_sha256(expect->rp, strlen(expect->rp), rp);
    uint8_t flags = data.bytes[CRYPTO_SHA256_BYTES];
    if (!crypto_equal(rp, data.bytes, sizeof rp) || (flags & FLAG_PRESENT) == 0 ||
        (expect->verified && (flags & FLAG_VERIFIED) == 0))
        return STATUS_DENIED;
    crypto_sha256(client.bytes, client.length, ret_hash);
    return STATUS_OK;
}

/* A public key of libfido2's; each kind has a type and calls of its own. */
union public_key {
    es256_pk_t *es256;
    eddsa_pk_t *eddsa;
    rs256_pk_t *rs256;
};

static void key_free(int algorithm, union public_key *key)
{
    if (algorithm == WEBAUTHN_ES256)
        es256_pk_free(&key->es256);
    else if (algorithm == WEBAUTHN_EDDSA)
        eddsa_pk_free(&key->eddsa);
    else
        rs256_pk_free(&key->rs256);
}

/* Errors: STATUS_INVALID (no point of the curve, ...), STATUS_NO_MEMORY. */
static enum status key_make(const struct webauthn_key *from, union public_key *ret_key)
{
    union public_key key = {NULL};
    int code = FIDO_ERR_INVALID_ARGUMENT;
    if (from->algorithm == WEBAUTHN_ES256 && (key.es256 = es256_pk_new()) != NULL)
        code = es256_pk_from_ptr(key.es256, from->bytes, from->length);
    else if (from->algorithm == WEBAUTHN_EDDSA && (key.eddsa = eddsa_pk_new()) != NULL)
        code = eddsa_pk_from_ptr(key.eddsa, from->bytes, from->length);
    else if (from->algorithm == WEBAUTHN_RS256 && (key.rs256 = rs256_pk_new()) != NULL)
        code = rs256_pk_from_ptr(key.rs256, from->bytes, from->length);
    if (key.es256 == NULL)
        return STATUS_NO_MEMORY;
    if (code != FIDO_OK) {
        key_free(from->algorithm, &key);
        return STATUS_INVALID;
    }
    *ret_key = key;
    return STATUS_OK;
}

/* ---- a new one ---- */

static enum status credential_take(const fido_cred_t *cred, int algorithm,
                                   struct webauthn_credential *ret_credential)
{
    struct webauthn_credential taken = {.key.algorithm = algorithm,
                                        .key.length = fido_cred_pubkey_len(cred),
                                        .id_length = fido_cred_id_len(cred),
                                        .count = fido_cred_sigcount(cred)};
    union public_key key;
    if (taken.key.length == 0 || taken.key.length > sizeof taken.key.bytes ||
        taken.id_length == 0 || taken.id_length > sizeof taken.id)
        return STATUS_INVALID;
    memcpy(taken.key.bytes, fido_cred_pubkey_ptr(cred), taken.key.length);
    memcpy(taken.id, fido_cred_id_ptr(cred), taken.id_length);
    enum status status = key_make(&taken.key, &key); /* whether it is one that can verify */
    if (status != STATUS_OK)
        return status;
    key_free(algorithm, &key);
    *ret_credential = taken;
    return STATUS_OK;
}

/* STATUS_INVALID: malformed, or of another algorithm. */
static enum status data_take(int algorithm, struct webauthn_bytes data,
                             struct webauthn_credential *ret_credential)
{
    fido_cred_t *cred = fido_cred_new();
    if (cred == NULL)
        return STATUS_NO_MEMORY;
    enum status status = STATUS_INVALID;
    if (fido_cred_set_type(cred, algorithm) == FIDO_OK &&
        fido_cred_set_authdata_raw(cred, data.bytes, data.length) == FIDO_OK)
        status = credential_take(cred, algorithm, ret_credential);
    fido_cred_free(&cred);
    return status;
}

enum status webauthn_register(const struct webauthn_expect *expect, struct webauthn_bytes client,
                              struct webauthn_bytes data,
                              struct webauthn_credential *ret_credential)
{
    uint8_t hash[CRYPTO_SHA256_BYTES];
    enum status status = said_check(expect, "webauthn.create", client, data, hash);
    if (status == STATUS_OK && (data.bytes[CRYPTO_SHA256_BYTES] & FLAG_CREDENTIAL) == 0)
        status = STATUS_INVALID;
    if (status != STATUS_OK)
        return status;
    status = STATUS_INVALID;
    for (size_t i = 0; status == STATUS_INVALID && i < sizeof algorithms / sizeof algorithms[0];
         i++)
        status = data_take(algorithms[i], data, ret_credential);
    return status;
}

/* ---- a signature ---- */

static bool assertion_set(fido_assert_t *assertion, const struct webauthn_expect *expect,
                          const uint8_t hash[CRYPTO_SHA256_BYTES], struct webauthn_bytes data,
                          struct webauthn_bytes signature)
{
    return fido_assert_set_clientdata_hash(assertion, hash, CRYPTO_SHA256_BYTES) == FIDO_OK &&
           fido_assert_set_rp(assertion, expect->rp) == FIDO_OK &&
           fido_assert_set_count(assertion, 1) == FIDO_OK &&
           fido_assert_set_authdata_raw(assertion, 0, data.bytes, data.length) == FIDO_OK &&
           fido_assert_set_sig(assertion, 0, signature.bytes, signature.length) == FIDO_OK &&
           fido_assert_set_up(assertion, FIDO_OPT_TRUE) == FIDO_OK &&
           fido_assert_set_uv(assertion, expect->verified ? FIDO_OPT_TRUE : FIDO_OPT_OMIT) ==
               FIDO_OK;
}

enum status webauthn_assert(const struct webauthn_expect *expect, const struct webauthn_key *key,
                            struct webauthn_bytes client, struct webauthn_bytes data,
                            struct webauthn_bytes signature, uint32_t *ret_count)
{
    uint8_t hash[CRYPTO_SHA256_BYTES];
    union public_key verifier = {NULL};
    fido_assert_t *assertion = NULL;
    if (signature.length == 0 || signature.length > WEBAUTHN_SIGNATURE_MAX)
        return STATUS_INVALID;
    enum status status = said_check(expect, "webauthn.get", client, data, hash);
    if (status == STATUS_OK)
        status = key_make(key, &verifier);
    if (status != STATUS_OK)
        return status;
    assertion = fido_assert_new();
    if (assertion == NULL)
        status = STATUS_NO_MEMORY;
    else if (!assertion_set(assertion, expect, hash, data, signature))
        status = STATUS_INVALID;
    else if (fido_assert_verify(assertion, 0, key->algorithm, verifier.es256) != FIDO_OK)
        status = STATUS_DENIED;
    else
        *ret_count = fido_assert_sigcount(assertion, 0);
    fido_assert_free(&assertion);
    key_free(key->algorithm, &verifier);
    return status;
}
