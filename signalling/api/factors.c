/*
 * signalling/api/factors.c - the second step of signing in, passkeys, and what is asked for besides
 * a password.
 */
#include "core/clock.h"
#include "core/fields.h"
#include "modules/auth/passkeys.h"
#include "signalling/api/accounts.h"
#include "signalling/api/api.h"
#include "signalling/api/route.h"

#include <string.h>

enum {
    BODY_MAX = 16384, /* bytes of what a passkey says */
    CREDENTIAL_CHARS = PASSKEYS_CHARS(WEBAUTHN_CREDENTIAL_MAX),
};

/* ---- the page's place ---- */

/* The name of the host and the one origin that is ours under it: HTTPS, also where a proxy ends it,
 * but plain HTTP on this machine, as browsers have it. */
static enum status site_of(const struct api_call *call, struct passkeys_site *ret_site)
{
    static const char *const local[] = {"localhost", "127.0.0.1", "[::1]"};
    const char *host = call->request->host;
    size_t length = host[0] == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":");
    const char *name = arena_strndup(call->arena, host, length), *scheme = "https";
    if (name == NULL)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < sizeof local / sizeof local[0] && !call->request->secure; i++) {
        if (strcmp(name, local[i]) == 0)
            scheme = "http";
    }
    *ret_site = (struct passkeys_site){
        .rp = name, .origin = arena_printf(call->arena, "%s://%s", scheme, host)};
    return ret_site->origin != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}

/* ---- what went wrong ---- */

static enum status denied(struct api_call *call, enum status status, uint32_t wait_s, int http,
                          const char *code, const char *detail)
{
    if (status == STATUS_LIMIT)
        return api_wait(call, wait_s);
    if (status == STATUS_DENIED)
        return api_problem(call, http, code, detail);
    if (status == STATUS_LATE)
        return api_problem(call, 401, "challenge", "this took too long: begin again");
    return status;
}

static enum status password_denied(struct api_call *call, enum status status, uint32_t wait_s)
{
    return denied(call, status, wait_s, 403, "credentials", "that is not the password");
}

/* ---- the second step ---- */

struct second {
    const char *challenge;
    bool totp;
    struct json_list passkeys; /* const char * */
};

static const struct json_field second_fields[] = {
    TEXT(second, challenge, 1, CHALLENGE_MAX, true, "for five minutes, good for this alone"),
    BOOL(second, totp, "codes of an app are taken; codes on paper always"),
    TEXTS(second, passkeys, PASSKEYS_MAX, CREDENTIAL_CHARS, "credentials that are taken"),
};

static TABLE(second, "`second` of the problem `second_factor`.");

enum status account_second(struct api_call *call, const struct auth_signed_in *in)
{
    struct factors factors;
    struct json_list list;
    const char *user = in->caller.user.id;
    enum status status = factors_get(call->api->auth, user, &factors);
    if (status == STATUS_OK)
        status = passkeys_list(call->api->auth, user, call->arena, &list);
    if (status != STATUS_OK)
        return status;
    const struct passkeys_passkey *passkeys = list.items;
    const char **items = arena_alloc(call->arena, (list.count + 1) * sizeof *items);
    if (items == NULL)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < list.count; i++)
        items[i] = passkeys[i].credential;
    const struct second second = {.challenge = in->challenge,
                                  .totp = factors.totp != 0,
                                  .passkeys = {.items = items, .count = list.count}};
    const char *json = json_encode(&second_table, &second, call->arena);
    if (json == NULL)
        return STATUS_NO_MEMORY;
    status = api_problem(call, 401, "second_factor", "the password is right: now the second step");
    http_problem_member(call->request, call->reply, "second", json);
    return status;
}

struct second_step {
    const char *challenge, *code;
    bool cookie;
};

static const struct json_field second_step_fields[] = {
    TEXT(second_step, challenge, 1, CHALLENGE_MAX, true, "of `second`"),
    TEXT(second_step, code, 1, FACTORS_CODE_MAX, true, "of the app, or one on paper"),
    BOOL(second_step, cookie, "as in POST /session"),
};

static TABLE(second_step, NULL);

