#include "signalling/gateway/chat_commands.h"

#include "core/clock.h"
#include "modules/chat/chat.h"
#include "signalling/gateway/space_chat.h"

/* What a chat command needs to know of its author. */
static enum status author_of(struct call *call, struct meeting_view *ret_view)
{
    meetings_look(call->commands->meetings, call->member, ret_view);
    return ret_view->removed || !ret_view->admitted ? STATUS_DENIED : STATUS_OK;
}

/* A message that is being written or changed. */
struct change {
    struct meeting_view author;
    struct chat_message message; /* as it is now */
    bool changed;                /* false: it was so already */
};

/* Once written: the reply's result, and to everyone when something changed. */
static enum status publish(struct call *call, const char *type, const struct change *change)
{
    const char *json = json_encode(&chat_message_table, &change->message, call->arena);
    call->result = json != NULL ? arena_printf(call->arena, "{\"message\":%s}", json) : NULL;
    if (call->result == NULL)
        return STATUS_NO_MEMORY;
    if (change->changed)
        meetings_broadcast(call->commands->meetings, change->author.meeting, type, call->result);
    return STATUS_OK;
}

enum status chat_command_send(struct call *call)
{
    if (call->space != NULL)
        return space_chat_send(call);
    const struct msg_chat_send *send = call->args;
    struct change change = {.changed = false};
    enum status status = author_of(call, &change.author);
    if (status != STATUS_OK)
        return status;
    struct chat_post post = {.meeting = change.author.meeting,
                             .author = change.author.participant,
                             .author_name = change.author.name,
                             .text = send->text,
                             .reply_to = send->reply_to,
                             .nonce = send->nonce};
    status = chat_send(call->commands->db, &post, clock_wall_ms(), call->arena, &change.message,
                       &change.changed);
    return status == STATUS_OK ? publish(call, "chat.message", &change) : status;
}

/* Does to the message `id` what `make` does, in the author's name. */
static enum status change_message(struct call *call, const char *id,
                                  enum status (*make)(struct call *call,
                                                      const struct chat_target *target,
                                                      struct change *change))
{
    struct change change = {.changed = false};
    enum status status = author_of(call, &change.author);
    if (status != STATUS_OK)
        return status;
    struct chat_target target = {change.author.meeting, id, change.author.participant};
    status = make(call, &target, &change);
    return status == STATUS_OK ? publish(call, "chat.update", &change) : status;
}

static enum status make_edit(struct call *call, const struct chat_target *target,
                             struct change *change)
{
    const struct msg_chat_edit *edit = call->args;
    return chat_edit(call->commands->db, target, edit->text, clock_wall_ms(), call->arena,
                     &change->message, &change->changed);
}

enum status chat_command_edit(struct call *call)
{
    if (call->space != NULL)
        return space_chat_edit(call);
    const struct msg_chat_edit *edit = call->args;
    return change_message(call, edit->id, make_edit);
}

static enum status make_delete(struct call *call, const struct chat_target *target,
                               struct change *change)
{
    return chat_delete(call->commands->db, target, clock_wall_ms(), call->arena, &change->message,
                       &change->changed);
}

enum status chat_command_delete(struct call *call)
{
    if (call->space != NULL)
        return space_chat_delete(call);
    const struct msg_chat_id *chosen = call->args;
    return change_message(call, chosen->id, make_delete);
}

static enum status make_react(struct call *call, const struct chat_target *target,
                              struct change *change)
{
    const struct msg_chat_react *react = call->args;
    return chat_react(call->commands->db, target, react->emoji, react->on, clock_wall_ms(),
                      call->arena, &change->message, &change->changed);
}

enum status chat_command_react(struct call *call)
{
    if (call->space != NULL)
        return space_chat_react(call);
    const struct msg_chat_react *react = call->args;
    return change_message(call, react->id, make_react);
}

/* Only messages of spaces have cards. */
enum status chat_command_drop_preview(struct call *call)
{
    return call->space != NULL ? space_chat_drop_preview(call) : STATUS_NOT_FOUND;
}

enum status chat_command_typing(struct call *call)
{
    meetings_typing(call->commands->meetings, call->member);
    return STATUS_OK;
}

enum status chat_command_history(struct call *call)
{
    if (call->space != NULL)
        return space_chat_history(call);
    const struct msg_chat_history *history = call->args;
    struct meeting_view view;
    struct chat_page page;
    enum status status = author_of(call, &view);
    if (status != STATUS_OK)
        return status;
    status = chat_history(call->commands->db, view.meeting, history->before,
                          history->limit > 0 ? history->limit : CHAT_RECENT, call->arena, &page);
    if (status != STATUS_OK)
        return status;
    call->result = json_encode(&chat_page_table, &page, call->arena);
    return call->result != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}
