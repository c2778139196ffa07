/* media/srtp/mac_batch_ipsec_mb.c - see mac_batch.h. */
#include "media/srtp/mac_batch.h"

#include <intel-ipsec-mb.h>
#include <stdlib.h>
#include <string.h>

enum { MAC_BYTES = 20 };

struct entry {
    struct mac_batch_key key;
    uint8_t mac[MAC_BYTES];
    uint8_t tail;
    uint8_t *tag;
};

struct mac_batch {
    IMB_MGR *manager;
    uint32_t count;
    struct entry entries[MAC_BATCH_MAX];
};

enum status mac_batch_new(struct mac_batch **ret_batch)
{
    struct mac_batch *batch = calloc(1, sizeof *batch);
    if (batch == NULL)
        return STATUS_NO_MEMORY;
    batch->manager = alloc_mb_mgr(0);
    if (batch->manager == NULL) {
        free(batch);
        return STATUS_NO_MEMORY;
    }
    init_mb_mgr_auto(batch->manager, NULL);
    if (imb_get_errno(batch->manager) != 0) {
        mac_batch_free(batch);
        return STATUS_UNSUPPORTED;
    }
    *ret_batch = batch;
    return STATUS_OK;
}

struct mac_batch *mac_batch_free(struct mac_batch *batch)
{
    if (batch != NULL) {
        free_mb_mgr(batch->manager);
        explicit_bzero(batch->entries, sizeof batch->entries);
    }
    free(batch);
    return NULL;
}

static void take(const IMB_JOB *job)
{
    const struct entry *entry = job->user_data;
    if (job->status == IMB_STATUS_COMPLETED)
        memcpy(entry->tag, entry->mac, entry->tail);
}

bool mac_batch_add(struct mac_batch *batch, const struct mac_batch_key *key, const uint8_t *bytes,
                   size_t length, size_t tail, uint8_t *ret_tag)
{
    if (batch->count == MAC_BATCH_MAX || tail > MAC_BYTES)
        return false;
    struct entry *entry = &batch->entries[batch->count];
    entry->key = *key;
    entry->tail = (uint8_t)tail;
    entry->tag = ret_tag;
    IMB_JOB *job = IMB_GET_NEXT_JOB(batch->manager);
    *job = (IMB_JOB){
        .cipher_mode = IMB_CIPHER_NULL,
        .hash_alg = IMB_AUTH_HMAC_SHA_1,
        .chain_order = IMB_ORDER_HASH_CIPHER,
        .cipher_direction = IMB_DIR_ENCRYPT,
        .src = bytes,
        .msg_len_to_hash_in_bytes = length,
        .auth_tag_output = entry->mac,
        .auth_tag_output_len_in_bytes = sizeof entry->mac,
        .u.HMAC = {._hashed_auth_key_xor_ipad = (const uint8_t *)entry->key.inner,
                   ._hashed_auth_key_xor_opad = (const uint8_t *)entry->key.outer},
        .user_data = entry,
    };
    job = IMB_SUBMIT_JOB(batch->manager);
    if (imb_get_errno(batch->manager) != 0)
        return false;
    batch->count++;
    for (; job != NULL; job = IMB_GET_COMPLETED_JOB(batch->manager))
        take(job);
    return true;
}

void mac_batch_finish(struct mac_batch *batch)
{
    IMB_JOB *job;
    while ((job = IMB_FLUSH_JOB(batch->manager)) != NULL)
        take(job);
    batch->count = 0;
}
