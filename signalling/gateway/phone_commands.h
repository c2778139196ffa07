/*
 * signalling/gateway/phone_commands.h - telephones and polls of a meeting, as commands.
 *
 * Thread: as call.h.
 */
#ifndef SIGNALLING_GATEWAY_PHONE_COMMANDS_H
#define SIGNALLING_GATEWAY_PHONE_COMMANDS_H

#include "signalling/gateway/call.h"

MUST_USE enum status phone_command_info(struct call *call);
MUST_USE enum status phone_command_pin(struct call *call);
MUST_USE enum status phone_command_dial(struct call *call);
MUST_USE enum status phone_command_cancel(struct call *call);
MUST_USE enum status poll_command_open(struct call *call);
MUST_USE enum status poll_command_vote(struct call *call);
MUST_USE enum status poll_command_close(struct call *call);
MUST_USE enum status poll_command_list(struct call *call);

#endif
