/*
 * signalling/gateway/signed_in.h - which gateway sessions are open for which sign-in, so that
 * the end of a sign-in ends them at once, and what is told to somebody finds them. Guests of a
 * space are here too, under the id of their row. Any thread.
 */
#ifndef SIGNALLING_GATEWAY_SIGNED_IN_H
#define SIGNALLING_GATEWAY_SIGNED_IN_H

#include "core/crypto.h"
#include "core/lock.h"
#include "core/map.h"
#include "modules/auth/presence.h"
#include "modules/spaces/spaces.h"
#include "signalling/gateway/session.h"

/* Part of what a gateway session is to the commands. */
struct signed_in {
    struct signed_in *next, *prev;   /* of one person, or of one key of the map */
    struct gateway_session *session; /* NULL: nobody is signed in */
    char user[CRYPTO_ID_CHARS + 1], login[CRYPTO_ID_CHARS + 1]; /* of a guest: both their id */
    bool guest;
    char room[SPACES_ID_MAX + 1]; /* of a guest: the space they are in */
    struct signed_in *next_guest, *prev_guest;
    bool spaces;  /* it is told what happens in spaces */
    bool people;  /* and who comes and goes; under the list's lock, as */
    bool follows; /* of events as they come */
    int64_t told; /* the newest it knows of */
    struct presence_session presence;
};

struct signed_in_list {
    struct lock lock;
    int64_t fed;        /* the newest event that was told */
    struct map *people; /* of each, the first of their sessions */
    struct signed_in *guests;
    struct presence *presence; /* hears of sessions; may be NULL */
};

MUST_USE enum status signed_in_list_init(struct signed_in_list *list);
/* It is empty. */
void signed_in_list_fini(struct signed_in_list *list);
/* entry->session, user, login, guest, room and spaces are set. Errors: STATUS_NO_MEMORY (and
 * signed_in_remove does nothing). */
MUST_USE enum status signed_in_add(struct signed_in_list *list, struct signed_in *entry);
/* Nothing when it was never added. */
void signed_in_remove(struct signed_in_list *list, struct signed_in *entry);
/* As auth_config.ended, with the list as context: "ended", code signed_out. */
void signed_in_ended(void *list, const char *user, const char *login, const char *keep);
/* Whether anybody of that id is here. */
bool signed_in_has(struct signed_in_list *list, const char *user);
/* The ids of the guests of a space who are here, in the arena. Errors: STATUS_NO_MEMORY. */
MUST_USE enum status signed_in_guests(struct signed_in_list *list, const char *space,
                                      struct arena *arena, struct json_list *ret_ids);
/* To the sessions for spaces of these people, each once, but not to those of `except`. */
void signed_in_tell(struct signed_in_list *list, const char *const *people, size_t count,
                    const char *except, struct gateway_payload *payload);

/* ---- who is there (modules/auth/presence.h); nothing for guests ---- */

/* Its socket went, or came back. */
void signed_in_connected(struct signed_in_list *list, struct signed_in *entry, bool connected);
/* Its person did something; or nobody sits before it. */
void signed_in_active(struct signed_in_list *list, struct signed_in *entry);
void signed_in_idle(struct signed_in_list *list, struct signed_in *entry);
/* It is told from now on who comes and goes. */
void signed_in_meet(struct signed_in_list *list, struct signed_in *entry);
/* To the sessions of this one that are told of people. */
void signed_in_greet(struct signed_in_list *list, const char *user,
                     struct gateway_payload *payload);

/* ---- events, in order (space_feed.h) ---- */

/* Nothing is told to it by itself any more. */
void signed_in_unfollow(struct signed_in_list *list, struct signed_in *entry);
/* It knows all up to `seq` and is told of what follows. False: more than that was told already, and
 * it has to read on. */
MUST_USE bool signed_in_follow(struct signed_in_list *list, struct signed_in *entry, int64_t seq);
/* The event `seq` to those of the people (each once; count 0: nobody) who follow. One thread. */
void signed_in_feed(struct signed_in_list *list, const char *const *people, size_t count,
                    int64_t seq, struct gateway_payload *payload);

#endif
