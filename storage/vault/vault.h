/*
 * storage/vault/vault.h - the keys, and columns sealed with them.
 *
 *   root key      DATA/keys/root.key or what a command prints; wraps
 *   master keys   numbered, in the database; wrap, each with its half in DATA/keys/keyring,
 *   scope keys    one for the server, one a space, in the database; seal columns, wrap object keys
 *
 * A scope key needs three things: its row, the master key's row, and its half in the keyring,
 * which is outside the database. When a space is destroyed its half is overwritten, so that what
 * it sealed cannot be read any more from the live files nor from an older copy of the database
 * and the objects (docs/design/storage.md says what that asks of backups).
 *
 * Sealing: each value has a key of its own, made from the scope key and a 192-bit salt, and is
 * sealed with AES-256-GCM. Plain GCM under one key breaks when a 96-bit nonce comes twice: by
 * chance after 2^32 values, at once when a virtual machine is put back to a snapshot and its
 * generator says the same again. Here the salt is a keyed hash of fresh random bytes and of what
 * is sealed (a synthetic IV, as in RFC 5297): if the random bytes repeat, only sealing the same
 * value in the same place repeats the salt, and then the result is the same bytes, which tells
 * nothing but that. AES-GCM-SIV (RFC 8452) would do too but is not in OpenSSL 3.0.
 * Each value is bound to its space, table, column and row: moved elsewhere it does not open.
 *
 * Threads: any, but vault_space_new, vault_reap and vault_rotate block on the database.
 */
#ifndef STORAGE_VAULT_VAULT_H
#define STORAGE_VAULT_VAULT_H

#include "core/arena.h"
#include "core/crypto.h"
#include "storage/db.h"

#include <stddef.h>
#include <stdint.h>

enum {
    VAULT_SCOPE_MAX = 64,       /* bytes of a space's id */
    VAULT_NAME_MAX = 64,        /* of a table, a column, a purpose */
    VAULT_ROW_MAX = 128,        /* of a row's key as text */
    VAULT_SCOPES_MAX = 1000000, /* spaces with a key; all are in memory, about 200 B each */
    VAULT_OVERHEAD = 45,        /* bytes a sealed value is longer: format, key, salt, tag */
};

struct vault; /* made by db_open; db_vault and db_session_vault tell which */

/* Where a sealed value lives; all of it is authenticated. Borrowed during the call. */
struct vault_place {
    const char *space; /* whose key; NULL: the server's */
    const char *table, *column;
    const char *row; /* the row's key as text; NULL: `id` is the key */
    int64_t id;
};

/* Writes length + VAULT_OVERHEAD bytes. Errors: STATUS_CLOSED (the space has no key: destroyed, or
 * vault_space_new was never called), STATUS_INVALID (a part of the place is too long). */
MUST_USE enum status vault_seal(struct vault *vault, const struct vault_place *place,
                                const void *plain, size_t length, uint8_t *ret_sealed);
/* ret_plain takes sealed_length - VAULT_OVERHEAD bytes. Errors: STATUS_CLOSED (its key is
 * destroyed), STATUS_CORRUPT (changed, cut, or sealed for another place), STATUS_INVALID. */
MUST_USE enum status vault_unseal(struct vault *vault, const struct vault_place *place,
                                  const uint8_t *sealed, size_t sealed_length, void *ret_plain);

/* The same for a text column of type BLOB, inside a body: binds $index; text NULL binds NULL.
 * Errors also: STATUS_NO_MEMORY. */
MUST_USE enum status vault_bind(struct vault *vault, const struct vault_place *place,
                                struct db_statement *statement, int index, const char *text);
/* NULL column: *ret_text NULL. */
MUST_USE enum status vault_column(struct vault *vault, const struct vault_place *place,
                                  struct db_statement *row, int column, struct arena *arena,
                                  const char **ret_text);

/*
 * Keyed hash for looking equal values up ("email": normalise first), different for each purpose
 * and space (NULL: the server's). It never changes, also not when keys are rotated, and nobody who
 * has only the database can compute it: so it is also the pepper of passwords. Errors:
 * STATUS_CLOSED, STATUS_INVALID.
 */
MUST_USE enum status vault_hash(struct vault *vault, const char *space, const char *purpose,
                                const void *data, size_t length,
                                uint8_t ret_hash[CRYPTO_SHA256_BYTES]);

/* Makes the key of a space, durably, before anything is sealed with it; a second call finds it
 * made. Errors: STATUS_LIMIT (VAULT_SCOPES_MAX), STATUS_INVALID, STATUS_NO_MEMORY, as db_write. */
MUST_USE enum status vault_space_new(struct vault *vault, struct db *db, const char *space);
/* In the db_write body that deletes a space: its key goes with the transaction. Call vault_reap
 * afterwards. */
MUST_USE enum status vault_space_doom(struct db_session *session, const char *space);
/* Destroys the keys of doomed spaces in memory and in the keyring; db_open finishes what a crash
 * left. Errors: as db_write. */
MUST_USE enum status vault_reap(struct vault *vault, struct db *db);

struct vault_rotation {
    int64_t master;    /* version of the new one */
    int64_t rewrapped; /* scope keys it wraps now */
    int64_t left; /* whose half is destroyed: they stay as they are, and so does their master */
};

/* A new master key wraps all scope keys; masters that wrap none any more are destroyed, and the
 * log is cut. Nothing that was sealed is written again; seals and unseals go on meanwhile. One at
 * a time. After a crash in between all is readable, and the next call finishes it. Errors: as
 * db_open of keys, as db_write; STATUS_LIMIT (cut off too often). */
MUST_USE enum status vault_rotate(struct vault *vault, struct db *db,
                                  struct vault_rotation *ret_rotation);

#endif
