/*
 * signalling/http/edge.h - the inside of struct http, for the files of this folder.
 * Everything here belongs to the edge thread once it runs.
 */
#ifndef SIGNALLING_HTTP_EDGE_H
#define SIGNALLING_HTTP_EDGE_H

#include "core/clock.h"
#include "core/queue.h"
#include "signalling/http/assets.h"
#include "signalling/http/http.h"
#include "signalling/http/visitors.h"

#include <ev.h>
#include <openssl/types.h>
#include <pthread.h>
#include <stdatomic.h>

enum {
    EDGE_ROUTES_MAX = 192,
    EDGE_LISTENERS_MAX = 5, /* plain on 127.0.0.1 and ::1, https, redirect; dual stack or two */
    EDGE_CONNECTIONS_MAX = 20000, /* of all addresses */
    EDGE_EXCHANGES_MAX = 1024,    /* requests with the pool at a time; more: 503 */
    EDGE_TRANSFERS_MAX = 512,     /* bodies in pieces, two of 64 KiB each: 64 MiB; more: 503 */
    EDGE_LETTERS_MAX = 1 << 17,   /* mailbox: one per exchange and per websocket is enough */
};

/* Time-outs; tests make them shorter before http_start. */
struct edge_limits {
    uint32_t first_ms;    /* until the first bytes tell what it is, and through the TLS handshake */
    uint32_t head_ms;     /* from a head's first byte to its last */
    uint32_t idle_ms;     /* between requests */
    uint32_t transfer_ms; /* for a body in or out, plus its length at transfer_bytes a second */
    uint32_t transfer_bytes;
    uint32_t stall_ms;    /* a websocket's client that takes nothing */
    uint32_t linger_ms;   /* for the client to read a refusal */
    uint32_t farewell_ms; /* for websockets to end when the server does */
    uint32_t connections_max, exchanges_max, transfers_max;
};

/* What a listener speaks. */
enum gate_kind {
    GATE_PLAIN,    /* HTTP, loopback only */
    GATE_SECURE,   /* TLS, or ICE-TCP */
    GATE_REDIRECT, /* HTTP that only points to HTTPS */
};

struct listener {
    struct ev_io io;
    struct http *http;
    enum gate_kind kind;
    int fd;
};

struct conn;
struct websockets;

struct http {
    struct http_config config; /* its texts are ours */
    struct edge_limits limits;
    struct ev_loop *loop;
    pthread_t thread;
    bool started;
    struct mailbox *mailbox;
    struct ev_io mail;
    struct ev_timer accept_again; /* after running out of descriptors */
    struct ev_timer farewell;
    struct listener listeners[EDGE_LISTENERS_MAX];
    size_t listener_count;
    uint16_t port, secure_port;
    SSL_CTX *tls;
    struct assets *assets;
    struct visitors *visitors;
    struct http_route routes[EDGE_ROUTES_MAX];
    size_t route_count;
    const char *ws_path;
    const struct http_ws_ops *ws_ops;
    void *ws_context;
    struct websockets *websockets;
    struct conn *conns;
    uint32_t conn_count, exchange_count, transfer_count;
    bool draining, stopping;
    struct metric *requests, *refusals, *connections, *sockets;
};

static inline uint64_t edge_now_ms(void)
{
    return clock_mono_ns() / CLOCK_NS_PER_MS;
}

#endif
