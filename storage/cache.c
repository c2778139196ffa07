#include "storage/cache.h"

#include "core/lock.h"
#include "core/map.h"

#include <stdlib.h>
#include <string.h>

struct slot {
    char *bytes; /* the key with its NUL, then the value; NULL: empty */
    uint64_t hash, scope, made;
    uint32_t length; /* of the value */
    uint32_t used;   /* when last, in uses */
};

/*
 * `now` counts what has become stale. An entry counts as long as its scope has not become stale
 * since it was made: nothing is searched for when a scope changes.
 */
struct cache {
    struct lock lock;
    uint64_t now;
    uint64_t stale_at[CACHE_SCOPES];
    uint32_t uses;
    struct slot slots[CACHE_SLOTS];
    struct metric *hits, *misses;
};

enum status cache_new(struct metrics *metrics, struct cache **ret_cache)
{
    struct cache *cache = calloc(1, sizeof *cache);
    if (cache == NULL)
        return STATUS_NO_MEMORY;
    enum status status = lock_init(&cache->lock);
    if (status != STATUS_OK) {
        free(cache);
        return status;
    }
    if (metrics != NULL) {
        cache->hits = metrics_counter(metrics, "parley_cache_reads_total", "result=\"hit\"",
                                      "Reads of sessions and seats, by whether they were cached.");
        cache->misses = metrics_counter(metrics, "parley_cache_reads_total", "result=\"miss\"",
                                        "Reads of sessions and seats, by whether they were "
                                        "cached.");
    }
    *ret_cache = cache;
    return STATUS_OK;
}

struct cache *cache_free(struct cache *cache)
{
    if (cache == NULL)
        return NULL;
    for (size_t i = 0; i < CACHE_SLOTS; i++)
        free(cache->slots[i].bytes);
    lock_fini(&cache->lock);
    free(cache);
    return NULL;
}

uint64_t cache_mark(struct cache *cache)
{
    lock_take(&cache->lock);
    uint64_t now = cache->now;
    lock_give(&cache->lock);
    return now;
}

static bool is_stale(const struct cache *cache, const struct slot *slot)
{
    return cache->stale_at[slot->scope % CACHE_SCOPES] > slot->made;
}

static struct slot *set_of(struct cache *cache, uint64_t hash)
{
    return &cache->slots[hash % (CACHE_SLOTS / CACHE_WAYS) * CACHE_WAYS];
}

static struct slot *find(struct cache *cache, uint64_t hash, const char *key)
{
    struct slot *set = set_of(cache, hash);
    for (size_t i = 0; i < CACHE_WAYS; i++) {
        if (set[i].bytes != NULL && set[i].hash == hash && strcmp(set[i].bytes, key) == 0)
            return &set[i];
    }
    return NULL;
}

bool cache_get(struct cache *cache, const char *key, void *value, size_t size, size_t *ret_length)
{
    uint64_t hash = map_key_of(key);
    lock_take(&cache->lock);
    struct slot *slot = find(cache, hash, key);
    bool hit = slot != NULL && !is_stale(cache, slot) && slot->length <= size;
    if (hit) {
        memcpy(value, slot->bytes + strlen(key) + 1, slot->length);
        *ret_length = slot->length;
        slot->used = ++cache->uses;
    }
    lock_give(&cache->lock);
    metric_add(hit ? cache->hits : cache->misses, 1);
    return hit;
}

/* The key's own, else an empty or a stale one, else that which was not used for longest. */
static struct slot *place_for(struct cache *cache, uint64_t hash, const char *key)
{
    struct slot *slot = find(cache, hash, key);
    struct slot *set = set_of(cache, hash);
    for (size_t i = 0; slot == NULL && i < CACHE_WAYS; i++) {
        if (set[i].bytes == NULL || is_stale(cache, &set[i]))
            slot = &set[i];
    }
    if (slot != NULL)
        return slot;
    slot = set;
    for (size_t i = 1; i < CACHE_WAYS; i++) {
        if ((int32_t)(set[i].used - slot->used) < 0)
            slot = &set[i];
    }
    return slot;
}

void cache_put(struct cache *cache, uint64_t mark, const char *scope, const char *key,
               const void *value, size_t length)
{
    size_t named = strlen(key) + 1;
    if (named > CACHE_KEY_MAX || length > CACHE_VALUE_MAX)
        return;
    struct slot made = {.bytes = malloc(named + length),
                        .hash = map_key_of(key),
                        .scope = cache_scope_of(scope),
                        .made = mark,
                        .length = (uint32_t)length};
    if (made.bytes == NULL)
        return;
    memcpy(made.bytes, key, named);
    memcpy(made.bytes + named, value, length);
    lock_take(&cache->lock);
    char *gone = made.bytes;
    if (!is_stale(cache, &made)) {
        struct slot *slot = place_for(cache, made.hash, key);
        made.used = ++cache->uses;
        gone = slot->bytes;
        *slot = made;
    }
    lock_give(&cache->lock);
    free(gone);
}

uint64_t cache_scope_of(const char *scope)
{
    return map_key_of(scope);
}

void cache_stale(struct cache *cache, const uint64_t *scopes, uint32_t count)
{
    lock_take(&cache->lock);
    cache->now++;
    for (uint32_t i = 0; i < count; i++)
        cache->stale_at[scopes[i] % CACHE_SCOPES] = cache->now;
    for (uint32_t i = 0; count == 0 && i < CACHE_SCOPES; i++)
        cache->stale_at[i] = cache->now;
    lock_give(&cache->lock);
}
