/*
 * modules/auth/people.c - accounts as other modules find them.
 */
#include "modules/auth/auth_state.h"

#include <string.h>

enum status auth_user_in(struct db_session *session, const char *id, struct arena *arena,
                         struct auth_user *ret_user)
{
    struct db_statement *select =
        db_prepare(session, "SELECT " AUTH_USER_COLUMNS " FROM account a WHERE a.id = $1");
    db_bind_text(select, 1, id);
    enum status status = db_step(select);
    return status == STATUS_OK ? auth_user_read(session, select, arena, ret_user) : status;
}

enum status auth_user_met(struct db_session *session, const char *user, const char *asker)
{
    if (strcmp(user, asker) == 0)
        return STATUS_OK;
    struct db_statement *select =
        db_prepare(session, "SELECT 1 FROM space_member m JOIN space_member o ON o.space = m.space"
                            " AND o.account = $2 WHERE m.account = $1 LIMIT 1");
    db_bind_text(select, 1, asker);
    db_bind_text(select, 2, user);
    return db_step(select);
}

enum status auth_email_key(struct vault *vault, const char *email, struct arena *arena,
                           const char **ret_normal, uint8_t ret_hash[CRYPTO_SHA256_BYTES])
{
    const char *normal = auth_email_normal(email, arena);
    if (normal == NULL)
        return STATUS_INVALID;
    enum status status = auth_email_hash(vault, normal, ret_hash);
    if (status == STATUS_OK)
        *ret_normal = normal;
    return status;
}

enum status auth_account_of(struct db_session *session,
                            const uint8_t email_hash[CRYPTO_SHA256_BYTES], struct arena *arena,
                            const char **ret_account)
{
    struct db_statement *select =
        db_prepare(session, "SELECT id FROM account WHERE email_hash = $1 AND disabled = 0");
    db_bind_blob(select, 1, email_hash, CRYPTO_SHA256_BYTES);
    enum status status = db_step(select);
    if (status != STATUS_OK)
        return status;
    const char *account = arena_strdup(arena, db_column_text(select, 0));
    if (account == NULL)
        return STATUS_NO_MEMORY;
    *ret_account = account;
    return STATUS_OK;
}
