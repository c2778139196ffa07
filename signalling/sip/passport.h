/*
 * signalling/sip/passport.h - the Identity header of an INVITE (RFC 8224): a PASSporT (RFC 8225),
 * with the SHAKEN claims (RFC 8588), in full or compact form. ES256 only.
 *
 * Reads hostile bytes: bounded, no memory but the struct's and one JSON document's. Any thread.
 */
#ifndef SIGNALLING_SIP_PASSPORT_H
#define SIGNALLING_SIP_PASSPORT_H

#include "core/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    PASSPORT_HEADER_MAX = 8192, /* bytes of an Identity header */
    PASSPORT_SIGNED_MAX = 6144, /* bytes of header.payload */
    PASSPORT_JSON_MAX = 4096,   /* bytes of each, decoded */
    PASSPORT_URL_MAX = 512,
    PASSPORT_NUMBER_MAX = 32, /* digits, with the NUL */
    PASSPORT_DESTS_MAX = 8,
    PASSPORT_SIGNATURE = 64, /* r and s of P-256 */
};

struct passport {
    char text[PASSPORT_SIGNED_MAX]; /* what is signed */
    size_t length;
    uint8_t signature[PASSPORT_SIGNATURE];
    char url[PASSPORT_URL_MAX]; /* of the certificate: x5u, and info */
    bool shaken;
    char attestation;               /* 'A', 'B', 'C' of SHAKEN; 0 */
    char orig[PASSPORT_NUMBER_MAX]; /* digits; "" in a compact one that is not completed */
    char dest[PASSPORT_DESTS_MAX][PASSPORT_NUMBER_MAX];
    size_t dest_count;
    int64_t issued; /* seconds since 1970 */
    bool compact;   /* the claims are to be made from the request */
};

/* Errors: STATUS_INVALID, STATUS_UNSUPPORTED (not ES256, or another kind of PASSporT). */
MUST_USE enum status passport_read(const char *header, struct passport *ret_passport);
/* Makes what a compact one signs (RFC 8224 7) from the request's numbers and Date. SHAKEN has no
 * compact form (RFC 8588 4). Errors: STATUS_INVALID. */
MUST_USE enum status passport_complete(struct passport *passport, const char *orig,
                                       const char *dest, int64_t issued);
/* Only the digits, of a number written in any way. False: none, too many, or letters in it. */
bool passport_number(const char *text, char ret_number[PASSPORT_NUMBER_MAX]);
/* "Fri, 25 Sep 2015 19:12:25 GMT" (RFC 3261 20.17). False: not one. */
bool passport_date(const char *text, int64_t *ret_seconds);

#endif
