/*
 * modules/spaces/drafts.h - what somebody has begun to write: one text for each thread of a space
 * and one for the space itself, the same on all their devices.
 *
 * Sealed with the space's key. A change is an event "draft.updated" of the account, id: the
 * space's. Threads, results and errors as in spaces.h.
 */
#ifndef MODULES_SPACES_DRAFTS_H
#define MODULES_SPACES_DRAFTS_H

#include "modules/spaces/messages.h"

enum { DRAFTS_MAX = 100 /* of one person in one space; the oldest goes */ };

struct drafts_draft {
    const char *thread; /* id of the message it hangs on; NULL: the space's own */
    const char *text;
    int64_t changed; /* ms since 1970 */
};

struct drafts_list {
    struct json_list items; /* struct drafts_draft, newest first */
};

extern const struct json_table drafts_draft_table, drafts_list_table;

/* SPACES_COMMENT. `text` "": there is none any more. Errors: STATUS_INVALID. */
MUST_USE enum status drafts_set(struct db *db, const struct spaces_who *who, const char *thread,
                                const char *text, int64_t now_ms);
/* SPACES_READ: one's own. */
MUST_USE enum status drafts_list(struct db *db, const struct spaces_who *who, struct arena *arena,
                                 struct drafts_list *ret_list);

#endif
