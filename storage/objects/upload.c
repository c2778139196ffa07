#include "core/clock.h"
#include "storage/durable.h"
#include "storage/objects/objects_state.h"
#include "storage/vault/vault.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct upload {
    struct objects *objects;
    char id[CRYPTO_ID_CHARS + 1];
    char space[OBJECTS_HOLDER_MAX + 1], owner[OBJECTS_HOLDER_MAX + 1]; /* space "": the server */
    int fd;
    int64_t length, offset;
    int64_t boot;
    struct stream_secret secret;
    struct crypto_digest *digest; /* NULL: begun in an earlier session, so it is read again */
    bool failed;                  /* a write failed: what is in the file is not known */
    size_t tail_length;           /* of the chunk that is not full yet */
    uint8_t tail[OBJECTS_CHUNK];
    uint8_t sealed[STREAM_CHUNK + VAULT_OVERHEAD];
};

static const char *space_of(const struct upload *upload)
{
    return upload->space[0] != '\0' ? upload->space : NULL;
}

/* Chunks in the file: all that are full but the last one of the content, which waits for
 * upload_finish to be sealed as the last, once. */
static uint32_t chunks_written(const struct upload *upload)
{
    int64_t bytes = upload->offset;
    if (bytes > 0 && bytes == upload->length)
        bytes--;
    return (uint32_t)(bytes / OBJECTS_CHUNK);
}

/* ---- making ---- */

struct making {
    const struct objects *objects;
    const struct upload_spec *spec;
    const char *id;
    struct stream_secret secret;
    int64_t now_ms;
};

static enum status make_run(struct db_session *session, void *arg)
{
    const struct making *making = arg;
    const struct upload_spec *spec = making->spec;
    enum status status = usage_add(session, making->objects, spec, spec->length);
    if (status != STATUS_OK)
        return status;
    struct db_statement *insert =
        db_prepare(session, "INSERT INTO upload (id, space, owner, length, received, boot, secret,"
                            " touched) VALUES ($1, $2, $3, $4, 0, $5, $6, $7)");
    db_bind_text(insert, 1, making->id);
    db_bind_text(insert, 2, spec->space);
    db_bind_text(insert, 3, spec->owner);
    db_bind_int(insert, 4, spec->length);
    db_bind_int(insert, 5, making->objects->boot);
    status = secret_bind(session, spec->space, "upload", making->id, &making->secret, insert, 6);
    db_bind_int(insert, 7, making->now_ms);
    return status == STATUS_OK ? db_run(insert) : status;
}

static bool holder_valid(const char *holder)
{
    return holder && holder[0] != '\0' &&
           strnlen(holder, OBJECTS_HOLDER_MAX + 1) <= OBJECTS_HOLDER_MAX;
}

enum status upload_new(struct objects *objects, const struct upload_spec *spec, int64_t now_ms,
                       char ret_id[CRYPTO_ID_CHARS + 1])
{
    char id[CRYPTO_ID_CHARS + 1];
    struct making making = {.objects = objects, .spec = spec, .id = id, .now_ms = now_ms};
    if (!holder_valid(spec->owner) || (spec->space && !holder_valid(spec->space)) ||
        spec->length < 0 || spec->length > OBJECTS_SIZE_MAX)
        return STATUS_INVALID;
    crypto_id(id);
    stream_secret_make(&making.secret);
    making.secret.size = spec->length;
    making.secret.digest_known = spec->digest != NULL;
    if (spec->digest)
        memcpy(making.secret.digest, spec->digest, CRYPTO_SHA256_BYTES);
    enum status status = db_write(objects->db, make_run, &making);
    crypto_wipe(&making.secret, sizeof making.secret);
    if (status == STATUS_OK)
        memcpy(ret_id, id, sizeof id);
    return status;
}

/* ---- opening ---- */

