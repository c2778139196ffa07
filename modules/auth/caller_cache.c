#include "modules/auth/caller_cache.h"

#include "modules/auth/auth_state.h"

#include <stdio.h>
#include <string.h>

/* Where a cached caller has texts: they follow the struct, each with its NUL. */
static const size_t texts[] = {
    offsetof(struct caller_cached, caller.user.id),
    offsetof(struct caller_cached, caller.user.name),
    offsetof(struct caller_cached, caller.user.email),
    offsetof(struct caller_cached, caller.user.language),
    offsetof(struct caller_cached, caller.user.zone),
    offsetof(struct caller_cached, caller.session),
};
enum { TEXTS = sizeof texts / sizeof texts[0] };

/* What the table above knows; a text that is added must be in it. */
_Static_assert(sizeof(struct auth_user) == 5 * sizeof(char *) + 40, "texts[] knows all texts");

bool caller_cache_get(struct cache *cache, const char *key, int64_t now_ms, struct arena *arena,
                      struct caller_cached *ret_cached)
{
    struct caller_cached cached;
    char bytes[CACHE_VALUE_MAX];
    size_t length = 0;
    if (!cache_get(cache, key, bytes, sizeof bytes, &length))
        return false;
    memcpy(&cached, bytes, sizeof cached);
    if (cached.expires <= now_ms || now_ms - cached.seen >= AUTH_TOUCH_MS)
        return false;
    char *copy = arena_alloc(arena, length - sizeof cached);
    if (copy == NULL)
        return false;
    memcpy(copy, bytes + sizeof cached, length - sizeof cached);
    for (size_t i = 0; i < TEXTS; i++) {
        memcpy((char *)&cached + texts[i], &copy, sizeof copy);
        copy += strlen(copy) + 1;
    }
    *ret_cached = cached;
    return true;
}

void caller_cache_put(struct cache *cache, uint64_t mark, const char *key,
                      const struct caller_cached *cached)
{
    char bytes[CACHE_VALUE_MAX], scope[AUTH_SCOPE_SIZE];
    size_t length = sizeof *cached;
    memcpy(bytes, cached, length);
    for (size_t i = 0; i < TEXTS; i++) {
        const char *text;
        memcpy(&text, (const char *)cached + texts[i], sizeof text);
        size_t size = strlen(text) + 1;
        if (size > sizeof bytes - length)
            return;
        memcpy(bytes + length, text, size);
        length += size;
    }
    snprintf(scope, sizeof scope, "account:%s", cached->caller.user.id);
    cache_put(cache, mark, scope, key, bytes, length);
}
