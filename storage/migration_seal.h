/*
 * storage/migration_seal.h - the steps of the schema that seal what was written as it is; private
 * to storage/migrations.c.
 */
#ifndef STORAGE_MIGRATION_SEAL_H
#define STORAGE_MIGRATION_SEAL_H

#include "storage/db.h"

/* Step 5, after its SQL has added the sealed columns and before the others are dropped. Errors: as
 * vault_seal, as db_run. */
MUST_USE enum status migration_seal(struct db_session *session, void *none);
/* Step 26 likewise: time zones of accounts, NULL where there is none. */
MUST_USE enum status migration_seal_zones(struct db_session *session, void *none);

#endif
