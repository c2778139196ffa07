#include "media/sfu/addresses.h"

#include <stdlib.h>

enum { ADDRESSES_SIZE_MIN = 64 };

void addresses_fini(struct addresses *addresses)
{
    free(addresses->entries);
    *addresses = (struct addresses){0};
}

static struct address_entry *place_of(const struct address_entry *entries, size_t size,
                                      const struct ice_address *address)
{
    size_t at = (size_t)ice_address_hash(address) & (size - 1);
    while (entries[at].used && !ice_address_equal(&entries[at].address, address))
        at = (at + 1) & (size - 1);
    return (struct address_entry *)(uintptr_t)&entries[at];
}

struct address_entry *addresses_find(const struct addresses *addresses,
                                     const struct ice_address *address)
{
    if (addresses->size == 0)
        return NULL;
    struct address_entry *entry = place_of(addresses->entries, addresses->size, address);
    return entry->used ? entry : NULL;
}

static enum status addresses_grow(struct addresses *addresses)
{
    size_t size = addresses->size == 0 ? ADDRESSES_SIZE_MIN : addresses->size * 2;
    struct address_entry *entries = calloc(size, sizeof *entries);
    if (entries == NULL)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < addresses->size; i++) {
        if (addresses->entries[i].used)
            *place_of(entries, size, &addresses->entries[i].address) = addresses->entries[i];
    }
    free(addresses->entries);
    addresses->entries = entries;
    addresses->size = size;
    return STATUS_OK;
}

enum status addresses_put(struct addresses *addresses, const struct address_entry *entry)
{
    struct address_entry *found = addresses_find(addresses, &entry->address);
    if (found == NULL) {
        if (addresses->count >= ADDRESSES_MAX)
            return STATUS_LIMIT;
        if ((addresses->count + 1) * 2 > addresses->size) {
            enum status status = addresses_grow(addresses);
            if (status != STATUS_OK)
                return status;
        }
        found = place_of(addresses->entries, addresses->size, &entry->address);
        addresses->count++;
    }
    *found = *entry;
    found->used = true;
    return STATUS_OK;
}

/* Shifts back what follows, so that searches need no tombstones. */
static void entry_remove(struct addresses *addresses, struct address_entry *entry)
{
    size_t mask = addresses->size - 1;
    size_t hole = (size_t)(entry - addresses->entries);
    for (size_t at = (hole + 1) & mask; addresses->entries[at].used; at = (at + 1) & mask) {
        size_t home = (size_t)ice_address_hash(&addresses->entries[at].address) & mask;
        if (((at - home) & mask) >= ((at - hole) & mask)) {
            addresses->entries[hole] = addresses->entries[at];
            hole = at;
        }
    }
    addresses->entries[hole].used = false;
    addresses->count--;
}

void addresses_remove(struct addresses *addresses, const struct ice_address *address,
                      const struct transport *transport)
{
    struct address_entry *entry = addresses_find(addresses, address);
    if (entry != NULL && entry->transport == transport)
        entry_remove(addresses, entry);
}

void addresses_expire(struct addresses *addresses, uint64_t now_ms)
{
    for (size_t i = 0; i < addresses->size;) {
        struct address_entry *entry = &addresses->entries[i];
        if (entry->used && entry->transport == NULL &&
            now_ms - entry->seen_ms >= ADDRESSES_FOREIGN_MS)
            entry_remove(addresses, entry); /* another may have moved to i */
        else
            i++;
    }
}
