#include "modules/spaces/message_rows.h"

#include "core/text.h"
#include "modules/auth/auth.h"
#include "modules/spaces/attachments.h"
#include "modules/spaces/message_seat.h"
#include "modules/spaces/previews.h"
#include "modules/spaces/spaces_state.h"
#include "storage/vault/vault.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool message_id_parse(const char *text, int64_t *ret_id)
{
    size_t length = strnlen(text, MESSAGES_ID_MAX + 1);
    if (length == 0 || length > MESSAGES_ID_MAX || text[0] == '0' ||
        strspn(text, "0123456789") != length)
        return false;
    unsigned long long id = strtoull(text, NULL, 10);
    if (id > INT64_MAX)
        return false;
    *ret_id = (int64_t)id;
    return true;
}

/* ---- texts ---- */

enum status message_text_store(struct db_session *session, const char *space, int64_t id,
                               const char *text)
{
    const struct vault_place place = {
        .space = space, .table = "space_message", .column = "text", .id = id};
    struct db_statement *update =
        db_prepare(session, "UPDATE space_message SET text = $2 WHERE id = $1");
    db_bind_int(update, 1, id);
    enum status status = vault_bind(db_session_vault(session), &place, update, 2, text);
    return status == STATUS_OK ? db_run(update) : status;
}

/* Where an earlier text is sealed to. */
static void edit_key(int64_t message, int64_t edit, char ret_key[48])
{
    snprintf(ret_key, 48, "%" PRId64 "/%" PRId64, message, edit);
}

enum status message_edit_keep(struct db_session *session, const char *space, int64_t id,
                              const char *text, int64_t now_ms)
{
    char key[48];
    struct db_statement *count =
        db_prepare(session, "SELECT count(*) FROM space_message_edit WHERE message = $1");
    db_bind_int(count, 1, id);
    enum status status = db_step(count);
    if (status != STATUS_OK)
        return status;
    int64_t edit = db_column_int(count, 0) + 1;
    if (edit > MESSAGES_EDITS_MAX)
        return STATUS_LIMIT;
    edit_key(id, edit, key);
    const struct vault_place place = {
        .space = space, .table = "space_message_edit", .column = "text", .row = key};
    struct db_statement *insert =
        db_prepare(session, "INSERT INTO space_message_edit (message, edit, text, replaced)"
                            " VALUES ($1, $2, $3, $4)");
    db_bind_int(insert, 1, id);
    db_bind_int(insert, 2, edit);
    status = vault_bind(db_session_vault(session), &place, insert, 3, text);
    db_bind_int(insert, 4, now_ms);
    return status == STATUS_OK ? db_run(insert) : status;
}

/* ---- a message ---- */

