/*
 * modules/spaces/visits.c - shares are used. Each visit finds its share anew and asks whether its
 * maker still may; what it shows is then read as its maker, who may read it all.
 */
#include "modules/auth/auth.h"
#include "modules/spaces/files_state.h"
#include "modules/spaces/messages.h"
#include "modules/spaces/shares_state.h"
#include "modules/spaces/spaces_state.h"
#include "storage/vault/vault.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct visiting {
    struct shares_visit visit;
    const char *file; /* that must be shown; NULL */
    bool counts, unlocks;
    struct arena *arena;
    struct share share;
    struct json_list files; /* struct shares_file: what was chosen, when the space's top is not */
};

/* ---- the share ---- */

static enum status row_read(struct db_session *session, struct visiting *visiting)
{
    struct share *share = &visiting->share;
    struct arena *arena = visiting->arena;
    uint8_t hash[CRYPTO_SHA256_BYTES];
    crypto_sha256(visiting->visit.token, strlen(visiting->visit.token), hash);
    struct db_statement *select =
        db_prepare(session, "SELECT id, space, maker, name, password, everything, messages, expires"
                            " FROM space_share WHERE token_hash = $1 AND expires > $2");
    db_bind_blob(select, 1, hash, sizeof hash);
    db_bind_int(select, 2, visiting->visit.now_ms);
    enum status status = db_step(select);
    if (status != STATUS_OK)
        return status;
    const char *kept = db_column_text(select, 4);
    *share = (struct share){.id = arena_strdup(arena, db_column_text(select, 0)),
                            .space = arena_strdup(arena, db_column_text(select, 1)),
                            .maker = arena_strdup(arena, db_column_text(select, 2)),
                            .kept = kept != NULL ? arena_strdup(arena, kept) : NULL,
                            .everything = db_column_int(select, 5) != 0,
                            .messages = db_column_int(select, 6) != 0,
                            .expires = db_column_int(select, 7)};
    if (share->id == NULL || share->space == NULL || share->maker == NULL ||
        (kept != NULL && share->kept == NULL))
        return STATUS_NO_MEMORY;
    const struct vault_place place = {
        .space = share->space, .table = "space_share", .column = "name", .row = share->id};
    status = vault_column(db_session_vault(session), &place, select, 3, arena, &share->name);
    return status == STATUS_CLOSED ? STATUS_NOT_FOUND : status; /* the space's key is destroyed */
}

/* Whether its maker still may: whoever has it learns nothing of why not. */
static enum status maker_may(struct db_session *session, const struct visiting *visiting)
{
    const struct spaces_who who = {visiting->share.space, visiting->share.maker};
    struct auth_user maker;
    enum status status = auth_user_in(session, who.account, visiting->arena, &maker);
    if (status == STATUS_OK && maker.disabled)
        status = STATUS_NOT_FOUND;
    if (status == STATUS_OK)
        status = share_maker_check(session, &who);
    return status == STATUS_DENIED ? STATUS_NOT_FOUND : status;
}

/* ---- passes ---- */

/* "EXPIRES.HEX": a keyed hash of when it ends, of which share, with which password. */
static enum status pass_make(struct vault *vault, const struct share *share, int64_t expires,
                             char ret_pass[SHARES_PASS_MAX])
{
    char said[64 + PASSWORD_KEPT_MAX], hex[2 * CRYPTO_SHA256_BYTES + 1];
    uint8_t hash[CRYPTO_SHA256_BYTES];
    int length = snprintf(said, sizeof said, "%s|%" PRId64 "|%s", share->id, expires, share->kept);
    if (length < 0 || (size_t)length >= sizeof said)
        return STATUS_CORRUPT;
    enum status status = vault_hash(vault, share->space, "share.pass", said, (size_t)length, hash);
    if (status != STATUS_OK)
        return status;
    crypto_hex(hash, sizeof hash, hex);
    snprintf(ret_pass, SHARES_PASS_MAX, "%" PRId64 ".%s", expires, hex);
    return STATUS_OK;
}

/* Errors: STATUS_DENIED. */
static enum status pass_check(struct db_session *session, const struct visiting *visiting)
{
    char expected[SHARES_PASS_MAX];
    const char *pass = visiting->visit.pass;
    if (visiting->share.kept == NULL || visiting->unlocks)
        return STATUS_OK;
    int64_t expires = pass != NULL ? strtoll(pass, NULL, 10) : 0;
    if (expires <= visiting->visit.now_ms)
        return STATUS_DENIED;
    enum status status = pass_make(db_session_vault(session), &visiting->share, expires, expected);
    if (status != STATUS_OK)
        return status;
    return strlen(pass) == strlen(expected) && crypto_equal(pass, expected, strlen(expected))
               ? STATUS_OK
               : STATUS_DENIED;
}

