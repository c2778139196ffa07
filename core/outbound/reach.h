/*
 * core/outbound/reach.h - which addresses this server may connect to on somebody's word: those
 * that are reachable by everybody anyway, so that a link in a message cannot make the server
 * speak to what stands beside it (server-side request forgery).
 * Any thread.
 */
#ifndef CORE_OUTBOUND_REACH_H
#define CORE_OUTBOUND_REACH_H

#include "core/network.h"

enum {
    REACH_PORTS_MAX = 16,
    REACH_ALLOWED_MAX = 16,
};

struct reach {
    uint16_t ports[REACH_PORTS_MAX]; /* none: 80 and 443 */
    size_t port_count;
    struct network allowed[REACH_ALLOWED_MAX]; /* may be reached though they are not public */
    size_t allowed_count;
};

/*
 * Whether the address is a host's on the public Internet. Not: what RFC 6890 and IANA's
 * special-purpose registries set aside (unspecified, private, shared, loopback, link-local,
 * unique local, documentation, benchmarking), multicast, broadcast, and IPv6 addresses that stand
 * for an IPv4 address (mapped, NAT64, 6to4, Teredo).
 */
bool reach_is_public(sa_family_t family, const uint8_t *address);
/* Of a socket address, its port with it. Families other than IP: no. */
bool reach_permits(const struct reach *reach, const struct sockaddr *address);

#endif
