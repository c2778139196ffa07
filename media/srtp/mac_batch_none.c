/* media/srtp/mac_batch_none.c - see mac_batch.h: where there is no library for it. */
#include "media/srtp/mac_batch.h"

enum status mac_batch_new(struct mac_batch **ret_batch)
{
    (void)ret_batch;
    return STATUS_UNSUPPORTED;
}

struct mac_batch *mac_batch_free(struct mac_batch *batch)
{
    (void)batch;
    return NULL;
}

bool mac_batch_add(struct mac_batch *batch, const struct mac_batch_key *key, const uint8_t *bytes,
                   size_t length, size_t tail, uint8_t *ret_tag)
{
    (void)batch, (void)key, (void)bytes, (void)length, (void)tail, (void)ret_tag;
    return false;
}

void mac_batch_finish(struct mac_batch *batch)
{
    (void)batch;
}
