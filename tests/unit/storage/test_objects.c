/*
 * Contents of files: whole or not there; what was changed, cut, swapped or moved is an error and
 * never data; uploads go on after kill -9.
 */
#include "core/rng.h"
#include "storage/objects/stream.h"
#include "storage/vault/vault.h"
#include "tests/support/scratch.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { CONTENT_MAX = 300000 };

static uint8_t content[CONTENT_MAX], back[CONTENT_MAX];

struct place {
    char path[SCRATCH_PATH_MAX];
    struct db *db;
    struct objects *objects;
};

static void place_open(struct place *place)
{
    place->db = scratch_db(place->path, 2);
    assert_int_equal(objects_open(place->db, place->path, &place->objects), STATUS_OK);
}

static void place_close(struct place *place)
{
    objects_close(place->objects);
    db_close(place->db);
}

static int setup(void **state)
{
    static struct place place;
    struct rng rng;
    rng_seed(&rng, 42);
    for (size_t i = 0; i < sizeof content; i++)
        content[i] = (uint8_t)rng_next(&rng);
    scratch_make(place.path);
    place_open(&place);
    *state = &place;
    return 0;
}

static int teardown(void **state)
{
    struct place *place = *state;
    place_close(place);
    scratch_remove(place->path);
    return 0;
}

/* ---- writing ---- */

static void upload_make(struct place *place, int64_t length, char id[CRYPTO_ID_CHARS + 1])
{
    uint8_t digest[CRYPTO_SHA256_BYTES];
    struct upload_spec spec = {.owner = "ada", .length = length, .digest = digest};
    crypto_sha256(content, (size_t)length, digest);
    assert_int_equal(upload_new(place->objects, &spec, 1, id), STATUS_OK);
}

static struct upload *reopen(struct place *place, const char *id)
{
    struct upload *upload = NULL;
    assert_int_equal(upload_open(place->objects, id, "ada", &upload), STATUS_OK);
    return upload;
}

static void append_to(struct upload *upload, int64_t end, size_t piece)
{
    while (upload_offset(upload) < end) {
        int64_t at = upload_offset(upload);
        size_t take = (size_t)(end - at) < piece ? (size_t)(end - at) : piece;
        assert_int_equal(upload_append(upload, at, content + at, take), STATUS_OK);
    }
}

static enum status adopt_run(struct db_session *session, void *arg)
{
    return object_adopt(session, arg, 2);
}

static void finish(struct place *place, struct upload *upload)
{
    assert_int_equal(upload_finish(upload), STATUS_OK);
    assert_int_equal(db_write(place->db, adopt_run, upload), STATUS_OK);
    upload_close(upload);
}

static void object_make(struct place *place, int64_t length, char id[CRYPTO_ID_CHARS + 1])
{
    upload_make(place, length, id);
    struct upload *upload = reopen(place, id);
    append_to(upload, length, 10007);
    finish(place, upload);
}

/* ---- reading ---- */

static void range_check(struct object *object, int64_t offset, size_t length)
{
    size_t got = 0;
    int64_t left = object_size(object) - offset;
    size_t expected = left < (int64_t)length ? (size_t)left : length;
    assert_int_equal(object_read(object, offset, back, length, &got), STATUS_OK);
    assert_int_equal(got, expected);
    assert_memory_equal(back, content + offset, got);
}

static void whole_check(struct place *place, const char *id, int64_t length)
{
    struct object *object = NULL;
    uint8_t digest[CRYPTO_SHA256_BYTES];
    assert_int_equal(object_open(place->objects, id, &object), STATUS_OK);
    assert_int_equal(object_size(object), length);
    crypto_sha256(content, (size_t)length, digest);
    assert_memory_equal(object_digest(object), digest, sizeof digest);
    range_check(object, 0, (size_t)length + 1);
    object_close(object);
}

static const char *object_path(const struct place *place, const char *id)
{
    char name[64];
    snprintf(name, sizeof name, "objects/%.2s/%s", id, id);
    return scratch_file(place->path, name);
}

