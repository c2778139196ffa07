/*
 * modules/auth/auth.h - accounts: who there is, how they prove it, on which devices they are
 * signed in (docs/design/auth.md).
 *
 * E-mail addresses, names and what devices say of themselves are sealed; addresses are found by
 * keyed hash. Session tokens are stored as SHA-256. Every change writes its event row (scope
 * "account:ID") in the same transaction.
 *
 * A session counts while its epoch is its account's: disabling an account and changing its
 * password raise the account's epoch, so that one row ends all sessions at once. Whoever holds
 * something open for a session hears of its end (auth_config.ended).
 *
 * Threads: request pool and control; every call blocks on the database, those with a password on
 * hashing too. `now_ms` is clock_wall_ms(). Results are copied into the arena. Besides those
 * named, every call may return STATUS_NO_MEMORY and what db_write, db_read and the vault return.
 */
#ifndef MODULES_AUTH_AUTH_H
#define MODULES_AUTH_AUTH_H

#include "core/arena.h"
#include "core/crypto.h"
#include "core/json.h"
#include "modules/auth/password.h"
#include "storage/db.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    AUTH_EMAIL_MAX = 254, /* bytes (RFC 5321 4.5.3.1.3, less the brackets) */
    AUTH_NAME_MAX = 128,  /* as REGISTRY_NAME_MAX: people meet under it */
    AUTH_DEVICE_MAX = 200,
    AUTH_LANGUAGE_MAX = 16,
    AUTH_ZONE_MAX = 64,
    AUTH_TOKEN_CHARS = 4 + CRYPTO_TOKEN_CHARS, /* "pls_" and 256 bits */
    AUTH_TICKET_MAX = 128,
    AUTH_TICKET_MS = 60000,
    AUTH_LIST_MAX = 200,       /* accounts or sessions of one list */
    AUTH_SESSIONS_MAX = 100,   /* of one account; the oldest goes */
    AUTH_HASHING_MAX = 2,      /* passwords at once, 64 MiB each */
    AUTH_HASHING_WAIT_MAX = 6, /* more wait; then STATUS_LIMIT */
};

#define AUTH_IDLE_MS INT64_C(2592000000)  /* 30 days without a request end a session */
#define AUTH_LIFE_MS INT64_C(15552000000) /* 180 days end any */
#define AUTH_TOUCH_MS INT64_C(600000)     /* `seen` is written this often */

struct auth;

struct auth_config {
    struct db *db;
    bool fips;                  /* auth.fips */
    const char *const *domains; /* auth.domains: who has an address there may sign up */
    size_t domain_count;
    /* Any thread: sessions of the account are over; `session` NULL: all, but `keep` (may be
     * NULL). May be NULL. */
    void (*ended)(void *context, const char *user, const char *session, const char *keep);
    void *context;
};

MUST_USE enum status auth_new(const struct auth_config *config, struct auth **ret_auth);
/* Accepts NULL, returns NULL. */
struct auth *auth_free(struct auth *auth);

/* ---- accounts ---- */

struct auth_user {
    const char *id, *name, *email;
    const char *language; /* "" when none was chosen */
    bool admin, disabled;
    int64_t version;     /* rises with every change */
    int64_t created;     /* ms since 1970 */
    const char *zone;    /* "Europe/Berlin"; "" when none was chosen */
    int64_t quiet_until; /* do not disturb until then, ms since 1970: auth_quiet */
    int64_t picture;     /* its version; 0: none */
};

/* Whether who said until when is not to be disturbed now: the one rule, for pushes and for whatever
 * else tells people something by itself. Pages have the same in web/src/profile.ts. */
static inline bool auth_quiet(int64_t quiet_until, int64_t now_ms)
{
    return quiet_until > now_ms;
}

struct auth_user_new {
    const char *email, *name;
    const char *password;                  /* NULL with legacy_hash */
    const char *legacy_hash, *legacy_salt; /* see password.h; NULL */
    const char *language;                  /* NULL: none */
    bool admin;
    bool first;               /* only as the first account there is, an admin: else STATUS_DENIED */
    const char *confirmation; /* whose link this uses up (confirmations.h), else STATUS_NOT_FOUND;
                                 NULL */
};

