/*
 * signalling/gateway/client.h - who a gateway session is: somebody in a meeting, or somebody signed
 * in who is told of their spaces.
 *
 * Thread: the session's strand.
 */
#ifndef SIGNALLING_GATEWAY_CLIENT_H
#define SIGNALLING_GATEWAY_CLIENT_H

#include "modules/meetings/messages.h"
#include "modules/spaces/spaces.h"
#include "signalling/gateway/commands.h"

/* What a session is here: its context. */
struct client {
    struct meeting_member *member; /* NULL: a session for spaces */
    char space[SPACES_ID_MAX + 1]; /* the meeting is of; "": of none */
    struct signed_in signed_in;
    uint64_t typed_ms; /* when its typing was told last */
};

/* Enters the meeting, or the session for spaces, that `identify` names: the client becomes the
 * session's context and has a reference of the session. On failure *ret_code is what the client is
 * told, when it was refused on purpose (docs/design/gateway.md). */
MUST_USE enum status client_identify(struct commands *commands, struct gateway_session *session,
                                     struct msg_identify *identify, struct arena *arena,
                                     const char **ret_code);
/* Every command asks anew whether who is signed in still is. Errors: STATUS_DENIED (the session is
 * ended). */
MUST_USE enum status client_check(const struct commands *commands, struct gateway_session *session,
                                  const struct client *client, struct arena *arena);
/* The session is over. */
void client_gone(struct commands *commands, struct gateway_session *session);

#endif
