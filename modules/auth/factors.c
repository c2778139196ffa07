#include "modules/auth/factors.h"

#include "modules/auth/factors_state.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static const char base32[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"; /* RFC 4648 6 */

/* length is a multiple of 5. */
static void base32_write(const uint8_t *bytes, size_t length, char *ret_text)
{
    uint32_t bits = 0;
    int held = 0;
    for (size_t i = 0; i < length; i++) {
        bits = bits << 8 | bytes[i];
        for (held += 8; held >= 5; held -= 5)
            *ret_text++ = base32[bits >> (held - 5) & 31];
    }
    *ret_text = '\0';
}

/* ---- what there is ---- */

enum status factors_read(struct db_session *session, const char *user, struct factors *ret_factors)
{
    struct db_statement *select =
        db_prepare(session, "SELECT totp_on, (SELECT count(*) FROM passkey WHERE account = $1),"
                            " (SELECT count(*) FROM recovery_code WHERE account = $1)"
                            " FROM account WHERE id = $1");
    db_bind_text(select, 1, user);
    enum status status = db_step(select);
    if (status == STATUS_OK)
        *ret_factors = (struct factors){.totp = db_column_int(select, 0),
                                        .passkeys = db_column_int(select, 1),
                                        .codes = db_column_int(select, 2)};
    return status;
}

struct getting {
    const char *user;
    struct factors factors;
};

static enum status get_run(struct db_session *session, void *arg)
{
    struct getting *getting = arg;
    return factors_read(session, getting->user, &getting->factors);
}

enum status factors_get(struct auth *auth, const char *user, struct factors *ret_factors)
{
    struct getting getting = {.user = user};
    enum status status = db_read(auth->config.db, get_run, &getting);
    if (status == STATUS_OK)
        *ret_factors = getting.factors;
    return status;
}

/* ---- codes on paper ---- */

/* Of what was typed, however it was: lower case, without what separates. False: it is none. */
static bool code_normal(const char *typed, char ret_code[FACTORS_CODE_CHARS + 1])
{
    size_t length = 0;
    for (; *typed != '\0'; typed++) {
        char c = (char)tolower((unsigned char)*typed);
        if (c == '-' || c == ' ')
            continue;
        if (length == FACTORS_CODE_CHARS || strchr(base32, toupper((unsigned char)c)) == NULL)
            return false;
        ret_code[length++] = c;
    }
    ret_code[length] = '\0';
    return length == FACTORS_CODE_CHARS - 3;
}

static enum status code_hash(struct vault *vault, const char *user, const char *typed,
                             uint8_t ret_hash[CRYPTO_SHA256_BYTES])
{
    char normal[FACTORS_CODE_CHARS + 1], said[2 * FACTORS_CODE_CHARS + CRYPTO_ID_CHARS];
    if (!code_normal(typed, normal))
        return STATUS_DENIED;
    int length = snprintf(said, sizeof said, "%s:%s", user, normal);
    return vault_hash(vault, NULL, "recovery", said, (size_t)length, ret_hash);
}

/* 80 bits each, in groups of four. */
static void codes_make(struct factors_codes *ret_codes)
{
    for (size_t i = 0; i < FACTORS_CODES; i++) {
        uint8_t bytes[10];
        char text[17];
        crypto_random(bytes, sizeof bytes);
        base32_write(bytes, sizeof bytes, text);
        for (char *c = text; *c != '\0'; c++)
            *c = (char)tolower((unsigned char)*c);
        snprintf(ret_codes->codes[i], sizeof ret_codes->codes[i], "%.4s-%.4s-%.4s-%.4s", text,
                 text + 4, text + 8, text + 12);
    }
    ret_codes->count = FACTORS_CODES;
}

static enum status codes_delete(struct db_session *session, const char *user)
{
    struct db_statement *drop = db_prepare(session, "DELETE FROM recovery_code WHERE account = $1");
    db_bind_text(drop, 1, user);
    return db_run(drop);
}

static enum status codes_replace(struct db_session *session, const char *user,
                                 struct factors_codes *ret_codes)
{
    enum status status = codes_delete(session, user);
    codes_make(ret_codes);
    for (size_t i = 0; status == STATUS_OK && i < ret_codes->count; i++) {
        uint8_t hash[CRYPTO_SHA256_BYTES];
        status = code_hash(db_session_vault(session), user, ret_codes->codes[i], hash);
        struct db_statement *insert =
            db_prepare(session, "INSERT INTO recovery_code (account, hash) VALUES ($1, $2)");
        db_bind_text(insert, 1, user);
        db_bind_blob(insert, 2, hash, sizeof hash);
        if (status == STATUS_OK)
            status = db_run(insert);
    }
    return status;
}