static enum status state_read(struct db_session *session, void *arg)
{
    struct upload *upload = arg;
    struct vault *vault = db_session_vault(session);
    struct db_statement *select =
        db_prepare(session, "SELECT space, length, received, boot, secret, tail FROM upload"
                            " WHERE id = $1 AND owner = $2");
    db_bind_text(select, 1, upload->id);
    db_bind_text(select, 2, upload->owner);
    enum status status = db_step(select);
    if (status != STATUS_OK)
        return status;
    const char *space = db_column_text(select, 0);
    if (space)
        memcpy(upload->space, space, strnlen(space, OBJECTS_HOLDER_MAX));
    upload->length = db_column_int(select, 1);
    upload->offset = db_column_int(select, 2);
    upload->boot = db_column_int(select, 3);
    upload->tail_length =
        (size_t)(upload->offset - (int64_t)chunks_written(upload) * OBJECTS_CHUNK);
    status = secret_column(session, space, "upload", upload->id, select, 4, &upload->secret);
    if (status != STATUS_OK || upload->tail_length == 0)
        return status;
    size_t length;
    const uint8_t *sealed = db_column_blob(select, 5, &length);
    struct vault_place place = {
        .space = space, .table = "upload", .column = "tail", .row = upload->id};
    if (length != upload->tail_length + VAULT_OVERHEAD)
        return STATUS_CORRUPT;
    return vault_unseal(vault, &place, sealed, length, upload->tail);
}

enum status upload_look(struct db_session *session, const char *id, struct upload_state *ret_state)
{
    struct db_statement *select =
        db_prepare(session, "SELECT received, touched FROM upload WHERE id = $1");
    db_bind_text(select, 1, id);
    enum status status = db_step(select);
    if (status == STATUS_OK)
        *ret_state = (struct upload_state){db_column_int(select, 0), db_column_int(select, 1)};
    return status;
}

static enum status state_write(struct db_session *session, void *arg)
{
    struct upload *upload = arg;
    struct db_statement *update =
        db_prepare(session, "UPDATE upload SET received = $2, boot = $3, secret = $4, tail = $5,"
                            " touched = $6 WHERE id = $1");
    db_bind_text(update, 1, upload->id);
    db_bind_int(update, 2, upload->offset);
    db_bind_int(update, 3, upload->objects->boot);
    enum status status =
        secret_bind(session, space_of(upload), "upload", upload->id, &upload->secret, update, 4);
    struct vault_place place = {
        .space = space_of(upload), .table = "upload", .column = "tail", .row = upload->id};
    if (status == STATUS_OK && upload->tail_length > 0) {
        status = vault_seal(db_session_vault(session), &place, upload->tail, upload->tail_length,
                            upload->sealed);
        db_bind_blob(update, 5, upload->sealed, upload->tail_length + VAULT_OVERHEAD);
    }
    db_bind_int(update, 6, clock_wall_ms());
    return status == STATUS_OK ? db_run(update) : status;
}

/* The file, also when it was finished but not adopted. */
static enum status file_find(struct upload *upload)
{
    char path[OBJECTS_PATH_MAX], folder[OBJECTS_PATH_MAX], finished[OBJECTS_PATH_MAX];
    enum status status = objects_upload_path(upload->objects, upload->id, path);
    if (status == STATUS_OK)
        status = objects_path(upload->objects, upload->id, folder, finished);
    if (status != STATUS_OK)
        return status;
    if (access(path, F_OK) != 0 && rename(finished, path) != 0 && errno != ENOENT)
        return STATUS_IO;
    upload->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    return upload->fd >= 0 ? STATUS_OK : STATUS_IO;
}

/* The chunks that were acknowledged are there; what comes after them is cut off, and its nonces
 * are not used again. */
static enum status file_open(struct upload *upload)
{
    struct stat info;
    off_t size = (off_t)chunks_written(upload) * STREAM_CHUNK;
    enum status status = file_find(upload);
    if (status == STATUS_OK && fstat(upload->fd, &info) != 0)
        status = STATUS_IO;
    if (status == STATUS_OK && info.st_size < size)
        status = STATUS_CORRUPT;
    if (status != STATUS_OK || (info.st_size == size && upload->boot == upload->objects->boot))
        return status;
    if (ftruncate(upload->fd, size) != 0)
        return STATUS_IO;
    status = stream_run_add(&upload->secret, chunks_written(upload));
    return status == STATUS_OK ? db_write(upload->objects->db, state_write, upload) : status;
}

