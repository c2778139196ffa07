#include "modules/spaces/incoming_state.h"

#include "modules/spaces/file_texts.h"
#include "modules/spaces/files_state.h"
#include "modules/spaces/indexing.h"
#include "modules/spaces/spaces_state.h"
#include "storage/vault/vault.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the transaction that makes a file ---- */

struct adding {
    struct spaces_who who;
    const struct files_new *wish;
    const struct upload *upload;
    const char *id, *object; /* of the file, of its content: the upload's */
    int64_t now_ms;
    struct arena *arena;
    struct files_file file;
    bool doomed; /* a content went */
};

static enum status file_insert(struct db_session *session, const struct adding *adding)
{
    const struct files_new *wish = adding->wish;
    const struct vault_place place = {
        .space = adding->who.space, .table = "space_file", .column = "name", .row = adding->id};
    const char *folder = wish->folder != NULL ? wish->folder : "";
    enum status status =
        files_folder_check(session, adding->who.space, folder, NULL, adding->arena);
    if (status != STATUS_OK)
        return status;
    struct db_statement *insert = db_prepare(
        session, "INSERT INTO space_file (id, space, name, folder, kind, type, author, size,"
                 " version, created, changed) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10,"
                 " $10)");
    db_bind_text(insert, 1, adding->id);
    db_bind_text(insert, 2, adding->who.space);
    status = vault_bind(db_session_vault(session), &place, insert, 3, wish->name);
    db_bind_text(insert, 4, folder);
    db_bind_text(insert, 5, wish->is_folder ? "folder" : "file");
    if (!wish->is_folder)
        db_bind_text(insert, 6, wish->type != NULL ? wish->type : "application/octet-stream");
    db_bind_text(insert, 7, adding->who.account);
    db_bind_int(insert, 8, (int64_t)wish->length);
    db_bind_int(insert, 9, !wish->is_folder);
    db_bind_int(insert, 10, adding->now_ms);
    if (status == STATUS_OK)
        status = db_run(insert);
    return status == STATUS_OK
               ? indexing_file(session, adding->who.space, adding->id, NULL, wish->name)
               : status;
}

static enum status file_renew(struct db_session *session, const struct adding *adding)
{
    const struct files_new *wish = adding->wish;
    struct db_statement *update =
        db_prepare(session, "UPDATE space_file SET version = version + 1, size = $3, author = $4,"
                            " changed = $5, type = coalesce($6, type) WHERE id = $1 AND space = $2"
                            " AND kind = 'file' AND deleted IS NULL RETURNING version");
    db_bind_text(update, 1, adding->id);
    db_bind_text(update, 2, adding->who.space);
    db_bind_int(update, 3, (int64_t)wish->length);
    db_bind_text(update, 4, adding->who.account);
    db_bind_int(update, 5, adding->now_ms);
    db_bind_text(update, 6, wish->type);
    return db_step(update);
}

static enum status version_insert(struct db_session *session, const struct adding *adding)
{
    struct db_statement *insert = db_prepare(
        session, "INSERT INTO space_file_version (file, version, object, size, author, created)"
                 " SELECT id, version, $2, size, author, changed FROM space_file WHERE id = $1");
    db_bind_text(insert, 1, adding->id);
    db_bind_text(insert, 2, adding->object);
    return db_run(insert);
}

/* The oldest contents go. */
static enum status versions_trim(struct db_session *session, struct adding *adding)
{
    struct db_statement *drop = db_prepare(
        session, "DELETE FROM space_file_version WHERE file = $1 AND version <="
                 " (SELECT version FROM space_file WHERE id = $1) - $2 RETURNING object");
    db_bind_text(drop, 1, adding->id);
    db_bind_int(drop, 2, FILES_VERSIONS_MAX);
    enum status status = db_step(drop);
    if (status != STATUS_OK)
        return status == STATUS_NOT_FOUND ? STATUS_OK : status;
    const char *object = arena_strdup(adding->arena, db_column_text(drop, 0));
    adding->doomed = true;
    return object != NULL ? object_doom(session, object) : STATUS_NO_MEMORY;
}

/* An upload that outlives requests remembers what it has become. */
static enum status upload_made(struct db_session *session, const struct adding *adding)
{
    struct db_statement *update =
        db_prepare(session, "UPDATE space_upload SET made = $2 WHERE id = $1");
    db_bind_text(update, 1, adding->object);
    db_bind_text(update, 2, adding->id);
    return db_run(update);
}

