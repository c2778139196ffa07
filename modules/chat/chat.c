#include "modules/chat/chat.h"

#include "core/text.h"
#include "modules/chat/chat_rows.h"
#include "modules/meetings/registry.h"
#include "storage/event.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static bool message_text_valid(const char *text)
{
    return text_valid(text, 1, CHAT_TEXT_MAX, TEXT_PARAGRAPHS);
}

/* Something outside ASCII, and of ASCII only what keycaps are made of: nobody "reacts" with words.
 */
static bool emoji_valid(const char *emoji)
{
    bool beyond_ascii = false;
    if (!text_valid(emoji, 1, CHAT_EMOJI_MAX, TEXT_LINE))
        return false;
    for (const char *at = emoji; *at; at++) {
        bool ascii = (unsigned char)*at < 0x80;
        if (ascii && !strchr("0123456789#*", *at))
            return false;
        beyond_ascii = beyond_ascii || !ascii;
    }
    return beyond_ascii && !text_blank(emoji);
}

static enum status event_add(struct db_session *session, const char *meeting, const char *type,
                             int64_t message, int64_t now_ms)
{
    char id[CHAT_ID_DIGITS_MAX + 2];
    snprintf(id, sizeof id, "%" PRId64, message);
    return event_write_id(session, meeting, type, id, now_ms);
}

/* ---- sending ---- */

struct sending {
    const struct chat_post *post;
    int64_t reply_to; /* 0: none */
    int64_t now_ms;
    struct arena *arena;
    struct chat_message message;
    bool changed;
};

/* The message this author has sent under this nonce. */
static enum status nonce_find(struct db_session *session, const struct chat_post *post,
                              int64_t *ret_id)
{
    struct db_statement *select =
        db_prepare(session, "SELECT id FROM message WHERE author = $1 AND nonce = $2");
    db_bind_text(select, 1, post->author);
    db_bind_text(select, 2, post->nonce);
    enum status status = db_step(select);
    if (status == STATUS_OK)
        *ret_id = db_column_int(select, 0);
    return status;
}

static enum status reply_check(struct db_session *session, const struct sending *sending)
{
    if (sending->reply_to == 0)
        return STATUS_OK;
    struct db_statement *select =
        db_prepare(session, "SELECT id FROM message WHERE id = $1 AND meeting = $2");
    db_bind_int(select, 1, sending->reply_to);
    db_bind_text(select, 2, sending->post->meeting);
    enum status status = db_step(select);
    return status == STATUS_NOT_FOUND ? STATUS_INVALID : status;
}

static enum status count_one(struct db_session *session, const char *meeting)
{
    struct db_statement *count =
        db_prepare(session, "INSERT INTO chat (meeting, messages) VALUES ($1, 1)"
                            " ON CONFLICT (meeting) DO UPDATE SET messages = chat.messages + 1"
                            " WHERE chat.messages < $2 RETURNING messages");
    db_bind_text(count, 1, meeting);
    db_bind_int(count, 2, CHAT_MESSAGES_MAX);
    enum status status = db_step(count);
    return status == STATUS_NOT_FOUND ? STATUS_LIMIT : status;
}

static enum status message_insert(struct db_session *session, const struct sending *sending,
                                  int64_t *ret_id)
{
    const struct chat_post *post = sending->post;
    struct db_statement *insert =
        db_prepare(session, "INSERT INTO message (meeting, author, nonce, reply_to, created)"
                            " VALUES ($1, $2, $3, $4, $5) RETURNING id");
    db_bind_text(insert, 1, post->meeting);
    db_bind_text(insert, 2, post->author);
    db_bind_text(insert, 3, post->nonce);
    if (sending->reply_to != 0)
        db_bind_int(insert, 4, sending->reply_to);
    db_bind_int(insert, 5, sending->now_ms);
    enum status status = db_step(insert);
    if (status == STATUS_OK)
        *ret_id = db_column_int(insert, 0);
    return status;
}

/* A second statement: texts are sealed for the row's id. */
static enum status message_fill(struct db_session *session, const struct chat_post *post,
                                int64_t id)
{
    struct vault *vault = db_session_vault(session);
    struct vault_place author = chat_author_place(id), text = chat_text_place(id);
    struct db_statement *update = db_prepare(
        session, "UPDATE message SET author_name_sealed = $2, text_sealed = $3 WHERE id = $1");
    db_bind_int(update, 1, id);
    enum status status = vault_bind(vault, &author, update, 2, post->author_name);
    if (status == STATUS_OK)
        status = vault_bind(vault, &text, update, 3, post->text);
    return status == STATUS_OK ? db_run(update) : status;
}

