/*
 * Passkeys of a device in software: added, signing in by themselves and as a second step, and every
 * way in which what they say must be refused.
 */
#include "tests/unit/modules/auth/factors_stage.h"

static const struct passkeys_site site = {"meet.example.org", "https://meet.example.org"};

static const char *add_challenge(struct stage *stage)
{
    const char *challenge = NULL;
    assert_int_equal(passkeys_add_begin(stage->auth, &stage->caller, password, stage->now,
                                        stage->arena, &challenge, &stage->wait),
                     STATUS_OK);
    return challenge;
}

static enum status add_said(struct stage *stage, const char *challenge,
                            const struct authenticator_said *said,
                            struct passkeys_passkey *ret_passkey, struct json_list *ret_codes)
{
    const struct passkeys_answer answer = {
        .challenge = challenge, .client = said->client, .data = said->data};
    return passkeys_add(stage->auth, &stage->caller, &site, &answer, "My key", stage->now,
                        stage->arena, ret_passkey, ret_codes);
}

static struct passkeys_passkey add(struct stage *stage, const struct authenticator *device)
{
    struct passkeys_passkey passkey;
    struct authenticator_said said;
    struct json_list codes;
    const char *challenge = add_challenge(stage);
    authenticator_register(device, site.rp, site.origin, challenge, stage->arena, &said);
    assert_int_equal(add_said(stage, challenge, &said, &passkey, &codes), STATUS_OK);
    return passkey;
}

static const char *alone_challenge(struct stage *stage)
{
    const char *challenge = NULL;
    assert_int_equal(passkeys_begin(stage->auth, stage->now, stage->arena, &challenge), STATUS_OK);
    return challenge;
}

static struct passkeys_answer answer_of(struct stage *stage, const char *challenge,
                                        const struct authenticator_said *said, const char *user)
{
    char *handle = NULL;
    if (user != NULL) {
        handle = arena_alloc(stage->arena, CRYPTO_BASE64URL_SIZE(strlen(user)));
        crypto_base64url(user, strlen(user), handle);
    }
    return (struct passkeys_answer){.challenge = challenge,
                                    .client = said->client,
                                    .data = said->data,
                                    .credential = said->credential,
                                    .signature = said->signature,
                                    .user = handle};
}

static enum status bring(struct stage *stage, const struct passkeys_site *where,
                         const struct passkeys_answer *answer)
{
    struct auth_signed_in in;
    struct auth_caller caller;
    enum status status = passkeys_sign_in(stage->auth, where, answer, &here, stage->now,
                                          stage->arena, &in, &stage->wait);
    if (status == STATUS_OK) {
        assert_int_equal(auth_check(stage->auth, in.token, stage->now, stage->arena, &caller),
                         STATUS_OK);
        assert_string_equal(caller.user.id, stage->caller.user.id);
    }
    return status;
}

static enum status use(struct stage *stage, struct authenticator *device, const char *challenge,
                       const char *user)
{
    struct authenticator_said said;
    authenticator_sign(device, site.rp, site.origin, challenge, stage->arena, &said);
    const struct passkeys_answer answer = answer_of(stage, challenge, &said, user);
    return bring(stage, &site, &answer);
}

static void works(struct stage *stage, int algorithm)
{
    struct authenticator device;
    const char *user = stage->caller.user.id;
    authenticator_make(algorithm, &device);
    struct passkeys_passkey passkey = add(stage, &device);
    assert_int_equal(use(stage, &device, alone_challenge(stage), user), STATUS_OK);
    assert_int_equal(use(stage, &device, challenge_of(stage), NULL), STATUS_OK);
    assert_int_equal(use(stage, &device, challenge_of(stage), user), STATUS_OK);
    assert_int_equal(passkeys_remove(stage->auth, &stage->caller, passkey.id, password, stage->now,
                                     &stage->wait),
                     STATUS_OK);
    assert_int_equal(use(stage, &device, alone_challenge(stage), user), STATUS_DENIED);
    authenticator_fini(&device);
}

static void test_each_algorithm(void **state)
{
    (void)state;
    struct stage stage;
    stage_begin(&stage);
    works(&stage, WEBAUTHN_ES256);
    works(&stage, WEBAUTHN_EDDSA);
    works(&stage, WEBAUTHN_RS256);
    stage_end(&stage);
}

