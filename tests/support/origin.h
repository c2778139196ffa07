/*
 * tests/support/origin.h - another server on the web: answers each request by what the test says,
 * one connection after another, on a loopback address and any port. Failures end the test (cmocka).
 */
#ifndef TESTS_SUPPORT_ORIGIN_H
#define TESTS_SUPPORT_ORIGIN_H

#include <stddef.h>
#include <stdint.h>

enum { ORIGIN_REQUEST_MAX = 65536 };

struct origin;

struct origin_request {
    const char *head; /* "GET /path HTTP/1.1\r\nhost: ..." */
    const uint8_t *body;
    size_t body_length;
};

/* What is sent, whole, before the connection is closed; freed by the origin. NULL: nothing, and the
 * connection stays open until the client leaves. On a thread of the origin. */
typedef char *origin_fn(void *context, const struct origin_request *request, size_t *ret_length);

/* `address`: "127.0.0.1", "::1". */
struct origin *origin_start(const char *address, origin_fn *fn, void *context);
uint16_t origin_port(const struct origin *origin);
/* Connections taken since the start. */
uint32_t origin_connections(const struct origin *origin);
struct origin *origin_stop(struct origin *origin);

/* "HTTP/1.1 200 OK" with a type, further header lines ("X: y\r\n" each, or "") and a text. */
char *origin_answer(int code, const char *type, const char *headers, const char *text,
                    size_t *ret_length);

#endif
