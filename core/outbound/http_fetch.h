/*
 * core/outbound/http_fetch.h - asks other servers by HTTP and HTTPS: for pages that messages link
 * to, for push services. The one file that touches libcurl for HTTP.
 *
 * Each request has a size, a time and a number of redirects it may take. The address of every
 * connection, redirected ones too, is checked when its socket is made (reach.h): what was checked
 * is what is connected to, whatever a name resolves to the next time. No proxy, no cookies, no
 * credentials in a URL.
 *
 * A few threads of its own carry requests out; any thread may start one.
 */
#ifndef CORE_OUTBOUND_HTTP_FETCH_H
#define CORE_OUTBOUND_HTTP_FETCH_H

#include "core/outbound/reach.h"

#include <stddef.h>

enum {
    HTTP_FETCH_URL_MAX = 2048,      /* bytes */
    HTTP_FETCH_HEADERS_MAX = 16,    /* of a request */
    HTTP_FETCH_HEAD_MAX = 16384,    /* bytes of an answer's head that are kept */
    HTTP_FETCH_BODY_MAX = 16 << 20, /* bytes: the most that a request may ask for */
    HTTP_FETCH_TIME_MS_MAX = 60000, /* likewise */
    HTTP_FETCH_REDIRECTS_MAX = 8,   /* likewise */
    HTTP_FETCH_THREADS = 4,         /* each waits for one server */
    HTTP_FETCH_WAITING_MAX = 1024,  /* requests not begun yet */
};

struct http_fetch;

struct http_fetch_config {
    struct reach reach;      /* copied */
    const char *authorities; /* PEM file of those trusted instead of the system's; NULL. Copied */
};

MUST_USE enum status http_fetch_new(const struct http_fetch_config *config,
                                    struct http_fetch **ret_fetch);
/* Requests under way and those that wait end with STATUS_CLOSED, their callbacks still run. Accepts
 * NULL, returns NULL. */
struct http_fetch *http_fetch_free(struct http_fetch *fetch);

struct http_fetch_request {
    const char *url;
    const char *const *headers; /* "Name: value" each */
    size_t header_count;
    const void *body; /* NULL: GET, else POST, also of 0 bytes */
    size_t body_length;
    size_t size_max;        /* bytes of the answer's body */
    bool cut;               /* what is beyond size_max is left out, not an error */
    uint32_t time_ms_max;   /* all of it, from the name to the last byte */
    uint32_t redirects_max; /* GET only; 0: a redirect is the answer */
};

struct http_fetch_answer {
    /*
     * STATUS_OK: a server answered, with whatever code. Else nothing below holds:
     * STATUS_DENIED (an address, port or scheme that is not to be reached), STATUS_NOT_FOUND (no
     * such name), STATUS_TIMEOUT, STATUS_TRUNCATED (over size_max), STATUS_LIMIT (redirects),
     * STATUS_CORRUPT (its certificate is not trusted), STATUS_CLOSED (http_fetch_free),
     * STATUS_NO_MEMORY, STATUS_IO.
     */
    enum status status;
    int code;                 /* 200 */
    const char *content_type; /* as sent; "" when not */
    const char *url;          /* where redirects have led to */
    const char *head;         /* the last answer's lines, for http_fetch_header */
    const uint8_t *body;
    size_t body_length;
    bool is_cut; /* there was more */
};

/* On a thread of the pool, which it may keep while it waits for storage. All of the answer is
 * borrowed until it returns. It may start other requests. */
typedef void http_fetch_fn(void *context, const struct http_fetch_answer *answer);

/* Copies what it needs of the request. STATUS_OK: fn will run, once. Errors: STATUS_INVALID (url,
 * a header, a cap), STATUS_DENIED (the scheme), STATUS_LIMIT (HTTP_FETCH_WAITING_MAX),
 * STATUS_CLOSED, STATUS_NO_MEMORY. */
MUST_USE enum status http_fetch_start(struct http_fetch *fetch,
                                      const struct http_fetch_request *request, http_fetch_fn *fn,
                                      void *context);

/* The first value of a header of the answer, of whatever case, without spaces around it; `size`
 * counts the NUL. False: there is none, or it does not fit. */
MUST_USE bool http_fetch_header(const struct http_fetch_answer *answer, const char *name,
                                char *ret_value, size_t size);

#endif
