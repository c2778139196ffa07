/*
 * Who is told by push, through a stand-in of a push service on loopback; what it is sent, and what
 * becomes of a subscription it does not know any more.
 */
#include "modules/push/push.h"

#include "core/clock.h"
#include "modules/auth/auth.h"
#include "modules/spaces/messages.h"
#include "tests/support/clock_shift.h"
#include "tests/support/origin.h"
#include "tests/support/people.h"
#include "tests/support/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

enum { ARENA_MAX = 32 << 20, TRIES_MAX = 600 };

struct stage {
    char folder[SCRATCH_PATH_MAX];
    struct db *db;
    struct arena *arena;
    struct origin *origin;
    struct push push;
    struct jobs *jobs;
    struct spaces_who ada, bob;
    atomic_int told, answer, bad;
};

/* A push service: says what the test wants. */
static char *serve(void *context, const struct origin_request *request, size_t *ret_length)
{
    struct stage *stage = context;
    bool good = strncmp(request->head, "POST /device HTTP/1.1", 21) == 0 &&
                strstr(request->head, "Content-Encoding: aes128gcm") != NULL &&
                strstr(request->head, "TTL: 86400") != NULL &&
                strstr(request->head, "Authorization: vapid t=") != NULL &&
                request->body_length > PUSH_HEAD_BYTES + 17 &&
                memcmp(request->body + PUSH_SALT_BYTES, "\0\0\x10\0\x41\x04", 6) == 0;
    if (!good)
        atomic_fetch_add(&stage->bad, 1);
    atomic_fetch_add(&stage->told, 1);
    return origin_answer(atomic_load(&stage->answer), "text/plain", "", "", ret_length);
}

static enum status login_run(struct db_session *session, void *arg)
{
    const struct spaces_who *who = arg;
    struct db_statement *insert =
        db_prepare(session, "INSERT INTO login (id, token_hash, account, epoch, cookie, device,"
                            " address, created, seen, expires) VALUES ($1, x'00', $2, 1, 0, x'00',"
                            " x'00', 1, 1, $3)");
    db_bind_text(insert, 1, "login");
    db_bind_text(insert, 2, who->account);
    db_bind_int(insert, 3, INT64_MAX);
    return db_run(insert);
}

static void subscribe(struct stage *stage)
{
    char endpoint[64], key[PUSH_KEY_CHARS + 1];
    struct push_pair browser;
    assert_int_equal(push_pair_new(&browser), STATUS_OK);
    crypto_base64url(browser.point, sizeof browser.point, key);
    snprintf(endpoint, sizeof endpoint, "http://127.0.0.1:%u/device", origin_port(stage->origin));
    struct push_wish wish = {
        .endpoint = endpoint, .p256dh = key, .auth = "BTBZMqHH6r4Tts7J_aSIgg", .texts = true};
    assert_int_equal(push_set(&stage->push, stage->bob.account, "login", &wish, clock_wall_ms()),
                     STATUS_OK);
    wish.auth = "BTBZMqHH6r4Tts7J_aSI";
    assert_int_equal(push_set(&stage->push, stage->bob.account, "login", &wish, clock_wall_ms()),
                     STATUS_INVALID);
    wish.endpoint = "ftp://127.0.0.1/";
    assert_int_equal(push_set(&stage->push, stage->bob.account, "login", &wish, clock_wall_ms()),
                     STATUS_INVALID);
}

