#include "modules/spaces/scheduled.h"

#include "core/text.h"
#include "modules/jobs/jobs.h"
#include "modules/spaces/message_rows.h"
#include "modules/spaces/spaces_state.h"
#include "storage/vault/vault.h"

#include <inttypes.h>
#include <string.h>

const char scheduled_kind[] = "message.send";

struct scheduling {
    struct spaces_who who;
    const char *id;
    const struct scheduled_wish *wish;
    int64_t thread; /* 0: none */
    int64_t now_ms;
    struct arena *arena;
    struct scheduled_message message;
    struct json_list list;
    struct messages_message written;
    bool done;
};

/* ---- rows ---- */

#define COLUMNS "id, thread, text, mentions, send_at, created, failed"

static struct vault_place text_place(const char *space, const char *id)
{
    return (struct vault_place){
        .space = space, .table = "space_scheduled", .column = "text", .row = id};
}

/* "a b c": ids have no spaces. */
static enum status mentions_split(const char *joined, struct arena *arena,
                                  struct json_list *ret_list)
{
    const char **items = arena_alloc(arena, MESSAGES_MENTIONS_MAX * sizeof items[0]);
    if (items == NULL)
        return STATUS_NO_MEMORY;
    struct json_list list = {.items = items};
    while (joined[0] != '\0' && list.count < MESSAGES_MENTIONS_MAX) {
        size_t length = strcspn(joined, " ");
        items[list.count] = arena_strndup(arena, joined, length);
        if (items[list.count++] == NULL)
            return STATUS_NO_MEMORY;
        joined += length + (joined[length] == ' ');
    }
    *ret_list = list;
    return STATUS_OK;
}

static const char *mentions_join(const struct json_list *list, struct arena *arena)
{
    const char *const *items = list->items;
    const char *joined = "";
    for (size_t i = 0; joined != NULL && i < list->count; i++)
        joined = arena_printf(arena, "%s%s%s", joined, i > 0 ? " " : "", items[i]);
    return joined;
}

static enum status row_read(struct db_session *session, struct db_statement *row, const char *space,
                            struct arena *arena, struct scheduled_message *ret_message)
{
    int64_t thread = db_column_int(row, 1);
    struct scheduled_message message = {
        .id = arena_strdup(arena, db_column_text(row, 0)),
        .thread = thread != 0 ? arena_printf(arena, "%" PRId64, thread) : NULL,
        .send_at = db_column_int(row, 4),
        .created = db_column_int(row, 5),
        .failed = db_column_int(row, 6)};
    if (message.id == NULL || (thread != 0 && message.thread == NULL))
        return STATUS_NO_MEMORY;
    const struct vault_place place = text_place(space, message.id);
    enum status status = mentions_split(db_column_text(row, 3), arena, &message.mentions);
    if (status == STATUS_OK)
        status = vault_column(db_session_vault(session), &place, row, 2, arena, &message.text);
    if (status == STATUS_OK)
        *ret_message = message;
    return status;
}

/* One's own. */
static enum status row_load(struct db_session *session, struct scheduling *scheduling)
{
    struct db_statement *select =
        db_prepare(session, "SELECT " COLUMNS " FROM space_scheduled WHERE id = $1 AND space = $2"
                            " AND account = $3");
    db_bind_text(select, 1, scheduling->id);
    db_bind_text(select, 2, scheduling->who.space);
    db_bind_text(select, 3, scheduling->who.account);
    enum status status = db_step(select);
    return status == STATUS_OK ? row_read(session, select, scheduling->who.space, scheduling->arena,
                                          &scheduling->message)
                               : status;
}

static enum status row_drop(struct db_session *session, const char *id)
{
    struct db_statement *drop = db_prepare(session, "DELETE FROM space_scheduled WHERE id = $1");
    db_bind_text(drop, 1, id);
    return db_run(drop);
}

static enum status tell(struct db_session *session, const struct scheduling *scheduling)
{
    return spaces_tell(session, scheduling->who.account, "scheduled.updated", scheduling->who.space,
                       scheduling->now_ms);
}

/* ---- adding and changing ---- */

