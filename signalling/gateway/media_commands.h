/*
 * signalling/gateway/media_commands.h - what a member sends and receives, and what they say of
 * themselves, as commands.
 *
 * Thread: as call.h. Each takes its arguments decoded, as the command table says.
 */
#ifndef SIGNALLING_GATEWAY_MEDIA_COMMANDS_H
#define SIGNALLING_GATEWAY_MEDIA_COMMANDS_H

#include "signalling/gateway/call.h"

MUST_USE enum status media_command_offer(struct call *call);
MUST_USE enum status media_command_close(struct call *call);
MUST_USE enum status media_command_view(struct call *call);
MUST_USE enum status self_command_update(struct call *call);
MUST_USE enum status self_command_stats(struct call *call);
MUST_USE enum status self_command_hand(struct call *call);
MUST_USE enum status self_command_reaction(struct call *call);
MUST_USE enum status self_command_screen_start(struct call *call);
MUST_USE enum status self_command_screen_stop(struct call *call);
MUST_USE enum status self_command_leave(struct call *call);

#endif
