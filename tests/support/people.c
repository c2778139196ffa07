#include "tests/support/people.h"

#include "core/crypto.h"
#include "storage/vault/vault.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

struct adding {
    const char *id, *name, *email;
};

static enum status add_run(struct db_session *session, void *arg)
{
    const struct adding *adding = arg;
    struct vault *vault = db_session_vault(session);
    const struct vault_place email = {.table = "account", .column = "email", .row = adding->id};
    const struct vault_place name = {.table = "account", .column = "name", .row = adding->id};
    uint8_t hash[CRYPTO_SHA256_BYTES];
    enum status status =
        vault_hash(vault, NULL, "email", adding->email, strlen(adding->email), hash);
    struct db_statement *insert =
        db_prepare(session, "INSERT INTO account (id, email, email_hash, name, language, admin,"
                            " password, created) VALUES ($1, $2, $3, $4, '', 0, '', 0)");
    db_bind_text(insert, 1, adding->id);
    if (status == STATUS_OK)
        status = vault_bind(vault, &email, insert, 2, adding->email);
    db_bind_blob(insert, 3, hash, sizeof hash);
    if (status == STATUS_OK)
        status = vault_bind(vault, &name, insert, 4, adding->name);
    return status == STATUS_OK ? db_run(insert) : status;
}

const char *people_add(struct db *db, struct arena *arena, const char *name)
{
    char *id = arena_alloc(arena, CRYPTO_ID_CHARS + 1);
    assert_non_null(id);
    crypto_id(id);
    struct adding adding = {id, name, arena_printf(arena, "%s@example.org", name)};
    assert_non_null(adding.email);
    assert_int_equal(db_write(db, add_run, &adding), STATUS_OK);
    return id;
}
