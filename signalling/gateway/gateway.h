/*
 * signalling/gateway/gateway.h - the inside of the gateway, for the files of this folder.
 *
 * A socket is one websocket; a session outlives it. Locks: the gateway's, then a
 * session's, never the other way round; nothing that blocks is called under either.
 * - gateway->lock: the table of sessions, the list of sockets, socket->session and
 *   socket->closed.
 * - session->lock: everything a session changes, session->socket included.
 * A session stays in the table until its `gone` has run on its strand.
 */
#ifndef SIGNALLING_GATEWAY_GATEWAY_H
#define SIGNALLING_GATEWAY_GATEWAY_H

#include "core/crypto.h"
#include "core/lock.h"
#include "core/loop.h"
#include "core/map.h"
#include "signalling/gateway/backlog.h"
#include "signalling/gateway/frame.h"
#include "signalling/gateway/session.h"

#include <pthread.h>
#include <stdatomic.h>

enum {
    GATEWAY_SWEEP_MS = 250,      /* how exactly silence and expiry are seen */
    GATEWAY_IDENTIFY_MS = 10000, /* a socket must say who it is by then */
    GATEWAY_FRAMES_WAITING_MAX =
        256, /* unread frames of a socket: more than a burst; then it is closed */
    GATEWAY_BYTES_WAITING_MAX = 2 << 20, /* likewise: eight of the largest */
    GATEWAY_BURST = 200,                 /* frames at once before COMMANDS_PER_SECOND counts */
    GATEWAY_ARENA_MAX = 8 << 20,         /* bytes a command's handler may take */
    GATEWAY_TURNS_MAX = 8,               /* jobs of a session's strand beside its commands */
};

/* Close codes of websockets: RFC 6455 7.4.1, and one of our own. */
enum {
    GATEWAY_CLOSE_NORMAL = 1000,
    GATEWAY_CLOSE_POLICY = 1008,
    GATEWAY_CLOSE_INTERNAL = 1011,
    GATEWAY_CLOSE_LATER = 1013,
    GATEWAY_CLOSE_TAKEN = 4001, /* another socket resumed the session */
};

struct gateway {
    struct crew *crew;
    const struct gateway_ops *ops;
    void *context;
    uint64_t (*now_ms)(void); /* tests put their own clock here */
    struct lock lock;
    struct map *sessions; /* by map_key_of(id) */
    struct gateway_socket *sockets;
    uint32_t socket_count; /* in memory, linked or not */
    bool draining;
    uint32_t after_ms;
    struct loop *clock;
    struct loop_timer sweep;
    pthread_t thread;
    bool running;
    atomic_uint session_count;
    struct metric *sessions_metric, *commands, *refused, *resumes, *overflows;
};

struct gateway_socket {
    atomic_uint references; /* the websocket's, and one of each frame that waits */
    struct gateway *gateway;
    struct gateway_socket *next, *prev;
    struct http_ws *ws;
    struct strand *strand;           /* reads its frames in order; edge thread submits */
    struct gateway_session *session; /* a reference; NULL before identify, and after a take-over */
    bool closed;
    atomic_uint_least64_t heard_ms;
    atomic_size_t bytes_waiting;
    uint64_t opened_ms;
    bool identified; /* had a session once */
    uint32_t tokens; /* of the rate limit, in 1/1000; its strand's */
    uint64_t tokens_ms;
    bool loopback;
    char address[HTTP_ADDRESS_MAX];
};

struct gateway_session {
    atomic_uint references;
    struct gateway *gateway;
    char id[CRYPTO_ID_CHARS + 1];
    char secret[CRYPTO_TOKEN_CHARS + 1];
    char address[HTTP_ADDRESS_MAX];
    bool loopback;
    _Atomic(void *) context;
    struct lock lock;
    struct strand *strand;         /* NULL once gone */
    struct gateway_socket *socket; /* NULL: offline */
    uint64_t sent;                 /* number of the newest dispatch */
    uint64_t taken;                /* newest command */
    uint64_t lost_ms;              /* when it went offline */
    uint64_t end_ms;               /* when it ends by itself; 0: never */
    const char *end_code;
    struct backlog backlog;
    uint32_t commands_waiting;
    bool ended;
    bool told_online;  /* what presence() said last */
    bool turn_waiting; /* a turn is on the strand */
    bool introduced;   /* identify() has run; the strand's own */
};

/* Whether `ms` have passed by `now_ms`. Another thread may have said `since_ms` after that was
 * read, and then it lies behind it. */
static inline bool gateway_passed(uint64_t since_ms, uint64_t now_ms, uint64_t ms)
{
    return now_ms > since_ms && now_ms - since_ms >= ms;
}

/* ---- session.c ---- */

/* In the table, with `socket` attached; identify is not yet called. Errors: STATUS_LIMIT,
 * STATUS_NO_MEMORY, STATUS_CLOSED (the socket is gone). */
MUST_USE enum status session_new(struct gateway_socket *socket,
                                 struct gateway_session **ret_session);
/* Calls identify on the strand; the frame's json is taken over. Errors: as strand_submit. */
MUST_USE enum status session_identify(struct gateway_session *session, struct frame *frame);
/* Checks and takes s, and calls command on the strand; every new command leads to a reply. */
void session_command(struct gateway_session *session, struct frame *frame);
/* Puts the session on the socket: resumed, what was missed, from now on. Errors:
 * STATUS_OUT_OF_WINDOW (not kept any more: ended with overflow), STATUS_NOT_FOUND (ended, or
 * `seen` was never sent), STATUS_CLOSED (the socket is gone). */
MUST_USE enum status session_resume(struct gateway_session *session, struct gateway_socket *socket,
                                    uint64_t seen);
/* The socket is gone: the session waits, if it was still on it. */
void session_lose(struct gateway_session *session, const struct gateway_socket *socket);
/* The client has seen up to there. Returns the newest command taken. */
uint64_t session_heard(struct gateway_session *session, uint64_t seen);
/* Expires it, and catches up on turns that found no room. Under gateway->lock. */
void session_sweep(struct gateway_session *session, uint64_t now_ms);

/* ---- gateway.c ---- */

/* One look at every session and socket; the clock thread's, and the tests'. */
void gateway_sweep(struct gateway *gateway);
void gateway_socket_send(struct gateway_socket *socket, const char *text);

#endif
