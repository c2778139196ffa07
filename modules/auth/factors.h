/*
 * modules/auth/factors.h - what is asked for besides a password: the codes of an authenticator app
 * (totp.h), passkeys (passkeys.h), or, when both are lost, one of ten codes on paper.
 *
 * With any of the first two a password alone signs nobody in: auth_sign_in answers STATUS_AGAIN
 * with a challenge, and factors_sign_in takes it with one of the three. Wrong ones are counted with
 * wrong passwords, so that who guesses waits as long.
 *
 * Seeds are sealed; codes on paper are kept as keyed hashes, shown once and good once.
 * Threads, times, results and errors as in auth.h.
 */
#ifndef MODULES_AUTH_FACTORS_H
#define MODULES_AUTH_FACTORS_H

#include "modules/auth/auth.h"
#include "modules/auth/challenge.h"
#include "modules/auth/totp.h"

enum {
    FACTORS_CODES = 10,
    FACTORS_CODE_CHARS = 19, /* "abcd-efgh-2345-6789": 80 bits */
    FACTORS_CODE_MAX = 32,   /* bytes of what is typed */
};

struct factors {
    int64_t totp;     /* since when codes of an app are asked for, ms since 1970; 0: they are not */
    int64_t passkeys; /* how many */
    int64_t codes;    /* on paper, not used yet */
};

MUST_USE enum status factors_get(struct auth *auth, const char *user, struct factors *ret_factors);

struct factors_seed {
    const char *secret; /* base32, to be typed */
    const char *uri;    /* otpauth:, to be shown as a QR code */
};

/* A new seed, good for nothing until factors_totp_confirm. `issuer`: under which name the app keeps
 * it. Errors: STATUS_DENIED (not the password), STATUS_LIMIT as auth_sign_in, STATUS_EXISTS (codes
 * are asked for already). */
MUST_USE enum status factors_totp_begin(struct auth *auth, const struct auth_caller *caller,
                                        const char *password, const char *issuer, int64_t now_ms,
                                        struct arena *arena, struct factors_seed *ret_seed,
                                        uint32_t *ret_wait_s);
/* From now on. ret_codes has FACTORS_CODES `const char *`, or none when there were some already.
 * Errors: STATUS_DENIED (not its code), STATUS_NOT_FOUND (none was begun), STATUS_LIMIT. */
MUST_USE enum status factors_totp_confirm(struct auth *auth, const struct auth_caller *caller,
                                          const char *code, int64_t now_ms, struct arena *arena,
                                          struct json_list *ret_codes, uint32_t *ret_wait_s);
/* `code` of the app or on paper. Errors: STATUS_DENIED (not the password, or not a code),
 * STATUS_NOT_FOUND (none are asked for), STATUS_LIMIT. */
MUST_USE enum status factors_totp_end(struct auth *auth, const struct auth_caller *caller,
                                      const char *password, const char *code, int64_t now_ms,
                                      uint32_t *ret_wait_s);
/* Ten new codes on paper; the earlier ones are void. Errors: STATUS_DENIED (not the password),
 * STATUS_NOT_FOUND (there is no factor they could stand for), STATUS_LIMIT. */
MUST_USE enum status factors_codes_renew(struct auth *auth, const struct auth_caller *caller,
                                         const char *password, int64_t now_ms, struct arena *arena,
                                         struct json_list *ret_codes, uint32_t *ret_wait_s);
/* All factors of an account are gone: for an admin, when somebody lost them. Its sessions end.
 * Errors: STATUS_NOT_FOUND. */
MUST_USE enum status factors_clear(struct auth *auth, const char *user, int64_t now_ms);

/* The second step, by a code of either kind. login->password and email are not looked at. Errors:
 * STATUS_LATE (begin again with the password), STATUS_DENIED, STATUS_LIMIT as auth_sign_in. */
MUST_USE enum status factors_sign_in(struct auth *auth, const char *challenge, const char *code,
                                     const struct auth_login *login, int64_t now_ms,
                                     struct arena *arena, struct auth_signed_in *ret_signed_in,
                                     uint32_t *ret_wait_s);

#endif
