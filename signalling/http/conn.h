/*
 * signalling/http/conn.h - one client's connection, from its first bytes to its end.
 *
 *   FIRST -> HANDSHAKE -> HEAD -> BODY -> POOL -> ANSWER -+-> HEAD ...
 *                          |   POOL -> PIECES -> ANSWER   |
 *     |                    |                              +-> LINGER
 *     +-> (ICE-TCP: given away)   HEAD -> SOCKET (websocket) -> LINGER
 *
 * It goes forward on readiness of its descriptor, on its timer, and when the request pool
 * has replied. Edge thread only.
 */
#ifndef SIGNALLING_HTTP_CONN_H
#define SIGNALLING_HTTP_CONN_H

#include "core/crypto.h"
#include "signalling/http/answer.h"
#include "signalling/http/buffer.h"
#include "signalling/http/edge.h"
#include "signalling/http/frames.h"
#include "signalling/http/link.h"

enum {
    CONN_FIRST_BYTES = 10,      /* tell a TLS record from RFC 4571 with a STUN cookie */
    CONN_PIECE = 16384,         /* bytes read at a time */
    CONN_STEPS_MAX = 32,        /* in one turn of the loop; then others have theirs */
    CONN_LINGER_BYTES = 262144, /* thrown away after a refusal */
};

enum conn_state {
    CONN_FIRST,
    CONN_HANDSHAKE,
    CONN_HEAD,
    CONN_BODY,
    CONN_POOL,
    CONN_PIECES, /* of a body that a handler takes while it comes */
    CONN_ANSWER,
    CONN_SOCKET,
    CONN_LINGER,
};

struct request;
struct transfer;
struct http_ws;

/* The other side of a websocket: a socket pair whose far end libwebsockets has. */
struct conn_pump {
    struct ev_io io;
    int fd;
    bool wants_read, wants_write;
    bool refused;           /* the client broke framing: nothing more of it is passed on */
    bool ended;             /* libwebsockets is done; what is in `down` still goes out */
    bool closing;           /* a close frame went to the client: the deadline runs */
    struct frames frames;   /* of the client */
    struct frames farewell; /* of libwebsockets */
    struct buffer down;
    struct http_ws *ws;
};

struct conn {
    struct conn *next, *prev;
    struct http *http;
    struct visitor *visitor;
    struct link link;
    struct ev_io io;
    struct ev_timer timer;
    enum gate_kind kind;
    enum conn_state state;
    bool loopback;
    bool keep;    /* goes on after the answer */
    bool in_pool; /* a handler, or a function of its transfer, has its request */
    struct buffer in;
    size_t scanned;  /* of `in`, for the end of the head */
    size_t lingered; /* bytes thrown away */
    struct request *request;
    const char *foreign; /* origin to be named in the answer */
    struct answer answer;
    struct transfer *transfer; /* a body in pieces */
    struct conn_pump *pump;
    uint64_t began_ms; /* the request's head was whole */
    char id[CRYPTO_ID_CHARS + 1];
    char address[HTTP_ADDRESS_MAX];
};

/* Takes an accepted descriptor; closes it when it cannot. */
void conn_open(struct http *http, enum gate_kind kind, int fd, const struct sockaddr *address);
/* Ends it at once (a request that is with the pool is answered to nobody). */
void conn_close(struct conn *conn);
/* The same by RST: what the client did not take does not wait for it in the kernel. */
void conn_abort(struct conn *conn);
/* What a state's step found; wants_read and wants_write of link and pump say for what it waits. */
enum conn_step { CONN_GO_ON, CONN_WAIT, CONN_OVER };

/* Goes forward as far as it can; the connection may be gone afterwards. */
void conn_drive(struct conn *conn);
/* (Re)starts the one timer; 0 stops it. */
void conn_deadline(struct conn *conn, uint64_t ms);
/* For `bytes` in or out at the slowest pace allowed. */
uint64_t conn_transfer_ms(const struct conn *conn, uint64_t bytes);
/* Waits for a client to take what was said, then closes. */
void conn_linger(struct conn *conn);

/* exchange.c: HEAD, BODY, ANSWER */
enum conn_step conn_head(struct conn *conn);
enum conn_step conn_body(struct conn *conn);
enum conn_step conn_answer(struct conn *conn);
/* The reply of the handler, or of a sink. */
void conn_reply(struct conn *conn);
/* A sink waits for the body. */
void conn_body_wanted(struct conn *conn);
/* It is closed and the pool is done with it: frees it, in a moment when a transfer has to end. */
void conn_end(struct conn *conn);
/* Answers a problem; `keep`: the connection is in order and goes on afterwards. */
void conn_refuse(struct conn *conn, const struct refusal *refusal, bool keep);

/* pump.c: SOCKET */
/* Errors: as websocket_adopt. */
MUST_USE enum status conn_pump_begin(struct conn *conn);
enum conn_step conn_pump(struct conn *conn);
void conn_pump_free(struct conn *conn);

/* Letter of the request pool: arg is the struct request whose handler is done. */
void conn_replied(void *arg);

#endif
