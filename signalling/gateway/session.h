/*
 * signalling/gateway/session.h - gateway sessions: a websocket that may break and come
 * back within two minutes without losing or doubling a frame (docs/design/gateway.md).
 *
 * This layer knows frames, sequence numbers, heartbeats, resume and limits. What a
 * command means is the upper layer's: gateway_ops.
 *
 * Threads: ops run on the session's strand, one after another. gateway_dispatch and
 * gateway_end may be called from any thread.
 */
#ifndef SIGNALLING_GATEWAY_SESSION_H
#define SIGNALLING_GATEWAY_SESSION_H

#include "core/arena.h"
#include "core/crew.h"
#include "core/json.h"
#include "core/metrics.h"
#include "core/status.h"
#include "signalling/http/http.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    GATEWAY_HEARTBEAT_MS = 10000,
    GATEWAY_SILENCE_MS = 25000, /* no frame from the client: its socket is closed */
    GATEWAY_RESUME_MS = 120000, /* a lost session waits this long */
    GATEWAY_BACKLOG_FRAMES_MAX = 4096,
    GATEWAY_BACKLOG_BYTES_MAX = 1 << 20,
    GATEWAY_SESSIONS_MAX = 20000,
    GATEWAY_COMMANDS_WAITING_MAX = 64, /* per session; more: "busy" */
    GATEWAY_COMMANDS_PER_SECOND = 50,  /* sustained, burst of 200; more: "too_fast" */
};

struct gateway;
struct gateway_session; /* reference counted */

struct gateway_ops {
    /* A new session identifies; `d` is its data (NULL when absent). The op answers by dispatches
     * or gateway_end, and may set a context with gateway_session_set_context. */
    void (*identify)(void *context, struct gateway_session *session, const struct json *d);
    /* A command, its `s` already checked as new. The op must lead to one gateway_reply. */
    void (*command)(void *context, struct gateway_session *session, uint64_t s, const char *t,
                    const struct json *d, struct arena *arena);
    /* The socket broke (it may come back), or came back. */
    void (*presence)(void *context, struct gateway_session *session, bool online);
    /* The session is over: expired, ended, or the server is closing. Last call. */
    void (*gone)(void *context, struct gateway_session *session);
};

struct gateway_config {
    struct crew *crew;
    const struct gateway_ops *ops;
    void *context;
    struct metrics *metrics;
};

MUST_USE enum status gateway_new(const struct gateway_config *config, struct gateway **ret_gateway);
/* After http_free, before crew_free: ends every session and waits for its `gone`. Accepts NULL,
 * returns NULL. */
struct gateway *gateway_free(struct gateway *gateway);
/* To be given to http_websocket with the gateway as context. */
extern const struct http_ws_ops gateway_ws_ops;
/* Tells every client {"op":"reconnect","d":{"after_ms":...}} and takes no new identify. Any thread.
 */
void gateway_drain(struct gateway *gateway, uint32_t after_ms);
uint32_t gateway_session_count(const struct gateway *gateway);

/* Public id (in ready/waiting as `session`), secret for resume. */
const char *gateway_session_id(const struct gateway_session *session);
const char *gateway_session_secret(const struct gateway_session *session);
const char *gateway_session_address(const struct gateway_session *session);
bool gateway_session_loopback(const struct gateway_session *session);
void gateway_session_set_context(struct gateway_session *session, void *context);
void *gateway_session_context(const struct gateway_session *session);
struct gateway_session *gateway_session_ref(struct gateway_session *session);
void gateway_session_unref(struct gateway_session *session);

/* The text of a `d` shared by many sessions: made once, referenced by each. */
struct gateway_payload;
struct gateway_payload *gateway_payload_new(const char *type,
                                            const char *json_d); /* NULL without memory */
struct gateway_payload *gateway_payload_ref(struct gateway_payload *payload);
void gateway_payload_unref(struct gateway_payload *payload); /* accepts NULL */

/* Any thread: numbers the frame, keeps it for a resume, sends it when online. Past the backlog's
 * limits an offline session is ended with `overflow`; an online one forgets its oldest frames,
 * which it has been sent, and a resume from before them is `overflow`. */
void gateway_dispatch(struct gateway_session *session, const char *type, const char *json_d);
void gateway_dispatch_payload(struct gateway_session *session, struct gateway_payload *payload);
/* The answer to command `s`. result_json NULL: none. */
void gateway_reply_ok(struct gateway_session *session, uint64_t s, const char *result_json);
void gateway_reply_error(struct gateway_session *session, uint64_t s, const char *code,
                         const char *text, const char *field /* NULL */);
/* Ends it: `invalid` {reason, code?} is sent unless reason is NULL, then the socket is closed. */
void gateway_end(struct gateway_session *session, const char *reason, const char *code);
/* Likewise by itself, as `ended` with this code, `left_ms` from now; the last said counts. `code`
 * outlives the session. */
void gateway_end_in(struct gateway_session *session, int64_t left_ms, const char *code);

#endif
