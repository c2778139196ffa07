/* One writer for many callers: groups, failures inside a group, damage, locks. */
#include "core/metrics.h"
#include "storage/connection.h"
#include "storage/db.h"
#include "tests/support/scratch.h"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { THREADS = 64, WRITES_EACH = 20 };

struct fixture {
    char path[SCRATCH_PATH_MAX];
    struct metrics *metrics;
    struct db *db;
};

static enum status table_make(struct db_session *session, void *arg)
{
    (void)arg;
    return connection_exec(session, "CREATE TABLE IF NOT EXISTS sample"
                                    " (key INTEGER PRIMARY KEY, text TEXT, data BLOB)");
}

static void reopen(struct fixture *fixture)
{
    struct db_config config = {
        .directory = fixture->path, .readers = 2, .metrics = fixture->metrics};
    fixture->db = db_close(fixture->db);
    assert_int_equal(db_open(&config, &fixture->db), STATUS_OK);
}

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    assert_non_null(fixture);
    scratch_make(fixture->path);
    assert_int_equal(metrics_new(&fixture->metrics), STATUS_OK);
    reopen(fixture);
    assert_int_equal(db_write(fixture->db, table_make, NULL), STATUS_OK);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    db_close(fixture->db);
    metrics_free(fixture->metrics);
    scratch_remove(fixture->path);
    free(fixture);
    return 0;
}

/* ---- bodies ---- */

struct row {
    int64_t key;
    size_t bytes;       /* of data */
    enum status answer; /* what the body returns after writing */
    bool careless;      /* looks at nothing and returns OK */
    int runs;
};

static enum status row_insert(struct db_session *session, void *arg)
{
    struct row *row = arg;
    row->runs++;
    struct db_statement *insert =
        db_prepare(session, "INSERT INTO sample (data, key, text) VALUES ($3, $1, $2)");
    db_bind_int(insert, 1, row->key);
    db_bind_text(insert, 2, "some text");
    void *data = calloc(1, row->bytes + 1);
    if (!data)
        return STATUS_NO_MEMORY;
    db_bind_blob(insert, 3, data, row->bytes);
    free(data);
    enum status status = db_run(insert);
    if (row->careless)
        return STATUS_OK;
    return status != STATUS_OK ? status : row->answer;
}

static int64_t rows(struct fixture *fixture)
{
    return scratch_count(fixture->db, "SELECT count(*) FROM sample");
}

/* A caller on a thread of its own. */
struct caller {
    pthread_t thread;
    struct db *db;
    db_body *body;
    void *arg;
    enum status status;
};

static void *caller_main(void *arg)
{
    struct caller *caller = arg;
    caller->status = db_write(caller->db, caller->body, caller->arg);
    return NULL;
}

static void caller_start(struct caller *caller, struct db *db, db_body *body, void *arg)
{
    *caller = (struct caller){.db = db, .body = body, .arg = arg, .status = STATUS_INTERNAL};
    assert_int_equal(pthread_create(&caller->thread, NULL, caller_main, caller), 0);
}

static enum status caller_join(struct caller *caller)
{
    assert_int_equal(pthread_join(caller->thread, NULL), 0);
    return caller->status;
}

/* Holds the writer while others queue up behind it: they become one group with it. */
struct hold {
    atomic_bool held, released;
};

static enum status hold_run(struct db_session *session, void *arg)
{
    (void)session;
    struct hold *hold = arg;
    atomic_store(&hold->held, true);
    while (!atomic_load(&hold->released))
        usleep(100);
    return STATUS_OK;
}

/* Writes the rows as one group, in order, and gives each one's status in ret_statuses. */
static void group_write(struct fixture *fixture, struct row *group, uint32_t count,
                        enum status *ret_statuses)
{
    struct hold hold = {0};
    struct caller holder, callers[THREADS];
    assert_in_range(count, 1, THREADS);
    caller_start(&holder, fixture->db, hold_run, &hold);
    while (!atomic_load(&hold.held))
        usleep(100);
    for (uint32_t i = 0; i < count; i++) {
        caller_start(&callers[i], fixture->db, row_insert, &group[i]);
        while (db_waiting(fixture->db) <= i)
            usleep(100);
    }
    atomic_store(&hold.released, true);
    enum status held = caller_join(&holder);
    assert_true(held == STATUS_OK || held == STATUS_IO);
    for (uint32_t i = 0; i < count; i++)
        ret_statuses[i] = caller_join(&callers[i]);
}

