#include "modules/auth/presence.h"

#include "core/lock.h"
#include "core/map.h"

#include <stdlib.h>
#include <string.h>

struct presence_account {
    struct presence_account *next; /* of those that changed */
    char id[CRYPTO_ID_CHARS + 1];
    uint32_t open, connected, active; /* sessions; active ones are connected */
    enum presence_state state, told;
    bool touched, waits; /* to be taken */
};

struct presence {
    struct lock lock;
    struct map *accounts;
    struct presence_account *changed_first, **changed_end;
    struct presence_session *oldest, *newest;
    void (*changed)(void *context);
    void *context;
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
    presence->changed_end = &presence->changed_first;
    status = map_new(&presence->accounts);
    if (status != STATUS_OK) {
        presence_free(presence);
        return status;
    }
    *ret_presence = presence;
    return STATUS_OK;
}

struct presence *presence_free(struct presence *presence)
{
    if (presence == NULL)
        return NULL;
    while (presence->changed_first != NULL) {
        struct presence_account *account = presence->changed_first;
        presence->changed_first = account->next;
        free(account);
    }
    map_free(presence->accounts);
    lock_fini(&presence->lock);
    free(presence);
    return NULL;
}

void presence_listen(struct presence *presence, void (*changed)(void *context), void *context)
{
    lock_take(&presence->lock);
    presence->changed = changed;
    presence->context = context;
    if (changed != NULL && (presence->changed_first != NULL || presence->oldest != NULL))
        changed(context);
    lock_give(&presence->lock);
}

static void call_changed(const struct presence *presence)
{
    if (presence->changed != NULL)
        presence->changed(presence->context);
}

/* ---- accounts; all under the lock ---- */

static struct presence_account *account_find(const struct presence *presence, const char *id)
{
    struct presence_account *account = map_get(presence->accounts, map_key_of(id));
    /* Two of one key: the second stays offline. */
    return account != NULL && strcmp(account->id, id) == 0 ? account : NULL;
}

static struct presence_account *account_of(struct presence *presence, const char *id)
{
    uint64_t key = map_key_of(id);
    struct presence_account *account = map_get(presence->accounts, key);
    if (account != NULL)
        return account_find(presence, id);
    if (strlen(id) > CRYPTO_ID_CHARS || map_count(presence->accounts) >= PRESENCE_MAX)
        return NULL;
    account = calloc(1, sizeof *account);
    if (account == NULL || map_put(presence->accounts, key, account) != STATUS_OK) {
        free(account);
        return NULL;
    }
    memcpy(account->id, id, strlen(id) + 1);
    return account;
}

/* Nothing to be said of it, and nobody there. */
static void account_forget(struct presence *presence, struct presence_account *account)
{
    if (account->open > 0 || account->waits)
        return;
    map_remove(presence->accounts, map_key_of(account->id));
    free(account);
}

static void account_waits(struct presence *presence, struct presence_account *account)
{
    if (account->waits)
        return;
    account->waits = true;
    account->next = NULL;
    *presence->changed_end = account;
    presence->changed_end = &account->next;
    call_changed(presence);
}

static void account_count(struct presence *presence, struct presence_account *account)
{
    if (account->active > 0)
        account->state = PRESENCE_ONLINE;
    else if (account->connected > 0)
        account->state = PRESENCE_AWAY;
    else if (account->open == 0)
        account->state = PRESENCE_OFFLINE;
    if (account->state != account->told)
        account_waits(presence, account);
}

/* ---- sessions; all under the lock ---- */

static void session_dequeue(struct presence *presence, struct presence_session *session)
{
    if (session->prev != NULL)
        session->prev->next = session->next;
    else
        presence->oldest = session->next;
    if (session->next != NULL)
        session->next->prev = session->prev;
    else
        presence->newest = session->prev;
    session->next = session->prev = NULL;
}

static void session_enqueue(struct presence *presence, struct presence_session *session,
                            int64_t now_ms)
{
    session->active_ms = now_ms;
    session->next = NULL;
    session->prev = presence->newest;
    if (presence->newest != NULL)
        presence->newest->next = session;
    else
        presence->oldest = session;
    presence->newest = session;
    if (presence->oldest == session)
        call_changed(presence); /* whoever takes has to know how long to wait */
}

