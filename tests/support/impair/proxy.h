/*
 * tests/support/impair/proxy.h - stands between a client and a media server on loopback and makes
 * the way between them bad.
 *
 * A client sends to one of the *fronts*; for each of its addresses there is a *flow* with a socket
 * of its own towards the server, as in a NAT. All flows share two paths, UP (to the server) and
 * DOWN. Thread: one.
 */
#ifndef TESTS_SUPPORT_IMPAIR_PROXY_H
#define TESTS_SUPPORT_IMPAIR_PROXY_H

#include "core/status.h"
#include "tests/support/net_path.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

enum {
    PROXY_FRONTS_MAX = 4,
    PROXY_FLOWS_MAX = 256, /* then datagrams of new addresses are dropped and counted */
};

enum proxy_way { PROXY_UP, PROXY_DOWN, PROXY_WAYS };

struct proxy;

/* Binds `fronts` free ports of 127.0.0.1. `server` 0: nobody yet, what comes is dropped.
 * Errors: STATUS_INVALID (number of fronts), STATUS_NO_MEMORY, STATUS_IO. */
MUST_USE enum status proxy_new(uint64_t seed, uint16_t server_port, unsigned fronts,
                               struct proxy **ret_proxy);
struct proxy *proxy_free(struct proxy *proxy); /* accepts NULL, returns NULL */

uint16_t proxy_front_port(const struct proxy *proxy, unsigned front); /* 0: no such front */
/* A front that is shut drops all it gets from either side. */
MUST_USE enum status proxy_front_open(struct proxy *proxy, unsigned front, bool open);
/* Where the flows that begin from now on go. */
void proxy_server(struct proxy *proxy, uint16_t port);
/* Each flow gets another address towards the server: what a NAT does that forgot it. */
MUST_USE enum status proxy_rebind(struct proxy *proxy);

struct net_path *proxy_path(struct proxy *proxy, enum proxy_way way);
uint64_t proxy_now_us(void);
unsigned proxy_flows(const struct proxy *proxy);
uint64_t proxy_refused(const struct proxy *proxy); /* datagrams nobody could be found for */

/* Waits for datagrams, the next arrival or input on `extra_fd`; returns true when there is some. */
bool proxy_turn(struct proxy *proxy, int extra_fd);

#endif