static bool wish_valid(const struct scheduled_wish *wish, int64_t now_ms)
{
    return (wish->text == NULL || text_valid(wish->text, 1, MESSAGES_TEXT_MAX, TEXT_PARAGRAPHS)) &&
           wish->mentions.count <= MESSAGES_MENTIONS_MAX &&
           (wish->send_at == 0 ||
            (wish->send_at > now_ms && wish->send_at - now_ms <= SCHEDULED_AHEAD_MAX_MS));
}

/* Those it names are checked when it is written too: by then they may have left. */
static enum status wish_check(struct db_session *session, const struct scheduling *scheduling)
{
    const char *const *names = scheduling->wish->mentions.items;
    enum status status = spaces_seat(session, &scheduling->who, SPACES_COMMENT, NULL);
    for (size_t i = 0; status == STATUS_OK && i < scheduling->wish->mentions.count; i++) {
        const struct spaces_who named = {scheduling->who.space, names[i]};
        if (strcmp(names[i], "all") != 0)
            status = spaces_seat(session, &named, SPACES_READ, NULL);
        if (status == STATUS_NOT_FOUND)
            return STATUS_INVALID;
    }
    return status;
}

static enum status job_add(struct db_session *session, const struct scheduling *scheduling,
                           int64_t due_ms)
{
    const struct jobs_new job = {.kind = scheduled_kind,
                                 .space = scheduling->who.space,
                                 .key = scheduling->id,
                                 .due_ms = due_ms};
    return jobs_add(session, &job, scheduling->now_ms);
}

static enum status room_check(struct db_session *session, const struct scheduling *scheduling)
{
    struct db_statement *count = db_prepare(
        session, "SELECT count(*) FROM space_scheduled WHERE space = $1 AND account = $2");
    db_bind_text(count, 1, scheduling->who.space);
    db_bind_text(count, 2, scheduling->who.account);
    enum status status = db_step(count);
    return status == STATUS_OK && db_column_int(count, 0) >= SCHEDULED_MAX ? STATUS_LIMIT : status;
}

static enum status thread_check(struct db_session *session, const struct scheduling *scheduling)
{
    if (scheduling->thread == 0)
        return STATUS_OK;
    struct db_statement *select = db_prepare(
        session, "SELECT id FROM space_message WHERE id = $1 AND space = $2 AND thread IS NULL");
    db_bind_int(select, 1, scheduling->thread);
    db_bind_text(select, 2, scheduling->who.space);
    enum status status = db_step(select);
    return status == STATUS_NOT_FOUND ? STATUS_INVALID : status;
}

static enum status add_run(struct db_session *session, void *arg)
{
    struct scheduling *scheduling = arg;
    const struct scheduled_wish *wish = scheduling->wish;
    const struct vault_place place = text_place(scheduling->who.space, scheduling->id);
    const char *mentions = mentions_join(&wish->mentions, scheduling->arena);
    enum status status = mentions != NULL ? wish_check(session, scheduling) : STATUS_NO_MEMORY;
    if (status == STATUS_OK)
        status = thread_check(session, scheduling);
    if (status == STATUS_OK)
        status = room_check(session, scheduling);
    if (status != STATUS_OK)
        return status;
    struct db_statement *insert =
        db_prepare(session, "INSERT INTO space_scheduled (id, space, account, thread, text,"
                            " mentions, send_at, created) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)");
    db_bind_text(insert, 1, scheduling->id);
    db_bind_text(insert, 2, scheduling->who.space);
    db_bind_text(insert, 3, scheduling->who.account);
    db_bind_int(insert, 4, scheduling->thread);
    status = vault_bind(db_session_vault(session), &place, insert, 5, wish->text);
    db_bind_text(insert, 6, mentions);
    db_bind_int(insert, 7, wish->send_at);
    db_bind_int(insert, 8, scheduling->now_ms);
    if (status == STATUS_OK)
        status = db_run(insert);
    if (status == STATUS_OK)
        status = job_add(session, scheduling, wish->send_at);
    if (status == STATUS_OK)
        status = tell(session, scheduling);
    return status == STATUS_OK ? row_load(session, scheduling) : status;
}

