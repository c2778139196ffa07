/*
 * media/srtp/srtp.h - SRTP and SRTCP of one transport (RFC 3711, RFC 7714).
 *
 * A protector is the sending direction, an unprotector the receiving one; each has
 * its own keys. Both run on contexts that are keyed once and only change their IV per
 * packet; no memory is taken after the start. libsrtp2 is the reference
 * the tests hold this against, byte for byte: a session of Debian's costs 18 to 29 KiB
 * per direction, this 2 to 8.
 *
 * Thread: one media worker owns an object, no locks.
 *
 * The names do not begin with srtp_, which is libsrtp2's.
 */
#ifndef MEDIA_SRTP_SRTP_H
#define MEDIA_SRTP_SRTP_H

#include "core/status.h"

#include <stddef.h>
#include <stdint.h>

/* The values are those of DTLS-SRTP (RFC 5764 4.1.2, RFC 7714 14.2). */
enum protector_profile {
    PROTECTOR_AES_CM_SHA1_80 = 0x0001,
    PROTECTOR_AES_CM_SHA1_32 = 0x0002, /* RTCP's tag has 80 bits (RFC 4568 6.2.2) */
    PROTECTOR_AES_GCM_128 = 0x0007,
    PROTECTOR_AES_GCM_256 = 0x0008,
};

enum {
    PROTECTOR_KEY_MAX = 32,       /* bytes: AES-256 */
    PROTECTOR_SALT_MAX = 14,      /* bytes: AES-CM; GCM has 12 */
    PROTECTOR_RTP_TAIL_MAX = 16,  /* bytes added to an RTP packet: GCM tag (AES-CM: 10 or 4) */
    PROTECTOR_RTCP_TAIL_MAX = 20, /* bytes added to an RTCP packet: GCM tag, E bit and index */
    UNPROTECTOR_WINDOW = 1024,  /* packets a late one may be behind and still be taken, per SSRC */
    UNPROTECTOR_SSRCS_MAX = 32, /* 8 tracks of 3 layers with RTX are 48 at most, 12 in practice;
                                   past it the one silent longest is forgotten */
};

/* Master key and salt of one direction; lengths follow from the profile. */
struct protector_keys {
    enum protector_profile profile;
    uint8_t key[PROTECTOR_KEY_MAX];
    uint8_t salt[PROTECTOR_SALT_MAX];
};

/* Bytes of the master key and salt of a profile; 0 for an unknown one. */
size_t protector_key_length(enum protector_profile profile);
size_t protector_salt_length(enum protector_profile profile);

struct mac_batch;
struct protector;

/* Derives the session keys (RFC 3711 4.3); `keys` may be wiped afterwards. Errors: STATUS_INVALID
 * (profile), STATUS_NO_MEMORY, STATUS_INTERNAL (a library refused). */
MUST_USE enum status protector_new(const struct protector_keys *keys,
                                   struct protector **ret_protector);
/* Wipes the keys. Accepts NULL, returns NULL. */
struct protector *protector_free(struct protector *protector);
/* A hint that a packet is about to be protected; protector itself should be in the cache. */
void protector_prefetch(const struct protector *protector);
/* Bytes protector_rtp adds: 16, 10 or 4. */
size_t protector_rtp_tail(const struct protector *protector);

/*
 * Writes header, protected payload and tag to `out`, which holds header_length +
 * payload_length + protector_rtp_tail() bytes. `header` is the whole RTP header with
 * CSRCs and extension (at least 12 bytes; it is authenticated, not encrypted);
 * `payload` includes padding. In place when header == out and payload == out +
 * header_length; otherwise neither may overlap out, and this is the only copy of the
 * payload there is.
 *
 * `roc` counts how often this SSRC's sequence number has wrapped (RFC 3711 3.3.1):
 * the sender knows it, so nothing is kept per SSRC. The caller guarantees that no
 * (SSRC, roc, sequence number) is ever used for two different packets under the same
 * keys: GCM breaks if it is. A repair goes as RTX with its own SSRC and numbers.
 * Errors: STATUS_INVALID (header shorter than 12 bytes), STATUS_INTERNAL.
 */
MUST_USE enum status protector_rtp(struct protector *protector, uint32_t roc, const uint8_t *header,
                                   size_t header_length, const uint8_t *payload,
                                   size_t payload_length, uint8_t *out, size_t *ret_length);

/* The same, but the tag of AES-CM comes with mac_batch_finish (media/srtp/mac_batch.h), before
 * which `out` may not be touched. GCM, and everything where batch is NULL, is done at once. */
MUST_USE enum status protector_rtp_later(struct protector *protector, struct mac_batch *batch,
                                         uint32_t roc, const uint8_t *header, size_t header_length,
                                         const uint8_t *payload, size_t payload_length,
                                         uint8_t *out, size_t *ret_length);
/* Whether a batch is of use to it. */
bool protector_batches(const struct protector *protector);

/*
 * Protects a compound in place; `capacity` counts from `packet` and must leave
 * PROTECTOR_RTCP_TAIL_MAX. One SRTCP index counts for all SSRCs. Errors: STATUS_INVALID
 * (shorter than 8 bytes), STATUS_TRUNCATED (capacity), STATUS_LIMIT (2^31 packets, RFC
 * 3711 9.2), STATUS_INTERNAL.
 */
MUST_USE enum status protector_rtcp(struct protector *protector, uint8_t *packet, size_t length,
                                    size_t capacity, size_t *ret_length);

struct unprotector;

/* As protector_new. */
MUST_USE enum status unprotector_new(const struct protector_keys *keys,
                                     struct unprotector **ret_unprotector);
/* Wipes the keys. Accepts NULL, returns NULL. */
struct unprotector *unprotector_free(struct unprotector *unprotector);

/*
 * Authenticates and decrypts in place. ret_index is ROC << 16 | SEQ: a sequence
 * number that never wraps. A packet that fails changes no state, but its bytes may be
 * overwritten (GCM decrypts before it knows): drop it.
 * Errors: STATUS_INVALID (not RTP), STATUS_TRUNCATED (shorter than header and tag),
 * STATUS_DUPLICATE (replayed), STATUS_LATE (behind the window), STATUS_CORRUPT (not
 * authentic), STATUS_NO_MEMORY (the first one).
 */
MUST_USE enum status unprotector_rtp(struct unprotector *unprotector, uint8_t *packet,
                                     size_t length, size_t *ret_length, uint64_t *ret_index);

/* As unprotector_rtp, for a compound; its own window of 64 packets per SSRC. STATUS_UNSUPPORTED:
 * not encrypted (E = 0), which no profile of ours negotiates. */
MUST_USE enum status unprotector_rtcp(struct unprotector *unprotector, uint8_t *packet,
                                      size_t length, size_t *ret_length);

#endif
