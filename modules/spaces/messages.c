/*
 * modules/spaces/messages.c - messages are written; what is done with them later is in
 * message_changes.c.
 */
#include "modules/spaces/messages.h"

#include "core/text.h"
#include "modules/push/push.h"
#include "modules/spaces/attachments.h"
#include "modules/spaces/indexing.h"
#include "modules/spaces/message_rows.h"
#include "modules/spaces/message_seat.h"
#include "modules/spaces/previews.h"
#include "modules/spaces/spaces_state.h"
#include "storage/vault/vault.h"

#include <stdio.h>
#include <string.h>

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
    if (status == STATUS_OK && writing->post->text != NULL)
        status = previews_want(session, writing->who.space, *ret_id, writing->post->text,
                               writing->now_ms);
    const struct indexing_message indexed = {writing->who.space, *ret_id, writing->who.account,
                                             writing->post->mentions.count > 0,
                                             writing->post->attachments.count > 0};
    if (status == STATUS_OK)
        status = indexing_message(session, &indexed, NULL, writing->post->text);
    return status == STATUS_OK ? message_event(session, writing->who.space, "message.added",
                                               *ret_id, writing->now_ms)
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
