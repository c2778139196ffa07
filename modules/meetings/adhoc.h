/*
 * modules/meetings/adhoc.h - who may open a meeting that does not exist yet.
 * Thread: request pool.
 */
#ifndef MODULES_MEETINGS_ADHOC_H
#define MODULES_MEETINGS_ADHOC_H

#include "modules/meetings/registry.h"

/* meetings.adhoc. AUTO is what an unconfigured server does: anyone on this machine, else members.
 */
enum adhoc { ADHOC_AUTO, ADHOC_OFF, ADHOC_MEMBERS, ADHOC_ANYONE };

/* Whether somebody may create meetings; `member`: who is signed in. */
bool adhoc_allows(enum adhoc adhoc, bool loopback, bool member);

struct adhoc_opened {
    struct registry_meeting meeting;
    char token[CRYPTO_TOKEN_CHARS + 1]; /* host token when it was created by this call, else "" */
};

/*
 * Finds the meeting, or creates it when `may_create`.
 * Errors: STATUS_NOT_FOUND, STATUS_CLOSED (it has ended), STATUS_INVALID (id), and storage's.
 */
MUST_USE enum status adhoc_open(struct db *db, const char *id, bool may_create, int64_t now_ms,
                                struct arena *arena, struct adhoc_opened *ret_opened);

#endif
