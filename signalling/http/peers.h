/*
 * signalling/http/peers.h - what one address may take: connections at a time, and
 * requests per minute by a token bucket. IPv6 counts by /64, the smallest block one
 * customer gets (RFC 6177). Owner: the edge thread. Time is an argument.
 */
#ifndef SIGNALLING_HTTP_PEERS_H
#define SIGNALLING_HTTP_PEERS_H

#include "core/status.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

enum {
    PEERS_MAX = 65536, /* addresses remembered; with more at once, new ones are refused */
    PEERS_CONNECTIONS_DEFAULT = 1024, /* a whole company behind one address */
    PEERS_REQUESTS_DEFAULT = 6000,    /* per minute; a page takes about 20 */
};

struct peers_config {
    uint32_t connections_per_address; /* 0: default, and loopback has no limit */
    uint32_t requests_per_minute;     /* likewise */
};

struct peers;
struct peer;

MUST_USE enum status peers_new(const struct peers_config *config, struct peers **ret_peers);
/* Accepts NULL, returns NULL. */
struct peers *peers_free(struct peers *peers);
/* A connection comes. Errors: STATUS_LIMIT, STATUS_NO_MEMORY. */
MUST_USE enum status peers_enter(struct peers *peers, const struct sockaddr *address, bool loopback,
                                 uint64_t now_ms, struct peer **ret_peer);
/* It goes. */
void peers_leave(struct peer *peer);
/* A request comes: 0 when it may, else the seconds after which it may come again. */
uint32_t peers_request(struct peers *peers, struct peer *peer, uint64_t now_ms);

#endif