static int setup(void **state)
{
    struct stage *stage = calloc(1, sizeof *stage);
    struct spaces_space space;
    assert_non_null(stage);
    scratch_make(stage->folder);
    stage->db = scratch_db(stage->folder, 2);
    assert_int_equal(arena_new(ARENA_MAX, &stage->arena), STATUS_OK);
    atomic_store(&stage->answer, 201);
    stage->origin = origin_start("127.0.0.1", serve, stage);
    struct http_fetch_config config = {.reach = {.port_count = 1, .allowed_count = 1}};
    config.reach.ports[0] = origin_port(stage->origin);
    assert_int_equal(network_read("127.0.0.1/32", &config.reach.allowed[0]), STATUS_OK);
    stage->push = (struct push){.db = stage->db, .plain = true, .contact = "mailto:a@example.org"};
    assert_int_equal(http_fetch_new(&config, &stage->push.fetch), STATUS_OK);
    assert_int_equal(jobs_new(stage->db, NULL, &stage->jobs), STATUS_OK);
    assert_int_equal(push_begin(&stage->push, stage->jobs), STATUS_OK);
    assert_int_equal(jobs_start(stage->jobs), STATUS_OK);
    const char *ada = people_add(stage->db, stage->arena, "ada");
    const struct spaces_new wish = {.account = ada, .name = "Lake"};
    int64_t now_ms = clock_wall_ms();
    assert_int_equal(spaces_create(stage->db, &wish, now_ms, stage->arena, &space), STATUS_OK);
    stage->ada = (struct spaces_who){space.id, ada};
    stage->bob = (struct spaces_who){space.id, people_add(stage->db, stage->arena, "bob")};
    const struct spaces_invitee invitee = {.account = stage->bob.account, .role = "viewer"};
    struct spaces_member member;
    assert_int_equal(spaces_invite(stage->db, &stage->ada, &invitee, now_ms, stage->arena, &member),
                     STATUS_OK);
    assert_int_equal(db_write(stage->db, login_run, &stage->bob), STATUS_OK);
    *state = stage;
    return 0;
}

static int teardown(void **state)
{
    struct stage *stage = *state;
    stage->jobs = jobs_free(stage->jobs);
    http_fetch_free(stage->push.fetch);
    origin_stop(stage->origin);
    assert_int_equal(atomic_load(&stage->bad), 0);
    arena_free(stage->arena);
    db_close(stage->db);
    scratch_remove(stage->folder);
    free(stage);
    return 0;
}

static const char *say(struct stage *stage, const struct spaces_who *who, struct messages_post post)
{
    struct messages_message message;
    bool changed = false;
    assert_int_equal(
        messages_add(stage->db, who, &post, clock_wall_ms(), stage->arena, &message, &changed),
        STATUS_OK);
    return message.id;
}

/* Until all that is due is done: how many notices were sent. */
static int settle(struct stage *stage)
{
    int64_t waiting = 1;
    clock_leap_ms(PUSH_WAIT_MS);
    for (int i = 0; i < TRIES_MAX && waiting > 0; i++) {
        jobs_wake(stage->jobs);
        nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
        waiting = scratch_count(stage->db, "SELECT coalesce(sum(jobs), 0) FROM job_kind");
    }
    assert_int_equal(waiting, 0);
    return atomic_exchange(&stage->told, 0);
}

static void test_who_is_told(void **state)
{
    struct stage *stage = *state;
    const char *bob[] = {stage->bob.account}, *all[] = {"all"};
    const struct messages_post named = {.text = "@bob look", .mentions = {bob, 1}},
                               everybody = {.text = "@all", .mentions = {all, 1}};
    say(stage, &stage->ada, named); /* nobody has subscribed: nothing is left to do */
    assert_int_equal(settle(stage), 0);
    subscribe(stage);
    say(stage, &stage->ada, (struct messages_post){.text = "not about Bob"});
    assert_int_equal(settle(stage), 0);
    const char *id = say(stage, &stage->ada, named);
    assert_int_equal(settle(stage), 1);
    say(stage, &stage->ada, everybody);
    assert_int_equal(settle(stage), 1);
    /* What one has written oneself, and an answer to it. */
    id = say(stage, &stage->bob, everybody);
    assert_int_equal(settle(stage), 0);
    say(stage, &stage->ada, (struct messages_post){.text = "yes", .thread = id, .reply_to = id});
    assert_int_equal(settle(stage), 1);
    /* Read in time: they look. */
    id = say(stage, &stage->ada, named);
    assert_int_equal(messages_read(stage->db, &stage->bob, id, clock_wall_ms()), STATUS_OK);
    assert_int_equal(settle(stage), 0);
    /* Muted. */
    const struct spaces_mine mine = {.muted = JSON_YES};
    struct spaces_space space;
    assert_int_equal(
        spaces_set_mine(stage->db, &stage->bob, &mine, clock_wall_ms(), stage->arena, &space),
        STATUS_OK);
    say(stage, &stage->ada, named);
    assert_int_equal(settle(stage), 0);
    /* Directly. */
    const struct spaces_new wish = {
        .account = stage->ada.account, .kind = "direct", .with = stage->bob.account};
    assert_int_equal(spaces_create(stage->db, &wish, clock_wall_ms(), stage->arena, &space),
                     STATUS_OK);
    const struct spaces_who direct = {space.id, stage->ada.account};
    say(stage, &direct, (struct messages_post){.text = "psst"});
    assert_int_equal(settle(stage), 1);
}

