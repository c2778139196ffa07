/*
 * signalling/gateway/chat_commands.h - the commands chat.*: written to storage first, then
 * told to everybody (docs/design/gateway.md).
 *
 * Each takes its arguments decoded, as the command table says. Errors: STATUS_DENIED (not
 * admitted, removed), or what modules/chat/chat.h says.
 */
#ifndef SIGNALLING_GATEWAY_CHAT_COMMANDS_H
#define SIGNALLING_GATEWAY_CHAT_COMMANDS_H

#include "signalling/gateway/call.h"

MUST_USE enum status chat_command_send(struct call *call);
MUST_USE enum status chat_command_edit(struct call *call);
MUST_USE enum status chat_command_delete(struct call *call);
MUST_USE enum status chat_command_react(struct call *call);
MUST_USE enum status chat_command_drop_preview(struct call *call);
MUST_USE enum status chat_command_typing(struct call *call);
MUST_USE enum status chat_command_history(struct call *call);

#endif
