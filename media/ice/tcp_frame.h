/*
 * media/ice/tcp_frame.h - RFC 4571 framing for ICE-TCP (RFC 6544): a 16-bit length
 * before each packet of a stream.
 *
 * Thread: the owner of the connection. No sockets.
 */
#ifndef MEDIA_ICE_TCP_FRAME_H
#define MEDIA_ICE_TCP_FRAME_H

#include "core/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    TCP_FRAME_HEAD = 2,      /* bytes of length before a packet */
    TCP_FRAME_MAX = 2048,    /* bytes of a packet we take; browsers stay below 1,500 */
    ICE_TCP_LOOK_BYTES = 10, /* after these ice_tcp_looks_like always knows */
};

enum ice_tcp_look {
    ICE_TCP_MORE,  /* too few bytes to tell (peek again at up to ICE_TCP_LOOK_BYTES) */
    ICE_TCP_STUN,  /* an RFC 4571 frame with a STUN binding request */
    ICE_TCP_OTHER, /* anything else: TLS, HTTP, noise */
};

/* Tells ICE-TCP from TLS on the same port by what the client sends first. A TLS ClientHello is
 * known by its first byte (0x16), STUN needs ICE_TCP_LOOK_BYTES. */
enum ice_tcp_look ice_tcp_looks_like(const uint8_t *bytes, size_t length);

/* Puts frames together; plain data, zeroed to begin with. About 2 KiB, fixed. */
struct tcp_frame_reader {
    uint16_t have; /* bytes in buffer: of the head, then of the packet */
    uint8_t buffer[TCP_FRAME_HEAD + TCP_FRAME_MAX];
};

/* A whole packet, borrowed. False stops the reading (the connection is being closed). */
typedef bool tcp_frame_fn(void *context, const uint8_t *packet, size_t length);

/*
 * Takes what was read from the stream and calls `fn` for each packet that is whole;
 * packets that lie whole in `bytes` are not copied. Empty frames are skipped.
 * Errors: STATUS_LIMIT (a frame longer than TCP_FRAME_MAX: close the connection),
 * STATUS_CLOSED (fn stopped it; the reader may be gone and is not touched any more).
 */
MUST_USE enum status tcp_frame_read(struct tcp_frame_reader *reader, const uint8_t *bytes,
                                    size_t length, tcp_frame_fn *fn, void *context);

/* The two bytes that go before a packet of `length` (<= 65535). */
void tcp_frame_head(size_t length, uint8_t ret_head[TCP_FRAME_HEAD]);

#endif
