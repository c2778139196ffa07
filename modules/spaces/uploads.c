/*
 * modules/spaces/uploads.c - uploads that outlive requests: what they will be, whose they are.
 */
#include "modules/spaces/incoming_state.h"
#include "modules/spaces/spaces_state.h"
#include "storage/vault/vault.h"

#include <stdlib.h>
#include <string.h>

struct uploading {
    const char *id, *account;
    const struct spaces_who *who;
    const struct files_new *wish;
    int64_t now_ms;
    struct arena *arena;
    struct uploads_upload state;
    struct files_new found;
    const char *space;
};

static struct vault_place name_place(const char *space, const char *id)
{
    return (struct vault_place){
        .space = space, .table = "space_upload", .column = "name", .row = id};
}

/* ---- making ---- */

static enum status row_insert(struct db_session *session, void *arg)
{
    const struct uploading *uploading = arg;
    const struct files_new *wish = uploading->wish;
    const struct vault_place place = name_place(uploading->who->space, uploading->id);
    struct db_statement *insert =
        db_prepare(session, "INSERT INTO space_upload (id, space, account, name, type, folder,"
                            " file, length, created) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)");
    db_bind_text(insert, 1, uploading->id);
    db_bind_text(insert, 2, uploading->who->space);
    db_bind_text(insert, 3, uploading->who->account);
    enum status status = vault_bind(db_session_vault(session), &place, insert, 4,
                                    wish->name != NULL ? wish->name : "");
    db_bind_text(insert, 5, wish->type);
    db_bind_text(insert, 6, wish->folder);
    db_bind_text(insert, 7, wish->file);
    db_bind_int(insert, 8, (int64_t)wish->length);
    db_bind_int(insert, 9, uploading->now_ms);
    return status == STATUS_OK ? db_run(insert) : status;
}

enum status uploads_new(struct db *db, struct objects *objects, const struct spaces_who *who,
                        const struct files_new *wish, int64_t now_ms, struct arena *arena,
                        struct uploads_upload *ret_upload)
{
    char id[CRYPTO_ID_CHARS + 1];
    struct uploading uploading = {.id = id, .who = who, .wish = wish, .now_ms = now_ms};
    enum status status = incoming_check(db, who, wish);
    if (status == STATUS_OK)
        status = incoming_room(objects, who, wish, now_ms, id);
    if (status != STATUS_OK)
        return status;
    status = db_write(db, row_insert, &uploading);
    if (status == STATUS_OK)
        return uploads_get(db, who->account, id, arena, ret_upload);
    enum status cancelled = upload_cancel(objects, id, who->account);
    (void)cancelled; /* what stays is removed when it expires */
    return status;
}

/* ---- looking ---- */

static enum status state_read(struct db_session *session, struct uploading *uploading)
{
    struct upload_state upload = {0};
    struct uploads_upload *state = &uploading->state;
    if (state->file != NULL)
        return STATUS_OK;
    enum status status = upload_look(session, uploading->id, &upload);
    state->offset = upload.offset;
    state->expires = upload.touched + UPLOADS_LIFE_MS;
    return status;
}

static enum status row_read(struct db_session *session, void *arg)
{
    struct uploading *uploading = arg;
    struct db_statement *select =
        db_prepare(session, "SELECT space, name, type, folder, file, length, made, created"
                            " FROM space_upload WHERE id = $1 AND account = $2");
    db_bind_text(select, 1, uploading->id);
    db_bind_text(select, 2, uploading->account);
    enum status status = db_step(select);
    if (status != STATUS_OK)
        return status;
    const char *texts[5];
    static const int columns[] = {0, 2, 3, 4, 6};
    for (size_t i = 0; i < 5; i++) {
        const char *text = db_column_text(select, columns[i]);
        texts[i] = text != NULL ? arena_strdup(uploading->arena, text) : NULL;
        if (text != NULL && texts[i] == NULL)
            return STATUS_NO_MEMORY;
    }
    int64_t length = db_column_int(select, 5);
    uploading->space = texts[0];
    uploading->found = (struct files_new){
        .type = texts[1], .folder = texts[2], .file = texts[3], .length = (size_t)length};
    uploading->state =
        (struct uploads_upload){.id = arena_strdup(uploading->arena, uploading->id),
                                .space = texts[0],
                                .file = texts[4],
                                .offset = length,
                                .length = length,
                                .expires = db_column_int(select, 7) + UPLOADS_LIFE_MS};
    if (uploading->state.id == NULL)
        return STATUS_NO_MEMORY;
    const struct vault_place place = name_place(uploading->space, uploading->id);
    status = vault_column(db_session_vault(session), &place, select, 1, uploading->arena,
                          &uploading->found.name);
    return status == STATUS_OK ? state_read(session, uploading) : status;
}

