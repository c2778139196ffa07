/*
 * signalling/sip/stir.h - whether a trunk's provider vouches for a caller's number (STIR/SHAKEN):
 * a PASSporT (passport.h) checked against the certificates of phone.stir.certificates. Nothing is
 * fetched. Made once; then any thread.
 */
#ifndef SIGNALLING_SIP_STIR_H
#define SIGNALLING_SIP_STIR_H

#include "core/status.h"

#include <stddef.h>
#include <stdint.h>

enum {
    STIR_CERTIFICATES_MAX = 256,
    STIR_FRESH_S = 60, /* RFC 8224 6.2.2 */
};

struct stir;

/* Reads the *.pem, *.crt and *.cer of a folder, PEM; "": there are none, and nothing is verified.
 * Errors: STATUS_NOT_FOUND (the folder), STATUS_LIMIT, STATUS_NO_MEMORY. */
MUST_USE enum status stir_new(const char *folder, struct stir **ret_stir);
struct stir *stir_free(struct stir *stir); /* accepts NULL, returns NULL */
size_t stir_count(const struct stir *stir);

struct stir_request {
    const char *identity;  /* the header; NULL: none */
    const char *caller;    /* the number we show */
    const char *called[2]; /* numbers it may have been made for: To, Request-URI; NULL: none */
    const char *date;      /* the Date header; NULL: none */
    int64_t now_s;
};

/*
 * "" (no Identity, or nothing to check it with), "A", "B", "C" (SHAKEN, verified), "valid"
 * (verified, without an attestation), or "failed": a bad signature, an unknown certificate, another
 * caller or callee, or too old.
 */
const char *stir_check(const struct stir *stir, const struct stir_request *request);

#endif