static enum status run_second(struct api_call *call)
{
    const struct second_step *body = call->body;
    const struct auth_login login = account_login(call, body->cookie);
    struct auth_signed_in in;
    uint32_t wait_s = 0;
    enum status status = factors_sign_in(call->api->auth, body->challenge, body->code, &login,
                                         clock_wall_ms(), call->arena, &in, &wait_s);
    return status == STATUS_OK
               ? account_signed_in(call, &in)
               : denied(call, status, wait_s, 401, "code", "that is not a code, or it was used");
}

/* ---- signing in by passkey ---- */

struct passkey_ask {
    const char *challenge, *rp, *user;
    struct json_list exclude; /* const char * */
};

static const struct json_field passkey_ask_fields[] = {
    TEXT(passkey_ask, challenge, 1, CHALLENGE_MAX, true, "its bytes are to be signed"),
    TEXT(passkey_ask, rp, 1, WEBAUTHN_RP_MAX, true, "relying party"),
    TEXT(passkey_ask, user, 1, CRYPTO_ID_CHARS, false, "its bytes are the user handle"),
    TEXTS(passkey_ask, exclude, PASSKEYS_MAX, CREDENTIAL_CHARS, "credentials there are already"),
};

static TABLE(passkey_ask, NULL);

static enum status run_passkey_begin(struct api_call *call)
{
    struct passkeys_site site;
    struct passkey_ask *ask = api_result(call, sizeof *ask);
    enum status status = ask != NULL ? site_of(call, &site) : STATUS_NO_MEMORY;
    if (status == STATUS_OK)
        status = passkeys_begin(call->api->auth, clock_wall_ms(), call->arena, &ask->challenge);
    if (status == STATUS_OK)
        ask->rp = site.rp;
    return status;
}

struct passkey_step {
    const char *challenge, *credential, *client, *data, *signature, *user;
    bool cookie;
};

static const struct json_field passkey_step_fields[] = {
    TEXT(passkey_step, challenge, 1, CHALLENGE_MAX, true, "as it was given"),
    TEXT(passkey_step, credential, 1, CREDENTIAL_CHARS, true, "its id; all of these in base64url"),
    TEXT(passkey_step, client, 1, PASSKEYS_CHARS(WEBAUTHN_CLIENT_MAX), true, "clientDataJSON"),
    TEXT(passkey_step, data, 1, PASSKEYS_CHARS(WEBAUTHN_DATA_MAX), true, "authenticatorData"),
    TEXT(passkey_step, signature, 1, PASSKEYS_CHARS(WEBAUTHN_SIGNATURE_MAX), true, NULL),
    TEXT(passkey_step, user, 1, 128, false, "userHandle; needed without a password"),
    BOOL(passkey_step, cookie, "as in POST /session"),
};

static TABLE(passkey_step, NULL);

static enum status run_passkey(struct api_call *call)
{
    const struct passkey_step *body = call->body;
    const struct auth_login login = account_login(call, body->cookie);
    const struct passkeys_answer answer = {.challenge = body->challenge,
                                           .client = body->client,
                                           .data = body->data,
                                           .credential = body->credential,
                                           .signature = body->signature,
                                           .user = body->user};
    struct passkeys_site site;
    struct auth_signed_in in;
    uint32_t wait_s = 0;
    enum status status = site_of(call, &site);
    if (status == STATUS_OK)
        status = passkeys_sign_in(call->api->auth, &site, &answer, &login, clock_wall_ms(),
                                  call->arena, &in, &wait_s);
    return status == STATUS_OK
               ? account_signed_in(call, &in)
               : denied(call, status, wait_s, 401, "passkey", "this passkey does not sign in here");
}

/* ---- one's own ---- */

struct passkey_shown {
    const char *id, *name;
    bool suspect;
    int64_t created, used;
};

static const struct json_field passkey_shown_fields[] = {
    TEXT(passkey_shown, id, 1, CRYPTO_ID_CHARS, true, NULL),
    TEXT(passkey_shown, name, 1, PASSKEYS_NAME_MAX, true, NULL),
    BOOL(passkey_shown, suspect, "its count did not rise: somebody may have a copy"),
    INT(passkey_shown, created, 0, INT64_MAX, true, "ms since 1970"),
    INT(passkey_shown, used, 0, INT64_MAX, true, "likewise; 0: never"),
};

static TABLE(passkey_shown, NULL);

