/*
 * storage/event.h - what happened, in order: every change writes a row here in its own
 * transaction, so that who was away can be told from a sequence number on.
 *
 * Sequence numbers rise over the whole database, never come again, and have gaps seen
 * from one scope. Old rows are pruned; who asks for them is told to reload.
 */
#ifndef STORAGE_EVENT_H
#define STORAGE_EVENT_H

#include "core/arena.h"
#include "storage/db.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    EVENT_LIST_MAX = 500,   /* rows of one event_list */
    EVENT_PRUNE_MAX = 2000, /* rows removed in one transaction, so that the writer is not held */
};

struct event {
    int64_t seq;
    const char *type;
    const char *payload; /* a JSON object */
    int64_t created;     /* ms since 1970 */
};

struct event_list {
    struct event *items; /* in the arena, rising seq */
    size_t count;
    bool more; /* ask again after the last one's seq */
};

/* In a db_write body. ret_seq may be NULL. Errors: as db_run. */
MUST_USE enum status event_write(struct db_session *session, const char *scope, const char *type,
                                 const char *payload, int64_t now_ms, int64_t *ret_seq);
/* The same with the payload {"id": id}; `id` needs no escape: at most 64 of [A-Za-z0-9_-]. Errors
 * also: STATUS_INVALID. */
MUST_USE enum status event_write_id(struct db_session *session, const char *scope, const char *type,
                                    const char *id, int64_t now_ms);
/* In a body: event_last. */
MUST_USE enum status event_newest(struct db_session *session, int64_t *ret_seq);
/* In a body: whether all events after `after` are kept still. Errors: STATUS_OUT_OF_WINDOW. */
MUST_USE enum status event_window(struct db_session *session, int64_t after);
/* Events of a scope after `after`. Errors: STATUS_OUT_OF_WINDOW (some after `after` are pruned:
 * reload), STATUS_NO_MEMORY, as db_read. */
MUST_USE enum status event_list(struct db *db, const char *scope, int64_t after,
                                struct arena *arena, struct event_list *ret_list);
/* The newest sequence number there is; 0 when none. */
MUST_USE enum status event_last(struct db *db, int64_t *ret_seq);
/* Removes events made before before_ms, EVENT_PRUNE_MAX in a transaction until done. Errors: as
 * db_write. */
MUST_USE enum status event_prune(struct db *db, int64_t before_ms, int64_t *ret_removed);

#endif