static void test_sizes(void **state)
{
    static const int64_t sizes[] = {0, 1, 65535, 65536, 65537, 131071, 131072, 131073, 200000};
    struct place *place = *state;
    char id[CRYPTO_ID_CHARS + 1];
    struct stat info;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        object_make(place, sizes[i], id);
        whole_check(place, id, sizes[i]);
        assert_int_equal(stat(object_path(place, id), &info), 0);
        assert_int_equal(info.st_size, sizes[i] + stream_chunks(sizes[i]) * CRYPTO_TAG_BYTES);
        assert_int_equal(info.st_mode & 0777, 0600);
    }
}

static void test_ranges(void **state)
{
    struct place *place = *state;
    char id[CRYPTO_ID_CHARS + 1];
    struct object *object = NULL;
    struct rng rng;
    size_t got = 1;
    object_make(place, CONTENT_MAX, id);
    assert_int_equal(object_open(place->objects, id, &object), STATUS_OK);
    rng_seed(&rng, 7);
    for (int i = 0; i < 300; i++)
        range_check(object, rng_below(&rng, CONTENT_MAX), rng_below(&rng, 100000));
    range_check(object, 65535, 2);
    assert_int_equal(object_read(object, CONTENT_MAX, back, 1, &got), STATUS_OK);
    assert_int_equal(got, 0);
    assert_int_equal(object_read(object, -1, back, 1, &got), STATUS_INVALID);
    object_close(object);
}

/* ---- damage ---- */

static void byte_flip(const char *path, off_t at)
{
    uint8_t byte;
    int fd = open(path, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(pread(fd, &byte, 1, at), 1);
    byte ^= 1;
    assert_int_equal(pwrite(fd, &byte, 1, at), 1);
    close(fd);
}

/* Chunk by chunk: those that are damaged are errors that give nothing, the others are read. */
static void damage_check(struct place *place, const char *id, uint32_t damaged)
{
    struct object *object = NULL;
    assert_int_equal(object_open(place->objects, id, &object), STATUS_OK);
    for (uint32_t chunk = 0; chunk < stream_chunks(object_size(object)); chunk++) {
        size_t got = 12345;
        if ((damaged >> chunk & 1) == 0) {
            range_check(object, (int64_t)chunk * OBJECTS_CHUNK, OBJECTS_CHUNK);
            continue;
        }
        memset(back, 0, sizeof back);
        assert_int_equal(
            object_read(object, (int64_t)chunk * OBJECTS_CHUNK, back, OBJECTS_CHUNK, &got),
            STATUS_CORRUPT);
        assert_int_equal(got, 12345);
        for (size_t i = 0; i < OBJECTS_CHUNK; i++)
            assert_int_equal(back[i], 0);
    }
    object_close(object);
}

static void chunk_read(const char *path, uint32_t chunk, uint8_t *ret_chunk)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_int_equal(pread(fd, ret_chunk, STREAM_CHUNK, (off_t)chunk * STREAM_CHUNK), STREAM_CHUNK);
    close(fd);
}

static void chunk_write(const char *path, uint32_t chunk, const uint8_t *bytes)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    assert_int_equal(pwrite(fd, bytes, STREAM_CHUNK, (off_t)chunk * STREAM_CHUNK), STREAM_CHUNK);
    close(fd);
}

static void test_damage_is_an_error(void **state)
{
    struct place *place = *state;
    char id[CRYPTO_ID_CHARS + 1], other[CRYPTO_ID_CHARS + 1];
    static uint8_t first[STREAM_CHUNK], second[STREAM_CHUNK], foreign[STREAM_CHUNK];
    object_make(place, 4 * OBJECTS_CHUNK, id);
    object_make(place, 4 * OBJECTS_CHUNK, other);
    chunk_read(object_path(place, id), 0, first);
    chunk_read(object_path(place, id), 1, second);
    chunk_read(object_path(place, other), 0, foreign);
    damage_check(place, id, 0);
    static const off_t places[] = {0, 70000, STREAM_CHUNK - 1, 2 * STREAM_CHUNK + 5,
                                   4 * STREAM_CHUNK - 1};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        byte_flip(object_path(place, id), places[i]);
        damage_check(place, id, 1u << places[i] / STREAM_CHUNK);
        byte_flip(object_path(place, id), places[i]);
    }
    chunk_write(object_path(place, id), 0, second);
    chunk_write(object_path(place, id), 1, first);
    damage_check(place, id, 1 | 2);
    chunk_write(object_path(place, id), 0, first);
    damage_check(place, id, 2); /* repeated */
    chunk_write(object_path(place, id), 1, second);
    chunk_write(object_path(place, id), 0, foreign);
    damage_check(place, id, 1);
    chunk_write(object_path(place, id), 0, first);
    damage_check(place, id, 0);
}

