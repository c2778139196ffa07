/*
 * storage/connection.h - one SQLite connection with its cached statements; private to
 * storage/ and its tests. connection.c is the one file that touches SQLite; it also
 * holds what db.h promises about sessions and statements.
 *
 * Thread: one at a time uses a connection.
 */
#ifndef STORAGE_CONNECTION_H
#define STORAGE_CONNECTION_H

#include "core/status.h"
#include "storage/db.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    CONNECTION_STATEMENTS_MAX = 384, /* cached; the program has about a tenth of that */
    CONNECTION_PARAMETERS_MAX = 24,  /* $1 .. $24 */
    CONNECTION_BUSY_MS = 5000,    /* patience with a lock: only recovery and checkpoints take one */
    CONNECTION_CHANGED_MAX = 256, /* scopes of one COMMIT; more: all that is cached goes */
};

enum connection_kind {
    CONNECTION_WRITER, /* makes the file, sets WAL and synchronous=FULL; checkpoints only when told
                        */
    CONNECTION_READER, /* read only, never checkpoints */
};

/* Errors: STATUS_IO, STATUS_CORRUPT (no database, or its schema cannot be read), STATUS_UNSUPPORTED
 * (the file system does not carry WAL), STATUS_NO_MEMORY. */
MUST_USE enum status connection_open(const char *path, enum connection_kind kind,
                                     struct db_session **ret_session);
/* Accepts NULL, returns NULL. */
struct db_session *connection_close(struct db_session *session);

/* Runs a text of several statements, uncached. Errors: as db_step. */
MUST_USE enum status connection_exec(struct db_session *session, const char *sql);
/* Runs a body and puts all its statements back; a failed db_prepare fails it whatever it returns.
 */
MUST_USE enum status connection_body(struct db_session *session, db_body *body, void *arg);
/* A body in a transaction of its own, for a writer that has no group yet. Errors: the body's, as
 * db_step. */
MUST_USE enum status connection_transaction(struct db_session *session, db_body *body, void *arg);
/* Whose columns its bodies seal and open (db_session_vault); borrowed. */
void connection_vault_set(struct db_session *session, struct vault *vault);
/* The channels (a bit each) on which bodies have signalled (db_signal) since the last call. */
uint32_t connection_signal_take(struct db_session *session);
/* Whose scopes db_changed names; borrowed. */
void connection_cache_set(struct db_session *session, struct cache *cache);
/* After COMMIT: what db_changed has named since the last call is not cached any more. */
void connection_cache_drop(struct db_session *session);
/* Empties the cache of statements: after what runs once. Not inside a body. */
void connection_forget(struct db_session *session);
/* False after SQLite itself has given up a transaction (disk full, I/O error, out of memory). */
bool connection_in_transaction(const struct db_session *session);

/* Pages of the write-ahead log that are not in the database yet; pages in it at all. */
uint32_t connection_wal_pending(const struct db_session *session);
uint32_t connection_wal_length(const struct db_session *session);
/* Pages that it keeps for the next body, and none needs now, go back to malloc. */
void connection_shrink(struct db_session *session);
/* Bytes the engine holds, over all connections of the process. A metric_read_fn. */
double connection_memory(void *context);
/* How far a checkpoint goes: what readers allow; waits for them, so that the log begins anew; and
 * cuts its file, so that nothing older is left in it. */
enum connection_checkpoint { CONNECTION_PASSIVE, CONNECTION_RESTART, CONNECTION_TRUNCATE };
/* Copies the log into the database. Errors: STATUS_AGAIN (a reader held on), as db_step. */
MUST_USE enum status connection_checkpoint(struct db_session *session,
                                           enum connection_checkpoint mode);

/* For tests: one line of EXPLAIN QUERY PLAN of a statement in the cache. */
typedef void connection_plan_fn(void *context, const char *sql, const char *detail);
MUST_USE enum status connection_plans(struct db_session *session, connection_plan_fn *fn,
                                      void *context);

#endif
