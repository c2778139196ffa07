#include "storage/connection.h"

#include "storage/cache.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SLOTS = 512
}; /* of the cache's hash table: a power of two above CONNECTION_STATEMENTS_MAX */

struct db_statement {
    sqlite3_stmt *stmt;
    const char *sql; /* the caller's literal: the key */
    struct db_session *session;
    enum status bind_error;
    bool finished; /* no step after the last one: it would run the statement again */
    bool active;   /* prepared by the body that runs now */
    struct db_statement *next_active;
    /* SQLite numbers $-parameters by their order in the text; this is from $N to that. */
    int parameters[CONNECTION_PARAMETERS_MAX + 1];
};

struct db_session {
    sqlite3 *handle;
    struct db_statement *statements[SLOTS];
    uint32_t statement_count;
    struct db_statement *active;
    enum status error;   /* the first db_prepare of this body that failed */
    uint32_t wal_length; /* pages in the log now */
    uint32_t wal_copied; /* of them, already in the database */
    struct vault *vault;
    uint32_t signalled; /* a bit for each channel */
    struct cache *cache;
    uint32_t changed_count;
    uint64_t changed[CONNECTION_CHANGED_MAX]; /* cache_scope_of */
};

static enum status status_of(int code)
{
    switch (code) {
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY:
    case SQLITE_CONSTRAINT_ROWID:
        return STATUS_EXISTS;
    case SQLITE_IOERR_NOMEM:
        return STATUS_NO_MEMORY;
    default:
        break;
    }
    switch (code & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
        return STATUS_OK;
    case SQLITE_DONE:
        return STATUS_NOT_FOUND;
    case SQLITE_NOMEM:
        return STATUS_NO_MEMORY;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return STATUS_AGAIN;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_FORMAT:
        return STATUS_CORRUPT;
    case SQLITE_ERROR:
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
    case SQLITE_MISUSE:
    case SQLITE_RANGE:
    case SQLITE_TOOBIG:
        return STATUS_INVALID;
    default: /* FULL, IOERR, READONLY, CANTOPEN, PERM, AUTH, PROTOCOL, INTERRUPT ... */
        return STATUS_IO;
    }
}

/* ---- opening and closing ---- */

static int on_commit(void *context, sqlite3 *handle, const char *name, int pages)
{
    (void)handle;
    (void)name;
    struct db_session *session = context;
    if ((uint32_t)pages < session->wal_length)
        session->wal_copied = 0; /* the log has begun anew */
    session->wal_length = (uint32_t)pages;
    return SQLITE_OK;
}