enum status scheduled_add(struct db *db, const struct spaces_who *who,
                          const struct scheduled_wish *wish, int64_t now_ms, struct arena *arena,
                          struct scheduled_message *ret_message)
{
    char id[CRYPTO_ID_CHARS + 1];
    struct scheduling scheduling = {
        .who = *who, .id = id, .wish = wish, .now_ms = now_ms, .arena = arena};
    if (!wish_valid(wish, now_ms) || wish->text == NULL || wish->send_at == 0 ||
        (wish->thread != NULL && !message_id_parse(wish->thread, &scheduling.thread)))
        return STATUS_INVALID;
    crypto_id(id);
    enum status status = db_write(db, add_run, &scheduling);
    if (status == STATUS_OK)
        *ret_message = scheduling.message;
    return status;
}

static enum status change_run(struct db_session *session, void *arg)
{
    struct scheduling *scheduling = arg;
    const struct scheduled_wish *wish = scheduling->wish;
    const struct vault_place place = text_place(scheduling->who.space, scheduling->id);
    enum status status = wish_check(session, scheduling);
    if (status == STATUS_OK)
        status = row_load(session, scheduling);
    if (status != STATUS_OK)
        return status;
    const struct json_list *named =
        wish->text != NULL ? &wish->mentions : &scheduling->message.mentions;
    const char *mentions = mentions_join(named, scheduling->arena);
    int64_t due_ms = wish->send_at != 0 ? wish->send_at : scheduling->message.send_at;
    struct db_statement *update =
        db_prepare(session, "UPDATE space_scheduled SET text = $2, mentions = $3, send_at = $4,"
                            " failed = NULL WHERE id = $1");
    db_bind_text(update, 1, scheduling->id);
    status = mentions != NULL
                 ? vault_bind(db_session_vault(session), &place, update, 2,
                              wish->text != NULL ? wish->text : scheduling->message.text)
                 : STATUS_NO_MEMORY;
    db_bind_text(update, 3, mentions);
    db_bind_int(update, 4, due_ms);
    if (status == STATUS_OK)
        status = db_run(update);
    if (status == STATUS_OK)
        status = job_add(session, scheduling, due_ms);
    if (status == STATUS_OK)
        status = tell(session, scheduling);
    return status == STATUS_OK ? row_load(session, scheduling) : status;
}

enum status scheduled_change(struct db *db, const struct spaces_who *who, const char *id,
                             const struct scheduled_wish *wish, int64_t now_ms, struct arena *arena,
                             struct scheduled_message *ret_message)
{
    struct scheduling scheduling = {
        .who = *who, .id = id, .wish = wish, .now_ms = now_ms, .arena = arena};
    if (!wish_valid(wish, now_ms) || (wish->text == NULL && wish->send_at == 0))
        return STATUS_INVALID;
    enum status status = db_write(db, change_run, &scheduling);
    if (status == STATUS_OK)
        *ret_message = scheduling.message;
    return status;
}

/* When its job runs just then, the row that it looks for is gone. */
static enum status cancel_run(struct db_session *session, void *arg)
{
    struct scheduling *scheduling = arg;
    enum status status = spaces_seat(session, &scheduling->who, SPACES_READ, NULL);
    if (status == STATUS_OK)
        status = row_load(session, scheduling);
    if (status == STATUS_OK)
        status = row_drop(session, scheduling->id);
    if (status != STATUS_OK)
        return status;
    status = jobs_cancel(session, scheduled_kind, scheduling->id);
    return status == STATUS_OK || status == STATUS_NOT_FOUND ? tell(session, scheduling) : status;
}

enum status scheduled_cancel(struct db *db, const struct spaces_who *who, const char *id,
                             int64_t now_ms)
{
    struct arena *arena = NULL;
    enum status status = arena_new(4 * MESSAGES_TEXT_MAX, &arena);
    struct scheduling scheduling = {.who = *who, .id = id, .now_ms = now_ms, .arena = arena};
    if (status == STATUS_OK)
        status = db_write(db, cancel_run, &scheduling);
    arena_free(arena);
    return status;
}

/* ---- reading ---- */

