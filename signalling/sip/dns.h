/*
 * signalling/sip/dns.h - the records of a name server's answer that locate a trunk: A, AAAA, SRV
 * (RFC 2782), NAPTR (RFC 3403). The C library's parser reads the message. Any thread, no state.
 */
#ifndef SIGNALLING_SIP_DNS_H
#define SIGNALLING_SIP_DNS_H

#include "core/status.h"

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>

enum {
    DNS_RECORDS_MAX = 32, /* of one answer; the rest is passed over */
    DNS_NAME_MAX = 256,   /* bytes, with the NUL */
    DNS_ANSWER_MAX = 65535,
};

enum dns_kind { DNS_A = 1, DNS_AAAA = 28, DNS_SRV = 33, DNS_NAPTR = 35 };

struct dns_record {
    enum dns_kind kind;
    uint32_t ttl_s;
    char address[INET6_ADDRSTRLEN];       /* A, AAAA */
    uint16_t priority, weight, port;      /* SRV; NAPTR: order, preference */
    char name[DNS_NAME_MAX];              /* SRV: target; NAPTR: replacement */
    char flags[8], service[DNS_NAME_MAX]; /* NAPTR: "s", "SIP+D2U" */
};

struct dns_answer {
    struct dns_record records[DNS_RECORDS_MAX];
    size_t count;
};

/* Records of `kind`; a record that is malformed is passed over. Errors: STATUS_INVALID (no answer),
 * STATUS_NOT_FOUND (an answer without such records). */
MUST_USE enum status dns_read(const uint8_t *bytes, size_t length, enum dns_kind kind,
                              struct dns_answer *ret_answer);

#endif
