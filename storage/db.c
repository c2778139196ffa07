/*
 * The writer takes what waits, runs each body inside a SAVEPOINT of one transaction, and
 * commits once: one fsync for all of them. Callers sleep meanwhile, so the more they are,
 * the larger the groups become by themselves.
 *
 * A body that fails is rolled back alone. A body that makes SQLite give up the whole
 * transaction (disk full, out of memory) fails alone too: the others run a second time
 * without it. When COMMIT itself fails, all fail. Nobody is answered before COMMIT, for
 * what a body saw of its neighbours is true only from then on.
 */
#include "storage/db.h"

#include "core/clock.h"
#include "core/handoff.h"
#include "storage/cache.h"
#include "storage/connection.h"
#include "storage/migrations.h"
#include "storage/vault/vault_state.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

/* On the stack of its caller, who waits on `finished`. */
struct request {
    db_body *body;
    void *arg;
    enum status status;
    bool expelled; /* SQLite gave up the transaction because of it: it does not run again */
    sem_t finished;
};

struct db {
    int lock_fd; /* -1: none */
    struct db_session *writer;
    struct vault *vault;
    struct handoff *requests; /* struct request */
    struct handoff *readers;  /* struct db_session: those not in use */
    uint32_t reader_count;
    pthread_t thread;
    bool running;
    struct request *group[DB_GROUP_MAX]; /* the writer's */
    uint32_t group_count;
    bool cut_wanted; /* the writer's: db_log_cut */
    struct cache *cache;
    struct {
        db_listen_fn *fn;
        void *context;
    } listeners[DB_CHANNELS]; /* the writer's, too */
    struct metric *commit_seconds, *transactions, *failures, *queue_length, *wal_pages;
};

/* ---- the writer ---- */

/* For a way out that has its error already: SQLite rolls back by itself where this cannot. */
static void give_up(struct db_session *session)
{
    if (connection_in_transaction(session)) {
        enum status status = connection_exec(session, "ROLLBACK");
        (void)status;
    }
}

/* Runs one body inside the open transaction. False: the transaction is gone. */
static bool request_run(struct db *db, struct request *request)
{
    struct db_session *writer = db->writer;
    request->status = connection_exec(writer, "SAVEPOINT one");
    if (request->status == STATUS_OK) {
        request->status = connection_body(writer, request->body, request->arg);
        bool good = request->status == STATUS_OK;
        enum status closed =
            connection_exec(writer, good ? "RELEASE one" : "ROLLBACK TO one; RELEASE one");
        if (closed != STATUS_OK)
            give_up(writer);
        if (closed != STATUS_OK && good)
            request->status = STATUS_IO;
    }
    request->expelled = !connection_in_transaction(writer);
    return !request->expelled;
}

/* One more member, if one waits. */
static bool group_grow(struct db *db)
{
    void *entry;
    if (db->group_count == DB_GROUP_MAX || handoff_take(db->requests, 0, &entry) != STATUS_OK)
        return false;
    db->group[db->group_count++] = entry;
    return true;
}

/* Runs the members and those who come meanwhile. Errors: there is no transaction to commit. */
static enum status group_run(struct db *db)
{
    enum status status = connection_exec(db->writer, "BEGIN IMMEDIATE");
    for (uint32_t i = 0; status == STATUS_OK && (i < db->group_count || group_grow(db));) {
        if (db->group[i]->expelled || request_run(db, db->group[i])) {
            i++;
        } else {
            status = connection_exec(db->writer, "BEGIN IMMEDIATE");
            i = 0;
        }
    }
    return status;
}

static enum status group_commit(struct db *db)
{
    uint64_t start = clock_mono_ns();
    enum status status = connection_exec(db->writer, "COMMIT");
    if (status != STATUS_OK) {
        give_up(db->writer);
        return STATUS_IO;
    }
    metric_observe(db->commit_seconds, (double)(clock_mono_ns() - start) / 1e9);
    return STATUS_OK;
}

static void group_write(struct db *db)
{
    enum status status = group_run(db);
    if (status == STATUS_OK)
        status = group_commit(db);
    /* Before anybody hears that it is done. */
    connection_cache_drop(db->writer);
    for (uint32_t i = 0; i < db->group_count; i++) {
        struct request *request = db->group[i];
        if (status != STATUS_OK && !request->expelled)
            request->status = status;
        metric_add(request->status == STATUS_OK ? db->transactions : db->failures, 1);
        sem_post(&request->finished); /* it may be gone from here on */
    }
    db->group_count = 0;
    uint32_t signalled = connection_signal_take(db->writer);
    for (uint32_t i = 0; status == STATUS_OK && i < DB_CHANNELS; i++) {
        if ((signalled >> i & 1) != 0 && db->listeners[i].fn != NULL)
            db->listeners[i].fn(db->listeners[i].context);
    }
}

