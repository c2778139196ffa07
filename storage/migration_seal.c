#include "storage/migration_seal.h"

#include "storage/vault/vault.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { KEY_MAX = 64 };

/* One column of one table. Rows go by their key, text or number: `select` gives the row after $1
 * (and $2, where the key is two numbers) as key, second number, text; `update` puts $3 there. */
struct column {
    const char *table, *name;
    bool text_key, two_keys;
    const char *select, *update;
};

static const struct column texts[] = {
    {.table = "meeting",
     .name = "title_sealed",
     .text_key = true,
     .select = "SELECT id, 0, title FROM meeting WHERE id > $1 ORDER BY id LIMIT 1",
     .update = "UPDATE meeting SET title_sealed = $3 WHERE id = $1"},
    {.table = "participant",
     .name = "name_sealed",
     .text_key = true,
     .select = "SELECT id, 0, name FROM participant WHERE id > $1 ORDER BY id LIMIT 1",
     .update = "UPDATE participant SET name_sealed = $3 WHERE id = $1"},
    {.table = "message",
     .name = "author_name_sealed",
     .select = "SELECT id, 0, author_name FROM message WHERE id > $1 ORDER BY id LIMIT 1",
     .update = "UPDATE message SET author_name_sealed = $3 WHERE id = $1"},
    {.table = "message",
     .name = "text_sealed",
     .select = "SELECT id, 0, text FROM message WHERE id > $1 AND deleted IS NULL"
               " ORDER BY id LIMIT 1",
     .update = "UPDATE message SET text_sealed = $3 WHERE id = $1"},
    {.table = "message_edit",
     .name = "text_sealed",
     .two_keys = true,
     .select = "SELECT message, edit, text FROM message_edit WHERE (message, edit) > ($1, $2)"
               " ORDER BY message, edit LIMIT 1",
     .update = "UPDATE message_edit SET text_sealed = $3 WHERE message = $1 AND edit = $2"},
};

static const struct column zones[] = {
    {.table = "account",
     .name = "zone_sealed",
     .text_key = true,
     .select = "SELECT id, 0, zone FROM account WHERE id > $1 AND zone <> '' ORDER BY id LIMIT 1",
     .update = "UPDATE account SET zone_sealed = $3 WHERE id = $1"},
};

struct cursor {
    const struct column *column;
    char text[KEY_MAX + 1];
    int64_t number, second;
};

static void cursor_bind(const struct cursor *cursor, struct db_statement *statement)
{
    if (cursor->column->text_key)
        db_bind_text(statement, 1, cursor->text);
    else
        db_bind_int(statement, 1, cursor->number);
    if (cursor->column->two_keys)
        db_bind_int(statement, 2, cursor->second);
}

static enum status row_seal(struct db_session *session, struct cursor *cursor)
{
    const struct column *column = cursor->column;
    char row[KEY_MAX + 1];
    struct db_statement *select = db_prepare(session, column->select);
    cursor_bind(cursor, select);
    enum status status = db_step(select);
    if (status != STATUS_OK)
        return status;
    cursor->number = db_column_int(select, 0);
    cursor->second = db_column_int(select, 1);
    snprintf(cursor->text, sizeof cursor->text, "%s", db_column_text(select, 0));
    snprintf(row, sizeof row, "%lld/%lld", (long long)cursor->number, (long long)cursor->second);
    struct vault_place place = {.table = column->table,
                                .column = column->name,
                                .row = column->two_keys ? row : cursor->text};
    struct db_statement *update = db_prepare(session, column->update);
    cursor_bind(cursor, update);
    status = vault_bind(db_session_vault(session), &place, update, 3, db_column_text(select, 2));
    return status == STATUS_OK ? db_run(update) : status;
}

static enum status columns_seal(struct db_session *session, const struct column *columns,
                                size_t count)
{
    enum status status = STATUS_NOT_FOUND;
    for (size_t i = 0; status == STATUS_NOT_FOUND && i < count; i++) {
        struct cursor cursor = {.column = &columns[i]};
        do {
            status = row_seal(session, &cursor);
        } while (status == STATUS_OK);
    }
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

enum status migration_seal(struct db_session *session, void *none)
{
    (void)none;
    return columns_seal(session, texts, sizeof texts / sizeof texts[0]);
}

enum status migration_seal_zones(struct db_session *session, void *none)
{
    (void)none;
    return columns_seal(session, zones, sizeof zones / sizeof zones[0]);
}
