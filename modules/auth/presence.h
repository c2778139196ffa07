/*
 * modules/auth/presence.h - who is there now: from open gateway sessions and from pages that ask
 * what happened. In memory; a restart forgets it, and everybody is back within one question.
 *
 * Changes are numbered once a PRESENCE_EVERY_MS, so that a page loaded anew is no change at all.
 * Whoever asks is told each account once, and of PRESENCE_PAGE_MAX at most: when more changed they
 * look at what is on their screen anew. So a question costs the same however many people there are.
 *
 * Any thread; time is an argument.
 */
#ifndef MODULES_AUTH_PRESENCE_H
#define MODULES_AUTH_PRESENCE_H

#include "core/crypto.h"

#include <stdbool.h>

enum {
    PRESENCE_MAX = 16384,    /* accounts that are told of; more stay offline to others */
    PRESENCE_PAGE_MAX = 100, /* changes of one answer */
    PRESENCE_EVERY_MS = 2000,
    PRESENCE_SEEN_MS = 25000, /* a page that is hidden asks every ten seconds */
};

struct presence;

enum presence_state { PRESENCE_OFFLINE, PRESENCE_AWAY, PRESENCE_ONLINE };

MUST_USE enum status presence_new(struct presence **ret_presence);
/* Accepts NULL, returns NULL. */
struct presence *presence_free(struct presence *presence);

/* A gateway session of the account begins, ends. */
void presence_opened(struct presence *presence, const char *account, int64_t now_ms);
void presence_closed(struct presence *presence, const char *account, int64_t now_ms);
/* A page of it asked; `away`: nobody sits before it. */
void presence_seen(struct presence *presence, const char *account, bool away, int64_t now_ms);
/* What others see of it has changed otherwise: its picture, do not disturb. */
void presence_touched(struct presence *presence, const char *account, int64_t now_ms);

/* As was told last. */
enum presence_state presence_of(struct presence *presence, const char *account);
/* "online", "away", "offline". */
const char *presence_name(enum presence_state state);

struct presence_change {
    char account[CRYPTO_ID_CHARS + 1];
    enum presence_state state;
};

struct presence_page {
    struct presence_change items[PRESENCE_PAGE_MAX]; /* the latest first */
    size_t count;
    int64_t last; /* ask after this one next; never 0 */
    bool missed;  /* there were more */
};

/* What changed after number `after`; -1: nothing but where it is now. */
void presence_changes(struct presence *presence, int64_t after, int64_t now_ms,
                      struct presence_page *ret_page);

#endif
