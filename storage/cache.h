/*
 * storage/cache.h - what was read often and changes seldom (sessions, seats in spaces), kept in
 * memory in front of the database.
 *
 * Each entry belongs to a scope, the one whose events tell of changes. The writer makes a scope
 * stale after COMMIT and before the transaction's caller hears of it: who reads after a change was
 * acknowledged never finds what was before. What was being read meanwhile is not kept (the mark).
 *
 * Slots are fixed: CACHE_SLOTS entries of CACHE_VALUE_MAX bytes at most, a newer one takes the
 * place of an older. Any thread.
 */
#ifndef STORAGE_CACHE_H
#define STORAGE_CACHE_H

#include "core/metrics.h"
#include "core/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    CACHE_SLOTS = 8192,  /* a session and some seats of each of about 2,000 who are busy */
    CACHE_WAYS = 4,      /* slots a key may be in */
    CACHE_SCOPES = 4096, /* scopes that share a mark are stale together */
    CACHE_KEY_MAX = 160,
    CACHE_VALUE_MAX = 1024, /* 14 MB in all, at worst */
};

struct cache;

MUST_USE enum status cache_new(struct metrics *metrics, struct cache **ret_cache);
struct cache *cache_free(struct cache *cache); /* accepts NULL, returns NULL */

/* Before the read whose result is to be kept. */
uint64_t cache_mark(struct cache *cache);
/* Copies the value; false: there is none. `size`: of `value`. */
MUST_USE bool cache_get(struct cache *cache, const char *key, void *value, size_t size,
                        size_t *ret_length);
/* Keeps it, unless the scope has become stale since the mark. What is too large is not kept. */
void cache_put(struct cache *cache, uint64_t mark, const char *scope, const char *key,
               const void *value, size_t length);

/* For the writer: the scopes are stale; count 0: all are. */
uint64_t cache_scope_of(const char *scope);
void cache_stale(struct cache *cache, const uint64_t *scopes, uint32_t count);

#endif
