/*
 * signalling/api/messages.c - the messages of a space over REST, and what happened in one's spaces.
 */
#include "modules/spaces/messages.h"

#include "core/clock.h"
#include "core/fields.h"
#include "modules/spaces/drafts.h"
#include "modules/spaces/feed.h"
#include "modules/spaces/previews.h"
#include "modules/spaces/receipts.h"
#include "signalling/api/api.h"
#include "signalling/api/route.h"
#include "signalling/gateway/space_chat.h"
#include "signalling/gateway/space_live.h"

#include <string.h>

enum { MESSAGE_BODY_MAX = 65536 /* a text of escapes only */ };

static struct spaces_who who_asks(const struct api_call *call)
{
    return (struct spaces_who){call->request->params[0], call->caller->user.id};
}

/* To those in the meeting whose thread it is in. */
static void tell(struct api_call *call, const char *type, const struct messages_message *message)
{
    space_chat_tell(call->api->meetings, type, message, call->arena);
}

/* ---- writing ---- */

struct message_wish {
    const char *text, *thread, *reply_to;
    struct json_list mentions, attachments;
};

static const struct json_field message_wish_fields[] = {
    TEXT(message_wish, text, 0, MESSAGES_TEXT_MAX, true,
         "Markdown; may be empty when it has files"),
    TEXT(message_wish, thread, 1, MESSAGES_ID_MAX, false,
         "id of the message whose thread it goes into"),
    TEXT(message_wish, reply_to, 1, MESSAGES_ID_MAX, false,
         "id of the message it answers; it goes into its thread"),
    {.name = "mentions",
     .kind = JSON_FIELD_TEXTS,
     .offset = offsetof(struct message_wish, mentions),
     .max = MESSAGES_MENTIONS_MAX,
     .item_max = CRYPTO_ID_CHARS,
     .doc = "accounts it names; `all`: everybody"},
    LIST(message_wish, attachments, &messages_attach_table, MESSAGES_ATTACHMENTS_MAX, false,
         "files it carries; needs the right `write`"),
};

static TABLE(message_wish, NULL);

static enum status add_message(struct api_call *call)
{
    const struct spaces_who who = who_asks(call);
    const struct message_wish *wish = call->body;
    const struct messages_post post = {.text = wish->text,
                                       .thread = wish->thread,
                                       .reply_to = wish->reply_to,
                                       .mentions = wish->mentions,
                                       .attachments = wish->attachments,
                                       .nonce = http_header(call->request, "idempotency-key")};
    struct messages_message *message = api_result(call, sizeof *message);
    bool changed;
    if (message == NULL)
        return STATUS_NO_MEMORY;
    enum status status =
        messages_add(call->api->db, &who, &post, clock_wall_ms(), call->arena, message, &changed);
    if (status == STATUS_OK && changed)
        tell(call, "chat.message", message);
    return status;
}

/* ---- reading ---- */

struct messages_wish {
    const char *cursor, *thread;
    bool pinned;
    int64_t limit;
};

static const struct json_field messages_wish_fields[] = {
    INT(messages_wish, limit, 1, MESSAGES_PAGE_MAX, false, "absent: 50"),
    TEXT(messages_wish, cursor, 0, MESSAGES_ID_MAX, false, "next_cursor of the page before"),
    TEXT(messages_wish, thread, 1, MESSAGES_ID_MAX, false,
         "only the thread that hangs on this message"),
    BOOL(messages_wish, pinned, "only those that are"),
};

static TABLE(messages_wish, NULL);

static enum status list_messages(struct api_call *call)
{
    const struct spaces_who who = who_asks(call);
    const struct messages_wish *wish = call->query;
    const struct messages_query query = {.cursor = wish->cursor,
                                         .thread = wish->thread,
                                         .pinned = wish->pinned,
                                         .limit = wish->limit};
    struct messages_page *page = api_result(call, sizeof *page);
    if (page == NULL)
        return STATUS_NO_MEMORY;
    return messages_list(call->api->db, &who, &query, call->arena, page);
}

static enum status show_message(struct api_call *call)
{
    const struct spaces_who who = who_asks(call);
    struct messages_message *message = api_result(call, sizeof *message);
    if (message == NULL)
        return STATUS_NO_MEMORY;
    return messages_get(call->api->db, &who, call->request->params[1], call->arena, message);
}

static enum status show_edits(struct api_call *call)
{
    const struct spaces_who who = who_asks(call);
    struct messages_edits *edits = api_result(call, sizeof *edits);
    if (edits == NULL)
        return STATUS_NO_MEMORY;
    return messages_edits(call->api->db, &who, call->request->params[1], call->arena, edits);
}

/* ---- changing ---- */

