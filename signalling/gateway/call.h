/*
 * signalling/gateway/call.h - a command on its way through the function that carries it out.
 *
 * Thread: one of the request pool, on the session's strand.
 */
#ifndef SIGNALLING_GATEWAY_CALL_H
#define SIGNALLING_GATEWAY_CALL_H

#include "signalling/gateway/commands.h"

/* One command being carried out. */
struct call {
    struct commands *commands;
    struct gateway_session *session;
    struct meeting_member *member; /* NULL: a session for spaces */
    const char *space;             /* the meeting is of; NULL: of none */
    const char *account;           /* who is signed in; NULL: nobody */
    struct signed_in *signed_in;   /* the session's own entry */
    uint64_t *typed_ms;            /* when the session's typing was told last */
    struct arena *arena;
    const void *args;
    const char *result;              /* JSON; NULL: none */
    const char *error;               /* instead of the status's own text */
    const char *code;                /* instead of the status's own code */
    void (*then)(struct call *call); /* runs after the reply of success; NULL */
    const void *page;                /* for `then` */
    const char *end; /* the session ends after the reply, with this code; NULL: it lives */
};

#endif
