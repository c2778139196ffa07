/*
 * tests/support/authenticator.h - a passkey device in software: makes a key, and signs what a
 * browser would have it sign. What it says can be bent, to be refused.
 */
#ifndef TESTS_SUPPORT_AUTHENTICATOR_H
#define TESTS_SUPPORT_AUTHENTICATOR_H

#include "core/arena.h"

#include <stddef.h>
#include <stdint.h>

struct authenticator {
    int algorithm; /* COSE: -7, -8, -257 */
    void *key;     /* OpenSSL's */
    uint8_t id[32];
    uint32_t count; /* of signatures, its making among them; 0: it does not count */
    uint8_t flags;  /* 1: somebody is there; 4: it is the owner */
};

/* What a page sends, in base64url. */
struct authenticator_said {
    const char *credential, *client, *data, *signature;
};

void authenticator_make(int algorithm, struct authenticator *ret_authenticator);
void authenticator_fini(struct authenticator *authenticator);
/* navigator.credentials.create on a page at `origin`. */
void authenticator_register(const struct authenticator *authenticator, const char *rp,
                            const char *origin, const char *challenge, struct arena *arena,
                            struct authenticator_said *ret_said);
/* navigator.credentials.get. */
void authenticator_sign(struct authenticator *authenticator, const char *rp, const char *origin,
                        const char *challenge, struct arena *arena,
                        struct authenticator_said *ret_said);

#endif
