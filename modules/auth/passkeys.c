#include "modules/auth/passkeys.h"

#include "core/text.h"
#include "modules/auth/factors_state.h"

#include <string.h>

static bool name_valid(const char *name)
{
    return text_valid(name, 1, PASSKEYS_NAME_MAX, TEXT_LINE) && !text_blank(name);
}

static enum status bytes_take(const char *text, size_t max, struct arena *arena,
                              struct webauthn_bytes *ret_bytes)
{
    size_t length = 0;
    uint8_t *bytes = arena_alloc(arena, max);
    if (bytes == NULL)
        return STATUS_NO_MEMORY;
    if (!crypto_unbase64url(text, max, bytes, &length))
        return STATUS_INVALID;
    *ret_bytes = (struct webauthn_bytes){.bytes = bytes, .length = length};
    return STATUS_OK;
}

static enum status credential_hash(struct vault *vault, const char *credential,
                                   uint8_t ret_hash[CRYPTO_SHA256_BYTES])
{
    return vault_hash(vault, NULL, "passkey", credential, strlen(credential), ret_hash);
}

/* ---- reading ---- */

#define COLUMNS "id, credential, name, suspect, created, used"
enum { COLUMN_COUNT = 6 };

static enum status row_read(struct db_session *session, struct db_statement *row,
                            struct arena *arena, struct passkeys_passkey *ret_passkey)
{
    struct vault *vault = db_session_vault(session);
    struct passkeys_passkey passkey = {.id = arena_strdup(arena, db_column_text(row, 0)),
                                       .suspect = db_column_int(row, 3) != 0,
                                       .created = db_column_int(row, 4),
                                       .used = db_column_int(row, 5)};
    if (passkey.id == NULL)
        return STATUS_NO_MEMORY;
    const struct vault_place credential = {
        .table = "passkey", .column = "credential", .row = passkey.id};
    const struct vault_place name = {.table = "passkey", .column = "name", .row = passkey.id};
    enum status status = vault_column(vault, &credential, row, 1, arena, &passkey.credential);
    if (status == STATUS_OK)
        status = vault_column(vault, &name, row, 2, arena, &passkey.name);
    if (status == STATUS_OK)
        *ret_passkey = passkey;
    return status;
}

struct listing {
    const char *user;
    struct arena *arena;
    struct json_list list;
};

