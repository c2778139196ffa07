/*
 * storage/vault/vault_state.h - what a vault holds; private to storage/.
 */
#ifndef STORAGE_VAULT_VAULT_STATE_H
#define STORAGE_VAULT_VAULT_STATE_H

#include "core/lock.h"
#include "core/map.h"
#include "storage/vault/keyring.h"
#include "storage/vault/sealing.h"
#include "storage/vault/vault.h"

#include <limits.h>
#include <stdbool.h>

enum {
    VAULT_MASTERS_MAX = 8, /* two while keys are rotated; more after rotations that were cut off */
};

/* The server's key is the scope "", which no space can be. */
struct scope {
    char name[VAULT_SCOPE_MAX + 1];
    struct sealing_keys keys;
};

struct master {
    uint32_t version;
    uint8_t secret[CRYPTO_KEY_BYTES];
};

struct vault {
    char folder[PATH_MAX]; /* DATA/keys */
    char *command;         /* NULL: the root key is in a file */
    const char *reason;    /* why the last of these failed, for the operator */
    bool loaded;
    /* The writer's. */
    struct keyring *keyring;
    struct master masters[VAULT_MASTERS_MAX]; /* rising versions; the last one wraps */
    uint32_t master_count;
    /* Anybody's, under the lock. */
    struct lock lock;
    struct map *by_name, *by_number; /* struct scope, owned by by_number */
};

/* `directory` is DATA. Reads nothing yet. Errors: STATUS_INVALID, STATUS_IO, STATUS_NO_MEMORY. */
MUST_USE enum status vault_new(const char *directory, const char *command,
                               struct vault **ret_vault);
/* Wipes the keys. Accepts NULL, returns NULL. */
struct vault *vault_free(struct vault *vault);

/* On the writer's session, outside a transaction, the tables made: reads the keys, makes the first
 * ones, finishes what a crash left of vault_reap. On an error vault->reason is a text. Errors:
 * STATUS_NOT_FOUND (no root key, but keys it wrapped), STATUS_DENIED (not the root key of this
 * database, or readable by others), STATUS_CORRUPT, STATUS_TIMEOUT, STATUS_IO, STATUS_NO_MEMORY. */
MUST_USE enum status vault_load(struct vault *vault, struct db_session *session);

/* A place as bytes: its parts, each with its length in front, so that no two places are the same
 * bytes. False: a part is too long. */
bool vault_place_encode(const struct vault_place *place, uint8_t ret_place[SEALING_PLACE_MAX],
                        size_t *ret_length);

/* Keeps a key for sealing with; one that is there already stays. Errors: STATUS_LIMIT,
 * STATUS_NO_MEMORY. */
MUST_USE enum status vault_scope_put(struct vault *vault, const char *name, uint32_t number,
                                     const uint8_t secret[CRYPTO_KEY_BYTES]);
void vault_scope_drop(struct vault *vault, const char *name);

#endif
