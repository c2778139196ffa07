/*
 * modules/spaces/incoming.h - contents on their way into files of a space, piece by piece.
 *
 * A content becomes a file (or the next version of one) when it is whole: in the transaction that
 * finishes it, which asks once more whether its sender may write. Until then nobody sees it, and it
 * counts for the quotas.
 *
 * What one request brings is begun, appended to and finished, or cancelled when it is freed before.
 * An upload outlives requests and the process: its row (space_upload, the name sealed) remembers
 * what it will be, storage/objects how far it has come. After it is finished the row stays until
 * uploads_expire, so that whoever lost the last answer can ask what became of it.
 *
 * Threads: an incoming belongs to one at a time; results and errors as in spaces.h.
 */
#ifndef MODULES_SPACES_INCOMING_H
#define MODULES_SPACES_INCOMING_H

#include "modules/spaces/files.h"

#define UPLOADS_LIFE_MS INT64_C(604800000) /* 7 days without a byte end an upload */

struct incoming;

/* Of one request: wish->length bytes will come. SPACES_WRITE. Errors: STATUS_INVALID,
 * STATUS_NOT_FOUND also for the folder or file, STATUS_LIMIT (a quota or a folder is full). */
MUST_USE enum status incoming_begin(struct db *db, struct objects *objects,
                                    const struct spaces_who *who, const struct files_new *wish,
                                    int64_t now_ms, struct incoming **ret_incoming);
/* Errors: as upload_append, at the present offset. */
MUST_USE enum status incoming_append(struct incoming *incoming, const void *bytes, size_t length);
/* Bytes it has, and will have. */
int64_t incoming_offset(const struct incoming *incoming);
int64_t incoming_length(const struct incoming *incoming);
/* All bytes are there: it becomes a file. Errors: as incoming_begin, STATUS_AGAIN (bytes are
 * missing), STATUS_CORRUPT (its digest is another; it is cancelled). */
MUST_USE enum status incoming_finish(struct incoming *incoming, int64_t now_ms, struct arena *arena,
                                     struct files_file *ret_file);
/* Of an upload: what it has is durable. Errors: as upload_sync. */
MUST_USE enum status incoming_sync(struct incoming *incoming);
/* Cancels what one request began; an upload goes back to its last incoming_sync. Accepts NULL,
 * returns NULL. */
struct incoming *incoming_free(struct incoming *incoming);

/* ---- uploads ---- */

struct uploads_upload {
    const char *id, *space;
    const char *file; /* what it has become; NULL: it is not whole */
    int64_t offset, length;
    int64_t expires; /* ms since 1970 */
};

extern const struct json_table uploads_upload_table;

/* Errors: as incoming_begin. */
MUST_USE enum status uploads_new(struct db *db, struct objects *objects,
                                 const struct spaces_who *who, const struct files_new *wish,
                                 int64_t now_ms, struct arena *arena,
                                 struct uploads_upload *ret_upload);

/* To others than its sender it does not exist. Errors: STATUS_NOT_FOUND also when it was over or
 * cancelled. */
MUST_USE enum status uploads_get(struct db *db, const char *account, const char *id,
                                 struct arena *arena, struct uploads_upload *ret_upload);
/* To go on with it; SPACES_WRITE in its space. Errors: STATUS_EXISTS (it is a file already), and
 * upload_open's. */
MUST_USE enum status uploads_open(struct db *db, struct objects *objects, const char *account,
                                  const char *id, struct incoming **ret_incoming);
/* Errors: STATUS_NOT_FOUND, STATUS_AGAIN (it is open). */
MUST_USE enum status uploads_cancel(struct db *db, struct objects *objects, const char *account,
                                    const char *id);
/* Those that nobody went on with since UPLOADS_LIFE_MS before now_ms. */
MUST_USE enum status uploads_sweep(struct db *db, struct objects *objects, int64_t now_ms);

#endif
