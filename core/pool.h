/*
 * core/pool.h - blocks of one size, taken and given back without malloc.
 *
 * Memory is taken in slabs up to `blocks_max`; once grown it is kept. Thread: one
 * owner takes; any thread may give back with pool_put_remote (a lock-free list
 * that the owner empties when its own list runs dry).
 */
#ifndef CORE_POOL_H
#define CORE_POOL_H

#include "core/status.h"

#include <stddef.h>
#include <stdint.h>

struct pool;

struct pool_config {
    size_t block_size;    /* bytes; rounded up to 64 */
    uint32_t slab_blocks; /* blocks taken from malloc at once */
    uint32_t blocks_max;  /* never more than this */
};

/* Takes the first slab. Errors: STATUS_INVALID, STATUS_NO_MEMORY. */
MUST_USE enum status pool_new(const struct pool_config *config, struct pool **ret_pool);
/* All blocks must be back. Accepts NULL, returns NULL. */
struct pool *pool_free(struct pool *pool);
/* 64-byte aligned, not zeroed; NULL at blocks_max or without memory. Owner only. */
void *pool_get(struct pool *pool);
void pool_put(struct pool *pool, void *block);        /* owner only */
void pool_put_remote(struct pool *pool, void *block); /* any thread */
/* Blocks handed out now; slabs taken from malloc so far (a probe for "no malloc while forwarding").
 */
uint32_t pool_used(const struct pool *pool);
uint32_t pool_slabs(const struct pool *pool);
/* Of all slabs. */
size_t pool_bytes(const struct pool *pool);

#endif
