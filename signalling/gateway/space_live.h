/*
 * signalling/gateway/space_live.h - what passes between open clients of a space and is not kept:
 * who types, who has read up to where. Sessions identify with `spaces`
 * instead of a meeting. In a space of more than RECEIPTS_MEMBERS_MAX members nothing is told: each
 * such message would go to all of them.
 *
 * Threads: request pool; each call reads the database once.
 */
#ifndef SIGNALLING_GATEWAY_SPACE_LIVE_H
#define SIGNALLING_GATEWAY_SPACE_LIVE_H

#include "modules/spaces/spaces.h"
#include "signalling/gateway/call.h"

enum { SPACE_LIVE_TYPING_MS = 1000 /* told at most this often of one session */ };

/* The command space.typing. Needs SPACES_COMMENT. */
enum status space_live_typing(struct call *call);

/* Whom to tell, and through what. `sessions` NULL: there is no gateway. */
struct space_live {
    struct signed_in_list *sessions;
    struct db *db;
    struct arena *arena;
};

/* The caller has read up to the message `id`: "space.read" to the others. */
void space_live_read(const struct space_live *live, const struct spaces_who *who, const char *id);

#endif
