#include "storage/migration_chat.h"

#include "core/arena.h"
#include "storage/vault/vault.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { ARENA_MAX = 1 << 20 /* bytes: a text, its names and keys, at a time */ };

/* A text moves from one place into another; the other values of `into` are bound by the caller. */
static enum status text_move(struct db_session *session, struct db_statement *from, int column,
                             const struct vault_place *old, const struct vault_place *place,
                             struct db_statement *into, int index)
{
    struct vault *vault = db_session_vault(session);
    struct arena *arena = NULL;
    const char *text = NULL;
    size_t length = 0;
    enum status status = arena_new(ARENA_MAX, &arena);
    (void)db_column_blob(from, column, &length); /* of what was deleted: empty */
    if (status == STATUS_OK && length > 0)
        status = vault_column(vault, old, from, column, arena, &text);
    if (status == STATUS_OK)
        status = vault_bind(vault, place, into, index, text);
    arena_free(arena);
    return status;
}

/* The next one that is of a space that is there still. */
struct meeting {
    char id[65], space[65];
    int64_t created, root;
};

static enum status meeting_next(struct db_session *session, struct meeting *meeting)
{
    struct db_statement *select = db_prepare(
        session, "SELECT m.id, m.space, m.created FROM meeting m"
                 " JOIN space s ON s.id = m.space WHERE m.id > $1 ORDER BY m.id LIMIT 1");
    db_bind_text(select, 1, meeting->id);
    enum status status = db_step(select);
    if (status != STATUS_OK)
        return status;
    snprintf(meeting->id, sizeof meeting->id, "%s", db_column_text(select, 0));
    snprintf(meeting->space, sizeof meeting->space, "%s", db_column_text(select, 1));
    meeting->created = db_column_int(select, 2);
    return STATUS_OK;
}

static enum status thread_begin(struct db_session *session, struct meeting *meeting)
{
    struct db_statement *insert = db_prepare(
        session, "INSERT INTO space_message (space, author, nonce, meeting, replies, created)"
                 " VALUES ($1, (SELECT account FROM space_member WHERE space = $1"
                 " AND role = 'owner' ORDER BY account LIMIT 1), 'meeting ' || $2, $2,"
                 " (SELECT count(*) FROM message WHERE meeting = $2), $3) RETURNING id");
    db_bind_text(insert, 1, meeting->space);
    db_bind_text(insert, 2, meeting->id);
    db_bind_int(insert, 3, meeting->created);
    enum status status = db_step(insert);
    if (status == STATUS_OK)
        meeting->root = db_column_int(insert, 0);
    return status;
}

static enum status texts_move(struct db_session *session, struct db_statement *row,
                              const struct meeting *meeting, int64_t old, int64_t id)
{
    struct vault_place from = {.table = "message", .column = "text_sealed", .id = old};
    struct vault_place to = {
        .space = meeting->space, .table = "space_message", .column = "text", .id = id};
    struct db_statement *update =
        db_prepare(session, "UPDATE space_message SET text = $2, guest = $3 WHERE id = $1");
    db_bind_int(update, 1, id);
    enum status status = text_move(session, row, 1, &from, &to, update, 2);
    from.column = "author_name_sealed";
    to.column = "guest";
    if (status == STATUS_OK)
        status = text_move(session, row, 2, &from, &to, update, 3);
    return status == STATUS_OK ? db_run(update) : status;
}

