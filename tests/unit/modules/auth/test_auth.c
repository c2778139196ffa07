/*
 * Accounts and sessions over a real database: each rule, by a clock of the test's own.
 */
#include "modules/auth/auth.h"

#include "tests/support/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ARENA_MAX = 16 << 20, MINUTE_MS = 60000 };

static const char good[] = "a quiet lake at dawn";
static const char better[] = "seven red umbrellas";

struct stage {
    char folder[SCRATCH_PATH_MAX];
    struct db *db;
    struct auth *auth;
    struct arena *arena;
    int64_t now;
    char ended[256]; /* what auth_config.ended was told last */
};

static void on_ended(void *context, const char *user, const char *session, const char *keep)
{
    struct stage *stage = context;
    snprintf(stage->ended, sizeof stage->ended, "%s %s %s", user, session != NULL ? session : "-",
             keep != NULL ? keep : "-");
}

static void auth_begin(struct stage *stage, bool fips)
{
    const struct auth_config config = {
        .db = stage->db, .fips = fips, .ended = on_ended, .context = stage};
    assert_int_equal(auth_new(&config, &stage->auth), STATUS_OK);
}

static void stage_begin(struct stage *stage)
{
    memset(stage, 0, sizeof *stage);
    scratch_make(stage->folder);
    stage->db = scratch_db(stage->folder, 1);
    stage->now = 1764000000000;
    assert_int_equal(arena_new(ARENA_MAX, &stage->arena), STATUS_OK);
    auth_begin(stage, false);
}

static void stage_end(struct stage *stage)
{
    scratch_no_scans(stage->db);
    auth_free(stage->auth);
    arena_free(stage->arena);
    db_close(stage->db);
    scratch_remove(stage->folder);
}

static struct auth_user user_make(struct stage *stage, const char *email, bool admin)
{
    const struct auth_user_new wish = {
        .email = email, .name = "Ada", .password = good, .admin = admin};
    struct auth_user user;
    struct auth_fault fault = {""};
    assert_int_equal(auth_user_add(stage->auth, &wish, stage->now, stage->arena, &user, &fault),
                     STATUS_OK);
    return user;
}

static enum status sign(struct stage *stage, const char *email, const char *password,
                        const char *address, struct auth_signed_in *ret_in, uint32_t *ret_wait)
{
    const struct auth_login login = {.email = email,
                                     .password = password,
                                     .address = address != NULL ? address : "127.0.0.1",
                                     .local = address == NULL,
                                     .device = "test \xff"};
    return auth_sign_in(stage->auth, &login, stage->now, stage->arena, ret_in, ret_wait);
}

static struct auth_signed_in sign_ok(struct stage *stage, const char *email, const char *password)
{
    struct auth_signed_in in;
    uint32_t wait;
    assert_int_equal(sign(stage, email, password, NULL, &in, &wait), STATUS_OK);
    return in;
}

static enum status check(struct stage *stage, const char *token)
{
    struct auth_caller caller;
    return auth_check(stage->auth, token, stage->now, stage->arena, &caller);
}

/* ---- accounts ---- */

static void test_addresses_are_one_account_each(void **state)
{
    (void)state;
    struct stage stage;
    struct auth_fault fault = {""};
    struct auth_user user;
    stage_begin(&stage);
    user = user_make(&stage, " Ada@Example.ORG", false);
    assert_string_equal(user.email, "ada@example.org");
    struct auth_user_new again = {.email = "ADA@example.org", .name = "B", .password = better};
    assert_int_equal(auth_user_add(stage.auth, &again, stage.now, stage.arena, &user, &fault),
                     STATUS_EXISTS);
    static const char *const bad[] = {"",        "ada",     "@example.org", "ada@",
                                      "a b@c.d", "a@b@c.d", "a@.d",         "a@b..c",
                                      "a@b.c.",  "<a@b.c>", "a@b_c.d",      "a\n@b.c"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        again.email = bad[i];
        assert_int_equal(auth_user_add(stage.auth, &again, stage.now, stage.arena, &user, &fault),
                         STATUS_INVALID);
        assert_string_equal(fault.code, "email");
    }
    again = (struct auth_user_new){.email = "b@c.d", .name = " ", .password = better};
    assert_int_equal(auth_user_add(stage.auth, &again, stage.now, stage.arena, &user, &fault),
                     STATUS_INVALID);
    assert_string_equal(fault.code, "name");
    stage_end(&stage);
}

static void test_nothing_personal_is_plain(void **state)
{
    (void)state;
    struct stage stage;
    stage_begin(&stage);
    user_make(&stage, "canary-one@example.org", false);
    sign_ok(&stage, "canary-one@example.org", good);
    assert_int_equal(scratch_count(stage.db, "SELECT count(*) FROM account WHERE"
                                             " instr(CAST(email AS TEXT), 'canary') > 0"
                                             " OR instr(CAST(name AS TEXT), 'Ada') > 0"),
                     0);
    assert_int_equal(scratch_count(stage.db,
                                   "SELECT count(*) FROM account"
                                   " WHERE password LIKE '$argon2id$v=19$m=65536,t=3,p=1$%'"),
                     1);
    auth_free(stage.auth);
    arena_free(stage.arena);
    db_close(stage.db);
    scratch_remove(stage.folder);
}

