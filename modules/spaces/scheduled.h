/*
 * modules/spaces/scheduled.h - messages that are written when their time comes.
 *
 * One is a row, its text sealed with the space's key, and a job (modules/jobs) that is due at
 * send_at. The job writes the message and removes the row in one transaction: it is written once,
 * whatever is killed meanwhile, and right after the start when its time came while the server was
 * down. Who may not write any more when it is due is told by `failed`; the row stays. A change is
 * an event "scheduled.updated" of the account, id: the space's. Threads, results and errors as in
 * spaces.h; besides, to all but its author one is not there.
 */
#ifndef MODULES_SPACES_SCHEDULED_H
#define MODULES_SPACES_SCHEDULED_H

#include "modules/spaces/messages.h"

enum { SCHEDULED_MAX = 100 /* of one person in one space */ };
#define SCHEDULED_AHEAD_MAX_MS (INT64_C(366) * 24 * 3600 * 1000)

extern const char scheduled_kind[]; /* of the jobs; its key is the row's id */

struct scheduled_message {
    const char *id;
    const char *thread; /* whose thread it goes into; NULL: none */
    const char *text;
    struct json_list mentions; /* const char *: accounts, or "all" */
    int64_t send_at, created;  /* ms since 1970 */
    int64_t failed;            /* likewise: when it could not be written; 0: it was not tried */
};

struct scheduled_list {
    struct json_list items; /* struct scheduled_message, the next first */
};

extern const struct json_table scheduled_message_table, scheduled_list_table;

struct scheduled_wish {
    const char *text;          /* NULL: as it is */
    const char *thread;        /* NULL: none; not changed */
    struct json_list mentions; /* with a text */
    int64_t send_at;           /* 0: as it is; in the future, SCHEDULED_AHEAD_MAX_MS at most */
};

/* SPACES_COMMENT. Errors: STATUS_INVALID, STATUS_LIMIT (SCHEDULED_MAX). */
MUST_USE enum status scheduled_add(struct db *db, const struct spaces_who *who,
                                   const struct scheduled_wish *wish, int64_t now_ms,
                                   struct arena *arena, struct scheduled_message *ret_message);
/* SPACES_READ: one's own. */
MUST_USE enum status scheduled_list(struct db *db, const struct spaces_who *who,
                                    struct arena *arena, struct scheduled_list *ret_list);
/* SPACES_COMMENT. One that has failed is tried again. Errors: STATUS_INVALID. */
MUST_USE enum status scheduled_change(struct db *db, const struct spaces_who *who, const char *id,
                                      const struct scheduled_wish *wish, int64_t now_ms,
                                      struct arena *arena, struct scheduled_message *ret_message);
/* SPACES_READ. It is not written. */
MUST_USE enum status scheduled_cancel(struct db *db, const struct spaces_who *who, const char *id,
                                      int64_t now_ms);

/* The job: writes what is due. *ret_written false: it was cancelled, has failed, or is not due yet.
 * Errors: those that may pass. */
MUST_USE enum status scheduled_send(struct db *db, const char *id, int64_t now_ms,
                                    struct arena *arena, struct messages_message *ret_message,
                                    bool *ret_written);

#endif
