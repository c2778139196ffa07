#include "signalling/gateway/signed_in.h"

#include "core/clock.h"

#include <stdlib.h>
#include <string.h>

enum status signed_in_list_init(struct signed_in_list *list)
{
    *list = (struct signed_in_list){.first = NULL};
    return lock_init(&list->lock);
}

void signed_in_list_fini(struct signed_in_list *list)
{
    lock_fini(&list->lock);
}

void signed_in_add(struct signed_in_list *list, struct signed_in *entry)
{
    lock_take(&list->lock);
    entry->prev = NULL;
    entry->next = list->first;
    if (list->first != NULL)
        list->first->prev = entry;
    list->first = entry;
    lock_give(&list->lock);
    if (list->presence != NULL)
        presence_opened(list->presence, entry->user, clock_wall_ms());
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
    else
        list->first = entry->next;
    lock_give(&list->lock);
    if (list->presence != NULL)
        presence_closed(list->presence, entry->user, clock_wall_ms());
}

/* gateway_end only queues, so it may be called under the lock; that keeps the entries alive. */
void signed_in_ended(void *context, const char *user, const char *login, const char *keep)
{
    struct signed_in_list *list = context;
    lock_take(&list->lock);
    for (struct signed_in *entry = list->first; entry != NULL; entry = entry->next) {
        if (strcmp(entry->user, user) != 0 || (login != NULL && strcmp(entry->login, login) != 0) ||
            (keep != NULL && strcmp(entry->login, keep) == 0))
            continue;
        gateway_end(entry->session, "ended", "signed_out");
    }
    lock_give(&list->lock);
}

static int account_compare(const void *sought, const void *entry)
{
    return strcmp(sought, *(const char *const *)entry);
}

/* A dispatch only queues, as above. */
void signed_in_tell(struct signed_in_list *list, const char *const *accounts, size_t count,
                    const char *except, struct gateway_payload *payload)
{
    lock_take(&list->lock);
    for (struct signed_in *entry = list->first; entry != NULL; entry = entry->next) {
        if (entry->spaces && strcmp(entry->user, except) != 0 &&
            bsearch(entry->user, accounts, count, sizeof accounts[0], account_compare) != NULL)
            gateway_dispatch_payload(entry->session, payload);
    }
    lock_give(&list->lock);
}

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

void signed_in_feed(struct signed_in_list *list, const char *const *accounts, size_t count,
                    int64_t seq, struct gateway_payload *payload)
{
    lock_take(&list->lock);
    list->fed = seq;
    for (struct signed_in *entry = count > 0 ? list->first : NULL; entry != NULL;
         entry = entry->next) {
        if (entry->follows && entry->told < seq &&
            bsearch(entry->user, accounts, count, sizeof accounts[0], account_compare) != NULL)
            gateway_dispatch_payload(entry->session, payload);
    }
    lock_give(&list->lock);
}
