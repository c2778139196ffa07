/*
 * signalling/http/head.h - the strict reader of a request's head (RFC 9112 2-5).
 *
 * Everything that two HTTP programs could understand in two ways is refused: line ends
 * other than CRLF, folded lines, blanks before a colon, control characters, repeated or
 * non-digit Content-Length, any Transfer-Encoding, not exactly one Host. Pure functions
 * of bytes; any thread.
 */
#ifndef SIGNALLING_HTTP_HEAD_H
#define SIGNALLING_HTTP_HEAD_H

#include "core/status.h"
#include "signalling/http/http.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    HEAD_FIELDS_MAX = 100,   /* header lines: browsers send about 20 */
    HEAD_TARGET_MAX = 8000,  /* bytes; RFC 9112 3 wants at least 8000 */
    HEAD_HOST_MAX = 255 + 6, /* a DNS name and a port */
};

/* Why a request is refused; all texts are literals. */
struct refusal {
    int status;
    const char *code; /* stable snake_case name */
    const char *detail;
};

struct head_field {
    char *name; /* lower case */
    char *value;
};

/* Texts point into the parsed bytes, NUL-terminated. */
struct head {
    const char *method;
    const char *path;  /* decoded; no NUL, no "." or ".." segment, valid UTF-8 */
    const char *query; /* raw; "" when none */
    const char *host;  /* valid authority, lower case */
    struct head_field fields[HEAD_FIELDS_MAX];
    size_t field_count;
    bool has_length;         /* a Content-Length was there */
    uint64_t content_length; /* 0 when none */
    bool close;              /* Connection: close */
    bool expect_continue;
    bool upgrade_websocket; /* Connection: upgrade and Upgrade: websocket */
};

enum head_scan { HEAD_MORE, HEAD_WHOLE, HEAD_BAD };

/*
 * Looks for the end of the head in bytes[0..length), going on at *at (0 at first). On
 * HEAD_WHOLE *at is the head's length with the blank line. HEAD_BAD as soon as a byte
 * shows that no valid head can come (bare CR or LF, control character).
 */
enum head_scan head_scan(const char *bytes, size_t length, size_t *at);

/*
 * Parses a whole head in place (bytes change). Errors: STATUS_INVALID, ret_refusal says
 * what to answer.
 */
MUST_USE enum status head_parse(char *bytes, size_t length, struct head *ret_head,
                                struct refusal *ret_refusal);

/* Value of the field (lower-case name), the first when there are several; NULL when absent. */
const char *head_get(const struct head *head, const char *name);
/* True when the comma-separated list contains the token, case-insensitively. */
bool head_list_has(const char *list, const char *token);
/* reg-name of letters, digits, "-._", or IPv4, or [IPv6]; optional port 1..65535. Lower-cases it.
 */
bool head_authority_valid(char *authority);

#endif