/* WAL is refused silently by file systems without shared memory. */
static enum status wal_begin(struct db_session *session)
{
    sqlite3_stmt *stmt = NULL;
    int code = sqlite3_prepare_v2(session->handle, "PRAGMA journal_mode = WAL", -1, &stmt, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_step(stmt);
    enum status status = status_of(code);
    if (status == STATUS_OK && sqlite3_stricmp((const char *)sqlite3_column_text(stmt, 0), "wal"))
        status = STATUS_UNSUPPORTED;
    sqlite3_finalize(stmt);
    return status;
}

/*
 * secure_delete: what chat_delete wipes is overwritten, not just unlinked.
 * wal_autocheckpoint 0: SQLite 3.40 loses commits when two connections checkpoint, so
 * that the writer alone does, and when it has time.
 */
static enum status writer_begin(struct db_session *session)
{
    enum status status = wal_begin(session);
    if (status == STATUS_OK) {
        status = connection_exec(session, "PRAGMA synchronous = FULL;"
                                          "PRAGMA wal_autocheckpoint = 0;"
                                          "PRAGMA journal_size_limit = 67108864;"
                                          "PRAGMA foreign_keys = ON;"
                                          "PRAGMA secure_delete = ON;"
                                          "PRAGMA cell_size_check = ON;"
                                          "PRAGMA temp_store = MEMORY;"
                                          "PRAGMA cache_size = -16384");
    }
    sqlite3_wal_hook(session->handle, on_commit, session);
    return status;
}

static enum status reader_begin(struct db_session *session)
{
    sqlite3_db_config(session->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    return connection_exec(session, "PRAGMA query_only = ON;"
                                    "PRAGMA cell_size_check = ON;"
                                    "PRAGMA temp_store = MEMORY;"
                                    "PRAGMA cache_size = -4096");
}

enum status connection_open(const char *path, enum connection_kind kind,
                            struct db_session **ret_session)
{
    struct db_session *session = calloc(1, sizeof *session);
    if (!session)
        return STATUS_NO_MEMORY;
    int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    flags |= kind == CONNECTION_WRITER ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
                                       : SQLITE_OPEN_READONLY;
    enum status status = status_of(sqlite3_open_v2(path, &session->handle, flags, NULL));
    if (status != STATUS_OK)
        goto out;
    sqlite3_busy_timeout(session->handle, CONNECTION_BUSY_MS);
    sqlite3_db_config(session->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(session->handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_db_config(session->handle, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
    sqlite3_db_config(session->handle, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
    status = kind == CONNECTION_WRITER ? writer_begin(session) : reader_begin(session);
    if (status != STATUS_OK)
        goto out;
    /* Reads the header and the whole schema: damage there shows now. */
    status = connection_exec(session, "SELECT count(*) FROM sqlite_schema");
out:
    if (status != STATUS_OK) {
        connection_close(session);
        return status;
    }
    *ret_session = session;
    return STATUS_OK;
}

void connection_forget(struct db_session *session)
{
    for (uint32_t i = 0; i < SLOTS; i++) {
        if (session->statements[i])
            sqlite3_finalize(session->statements[i]->stmt);
        free(session->statements[i]);
        session->statements[i] = NULL;
    }
    session->statement_count = 0;
}

struct db_session *connection_close(struct db_session *session)
{
    if (!session)
        return NULL;
    connection_forget(session);
    sqlite3_close(session->handle);
    free(session);
    return NULL;
}

/* ---- running ---- */

enum status connection_exec(struct db_session *session, const char *sql)
{
    return status_of(sqlite3_exec(session->handle, sql, NULL, NULL, NULL));
}

enum status connection_body(struct db_session *session, db_body *body, void *arg)
{
    session->error = STATUS_OK;
    enum status status = body(session, arg);
    while (session->active) {
        struct db_statement *statement = session->active;
        session->active = statement->next_active;
        statement->active = false;
        sqlite3_reset(statement->stmt);
        sqlite3_clear_bindings(statement->stmt);
    }
    return session->error != STATUS_OK ? session->error : status;
}

enum status connection_transaction(struct db_session *session, db_body *body, void *arg)
{
    enum status status = connection_exec(session, "BEGIN IMMEDIATE");
    if (status == STATUS_OK)
        status = connection_body(session, body, arg);
    if (status == STATUS_OK)
        status = connection_exec(session, "COMMIT");
    if (status != STATUS_OK && connection_in_transaction(session)) {
        /* The first error is the one that says something. */
        enum status undone = connection_exec(session, "ROLLBACK");
        (void)undone;
    }
    return status;
}

uint32_t connection_signal_take(struct db_session *session)
{
    uint32_t signalled = session->signalled;
    session->signalled = 0;
    return signalled;
}

void db_signal(struct db_session *session, enum db_channel channel)
{
    session->signalled |= UINT32_C(1) << channel;
}

void connection_cache_set(struct db_session *session, struct cache *cache)
{
    session->cache = cache;
}

void db_changed(struct db_session *session, const char *scope)
{
    uint64_t hash = cache_scope_of(scope);
    for (uint32_t i = 0; i < session->changed_count && i < CONNECTION_CHANGED_MAX; i++) {
        if (session->changed[i] == hash)
            return;
    }
    if (session->changed_count < CONNECTION_CHANGED_MAX)
        session->changed[session->changed_count] = hash;
    if (session->changed_count <= CONNECTION_CHANGED_MAX)
        session->changed_count++;
}

void connection_cache_drop(struct db_session *session)
{
    if (session->cache != NULL && session->changed_count > 0)
        cache_stale(session->cache, session->changed,
                    session->changed_count <= CONNECTION_CHANGED_MAX ? session->changed_count : 0);
    session->changed_count = 0;
}

void connection_vault_set(struct db_session *session, struct vault *vault)
{
    session->vault = vault;
}

struct vault *db_session_vault(const struct db_session *session)
{
    return session->vault;
}

bool connection_in_transaction(const struct db_session *session)
{
    return !sqlite3_get_autocommit(session->handle);
}

uint32_t connection_wal_pending(const struct db_session *session)
{
    return session->wal_length - session->wal_copied;
}

uint32_t connection_wal_length(const struct db_session *session)
{
    return session->wal_length;
}

void connection_shrink(struct db_session *session)
{
    sqlite3_db_release_memory(session->handle);
}

double connection_memory(void *context)
{
    (void)context;
    return (double)sqlite3_memory_used();
}

enum status connection_checkpoint(struct db_session *session, enum connection_checkpoint mode)
{
    static const int modes[] = {[CONNECTION_PASSIVE] = SQLITE_CHECKPOINT_PASSIVE,
                                [CONNECTION_RESTART] = SQLITE_CHECKPOINT_RESTART,
                                [CONNECTION_TRUNCATE] = SQLITE_CHECKPOINT_TRUNCATE};
    int pages = 0, copied = 0;
    int code = sqlite3_wal_checkpoint_v2(session->handle, NULL, modes[mode], &pages, &copied);
    if (code == SQLITE_OK && pages >= copied && copied >= 0) {
        session->wal_length = (uint32_t)pages;
        session->wal_copied = (uint32_t)copied;
    }
    return status_of(code);
}

enum status connection_plans(struct db_session *session, connection_plan_fn *fn, void *context)
{
    for (uint32_t i = 0; i < SLOTS; i++) {
        if (!session->statements[i])
            continue;
        const char *sql = session->statements[i]->sql;
        char *explain = sqlite3_mprintf("EXPLAIN QUERY PLAN %s", sql);
        sqlite3_stmt *stmt = NULL;
        int code =
            explain ? sqlite3_prepare_v2(session->handle, explain, -1, &stmt, NULL) : SQLITE_NOMEM;
        sqlite3_free(explain);
        while (code == SQLITE_OK && sqlite3_step(stmt) == SQLITE_ROW)
            fn(context, sql, (const char *)sqlite3_column_text(stmt, 3));
        sqlite3_finalize(stmt);
        if (code != SQLITE_OK)
            return status_of(code);
    }
    return STATUS_OK;
}

/* ---- statements (db.h) ---- */

static struct db_statement **slot_of(struct db_session *session, const char *sql)
{
    uint64_t hash = (uint64_t)(uintptr_t)sql * 0x9e3779b97f4a7c15u;
    uint32_t slot = (uint32_t)(hash >> 32) % SLOTS;
    while (session->statements[slot] && session->statements[slot]->sql != sql)
        slot = (slot + 1) % SLOTS;
    return &session->statements[slot];
}

static void parameters_map(struct db_statement *statement)
{
    int count = sqlite3_bind_parameter_count(statement->stmt);
    for (int i = 1; i <= count; i++) {
        const char *name = sqlite3_bind_parameter_name(statement->stmt, i);
        long number = name && name[0] == '$' ? strtol(name + 1, NULL, 10) : 0;
        if (number >= 1 && number <= CONNECTION_PARAMETERS_MAX)
            statement->parameters[number] = i;
    }
}

static enum status compile(struct db_session *session, const char *sql,
                           struct db_statement **ret_statement)
{
    if (session->statement_count == CONNECTION_STATEMENTS_MAX)
        return STATUS_LIMIT;
    struct db_statement *statement = calloc(1, sizeof *statement);
    if (!statement)
        return STATUS_NO_MEMORY;
    int code = sqlite3_prepare_v3(session->handle, sql, -1, SQLITE_PREPARE_PERSISTENT,
                                  &statement->stmt, NULL);
    if (code != SQLITE_OK || !statement->stmt) {
        free(statement);
        return code == SQLITE_OK ? STATUS_INVALID : status_of(code);
    }
    statement->sql = sql;
    statement->session = session;
    parameters_map(statement);
    session->statement_count++;
    *ret_statement = statement;
    return STATUS_OK;
}

struct db_statement *db_prepare(struct db_session *session, const char *sql)
{
    struct db_statement **slot = slot_of(session, sql);
    if (!*slot) {
        enum status status = compile(session, sql, slot);
        if (status != STATUS_OK) {
            session->error = session->error != STATUS_OK ? session->error : status;
            return NULL;
        }
    }
    struct db_statement *statement = *slot;
    sqlite3_reset(statement->stmt);
    sqlite3_clear_bindings(statement->stmt);
    statement->bind_error = STATUS_OK;
    statement->finished = false;
    if (!statement->active) {
        statement->active = true;
        statement->next_active = session->active;
        session->active = statement;
    }
    return statement;
}

/* SQLite's number of $index; 0, which no bind accepts, when the statement has none. */
static int parameter_of(const struct db_statement *statement, int index)
{
    return index >= 1 && index <= CONNECTION_PARAMETERS_MAX ? statement->parameters[index] : 0;
}

static void bound(struct db_statement *statement, int code)
{
    if (code != SQLITE_OK)
        statement->bind_error = status_of(code);
}

void db_bind_int(struct db_statement *statement, int index, int64_t value)
{
    if (statement)
        bound(statement,
              sqlite3_bind_int64(statement->stmt, parameter_of(statement, index), value));
}

void db_bind_text(struct db_statement *statement, int index, const char *text)
{
    if (statement)
        bound(statement, sqlite3_bind_text(statement->stmt, parameter_of(statement, index), text,
                                           -1, SQLITE_TRANSIENT));
}

void db_bind_blob(struct db_statement *statement, int index, const void *data, size_t length)
{
    if (statement)
        bound(statement, sqlite3_bind_blob64(statement->stmt, parameter_of(statement, index),
                                             length ? data : "", length, SQLITE_TRANSIENT));
}

void db_bind_null(struct db_statement *statement, int index)
{
    if (statement)
        bound(statement, sqlite3_bind_null(statement->stmt, parameter_of(statement, index)));
}

enum status db_step(struct db_statement *statement)
{
    if (!statement)
        return STATUS_INVALID;
    if (statement->bind_error != STATUS_OK)
        return statement->bind_error;
    if (statement->finished)
        return STATUS_NOT_FOUND;
    int code = sqlite3_step(statement->stmt);
    statement->finished = code != SQLITE_ROW;
    return status_of(code);
}

enum status db_run(struct db_statement *statement)
{
    enum status status = db_step(statement);
    if (status == STATUS_NOT_FOUND)
        status = STATUS_OK;
    else if (status == STATUS_OK)
        status = STATUS_INVALID; /* it yields rows, which somebody forgot to read */
    if (statement)
        sqlite3_reset(statement->stmt);
    return status;
}

int64_t db_column_int(struct db_statement *statement, int column)
{
    return sqlite3_column_int64(statement->stmt, column);
}

const char *db_column_text(struct db_statement *statement, int column)
{
    return (const char *)sqlite3_column_text(statement->stmt, column);
}

const void *db_column_blob(struct db_statement *statement, int column, size_t *ret_length)
{
    const void *data = sqlite3_column_blob(statement->stmt, column);
    *ret_length = (size_t)sqlite3_column_bytes(statement->stmt, column);
    return data;
}
