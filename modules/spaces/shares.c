/*
 * modules/spaces/shares.c - shares are made, listed, revoked; visits.c uses them.
 */
#include "core/text.h"
#include "modules/auth/auth.h"
#include "modules/spaces/files_state.h"
#include "modules/spaces/shares_state.h"
#include "modules/spaces/spaces_state.h"
#include "storage/vault/vault.h"

#include <stdio.h>
#include <string.h>

static const char token_prefix[] = "plv_";

struct sharing {
    struct spaces_who who;
    const struct shares_new *wish;
    const char *id;
    char new_id[CRYPTO_ID_CHARS + 1], token[SPACES_TOKEN_CHARS + 1];
    uint8_t token_hash[CRYPTO_SHA256_BYTES];
    char kept[PASSWORD_KEPT_MAX];
    int64_t expires, now_ms;
    struct arena *arena;
    struct json_list list;
};

static struct vault_place name_place(const char *space, const char *id)
{
    return (struct vault_place){
        .space = space, .table = "space_share", .column = "name", .row = id};
}

enum status share_maker_check(struct db_session *session, const struct spaces_who *who)
{
    enum status status = spaces_seat(session, who, SPACES_LINK, NULL);
    if (status != STATUS_OK)
        return status;
    struct db_statement *select =
        db_prepare(session, "SELECT 1 FROM space WHERE id = $1 AND links <> 'none'");
    db_bind_text(select, 1, who->space);
    status = db_step(select);
    return status == STATUS_NOT_FOUND ? STATUS_DENIED : status;
}

/* ---- making ---- */

/* Those that are over make room. */
static enum status room_make(struct db_session *session, const struct sharing *sharing)
{
    struct db_statement *files =
        db_prepare(session, "DELETE FROM space_share_file WHERE share IN"
                            " (SELECT id FROM space_share WHERE space = $1 AND expires <= $2)");
    db_bind_text(files, 1, sharing->who.space);
    db_bind_int(files, 2, sharing->now_ms);
    enum status status = db_run(files);
    struct db_statement *drop =
        db_prepare(session, "DELETE FROM space_share WHERE space = $1 AND expires <= $2");
    db_bind_text(drop, 1, sharing->who.space);
    db_bind_int(drop, 2, sharing->now_ms);
    if (status == STATUS_OK)
        status = db_run(drop);
    if (status != STATUS_OK)
        return status;
    struct db_statement *count =
        db_prepare(session, "SELECT count(*) FROM space_share WHERE space = $1");
    db_bind_text(count, 1, sharing->who.space);
    status = db_step(count);
    return status == STATUS_OK && db_column_int(count, 0) >= SHARES_MAX ? STATUS_LIMIT : status;
}

static enum status row_insert(struct db_session *session, const struct sharing *sharing)
{
    const struct shares_new *wish = sharing->wish;
    const struct vault_place place = name_place(sharing->who.space, sharing->new_id);
    struct db_statement *insert =
        db_prepare(session, "INSERT INTO space_share (id, space, maker, token_hash, name,"
                            " everything, messages, password, expires, created)"
                            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)");
    db_bind_text(insert, 1, sharing->new_id);
    db_bind_text(insert, 2, sharing->who.space);
    db_bind_text(insert, 3, sharing->who.account);
    db_bind_blob(insert, 4, sharing->token_hash, sizeof sharing->token_hash);
    enum status status = vault_bind(db_session_vault(session), &place, insert, 5,
                                    wish->name != NULL ? wish->name : "");
    db_bind_int(insert, 6, wish->everything);
    db_bind_int(insert, 7, wish->messages);
    if (wish->password != NULL)
        db_bind_text(insert, 8, sharing->kept);
    db_bind_int(insert, 9, sharing->expires);
    db_bind_int(insert, 10, sharing->now_ms);
    return status == STATUS_OK ? db_run(insert) : status;
}

static enum status file_choose(struct db_session *session, const struct sharing *sharing,
                               const char *id)
{
    struct files_file file;
    enum status status = files_load(session, sharing->who.space, id, sharing->arena, &file);
    if (status == STATUS_OK && file.deleted != 0)
        status = STATUS_NOT_FOUND;
    if (status != STATUS_OK)
        return status;
    struct db_statement *insert =
        db_prepare(session, "INSERT INTO space_share_file (share, file) VALUES ($1, $2)"
                            " ON CONFLICT (share, file) DO NOTHING");
    db_bind_text(insert, 1, sharing->new_id);
    db_bind_text(insert, 2, id);
    return db_run(insert);
}