static void test_first_account(void **state)
{
    (void)state;
    struct stage stage;
    struct auth_fault fault = {""};
    struct auth_user user;
    bool has = true;
    stage_begin(&stage);
    assert_int_equal(auth_has_users(stage.auth, &has), STATUS_OK);
    assert_false(has);
    const struct auth_user_new first = {
        .email = "a@b.c", .name = "Ada", .password = good, .first = true};
    assert_int_equal(auth_user_add(stage.auth, &first, stage.now, stage.arena, &user, &fault),
                     STATUS_OK);
    assert_true(user.admin);
    const struct auth_user_new second = {
        .email = "d@e.f", .name = "Eve", .password = good, .first = true};
    assert_int_equal(auth_user_add(stage.auth, &second, stage.now, stage.arena, &user, &fault),
                     STATUS_DENIED);
    stage_end(&stage);
}

static void test_changes(void **state)
{
    (void)state;
    struct stage stage;
    struct auth_fault fault = {""};
    stage_begin(&stage);
    struct auth_user user = user_make(&stage, "a@b.c", true);
    struct auth_change change = {.name = "Grace", .language = "zh-CN", .version = user.version};
    assert_int_equal(
        auth_user_change(stage.auth, user.id, &change, stage.now, stage.arena, &user, &fault),
        STATUS_OK);
    assert_string_equal(user.name, "Grace");
    assert_int_equal(
        auth_user_change(stage.auth, user.id, &change, stage.now, stage.arena, &user, &fault),
        STATUS_OUT_OF_WINDOW);
    /* The last admin stays one. */
    change = (struct auth_change){.disabled = JSON_YES};
    assert_int_equal(
        auth_user_change(stage.auth, user.id, &change, stage.now, stage.arena, &user, &fault),
        STATUS_DENIED);
    change = (struct auth_change){.admin = JSON_NO};
    assert_int_equal(
        auth_user_change(stage.auth, user.id, &change, stage.now, stage.arena, &user, &fault),
        STATUS_DENIED);
    user_make(&stage, "d@e.f", true);
    assert_int_equal(
        auth_user_change(stage.auth, user.id, &change, stage.now, stage.arena, &user, &fault),
        STATUS_OK);
    struct auth_users users;
    assert_int_equal(auth_users(stage.auth, NULL, stage.arena, &users), STATUS_OK);
    assert_int_equal(users.items.count, 2);
    assert_false(users.more);
    stage_end(&stage);
}

/* ---- sessions ---- */

static void test_sign_in_and_out(void **state)
{
    (void)state;
    struct stage stage;
    struct auth_signed_in in;
    struct json_list devices;
    uint32_t wait;
    stage_begin(&stage);
    struct auth_user user = user_make(&stage, "a@b.c", false);
    assert_int_equal(sign(&stage, "a@b.c", better, NULL, &in, &wait), STATUS_DENIED);
    assert_int_equal(sign(&stage, "nobody@b.c", good, NULL, &in, &wait), STATUS_DENIED);
    assert_int_equal(sign(&stage, "", good, NULL, &in, &wait), STATUS_DENIED);
    in = sign_ok(&stage, "A@B.C", good);
    assert_memory_equal(in.token, "pls_", 4);
    assert_int_equal(check(&stage, in.token), STATUS_OK);
    assert_int_equal(auth_session_check(stage.auth, in.caller.session, stage.now), STATUS_OK);
    assert_int_equal(check(&stage, in.token + 4), STATUS_DENIED);
    assert_int_equal(check(&stage, ""), STATUS_DENIED);
    assert_int_equal(auth_devices(stage.auth, user.id, stage.now, stage.arena, &devices),
                     STATUS_OK);
    assert_int_equal(devices.count, 1);
    assert_string_equal(((struct auth_device *)devices.items)->device, "test ?");
    assert_int_equal(auth_revoke(stage.auth, "somebodyelse", in.caller.session, stage.now),
                     STATUS_NOT_FOUND);
    assert_int_equal(auth_revoke(stage.auth, user.id, in.caller.session, stage.now), STATUS_OK);
    char told[256];
    snprintf(told, sizeof told, "%s %s -", user.id, in.caller.session);
    assert_string_equal(stage.ended, told);
    assert_int_equal(check(&stage, in.token), STATUS_DENIED);
    assert_int_equal(auth_session_check(stage.auth, in.caller.session, stage.now), STATUS_DENIED);
    stage_end(&stage);
}

