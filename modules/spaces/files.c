/*
 * modules/spaces/files.c - files are added, listed, moved, thrown away.
 */
#include "modules/spaces/files.h"

#include "core/text.h"
#include "modules/spaces/spaces_state.h"
#include "storage/vault/vault.h"

#include <stdio.h>
#include <string.h>

static bool name_valid(const char *name)
{
    return name != NULL && text_valid(name, 1, FILES_NAME_MAX, TEXT_LINE) && !text_blank(name) &&
           strchr(name, '/') == NULL && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

/* type/subtype of RFC 9110 tokens, no parameters. */
static bool type_valid(const char *type)
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

static enum status file_load(struct db_session *session, const char *space, const char *id,
                             struct arena *arena, struct files_file *ret_file)
{
    struct db_statement *select =
        db_prepare(session, "SELECT " COLUMNS " FROM space_file WHERE id = $1 AND space = $2");
    db_bind_text(select, 1, id);
    db_bind_text(select, 2, space);
    enum status status = db_step(select);
    return status == STATUS_OK ? row_read(session, select, arena, ret_file) : status;
}

/* `folder` "": the top. Errors: STATUS_NOT_FOUND, STATUS_LIMIT (it is full, or too deep),
 * STATUS_INVALID (it is in `moved`, or is it). */
static enum status folder_check(struct db_session *session, const char *space, const char *folder,
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
        status = file_load(session, space, folder, arena, &above);
        if (status == STATUS_OK && (strcmp(above.kind, "folder") != 0 || above.deleted != 0))
            status = STATUS_NOT_FOUND;
        folder = status == STATUS_OK ? above.folder : NULL;
    }
    return status;
}

/* ---- adding ---- */

struct adding {
    struct spaces_who who;
    const struct files_new *wish;
    const struct upload *upload;
    const char *id, *object; /* of the file, of its content */
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
    enum status status = folder_check(session, adding->who.space, folder, NULL, adding->arena);
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
    return status == STATUS_OK ? db_run(insert) : status;
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
    if (status == STATUS_OK)
        status = spaces_event(session, adding->who.space, renews ? "file.updated" : "file.added",
                              adding->id, adding->now_ms);
    return status == STATUS_OK
               ? file_load(session, adding->who.space, adding->id, adding->arena, &adding->file)
               : status;
}

/* The content first, whole and durable; then the transaction that makes it a file. */
static enum status content_add(struct db *db, struct objects *objects, struct adding *adding)
{
    const struct files_new *wish = adding->wish;
    char id[CRYPTO_ID_CHARS + 1];
    struct upload *upload = NULL;
    const struct upload_spec spec = {.space = adding->who.space,
                                     .owner = adding->who.account,
                                     .length = (int64_t)wish->length,
                                     .owner_max = FILES_OWNER_MAX,
                                     .space_max = FILES_SPACE_MAX};
    enum status status = upload_new(objects, &spec, adding->now_ms, id);
    if (status != STATUS_OK)
        return status;
    status = upload_open(objects, id, spec.owner, &upload);
    if (status == STATUS_OK)
        status = upload_append(upload, 0, wish->content, wish->length);
    if (status == STATUS_OK)
        status = upload_finish(upload);
    adding->upload = upload;
    adding->object = id;
    if (status == STATUS_OK)
        status = db_write(db, add_run, adding);
    upload_close(upload);
    if (status != STATUS_OK) {
        enum status cancelled = upload_cancel(objects, id, spec.owner);
        (void)cancelled; /* what stays is removed when it expires */
    }
    return status;
}

enum status files_add(struct db *db, struct objects *objects, const struct spaces_who *who,
                      const struct files_new *wish, int64_t now_ms, struct arena *arena,
                      struct files_file *ret_file)
{
    char id[CRYPTO_ID_CHARS + 1];
    struct adding adding = {.who = *who, .wish = wish, .now_ms = now_ms, .arena = arena};
    if ((wish->file == NULL && !name_valid(wish->name)) ||
        (wish->type != NULL && !type_valid(wish->type)))
        return STATUS_INVALID;
    crypto_id(id);
    adding.id = wish->file != NULL ? wish->file : id;
    /* Who may not write does not fill the disk first. */
    enum status status = spaces_check(db, who, SPACES_WRITE);
    if (status == STATUS_OK)
        status =
            wish->is_folder ? db_write(db, add_run, &adding) : content_add(db, objects, &adding);
    if (status == STATUS_OK && adding.doomed)
        status = objects_reap(objects);
    if (status == STATUS_OK)
        *ret_file = adding.file;
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
    return status == STATUS_OK
               ? file_load(session, reading->who.space, reading->id, reading->arena, &reading->file)
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
            file_load(session, reading->who.space, reading->id, reading->arena, &reading->file);
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
    return status == STATUS_OK ? db_run(update) : status;
}

static enum status change_run(struct db_session *session, void *arg)
{
    struct changing *changing = arg;
    enum status status = spaces_seat(session, &changing->who, SPACES_WRITE, NULL);
    if (status == STATUS_OK)
        status =
            file_load(session, changing->who.space, changing->id, changing->arena, &changing->file);
    if (status == STATUS_OK && changing->change->folder != NULL)
        status = folder_check(session, changing->who.space, changing->change->folder, changing->id,
                              changing->arena);
    if (status == STATUS_OK)
        status = change_store(session, changing);
    if (status == STATUS_OK)
        status = spaces_event(session, changing->who.space, "file.updated", changing->id,
                              changing->now_ms);
    return status == STATUS_OK ? file_load(session, changing->who.space, changing->id,
                                           changing->arena, &changing->file)
                               : status;
}

enum status files_change(struct db *db, const struct spaces_who *who, const char *id,
                         const struct files_change *change, int64_t now_ms, struct arena *arena,
                         struct files_file *ret_file)
{
    struct changing changing = {
        .who = *who, .id = id, .change = change, .now_ms = now_ms, .arena = arena};
    if ((change->name != NULL && !name_valid(change->name)) ||
        (change->name == NULL && change->folder == NULL && change->deleted == JSON_ABSENT))
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
        status =
            file_load(session, changing->who.space, changing->id, changing->arena, &changing->file);
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
    purging->more = count == PURGE_MAX;
    if (status != STATUS_NOT_FOUND)
        return status;
    status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < count; i++) {
        status = contents_doom(session, ids[i]);
        struct db_statement *drop = db_prepare(session, "DELETE FROM space_file WHERE id = $1");
        db_bind_text(drop, 1, ids[i]);
        if (status == STATUS_OK)
            status = db_run(drop);
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
