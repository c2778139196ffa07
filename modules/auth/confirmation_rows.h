/*
 * modules/auth/confirmation_rows.h - the rows of confirmations. For bodies of db_write and db_read.
 */
#ifndef MODULES_AUTH_CONFIRMATION_ROWS_H
#define MODULES_AUTH_CONFIRMATION_ROWS_H

#include "modules/auth/auth_state.h"
#include "modules/auth/confirmations.h"

struct confirmation_row {
    struct confirmation shown;
    const char *account; /* "": none */
    uint8_t email_hash[CRYPTO_SHA256_BYTES];
};

/* Makes the row, in place of an earlier one for the same. */
MUST_USE enum status confirmation_put(struct db_session *session,
                                      const struct confirmation_new *wish, int64_t now_ms,
                                      struct arena *arena, struct confirmation *ret_confirmation);
/* Errors: STATUS_NOT_FOUND (none, or over). */
MUST_USE enum status confirmation_by_token(struct db_session *session,
                                           const uint8_t token_hash[CRYPTO_SHA256_BYTES],
                                           int64_t now_ms, struct arena *arena,
                                           struct confirmation_row *ret_row);
MUST_USE enum status confirmation_by_id(struct db_session *session, const char *id, int64_t now_ms,
                                        struct arena *arena, struct confirmation_row *ret_row);
/* Only this token opens it from now on. Errors: STATUS_NOT_FOUND. */
MUST_USE enum status confirmation_token_set(struct db_session *session, const char *id,
                                            const uint8_t token_hash[CRYPTO_SHA256_BYTES],
                                            int64_t now_ms);
/* It goes. Errors: STATUS_NOT_FOUND. */
MUST_USE enum status confirmation_remove(struct db_session *session, const char *id,
                                         int64_t now_ms);
/* What waits for the account of this address goes: it has come. */
MUST_USE enum status confirmation_arrived(struct db_session *session,
                                          const uint8_t email_hash[CRYPTO_SHA256_BYTES]);
MUST_USE enum status confirmation_rows(struct db_session *session, const char *after,
                                       int64_t now_ms, struct arena *arena,
                                       struct confirmations *ret_list);
/* The job that sends a letter about it; id "": about nothing that can be confirmed. */
MUST_USE enum status confirmation_mail_add(struct db_session *session, const char *id,
                                           const struct confirmation_new *wish, int64_t now_ms,
                                           struct arena *arena);

void confirmation_token_make(char ret_token[CONFIRMATION_TOKEN_CHARS + 1],
                             uint8_t ret_hash[CRYPTO_SHA256_BYTES]);
/* False: it is none. */
bool confirmation_token_hash(const char *token, uint8_t ret_hash[CRYPTO_SHA256_BYTES]);

/* Those that were over at now_ms go. */
MUST_USE enum status confirmations_over_drop(struct db_session *session, int64_t now_ms);

#endif