enum status uploads_get(struct db *db, const char *account, const char *id, struct arena *arena,
                        struct uploads_upload *ret_upload)
{
    struct uploading uploading = {.id = id, .account = account, .arena = arena};
    enum status status = db_read(db, row_read, &uploading);
    if (status == STATUS_OK)
        *ret_upload = uploading.state;
    return status;
}

/* ---- going on ---- */

static enum status found_open(struct db *db, struct objects *objects, struct uploading *uploading,
                              struct incoming **ret_incoming)
{
    struct incoming *incoming = NULL;
    enum status status = db_read(db, row_read, uploading);
    if (status == STATUS_OK && uploading->state.file != NULL)
        status = STATUS_EXISTS;
    if (status != STATUS_OK)
        return status;
    const struct spaces_who who = {uploading->space, uploading->account};
    status = spaces_check(db, &who, SPACES_WRITE);
    if (status == STATUS_OK)
        status = incoming_new(db, objects, &who, &uploading->found, &incoming);
    if (status != STATUS_OK)
        return status;
    incoming->kept = true;
    memcpy(incoming->id, uploading->id, strlen(uploading->id) + 1);
    status = upload_open(objects, incoming->id, who.account, &incoming->upload);
    if (status == STATUS_OK)
        *ret_incoming = incoming;
    else
        incoming_free(incoming);
    return status;
}

enum status uploads_open(struct db *db, struct objects *objects, const char *account,
                         const char *id, struct incoming **ret_incoming)
{
    struct uploading uploading = {.id = id, .account = account};
    if (strlen(id) != CRYPTO_ID_CHARS)
        return STATUS_NOT_FOUND;
    enum status status = arena_new(65536, &uploading.arena);
    if (status == STATUS_OK)
        status = found_open(db, objects, &uploading, ret_incoming);
    arena_free(uploading.arena);
    return status;
}

/* ---- ending ---- */

static enum status row_drop(struct db_session *session, void *arg)
{
    const struct uploading *uploading = arg;
    struct db_statement *drop =
        db_prepare(session, "DELETE FROM space_upload WHERE id = $1 AND account = $2 RETURNING id");
    db_bind_text(drop, 1, uploading->id);
    db_bind_text(drop, 2, uploading->account);
    return db_step(drop);
}

enum status uploads_cancel(struct db *db, struct objects *objects, const char *account,
                           const char *id)
{
    struct uploading uploading = {.id = id, .account = account};
    enum status status = upload_cancel(objects, id, account);
    if (status == STATUS_OK || status == STATUS_NOT_FOUND)
        status = db_write(db, row_drop, &uploading);
    return status;
}

/* Rows of what is over: whole since long, or gone with its upload. */
static enum status rows_sweep(struct db_session *session, void *arg)
{
    const int64_t *before_ms = arg;
    struct db_statement *drop =
        db_prepare(session, "DELETE FROM space_upload WHERE created < $1"
                            " AND NOT EXISTS (SELECT 1 FROM upload WHERE id = space_upload.id)");
    db_bind_int(drop, 1, *before_ms);
    return db_run(drop);
}

enum status uploads_sweep(struct db *db, struct objects *objects, int64_t now_ms)
{
    int64_t before_ms = now_ms - UPLOADS_LIFE_MS, count = 0;
    enum status status = uploads_expire(objects, before_ms, &count);
    return status == STATUS_OK ? db_write(db, rows_sweep, &before_ms) : status;
}
