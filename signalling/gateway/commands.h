/*
 * signalling/gateway/commands.h - what clients' commands mean: decode by table, ask the
 * meeting, write to storage, reply. The lower layer (session.h) has made sure that each
 * command comes once and in order.
 */
#ifndef SIGNALLING_GATEWAY_COMMANDS_H
#define SIGNALLING_GATEWAY_COMMANDS_H

#include "core/outbound/http_fetch.h"
#include "modules/auth/auth.h"
#include "modules/meetings/adhoc.h"
#include "modules/meetings/meetings.h"
#include "signalling/gateway/session.h"
#include "signalling/gateway/signed_in.h"

struct commands {
    struct db *db;
    struct auth *auth;
    struct signed_in_list *signed_in;
    struct meetings *meetings;
    struct media *media;
    struct dialin *dialin;       /* NULL: there are no telephones */
    struct http_fetch *previews; /* looks at what messages link to; NULL: nobody does */
    enum adhoc adhoc;
};

/* For gateway_config, with a struct commands as the context; it must outlive the gateway. */
extern const struct gateway_ops commands_gateway_ops;
/* For meetings_config: a member's port is its gateway session. */
extern const struct meeting_port_ops commands_port_ops;

/* A command as docs/protocol.md lists it; ends with a NULL type. */
struct command_info {
    const char *type;
    const struct json_table *args;
    const char *result; /* table or shape of the reply's result; NULL: none */
};
const struct command_info *commands_list(size_t *ret_count);

#endif
