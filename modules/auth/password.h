/*
 * modules/auth/password.h - what may be a password, and what is kept of one. password.c is the one
 * file that touches libargon2. Any thread; hashing takes about 0.1 s and 64 MiB.
 *
 *   mac  = vault_hash("password", password)   a keyed hash: its key, the pepper, is not in the
 *                                             database
 *   kept = Argon2id(mac), 64 MiB, 3 passes, 1 lane (RFC 9106), as its PHC text; or, where only
 *          approved algorithms may be used, PBKDF2-HMAC-SHA256 with 600,000 rounds (SP 800-132)
 *
 * A SHA-256 hash that another program kept is wrapped at once: its hexadecimal digits take the
 * password's place, "sha256:SALT:" stands before the text, and the next login replaces it.
 */
#ifndef MODULES_AUTH_PASSWORD_H
#define MODULES_AUTH_PASSWORD_H

#include "core/status.h"
#include "storage/vault/vault.h"

#include <stdbool.h>

enum {
    PASSWORD_MIN = 12,        /* characters (NIST SP 800-63B asks for 8, ours are not rate-limited
                                 on a stolen disk) */
    PASSWORD_MAX = 256,       /* bytes */
    PASSWORD_KEPT_MAX = 320,  /* bytes of the kept text */
    PASSWORD_SALT_MAX = 64,   /* of a legacy hash */
    PASSWORD_SHA256_HEX = 64, /* digits */
};

/* NULL when it may be one, else a stable name of what is wrong with it: "short", "long",
 * "common", "repeats", "personal" (holds the name or address). `email` and `name` may be NULL. */
const char *password_fault(const char *password, const char *email, const char *name);

/* Errors: STATUS_NO_MEMORY (for 64 MiB), and vault_hash's. */
MUST_USE enum status password_keep(struct vault *vault, bool fips, const char *password,
                                   char ret_kept[PASSWORD_KEPT_MAX]);
/* `hash`: hexadecimal digits of SHA-256(salt | password); salt "" when none, no colon in it.
 * Errors also: STATUS_INVALID. */
MUST_USE enum status password_keep_legacy(struct vault *vault, bool fips, const char *salt,
                                          const char *hash, char ret_kept[PASSWORD_KEPT_MAX]);
/*
 * STATUS_OK: it is the password. kept NULL: of somebody who does not exist; takes as long.
 * Errors: STATUS_DENIED; STATUS_CORRUPT, STATUS_NO_MEMORY, and vault_hash's.
 */
MUST_USE enum status password_check(struct vault *vault, bool fips, const char *password,
                                    const char *kept);
/* It was kept in another way than password_keep would today. */
bool password_outdated(bool fips, const char *kept);

#endif
