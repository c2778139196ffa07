/*
 * modules/auth/users.c - accounts: made, listed, changed.
 */
#include "core/text.h"
#include "modules/auth/auth_state.h"
#include "modules/auth/confirmation_rows.h"

#include <stdio.h>
#include <string.h>

static bool name_valid(const char *name)
{
    return text_valid(name, 1, AUTH_NAME_MAX, TEXT_LINE) && !text_blank(name);
}

/* A name of the tz database, "" for none; whether there is such a zone is known where times are
 * shown. */
static bool zone_valid(const char *zone)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                                  "/_+-";
    return strlen(zone) <= AUTH_ZONE_MAX && strspn(zone, letters) == strlen(zone);
}

static enum status refuse(struct auth_fault *ret_fault, const char *code)
{
    ret_fault->code = code;
    return STATUS_INVALID;
}

const char *auth_fault_code(const char *fault)
{
    static const char *const codes[] = {"password_short", "password_long", "password_common",
                                        "password_repeats", "password_personal"};
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        if (strcmp(codes[i] + strlen("password_"), fault) == 0)
            return codes[i];
    }
    return "password";
}

/* ---- making ---- */

struct adding {
    const struct auth_user_new *wish;
    const char *email; /* normal */
    uint8_t email_hash[CRYPTO_SHA256_BYTES];
    char kept[PASSWORD_KEPT_MAX], id[CRYPTO_ID_CHARS + 1];
    int64_t now_ms;
    struct arena *arena;
    struct auth_user user;
};

static enum status any_read(struct db_session *session, void *arg)
{
    bool *ret_has = arg;
    enum status status =
        db_step(db_prepare(session, "SELECT id FROM account WHERE id > '' LIMIT 1"));
    if (status != STATUS_OK && status != STATUS_NOT_FOUND)
        return status;
    *ret_has = status == STATUS_OK;
    return STATUS_OK;
}

static enum status row_insert(struct db_session *session, const struct adding *adding)
{
    struct vault *vault = db_session_vault(session);
    const struct vault_place email = {.table = "account", .column = "email", .row = adding->id};
    const struct vault_place name = {.table = "account", .column = "name", .row = adding->id};
    struct db_statement *insert =
        db_prepare(session, "INSERT INTO account (id, email, email_hash, name, language, admin,"
                            " password, created) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)");
    db_bind_text(insert, 1, adding->id);
    enum status status = vault_bind(vault, &email, insert, 2, adding->email);
    db_bind_blob(insert, 3, adding->email_hash, sizeof adding->email_hash);
    if (status == STATUS_OK)
        status = vault_bind(vault, &name, insert, 4, adding->wish->name);
    db_bind_text(insert, 5, adding->wish->language != NULL ? adding->wish->language : "");
    db_bind_int(insert, 6, adding->wish->admin || adding->wish->first);
    db_bind_text(insert, 7, adding->kept);
    db_bind_int(insert, 8, adding->now_ms);
    return status == STATUS_OK ? db_run(insert) : status;
}

static enum status add_run(struct db_session *session, void *arg)
{
    struct adding *adding = arg;
    bool has = false;
    enum status status = any_read(session, &has);
    if (status == STATUS_OK && has && adding->wish->first)
        status = STATUS_DENIED;
    if (status == STATUS_OK && adding->wish->confirmation != NULL)
        status = confirmation_remove(session, adding->wish->confirmation, adding->now_ms);
    if (status == STATUS_OK)
        status = confirmation_arrived(session, adding->email_hash);
    if (status == STATUS_OK)
        status = row_insert(session, adding);
    if (status == STATUS_OK)
        status = auth_event(session, adding->id, "account.added", adding->id, adding->now_ms);
    if (status != STATUS_OK)
        return status;
    return auth_user_in(session, adding->id, adding->arena, &adding->user);
}

