/*
 * media/sfu/addresses.h - whose datagram is it? From a client's address to the
 * transport this worker owns, or to the worker that owns it.
 *
 * Open addressing, grown outside the forwarding path. Only addresses that passed a check
 * are put in, so strangers cannot fill it. Thread: the worker.
 */
#ifndef MEDIA_SFU_ADDRESSES_H
#define MEDIA_SFU_ADDRESSES_H

#include "core/status.h"
#include "media/ice/ice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    ADDRESSES_MAX = 1 << 17,
    ADDRESSES_FOREIGN_MS = 120000, /* an address of another worker's is forgotten when unused */
};

struct transport;

struct address_entry {
    struct ice_address address;
    struct transport *transport; /* NULL: owned elsewhere, or the entry is free */
    uint8_t worker;              /* the owner, when transport is NULL */
    bool used;
    uint64_t seen_ms; /* foreign ones only */
};

struct addresses {
    struct address_entry *entries;
    size_t size, count; /* size: power of two, or 0 */
};

void addresses_fini(struct addresses *addresses);
/* Borrowed until the next put or remove; NULL: unknown. */
struct address_entry *addresses_find(const struct addresses *addresses,
                                     const struct ice_address *address);
/* Adds or replaces. Errors: STATUS_NO_MEMORY, STATUS_LIMIT. */
MUST_USE enum status addresses_put(struct addresses *addresses, const struct address_entry *entry);
/* Removes it when it is this transport's (NULL: a foreign one). */
void addresses_remove(struct addresses *addresses, const struct ice_address *address,
                      const struct transport *transport);
/* Forgets foreign addresses not seen for ADDRESSES_FOREIGN_MS. */
void addresses_expire(struct addresses *addresses, uint64_t now_ms);

#endif