static enum status add_run(struct db_session *session, void *arg)
{
    struct adding *adding = arg;
    bool renews = adding->wish->file != NULL;
    enum status status = spaces_seat(session, &adding->who, SPACES_WRITE, NULL);
    if (status == STATUS_OK)
        status = renews ? file_renew(session, adding) : file_insert(session, adding);
    if (status == STATUS_OK && adding->upload != NULL)
        status = object_adopt(session, adding->upload, adding->now_ms);
    if (status == STATUS_OK && adding->upload != NULL)
        status = version_insert(session, adding);
    if (status == STATUS_OK && renews)
        status = versions_trim(session, adding);
    if (status == STATUS_OK && adding->upload != NULL)
        status = upload_made(session, adding);
    if (status == STATUS_OK && adding->upload != NULL)
        status = file_texts_want(session, adding->who.space, adding->id, adding->now_ms);
    if (status == STATUS_OK)
        status = spaces_event(session, adding->who.space, renews ? "file.updated" : "file.added",
                              adding->id, adding->now_ms);
    return status == STATUS_OK
               ? files_load(session, adding->who.space, adding->id, adding->arena, &adding->file)
               : status;
}

static bool wish_valid(const struct files_new *wish)
{
    return (wish->file != NULL || files_name_valid(wish->name)) &&
           (wish->type == NULL || files_type_valid(wish->type));
}

/* ---- of one request ---- */

/* Keeps a text that may be absent; false when it is too long to be one. */
static bool text_keep(const char *text, char *copy, size_t size, const char **ret_text)
{
    if (text != NULL && strlen(text) >= size)
        return false;
    *ret_text = text != NULL ? memcpy(copy, text, strlen(text) + 1) : NULL;
    return true;
}

enum status incoming_new(struct db *db, struct objects *objects, const struct spaces_who *who,
                         const struct files_new *wish, struct incoming **ret_incoming)
{
    struct incoming *incoming = calloc(1, sizeof *incoming);
    const char *space, *account;
    if (incoming == NULL)
        return STATUS_NO_MEMORY;
    incoming->db = db;
    incoming->objects = objects;
    struct files_new *own = &incoming->wish;
    own->length = wish->length;
    if (text_keep(who->space, incoming->space, sizeof incoming->space, &space) &&
        text_keep(who->account, incoming->account, sizeof incoming->account, &account) &&
        text_keep(wish->name, incoming->name, sizeof incoming->name, &own->name) &&
        text_keep(wish->type, incoming->type, sizeof incoming->type, &own->type) &&
        text_keep(wish->folder, incoming->folder, sizeof incoming->folder, &own->folder) &&
        text_keep(wish->file, incoming->file, sizeof incoming->file, &own->file)) {
        *ret_incoming = incoming;
        return STATUS_OK;
    }
    free(incoming);
    return STATUS_NOT_FOUND;
}

struct checking {
    const struct spaces_who *who;
    const struct files_new *wish;
    struct arena *arena;
};

/* Nobody sends a gigabyte to hear that its folder is not there. */
static enum status check_run(struct db_session *session, void *arg)
{
    const struct checking *checking = arg;
    const struct files_new *wish = checking->wish;
    struct files_file file;
    enum status status = spaces_seat(session, checking->who, SPACES_WRITE, NULL);
    if (status == STATUS_OK && wish->file == NULL)
        return files_folder_check(session, checking->who->space,
                                  wish->folder != NULL ? wish->folder : "", NULL, checking->arena);
    if (status == STATUS_OK)
        status = files_load(session, checking->who->space, wish->file, checking->arena, &file);
    if (status == STATUS_OK && (file.deleted != 0 || strcmp(file.kind, "file") != 0))
        status = STATUS_NOT_FOUND;
    return status;
}

enum status incoming_check(struct db *db, const struct spaces_who *who,
                           const struct files_new *wish)
{
    struct checking checking = {.who = who, .wish = wish};
    if (!wish_valid(wish))
        return STATUS_INVALID;
    enum status status = arena_new(65536, &checking.arena);
    if (status == STATUS_OK)
        status = db_read(db, check_run, &checking);
    arena_free(checking.arena);
    return status;
}

enum status incoming_room(struct objects *objects, const struct spaces_who *who,
                          const struct files_new *wish, int64_t now_ms,
                          char ret_id[CRYPTO_ID_CHARS + 1])
{
    const struct upload_spec spec = {.space = who->space,
                                     .owner = who->account,
                                     .length = (int64_t)wish->length,
                                     .digest = wish->digest};
    return upload_new(objects, &spec, now_ms, ret_id);
}

