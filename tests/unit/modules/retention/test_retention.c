/*
 * The job that prunes: uploads nobody went on with, and browsers whose sign-in is over, go; what is
 * in use stays.
 */
#include "modules/retention/retention.h"

#include "core/clock.h"
#include "modules/push/push.h"
#include "modules/spaces/incoming.h"
#include "modules/spaces/spaces.h"
#include "tests/support/clock_shift.h"
#include "tests/support/people.h"
#include "tests/support/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

enum { ARENA_MAX = 32 << 20, TRIES_MAX = 600, DEVICES = 3 };

struct stage {
    char folder[SCRATCH_PATH_MAX];
    struct db *db;
    struct arena *arena;
    struct auth *auth;
    struct objects *objects;
    struct jobs *jobs;
    struct retention retention;
    struct spaces_who ada;
    int64_t expires; /* of the sign-ins that are made */
};

static int setup(void **state)
{
    struct stage *stage = calloc(1, sizeof *stage);
    struct spaces_space space;
    assert_non_null(stage);
    scratch_make(stage->folder);
    stage->db = scratch_db(stage->folder, 2);
    assert_int_equal(arena_new(ARENA_MAX, &stage->arena), STATUS_OK);
    const struct auth_config config = {.db = stage->db};
    assert_int_equal(auth_new(&config, &stage->auth), STATUS_OK);
    assert_int_equal(objects_open(stage->db, stage->folder, &stage->objects), STATUS_OK);
    assert_int_equal(jobs_new(stage->db, NULL, &stage->jobs), STATUS_OK);
    stage->retention = (struct retention){.db = stage->db,
                                          .auth = stage->auth,
                                          .objects = stage->objects,
                                          .days = 14,
                                          .calls_days = 365};
    const char *ada = people_add(stage->db, stage->arena, "ada");
    const struct spaces_new wish = {.account = ada, .name = "Lake"};
    assert_int_equal(spaces_create(stage->db, &wish, clock_wall_ms(), stage->arena, &space),
                     STATUS_OK);
    stage->ada = (struct spaces_who){space.id, ada};
    *state = stage;
    return 0;
}

static int teardown(void **state)
{
    struct stage *stage = *state;
    jobs_free(stage->jobs);
    objects_close(stage->objects);
    auth_free(stage->auth);
    arena_free(stage->arena);
    db_close(stage->db);
    scratch_remove(stage->folder);
    free(stage);
    return 0;
}

static enum status login_run(struct db_session *session, void *arg)
{
    const struct stage *stage = arg;
    enum status status = STATUS_OK;
    for (int i = 0; status == STATUS_OK && i < DEVICES; i++) {
        char id[32];
        snprintf(id, sizeof id, "login%d", i);
        struct db_statement *insert = db_prepare(
            session, "INSERT INTO login (id, token_hash, account, epoch, cookie, device, address,"
                     " created, seen, expires) VALUES ($1, $2, $3, 1, 0, x'00', x'00', 1, 1, $4)");
        db_bind_text(insert, 1, id);
        db_bind_blob(insert, 2, id, strlen(id));
        db_bind_text(insert, 3, stage->ada.account);
        db_bind_int(insert, 4, i == 0 ? stage->expires : INT64_MAX);
        status = db_run(insert);
    }
    return status;
}

/* A browser of each sign-in; the first one's is over soon. */
static void subscribe(struct stage *stage)
{
    char key[PUSH_KEY_CHARS + 1], login[32];
    const struct push push = {.db = stage->db};
    struct push_pair browser;
    assert_int_equal(db_write(stage->db, login_run, stage), STATUS_OK);
    assert_int_equal(push_pair_new(&browser), STATUS_OK);
    crypto_base64url(browser.point, sizeof browser.point, key);
    const struct push_wish wish = {
        .endpoint = "https://push.example/device", .p256dh = key, .auth = "BTBZMqHH6r4Tts7J_aSIgg"};
    for (int i = 0; i < DEVICES; i++) {
        snprintf(login, sizeof login, "login%d", i);
        assert_int_equal(push_set(&push, stage->ada.account, login, &wish, clock_wall_ms()),
                         STATUS_OK);
    }
}

static enum status revoke_run(struct db_session *session, void *arg)
{
    (void)arg;
    return db_run(db_prepare(session, "DELETE FROM login WHERE id = 'login1'"));
}

static enum status logins_run(struct db_session *session, void *arg)
{
    char *found = arg;
    struct db_statement *select =
        db_prepare(session, "SELECT login FROM push_device WHERE login >= 'login' ORDER BY login");
    enum status status;
    found[0] = '\0';
    while ((status = db_step(select)) == STATUS_OK)
        strcat(found, db_column_text(select, 0) + 5);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

/* Until the job has left them so. */
static void await_devices(struct stage *stage, const char *expected)
{
    char found[64] = "?";
    for (int i = 0; i < TRIES_MAX && strcmp(found, expected) != 0; i++) {
        jobs_wake(stage->jobs);
        nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
        assert_int_equal(db_read(stage->db, logins_run, found), STATUS_OK);
    }
    assert_string_equal(found, expected);
}

static void test_devices(void **state)
{
    struct stage *stage = *state;
    stage->expires = clock_wall_ms() + RETENTION_EVERY_MS / 2;
    subscribe(stage);
    assert_int_equal(db_write(stage->db, revoke_run, NULL), STATUS_OK);
    assert_int_equal(retention_begin(&stage->retention, stage->jobs), STATUS_OK);
    assert_int_equal(jobs_start(stage->jobs), STATUS_OK);
    await_devices(stage, "02"); /* the revoked one's is gone, at once */
    clock_leap_ms(RETENTION_EVERY_MS + 1000);
    await_devices(stage, "2"); /* an hour later the expired one's */
}

static enum status upload_get(struct stage *stage, const char *id)
{
    struct uploads_upload upload;
    return uploads_get(stage->db, stage->ada.account, id, stage->arena, &upload);
}

static void test_uploads(void **state)
{
    struct stage *stage = *state;
    struct uploads_upload old, young;
    const struct files_new content = {.name = "f", .length = 16};
    assert_int_equal(uploads_new(stage->db, stage->objects, &stage->ada, &content, clock_wall_ms(),
                                 stage->arena, &old),
                     STATUS_OK);
    clock_leap_ms(UPLOADS_LIFE_MS - RETENTION_EVERY_MS / 2);
    assert_int_equal(uploads_new(stage->db, stage->objects, &stage->ada, &content, clock_wall_ms(),
                                 stage->arena, &young),
                     STATUS_OK);
    assert_int_equal(retention_begin(&stage->retention, stage->jobs), STATUS_OK);
    assert_int_equal(jobs_start(stage->jobs), STATUS_OK);
    clock_leap_ms(RETENTION_EVERY_MS + 1000);
    for (int i = 0; i < TRIES_MAX && upload_get(stage, old.id) == STATUS_OK; i++) {
        jobs_wake(stage->jobs);
        nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    }
    assert_int_equal(upload_get(stage, old.id), STATUS_NOT_FOUND);
    assert_int_equal(upload_get(stage, young.id), STATUS_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_devices, setup, teardown),
        cmocka_unit_test_setup_teardown(test_uploads, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