static enum status resize_run(struct db_session *session, void *arg)
{
    struct db_statement *update =
        db_prepare(session, "UPDATE object SET secret = (SELECT secret FROM object WHERE id = $2)"
                            " WHERE id = $1");
    const char *const *ids = arg;
    db_bind_text(update, 1, ids[0]);
    db_bind_text(update, 2, ids[1]);
    return db_run(update);
}

static void test_truncation_and_swapped_files(void **state)
{
    struct place *place = *state;
    char id[CRYPTO_ID_CHARS + 1], other[CRYPTO_ID_CHARS + 1];
    char from[SCRATCH_PATH_MAX + 64], to[SCRATCH_PATH_MAX + 64];
    struct object *object = NULL;
    object_make(place, 3 * OBJECTS_CHUNK, id);
    object_make(place, 3 * OBJECTS_CHUNK, other);
    snprintf(from, sizeof from, "%s", object_path(place, id));
    snprintf(to, sizeof to, "%s", object_path(place, other));
    /* The file of one under the name of the other, of the same size. */
    assert_int_equal(rename(from, to), 0);
    damage_check(place, other, 7);
    assert_int_equal(object_open(place->objects, id, &object), STATUS_CORRUPT);
    /* With the row of one for the other. */
    const char *ids[] = {other, id};
    assert_int_equal(db_write(place->db, resize_run, ids), STATUS_OK);
    assert_int_equal(object_open(place->objects, other, &object), STATUS_CORRUPT);
    assert_int_equal(rename(to, from), 0);
    /* Cut at a chunk, in a chunk, grown. */
    static const off_t sizes[] = {0,
                                  1,
                                  STREAM_CHUNK,
                                  2 * STREAM_CHUNK,
                                  3 * STREAM_CHUNK - 1,
                                  3 * STREAM_CHUNK + 1,
                                  4 * STREAM_CHUNK};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        assert_int_equal(truncate(from, sizes[i]), 0);
        assert_int_equal(object_open(place->objects, id, &object), STATUS_CORRUPT);
    }
    /* Cut at a chunk, and whoever did it knew how to make the size fit: the end is authenticated.
     */
    struct stream_secret secret;
    static uint8_t sealed[STREAM_CHUNK];
    stream_secret_make(&secret);
    stream_seal(&secret, 1, false, content, OBJECTS_CHUNK, sealed);
    assert_int_equal(stream_open(&secret, 1, false, sealed, sizeof sealed, back), STATUS_OK);
    assert_int_equal(stream_open(&secret, 1, true, sealed, sizeof sealed, back), STATUS_CORRUPT);
    assert_int_equal(stream_open(&secret, 2, false, sealed, sizeof sealed, back), STATUS_CORRUPT);
    /* The wrong key, with the right place. */
    struct stream_secret wrong = secret;
    wrong.key[0] ^= 1;
    assert_int_equal(stream_open(&wrong, 1, false, sealed, sizeof sealed, back), STATUS_CORRUPT);
    for (size_t i = 0; i < OBJECTS_CHUNK; i++)
        assert_int_equal(back[i], 0);
}

