/*
 * modules/auth/secrets.c - passwords that are no account's: hashed and slowed down like theirs.
 */
#include "modules/auth/auth_state.h"

enum status auth_secret_keep(struct auth *auth, const char *secret,
                             char ret_kept[PASSWORD_KEPT_MAX])
{
    return auth_hash(auth, secret, ret_kept);
}

enum status auth_secret_check(struct auth *auth, const struct auth_secret *secret, int64_t now_ms,
                              uint32_t *ret_wait_s)
{
    *ret_wait_s = auth_wait_s(auth, secret->name, secret->peer, now_ms);
    if (*ret_wait_s > 0)
        return STATUS_LIMIT;
    enum status status = auth_hash_check(auth, secret->text, secret->kept);
    if (status == STATUS_DENIED)
        auth_failed(auth, secret->name, secret->peer, now_ms);
    return status;
}
