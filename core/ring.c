/*
 * The ring of core/queue.h. Each end owns its index and keeps a copy of the other's,
 * which it refreshes only when the copy says full or empty: in the steady state the
 * ends touch no common cache line but the entries. Indices count up for ever and are
 * masked on use, so full and empty differ without a wasted entry.
 */
#include "core/queue.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { CACHE_LINE = 64 };

struct ring {
    _Alignas(CACHE_LINE) _Atomic uint32_t pushed; /* producer writes */
    uint32_t popped_seen;
    _Alignas(CACHE_LINE) _Atomic uint32_t popped; /* consumer writes */
    uint32_t pushed_seen;
    _Alignas(CACHE_LINE) uint32_t entries;
    size_t entry_size;
    _Alignas(CACHE_LINE) unsigned char data[];
};

enum status ring_new(size_t entry_size, uint32_t entries, struct ring **ret_ring)
{
    if (entry_size == 0 || entry_size > UINT16_MAX || entries == 0 || entries > 1u << 30 ||
        (entries & (entries - 1)) != 0)
        return STATUS_INVALID;
    size_t size = sizeof(struct ring) + entry_size * entries;
    struct ring *ring =
        aligned_alloc(CACHE_LINE, (size + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE);
    if (!ring)
        return STATUS_NO_MEMORY;
    memset(ring, 0, sizeof *ring);
    ring->entries = entries;
    ring->entry_size = entry_size;
    *ret_ring = ring;
    return STATUS_OK;
}

struct ring *ring_free(struct ring *ring)
{
    free(ring);
    return NULL;
}

static unsigned char *entry_at(struct ring *ring, uint32_t index)
{
    return ring->data + (size_t)(index & (ring->entries - 1)) * ring->entry_size;
}

bool ring_push(struct ring *ring, const void *entry)
{
    uint32_t pushed = atomic_load_explicit(&ring->pushed, memory_order_relaxed);
    if (pushed - ring->popped_seen == ring->entries) {
        ring->popped_seen = atomic_load_explicit(&ring->popped, memory_order_acquire);
        if (pushed - ring->popped_seen == ring->entries)
            return false;
    }
    memcpy(entry_at(ring, pushed), entry, ring->entry_size);
    atomic_store_explicit(&ring->pushed, pushed + 1, memory_order_release);
    return true;
}

bool ring_pop(struct ring *ring, void *ret_entry)
{
    uint32_t popped = atomic_load_explicit(&ring->popped, memory_order_relaxed);
    if (popped == ring->pushed_seen) {
        ring->pushed_seen = atomic_load_explicit(&ring->pushed, memory_order_acquire);
        if (popped == ring->pushed_seen)
            return false;
    }
    memcpy(ret_entry, entry_at(ring, popped), ring->entry_size);
    atomic_store_explicit(&ring->popped, popped + 1, memory_order_release);
    return true;
}

uint32_t ring_length(const struct ring *ring)
{
    uint32_t popped = atomic_load_explicit(&ring->popped, memory_order_acquire);
    uint32_t pushed = atomic_load_explicit(&ring->pushed, memory_order_acquire);
    return pushed - popped;
}
