/*
 * modules/spaces/shares_state.h - what shares.c and visits.c share.
 */
#ifndef MODULES_SPACES_SHARES_STATE_H
#define MODULES_SPACES_SHARES_STATE_H

#include "modules/spaces/shares.h"

/* A share that may be used. */
struct share {
    const char *id, *space, *maker, *name;
    const char *kept; /* password; NULL: none */
    bool everything, messages;
    int64_t expires;
};

/* Whether somebody may make one, in a body. Errors: STATUS_DENIED. */
MUST_USE enum status share_maker_check(struct db_session *session, const struct spaces_who *who);

#endif
