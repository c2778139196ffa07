/*
 * signalling/sip/phone/identity.h - who calls, from the headers of an INVITE: P-Asserted-Identity
 * (RFC 3325), Remote-Party-ID, From; Privacy (RFC 3323). The phone thread's.
 */
#ifndef SIGNALLING_SIP_PHONE_IDENTITY_H
#define SIGNALLING_SIP_PHONE_IDENTITY_H

#include <sofia-sip/sip.h>
#include <sofia-sip/su_alloc.h>
#include <stdbool.h>

enum { IDENTITY_TEXT_MAX = 64 /* bytes of a number or a name */ };

struct identity {
    char number[IDENTITY_TEXT_MAX + 1]; /* digits and a leading +, or the user of a SIP address */
    char name[IDENTITY_TEXT_MAX + 1];   /* UTF-8, nothing in it that is no letter of a line */
    bool hidden;                        /* the caller asked that others do not learn it */
};

/* `trusted`: what the sender asserts of a caller is believed (RFC 3325 5); else From alone says who
 * it is, and Privacy is honoured all the same. */
void identity_read(const sip_t *sip, bool trusted, struct identity *ret_identity);

/* A header the stack does not know, of at most 8 KiB; the first of that name. NULL: none. */
const char *identity_header(const sip_t *sip, const char *name);

#endif
