#include "modules/auth/profile.h"

#include "modules/auth/auth_state.h"

static struct vault_place place_of(const char *user)
{
    return (struct vault_place){.table = "account_picture", .column = "bytes", .row = user};
}

/* ---- setting ---- */

struct setting {
    const char *user;
    const uint8_t *bytes;
    size_t length;
    const char *type;
    uint8_t *sealed; /* length + VAULT_OVERHEAD */
    int64_t now_ms;
    struct arena *arena;
    struct auth_user account;
};

static enum status row_put(struct db_session *session, const struct setting *setting)
{
    const struct vault_place place = place_of(setting->user);
    struct db_statement *upsert =
        db_prepare(session, "INSERT INTO account_picture (account, type, bytes)"
                            " VALUES ($1, $2, $3) ON CONFLICT (account) DO UPDATE"
                            " SET type = excluded.type, bytes = excluded.bytes");
    enum status status = vault_seal(db_session_vault(session), &place, setting->bytes,
                                    setting->length, setting->sealed);
    db_bind_text(upsert, 1, setting->user);
    db_bind_text(upsert, 2, setting->type);
    db_bind_blob(upsert, 3, setting->sealed, setting->length + VAULT_OVERHEAD);
    return status == STATUS_OK ? db_run(upsert) : status;
}

static enum status row_drop(struct db_session *session, const char *user)
{
    struct db_statement *drop =
        db_prepare(session, "DELETE FROM account_picture WHERE account = $1");
    db_bind_text(drop, 1, user);
    return db_run(drop);
}

/* The account's version is the picture's: it never comes again. */
static enum status set_run(struct db_session *session, void *arg)
{
    struct setting *setting = arg;
    enum status status =
        setting->length > 0 ? row_put(session, setting) : row_drop(session, setting->user);
    struct db_statement *update =
        db_prepare(session, "UPDATE account SET version = version + 1,"
                            " picture = CASE WHEN $2 > 0 THEN version + 1 ELSE 0 END"
                            " WHERE id = $1");
    db_bind_text(update, 1, setting->user);
    db_bind_int(update, 2, (int64_t)setting->length);
    if (status == STATUS_OK)
        status = db_run(update);
    if (status == STATUS_OK)
        status =
            auth_event(session, setting->user, "account.updated", setting->user, setting->now_ms);
    return status == STATUS_OK
               ? auth_user_in(session, setting->user, setting->arena, &setting->account)
               : status;
}

enum status profile_picture_set(struct auth *auth, const char *user, const uint8_t *bytes,
                                size_t length, int64_t now_ms, struct arena *arena,
                                struct auth_user *ret_user)
{
    struct setting setting = {
        .user = user, .bytes = bytes, .length = length, .now_ms = now_ms, .arena = arena};
    struct picture picture = {.type = NULL};
    enum status status = length > 0 ? picture_look(bytes, length, &picture) : STATUS_OK;
    setting.type = picture.type;
    setting.sealed = arena_alloc(arena, length + VAULT_OVERHEAD);
    if (status == STATUS_OK && setting.sealed == NULL)
        status = STATUS_NO_MEMORY;
    if (status == STATUS_OK)
        status = db_write(auth->config.db, set_run, &setting);
    if (status == STATUS_OK)
        *ret_user = setting.account;
    return status;
}

/* ---- showing ---- */

struct getting {
    const char *user, *asker;
    struct arena *arena;
    struct profile_picture picture;
};

static enum status get_run(struct db_session *session, void *arg)
{
    struct getting *getting = arg;
    enum status status = auth_user_met(session, getting->user, getting->asker);
    if (status != STATUS_OK)
        return status;
    struct db_statement *select =
        db_prepare(session, "SELECT p.type, p.bytes, a.picture FROM account_picture p"
                            " JOIN account a ON a.id = p.account WHERE p.account = $1");
    db_bind_text(select, 1, getting->user);
    status = db_step(select);
    if (status != STATUS_OK)
        return status;
    size_t sealed_length = 0;
    const struct vault_place place = place_of(getting->user);
    const uint8_t *sealed = db_column_blob(select, 1, &sealed_length);
    if (sealed_length <= VAULT_OVERHEAD)
        return STATUS_CORRUPT;
    size_t length = sealed_length - VAULT_OVERHEAD;
    uint8_t *bytes = arena_alloc(getting->arena, length);
    const char *type = arena_strdup(getting->arena, db_column_text(select, 0));
    if (bytes == NULL || type == NULL)
        return STATUS_NO_MEMORY;
    getting->picture = (struct profile_picture){
        .type = type, .bytes = bytes, .length = length, .version = db_column_int(select, 2)};
    return vault_unseal(db_session_vault(session), &place, sealed, sealed_length, bytes);
}

enum status profile_picture_get(struct auth *auth, const char *user, const char *asker,
                                struct arena *arena, struct profile_picture *ret_picture)
{
    struct getting getting = {.user = user, .asker = asker, .arena = arena};
    enum status status = db_read(auth->config.db, get_run, &getting);
    if (status == STATUS_OK)
        *ret_picture = getting.picture;
    return status;
}