static enum status wish_keep(struct auth *auth, struct adding *adding, struct auth_fault *ret_fault)
{
    const struct auth_user_new *wish = adding->wish;
    if (wish->password != NULL) {
        const char *fault = password_fault(wish->password, adding->email, wish->name);
        if (fault != NULL)
            return refuse(ret_fault, auth_fault_code(fault));
        return auth_hash(auth, wish->password, adding->kept);
    }
    if (wish->legacy_hash == NULL)
        return refuse(ret_fault, "password");
    enum status status = password_keep_legacy(auth->vault, auth->config.fips,
                                              wish->legacy_salt != NULL ? wish->legacy_salt : "",
                                              wish->legacy_hash, adding->kept);
    return status == STATUS_INVALID ? refuse(ret_fault, "legacy_hash") : status;
}

enum status auth_user_add(struct auth *auth, const struct auth_user_new *user, int64_t now_ms,
                          struct arena *arena, struct auth_user *ret_user,
                          struct auth_fault *ret_fault)
{
    struct adding adding = {.wish = user, .now_ms = now_ms, .arena = arena};
    bool has = false;
    adding.email = auth_email_normal(user->email, arena);
    if (adding.email == NULL)
        return refuse(ret_fault, "email");
    if (!name_valid(user->name))
        return refuse(ret_fault, "name");
    /* Asked before the hashing too, or anybody could make the server hash. */
    enum status status = auth_has_users(auth, &has);
    if (status == STATUS_OK && has && user->first)
        status = STATUS_DENIED;
    if (status == STATUS_OK)
        status = wish_keep(auth, &adding, ret_fault);
    if (status == STATUS_OK)
        status = auth_email_hash(auth->vault, adding.email, adding.email_hash);
    crypto_id(adding.id);
    if (status == STATUS_OK)
        status = db_write(auth->config.db, add_run, &adding);
    if (status == STATUS_OK)
        *ret_user = adding.user;
    return status;
}

/* ---- reading ---- */

enum status auth_has_users(struct auth *auth, bool *ret_has)
{
    return db_read(auth->config.db, any_read, ret_has);
}

struct reading {
    const char *id; /* or after which */
    struct arena *arena;
    struct auth_user user;
    struct auth_users users;
};

static enum status get_run(struct db_session *session, void *arg)
{
    struct reading *reading = arg;
    return auth_user_in(session, reading->id, reading->arena, &reading->user);
}

enum status auth_user_get(struct auth *auth, const char *id, struct arena *arena,
                          struct auth_user *ret_user)
{
    struct reading reading = {.id = id, .arena = arena};
    enum status status = db_read(auth->config.db, get_run, &reading);
    if (status == STATUS_OK)
        *ret_user = reading.user;
    return status;
}