/* ---- what it shows ---- */

static enum status chosen(struct db_session *session, const struct share *share, const char *file)
{
    struct db_statement *select =
        db_prepare(session, "SELECT 1 FROM space_share_file WHERE share = $1 AND file = $2");
    db_bind_text(select, 1, share->id);
    db_bind_text(select, 2, file);
    return db_step(select);
}

/* It was chosen, or is in a folder that was; nothing on the way is in the bin. */
static enum status file_shown(struct db_session *session, const struct visiting *visiting)
{
    const struct share *share = &visiting->share;
    const char *at = visiting->file;
    enum status status = STATUS_OK;
    bool found = share->everything;
    for (int depth = 0; status == STATUS_OK && at != NULL; depth++) {
        struct files_file file;
        if (depth > FILES_DEPTH_MAX + 1)
            return STATUS_NOT_FOUND;
        status = files_load(session, share->space, at, visiting->arena, &file);
        if (status == STATUS_OK && file.deleted != 0)
            status = STATUS_NOT_FOUND;
        if (status != STATUS_OK)
            return status;
        if (!found) {
            status = chosen(session, share, at);
            found = status == STATUS_OK;
            if (status == STATUS_NOT_FOUND)
                status = STATUS_OK;
        }
        at = file.folder;
    }
    return status == STATUS_OK && !found ? STATUS_NOT_FOUND : status;
}

static struct shares_file shown_of(const struct files_file *file)
{
    return (struct shares_file){.id = file->id,
                                .name = file->name,
                                .kind = file->kind,
                                .type = file->type,
                                .size = file->size,
                                .changed = file->changed};
}

/* What was chosen and is not in the bin. */
static enum status chosen_read(struct db_session *session, struct visiting *visiting)
{
    const char *ids[SHARES_FILES_MAX];
    size_t count = 0;
    struct shares_file *items = arena_alloc(visiting->arena, SHARES_FILES_MAX * sizeof *items);
    if (items == NULL)
        return STATUS_NO_MEMORY;
    visiting->files = (struct json_list){.items = items};
    struct db_statement *select =
        db_prepare(session, "SELECT file FROM space_share_file WHERE share = $1 ORDER BY file"
                            " LIMIT $2");
    db_bind_text(select, 1, visiting->share.id);
    db_bind_int(select, 2, SHARES_FILES_MAX);
    enum status status;
    while ((status = db_step(select)) == STATUS_OK) {
        ids[count] = arena_strdup(visiting->arena, db_column_text(select, 0));
        if (ids[count++] == NULL)
            return STATUS_NO_MEMORY;
    }
    status = status == STATUS_NOT_FOUND ? STATUS_OK : status;
    for (size_t i = 0; status == STATUS_OK && i < count; i++) {
        struct files_file file;
        status = files_load(session, visiting->share.space, ids[i], visiting->arena, &file);
        if (status == STATUS_OK && file.deleted == 0)
            items[visiting->files.count++] = shown_of(&file);
        status = status == STATUS_NOT_FOUND ? STATUS_OK : status;
    }
    return status;
}

static enum status view_count(struct db_session *session, const struct share *share)
{
    struct db_statement *update =
        db_prepare(session, "UPDATE space_share SET views = views + 1 WHERE id = $1");
    db_bind_text(update, 1, share->id);
    return db_run(update);
}

static enum status visit_run(struct db_session *session, void *arg)
{
    struct visiting *visiting = arg;
    enum status status = row_read(session, visiting);
    if (status == STATUS_OK)
        status = maker_may(session, visiting);
    if (status == STATUS_OK)
        status = pass_check(session, visiting);
    if (status == STATUS_OK && visiting->file != NULL)
        status = file_shown(session, visiting);
    if (status == STATUS_OK && visiting->file == NULL && !visiting->share.everything)
        status = chosen_read(session, visiting);
    if (status == STATUS_OK && visiting->counts)
        status = view_count(session, &visiting->share);
    return status;
}

/* ---- visits ---- */

enum status shares_look(struct db *db, const struct shares_visit *visit, struct arena *arena,
                        struct shares_view *ret_view)
{
    struct visiting visiting = {.visit = *visit, .counts = true, .arena = arena};
    enum status status = db_write(db, visit_run, &visiting);
    if (status == STATUS_OK)
        *ret_view = (struct shares_view){.name = visiting.share.name,
                                         .everything = visiting.share.everything,
                                         .messages = visiting.share.messages,
                                         .expires = visiting.share.expires};
    return status;
}

