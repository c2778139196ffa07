#include "storage/objects/objects.h"

#include "storage/durable.h"
#include "storage/objects/objects_state.h"
#include "storage/vault/vault.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BATCH = 64 }; /* rows of a transaction that cleans up */

/* ---- paths ---- */

/* Ids are crypto_id's: no path can be made of them. */
static bool id_valid(const char *id)
{
    return strnlen(id, CRYPTO_ID_CHARS + 1) == CRYPTO_ID_CHARS && !strpbrk(id, "./");
}

enum status objects_path(const struct objects *objects, const char *id,
                         char ret_folder[OBJECTS_PATH_MAX], char ret_path[OBJECTS_PATH_MAX])
{
    if (!id_valid(id) ||
        snprintf(ret_folder, OBJECTS_PATH_MAX, "%s/%.2s", objects->folder, id) >=
            OBJECTS_PATH_MAX ||
        snprintf(ret_path, OBJECTS_PATH_MAX, "%s/%.2s/%s", objects->folder, id, id) >=
            OBJECTS_PATH_MAX)
        return STATUS_INVALID;
    return STATUS_OK;
}

enum status objects_upload_path(const struct objects *objects, const char *id,
                                char ret_path[OBJECTS_PATH_MAX])
{
    if (!id_valid(id) ||
        snprintf(ret_path, OBJECTS_PATH_MAX, "%s/%s", objects->uploads, id) >= OBJECTS_PATH_MAX)
        return STATUS_INVALID;
    return STATUS_OK;
}

/* ---- rows ---- */

static enum status holder_make(struct db_session *session, const char *kind, const char *holder)
{
    struct db_statement *insert =
        db_prepare(session, "INSERT INTO object_usage (kind, holder, bytes) VALUES ($1, $2, 0)"
                            " ON CONFLICT (kind, holder) DO NOTHING");
    db_bind_text(insert, 1, kind);
    db_bind_text(insert, 2, holder);
    return db_run(insert);
}

static enum status holder_add(struct db_session *session, const char *kind, const char *holder,
                              int64_t bytes, int64_t max)
{
    enum status status = holder_make(session, kind, holder);
    if (status != STATUS_OK)
        return status;
    struct db_statement *update =
        db_prepare(session, "UPDATE object_usage SET bytes = bytes + $3"
                            " WHERE kind = $1 AND holder = $2"
                            " AND ($3 <= 0 OR bytes <= coalesce(quota, $4) - $3)"
                            " RETURNING bytes");
    db_bind_text(update, 1, kind);
    db_bind_text(update, 2, holder);
    db_bind_int(update, 3, bytes);
    db_bind_int(update, 4, max);
    status = db_step(update);
    return status == STATUS_NOT_FOUND ? STATUS_LIMIT : status;
}

enum status usage_add(struct db_session *session, const struct objects *objects,
                      const struct upload_spec *spec, int64_t bytes)
{
    enum status status =
        holder_add(session, "u", spec->owner, bytes, objects != NULL ? objects->owner_max : 0);
    if (status == STATUS_OK && spec->space)
        status =
            holder_add(session, "s", spec->space, bytes, objects != NULL ? objects->space_max : 0);
    return status;
}

struct usage {
    char kind[2];
    const char *holder;
    int64_t max; /* to be set; of all, to be read */
    struct objects_usage found;
};

