/*
 * modules/auth/totp.h - codes of an authenticator app (RFC 6238): HMAC-SHA-1, steps of 30 s, six
 * digits, as every app has them. Any thread; time is an argument.
 */
#ifndef MODULES_AUTH_TOTP_H
#define MODULES_AUTH_TOTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    TOTP_SEED_BYTES = 20, /* as long as the hash (RFC 4226 4, R6) */
    TOTP_SEED_CHARS = 32, /* of it in base32 */
    TOTP_DIGITS = 6,
    TOTP_STEP_MS = 30000,
    TOTP_DRIFT = 1, /* steps a telephone's clock may be off either way */
};

/* The code of a step, as a number below 10^TOTP_DIGITS. */
uint32_t totp_code(const uint8_t seed[TOTP_SEED_BYTES], int64_t step);
/* Whether `code` (six digits, nothing else) is one of now's; *ret_step: of which step, the oldest
 * that is later than `used`. A step serves once: the caller keeps it (RFC 6238 5.2). */
bool totp_match(const uint8_t seed[TOTP_SEED_BYTES], const char *code, int64_t used, int64_t now_ms,
                int64_t *ret_step);

#endif