enum status shares_files(struct db *db, const struct shares_visit *visit, const char *folder,
                         const char *cursor, struct arena *arena, struct shares_files *ret_files)
{
    struct visiting visiting = {.visit = *visit, .file = folder, .arena = arena};
    enum status status = db_read(db, visit_run, &visiting);
    if (status != STATUS_OK)
        return status;
    if (folder == NULL && !visiting.share.everything) {
        *ret_files = (struct shares_files){.items = visiting.files};
        return STATUS_OK;
    }
    const struct spaces_who maker = {visiting.share.space, visiting.share.maker};
    const struct files_query query = {.folder = folder, .cursor = cursor};
    struct files_list list;
    status = files_list(db, &maker, &query, arena, &list);
    const struct files_file *found = list.items.items;
    struct shares_file *items =
        status == STATUS_OK ? arena_alloc(arena, (list.items.count + 1) * sizeof *items) : NULL;
    if (items == NULL)
        return status == STATUS_OK ? STATUS_NO_MEMORY : status;
    for (size_t i = 0; i < list.items.count; i++)
        items[i] = shown_of(&found[i]);
    *ret_files = (struct shares_files){.items = {.items = items, .count = list.items.count},
                                       .next_cursor = list.next_cursor};
    return STATUS_OK;
}

enum status shares_open(struct db *db, struct objects *objects, const struct shares_visit *visit,
                        const char *file, struct arena *arena, struct files_file *ret_file,
                        struct object **ret_object)
{
    struct visiting visiting = {.visit = *visit, .file = file, .arena = arena};
    enum status status = db_read(db, visit_run, &visiting);
    const struct spaces_who maker = {visiting.share.space, visiting.share.maker};
    return status == STATUS_OK
               ? files_open(db, objects, &maker, file, 0, arena, ret_file, ret_object)
               : status;
}

enum status shares_messages(struct db *db, const struct shares_visit *visit, const char *cursor,
                            struct arena *arena, struct shares_messages *ret_messages)
{
    struct visiting visiting = {.visit = *visit, .arena = arena};
    enum status status = db_read(db, visit_run, &visiting);
    if (status == STATUS_OK && !visiting.share.messages)
        status = STATUS_NOT_FOUND;
    if (status != STATUS_OK)
        return status;
    const struct spaces_who maker = {visiting.share.space, visiting.share.maker};
    const struct messages_query query = {.cursor = cursor, .limit = SHARES_PAGE_MAX};
    struct messages_page page;
    status = messages_list(db, &maker, &query, arena, &page);
    const struct messages_message *found = page.items.items;
    struct shares_message *items =
        status == STATUS_OK ? arena_alloc(arena, (page.items.count + 1) * sizeof *items) : NULL;
    if (items == NULL)
        return status == STATUS_OK ? STATUS_NO_MEMORY : status;
    for (size_t i = 0; i < page.items.count; i++)
        items[i] = (struct shares_message){.id = found[i].id,
                                           .author = found[i].author_name,
                                           .text = found[i].text,
                                           .thread = found[i].thread,
                                           .created = found[i].created,
                                           .edited = found[i].edited,
                                           .deleted = found[i].deleted};
    *ret_messages = (struct shares_messages){.items = {.items = items, .count = page.items.count},
                                             .next_cursor = page.next_cursor};
    return STATUS_OK;
}

enum status shares_unlock(struct db *db, struct auth *auth, const struct shares_key *key,
                          int64_t now_ms, struct arena *arena, struct shares_pass *ret_pass,
                          uint32_t *ret_wait_s)
{
    char name[8 + CRYPTO_ID_CHARS], pass[SHARES_PASS_MAX] = "";
    struct visiting visiting = {
        .visit = {.token = key->token, .now_ms = now_ms}, .unlocks = true, .arena = arena};
    enum status status = db_read(db, visit_run, &visiting);
    if (status != STATUS_OK)
        return status;
    int64_t expires = now_ms + SHARES_PASS_MS;
    if (visiting.share.kept != NULL) {
        snprintf(name, sizeof name, "share:%s", visiting.share.id);
        const struct auth_secret secret = {
            .name = name, .peer = key->peer, .text = key->password, .kept = visiting.share.kept};
        status = auth_secret_check(auth, &secret, now_ms, ret_wait_s);
        if (status == STATUS_OK)
            status = pass_make(db_vault(db), &visiting.share, expires, pass);
    }
    if (status == STATUS_OK)
        *ret_pass = (struct shares_pass){.pass = arena_strdup(arena, pass), .expires = expires};
    return status == STATUS_OK && ret_pass->pass == NULL ? STATUS_NO_MEMORY : status;
}