/* One at a time has an upload open. */
static enum status claim(struct objects *objects, struct upload *upload)
{
    enum status status = STATUS_AGAIN;
    uint64_t key = map_key_of(upload->id);
    lock_take(&objects->lock);
    if (map_count(objects->open) >= OBJECTS_OPEN_MAX)
        status = STATUS_LIMIT;
    else if (!map_get(objects->open, key))
        status = map_put(objects->open, key, upload);
    lock_give(&objects->lock);
    return status;
}

enum status upload_open(struct objects *objects, const char *id, const char *owner,
                        struct upload **ret_upload)
{
    if (strnlen(id, CRYPTO_ID_CHARS + 1) != CRYPTO_ID_CHARS || !holder_valid(owner))
        return STATUS_NOT_FOUND;
    struct upload *upload = calloc(1, sizeof *upload);
    if (!upload)
        return STATUS_NO_MEMORY;
    upload->fd = -1;
    memcpy(upload->id, id, CRYPTO_ID_CHARS);
    memcpy(upload->owner, owner, strlen(owner));
    enum status status = claim(objects, upload);
    if (status != STATUS_OK) {
        free(upload);
        return status;
    }
    upload->objects = objects;
    status = db_read(objects->db, state_read, upload);
    if (status == STATUS_OK)
        status = file_open(upload);
    if (status == STATUS_OK && upload->offset == 0)
        status = crypto_digest_new(&upload->digest);
    if (status != STATUS_OK) {
        upload_close(upload);
        return status;
    }
    *ret_upload = upload;
    return STATUS_OK;
}

struct upload *upload_close(struct upload *upload)
{
    if (!upload)
        return NULL;
    lock_take(&upload->objects->lock);
    map_remove(upload->objects->open, map_key_of(upload->id));
    lock_give(&upload->objects->lock);
    if (upload->fd >= 0)
        close(upload->fd);
    crypto_digest_free(upload->digest);
    crypto_wipe(upload, sizeof *upload);
    free(upload);
    return NULL;
}

int64_t upload_offset(const struct upload *upload)
{
    return upload->offset;
}

int64_t upload_length(const struct upload *upload)
{
    return upload->length;
}

/* ---- appending ---- */

static enum status chunk_write(struct upload *upload, uint32_t chunk, bool last)
{
    size_t length = upload->tail_length + CRYPTO_TAG_BYTES, done = 0;
    stream_seal(&upload->secret, chunk, last, upload->tail, upload->tail_length, upload->sealed);
    upload->failed = true;
    while (done < length) {
        ssize_t wrote = pwrite(upload->fd, upload->sealed + done, length - done,
                               (off_t)chunk * STREAM_CHUNK + (off_t)done);
        if (wrote < 0 && errno != EINTR)
            return STATUS_IO;
        done += wrote > 0 ? (size_t)wrote : 0;
    }
    upload->failed = false;
    return STATUS_OK;
}

enum status upload_append(struct upload *upload, int64_t offset, const void *data, size_t length)
{
    const uint8_t *at = data;
    if (upload->failed)
        return STATUS_IO;
    if (offset != upload->offset)
        return STATUS_OUT_OF_WINDOW;
    if ((int64_t)length > upload->length - offset)
        return STATUS_LIMIT;
    while (length > 0) {
        size_t take = OBJECTS_CHUNK - upload->tail_length;
        take = take < length ? take : length;
        memcpy(upload->tail + upload->tail_length, at, take);
        if (upload->digest)
            crypto_digest_add(upload->digest, at, take);
        upload->tail_length += take;
        upload->offset += (int64_t)take;
        at += take;
        length -= take;
        if (upload->tail_length < OBJECTS_CHUNK || upload->offset == upload->length)
            continue;
        enum status status = chunk_write(upload, chunks_written(upload) - 1, false);
        if (status != STATUS_OK)
            return status;
        upload->tail_length = 0;
    }
    return STATUS_OK;
}

