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

void identity_read(const sip_t *sip, struct identity *ret_identity);

#endif
