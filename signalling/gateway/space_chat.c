#include "signalling/gateway/space_chat.h"

#include "core/clock.h"
#include "core/fields.h"
#include "modules/chat/chat.h"
#include "modules/spaces/previews.h"

static const struct json_field space_chat_page_fields[] = {
    LIST(space_chat_page, messages, &messages_message_table, MESSAGES_PAGE_MAX, true,
         "oldest first"),
    BOOL(space_chat_page, more, "there are older ones"),
    TEXT(space_chat_page, self, 1, CRYPTO_ID_CHARS, true, "the author one is here"),
    BOOL(space_chat_page, moderates, "one may delete what others wrote"),
};

TABLE(space_chat_page, "A run of messages of a space's meeting.");

/* Who acts: a member of the space by account, anybody else as the participant they are. */
struct actor {
    struct meeting_view view;
    struct spaces_who who;
};

static enum status actor_find(struct call *call, struct actor *actor)
{
    meetings_look(call->commands->meetings, call->member, &actor->view);
    if (actor->view.removed || !actor->view.admitted)
        return STATUS_DENIED;
    actor->who = (struct spaces_who){call->space, call->account};
    enum status status = call->account != NULL
                             ? spaces_check(call->commands->db, &actor->who, SPACES_READ)
                             : STATUS_NOT_FOUND;
    if (status == STATUS_NOT_FOUND) {
        actor->who.account = actor->view.participant;
        status = STATUS_OK;
    }
    return status;
}

void space_chat_tell(struct meetings *meetings, const char *type,
                     const struct messages_message *message, struct arena *arena)
{
    /* What the thread hangs on says only that the meeting was started. */
    if (message->meeting == NULL || message->thread == NULL)
        return;
    const char *json = json_encode(&messages_message_table, message, arena);
    const char *told = json != NULL ? arena_printf(arena, "{\"message\":%s}", json) : NULL;
    if (told != NULL)
        meetings_broadcast(meetings, message->meeting, type, told);
}

static enum status answer(struct call *call, const struct messages_message *message)
{
    const char *json = json_encode(&messages_message_table, message, call->arena);
    call->result = json != NULL ? arena_printf(call->arena, "{\"message\":%s}", json) : NULL;
    return call->result != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}

enum status space_chat_send(struct call *call)
{
    const struct msg_chat_send *send = call->args;
    struct actor actor;
    struct messages_message message;
    bool changed = false;
    enum status status = actor_find(call, &actor);
    if (status != STATUS_OK)
        return status;
    const struct messages_post post = {
        .text = send->text,
        .reply_to = send->reply_to != NULL && send->reply_to[0] != '\0' ? send->reply_to : NULL,
        .meeting = actor.view.meeting,
        .nonce = send->nonce};
    status = messages_add(call->commands->db, &actor.who, &post, clock_wall_ms(), call->arena,
                          &message, &changed);
    if (status == STATUS_OK && changed)
        space_chat_tell(call->commands->meetings, "chat.message", &message, call->arena);
    return status == STATUS_OK ? answer(call, &message) : status;
}

/* The answer to a change, and to everybody. */
static enum status changed(struct call *call, const struct messages_message *message)
{
    space_chat_tell(call->commands->meetings, "chat.update", message, call->arena);
    return answer(call, message);
}

enum status space_chat_edit(struct call *call)
{
    const struct msg_chat_edit *edit = call->args;
    const struct messages_change change = {.text = edit->text};
    struct actor actor;
    struct messages_message message;
    enum status status = actor_find(call, &actor);
    if (status == STATUS_OK)
        status = messages_change(call->commands->db, &actor.who, edit->id, &change, clock_wall_ms(),
                                 call->arena, &message);
    return status == STATUS_OK ? changed(call, &message) : status;
}

enum status space_chat_delete(struct call *call)
{
    const struct msg_chat_id *chosen = call->args;
    struct actor actor;
    struct messages_message message;
    enum status status = actor_find(call, &actor);
    if (status == STATUS_OK)
        status = messages_delete(call->commands->db, &actor.who, chosen->id, clock_wall_ms());
    if (status == STATUS_OK)
        status = messages_get(call->commands->db, &actor.who, chosen->id, call->arena, &message);
    return status == STATUS_OK ? changed(call, &message) : status;
}

enum status space_chat_react(struct call *call)
{
    const struct msg_chat_react *react = call->args;
    struct actor actor;
    struct messages_message message;
    enum status status = actor_find(call, &actor);
    if (status == STATUS_OK)
        status = messages_react(call->commands->db, &actor.who, react->id, react->emoji, react->on,
                                clock_wall_ms(), call->arena, &message);
    return status == STATUS_OK ? changed(call, &message) : status;
}

enum status space_chat_drop_preview(struct call *call)
{
    const struct msg_chat_preview *chosen = call->args;
    struct actor actor;
    struct messages_message message;
    enum status status = actor_find(call, &actor);
    if (status == STATUS_OK)
        status = previews_remove(call->commands->db, &actor.who, chosen->id, chosen->preview,
                                 clock_wall_ms(), call->arena, &message);
    return status == STATUS_OK ? changed(call, &message) : status;
}

enum status space_chat_history(struct call *call)
{
    const struct msg_chat_history *history = call->args;
    struct actor actor;
    struct messages_page page;
    enum status status = actor_find(call, &actor);
    if (status != STATUS_OK)
        return status;
    const struct messages_query query = {.cursor = history->before,
                                         .meeting = actor.view.meeting,
                                         .limit =
                                             history->limit > 0 ? history->limit : CHAT_RECENT};
    status = messages_list(call->commands->db, &actor.who, &query, call->arena, &page);
    if (status != STATUS_OK)
        return status;
    struct messages_message *items = page.items.items;
    for (size_t i = 0, k = page.items.count; i + 1 < k; i++) {
        struct messages_message last = items[--k];
        items[k] = items[i];
        items[i] = last;
    }
    const struct space_chat_page result = {
        .messages = page.items,
        .more = page.next_cursor != NULL,
        .self = actor.who.account,
        .moderates = spaces_check(call->commands->db, &actor.who, SPACES_MANAGE) == STATUS_OK,
    };
    call->result = json_encode(&space_chat_page_table, &result, call->arena);
    return call->result != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}
