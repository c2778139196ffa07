/*
 * Open addressing, linear probing, power-of-two sizes, at most half full; removal shifts
 * back what follows, so that there are no tombstones.
 */
#include "core/map.h"

#include "core/crypto.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { MAP_SIZE_MIN = 16 };

struct map_entry {
    uint64_t key;
    void *value; /* NULL: free */
};

struct map {
    struct map_entry *entries;
    size_t size, count;
};

static size_t map_home(uint64_t key, size_t size)
{
    key *= UINT64_C(0x9E3779B97F4A7C15);
    return (size_t)(key >> 32) & (size - 1);
}

static struct map_entry *map_find(struct map_entry *entries, size_t size, uint64_t key)
{
    size_t at = map_home(key, size);
    while (entries[at].value != NULL && entries[at].key != key)
        at = (at + 1) & (size - 1);
    return &entries[at];
}

enum status map_new(struct map **ret_map)
{
    struct map *map = calloc(1, sizeof *map);
    if (map == NULL)
        return STATUS_NO_MEMORY;
    map->entries = calloc(MAP_SIZE_MIN, sizeof *map->entries);
    if (map->entries == NULL) {
        free(map);
        return STATUS_NO_MEMORY;
    }
    map->size = MAP_SIZE_MIN;
    *ret_map = map;
    return STATUS_OK;
}

struct map *map_free(struct map *map)
{
    if (map != NULL)
        free(map->entries);
    free(map);
    return NULL;
}

void *map_get(const struct map *map, uint64_t key)
{
    return map_find(map->entries, map->size, key)->value;
}

static enum status map_grow(struct map *map)
{
    size_t size = map->size * 2;
    struct map_entry *entries = calloc(size, sizeof *entries);
    if (entries == NULL)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < map->size; i++) {
        if (map->entries[i].value != NULL)
            *map_find(entries, size, map->entries[i].key) = map->entries[i];
    }
    free(map->entries);
    map->entries = entries;
    map->size = size;
    return STATUS_OK;
}

enum status map_put(struct map *map, uint64_t key, void *value)
{
    struct map_entry *entry = map_find(map->entries, map->size, key);
    if (entry->value == NULL) {
        if ((map->count + 1) * 2 > map->size) {
            enum status status = map_grow(map);
            if (status != STATUS_OK)
                return status;
            entry = map_find(map->entries, map->size, key);
        }
        map->count++;
        entry->key = key;
    }
    entry->value = value;
    return STATUS_OK;
}

void *map_remove(struct map *map, uint64_t key)
{
    struct map_entry *entry = map_find(map->entries, map->size, key);
    void *value = entry->value;
    if (value == NULL)
        return NULL;
    size_t mask = map->size - 1;
    size_t hole = (size_t)(entry - map->entries);
    for (size_t at = (hole + 1) & mask; map->entries[at].value != NULL; at = (at + 1) & mask) {
        size_t home = map_home(map->entries[at].key, map->size);
        if (((at - home) & mask) >= ((at - hole) & mask)) {
            map->entries[hole] = map->entries[at];
            hole = at;
        }
    }
    map->entries[hole].value = NULL;
    map->count--;
    return value;
}

size_t map_count(const struct map *map)
{
    return map->count;
}

void *map_next(const struct map *map, size_t *cursor)
{
    while (*cursor < map->size) {
        void *value = map->entries[(*cursor)++].value;
        if (value != NULL)
            return value;
    }
    return NULL;
}

static uint8_t map_secret[CRYPTO_SHA256_BYTES];

static void map_secret_make(void)
{
    crypto_random(map_secret, sizeof map_secret);
}

uint64_t map_key_of(const char *text)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, map_secret_make);
    uint8_t mac[CRYPTO_SHA256_BYTES];
    crypto_hmac_sha256(map_secret, sizeof map_secret, text, strlen(text), mac);
    uint64_t key;
    memcpy(&key, mac, sizeof key);
    return key;
}
