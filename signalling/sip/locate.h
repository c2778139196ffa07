/*
 * signalling/sip/locate.h - where a SIP server is (RFC 3263): NAPTR, then SRV, then A and AAAA.
 *
 * Asking is passed in, so that tests replay. Any thread; blocks as long as asking does.
 */
#ifndef SIGNALLING_SIP_LOCATE_H
#define SIGNALLING_SIP_LOCATE_H

#include "signalling/sip/dns.h"
#include "signalling/sip/trunk.h"
#include "signalling/sip/wire.h"

enum {
    LOCATE_TARGETS_MAX = 8,
    LOCATE_TTL_MIN_S = 5, /* a shorter one is taken as this long */
    LOCATE_TTL_MAX_S = 3600,
    LOCATE_QUESTIONS_MAX = 64, /* of one search, whatever the answers lead to */
};

/* Errors: STATUS_NOT_FOUND (no such records), STATUS_IO (nobody answers). */
typedef enum status locate_ask_fn(void *context, const char *name, enum dns_kind kind,
                                  struct dns_answer *ret_answer);

struct locate_wish {
    const char *host;               /* HOST or HOST:PORT, "[2001:db8::1]:5061" too */
    enum trunk_transport transport; /* auto: as NAPTR says */
    bool can[WIRE_TRANSPORTS];      /* transports we have */
    uint64_t seed;                  /* of the choice by weight */
};

struct locate_target {
    enum wire_transport transport;
    char address[INET6_ADDRSTRLEN];
    uint16_t port;
};

struct location {
    struct locate_target targets[LOCATE_TARGETS_MAX]; /* the first one is to be tried first */
    size_t count;
    uint32_t ttl_s;
};

/* HOST of HOST:PORT, without brackets. False: malformed. *ret_port 0: none. */
bool locate_host(const char *text, char ret_host[DNS_NAME_MAX], uint16_t *ret_port);
/* Errors: STATUS_INVALID (wish->host), STATUS_NOT_FOUND, STATUS_IO. */
MUST_USE enum status locate(const struct locate_wish *wish, locate_ask_fn *ask, void *context,
                            struct location *ret_location);

#endif
