/*
 * modules/auth/webauthn.h - what a passkey said, checked (Web Authentication Level 2). webauthn.c
 * is the one file that touches libfido2, which reads the CBOR and checks the signatures.
 *
 * Attestation ("which make is this device?") is neither asked for nor looked at: without it the
 * attestation object holds nothing but the authenticator data (Level 2, 8.7), so that is what a
 * page sends, as its response.getAuthenticatorData() gives it. Any thread, no state.
 */
#ifndef MODULES_AUTH_WEBAUTHN_H
#define MODULES_AUTH_WEBAUTHN_H

#include "core/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    WEBAUTHN_RP_MAX = 253,          /* a host's name */
    WEBAUTHN_CREDENTIAL_MAX = 1023, /* bytes of a credential's id (Level 2, 4) */
    WEBAUTHN_KEY_MAX = 600,         /* of a public key: RSA with 4096 bits */
    WEBAUTHN_CLIENT_MAX = 2048,     /* of the client data */
    WEBAUTHN_DATA_MAX = 4096,       /* of the authenticator data */
    WEBAUTHN_SIGNATURE_MAX = 1024,
};

/* COSE algorithm numbers, as pages ask for them. */
enum { WEBAUTHN_ES256 = -7, WEBAUTHN_EDDSA = -8, WEBAUTHN_RS256 = -257 };

struct webauthn_bytes {
    const uint8_t *bytes;
    size_t length;
};

/* What it must have been asked. */
struct webauthn_expect {
    const char *rp;        /* "meet.example.org" */
    const char *origin;    /* "https://meet.example.org": this one and no other */
    const char *challenge; /* its bytes */
    bool verified;         /* the person too, by PIN, finger or face; else presence is enough */
};

struct webauthn_key {
    int algorithm;
    size_t length;
    uint8_t bytes[WEBAUTHN_KEY_MAX]; /* as libfido2 has it: x|y, or what the algorithm wants */
};

struct webauthn_credential {
    struct webauthn_key key;
    size_t id_length;
    uint8_t id[WEBAUTHN_CREDENTIAL_MAX];
    uint32_t count; /* of its signatures; 0: it does not count */
};

/* A new one (Level 2, 7.1). Errors: STATUS_INVALID (malformed, or of no algorithm above),
 * STATUS_DENIED (another challenge, origin or rp, or nobody was there), STATUS_NO_MEMORY. */
MUST_USE enum status webauthn_register(const struct webauthn_expect *expect,
                                       struct webauthn_bytes client, struct webauthn_bytes data,
                                       struct webauthn_credential *ret_credential);
/* It signed (Level 2, 7.2); whether the count has risen is the caller's question. Errors: likewise;
 * STATUS_DENIED also: not this key's signature. */
MUST_USE enum status webauthn_assert(const struct webauthn_expect *expect,
                                     const struct webauthn_key *key, struct webauthn_bytes client,
                                     struct webauthn_bytes data, struct webauthn_bytes signature,
                                     uint32_t *ret_count);

#endif
