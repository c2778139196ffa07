/*
 * tests/support/ws_client.h - a websocket client (RFC 6455) of plain HTTP on loopback, for
 * tests that talk to a whole server, and outlive it. Thread: one owner.
 */
#ifndef TESTS_SUPPORT_WS_CLIENT_H
#define TESTS_SUPPORT_WS_CLIENT_H

#include "core/status.h"

#include <stddef.h>
#include <stdint.h>

enum { WS_CLIENT_MESSAGE_MAX = 4 << 20 };

struct ws_client;

/* Connects to 127.0.0.1:port and upgrades `path`; reads wait up to wait_ms.
 * Errors: STATUS_IO (nobody there, or no upgrade), STATUS_NO_MEMORY. */
MUST_USE enum status ws_client_open(uint16_t port, const char *path, uint32_t wait_ms,
                                    struct ws_client **ret_client);
/* Just closes the socket. Accepts NULL, returns NULL. */
struct ws_client *ws_client_close(struct ws_client *client);
/* Errors: STATUS_IO. */
MUST_USE enum status ws_client_send(struct ws_client *client, const char *text);
/*
 * The next text message, NUL-terminated, borrowed until the next read; answers pings.
 * Errors: STATUS_TIMEOUT, STATUS_CLOSED (the server ended it), STATUS_IO, STATUS_INVALID (not
 * RFC 6455, or not text), STATUS_LIMIT.
 */
MUST_USE enum status ws_client_read(struct ws_client *client, const char **ret_text,
                                    size_t *ret_length);

#endif
