/*
 * modules/spaces/links_state.h - an invitation link on its way to being used; private to
 * modules/spaces/. For bodies of db_write.
 */
#ifndef MODULES_SPACES_LINKS_STATE_H
#define MODULES_SPACES_LINKS_STATE_H

#include "modules/spaces/links.h"

struct link_found {
    const char *id, *space;
    enum spaces_role role;
    bool guests;
    int64_t expires;
};

/* Where it leads, if its maker still may. Errors: STATUS_NOT_FOUND. */
MUST_USE enum status link_find(struct db_session *session,
                               const uint8_t token_hash[CRYPTO_SHA256_BYTES], int64_t now_ms,
                               struct arena *arena, struct link_found *ret_link);
/* One use less. */
MUST_USE enum status link_use(struct db_session *session, const char *id);

#endif