struct message_change {
    const char *text;
    enum json_maybe pinned;
};

static const struct json_field message_change_fields[] = {
    TEXT(message_change, text, 1, MESSAGES_TEXT_MAX, false, "of one's own message"),
    MAYBE(message_change, pinned, "needs the right `write`"),
};

static TABLE(message_change, NULL);

static enum status change_message(struct api_call *call)
{
    const struct spaces_who who = who_asks(call);
    const struct message_change *wish = call->body;
    const struct messages_change change = {wish->text, wish->pinned};
    struct messages_message *message = api_result(call, sizeof *message);
    if (message == NULL)
        return STATUS_NO_MEMORY;
    enum status status = messages_change(call->api->db, &who, call->request->params[1], &change,
                                         clock_wall_ms(), call->arena, message);
    if (status == STATUS_OK)
        tell(call, "chat.update", message);
    return status;
}

static enum status delete_message(struct api_call *call)
{
    const struct spaces_who who = who_asks(call);
    const char *id = call->request->params[1];
    struct messages_message message;
    enum status status = messages_delete(call->api->db, &who, id, clock_wall_ms());
    if (status == STATUS_OK)
        status = messages_get(call->api->db, &who, id, call->arena, &message);
    if (status == STATUS_OK)
        tell(call, "chat.update", &message);
    return status;
}

static enum status remove_preview(struct api_call *call)
{
    const struct spaces_who who = who_asks(call);
    struct messages_message *message = api_result(call, sizeof *message);
    if (message == NULL)
        return STATUS_NO_MEMORY;
    enum status status =
        previews_remove(call->api->db, &who, call->request->params[1], call->request->params[2],
                        clock_wall_ms(), call->arena, message);
    if (status == STATUS_OK)
        tell(call, "chat.update", message);
    return status;
}

struct reaction_wish {
    const char *emoji;
    enum json_maybe on;
};

static const struct json_field reaction_wish_fields[] = {
    TEXT(reaction_wish, emoji, 1, MESSAGES_EMOJI_MAX, true, "one emoji"),
    MAYBE(reaction_wish, on, "false takes it back"),
};

static TABLE(reaction_wish, NULL);

static enum status react(struct api_call *call)
{
    const struct spaces_who who = who_asks(call);
    const struct reaction_wish *wish = call->body;
    struct messages_message *message = api_result(call, sizeof *message);
    if (message == NULL)
        return STATUS_NO_MEMORY;
    enum status status = messages_react(call->api->db, &who, call->request->params[1], wish->emoji,
                                        wish->on != JSON_NO, clock_wall_ms(), call->arena, message);
    if (status == STATUS_OK)
        tell(call, "chat.update", message);
    return status;
}

static enum status mark_read(struct api_call *call)
{
    const struct spaces_who who = who_asks(call);
    const struct space_live live = {call->api->signed_in, call->api->db, call->arena};
    const char *id = call->request->params[1];
    enum status status = messages_read(call->api->db, &who, id, clock_wall_ms());
    if (status == STATUS_OK)
        space_live_read(&live, &who, id);
    return status;
}

static enum status list_receipts(struct api_call *call)
{
    const struct spaces_who who = who_asks(call);
    struct receipts_list *list = api_result(call, sizeof *list);
    return list != NULL ? receipts_list(call->api->db, &who, call->arena, list) : STATUS_NO_MEMORY;
}

/* ---- drafts ---- */

struct draft_wish {
    const char *text, *thread;
};

static const struct json_field draft_wish_fields[] = {
    TEXT(draft_wish, text, 0, MESSAGES_TEXT_MAX, true, "empty: none any more"),
    TEXT(draft_wish, thread, 1, MESSAGES_ID_MAX, false, "absent: the space's own"),
};

static TABLE(draft_wish, NULL);

static enum status set_draft(struct api_call *call)
{
    const struct spaces_who who = who_asks(call);
    const struct draft_wish *wish = call->body;
    return drafts_set(call->api->db, &who, wish->thread, wish->text, clock_wall_ms());
}

static enum status list_drafts(struct api_call *call)
{
    const struct spaces_who who = who_asks(call);
    struct drafts_list *list = api_result(call, sizeof *list);
    return list != NULL ? drafts_list(call->api->db, &who, call->arena, list) : STATUS_NO_MEMORY;
}

/* ---- events ---- */

struct events_wish {
    int64_t after;
};

static const struct json_field events_wish_fields[] = {
    INT(events_wish, after, -1, INT64_MAX, true, "the last one seen; -1: only say where it is now"),
};

static TABLE(events_wish, NULL);

