/*
 * signalling/http/visitors.h - what one address may take: connections at a time, and
 * requests per minute by a token bucket. IPv6 counts by /64, the smallest block one
 * customer gets (RFC 6177). Owner: the edge thread. Time is an argument.
 */
#ifndef SIGNALLING_HTTP_VISITORS_H
#define SIGNALLING_HTTP_VISITORS_H

#include "core/status.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

enum {
    VISITORS_MAX = 65536, /* addresses remembered; with more at once, new ones are refused */
    VISITORS_CONNECTIONS_DEFAULT = 1024, /* a whole company behind one address */
    VISITORS_REQUESTS_DEFAULT = 6000,    /* per minute; a page takes about 20 */
};

struct visitors_config {
    uint32_t connections_per_address; /* 0: default, and loopback has no limit */
    uint32_t requests_per_minute;     /* likewise */
};

struct visitors;
struct visitor;

MUST_USE enum status visitors_new(const struct visitors_config *config,
                                  struct visitors **ret_visitors);
/* Accepts NULL, returns NULL. */
struct visitors *visitors_free(struct visitors *visitors);
/* A connection comes. Errors: STATUS_LIMIT, STATUS_NO_MEMORY. */
MUST_USE enum status visitors_enter(struct visitors *visitors, const struct sockaddr *address,
                                    bool loopback, uint64_t now_ms, struct visitor **ret_visitor);
/* It goes. */
void visitors_leave(struct visitor *visitor);
/* A request comes: 0 when it may, else the seconds after which it may come again. */
uint32_t visitors_request(struct visitors *visitors, struct visitor *visitor, uint64_t now_ms);

struct visitors_allowance {
    uint32_t quota;   /* requests a minute */
    uint32_t left;    /* that may come at once */
    uint32_t reset_s; /* until all of them may again */
};

/* What is left after the last request; false for an address without a limit. */
bool visitors_allowance(const struct visitors *visitors, const struct visitor *visitor,
                        struct visitors_allowance *ret_allowance);

#endif
