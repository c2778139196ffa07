/*
 * signalling/http/answer.h - a response on its way out: header lines gathered, then the
 * head made once with what every response carries (security headers, request id, date).
 * Owner: a connection of the edge thread.
 */
#ifndef SIGNALLING_HTTP_ANSWER_H
#define SIGNALLING_HTTP_ANSWER_H

#include "signalling/http/assets.h"
#include "signalling/http/buffer.h"
#include "signalling/http/head.h"
#include "signalling/http/http.h"

#include <stdbool.h>
#include <stddef.h>

enum {
    ANSWER_INLINE_MAX = 16384, /* bytes: a smaller body leaves in one write with the head */
};

struct answer {
    int status;           /* 0: there is none yet */
    struct buffer fields; /* "Name: value\r\n" lines */
    const char *body;     /* borrowed, or .owned */
    size_t body_length;
    char *owned;   /* a body that goes with the answer */
    bool streamed; /* the body comes in pieces after the head (transfer.h) */
    uint64_t stream_length;
    bool head_only;    /* HEAD: the length is said, the body is not sent */
    bool failed;       /* out of memory while it was put together */
    struct buffer out; /* head and small body */
    size_t sent;       /* of body, when it is not in `out` */
};

/* What the common headers need to know. */
struct answer_scene {
    const char *id;     /* request id */
    const char *host;   /* NULL before there is a valid one */
    const char *origin; /* an allowed foreign one to be named (CORS); NULL: none */
    bool hsts;          /* https with a certificate that is not self-signed */
    bool close;         /* the connection ends after it */
};

const char *answer_reason(int status);
/* Adds a header line; a value with a control character is left out and logged. */
void answer_field(struct answer *answer, const char *name, const char *value);
/* Becomes an RFC 9457 problem document. */
void answer_problem(struct answer *answer, const struct refusal *refusal, const char *id);
/* Becomes the file: conditional (RFC 9110 13), encoded by what the client takes, or a range of it.
 */
void answer_asset(struct answer *answer, const struct asset *asset, const struct head *head);
/* Becomes what a handler said; texts stay borrowed. */
void answer_reply(struct answer *answer, const struct http_reply *reply);
/* Makes the head; false without memory. */
MUST_USE bool answer_finish(struct answer *answer, const struct answer_scene *scene);
/* Gives everything back; the answer is empty and usable. */
void answer_clear(struct answer *answer);
/* Bytes not yet written. */
size_t answer_left(const struct answer *answer);

#endif
