#include "storage/vault/vault.h"

#include "core/bytes.h"
#include "storage/vault/vault_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(VAULT_OVERHEAD == (int)SEALING_OVERHEAD, "vault.h tells what sealing.h does");

/* ---- the keys in memory ---- */

enum status vault_new(const char *directory, const char *command, struct vault **ret_vault)
{
    struct vault *vault = calloc(1, sizeof *vault);
    if (!vault)
        return STATUS_NO_MEMORY;
    enum status status = lock_init(&vault->lock);
    if (status != STATUS_OK) {
        free(vault);
        return status;
    }
    if (snprintf(vault->folder, sizeof vault->folder, "%s/keys", directory) >=
        (int)sizeof vault->folder)
        status = STATUS_INVALID;
    if (status == STATUS_OK)
        status = map_new(&vault->by_name);
    if (status == STATUS_OK)
        status = map_new(&vault->by_number);
    if (status == STATUS_OK && command && command[0] != '\0') {
        vault->command = strdup(command);
        status = vault->command ? STATUS_OK : STATUS_NO_MEMORY;
    }
    if (status != STATUS_OK) {
        vault_free(vault);
        return status;
    }
    *ret_vault = vault;
    return STATUS_OK;
}

static void scope_free(struct scope *scope)
{
    if (scope)
        crypto_wipe(scope, sizeof *scope);
    free(scope);
}

struct vault *vault_free(struct vault *vault)
{
    if (!vault)
        return NULL;
    size_t cursor = 0;
    struct scope *scope;
    while (vault->by_number && (scope = map_next(vault->by_number, &cursor)) != NULL)
        scope_free(scope);
    map_free(vault->by_name);
    map_free(vault->by_number);
    keyring_close(vault->keyring);
    lock_fini(&vault->lock);
    free(vault->command);
    crypto_wipe(vault->masters, sizeof vault->masters);
    free(vault);
    return NULL;
}

/* Under the lock. */
static struct scope *scope_find(const struct vault *vault, const char *name)
{
    struct scope *scope = map_get(vault->by_name, map_key_of(name));
    return scope && strcmp(scope->name, name) == 0 ? scope : NULL;
}

static enum status scope_insert(struct vault *vault, struct scope *scope)
{
    if (map_count(vault->by_number) > VAULT_SCOPES_MAX)
        return STATUS_LIMIT;
    if (map_get(vault->by_name, map_key_of(scope->name)))
        return STATUS_EXISTS;
    enum status status = map_put(vault->by_number, scope->keys.number, scope);
    if (status != STATUS_OK)
        return status;
    status = map_put(vault->by_name, map_key_of(scope->name), scope);
    if (status != STATUS_OK)
        map_remove(vault->by_number, scope->keys.number);
    return status;
}

enum status vault_scope_put(struct vault *vault, const char *name, uint32_t number,
                            const uint8_t secret[CRYPTO_KEY_BYTES])
{
    struct scope *scope = calloc(1, sizeof *scope);
    if (!scope)
        return STATUS_NO_MEMORY;
    memcpy(scope->name, name, strlen(name));
    sealing_keys_make(secret, number, &scope->keys);
    lock_take(&vault->lock);
    enum status status = scope_insert(vault, scope);
    lock_give(&vault->lock);
    if (status != STATUS_OK)
        scope_free(scope);
    return status == STATUS_EXISTS ? STATUS_OK : status;
}

void vault_scope_drop(struct vault *vault, const char *name)
{
    lock_take(&vault->lock);
    struct scope *scope = scope_find(vault, name);
    if (scope) {
        map_remove(vault->by_name, map_key_of(name));
        map_remove(vault->by_number, scope->keys.number);
    }
    lock_give(&vault->lock);
    scope_free(scope);
}

/* A copy, which the caller wipes: the scope may be destroyed meanwhile. */
static enum status keys_of(struct vault *vault, const char *space, struct sealing_keys *ret_keys)
{
    lock_take(&vault->lock);
    const struct scope *scope = scope_find(vault, space ? space : "");
    if (scope)
        *ret_keys = scope->keys;
    lock_give(&vault->lock);
    return scope ? STATUS_OK : STATUS_CLOSED;
}

/* ---- places ---- */

static bool part_add(uint8_t *place, size_t *length, const char *part, size_t max)
{
    size_t size = strnlen(part, max + 1);
    if (size > max)
        return false;
    place[(*length)++] = (uint8_t)size;
    memcpy(place + *length, part, size);
    *length += size;
    return true;
}

_Static_assert(VAULT_SCOPE_MAX + 2 * VAULT_NAME_MAX + VAULT_ROW_MAX + 4 <= SEALING_PLACE_MAX &&
                   VAULT_ROW_MAX <= UINT8_MAX,
               "every place fits");