enum status upload_sync(struct upload *upload)
{
    if (upload->failed)
        return STATUS_IO;
    /* What could not be synced once may be gone although a second attempt succeeds. */
    upload->failed = fdatasync(upload->fd) != 0;
    return upload->failed ? STATUS_IO : db_write(upload->objects->db, state_write, upload);
}

/* ---- finishing ---- */

static enum status digest_read_again(struct upload *upload, uint8_t *ret_digest)
{
    struct object *object = NULL;
    struct crypto_digest *digest = NULL;
    int64_t at = 0;
    size_t got = 1;
    int fd = fcntl(upload->fd, F_DUPFD_CLOEXEC, 0);
    if (fd < 0)
        return STATUS_IO;
    enum status status = object_of(fd, &upload->secret, &object);
    if (status == STATUS_OK)
        status = crypto_digest_new(&digest);
    while (status == STATUS_OK && got > 0) {
        status = object_read(object, at, upload->tail, sizeof upload->tail, &got);
        if (status == STATUS_OK)
            crypto_digest_add(digest, upload->tail, got);
        at += (int64_t)got;
    }
    if (status == STATUS_OK)
        crypto_digest_end(digest, ret_digest);
    crypto_digest_free(digest);
    object_close(object);
    return status;
}

static enum status digest_check(struct upload *upload)
{
    uint8_t digest[CRYPTO_SHA256_BYTES];
    enum status status = STATUS_OK;
    if (upload->digest)
        crypto_digest_end(upload->digest, digest);
    else
        status = digest_read_again(upload, digest);
    if (status != STATUS_OK)
        return status;
    if (upload->secret.digest_known && !crypto_equal(digest, upload->secret.digest, sizeof digest))
        return STATUS_CORRUPT;
    memcpy(upload->secret.digest, digest, sizeof digest);
    upload->secret.digest_known = true;
    return STATUS_OK;
}

enum status upload_finish(struct upload *upload)
{
    char from[OBJECTS_PATH_MAX], folder[OBJECTS_PATH_MAX], path[OBJECTS_PATH_MAX];
    if (upload->failed)
        return STATUS_IO;
    if (upload->offset < upload->length)
        return STATUS_AGAIN;
    enum status status = chunk_write(upload, (uint32_t)(stream_chunks(upload->length) - 1), true);
    if (status == STATUS_OK)
        status = digest_check(upload);
    upload->failed = true; /* it is finished: nothing more can be appended */
    if (status == STATUS_OK && fsync(upload->fd) != 0)
        status = STATUS_IO;
    if (status == STATUS_OK)
        status = objects_upload_path(upload->objects, upload->id, from);
    if (status == STATUS_OK)
        status = objects_path(upload->objects, upload->id, folder, path);
    if (status == STATUS_OK)
        status = durable_folder_make(upload->objects->folder, folder);
    if (status == STATUS_OK && rename(from, path) != 0)
        status = STATUS_IO;
    if (status == STATUS_OK)
        status = durable_folder_sync(folder);
    upload->secret.complete = status == STATUS_OK;
    return status;
}

enum status object_adopt(struct db_session *session, const struct upload *upload, int64_t now_ms)
{
    if (!upload->secret.complete)
        return STATUS_INVALID;
    struct db_statement *remove = db_prepare(session, "DELETE FROM upload WHERE id = $1");
    db_bind_text(remove, 1, upload->id);
    enum status status = db_run(remove);
    if (status != STATUS_OK)
        return status;
    struct db_statement *insert =
        db_prepare(session, "INSERT INTO object (id, space, owner, size, secret, created)"
                            " VALUES ($1, $2, $3, $4, $5, $6)");
    db_bind_text(insert, 1, upload->id);
    db_bind_text(insert, 2, space_of(upload));
    db_bind_text(insert, 3, upload->owner);
    db_bind_int(insert, 4, upload->length);
    status =
        secret_bind(session, space_of(upload), "object", upload->id, &upload->secret, insert, 5);
    db_bind_int(insert, 6, now_ms);
    return status == STATUS_OK ? db_run(insert) : status;
}