static void test_several_with_names(void **state)
{
    (void)state;
    struct stage stage;
    struct authenticator one, two;
    struct auth_signed_in in;
    struct json_list list;
    stage_begin(&stage);
    authenticator_make(WEBAUTHN_ES256, &one);
    authenticator_make(WEBAUTHN_ES256, &two);
    struct passkeys_passkey first = add(&stage, &one), second = add(&stage, &two);
    const char *user = stage.caller.user.id;
    assert_int_equal(passkeys_rename(stage.auth, user, first.id, "Phone", stage.now), STATUS_OK);
    assert_int_equal(passkeys_rename(stage.auth, user, first.id, " ", stage.now), STATUS_INVALID);
    assert_int_equal(passkeys_rename(stage.auth, "other", first.id, "x", stage.now),
                     STATUS_NOT_FOUND);
    assert_int_equal(passkeys_list(stage.auth, user, stage.arena, &list), STATUS_OK);
    assert_int_equal(list.count, 2);
    const struct passkeys_passkey *items = list.items;
    for (size_t i = 0; i < 2; i++)
        assert_string_equal(items[i].name, strcmp(items[i].id, first.id) == 0 ? "Phone" : "My key");
    assert_int_equal(scratch_count(stage.db, "SELECT count(*) FROM passkey"
                                             " WHERE instr(CAST(name AS TEXT), 'Phone') > 0"),
                     0);
    assert_int_equal(
        passkeys_remove(stage.auth, &stage.caller, first.id, "no", stage.now, &stage.wait),
        STATUS_DENIED);
    assert_int_equal(
        passkeys_remove(stage.auth, &stage.caller, first.id, password, stage.now, &stage.wait),
        STATUS_OK);
    /* One is left: it is still asked for. */
    assert_int_equal(sign(&stage, password, &in), STATUS_AGAIN);
    assert_int_equal(
        passkeys_remove(stage.auth, &stage.caller, second.id, password, stage.now, &stage.wait),
        STATUS_OK);
    assert_int_equal(sign(&stage, password, &in), STATUS_OK);
    assert_int_equal(scratch_count(stage.db, "SELECT count(*) FROM recovery_code WHERE account > ''"
                                             " AND hash > x''"),
                     0);
    authenticator_fini(&one);
    authenticator_fini(&two);
    auth_free(stage.auth);
    arena_free(stage.arena);
    db_close(stage.db);
    scratch_remove(stage.folder);
}

static void test_what_is_not_added(void **state)
{
    (void)state;
    struct stage stage;
    struct authenticator device;
    struct authenticator_said said;
    struct passkeys_passkey passkey;
    struct json_list codes;
    stage_begin(&stage);
    authenticator_make(WEBAUTHN_ES256, &device);
    const char *challenge = add_challenge(&stage);
    authenticator_register(&device, site.rp, "https://meet.example.org.evil.test", challenge,
                           stage.arena, &said);
    assert_int_equal(add_said(&stage, challenge, &said, &passkey, &codes), STATUS_DENIED);
    /* A challenge that was tried is spent. */
    authenticator_register(&device, site.rp, site.origin, challenge, stage.arena, &said);
    assert_int_equal(add_said(&stage, challenge, &said, &passkey, &codes), STATUS_LATE);
    challenge = add_challenge(&stage);
    authenticator_register(&device, "example.org", site.origin, challenge, stage.arena, &said);
    assert_int_equal(add_said(&stage, challenge, &said, &passkey, &codes), STATUS_DENIED);
    challenge = add_challenge(&stage);
    authenticator_register(&device, site.rp, site.origin, add_challenge(&stage), stage.arena,
                           &said);
    assert_int_equal(add_said(&stage, challenge, &said, &passkey, &codes), STATUS_DENIED);
    /* What was signed to sign in adds nothing. */
    challenge = add_challenge(&stage);
    authenticator_sign(&device, site.rp, site.origin, challenge, stage.arena, &said);
    assert_int_equal(add_said(&stage, challenge, &said, &passkey, &codes), STATUS_DENIED);
    challenge = add_challenge(&stage);
    device.flags = 4; /* nobody was there */
    authenticator_register(&device, site.rp, site.origin, challenge, stage.arena, &said);
    assert_int_equal(add_said(&stage, challenge, &said, &passkey, &codes), STATUS_DENIED);
    device.flags = 1;
    /* Of another session, of a sign-in, too late. */
    struct auth_caller caller = stage.caller;
    challenge = add_challenge(&stage);
    stage.caller.session = "another";
    authenticator_register(&device, site.rp, site.origin, challenge, stage.arena, &said);
    assert_int_equal(add_said(&stage, challenge, &said, &passkey, &codes), STATUS_LATE);
    stage.caller = caller;
    challenge = alone_challenge(&stage);
    authenticator_register(&device, site.rp, site.origin, challenge, stage.arena, &said);
    assert_int_equal(add_said(&stage, challenge, &said, &passkey, &codes), STATUS_LATE);
    challenge = add_challenge(&stage);
    authenticator_register(&device, site.rp, site.origin, challenge, stage.arena, &said);
    stage.now += CHALLENGE_MS;
    assert_int_equal(add_said(&stage, challenge, &said, &passkey, &codes), STATUS_LATE);
    /* Cut anywhere, it is malformed and nothing else. */
    size_t length = strlen(said.data);
    for (size_t i = 0; i < length; i += 7) {
        challenge = add_challenge(&stage);
        authenticator_register(&device, site.rp, site.origin, challenge, stage.arena, &said);
        said.data = arena_strndup(stage.arena, said.data, i);
        assert_int_equal(add_said(&stage, challenge, &said, &passkey, &codes), STATUS_INVALID);
        stage.now += 1;
    }
    add(&stage, &device);
    /* Once for all accounts. */
    challenge = add_challenge(&stage);
    authenticator_register(&device, site.rp, site.origin, challenge, stage.arena, &said);
    assert_int_equal(add_said(&stage, challenge, &said, &passkey, &codes), STATUS_EXISTS);
    authenticator_fini(&device);
    stage_end(&stage);
}

