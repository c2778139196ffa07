/*
 * signalling/gateway/signed_in.h - which gateway sessions are open for which sign-in, so that
 * the end of a sign-in ends them at once. Any thread.
 */
#ifndef SIGNALLING_GATEWAY_SIGNED_IN_H
#define SIGNALLING_GATEWAY_SIGNED_IN_H

#include "core/crypto.h"
#include "core/lock.h"
#include "modules/auth/presence.h"
#include "signalling/gateway/session.h"

/* Part of what a gateway session is to the commands. */
struct signed_in {
    struct signed_in *next, *prev;   /* in the list; NULL, NULL and not first: in none */
    struct gateway_session *session; /* NULL: nobody is signed in */
    char user[CRYPTO_ID_CHARS + 1], login[CRYPTO_ID_CHARS + 1];
    bool spaces;  /* it is told what happens in spaces */
    bool follows; /* and of events as they come; under the list's lock, as */
    int64_t told; /* the newest it knows of */
};

struct signed_in_list {
    struct lock lock;
    int64_t fed; /* the newest event that was told */
    struct signed_in *first;
    struct presence *presence; /* hears of sessions; may be NULL */
};

MUST_USE enum status signed_in_list_init(struct signed_in_list *list);
/* It is empty. */
void signed_in_list_fini(struct signed_in_list *list);
/* entry->session, user and login are set. */
void signed_in_add(struct signed_in_list *list, struct signed_in *entry);
/* Nothing when it was never added. */
void signed_in_remove(struct signed_in_list *list, struct signed_in *entry);
/* As auth_config.ended, with the list as context: "ended", code signed_out. */
void signed_in_ended(void *list, const char *user, const char *login, const char *keep);
/* To the sessions for spaces of these accounts, in ascending order, but not to those of `except`.
 */
void signed_in_tell(struct signed_in_list *list, const char *const *accounts, size_t count,
                    const char *except, struct gateway_payload *payload);

/* ---- events, in order (space_feed.h) ---- */

/* Nothing is told to it by itself any more. */
void signed_in_unfollow(struct signed_in_list *list, struct signed_in *entry);
/* It knows all up to `seq` and is told of what follows. False: more than that was told already, and
 * it has to read on. */
MUST_USE bool signed_in_follow(struct signed_in_list *list, struct signed_in *entry, int64_t seq);
/* The event `seq` to those of the accounts (ascending; count 0: nobody) who follow. One thread. */
void signed_in_feed(struct signed_in_list *list, const char *const *accounts, size_t count,
                    int64_t seq, struct gateway_payload *payload);

#endif
