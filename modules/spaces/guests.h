/*
 * modules/spaces/guests.h - who is in a space by a link and a name, without an account.
 *
 * A guest is a row: a name, sealed, and the SHA-256 of their session's token. It is good for that
 * one space, where it may what a viewer may (spaces_seat), and counts while its link is there, is
 * not over, and the space's link policy is not "none": all of that is asked anew each time.
 * Threads, results and errors as in spaces.h.
 */
#ifndef MODULES_SPACES_GUESTS_H
#define MODULES_SPACES_GUESTS_H

#include "modules/spaces/spaces.h"

enum {
    SPACES_GUESTS_MAX = 200,     /* of a space, those that are over not counted */
    SPACES_GUEST_SEEN_MS = 60000 /* how exactly `seen` is kept: a write for each is too much */
};

struct spaces_guest {
    const char *id, *space, *name;
    const char *token; /* of a new one only; NULL */
    int64_t expires, created;
    /* For owners; else NULL, 0: the link by which they came, who made it and when; last request. */
    const char *link, *link_maker;
    int64_t link_created, seen;
};

struct spaces_guests {
    struct json_list items; /* struct spaces_guest that are not over, by id */
};

extern const struct json_table spaces_guest_table, spaces_guests_table;

/* By a link that lets guests in. Event "guest.added". Errors: STATUS_NOT_FOUND (as
 * spaces_link_take, or not for guests), STATUS_INVALID (name), STATUS_LIMIT (SPACES_GUESTS_MAX). */
MUST_USE enum status guests_enter(struct db *db, const char *link_token, const char *name,
                                  int64_t now_ms, struct arena *arena,
                                  struct spaces_guest *ret_guest);
/* Whose session it is; they are seen. Errors: STATUS_DENIED (nobody's, or over). */
MUST_USE enum status guests_check(struct db *db, const char *token, int64_t now_ms,
                                  struct arena *arena, struct spaces_guest *ret_guest);
/* Likewise, by the guest's id. */
MUST_USE enum status guests_check_id(struct db *db, const char *id, int64_t now_ms,
                                     struct arena *arena, struct spaces_guest *ret_guest);
/* SPACES_READ. */
MUST_USE enum status guests_list(struct db *db, const struct spaces_who *who, int64_t now_ms,
                                 struct arena *arena, struct spaces_guests *ret_guests);
/* SPACES_MANAGE, or one leaves. Event "guest.removed". */
MUST_USE enum status guests_remove(struct db *db, const struct spaces_who *who, const char *id,
                                   int64_t now_ms);

#endif