static enum status add_run(struct db_session *session, void *arg)
{
    const struct sharing *sharing = arg;
    const char *const *files = sharing->wish->files.items;
    enum status status = share_maker_check(session, &sharing->who);
    if (status == STATUS_OK)
        status = room_make(session, sharing);
    if (status == STATUS_OK)
        status = row_insert(session, sharing);
    for (size_t i = 0; status == STATUS_OK && i < sharing->wish->files.count; i++)
        status = file_choose(session, sharing, files[i]);
    return status == STATUS_OK ? spaces_event(session, sharing->who.space, "share.added",
                                              sharing->new_id, sharing->now_ms)
                               : status;
}

static bool wish_valid(const struct shares_new *wish, int64_t life_ms)
{
    size_t chosen = wish->files.count;
    if (life_ms <= 0 || life_ms > SHARES_LIFE_MAX_MS || chosen > SHARES_FILES_MAX ||
        (wish->everything ? chosen > 0 : chosen == 0 && !wish->messages))
        return false;
    if (wish->name != NULL && !text_valid(wish->name, 0, SPACES_NAME_MAX, TEXT_LINE))
        return false;
    return wish->password == NULL || (strlen(wish->password) >= SHARES_PASSWORD_MIN &&
                                      strlen(wish->password) <= PASSWORD_MAX);
}

static void token_make(struct sharing *sharing)
{
    char secret[CRYPTO_TOKEN_CHARS + 1];
    crypto_token(secret);
    snprintf(sharing->token, sizeof sharing->token, "%s%s", token_prefix, secret);
    crypto_sha256(sharing->token, strlen(sharing->token), sharing->token_hash);
    crypto_id(sharing->new_id);
}

enum status shares_add(struct db *db, struct auth *auth, const struct spaces_who *who,
                       const struct shares_new *wish, int64_t now_ms, struct arena *arena,
                       struct shares_share *ret_share)
{
    int64_t life_ms = wish->life_ms != 0 ? wish->life_ms : SHARES_LIFE_MS;
    struct sharing sharing = {
        .who = *who, .wish = wish, .now_ms = now_ms, .expires = now_ms + life_ms, .arena = arena};
    if (!wish_valid(wish, life_ms))
        return STATUS_INVALID;
    token_make(&sharing);
    /* Who may not make one does not make others wait for passwords. */
    enum status status = spaces_check(db, who, SPACES_LINK);
    if (status == STATUS_OK && wish->password != NULL)
        status = auth_secret_keep(auth, wish->password, sharing.kept);
    if (status == STATUS_OK)
        status = db_write(db, add_run, &sharing);
    if (status != STATUS_OK)
        return status;
    const char *id = arena_strdup(arena, sharing.new_id);
    const char *token = arena_strdup(arena, sharing.token);
    if (id == NULL || token == NULL)
        return STATUS_NO_MEMORY;
    *ret_share = (struct shares_share){.id = id,
                                       .name = wish->name != NULL ? wish->name : "",
                                       .maker = who->account,
                                       .token = token,
                                       .everything = wish->everything,
                                       .messages = wish->messages,
                                       .locked = wish->password != NULL,
                                       .files = wish->files,
                                       .expires = sharing.expires,
                                       .created = now_ms};
    return STATUS_OK;
}

/* ---- listing ---- */