static void test_digest_is_checked(void **state)
{
    struct place *place = *state;
    char id[CRYPTO_ID_CHARS + 1];
    struct object *object = NULL;
    upload_make(place, 100000, id);
    struct upload *upload = reopen(place, id);
    assert_int_equal(upload_append(upload, 0, content + 1, 99999), STATUS_OK);
    assert_int_equal(upload_finish(upload), STATUS_AGAIN);
    assert_int_equal(upload_append(upload, 99999, content, 1), STATUS_OK);
    assert_int_equal(upload_finish(upload), STATUS_CORRUPT);
    assert_int_equal(db_write(place->db, adopt_run, upload), STATUS_INVALID);
    assert_int_equal(upload_cancel(place->objects, id, "ada"), STATUS_AGAIN);
    upload_close(upload);
    assert_int_equal(object_open(place->objects, id, &object), STATUS_NOT_FOUND);
    assert_int_equal(upload_cancel(place->objects, id, "bob"), STATUS_NOT_FOUND);
    assert_int_equal(upload_cancel(place->objects, id, "ada"), STATUS_OK);
    assert_int_equal(upload_open(place->objects, id, "ada", &upload), STATUS_NOT_FOUND);
}

/* ---- resuming ---- */

static void test_resuming(void **state)
{
    struct place *place = *state;
    static const int64_t stops[] = {1, 65535, 65536, 65537, 131072, 150000, 196607, 196608};
    char id[CRYPTO_ID_CHARS + 1];
    struct upload *upload, *second = NULL;
    upload_make(place, 196608, id);
    for (size_t i = 0; i < sizeof stops / sizeof stops[0]; i++) {
        upload = reopen(place, id);
        assert_int_equal(upload_open(place->objects, id, "ada", &second), STATUS_AGAIN);
        assert_int_equal(upload_append(upload, upload_offset(upload) + 1, content, 1),
                         STATUS_OUT_OF_WINDOW);
        append_to(upload, stops[i], 5000);
        assert_int_equal(upload_sync(upload), STATUS_OK);
        if (stops[i] < 196608) { /* what is not synced is gone */
            append_to(upload, 196608, 65536);
            assert_int_equal(upload_append(upload, 196608, content, 1), STATUS_LIMIT);
        }
        upload_close(upload);
        upload = reopen(place, id);
        assert_int_equal(upload_offset(upload), stops[i]);
        upload_close(upload);
    }
    upload = reopen(place, id);
    assert_int_equal(upload_finish(upload), STATUS_OK);
    upload_close(upload); /* finished, but nobody adopted it */
    upload = reopen(place, id);
    assert_int_equal(upload_offset(upload), 196608);
    finish(place, upload);
    whole_check(place, id, 196608);
}

/* Appends and syncs until it is killed, telling each acknowledged offset. */
static void child_main(const char *path, const char *id, int report)
{
    struct db_config config = {.directory = path, .readers = 1};
    struct db *db = NULL;
    struct objects *objects = NULL;
    struct upload *upload = NULL;
    struct rng rng;
    if (db_open(&config, &db) != STATUS_OK || objects_open(db, path, &objects) != STATUS_OK ||
        upload_open(objects, id, "ada", &upload) != STATUS_OK)
        _exit(1);
    rng_seed(&rng, (uint64_t)getpid());
    while (upload_offset(upload) < upload_length(upload)) {
        int64_t at = upload_offset(upload), left = upload_length(upload) - at;
        size_t take = 1 + rng_below(&rng, 9000);
        take = (int64_t)take < left ? take : (size_t)left;
        if (upload_append(upload, at, content + at, take) != STATUS_OK ||
            upload_sync(upload) != STATUS_OK)
            _exit(2);
        at = upload_offset(upload);
        if (write(report, &at, sizeof at) != sizeof at)
            _exit(3);
    }
    pause();
}