static void test_what_does_not_sign_in(void **state)
{
    (void)state;
    struct stage stage;
    struct authenticator device, other;
    struct authenticator_said said;
    struct passkeys_answer answer;
    stage_begin(&stage);
    const char *user = stage.caller.user.id;
    authenticator_make(WEBAUTHN_ES256, &device);
    authenticator_make(WEBAUTHN_ES256, &other);
    add(&stage, &device);
    /* Without a password: whose it is, and that it is they, must be said. */
    assert_int_equal(use(&stage, &device, alone_challenge(&stage), NULL), STATUS_DENIED);
    assert_int_equal(use(&stage, &device, alone_challenge(&stage), "somebodyelse"), STATUS_DENIED);
    device.flags = 1;
    assert_int_equal(use(&stage, &device, alone_challenge(&stage), user), STATUS_DENIED);
    assert_int_equal(use(&stage, &device, challenge_of(&stage), user), STATUS_OK);
    device.flags = 4;
    assert_int_equal(use(&stage, &device, challenge_of(&stage), user), STATUS_DENIED);
    device.flags = 5;
    /* Another key's signature under this one's name. */
    memcpy(other.id, device.id, sizeof device.id);
    other.count = 100;
    assert_int_equal(use(&stage, &other, alone_challenge(&stage), user), STATUS_DENIED);
    /* Another place. */
    const char *challenge = alone_challenge(&stage);
    authenticator_sign(&device, "evil.test", "https://evil.test", challenge, stage.arena, &said);
    answer = answer_of(&stage, challenge, &said, user);
    const struct passkeys_site evil = {"evil.test", "https://evil.test"};
    assert_int_equal(bring(&stage, &evil, &answer), STATUS_DENIED);
    challenge = alone_challenge(&stage);
    authenticator_sign(&device, site.rp, "http://meet.example.org", challenge, stage.arena, &said);
    answer = answer_of(&stage, challenge, &said, user);
    assert_int_equal(bring(&stage, &site, &answer), STATUS_DENIED);
    /* Another challenge; the same twice. */
    challenge = alone_challenge(&stage);
    authenticator_sign(&device, site.rp, site.origin, alone_challenge(&stage), stage.arena, &said);
    answer = answer_of(&stage, challenge, &said, user);
    assert_int_equal(bring(&stage, &site, &answer), STATUS_DENIED);
    challenge = alone_challenge(&stage);
    authenticator_sign(&device, site.rp, site.origin, challenge, stage.arena, &said);
    answer = answer_of(&stage, challenge, &said, user);
    assert_int_equal(bring(&stage, &site, &answer), STATUS_OK);
    assert_int_equal(bring(&stage, &site, &answer), STATUS_LATE);
    /* What made it does not sign in. */
    challenge = alone_challenge(&stage);
    authenticator_register(&device, site.rp, site.origin, challenge, stage.arena, &said);
    said.signature = "AAAA";
    answer = answer_of(&stage, challenge, &said, user);
    assert_int_equal(bring(&stage, &site, &answer), STATUS_DENIED);
    authenticator_fini(&device);
    authenticator_fini(&other);
    stage_end(&stage);
}