/* Why a STATUS_INVALID: "email", "name", or "password_" and what password_fault says. */
struct auth_fault {
    const char *code;
};

/* Event "account.added". Errors: STATUS_INVALID (ret_fault), STATUS_EXISTS (the address has an
 * account), STATUS_LIMIT (too many passwords are being hashed), STATUS_DENIED. */
MUST_USE enum status auth_user_add(struct auth *auth, const struct auth_user_new *user,
                                   int64_t now_ms, struct arena *arena, struct auth_user *ret_user,
                                   struct auth_fault *ret_fault);
/* Whether there is any account. */
MUST_USE enum status auth_has_users(struct auth *auth, bool *ret_has);
/* Errors: STATUS_NOT_FOUND. */
MUST_USE enum status auth_user_get(struct auth *auth, const char *id, struct arena *arena,
                                   struct auth_user *ret_user);

struct auth_users {
    struct json_list items; /* struct auth_user, by id */
    bool more;
};

/* Those after the id `after` (NULL: from the first). */
MUST_USE enum status auth_users(struct auth *auth, const char *after, struct arena *arena,
                                struct auth_users *ret_users);

struct auth_change {
    const char *name, *language, *zone; /* NULL: as it is */
    const int64_t *quiet_until;         /* likewise */
    enum json_maybe admin, disabled;    /* JSON_ABSENT: as it is */
    int64_t version;                    /* it must be at; 0: any */
};

/* Event "account.updated". Disabling ends all sessions. Errors: STATUS_INVALID (ret_fault),
 * STATUS_NOT_FOUND, STATUS_DENIED (it would leave no admin), STATUS_OUT_OF_WINDOW (it has another
 * version). */
MUST_USE enum status auth_user_change(struct auth *auth, const char *id,
                                      const struct auth_change *change, int64_t now_ms,
                                      struct arena *arena, struct auth_user *ret_user,
                                      struct auth_fault *ret_fault);

/* ---- sessions ---- */

struct auth_login {
    const char *email, *password;
    const char *address; /* of the peer */
    const char *device;  /* what it says it is (User-Agent), any bytes; cut to AUTH_DEVICE_MAX */
    bool local;  /* the peer is on this machine, a proxy perhaps: its address is no reason */
    bool cookie; /* the token goes into a cookie */
};

/* Who is signed in, by a session. */
struct auth_caller {
    struct auth_user user;
    const char *session; /* id */
    bool cookie;
};

struct auth_signed_in {
    struct auth_caller caller;
    char token[AUTH_TOKEN_CHARS + 1]; /* here for the only time */
    const char *challenge;            /* with STATUS_AGAIN: what factors_sign_in takes */
};

/*
 * STATUS_AGAIN: the password is right and a second factor is wanted; caller.user says whose, and
 * nobody is signed in yet. Errors: STATUS_DENIED (no such account, not its password, or disabled:
 * all alike, and all take as long), STATUS_LIMIT (*ret_wait_s > 0: failed too often, seconds until
 * the next try; 0: too many passwords are being hashed).
 */
MUST_USE enum status auth_sign_in(struct auth *auth, const struct auth_login *login, int64_t now_ms,
                                  struct arena *arena, struct auth_signed_in *ret_signed_in,
                                  uint32_t *ret_wait_s);
/* Whose token it is. Errors: STATUS_DENIED (nobody's, over, or of a disabled account). */
MUST_USE enum status auth_check(struct auth *auth, const char *token, int64_t now_ms,
                                struct arena *arena, struct auth_caller *ret_caller);
/* Whether the session still counts. Errors: STATUS_DENIED. */
MUST_USE enum status auth_session_check(struct auth *auth, const char *session, int64_t now_ms);
/* What a page must send with a cookie's writes: made from the token, which no other page knows. */
void auth_csrf(const char *token, char ret_csrf[CRYPTO_TOKEN_CHARS + 1]);

