/*
 * What may be a password, what is kept of it, and who must wait how long.
 */
#include "modules/auth/auth.h"
#include "modules/auth/throttle.h"

#include "tests/support/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char good[] = "a quiet lake at dawn";

static void test_rules(void **state)
{
    (void)state;
    static const struct {
        const char *password, *fault;
    } rows[] = {
        {"a quiet lake at dawn", NULL},
        {"elevenchars", "short"},
        {"上海北京广州深圳杭州成", "short"}, /* eleven characters, 33 bytes */
        {"上海北京广州深圳杭州成都", NULL},
        {"password12345", "common"},
        {"PassWord!2024", "common"},
        {"qwertyuiop123", "common"},
        {"correcthorsebatterystaple", "common"},
        {"abcabcabcabc", "repeats"},
        {"aaaaaaaaaaaaaa", "repeats"},
        {"123456789012", "repeats"},
        {"zyxwvutsrqponm", "repeats"},
        {"ada.lovelace1", "personal"},
        {"Ada Lovelace!", "personal"},
        {"ada lovelace wrote the first program", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *fault =
            password_fault(rows[i].password, "ada.lovelace@example.org", "Ada Lovelace");
        if ((fault == NULL) != (rows[i].fault == NULL) ||
            (fault != NULL && strcmp(fault, rows[i].fault) != 0))
            fail_msg("%s: %s, not %s", rows[i].password, fault != NULL ? fault : "-",
                     rows[i].fault != NULL ? rows[i].fault : "-");
    }
    char longest[PASSWORD_MAX + 2];
    for (size_t i = 0; i < sizeof longest - 1; i++)
        longest[i] = (char)('a' + i * i % 23);
    longest[PASSWORD_MAX + 1] = '\0';
    assert_string_equal(password_fault(longest, NULL, NULL), "long");
}

static void with_vault(void (*test)(struct db *db))
{
    char folder[SCRATCH_PATH_MAX];
    scratch_make(folder);
    struct db *db = scratch_db(folder, 1);
    test(db);
    db_close(db);
    scratch_remove(folder);
}

static void kept(struct db *db)
{
    struct vault *vault = db_vault(db);
    for (int fips = 0; fips < 2; fips++) {
        char one[PASSWORD_KEPT_MAX], two[PASSWORD_KEPT_MAX];
        assert_int_equal(password_keep(vault, fips, good, one), STATUS_OK);
        assert_int_equal(password_keep(vault, fips, good, two), STATUS_OK);
        assert_string_not_equal(one, two); /* the salt */
        assert_int_equal(password_check(vault, fips, good, one), STATUS_OK);
        assert_int_equal(password_check(vault, fips, "a quiet lake at dusk", one), STATUS_DENIED);
        /* Either way is read under either setting, and replaced under the other. */
        assert_int_equal(password_check(vault, !fips, good, one), STATUS_OK);
        assert_false(password_outdated(fips, one));
        assert_true(password_outdated(!fips, one));
        assert_int_equal(password_check(vault, fips, good, NULL), STATUS_DENIED);
        one[strlen(one) - 1] ^= 4;
        assert_int_not_equal(password_check(vault, fips, good, one), STATUS_OK);
    }
    assert_int_equal(password_check(vault, false, good, "nonsense"), STATUS_CORRUPT);
}

static void test_kept(void **state)
{
    (void)state;
    with_vault(kept);
}

/* The pepper: what one database keeps is nothing to another, whose keys differ. */
static void peppered(struct db *db)
{
    char folder[SCRATCH_PATH_MAX], one[PASSWORD_KEPT_MAX];
    scratch_make(folder);
    struct db *other = scratch_db(folder, 1);
    assert_int_equal(password_keep(db_vault(db), false, good, one), STATUS_OK);
    assert_int_equal(password_check(db_vault(other), false, good, one), STATUS_DENIED);
    db_close(other);
    scratch_remove(folder);
}

static void test_pepper(void **state)
{
    (void)state;
    with_vault(peppered);
}

static void legacy(struct db *db)
{
    struct vault *vault = db_vault(db);
    char one[PASSWORD_KEPT_MAX], hex[PASSWORD_SHA256_HEX + 1];
    uint8_t digest[CRYPTO_SHA256_BYTES];
    static const char salted[] = "pepper&salta quiet lake at dawn";
    crypto_sha256(salted, strlen(salted), digest);
    crypto_hex(digest, sizeof digest, hex);
    assert_int_equal(password_keep_legacy(vault, false, "pepper&salt", hex, one), STATUS_OK);
    assert_null(strstr(one, hex)); /* wrapped, not kept as it came */
    assert_true(password_outdated(false, one));
    assert_int_equal(password_check(vault, false, good, one), STATUS_OK);
    assert_int_equal(password_check(vault, false, "a quiet lake", one), STATUS_DENIED);
    hex[5] = 'x';
    assert_int_equal(password_keep_legacy(vault, false, "", hex, one), STATUS_INVALID);
    assert_int_equal(password_keep_legacy(vault, false, "", "abc", one), STATUS_INVALID);
}

static void test_legacy(void **state)
{
    (void)state;
    with_vault(legacy);
}

static enum status login(struct auth *auth, struct arena *arena)
{
    const struct auth_login login = {
        .email = "a@b.c", .password = good, .address = "127.0.0.1", .local = true};
    struct auth_signed_in in;
    uint32_t wait;
    return auth_sign_in(auth, &login, 1764000000000, arena, &in, &wait);
}

/* A hash kept in another way is replaced at the next login. */
static void rehashed(struct db *db)
{
    struct auth *auth;
    struct arena *arena;
    struct auth_user user;
    struct auth_fault fault;
    struct auth_config config = {.db = db, .fips = true};
    static const char argon2[] = "SELECT count(*) FROM account WHERE password LIKE '$argon2id$%'";
    assert_int_equal(arena_new(1 << 20, &arena), STATUS_OK);
    assert_int_equal(auth_new(&config, &auth), STATUS_OK);
    const struct auth_user_new wish = {.email = "a@b.c", .name = "Ada", .password = good};
    assert_int_equal(auth_user_add(auth, &wish, 1764000000000, arena, &user, &fault), STATUS_OK);
    assert_int_equal(login(auth, arena), STATUS_OK);
    assert_int_equal(scratch_count(db, argon2), 0);
    auth_free(auth);
    config.fips = false;
    assert_int_equal(auth_new(&config, &auth), STATUS_OK);
    assert_int_equal(login(auth, arena), STATUS_OK);
    assert_int_equal(scratch_count(db, argon2), 1);
    assert_int_equal(login(auth, arena), STATUS_OK);
    auth_free(auth);
    arena_free(arena);
}

static void test_rehash(void **state)
{
    (void)state;
    with_vault(rehashed);
}

static void test_throttle(void **state)
{
    (void)state;
    struct throttle *throttle;
    int64_t now = 1000;
    char who[32];
    assert_int_equal(throttle_new(&throttle), STATUS_OK);
    for (int i = 0; i < 3; i++)
        throttle_count(throttle, "a", 3, now);
    assert_int_equal(throttle_wait(throttle, "a", now), 0);
    for (int64_t wait = THROTTLE_FIRST_MS; wait < THROTTLE_MAX_MS; wait *= 2) {
        throttle_count(throttle, "a", 3, now);
        assert_int_equal(throttle_wait(throttle, "a", now), wait);
        assert_int_equal(throttle_wait(throttle, "a", now + wait - 1), 1);
        assert_int_equal(throttle_wait(throttle, "a", now + wait), 0);
    }
    for (int i = 0; i < 100; i++)
        throttle_count(throttle, "a", 3, now);
    assert_int_equal(throttle_wait(throttle, "a", now), THROTTLE_MAX_MS);
    assert_int_equal(throttle_wait(throttle, "b", now), 0);
    /* A flood of others does not free it. */
    for (int i = 0; i < 100000; i++) {
        snprintf(who, sizeof who, "other %d", i);
        throttle_count(throttle, who, 3, now);
    }
    assert_int_equal(throttle_wait(throttle, "a", now), THROTTLE_MAX_MS);
    now += THROTTLE_FORGET_MS;
    throttle_count(throttle, "a", 3, now);
    assert_int_equal(throttle_wait(throttle, "a", now + 1), 0);
    throttle_free(throttle);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rules),  cmocka_unit_test(test_kept),
        cmocka_unit_test(test_pepper), cmocka_unit_test(test_legacy),
        cmocka_unit_test(test_rehash), cmocka_unit_test(test_throttle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