/* A reader that holds on, or a disk that fails, is met again by the next checkpoint. */
static void checkpoint(struct db *db, enum connection_checkpoint mode)
{
    enum status status = connection_checkpoint(db->writer, mode);
    (void)status;
}

static void log_cut(struct db *db)
{
    db->cut_wanted = connection_checkpoint(db->writer, CONNECTION_TRUNCATE) != STATUS_OK;
}

static void *writer_main(void *arg)
{
    struct db *db = arg;
    int64_t patience = DB_IDLE_MS;
    for (;;) {
        void *entry;
        enum status status = handoff_take(db->requests, patience, &entry);
        if (status == STATUS_CLOSED)
            break;
        if (status == STATUS_OK) {
            db->group[db->group_count++] = entry;
            metric_set(db->queue_length, handoff_length(db->requests) + 1);
            group_write(db);
            metric_set(db->queue_length, handoff_length(db->requests));
            if (db->cut_wanted)
                log_cut(db);
            else if (connection_wal_length(db->writer) > DB_WAL_LENGTH_MAX)
                checkpoint(db, CONNECTION_RESTART);
            else if (connection_wal_pending(db->writer) > DB_WAL_PAGES_MAX)
                checkpoint(db, CONNECTION_PASSIVE);
            patience = DB_IDLE_MS;
        } else {
            if (db->cut_wanted)
                log_cut(db);
            else if (connection_wal_pending(db->writer) > 0)
                checkpoint(db, CONNECTION_PASSIVE);
            patience = db->cut_wanted ? DB_IDLE_MS : HANDOFF_FOREVER;
        }
        metric_set(db->wal_pages, connection_wal_length(db->writer));
    }
    return NULL;
}

/* ---- opening and closing ---- */

/* Held as long as the database is open; the kernel drops it with the process. */
static enum status lockfile_take(struct db *db, const char *directory)
{
    char path[PATH_MAX];
    if (snprintf(path, sizeof path, "%s/parley.lock", directory) >= (int)sizeof path)
        return STATUS_INVALID;
    db->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (db->lock_fd < 0)
        return STATUS_IO;
    if (flock(db->lock_fd, LOCK_EX | LOCK_NB) != 0)
        return errno == EWOULDBLOCK ? STATUS_EXISTS : STATUS_IO;
    return STATUS_OK;
}

/* SQLite gives its log the rights of the database file, which this makes private, and durable. */
static enum status file_make(const char *directory, const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return STATUS_IO;
    close(fd);
    fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return STATUS_IO;
    int synced = fsync(fd);
    close(fd);
    return synced == 0 ? STATUS_OK : STATUS_IO;
}

static enum status readers_open(struct db *db, const char *path, uint32_t count)
{
    enum status status = handoff_new(count, &db->readers);
    db->reader_count = count;
    for (uint32_t i = 0; status == STATUS_OK && i < count; i++) {
        struct db_session *reader = NULL;
        status = connection_open(path, CONNECTION_READER, &reader);
        if (status != STATUS_OK)
            return status;
        connection_vault_set(reader, db->vault);
        status = handoff_put(db->readers, reader);
    }
    return status;
}

/* The schema and the keys: one step of the schema seals what was written before there were any. */
static enum status content_open(struct db *db, const struct db_config *config, const char *path)
{
    enum status status = vault_new(config->directory, config->key_command, &db->vault);
    if (status == STATUS_OK)
        status = connection_open(path, CONNECTION_WRITER, &db->writer);
    if (status != STATUS_OK)
        return status;
    connection_vault_set(db->writer, db->vault);
    connection_cache_set(db->writer, db->cache);
    status = migrations_run(db->writer, db->vault);
    connection_forget(db->writer);
    if (status != STATUS_OK && config->ret_reason)
        *config->ret_reason = db->vault->reason;
    return status;
}

static void metrics_add(struct db *db, struct metrics *metrics)
{
    static const double bounds[] = {0.0005, 0.001, 0.002, 0.005, 0.01, 0.02,
                                    0.05,   0.1,   0.2,   0.5,   1,    5};
    if (!metrics)
        return;
    db->commit_seconds = metrics_histogram(metrics, "parley_db_commit_seconds", "",
                                           "Time of a COMMIT, fsync included.", bounds,
                                           sizeof bounds / sizeof bounds[0]);
    db->transactions = metrics_counter(metrics, "parley_db_transactions_total", "result=\"ok\"",
                                       "Write transactions by how they ended.");
    db->failures = metrics_counter(metrics, "parley_db_transactions_total", "result=\"failed\"",
                                   "Write transactions by how they ended.");
    db->queue_length = metrics_gauge(metrics, "parley_db_queue_length", "",
                                     "Transactions that wait for the writer.");
    db->wal_pages =
        metrics_gauge(metrics, "parley_db_wal_pages", "", "Pages in the write-ahead log.");
    metrics_gauge_read(metrics, "parley_db_memory_bytes", "",
                       "Memory of the database engine, pages it keeps above all.",
                       connection_memory, NULL);
}

