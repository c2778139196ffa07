/*
 * storage/objects/objects_state.h - what objects.c, upload.c and object.c share; private.
 */
#ifndef STORAGE_OBJECTS_OBJECTS_STATE_H
#define STORAGE_OBJECTS_OBJECTS_STATE_H

#include "core/lock.h"
#include "core/map.h"
#include "storage/objects/stream.h"

#include <limits.h>

enum { OBJECTS_PATH_MAX = PATH_MAX };

struct objects {
    struct db *db;
    char folder[OBJECTS_PATH_MAX];  /* DATA/objects: ID[0..2)/ID */
    char uploads[OBJECTS_PATH_MAX]; /* DATA/uploads: ID */
    int64_t boot;                   /* of this process: uploads know whether it is another */
    int64_t owner_max, space_max;   /* quotas that hold for all */
    struct lock lock;
    struct map *open; /* ids of uploads that are open: the value is the upload's id text */
};

/* Errors: STATUS_INVALID (no id, or too long). */
MUST_USE enum status objects_path(const struct objects *objects, const char *id,
                                  char ret_folder[OBJECTS_PATH_MAX],
                                  char ret_path[OBJECTS_PATH_MAX]);
MUST_USE enum status objects_upload_path(const struct objects *objects, const char *id,
                                         char ret_path[OBJECTS_PATH_MAX]);

/* In a body: `bytes` more, within the quotas, or less, for the space and the owner of spec.
 * `objects` may be NULL for less. Errors: STATUS_LIMIT. */
MUST_USE enum status usage_add(struct db_session *session, const struct objects *objects,
                               const struct upload_spec *spec, int64_t bytes);

/* Seals a secret for a column `secret` of `table` and binds it. Errors: as vault_seal. */
MUST_USE enum status secret_bind(struct db_session *session, const char *space, const char *table,
                                 const char *id, const struct stream_secret *secret,
                                 struct db_statement *statement, int index);
/* Errors: as vault_unseal. */
MUST_USE enum status secret_column(struct db_session *session, const char *space, const char *table,
                                   const char *id, struct db_statement *row, int column,
                                   struct stream_secret *ret_secret);

/* Reads `fd` as what `secret` tells; takes it, also on an error. Errors: as object_open. */
MUST_USE enum status object_of(int fd, const struct stream_secret *secret,
                               struct object **ret_object);

#endif
