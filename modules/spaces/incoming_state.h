/*
 * modules/spaces/incoming_state.h - what incoming.c and uploads.c share.
 */
#ifndef MODULES_SPACES_INCOMING_STATE_H
#define MODULES_SPACES_INCOMING_STATE_H

#include "modules/spaces/incoming.h"

/* The texts of a wish that outlives whoever made it. */
struct incoming {
    struct db *db;
    struct objects *objects;
    char space[SPACES_ID_MAX + 1], account[CRYPTO_ID_CHARS + 1];
    char name[FILES_NAME_MAX + 1], type[FILES_TYPE_MAX + 1];
    char folder[CRYPTO_ID_CHARS + 1], file[CRYPTO_ID_CHARS + 1];
    struct files_new wish; /* of these texts */
    char id[CRYPTO_ID_CHARS + 1];
    struct upload *upload;
    bool kept;     /* it is an upload, and stays when it is freed */
    bool finished; /* it is a file */
};

/* Without an upload. Errors: STATUS_NOT_FOUND (a text is too long to be an id), STATUS_NO_MEMORY.
 */
MUST_USE enum status incoming_new(struct db *db, struct objects *objects,
                                  const struct spaces_who *who, const struct files_new *wish,
                                  struct incoming **ret_incoming);
/* What can be known before the first byte. Errors: as incoming_begin, but a quota. */
MUST_USE enum status incoming_check(struct db *db, const struct spaces_who *who,
                                    const struct files_new *wish);
/* Errors: as upload_new. */
MUST_USE enum status incoming_room(struct objects *objects, const struct spaces_who *who,
                                   const struct files_new *wish, int64_t now_ms,
                                   char ret_id[CRYPTO_ID_CHARS + 1]);

#endif
