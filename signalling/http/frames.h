/*
 * signalling/http/frames.h - looks at a client's websocket frame headers as they pass.
 *
 * libwebsockets takes unmasked frames from clients and lengths in more bytes than needed;
 * RFC 6455 5.1 and 5.2 forbid both. Everything else about frames is left to it.
 */
#ifndef SIGNALLING_HTTP_FRAMES_H
#define SIGNALLING_HTTP_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct frames {
    uint8_t header[14];
    uint8_t have;
    uint64_t payload_left;
};

/* False: the bytes break a rule, pass nothing on. Zeroed is the start of a stream. */
bool frames_pass(struct frames *frames, const uint8_t *bytes, size_t length);

#endif
