/*
 * modules/auth/auth_state.h - what the files of this folder share.
 */
#ifndef MODULES_AUTH_AUTH_STATE_H
#define MODULES_AUTH_AUTH_STATE_H

#include "core/turnstile.h"
#include "modules/auth/auth.h"
#include "modules/auth/challenge.h"
#include "modules/auth/throttle.h"

struct auth {
    struct auth_config config;
    struct vault *vault;
    struct turnstile *hashing;
    struct throttle *throttle;
    struct challenges *challenges;
    uint8_t ticket_key[CRYPTO_SHA256_BYTES];
};

enum { AUTH_SCOPE_SIZE = 9 + CRYPTO_ID_CHARS };

/* Lower case, without spaces around, in the arena; NULL when it is no address. */
const char *auth_email_normal(const char *email, struct arena *arena);
/* The keyed hash that finds the account of a normal address. */
MUST_USE enum status auth_email_hash(struct vault *vault, const char *normal,
                                     uint8_t ret_hash[CRYPTO_SHA256_BYTES]);

/* password_keep and password_check when there is room. Errors also: STATUS_LIMIT. */
MUST_USE enum status auth_hash(struct auth *auth, const char *password,
                               char ret_kept[PASSWORD_KEPT_MAX]);
MUST_USE enum status auth_hash_check(struct auth *auth, const char *password, const char *kept);

/* Whether it is the caller's password; counts failures. Errors: STATUS_DENIED, STATUS_LIMIT as
 * auth_sign_in. */
MUST_USE enum status auth_password_prove(struct auth *auth, const struct auth_caller *caller,
                                         const char *password, int64_t now_ms,
                                         uint32_t *ret_wait_s);
/* "short" -> "password_short": the names of password_fault, as the client is told. */
const char *auth_fault_code(const char *fault);

/* Seconds until this address may try again, and one more failure; `email` NULL: of nobody known;
 * `peer` NULL: of no address of the network, or of one that does not count. */
uint32_t auth_wait_s(struct auth *auth, const char *email, const char *peer, int64_t now_ms);
void auth_failed(struct auth *auth, const char *email, const char *peer, int64_t now_ms);

/* A session that begins once all has been shown but what `prove` checks. */
struct auth_opening {
    const struct auth_login *login; /* who it is, is in `account` */
    const char *account;
    int64_t epoch;  /* it must be at; -1: any */
    db_body *prove; /* in the transaction that writes the session; any error but OK undoes it */
    void *proof;
};
/* Errors: STATUS_DENIED (disabled, another epoch), prove's. */
MUST_USE enum status auth_open(struct auth *auth, const struct auth_opening *opening,
                               int64_t now_ms, struct arena *arena,
                               struct auth_signed_in *ret_signed_in);

/* The columns of a user, in the order user_read takes them, at the front of a SELECT. */
#define AUTH_USER_COLUMNS                                                                          \
    "a.id, a.email, a.name, a.language, a.admin, a.disabled, a.version, a.created, a.zone_sealed," \
    " a.quiet_until, a.picture"
enum { AUTH_USER_COLUMN_COUNT = 11 };
MUST_USE enum status auth_user_read(struct db_session *session, struct db_statement *row,
                                    struct arena *arena, struct auth_user *ret_user);
/* The event of an account's change, in its transaction. */
MUST_USE enum status auth_event(struct db_session *session, const char *user, const char *type,
                                const char *id, int64_t now_ms);
/* Tells who has something open for the session; after COMMIT. */
void auth_tell_ended(const struct auth *auth, const char *user, const char *session,
                     const char *keep);

#endif