enum status factors_codes_first(struct db_session *session, const char *user,
                                struct factors_codes *ret_codes)
{
    struct factors factors;
    enum status status = factors_read(session, user, &factors);
    ret_codes->count = 0;
    return status == STATUS_OK && factors.codes == 0 ? codes_replace(session, user, ret_codes)
                                                     : status;
}

enum status factors_codes_drop(struct db_session *session, const char *user)
{
    struct factors factors;
    enum status status = factors_read(session, user, &factors);
    return status == STATUS_OK && factors.totp == 0 && factors.passkeys == 0
               ? codes_delete(session, user)
               : status;
}

enum status factors_codes_list(const struct factors_codes *codes, struct arena *arena,
                               struct json_list *ret_list)
{
    const char **items = arena_alloc(arena, FACTORS_CODES * sizeof *items);
    if (items == NULL)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < codes->count; i++) {
        items[i] = arena_strdup(arena, codes->codes[i]);
        if (items[i] == NULL)
            return STATUS_NO_MEMORY;
    }
    *ret_list = (struct json_list){.items = items, .count = codes->count};
    return STATUS_OK;
}

/* ---- a code, of either kind ---- */

struct proving {
    const char *user, *code;
    bool begun; /* of the seed that waits to be confirmed, and only of the app */
    int64_t now_ms;
    struct arena *arena;
    struct factors_codes codes;
};

/* The step is taken in the transaction, so that of two who bring one code one gets in. */
static enum status step_take(struct db_session *session, const char *user, int64_t step)
{
    struct db_statement *update =
        db_prepare(session, "UPDATE account SET totp_step = $2 WHERE id = $1 AND totp_step < $2"
                            " RETURNING id");
    db_bind_text(update, 1, user);
    db_bind_int(update, 2, step);
    enum status status = db_step(update);
    return status == STATUS_NOT_FOUND ? STATUS_DENIED : status;
}

static enum status app_code_take(struct db_session *session, const struct proving *proving)
{
    struct db_statement *select =
        db_prepare(session, "SELECT totp, totp_on, totp_step FROM account WHERE id = $1");
    db_bind_text(select, 1, proving->user);
    enum status status = db_step(select);
    if (status != STATUS_OK)
        return status;
    const struct vault_place place = {.table = "account", .column = "totp", .row = proving->user};
    const char *hex = NULL;
    status = vault_column(db_session_vault(session), &place, select, 0, proving->arena, &hex);
    if (status != STATUS_OK)
        return status;
    int64_t used = db_column_int(select, 2), step = 0;
    uint8_t seed[TOTP_SEED_BYTES];
    if (hex == NULL || (db_column_int(select, 1) == 0) != proving->begun)
        return proving->begun ? STATUS_NOT_FOUND : STATUS_DENIED;
    if (strlen(hex) != 2 * sizeof seed || !crypto_unhex(hex, sizeof seed, seed))
        return STATUS_CORRUPT;
    bool right = totp_match(seed, proving->code, used, proving->now_ms, &step);
    crypto_wipe(seed, sizeof seed);
    return right ? step_take(session, proving->user, step) : STATUS_DENIED;
}

static enum status paper_code_take(struct db_session *session, const struct proving *proving)
{
    uint8_t hash[CRYPTO_SHA256_BYTES];
    enum status status = code_hash(db_session_vault(session), proving->user, proving->code, hash);
    if (status != STATUS_OK)
        return status;
    struct db_statement *drop = db_prepare(
        session, "DELETE FROM recovery_code WHERE account = $1 AND hash = $2 RETURNING account");
    db_bind_text(drop, 1, proving->user);
    db_bind_blob(drop, 2, hash, sizeof hash);
    status = db_step(drop);
    if (status != STATUS_OK)
        return status == STATUS_NOT_FOUND ? STATUS_DENIED : status;
    return auth_event(session, proving->user, "recovery_code.used", proving->user, proving->now_ms);
}

static enum status code_take(struct db_session *session, void *arg)
{
    const struct proving *proving = arg;
    if (strlen(proving->code) == TOTP_DIGITS)
        return app_code_take(session, proving);
    return paper_code_take(session, proving);
}

/* ---- the app: on and off ---- */

struct beginning {
    const char *user;
    char hex[2 * TOTP_SEED_BYTES + 1];
};

static enum status begin_run(struct db_session *session, void *arg)
{
    const struct beginning *beginning = arg;
    const struct vault_place place = {.table = "account", .column = "totp", .row = beginning->user};
    struct db_statement *update =
        db_prepare(session, "UPDATE account SET totp = $2, totp_step = 0 WHERE id = $1"
                            " AND totp_on = 0 RETURNING id");
    db_bind_text(update, 1, beginning->user);
    enum status status = vault_bind(db_session_vault(session), &place, update, 2, beginning->hex);
    if (status == STATUS_OK)
        status = db_step(update);
    return status == STATUS_NOT_FOUND ? STATUS_EXISTS : status;
}

