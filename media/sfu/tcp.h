/*
 * media/sfu/tcp.h - ICE-TCP connections of one worker (RFC 6544, RFC 4571 framing).
 *
 * A connection comes with its first bytes, finds its transport by the first check and
 * moves to the worker that owns it. What is sent is gathered until the end of the turn;
 * when the client does not read, media is dropped, not queued without end.
 *
 * Thread: the worker.
 */
#ifndef MEDIA_SFU_TCP_H
#define MEDIA_SFU_TCP_H

#include "media/ice/ice.h"
#include "media/worker.h"

#include <stddef.h>
#include <stdint.h>

enum {
    TCP_QUEUE_MAX = 1 << 18, /* bytes waiting outwards: about 1 s of 2 Mbit/s */
    TCP_PROVE_MS = 15000,    /* a connection without a valid check for that long is closed */
    TCP_TAKEN_MAX = 4096,    /* bytes that may come along with a connection */
};

struct connection;

/* Letter: stream. Any worker. */
void tcp_on_adopt(struct worker *worker, const struct letter *letter);
/* Frames and queues; a full queue drops it. Unknown streams drop it too. */
void tcp_send(struct worker *worker, uint32_t stream, const uint8_t *bytes, size_t length);
/* Writes what was gathered. */
void tcp_flush(struct worker *worker);
/* A check passed on it: the connection is this transport's. */
void tcp_bind(struct worker *worker, uint32_t stream, struct transport *transport);
/* NULL: not proven yet, or gone. */
struct transport *tcp_transport(const struct worker *worker, uint32_t stream);
/* The transport has ended: its connections are closed. */
void tcp_close_of(struct worker *worker, const struct transport *transport);
/* Now and then: looks again at those whose transport was not known, closes those that did not
 * prove themselves in time. */
void tcp_expire(struct worker *worker);
void tcp_close_all(struct worker *worker);

/* Our end of the connection; untouched when it is gone. A system call: for traces. */
void tcp_local(const struct worker *worker, uint32_t stream, struct ice_address *ret_address);

#endif
