/*
 * Head and tail count for ever and are masked on use. Each end keeps a copy of the
 * other's counter and looks at the shared one only when the copy says full or empty.
 */
#include "core/queue.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { CACHE_LINE = 64 };

struct ring {
    size_t entry_size;
    uint32_t mask;
    unsigned char *entries;
    _Alignas(CACHE_LINE) _Atomic uint32_t tail; /* producer's */
    uint32_t head_seen;
    _Alignas(CACHE_LINE) _Atomic uint32_t head; /* consumer's */
    uint32_t tail_seen;
};

enum status ring_new(size_t entry_size, uint32_t entries, struct ring **ret_ring)
{
    if (entry_size == 0 || entries < 2 || (entries & (entries - 1)) != 0)
        return STATUS_INVALID;
    struct ring *ring = aligned_alloc(CACHE_LINE, sizeof *ring);
    unsigned char *memory = calloc(entries, entry_size);
    if (ring == NULL || memory == NULL) {
        free(ring);
        free(memory);
        return STATUS_NO_MEMORY;
    }
    *ring = (struct ring){.entry_size = entry_size, .mask = entries - 1, .entries = memory};
    atomic_init(&ring->tail, 0);
    atomic_init(&ring->head, 0);
    *ret_ring = ring;
    return STATUS_OK;
}

struct ring *ring_free(struct ring *ring)
{
    if (ring != NULL)
        free(ring->entries);
    free(ring);
    return NULL;
}

bool ring_push(struct ring *ring, const void *entry)
{
    uint32_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
    if (tail - ring->head_seen > ring->mask) {
        ring->head_seen = atomic_load_explicit(&ring->head, memory_order_acquire);
        if (tail - ring->head_seen > ring->mask)
            return false;
    }
    memcpy(ring->entries + (size_t)(tail & ring->mask) * ring->entry_size, entry, ring->entry_size);
    atomic_store_explicit(&ring->tail, tail + 1, memory_order_release);
    return true;
}

bool ring_pop(struct ring *ring, void *ret_entry)
{
    uint32_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
    if (head == ring->tail_seen) {
        ring->tail_seen = atomic_load_explicit(&ring->tail, memory_order_acquire);
        if (head == ring->tail_seen)
            return false;
    }
    memcpy(ret_entry, ring->entries + (size_t)(head & ring->mask) * ring->entry_size,
           ring->entry_size);
    atomic_store_explicit(&ring->head, head + 1, memory_order_release);
    return true;
}

uint32_t ring_length(const struct ring *ring)
{
    uint32_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
    uint32_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
    return tail - head;
}