/* Percent-encoded (RFC 3986 2.1). */
static const char *encoded(const char *text, struct arena *arena)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    char *out = arena_alloc(arena, 3 * strlen(text) + 1), *at = out;
    for (; out != NULL && *text != '\0'; text++) {
        if (strchr(plain, *text) != NULL)
            *at++ = *text;
        else
            at += snprintf(at, 4, "%%%02X", (unsigned)(unsigned char)*text);
    }
    if (out != NULL)
        *at = '\0';
    return out;
}

enum status factors_totp_begin(struct auth *auth, const struct auth_caller *caller,
                               const char *password, const char *issuer, int64_t now_ms,
                               struct arena *arena, struct factors_seed *ret_seed,
                               uint32_t *ret_wait_s)
{
    struct beginning beginning = {.user = caller->user.id};
    uint8_t seed[TOTP_SEED_BYTES];
    char text[TOTP_SEED_CHARS + 1];
    enum status status = auth_password_prove(auth, caller, password, now_ms, ret_wait_s);
    if (status != STATUS_OK)
        return status;
    crypto_random(seed, sizeof seed);
    crypto_hex(seed, sizeof seed, beginning.hex);
    base32_write(seed, sizeof seed, text);
    status = db_write(auth->config.db, begin_run, &beginning);
    if (status != STATUS_OK)
        return status;
    const char *where = encoded(issuer, arena), *who = encoded(caller->user.email, arena);
    *ret_seed = (struct factors_seed){
        .secret = arena_strdup(arena, text),
        .uri = where != NULL && who != NULL
                   ? arena_printf(arena,
                                  "otpauth://totp/%s:%s?secret=%s&issuer=%s&algorithm=SHA1"
                                  "&digits=%d&period=%d",
                                  where, who, text, where, TOTP_DIGITS, TOTP_STEP_MS / 1000)
                   : NULL};
    return ret_seed->secret != NULL && ret_seed->uri != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}

static enum status confirm_run(struct db_session *session, void *arg)
{
    struct proving *proving = arg;
    enum status status = app_code_take(session, proving);
    if (status != STATUS_OK)
        return status;
    struct db_statement *update =
        db_prepare(session, "UPDATE account SET totp_on = $2, version = version + 1"
                            " WHERE id = $1");
    db_bind_text(update, 1, proving->user);
    db_bind_int(update, 2, proving->now_ms);
    status = db_run(update);
    if (status == STATUS_OK)
        status = factors_codes_first(session, proving->user, &proving->codes);
    return status == STATUS_OK ? auth_event(session, proving->user, "account.updated",
                                            proving->user, proving->now_ms)
                               : status;
}

enum status factors_totp_confirm(struct auth *auth, const struct auth_caller *caller,
                                 const char *code, int64_t now_ms, struct arena *arena,
                                 struct json_list *ret_codes, uint32_t *ret_wait_s)
{
    struct proving proving = {
        .user = caller->user.id, .code = code, .begun = true, .now_ms = now_ms, .arena = arena};
    *ret_wait_s = auth_wait_s(auth, caller->user.email, NULL, now_ms);
    if (*ret_wait_s > 0)
        return STATUS_LIMIT;
    enum status status = db_write(auth->config.db, confirm_run, &proving);
    if (status == STATUS_DENIED)
        auth_failed(auth, caller->user.email, NULL, now_ms);
    return status == STATUS_OK ? factors_codes_list(&proving.codes, arena, ret_codes) : status;
}

static enum status end_run(struct db_session *session, void *arg)
{
    struct proving *proving = arg;
    struct factors factors;
    enum status status = factors_read(session, proving->user, &factors);
    if (status == STATUS_OK && factors.totp == 0)
        status = STATUS_NOT_FOUND;
    if (status == STATUS_OK)
        status = code_take(session, proving);
    if (status != STATUS_OK)
        return status;
    struct db_statement *update =
        db_prepare(session, "UPDATE account SET totp = NULL, totp_on = 0, version = version + 1"
                            " WHERE id = $1");
    db_bind_text(update, 1, proving->user);
    status = db_run(update);
    if (status == STATUS_OK)
        status = factors_codes_drop(session, proving->user);
    return status == STATUS_OK ? auth_event(session, proving->user, "account.updated",
                                            proving->user, proving->now_ms)
                               : status;
}

