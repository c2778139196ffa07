/*
 * storage/vault/vault_keys.h - keys as rows; what vault_keys.c and rotate.c share; private to
 * storage/vault/. Thread: the writer.
 */
#ifndef STORAGE_VAULT_VAULT_KEYS_H
#define STORAGE_VAULT_VAULT_KEYS_H

#include "storage/vault/vault_state.h"

enum { VAULT_WRAPPED = CRYPTO_KEY_BYTES + VAULT_OVERHEAD };

/* For bodies. */
struct masters_work {
    struct vault *vault;
    const uint8_t *root;
};

/* Fills vault->masters from the rows. Errors: STATUS_DENIED (not the root key), STATUS_LIMIT. */
MUST_USE enum status masters_read(struct db_session *session, void *work);
/* A new row, wrapped by the root key; vault->masters stays. Errors: as db_run. */
MUST_USE enum status master_add(struct db_session *session, void *work);

/* The row is id, scope, master, wrapped. Errors: STATUS_NOT_FOUND (its half is destroyed),
 * STATUS_CORRUPT, STATUS_IO. */
MUST_USE enum status key_unwrap(struct vault *vault, struct db_statement *row,
                                uint8_t ret_secret[CRYPTO_KEY_BYTES]);
/* By the newest master and the scope's half, which is there. Errors: as keyring_get. */
MUST_USE enum status key_wrap(struct vault *vault, const char *scope,
                              const uint8_t secret[CRYPTO_KEY_BYTES],
                              uint8_t ret_wrapped[VAULT_WRAPPED]);

#endif
