/*
 * modules/spaces/links.h - links that let whoever has them into a space: with an account, and those
 * that are for guests too, with a name.
 *
 * A link's token is 256 random bits, stored as SHA-256. It gives at most the role of who makes it
 * and at most the space's link policy, when it is made and when it is taken. Threads, results and
 * errors as in spaces.h.
 */
#ifndef MODULES_SPACES_LINKS_H
#define MODULES_SPACES_LINKS_H

#include "modules/spaces/spaces.h"

enum { SPACES_USES_MAX = 5000 };

#define SPACES_LINK_LIFE_MS INT64_C(604800000)      /* 7 days, when nobody says otherwise */
#define SPACES_LINK_LIFE_MAX_MS INT64_C(7776000000) /* 90 days */

struct spaces_link {
    const char *id, *role, *maker;
    const char *token; /* of a new one only; NULL */
    int64_t uses;      /* how many more; -1: any number */
    bool guests;       /* whoever has no account comes in by a name (guests.h) */
    int64_t expires, created;
};

struct spaces_links {
    struct json_list items; /* struct spaces_link that are not over, by id */
};

extern const struct json_table spaces_link_table, spaces_links_table;

struct spaces_link_new {
    const char *role; /* NULL: "viewer" */
    int64_t uses;     /* 0: any number */
    int64_t life_ms;  /* 0: SPACES_LINK_LIFE_MS */
    bool guests;      /* with "viewer" only */
};

/* SPACES_INVITE. Event "link.added". Errors: STATUS_INVALID, STATUS_LIMIT, STATUS_DENIED also for
 * more than the maker or the policy may. */
MUST_USE enum status spaces_link_add(struct db *db, const struct spaces_who *who,
                                     const struct spaces_link_new *wish, int64_t now_ms,
                                     struct arena *arena, struct spaces_link *ret_link);
/* SPACES_INVITE. */
MUST_USE enum status spaces_link_list(struct db *db, const struct spaces_who *who, int64_t now_ms,
                                      struct arena *arena, struct spaces_links *ret_links);
/* SPACES_INVITE for one's own, else SPACES_MANAGE. Its guests are out. Event "link.removed". */
MUST_USE enum status spaces_link_remove(struct db *db, const struct spaces_who *who, const char *id,
                                        int64_t now_ms);
/* The account enters; who is in it already uses nothing up. Errors: STATUS_NOT_FOUND (no such link,
 * over, used up, or its maker or the policy may not any more), STATUS_LIMIT. */
MUST_USE enum status spaces_link_take(struct db *db, const char *account, const char *token,
                                      int64_t now_ms, struct arena *arena,
                                      struct spaces_space *ret_space);

/* Of all spaces: links and shares (shares.h) that were over before before_ms go. */
MUST_USE enum status links_prune(struct db *db, int64_t before_ms);

#endif
