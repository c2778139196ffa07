/*
 * modules/auth/passkeys.h - passkeys of accounts: added, named, removed, and signing in with one,
 * instead of a password (the device asks for a PIN, finger or face then) or after it.
 *
 * Each belongs to the host name it was made under (`rp`) and serves under no other. One whose
 * signature count does not rise may have been copied: it is refused, and its owner sees it marked.
 * Threads, times, results and errors as in auth.h.
 */
#ifndef MODULES_AUTH_PASSKEYS_H
#define MODULES_AUTH_PASSKEYS_H

#include "modules/auth/factors.h"
#include "modules/auth/webauthn.h"

enum {
    PASSKEYS_MAX = 20,       /* of one account */
    PASSKEYS_NAME_MAX = 128, /* bytes */
};

/* Base64url of something of at most `bytes`, in a JSON text. */
#define PASSKEYS_CHARS(bytes) (((bytes)*4 + 2) / 3)

struct passkeys_passkey {
    const char *id, *name;
    const char *credential; /* base64url: what the device knows it by */
    bool suspect;           /* its count did not rise: there may be two of it */
    int64_t created, used;  /* ms since 1970; used 0: never */
};

/* Where the page was, as the server knows it. */
struct passkeys_site {
    const char *rp, *origin; /* as struct webauthn_expect */
};

/* What a page got from navigator.credentials; texts in base64url. */
struct passkeys_answer {
    const char *challenge; /* as it was given */
    const char *client, *data;
    const char *credential, *signature, *user; /* of a sign-in; user NULL: it did not say */
};

/* By id: struct passkeys_passkey. */
MUST_USE enum status passkeys_list(struct auth *auth, const char *user, struct arena *arena,
                                   struct json_list *ret_list);
/* The challenge for one more, for this session. Errors: STATUS_DENIED (not the password),
 * STATUS_LIMIT as auth_sign_in. */
MUST_USE enum status passkeys_add_begin(struct auth *auth, const struct auth_caller *caller,
                                        const char *password, int64_t now_ms, struct arena *arena,
                                        const char **ret_challenge, uint32_t *ret_wait_s);
/* ret_codes as factors_totp_confirm. Errors: STATUS_LATE (begin again), STATUS_INVALID (malformed;
 * a name that cannot be), STATUS_DENIED (made elsewhere), STATUS_EXISTS, STATUS_LIMIT
 * (PASSKEYS_MAX). */
MUST_USE enum status passkeys_add(struct auth *auth, const struct auth_caller *caller,
                                  const struct passkeys_site *site,
                                  const struct passkeys_answer *answer, const char *name,
                                  int64_t now_ms, struct arena *arena,
                                  struct passkeys_passkey *ret_passkey,
                                  struct json_list *ret_codes);
/* Errors: STATUS_NOT_FOUND, STATUS_INVALID (a name that cannot be). */
MUST_USE enum status passkeys_rename(struct auth *auth, const char *user, const char *id,
                                     const char *name, int64_t now_ms);
/* Errors: STATUS_NOT_FOUND, STATUS_DENIED (not the password), STATUS_LIMIT. */
MUST_USE enum status passkeys_remove(struct auth *auth, const struct auth_caller *caller,
                                     const char *id, const char *password, int64_t now_ms,
                                     uint32_t *ret_wait_s);

/* The challenge for a sign-in without an address. Errors: STATUS_NO_MEMORY. */
MUST_USE enum status passkeys_begin(struct auth *auth, int64_t now_ms, struct arena *arena,
                                    const char **ret_challenge);
/*
 * Signs in: with a challenge of passkeys_begin by itself, with one of auth_sign_in as the second
 * step. login->password and email are not looked at. Errors: STATUS_LATE (begin again),
 * STATUS_INVALID, STATUS_DENIED (no such passkey, not of this account, not its signature, copied),
 * STATUS_LIMIT as auth_sign_in.
 */
MUST_USE enum status passkeys_sign_in(struct auth *auth, const struct passkeys_site *site,
                                      const struct passkeys_answer *answer,
                                      const struct auth_login *login, int64_t now_ms,
                                      struct arena *arena, struct auth_signed_in *ret_signed_in,
                                      uint32_t *ret_wait_s);

#endif
