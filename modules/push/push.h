/*
 * modules/push/push.h - Web Push: who is mentioned, answered or written to directly and does not
 * look is told by the push service of their browser, which cannot read it
 * (core/outbound/push_seal.h).
 *
 * One subscription a sign-in; it goes with it. Its address and keys are sealed, and so is our own
 * key. A message leaves a job; PUSH_WAIT_MS later that asks who has not read it yet and does not
 * mute the space, and leaves a job for each of their browsers.
 *
 * Threads: request pool; jobs on theirs. `now_ms` is clock_wall_ms(). Besides those named, every
 * call may return STATUS_NO_MEMORY and what db_write, db_read and the vault return.
 */
#ifndef MODULES_PUSH_PUSH_H
#define MODULES_PUSH_PUSH_H

#include "core/crypto.h"
#include "core/json.h"
#include "core/outbound/http_fetch.h"
#include "core/outbound/push_seal.h"
#include "modules/jobs/jobs.h"

enum {
    PUSH_WAIT_MS = 5000, /* who reads it by then looks */
    PUSH_TIME_MS = 5000, /* a push service takes at most; the server's end waits for it */
    PUSH_LIFE_S = 86400, /* the service keeps it for a browser that is off */
    PUSH_TEXT_MAX = 400, /* bytes of a message's text in a notice */
    PUSH_ENDPOINT_MAX = 1024,
    PUSH_KEY_CHARS = CRYPTO_BASE64URL_SIZE(PUSH_PUBLIC_BYTES) - 1,
    PUSH_AUTH_CHARS = CRYPTO_BASE64URL_SIZE(PUSH_AUTH_BYTES) - 1,
    PUSH_CONTACT_MAX = 256,
};

struct push {
    struct db *db;
    struct http_fetch *fetch;
    char contact[PUSH_CONTACT_MAX]; /* mailto: or https:, told to push services */
    bool plain;                     /* http: too, to a stand-in on this machine */
    struct push_pair own;           /* push_begin's */
};

/* Reads or makes the key, adds the kinds of jobs. Before jobs_start; `push` outlives the jobs. */
MUST_USE enum status push_begin(struct push *push, struct jobs *jobs);

/* As the browser gives it: PushSubscription.toJSON(). */
struct push_wish {
    const char *endpoint, *p256dh, *auth;
    bool texts; /* notices may show what was written */
};

struct push_state {
    const char *key; /* applicationServerKey: ours */
    bool on, texts;  /* of this sign-in */
};

extern const struct json_table push_wish_table, push_state_table;

MUST_USE enum status push_get(const struct push *push, const char *login, struct arena *arena,
                              struct push_state *ret_state);
/* Takes the place of the sign-in's earlier one. Errors: STATUS_INVALID (no https: address, or no
 * keys). */
MUST_USE enum status push_set(const struct push *push, const char *account, const char *login,
                              const struct push_wish *wish, int64_t now_ms);
MUST_USE enum status push_drop(const struct push *push, const char *login);
/* Leaves a notice to the sign-in's browser that only says that it came. Errors: STATUS_NOT_FOUND
 * (it is not told by push). */
MUST_USE enum status push_try(const struct push *push, const char *login, int64_t now_ms);

/* Subscriptions whose sign-in is over, ended or revoked. Errors: as db_read, db_write. */
MUST_USE enum status push_prune(struct db *db, int64_t now_ms);

/* In the db_write body that adds a message. */
MUST_USE enum status push_message(struct db_session *session, const char *space, int64_t message,
                                  int64_t now_ms);

#endif
