/*
 * storage/vault/keyring.h - the half of each scope's key that is not in the database; private to
 * storage/. A file of slots, so that a half can be destroyed in its place: overwritten with zeros
 * and synced, not just unlinked.
 *
 *   slot, 64 bytes: SHA-256(scope)[0..16) | half, 32 bytes | SHA-256(those)[0..16); free: zeros
 *
 * A slot never crosses a disk sector, so that a power cut leaves it as it was or as it is; one
 * that does not check was never acknowledged, and is free.
 *
 * Thread: the database's writer, and db_open before it runs.
 */
#ifndef STORAGE_VAULT_KEYRING_H
#define STORAGE_VAULT_KEYRING_H

#include "core/crypto.h"

struct keyring;

/* `folder` is DATA/keys; the file is made when it is missing. Errors: STATUS_IO, STATUS_DENIED
 * (others may read it), STATUS_LIMIT (too large to be one), STATUS_NO_MEMORY. */
MUST_USE enum status keyring_open(const char *folder, struct keyring **ret_keyring);
/* Accepts NULL, returns NULL. */
struct keyring *keyring_close(struct keyring *keyring);
/* Errors: STATUS_NOT_FOUND, STATUS_IO, STATUS_CORRUPT. */
MUST_USE enum status keyring_get(struct keyring *keyring, const char *scope,
                                 uint8_t ret_half[CRYPTO_KEY_BYTES]);
/* The half there is, else a new one, which is on the disk when this returns. Errors: STATUS_IO,
 * STATUS_LIMIT, STATUS_NO_MEMORY. */
MUST_USE enum status keyring_make(struct keyring *keyring, const char *scope,
                                  uint8_t ret_half[CRYPTO_KEY_BYTES]);
/* Gone from the disk when this returns; also OK when there is none. Errors: STATUS_IO. */
MUST_USE enum status keyring_destroy(struct keyring *keyring, const char *scope);

#endif
