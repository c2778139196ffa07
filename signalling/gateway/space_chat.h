/*
 * signalling/gateway/space_chat.h - the chat commands in a meeting of a space: its chat is its
 * thread in the space (modules/spaces/messages.h), for members with their role there, for others
 * as guests. Thread: as call.h.
 */
#ifndef SIGNALLING_GATEWAY_SPACE_CHAT_H
#define SIGNALLING_GATEWAY_SPACE_CHAT_H

#include "modules/spaces/messages.h"
#include "signalling/gateway/call.h"

/* What chat.history answers in a meeting of a space. */
struct space_chat_page {
    struct json_list messages; /* struct messages_message, oldest first */
    bool more;                 /* there are older ones */
    const char *self;          /* the author one is here */
    bool moderates;            /* one may delete what others wrote */
};

extern const struct json_table space_chat_page_table;

/* Like those of chat_commands.h; call->space is not NULL. */
enum status space_chat_send(struct call *call);
enum status space_chat_edit(struct call *call);
enum status space_chat_delete(struct call *call);
enum status space_chat_react(struct call *call);
enum status space_chat_drop_preview(struct call *call);
enum status space_chat_history(struct call *call);

/* To everybody in the meeting whose thread the message is in, however it was written:
 * "chat.message", or "chat.update" when it was there before. Nothing for a message of no meeting.
 * Any thread but the conductor's. */
void space_chat_tell(struct meetings *meetings, const char *type,
                     const struct messages_message *message, struct arena *arena);

#endif