static enum status list_events(struct api_call *call)
{
    const struct events_wish *wish = call->query;
    struct feed_page *page = api_result(call, sizeof *page);
    if (page == NULL)
        return STATUS_NO_MEMORY;
    enum status status =
        feed_list(call->api->db, call->caller->user.id, wish->after, call->arena, page);
    return status == STATUS_OUT_OF_WINDOW
               ? api_problem(call, 410, "limited", "not all of it is kept any more: reload")
               : status;
}

static const struct api_route routes[] = {
    {.method = "POST",
     .pattern = "/api/v1/spaces/{id}/messages",
     .who = API_MEMBER,
     .right = SPACES_READ,
     .guests = true,
     .run = add_message,
     .body = &message_wish_table,
     .body_max = MESSAGE_BODY_MAX,
     .result = &messages_message_table,
     .status = 201,
     .doc =
         "Writes a message; needs `comment`. With an Idempotency-Key (1..64 bytes) it is written "
         "once, however often it is sent."},
    {.method = "GET",
     .pattern = "/api/v1/spaces/{id}/messages",
     .who = API_MEMBER,
     .right = SPACES_READ,
     .guests = true,
     .run = list_messages,
     .query = &messages_wish_table,
     .result = &messages_page_table,
     .doc = "Messages, newest first."},
    {.method = "GET",
     .pattern = "/api/v1/spaces/{id}/messages/{message}",
     .who = API_MEMBER,
     .right = SPACES_READ,
     .guests = true,
     .run = show_message,
     .result = &messages_message_table,
     .doc = "A message."},
    {.method = "PATCH",
     .pattern = "/api/v1/spaces/{id}/messages/{message}",
     .who = API_MEMBER,
     .right = SPACES_COMMENT,
     .guests = true,
     .run = change_message,
     .body = &message_change_table,
     .body_max = MESSAGE_BODY_MAX,
     .result = &messages_message_table,
     .doc = "Another text for one's own, which keeps the earlier one; pinned or not."},
    {.method = "DELETE",
     .pattern = "/api/v1/spaces/{id}/messages/{message}",
     .who = API_MEMBER,
     .right = SPACES_COMMENT,
     .guests = true,
     .run = delete_message,
     .status = 204,
     .doc = "One's own; owners delete any. Its text and earlier texts are gone."},
    {.method = "DELETE",
     .pattern = "/api/v1/spaces/{id}/messages/{message}/previews/{preview}",
     .who = API_MEMBER,
     .right = SPACES_COMMENT,
     .guests = true,
     .run = remove_preview,
     .result = &messages_message_table,
     .doc = "Takes a link's card away, of one's own message; owners of any. It stays away."},
    {.method = "GET",
     .pattern = "/api/v1/spaces/{id}/messages/{message}/edits",
     .who = API_MEMBER,
     .right = SPACES_HISTORY,
     .run = show_edits,
     .result = &messages_edits_table,
     .doc = "Its earlier texts."},
    {.method = "POST",
     .pattern = "/api/v1/spaces/{id}/messages/{message}/reactions",
     .who = API_MEMBER,
     .right = SPACES_COMMENT,
     .guests = true,
     .run = react,
     .body = &reaction_wish_table,
     .result = &messages_message_table,
     .doc = "Answers it with an emoji, or takes that back."},
    {.method = "POST",
     .pattern = "/api/v1/spaces/{id}/messages/{message}/read",
     .who = API_MEMBER,
     .right = SPACES_READ,
     .run = mark_read,
     .status = 204,
     .doc = "One has read up to here. It never goes back."},
    {.method = "GET",
     .pattern = "/api/v1/spaces/{id}/receipts",
     .who = API_MEMBER,
     .right = SPACES_READ,
     .run = list_receipts,
     .result = &receipts_list_table,
     .doc = "Who has read up to where."},
    {.method = "PUT",
     .pattern = "/api/v1/spaces/{id}/drafts",
     .who = API_MEMBER,
     .right = SPACES_COMMENT,
     .run = set_draft,
     .body = &draft_wish_table,
     .body_max = MESSAGE_BODY_MAX,
     .status = 204,
     .doc = "What one has begun to write, for one's other devices."},
    {.method = "GET",
     .pattern = "/api/v1/spaces/{id}/drafts",
     .who = API_MEMBER,
     .right = SPACES_READ,
     .run = list_drafts,
     .result = &drafts_list_table,
     .doc = "One's own."},
    {.method = "GET",
     .pattern = "/api/v1/events",
     .who = API_USER,
     .guests = true,
     .run = list_events,
     .query = &events_wish_table,
     .result = &feed_page_table,
     .doc = "What happened in one's spaces. 410 `limited`: too long ago, reload."},
};

const struct api_table api_messages = API_TABLE(routes);
