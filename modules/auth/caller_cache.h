/*
 * modules/auth/caller_cache.h - who a session's token belongs to, kept in the cache of storage:
 * asked with every request. Its scope is "account:ID", whose events tell of every change of an
 * account and of its sessions. Any thread.
 */
#ifndef MODULES_AUTH_CALLER_CACHE_H
#define MODULES_AUTH_CALLER_CACHE_H

#include "modules/auth/auth.h"
#include "storage/cache.h"

struct caller_cached {
    struct auth_caller caller;
    int64_t seen, expires; /* ms since 1970 */
};

/* `key`: "token:HASH" or "login:ID". False: it is not there, or is to be read anew (expired, or
 * worth a touch). */
MUST_USE bool caller_cache_get(struct cache *cache, const char *key, int64_t now_ms,
                               struct arena *arena, struct caller_cached *ret_cached);
/* `mark`: of before it was read. */
void caller_cache_put(struct cache *cache, uint64_t mark, const char *key,
                      const struct caller_cached *cached);

#endif