static void test_somebody_elses_second_step(void **state)
{
    (void)state;
    struct stage stage;
    struct authenticator mine, theirs;
    struct auth_user user;
    struct auth_fault fault;
    struct auth_signed_in in;
    stage_begin(&stage);
    authenticator_make(WEBAUTHN_ES256, &mine);
    authenticator_make(WEBAUTHN_ES256, &theirs);
    add(&stage, &mine);
    struct auth_caller ada = stage.caller;
    const struct auth_user_new wish = {.email = "eve@b.c", .name = "Eve", .password = password};
    struct auth_login login = here;
    login.email = "eve@b.c";
    login.password = password;
    assert_int_equal(auth_user_add(stage.auth, &wish, stage.now, stage.arena, &user, &fault),
                     STATUS_OK);
    assert_int_equal(auth_sign_in(stage.auth, &login, stage.now, stage.arena, &in, &stage.wait),
                     STATUS_OK);
    stage.caller = in.caller;
    add(&stage, &theirs);
    /* Ada's password and Eve's passkey are nobody's sign-in. */
    stage.caller = ada;
    assert_int_equal(use(&stage, &theirs, challenge_of(&stage), NULL), STATUS_DENIED);
    assert_int_equal(use(&stage, &theirs, challenge_of(&stage), ada.user.id), STATUS_DENIED);
    assert_int_equal(use(&stage, &mine, challenge_of(&stage), NULL), STATUS_OK);
    authenticator_fini(&mine);
    authenticator_fini(&theirs);
    stage_end(&stage);
}

static bool suspect(struct stage *stage)
{
    struct json_list list;
    assert_int_equal(passkeys_list(stage->auth, stage->caller.user.id, stage->arena, &list),
                     STATUS_OK);
    return ((struct passkeys_passkey *)list.items)->suspect;
}

static void test_copies_are_found(void **state)
{
    (void)state;
    struct stage stage;
    struct authenticator device;
    stage_begin(&stage);
    const char *user = stage.caller.user.id;
    authenticator_make(WEBAUTHN_ES256, &device);
    add(&stage, &device);
    struct authenticator copy = device;
    for (int i = 0; i < 3; i++)
        assert_int_equal(use(&stage, &device, alone_challenge(&stage), user), STATUS_OK);
    assert_false(suspect(&stage));
    assert_int_equal(use(&stage, &copy, alone_challenge(&stage), user), STATUS_DENIED);
    assert_true(suspect(&stage));
    /* One that counted does not stop counting. */
    copy.count = 0;
    assert_int_equal(use(&stage, &copy, alone_challenge(&stage), user), STATUS_DENIED);
    authenticator_fini(&device);
    /* Many never count: that is no sign of anything. */
    authenticator_make(WEBAUTHN_ES256, &device);
    device.count = 0;
    add(&stage, &device);
    assert_int_equal(use(&stage, &device, alone_challenge(&stage), user), STATUS_OK);
    assert_int_equal(use(&stage, &device, alone_challenge(&stage), user), STATUS_OK);
    authenticator_fini(&device);
    stage_end(&stage);
}

static void test_disabled_accounts_stay_out(void **state)
{
    (void)state;
    struct stage stage;
    struct authenticator device;
    struct auth_fault fault;
    struct auth_user user;
    const struct auth_change disable = {.disabled = JSON_YES};
    stage_begin(&stage);
    authenticator_make(WEBAUTHN_ES256, &device);
    add(&stage, &device);
    assert_int_equal(auth_user_change(stage.auth, stage.caller.user.id, &disable, stage.now,
                                      stage.arena, &user, &fault),
                     STATUS_OK);
    assert_int_equal(use(&stage, &device, alone_challenge(&stage), user.id), STATUS_DENIED);
    authenticator_fini(&device);
    stage_end(&stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_algorithm),
        cmocka_unit_test(test_several_with_names),
        cmocka_unit_test(test_what_is_not_added),
        cmocka_unit_test(test_what_does_not_sign_in),
        cmocka_unit_test(test_somebody_elses_second_step),
        cmocka_unit_test(test_copies_are_found),
        cmocka_unit_test(test_disabled_accounts_stay_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
