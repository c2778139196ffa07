/*
 * The keys as rows: vault_master (wrapped by the root key) and vault_key (each wrapped by a master
 * key and its half of the keyring).
 */
#include "storage/vault/vault_keys.h"
#include "core/clock.h"
#include "storage/connection.h"
#include "storage/durable.h"
#include "storage/vault/root.h"

#include <string.h>

enum {
    REAP_MAX = 64, /* doomed spaces a transaction */
};

/* ---- wrapping ---- */

/* `place` names the row. */
static void wrap(const uint8_t *key, uint32_t number, const struct vault_place *place,
                 const uint8_t *secret, uint8_t ret_wrapped[VAULT_WRAPPED])
{
    struct sealing_keys keys;
    uint8_t bound[SEALING_PLACE_MAX], random[CRYPTO_KEY_BYTES];
    size_t length;
    (void)!vault_place_encode(place, bound, &length); /* names were checked when they came */
    crypto_random(random, sizeof random);
    sealing_keys_make(key, number, &keys);
    sealing_seal(&keys, random, bound, length, secret, CRYPTO_KEY_BYTES, ret_wrapped);
    crypto_wipe(&keys, sizeof keys);
}

static enum status unwrap(const uint8_t *key, uint32_t number, const struct vault_place *place,
                          struct db_statement *row, int column, uint8_t *ret_secret)
{
    struct sealing_keys keys;
    uint8_t bound[SEALING_PLACE_MAX];
    size_t bound_length, length;
    const uint8_t *wrapped = db_column_blob(row, column, &length);
    if (length != (size_t)VAULT_WRAPPED || !vault_place_encode(place, bound, &bound_length))
        return STATUS_CORRUPT;
    sealing_keys_make(key, number, &keys);
    enum status status = sealing_open(&keys, bound, bound_length, wrapped, length, ret_secret);
    crypto_wipe(&keys, sizeof keys);
    return status;
}

static struct vault_place master_place(uint32_t version)
{
    return (struct vault_place){.table = "vault_master", .column = "wrapped", .id = version};
}

static struct vault_place key_place(const char *scope)
{
    return (struct vault_place){.table = "vault_key", .column = "wrapped", .row = scope};
}

/* The master key and the half together: neither is of use alone. */
static void kek_make(const struct master *master, const uint8_t *half, uint8_t *ret_kek)
{
    crypto_hmac_sha256(master->secret, sizeof master->secret, half, CRYPTO_KEY_BYTES, ret_kek);
}

/* ---- master keys ---- */

static enum status masters_count(struct db_session *session, void *arg)
{
    int64_t *ret_count = arg;
    struct db_statement *select = db_prepare(session, "SELECT count(*) FROM vault_master");
    enum status status = db_step(select);
    if (status == STATUS_OK)
        *ret_count = db_column_int(select, 0);
    return status;
}

