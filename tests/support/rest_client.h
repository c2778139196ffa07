/*
 * tests/support/rest_client.h - REST over one kept connection of plain HTTP on loopback, for
 * tests that talk to a whole server, and outlive it. Thread: one owner.
 */
#ifndef TESTS_SUPPORT_REST_CLIENT_H
#define TESTS_SUPPORT_REST_CLIENT_H

#include "core/status.h"

#include <stddef.h>
#include <stdint.h>

enum { REST_CLIENT_BODY_MAX = 4 << 20 };

struct rest_client;

struct rest_call {
    const char *method, *path; /* path with its query */
    const char *token;         /* bearer; NULL: none */
    const char *key;           /* Idempotency-Key; NULL: none */
    const char *body;          /* JSON; NULL: none */
};

/* Connects to 127.0.0.1:port; reads wait up to wait_ms.
 * Errors: STATUS_IO (nobody there), STATUS_NO_MEMORY. */
MUST_USE enum status rest_client_open(uint16_t port, uint32_t wait_ms,
                                      struct rest_client **ret_client);
/* Just closes the socket. Accepts NULL, returns NULL. */
struct rest_client *rest_client_close(struct rest_client *client);
/*
 * Sends a request and reads its whole answer; *ret_body is NUL-terminated, borrowed until the next
 * call. After an error the connection is of no use. Errors: STATUS_IO, STATUS_TIMEOUT,
 * STATUS_CLOSED (the server ended it), STATUS_INVALID (no HTTP/1.1 with a length), STATUS_LIMIT.
 */
MUST_USE enum status rest_client_call(struct rest_client *client, const struct rest_call *call,
                                      int *ret_code, const char **ret_body);

#endif