static void test_sessions_end_by_themselves(void **state)
{
    (void)state;
    struct stage stage;
    stage_begin(&stage);
    user_make(&stage, "a@b.c", false);
    struct auth_signed_in idle = sign_ok(&stage, "a@b.c", good);
    struct auth_signed_in used = sign_ok(&stage, "a@b.c", good);
    int64_t begun = stage.now;
    while (stage.now - begun < AUTH_LIFE_MS - AUTH_IDLE_MS / 2) {
        stage.now += AUTH_IDLE_MS / 2;
        assert_int_equal(check(&stage, used.token), STATUS_OK);
        if (stage.now - begun >= AUTH_IDLE_MS)
            assert_int_equal(check(&stage, idle.token), STATUS_DENIED);
    }
    stage.now = begun + AUTH_LIFE_MS;
    assert_int_equal(check(&stage, used.token), STATUS_DENIED);
    stage_end(&stage);
}

static void test_epoch_ends_all(void **state)
{
    (void)state;
    struct stage stage;
    struct auth_fault fault = {""};
    struct auth_signed_in in;
    uint32_t wait;
    stage_begin(&stage);
    struct auth_user user = user_make(&stage, "a@b.c", false);
    struct auth_signed_in one = sign_ok(&stage, "a@b.c", good);
    struct auth_signed_in two = sign_ok(&stage, "a@b.c", good);
    assert_int_equal(
        auth_password_change(stage.auth, &two.caller, better, good, stage.now, &fault, &wait),
        STATUS_DENIED);
    assert_int_equal(
        auth_password_change(stage.auth, &two.caller, good, "short", stage.now, &fault, &wait),
        STATUS_INVALID);
    assert_string_equal(fault.code, "password_short");
    assert_int_equal(
        auth_password_change(stage.auth, &two.caller, good, better, stage.now, &fault, &wait),
        STATUS_OK);
    assert_int_equal(check(&stage, one.token), STATUS_DENIED);
    assert_int_equal(check(&stage, two.token), STATUS_OK);
    assert_int_equal(sign(&stage, "a@b.c", good, NULL, &in, &wait), STATUS_DENIED);
    const struct auth_change disable = {.disabled = JSON_YES}, enable = {.disabled = JSON_NO};
    assert_int_equal(
        auth_user_change(stage.auth, user.id, &disable, stage.now, stage.arena, &user, &fault),
        STATUS_OK);
    assert_int_equal(check(&stage, two.token), STATUS_DENIED);
    assert_int_equal(sign(&stage, "a@b.c", better, NULL, &in, &wait), STATUS_DENIED);
    /* What ended stays so. */
    assert_int_equal(
        auth_user_change(stage.auth, user.id, &enable, stage.now, stage.arena, &user, &fault),
        STATUS_OK);
    assert_int_equal(check(&stage, two.token), STATUS_DENIED);
    sign_ok(&stage, "a@b.c", better);
    stage_end(&stage);
}

/* ---- guessing ---- */

static void test_guessing_costs_time(void **state)
{
    (void)state;
    struct stage stage;
    struct auth_signed_in in;
    uint32_t wait, before = 0;
    stage_begin(&stage);
    user_make(&stage, "a@b.c", false);
    for (int i = 0; i < 5; i++)
        assert_int_equal(sign(&stage, "a@b.c", better, NULL, &in, &wait), STATUS_DENIED);
    assert_int_equal(sign(&stage, "a@b.c", better, NULL, &in, &wait), STATUS_DENIED);
    /* Each failure doubles it, and the right password must wait too. */
    for (int i = 0; i < 3; i++) {
        assert_int_equal(sign(&stage, "a@b.c", good, NULL, &in, &wait), STATUS_LIMIT);
        assert_int_equal(wait, before == 0 ? 1 : before * 2);
        before = wait;
        stage.now += (int64_t)wait * 1000;
        assert_int_equal(sign(&stage, "a@b.c", better, NULL, &in, &wait), STATUS_DENIED);
    }
    /* Another account is not touched by it; it begins anew after a success. */
    user_make(&stage, "d@e.f", false);
    sign_ok(&stage, "d@e.f", good);
    stage.now += 8000;
    sign_ok(&stage, "a@b.c", good);
    for (int i = 0; i < 5; i++)
        assert_int_equal(sign(&stage, "a@b.c", better, NULL, &in, &wait), STATUS_DENIED);
    sign_ok(&stage, "a@b.c", good);
    stage_end(&stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addresses_are_one_account_each),
        cmocka_unit_test(test_nothing_personal_is_plain),
        cmocka_unit_test(test_first_account),
        cmocka_unit_test(test_changes),
        cmocka_unit_test(test_sign_in_and_out),
        cmocka_unit_test(test_sessions_end_by_themselves),
        cmocka_unit_test(test_epoch_ends_all),
        cmocka_unit_test(test_guessing_costs_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
