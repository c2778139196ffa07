#include "modules/auth/throttle.h"

#include "core/lock.h"
#include "core/map.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct entry {
    uint64_t key; /* 0: free */
    int64_t failed_ms, until_ms;
    uint32_t failures;
};

struct throttle {
    struct lock lock;
    struct entry entries[THROTTLE_SETS][THROTTLE_WAYS];
};

enum status throttle_new(struct throttle **ret_throttle)
{
    struct throttle *throttle = calloc(1, sizeof *throttle);
    if (throttle == NULL)
        return STATUS_NO_MEMORY;
    enum status status = lock_init(&throttle->lock);
    if (status != STATUS_OK) {
        free(throttle);
        return status;
    }
    *ret_throttle = throttle;
    return STATUS_OK;
}

struct throttle *throttle_free(struct throttle *throttle)
{
    if (throttle == NULL)
        return NULL;
    lock_fini(&throttle->lock);
    free(throttle);
    return NULL;
}

static uint64_t key_of(const char *who)
{
    uint64_t key = map_key_of(who);
    return key != 0 ? key : 1;
}

/* Its entry; with `make` the least important of its set becomes its own. */
static struct entry *entry_of(struct throttle *throttle, const char *who, bool make)
{
    uint64_t key = key_of(who);
    struct entry *set = throttle->entries[key % THROTTLE_SETS], *least = &set[0];
    for (size_t i = 0; i < THROTTLE_WAYS; i++) {
        if (set[i].key == key)
            return &set[i];
        if (set[i].until_ms < least->until_ms ||
            (set[i].until_ms == least->until_ms && set[i].failures < least->failures))
            least = &set[i];
    }
    if (!make)
        return NULL;
    *least = (struct entry){.key = key};
    return least;
}

int64_t throttle_wait(struct throttle *throttle, const char *who, int64_t now_ms)
{
    lock_take(&throttle->lock);
    const struct entry *entry = entry_of(throttle, who, false);
    int64_t wait_ms = entry != NULL && entry->until_ms > now_ms ? entry->until_ms - now_ms : 0;
    lock_give(&throttle->lock);
    return wait_ms;
}

void throttle_count(struct throttle *throttle, const char *who, uint32_t free_count, int64_t now_ms)
{
    lock_take(&throttle->lock);
    struct entry *entry = entry_of(throttle, who, true);
    if (now_ms - entry->failed_ms >= THROTTLE_FORGET_MS)
        entry->failures = 0;
    entry->failures++;
    entry->failed_ms = now_ms;
    if (entry->failures > free_count) {
        uint32_t doublings = entry->failures - free_count - 1;
        int64_t wait_ms = THROTTLE_MAX_MS;
        if (doublings < 20 && ((int64_t)THROTTLE_FIRST_MS << doublings) < THROTTLE_MAX_MS)
            wait_ms = (int64_t)THROTTLE_FIRST_MS << doublings;
        entry->until_ms = now_ms + wait_ms;
    }
    lock_give(&throttle->lock);
}

void throttle_forget(struct throttle *throttle, const char *who)
{
    lock_take(&throttle->lock);
    struct entry *entry = entry_of(throttle, who, false);
    if (entry != NULL)
        *entry = (struct entry){0};
    lock_give(&throttle->lock);
}