static struct passkey_shown shown_of(const struct passkeys_passkey *passkey)
{
    return (struct passkey_shown){.id = passkey->id,
                                  .name = passkey->name,
                                  .suspect = passkey->suspect,
                                  .created = passkey->created,
                                  .used = passkey->used};
}

struct factors_shown {
    int64_t totp, codes;
    struct json_list passkeys; /* struct passkey_shown */
};

static const struct json_field factors_shown_fields[] = {
    INT(factors_shown, totp, 0, INT64_MAX, true, "since when codes are asked for; 0: they are not"),
    INT(factors_shown, codes, 0, FACTORS_CODES, true, "on paper, not used yet"),
    LIST(factors_shown, passkeys, &passkey_shown_table, PASSKEYS_MAX, true, "by id"),
};

static TABLE(factors_shown, NULL);

static enum status run_factors(struct api_call *call)
{
    struct factors factors;
    struct json_list list;
    struct factors_shown *shown = api_result(call, sizeof *shown);
    const char *user = call->caller->user.id;
    enum status status =
        shown != NULL ? factors_get(call->api->auth, user, &factors) : STATUS_NO_MEMORY;
    if (status == STATUS_OK)
        status = passkeys_list(call->api->auth, user, call->arena, &list);
    if (status != STATUS_OK)
        return status;
    const struct passkeys_passkey *from = list.items;
    struct passkey_shown *items = arena_alloc(call->arena, (list.count + 1) * sizeof *items);
    if (items == NULL)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < list.count; i++)
        items[i] = shown_of(&from[i]);
    *shown = (struct factors_shown){.totp = factors.totp,
                                    .codes = factors.codes,
                                    .passkeys = {.items = items, .count = list.count}};
    return STATUS_OK;
}

struct proof {
    const char *password;
};

static const struct json_field proof_fields[] = {
    TEXT(proof, password, 1, PASSWORD_MAX, true, "one's own, once more"),
};

static TABLE(proof, NULL);

struct codes_shown {
    struct json_list codes; /* const char * */
};

static const struct json_field codes_shown_fields[] = {
    TEXTS(codes_shown, codes, FACTORS_CODES, FACTORS_CODE_CHARS,
          "to be kept on paper, here for the only time; none: the earlier ones hold"),
};

static TABLE(codes_shown, NULL);

/* ---- an authenticator app ---- */

struct seed_shown {
    const char *secret, *uri;
};

static const struct json_field seed_shown_fields[] = {
    TEXT(seed_shown, secret, 1, TOTP_SEED_CHARS, true, "to be typed into the app"),
    TEXT(seed_shown, uri, 1, 2048, true, "to be shown to it as a QR code"),
};

static TABLE(seed_shown, NULL);

static enum status run_totp_begin(struct api_call *call)
{
    const struct proof *body = call->body;
    struct factors_seed seed;
    struct passkeys_site site;
    uint32_t wait_s = 0;
    enum status status = site_of(call, &site);
    if (status == STATUS_OK)
        status = factors_totp_begin(call->api->auth, call->caller, body->password, site.rp,
                                    clock_wall_ms(), call->arena, &seed, &wait_s);
    if (status != STATUS_OK)
        return password_denied(call, status, wait_s);
    struct seed_shown *shown = api_result(call, sizeof *shown);
    if (shown == NULL)
        return STATUS_NO_MEMORY;
    *shown = (struct seed_shown){.secret = seed.secret, .uri = seed.uri};
    return STATUS_OK;
}

struct code_given {
    const char *code;
};

static const struct json_field code_given_fields[] = {
    TEXT(code_given, code, 1, FACTORS_CODE_MAX, true, "what the app shows"),
};

static TABLE(code_given, NULL);

static enum status run_totp_confirm(struct api_call *call)
{
    const struct code_given *body = call->body;
    struct codes_shown *shown = api_result(call, sizeof *shown);
    uint32_t wait_s = 0;
    if (shown == NULL)
        return STATUS_NO_MEMORY;
    enum status status = factors_totp_confirm(call->api->auth, call->caller, body->code,
                                              clock_wall_ms(), call->arena, &shown->codes, &wait_s);
    return denied(call, status, wait_s, 403, "code", "that is not the code");
}

struct totp_end {
    const char *password, *code;
};

static const struct json_field totp_end_fields[] = {
    TEXT(totp_end, password, 1, PASSWORD_MAX, true, NULL),
    TEXT(totp_end, code, 1, FACTORS_CODE_MAX, true, "of the app, or one on paper"),
};

