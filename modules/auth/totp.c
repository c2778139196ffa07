#include "modules/auth/totp.h"

#include "core/bytes.h"
#include "core/crypto.h"

#include <stdio.h>

uint32_t totp_code(const uint8_t seed[TOTP_SEED_BYTES], int64_t step)
{
    uint8_t counter[8], mac[CRYPTO_SHA1_BYTES];
    store_be64(counter, (uint64_t)step);
    crypto_hmac_sha1(seed, TOTP_SEED_BYTES, counter, sizeof counter, mac);
    /* Dynamic truncation (RFC 4226 5.3). */
    uint32_t bits = load_be32(mac + (mac[CRYPTO_SHA1_BYTES - 1] & 15)) & 0x7fffffff;
    return bits % 1000000;
}

bool totp_match(const uint8_t seed[TOTP_SEED_BYTES], const char *code, int64_t used, int64_t now_ms,
                int64_t *ret_step)
{
    char right[16];
    int64_t now = now_ms / TOTP_STEP_MS;
    if (strlen(code) != TOTP_DIGITS)
        return false;
    for (int64_t step = now - TOTP_DRIFT; step <= now + TOTP_DRIFT; step++) {
        snprintf(right, sizeof right, "%06u", totp_code(seed, step));
        if (step > used && crypto_equal(right, code, TOTP_DIGITS)) {
            *ret_step = step;
            return true;
        }
    }
    return false;
}
