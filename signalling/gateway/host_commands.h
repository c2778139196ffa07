/*
 * signalling/gateway/host_commands.h - what hosts do in a meeting, as commands: may it be done, is
 * it written, then it is done.
 *
 * Thread: as call.h. Each takes its arguments decoded, as the command table says.
 */
#ifndef SIGNALLING_GATEWAY_HOST_COMMANDS_H
#define SIGNALLING_GATEWAY_HOST_COMMANDS_H

#include "signalling/gateway/call.h"

MUST_USE enum status host_command_mute(struct call *call);
MUST_USE enum status host_command_ask_unmute(struct call *call);
MUST_USE enum status host_command_lower_hand(struct call *call);
MUST_USE enum status host_command_stop(struct call *call);
MUST_USE enum status host_command_remove(struct call *call);
MUST_USE enum status host_command_rename(struct call *call);
MUST_USE enum status host_command_role(struct call *call);
MUST_USE enum status host_command_admit(struct call *call);
MUST_USE enum status host_command_refuse(struct call *call);
MUST_USE enum status host_command_set(struct call *call);
MUST_USE enum status host_command_end(struct call *call);

#endif