static enum status list_run(struct db_session *session, void *arg)
{
    struct scheduling *reading = arg;
    enum status status = spaces_seat(session, &reading->who, SPACES_READ, NULL);
    if (status != STATUS_OK)
        return status;
    struct scheduled_message *items = arena_alloc(reading->arena, SCHEDULED_MAX * sizeof *items);
    if (items == NULL)
        return STATUS_NO_MEMORY;
    reading->list = (struct json_list){.items = items};
    struct db_statement *select =
        db_prepare(session, "SELECT " COLUMNS " FROM space_scheduled WHERE space = $1"
                            " AND account = $2 ORDER BY send_at, id LIMIT $3");
    db_bind_text(select, 1, reading->who.space);
    db_bind_text(select, 2, reading->who.account);
    db_bind_int(select, 3, SCHEDULED_MAX);
    while ((status = db_step(select)) == STATUS_OK) {
        status = row_read(session, select, reading->who.space, reading->arena,
                          &items[reading->list.count++]);
        if (status != STATUS_OK)
            return status;
    }
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

enum status scheduled_list(struct db *db, const struct spaces_who *who, struct arena *arena,
                           struct scheduled_list *ret_list)
{
    struct scheduling reading = {.who = *who, .arena = arena};
    enum status status = db_read(db, list_run, &reading);
    if (status == STATUS_OK)
        ret_list->items = reading.list;
    return status;
}

/* ---- sending ---- */

static enum status author_find(struct db_session *session, struct scheduling *sending)
{
    struct db_statement *select =
        db_prepare(session, "SELECT space, account FROM space_scheduled WHERE id = $1"
                            " AND send_at <= $2 AND failed IS NULL");
    db_bind_text(select, 1, sending->id);
    db_bind_int(select, 2, sending->now_ms);
    enum status status = db_step(select);
    if (status != STATUS_OK)
        return status;
    sending->who.space = arena_strdup(sending->arena, db_column_text(select, 0));
    sending->who.account = arena_strdup(sending->arena, db_column_text(select, 1));
    return sending->who.space != NULL && sending->who.account != NULL ? STATUS_OK
                                                                      : STATUS_NO_MEMORY;
}

/* Who has left the space is named no more. */
static enum status mentions_keep(struct db_session *session, struct scheduling *sending)
{
    const char **names = sending->message.mentions.items;
    size_t kept = 0;
    for (size_t i = 0; i < sending->message.mentions.count; i++) {
        const struct spaces_who named = {sending->who.space, names[i]};
        enum status status = strcmp(names[i], "all") == 0
                                 ? STATUS_OK
                                 : spaces_seat(session, &named, SPACES_READ, NULL);
        if (status == STATUS_OK)
            names[kept++] = names[i];
        else if (status != STATUS_NOT_FOUND)
            return status;
    }
    sending->message.mentions.count = kept;
    return STATUS_OK;
}

static enum status failed_mark(struct db_session *session, const struct scheduling *sending)
{
    struct db_statement *update =
        db_prepare(session, "UPDATE space_scheduled SET failed = $2 WHERE id = $1");
    db_bind_text(update, 1, sending->id);
    db_bind_int(update, 2, sending->now_ms);
    enum status status = db_run(update);
    return status == STATUS_OK ? tell(session, sending) : status;
}

/* Whether the author may is asked first, so that nothing is half written when they may not. */
static enum status send_run(struct db_session *session, void *arg)
{
    struct scheduling *sending = arg;
    enum status status = author_find(session, sending);
    if (status != STATUS_OK)
        return status == STATUS_NOT_FOUND ? STATUS_OK : status;
    status = spaces_seat(session, &sending->who, SPACES_COMMENT, NULL);
    if (status == STATUS_NOT_FOUND || status == STATUS_DENIED)
        return failed_mark(session, sending);
    if (status == STATUS_OK)
        status = row_load(session, sending);
    if (status == STATUS_OK)
        status = mentions_keep(session, sending);
    if (status != STATUS_OK)
        return status;
    const struct messages_post post = {.text = sending->message.text,
                                       .thread = sending->message.thread,
                                       .mentions = sending->message.mentions,
                                       .nonce = sending->id};
    status = message_write(session, &sending->who, &post, sending->now_ms, sending->arena,
                           &sending->written, &sending->done);
    if (status == STATUS_OK)
        status = row_drop(session, sending->id);
    return status == STATUS_OK ? tell(session, sending) : status;
}

enum status scheduled_send(struct db *db, const char *id, int64_t now_ms, struct arena *arena,
                           struct messages_message *ret_message, bool *ret_written)
{
    struct scheduling sending = {.id = id, .now_ms = now_ms, .arena = arena};
    enum status status = db_write(db, send_run, &sending);
    if (status != STATUS_OK)
        return status;
    *ret_written = sending.done;
    if (sending.done)
        *ret_message = sending.written;
    return STATUS_OK;
}
