#include "tests/support/scratch.h"

#include "storage/connection.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

void scratch_make(char ret_path[SCRATCH_PATH_MAX])
{
    const char *base = getenv("TMPDIR");
    int length =
        snprintf(ret_path, SCRATCH_PATH_MAX, "%s/parley-test-XXXXXX", base ? base : "/tmp");
    assert_in_range(length, 1, SCRATCH_PATH_MAX - 1);
    assert_non_null(mkdtemp(ret_path));
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
    (void)info;
    (void)kind;
    (void)walk;
    return remove(path);
}

void scratch_remove(const char *path)
{
    assert_int_equal(nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

const char *scratch_file(const char *path, const char *name)
{
    static char file[SCRATCH_PATH_MAX + 64];
    assert_in_range(snprintf(file, sizeof file, "%s/%s", path, name), 1, sizeof file - 1);
    return file;
}

struct db *scratch_db(const char *path, uint32_t readers)
{
    struct db *db = NULL;
    struct db_config config = {.directory = path, .readers = readers};
    assert_int_equal(db_open(&config, &db), STATUS_OK);
    return db;
}

/* ---- plans ---- */

struct scans {
    int statements, found;
};

static void plan_look(void *context, const char *sql, const char *detail)
{
    struct scans *scans = context;
    scans->statements++;
    /* What a subquery yields is read whole; how it finds its rows is a line of its own. */
    if (strncmp(detail, "SCAN ", 5) == 0 && strncmp(detail, "SCAN CONSTANT ROW", 17) != 0 &&
        strncmp(detail, "SCAN (subquery", 14) != 0) {
        scans->found++;
        print_message("%s: %s\n", detail, sql);
    }
}

static enum status plans_look(struct db_session *session, void *arg)
{
    return connection_plans(session, plan_look, arg);
}

void scratch_no_scans(struct db *db)
{
    struct scans scans = {0};
    assert_int_equal(db_write(db, plans_look, &scans), STATUS_OK);
    assert_int_equal(db_read(db, plans_look, &scans), STATUS_OK);
    assert_int_not_equal(scans.statements, 0);
    assert_int_equal(scans.found, 0);
}

struct usage {
    const char *index;
    bool found;
};

static void usage_look(void *context, const char *sql, const char *detail)
{
    (void)sql;
    struct usage *usage = context;
    const char *at = strstr(detail, usage->index);
    usage->found = usage->found || (at && at[strlen(usage->index)] == ' ');
}

static enum status usages_look(struct db_session *session, void *arg)
{
    return connection_plans(session, usage_look, arg);
}

void scratch_uses(struct db *db, const char *index)
{
    struct usage usage = {.index = index};
    assert_int_equal(db_read(db, usages_look, &usage), STATUS_OK);
    if (!usage.found)
        fail_msg("no statement uses the index %s", index);
}

/* ---- questions ---- */

struct counting {
    const char *sql;
    int64_t count;
};

static enum status count_run(struct db_session *session, void *arg)
{
    struct counting *counting = arg;
    struct db_statement *statement = db_prepare(session, counting->sql);
    enum status status = db_step(statement);
    if (status == STATUS_OK)
        counting->count = db_column_int(statement, 0);
    return status;
}

int64_t scratch_count(struct db *db, const char *sql)
{
    struct counting counting = {.sql = sql};
    assert_int_equal(db_read(db, count_run, &counting), STATUS_OK);
    return counting.count;
}

static enum status intact_run(struct db_session *session, void *arg)
{
    int *ret_intact = arg;
    struct db_statement *statement = db_prepare(session, "PRAGMA integrity_check(1)");
    enum status status = db_step(statement);
    if (status == STATUS_OK)
        *ret_intact = strcmp(db_column_text(statement, 0), "ok") == 0;
    return status;
}

void scratch_intact(struct db *db)
{
    int intact = 0;
    assert_int_equal(db_read(db, intact_run, &intact), STATUS_OK);
    assert_true(intact);
}
