/*
 * modules/auth/challenge.h - texts that say: whoever brings this back within CHALLENGE_MS may do
 * this one thing, once. They are MACs over what they say, good in this process only, so that
 * nothing is kept for those who never come back; of those that were used a few minutes are kept.
 *
 *   "USE.SUBJECT.NUMBER.EXPIRES.NONCE.MAC"
 *
 * The bytes of the text are also what a passkey signs (WebAuthn calls it the challenge).
 * Any thread; time is an argument.
 */
#ifndef MODULES_AUTH_CHALLENGE_H
#define MODULES_AUTH_CHALLENGE_H

#include "core/crypto.h"

enum {
    CHALLENGE_MAX = 160,        /* bytes of the text */
    CHALLENGE_MS = 300000,      /* five minutes: to find a telephone */
    CHALLENGE_USED_MAX = 16384, /* used within those minutes; then nobody can use one */
};

enum challenge_use {
    CHALLENGE_SECOND,  /* of account `subject` at epoch `number`: the password was right */
    CHALLENGE_PASSKEY, /* of nobody yet: a sign-in by passkey */
    CHALLENGE_ADD,     /* by session `subject`: one more passkey */
};

struct challenges;

MUST_USE enum status challenges_new(struct challenges **ret_challenges);
/* Accepts NULL, returns NULL. */
struct challenges *challenges_free(struct challenges *challenges);
/* `subject`: at most CRYPTO_ID_CHARS of [A-Za-z0-9_-], not empty. */
void challenge_make(struct challenges *challenges, enum challenge_use use, const char *subject,
                    int64_t number, int64_t now_ms, char ret_text[CHALLENGE_MAX + 1]);
/* Errors: STATUS_LATE (not of this use, changed, over, or used). */
MUST_USE enum status challenge_check(struct challenges *challenges, enum challenge_use use,
                                     const char *text, int64_t now_ms,
                                     char ret_subject[CRYPTO_ID_CHARS + 1], int64_t *ret_number);
/* After challenge_check: it cannot be used again. Errors: STATUS_LATE (it was, meanwhile),
 * STATUS_LIMIT. */
MUST_USE enum status challenge_spend(struct challenges *challenges, const char *text,
                                     int64_t now_ms);

#endif