static enum status mentions_load(struct db_session *session, int64_t id, struct arena *arena,
                                 struct json_list *ret_list)
{
    const char **items = NULL;
    struct json_list list = {0};
    struct db_statement *select = db_prepare(
        session, "SELECT account FROM space_mention WHERE message = $1 ORDER BY account LIMIT $2");
    db_bind_int(select, 1, id);
    db_bind_int(select, 2, MESSAGES_MENTIONS_MAX);
    enum status status;
    while ((status = db_step(select)) == STATUS_OK) {
        if (items == NULL)
            items = arena_alloc(arena, MESSAGES_MENTIONS_MAX * sizeof items[0]);
        const char *account = items != NULL ? arena_strdup(arena, db_column_text(select, 0)) : NULL;
        if (account == NULL)
            return STATUS_NO_MEMORY;
        items[list.count++] = account;
    }
    list.items = items;
    *ret_list = list;
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

/* Rows come sorted by emoji, so each emoji's people are neighbours. */
static enum status reactions_load(struct db_session *session, int64_t id, struct arena *arena,
                                  struct json_list *ret_list)
{
    struct messages_reaction *items = NULL;
    const char **by = NULL;
    size_t count = 0, people = 0;
    struct db_statement *select =
        db_prepare(session, "SELECT emoji, who FROM space_reaction WHERE message = $1"
                            " ORDER BY emoji, who LIMIT $2");
    db_bind_int(select, 1, id);
    db_bind_int(select, 2, MESSAGES_REACTIONS_MAX);
    enum status status;
    while ((status = db_step(select)) == STATUS_OK) {
        const char *emoji = db_column_text(select, 0);
        if (items == NULL) {
            items = arena_alloc(arena, MESSAGES_EMOJIS_MAX * sizeof *items);
            by = arena_alloc(arena, MESSAGES_REACTIONS_MAX * sizeof by[0]);
        }
        if (items == NULL || by == NULL)
            return STATUS_NO_MEMORY;
        if (count == 0 || strcmp(items[count - 1].emoji, emoji) != 0) {
            if (count == MESSAGES_EMOJIS_MAX)
                return STATUS_CORRUPT;
            items[count].emoji = arena_strdup(arena, emoji);
            items[count++].by.items = &by[people];
        }
        by[people] = arena_strdup(arena, db_column_text(select, 1));
        if (items[count - 1].emoji == NULL || by[people++] == NULL)
            return STATUS_NO_MEMORY;
        items[count - 1].by.count++;
    }
    *ret_list = (struct json_list){.items = items, .count = count};
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

#define COLUMNS                                                                                    \
    "id, author, text, thread, replies, created, edited, deleted, pinned, reply_to, meeting, "     \
    "guest"

/* Of members as it is now, of guests as it was. */
static enum status author_name_read(struct db_session *session, struct db_statement *row,
                                    struct arena *arena, struct messages_message *message)
{
    const struct vault_place place = {.space = message->space,
                                      .table = "space_message",
                                      .column = "guest",
                                      .id = db_column_int(row, 0)};
    struct auth_user author;
    enum status status =
        vault_column(db_session_vault(session), &place, row, 11, arena, &message->author_name);
    message->guest = status == STATUS_OK && message->author_name != NULL;
    if (status != STATUS_OK || message->guest)
        return status;
    status = auth_user_in(session, message->author, arena, &author);
    if (status == STATUS_OK)
        message->author_name = author.name;
    return status;
}

static const char *id_text(struct arena *arena, int64_t id, bool *failed)
{
    const char *text = id != 0 ? arena_printf(arena, "%" PRId64, id) : NULL;
    *failed = *failed || (id != 0 && text == NULL);
    return text;
}

static enum status row_read(struct db_session *session, struct db_statement *row, const char *space,
                            struct arena *arena, struct messages_message *ret_message)
{
    int64_t id = db_column_int(row, 0);
    const char *meeting = db_column_text(row, 10);
    const struct vault_place place = {
        .space = space, .table = "space_message", .column = "text", .id = id};
    bool failed = false;
    struct messages_message message = {.id = id_text(arena, id, &failed),
                                       .space = arena_strdup(arena, space),
                                       .author = arena_strdup(arena, db_column_text(row, 1)),
                                       .thread = id_text(arena, db_column_int(row, 3), &failed),
                                       .reply_to = id_text(arena, db_column_int(row, 9), &failed),
                                       .meeting =
                                           meeting != NULL ? arena_strdup(arena, meeting) : NULL,
                                       .replies = db_column_int(row, 4),
                                       .created = db_column_int(row, 5),
                                       .edited = db_column_int(row, 6),
                                       .deleted = db_column_int(row, 7),
                                       .pinned = db_column_int(row, 8)};
    if (failed || message.space == NULL || message.author == NULL ||
        (meeting != NULL && message.meeting == NULL))
        return STATUS_NO_MEMORY;
    enum status status =
        vault_column(db_session_vault(session), &place, row, 2, arena, &message.text);
    if (status == STATUS_OK)
        status = author_name_read(session, row, arena, &message);
    if (status == STATUS_OK)
        status = mentions_load(session, id, arena, &message.mentions);
    if (status == STATUS_OK)
        status = reactions_load(session, id, arena, &message.reactions);
    if (status == STATUS_OK)
        status = attachments_load(session, space, id, arena, &message.attachments);
    if (status == STATUS_OK)
        status = previews_load(session, space, id, arena, &message.previews);
    if (status != STATUS_OK)
        return status;
    if (message.text == NULL)
        message.text = "";
    *ret_message = message;
    return STATUS_OK;
}

enum status message_load(struct db_session *session, const char *space, int64_t id,
                         struct arena *arena, struct messages_message *ret_message)
{
    struct db_statement *select =
        db_prepare(session, "SELECT " COLUMNS " FROM space_message WHERE id = $1 AND space = $2");
    db_bind_int(select, 1, id);
    db_bind_text(select, 2, space);
    enum status status = db_step(select);
    return status == STATUS_OK ? row_read(session, select, space, arena, ret_message) : status;
}

enum status message_meeting_thread(struct db_session *session, const char *space,
                                   const char *meeting, int64_t *ret_id)
{
    struct db_statement *select =
        db_prepare(session, "SELECT id FROM space_message WHERE meeting = $1 AND thread IS NULL"
                            " AND space = $2");
    db_bind_text(select, 1, meeting);
    db_bind_text(select, 2, space);
    enum status status = db_step(select);
    if (status == STATUS_OK)
        *ret_id = db_column_int(select, 0);
    return status;
}

/* ---- reading ---- */

struct reading {
    struct spaces_who who;
    enum spaces_right right;
    struct message_seat seat;
    int64_t id, before, thread;
    const char *meeting; /* NULL: any */
    bool pinned;
    size_t limit;
    struct arena *arena;
    struct messages_message message;
    struct messages_page page;
    struct json_list edits;
};

static enum status get_run(struct db_session *session, void *arg)
{
    struct reading *reading = arg;
    enum status status =
        message_seat_take(session, &reading->who, SPACES_READ, reading->arena, &reading->seat);
    if (status == STATUS_OK)
        status = message_load(session, reading->who.space, reading->id, reading->arena,
                              &reading->message);
    if (status == STATUS_OK && !message_seat_sees(&reading->seat, reading->message.meeting))
        status = STATUS_NOT_FOUND;
    return status;
}

enum status messages_get(struct db *db, const struct spaces_who *who, const char *id,
                         struct arena *arena, struct messages_message *ret_message)
{
    struct reading reading = {.who = *who, .arena = arena};
    if (!message_id_parse(id, &reading.id))
        return STATUS_NOT_FOUND;
    enum status status = db_read(db, get_run, &reading);
    if (status == STATUS_OK)
        *ret_message = reading.message;
    return status;
}

/* Each of the three has its index. */
static struct db_statement *page_select(struct db_session *session, const struct reading *reading)
{
    struct db_statement *select;
    if (reading->thread != 0)
        select = db_prepare(session, "SELECT " COLUMNS " FROM space_message WHERE space = $1"
                                     " AND thread = $4 AND id < $2 ORDER BY id DESC LIMIT $3");
    else if (reading->pinned)
        select = db_prepare(session, "SELECT " COLUMNS " FROM space_message WHERE space = $1"
                                     " AND pinned > 0 AND id < $2 ORDER BY id DESC LIMIT $3");
    else
        select = db_prepare(session, "SELECT " COLUMNS " FROM space_message WHERE space = $1"
                                     " AND id < $2 ORDER BY id DESC LIMIT $3");
    db_bind_text(select, 1, reading->who.space);
    db_bind_int(select, 2, reading->before);
    db_bind_int(select, 3, (int64_t)reading->limit + 1);
    if (reading->thread != 0)
        db_bind_int(select, 4, reading->thread);
    return select;
}

/* What it takes of MESSAGES_PAGE_BYTES. */
static size_t message_bytes(const struct messages_message *message)
{
    const struct messages_preview *previews = message->previews.items;
    size_t bytes = strlen(message->text);
    for (size_t i = 0; i < message->previews.count; i++)
        bytes += strlen(previews[i].url) + strlen(previews[i].title) + strlen(previews[i].about);
    return bytes;
}

static enum status page_run(struct db_session *session, void *arg)
{
    struct reading *reading = arg;
    struct messages_page *page = &reading->page;
    size_t bytes = 0;
    enum status status =
        message_seat_take(session, &reading->who, SPACES_READ, reading->arena, &reading->seat);
    if (status == STATUS_OK && reading->meeting != NULL)
        status =
            message_meeting_thread(session, reading->who.space, reading->meeting, &reading->thread);
    if (status == STATUS_OK && !message_seat_sees(&reading->seat, reading->meeting))
        status = STATUS_NOT_FOUND;
    if (status != STATUS_OK)
        return status;
    struct messages_message *items = arena_alloc(reading->arena, reading->limit * sizeof *items);
    if (items == NULL)
        return STATUS_NO_MEMORY;
    *page = (struct messages_page){.items.items = items};
    struct db_statement *select = page_select(session, reading);
    while ((status = db_step(select)) == STATUS_OK) {
        if (page->items.count == reading->limit || bytes > MESSAGES_PAGE_BYTES) {
            page->next_cursor = items[page->items.count - 1].id;
            return STATUS_OK;
        }
        struct messages_message *message = &items[page->items.count];
        status = row_read(session, select, reading->who.space, reading->arena, message);
        if (status != STATUS_OK)
            return status;
        bytes += message_bytes(message);
        page->items.count++;
    }
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

enum status messages_list(struct db *db, const struct spaces_who *who,
                          const struct messages_query *query, struct arena *arena,
                          struct messages_page *ret_page)
{
    int64_t limit = query->limit > 0 ? query->limit : 50;
    struct reading reading = {.who = *who,
                              .before = INT64_MAX,
                              .meeting = query->meeting,
                              .pinned = query->pinned,
                              .limit =
                                  (size_t)(limit < MESSAGES_PAGE_MAX ? limit : MESSAGES_PAGE_MAX),
                              .arena = arena};
    if ((query->cursor != NULL && query->cursor[0] != '\0' &&
         !message_id_parse(query->cursor, &reading.before)) ||
        (query->thread != NULL && !message_id_parse(query->thread, &reading.thread)))
        return STATUS_INVALID;
    enum status status = db_read(db, page_run, &reading);
    if (status == STATUS_OK)
        *ret_page = reading.page;
    return status;
}

/* ---- earlier texts ---- */

static enum status edits_run(struct db_session *session, void *arg)
{
    struct reading *reading = arg;
    char key[48];
    enum status status = spaces_seat(session, &reading->who, SPACES_HISTORY, NULL);
    if (status == STATUS_OK)
        status = message_load(session, reading->who.space, reading->id, reading->arena,
                              &reading->message);
    if (status != STATUS_OK)
        return status;
    struct messages_edit *items = arena_alloc(reading->arena, MESSAGES_EDITS_MAX * sizeof *items);
    if (items == NULL)
        return STATUS_NO_MEMORY;
    struct db_statement *select =
        db_prepare(session, "SELECT edit, text, replaced FROM space_message_edit"
                            " WHERE message = $1 ORDER BY edit LIMIT $2");
    db_bind_int(select, 1, reading->id);
    db_bind_int(select, 2, MESSAGES_EDITS_MAX);
    reading->edits = (struct json_list){.items = items};
    while ((status = db_step(select)) == STATUS_OK) {
        struct messages_edit *edit = &items[reading->edits.count++];
        edit_key(reading->id, db_column_int(select, 0), key);
        const struct vault_place place = {.space = reading->who.space,
                                          .table = "space_message_edit",
                                          .column = "text",
                                          .row = key};
        edit->replaced = db_column_int(select, 2);
        status =
            vault_column(db_session_vault(session), &place, select, 1, reading->arena, &edit->text);
        if (status != STATUS_OK)
            return status;
    }
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

enum status messages_edits(struct db *db, const struct spaces_who *who, const char *id,
                           struct arena *arena, struct messages_edits *ret_edits)
{
    struct reading reading = {.who = *who, .arena = arena};
    if (!message_id_parse(id, &reading.id))
        return STATUS_NOT_FOUND;
    enum status status = db_read(db, edits_run, &reading);
    if (status == STATUS_OK)
        ret_edits->items = reading.edits;
    return status;
}

/* ---- what a deleted space has left ---- */

enum { PURGE_MAX = 500 /* messages in one transaction, so that the writer is not held */ };

struct purging {
    const char *space;
    int64_t last; /* message of this transaction; 0: there was none */
};

static enum status purge_run(struct db_session *session, void *arg)
{
    static const char *const deletes[] = {
        "DELETE FROM space_message_edit WHERE message IN"
        " (SELECT id FROM space_message WHERE space = $1 AND id <= $2)",
        "DELETE FROM space_reaction WHERE message IN"
        " (SELECT id FROM space_message WHERE space = $1 AND id <= $2)",
        "DELETE FROM space_mention WHERE message IN"
        " (SELECT id FROM space_message WHERE space = $1 AND id <= $2)",
        "DELETE FROM space_attachment WHERE message IN"
        " (SELECT id FROM space_message WHERE space = $1 AND id <= $2)",
        "DELETE FROM space_preview WHERE message IN"
        " (SELECT id FROM space_message WHERE space = $1 AND id <= $2)",
        "DELETE FROM space_message WHERE space = $1 AND id <= $2",
    };
    struct purging *purging = arg;
    struct db_statement *select =
        db_prepare(session, "SELECT max(id) FROM (SELECT id FROM space_message WHERE space = $1"
                            " ORDER BY id LIMIT $2)");
    db_bind_text(select, 1, purging->space);
    db_bind_int(select, 2, PURGE_MAX);
    enum status status = db_step(select);
    if (status != STATUS_OK)
        return status;
    purging->last = db_column_int(select, 0); /* of NULL: 0 */
    for (size_t i = 0; status == STATUS_OK && i < sizeof deletes / sizeof deletes[0]; i++) {
        struct db_statement *statement = db_prepare(session, deletes[i]);
        db_bind_text(statement, 1, purging->space);
        db_bind_int(statement, 2, purging->last);
        status = db_run(statement);
    }
    return status;
}

enum status messages_purge(struct db *db, const char *space)
{
    struct purging purging = {.space = space};
    enum status status;
    do
        status = db_write(db, purge_run, &purging);
    while (status == STATUS_OK && purging.last != 0);
    return status;
}

bool message_text_valid(const char *text)
{
    return text_valid(text, 1, MESSAGES_TEXT_MAX, TEXT_PARAGRAPHS);
}

enum status message_event(struct db_session *session, const char *space, const char *type,
                          int64_t message, int64_t now_ms)
{
    char id[MESSAGES_ID_MAX + 2];
    snprintf(id, sizeof id, "%" PRId64, message);
    return spaces_event(session, space, type, id, now_ms);
}

enum status message_updated(struct db_session *session, const char *space, int64_t id,
                            int64_t now_ms, struct arena *arena,
                            struct messages_message *ret_message)
{
    enum status status = message_event(session, space, "message.updated", id, now_ms);
    return status == STATUS_OK ? message_load(session, space, id, arena, ret_message) : status;
}
