#include "modules/auth/confirmation_rows.h"

#include "storage/event.h"

#include <stdio.h>
#include <string.h>

static const char token_prefix[] = "plc_";
static const char events[] = "server"; /* scope */

void confirmation_token_make(char ret_token[CONFIRMATION_TOKEN_CHARS + 1],
                             uint8_t ret_hash[CRYPTO_SHA256_BYTES])
{
    char secret[CRYPTO_TOKEN_CHARS + 1];
    crypto_token(secret);
    snprintf(ret_token, CONFIRMATION_TOKEN_CHARS + 1, "%s%s", token_prefix, secret);
    crypto_sha256(ret_token, CONFIRMATION_TOKEN_CHARS, ret_hash);
}

bool confirmation_token_hash(const char *token, uint8_t ret_hash[CRYPTO_SHA256_BYTES])
{
    if (strlen(token) != CONFIRMATION_TOKEN_CHARS ||
        strncmp(token, token_prefix, sizeof token_prefix - 1) != 0)
        return false;
    crypto_sha256(token, CONFIRMATION_TOKEN_CHARS, ret_hash);
    return true;
}

static struct vault_place place_of(const char *id)
{
    return (struct vault_place){.table = "confirmation", .column = "email", .row = id};
}

/* ---- making ---- */

static int64_t life_of(const char *kind)
{
    if (strcmp(kind, "invite") == 0)
        return CONFIRMATION_INVITE_MS;
    return strcmp(kind, "password") == 0 ? CONFIRMATION_PASSWORD_MS : CONFIRMATION_EMAIL_MS;
}

enum status confirmations_over_drop(struct db_session *session, int64_t now_ms)
{
    struct db_statement *drop = db_prepare(session, "DELETE FROM confirmation WHERE expires <= $1");
    db_bind_int(drop, 1, now_ms);
    return db_run(drop);
}

/* Those that are over make room. */
static enum status room_make(struct db_session *session, const char *kind, int64_t now_ms)
{
    enum status status = confirmations_over_drop(session, now_ms);
    if (status != STATUS_OK)
        return status;
    struct db_statement *select =
        db_prepare(session, "SELECT count(*) FROM confirmation WHERE kind = $1");
    db_bind_text(select, 1, kind);
    status = db_step(select);
    return status == STATUS_OK && db_column_int(select, 0) >= CONFIRMATIONS_MAX ? STATUS_LIMIT
                                                                                : status;
}

static enum status earlier_drop(struct db_session *session, const struct confirmation_new *wish,
                                const uint8_t *email_hash)
{
    struct db_statement *drop =
        db_prepare(session, "DELETE FROM confirmation WHERE kind = $1 AND email_hash = $2"
                            " AND account = $3");
    db_bind_text(drop, 1, wish->kind);
    db_bind_blob(drop, 2, email_hash, CRYPTO_SHA256_BYTES);
    db_bind_text(drop, 3, wish->account);
    return db_run(drop);
}

enum status confirmation_put(struct db_session *session, const struct confirmation_new *wish,
                             int64_t now_ms, struct arena *arena,
                             struct confirmation *ret_confirmation)
{
    struct vault *vault = db_session_vault(session);
    uint8_t email_hash[CRYPTO_SHA256_BYTES];
    char id[CRYPTO_ID_CHARS + 1];
    crypto_id(id);
    const struct vault_place place = place_of(id);
    enum status status = auth_email_hash(vault, wish->email, email_hash);
    if (status == STATUS_OK)
        status = room_make(session, wish->kind, now_ms);
    if (status == STATUS_OK)
        status = earlier_drop(session, wish, email_hash);
    if (status != STATUS_OK)
        return status;
    struct db_statement *insert = db_prepare(
        session,
        "INSERT INTO confirmation (id, kind, account, email, email_hash, language, created,"
        " expires) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)");
    db_bind_text(insert, 1, id);
    db_bind_text(insert, 2, wish->kind);
    db_bind_text(insert, 3, wish->account);
    status = vault_bind(vault, &place, insert, 4, wish->email);
    db_bind_blob(insert, 5, email_hash, sizeof email_hash);
    db_bind_text(insert, 6, wish->language);
    db_bind_int(insert, 7, now_ms);
    db_bind_int(insert, 8, now_ms + life_of(wish->kind));
    if (status == STATUS_OK)
        status = db_run(insert);
    if (status == STATUS_OK)
        status = event_write_id(session, events, "confirmation.added", id, now_ms);
    *ret_confirmation = (struct confirmation){.id = arena_strdup(arena, id),
                                              .kind = wish->kind,
                                              .email = wish->email,
                                              .language = wish->language,
                                              .created = now_ms,
                                              .expires = now_ms + life_of(wish->kind)};
    return status == STATUS_OK && ret_confirmation->id == NULL ? STATUS_NO_MEMORY : status;
}

/* ---- reading ---- */

#define COLUMNS "id, kind, account, email, email_hash, language, created, expires"

