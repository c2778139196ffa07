/*
 * Free blocks form two lists. The owner's is plain; the remote one is a Treiber
 * stack that other threads only push to and the owner only takes whole, which is
 * why it needs no counter against ABA. A free block's first word is its link.
 * Under AddressSanitizer the rest of a free block is poisoned.
 */
#include "core/pool.h"

#include <assert.h>
#include <sanitizer/asan_interface.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

enum { CACHE_LINE = 64 };

struct node {
    struct node *next;
};

struct slab {
    struct slab *next;
    unsigned char *blocks;
};

struct pool {
    struct node *free;
    struct slab *slabs;
    struct pool_config config;
    uint32_t blocks;             /* taken from malloc */
    _Atomic uint32_t slab_count; /* written by the owner */
    _Atomic uint32_t gets, puts; /* by the owner, modulo 2^32 */
    _Alignas(CACHE_LINE) _Atomic(struct node *) remote;
    _Atomic uint32_t remote_puts; /* modulo 2^32 */
};

static void link_block(struct pool *pool, void *block, struct node *next)
{
    struct node *node = block;
    node->next = next;
    ASAN_POISON_MEMORY_REGION(node + 1, pool->config.block_size - sizeof *node);
}

/* One more slab, as large as blocks_max still allows. */
static enum status grow(struct pool *pool)
{
    size_t left = pool->config.blocks_max - pool->blocks;
    size_t count = left < pool->config.slab_blocks ? left : pool->config.slab_blocks;
    if (count == 0)
        return STATUS_LIMIT;
    struct slab *slab = malloc(sizeof *slab);
    if (!slab)
        return STATUS_NO_MEMORY;
    slab->blocks = aligned_alloc(CACHE_LINE, count * pool->config.block_size);
    if (!slab->blocks) {
        free(slab);
        return STATUS_NO_MEMORY;
    }
    slab->next = pool->slabs;
    pool->slabs = slab;
    pool->blocks += (uint32_t)count;
    atomic_fetch_add_explicit(&pool->slab_count, 1, memory_order_relaxed);
    for (size_t i = count; i-- > 0;) {
        void *block = slab->blocks + i * pool->config.block_size;
        link_block(pool, block, pool->free);
        pool->free = block;
    }
    return STATUS_OK;
}

enum status pool_new(const struct pool_config *config, struct pool **ret_pool)
{
    if (config->block_size == 0 || config->block_size > 1u << 30 || config->slab_blocks == 0 ||
        config->blocks_max == 0)
        return STATUS_INVALID;
    struct pool *pool = aligned_alloc(CACHE_LINE, sizeof *pool);
    if (!pool)
        return STATUS_NO_MEMORY;
    *pool = (struct pool){.config = *config};
    pool->config.block_size = (config->block_size + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE;
    enum status status = grow(pool);
    if (status != STATUS_OK) {
        free(pool);
        return status;
    }
    *ret_pool = pool;
    return STATUS_OK;
}

struct pool *pool_free(struct pool *pool)
{
    if (!pool)
        return NULL;
    assert(pool_used(pool) == 0);
    while (pool->slabs) {
        struct slab *slab = pool->slabs;
        pool->slabs = slab->next;
        free(slab->blocks);
        free(slab);
    }
    free(pool);
    return NULL;
}

/* The owner's counters need no locked instruction: nobody else writes them. */
static void count_up(_Atomic uint32_t *counter)
{
    uint32_t value = atomic_load_explicit(counter, memory_order_relaxed);
    atomic_store_explicit(counter, value + 1, memory_order_relaxed);
}

void *pool_get(struct pool *pool)
{
    if (!pool->free)
        pool->free = atomic_exchange_explicit(&pool->remote, NULL, memory_order_acquire);
    if (!pool->free && grow(pool) != STATUS_OK)
        return NULL;
    struct node *node = pool->free;
    pool->free = node->next;
    count_up(&pool->gets);
    ASAN_UNPOISON_MEMORY_REGION(node, pool->config.block_size);
    return node;
}

void pool_put(struct pool *pool, void *block)
{
    link_block(pool, block, pool->free);
    pool->free = block;
    count_up(&pool->puts);
}

void pool_put_remote(struct pool *pool, void *block)
{
    struct node *node = block;
    struct node *top = atomic_load_explicit(&pool->remote, memory_order_relaxed);
    ASAN_POISON_MEMORY_REGION(node + 1, pool->config.block_size - sizeof *node);
    atomic_fetch_add_explicit(&pool->remote_puts, 1, memory_order_relaxed);
    do
        node->next = top;
    while (!atomic_compare_exchange_weak_explicit(&pool->remote, &top, node, memory_order_release,
                                                  memory_order_relaxed));
}

uint32_t pool_used(const struct pool *pool)
{
    uint32_t back = atomic_load_explicit(&pool->puts, memory_order_relaxed) +
                    atomic_load_explicit(&pool->remote_puts, memory_order_relaxed);
    return atomic_load_explicit(&pool->gets, memory_order_relaxed) - back;
}

uint32_t pool_slabs(const struct pool *pool)
{
    return atomic_load_explicit(&pool->slab_count, memory_order_relaxed);
}

size_t pool_bytes(const struct pool *pool)
{
    /* The last slab may be shorter: blocks_max bounds them all. */
    size_t blocks = (size_t)pool_slabs(pool) * pool->config.slab_blocks;
    if (blocks > pool->config.blocks_max)
        blocks = pool->config.blocks_max;
    return blocks * pool->config.block_size;
}