enum status db_open(const struct db_config *config, struct db **ret_db)
{
    char path[PATH_MAX];
    if (!config->directory || config->readers == 0 || config->readers > DB_READERS_MAX ||
        snprintf(path, sizeof path, "%s/parley.db", config->directory) >= (int)sizeof path)
        return STATUS_INVALID;
    if (config->ret_reason)
        *config->ret_reason = NULL;
    struct db *db = calloc(1, sizeof *db);
    if (!db)
        return STATUS_NO_MEMORY;
    db->lock_fd = -1;
    metrics_add(db, config->metrics);
    enum status status = cache_new(config->metrics, &db->cache);
    if (status == STATUS_OK)
        status = lockfile_take(db, config->directory);
    if (status == STATUS_OK)
        status = file_make(config->directory, path);
    if (status == STATUS_OK)
        status = content_open(db, config, path);
    if (status == STATUS_OK)
        status = readers_open(db, path, config->readers);
    if (status == STATUS_OK)
        status = handoff_new(DB_WRITES_MAX, &db->requests);
    if (status == STATUS_OK) {
        db->running = pthread_create(&db->thread, NULL, writer_main, db) == 0;
        if (!db->running)
            status = STATUS_NO_MEMORY;
    }
    if (status != STATUS_OK) {
        db_close(db);
        return status;
    }
    *ret_db = db;
    return STATUS_OK;
}

struct db *db_close(struct db *db)
{
    if (!db)
        return NULL;
    if (db->requests)
        handoff_close(db->requests);
    if (db->running)
        pthread_join(db->thread, NULL);
    void *reader;
    while (db->readers && handoff_take(db->readers, 0, &reader) == STATUS_OK)
        connection_close(reader);
    /* Last: the writer's close copies the log into the database and removes it. */
    connection_close(db->writer);
    cache_free(db->cache);
    vault_free(db->vault);
    handoff_free(db->readers);
    handoff_free(db->requests);
    if (db->lock_fd >= 0)
        close(db->lock_fd);
    free(db);
    return NULL;
}

/* ---- for callers ---- */

enum status db_write(struct db *db, db_body *body, void *arg)
{
    struct request request = {.body = body, .arg = arg};
    if (sem_init(&request.finished, 0, 0) != 0)
        return STATUS_INTERNAL;
    enum status status = handoff_put(db->requests, &request);
    if (status == STATUS_OK) {
        while (sem_wait(&request.finished) != 0 && errno == EINTR)
            continue;
        status = request.status;
    }
    sem_destroy(&request.finished);
    return status;
}

struct cache *db_cache(const struct db *db)
{
    return db->cache;
}

struct vault *db_vault(const struct db *db)
{
    return db->vault;
}

static enum status cut_run(struct db_session *session, void *arg)
{
    (void)session;
    struct db *db = arg;
    db->cut_wanted = true;
    return STATUS_OK;
}

enum status db_log_cut(struct db *db)
{
    return db_write(db, cut_run, db);
}

static enum status shrink_run(struct db_session *session, void *arg)
{
    (void)arg;
    connection_shrink(session);
    return STATUS_OK;
}

enum status db_shrink(struct db *db)
{
    void *reader;
    /* One after another comes by. */
    for (uint32_t i = 0; i < db->reader_count; i++) {
        if (handoff_take(db->readers, 0, &reader) != STATUS_OK)
            break;
        connection_shrink(reader);
        enum status back = handoff_put(db->readers, reader);
        (void)back; /* there is room for all */
    }
    return db_write(db, shrink_run, NULL);
}

struct listening {
    struct db *db;
    enum db_channel channel;
    db_listen_fn *fn;
    void *context;
};

static enum status listen_run(struct db_session *session, void *arg)
{
    (void)session;
    const struct listening *listening = arg;
    listening->db->listeners[listening->channel].fn = listening->fn;
    listening->db->listeners[listening->channel].context = listening->context;
    return STATUS_OK;
}

enum status db_listen(struct db *db, enum db_channel channel, db_listen_fn *fn, void *context)
{
    struct listening listening = {.db = db, .channel = channel, .fn = fn, .context = context};
    return db_write(db, listen_run, &listening);
}

uint32_t db_waiting(const struct db *db)
{
    return handoff_length(db->requests);
}

enum status db_read(struct db *db, db_body *body, void *arg)
{
    void *entry;
    enum status status = handoff_take(db->readers, HANDOFF_FOREVER, &entry);
    if (status != STATUS_OK)
        return status;
    struct db_session *reader = entry;
    status = connection_exec(reader, "BEGIN");
    if (status == STATUS_OK)
        status = connection_body(reader, body, arg);
    give_up(reader);
    /* There is room: it came from there. */
    enum status returned = handoff_put(db->readers, reader);
    return status != STATUS_OK ? status : returned;
}
