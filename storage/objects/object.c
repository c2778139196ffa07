#include "storage/objects/objects.h"

#include "storage/objects/objects_state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct object {
    int fd;
    struct stream_secret secret;
    int64_t chunk; /* the one in plain; -1: none */
    uint8_t plain[OBJECTS_CHUNK], sealed[STREAM_CHUNK];
};

/* ---- opening ---- */

enum status object_of(int fd, const struct stream_secret *secret, struct object **ret_object)
{
    struct stat info;
    struct object *object = calloc(1, sizeof *object);
    enum status status = object ? STATUS_OK : STATUS_NO_MEMORY;
    int64_t expected = secret->size + stream_chunks(secret->size) * CRYPTO_TAG_BYTES;
    if (status == STATUS_OK && fstat(fd, &info) != 0)
        status = STATUS_IO;
    if (status == STATUS_OK && info.st_size != expected)
        status = STATUS_CORRUPT;
    if (status != STATUS_OK) {
        free(object);
        close(fd);
        return status;
    }
    object->fd = fd;
    object->secret = *secret;
    object->chunk = -1;
    *ret_object = object;
    return STATUS_OK;
}

struct finding {
    const char *id;
    struct stream_secret secret;
};

static enum status find_run(struct db_session *session, void *arg)
{
    struct finding *finding = arg;
    struct db_statement *select =
        db_prepare(session, "SELECT space, secret FROM object WHERE id = $1");
    db_bind_text(select, 1, finding->id);
    enum status status = db_step(select);
    if (status != STATUS_OK)
        return status;
    return secret_column(session, db_column_text(select, 0), "object", finding->id, select, 1,
                         &finding->secret);
}

enum status object_open(struct objects *objects, const char *id, struct object **ret_object)
{
    char folder[OBJECTS_PATH_MAX], path[OBJECTS_PATH_MAX];
    struct finding finding = {.id = id};
    if (objects_path(objects, id, folder, path) != STATUS_OK)
        return STATUS_NOT_FOUND;
    enum status status = db_read(objects->db, find_run, &finding);
    if (status == STATUS_OK && !finding.secret.complete)
        status = STATUS_CORRUPT;
    if (status != STATUS_OK)
        return status;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd >= 0)
        status = object_of(fd, &finding.secret, ret_object);
    else
        status = errno == ENOENT ? STATUS_CORRUPT : STATUS_IO;
    crypto_wipe(&finding.secret, sizeof finding.secret);
    return status;
}

struct object *object_close(struct object *object)
{
    if (!object)
        return NULL;
    close(object->fd);
    crypto_wipe(object, sizeof *object);
    free(object);
    return NULL;
}

int64_t object_size(const struct object *object)
{
    return object->secret.size;
}

const uint8_t *object_digest(const struct object *object)
{
    return object->secret.digest;
}

/* ---- reading ---- */

static size_t chunk_length(const struct object *object, int64_t chunk)
{
    int64_t left = object->secret.size - chunk * OBJECTS_CHUNK;
    return left < OBJECTS_CHUNK ? (size_t)left : OBJECTS_CHUNK;
}

static enum status chunk_load(struct object *object, int64_t chunk)
{
    size_t sealed = chunk_length(object, chunk) + CRYPTO_TAG_BYTES, have = 0;
    if (object->chunk == chunk)
        return STATUS_OK;
    object->chunk = -1;
    while (have < sealed) {
        ssize_t got = pread(object->fd, object->sealed + have, sealed - have,
                            chunk * STREAM_CHUNK + (off_t)have);
        if (got < 0 && errno != EINTR)
            return STATUS_IO;
        if (got == 0)
            return STATUS_CORRUPT;
        have += got > 0 ? (size_t)got : 0;
    }
    bool last = chunk == stream_chunks(object->secret.size) - 1;
    enum status status =
        stream_open(&object->secret, (uint32_t)chunk, last, object->sealed, sealed, object->plain);
    if (status == STATUS_OK)
        object->chunk = chunk;
    return status;
}

enum status object_read(struct object *object, int64_t offset, void *ret_data, size_t length,
                        size_t *ret_got)
{
    uint8_t *at = ret_data;
    size_t left = length;
    if (offset < 0)
        return STATUS_INVALID;
    while (left > 0 && offset < object->secret.size) {
        int64_t chunk = offset / OBJECTS_CHUNK;
        size_t skip = (size_t)(offset % OBJECTS_CHUNK);
        enum status status = chunk_load(object, chunk);
        if (status != STATUS_OK)
            return status;
        size_t take = chunk_length(object, chunk) - skip;
        take = take < left ? take : left;
        memcpy(at, object->plain + skip, take);
        at += take;
        left -= take;
        offset += (int64_t)take;
    }
    *ret_got = length - left;
    return STATUS_OK;
}
