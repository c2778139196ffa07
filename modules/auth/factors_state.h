/*
 * modules/auth/factors_state.h - what factors.c and passkeys.c share.
 */
#ifndef MODULES_AUTH_FACTORS_STATE_H
#define MODULES_AUTH_FACTORS_STATE_H

#include "modules/auth/auth_state.h"
#include "modules/auth/factors.h"

struct factors_codes {
    char codes[FACTORS_CODES][FACTORS_CODE_CHARS + 1];
    size_t count; /* 0: none were made */
};

/* In a body: codes on paper if the account has none. */
MUST_USE enum status factors_codes_first(struct db_session *session, const char *user,
                                         struct factors_codes *ret_codes);
/* In a body: with the last factor the codes that stood for it go too. */
MUST_USE enum status factors_codes_drop(struct db_session *session, const char *user);
/* As `const char *` in the arena. */
MUST_USE enum status factors_codes_list(const struct factors_codes *codes, struct arena *arena,
                                        struct json_list *ret_list);
/* In a body. */
MUST_USE enum status factors_read(struct db_session *session, const char *user,
                                  struct factors *ret_factors);

/* Who comes with a challenge of the first step, and that they need not wait. Errors: STATUS_LATE,
 * STATUS_LIMIT. */
struct factors_second {
    char account[CRYPTO_ID_CHARS + 1];
    int64_t epoch;
    struct auth_user user;
    const char *peer; /* as auth_failed's */
};
MUST_USE enum status factors_second_begin(struct auth *auth, const char *challenge,
                                          const struct auth_login *login, int64_t now_ms,
                                          struct arena *arena, struct factors_second *ret_second,
                                          uint32_t *ret_wait_s);

#endif