static enum status usage_read(struct db_session *session, void *arg)
{
    struct usage *usage = arg;
    struct db_statement *select =
        db_prepare(session, "SELECT bytes, coalesce(quota, $3), quota IS NOT NULL FROM object_usage"
                            " WHERE kind = $1 AND holder = $2");
    db_bind_text(select, 1, usage->kind);
    db_bind_text(select, 2, usage->holder);
    db_bind_int(select, 3, usage->max);
    enum status status = db_step(select);
    usage->found = (struct objects_usage){.max = usage->max};
    if (status == STATUS_OK)
        usage->found = (struct objects_usage){db_column_int(select, 0), db_column_int(select, 1),
                                              db_column_int(select, 2) != 0};
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static enum status quota_write(struct db_session *session, void *arg)
{
    const struct usage *usage = arg;
    enum status status = holder_make(session, usage->kind, usage->holder);
    if (status != STATUS_OK)
        return status;
    struct db_statement *update =
        db_prepare(session, "UPDATE object_usage SET quota = $3 WHERE kind = $1 AND holder = $2");
    db_bind_text(update, 1, usage->kind);
    db_bind_text(update, 2, usage->holder);
    if (usage->max >= 0)
        db_bind_int(update, 3, usage->max);
    return db_run(update);
}

void objects_quotas(struct objects *objects, int64_t owner_max, int64_t space_max)
{
    objects->owner_max = owner_max;
    objects->space_max = space_max;
}

enum status objects_usage(struct objects *objects, char kind, const char *holder,
                          struct objects_usage *ret_usage)
{
    struct usage usage = {.kind = {kind},
                          .holder = holder,
                          .max = kind == 'u' ? objects->owner_max : objects->space_max};
    enum status status = db_read(objects->db, usage_read, &usage);
    if (status == STATUS_OK)
        *ret_usage = usage.found;
    return status;
}

enum status objects_quota_set(struct objects *objects, char kind, const char *holder, int64_t max)
{
    struct usage usage = {.kind = {kind}, .holder = holder, .max = max};
    return db_write(objects->db, quota_write, &usage);
}

static struct vault_place secret_place(const char *space, const char *table, const char *id)
{
    return (struct vault_place){.space = space, .table = table, .column = "secret", .row = id};
}

enum status secret_bind(struct db_session *session, const char *space, const char *table,
                        const char *id, const struct stream_secret *secret,
                        struct db_statement *statement, int index)
{
    uint8_t bytes[STREAM_SECRET_MAX], sealed[STREAM_SECRET_MAX + VAULT_OVERHEAD];
    struct vault_place place = secret_place(space, table, id);
    size_t length = stream_secret_write(secret, bytes);
    enum status status = vault_seal(db_session_vault(session), &place, bytes, length, sealed);
    if (status == STATUS_OK)
        db_bind_blob(statement, index, sealed, length + VAULT_OVERHEAD);
    crypto_wipe(bytes, sizeof bytes);
    return status;
}

enum status secret_column(struct db_session *session, const char *space, const char *table,
                          const char *id, struct db_statement *row, int column,
                          struct stream_secret *ret_secret)
{
    uint8_t bytes[STREAM_SECRET_MAX];
    size_t length;
    struct vault_place place = secret_place(space, table, id);
    const uint8_t *sealed = db_column_blob(row, column, &length);
    if (length < VAULT_OVERHEAD || length > STREAM_SECRET_MAX + VAULT_OVERHEAD)
        return STATUS_CORRUPT;
    enum status status = vault_unseal(db_session_vault(session), &place, sealed, length, bytes);
    if (status == STATUS_OK)
        status = stream_secret_read(bytes, length - VAULT_OVERHEAD, ret_secret);
    crypto_wipe(bytes, sizeof bytes);
    return status;
}

/* ---- deleting ---- */

/* The row's key, space and quota go; the file waits for objects_reap. `sql` deletes one row of an
 * upload or object and returns its space, owner and length. */
static enum status row_doom(struct db_session *session, const char *sql, const char *id,
                            const char *owner)
{
    char space[OBJECTS_HOLDER_MAX + 1] = "", holder[OBJECTS_HOLDER_MAX + 1] = "";
    struct db_statement *remove = db_prepare(session, sql);
    db_bind_text(remove, 1, id);
    if (owner)
        db_bind_text(remove, 2, owner);
    enum status status = db_step(remove);
    if (status != STATUS_OK)
        return status;
    const char *text = db_column_text(remove, 0);
    int64_t bytes = db_column_int(remove, 2);
    snprintf(space, sizeof space, "%s", text ? text : "");
    snprintf(holder, sizeof holder, "%s", db_column_text(remove, 1));
    struct upload_spec spec = {.space = space[0] != '\0' ? space : NULL, .owner = holder};
    status = usage_add(session, NULL, &spec, -bytes);
    if (status != STATUS_OK)
        return status;
    struct db_statement *insert = db_prepare(
        session, "INSERT INTO object_doomed (id) VALUES ($1) ON CONFLICT (id) DO NOTHING");
    db_bind_text(insert, 1, id);
    return db_run(insert);
}

enum status object_doom(struct db_session *session, const char *id)
{
    return row_doom(session, "DELETE FROM object WHERE id = $1 RETURNING space, owner, size", id,
                    NULL);
}

struct batch {
    struct objects *objects;
    int64_t before_ms;
    const char *id, *owner;
    uint32_t count;
    char ids[BATCH][CRYPTO_ID_CHARS + 1];
};

static enum status batch_fill(struct db_statement *select, struct batch *batch)
{
    enum status status;
    batch->count = 0;
    while ((status = db_step(select)) == STATUS_OK)
        snprintf(batch->ids[batch->count++], CRYPTO_ID_CHARS + 1, "%s", db_column_text(select, 0));
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static enum status doomed_read(struct db_session *session, void *arg)
{
    struct db_statement *select =
        db_prepare(session, "SELECT id FROM object_doomed WHERE id > '' ORDER BY id LIMIT $1");
    db_bind_int(select, 1, BATCH);
    return batch_fill(select, arg);
}

static enum status doomed_forget(struct db_session *session, void *arg)
{
    const struct batch *batch = arg;
    enum status status = STATUS_OK;
    for (uint32_t i = 0; status == STATUS_OK && i < batch->count; i++) {
        struct db_statement *remove =
            db_prepare(session, "DELETE FROM object_doomed WHERE id = $1");
        db_bind_text(remove, 1, batch->ids[i]);
        status = db_run(remove);
    }
    return status;
}

static enum status files_remove(const struct objects *objects, const char *id)
{
    char folder[OBJECTS_PATH_MAX], path[OBJECTS_PATH_MAX], upload[OBJECTS_PATH_MAX];
    enum status status = objects_path(objects, id, folder, path);
    if (status == STATUS_OK)
        status = objects_upload_path(objects, id, upload);
    if (status != STATUS_OK)
        return status;
    if ((unlink(path) != 0 && errno != ENOENT) || (unlink(upload) != 0 && errno != ENOENT))
        return STATUS_IO;
    return STATUS_OK;
}

/* Should the power be cut, a file may be back without a row: it cannot be read by anybody. */
enum status objects_reap(struct objects *objects)
{
    struct batch batch = {.objects = objects};
    enum status status;
    do {
        status = db_read(objects->db, doomed_read, &batch);
        for (uint32_t i = 0; status == STATUS_OK && i < batch.count; i++)
            status = files_remove(objects, batch.ids[i]);
        if (status == STATUS_OK && batch.count > 0)
            status = db_write(objects->db, doomed_forget, &batch);
    } while (status == STATUS_OK && batch.count == BATCH);
    return status;
}

static enum status cancel_run(struct db_session *session, void *arg)
{
    const struct batch *batch = arg;
    return row_doom(session,
                    "DELETE FROM upload WHERE id = $1 AND owner = $2"
                    " RETURNING space, owner, length",
                    batch->id, batch->owner);
}

static bool upload_is_open(struct objects *objects, const char *id)
{
    lock_take(&objects->lock);
    bool open = map_get(objects->open, map_key_of(id)) != NULL;
    lock_give(&objects->lock);
    return open;
}

enum status upload_cancel(struct objects *objects, const char *id, const char *owner)
{
    struct batch batch = {.objects = objects, .id = id, .owner = owner};
    if (upload_is_open(objects, id))
        return STATUS_AGAIN;
    enum status status = db_write(objects->db, cancel_run, &batch);
    return status == STATUS_OK ? objects_reap(objects) : status;
}

static enum status expired_doom(struct db_session *session, void *arg)
{
    struct batch *batch = arg;
    struct db_statement *select =
        db_prepare(session, "SELECT id FROM upload WHERE touched < $1 ORDER BY touched LIMIT $2");
    db_bind_int(select, 1, batch->before_ms);
    db_bind_int(select, 2, BATCH);
    enum status status = batch_fill(select, batch);
    for (uint32_t i = 0; status == STATUS_OK && i < batch->count; i++)
        if (!upload_is_open(batch->objects, batch->ids[i]))
            status =
                row_doom(session, "DELETE FROM upload WHERE id = $1 RETURNING space, owner, length",
                         batch->ids[i], NULL);
    return status;
}

enum status uploads_expire(struct objects *objects, int64_t before_ms, int64_t *ret_count)
{
    struct batch batch = {.objects = objects, .before_ms = before_ms};
    int64_t count = 0;
    enum status status;
    do {
        status = db_write(objects->db, expired_doom, &batch);
        count += batch.count;
    } while (status == STATUS_OK && batch.count == BATCH);
    if (status == STATUS_OK)
        status = objects_reap(objects);
    if (status == STATUS_OK)
        *ret_count = count;
    return status;
}

/* ---- opening ---- */

static enum status upload_known(struct db_session *session, void *arg)
{
    const struct batch *batch = arg;
    struct db_statement *select = db_prepare(session, "SELECT id FROM upload WHERE id = $1");
    db_bind_text(select, 1, batch->id);
    return db_step(select);
}

/* Files of uploads whose row was never committed, or is gone. */
static enum status leftovers_remove(struct objects *objects)
{
    char path[OBJECTS_PATH_MAX];
    struct dirent *entry;
    enum status status = STATUS_OK;
    DIR *folder = opendir(objects->uploads);
    if (!folder)
        return STATUS_IO;
    while (status == STATUS_OK && (entry = readdir(folder)) != NULL) {
        struct batch batch = {.id = entry->d_name};
        if (objects_upload_path(objects, entry->d_name, path) != STATUS_OK)
            continue;
        status = db_read(objects->db, upload_known, &batch);
        if (status == STATUS_NOT_FOUND)
            status = unlink(path) == 0 ? STATUS_OK : STATUS_IO;
    }
    closedir(folder);
    return status;
}

enum status objects_open(struct db *db, const char *directory, struct objects **ret_objects)
{
    struct objects *objects = calloc(1, sizeof *objects);
    if (!objects)
        return STATUS_NO_MEMORY;
    objects->db = db;
    objects_quotas(objects, OBJECTS_OWNER_MAX, OBJECTS_SPACE_MAX);
    objects->boot = (int64_t)(crypto_random_u64() >> 1);
    enum status status = lock_init(&objects->lock);
    if (status != STATUS_OK) {
        free(objects);
        return status;
    }
    status = map_new(&objects->open);
    if (snprintf(objects->folder, sizeof objects->folder, "%s/objects", directory) >=
            (int)sizeof objects->folder ||
        snprintf(objects->uploads, sizeof objects->uploads, "%s/uploads", directory) >=
            (int)sizeof objects->uploads)
        status = STATUS_INVALID;
    if (status == STATUS_OK)
        status = durable_folder_make(directory, objects->folder);
    if (status == STATUS_OK)
        status = durable_folder_make(directory, objects->uploads);
    if (status == STATUS_OK)
        status = objects_reap(objects);
    if (status == STATUS_OK)
        status = leftovers_remove(objects);
    if (status != STATUS_OK) {
        objects_close(objects);
        return status;
    }
    *ret_objects = objects;
    return STATUS_OK;
}

struct objects *objects_close(struct objects *objects)
{
    if (!objects)
        return NULL;
    map_free(objects->open);
    lock_fini(&objects->lock);
    free(objects);
    return NULL;
}
