/*
 * modules/auth/profile.h - pictures of accounts, sealed in the database: they are small.
 * Threads, results and errors as in auth.h.
 */
#ifndef MODULES_AUTH_PROFILE_H
#define MODULES_AUTH_PROFILE_H

#include "modules/auth/auth.h"
#include "modules/auth/picture.h"

/* Instead of the one before; length 0: none any more. Event "account.updated". Errors:
 * STATUS_UNSUPPORTED, STATUS_LIMIT (picture.h). */
MUST_USE enum status profile_picture_set(struct auth *auth, const char *user, const uint8_t *bytes,
                                         size_t length, int64_t now_ms, struct arena *arena,
                                         struct auth_user *ret_user);

struct profile_picture {
    const char *type;
    const uint8_t *bytes;
    size_t length;
    int64_t version;
};

/* Of `user`, for `asker`: themselves, or who shares a space with them. Errors: STATUS_NOT_FOUND
 * (none, or none to see). */
MUST_USE enum status profile_picture_get(struct auth *auth, const char *user, const char *asker,
                                         struct arena *arena, struct profile_picture *ret_picture);

#endif