static enum status message_add(struct db_session *session, const struct sending *sending,
                               int64_t *ret_id)
{
    const struct chat_post *post = sending->post;
    enum registry_role role;
    enum status status = registry_member(session, post->meeting, post->author, &role);
    if (status == STATUS_OK)
        status = reply_check(session, sending);
    if (status == STATUS_OK)
        status = count_one(session, post->meeting);
    if (status == STATUS_OK)
        status = message_insert(session, sending, ret_id);
    if (status == STATUS_OK)
        status = message_fill(session, post, *ret_id);
    if (status != STATUS_OK)
        return status;
    return event_add(session, post->meeting, "chat.message", *ret_id, sending->now_ms);
}

/* What was acknowledged once stays so, whatever the author may do now: the nonce comes first. */
static enum status send_run(struct db_session *session, void *arg)
{
    struct sending *sending = arg;
    int64_t id = 0;
    enum status status = nonce_find(session, sending->post, &id);
    sending->changed = status == STATUS_NOT_FOUND;
    if (sending->changed)
        status = message_add(session, sending, &id);
    if (status != STATUS_OK)
        return status;
    return chat_message_load(session, sending->post->meeting, id, sending->arena,
                             &sending->message);
}

enum status chat_send(struct db *db, const struct chat_post *post, int64_t now_ms,
                      struct arena *arena, struct chat_message *ret_message, bool *ret_changed)
{
    struct sending sending = {.post = post, .now_ms = now_ms, .arena = arena};
    if (!message_text_valid(post->text) || !registry_name_valid(post->author_name) ||
        !text_valid(post->nonce, 1, CHAT_NONCE_MAX, TEXT_LINE) ||
        (post->reply_to && post->reply_to[0] && !chat_id_parse(post->reply_to, &sending.reply_to)))
        return STATUS_INVALID;
    enum status status = db_write(db, send_run, &sending);
    if (status != STATUS_OK)
        return status;
    *ret_message = sending.message;
    *ret_changed = sending.changed;
    return STATUS_OK;
}

/* ---- changing ---- */

struct change {
    const struct chat_target *target;
    int64_t id; /* of the message */
    const char *text, *emoji;
    bool on;
    int64_t now_ms;
    struct arena *arena;
    struct chat_message message;
    bool changed;
};

/* What a change may have to know of the message before. */
struct standing {
    bool own, deleted;
    int64_t edits;
    enum registry_role role; /* of who wants it */
};

static enum status standing_find(struct db_session *session, const struct change *change,
                                 struct standing *ret_standing)
{
    struct standing standing;
    const struct chat_target *target = change->target;
    enum status status =
        registry_member(session, target->meeting, target->participant, &standing.role);
    if (status != STATUS_OK)
        return status;
    struct db_statement *select = db_prepare(session, "SELECT author, deleted, edits FROM message"
                                                      " WHERE id = $1 AND meeting = $2");
    db_bind_int(select, 1, change->id);
    db_bind_text(select, 2, target->meeting);
    status = db_step(select);
    if (status != STATUS_OK)
        return status;
    standing.own = strcmp(db_column_text(select, 0), target->participant) == 0;
    standing.deleted = db_column_int(select, 1) != 0;
    standing.edits = db_column_int(select, 2);
    *ret_standing = standing;
    return STATUS_OK;
}

/* The event, if there was a change, and the message as it is now. */
static enum status change_finish(struct db_session *session, struct change *change)
{
    enum status status = STATUS_OK;
    if (change->changed)
        status =
            event_add(session, change->target->meeting, "chat.update", change->id, change->now_ms);
    if (status != STATUS_OK)
        return status;
    return chat_message_load(session, change->target->meeting, change->id, change->arena,
                             &change->message);
}

/* Runs the body of a change whose message is named by target->id. */
static enum status change_write(struct db *db, db_body *body, struct change *change,
                                struct chat_message *ret_message, bool *ret_changed)
{
    if (!chat_id_parse(change->target->id, &change->id))
        return STATUS_NOT_FOUND;
    enum status status = db_write(db, body, change);
    if (status != STATUS_OK)
        return status;
    *ret_message = change->message;
    *ret_changed = change->changed;
    return STATUS_OK;
}

