/*
 * signalling/http/frames.h - looks at websocket frame headers (RFC 6455 5.2) as they pass.
 *
 * From a client: libwebsockets takes unmasked frames and lengths in more bytes than
 * needed, and answers a long control frame by silence; RFC 6455 5.1, 5.2 and 5.5 forbid
 * them. From libwebsockets: whether it has begun to
 * close, because its own time-outs cannot be relied upon under libev (4.1.6 does not arm
 * an earlier one while a later one runs). Zeroed is the start of a stream.
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
    uint8_t blank; /* of a response's "\r\n\r\n": how much has passed */
    bool closing;  /* a close frame's header has passed */
};

/* Bytes of a client. False: they break a rule, pass nothing on. */
bool frames_pass(struct frames *frames, const uint8_t *bytes, size_t length);
/* Bytes of a server, the response's head first. True from its close frame on. */
bool frames_closing(struct frames *frames, const uint8_t *bytes, size_t length);

#endif