enum status factors_totp_end(struct auth *auth, const struct auth_caller *caller,
                             const char *password, const char *code, int64_t now_ms,
                             uint32_t *ret_wait_s)
{
    struct proving proving = {.user = caller->user.id, .code = code, .now_ms = now_ms};
    enum status status = auth_password_prove(auth, caller, password, now_ms, ret_wait_s);
    if (status == STATUS_OK)
        status = arena_new(4096, &proving.arena);
    if (status != STATUS_OK)
        return status;
    status = db_write(auth->config.db, end_run, &proving);
    if (status == STATUS_DENIED)
        auth_failed(auth, caller->user.email, NULL, now_ms);
    arena_free(proving.arena);
    return status;
}

static enum status renew_run(struct db_session *session, void *arg)
{
    struct proving *proving = arg;
    struct factors factors;
    enum status status = factors_read(session, proving->user, &factors);
    if (status == STATUS_OK && factors.totp == 0 && factors.passkeys == 0)
        status = STATUS_NOT_FOUND;
    if (status == STATUS_OK)
        status = codes_replace(session, proving->user, &proving->codes);
    return status == STATUS_OK ? auth_event(session, proving->user, "account.updated",
                                            proving->user, proving->now_ms)
                               : status;
}

enum status factors_codes_renew(struct auth *auth, const struct auth_caller *caller,
                                const char *password, int64_t now_ms, struct arena *arena,
                                struct json_list *ret_codes, uint32_t *ret_wait_s)
{
    struct proving proving = {.user = caller->user.id, .now_ms = now_ms};
    enum status status = auth_password_prove(auth, caller, password, now_ms, ret_wait_s);
    if (status == STATUS_OK)
        status = db_write(auth->config.db, renew_run, &proving);
    return status == STATUS_OK ? factors_codes_list(&proving.codes, arena, ret_codes) : status;
}

/* ---- an admin's way out ---- */

static enum status clear_run(struct db_session *session, void *arg)
{
    const struct proving *proving = arg;
    struct db_statement *update =
        db_prepare(session, "UPDATE account SET totp = NULL, totp_on = 0, epoch = epoch + 1,"
                            " version = version + 1 WHERE id = $1 RETURNING id");
    db_bind_text(update, 1, proving->user);
    enum status status = db_step(update);
    struct db_statement *drop = db_prepare(session, "DELETE FROM passkey WHERE account = $1");
    db_bind_text(drop, 1, proving->user);
    if (status == STATUS_OK)
        status = db_run(drop);
    if (status == STATUS_OK)
        status = codes_delete(session, proving->user);
    return status == STATUS_OK ? auth_event(session, proving->user, "account.updated",
                                            proving->user, proving->now_ms)
                               : status;
}

enum status factors_clear(struct auth *auth, const char *user, int64_t now_ms)
{
    struct proving proving = {.user = user, .now_ms = now_ms};
    enum status status = db_write(auth->config.db, clear_run, &proving);
    if (status == STATUS_OK)
        auth_tell_ended(auth, user, NULL, NULL);
    return status;
}

/* ---- the second step ---- */

enum status factors_second_begin(struct auth *auth, const char *challenge,
                                 const struct auth_login *login, int64_t now_ms,
                                 struct arena *arena, struct factors_second *ret_second,
                                 uint32_t *ret_wait_s)
{
    struct factors_second second = {.peer = login->local ? NULL : login->address};
    *ret_wait_s = 0;
    enum status status = challenge_check(auth->challenges, CHALLENGE_SECOND, challenge, now_ms,
                                         second.account, &second.epoch);
    if (status == STATUS_OK)
        status = auth_user_get(auth, second.account, arena, &second.user);
    if (status != STATUS_OK)
        return status == STATUS_NOT_FOUND ? STATUS_LATE : status;
    *ret_wait_s = auth_wait_s(auth, second.user.email, second.peer, now_ms);
    if (*ret_wait_s > 0)
        return STATUS_LIMIT;
    *ret_second = second;
    return STATUS_OK;
}

enum status factors_sign_in(struct auth *auth, const char *challenge, const char *code,
                            const struct auth_login *login, int64_t now_ms, struct arena *arena,
                            struct auth_signed_in *ret_signed_in, uint32_t *ret_wait_s)
{
    struct factors_second second;
    enum status status =
        factors_second_begin(auth, challenge, login, now_ms, arena, &second, ret_wait_s);
    if (status != STATUS_OK)
        return status;
    struct proving proving = {
        .user = second.account, .code = code, .now_ms = now_ms, .arena = arena};
    const struct auth_opening opening = {.login = login,
                                         .account = second.account,
                                         .epoch = second.epoch,
                                         .prove = code_take,
                                         .proof = &proving};
    status = auth_open(auth, &opening, now_ms, arena, ret_signed_in);
    if (status == STATUS_DENIED)
        auth_failed(auth, second.user.email, second.peer, now_ms);
    /* A code of either kind is good once, so that what is spent here is only the rest of it. */
    if (status == STATUS_OK)
        (void)!challenge_spend(auth->challenges, challenge, now_ms);
    return status;
}