static enum status list_run(struct db_session *session, void *arg)
{
    struct listing *listing = arg;
    struct passkeys_passkey *items = arena_alloc(listing->arena, PASSKEYS_MAX * sizeof *items);
    if (items == NULL)
        return STATUS_NO_MEMORY;
    struct db_statement *select =
        db_prepare(session, "SELECT " COLUMNS " FROM passkey WHERE account = $1 ORDER BY id"
                            " LIMIT $2");
    db_bind_text(select, 1, listing->user);
    db_bind_int(select, 2, PASSKEYS_MAX);
    enum status status;
    listing->list = (struct json_list){.items = items};
    while ((status = db_step(select)) == STATUS_OK) {
        status = row_read(session, select, listing->arena, &items[listing->list.count++]);
        if (status != STATUS_OK)
            return status;
    }
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

enum status passkeys_list(struct auth *auth, const char *user, struct arena *arena,
                          struct json_list *ret_list)
{
    struct listing listing = {.user = user, .arena = arena};
    enum status status = db_read(auth->config.db, list_run, &listing);
    if (status == STATUS_OK)
        *ret_list = listing.list;
    return status;
}

/* ---- adding ---- */

static enum status challenge_new(struct auth *auth, enum challenge_use use, const char *subject,
                                 int64_t now_ms, struct arena *arena, const char **ret_challenge)
{
    char text[CHALLENGE_MAX + 1];
    challenge_make(auth->challenges, use, subject, 0, now_ms, text);
    const char *challenge = arena_strdup(arena, text);
    if (challenge == NULL)
        return STATUS_NO_MEMORY;
    *ret_challenge = challenge;
    return STATUS_OK;
}

enum status passkeys_add_begin(struct auth *auth, const struct auth_caller *caller,
                               const char *password, int64_t now_ms, struct arena *arena,
                               const char **ret_challenge, uint32_t *ret_wait_s)
{
    enum status status = auth_password_prove(auth, caller, password, now_ms, ret_wait_s);
    return status == STATUS_OK
               ? challenge_new(auth, CHALLENGE_ADD, caller->session, now_ms, arena, ret_challenge)
               : status;
}

struct adding {
    const char *user, *name, *rp, *credential;
    const struct webauthn_credential *made;
    uint8_t hash[CRYPTO_SHA256_BYTES];
    char id[CRYPTO_ID_CHARS + 1];
    int64_t now_ms;
    struct factors_codes codes;
};

static enum status row_insert(struct db_session *session, const struct adding *adding)
{
    struct vault *vault = db_session_vault(session);
    const struct vault_place credential = {
        .table = "passkey", .column = "credential", .row = adding->id};
    const struct vault_place name = {.table = "passkey", .column = "name", .row = adding->id};
    const struct webauthn_key *key = &adding->made->key;
    struct db_statement *insert =
        db_prepare(session, "INSERT INTO passkey (id, account, credential, credential_hash, rp,"
                            " name, algorithm, key, count, created, used)"
                            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0)");
    db_bind_text(insert, 1, adding->id);
    db_bind_text(insert, 2, adding->user);
    enum status status = vault_bind(vault, &credential, insert, 3, adding->credential);
    db_bind_blob(insert, 4, adding->hash, sizeof adding->hash);
    db_bind_text(insert, 5, adding->rp);
    if (status == STATUS_OK)
        status = vault_bind(vault, &name, insert, 6, adding->name);
    db_bind_int(insert, 7, key->algorithm);
    db_bind_blob(insert, 8, key->bytes, key->length);
    db_bind_int(insert, 9, adding->made->count);
    db_bind_int(insert, 10, adding->now_ms);
    return status == STATUS_OK ? db_run(insert) : status;
}

static enum status add_run(struct db_session *session, void *arg)
{
    struct adding *adding = arg;
    struct factors factors;
    enum status status = factors_read(session, adding->user, &factors);
    if (status == STATUS_OK && factors.passkeys >= PASSKEYS_MAX)
        status = STATUS_LIMIT;
    if (status == STATUS_OK)
        status = row_insert(session, adding);
    if (status == STATUS_OK)
        status = factors_codes_first(session, adding->user, &adding->codes);
    return status == STATUS_OK
               ? auth_event(session, adding->user, "passkey.added", adding->id, adding->now_ms)
               : status;
}

static enum status register_check(const struct passkeys_site *site,
                                  const struct passkeys_answer *answer, struct arena *arena,
                                  struct webauthn_credential *ret_made)
{
    /* One that cannot ask who is there still serves after a password. */
    const struct webauthn_expect expect = {
        .rp = site->rp, .origin = site->origin, .challenge = answer->challenge};
    struct webauthn_bytes client, data;
    enum status status = bytes_take(answer->client, WEBAUTHN_CLIENT_MAX, arena, &client);
    if (status == STATUS_OK)
        status = bytes_take(answer->data, WEBAUTHN_DATA_MAX, arena, &data);
    return status == STATUS_OK ? webauthn_register(&expect, client, data, ret_made) : status;
}

enum status passkeys_add(struct auth *auth, const struct auth_caller *caller,
                         const struct passkeys_site *site, const struct passkeys_answer *answer,
                         const char *name, int64_t now_ms, struct arena *arena,
                         struct passkeys_passkey *ret_passkey, struct json_list *ret_codes)
{
    struct adding adding = {
        .user = caller->user.id, .name = name, .rp = site->rp, .now_ms = now_ms};
    struct webauthn_credential made;
    char session[CRYPTO_ID_CHARS + 1];
    int64_t number;
    if (!name_valid(name))
        return STATUS_INVALID;
    enum status status = challenge_check(auth->challenges, CHALLENGE_ADD, answer->challenge, now_ms,
                                         session, &number);
    if (status == STATUS_OK && strcmp(session, caller->session) != 0)
        status = STATUS_LATE;
    if (status == STATUS_OK)
        status = challenge_spend(auth->challenges, answer->challenge, now_ms);
    if (status == STATUS_OK)
        status = register_check(site, answer, arena, &made);
    if (status != STATUS_OK)
        return status;
    char *credential = arena_alloc(arena, CRYPTO_BASE64URL_SIZE(made.id_length));
    if (credential == NULL)
        return STATUS_NO_MEMORY;
    crypto_base64url(made.id, made.id_length, credential);
    crypto_id(adding.id);
    adding.credential = credential;
    adding.made = &made;
    status = credential_hash(auth->vault, credential, adding.hash);
    if (status == STATUS_OK)
        status = db_write(auth->config.db, add_run, &adding);
    if (status == STATUS_OK)
        status = factors_codes_list(&adding.codes, arena, ret_codes);
    if (status == STATUS_OK)
        *ret_passkey = (struct passkeys_passkey){.id = arena_strdup(arena, adding.id),
                                                 .name = name,
                                                 .credential = credential,
                                                 .created = now_ms};
    return status;
}

/* ---- naming, removing ---- */

struct changing {
    const char *user, *id, *name;
    int64_t now_ms;
};

static enum status rename_run(struct db_session *session, void *arg)
{
    const struct changing *changing = arg;
    const struct vault_place name = {.table = "passkey", .column = "name", .row = changing->id};
    struct db_statement *update = db_prepare(
        session, "UPDATE passkey SET name = $3 WHERE id = $1 AND account = $2 RETURNING id");
    db_bind_text(update, 1, changing->id);
    db_bind_text(update, 2, changing->user);
    enum status status = vault_bind(db_session_vault(session), &name, update, 3, changing->name);
    if (status == STATUS_OK)
        status = db_step(update);
    return status == STATUS_OK ? auth_event(session, changing->user, "passkey.updated",
                                            changing->id, changing->now_ms)
                               : status;
}

enum status passkeys_rename(struct auth *auth, const char *user, const char *id, const char *name,
                            int64_t now_ms)
{
    struct changing changing = {.user = user, .id = id, .name = name, .now_ms = now_ms};
    if (strlen(id) > CRYPTO_ID_CHARS)
        return STATUS_NOT_FOUND;
    return name_valid(name) ? db_write(auth->config.db, rename_run, &changing) : STATUS_INVALID;
}

static enum status remove_run(struct db_session *session, void *arg)
{
    const struct changing *changing = arg;
    struct db_statement *drop =
        db_prepare(session, "DELETE FROM passkey WHERE id = $1 AND account = $2 RETURNING id");
    db_bind_text(drop, 1, changing->id);
    db_bind_text(drop, 2, changing->user);
    enum status status = db_step(drop);
    if (status == STATUS_OK)
        status = factors_codes_drop(session, changing->user);
    return status == STATUS_OK ? auth_event(session, changing->user, "passkey.removed",
                                            changing->id, changing->now_ms)
                               : status;
}

enum status passkeys_remove(struct auth *auth, const struct auth_caller *caller, const char *id,
                            const char *password, int64_t now_ms, uint32_t *ret_wait_s)
{
    struct changing changing = {.user = caller->user.id, .id = id, .now_ms = now_ms};
    enum status status = auth_password_prove(auth, caller, password, now_ms, ret_wait_s);
    return status == STATUS_OK ? db_write(auth->config.db, remove_run, &changing) : status;
}

/* ---- signing in ---- */

struct proving {
    uint8_t hash[CRYPTO_SHA256_BYTES];
    struct arena *arena;
    struct passkeys_passkey passkey;
    const char *user, *rp;
    struct webauthn_key key;
    int64_t count, now_ms; /* count: the one just signed with */
    bool copied;
};

static enum status find_run(struct db_session *session, void *arg)
{
    struct proving *proving = arg;
    struct db_statement *select =
        db_prepare(session, "SELECT " COLUMNS ", account, rp, algorithm, key FROM passkey"
                            " WHERE credential_hash = $1");
    db_bind_blob(select, 1, proving->hash, sizeof proving->hash);
    enum status status = db_step(select);
    if (status == STATUS_OK)
        status = row_read(session, select, proving->arena, &proving->passkey);
    if (status != STATUS_OK)
        return status == STATUS_NOT_FOUND ? STATUS_DENIED : status;
    proving->user = arena_strdup(proving->arena, db_column_text(select, COLUMN_COUNT));
    proving->rp = arena_strdup(proving->arena, db_column_text(select, COLUMN_COUNT + 1));
    const void *key = db_column_blob(select, COLUMN_COUNT + 3, &proving->key.length);
    if (proving->key.length > sizeof proving->key.bytes)
        return STATUS_CORRUPT;
    proving->key.algorithm = (int)db_column_int(select, COLUMN_COUNT + 2);
    memcpy(proving->key.bytes, key, proving->key.length);
    return proving->user != NULL && proving->rp != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}

/* The count rises with every signature, or stays 0 for ever (Level 2, 7.2 step 21). */
static enum status count_take(struct db_session *session, void *arg)
{
    struct proving *proving = arg;
    struct db_statement *update =
        db_prepare(session, "UPDATE passkey SET count = $2, used = $3 WHERE id = $1"
                            " AND (count < $2 OR (count = 0 AND $2 = 0)) RETURNING id");
    db_bind_text(update, 1, proving->passkey.id);
    db_bind_int(update, 2, proving->count);
    db_bind_int(update, 3, proving->now_ms);
    enum status status = db_step(update);
    proving->copied = status == STATUS_NOT_FOUND;
    return proving->copied ? STATUS_DENIED : status;
}

static enum status suspect_run(struct db_session *session, void *arg)
{
    const struct proving *proving = arg;
    struct db_statement *update =
        db_prepare(session, "UPDATE passkey SET suspect = $2 WHERE id = $1 RETURNING id");
    db_bind_text(update, 1, proving->passkey.id);
    db_bind_int(update, 2, proving->now_ms);
    enum status status = db_step(update);
    return status == STATUS_OK ? auth_event(session, proving->user, "passkey.suspect",
                                            proving->passkey.id, proving->now_ms)
                               : status;
}

/* Without a password the device must have checked who is there, and say whose it is. */
static bool user_fits(const struct proving *proving, const struct passkeys_answer *answer,
                      const char *account)
{
    uint8_t user[CRYPTO_ID_CHARS + 1];
    size_t length = 0;
    if (account != NULL && strcmp(account, proving->user) != 0)
        return false;
    if (answer->user == NULL)
        return account != NULL;
    return crypto_unbase64url(answer->user, sizeof user, user, &length) &&
           length == strlen(proving->user) && memcmp(user, proving->user, length) == 0;
}

static enum status assert_check(const struct passkeys_site *site,
                                const struct passkeys_answer *answer, bool verified,
                                struct proving *proving)
{
    const struct webauthn_expect expect = {.rp = proving->rp,
                                           .origin = site->origin,
                                           .challenge = answer->challenge,
                                           .verified = verified};
    struct webauthn_bytes client, data, signature;
    uint32_t count = 0;
    if (strcmp(proving->rp, site->rp) != 0)
        return STATUS_DENIED;
    enum status status = bytes_take(answer->client, WEBAUTHN_CLIENT_MAX, proving->arena, &client);
    if (status == STATUS_OK)
        status = bytes_take(answer->data, WEBAUTHN_DATA_MAX, proving->arena, &data);
    if (status == STATUS_OK)
        status = bytes_take(answer->signature, WEBAUTHN_SIGNATURE_MAX, proving->arena, &signature);
    if (status == STATUS_OK)
        status = webauthn_assert(&expect, &proving->key, client, data, signature, &count);
    proving->count = count;
    return status;
}

enum status passkeys_begin(struct auth *auth, int64_t now_ms, struct arena *arena,
                           const char **ret_challenge)
{
    return challenge_new(auth, CHALLENGE_PASSKEY, "anyone", now_ms, arena, ret_challenge);
}

/* By itself; whose it is, the passkey says. */
static enum status alone_begin(struct auth *auth, const struct passkeys_answer *answer,
                               const struct auth_login *login, int64_t now_ms,
                               struct factors_second *ret_second, uint32_t *ret_wait_s)
{
    struct factors_second second = {.epoch = -1, .peer = login->local ? NULL : login->address};
    int64_t number;
    enum status status = challenge_check(auth->challenges, CHALLENGE_PASSKEY, answer->challenge,
                                         now_ms, second.account, &number);
    if (status != STATUS_OK)
        return status;
    *ret_wait_s = auth_wait_s(auth, NULL, second.peer, now_ms);
    if (*ret_wait_s > 0)
        return STATUS_LIMIT;
    *ret_second = second;
    return STATUS_OK;
}

static enum status prove(struct auth *auth, const struct passkeys_site *site,
                         const struct passkeys_answer *answer, const char *account,
                         struct proving *proving)
{
    enum status status = credential_hash(auth->vault, answer->credential, proving->hash);
    if (status == STATUS_OK)
        status = db_read(auth->config.db, find_run, proving);
    if (status == STATUS_OK && !user_fits(proving, answer, account))
        status = STATUS_DENIED;
    return status == STATUS_OK ? assert_check(site, answer, account == NULL, proving) : status;
}

enum status passkeys_sign_in(struct auth *auth, const struct passkeys_site *site,
                             const struct passkeys_answer *answer, const struct auth_login *login,
                             int64_t now_ms, struct arena *arena,
                             struct auth_signed_in *ret_signed_in, uint32_t *ret_wait_s)
{
    struct factors_second second;
    struct proving proving = {.arena = arena, .now_ms = now_ms};
    enum status status =
        factors_second_begin(auth, answer->challenge, login, now_ms, arena, &second, ret_wait_s);
    bool alone = status == STATUS_LATE;
    if (alone)
        status = alone_begin(auth, answer, login, now_ms, &second, ret_wait_s);
    if (status == STATUS_OK)
        status = challenge_spend(auth->challenges, answer->challenge, now_ms);
    if (status != STATUS_OK)
        return status;
    status = prove(auth, site, answer, alone ? NULL : second.account, &proving);
    const struct auth_opening opening = {.login = login,
                                         .account = proving.user,
                                         .epoch = second.epoch,
                                         .prove = count_take,
                                         .proof = &proving};
    if (status == STATUS_OK)
        status = auth_open(auth, &opening, now_ms, arena, ret_signed_in);
    if (status == STATUS_DENIED)
        auth_failed(auth, second.user.email, second.peer, now_ms);
    if (proving.copied)
        (void)!db_write(auth->config.db, suspect_run, &proving); /* refused it is anyhow */
    return status;
}
