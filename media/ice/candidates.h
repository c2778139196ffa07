/*
 * media/ice/candidates.h - the addresses an answer names (RFC 8445 5.1.1, RFC 6544).
 *
 * Thread: any.
 */
#ifndef MEDIA_ICE_CANDIDATES_H
#define MEDIA_ICE_CANDIDATES_H

#include "core/status.h"
#include "media/media.h"

#include <ifaddrs.h>
#include <stdint.h>

/*
 * Fills ret_local->candidates and candidate_count; the fingerprint is left alone.
 * `udp_port` is the bound one. config->addresses, when given, stand instead of the
 * machine's own ("192.0.2.1", "192.0.2.1:20000", "2001:db8::1", "[2001:db8::1]:20000";
 * the port is for UDP). Own addresses: interfaces that are up, no link-local IPv6, and
 * loopback only when config->loopback asks, or when there is nothing else. UDP before
 * TCP (config->tcp_port), IPv6 before IPv4 as RFC 8421 asks.
 * Own addresses past MEDIA_CANDIDATES_MAX (half of it with TCP) are left out.
 * Errors: STATUS_INVALID (an advertised address does not parse), STATUS_LIMIT (too many
 * advertised), STATUS_IO, STATUS_NOT_FOUND (no address at all).
 */
MUST_USE enum status candidates_gather(const struct media_config *config, uint16_t udp_port,
                                       struct media_local *ret_local);

/* The same over a given list of interfaces, for tests. */
MUST_USE enum status candidates_from(const struct media_config *config, uint16_t udp_port,
                                     const struct ifaddrs *interfaces,
                                     struct media_local *ret_local);

#endif
