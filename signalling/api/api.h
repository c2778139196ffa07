/*
 * signalling/api/api.h - REST under /api/v1 and the operator's endpoints; the rows are in
 * route.h's tables.
 * Thread: handlers run on the request pool.
 */
#ifndef SIGNALLING_API_API_H
#define SIGNALLING_API_API_H

#include "core/metrics.h"
#include "modules/auth/auth.h"
#include "modules/auth/presence.h"
#include "modules/mail/mail.h"
#include "modules/meetings/adhoc.h"
#include "modules/meetings/meetings.h"
#include "modules/push/push.h"
#include "signalling/http/http.h"

#include <stdatomic.h>
#include <stdio.h>

enum { API_ROUTES_MAX = 176 /* of the edge's 192, which has WHIP's too */ };

struct api_bound {
    struct api *api;
    const struct api_route *route;
};

struct api {
    struct db *db;
    struct auth *auth;
    struct presence *presence;
    struct objects *objects;
    struct push *push;
    const struct mail *mail; /* NULL: none is sent */
    bool sign_up;            /* by addresses of open domains */
    struct meetings *meetings;
    struct signed_in_list *signed_in; /* NULL: no gateway */
    struct metrics *metrics;
    struct dialin *dialin; /* NULL: there are no telephones */
    enum adhoc adhoc;
    uint8_t voices;
    char setup_link[AUTH_TOKEN_CHARS + 1];  /* for the first account, from another machine */
    atomic_bool ready;                      /* what /readyz says */
    struct api_bound bound[API_ROUTES_MAX]; /* api_routes fills it */
};

/* Adds the routes; api must outlive http. */
MUST_USE enum status api_routes(struct http *http, struct api *api);

/* The routes as OpenAPI 3.1, and as a section of docs/protocol.md. Errors: STATUS_NO_MEMORY. */
MUST_USE enum status api_print_openapi(FILE *stream, struct arena *arena);
void api_print_protocol(FILE *stream);

#endif
