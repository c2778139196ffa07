/* media/dtls/epilogue.c - see epilogue.h. */
#include "media/dtls/epilogue.h"

#include "core/bytes.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>

enum {
    RECORD_HEADER = 13, /* type, version, epoch, sequence number, length: RFC 6347 4.1 */
    RECORD_ALERT = 21,
    EPOCH = 1, /* the one of the first handshake; there is no other */
    TAG = 16,
    GCM_SALT = 4, /* of the IV; the rest stands in the record (RFC 5288 3) */
    GCM_EXPLICIT = 8,
    ALERT = 2,
    AAD = 13,
    MASTER_MAX = 48,
    RANDOM = 32,
};

static const EVP_CIPHER *cipher_of(int nid)
{
    switch (nid) {
    case NID_aes_128_gcm:
        return EVP_aes_128_gcm();
    case NID_aes_256_gcm:
        return EVP_aes_256_gcm();
    case NID_chacha20_poly1305:
        return EVP_chacha20_poly1305();
    default:
        return NULL;
    }
}

static bool cipher_is_gcm(int nid)
{
    return nid != NID_chacha20_poly1305;
}

/* ---- keys ---- */

/* key_block = PRF(master secret, "key expansion", server random || client random), RFC 5246 6.3. */
static bool key_block(const SSL *ssl, uint8_t *ret_block, size_t length)
{
    uint8_t master[MASTER_MAX], seed[2 * RANDOM];
    char label[] = "key expansion";
    const char *digest =
        EVP_MD_get0_name(SSL_CIPHER_get_handshake_digest(SSL_get_current_cipher(ssl)));
    char digest_name[32];
    if (digest == NULL || strlen(digest) >= sizeof digest_name)
        return false;
    strcpy(digest_name, digest);
    size_t master_length = SSL_SESSION_get_master_key(SSL_get_session(ssl), master, sizeof master);
    SSL_get_server_random(ssl, seed, RANDOM);
    SSL_get_client_random(ssl, seed + RANDOM, RANDOM);
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest_name, 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SECRET, master, master_length),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SEED, label, sizeof label - 1),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SEED, seed, sizeof seed),
        OSSL_PARAM_construct_end(),
    };
    EVP_KDF *kind = EVP_KDF_fetch(NULL, "TLS1-PRF", NULL);
    EVP_KDF_CTX *kdf = kind == NULL ? NULL : EVP_KDF_CTX_new(kind);
    bool good = kdf != NULL && EVP_KDF_derive(kdf, ret_block, length, params) == 1;
    EVP_KDF_CTX_free(kdf);
    EVP_KDF_free(kind);
    OPENSSL_cleanse(master, sizeof master);
    return good;
}

enum status epilogue_take(SSL *ssl, struct epilogue *ret_epilogue)
{
    const SSL_CIPHER *suite = SSL_get_current_cipher(ssl);
    int nid = suite == NULL ? NID_undef : SSL_CIPHER_get_cipher_nid(suite);
    const EVP_CIPHER *cipher = cipher_of(nid);
    if (cipher == NULL || SSL_version(ssl) != DTLS1_2_VERSION)
        return STATUS_UNSUPPORTED;
    uint8_t block[2 * (EPILOGUE_KEY_MAX + EPILOGUE_IV_MAX)], *part = block;
    size_t key = (size_t)EVP_CIPHER_get_key_length(cipher);
    size_t iv = cipher_is_gcm(nid) ? GCM_SALT : EPILOGUE_IV_MAX;
    if (!key_block(ssl, block, 2 * (key + iv)))
        return STATUS_INTERNAL;
    struct epilogue epilogue = {.cipher = nid};
    memcpy(epilogue.client_key, part, key);
    memcpy(epilogue.server_key, part += key, key);
    memcpy(epilogue.client_iv, part += key, iv);
    memcpy(epilogue.server_iv, part + iv, iv);
    *ret_epilogue = epilogue;
    OPENSSL_cleanse(block, sizeof block);
    OPENSSL_cleanse(&epilogue, sizeof epilogue);
    return STATUS_OK;
}

/* ---- records ---- */

/* GCM: salt || explicit part; ChaCha20: IV XOR epoch and sequence number (RFC 7905 2). */
static void make_nonce(const struct epilogue *epilogue, const uint8_t *iv, const uint8_t *sequence,
                       const uint8_t *explicit_part, uint8_t ret_nonce[EPILOGUE_IV_MAX])
{
    memcpy(ret_nonce, iv, EPILOGUE_IV_MAX);
    if (cipher_is_gcm(epilogue->cipher)) {
        memcpy(ret_nonce + GCM_SALT, explicit_part, GCM_EXPLICIT);
        return;
    }
    for (size_t i = 0; i < 8; i++)
        ret_nonce[4 + i] ^= sequence[i];
}

