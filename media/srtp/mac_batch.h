/*
 * media/srtp/mac_batch.h - HMAC-SHA1 (RFC 2104) of many packets at once. SHA-1 is a chain that
 * leaves most of a processor idle; of several packets, each in a vector's lane, it costs a quarter.
 *
 * What was added is undone until mac_batch_finish: the tags are not there yet.
 * Thread: its owner's.
 */
#ifndef MEDIA_SRTP_MAC_BATCH_H
#define MEDIA_SRTP_MAC_BATCH_H

#include "core/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    MAC_BATCH_MAX = 512, /* added and not finished; more are not taken */
    MAC_BATCH_STATE = 5, /* words */
};

struct mac_batch;

/* A key, as SHA-1 has it after its first block: with the inner padding, and with the outer. */
struct mac_batch_key {
    uint32_t inner[MAC_BATCH_STATE], outer[MAC_BATCH_STATE];
};

/* Errors: STATUS_UNSUPPORTED (not built for this processor's kind), STATUS_NO_MEMORY. */
MUST_USE enum status mac_batch_new(struct mac_batch **ret_batch);
/* Accepts NULL, returns NULL. */
struct mac_batch *mac_batch_free(struct mac_batch *batch);

/* The first `tail` bytes of the MAC over bytes[0..length) come to `ret_tag` with mac_batch_finish,
 * before which neither may be touched; ret_tag may lie within bytes. The key is copied. False:
 * there are MAC_BATCH_MAX already, or the library refused. */
MUST_USE bool mac_batch_add(struct mac_batch *batch, const struct mac_batch_key *key,
                            const uint8_t *bytes, size_t length, size_t tail, uint8_t *ret_tag);
void mac_batch_finish(struct mac_batch *batch);

#endif