static TABLE(totp_end, NULL);

static enum status run_totp_end(struct api_call *call)
{
    const struct totp_end *body = call->body;
    uint32_t wait_s = 0;
    enum status status = factors_totp_end(call->api->auth, call->caller, body->password, body->code,
                                          clock_wall_ms(), &wait_s);
    return denied(call, status, wait_s, 403, "proof", "that is not the password, or not a code");
}

static enum status run_codes(struct api_call *call)
{
    const struct proof *body = call->body;
    struct codes_shown *shown = api_result(call, sizeof *shown);
    uint32_t wait_s = 0;
    if (shown == NULL)
        return STATUS_NO_MEMORY;
    enum status status = factors_codes_renew(call->api->auth, call->caller, body->password,
                                             clock_wall_ms(), call->arena, &shown->codes, &wait_s);
    return password_denied(call, status, wait_s);
}

/* ---- passkeys ---- */

static enum status run_add_begin(struct api_call *call)
{
    const struct proof *body = call->body;
    const char *user = call->caller->user.id;
    struct passkeys_site site;
    struct json_list list;
    uint32_t wait_s = 0;
    struct passkey_ask *ask = api_result(call, sizeof *ask);
    enum status status = ask != NULL ? site_of(call, &site) : STATUS_NO_MEMORY;
    if (status == STATUS_OK)
        status = passkeys_add_begin(call->api->auth, call->caller, body->password, clock_wall_ms(),
                                    call->arena, &ask->challenge, &wait_s);
    if (status != STATUS_OK)
        return password_denied(call, status, wait_s);
    status = passkeys_list(call->api->auth, user, call->arena, &list);
    const char **items = arena_alloc(call->arena, (PASSKEYS_MAX + 1) * sizeof *items);
    if (status != STATUS_OK || items == NULL)
        return status != STATUS_OK ? status : STATUS_NO_MEMORY;
    const struct passkeys_passkey *passkeys = list.items;
    for (size_t i = 0; i < list.count; i++)
        items[i] = passkeys[i].credential;
    ask->rp = site.rp;
    ask->user = user;
    ask->exclude = (struct json_list){.items = items, .count = list.count};
    return STATUS_OK;
}

struct passkey_new {
    const char *challenge, *name, *client, *data;
};

static const struct json_field passkey_new_fields[] = {
    TEXT(passkey_new, challenge, 1, CHALLENGE_MAX, true, "as it was given"),
    TEXT(passkey_new, name, 1, PASSKEYS_NAME_MAX, true, NULL),
    TEXT(passkey_new, client, 1, PASSKEYS_CHARS(WEBAUTHN_CLIENT_MAX), true,
         "clientDataJSON; both in base64url"),
    TEXT(passkey_new, data, 1, PASSKEYS_CHARS(WEBAUTHN_DATA_MAX), true, "getAuthenticatorData()"),
};

static TABLE(passkey_new, NULL);

struct passkey_added {
    struct passkey_shown passkey;
    struct json_list codes; /* const char * */
};

static const struct json_field passkey_added_fields[] = {
    OBJECT(passkey_added, passkey, &passkey_shown_table, true, NULL),
    TEXTS(passkey_added, codes, FACTORS_CODES, FACTORS_CODE_CHARS,
          "to be kept on paper, here for the only time; none: the earlier ones hold"),
};

static TABLE(passkey_added, NULL);

static enum status run_add(struct api_call *call)
{
    const struct passkey_new *body = call->body;
    const struct passkeys_answer answer = {
        .challenge = body->challenge, .client = body->client, .data = body->data};
    struct passkeys_site site;
    struct passkeys_passkey passkey;
    struct passkey_added *added = api_result(call, sizeof *added);
    enum status status = added != NULL ? site_of(call, &site) : STATUS_NO_MEMORY;
    if (status == STATUS_OK)
        status = passkeys_add(call->api->auth, call->caller, &site, &answer, body->name,
                              clock_wall_ms(), call->arena, &passkey, &added->codes);
    if (status == STATUS_LIMIT)
        return api_problem(call, 409, "too_many", "an account has at most 20");
    if (status != STATUS_OK)
        return denied(call, status, 0, 403, "passkey", "it was not made here");
    added->passkey = shown_of(&passkey);
    return STATUS_OK;
}

