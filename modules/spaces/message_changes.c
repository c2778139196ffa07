/*
 * modules/spaces/message_changes.c - messages are edited, pinned, wiped, reacted to and read.
 */
#include "modules/spaces/messages.h"

#include "core/text.h"
#include "modules/spaces/attachments.h"
#include "modules/spaces/indexing.h"
#include "modules/spaces/message_rows.h"
#include "modules/spaces/message_seat.h"
#include "modules/spaces/previews.h"
#include "modules/spaces/spaces_state.h"

#include <string.h>

/* ---- changing ---- */

struct changing {
    struct spaces_who who;
    struct message_seat seat;
    int64_t id;
    const struct messages_change *change;
    const char *emoji;
    bool on;
    int64_t now_ms;
    struct arena *arena;
    struct messages_message before, message;
};

/* The message, when the caller may change something of a message at all. */
static enum status target_find(struct db_session *session, struct changing *changing)
{
    enum status status = message_seat_take(session, &changing->who, SPACES_COMMENT, changing->arena,
                                           &changing->seat);
    if (status == STATUS_OK)
        status = message_load(session, changing->who.space, changing->id, changing->arena,
                              &changing->before);
    if (status == STATUS_OK && !message_seat_sees(&changing->seat, changing->before.meeting))
        status = STATUS_NOT_FOUND;
    return status;
}

/* What only members may, by their role. */
static enum status member_may(struct db_session *session, const struct changing *changing,
                              enum spaces_right right)
{
    return changing->seat.meeting == NULL ? spaces_seat(session, &changing->who, right, NULL)
                                          : STATUS_DENIED;
}

static bool is_own(const struct changing *changing)
{
    return strcmp(changing->before.author, changing->who.account) == 0;
}

static enum status change_finish(struct db_session *session, struct changing *changing)
{
    return message_updated(session, changing->who.space, changing->id, changing->now_ms,
                           changing->arena, &changing->message);
}

/* For search: the text as it was becomes the text as it is; NULL: wiped. */
static enum status index_change(struct db_session *session, const struct changing *changing,
                                const char *text)
{
    const struct indexing_message indexed = {
        changing->who.space, changing->id, changing->before.author,
        changing->before.mentions.count > 0, changing->before.attachments.count > 0};
    return indexing_message(session, &indexed, changing->before.text, text);
}

static enum status text_change(struct db_session *session, const struct changing *changing)
{
    if (!is_own(changing))
        return STATUS_DENIED;
    if (strcmp(changing->before.text, changing->change->text) == 0)
        return STATUS_OK;
    enum status status = message_edit_keep(session, changing->who.space, changing->id,
                                           changing->before.text, changing->now_ms);
    if (status == STATUS_OK)
        status =
            message_text_store(session, changing->who.space, changing->id, changing->change->text);
    if (status == STATUS_OK)
        status = index_change(session, changing, changing->change->text);
    if (status == STATUS_OK)
        status = previews_want(session, changing->who.space, changing->id, changing->change->text,
                               changing->now_ms);
    struct db_statement *update =
        db_prepare(session, "UPDATE space_message SET edited = $2 WHERE id = $1");
    db_bind_int(update, 1, changing->id);
    db_bind_int(update, 2, changing->now_ms);
    return status == STATUS_OK ? db_run(update) : status;
}

static enum status pin_change(struct db_session *session, const struct changing *changing)
{
    bool on = changing->change->pinned == JSON_YES;
    enum status status = member_may(session, changing, SPACES_WRITE);
    if (status != STATUS_OK || on == (changing->before.pinned != 0))
        return status;
    struct db_statement *count =
        db_prepare(session, "SELECT count(*) FROM space_message WHERE space = $1 AND pinned > 0");
    db_bind_text(count, 1, changing->who.space);
    status = db_step(count);
    if (status == STATUS_OK && on && db_column_int(count, 0) >= MESSAGES_PINNED_MAX)
        status = STATUS_LIMIT;
    struct db_statement *update =
        db_prepare(session, "UPDATE space_message SET pinned = $2 WHERE id = $1");
    db_bind_int(update, 1, changing->id);
    if (on)
        db_bind_int(update, 2, changing->now_ms);
    return status == STATUS_OK ? db_run(update) : status;
}

