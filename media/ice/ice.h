/*
 * media/ice/ice.h - ICE-lite (RFC 8445 2.5) for one transport: answers connectivity
 * checks and knows where media may go.
 *
 * Without sockets: bytes and their path in, a reply out, time as an argument. We are
 * always controlled and never send checks; the client's own checks prove its address
 * (they carry our password's HMAC) and renew its consent (RFC 7675).
 *
 * Where media goes: to the path whose check last asked for it (USE-CANDIDATE). A check
 * without it moves media only when the present path was never nominated or has been
 * silent for ICE_SILENT_MS: a browser also checks the paths it does not use, and media
 * shall not flap between them.
 *
 * STUN is libnice's (stun/usages/ice.h); only agent.c knows it. Thread: one media
 * worker owns an agent; the ice_peek and ice_address functions run anywhere.
 */
#ifndef MEDIA_ICE_ICE_H
#define MEDIA_ICE_ICE_H

#include "core/status.h"
#include "media/media.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

enum {
    ICE_PATHS_MAX = 8,      /* addresses kept per client; past it the one silent longest goes */
    ICE_REPLY_MAX = 1280,   /* bytes a reply buffer must hold: libnice asserts below that */
    ICE_REQUEST_MAX = 2048, /* bytes; longer is no check */
    ICE_CONSENT_MS = 30000, /* RFC 7675 5.1: no check for that long, nothing is sent */
    ICE_SILENT_MS = 3000,   /* a nominated path unchecked for that long may be left */
};

/* RFC 7983 7, RFC 5761 4. */
enum ice_kind { ICE_KIND_STUN, ICE_KIND_DTLS, ICE_KIND_RTP, ICE_KIND_RTCP, ICE_KIND_OTHER };

/* What a datagram is, by its first bytes; any length. */
enum ice_kind ice_kind_of(const uint8_t *bytes, size_t length);

/*
 * Our user fragment in a raw STUN binding request, before any transport is known:
 * the part of USERNAME before the colon. Points into bytes, no NUL; 1..256 long.
 * Nothing is verified yet. Errors: STATUS_INVALID (not a binding request with USERNAME),
 * STATUS_TRUNCATED.
 */
MUST_USE enum status ice_peek_ufrag(const uint8_t *bytes, size_t length, const char **ret_ufrag,
                                    size_t *ret_length);

/* An IP address and port; IPv4 always as ::ffff:a.b.c.d, so equal addresses have equal bytes. */
struct ice_address {
    uint8_t ip[16];
    uint16_t port;  /* host order */
    uint32_t scope; /* link-local IPv6: interface; else 0 */
};

/* Errors: STATUS_INVALID (neither AF_INET nor AF_INET6). */
MUST_USE enum status ice_address_from(const struct sockaddr *address,
                                      struct ice_address *ret_address);
/* For a socket of `family`; ret_length is what sendto wants, and the bytes written. Errors:
 * STATUS_UNSUPPORTED (IPv6 address, AF_INET socket). */
MUST_USE enum status ice_address_to(const struct ice_address *address, sa_family_t family,
                                    struct sockaddr_storage *ret_address, socklen_t *ret_length);
bool ice_address_is_v4(const struct ice_address *address);
bool ice_address_equal(const struct ice_address *left, const struct ice_address *right);
/* For hash tables keyed by address. */
uint64_t ice_address_hash(const struct ice_address *address);

/* Where a packet came from and where the answer goes. */
struct ice_path {
    struct ice_address address; /* the client's, also on TCP */
    uint32_t stream; /* 0: the UDP socket; else the caller's number of a TCP connection */
};

bool ice_path_equal(const struct ice_path *left, const struct ice_path *right);

struct ice_agent;

/* Copies our ufrag and pwd; the client's are not needed, since we send no checks. Errors:
 * STATUS_INVALID (empty or unterminated text), STATUS_NO_MEMORY. */
MUST_USE enum status ice_agent_new(const struct media_ice *ice, struct ice_agent **ret_agent);
/* Accepts NULL, returns NULL. */
struct ice_agent *ice_agent_free(struct ice_agent *agent);

/*
 * ICE restart (RFC 8445 9): checks with either pair of credentials pass until the first
 * on the new pair arrives, which ends the old one. A second restart before that replaces
 * the pair that waits. Errors: STATUS_INVALID.
 */
MUST_USE enum status ice_agent_restart(struct ice_agent *agent, const struct media_ice *ice);

/* What a received STUN message led to. */
struct ice_outcome {
    size_t reply_length; /* bytes for the path it came from; 0: no reply */
    bool passed;         /* it was a check with our credentials: the path has consent from now on */
    bool moved;          /* the selected path is another one now (also the first) */
    bool restored;       /* the first check after ice_agent_tick said lost */
    bool restarted;      /* the first check on new credentials: forget the old ufrag */
};

/*
 * A datagram of ICE_KIND_STUN. Everything is answered as RFC 8489 6.3 and RFC 8445 7.3
 * say: success with XOR-MAPPED-ADDRESS, 400, 401, 420, 487 (the peer also says it is
 * controlled); indications, responses and non-STUN get nothing. An error reply longer
 * than the request is not sent (no amplification for strangers).
 * Errors: STATUS_INVALID (no STUN message for us: dropped, nothing to send).
 */
MUST_USE enum status ice_agent_receive(struct ice_agent *agent, const uint8_t *bytes, size_t length,
                                       const struct ice_path *path, uint64_t now_ns,
                                       uint8_t reply[ICE_REPLY_MAX],
                                       struct ice_outcome *ret_outcome);

/*
 * Something only our peer can have sent (authentic SRTCP) came by this path: where it has
 * consent it goes on having it. RFC 7675 5.1 knows checks only, but there are ICE agents that
 * keep a path alive by indications (GStreamer 1.22) and send no check after the first.
 */
void ice_agent_heard(struct ice_agent *agent, const struct ice_path *path, uint64_t now_ns);

/* True when a check from this path passed in the last ICE_CONSENT_MS: DTLS and media from it may
 * be taken. */
bool ice_agent_path_open(const struct ice_agent *agent, const struct ice_path *path,
                         uint64_t now_ns);
/* Where to send now, borrowed until the next call; NULL: nowhere (no check yet, or consent over).
 */
const struct ice_path *ice_agent_selected(const struct ice_agent *agent, uint64_t now_ns);
/* The caller's TCP connection is gone; paths of it are forgotten. True when the selected path was
 * one of them (another open path, the last checked, takes its place if there is one). */
bool ice_agent_stream_closed(struct ice_agent *agent, uint32_t stream, uint64_t now_ns);

/* Call once a second or so. True once when consent ran out on every path (MEDIA_TRANSPORT_LOST);
 * an agent that never passed a check is not lost. */
bool ice_agent_tick(struct ice_agent *agent, uint64_t now_ns);

#endif