struct passkey_change {
    const char *name;
};

static const struct json_field passkey_change_fields[] = {
    TEXT(passkey_change, name, 1, PASSKEYS_NAME_MAX, true, NULL),
};

static TABLE(passkey_change, NULL);

static enum status run_rename(struct api_call *call)
{
    const struct passkey_change *body = call->body;
    return passkeys_rename(call->api->auth, call->caller->user.id, call->request->params[0],
                           body->name, clock_wall_ms());
}

static enum status run_remove(struct api_call *call)
{
    const struct proof *body = call->body;
    uint32_t wait_s = 0;
    enum status status = passkeys_remove(call->api->auth, call->caller, call->request->params[0],
                                         body->password, clock_wall_ms(), &wait_s);
    return password_denied(call, status, wait_s);
}

/* ---- for admins ---- */

static enum status run_clear(struct api_call *call)
{
    return factors_clear(call->api->auth, call->request->params[0], clock_wall_ms());
}

#define ROUTE(verb, path, whose, function, ...)                                                    \
    {                                                                                              \
        .method = (verb), .pattern = "/api/v1/" path, .who = (whose), .run = (function),           \
        __VA_ARGS__                                                                                \
    }

static const struct api_route routes[] = {
    ROUTE("POST", "session/second", API_ANYONE, run_second, .body = &second_step_table,
          .result = &session_shown_table, .status = 201,
          .doc = "The second step. The problem `second_factor` of POST /session has `second`: "
                 "`challenge`, `totp` (codes of an app are taken), `passkeys` (credentials that "
                 "are). 401 `code`; 401 `challenge`: begin again; 429 as there."),
    ROUTE("POST", "session/passkey/challenge", API_ANYONE, run_passkey_begin,
          .result = &passkey_ask_table, .doc = "To sign in by passkey, without an address."),
    ROUTE("POST", "session/passkey", API_ANYONE, run_passkey, .body = &passkey_step_table,
          .body_max = BODY_MAX, .result = &session_shown_table, .status = 201,
          .doc = "Signs in by passkey: with that challenge, or as the second step with that of "
                 "`second`. 401 `passkey`; 401 `challenge`: begin again."),
    ROUTE("GET", "me/factors", API_USER, run_factors, .result = &factors_shown_table,
          .doc = "What is asked for besides one's password."),
    ROUTE("POST", "me/totp", API_USER, run_totp_begin, .body = &proof_table,
          .result = &seed_shown_table, .status = 201,
          .doc = "A seed for an authenticator app. 403 `credentials`; 409: there is one."),
    ROUTE("POST", "me/totp/confirm", API_USER, run_totp_confirm, .body = &code_given_table,
          .result = &codes_shown_table, .doc = "From now on codes are asked for. 403 `code`."),
    ROUTE("DELETE", "me/totp", API_USER, run_totp_end, .body = &totp_end_table, .status = 204,
          .doc = "They are not any more. 403 `proof`."),
    ROUTE("POST", "me/codes", API_USER, run_codes, .body = &proof_table,
          .result = &codes_shown_table, .status = 201,
          .doc = "New codes on paper, the earlier ones are void. 403 `credentials`."),
    ROUTE("POST", "me/passkeys/challenge", API_USER, run_add_begin, .body = &proof_table,
          .result = &passkey_ask_table, .doc = "To make one more. 403 `credentials`."),
    ROUTE("POST", "me/passkeys", API_USER, run_add, .body = &passkey_new_table,
          .body_max = BODY_MAX, .result = &passkey_added_table, .status = 201,
          .doc = "Adds it. 403 `passkey`; 409 when an account has it, or this one 20."),
    ROUTE("PATCH", "me/passkeys/{id}", API_USER, run_rename, .body = &passkey_change_table,
          .status = 204, .doc = "Names it."),
    ROUTE("DELETE", "me/passkeys/{id}", API_USER, run_remove, .body = &proof_table, .status = 204,
          .doc = "Removes it. 403 `credentials`."),
    ROUTE("DELETE", "users/{id}/factors", API_ADMIN, run_clear, .status = 204,
          .doc = "For who lost them: a password is enough again; all sessions end."),
};

const struct api_table api_factors = API_TABLE(routes);