static enum status edits_move(struct db_session *session, const struct meeting *meeting,
                              int64_t old, int64_t id)
{
    char was[48], is[48];
    enum status status;
    int64_t edit = 0;
    for (;;) {
        struct db_statement *select =
            db_prepare(session, "SELECT edit, text_sealed, replaced FROM message_edit"
                                " WHERE message = $1 AND edit > $2 ORDER BY edit LIMIT 1");
        db_bind_int(select, 1, old);
        db_bind_int(select, 2, edit);
        status = db_step(select);
        if (status != STATUS_OK)
            break;
        edit = db_column_int(select, 0);
        snprintf(was, sizeof was, "%" PRId64 "/%" PRId64, old, edit);
        snprintf(is, sizeof is, "%" PRId64 "/%" PRId64, id, edit);
        const struct vault_place from = {
            .table = "message_edit", .column = "text_sealed", .row = was};
        const struct vault_place to = {
            .space = meeting->space, .table = "space_message_edit", .column = "text", .row = is};
        struct db_statement *insert =
            db_prepare(session, "INSERT INTO space_message_edit (message, edit, text, replaced)"
                                " VALUES ($1, $2, $3, $4)");
        db_bind_int(insert, 1, id);
        db_bind_int(insert, 2, edit);
        db_bind_int(insert, 4, db_column_int(select, 2));
        status = text_move(session, select, 1, &from, &to, insert, 3);
        if (status == STATUS_OK)
            status = db_run(insert);
        if (status != STATUS_OK)
            break;
    }
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

/* Runs `sql` with $1 and $2. */
static enum status run_two(struct db_session *session, const char *sql, int64_t first,
                           int64_t second)
{
    struct db_statement *statement = db_prepare(session, sql);
    db_bind_int(statement, 1, first);
    db_bind_int(statement, 2, second);
    return db_run(statement);
}

/* What it answers has moved before it. */
static enum status message_move(struct db_session *session, const struct meeting *meeting,
                                int64_t *old)
{
    struct db_statement *select = db_prepare(
        session, "SELECT id, text_sealed, author_name_sealed FROM message WHERE meeting = $1"
                 " AND id > $2 ORDER BY id LIMIT 1");
    db_bind_text(select, 1, meeting->id);
    db_bind_int(select, 2, *old);
    enum status status = db_step(select);
    if (status != STATUS_OK)
        return status;
    *old = db_column_int(select, 0);
    struct db_statement *insert = db_prepare(
        session,
        "INSERT INTO space_message (space, author, nonce, thread, meeting, reply_to, created,"
        " edited, deleted) SELECT $2, author, nonce, $3, meeting, (SELECT new FROM message_moved"
        " WHERE old = message.reply_to), created, edited, deleted FROM message WHERE id = $1"
        " RETURNING id");
    db_bind_int(insert, 1, *old);
    db_bind_text(insert, 2, meeting->space);
    db_bind_int(insert, 3, meeting->root);
    status = db_step(insert);
    if (status != STATUS_OK)
        return status;
    int64_t id = db_column_int(insert, 0);
    status = texts_move(session, select, meeting, *old, id);
    if (status == STATUS_OK)
        status = edits_move(session, meeting, *old, id);
    if (status == STATUS_OK)
        status = run_two(session, "INSERT INTO message_moved (old, new) VALUES ($1, $2)", *old, id);
    return status == STATUS_OK
               ? run_two(session,
                         "INSERT INTO space_reaction (message, emoji, who)"
                         " SELECT $2, emoji, participant FROM message_reaction WHERE message = $1",
                         *old, id)
               : status;
}

/* The space counts its messages. */
static enum status thread_end(struct db_session *session, const struct meeting *meeting)
{
    struct db_statement *update =
        db_prepare(session, "UPDATE space SET messages = messages + 1 +"
                            " (SELECT replies FROM space_message WHERE id = $2) WHERE id = $1");
    db_bind_text(update, 1, meeting->space);
    db_bind_int(update, 2, meeting->root);
    return db_run(update);
}

enum status migration_chat(struct db_session *session, void *none)
{
    (void)none;
    struct meeting meeting = {.id = ""};
    enum status status;
    while ((status = meeting_next(session, &meeting)) == STATUS_OK) {
        int64_t old = 0;
        status = thread_begin(session, &meeting);
        while (status == STATUS_OK)
            status = message_move(session, &meeting, &old);
        if (status == STATUS_NOT_FOUND)
            status = thread_end(session, &meeting);
        if (status != STATUS_OK)
            return status;
    }
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}
