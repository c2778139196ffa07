/*
 * tests/unit/modules/auth/factors_stage.h - an account with a password, signed in, by a clock of
 * the test's own.
 */
#ifndef TESTS_UNIT_MODULES_AUTH_FACTORS_STAGE_H
#define TESTS_UNIT_MODULES_AUTH_FACTORS_STAGE_H

#include "modules/auth/passkeys.h"
#include "tests/support/authenticator.h"
#include "tests/support/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const char password[] = "a quiet lake at dawn";
static const struct auth_login here = {.address = "127.0.0.1", .local = true, .device = "test"};

struct stage {
    char folder[SCRATCH_PATH_MAX];
    struct db *db;
    struct auth *auth;
    struct arena *arena;
    int64_t now;
    uint32_t wait;
    struct auth_caller caller;
};

static inline enum status sign(struct stage *stage, const char *with, struct auth_signed_in *ret_in)
{
    struct auth_login login = here;
    login.email = "ada@b.c";
    login.password = with;
    return auth_sign_in(stage->auth, &login, stage->now, stage->arena, ret_in, &stage->wait);
}

static inline void stage_begin(struct stage *stage)
{
    const struct auth_user_new wish = {.email = "ada@b.c", .name = "Ada", .password = password};
    struct auth_user user;
    struct auth_fault fault;
    struct auth_signed_in in;
    memset(stage, 0, sizeof *stage);
    scratch_make(stage->folder);
    stage->db = scratch_db(stage->folder, 1);
    stage->now = 1764000000000;
    assert_int_equal(arena_new(64 << 20, &stage->arena), STATUS_OK);
    const struct auth_config config = {.db = stage->db};
    assert_int_equal(auth_new(&config, &stage->auth), STATUS_OK);
    assert_int_equal(auth_user_add(stage->auth, &wish, stage->now, stage->arena, &user, &fault),
                     STATUS_OK);
    assert_int_equal(sign(stage, password, &in), STATUS_OK);
    stage->caller = in.caller;
}

static inline void stage_end(struct stage *stage)
{
    scratch_no_scans(stage->db);
    auth_free(stage->auth);
    arena_free(stage->arena);
    db_close(stage->db);
    scratch_remove(stage->folder);
}

/* The challenge of the second step, after the right password. */
static inline const char *challenge_of(struct stage *stage)
{
    struct auth_signed_in in;
    assert_int_equal(sign(stage, password, &in), STATUS_AGAIN);
    assert_string_equal(in.caller.user.email, "ada@b.c");
    return in.challenge;
}

#endif
