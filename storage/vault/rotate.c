#include "storage/vault/vault.h"

#include "storage/vault/root.h"
#include "storage/vault/vault_keys.h"

#include <stdio.h>
#include <string.h>

enum { BATCH = 256 }; /* keys a transaction, so that the writer is not held */

struct rotating {
    struct vault *vault;
    struct vault_rotation rotation;
    int64_t after; /* id of the last key that was looked at */
    /* Of this transaction, which may run twice. */
    int64_t last, rewrapped, left;
};

static enum status key_update(struct db_session *session, const struct rotating *rotating,
                              struct db_statement *row)
{
    uint8_t secret[CRYPTO_KEY_BYTES], wrapped[VAULT_WRAPPED];
    enum status status = key_unwrap(rotating->vault, row, secret);
    if (status == STATUS_OK)
        status = key_wrap(rotating->vault, db_column_text(row, 1), secret, wrapped);
    crypto_wipe(secret, sizeof secret);
    if (status != STATUS_OK)
        return status;
    struct db_statement *update =
        db_prepare(session, "UPDATE vault_key SET master = $2, wrapped = $3 WHERE id = $1");
    db_bind_int(update, 1, db_column_int(row, 0));
    db_bind_int(update, 2, rotating->rotation.master);
    db_bind_blob(update, 3, wrapped, sizeof wrapped);
    return db_run(update);
}

/* Keys by their id, each once: a row is asked for after the one before was updated. */
static enum status rewrap_run(struct db_session *session, void *arg)
{
    struct rotating *rotating = arg;
    enum status status = STATUS_OK;
    rotating->last = rotating->after;
    rotating->rewrapped = rotating->left = 0;
    while (status == STATUS_OK && rotating->rewrapped + rotating->left < BATCH) {
        struct db_statement *select =
            db_prepare(session, "SELECT id, scope, master, wrapped FROM vault_key WHERE id > $1"
                                " ORDER BY id LIMIT 1");
        db_bind_int(select, 1, rotating->last);
        status = db_step(select);
        if (status != STATUS_OK)
            break;
        rotating->last = db_column_int(select, 0);
        status = key_update(session, rotating, select);
        if (status == STATUS_NOT_FOUND) {
            rotating->left++;
            status = STATUS_OK;
        } else
            rotating->rewrapped++;
    }
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static enum status masters_drop(struct db_session *session, void *arg)
{
    const struct rotating *rotating = arg;
    struct db_statement *remove =
        db_prepare(session, "DELETE FROM vault_master WHERE version < $1 AND NOT EXISTS"
                            " (SELECT 1 FROM vault_key WHERE master = vault_master.version)");
    db_bind_int(remove, 1, rotating->rotation.master);
    return db_run(remove);
}

static enum status rewrap_all(struct rotating *rotating, struct db *db)
{
    enum status status;
    do {
        status = db_write(db, rewrap_run, rotating);
        if (status != STATUS_OK)
            return status;
        rotating->after = rotating->last;
        rotating->rotation.rewrapped += rotating->rewrapped;
        rotating->rotation.left += rotating->left;
    } while (rotating->rewrapped + rotating->left == BATCH);
    return STATUS_OK;
}

enum status vault_rotate(struct vault *vault, struct db *db, struct vault_rotation *ret_rotation)
{
    uint8_t root[CRYPTO_KEY_BYTES];
    const char *reason;
    struct rotating rotating = {.vault = vault};
    struct masters_work work = {.vault = vault, .root = root};
    enum status status = root_read(vault->folder, vault->command, false, root, &reason);
    if (status != STATUS_OK)
        return status;
    /* A row first, then what is in memory, so that nothing is wrapped by a master that a failed
     * commit took back. */
    status =
        vault->master_count < VAULT_MASTERS_MAX ? db_write(db, master_add, &work) : STATUS_LIMIT;
    if (status == STATUS_OK)
        status = db_write(db, masters_read, &work);
    rotating.rotation.master = vault->masters[vault->master_count - 1].version;
    if (status == STATUS_OK)
        status = rewrap_all(&rotating, db);
    if (status == STATUS_OK)
        status = db_write(db, masters_drop, &rotating);
    if (status == STATUS_OK)
        status = db_write(db, masters_read, &work);
    crypto_wipe(root, sizeof root);
    if (status == STATUS_OK)
        status = db_log_cut(db);
    if (status == STATUS_OK)
        *ret_rotation = rotating.rotation;
    return status;
}
