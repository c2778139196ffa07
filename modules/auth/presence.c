#include "modules/auth/presence.h"

#include "core/lock.h"
#include "core/map.h"

#include <stdlib.h>
#include <string.h>

struct entry {
    struct entry *next, *prev; /* by the number of its last change, the latest first */
    char account[CRYPTO_ID_CHARS + 1];
    uint32_t open;                  /* gateway sessions */
    int64_t here_until, seen_until; /* by questions: before the page, or of any */
    int64_t changed;                /* number */
    enum presence_state told;
    bool touched;
};

struct presence {
    struct lock lock;
    struct map *entries;
    struct entry *first, *last;
    size_t count;
    int64_t number, swept_ms;
};

enum status presence_new(struct presence **ret_presence)
{
    struct presence *presence = calloc(1, sizeof *presence);
    if (presence == NULL)
        return STATUS_NO_MEMORY;
    enum status status = lock_init(&presence->lock);
    if (status != STATUS_OK) {
        free(presence);
        return status;
    }
    status = map_new(&presence->entries);
    if (status != STATUS_OK) {
        presence_free(presence);
        return status;
    }
    /* Not where another run was, so that who was told by it is seen to have missed something. */
    presence->number = (int64_t)crypto_random_u32() + 1;
    *ret_presence = presence;
    return STATUS_OK;
}

struct presence *presence_free(struct presence *presence)
{
    if (presence == NULL)
        return NULL;
    while (presence->first != NULL) {
        struct entry *entry = presence->first;
        presence->first = entry->next;
        free(entry);
    }
    map_free(presence->entries);
    lock_fini(&presence->lock);
    free(presence);
    return NULL;
}

/* ---- the list ---- */

static void unlink_entry(struct presence *presence, struct entry *entry)
{
    *(entry->prev != NULL ? &entry->prev->next : &presence->first) = entry->next;
    *(entry->next != NULL ? &entry->next->prev : &presence->last) = entry->prev;
    entry->next = entry->prev = NULL;
}

static void link_first(struct presence *presence, struct entry *entry)
{
    entry->next = presence->first;
    *(entry->next != NULL ? &entry->next->prev : &presence->last) = entry;
    presence->first = entry;
}

static void link_last(struct presence *presence, struct entry *entry)
{
    entry->prev = presence->last;
    *(entry->prev != NULL ? &entry->prev->next : &presence->first) = entry;
    presence->last = entry;
}

static bool forgettable(const struct entry *entry)
{
    return entry->told == PRESENCE_OFFLINE && entry->open == 0 && entry->seen_until == 0;
}

/* Room for one more: who has been offline longest is forgotten. */
static bool room_make(struct presence *presence)
{
    struct entry *oldest = presence->last;
    if (presence->count < PRESENCE_MAX)
        return true;
    if (!forgettable(oldest))
        return false;
    unlink_entry(presence, oldest);
    map_remove(presence->entries, map_key_of(oldest->account));
    free(oldest);
    presence->count--;
    return true;
}

static struct entry *entry_of(struct presence *presence, const char *account, bool make)
{
    uint64_t key = map_key_of(account);
    struct entry *entry = map_get(presence->entries, key);
    if (entry != NULL && strcmp(entry->account, account) != 0)
        return NULL; /* two of one key: the second stays offline */
    if (entry != NULL || !make || strlen(account) > CRYPTO_ID_CHARS || !room_make(presence))
        return entry;
    entry = calloc(1, sizeof *entry);
    if (entry == NULL || map_put(presence->entries, key, entry) != STATUS_OK) {
        free(entry);
        return NULL;
    }
    memcpy(entry->account, account, strlen(account) + 1);
    link_last(presence, entry);
    presence->count++;
    return entry;
}

/* ---- what is ---- */

static enum presence_state state_of(struct entry *entry, int64_t now_ms)
{
    if (entry->seen_until <= now_ms)
        entry->seen_until = 0;
    if (entry->open > 0 || entry->here_until > now_ms)
        return PRESENCE_ONLINE;
    return entry->seen_until > 0 ? PRESENCE_AWAY : PRESENCE_OFFLINE;
}

/* Numbers what changed since the last time. */
static void sweep(struct presence *presence, int64_t now_ms)
{
    if (now_ms - presence->swept_ms < PRESENCE_EVERY_MS && now_ms >= presence->swept_ms)
        return;
    presence->swept_ms = now_ms;
    struct entry *next;
    for (struct entry *entry = presence->first; entry != NULL; entry = next) {
        next = entry->next;
        enum presence_state state = state_of(entry, now_ms);
        if (state == entry->told && !entry->touched)
            continue;
        entry->told = state;
        entry->touched = false;
        entry->changed = ++presence->number;
        unlink_entry(presence, entry);
        link_first(presence, entry);
    }
}

void presence_opened(struct presence *presence, const char *account, int64_t now_ms)
{
    lock_take(&presence->lock);
    struct entry *entry = entry_of(presence, account, true);
    if (entry != NULL)
        entry->open++;
    sweep(presence, now_ms);
    lock_give(&presence->lock);
}

void presence_closed(struct presence *presence, const char *account, int64_t now_ms)
{
    lock_take(&presence->lock);
    struct entry *entry = entry_of(presence, account, false);
    if (entry != NULL && entry->open > 0)
        entry->open--;
    sweep(presence, now_ms);
    lock_give(&presence->lock);
}

void presence_seen(struct presence *presence, const char *account, bool away, int64_t now_ms)
{
    lock_take(&presence->lock);
    struct entry *entry = entry_of(presence, account, true);
    if (entry != NULL)
        entry->seen_until = now_ms + PRESENCE_SEEN_MS;
    if (entry != NULL && !away)
        entry->here_until = now_ms + PRESENCE_SEEN_MS;
    sweep(presence, now_ms);
    lock_give(&presence->lock);
}

void presence_touched(struct presence *presence, const char *account, int64_t now_ms)
{
    lock_take(&presence->lock);
    struct entry *entry = entry_of(presence, account, true);
    if (entry != NULL)
        entry->touched = true;
    sweep(presence, now_ms);
    lock_give(&presence->lock);
}

enum presence_state presence_of(struct presence *presence, const char *account)
{
    lock_take(&presence->lock);
    const struct entry *entry = entry_of(presence, account, false);
    enum presence_state state = entry != NULL ? entry->told : PRESENCE_OFFLINE;
    lock_give(&presence->lock);
    return state;
}

const char *presence_name(enum presence_state state)
{
    static const char *const names[] = {
        [PRESENCE_OFFLINE] = "offline", [PRESENCE_AWAY] = "away", [PRESENCE_ONLINE] = "online"};
    return names[state];
}

void presence_changes(struct presence *presence, int64_t after, int64_t now_ms,
                      struct presence_page *ret_page)
{
    lock_take(&presence->lock);
    sweep(presence, now_ms);
    ret_page->count = 0;
    ret_page->last = presence->number;
    /* A number of before a restart is none of ours. */
    ret_page->missed = after > presence->number;
    for (const struct entry *entry = presence->first;
         entry != NULL && after >= 0 && entry->changed > after && !ret_page->missed;
         entry = entry->next) {
        ret_page->missed = ret_page->count == PRESENCE_PAGE_MAX;
        if (ret_page->missed)
            break;
        struct presence_change *change = &ret_page->items[ret_page->count++];
        memcpy(change->account, entry->account, sizeof change->account);
        change->state = entry->told;
    }
    lock_give(&presence->lock);
}
