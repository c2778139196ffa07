#include "core/pool.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { POOL_ALIGN = 64 };

/* What a free block holds. */
struct pool_link {
    struct pool_link *next;
};

struct pool_slab {
    struct pool_slab *next;
    _Alignas(POOL_ALIGN) unsigned char blocks[];
};

struct pool {
    struct pool_config config;
    struct pool_link *free;
    struct pool_slab *slabs;
    uint32_t slab_count, block_count;
    _Atomic uint32_t used;
    _Alignas(POOL_ALIGN) _Atomic(struct pool_link *) returned; /* by other threads */
};

static enum status pool_grow(struct pool *pool)
{
    uint32_t count = pool->config.slab_blocks;
    if (count > pool->config.blocks_max - pool->block_count)
        count = pool->config.blocks_max - pool->block_count;
    if (count == 0)
        return STATUS_LIMIT;
    size_t size = pool->config.block_size;
    struct pool_slab *slab = aligned_alloc(POOL_ALIGN, sizeof *slab + size * count);
    if (slab == NULL)
        return STATUS_NO_MEMORY;
    slab->next = pool->slabs;
    pool->slabs = slab;
    pool->slab_count++;
    pool->block_count += count;
    for (uint32_t i = count; i-- > 0;) { /* the first block is handed out first */
        struct pool_link *link = (struct pool_link *)(void *)(slab->blocks + size * i);
        link->next = pool->free;
        pool->free = link;
    }
    return STATUS_OK;
}

enum status pool_new(const struct pool_config *config, struct pool **ret_pool)
{
    if (config->block_size == 0 || config->slab_blocks == 0 || config->blocks_max == 0)
        return STATUS_INVALID;
    struct pool *pool = aligned_alloc(POOL_ALIGN, sizeof *pool);
    if (pool == NULL)
        return STATUS_NO_MEMORY;
    *pool = (struct pool){.config = *config};
    pool->config.block_size = (config->block_size + POOL_ALIGN - 1) & ~(size_t)(POOL_ALIGN - 1);
    atomic_init(&pool->used, 0);
    atomic_init(&pool->returned, NULL);
    enum status status = pool_grow(pool);
    if (status != STATUS_OK) {
        free(pool);
        return status;
    }
    *ret_pool = pool;
    return STATUS_OK;
}

struct pool *pool_free(struct pool *pool)
{
    if (pool == NULL)
        return NULL;
    assert(pool_used(pool) == 0);
    while (pool->slabs != NULL) {
        struct pool_slab *next = pool->slabs->next;
        free(pool->slabs);
        pool->slabs = next;
    }
    free(pool);
    return NULL;
}

void *pool_get(struct pool *pool)
{
    if (pool->free == NULL)
        pool->free = atomic_exchange_explicit(&pool->returned, NULL, memory_order_acquire);
    if (pool->free == NULL && pool_grow(pool) != STATUS_OK)
        return NULL;
    struct pool_link *link = pool->free;
    pool->free = link->next;
    atomic_fetch_add_explicit(&pool->used, 1, memory_order_relaxed);
    return link;
}

void pool_put(struct pool *pool, void *block)
{
    struct pool_link *link = block;
    link->next = pool->free;
    pool->free = link;
    atomic_fetch_sub_explicit(&pool->used, 1, memory_order_relaxed);
}

void pool_put_remote(struct pool *pool, void *block)
{
    struct pool_link *link = block;
    atomic_fetch_sub_explicit(&pool->used, 1, memory_order_relaxed);
    link->next = atomic_load_explicit(&pool->returned, memory_order_relaxed);
    while (!atomic_compare_exchange_weak_explicit(&pool->returned, &link->next, link,
                                                  memory_order_release, memory_order_relaxed))
        continue;
}

uint32_t pool_used(const struct pool *pool)
{
    return atomic_load_explicit(&pool->used, memory_order_relaxed);
}

uint32_t pool_slabs(const struct pool *pool)
{
    return pool->slab_count;
}