static enum status list_run(struct db_session *session, void *arg)
{
    struct reading *reading = arg;
    struct auth_users *users = &reading->users;
    struct auth_user *items = arena_alloc(reading->arena, AUTH_LIST_MAX * sizeof *items);
    if (items == NULL)
        return STATUS_NO_MEMORY;
    struct db_statement *select =
        db_prepare(session, "SELECT " AUTH_USER_COLUMNS " FROM account a WHERE a.id > $1"
                            " ORDER BY a.id LIMIT $2");
    db_bind_text(select, 1, reading->id);
    db_bind_int(select, 2, AUTH_LIST_MAX + 1);
    enum status status;
    *users = (struct auth_users){.items.items = items};
    while ((status = db_step(select)) == STATUS_OK) {
        if (users->items.count == AUTH_LIST_MAX) {
            users->more = true;
            return STATUS_OK;
        }
        status = auth_user_read(session, select, reading->arena, &items[users->items.count++]);
        if (status != STATUS_OK)
            return status;
    }
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

enum status auth_users(struct auth *auth, const char *after, struct arena *arena,
                       struct auth_users *ret_users)
{
    struct reading reading = {.id = after != NULL ? after : "", .arena = arena};
    enum status status = db_read(auth->config.db, list_run, &reading);
    if (status == STATUS_OK)
        *ret_users = reading.users;
    return status;
}

/* ---- changing ---- */

struct changing {
    const char *id;
    const struct auth_change *change;
    int64_t now_ms;
    struct arena *arena;
    struct auth_user user;
    bool ended; /* its sessions are */
};

/* Another admin who can sign in. */
static enum status other_admin(struct db_session *session, const char *id)
{
    struct db_statement *select = db_prepare(
        session, "SELECT id FROM account WHERE admin = 1 AND disabled = 0 AND id <> $1 LIMIT 1");
    db_bind_text(select, 1, id);
    enum status status = db_step(select);
    return status == STATUS_NOT_FOUND ? STATUS_DENIED : status;
}

static void change_apply(struct changing *changing)
{
    const struct auth_change *change = changing->change;
    struct auth_user *user = &changing->user;
    changing->ended = change->disabled == JSON_YES && !user->disabled;
    if (change->name != NULL)
        user->name = change->name;
    if (change->language != NULL)
        user->language = change->language;
    if (change->zone != NULL)
        user->zone = change->zone;
    if (change->quiet_until != NULL)
        user->quiet_until = *change->quiet_until;
    if (change->admin != JSON_ABSENT)
        user->admin = change->admin == JSON_YES;
    if (change->disabled != JSON_ABSENT)
        user->disabled = change->disabled == JSON_YES;
    user->version++;
}

static enum status change_store(struct db_session *session, const struct changing *changing)
{
    const struct auth_user *user = &changing->user;
    const struct vault_place place = {.table = "account", .column = "name", .row = user->id};
    const struct vault_place zone = {.table = "account", .column = "zone_sealed", .row = user->id};
    struct db_statement *update =
        db_prepare(session, "UPDATE account SET name = $2, language = $3, admin = $4,"
                            " disabled = $5, version = $6, epoch = epoch + $7, zone_sealed = $8,"
                            " quiet_until = $9 WHERE id = $1");
    db_bind_text(update, 1, user->id);
    enum status status = vault_bind(db_session_vault(session), &place, update, 2, user->name);
    db_bind_text(update, 3, user->language);
    db_bind_int(update, 4, user->admin);
    db_bind_int(update, 5, user->disabled);
    db_bind_int(update, 6, user->version);
    db_bind_int(update, 7, changing->ended);
    if (status == STATUS_OK)
        status = vault_bind(db_session_vault(session), &zone, update, 8,
                            user->zone[0] != '\0' ? user->zone : NULL);
    db_bind_int(update, 9, user->quiet_until);
    return status == STATUS_OK ? db_run(update) : status;
}

static enum status change_run(struct db_session *session, void *arg)
{
    struct changing *changing = arg;
    enum status status = auth_user_in(session, changing->id, changing->arena, &changing->user);
    if (status != STATUS_OK)
        return status;
    if (changing->change->version != 0 && changing->change->version != changing->user.version)
        return STATUS_OUT_OF_WINDOW;
    bool was_admin = changing->user.admin && !changing->user.disabled;
    change_apply(changing);
    if (was_admin && (!changing->user.admin || changing->user.disabled))
        status = other_admin(session, changing->id);
    if (status == STATUS_OK)
        status = change_store(session, changing);
    return status == STATUS_OK ? auth_event(session, changing->id, "account.updated", changing->id,
                                            changing->now_ms)
                               : status;
}

enum status auth_user_change(struct auth *auth, const char *id, const struct auth_change *change,
                             int64_t now_ms, struct arena *arena, struct auth_user *ret_user,
                             struct auth_fault *ret_fault)
{
    struct changing changing = {.id = id, .change = change, .now_ms = now_ms, .arena = arena};
    if (change->name != NULL && !name_valid(change->name))
        return refuse(ret_fault, "name");
    if (change->language != NULL && change->language[0] != '\0' &&
        !text_valid(change->language, 1, AUTH_LANGUAGE_MAX, TEXT_LINE))
        return refuse(ret_fault, "language");
    if (change->zone != NULL && !zone_valid(change->zone))
        return refuse(ret_fault, "zone");
    enum status status = db_write(auth->config.db, change_run, &changing);
    if (status != STATUS_OK)
        return status;
    if (changing.ended)
        auth_tell_ended(auth, id, NULL, NULL);
    *ret_user = changing.user;
    return STATUS_OK;
}

/* ---- the password ---- */

struct renewing {
    const struct auth_caller *caller;
    char kept[PASSWORD_KEPT_MAX];
    int64_t now_ms;
};

static enum status kept_run(struct db_session *session, void *arg)
{
    struct renewing *renewing = arg;
    struct db_statement *select = db_prepare(session, "SELECT password FROM account WHERE id = $1");
    db_bind_text(select, 1, renewing->caller->user.id);
    enum status status = db_step(select);
    if (status == STATUS_OK)
        snprintf(renewing->kept, sizeof renewing->kept, "%s", db_column_text(select, 0));
    return status;
}

/* All sessions end but the caller's, which gets the new epoch. */
static enum status renew_run(struct db_session *session, void *arg)
{
    const struct renewing *renewing = arg;
    const char *id = renewing->caller->user.id;
    struct db_statement *update =
        db_prepare(session, "UPDATE account SET password = $2, epoch = epoch + 1,"
                            " version = version + 1 WHERE id = $1 AND disabled = 0"
                            " RETURNING epoch");
    db_bind_text(update, 1, id);
    db_bind_text(update, 2, renewing->kept);
    enum status status = db_step(update);
    if (status != STATUS_OK)
        return status == STATUS_NOT_FOUND ? STATUS_DENIED : status;
    int64_t epoch = db_column_int(update, 0);
    struct db_statement *keep =
        db_prepare(session, "UPDATE login SET epoch = $2 WHERE id = $1 AND epoch = $3");
    db_bind_text(keep, 1, renewing->caller->session);
    db_bind_int(keep, 2, epoch);
    db_bind_int(keep, 3, epoch - 1);
    status = db_run(keep);
    return status == STATUS_OK ? auth_event(session, id, "account.updated", id, renewing->now_ms)
                               : status;
}

enum status auth_password_prove(struct auth *auth, const struct auth_caller *caller,
                                const char *password, int64_t now_ms, uint32_t *ret_wait_s)
{
    struct renewing renewing = {.caller = caller, .now_ms = now_ms};
    *ret_wait_s = auth_wait_s(auth, caller->user.email, NULL, now_ms);
    if (*ret_wait_s > 0)
        return STATUS_LIMIT;
    enum status status = db_read(auth->config.db, kept_run, &renewing);
    if (status == STATUS_OK)
        status = auth_hash_check(auth, password, renewing.kept);
    if (status == STATUS_DENIED)
        auth_failed(auth, caller->user.email, NULL, now_ms);
    return status;
}

enum status auth_password_change(struct auth *auth, const struct auth_caller *caller,
                                 const char *old, const char *password, int64_t now_ms,
                                 struct auth_fault *ret_fault, uint32_t *ret_wait_s)
{
    struct renewing renewing = {.caller = caller, .now_ms = now_ms};
    *ret_wait_s = 0;
    const char *fault = password_fault(password, caller->user.email, caller->user.name);
    if (fault != NULL)
        return refuse(ret_fault, auth_fault_code(fault));
    enum status status = auth_password_prove(auth, caller, old, now_ms, ret_wait_s);
    if (status == STATUS_OK)
        status = auth_hash(auth, password, renewing.kept);
    if (status == STATUS_OK)
        status = db_write(auth->config.db, renew_run, &renewing);
    if (status == STATUS_OK)
        auth_tell_ended(auth, caller->user.id, NULL, caller->session);
    return status;
}