static double metric(struct fixture *fixture, const char *name)
{
    char *text = metrics_print(fixture->metrics);
    assert_non_null(text);
    const char *at = strstr(text, name);
    assert_non_null(at);
    double value = strtod(at + strlen(name), NULL);
    free(text);
    return value;
}

/* ---- tests ---- */

static void test_settings(void **state)
{
    struct fixture *fixture = *state;
    struct stat info;
    assert_int_equal(stat(scratch_file(fixture->path, "parley.db"), &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_int_equal(stat(scratch_file(fixture->path, "parley.db-wal"), &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
}

static enum status synchronous_read(struct db_session *session, void *arg)
{
    int64_t *ret_values = arg;
    struct db_statement *statement = db_prepare(session, "PRAGMA synchronous");
    enum status status = db_step(statement);
    ret_values[0] = db_column_int(statement, 0);
    statement = db_prepare(session, "PRAGMA wal_autocheckpoint");
    if (status == STATUS_OK)
        status = db_step(statement);
    ret_values[1] = db_column_int(statement, 0);
    return status;
}

static void test_writer_is_durable(void **state)
{
    struct fixture *fixture = *state;
    int64_t values[2] = {-1, -1};
    assert_int_equal(db_write(fixture->db, synchronous_read, values), STATUS_OK);
    assert_int_equal(values[0], 2); /* FULL */
    assert_int_equal(values[1], 0); /* only the writer's own checkpoints */
}

static void test_readers_cannot_write(void **state)
{
    struct fixture *fixture = *state;
    struct row row = {.key = 1};
    assert_int_equal(db_read(fixture->db, row_insert, &row), STATUS_IO);
    assert_int_equal(rows(fixture), 0);
}

static void *many_main(void *arg)
{
    struct caller *caller = arg;
    for (int i = 0; i < WRITES_EACH; i++) {
        struct row row = {.key = *(int64_t *)caller->arg + i};
        caller->status = db_write(caller->db, row_insert, &row);
        if (caller->status != STATUS_OK)
            break;
    }
    return NULL;
}

static void test_many_writers(void **state)
{
    struct fixture *fixture = *state;
    struct caller callers[THREADS];
    int64_t firsts[THREADS];
    for (int i = 0; i < THREADS; i++) {
        firsts[i] = i * WRITES_EACH;
        callers[i] = (struct caller){.db = fixture->db, .arg = &firsts[i]};
        assert_int_equal(pthread_create(&callers[i].thread, NULL, many_main, &callers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(caller_join(&callers[i]), STATUS_OK);
    assert_int_equal(rows(fixture), THREADS * WRITES_EACH);
    double commits = metric(fixture, "parley_db_commit_seconds_count ");
    double transactions = metric(fixture, "parley_db_transactions_total{result=\"ok\"} ");
    assert_true(transactions >= THREADS * WRITES_EACH);
    assert_true(commits < transactions / 2);
    print_message("%.0f transactions in %.0f commits\n", transactions, commits);
}

static void test_group_is_one_commit(void **state)
{
    struct fixture *fixture = *state;
    struct row group[THREADS] = {0};
    enum status statuses[THREADS];
    for (int i = 0; i < THREADS; i++)
        group[i].key = i;
    double before = metric(fixture, "parley_db_commit_seconds_count ");
    group_write(fixture, group, THREADS, statuses);
    assert_true(metric(fixture, "parley_db_commit_seconds_count ") == before + 1);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(statuses[i], STATUS_OK);
    assert_int_equal(rows(fixture), THREADS);
}

static void test_failing_body_rolls_back_alone(void **state)
{
    struct fixture *fixture = *state;
    struct row group[] = {{.key = 1}, {.key = 2, .answer = STATUS_DENIED}, {.key = 1}, {.key = 3}};
    enum status statuses[4];
    group_write(fixture, group, 4, statuses);
    assert_int_equal(statuses[0], STATUS_OK);
    assert_int_equal(statuses[1], STATUS_DENIED);
    assert_int_equal(statuses[2], STATUS_EXISTS);
    assert_int_equal(statuses[3], STATUS_OK);
    for (int i = 0; i < 4; i++)
        assert_int_equal(group[i].runs, 1);
    assert_int_equal(rows(fixture), 2);
    assert_int_equal(scratch_count(fixture->db, "SELECT count(*) FROM sample WHERE key = 2"), 0);
}

/* From here on no file may grow past `bytes` more than the log has now. */
static void disk_full_after(struct fixture *fixture, size_t bytes)
{
    struct stat info;
    assert_int_equal(stat(scratch_file(fixture->path, "parley.db-wal"), &info), 0);
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = (rlim_t)info.st_size + bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void disk_has_room(void)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void test_failed_commit_fails_all(void **state)
{
    struct fixture *fixture = *state;
    struct row group[3] = {{.key = 1, .bytes = 100000}, {.key = 2}, {.key = 3}};
    enum status statuses[3];
    disk_full_after(fixture, 0);
    group_write(fixture, group, 3, statuses);
    disk_has_room();
    for (int i = 0; i < 3; i++)
        assert_int_equal(statuses[i], STATUS_IO);
    assert_int_equal(rows(fixture), 0);
    /* The writer goes on, and nothing of it comes back with the log. */
    assert_int_equal(db_write(fixture->db, row_insert, &group[1]), STATUS_OK);
    reopen(fixture);
    assert_int_equal(rows(fixture), 1);
    scratch_intact(fixture->db);
}

static void expelled(struct fixture *fixture, bool careless)
{
    struct row group[] = {
        {.key = 1}, {.key = 2, .bytes = 64 << 20, .careless = careless}, {.key = 3}};
    enum status statuses[3];
    disk_full_after(fixture, 1 << 20);
    group_write(fixture, group, 3, statuses);
    disk_has_room();
    assert_int_equal(statuses[0], STATUS_OK);
    assert_int_equal(statuses[1], STATUS_IO);
    assert_int_equal(statuses[2], STATUS_OK);
    assert_int_equal(group[0].runs, 2);
    assert_int_equal(group[1].runs, 1);
    assert_int_equal(group[2].runs, 1);
    assert_int_equal(rows(fixture), 2);
}

/* Larger than the cache, its pages go to the log before COMMIT and meet the end of the disk. */
static void test_body_that_kills_the_transaction(void **state)
{
    expelled(*state, false);
}

static void test_body_that_overlooks_it(void **state)
{
    expelled(*state, true);
}

static enum status bad_sql(struct db_session *session, void *arg)
{
    (void)arg;
    struct db_statement *statement = db_prepare(session, "SELECT nothing FROM nowhere");
    assert_null(statement);
    db_bind_int(statement, 1, 1);
    assert_int_equal(db_step(statement), STATUS_INVALID);
    return STATUS_OK;
}

static enum status bad_parameter(struct db_session *session, void *arg)
{
    (void)arg;
    struct db_statement *statement = db_prepare(session, "SELECT text FROM sample WHERE key = $1");
    db_bind_int(statement, 1, 1);
    db_bind_int(statement, 2, 1);
    return db_step(statement);
}

static enum status forgotten_row(struct db_session *session, void *arg)
{
    (void)arg;
    return db_run(db_prepare(session, "SELECT 1"));
}

static void test_mistakes_are_invalid(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(db_write(fixture->db, bad_sql, NULL), STATUS_INVALID);
    assert_int_equal(db_read(fixture->db, bad_sql, NULL), STATUS_INVALID);
    assert_int_equal(db_read(fixture->db, bad_parameter, NULL), STATUS_INVALID);
    assert_int_equal(db_read(fixture->db, forgotten_row, NULL), STATUS_INVALID);
}

static enum status values_check(struct db_session *session, void *arg)
{
    (void)arg;
    /* Numbers first met in another order than they count, and met twice. */
    struct db_statement *select = db_prepare(session, "SELECT $3, $1, $2, $1, $4");
    size_t length;
    db_bind_int(select, 1, INT64_MIN);
    db_bind_text(select, 2, NULL);
    db_bind_text(select, 3, "three");
    db_bind_blob(select, 4, NULL, 0);
    assert_int_equal(db_step(select), STATUS_OK);
    assert_string_equal(db_column_text(select, 0), "three");
    assert_true(db_column_int(select, 1) == INT64_MIN);
    assert_null(db_column_text(select, 2));
    assert_true(db_column_int(select, 3) == INT64_MIN);
    (void)db_column_blob(select, 4, &length);
    assert_int_equal(length, 0);
    /* After the last row it stays there, and does not run again. */
    assert_int_equal(db_step(select), STATUS_NOT_FOUND);
    assert_int_equal(db_step(select), STATUS_NOT_FOUND);
    return STATUS_OK;
}

static void test_values(void **state)
{
    struct fixture *fixture = *state;
    for (int i = 0; i < 2; i++)
        assert_int_equal(db_read(fixture->db, values_check, NULL), STATUS_OK);
}

static enum status snapshot_body(struct db_session *session, void *arg)
{
    struct fixture *fixture = arg;
    struct row row = {.key = 77};
    for (int i = 0; i < 2; i++) {
        struct db_statement *select = db_prepare(session, "SELECT count(*) FROM sample");
        assert_int_equal(db_step(select), STATUS_OK);
        assert_int_equal(db_column_int(select, 0), 0);
        if (i == 0)
            assert_int_equal(db_write(fixture->db, row_insert, &row), STATUS_OK);
    }
    return STATUS_OK;
}

static void test_reader_sees_one_snapshot(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(db_read(fixture->db, snapshot_body, fixture), STATUS_OK);
    assert_int_equal(rows(fixture), 1);
}

static void test_log_is_checkpointed(void **state)
{
    struct fixture *fixture = *state;
    struct stat info;
    /* Past DB_WAL_PAGES_MAX the writer copies at once and the log begins anew: 40 MB leave far
     * less. */
    for (int i = 0; i < 10; i++) {
        struct row row = {.key = i, .bytes = 4 << 20};
        assert_int_equal(db_write(fixture->db, row_insert, &row), STATUS_OK);
    }
    assert_int_equal(stat(scratch_file(fixture->path, "parley.db-wal"), &info), 0);
    assert_true(info.st_size < (off_t)(DB_WAL_PAGES_MAX + 2048) * 4200);
    assert_int_equal(rows(fixture), 10);
    scratch_intact(fixture->db);
}

static void test_second_server_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct db_config config = {.directory = fixture->path, .readers = 1};
    struct db *second = NULL;
    assert_int_equal(db_open(&config, &second), STATUS_EXISTS);
    assert_null(second);
    fixture->db = db_close(fixture->db);
    assert_int_equal(db_open(&config, &second), STATUS_OK);
    db_close(second);
    reopen(fixture);
}

static void test_config_is_checked(void **state)
{
    struct fixture *fixture = *state;
    struct db *db = NULL;
    struct db_config config = {.directory = fixture->path};
    assert_int_equal(db_open(&config, &db), STATUS_INVALID);
    config.readers = DB_READERS_MAX + 1;
    assert_int_equal(db_open(&config, &db), STATUS_INVALID);
    config = (struct db_config){.directory = "/nonexistent/parley", .readers = 1};
    assert_int_equal(db_open(&config, &db), STATUS_IO);
    assert_null(db);
}

/* ---- damage ---- */

static void overwrite(struct fixture *fixture, off_t offset, size_t length)
{
    int fd = open(scratch_file(fixture->path, "parley.db"), O_WRONLY);
    assert_true(fd >= 0);
    char *noise = malloc(length);
    assert_non_null(noise);
    memset(noise, 0xa5, length);
    assert_int_equal(pwrite(fd, noise, length, offset), length);
    free(noise);
    close(fd);
}

static void test_damaged_header_is_reported(void **state)
{
    struct fixture *fixture = *state;
    struct db *db = NULL;
    struct db_config config = {.directory = fixture->path, .readers = 1};
    fixture->db = db_close(fixture->db);
    overwrite(fixture, 0, 4096);
    assert_int_equal(db_open(&config, &db), STATUS_CORRUPT);
    assert_null(db);
}

static enum status rows_read(struct db_session *session, void *arg)
{
    (void)arg;
    enum status status;
    struct db_statement *select = db_prepare(session, "SELECT length(data) FROM sample");
    while ((status = db_step(select)) == STATUS_OK)
        continue;
    return status;
}

static void test_damaged_pages_are_reported(void **state)
{
    struct fixture *fixture = *state;
    for (int i = 0; i < 200; i++) {
        struct row row = {.key = i, .bytes = 1000};
        assert_int_equal(db_write(fixture->db, row_insert, &row), STATUS_OK);
    }
    fixture->db = db_close(fixture->db);
    struct stat info;
    assert_int_equal(stat(scratch_file(fixture->path, "parley.db"), &info), 0);
    /* The sample's pages are the newest; the schema in front stays whole. */
    overwrite(fixture, info.st_size / 4096 * 7 / 8 * 4096, (size_t)info.st_size / 16);
    reopen(fixture);
    assert_int_equal(db_read(fixture->db, rows_read, NULL), STATUS_CORRUPT);
}

static void test_truncated_file_is_reported(void **state)
{
    struct fixture *fixture = *state;
    for (int i = 0; i < 200; i++) {
        struct row row = {.key = i, .bytes = 1000};
        assert_int_equal(db_write(fixture->db, row_insert, &row), STATUS_OK);
    }
    fixture->db = db_close(fixture->db);
    struct stat info;
    assert_int_equal(stat(scratch_file(fixture->path, "parley.db"), &info), 0);
    assert_int_equal(truncate(scratch_file(fixture->path, "parley.db"), info.st_size / 8192 * 4096),
                     0);
    struct db *db = NULL;
    struct db_config config = {.directory = fixture->path, .readers = 1};
    enum status status = db_open(&config, &db);
    if (status == STATUS_OK)
        status = db_read(db, rows_read, NULL);
    assert_int_equal(status, STATUS_CORRUPT);
    db_close(db);
}

/* ---- memory ---- */

static enum status data_read(struct db_session *session, void *arg)
{
    (void)arg;
    struct db_statement *statement =
        db_prepare(session, "SELECT sum(length(data || key)) FROM sample");
    return db_step(statement);
}

static void test_pages_are_given_back(void **state)
{
    struct fixture *fixture = *state;
    enum { ROWS = 500, ROW_BYTES = 3000 }; /* one in a page */
    for (int i = 0; i < ROWS; i++) {
        struct row row = {.key = i, .bytes = ROW_BYTES};
        assert_int_equal(db_write(fixture->db, row_insert, &row), STATUS_OK);
    }
    assert_int_equal(db_read(fixture->db, data_read, NULL), STATUS_OK);
    double full = metric(fixture, "\nparley_db_memory_bytes ");
    assert_true(full > 2.0 * ROWS * ROW_BYTES); /* the writer's and a reader's */
    assert_int_equal(db_shrink(fixture->db), STATUS_OK);
    assert_true(metric(fixture, "\nparley_db_memory_bytes ") < full / 3);
    assert_int_equal(db_read(fixture->db, data_read, NULL), STATUS_OK);
    assert_int_equal(rows(fixture), ROWS);
}

static enum status heap_limit(struct db_session *session, void *arg)
{
    const char *const *sql = arg;
    return connection_exec(session, *sql);
}

/* Lets SQLite have less and less; tells how many writes were acknowledged. Ends the process. */
static void starve(struct fixture *fixture)
{
    static const char *const limits[] = {
        "PRAGMA hard_heap_limit = 2000000", "PRAGMA hard_heap_limit = 1000000",
        "PRAGMA hard_heap_limit = 700000",  "PRAGMA hard_heap_limit = 500000",
        "PRAGMA hard_heap_limit = 400000",  "PRAGMA hard_heap_limit = 300000",
        "PRAGMA hard_heap_limit = 200000",  "PRAGMA hard_heap_limit = 1",
    };
    int acknowledged = 0, refused = 0;
    struct db_config config = {.directory = fixture->path, .readers = 1};
    struct db *db = NULL;
    if (db_open(&config, &db) != STATUS_OK)
        _exit(255);
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        const char *sql = limits[i];
        enum status status = db_write(db, heap_limit, &sql);
        for (int k = 0; k < 10; k++) {
            struct row row = {.key = (int64_t)i * 10 + k, .bytes = 20000};
            status = db_write(db, row_insert, &row);
            if (status == STATUS_OK)
                acknowledged++;
            else
                refused++;
        }
    }
    _exit(refused > 0 ? acknowledged : 254);
}

static void test_without_memory(void **state)
{
    struct fixture *fixture = *state;
    fixture->db = db_close(fixture->db);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        starve(fixture);
    int how = 0;
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFEXITED(how));
    assert_in_range(WEXITSTATUS(how), 1, 80);
    reopen(fixture);
    assert_int_equal(rows(fixture), WEXITSTATUS(how));
    scratch_intact(fixture->db);
}

int main(void)
{
    signal(SIGXFSZ, SIG_IGN);
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_settings),
        TEST(test_writer_is_durable),
        TEST(test_readers_cannot_write),
        TEST(test_many_writers),
        TEST(test_group_is_one_commit),
        TEST(test_failing_body_rolls_back_alone),
        TEST(test_failed_commit_fails_all),
        TEST(test_body_that_kills_the_transaction),
        TEST(test_body_that_overlooks_it),
        TEST(test_mistakes_are_invalid),
        TEST(test_values),
        TEST(test_reader_sees_one_snapshot),
        TEST(test_log_is_checkpointed),
        TEST(test_second_server_is_refused),
        TEST(test_config_is_checked),
        TEST(test_damaged_header_is_reported),
        TEST(test_damaged_pages_are_reported),
        TEST(test_truncated_file_is_reported),
        TEST(test_pages_are_given_back),
        TEST(test_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
