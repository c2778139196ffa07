/*
 * signalling/api/route.h - one row for each thing REST can do. From these rows requests are
 * matched and checked, docs/protocol.md and /api/openapi.json are printed, and the tests of
 * who may do what are walked: a route cannot be forgotten in any of them.
 *
 * Thread: request pool, straight line.
 */
#ifndef SIGNALLING_API_ROUTE_H
#define SIGNALLING_API_ROUTE_H

#include "core/json.h"
#include "modules/auth/auth.h"
#include "modules/spaces/rights.h"
#include "signalling/http/http.h"

struct api;

/* Who may call it; the router asks before the handler runs. */
enum api_who {
    API_ANYONE,
    API_USER,  /* who is signed in; 401 for others */
    API_ADMIN, /* of those, admins; 403 for others */
    API_HOST,  /* of meeting {id}: a host's or co-host's own token, or the host token. To others the
                 meeting does not exist */
    API_MEMBER, /* of space {id}, or of that of file {id}, with the route's right: 401 when nobody
                   is signed in, 403 for a member without it, 404 for others */
};

/* A request being carried out. Texts live in the request's arena. */
struct api_call {
    struct api *api;
    const struct http_request *request;
    struct http_reply *reply;
    struct arena *arena;
    const void *body;   /* decoded by route->body; NULL when the route has none */
    const void *query;  /* likewise */
    const void *result; /* the handler's: a struct of route->result; NULL only when it failed */
    const struct auth_caller *caller; /* NULL: nobody is signed in; never with API_USER, API_ADMIN,
                                         API_MEMBER. Of a guest: their id and name */
    const char *space;                /* of API_MEMBER */
    const char *csrf;                 /* of a caller by cookie, else NULL */
    const char *error;                /* the handler's: detail of the problem, or NULL */
};

/* The router answers a failure with its problem, unless the handler has answered (api_problem). */
typedef enum status api_run(struct api_call *call);

struct api_route {
    const char *method;  /* "POST" */
    const char *pattern; /* as struct http_route */
    enum api_who who;
    enum spaces_right right; /* of API_MEMBER */
    bool guests;             /* of API_MEMBER, API_USER: guests of a space too; else 403 for them */
    api_run *run;
    const struct json_table *body;   /* NULL: no body. Without `required` fields it may be empty */
    const struct json_table *query;  /* TEXT, INT and BOOL fields; others in the URL are ignored */
    const struct json_table *result; /* NULL: none, or run writes call->reply itself */
    const char *type;                /* content type of what run writes itself */
    int status;                      /* of success; 0: 200 */
    uint32_t body_max;               /* bytes; 0: API_BODY_MAX where there is a body */
    bool streams;                    /* any length: run gives a sink, which answers (api_sunk) */
    const char *doc;                 /* one line */
};

enum { API_BODY_MAX = 4096 };

struct api_table {
    const struct api_route *routes;
    size_t count;
};

#define API_TABLE(rows)                                                                            \
    {                                                                                              \
        .routes = (rows), .count = sizeof(rows) / sizeof((rows)[0])                                \
    }

/* A file each. */
extern const struct api_table api_accounts, api_confirmations, api_contents, api_factors, api_files,
    api_guests, api_meetings, api_messages, api_operator, api_phones, api_profile, api_push,
    api_quotas, api_scheduled, api_search, api_shares, api_spaces, api_uploads;

/* Every route; NULL past the last. */
const struct api_route *api_route_at(size_t index);
/* "anyone", "host": for documents. */
const char *api_who_name(enum api_who who);

/* Zeroed memory for the result; call->result is it. NULL without memory. */
void *api_result(struct api_call *call, size_t size);
/* Answers with a problem of its own; returns what the handler may return. */
MUST_USE enum status api_problem(struct api_call *call, int http, const char *code,
                                 const char *detail);

/* A sink's success, in JSON by `table`. */
void api_sunk(const struct http_request *request, struct http_reply *reply, int http,
              const struct json_table *table, const void *value);

/* Answers 429: too many failed tries (seconds until the next), or 0: passwords being hashed. */
MUST_USE enum status api_wait(struct api_call *call, uint32_t wait_s);

/* ---- entity tags (RFC 9110 8.8.3): a resource's version ---- */

void api_etag(struct api_call *call, int64_t version);
/* The version that If-Match names; 0: any; -1: none of ours. */
int64_t api_version_wanted(const struct api_call *call);
/* Answers with 412: it was not that version. */
MUST_USE enum status api_changed(struct api_call *call);

#endif
