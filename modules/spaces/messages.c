/*
 * modules/spaces/messages.c - messages are written, changed, wiped.
 */
#include "modules/spaces/messages.h"

#include "core/text.h"
#include "modules/push/push.h"
#include "modules/spaces/attachments.h"
#include "modules/spaces/indexing.h"
#include "modules/spaces/message_rows.h"
#include "modules/spaces/message_seat.h"
#include "modules/spaces/spaces_state.h"
#include "storage/vault/vault.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static bool message_text_valid(const char *text)
{
    return text_valid(text, 1, MESSAGES_TEXT_MAX, TEXT_PARAGRAPHS);
}

static enum status event_add(struct db_session *session, const char *space, const char *type,
                             int64_t message, int64_t now_ms)
{
    char id[MESSAGES_ID_MAX + 2];
    snprintf(id, sizeof id, "%" PRId64, message);
    return spaces_event(session, space, type, id, now_ms);
}

/* Binds $1 to the message; runs. */
static enum status run_for(struct db_session *session, const char *sql, int64_t message)
{
    struct db_statement *statement = db_prepare(session, sql);
    db_bind_int(statement, 1, message);
    return db_run(statement);
}

/* ---- writing ---- */

struct writing {
    struct spaces_who who;
    const struct messages_post *post;
    int64_t thread, reply_to; /* 0: none */
    const char *meeting;      /* whose thread it is; NULL: of none */
    struct message_seat seat;
    char nonce[MESSAGES_NONCE_MAX + 1];
    int64_t now_ms;
    struct arena *arena;
    struct messages_message message;
    bool changed;
};

/* The message this author has sent here under this nonce. */
static enum status nonce_find(struct db_session *session, const struct writing *writing,
                              int64_t *ret_id)
{
    struct db_statement *select =
        db_prepare(session, "SELECT id FROM space_message WHERE author = $1 AND nonce = $2"
                            " AND space = $3");
    db_bind_text(select, 1, writing->who.account);
    db_bind_text(select, 2, writing->nonce);
    db_bind_text(select, 3, writing->who.space);
    enum status status = db_step(select);
    if (status == STATUS_OK)
        *ret_id = db_column_int(select, 0);
    return status;
}

/* What is answered says which thread it is. */
static enum status reply_find(struct db_session *session, struct writing *writing)
{
    if (writing->reply_to == 0)
        return STATUS_OK;
    struct db_statement *select =
        db_prepare(session, "SELECT coalesce(thread, id) FROM space_message WHERE id = $1"
                            " AND space = $2");
    db_bind_int(select, 1, writing->reply_to);
    db_bind_text(select, 2, writing->who.space);
    enum status status = db_step(select);
    if (status != STATUS_OK)
        return status == STATUS_NOT_FOUND ? STATUS_INVALID : status;
    int64_t root = db_column_int(select, 0);
    if (writing->thread != 0 && writing->thread != root)
        return STATUS_INVALID;
    writing->thread = root;
    return STATUS_OK;
}

/* A thread hangs on a message that is in none. */
static enum status thread_count(struct db_session *session, struct writing *writing)
{
    if (writing->thread == 0)
        return STATUS_OK;
    struct db_statement *update =
        db_prepare(session, "UPDATE space_message SET replies = replies + 1 WHERE id = $1"
                            " AND space = $2 AND thread IS NULL RETURNING meeting");
    db_bind_int(update, 1, writing->thread);
    db_bind_text(update, 2, writing->who.space);
    enum status status = db_step(update);
    if (status != STATUS_OK)
        return status == STATUS_NOT_FOUND ? STATUS_INVALID : status;
    const char *meeting = db_column_text(update, 0);
    writing->meeting = meeting != NULL ? arena_strdup(writing->arena, meeting) : NULL;
    return meeting != NULL && writing->meeting == NULL ? STATUS_NO_MEMORY : STATUS_OK;
}

/* Where it goes: to the meeting, the thread, or the answered one's thread. */
static enum status thread_find(struct db_session *session, struct writing *writing)
{
    enum status status = STATUS_OK;
    if (writing->post->meeting != NULL)
        status = message_meeting_thread(session, writing->who.space, writing->post->meeting,
                                        &writing->thread);
    if (status == STATUS_NOT_FOUND)
        status = STATUS_INVALID;
    if (status == STATUS_OK)
        status = reply_find(session, writing);
    if (status == STATUS_OK)
        status = thread_count(session, writing);
    if (status == STATUS_OK && !message_seat_sees(&writing->seat, writing->meeting))
        status = STATUS_NOT_FOUND;
    return status;
}

