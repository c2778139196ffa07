/*
 * storage/migrations.h - the schema, as the numbered steps that lead to it. A step that
 * was released is never changed; tests/vectors/schema/ holds what each of them left behind.
 */
#ifndef STORAGE_MIGRATIONS_H
#define STORAGE_MIGRATIONS_H

#include "core/status.h"
#include "storage/vault/vault_state.h"

#include <stdint.h>

/* The version this program brings a database to. */
extern const int64_t migrations_version;

/*
 * Takes the steps that are missing, each in its own transaction, so that a crash leaves
 * a whole version; loads the vault as soon as its tables are there. Errors: STATUS_UNSUPPORTED (the
 * database is newer), as vault_load, as db_step.
 */
MUST_USE enum status migrations_run(struct db_session *session, struct vault *vault);

#endif
