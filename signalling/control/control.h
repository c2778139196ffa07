/*
 * signalling/control/control.h - what `parley WORD WORD` asks of a running server, over a Unix
 * socket in the data directory. The database has one process that writes; so a subcommand asks
 * that process, or, when none runs, opens the database and runs the same command itself.
 *
 * DATA/control.sock, mode 0600, one request and one reply a connection, a line of JSON each:
 *   {"command":"meeting create","args":{...}}
 *   {"result":{...}}  or  {"error":"...","status":"EXISTS"}
 * Only the server's own user and root are answered.
 *
 * A command is a row of a table: the words, what it takes, what it gives. The command line is
 * made from the same row (server/subcommand.c): each field an option.
 */
#ifndef SIGNALLING_CONTROL_CONTROL_H
#define SIGNALLING_CONTROL_CONTROL_H

#include "core/json.h"
#include "modules/auth/auth.h"
#include "modules/meetings/meetings.h"
#include "storage/db.h"

enum {
    CONTROL_LINE_MAX = 1 << 20, /* bytes of a request or reply */
    CONTROL_WAIT_S = 10,        /* patience with a client, and of it with the server */
    CONTROL_ARENA_MAX = 8 << 20,
};

/* What commands work on. */
struct control_context {
    struct db *db;
    struct auth *auth;
    struct meetings *meetings; /* NULL: no server runs */
};

struct control_call {
    const struct control_context *context;
    struct arena *arena;
    const void *args;   /* decoded by command->args */
    const void *result; /* the handler's: a struct of command->result */
    const char *error;  /* the handler's: one line, or NULL */
};

struct control_command {
    const char *name;                       /* "meeting create" */
    const struct json_table *args, *result; /* of args: TEXT, INT and BOOL */
    enum status (*run)(struct control_call *call);
    const char *doc; /* one line */
};

struct control_table {
    const struct control_command *commands;
    size_t count;
};

/* A file each. */
extern const struct control_table control_meetings;
extern const struct control_table control_keys;
extern const struct control_table control_users;
extern const struct control_table control_invitations;
extern const struct control_table control_spaces;
extern const struct control_table control_calls;

/* Every command; NULL past the last. */
const struct control_command *control_command_at(size_t index);
/* Runs a request and makes its reply, without line ends, in the arena; NULL without memory. */
const char *control_answer(const struct control_context *context, const char *request,
                           size_t length, struct arena *arena);

/* ---- the server's end ---- */

struct control;

/* Binds and serves on a thread of its own, one request after another. `directory` is DATA, whose
 * database this process has open; context outlives it. Errors: STATUS_IO, STATUS_NO_MEMORY. */
MUST_USE enum status control_new(const char *directory, const struct control_context *context,
                                 struct control **ret_control);
/* Accepts NULL, returns NULL. */
struct control *control_free(struct control *control);

/* ---- the other end ---- */

/* Asks the server that runs on `directory`. Errors: STATUS_NOT_FOUND (none runs), STATUS_DENIED
 * (another user's), STATUS_IO (it went away), STATUS_LIMIT, STATUS_NO_MEMORY. */
MUST_USE enum status control_ask(const char *directory, const char *request, struct arena *arena,
                                 const char **ret_reply);

#endif
