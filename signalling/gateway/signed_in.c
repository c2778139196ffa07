#include "signalling/gateway/signed_in.h"

#include "core/clock.h"

#include <stdlib.h>
#include <string.h>

enum status signed_in_list_init(struct signed_in_list *list)
{
    *list = (struct signed_in_list){.people = NULL};
    enum status status = lock_init(&list->lock);
    if (status != STATUS_OK)
        return status;
    status = map_new(&list->people);
    if (status != STATUS_OK)
        lock_fini(&list->lock);
    return status;
}

void signed_in_list_fini(struct signed_in_list *list)
{
    list->people = map_free(list->people);
    lock_fini(&list->lock);
}

/* Under the lock: from `entry` on, the first session of the person. */
static struct signed_in *same(struct signed_in *entry, const char *user)
{
    while (entry != NULL && strcmp(entry->user, user) != 0)
        entry = entry->next;
    return entry;
}

static struct signed_in *first_of(const struct signed_in_list *list, const char *user)
{
    return same(map_get(list->people, map_key_of(user)), user);
}

static int64_t now_ms(void)
{
    return (int64_t)(clock_mono_ns() / CLOCK_NS_PER_MS);
}

static bool counts(const struct signed_in_list *list, const struct signed_in *entry)
{
    return list->presence != NULL && !entry->guest && entry->session != NULL;
}

static void guest_link(struct signed_in_list *list, struct signed_in *entry)
{
    entry->prev_guest = NULL;
    entry->next_guest = list->guests;
    if (list->guests != NULL)
        list->guests->prev_guest = entry;
    list->guests = entry;
}

static void guest_unlink(struct signed_in_list *list, struct signed_in *entry)
{
    if (entry->next_guest != NULL)
        entry->next_guest->prev_guest = entry->prev_guest;
    if (entry->prev_guest != NULL)
        entry->prev_guest->next_guest = entry->next_guest;
    else
        list->guests = entry->next_guest;
}

enum status signed_in_add(struct signed_in_list *list, struct signed_in *entry)
{
    uint64_t key = map_key_of(entry->user);
    lock_take(&list->lock);
    struct signed_in *first = map_get(list->people, key);
    enum status status = map_put(list->people, key, entry);
    if (status == STATUS_OK) {
        entry->prev = NULL;
        entry->next = first;
        if (first != NULL)
            first->prev = entry;
        if (entry->guest)
            guest_link(list, entry);
    } else {
        entry->session = NULL;
    }
    lock_give(&list->lock);
    if (counts(list, entry))
        presence_open(list->presence, &entry->presence, entry->user, !entry->spaces, now_ms());
    return status;
}

void signed_in_remove(struct signed_in_list *list, struct signed_in *entry)
{
    if (entry->session == NULL)
        return;
    lock_take(&list->lock);
    if (entry->next != NULL)
        entry->next->prev = entry->prev;
    if (entry->prev != NULL)
        entry->prev->next = entry->next;
    else if (entry->next == NULL)
        map_remove(list->people, map_key_of(entry->user));
    else /* replaces, which takes no memory */
        (void)!map_put(list->people, map_key_of(entry->user), entry->next);
    if (entry->guest)
        guest_unlink(list, entry);
    lock_give(&list->lock);
    if (counts(list, entry))
        presence_close(list->presence, &entry->presence);
}

/* gateway_end only queues, so it may be called under the lock; that keeps the entries alive. */
void signed_in_ended(void *context, const char *user, const char *login, const char *keep)
{
    struct signed_in_list *list = context;
    lock_take(&list->lock);
    for (struct signed_in *entry = first_of(list, user); entry != NULL;
         entry = same(entry->next, user)) {
        if ((login == NULL || strcmp(entry->login, login) == 0) &&
            (keep == NULL || strcmp(entry->login, keep) != 0))
            gateway_end(entry->session, "ended", "signed_out");
    }
    lock_give(&list->lock);
}

bool signed_in_has(struct signed_in_list *list, const char *user)
{
    lock_take(&list->lock);
    bool found = first_of(list, user) != NULL;
    lock_give(&list->lock);
    return found;
}

enum status signed_in_guests(struct signed_in_list *list, const char *space, struct arena *arena,
                             struct json_list *ret_ids)
{
    size_t count = 0, found = 0;
    lock_take(&list->lock);
    for (const struct signed_in *entry = list->guests; entry != NULL; entry = entry->next_guest)
        count += strcmp(entry->room, space) == 0;
    const char **ids = arena_alloc(arena, (count + 1) * sizeof *ids);
    for (const struct signed_in *entry = list->guests; entry != NULL && ids != NULL;
         entry = entry->next_guest) {
        if (strcmp(entry->room, space) == 0 &&
            (ids[found++] = arena_strdup(arena, entry->user)) == NULL)
            ids = NULL;
    }
    lock_give(&list->lock);
    if (ids == NULL)
        return STATUS_NO_MEMORY;
    *ret_ids = (struct json_list){.items = ids, .count = count};
    return STATUS_OK;
}

/* A dispatch only queues, as above. */
void signed_in_tell(struct signed_in_list *list, const char *const *people, size_t count,
                    const char *except, struct gateway_payload *payload)
{
    lock_take(&list->lock);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(people[i], except) == 0)
            continue;
        for (struct signed_in *entry = first_of(list, people[i]); entry != NULL;
             entry = same(entry->next, people[i])) {
            if (entry->spaces)
                gateway_dispatch_payload(entry->session, payload);
        }
    }
    lock_give(&list->lock);
}

/* ---- who is there ---- */

void signed_in_connected(struct signed_in_list *list, struct signed_in *entry, bool connected)
{
    if (counts(list, entry))
        presence_connected(list->presence, &entry->presence, connected);
}

void signed_in_active(struct signed_in_list *list, struct signed_in *entry)
{
    if (counts(list, entry))
        presence_active(list->presence, &entry->presence, now_ms());
}

void signed_in_idle(struct signed_in_list *list, struct signed_in *entry)
{
    if (counts(list, entry))
        presence_idle(list->presence, &entry->presence);
}

void signed_in_meet(struct signed_in_list *list, struct signed_in *entry)
{
    lock_take(&list->lock);
    entry->people = true;
    lock_give(&list->lock);
}

void signed_in_greet(struct signed_in_list *list, const char *user, struct gateway_payload *payload)
{
    lock_take(&list->lock);
    for (struct signed_in *entry = first_of(list, user); entry != NULL;
         entry = same(entry->next, user)) {
        if (entry->people)
            gateway_dispatch_payload(entry->session, payload);
    }
    lock_give(&list->lock);
}

/* ---- events ---- */

void signed_in_unfollow(struct signed_in_list *list, struct signed_in *entry)
{
    lock_take(&list->lock);
    entry->follows = false;
    lock_give(&list->lock);
}

bool signed_in_follow(struct signed_in_list *list, struct signed_in *entry, int64_t seq)
{
    lock_take(&list->lock);
    bool caught_up = list->fed <= seq;
    entry->follows = caught_up;
    entry->told = seq;
    lock_give(&list->lock);
    return caught_up;
}

void signed_in_feed(struct signed_in_list *list, const char *const *people, size_t count,
                    int64_t seq, struct gateway_payload *payload)
{
    lock_take(&list->lock);
    list->fed = seq;
    for (size_t i = 0; i < count; i++) {
        for (struct signed_in *entry = first_of(list, people[i]); entry != NULL;
             entry = same(entry->next, people[i])) {
            if (entry->follows && entry->told < seq)
                gateway_dispatch_payload(entry->session, payload);
        }
    }
    lock_give(&list->lock);
}
