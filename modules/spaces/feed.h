/*
 * modules/spaces/feed.h - what happened in all spaces of an account, in order: for who was away.
 * Threads, results and errors as in spaces.h.
 */
#ifndef MODULES_SPACES_FEED_H
#define MODULES_SPACES_FEED_H

#include "modules/spaces/messages.h"

enum { FEED_PAGE_MAX = 200 /* events of one page */ };

struct feed_event {
    int64_t seq;
    const char *type;
    const char *space; /* NULL: it is of the account itself */
    const char *id;    /* of what changed */
    struct json_list
        messages;    /* of message.*: the one, as it is now, unless it is not to be seen */
    int64_t created; /* ms since 1970 */
};

struct feed_page {
    struct json_list items; /* struct feed_event, rising seq */
    int64_t last;           /* ask again after this one */
    bool more;              /* and at once */
};

extern const struct json_table feed_event_table, feed_page_table;

/* What the account may see, after `after`; -1: nothing but where it is now. Errors:
 * STATUS_OUT_OF_WINDOW (some after `after` are not kept any more, or it is none: reload). */
MUST_USE enum status feed_list(struct db *db, const char *account, int64_t after,
                               struct arena *arena, struct feed_page *ret_page);

/* ---- for whoever tells it at once ---- */

struct feed_told {
    struct feed_event event;
    const char *const *accounts; /* whose event it is, guests of the space too; each once */
    size_t count;
};

struct feed_news {
    struct feed_told *items; /* rising seq */
    size_t count;
    int64_t last; /* nothing else up to here */
    bool more;
};

/* All that happened after `after`, FEED_PAGE_MAX at most, and to whom it is told. What was pruned
 * is left out. */
MUST_USE enum status feed_news(struct db *db, int64_t after, int64_t now_ms, struct arena *arena,
                               struct feed_news *ret_news);

#endif
