/*
 * signalling/http/http.h - the edge: HTTP/1.1 and websockets behind one strict wrapper
 * around libwebsockets (docs/design/edge.md). Nothing above this file knows lws.
 *
 * Threads: the edge thread owns sockets. Handlers run on the request pool, straight
 * line, and may block on storage. Websocket callbacks run on the edge thread and only
 * hand over; http_ws_send and http_ws_close may be called from any thread.
 */
#ifndef SIGNALLING_HTTP_HTTP_H
#define SIGNALLING_HTTP_HTTP_H

#include "core/arena.h"
#include "core/crew.h"
#include "core/metrics.h"
#include "core/status.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

enum {
    HTTP_HEAD_MAX = 16384,       /* bytes of request line and header */
    HTTP_BODY_MAX = 1 << 20,     /* bytes unless a route says less */
    HTTP_PIECE = 65536,          /* bytes of a streamed body that are handed over at once */
    HTTP_PARAMS_MAX = 4,         /* {captured} path segments of a route */
    HTTP_ADDRESS_MAX = 64,       /* text of a peer's address, no port */
    HTTP_WS_FRAME_MAX = 262144,  /* bytes of a message inwards */
    HTTP_WS_QUEUE_MAX = 4 << 20, /* bytes waiting outwards; past it the socket is closed */
};

struct http;
struct head;

struct http_config {
    uint16_t
        port; /* plain HTTP on 127.0.0.1 and ::1; 0: any (tests), read it back with http_port */
    uint16_t https_port;    /* HTTPS + WSS + ICE-TCP on all addresses; 0: any */
    bool https;             /* false: no HTTPS listener */
    uint16_t redirect_port; /* plain HTTP on all addresses that only redirects to HTTPS; 0: none */
    const char *certificate, *key; /* PEM files; NULL: self-signed one kept in directory */
    const char *directory;         /* where the self-signed pair is kept */
    const char *web; /* folder of the client: index.html, assets/NAME-HASH.ext[.br|.gz] */
    const char *const *origins; /* allowed besides the host itself, "https://meet.example.org" */
    size_t origin_count;
    uint32_t connections_per_address, requests_per_minute; /* limits per address; 0: default */
    struct crew *crew;
    struct metrics *metrics;
    /* A connection on the HTTPS port that began like RFC 4571 + STUN; takes fd. May be NULL. */
    void (*ice_tcp)(void *context, int fd, const uint8_t *bytes, size_t length);
    void *ice_tcp_context;
};

/* What a handler sees; borrowed until it returns. */
struct http_request {
    const char *method; /* "GET"; HEAD comes as GET and the body is left out */
    const char *path;   /* percent-decoded, no query */
    const char *query;  /* raw, "" when none; see http_query */
    const char *params[HTTP_PARAMS_MAX];
    const void *body; /* NUL-terminated for convenience; "" of a route that streams */
    size_t body_length;
    uint64_t content_length;   /* as announced: what a sink will be given, 0 without a body */
    const char *content_type;  /* lower case, no parameters; "" when none */
    const char *authorization; /* "" when none */
    const char *if_match;      /* "" when none */
    const char *host;          /* authority the client used */
    const char *id;            /* request id, also in the X-Request-Id header */
    char address[HTTP_ADDRESS_MAX];
    bool loopback;           /* the peer is on this machine */
    bool secure;             /* came by HTTPS */
    const struct head *head; /* see http_header */
    struct arena *arena;
};

struct http_reply;

/*
 * A body that comes in pieces, for a handler of a route that streams. Its functions run on the
 * request pool, never two at a time; between them the client is waited for by nobody but the edge.
 * `request` and its arena stay until `free` has returned.
 */
struct http_sink {
    void *context; /* NULL: there is no sink, the handler has answered */
    /* The next 1..HTTP_PIECE bytes. Giving `reply` a status refuses the rest. */
    void (*take)(void *context, const void *bytes, size_t length, struct http_reply *reply);
    /* All content_length bytes were taken: answers. */
    void (*end)(void *context, struct http_reply *reply);
    /* Last, once, in every case: also when the client has gone or was too slow. */
    void (*free)(void *context);
};

/* A body that goes in pieces; as above. */
struct http_source {
    void *context; /* NULL: the body is reply.body */
    uint64_t length;
    /* The next 1..size bytes. Errors: any; the connection ends, since the answer has begun. */
    enum status (*read)(void *context, void *ret_bytes, size_t size, size_t *ret_got);
    void (*free)(void *context);
};

enum { HTTP_REPLY_HEADERS_MAX = 12 };