/* ---- editing ---- */

static enum status text_load(struct db_session *session, const struct change *change,
                             const char **ret_text)
{
    struct vault_place place = chat_text_place(change->id);
    struct db_statement *select =
        db_prepare(session, "SELECT text_sealed FROM message WHERE id = $1");
    db_bind_int(select, 1, change->id);
    enum status status = db_step(select);
    if (status != STATUS_OK)
        return status;
    return vault_column(db_session_vault(session), &place, select, 0, change->arena, ret_text);
}

static enum status text_keep(struct db_session *session, const struct change *change, int64_t edit,
                             const char *text)
{
    char row[2 * CHAT_ID_DIGITS_MAX + 2];
    struct vault_place place = {.table = "message_edit", .column = "text_sealed", .row = row};
    snprintf(row, sizeof row, "%" PRId64 "/%" PRId64, change->id, edit);
    struct db_statement *insert =
        db_prepare(session, "INSERT INTO message_edit (message, edit, text_sealed, replaced)"
                            " VALUES ($1, $2, $3, $4)");
    db_bind_int(insert, 1, change->id);
    db_bind_int(insert, 2, edit);
    enum status status = vault_bind(db_session_vault(session), &place, insert, 3, text);
    db_bind_int(insert, 4, change->now_ms);
    return status == STATUS_OK ? db_run(insert) : status;
}

static enum status text_replace(struct db_session *session, const struct change *change)
{
    struct vault_place place = chat_text_place(change->id);
    struct db_statement *update =
        db_prepare(session, "UPDATE message SET text_sealed = $2, edited = $3, edits = edits + 1"
                            " WHERE id = $1");
    db_bind_int(update, 1, change->id);
    enum status status = vault_bind(db_session_vault(session), &place, update, 2, change->text);
    db_bind_int(update, 3, change->now_ms);
    return status == STATUS_OK ? db_run(update) : status;
}

static enum status edit_run(struct db_session *session, void *arg)
{
    struct change *change = arg;
    struct standing standing;
    const char *before = "";
    enum status status = standing_find(session, change, &standing);
    if (status == STATUS_OK && standing.deleted)
        status = STATUS_NOT_FOUND;
    if (status == STATUS_OK && !standing.own)
        status = STATUS_DENIED;
    if (status == STATUS_OK)
        status = text_load(session, change, &before);
    change->changed = status == STATUS_OK && strcmp(before, change->text) != 0;
    if (status == STATUS_OK && change->changed && standing.edits >= CHAT_EDITS_MAX)
        status = STATUS_LIMIT;
    if (status == STATUS_OK && change->changed)
        status = text_keep(session, change, standing.edits + 1, before);
    if (status == STATUS_OK && change->changed)
        status = text_replace(session, change);
    return status == STATUS_OK ? change_finish(session, change) : status;
}

enum status chat_edit(struct db *db, const struct chat_target *target, const char *text,
                      int64_t now_ms, struct arena *arena, struct chat_message *ret_message,
                      bool *ret_changed)
{
    struct change change = {.target = target, .text = text, .now_ms = now_ms, .arena = arena};
    if (!message_text_valid(text))
        return STATUS_INVALID;
    return change_write(db, edit_run, &change, ret_message, ret_changed);
}

/* ---- deleting ---- */

static enum status run_for(struct db_session *session, const char *sql, int64_t message)
{
    struct db_statement *statement = db_prepare(session, sql);
    db_bind_int(statement, 1, message);
    return db_run(statement);
}

static enum status message_wipe(struct db_session *session, const struct change *change)
{
    enum status status =
        run_for(session, "DELETE FROM message_edit WHERE message = $1", change->id);
    if (status == STATUS_OK)
        status = run_for(session, "DELETE FROM message_reaction WHERE message = $1", change->id);
    if (status != STATUS_OK)
        return status;
    struct db_statement *update =
        db_prepare(session, "UPDATE message SET text_sealed = x'', deleted = $2 WHERE id = $1");
    db_bind_int(update, 1, change->id);
    db_bind_int(update, 2, change->now_ms);
    return db_run(update);
}