/* Epoch and sequence number, type, version, length of the plaintext (RFC 5246 6.2.3.3). */
static void make_aad(const uint8_t *header, uint8_t ret_aad[AAD])
{
    memcpy(ret_aad, header + 3, 8);
    memcpy(ret_aad + 8, header, 3);
    store_be16(ret_aad + 11, ALERT);
}

/* Two bytes of alert, either way; the tag is checked or made. */
static bool alert_crypt(const struct epilogue *epilogue, const uint8_t *key,
                        const uint8_t nonce[EPILOGUE_IV_MAX], const uint8_t aad[AAD], bool seal,
                        const uint8_t in[ALERT], uint8_t out[ALERT], uint8_t tag[TAG])
{
    int written = 0;
    EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
    bool good =
        cipher != NULL &&
        EVP_CipherInit_ex2(cipher, cipher_of(epilogue->cipher), key, nonce, seal, NULL) == 1 &&
        (seal || EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_SET_TAG, TAG, tag) == 1) &&
        EVP_CipherUpdate(cipher, NULL, &written, aad, AAD) == 1 &&
        EVP_CipherUpdate(cipher, out, &written, in, ALERT) == 1 &&
        EVP_CipherFinal_ex(cipher, out, &written) == 1 &&
        (!seal || EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_GET_TAG, TAG, tag) == 1);
    EVP_CIPHER_CTX_free(cipher);
    return good;
}

static bool alert_open(const struct epilogue *epilogue, const uint8_t *header,
                       const uint8_t *fragment, size_t length, struct epilogue_alert *ret_alert)
{
    size_t explicit_length = cipher_is_gcm(epilogue->cipher) ? GCM_EXPLICIT : 0;
    uint8_t nonce[EPILOGUE_IV_MAX], aad[AAD], tag[TAG], alert[ALERT];
    if (length != explicit_length + ALERT + TAG)
        return false;
    make_nonce(epilogue, epilogue->client_iv, header + 3, fragment, nonce);
    make_aad(header, aad);
    memcpy(tag, fragment + explicit_length + ALERT, TAG);
    if (!alert_crypt(epilogue, epilogue->client_key, nonce, aad, false, fragment + explicit_length,
                     alert, tag))
        return false;
    *ret_alert = (struct epilogue_alert){.level = alert[0], .description = alert[1]};
    return true;
}

bool epilogue_read(const struct epilogue *epilogue, const uint8_t *bytes, size_t length,
                   struct epilogue_alert *ret_alert)
{
    struct reader reader = reader_of(bytes, length);
    for (;;) {
        const uint8_t *header = reader_take(&reader, RECORD_HEADER);
        size_t size = header == NULL ? 0 : load_be16(header + 11);
        const uint8_t *fragment = reader_take(&reader, size);
        struct epilogue_alert alert;
        if (fragment == NULL)
            return false;
        if (header[0] != RECORD_ALERT || load_be16(header + 1) != DTLS1_2_VERSION ||
            load_be16(header + 3) != EPOCH || !alert_open(epilogue, header, fragment, size, &alert))
            continue;
        if (alert.level == EPILOGUE_FATAL || alert.description == EPILOGUE_CLOSE_NOTIFY) {
            *ret_alert = alert;
            return true;
        }
    }
}

enum status epilogue_close(const struct epilogue *epilogue, uint8_t ret_record[EPILOGUE_RECORD_MAX],
                           size_t *ret_length)
{
    static const uint8_t alert[ALERT] = {1, EPILOGUE_CLOSE_NOTIFY};
    /* OpenSSL counted from 0 and sent a handful; far above is never used. Its explicit nonces count
     * from a random number, so another random one is as good as unique. */
    static const uint8_t sequence[6] = {0, 1};
    size_t explicit_length = cipher_is_gcm(epilogue->cipher) ? GCM_EXPLICIT : 0;
    uint8_t record[EPILOGUE_RECORD_MAX] = {RECORD_ALERT};
    uint8_t nonce[EPILOGUE_IV_MAX], aad[AAD];
    uint8_t *fragment = record + RECORD_HEADER, *body = fragment + explicit_length;
    store_be16(record + 1, DTLS1_2_VERSION);
    store_be16(record + 3, EPOCH);
    memcpy(record + 5, sequence, sizeof sequence);
    store_be16(record + 11, (uint16_t)(explicit_length + ALERT + TAG));
    if (RAND_bytes(fragment, GCM_EXPLICIT) != 1)
        return STATUS_INTERNAL;
    make_nonce(epilogue, epilogue->server_iv, record + 3, fragment, nonce);
    make_aad(record, aad);
    if (!alert_crypt(epilogue, epilogue->server_key, nonce, aad, true, alert, body, body + ALERT))
        return STATUS_INTERNAL;
    memcpy(ret_record, record, sizeof record);
    *ret_length = RECORD_HEADER + explicit_length + ALERT + TAG;
    return STATUS_OK;
}