static enum status count_one(struct db_session *session, const char *space)
{
    struct db_statement *update =
        db_prepare(session, "UPDATE space SET messages = messages + 1 WHERE id = $1"
                            " AND messages < $2 RETURNING messages");
    db_bind_text(update, 1, space);
    db_bind_int(update, 2, MESSAGES_SPACE_MAX);
    enum status status = db_step(update);
    return status == STATUS_NOT_FOUND ? STATUS_LIMIT : status;
}

/* A guest's name is kept as it is now: they have no account that says it. */
static enum status guest_name_store(struct db_session *session, const struct writing *writing,
                                    int64_t id)
{
    if (writing->seat.name == NULL)
        return STATUS_OK;
    const struct vault_place place = {
        .space = writing->who.space, .table = "space_message", .column = "guest", .id = id};
    struct db_statement *update =
        db_prepare(session, "UPDATE space_message SET guest = $2 WHERE id = $1");
    db_bind_int(update, 1, id);
    enum status status =
        vault_bind(db_session_vault(session), &place, update, 2, writing->seat.name);
    return status == STATUS_OK ? db_run(update) : status;
}

/* The id is known before the text is sealed for it. */
static enum status message_insert(struct db_session *session, const struct writing *writing,
                                  int64_t *ret_id)
{
    struct db_statement *insert =
        db_prepare(session, "INSERT INTO space_message (space, author, nonce, thread, reply_to,"
                            " meeting, created) VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id");
    db_bind_text(insert, 1, writing->who.space);
    db_bind_text(insert, 2, writing->who.account);
    db_bind_text(insert, 3, writing->nonce);
    if (writing->thread != 0)
        db_bind_int(insert, 4, writing->thread);
    if (writing->reply_to != 0)
        db_bind_int(insert, 5, writing->reply_to);
    db_bind_text(insert, 6, writing->meeting);
    db_bind_int(insert, 7, writing->now_ms);
    enum status status = db_step(insert);
    if (status != STATUS_OK)
        return status;
    int64_t id = db_column_int(insert, 0);
    status = message_text_store(session, writing->who.space, id, writing->post->text);
    if (status == STATUS_OK)
        status = guest_name_store(session, writing, id);
    if (status == STATUS_OK)
        status = attachments_store(session, writing->who.space, id, &writing->post->attachments);
    if (status == STATUS_OK)
        *ret_id = id;
    return status;
}

static enum status member_check(struct db_session *session, const char *space, const char *account)
{
    const struct spaces_who who = {space, account};
    if (strcmp(account, "all") == 0)
        return STATUS_OK;
    enum status status = spaces_seat(session, &who, SPACES_READ, NULL);
    return status == STATUS_NOT_FOUND ? STATUS_INVALID : status;
}

static enum status mentions_insert(struct db_session *session, const struct writing *writing,
                                   int64_t id)
{
    const char *const *names = writing->post->mentions.items;
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < writing->post->mentions.count; i++) {
        status = member_check(session, writing->who.space, names[i]);
        struct db_statement *insert =
            db_prepare(session, "INSERT INTO space_mention (account, space, message)"
                                " VALUES ($1, $2, $3) ON CONFLICT DO NOTHING");
        db_bind_text(insert, 1, names[i]);
        db_bind_text(insert, 2, writing->who.space);
        db_bind_int(insert, 3, id);
        if (status == STATUS_OK)
            status = db_run(insert);
    }
    return status;
}

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

static enum status message_add(struct db_session *session, struct writing *writing, int64_t *ret_id)
{
    enum status status = thread_find(session, writing);
    if (status == STATUS_OK)
        status = count_one(session, writing->who.space);
    if (status == STATUS_OK)
        status = message_insert(session, writing, ret_id);
    if (status == STATUS_OK)
        status = mentions_insert(session, writing, *ret_id);
    if (status == STATUS_OK)
        status = push_message(session, writing->who.space, *ret_id, writing->now_ms);
    const struct indexing_message indexed = {writing->who.space, *ret_id, writing->who.account,
                                             writing->post->mentions.count > 0,
                                             writing->post->attachments.count > 0};
    if (status == STATUS_OK)
        status = indexing_message(session, &indexed, NULL, writing->post->text);
    return status == STATUS_OK
               ? event_add(session, writing->who.space, "message.added", *ret_id, writing->now_ms)
               : status;
}