static void test_kill_9(void **state)
{
    (void)state;
    struct place place;
    struct rng rng;
    char id[CRYPTO_ID_CHARS + 1];
    int64_t acknowledged = 0;
    int kills = 0;
    scratch_make(place.path);
    place_open(&place);
    upload_make(&place, CONTENT_MAX, id);
    place_close(&place);
    rng_seed(&rng, 3);
    while (acknowledged < CONTENT_MAX) {
        int ends[2];
        assert_int_equal(pipe(ends), 0);
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0)
            child_main(place.path, id, ends[1]);
        close(ends[1]);
        uint32_t patience = 1 + rng_below(&rng, 8);
        int64_t before = acknowledged;
        for (uint32_t i = 0; i < patience && acknowledged < CONTENT_MAX; i++)
            assert_int_equal(read(ends[0], &acknowledged, sizeof acknowledged),
                             sizeof acknowledged);
        assert_true(acknowledged > before);
        kill(pid, SIGKILL);
        int64_t more;
        while (read(ends[0], &more, sizeof more) == sizeof more)
            acknowledged = more;
        close(ends[0]);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
        kills++;
    }
    place_open(&place);
    struct upload *upload = reopen(&place, id);
    assert_int_equal(upload_offset(upload), CONTENT_MAX);
    finish(&place, upload);
    whole_check(&place, id, CONTENT_MAX);
    print_message("an upload of %d bytes survived %d kills\n", CONTENT_MAX, kills);
    place_close(&place);
    scratch_remove(place.path);
}

/* ---- quotas, deleting, leftovers ---- */

static enum status doom_run(struct db_session *session, void *arg)
{
    return object_doom(session, arg);
}

static void usage_check(struct place *place, char kind, const char *holder, int64_t expected)
{
    struct objects_usage usage;
    assert_int_equal(objects_usage(place->objects, kind, holder, &usage), STATUS_OK);
    assert_int_equal(usage.bytes, expected);
}

static void test_quotas(void **state)
{
    struct place *place = *state;
    char id[CRYPTO_ID_CHARS + 1];
    struct upload_spec spec = {.space = "quota", .owner = "eve", .length = 600};
    objects_quotas(place->objects, 1000, 1500);
    assert_int_equal(upload_new(place->objects, &spec, 1, id), STATUS_CLOSED); /* no key */
    assert_int_equal(vault_space_new(db_vault(place->db), place->db, "quota"), STATUS_OK);
    assert_int_equal(upload_new(place->objects, &spec, 1, id), STATUS_OK);
    usage_check(place, 'u', "eve", 600);
    usage_check(place, 's', "quota", 600);
    assert_int_equal(upload_new(place->objects, &spec, 1, id), STATUS_LIMIT);
    spec.owner = "mallory";
    assert_int_equal(upload_new(place->objects, &spec, 1000, id), STATUS_OK);
    spec.owner = "trent";
    assert_int_equal(upload_new(place->objects, &spec, 1, id), STATUS_LIMIT); /* the space's */
    usage_check(place, 'u', "trent", 0);
    usage_check(place, 's', "quota", 1200);
    int64_t count = 0;
    assert_int_equal(uploads_expire(place->objects, 500, &count), STATUS_OK);
    assert_int_equal(count, 1);
    usage_check(place, 'u', "eve", 0);
    usage_check(place, 's', "quota", 600);
    spec.length = -1;
    assert_int_equal(upload_new(place->objects, &spec, 1, id), STATUS_INVALID);
    /* one's own quota instead of everybody's, and back */
    struct objects_usage usage;
    spec.length = 1001;
    assert_int_equal(upload_new(place->objects, &spec, 1, id), STATUS_LIMIT);
    assert_int_equal(objects_quota_set(place->objects, 'u', "trent", 5000), STATUS_OK);
    assert_int_equal(upload_new(place->objects, &spec, 1, id), STATUS_LIMIT);
    assert_int_equal(objects_quota_set(place->objects, 's', "quota", 5000), STATUS_OK);
    assert_int_equal(upload_new(place->objects, &spec, 1, id), STATUS_OK);
    assert_int_equal(objects_usage(place->objects, 'u', "trent", &usage), STATUS_OK);
    assert_true(usage.own && usage.max == 5000 && usage.bytes == 1001);
    assert_int_equal(objects_quota_set(place->objects, 'u', "trent", -1), STATUS_OK);
    assert_int_equal(objects_usage(place->objects, 'u', "trent", &usage), STATUS_OK);
    assert_true(!usage.own && usage.max == 1000);
    objects_quotas(place->objects, OBJECTS_OWNER_MAX, OBJECTS_SPACE_MAX);
}