/* What a handler answers; texts in the request's arena or literals. */
struct http_reply {
    int status; /* 200 when left 0 */
    const char *content_type;
    const void *body;
    size_t body_length;
    struct {
        const char *name, *value;
    } headers[HTTP_REPLY_HEADERS_MAX];
    size_t header_count;
    struct http_sink sink;     /* of a route that streams: takes the body, then answers */
    struct http_source source; /* instead of a body */
};

typedef void http_handler(void *context, const struct http_request *request,
                          struct http_reply *reply);

struct http_route {
    const char *method;  /* "POST" */
    const char *pattern; /* "/whip/{meeting}"; {x} matches one segment */
    http_handler *handler;
    void *context;
    size_t body_max; /* 0: no body allowed; HTTP_STREAMED */
};

/* Any length: the handler runs before the body has come, and may give a sink. */
#define HTTP_STREAMED SIZE_MAX

/* Value of a query parameter, percent-decoded, in the arena; NULL when absent or malformed. */
const char *http_query(const struct http_request *request, const char *name);
/* Value of a header field (lower-case name), the first of several; NULL when absent. */
const char *http_header(const struct http_request *request, const char *name);
/* 200 (or status) with a JSON text. */
void http_reply_json(struct http_reply *reply, int status, const char *json);
void http_reply_header(struct http_reply *reply, const char *name, const char *value);
enum http_range { HTTP_RANGE_NONE, HTTP_RANGE_PART, HTTP_RANGE_OUTSIDE };
/* What a Range field asks of `length` bytes (RFC 9110 14.1.2): one range; several, or another unit,
 * are answered by the whole. ret_first and ret_last are set for a part. */
enum http_range http_range(const char *value, size_t length, size_t *ret_first, size_t *ret_last);
/* RFC 9457 problem+json with the request's id; `code` is a stable snake_case name. */
void http_problem(const struct http_request *request, struct http_reply *reply, int status,
                  const char *code, const char *detail);

/* One more member of the problem that was answered (RFC 9457 3.2): `json` is its value as text. */
void http_problem_member(const struct http_request *request, struct http_reply *reply,
                         const char *name, const char *json);

/* ---- websockets ---- */

struct http_ws; /* reference counted; lives until the last http_ws_unref */

struct http_ws_ops {
    /* Edge thread. The socket is open; return what later calls get as `session`. NULL closes it. */
    void *(*open)(void *context, struct http_ws *ws, const char *address, bool loopback);
    /* Edge thread. A whole text message (valid UTF-8), borrowed. */
    void (*message)(void *session, const char *text, size_t length);
    /* Edge thread. A message larger than HTTP_WS_FRAME_MAX was thrown away; the socket lives. */
    void (*oversized)(void *session);
    /* Edge thread, once, last: no call follows. */
    void (*closed)(void *session);
};

/* Any thread. Queues a text message (copied). Past HTTP_WS_QUEUE_MAX the socket is closed and
 * STATUS_LIMIT comes back; STATUS_CLOSED after its end. */
MUST_USE enum status http_ws_send(struct http_ws *ws, const char *text, size_t length);
/* Any thread. Sends a close frame (RFC 6455 7.4 code) after what is queued. */
void http_ws_close(struct http_ws *ws, uint16_t code);
struct http_ws *http_ws_ref(struct http_ws *ws);
void http_ws_unref(struct http_ws *ws);

/* ---- the server ---- */

/* Binds; nothing is answered yet. Errors: STATUS_EXISTS (port taken: ret_error names it),
 * STATUS_IO, STATUS_INVALID (certificate), STATUS_NO_MEMORY; ret_error gets one line. */
MUST_USE enum status http_new(const struct http_config *config, struct http **ret_http,
                              char ret_error[256]);
/* Before http_start. Routes are walked by tests: http_routes. */
MUST_USE enum status http_route_add(struct http *http, const struct http_route *route);
const struct http_route *http_routes(const struct http *http, size_t *ret_count);
/* One websocket endpoint. */
void http_websocket(struct http *http, const char *path, const struct http_ws_ops *ops,
                    void *context);
MUST_USE enum status http_start(struct http *http);
/* Reads the certificate files again; connections go on. Any thread. Errors: STATUS_INVALID (old
 * kept). */
MUST_USE enum status http_reload(struct http *http);
/* Stops accepting; open requests may finish until http_free. Any thread. */
void http_drain(struct http *http);
/* Closes everything, joins the edge thread. Accepts NULL, returns NULL. */
struct http *http_free(struct http *http);
uint16_t http_port(const struct http *http);
uint16_t https_port(const struct http *http);

#endif