static enum status row_read(struct db_session *session, struct db_statement *row,
                            struct arena *arena, struct confirmation_row *ret_row)
{
    size_t length;
    struct confirmation_row read = {
        .account = arena_strdup(arena, db_column_text(row, 2)),
        .shown = {.id = arena_strdup(arena, db_column_text(row, 0)),
                  .kind = arena_strdup(arena, db_column_text(row, 1)),
                  .language = arena_strdup(arena, db_column_text(row, 5)),
                  .created = db_column_int(row, 6),
                  .expires = db_column_int(row, 7)}};
    const void *hash = db_column_blob(row, 4, &length);
    if (length != sizeof read.email_hash)
        return STATUS_CORRUPT;
    memcpy(read.email_hash, hash, length);
    if (read.account == NULL || read.shown.id == NULL || read.shown.kind == NULL ||
        read.shown.language == NULL)
        return STATUS_NO_MEMORY;
    const struct vault_place place = place_of(read.shown.id);
    enum status status =
        vault_column(db_session_vault(session), &place, row, 3, arena, &read.shown.email);
    if (status == STATUS_OK)
        *ret_row = read;
    return status;
}

enum status confirmation_by_token(struct db_session *session,
                                  const uint8_t token_hash[CRYPTO_SHA256_BYTES], int64_t now_ms,
                                  struct arena *arena, struct confirmation_row *ret_row)
{
    struct db_statement *select =
        db_prepare(session, "SELECT " COLUMNS " FROM confirmation WHERE token_hash = $1"
                            " AND expires > $2");
    db_bind_blob(select, 1, token_hash, CRYPTO_SHA256_BYTES);
    db_bind_int(select, 2, now_ms);
    enum status status = db_step(select);
    return status == STATUS_OK ? row_read(session, select, arena, ret_row) : status;
}

enum status confirmation_by_id(struct db_session *session, const char *id, int64_t now_ms,
                               struct arena *arena, struct confirmation_row *ret_row)
{
    struct db_statement *select =
        db_prepare(session, "SELECT " COLUMNS " FROM confirmation WHERE id = $1 AND expires > $2");
    db_bind_text(select, 1, id);
    db_bind_int(select, 2, now_ms);
    enum status status = db_step(select);
    return status == STATUS_OK ? row_read(session, select, arena, ret_row) : status;
}

enum status confirmation_rows(struct db_session *session, const char *after, int64_t now_ms,
                              struct arena *arena, struct confirmations *ret_list)
{
    struct confirmation *items = arena_alloc(arena, CONFIRMATIONS_LIST_MAX * sizeof *items);
    struct confirmations list = {.items.items = items};
    struct confirmation_row row;
    if (items == NULL)
        return STATUS_NO_MEMORY;
    struct db_statement *select =
        db_prepare(session, "SELECT " COLUMNS " FROM confirmation WHERE id > $1 AND expires > $2"
                            " ORDER BY id LIMIT $3");
    db_bind_text(select, 1, after);
    db_bind_int(select, 2, now_ms);
    db_bind_int(select, 3, CONFIRMATIONS_LIST_MAX + 1);
    enum status status;
    while ((status = db_step(select)) == STATUS_OK) {
        if (list.items.count == CONFIRMATIONS_LIST_MAX) {
            list.more = true;
            break;
        }
        status = row_read(session, select, arena, &row);
        if (status != STATUS_OK)
            return status;
        items[list.items.count++] = row.shown;
    }
    if (status == STATUS_NOT_FOUND)
        status = STATUS_OK;
    if (status == STATUS_OK)
        *ret_list = list;
    return status;
}

/* ---- changing ---- */

enum status confirmation_token_set(struct db_session *session, const char *id,
                                   const uint8_t token_hash[CRYPTO_SHA256_BYTES], int64_t now_ms)
{
    struct db_statement *update =
        db_prepare(session, "UPDATE confirmation SET token_hash = $2 WHERE id = $1"
                            " AND expires > $3 RETURNING id");
    db_bind_text(update, 1, id);
    db_bind_blob(update, 2, token_hash, CRYPTO_SHA256_BYTES);
    db_bind_int(update, 3, now_ms);
    return db_step(update);
}

enum status confirmation_remove(struct db_session *session, const char *id, int64_t now_ms)
{
    struct db_statement *drop =
        db_prepare(session, "DELETE FROM confirmation WHERE id = $1 RETURNING id");
    db_bind_text(drop, 1, id);
    enum status status = db_step(drop);
    return status == STATUS_OK ? event_write_id(session, events, "confirmation.removed", id, now_ms)
                               : status;
}

enum status confirmation_arrived(struct db_session *session,
                                 const uint8_t email_hash[CRYPTO_SHA256_BYTES])
{
    static const char *const kinds[] = {"invite", "signup"};
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < sizeof kinds / sizeof kinds[0]; i++) {
        const struct confirmation_new wish = {.kind = kinds[i], .account = ""};
        status = earlier_drop(session, &wish, email_hash);
    }
    return status;
}