static enum status change_run(struct db_session *session, void *arg)
{
    struct changing *changing = arg;
    enum status status = target_find(session, changing);
    if (status == STATUS_OK && changing->before.deleted != 0)
        status = STATUS_NOT_FOUND;
    if (status == STATUS_OK && changing->change->text != NULL)
        status = text_change(session, changing);
    if (status == STATUS_OK && changing->change->pinned != JSON_ABSENT)
        status = pin_change(session, changing);
    return status == STATUS_OK ? change_finish(session, changing) : status;
}

enum status messages_change(struct db *db, const struct spaces_who *who, const char *id,
                            const struct messages_change *change, int64_t now_ms,
                            struct arena *arena, struct messages_message *ret_message)
{
    struct changing changing = {.who = *who, .change = change, .now_ms = now_ms, .arena = arena};
    if ((change->text != NULL && !message_text_valid(change->text)) ||
        (change->text == NULL && change->pinned == JSON_ABSENT))
        return STATUS_INVALID;
    if (!message_id_parse(id, &changing.id))
        return STATUS_NOT_FOUND;
    enum status status = db_write(db, change_run, &changing);
    if (status == STATUS_OK)
        *ret_message = changing.message;
    return status;
}

/* ---- deleting ---- */

/* Binds $1 to the message; runs. */
static enum status run_for(struct db_session *session, const char *sql, int64_t message)
{
    struct db_statement *statement = db_prepare(session, sql);
    db_bind_int(statement, 1, message);
    return db_run(statement);
}

static enum status message_wipe(struct db_session *session, const struct changing *changing)
{
    enum status status =
        run_for(session, "DELETE FROM space_message_edit WHERE message = $1", changing->id);
    if (status == STATUS_OK)
        status = run_for(session, "DELETE FROM space_reaction WHERE message = $1", changing->id);
    if (status == STATUS_OK)
        status = run_for(session, "DELETE FROM space_mention WHERE message = $1", changing->id);
    if (status == STATUS_OK)
        status = run_for(session, "DELETE FROM space_preview WHERE message = $1", changing->id);
    if (status == STATUS_OK)
        status = attachments_wipe(session, changing->who.space, changing->id, changing->now_ms);
    struct db_statement *update = db_prepare(
        session, "UPDATE space_message SET text = NULL, pinned = NULL, deleted = $2 WHERE id = $1");
    db_bind_int(update, 1, changing->id);
    db_bind_int(update, 2, changing->now_ms);
    return status == STATUS_OK ? db_run(update) : status;
}

static enum status delete_run(struct db_session *session, void *arg)
{
    struct changing *changing = arg;
    enum status status = target_find(session, changing);
    if (status == STATUS_OK && !is_own(changing))
        status = member_may(session, changing, SPACES_MANAGE);
    if (status != STATUS_OK || changing->before.deleted != 0)
        return status;
    status = index_change(session, changing, NULL);
    if (status == STATUS_OK)
        status = message_wipe(session, changing);
    return status == STATUS_OK ? message_event(session, changing->who.space, "message.updated",
                                               changing->id, changing->now_ms)
                               : status;
}

enum status messages_delete(struct db *db, const struct spaces_who *who, const char *id,
                            int64_t now_ms)
{
    struct changing changing = {.who = *who, .now_ms = now_ms};
    struct arena *arena = NULL;
    if (!message_id_parse(id, &changing.id))
        return STATUS_NOT_FOUND;
    enum status status = arena_new(MESSAGES_PAGE_BYTES, &arena);
    changing.arena = arena;
    if (status == STATUS_OK)
        status = db_write(db, delete_run, &changing);
    arena_free(arena);
    return status;
}

/* ---- reacting ---- */

/* Something outside ASCII, and of ASCII only what keycaps are made of. */
static bool emoji_valid(const char *emoji)
{
    bool beyond_ascii = false;
    if (!text_valid(emoji, 1, MESSAGES_EMOJI_MAX, TEXT_LINE))
        return false;
    for (const char *at = emoji; *at != '\0'; at++) {
        bool ascii = (unsigned char)*at < 0x80;
        if (ascii && strchr("0123456789#*", *at) == NULL)
            return false;
        beyond_ascii = beyond_ascii || !ascii;
    }
    return beyond_ascii && !text_blank(emoji);
}

