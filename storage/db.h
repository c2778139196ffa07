/*
 * storage/db.h - the database behind an interface: SQLite now, PostgreSQL later.
 * Portable SQL, parameters as $1..., ON CONFLICT, RETURNING. SQLite is touched here only.
 *
 * One writer thread has the only connection that writes and checkpoints (WAL,
 * synchronous=FULL); many callers' transactions share one COMMIT and one fsync.
 * Readers have their own read-only connections.
 *
 * Threads: db_write and db_read from any request-pool or job thread, never from an
 * edge, the conductor or a media worker: both block.
 */
#ifndef STORAGE_DB_H
#define STORAGE_DB_H

#include "core/metrics.h"
#include "core/status.h"

#include <stddef.h>
#include <stdint.h>

enum {
    DB_WRITES_MAX = 4096, /* transactions that may wait for the writer */
    DB_GROUP_MAX = 256,   /* transactions in one COMMIT */
    DB_READERS_MAX = 64,
    DB_IDLE_MS = 200,          /* without work this long, the writer checkpoints */
    DB_WAL_PAGES_MAX = 4000,   /* 16 MB not checkpointed: the writer does it at once */
    DB_WAL_LENGTH_MAX = 32000, /* 128 MB of log: it also waits for the readers and starts it anew */
};

struct db;
struct vault;

struct db_config {
    const char *directory;   /* exists; parley.db is made in it, for its owner's eyes only */
    uint32_t readers;        /* connections, 1..DB_READERS_MAX; db_read waits for a free one */
    struct metrics *metrics; /* may be NULL */
    const char *key_command; /* prints the root key; NULL or "": it is in keys/root.key */
    const char **ret_reason; /* may be NULL: what is wrong with the keys, or NULL */
};

/* Opens, migrates, reads or makes the keys (storage/vault/vault.h), starts the writer. Errors:
 * STATUS_IO, STATUS_CORRUPT, STATUS_UNSUPPORTED (the database is newer than the program),
 * STATUS_EXISTS (another server has it open), STATUS_NO_MEMORY; STATUS_NOT_FOUND (its root key is
 * missing), STATUS_DENIED (that is not its root key, or others may read it). */
MUST_USE enum status db_open(const struct db_config *config, struct db **ret_db);
/* Commits what waits, joins the writer. Accepts NULL, returns NULL. */
struct db *db_close(struct db *db);

/* The keys; as long as the database is open. */
struct vault *db_vault(const struct db *db);

/* A connection inside db_write or db_read; valid in the callback only. */
struct db_session;
/* A prepared statement, cached per connection by the text's address: pass literals. */
struct db_statement;

/*
 * The body of a transaction; straight-line. Any status but OK rolls back what this
 * body did and nothing else. May run a second time after a failed group commit, so
 * it must change nothing but the database and its own results.
 */
typedef enum status db_body(struct db_session *session, void *arg);

/* Runs body on the writer; returns after COMMIT. Errors: the body's own; STATUS_LIMIT (queue full),
 * STATUS_IO (commit failed: nothing of it is in the database), STATUS_CLOSED. */
MUST_USE enum status db_write(struct db *db, db_body *body, void *arg);
/* Runs body on a reader's snapshot. */
MUST_USE enum status db_read(struct db *db, db_body *body, void *arg);
/* The log's file is cut, now or as soon as readers allow: for after something was destroyed, whose
 * older pages are in it. Errors: as db_write. */
MUST_USE enum status db_log_cut(struct db *db);
/* Pages that its connections keep go back to malloc: for when nobody is there. Connections in use
 * keep theirs. Errors: as db_write. */
MUST_USE enum status db_shrink(struct db *db);
/* Transactions that wait for the writer, those it has taken already not counted. Any thread. */
uint32_t db_waiting(const struct db *db);

/* For bodies: db_vault of its database. */
struct vault *db_session_vault(const struct db_session *session);

/* Whom a signal is for; each has one listener. */
enum db_channel { DB_JOBS, DB_EVENTS, DB_CHANNELS };

/* In a db_write body: after COMMIT, whoever listens is told. */
void db_signal(struct db_session *session, enum db_channel channel);
/* `fn` is called on the writer after each COMMIT in which somebody has signalled; it must not
 * block. NULL: nobody any more, also not just now. Errors: as db_write. */
typedef void db_listen_fn(void *context);
MUST_USE enum status db_listen(struct db *db, enum db_channel channel, db_listen_fn *fn,
                               void *context);

/* What was read of these is kept for a while (storage/cache.h); as long as the database is open. */
struct cache *db_cache(const struct db *db);
/* In a db_write body: what is cached of this scope is wrong after COMMIT. */
void db_changed(struct db_session *session, const char *scope);

/* The statement is reset and bare; NULL (session remembers the error) when it does not compile. */
struct db_statement *db_prepare(struct db_session *session, const char *sql);
/* index from 1. Text and blobs are copied; text NULL binds NULL. */
void db_bind_int(struct db_statement *statement, int index, int64_t value);
void db_bind_text(struct db_statement *statement, int index, const char *text);
void db_bind_blob(struct db_statement *statement, int index, const void *data, size_t length);
void db_bind_null(struct db_statement *statement, int index);
/* STATUS_OK: a row is there. STATUS_NOT_FOUND: no (more) row. STATUS_EXISTS: a uniqueness
 * constraint. Else STATUS_IO, STATUS_CORRUPT, STATUS_INVALID, STATUS_AGAIN (locked for too long),
 * STATUS_NO_MEMORY. Takes NULL (STATUS_INVALID). */
MUST_USE enum status db_step(struct db_statement *statement);
/* db_step for statements that yield no row: OK when it ran. */
MUST_USE enum status db_run(struct db_statement *statement);
/* column from 0; texts and blobs are borrowed until the next step; NULL text is NULL. */
int64_t db_column_int(struct db_statement *statement, int column);
const char *db_column_text(struct db_statement *statement, int column);
const void *db_column_blob(struct db_statement *statement, int column, size_t *ret_length);

#endif
