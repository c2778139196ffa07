/*
 * core/map.h - from a 64-bit number to a pointer; texts go in by map_key_of, a hash
 * keyed with this process's own random key. Thread: one owner.
 */
#ifndef CORE_MAP_H
#define CORE_MAP_H

#include "core/status.h"

#include <stddef.h>
#include <stdint.h>

struct map;

MUST_USE enum status map_new(struct map **ret_map);
struct map *map_free(struct map *map); /* accepts NULL, returns NULL; values stay the caller's */
void *map_get(const struct map *map, uint64_t key); /* NULL: none */
/* value is not NULL; replaces. Errors: STATUS_NO_MEMORY (nothing changed). */
MUST_USE enum status map_put(struct map *map, uint64_t key, void *value);
void *map_remove(struct map *map, uint64_t key); /* what was there, or NULL */
size_t map_count(const struct map *map);
/* Walks: start with *cursor 0; NULL at the end. The map must not change meanwhile. */
void *map_next(const struct map *map, size_t *cursor);

/* Two texts share a key with a chance of 2^-64; the caller compares what it finds. */
uint64_t map_key_of(const char *text);

#endif
