/*
 * Every schema version that ever was becomes today's. tests/vectors/schema/NNN.sql is a
 * database of version NNN with rows in every table, as text.
 */
#include "storage/migrations.h"

#include "storage/connection.h"
#include "storage/vault/vault.h"
#include "tests/support/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { SCHEMA_MAX = 1 << 16, SEALED_SINCE = 5 };

static char *snapshot_read(int64_t version)
{
    char path[512];
    snprintf(path, sizeof path, "%s/schema/%03d.sql", TEST_VECTORS, (int)version);
    FILE *file = fopen(path, "re");
    if (!file)
        fail_msg("no snapshot of schema version %d: see tests/vectors/schema/README", (int)version);
    char *text = calloc(1, SCHEMA_MAX);
    assert_non_null(text);
    assert_in_range(fread(text, 1, SCHEMA_MAX - 1, file), 1, SCHEMA_MAX - 2);
    fclose(file);
    return text;
}

/* Makes path/parley.db from a script. */
static void database_make(const char *path, const char *sql)
{
    struct db_session *session = NULL;
    assert_int_equal(connection_open(scratch_file(path, "parley.db"), CONNECTION_WRITER, &session),
                     STATUS_OK);
    assert_int_equal(connection_exec(session, sql), STATUS_OK);
    connection_close(session);
}

/* Appends the texts of the schema, a line each. */
static enum status schema_text(struct db_session *session, void *arg)
{
    char *text = arg;
    enum status status;
    struct db_statement *select =
        db_prepare(session, "SELECT type, name, sql FROM sqlite_schema ORDER BY type, name");
    text[0] = '\0';
    while ((status = db_step(select)) == STATUS_OK) {
        size_t length = strlen(text);
        const char *sql = db_column_text(select, 2);
        snprintf(text + length, SCHEMA_MAX - length, "%s %s %s\n", db_column_text(select, 0),
                 db_column_text(select, 1), sql ? sql : "");
    }
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static char *schema_of(struct db *db)
{
    char *text = malloc(SCHEMA_MAX);
    assert_non_null(text);
    assert_int_equal(db_read(db, schema_text, text), STATUS_OK);
    return text;
}

static char *schema_fresh(void)
{
    char path[SCRATCH_PATH_MAX];
    scratch_make(path);
    struct db *db = scratch_db(path, 1);
    char *text = schema_of(db);
    assert_int_equal(scratch_count(db, "PRAGMA user_version"), migrations_version);
    db_close(db);
    scratch_remove(path);
    return text;
}

/* The keys of the snapshots, where the server looks for them. */
static void keys_put(const char *path)
{
    static const char *const names[] = {"root.key", "keyring"};
    assert_int_equal(mkdir(scratch_file(path, "keys"), 0700), 0);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char from[512], name[32], bytes[256];
        snprintf(from, sizeof from, "%s/schema/keys/%s", TEST_VECTORS, names[i]);
        snprintf(name, sizeof name, "keys/%s", names[i]);
        FILE *file = fopen(from, "re");
        assert_non_null(file);
        size_t length = fread(bytes, 1, sizeof bytes, file);
        fclose(file);
        file = fopen(scratch_file(path, name), "we");
        assert_non_null(file);
        assert_int_equal(fwrite(bytes, 1, length, file), length);
        fclose(file);
        assert_int_equal(chmod(scratch_file(path, name), 0600), 0);
    }
}

/* A sealed text, and the SQL that finds it. */
struct sealed {
    struct vault_place place;
    const char *sql, *text;
};

static enum status sealed_check(struct db_session *session, void *arg)
{
    const struct sealed *sealed = arg;
    struct arena *arena = NULL;
    const char *text = NULL;
    assert_int_equal(arena_new(4096, &arena), STATUS_OK);
    struct db_statement *select = db_prepare(session, sealed->sql);
    assert_int_equal(db_step(select), STATUS_OK);
    assert_int_equal(
        vault_column(db_session_vault(session), &sealed->place, select, 0, arena, &text),
        STATUS_OK);
    assert_string_equal(text, sealed->text);
    arena_free(arena);
    return STATUS_OK;
}

