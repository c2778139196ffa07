/*
 * Codes of an app and on paper: set up, asked for, good once, given up.
 */
#include "modules/auth/confirmations.h"
#include "tests/unit/modules/auth/factors_stage.h"

static uint8_t seed[TOTP_SEED_BYTES];

/* What the app would make of what it is shown. */
static void seed_take(const char *secret)
{
    static const char base32[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    uint64_t bits = 0;
    size_t held = 0, length = 0;
    for (; *secret != '\0'; secret++) {
        bits = bits << 5 | (uint64_t)(strchr(base32, *secret) - base32);
        held += 5;
        if (held >= 8)
            seed[length++] = (uint8_t)(bits >> (held -= 8));
    }
    assert_int_equal(length, sizeof seed);
}

static const char *code_at(const struct stage *stage, int64_t steps)
{
    static char code[16];
    snprintf(code, sizeof code, "%06u", totp_code(seed, stage->now / TOTP_STEP_MS + steps));
    return code;
}

static struct json_list turn_on(struct stage *stage)
{
    struct factors_seed shown;
    struct json_list codes;
    assert_int_equal(factors_totp_begin(stage->auth, &stage->caller, password, "meet.example.org",
                                        stage->now, stage->arena, &shown, &stage->wait),
                     STATUS_OK);
    seed_take(shown.secret);
    assert_int_equal(factors_totp_confirm(stage->auth, &stage->caller, code_at(stage, 0),
                                          stage->now, stage->arena, &codes, &stage->wait),
                     STATUS_OK);
    return codes;
}

static enum status second(struct stage *stage, const char *challenge, const char *code)
{
    struct auth_signed_in in;
    struct auth_caller caller;
    enum status status = factors_sign_in(stage->auth, challenge, code, &here, stage->now,
                                         stage->arena, &in, &stage->wait);
    if (status == STATUS_OK)
        assert_int_equal(auth_check(stage->auth, in.token, stage->now, stage->arena, &caller),
                         STATUS_OK);
    return status;
}

static void test_setting_up(void **state)
{
    (void)state;
    struct stage stage;
    struct factors_seed shown;
    struct auth_signed_in in;
    struct json_list codes;
    struct factors factors;
    stage_begin(&stage);
    assert_int_equal(factors_totp_confirm(stage.auth, &stage.caller, "123456", stage.now,
                                          stage.arena, &codes, &stage.wait),
                     STATUS_NOT_FOUND);
    assert_int_equal(factors_totp_begin(stage.auth, &stage.caller, "not it at all", "m", stage.now,
                                        stage.arena, &shown, &stage.wait),
                     STATUS_DENIED);
    assert_int_equal(factors_totp_begin(stage.auth, &stage.caller, password, "meet.example.org",
                                        stage.now, stage.arena, &shown, &stage.wait),
                     STATUS_OK);
    assert_non_null(strstr(shown.uri, "otpauth://totp/meet.example.org:ada%40b.c?secret="));
    assert_non_null(strstr(shown.uri, shown.secret));
    seed_take(shown.secret);
    /* Begun is not on. */
    assert_int_equal(sign(&stage, password, &in), STATUS_OK);
    assert_int_equal(factors_totp_confirm(stage.auth, &stage.caller, code_at(&stage, 5), stage.now,
                                          stage.arena, &codes, &stage.wait),
                     STATUS_DENIED);
    assert_int_equal(sign(&stage, password, &in), STATUS_OK);
    assert_int_equal(factors_totp_confirm(stage.auth, &stage.caller, code_at(&stage, 0), stage.now,
                                          stage.arena, &codes, &stage.wait),
                     STATUS_OK);
    assert_int_equal(codes.count, FACTORS_CODES);
    assert_int_equal(factors_get(stage.auth, stage.caller.user.id, &factors), STATUS_OK);
    assert_int_equal(factors.totp, stage.now);
    assert_int_equal(factors.codes, FACTORS_CODES);
    assert_int_equal(factors_totp_begin(stage.auth, &stage.caller, password, "m", stage.now,
                                        stage.arena, &shown, &stage.wait),
                     STATUS_EXISTS);
    /* The seed is nowhere as it is. */
    char hex[2 * TOTP_SEED_BYTES + 1], sql[256];
    crypto_hex(seed, sizeof seed, hex);
    snprintf(sql, sizeof sql,
             "SELECT count(*) FROM account WHERE instr(hex(totp), upper('%s')) > 0"
             " OR instr(CAST(totp AS TEXT), '%s') > 0",
             hex, hex);
    assert_int_equal(scratch_count(stage.db, sql), 0);
    assert_int_equal(scratch_count(stage.db, "SELECT count(*) FROM account WHERE totp IS NOT NULL"),
                     1);
    auth_free(stage.auth);
    arena_free(stage.arena);
    db_close(stage.db);
    scratch_remove(stage.folder);
}

/* What the job writes that was asked for a new password. */
static enum status forget_run(struct db_session *session, void *arg)
{
    struct stage *stage = arg;
    struct confirmation made;
    const struct confirmation_new wish = {.kind = "password",
                                          .email = "ada@b.c",
                                          .account = stage->caller.user.id,
                                          .language = "",
                                          .who = "",
                                          .space = ""};
    return confirmation_add(session, &wish, stage->now, stage->arena, &made);
}

/* A letter proves an address, not the second thing: it gives a new password and no more. */
static void test_forgotten_password_asks_too(void **state)
{
    (void)state;
    struct stage stage;
    struct auth_signed_in in;
    struct auth_fault fault = {NULL};
    struct confirmations list;
    struct factors factors;
    char token[CONFIRMATION_TOKEN_CHARS + 1];
    static const char other[] = "a loud river at dusk";
    stage_begin(&stage);
    turn_on(&stage);
    assert_int_equal(db_write(stage.db, forget_run, &stage), STATUS_OK);
    assert_int_equal(confirmations_list(stage.auth, NULL, stage.now, stage.arena, &list),
                     STATUS_OK);
    assert_int_equal(list.items.count, 1);
    const struct confirmation *waiting = list.items.items;
    assert_int_equal(confirmation_link(stage.auth, waiting->id, stage.now, token), STATUS_OK);
    assert_int_equal(
        confirmation_password(stage.auth, token, other, stage.now, stage.arena, &fault), STATUS_OK);
    assert_int_equal(sign(&stage, password, &in), STATUS_DENIED);
    /* Right, and not enough: no session, and what was set up is still asked for. */
    in = (struct auth_signed_in){.challenge = NULL};
    assert_int_equal(sign(&stage, other, &in), STATUS_AGAIN);
    assert_string_equal(in.token, "");
    assert_int_equal(factors_get(stage.auth, stage.caller.user.id, &factors), STATUS_OK);
    assert_true(factors.totp != 0);
    assert_int_equal(second(&stage, in.challenge, "000000"), STATUS_DENIED);
    assert_int_equal(second(&stage, in.challenge, code_at(&stage, 1)), STATUS_OK);
    stage_end(&stage);
}

static void test_second_step(void **state)
{
    (void)state;
    struct stage stage;
    struct auth_caller caller;
    struct auth_signed_in in;
    stage_begin(&stage);
    turn_on(&stage);
    const char *challenge = challenge_of(&stage);
    /* The challenge is no token, no ticket, and names no session. */
    assert_int_equal(auth_check(stage.auth, challenge, stage.now, stage.arena, &caller),
                     STATUS_DENIED);
    assert_int_equal(auth_ticket_check(stage.auth, challenge, stage.now, stage.arena, &caller),
                     STATUS_DENIED);
    assert_int_equal(sign(&stage, "not it at all", &in), STATUS_DENIED);
    /* The code that set it up was used by that. */
    assert_int_equal(second(&stage, challenge, code_at(&stage, 0)), STATUS_DENIED);
    stage.now += TOTP_STEP_MS;
    assert_int_equal(second(&stage, challenge, "000000"), STATUS_DENIED);
    assert_int_equal(second(&stage, challenge, code_at(&stage, 0)), STATUS_OK);
    /* Neither of the two is good twice. */
    assert_int_equal(second(&stage, challenge, code_at(&stage, 1)), STATUS_LATE);
    assert_int_equal(second(&stage, challenge_of(&stage), code_at(&stage, 0)), STATUS_DENIED);
    assert_int_equal(second(&stage, challenge_of(&stage), code_at(&stage, -1)), STATUS_DENIED);
    /* Bent, cut, of another use, too late. */
    challenge = challenge_of(&stage);
    char bent[CHALLENGE_MAX + 1];
    snprintf(bent, sizeof bent, "%s", challenge);
    bent[4] ^= 1;
    assert_int_equal(second(&stage, bent, code_at(&stage, 1)), STATUS_LATE);
    snprintf(bent, sizeof bent, "%.*s", (int)strlen(challenge) - 1, challenge);
    assert_int_equal(second(&stage, bent, code_at(&stage, 1)), STATUS_LATE);
    assert_int_equal(second(&stage, "", code_at(&stage, 1)), STATUS_LATE);
    const char *other;
    assert_int_equal(passkeys_begin(stage.auth, stage.now, stage.arena, &other), STATUS_OK);
    assert_int_equal(second(&stage, other, code_at(&stage, 1)), STATUS_LATE);
    stage.now += CHALLENGE_MS;
    assert_int_equal(second(&stage, challenge, code_at(&stage, 0)), STATUS_LATE);
    stage_end(&stage);
}

static void test_new_password_voids_the_challenge(void **state)
{
    (void)state;
    struct stage stage;
    struct auth_fault fault;
    stage_begin(&stage);
    turn_on(&stage);
    const char *challenge = challenge_of(&stage);
    stage.now += TOTP_STEP_MS;
    assert_int_equal(auth_password_change(stage.auth, &stage.caller, password,
                                          "seven red umbrellas", stage.now, &fault, &stage.wait),
                     STATUS_OK);
    assert_int_equal(second(&stage, challenge, code_at(&stage, 0)), STATUS_DENIED);
    stage_end(&stage);
}

static void test_guessing_costs_time(void **state)
{
    (void)state;
    struct stage stage;
    struct auth_signed_in in;
    stage_begin(&stage);
    turn_on(&stage);
    stage.now += TOTP_STEP_MS;
    /* The right password in between does not make them free again. */
    for (int i = 0; i < 6; i++)
        assert_int_equal(second(&stage, challenge_of(&stage), "000000"), STATUS_DENIED);
    assert_int_equal(sign(&stage, password, &in), STATUS_LIMIT);
    assert_int_equal(stage.wait, 1);
    stage.now += 1000;
    const char *challenge = challenge_of(&stage);
    assert_int_equal(second(&stage, challenge, "000000"), STATUS_DENIED);
    assert_int_equal(second(&stage, challenge, code_at(&stage, 0)), STATUS_LIMIT);
    assert_int_equal(stage.wait, 2);
    stage.now += 2000;
    assert_int_equal(second(&stage, challenge, code_at(&stage, 0)), STATUS_OK);
    stage_end(&stage);
}

static void test_codes_on_paper(void **state)
{
    (void)state;
    struct stage stage;
    struct factors factors;
    struct json_list renewed;
    stage_begin(&stage);
    assert_int_equal(factors_codes_renew(stage.auth, &stage.caller, password, stage.now,
                                         stage.arena, &renewed, &stage.wait),
                     STATUS_NOT_FOUND);
    const char *const *codes = turn_on(&stage).items;
    for (int i = 1; i < FACTORS_CODES; i++)
        assert_string_not_equal(codes[0], codes[i]);
    assert_int_equal(second(&stage, challenge_of(&stage), codes[3]), STATUS_OK);
    assert_int_equal(second(&stage, challenge_of(&stage), codes[3]), STATUS_DENIED);
    /* As people type them. */
    char typed[FACTORS_CODE_MAX + 1];
    snprintf(typed, sizeof typed, " %.4s %.4s%s", codes[4], codes[4] + 5, codes[4] + 9);
    for (char *c = typed; *c != '\0'; c++)
        *c = (char)(*c >= 'a' && *c <= 'z' ? *c - 32 : *c);
    assert_int_equal(second(&stage, challenge_of(&stage), typed), STATUS_OK);
    assert_int_equal(factors_get(stage.auth, stage.caller.user.id, &factors), STATUS_OK);
    assert_int_equal(factors.codes, FACTORS_CODES - 2);
    assert_int_equal(factors_codes_renew(stage.auth, &stage.caller, "no", stage.now, stage.arena,
                                         &renewed, &stage.wait),
                     STATUS_DENIED);
    assert_int_equal(factors_codes_renew(stage.auth, &stage.caller, password, stage.now,
                                         stage.arena, &renewed, &stage.wait),
                     STATUS_OK);
    assert_int_equal(second(&stage, challenge_of(&stage), codes[5]), STATUS_DENIED);
    codes = renewed.items;
    assert_int_equal(second(&stage, challenge_of(&stage), codes[5]), STATUS_OK);
    assert_int_equal(scratch_count(stage.db, "SELECT count(*) FROM recovery_code"
                                             " WHERE length(hash) <> 32"),
                     0);
    auth_free(stage.auth);
    arena_free(stage.arena);
    db_close(stage.db);
    scratch_remove(stage.folder);
}

static void test_giving_it_up(void **state)
{
    (void)state;
    struct stage stage;
    struct auth_signed_in in;
    struct factors factors;
    stage_begin(&stage);
    const char *const *codes = turn_on(&stage).items;
    assert_int_equal(
        factors_totp_end(stage.auth, &stage.caller, "no", codes[0], stage.now, &stage.wait),
        STATUS_DENIED);
    assert_int_equal(
        factors_totp_end(stage.auth, &stage.caller, password, "000000", stage.now, &stage.wait),
        STATUS_DENIED);
    assert_int_equal(sign(&stage, password, &in), STATUS_AGAIN);
    stage.now += TOTP_STEP_MS;
    assert_int_equal(factors_totp_end(stage.auth, &stage.caller, password, code_at(&stage, 0),
                                      stage.now, &stage.wait),
                     STATUS_OK);
    assert_int_equal(sign(&stage, password, &in), STATUS_OK);
    assert_int_equal(factors_get(stage.auth, stage.caller.user.id, &factors), STATUS_OK);
    assert_int_equal(factors.codes, 0);
    assert_int_equal(
        factors_totp_end(stage.auth, &stage.caller, password, codes[1], stage.now, &stage.wait),
        STATUS_NOT_FOUND);
    /* Lost: an admin clears it, and what was signed in is out. */
    turn_on(&stage);
    assert_int_equal(factors_clear(stage.auth, "nobody", stage.now), STATUS_NOT_FOUND);
    assert_int_equal(factors_clear(stage.auth, stage.caller.user.id, stage.now), STATUS_OK);
    assert_int_equal(auth_session_check(stage.auth, in.caller.session, stage.now), STATUS_DENIED);
    assert_int_equal(sign(&stage, password, &in), STATUS_OK);
    stage_end(&stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_setting_up),
        cmocka_unit_test(test_second_step),
        cmocka_unit_test(test_forgotten_password_asks_too),
        cmocka_unit_test(test_new_password_voids_the_challenge),
        cmocka_unit_test(test_guessing_costs_time),
        cmocka_unit_test(test_codes_on_paper),
        cmocka_unit_test(test_giving_it_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
