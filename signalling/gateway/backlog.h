/*
 * signalling/gateway/backlog.h - the dispatches a session still may have to send again:
 * numbered without gaps, oldest first. Payloads are shared with other sessions.
 * Owner: a session, under its lock.
 */
#ifndef SIGNALLING_GATEWAY_BACKLOG_H
#define SIGNALLING_GATEWAY_BACKLOG_H

#include "signalling/gateway/session.h"

#include <stdatomic.h>

struct gateway_payload {
    atomic_uint references;
    size_t length;
    char text[]; /* "t":"TYPE","d":{...} */
};

struct backlog {
    struct gateway_payload **ring; /* capacity is a power of two */
    size_t capacity, begin, count;
    size_t bytes;
    uint64_t first; /* number of the oldest, when count > 0 */
};

/* Adds number `number`, the one after the newest; takes a reference.
 * Errors: STATUS_LIMIT (GATEWAY_BACKLOG_*_MAX), STATUS_NO_MEMORY; nothing changed. */
MUST_USE enum status backlog_add(struct backlog *backlog, uint64_t number,
                                 struct gateway_payload *payload);
/* Drops all up to and with `number`. */
void backlog_forget(struct backlog *backlog, uint64_t number);
/* NULL when it is not kept (any more). */
struct gateway_payload *backlog_get(const struct backlog *backlog, uint64_t number);
void backlog_clear(struct backlog *backlog);

#endif
