/*
 * modules/auth/confirmations.h - what waits for somebody to open a link they were sent: an
 * invitation, a new account's address, another address, a new password.
 *
 * A link works once and for a while. Its token is 256 random bits, made when the letter is written
 * and stored as SHA-256 only; the address is sealed. One of a kind for an address (and account):
 * asked for again, the earlier link is dead. Letters go out as jobs; until mail is configured,
 * nothing is sent and an admin may have a link made, to hand it over (confirmation_link).
 *
 * Who asks for a new password or an account for an address is told the same, after the same time,
 * whoever's address it is: what becomes of it is decided by a job.
 *
 * Every change writes its event (scope "server"). Threads, results and errors as in auth.h.
 */
#ifndef MODULES_AUTH_CONFIRMATIONS_H
#define MODULES_AUTH_CONFIRMATIONS_H

#include "modules/auth/auth.h"
#include "modules/jobs/jobs.h"
#include "modules/mail/mail.h"

enum {
    CONFIRMATION_TOKEN_CHARS = 4 + CRYPTO_TOKEN_CHARS, /* "plc_" and 256 bits */
    CONFIRMATIONS_MAX = 10000,                         /* of a kind at once */
    CONFIRMATIONS_LIST_MAX = 200,
};

#define CONFIRMATION_INVITE_MS INT64_C(604800000) /* 7 days */
#define CONFIRMATION_EMAIL_MS INT64_C(86400000)   /* a day; of sign-ups too */
#define CONFIRMATION_PASSWORD_MS INT64_C(3600000) /* an hour */

struct confirmation {
    const char *id;
    const char *kind; /* "invite", "signup", "email", "password" */
    const char *email, *language;
    int64_t created, expires;
};

/* ---- asking ---- */

struct confirmation_new {
    const char *kind, *email; /* the address normal */
    const char *account;      /* whose; "": none yet */
    const char *language;     /* "": English */
    const char *who, *space;  /* of an invitation: names for the letter; "" */
};

/* Inside a db_write body; the letter's job too. Errors: STATUS_LIMIT (CONFIRMATIONS_MAX). */
MUST_USE enum status confirmation_add(struct db_session *session,
                                      const struct confirmation_new *wish, int64_t now_ms,
                                      struct arena *arena, struct confirmation *ret_confirmation);
/* An admin's invitation. Errors: STATUS_INVALID, STATUS_EXISTS (the address has an account). */
MUST_USE enum status confirmation_invite(struct auth *auth, const char *email, const char *language,
                                         int64_t now_ms, struct arena *arena,
                                         struct confirmation *ret_confirmation);

struct confirmation_wish {
    const char *kind; /* "signup", "password" */
    const char *email, *language;
    const char *address; /* as in struct auth_login */
    bool local;
};

/* Takes as long and answers the same for every address. Errors: STATUS_INVALID, STATUS_DENIED
 * (sign-up: not from this domain), STATUS_LIMIT (*ret_wait_s: asked too often). */
MUST_USE enum status confirmation_ask(struct auth *auth, const struct confirmation_wish *wish,
                                      int64_t now_ms, struct arena *arena, uint32_t *ret_wait_s);
/* Another address for oneself. Errors: STATUS_INVALID, STATUS_DENIED (not the password),
 * STATUS_LIMIT as auth_sign_in. */
MUST_USE enum status confirmation_email(struct auth *auth, const struct auth_caller *caller,
                                        const char *password, const char *email, int64_t now_ms,
                                        struct arena *arena, uint32_t *ret_wait_s);

/* ---- opening the link ---- */

/* What the link is for; nothing is used up. Errors: STATUS_NOT_FOUND (none such, used or over). */
MUST_USE enum status confirmation_look(struct auth *auth, const char *token, int64_t now_ms,
                                       struct arena *arena, struct confirmation *ret_confirmation);
/* Of an invitation or sign-up: the account. `user`'s address is the link's. Errors: as
 * auth_user_add, STATUS_NOT_FOUND. */
MUST_USE enum status confirmation_account(struct auth *auth, const char *token,
                                          const struct auth_user_new *user, int64_t now_ms,
                                          struct arena *arena, struct auth_user *ret_user,
                                          struct auth_fault *ret_fault);
/* All sessions of the account end. Errors: STATUS_NOT_FOUND, STATUS_INVALID (ret_fault),
 * STATUS_LIMIT (too many passwords are being hashed). */
MUST_USE enum status confirmation_password(struct auth *auth, const char *token,
                                           const char *password, int64_t now_ms,
                                           struct arena *arena, struct auth_fault *ret_fault);
/* Errors: STATUS_NOT_FOUND, STATUS_EXISTS (another account has the address). */
MUST_USE enum status confirmation_address(struct auth *auth, const char *token, int64_t now_ms,
                                          struct arena *arena);

/* ---- for admins ---- */

struct confirmations {
    struct json_list items; /* struct confirmation, by id */
    bool more;
};

MUST_USE enum status confirmations_list(struct auth *auth, const char *after, int64_t now_ms,
                                        struct arena *arena, struct confirmations *ret_list);
/* A link of it, the only one from now on; a letter that has not gone yet stays. Errors:
 * STATUS_NOT_FOUND. */
MUST_USE enum status confirmation_link(struct auth *auth, const char *id, int64_t now_ms,
                                       char ret_token[CONFIRMATION_TOKEN_CHARS + 1]);
MUST_USE enum status confirmation_drop(struct auth *auth, const char *id, int64_t now_ms);

/* ---- jobs: kinds "mail" and "ask", with this context ---- */

struct confirmation_post {
    struct auth *auth;
    const struct mail *mail;
};

MUST_USE enum status confirmation_mail_run(void *context, const struct jobs_job *job,
                                           struct arena *arena);
MUST_USE enum status confirmation_ask_run(void *context, const struct jobs_job *job,
                                          struct arena *arena);

#endif
