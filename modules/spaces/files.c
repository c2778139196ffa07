/*
 * modules/spaces/files.c - files are listed, moved, thrown away; incoming.c adds them.
 */
#include "modules/spaces/files.h"

#include "core/text.h"
#include "modules/spaces/file_texts.h"
#include "modules/spaces/files_state.h"
#include "modules/spaces/indexing.h"
#include "modules/spaces/shares.h"
#include "modules/spaces/spaces_state.h"
#include "storage/vault/vault.h"

#include <stdio.h>
#include <string.h>

bool files_name_valid(const char *name)
{
    return name != NULL && text_valid(name, 1, FILES_NAME_MAX, TEXT_LINE) && !text_blank(name) &&
           strchr(name, '/') == NULL && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

/* type/subtype of RFC 9110 tokens, no parameters. */
bool files_type_valid(const char *type)
{
    static const char token[] = "abcdefghijklmnopqrstuvwxyz0123456789!#$&^_.+-";
    size_t left = strspn(type, token);
    size_t right = type[left] == '/' ? strspn(type + left + 1, token) : 0;
    return left > 0 && right > 0 && type[left + 1 + right] == '\0' &&
           left + 1 + right <= FILES_TYPE_MAX;
}

/* ---- rows ---- */

#define COLUMNS                                                                                    \
    "id, space, name, folder, kind, type, author, size, version, created, changed, deleted"

static enum status row_read(struct db_session *session, struct db_statement *row,
                            struct arena *arena, struct files_file *ret_file)
{
    const char *folder = db_column_text(row, 3), *type = db_column_text(row, 5);
    struct files_file file = {.id = arena_strdup(arena, db_column_text(row, 0)),
                              .space = arena_strdup(arena, db_column_text(row, 1)),
                              .folder = folder[0] != '\0' ? arena_strdup(arena, folder) : NULL,
                              .kind = arena_strdup(arena, db_column_text(row, 4)),
                              .type = type != NULL ? arena_strdup(arena, type) : NULL,
                              .author = arena_strdup(arena, db_column_text(row, 6)),
                              .size = db_column_int(row, 7),
                              .version = db_column_int(row, 8),
                              .created = db_column_int(row, 9),
                              .changed = db_column_int(row, 10),
                              .deleted = db_column_int(row, 11)};
    if (file.id == NULL || file.space == NULL || file.kind == NULL || file.author == NULL ||
        (folder[0] != '\0' && file.folder == NULL) || (type != NULL && file.type == NULL))
        return STATUS_NO_MEMORY;
    const struct vault_place place = {
        .space = file.space, .table = "space_file", .column = "name", .row = file.id};
    enum status status = vault_column(db_session_vault(session), &place, row, 2, arena, &file.name);
    if (status == STATUS_OK)
        *ret_file = file;
    return status;
}

enum status files_load(struct db_session *session, const char *space, const char *id,
                       struct arena *arena, struct files_file *ret_file)
{
    struct db_statement *select =
        db_prepare(session, "SELECT " COLUMNS " FROM space_file WHERE id = $1 AND space = $2");
    db_bind_text(select, 1, id);
    db_bind_text(select, 2, space);
    enum status status = db_step(select);
    return status == STATUS_OK ? row_read(session, select, arena, ret_file) : status;
}

enum status files_folder_check(struct db_session *session, const char *space, const char *folder,
                               const char *moved, struct arena *arena)
{
    struct files_file above;
    struct db_statement *count =
        db_prepare(session, "SELECT count(*) FROM space_file WHERE space = $1 AND folder = $2");
    db_bind_text(count, 1, space);
    db_bind_text(count, 2, folder);
    enum status status = db_step(count);
    if (status == STATUS_OK && db_column_int(count, 0) >= FILES_FOLDER_MAX)
        status = STATUS_LIMIT;
    int depth = 0;
    while (status == STATUS_OK && folder != NULL && folder[0] != '\0') {
        if (moved != NULL && strcmp(folder, moved) == 0)
            return STATUS_INVALID;
        if (depth++ == FILES_DEPTH_MAX)
            return STATUS_LIMIT;
        status = files_load(session, space, folder, arena, &above);
        if (status == STATUS_OK && (strcmp(above.kind, "folder") != 0 || above.deleted != 0))
            status = STATUS_NOT_FOUND;
        folder = status == STATUS_OK ? above.folder : NULL;
    }
    return status;
}

/* ---- reading ---- */

struct reading {
    struct spaces_who who;
    const struct files_query *query;
    const char *id, *space, *object;
    int64_t version;
    struct arena *arena;
    struct files_file file;
    struct files_list list;
    struct files_versions versions;
};

static struct db_statement *list_select(struct db_session *session, const struct reading *reading)
{
    const struct files_query *query = reading->query;
    struct db_statement *select =
        query->deleted ? db_prepare(session, "SELECT " COLUMNS " FROM space_file WHERE space = $1"
                                             " AND deleted > 0 AND id > $2 ORDER BY id LIMIT $3")
                       : db_prepare(session, "SELECT " COLUMNS " FROM space_file WHERE space = $1"
                                             " AND folder = $4 AND deleted IS NULL AND id > $2"
                                             " ORDER BY id LIMIT $3");
    db_bind_text(select, 1, reading->who.space);
    db_bind_text(select, 2, query->cursor != NULL ? query->cursor : "");
    db_bind_int(select, 3, FILES_PAGE_MAX + 1);
    if (!query->deleted)
        db_bind_text(select, 4, query->folder != NULL ? query->folder : "");
    return select;
}

static enum status list_run(struct db_session *session, void *arg)
{
    struct reading *reading = arg;
    struct files_list *list = &reading->list;
    enum status status = spaces_seat(session, &reading->who,
                                     reading->query->deleted ? SPACES_WRITE : SPACES_READ, NULL);
    if (status != STATUS_OK)
        return status;
    struct files_file *items = arena_alloc(reading->arena, FILES_PAGE_MAX * sizeof *items);
    if (items == NULL)
        return STATUS_NO_MEMORY;
    *list = (struct files_list){.items.items = items};
    struct db_statement *select = list_select(session, reading);
    while ((status = db_step(select)) == STATUS_OK) {
        if (list->items.count == FILES_PAGE_MAX) {
            list->next_cursor = items[FILES_PAGE_MAX - 1].id;
            return STATUS_OK;
        }
        status = row_read(session, select, reading->arena, &items[list->items.count++]);
        if (status != STATUS_OK)
            return status;
    }
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

enum status files_list(struct db *db, const struct spaces_who *who, const struct files_query *query,
                       struct arena *arena, struct files_list *ret_list)
{
    struct reading reading = {.who = *who, .query = query, .arena = arena};
    enum status status = db_read(db, list_run, &reading);
    if (status == STATUS_OK)
        *ret_list = reading.list;
    return status;
}

static enum status space_run(struct db_session *session, void *arg)
{
    struct reading *reading = arg;
    struct db_statement *select = db_prepare(session, "SELECT space FROM space_file WHERE id = $1");
    db_bind_text(select, 1, reading->id);
    enum status status = db_step(select);
    if (status != STATUS_OK)
        return status;
    reading->space = arena_strdup(reading->arena, db_column_text(select, 0));
    return reading->space != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}

enum status files_space(struct db *db, const char *id, struct arena *arena, const char **ret_space)
{
    struct reading reading = {.id = id, .arena = arena};
    enum status status = db_read(db, space_run, &reading);
    if (status == STATUS_OK)
        *ret_space = reading.space;
    return status;
}

static enum status get_run(struct db_session *session, void *arg)
{
    struct reading *reading = arg;
    enum status status = spaces_seat(session, &reading->who, SPACES_READ, NULL);
    return status == STATUS_OK ? files_load(session, reading->who.space, reading->id,
                                            reading->arena, &reading->file)
                               : status;
}

enum status files_get(struct db *db, const struct spaces_who *who, const char *id,
                      struct arena *arena, struct files_file *ret_file)
{
    struct reading reading = {.who = *who, .id = id, .arena = arena};
    enum status status = db_read(db, get_run, &reading);
    if (status == STATUS_OK)
        *ret_file = reading.file;
    return status;
}

static enum status versions_run(struct db_session *session, void *arg)
{
    struct reading *reading = arg;
    struct json_list *list = &reading->versions.items;
    enum status status = spaces_seat(session, &reading->who, SPACES_HISTORY, NULL);
    if (status == STATUS_OK)
        status =
            files_load(session, reading->who.space, reading->id, reading->arena, &reading->file);
    struct files_version *items = arena_alloc(reading->arena, FILES_VERSIONS_MAX * sizeof *items);
    if (status == STATUS_OK && items == NULL)
        status = STATUS_NO_MEMORY;
    if (status != STATUS_OK)
        return status;
    *list = (struct json_list){.items = items};
    struct db_statement *select =
        db_prepare(session, "SELECT version, size, author, created FROM space_file_version"
                            " WHERE file = $1 ORDER BY version DESC LIMIT $2");
    db_bind_text(select, 1, reading->id);
    db_bind_int(select, 2, FILES_VERSIONS_MAX);
    while ((status = db_step(select)) == STATUS_OK) {
        struct files_version *version = &items[list->count++];
        *version = (struct files_version){
            .version = db_column_int(select, 0),
            .size = db_column_int(select, 1),
            .author = arena_strdup(reading->arena, db_column_text(select, 2)),
            .created = db_column_int(select, 3)};
        if (version->author == NULL)
            return STATUS_NO_MEMORY;
    }
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

enum status files_versions(struct db *db, const struct spaces_who *who, const char *id,
                           struct arena *arena, struct files_versions *ret_versions)
{
    struct reading reading = {.who = *who, .id = id, .arena = arena};
    enum status status = db_read(db, versions_run, &reading);
    if (status == STATUS_OK)
        *ret_versions = reading.versions;
    return status;
}

static enum status content_run(struct db_session *session, void *arg)
{
    struct reading *reading = arg;
    enum status status = get_run(session, reading);
    if (status == STATUS_OK && reading->file.deleted != 0)
        status = STATUS_NOT_FOUND;
    if (status == STATUS_OK && reading->version != 0 && reading->version != reading->file.version)
        status = spaces_seat(session, &reading->who, SPACES_HISTORY, NULL);
    if (status != STATUS_OK)
        return status;
    struct db_statement *select = db_prepare(
        session, "SELECT object FROM space_file_version WHERE file = $1 AND version = $2");
    db_bind_text(select, 1, reading->id);
    db_bind_int(select, 2, reading->version != 0 ? reading->version : reading->file.version);
    status = db_step(select);
    if (status != STATUS_OK)
        return status;
    reading->object = arena_strdup(reading->arena, db_column_text(select, 0));
    return reading->object != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}

enum status files_open(struct db *db, struct objects *objects, const struct spaces_who *who,
                       const char *id, int64_t version, struct arena *arena,
                       struct files_file *ret_file, struct object **ret_object)
{
    struct reading reading = {.who = *who, .id = id, .version = version, .arena = arena};
    enum status status = db_read(db, content_run, &reading);
    if (status == STATUS_OK)
        status = object_open(objects, reading.object, ret_object);
    if (status == STATUS_OK)
        *ret_file = reading.file;
    return status;
}

/* ---- changing ---- */

struct changing {
    struct spaces_who who;
    const char *id;
    const struct files_change *change;
    int64_t now_ms;
    struct arena *arena;
    struct files_file file;
    bool gone; /* contents went */
};

static enum status change_store(struct db_session *session, const struct changing *changing)
{
    const struct files_change *change = changing->change;
    const struct files_file *file = &changing->file;
    const struct vault_place place = {
        .space = file->space, .table = "space_file", .column = "name", .row = file->id};
    bool deleted =
        change->deleted == JSON_ABSENT ? file->deleted != 0 : change->deleted == JSON_YES;
    struct db_statement *update =
        db_prepare(session, "UPDATE space_file SET name = coalesce($2, name),"
                            " folder = coalesce($3, folder), deleted = $4, changed = $5"
                            " WHERE id = $1");
    db_bind_text(update, 1, file->id);
    enum status status = vault_bind(db_session_vault(session), &place, update, 2, change->name);
    db_bind_text(update, 3, change->folder);
    if (deleted)
        db_bind_int(update, 4, file->deleted != 0 ? file->deleted : changing->now_ms);
    db_bind_int(update, 5, changing->now_ms);
    if (status == STATUS_OK)
        status = db_run(update);
    return status == STATUS_OK && change->name != NULL
               ? indexing_file(session, file->space, file->id, file->name, change->name)
               : status;
}

/* The content moves to the top: it has one place, whatever its number. */
static enum status version_restore(struct db_session *session, const struct changing *changing)
{
    int64_t version = changing->change->version;
    enum status status = spaces_seat(session, &changing->who, SPACES_HISTORY, NULL);
    if (status != STATUS_OK || version == changing->file.version)
        return status;
    struct db_statement *move =
        db_prepare(session, "UPDATE space_file_version SET version = $3"
                            " WHERE file = $1 AND version = $2 RETURNING size");
    db_bind_text(move, 1, changing->id);
    db_bind_int(move, 2, version);
    db_bind_int(move, 3, changing->file.version + 1);
    status = db_step(move);
    if (status != STATUS_OK)
        return status;
    struct db_statement *update =
        db_prepare(session, "UPDATE space_file SET version = version + 1, size = $2 WHERE id = $1");
    db_bind_text(update, 1, changing->id);
    db_bind_int(update, 2, db_column_int(move, 0));
    status = db_run(update);
    return status == STATUS_OK
               ? file_texts_want(session, changing->who.space, changing->id, changing->now_ms)
               : status;
}

static enum status change_run(struct db_session *session, void *arg)
{
    struct changing *changing = arg;
    enum status status = spaces_seat(session, &changing->who, SPACES_WRITE, NULL);
    if (status == STATUS_OK)
        status = files_load(session, changing->who.space, changing->id, changing->arena,
                            &changing->file);
    if (status == STATUS_OK && changing->change->folder != NULL)
        status = files_folder_check(session, changing->who.space, changing->change->folder,
                                    changing->id, changing->arena);
    if (status == STATUS_OK && changing->change->version != 0)
        status = version_restore(session, changing);
    if (status == STATUS_OK)
        status = change_store(session, changing);
    if (status == STATUS_OK)
        status = spaces_event(session, changing->who.space, "file.updated", changing->id,
                              changing->now_ms);
    return status == STATUS_OK ? files_load(session, changing->who.space, changing->id,
                                            changing->arena, &changing->file)
                               : status;
}

enum status files_change(struct db *db, const struct spaces_who *who, const char *id,
                         const struct files_change *change, int64_t now_ms, struct arena *arena,
                         struct files_file *ret_file)
{
    struct changing changing = {
        .who = *who, .id = id, .change = change, .now_ms = now_ms, .arena = arena};
    if ((change->name != NULL && !files_name_valid(change->name)) ||
        (change->name == NULL && change->folder == NULL && change->deleted == JSON_ABSENT &&
         change->version == 0))
        return STATUS_INVALID;
    enum status status = db_write(db, change_run, &changing);
    if (status == STATUS_OK)
        *ret_file = changing.file;
    return status;
}

/* ---- for good ---- */

static enum status contents_doom(struct db_session *session, const char *file)
{
    struct db_statement *select =
        db_prepare(session, "SELECT object FROM space_file_version WHERE file = $1");
    db_bind_text(select, 1, file);
    enum status status;
    while ((status = db_step(select)) == STATUS_OK) {
        status = object_doom(session, db_column_text(select, 0));
        if (status != STATUS_OK)
            return status;
    }
    struct db_statement *drop =
        db_prepare(session, "DELETE FROM space_file_version WHERE file = $1");
    db_bind_text(drop, 1, file);
    return status == STATUS_NOT_FOUND ? db_run(drop) : status;
}

static enum status file_remove(struct db_session *session, struct changing *changing)
{
    struct db_statement *inside =
        db_prepare(session, "SELECT id FROM space_file WHERE space = $1 AND folder = $2 LIMIT 1");
    db_bind_text(inside, 1, changing->who.space);
    db_bind_text(inside, 2, changing->id);
    enum status status = db_step(inside);
    if (status != STATUS_NOT_FOUND)
        return status == STATUS_OK ? STATUS_EXISTS : status;
    status = contents_doom(session, changing->id);
    struct db_statement *drop = db_prepare(session, "DELETE FROM space_file WHERE id = $1");
    db_bind_text(drop, 1, changing->id);
    if (status == STATUS_OK)
        status = db_run(drop);
    if (status == STATUS_OK)
        status =
            indexing_file(session, changing->who.space, changing->id, changing->file.name, NULL);
    changing->gone = true;
    return status == STATUS_OK ? spaces_event(session, changing->who.space, "file.removed",
                                              changing->id, changing->now_ms)
                               : status;
}

static enum status delete_run(struct db_session *session, void *arg)
{
    struct changing *changing = arg;
    enum status status = spaces_seat(session, &changing->who, SPACES_WRITE, NULL);
    if (status == STATUS_OK)
        status = files_load(session, changing->who.space, changing->id, changing->arena,
                            &changing->file);
    if (status == STATUS_OK && changing->file.deleted != 0)
        return file_remove(session, changing);
    if (status == STATUS_OK)
        status = change_store(session, changing);
    return status == STATUS_OK ? spaces_event(session, changing->who.space, "file.updated",
                                              changing->id, changing->now_ms)
                               : status;
}

enum status files_delete(struct db *db, struct objects *objects, const struct spaces_who *who,
                         const char *id, int64_t now_ms)
{
    static const struct files_change away = {.deleted = JSON_YES};
    struct changing changing = {.who = *who, .id = id, .change = &away, .now_ms = now_ms};
    enum status status = arena_new(65536, &changing.arena);
    if (status == STATUS_OK)
        status = db_write(db, delete_run, &changing);
    if (status == STATUS_OK && changing.gone)
        status = objects_reap(objects);
    arena_free(changing.arena);
    return status;
}

enum { PURGE_MAX = 100 /* files in one transaction */ };

struct purging {
    const char *space;
    bool more;
};

static enum status purge_run(struct db_session *session, void *arg)
{
    struct purging *purging = arg;
    char ids[PURGE_MAX][CRYPTO_ID_CHARS + 1];
    size_t count = 0;
    struct db_statement *select =
        db_prepare(session, "SELECT id FROM space_file WHERE space = $1 LIMIT $2");
    db_bind_text(select, 1, purging->space);
    db_bind_int(select, 2, PURGE_MAX);
    enum status status;
    while ((status = db_step(select)) == STATUS_OK)
        snprintf(ids[count++], sizeof ids[0], "%s", db_column_text(select, 0));
    struct db_statement *uploads = db_prepare(session, "DELETE FROM space_upload WHERE space = $1");
    db_bind_text(uploads, 1, purging->space);
    purging->more = count == PURGE_MAX;
    if (status != STATUS_NOT_FOUND)
        return status;
    status = db_run(uploads);
    if (status == STATUS_OK)
        status = shares_purge(session, purging->space);
    for (size_t i = 0; status == STATUS_OK && i < count; i++) {
        status = contents_doom(session, ids[i]);
        struct db_statement *drop = db_prepare(session, "DELETE FROM space_file WHERE id = $1");
        db_bind_text(drop, 1, ids[i]);
        if (status == STATUS_OK)
            status = db_run(drop);
        if (status == STATUS_OK)
            status = indexing_file_forget(session, ids[i]);
    }
    return status;
}

enum status files_purge(struct db *db, struct objects *objects, const char *space)
{
    struct purging purging = {.space = space};
    enum status status;
    do
        status = db_write(db, purge_run, &purging);
    while (status == STATUS_OK && purging.more);
    return status == STATUS_OK ? objects_reap(objects) : status;
}
