/*
 * signalling/http/websocket.h - websockets by libwebsockets (RFC 6455), which is touched
 * in websocket.c only.
 *
 * A connection whose upgrade request was accepted gives one end of a socket pair to
 * libwebsockets, sends it a request written by ourselves, and passes bytes from then on.
 * So libwebsockets never sees a byte of HTTP from a client.
 */
#ifndef SIGNALLING_HTTP_WEBSOCKET_H
#define SIGNALLING_HTTP_WEBSOCKET_H

#include "signalling/http/edge.h"

struct websockets;

/* On http->loop. Errors: STATUS_NO_MEMORY, STATUS_UNSUPPORTED (no libev support installed). */
MUST_USE enum status websockets_new(struct http *http, struct websockets **ret_websockets);
/* Each open one gets its `closed`. Accepts NULL, returns NULL. Not inside a callback of the loop.
 */
struct websockets *websockets_free(struct websockets *websockets);
uint32_t websockets_count(const struct websockets *websockets);

/*
 * A new one for the connection; *ret_fd is our end of the pair, to which the caller passes
 * bytes. The reference is the connection's, for websocket_part. Errors: STATUS_NO_MEMORY,
 * STATUS_IO.
 */
MUST_USE enum status websocket_adopt(struct websockets *websockets, struct conn *conn,
                                     const char *address, bool loopback, struct http_ws **ret_ws,
                                     int *ret_fd);
/* The connection is gone. Gives its reference back. */
void websocket_part(struct http_ws *ws);

#endif
