/*
 * storage/objects/objects.h - contents of files: encrypted, streamed, resumed, whole or not there.
 *
 * An object is chunks of 64 KiB, AES-256-GCM in the STREAM construction (Hoang, Reyhanitabar,
 * Rogaway, Vizár, CRYPTO 2015): the nonce says which chunk it is and whether it is the last, so
 * that cutting, swapping or repeating chunks is found like a flipped bit. Each object has a random
 * key, kept in its row, sealed with the space's key (storage/vault/vault.h). What it is called and
 * who may read it is a module's business.
 *
 *   upload_new -> upload_open -> upload_append ... upload_sync -> upload_close   (again and again)
 *              -> upload_open -> upload_append ... upload_finish, object_adopt   -> upload_close
 *
 * Thread: an upload or object belongs to one at a time; the rest is for any that may block.
 */
#ifndef STORAGE_OBJECTS_OBJECTS_H
#define STORAGE_OBJECTS_OBJECTS_H

#include "core/crypto.h"
#include "storage/db.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    OBJECTS_CHUNK = 65536,   /* bytes of content that are decrypted together */
    OBJECTS_OPEN_MAX = 4096, /* uploads that are being appended to at once */
    OBJECTS_HOLDER_MAX = 64, /* bytes of a user's or space's id */
};
#define OBJECTS_OWNER_MAX (INT64_C(50) << 30)  /* bytes, unless objects_quotas says otherwise */
#define OBJECTS_SPACE_MAX (INT64_C(200) << 30) /* likewise */
#define OBJECTS_SIZE_MAX                                                                           \
    (INT64_C(1) << 44) /* bytes of one object: 16 TiB, far below 2^32 chunks                       \
                        */

struct objects;
struct upload;
struct object;

/* `directory` is DATA: objects/ and uploads/ are made in it. Removes what a crash left: files of
 * deleted objects, files of uploads that have no row. The database outlives it. Errors: STATUS_IO,
 * STATUS_NO_MEMORY, as db_write. */
MUST_USE enum status objects_open(struct db *db, const char *directory,
                                  struct objects **ret_objects);
/* No upload or object is open. Accepts NULL, returns NULL. */
struct objects *objects_close(struct objects *objects);

/* ---- quotas ---- */

/* What a user and a space may keep when nobody has said otherwise; before the first upload. */
void objects_quotas(struct objects *objects, int64_t owner_max, int64_t space_max);

struct objects_usage {
    int64_t bytes; /* kept, unfinished uploads too */
    int64_t max;   /* the quota */
    bool own;      /* somebody has set it for this holder */
};

/* Of a user or a space (kind 'u' or 's'). */
MUST_USE enum status objects_usage(struct objects *objects, char kind, const char *holder,
                                   struct objects_usage *ret_usage);
/* `max` -1: what holds for all again. More may be kept already: nothing is deleted. */
MUST_USE enum status objects_quota_set(struct objects *objects, char kind, const char *holder,
                                       int64_t max);

/* ---- writing ---- */

struct upload_spec {
    const char *space;     /* whose key and quota; NULL: the server's */
    const char *owner;     /* whose quota: a user's id */
    int64_t length;        /* bytes, known from the start: they count at once */
    const uint8_t *digest; /* SHA-256 it must have, or NULL */
};

/* Errors: STATUS_INVALID, STATUS_LIMIT (a quota is full), STATUS_CLOSED (the space has no key),
 * STATUS_IO, as db_write. */
MUST_USE enum status upload_new(struct objects *objects, const struct upload_spec *spec,
                                int64_t now_ms, char ret_id[CRYPTO_ID_CHARS + 1]);
struct upload_state {
    int64_t offset;  /* what survives a crash */
    int64_t touched; /* ms since 1970 of the last upload_sync */
};

/* In a body. Errors: STATUS_NOT_FOUND. */
MUST_USE enum status upload_look(struct db_session *session, const char *id,
                                 struct upload_state *ret_state);
/* Errors: STATUS_NOT_FOUND (none such, or not this owner's), STATUS_AGAIN (somebody else has it
 * open), STATUS_LIMIT (OBJECTS_OPEN_MAX, or cut off by too many restarts: begin a new one),
 * STATUS_CORRUPT, STATUS_IO, STATUS_NO_MEMORY. */
MUST_USE enum status upload_open(struct objects *objects, const char *id, const char *owner,
                                 struct upload **ret_upload);
/* Bytes it has; those up to the last upload_sync survive a crash. */
int64_t upload_offset(const struct upload *upload);
int64_t upload_length(const struct upload *upload);
/* `offset` is where the bytes belong. Errors: STATUS_OUT_OF_WINDOW (not upload_offset),
 * STATUS_LIMIT (beyond the length), STATUS_IO (the upload is to be closed). */
MUST_USE enum status upload_append(struct upload *upload, int64_t offset, const void *data,
                                   size_t length);
/* What was appended is durable when this returns. Errors: STATUS_IO, as db_write. */
MUST_USE enum status upload_sync(struct upload *upload);
/* Checks the digest and puts the file, whole and durable, where object_adopt expects it. Errors:
 * STATUS_AGAIN (bytes are missing), STATUS_CORRUPT (the digest is another: cancel it), STATUS_IO.
 */
MUST_USE enum status upload_finish(struct upload *upload);
/* In the db_write body that makes the file's row, after upload_finish: the object is there when
 * that commits; its id is the upload's. Errors: as db_run. */
MUST_USE enum status object_adopt(struct db_session *session, const struct upload *upload,
                                  int64_t now_ms);
/* What was not synced is gone, unless it was adopted. Accepts NULL, returns NULL. */
struct upload *upload_close(struct upload *upload);
/* Gives the quota back. Errors: STATUS_NOT_FOUND, STATUS_AGAIN (it is open), as db_write. */
MUST_USE enum status upload_cancel(struct objects *objects, const char *id, const char *owner);
/* Cancels those that were not synced since before_ms. */
MUST_USE enum status uploads_expire(struct objects *objects, int64_t before_ms, int64_t *ret_count);

/* ---- reading ---- */

/* Errors: STATUS_NOT_FOUND, STATUS_CLOSED (the space's key is destroyed), STATUS_CORRUPT (the file
 * is missing or too short, or not this object's), STATUS_IO, STATUS_NO_MEMORY. */
MUST_USE enum status object_open(struct objects *objects, const char *id,
                                 struct object **ret_object);
int64_t object_size(const struct object *object);
/* SHA-256 of the content. */
const uint8_t *object_digest(const struct object *object);
/* Up to `length` bytes from `offset`; decrypts the chunks they are in and no other. *ret_got is 0
 * at the end only. Errors: STATUS_CORRUPT (nothing of the chunk was given out), STATUS_IO. */
MUST_USE enum status object_read(struct object *object, int64_t offset, void *ret_data,
                                 size_t length, size_t *ret_got);
/* Accepts NULL, returns NULL. */
struct object *object_close(struct object *object);

/* In the db_write body that deletes the file: its key goes with the transaction, its quota comes
 * back. Call objects_reap afterwards. Errors: STATUS_NOT_FOUND, as db_run. */
MUST_USE enum status object_doom(struct db_session *session, const char *id);
/* Removes the files of doomed objects; objects_open finishes what a crash left. */
MUST_USE enum status objects_reap(struct objects *objects);

#endif