enum status masters_read(struct db_session *session, void *arg)
{
    const struct masters_work *work = arg;
    struct vault *vault = work->vault;
    struct db_statement *select = db_prepare(session, "SELECT version, wrapped FROM vault_master"
                                                      " WHERE version > 0 ORDER BY version");
    enum status status;
    vault->master_count = 0;
    while ((status = db_step(select)) == STATUS_OK) {
        if (vault->master_count == VAULT_MASTERS_MAX)
            return STATUS_LIMIT;
        struct master *master = &vault->masters[vault->master_count];
        master->version = (uint32_t)db_column_int(select, 0);
        struct vault_place place = master_place(master->version);
        if (unwrap(work->root, 0, &place, select, 1, master->secret) != STATUS_OK)
            return STATUS_DENIED;
        vault->master_count++;
    }
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

enum status master_add(struct db_session *session, void *arg)
{
    const struct masters_work *work = arg;
    uint8_t secret[CRYPTO_KEY_BYTES], wrapped[VAULT_WRAPPED];
    struct db_statement *select =
        db_prepare(session, "SELECT coalesce(max(version), 0) + 1 FROM vault_master");
    enum status status = db_step(select);
    if (status != STATUS_OK)
        return status;
    uint32_t version = (uint32_t)db_column_int(select, 0);
    struct vault_place place = master_place(version);
    crypto_random(secret, sizeof secret);
    wrap(work->root, 0, &place, secret, wrapped);
    crypto_wipe(secret, sizeof secret);
    struct db_statement *insert = db_prepare(
        session, "INSERT INTO vault_master (version, wrapped, created) VALUES ($1, $2, $3)");
    db_bind_int(insert, 1, version);
    db_bind_blob(insert, 2, wrapped, sizeof wrapped);
    db_bind_int(insert, 3, (int64_t)clock_wall_ms());
    return db_run(insert);
}

static enum status masters_load(struct vault *vault, struct db_session *session)
{
    int64_t count = 0;
    uint8_t root[CRYPTO_KEY_BYTES];
    struct masters_work work = {.vault = vault, .root = root};
    enum status status = connection_body(session, masters_count, &count);
    if (status == STATUS_OK)
        status = root_read(vault->folder, vault->command, count == 0, root, &vault->reason);
    if (status != STATUS_OK)
        return status;
    vault->reason = "the keys in the database cannot be read";
    if (count == 0)
        status = connection_transaction(session, master_add, &work);
    if (status == STATUS_OK)
        status = connection_body(session, masters_read, &work);
    crypto_wipe(root, sizeof root);
    if (status == STATUS_DENIED)
        vault->reason = "the root key is not the one of this database";
    return status;
}

/* ---- scope keys ---- */

static const struct master *master_find(const struct vault *vault, int64_t version)
{
    for (uint32_t i = 0; i < vault->master_count; i++)
        if (vault->masters[i].version == version)
            return &vault->masters[i];
    return NULL;
}

enum status key_unwrap(struct vault *vault, struct db_statement *row,
                       uint8_t ret_secret[CRYPTO_KEY_BYTES])
{
    uint8_t half[CRYPTO_KEY_BYTES], kek[CRYPTO_KEY_BYTES];
    const char *scope = db_column_text(row, 1);
    const struct master *master = master_find(vault, db_column_int(row, 2));
    if (!master)
        return STATUS_CORRUPT;
    enum status status = keyring_get(vault->keyring, scope, half);
    if (status != STATUS_OK)
        return status;
    struct vault_place place = key_place(scope);
    kek_make(master, half, kek);
    status = unwrap(kek, master->version, &place, row, 3, ret_secret);
    crypto_wipe(half, sizeof half);
    crypto_wipe(kek, sizeof kek);
    return status;
}

enum status key_wrap(struct vault *vault, const char *scope, const uint8_t secret[CRYPTO_KEY_BYTES],
                     uint8_t ret_wrapped[VAULT_WRAPPED])
{
    uint8_t half[CRYPTO_KEY_BYTES], kek[CRYPTO_KEY_BYTES];
    const struct master *master = &vault->masters[vault->master_count - 1];
    enum status status = keyring_get(vault->keyring, scope, half);
    if (status != STATUS_OK)
        return status;
    struct vault_place place = key_place(scope);
    kek_make(master, half, kek);
    wrap(kek, master->version, &place, secret, ret_wrapped);
    crypto_wipe(half, sizeof half);
    crypto_wipe(kek, sizeof kek);
    return STATUS_OK;
}

/* A space whose half is destroyed stays shut; that is how an old copy of the database looks. */
static enum status keys_read(struct db_session *session, void *arg)
{
    struct vault *vault = arg;
    uint8_t secret[CRYPTO_KEY_BYTES];
    struct db_statement *select =
        db_prepare(session, "SELECT id, scope, master, wrapped FROM vault_key");
    enum status status;
    while ((status = db_step(select)) == STATUS_OK) {
        const char *scope = db_column_text(select, 1);
        status = key_unwrap(vault, select, secret);
        if (status == STATUS_NOT_FOUND && scope[0] != '\0')
            continue;
        if (status == STATUS_OK)
            status = vault_scope_put(vault, scope, (uint32_t)db_column_int(select, 0), secret);
        if (status == STATUS_NOT_FOUND)
            vault->reason = "keys/keyring is not the one of this database";
        if (status != STATUS_OK)
            return status == STATUS_NOT_FOUND ? STATUS_DENIED : status;
    }
    crypto_wipe(secret, sizeof secret);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

struct making {
    struct vault *vault;
    const char *scope;
    uint32_t number;
    uint8_t secret[CRYPTO_KEY_BYTES];
};

static enum status doomed_check(struct db_session *session, const char *scope)
{
    struct db_statement *select =
        db_prepare(session, "SELECT scope FROM vault_doomed WHERE scope = $1");
    db_bind_text(select, 1, scope);
    enum status status = db_step(select);
    if (status == STATUS_OK)
        return STATUS_CLOSED;
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static enum status key_insert(struct db_session *session, struct making *making)
{
    uint8_t half[CRYPTO_KEY_BYTES], wrapped[VAULT_WRAPPED];
    struct vault *vault = making->vault;
    const struct master *master = &vault->masters[vault->master_count - 1];
    enum status status = keyring_make(vault->keyring, making->scope, half);
    crypto_wipe(half, sizeof half);
    crypto_random(making->secret, sizeof making->secret);
    if (status == STATUS_OK)
        status = key_wrap(vault, making->scope, making->secret, wrapped);
    if (status != STATUS_OK)
        return status;
    struct db_statement *insert =
        db_prepare(session, "INSERT INTO vault_key (scope, master, wrapped, created)"
                            " VALUES ($1, $2, $3, $4) RETURNING id");
    db_bind_text(insert, 1, making->scope);
    db_bind_int(insert, 2, master->version);
    db_bind_blob(insert, 3, wrapped, sizeof wrapped);
    db_bind_int(insert, 4, (int64_t)clock_wall_ms());
    status = db_step(insert);
    if (status == STATUS_OK)
        making->number = (uint32_t)db_column_int(insert, 0);
    return status;
}

static enum status key_make(struct db_session *session, void *arg)
{
    struct making *making = arg;
    struct db_statement *select =
        db_prepare(session, "SELECT id, scope, master, wrapped FROM vault_key WHERE scope = $1");
    db_bind_text(select, 1, making->scope);
    enum status status = db_step(select);
    if (status == STATUS_OK) {
        making->number = (uint32_t)db_column_int(select, 0);
        status = key_unwrap(making->vault, select, making->secret);
        return status == STATUS_NOT_FOUND ? STATUS_CLOSED : status;
    }
    if (status == STATUS_NOT_FOUND)
        status = doomed_check(session, making->scope);
    return status == STATUS_OK ? key_insert(session, making) : status;
}

enum status vault_space_new(struct vault *vault, struct db *db, const char *space)
{
    struct making making = {.vault = vault, .scope = space};
    if (space[0] == '\0' || strnlen(space, VAULT_SCOPE_MAX + 1) > VAULT_SCOPE_MAX)
        return STATUS_INVALID;
    enum status status = db_write(db, key_make, &making);
    if (status == STATUS_OK)
        status = vault_scope_put(vault, space, making.number, making.secret);
    crypto_wipe(making.secret, sizeof making.secret);
    return status;
}

/* ---- destroying ---- */

enum status vault_space_doom(struct db_session *session, const char *space)
{
    struct db_statement *remove = db_prepare(session, "DELETE FROM vault_key WHERE scope = $1");
    db_bind_text(remove, 1, space);
    enum status status = db_run(remove);
    if (status != STATUS_OK)
        return status;
    struct db_statement *insert = db_prepare(session, "INSERT INTO vault_doomed (scope)"
                                                      " VALUES ($1) ON CONFLICT DO NOTHING");
    db_bind_text(insert, 1, space);
    return db_run(insert);
}

struct reaping {
    struct vault *vault;
    uint32_t count;
    char scopes[REAP_MAX][VAULT_SCOPE_MAX + 1];
};

/* The half goes before the row that asks for it: when the row's transaction fails it goes again. */
static enum status reap_run(struct db_session *session, void *arg)
{
    struct reaping *reaping = arg;
    struct db_statement *select = db_prepare(
        session, "SELECT scope FROM vault_doomed WHERE scope > '' ORDER BY scope LIMIT $1");
    db_bind_int(select, 1, REAP_MAX);
    enum status status;
    reaping->count = 0;
    while ((status = db_step(select)) == STATUS_OK) {
        const char *scope = db_column_text(select, 0);
        size_t length = strnlen(scope, VAULT_SCOPE_MAX);
        memcpy(reaping->scopes[reaping->count], scope, length);
        reaping->scopes[reaping->count++][length] = '\0';
    }
    status = status == STATUS_NOT_FOUND ? STATUS_OK : status;
    for (uint32_t i = 0; status == STATUS_OK && i < reaping->count; i++) {
        struct db_statement *remove =
            db_prepare(session, "DELETE FROM vault_doomed WHERE scope = $1");
        db_bind_text(remove, 1, reaping->scopes[i]);
        status = keyring_destroy(reaping->vault->keyring, reaping->scopes[i]);
        if (status == STATUS_OK)
            status = db_run(remove);
    }
    return status;
}

enum status vault_reap(struct vault *vault, struct db *db)
{
    struct reaping reaping = {.vault = vault};
    enum status status;
    do {
        status = db_write(db, reap_run, &reaping);
        for (uint32_t i = 0; status == STATUS_OK && i < reaping.count; i++)
            vault_scope_drop(vault, reaping.scopes[i]);
    } while (status == STATUS_OK && reaping.count == REAP_MAX);
    return status == STATUS_OK ? db_log_cut(db) : status;
}

/* ---- opening ---- */

static enum status server_key_make(struct vault *vault, struct db_session *session)
{
    struct making making = {.vault = vault, .scope = ""};
    if (map_get(vault->by_name, map_key_of("")))
        return STATUS_OK;
    enum status status = connection_transaction(session, key_make, &making);
    if (status == STATUS_OK)
        status = vault_scope_put(vault, "", making.number, making.secret);
    crypto_wipe(making.secret, sizeof making.secret);
    return status;
}

enum status vault_load(struct vault *vault, struct db_session *session)
{
    struct reaping reaping = {.vault = vault};
    char directory[PATH_MAX];
    if (vault->loaded)
        return STATUS_OK;
    memcpy(directory, vault->folder, sizeof directory);
    *strrchr(directory, '/') = '\0';
    vault->reason = "keys/ cannot be made or read";
    enum status status = durable_folder_make(directory, vault->folder);
    if (status == STATUS_OK)
        status = keyring_open(vault->folder, &vault->keyring);
    if (status == STATUS_OK)
        status = masters_load(vault, session);
    do {
        if (status == STATUS_OK)
            status = connection_transaction(session, reap_run, &reaping);
    } while (status == STATUS_OK && reaping.count == REAP_MAX);
    if (status == STATUS_OK)
        status = connection_body(session, keys_read, vault);
    if (status == STATUS_OK)
        status = server_key_make(vault, session);
    vault->loaded = status == STATUS_OK;
    if (vault->loaded)
        vault->reason = NULL;
    return status;
}