static enum status quiet_run(struct db_session *session, void *arg)
{
    const int64_t *until_ms = arg;
    struct db_statement *update = db_prepare(session, "UPDATE account SET quiet_until = $1");
    db_bind_int(update, 1, *until_ms);
    return db_run(update);
}

static void test_do_not_disturb(void **state)
{
    struct stage *stage = *state;
    const char *bob[] = {stage->bob.account};
    const struct messages_post named = {.text = "@bob look", .mentions = {bob, 1}};
    int64_t until_ms = clock_wall_ms() + 3 * PUSH_WAIT_MS;
    subscribe(stage);
    assert_int_equal(db_write(stage->db, quiet_run, &until_ms), STATUS_OK);
    say(stage, &stage->ada, named);
    assert_int_equal(settle(stage), 0);
    assert_true(auth_quiet(until_ms, until_ms - 1));
    assert_false(auth_quiet(until_ms, until_ms));
    clock_leap_ms(3 * PUSH_WAIT_MS);
    say(stage, &stage->ada, named);
    assert_int_equal(settle(stage), 1);
}

/* It comes whatever one has said of being disturbed: one has just pressed for it. */
static void test_trying(void **state)
{
    struct stage *stage = *state;
    int64_t until_ms = INT64_MAX;
    assert_int_equal(push_try(&stage->push, "login", clock_wall_ms()), STATUS_NOT_FOUND);
    subscribe(stage);
    assert_int_equal(db_write(stage->db, quiet_run, &until_ms), STATUS_OK);
    assert_int_equal(push_try(&stage->push, "login", clock_wall_ms()), STATUS_OK);
    assert_int_equal(settle(stage), 1);
}

static void test_what_is_gone(void **state)
{
    struct stage *stage = *state;
    const char *bob[] = {stage->bob.account};
    const struct messages_post named = {.text = "@bob look", .mentions = {bob, 1}};
    struct push_state found;
    subscribe(stage);
    assert_int_equal(push_get(&stage->push, "login", stage->arena, &found), STATUS_OK);
    assert_true(found.on && found.texts);
    assert_int_equal(strlen(found.key), PUSH_KEY_CHARS);
    atomic_store(&stage->answer, 410);
    say(stage, &stage->ada, named);
    assert_int_equal(settle(stage), 1);
    assert_int_equal(push_get(&stage->push, "login", stage->arena, &found), STATUS_OK);
    assert_false(found.on);
    say(stage, &stage->ada, named);
    assert_int_equal(settle(stage), 0);
    subscribe(stage);
    assert_int_equal(push_drop(&stage->push, "login"), STATUS_OK);
    say(stage, &stage->ada, named);
    assert_int_equal(settle(stage), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_who_is_told, setup, teardown),
        cmocka_unit_test_setup_teardown(test_do_not_disturb, setup, teardown),
        cmocka_unit_test_setup_teardown(test_trying, setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_is_gone, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
