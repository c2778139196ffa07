/*
 * modules/auth/presence.h - who is there now, from their gateway sessions. In memory; a restart
 * forgets it, and everybody is back with their session.
 *
 * An account is online while one of its connected sessions is active, away while all of them are
 * idle, offline without any. While each of them is lost but may come back, it is as it was. A
 * session becomes idle when its page says so, or PRESENCE_IDLE_MS after the last thing its person
 * did; one in a meeting never does. What pages send by themselves is no deed.
 *
 * Nothing is swept. All sessions wait for the same time, so they wait in the order in which they
 * were active, and only the first is looked at; accounts that changed wait in another queue, each
 * once, for whoever tells them. So the cost is of changes, however many people there are.
 *
 * Any thread; time is an argument, of a clock that never goes back.
 */
#ifndef MODULES_AUTH_PRESENCE_H
#define MODULES_AUTH_PRESENCE_H

#include "core/crypto.h"

#include <stdbool.h>

enum {
    PRESENCE_MAX = 32768, /* accounts; more than gateway sessions. Others stay offline */
    PRESENCE_IDLE_MS = 600000,
};

struct presence;
struct presence_account;

enum presence_state { PRESENCE_OFFLINE, PRESENCE_AWAY, PRESENCE_ONLINE };

/* Of whoever has the session; its fields are the module's. Zero: not open. */
struct presence_session {
    struct presence_session *next, *prev; /* in the queue of those not idle, oldest first */
    struct presence_account *account;     /* NULL: not open, or not counted */
    int64_t active_ms;
    bool connected, idle, in_meeting;
};

MUST_USE enum status presence_new(struct presence **ret_presence);
/* No session is open. Accepts NULL, returns NULL. */
struct presence *presence_free(struct presence *presence);

/* `changed` runs when presence_take has something to give; NULL: nobody listens any more. It runs
 * under the lock of this module: it wakes somebody and does no more. */
void presence_listen(struct presence *presence, void (*changed)(void *context), void *context);

/* A session of the account begins, connected and active. */
void presence_open(struct presence *presence, struct presence_session *session, const char *account,
                   bool in_meeting, int64_t now_ms);
/* Nothing when it is not open. */
void presence_close(struct presence *presence, struct presence_session *session);
/* Its socket went, or came back. */
void presence_connected(struct presence *presence, struct presence_session *session,
                        bool connected);
/* Its person did something. */
void presence_active(struct presence *presence, struct presence_session *session, int64_t now_ms);
/* Nobody sits before its page, until somebody does something. */
void presence_idle(struct presence *presence, struct presence_session *session);
/* What others see of the account has changed otherwise: its picture, do not disturb. */
void presence_touched(struct presence *presence, const char *account);

enum presence_state presence_of(struct presence *presence, const char *account);
/* "online", "away", "offline". */
const char *presence_name(enum presence_state state);

struct presence_change {
    char account[CRYPTO_ID_CHARS + 1];
    enum presence_state state;
};

/* Those that changed since they were taken last, `count_max` at most, the first first. What is left
 * runs `changed` again. *ret_wait_ms: until somebody becomes idle, -1: nobody will. */
size_t presence_take(struct presence *presence, int64_t now_ms, size_t count_max,
                     struct presence_change *ret_changes, int64_t *ret_wait_ms);

#endif