enum status incoming_begin(struct db *db, struct objects *objects, const struct spaces_who *who,
                           const struct files_new *wish, int64_t now_ms,
                           struct incoming **ret_incoming)
{
    struct incoming *incoming = NULL;
    enum status status = incoming_check(db, who, wish);
    if (status == STATUS_OK)
        status = incoming_new(db, objects, who, wish, &incoming);
    if (status == STATUS_OK)
        status = incoming_room(objects, who, wish, now_ms, incoming->id);
    if (status == STATUS_OK)
        status = upload_open(objects, incoming->id, who->account, &incoming->upload);
    if (status != STATUS_OK) {
        incoming_free(incoming);
        return status;
    }
    *ret_incoming = incoming;
    return STATUS_OK;
}

enum status incoming_append(struct incoming *incoming, const void *bytes, size_t length)
{
    return upload_append(incoming->upload, upload_offset(incoming->upload), bytes, length);
}

int64_t incoming_offset(const struct incoming *incoming)
{
    return upload_offset(incoming->upload);
}

int64_t incoming_length(const struct incoming *incoming)
{
    return upload_length(incoming->upload);
}

enum status incoming_sync(struct incoming *incoming)
{
    return upload_sync(incoming->upload);
}

enum status incoming_finish(struct incoming *incoming, int64_t now_ms, struct arena *arena,
                            struct files_file *ret_file)
{
    char id[CRYPTO_ID_CHARS + 1];
    const struct files_new *wish = &incoming->wish;
    struct adding adding = {.who = {incoming->space, incoming->account},
                            .wish = wish,
                            .upload = incoming->upload,
                            .object = incoming->id,
                            .now_ms = now_ms,
                            .arena = arena};
    crypto_id(id);
    adding.id = wish->file != NULL ? wish->file : id;
    enum status status = upload_finish(incoming->upload);
    if (status == STATUS_CORRUPT)
        incoming->kept = false;
    if (status == STATUS_OK)
        status = db_write(incoming->db, add_run, &adding);
    incoming->finished = status == STATUS_OK;
    if (status == STATUS_OK && adding.doomed)
        status = objects_reap(incoming->objects);
    if (status == STATUS_OK)
        *ret_file = adding.file;
    return status;
}

static enum status row_forget(struct db_session *session, void *arg)
{
    struct db_statement *drop = db_prepare(session, "DELETE FROM space_upload WHERE id = $1");
    db_bind_text(drop, 1, arg);
    return db_run(drop);
}

struct incoming *incoming_free(struct incoming *incoming)
{
    if (incoming == NULL)
        return NULL;
    upload_close(incoming->upload);
    if (!incoming->kept && !incoming->finished && incoming->id[0] != '\0') {
        enum status status = upload_cancel(incoming->objects, incoming->id, incoming->account);
        if (status == STATUS_OK)
            status = db_write(incoming->db, row_forget, incoming->id);
        (void)status; /* what stays is removed when it expires */
    }
    free(incoming);
    return NULL;
}

static enum status folder_add(struct db *db, const struct spaces_who *who,
                              const struct files_new *wish, int64_t now_ms, struct arena *arena,
                              struct files_file *ret_file)
{
    char id[CRYPTO_ID_CHARS + 1];
    struct adding adding = {.who = *who, .wish = wish, .id = id, .now_ms = now_ms, .arena = arena};
    if (!wish_valid(wish))
        return STATUS_INVALID;
    crypto_id(id);
    enum status status = db_write(db, add_run, &adding);
    if (status == STATUS_OK)
        *ret_file = adding.file;
    return status;
}

enum status files_add(struct db *db, struct objects *objects, const struct spaces_who *who,
                      const struct files_new *wish, int64_t now_ms, struct arena *arena,
                      struct files_file *ret_file)
{
    struct incoming *incoming = NULL;
    if (wish->is_folder)
        return folder_add(db, who, wish, now_ms, arena, ret_file);
    enum status status = incoming_begin(db, objects, who, wish, now_ms, &incoming);
    if (status == STATUS_OK)
        status = incoming_append(incoming, wish->content, wish->length);
    if (status == STATUS_OK)
        status = incoming_finish(incoming, now_ms, arena, ret_file);
    incoming_free(incoming);
    return status;
}