/* Sealed by the migration or by the snapshot's own program, they open where they are. */
static void texts_check(struct db *db, int64_t version)
{
    struct sealed texts[] = {
        {{.table = "meeting", .column = "title_sealed", .row = "standup"},
         "SELECT title_sealed FROM meeting",
         "Daily \u4e0a\u6d77"},
        {{.table = "participant", .column = "name_sealed", .row = "hostAAAAAAAAAAAA"},
         "SELECT name_sealed FROM participant WHERE role = 'host'",
         "Ada"},
        {{.table = "message", .column = "author_name_sealed", .id = 2},
         "SELECT author_name_sealed FROM message WHERE id = 2",
         "Bob"},
        {{.table = "message", .column = "text_sealed", .id = 1},
         "SELECT text_sealed FROM message WHERE id = 1",
         "hello **all**"},
        {{.table = "message_edit", .column = "text_sealed", .row = "1/1"},
         "SELECT text_sealed FROM message_edit",
         "helo"},
    };
    for (size_t i = 0; i < (version >= 2 ? 5 : 2); i++)
        assert_int_equal(db_read(db, sealed_check, &texts[i]), STATUS_OK);
}

static void version_migrate(int64_t version, const char *expected)
{
    char path[SCRATCH_PATH_MAX];
    scratch_make(path);
    char *sql = snapshot_read(version);
    database_make(path, sql);
    free(sql);
    if (version >= SEALED_SINCE)
        keys_put(path);
    struct db *db = scratch_db(path, 1);
    assert_int_equal(scratch_count(db, "PRAGMA user_version"), migrations_version);
    char *schema = schema_of(db);
    assert_string_equal(schema, expected);
    free(schema);
    scratch_intact(db);
    /* What every version had is still there. */
    assert_int_equal(scratch_count(db, "SELECT count(*) FROM meeting WHERE id = 'standup'"
                                       " AND lobby = 1"),
                     1);
    texts_check(db, version);
    assert_int_equal(scratch_count(db, "SELECT count(*) FROM participant"), 2);
    assert_int_equal(scratch_count(db, "SELECT count(*) FROM event"), 3);
    if (version >= 2) {
        assert_int_equal(scratch_count(db, "SELECT messages FROM chat"), 2);
        assert_int_equal(scratch_count(db, "SELECT count(*) FROM message"), 2);
        assert_int_equal(scratch_count(db, "SELECT count(*) FROM message_edit"), 1);
        assert_int_equal(scratch_count(db, "SELECT count(*) FROM message_reaction"), 1);
    }
    db_close(db);
    scratch_remove(path);
}

static void test_every_version(void **state)
{
    (void)state;
    char *expected = schema_fresh();
    for (int64_t version = 1; version <= migrations_version; version++)
        version_migrate(version, expected);
    free(expected);
}

static void refused(const char *sql, enum status expected)
{
    char path[SCRATCH_PATH_MAX];
    struct db *db = NULL;
    struct db_config config = {.directory = path, .readers = 1};
    scratch_make(path);
    database_make(path, sql);
    assert_int_equal(db_open(&config, &db), expected);
    assert_null(db);
    /* Untouched. */
    struct db_session *session = NULL;
    assert_int_equal(connection_open(scratch_file(path, "parley.db"), CONNECTION_READER, &session),
                     STATUS_OK);
    char *schema = malloc(SCHEMA_MAX);
    assert_non_null(schema);
    assert_int_equal(connection_body(session, schema_text, schema), STATUS_OK);
    assert_null(strstr(schema, "meeting"));
    free(schema);
    connection_close(session);
    scratch_remove(path);
}

static void test_newer_is_refused(void **state)
{
    (void)state;
    refused("PRAGMA user_version = 999", STATUS_UNSUPPORTED);
}

static void test_failing_step_leaves_the_version_before(void **state)
{
    (void)state;
    /* Somebody else's table stands in the way of the first step's third. */
    refused("CREATE TABLE event_pruned (x)", STATUS_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_version),
        cmocka_unit_test(test_newer_is_refused),
        cmocka_unit_test(test_failing_step_leaves_the_version_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