static void session_set(struct presence *presence, struct presence_session *session, bool connected,
                        bool idle)
{
    struct presence_account *account = session->account;
    account->connected += (uint32_t)connected - (uint32_t)session->connected;
    account->active +=
        (uint32_t)(connected && !idle) - (uint32_t)(session->connected && !session->idle);
    session->connected = connected;
    session->idle = idle;
    account_count(presence, account);
}

void presence_open(struct presence *presence, struct presence_session *session, const char *account,
                   bool in_meeting, int64_t now_ms)
{
    lock_take(&presence->lock);
    *session = (struct presence_session){.account = account_of(presence, account),
                                         .in_meeting = in_meeting};
    if (session->account != NULL) {
        session->account->open++;
        session_set(presence, session, true, false);
        if (!in_meeting)
            session_enqueue(presence, session, now_ms);
    }
    lock_give(&presence->lock);
}

void presence_close(struct presence *presence, struct presence_session *session)
{
    lock_take(&presence->lock);
    struct presence_account *account = session->account;
    if (account != NULL) {
        if (!session->in_meeting && !session->idle)
            session_dequeue(presence, session);
        account->open--;
        session_set(presence, session, false, false);
        session->account = NULL;
        account_forget(presence, account);
    }
    lock_give(&presence->lock);
}

void presence_connected(struct presence *presence, struct presence_session *session, bool connected)
{
    lock_take(&presence->lock);
    if (session->account != NULL)
        session_set(presence, session, connected, session->idle);
    lock_give(&presence->lock);
}

void presence_active(struct presence *presence, struct presence_session *session, int64_t now_ms)
{
    lock_take(&presence->lock);
    if (session->account != NULL && session == presence->newest) {
        session->active_ms = now_ms;
    } else if (session->account != NULL && !session->in_meeting) {
        if (!session->idle)
            session_dequeue(presence, session);
        session_enqueue(presence, session, now_ms);
        session_set(presence, session, session->connected, false);
    }
    lock_give(&presence->lock);
}

static void session_idles(struct presence *presence, struct presence_session *session)
{
    session_dequeue(presence, session);
    session_set(presence, session, session->connected, true);
}

void presence_idle(struct presence *presence, struct presence_session *session)
{
    lock_take(&presence->lock);
    if (session->account != NULL && !session->in_meeting && !session->idle)
        session_idles(presence, session);
    lock_give(&presence->lock);
}

void presence_touched(struct presence *presence, const char *account)
{
    lock_take(&presence->lock);
    struct presence_account *touched = account_of(presence, account);
    if (touched != NULL) {
        touched->touched = true;
        account_waits(presence, touched);
    }
    lock_give(&presence->lock);
}

/* ---- asking ---- */

enum presence_state presence_of(struct presence *presence, const char *account)
{
    lock_take(&presence->lock);
    const struct presence_account *found = account_find(presence, account);
    enum presence_state state = found != NULL ? found->state : PRESENCE_OFFLINE;
    lock_give(&presence->lock);
    return state;
}

const char *presence_name(enum presence_state state)
{
    static const char *const names[] = {
        [PRESENCE_OFFLINE] = "offline", [PRESENCE_AWAY] = "away", [PRESENCE_ONLINE] = "online"};
    return names[state];
}

/* The first that changed, no longer waiting; false when it is as it was told. */
static bool account_take(struct presence *presence, struct presence_change *change)
{
    struct presence_account *account = presence->changed_first;
    presence->changed_first = account->next;
    if (account->next == NULL)
        presence->changed_end = &presence->changed_first;
    bool news = account->touched || account->state != account->told;
    memcpy(change->account, account->id, sizeof change->account);
    change->state = account->told = account->state;
    account->waits = account->touched = false;
    account_forget(presence, account);
    return news;
}

size_t presence_take(struct presence *presence, int64_t now_ms, size_t count_max,
                     struct presence_change *ret_changes, int64_t *ret_wait_ms)
{
    size_t count = 0;
    lock_take(&presence->lock);
    while (presence->oldest != NULL && now_ms - presence->oldest->active_ms >= PRESENCE_IDLE_MS)
        session_idles(presence, presence->oldest);
    while (presence->changed_first != NULL && count < count_max)
        count += account_take(presence, &ret_changes[count]);
    if (presence->changed_first != NULL)
        call_changed(presence);
    *ret_wait_ms =
        presence->oldest != NULL ? presence->oldest->active_ms + PRESENCE_IDLE_MS - now_ms : -1;
    lock_give(&presence->lock);
    return count;
}
