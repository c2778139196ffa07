/*
 * signalling/http/request.h - one request from its whole head to the handler's reply.
 *
 * The edge thread makes it and gathers the body; the request pool runs the handler; the
 * edge thread answers and frees it. Never both at a time.
 */
#ifndef SIGNALLING_HTTP_REQUEST_H
#define SIGNALLING_HTTP_REQUEST_H

#include "signalling/http/answer.h"
#include "signalling/http/buffer.h"
#include "signalling/http/edge.h"
#include "signalling/http/head.h"

enum {
    REQUEST_ARENA_MAX = 8 << 20, /* bytes a handler may take for its reply */
    REQUEST_ALLOW_MAX = 96,
};

struct request {
    struct http *http;
    struct conn *conn;
    struct arena *arena; /* head's texts, then the handler's */
    struct head head;
    const struct http_route *route;
    struct buffer body;
    struct http_request view; /* what the handler sees */
    struct http_reply reply;
};

/* Where it came from. */
struct request_scene {
    const char *address, *id; /* id outlives the request */
    bool loopback, secure;
};

/*
 * Copies and parses the head; the rest is checked by request_origin_ok and request_route.
 * Errors: STATUS_INVALID (ret_refusal), STATUS_NO_MEMORY.
 */
MUST_USE enum status request_new(struct http *http, const char *head, size_t length,
                                 const struct request_scene *scene, struct request **ret_request,
                                 struct refusal *ret_refusal);
/* Accepts NULL, returns NULL. */
struct request *request_free(struct request *request);

/*
 * Is the page that sends this one of ours? A request without Origin comes from no page, or
 * reads only. ret_foreign: the origin, when it is a listed one and not the host itself.
 */
bool request_origin_ok(const struct request *request, const char **ret_foreign);

/*
 * Finds the route. STATUS_NOT_FOUND: no such path. STATUS_UNSUPPORTED: the path has other
 * methods, ret_allow lists them.
 */
MUST_USE enum status request_route(struct request *request, char ret_allow[REQUEST_ALLOW_MAX]);

/* Body is whole: gives it to the request pool; request_done (conn.h) follows on the edge thread.
 * Errors: STATUS_LIMIT, STATUS_CLOSED, STATUS_NO_MEMORY. */
MUST_USE enum status request_submit(struct request *request);

#endif