static void test_deleted_is_gone(void **state)
{
    struct place *place = *state;
    char id[CRYPTO_ID_CHARS + 1];
    struct object *object = NULL;
    struct objects_usage usage;
    assert_int_equal(objects_usage(place->objects, 'u', "ada", &usage), STATUS_OK);
    int64_t before = usage.bytes;
    object_make(place, 1000, id);
    usage_check(place, 'u', "ada", before + 1000);
    assert_int_equal(db_write(place->db, doom_run, id), STATUS_OK);
    usage_check(place, 'u', "ada", before);
    assert_int_equal(object_open(place->objects, id, &object), STATUS_NOT_FOUND);
    assert_int_equal(access(object_path(place, id), F_OK), 0);
    assert_int_equal(objects_reap(place->objects), STATUS_OK);
    assert_int_not_equal(access(object_path(place, id), F_OK), 0);
    assert_int_equal(db_write(place->db, doom_run, id), STATUS_NOT_FOUND);
}

static void test_leftovers_are_removed_at_start(void **state)
{
    struct place *place = *state;
    char id[CRYPTO_ID_CHARS + 1], waiting[CRYPTO_ID_CHARS + 1], name[64];
    object_make(place, 1000, id);
    assert_int_equal(db_write(place->db, doom_run, id), STATUS_OK);
    upload_make(place, 1000, waiting);
    struct upload *upload = reopen(place, waiting);
    append_to(upload, 500, 500);
    assert_int_equal(upload_sync(upload), STATUS_OK);
    upload_close(upload);
    FILE *file = fopen(scratch_file(place->path, "uploads/AAAAAAAAAAAAAAAA"), "we");
    assert_non_null(file);
    fclose(file);
    place_close(place); /* as a crash would, before objects_reap */
    place_open(place);
    assert_int_not_equal(access(object_path(place, id), F_OK), 0);
    assert_int_not_equal(access(scratch_file(place->path, "uploads/AAAAAAAAAAAAAAAA"), F_OK), 0);
    snprintf(name, sizeof name, "uploads/%s", waiting);
    assert_int_equal(access(scratch_file(place->path, name), F_OK), 0);
    upload = reopen(place, waiting);
    append_to(upload, 1000, 500);
    finish(place, upload);
    whole_check(place, waiting, 1000);
}

static void test_many_restarts_are_refused(void **state)
{
    struct place *place = *state;
    char id[CRYPTO_ID_CHARS + 1];
    struct upload *upload = NULL;
    enum status status = STATUS_OK;
    int runs = 0;
    upload_make(place, CONTENT_MAX, id);
    /* In one and the same chunk they are one run. */
    for (int i = 0; i < STREAM_RUNS_MAX + 1; i++) {
        upload = reopen(place, id);
        append_to(upload, OBJECTS_CHUNK, OBJECTS_CHUNK);
        upload_close(upload);
    }
    struct stream_secret secret;
    stream_secret_make(&secret);
    for (uint32_t first = 1; status == STATUS_OK; first++, runs++)
        status = stream_run_add(&secret, first);
    assert_int_equal(status, STATUS_LIMIT);
    assert_int_equal(runs, STREAM_RUNS_MAX);
}

static void test_plans(void **state)
{
    struct place *place = *state;
    scratch_no_scans(place->db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_damage_is_an_error),
        cmocka_unit_test(test_truncation_and_swapped_files),
        cmocka_unit_test(test_digest_is_checked),
        cmocka_unit_test(test_resuming),
        cmocka_unit_test(test_kill_9),
        cmocka_unit_test(test_quotas),
        cmocka_unit_test(test_deleted_is_gone),
        cmocka_unit_test(test_leftovers_are_removed_at_start),
        cmocka_unit_test(test_many_restarts_are_refused),
        cmocka_unit_test(test_plans),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