/* A text that names a session for AUTH_TICKET_MS, for the gateway: pages cannot read their cookie.
 * It is good for nothing else, and in this process only. */
void auth_ticket(const struct auth *auth, const char *session, int64_t now_ms,
                 char ret_ticket[AUTH_TICKET_MAX + 1]);
/* The session that a ticket names, whether it still counts or not: a guest's too. Errors:
 * STATUS_DENIED. */
MUST_USE enum status auth_ticket_session(const struct auth *auth, const char *ticket,
                                         int64_t now_ms, char ret_session[CRYPTO_ID_CHARS + 1]);
/* Whose ticket or token it is. Errors: STATUS_DENIED. */
MUST_USE enum status auth_ticket_check(struct auth *auth, const char *ticket, int64_t now_ms,
                                       struct arena *arena, struct auth_caller *ret_caller);

struct auth_device {
    const char *id, *device, *address;
    bool cookie;
    int64_t created, seen, expires; /* ms since 1970 */
};

/* Sessions that count, newest first: ret_list has struct auth_device. */
MUST_USE enum status auth_devices(struct auth *auth, const char *user, int64_t now_ms,
                                  struct arena *arena, struct json_list *ret_list);
/* Event "session.ended". Errors: STATUS_NOT_FOUND (none such of this account). */
MUST_USE enum status auth_revoke(struct auth *auth, const char *user, const char *session,
                                 int64_t now_ms);
/* Ends all other sessions. Event "account.updated". Errors: STATUS_DENIED (`old` is not the
 * password), STATUS_INVALID (ret_fault), STATUS_LIMIT as auth_sign_in. */
MUST_USE enum status auth_password_change(struct auth *auth, const struct auth_caller *caller,
                                          const char *old, const char *password, int64_t now_ms,
                                          struct auth_fault *ret_fault, uint32_t *ret_wait_s);

/* Removes sessions and confirmations that were over before before_ms. */
MUST_USE enum status auth_prune(struct auth *auth, int64_t before_ms);

/* ---- passwords that are no account's (of a link) ---- */

struct auth_secret {
    const char *name; /* what it opens, for the throttle: no e-mail address */
    const char *peer; /* address, or NULL: none that counts */
    const char *text, *kept;
};

/* Errors: STATUS_LIMIT (too many passwords are being hashed). */
MUST_USE enum status auth_secret_keep(struct auth *auth, const char *secret,
                                      char ret_kept[PASSWORD_KEPT_MAX]);
/* Errors: STATUS_DENIED, STATUS_LIMIT (*ret_wait_s as auth_sign_in). */
MUST_USE enum status auth_secret_check(struct auth *auth, const struct auth_secret *secret,
                                       int64_t now_ms, uint32_t *ret_wait_s);

/* ---- for the bodies of other modules ---- */

/* Inside db_write or db_read. Errors: STATUS_NOT_FOUND. */
MUST_USE enum status auth_user_in(struct db_session *session, const char *id, struct arena *arena,
                                  struct auth_user *ret_user);
/* Whether `asker` may see of `user` what others see: they are one, or share a space. Errors:
 * STATUS_NOT_FOUND. */
MUST_USE enum status auth_user_met(struct db_session *session, const char *user, const char *asker);
/* How an address is written and under which hash its account is found. Errors: STATUS_INVALID (it
 * is no address). */
MUST_USE enum status auth_email_key(struct vault *vault, const char *email, struct arena *arena,
                                    const char **ret_normal, uint8_t ret_hash[CRYPTO_SHA256_BYTES]);
/* The account with the address of this hash. Errors: STATUS_NOT_FOUND (none, or disabled). */
MUST_USE enum status auth_account_of(struct db_session *session,
                                     const uint8_t email_hash[CRYPTO_SHA256_BYTES],
                                     struct arena *arena, const char **ret_account);

#endif