/* To write at all; to name people and to carry files a member, with the right to add files. */
static enum status post_may(struct db_session *session, struct writing *writing)
{
    const struct messages_post *post = writing->post;
    enum status status =
        message_seat_take(session, &writing->who, SPACES_COMMENT, writing->arena, &writing->seat);
    if (status == STATUS_OK && writing->seat.meeting != NULL && post->mentions.count > 0)
        return STATUS_INVALID;
    if (status == STATUS_OK && post->attachments.count > 0)
        status = writing->seat.meeting == NULL
                     ? spaces_seat(session, &writing->who, SPACES_WRITE, NULL)
                     : STATUS_DENIED;
    return status;
}

/* What was acknowledged once stays so, whatever the author may do now: the nonce comes first, but
 * for who is no member any more. */
static enum status add_run(struct db_session *session, void *arg)
{
    struct writing *writing = arg;
    int64_t id = 0;
    enum status status =
        message_seat_take(session, &writing->who, SPACES_READ, writing->arena, &writing->seat);
    if (status == STATUS_OK) {
        status = nonce_find(session, writing, &id);
        writing->changed = status == STATUS_NOT_FOUND;
    }
    if (writing->changed)
        status = post_may(session, writing);
    if (status == STATUS_OK && writing->changed)
        status = message_add(session, writing, &id);
    return status == STATUS_OK
               ? message_load(session, writing->who.space, id, writing->arena, &writing->message)
               : status;
}

static bool post_valid(const struct messages_post *post, struct writing *writing)
{
    bool silent = post->text[0] == '\0' && post->attachments.count > 0;
    return (silent || message_text_valid(post->text)) && attachments_valid(&post->attachments) &&
           post->mentions.count <= MESSAGES_MENTIONS_MAX &&
           (post->nonce == NULL || text_valid(post->nonce, 1, MESSAGES_NONCE_MAX, TEXT_LINE)) &&
           (post->thread == NULL || message_id_parse(post->thread, &writing->thread)) &&
           (post->reply_to == NULL || message_id_parse(post->reply_to, &writing->reply_to));
}

/* Checked, and under a name of its own: ready for add_run. */
static enum status writing_begin(struct writing *writing)
{
    if (!post_valid(writing->post, writing))
        return STATUS_INVALID;
    if (writing->post->nonce != NULL)
        snprintf(writing->nonce, sizeof writing->nonce, "%s", writing->post->nonce);
    else
        crypto_token(writing->nonce);
    return STATUS_OK;
}

enum status message_write(struct db_session *session, const struct spaces_who *who,
                          const struct messages_post *post, int64_t now_ms, struct arena *arena,
                          struct messages_message *ret_message, bool *ret_changed)
{
    struct writing writing = {.who = *who, .post = post, .now_ms = now_ms, .arena = arena};
    enum status status = writing_begin(&writing);
    if (status == STATUS_OK)
        status = add_run(session, &writing);
    if (status != STATUS_OK)
        return status;
    *ret_message = writing.message;
    *ret_changed = writing.changed;
    return STATUS_OK;
}

enum status messages_add(struct db *db, const struct spaces_who *who,
                         const struct messages_post *post, int64_t now_ms, struct arena *arena,
                         struct messages_message *ret_message, bool *ret_changed)
{
    struct writing writing = {.who = *who, .post = post, .now_ms = now_ms, .arena = arena};
    enum status status = writing_begin(&writing);
    if (status == STATUS_OK)
        status = db_write(db, add_run, &writing);
    if (status != STATUS_OK)
        return status;
    *ret_message = writing.message;
    *ret_changed = writing.changed;
    return STATUS_OK;
}

enum status messages_meeting_begin(struct db_session *session, const struct spaces_who *who,
                                   const char *meeting, const char *title, int64_t now_ms)
{
    const struct messages_post post = {.text = title[0] != '\0' ? title : NULL};
    struct writing writing = {.who = *who, .post = &post, .meeting = meeting, .now_ms = now_ms};
    int64_t id = 0;
    crypto_token(writing.nonce);
    return message_add(session, &writing, &id);
}

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
    enum status status =
        event_add(session, changing->who.space, "message.updated", changing->id, changing->now_ms);
    return status == STATUS_OK ? message_load(session, changing->who.space, changing->id,
                                              changing->arena, &changing->message)
                               : status;
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

static enum status message_wipe(struct db_session *session, const struct changing *changing)
{
    enum status status =
        run_for(session, "DELETE FROM space_message_edit WHERE message = $1", changing->id);
    if (status == STATUS_OK)
        status = run_for(session, "DELETE FROM space_reaction WHERE message = $1", changing->id);
    if (status == STATUS_OK)
        status = run_for(session, "DELETE FROM space_mention WHERE message = $1", changing->id);
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
    return status == STATUS_OK ? event_add(session, changing->who.space, "message.updated",
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