bool vault_place_encode(const struct vault_place *place, uint8_t ret_place[SEALING_PLACE_MAX],
                        size_t *ret_length)
{
    char number[24];
    size_t length = 0;
    snprintf(number, sizeof number, "%lld", (long long)place->id);
    bool fits = part_add(ret_place, &length, place->space ? place->space : "", VAULT_SCOPE_MAX) &&
                part_add(ret_place, &length, place->table, VAULT_NAME_MAX) &&
                part_add(ret_place, &length, place->column, VAULT_NAME_MAX) &&
                part_add(ret_place, &length, place->row ? place->row : number, VAULT_ROW_MAX);
    *ret_length = length;
    return fits;
}

/* ---- sealing ---- */

enum status vault_seal(struct vault *vault, const struct vault_place *place, const void *plain,
                       size_t length, uint8_t *ret_sealed)
{
    struct sealing_keys keys;
    uint8_t bound[SEALING_PLACE_MAX], random[CRYPTO_KEY_BYTES];
    size_t bound_length;
    if (!vault_place_encode(place, bound, &bound_length))
        return STATUS_INVALID;
    enum status status = keys_of(vault, place->space, &keys);
    if (status != STATUS_OK)
        return status;
    crypto_random(random, sizeof random);
    sealing_seal(&keys, random, bound, bound_length, plain, length, ret_sealed);
    crypto_wipe(&keys, sizeof keys);
    return STATUS_OK;
}

enum status vault_unseal(struct vault *vault, const struct vault_place *place,
                         const uint8_t *sealed, size_t sealed_length, void *ret_plain)
{
    struct sealing_keys keys;
    uint8_t bound[SEALING_PLACE_MAX];
    size_t bound_length;
    if (!vault_place_encode(place, bound, &bound_length))
        return STATUS_INVALID;
    enum status status = keys_of(vault, place->space, &keys);
    if (status != STATUS_OK)
        return status;
    status = sealing_open(&keys, bound, bound_length, sealed, sealed_length, ret_plain);
    crypto_wipe(&keys, sizeof keys);
    return status;
}

enum status vault_hash(struct vault *vault, const char *space, const char *purpose,
                       const void *data, size_t length, uint8_t ret_hash[CRYPTO_SHA256_BYTES])
{
    struct sealing_keys keys;
    uint8_t key[CRYPTO_SHA256_BYTES];
    if (strnlen(purpose, VAULT_NAME_MAX + 1) > VAULT_NAME_MAX)
        return STATUS_INVALID;
    enum status status = keys_of(vault, space, &keys);
    if (status != STATUS_OK)
        return status;
    crypto_hmac_sha256(keys.hash, sizeof keys.hash, purpose, strlen(purpose), key);
    crypto_hmac_sha256(key, sizeof key, data, length, ret_hash);
    crypto_wipe(key, sizeof key);
    crypto_wipe(&keys, sizeof keys);
    return STATUS_OK;
}

/* ---- columns ---- */

enum { COLUMN_SMALL = 1024 }; /* bytes sealed on the stack */

enum status vault_bind(struct vault *vault, const struct vault_place *place,
                       struct db_statement *statement, int index, const char *text)
{
    uint8_t small[COLUMN_SMALL];
    if (!text) {
        db_bind_null(statement, index);
        return STATUS_OK;
    }
    size_t length = strlen(text), sealed_length = length + VAULT_OVERHEAD;
    uint8_t *sealed = sealed_length <= sizeof small ? small : malloc(sealed_length);
    if (!sealed)
        return STATUS_NO_MEMORY;
    enum status status = vault_seal(vault, place, text, length, sealed);
    if (status == STATUS_OK)
        db_bind_blob(statement, index, sealed, sealed_length);
    if (sealed != small)
        free(sealed);
    return status;
}

enum status vault_column(struct vault *vault, const struct vault_place *place,
                         struct db_statement *row, int column, struct arena *arena,
                         const char **ret_text)
{
    size_t length;
    const uint8_t *sealed = db_column_blob(row, column, &length);
    if (!sealed) {
        *ret_text = NULL;
        return STATUS_OK;
    }
    if (length < VAULT_OVERHEAD)
        return STATUS_CORRUPT;
    char *text = arena_alloc(arena, length - VAULT_OVERHEAD + 1); /* zeroed: it ends in one */
    if (!text)
        return STATUS_NO_MEMORY;
    enum status status = vault_unseal(vault, place, sealed, length, text);
    if (status == STATUS_OK)
        *ret_text = text;
    return status;
}