static enum status files_read(struct db_session *session, struct arena *arena,
                              struct shares_share *share)
{
    const char **items = arena_alloc(arena, SHARES_FILES_MAX * sizeof *items);
    if (items == NULL)
        return STATUS_NO_MEMORY;
    share->files = (struct json_list){.items = items};
    struct db_statement *select =
        db_prepare(session, "SELECT file FROM space_share_file WHERE share = $1 ORDER BY file"
                            " LIMIT $2");
    db_bind_text(select, 1, share->id);
    db_bind_int(select, 2, SHARES_FILES_MAX);
    enum status status;
    while ((status = db_step(select)) == STATUS_OK) {
        const char *id = arena_strdup(arena, db_column_text(select, 0));
        if (id == NULL)
            return STATUS_NO_MEMORY;
        items[share->files.count++] = id;
    }
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static enum status row_read(struct db_session *session, const struct sharing *sharing,
                            struct db_statement *row, struct shares_share *ret_share)
{
    *ret_share =
        (struct shares_share){.id = arena_strdup(sharing->arena, db_column_text(row, 0)),
                              .maker = arena_strdup(sharing->arena, db_column_text(row, 1)),
                              .everything = db_column_int(row, 3) != 0,
                              .messages = db_column_int(row, 4) != 0,
                              .locked = db_column_int(row, 5) != 0,
                              .views = db_column_int(row, 6),
                              .expires = db_column_int(row, 7),
                              .created = db_column_int(row, 8)};
    if (ret_share->id == NULL || ret_share->maker == NULL)
        return STATUS_NO_MEMORY;
    const struct vault_place place = name_place(sharing->who.space, ret_share->id);
    return vault_column(db_session_vault(session), &place, row, 2, sharing->arena,
                        &ret_share->name);
}

static enum status all_run(struct db_session *session, void *arg)
{
    struct sharing *sharing = arg;
    struct shares_share *items = arena_alloc(sharing->arena, SHARES_MAX * sizeof *items);
    enum status status = spaces_seat(session, &sharing->who, SPACES_LINK, NULL);
    if (status == STATUS_OK && items == NULL)
        status = STATUS_NO_MEMORY;
    if (status != STATUS_OK)
        return status;
    sharing->list = (struct json_list){.items = items};
    struct db_statement *select =
        db_prepare(session, "SELECT id, maker, name, everything, messages, password IS NOT NULL,"
                            " views, expires, created FROM space_share"
                            " WHERE space = $1 AND expires > $2 ORDER BY id LIMIT $3");
    db_bind_text(select, 1, sharing->who.space);
    db_bind_int(select, 2, sharing->now_ms);
    db_bind_int(select, 3, SHARES_MAX);
    while ((status = db_step(select)) == STATUS_OK) {
        status = row_read(session, sharing, select, &items[sharing->list.count++]);
        if (status != STATUS_OK)
            return status;
    }
    if (status == STATUS_NOT_FOUND)
        status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < sharing->list.count; i++)
        status = files_read(session, sharing->arena, &items[i]);
    return status;
}

enum status shares_all(struct db *db, const struct spaces_who *who, int64_t now_ms,
                       struct arena *arena, struct shares_list *ret_list)
{
    struct sharing sharing = {.who = *who, .now_ms = now_ms, .arena = arena};
    enum status status = db_read(db, all_run, &sharing);
    if (status == STATUS_OK)
        ret_list->items = sharing.list;
    return status;
}

/* ---- revoking ---- */

static enum status remove_run(struct db_session *session, void *arg)
{
    const struct sharing *sharing = arg;
    enum status status = spaces_seat(session, &sharing->who, SPACES_LINK, NULL);
    if (status != STATUS_OK)
        return status;
    struct db_statement *drop = db_prepare(
        session, "DELETE FROM space_share WHERE id = $1 AND space = $2 RETURNING maker = $3");
    db_bind_text(drop, 1, sharing->id);
    db_bind_text(drop, 2, sharing->who.space);
    db_bind_text(drop, 3, sharing->who.account);
    status = db_step(drop);
    if (status == STATUS_OK && db_column_int(drop, 0) == 0)
        status = spaces_seat(session, &sharing->who, SPACES_MANAGE, NULL);
    if (status != STATUS_OK)
        return status;
    struct db_statement *files =
        db_prepare(session, "DELETE FROM space_share_file WHERE share = $1");
    db_bind_text(files, 1, sharing->id);
    status = db_run(files);
    return status == STATUS_OK ? spaces_event(session, sharing->who.space, "share.removed",
                                              sharing->id, sharing->now_ms)
                               : status;
}

enum status shares_remove(struct db *db, const struct spaces_who *who, const char *id,
                          int64_t now_ms)
{
    struct sharing sharing = {.who = *who, .id = id, .now_ms = now_ms};
    return spaces_id_valid(id) ? db_write(db, remove_run, &sharing) : STATUS_NOT_FOUND;
}

enum status shares_purge(struct db_session *session, const char *space)
{
    struct db_statement *files =
        db_prepare(session, "DELETE FROM space_share_file WHERE share IN"
                            " (SELECT id FROM space_share WHERE space = $1)");
    db_bind_text(files, 1, space);
    enum status status = db_run(files);
    struct db_statement *drop = db_prepare(session, "DELETE FROM space_share WHERE space = $1");
    db_bind_text(drop, 1, space);
    return status == STATUS_OK ? db_run(drop) : status;
}