static enum status delete_run(struct db_session *session, void *arg)
{
    struct change *change = arg;
    struct standing standing;
    enum status status = standing_find(session, change, &standing);
    if (status == STATUS_OK && !standing.own && standing.role == REGISTRY_PARTICIPANT)
        status = STATUS_DENIED;
    if (status != STATUS_OK)
        return status;
    change->changed = !standing.deleted;
    if (change->changed)
        status = message_wipe(session, change);
    return status == STATUS_OK ? change_finish(session, change) : status;
}

enum status chat_delete(struct db *db, const struct chat_target *target, int64_t now_ms,
                        struct arena *arena, struct chat_message *ret_message, bool *ret_changed)
{
    struct change change = {.target = target, .now_ms = now_ms, .arena = arena};
    return change_write(db, delete_run, &change, ret_message, ret_changed);
}

/* ---- reacting ---- */

/* Whether one more reaction with this emoji fits on the message. */
static enum status reaction_room(struct db_session *session, const struct change *change)
{
    struct db_statement *select =
        db_prepare(session, "SELECT count(*), count(DISTINCT emoji),"
                            " coalesce(sum(CASE WHEN emoji = $2 THEN 1 ELSE 0 END), 0)"
                            " FROM message_reaction WHERE message = $1");
    db_bind_int(select, 1, change->id);
    db_bind_text(select, 2, change->emoji);
    enum status status = db_step(select);
    if (status != STATUS_OK)
        return status;
    bool is_new = db_column_int(select, 2) == 0;
    bool full = db_column_int(select, 0) >= CHAT_REACTORS_MAX ||
                (is_new && db_column_int(select, 1) >= CHAT_REACTIONS_MAX);
    return full ? STATUS_LIMIT : STATUS_OK;
}

static enum status reaction_has(struct db_session *session, const struct change *change,
                                bool *ret_has)
{
    struct db_statement *select =
        db_prepare(session, "SELECT seq FROM message_reaction"
                            " WHERE message = $1 AND emoji = $2 AND participant = $3");
    db_bind_int(select, 1, change->id);
    db_bind_text(select, 2, change->emoji);
    db_bind_text(select, 3, change->target->participant);
    enum status status = db_step(select);
    *ret_has = status == STATUS_OK;
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static enum status reaction_add(struct db_session *session, const struct change *change)
{
    enum status status = reaction_room(session, change);
    if (status != STATUS_OK)
        return status;
    struct db_statement *insert =
        db_prepare(session, "INSERT INTO message_reaction (message, emoji, participant, created)"
                            " VALUES ($1, $2, $3, $4)");
    db_bind_int(insert, 1, change->id);
    db_bind_text(insert, 2, change->emoji);
    db_bind_text(insert, 3, change->target->participant);
    db_bind_int(insert, 4, change->now_ms);
    return db_run(insert);
}

static enum status reaction_remove(struct db_session *session, const struct change *change)
{
    struct db_statement *statement =
        db_prepare(session, "DELETE FROM message_reaction"
                            " WHERE message = $1 AND emoji = $2 AND participant = $3");
    db_bind_int(statement, 1, change->id);
    db_bind_text(statement, 2, change->emoji);
    db_bind_text(statement, 3, change->target->participant);
    return db_run(statement);
}

static enum status react_run(struct db_session *session, void *arg)
{
    struct change *change = arg;
    struct standing standing;
    bool has = false;
    enum status status = standing_find(session, change, &standing);
    if (status == STATUS_OK && standing.deleted)
        status = STATUS_NOT_FOUND;
    if (status == STATUS_OK)
        status = reaction_has(session, change, &has);
    if (status != STATUS_OK)
        return status;
    change->changed = has != change->on;
    if (change->changed)
        status = change->on ? reaction_add(session, change) : reaction_remove(session, change);
    return status == STATUS_OK ? change_finish(session, change) : status;
}

enum status chat_react(struct db *db, const struct chat_target *target, const char *emoji, bool on,
                       int64_t now_ms, struct arena *arena, struct chat_message *ret_message,
                       bool *ret_changed)
{
    struct change change = {
        .target = target, .emoji = emoji, .on = on, .now_ms = now_ms, .arena = arena};
    if (!emoji_valid(emoji))
        return STATUS_INVALID;
    return change_write(db, react_run, &change, ret_message, ret_changed);
}
