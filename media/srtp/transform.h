/*
 * media/srtp/transform.h - session keys and the ciphers under them: GCM by gcm.h, AES-CM and HMAC
 * by OpenSSL's EVP.
 *
 * Contexts are keyed once; a packet sets the IV only. Where the parts of a packet lie
 * is layout.h's matter, replay and rollover are the protectors'. Private to media/srtp. Thread: the
 * owner's.
 */
#ifndef MEDIA_SRTP_TRANSFORM_H
#define MEDIA_SRTP_TRANSFORM_H

#include "media/srtp/gcm.h"
#include "media/srtp/srtp.h"

enum {
    TRANSFORM_IV = 16,            /* bytes; GCM uses the first GCM_IV */
    TRANSFORM_SHA1_TAG = 10,      /* RFC 3711 5.2: 80 bits */
    TRANSFORM_SHA1_SHORT_TAG = 4, /* RFC 4568 6.2.2: 32 bits */
    TRANSFORM_SHA1_KEY = 20,
};

/* RFC 3711 4.3.2: what a session key is for. */
enum transform_label {
    TRANSFORM_RTP_KEY = 0,
    TRANSFORM_RTP_AUTH = 1,
    TRANSFORM_RTP_SALT = 2,
    TRANSFORM_RTCP_KEY = 3,
    TRANSFORM_RTCP_AUTH = 4,
    TRANSFORM_RTCP_SALT = 5,
};

/* Session key of `length` bytes, key derivation rate 0 (RFC 3711 4.3.3, RFC 7714 11, RFC 6188).
 * Errors: STATUS_INVALID, STATUS_INTERNAL. */
MUST_USE enum status transform_derive(const struct protector_keys *keys, enum transform_label label,
                                      uint8_t *ret_key, size_t length);

/* What is derived; tests with published session keys begin here. */
struct transform_keys {
    enum protector_profile profile;
    uint8_t key[PROTECTOR_KEY_MAX];
    uint8_t salt[PROTECTOR_SALT_MAX];
    uint8_t auth[TRANSFORM_SHA1_KEY]; /* AES-CM only */
};

struct hmac_sha1_ctx;
struct mac_batch;

struct transform {
    struct gcm *gcm;           /* NULL with AES-CM */
    void *cipher;              /* EVP_CIPHER_CTX of AES-CM */
    struct hmac_sha1_ctx *mac; /* of AES-CM */
    uint8_t salt[PROTECTOR_SALT_MAX];
    uint8_t tail; /* bytes of the tag */
};

/* `rtcp`: derives the keys of SRTCP, else of SRTP. `seal`: encrypts, else decrypts. Errors:
 * STATUS_INVALID, STATUS_NO_MEMORY, STATUS_INTERNAL. */
MUST_USE enum status transform_init(const struct protector_keys *keys, bool rtcp, bool seal,
                                    struct transform *ret_transform);
MUST_USE enum status transform_init_session(const struct transform_keys *keys, bool seal,
                                            struct transform *ret_transform);
/* Wipes the keys; a zeroed transform may be cleared. */
void transform_clear(struct transform *transform);
static inline bool transform_is_gcm(const struct transform *transform)
{
    return transform->gcm != NULL;
}

/* From the 48-bit index: ROC || SEQ of RTP, 0 || SRTCP index (RFC 3711 4.1.1, RFC 7714 8.1, 9.1).
 */
void transform_iv(const struct transform *transform, uint32_t ssrc, uint64_t index,
                  uint8_t ret_iv[TRANSFORM_IV]);

/* AES-CM, either direction. */
MUST_USE bool transform_ctr(struct transform *transform, const uint8_t iv[TRANSFORM_IV],
                            const uint8_t *in, size_t length, uint8_t *out);
/* HMAC-SHA1, cut to `tail` bytes (RFC 3711 4.2.1). ret_mac may lie within bytes. */
void transform_mac(struct transform *transform, const uint8_t *bytes, size_t length,
                   uint8_t *ret_mac);
/* The same when `batch` is finished; at once where it takes none (NULL). */
void transform_mac_later(struct transform *transform, struct mac_batch *batch, const uint8_t *bytes,
                         size_t length, uint8_t *ret_mac);
/* In constant time. */
bool transform_equal(const uint8_t *left, const uint8_t *right, size_t length);

#endif
