/*
 * signalling/api/accounts.h - how an account and its session are shown, for the files of this
 * folder that sign in or change one. Thread: request pool.
 */
#ifndef SIGNALLING_API_ACCOUNTS_H
#define SIGNALLING_API_ACCOUNTS_H

#include "signalling/api/route.h"

extern const struct json_table user_shown_table, session_shown_table;

/* Who asks, as auth_login has it; without address and password. */
struct auth_login account_login(const struct api_call *call, bool cookie);
/* Signed in: session_shown is the result, the token in it or in a cookie. Errors:
 * STATUS_NO_MEMORY. */
MUST_USE enum status account_signed_in(struct api_call *call, const struct auth_signed_in *in);
/* user_shown is the result. Errors: STATUS_NO_MEMORY. */
MUST_USE enum status account_result(struct api_call *call, const struct auth_user *user);
/* 401 `second_factor` with what factors_sign_in and passkeys_sign_in ask for. */
MUST_USE enum status account_second(struct api_call *call, const struct auth_signed_in *in);

#endif