/* Whether one more reaction with this emoji fits on the message. */
static enum status reaction_room(const struct changing *changing)
{
    const struct messages_reaction *reactions = changing->before.reactions.items;
    size_t all = 0;
    bool known = false;
    for (size_t i = 0; i < changing->before.reactions.count; i++) {
        all += reactions[i].by.count;
        known = known || strcmp(reactions[i].emoji, changing->emoji) == 0;
    }
    return all >= MESSAGES_REACTIONS_MAX ||
                   (!known && changing->before.reactions.count >= MESSAGES_EMOJIS_MAX)
               ? STATUS_LIMIT
               : STATUS_OK;
}

static enum status react_run(struct db_session *session, void *arg)
{
    struct changing *changing = arg;
    enum status status = target_find(session, changing);
    if (status == STATUS_OK && changing->before.deleted != 0)
        status = STATUS_NOT_FOUND;
    if (status == STATUS_OK && changing->on)
        status = reaction_room(changing);
    if (status != STATUS_OK)
        return status;
    struct db_statement *statement =
        changing->on ? db_prepare(session, "INSERT INTO space_reaction (message, emoji, who)"
                                           " VALUES ($1, $2, $3) ON CONFLICT DO NOTHING")
                     : db_prepare(session, "DELETE FROM space_reaction WHERE message = $1"
                                           " AND emoji = $2 AND who = $3");
    db_bind_int(statement, 1, changing->id);
    db_bind_text(statement, 2, changing->emoji);
    db_bind_text(statement, 3, changing->who.account);
    status = db_run(statement);
    return status == STATUS_OK ? change_finish(session, changing) : status;
}

enum status messages_react(struct db *db, const struct spaces_who *who, const char *id,
                           const char *emoji, bool on, int64_t now_ms, struct arena *arena,
                           struct messages_message *ret_message)
{
    struct changing changing = {
        .who = *who, .emoji = emoji, .on = on, .now_ms = now_ms, .arena = arena};
    if (!emoji_valid(emoji))
        return STATUS_INVALID;
    if (!message_id_parse(id, &changing.id))
        return STATUS_NOT_FOUND;
    enum status status = db_write(db, react_run, &changing);
    if (status == STATUS_OK)
        *ret_message = changing.message;
    return status;
}

/* ---- having read ---- */

/* One's own messages are read. */
static enum status read_mark(struct db_session *session, const struct spaces_who *who, int64_t id,
                             bool *ret_changed)
{
    struct db_statement *update =
        db_prepare(session, "UPDATE space_member SET read_to = $3 WHERE space = $1"
                            " AND account = $2 AND read_to < $3 RETURNING read_to");
    db_bind_text(update, 1, who->space);
    db_bind_text(update, 2, who->account);
    db_bind_int(update, 3, id);
    enum status status = db_step(update);
    *ret_changed = status == STATUS_OK;
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static enum status read_run(struct db_session *session, void *arg)
{
    struct changing *changing = arg;
    bool changed = false;
    enum status status = spaces_seat(session, &changing->who, SPACES_READ, NULL);
    struct db_statement *select =
        db_prepare(session, "SELECT id FROM space_message WHERE id = $1 AND space = $2");
    db_bind_int(select, 1, changing->id);
    db_bind_text(select, 2, changing->who.space);
    if (status == STATUS_OK)
        status = db_step(select);
    if (status == STATUS_OK)
        status = read_mark(session, &changing->who, changing->id, &changed);
    return status == STATUS_OK && changed
               ? spaces_tell(session, changing->who.account, "space.mine", changing->who.space,
                             changing->now_ms)
               : status;
}

enum status messages_read(struct db *db, const struct spaces_who *who, const char *id,
                          int64_t now_ms)
{
    struct changing changing = {.who = *who, .now_ms = now_ms};
    return message_id_parse(id, &changing.id) ? db_write(db, read_run, &changing)
                                              : STATUS_NOT_FOUND;
}
