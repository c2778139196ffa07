#include "signalling/gateway/phone_commands.h"

#include "core/clock.h"
#include "modules/meetings/polls.h"
#include "modules/meetings/registry_pin.h"
#include "signalling/sip/dialout.h"
#include "signalling/sip/pins.h"

static enum status member_of(struct call *call, struct meeting_view *ret_view)
{
    meetings_look(call->commands->meetings, call->member, ret_view);
    return ret_view->removed || !ret_view->admitted ? STATUS_DENIED : STATUS_OK;
}

static enum status host_of(struct call *call, struct meeting_view *ret_view)
{
    enum status status = member_of(call, ret_view);
    return status == STATUS_OK && ret_view->role == REGISTRY_PARTICIPANT ? STATUS_DENIED : status;
}

/* ---- telephones ---- */

enum status phone_command_info(struct call *call)
{
    struct meeting_view view;
    const struct commands *commands = call->commands;
    struct msg_phone phone = {.pin = "", .numbers = dialout_numbers(commands->dialin)};
    enum status status = member_of(call, &view);
    if (status == STATUS_OK && commands->dialin != NULL)
        status = registry_pin(commands->db, view.meeting, call->arena, &phone.pin);
    if (status != STATUS_OK)
        return status;
    phone.dial = dialout_may(commands->dialin, view.role != REGISTRY_PARTICIPANT);
    call->result = json_encode(&msg_phone_table, &phone, call->arena);
    return call->result != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}

enum status phone_command_pin(struct call *call)
{
    const struct msg_pin *wish = call->args;
    struct meeting_view view;
    struct dialin *dialin = call->commands->dialin;
    enum status status = host_of(call, &view);
    const struct pins_wish choice = {.meeting = view.meeting,
                                     .pin = wish->pin,
                                     .account = call->account,
                                     .source = gateway_session_address(call->session)};
    if (status == STATUS_OK)
        status = dialin != NULL ? pins_choose(dialin_pins(dialin), call->commands->db, &choice,
                                              clock_mono_ns() / CLOCK_NS_PER_MS, clock_wall_ms())
                                : STATUS_UNSUPPORTED;
    if (status == STATUS_LIMIT) {
        call->code = "pin_tries";
        call->error = "too many PINs were tried: wait an hour";
    }
    if (status == STATUS_INVALID) {
        /* Which of the two it was would tell of other meetings. */
        call->code = "pin";
        call->error = "choose another PIN: 6 to 16 digits that are not easily guessed";
    }
    return status == STATUS_OK ? phone_command_info(call) : status;
}

enum status phone_command_dial(struct call *call)
{
    const struct msg_dial_wish *wish = call->args;
    struct meeting_view view;
    enum dialing_answer answer = DIALING_OK;
    char id[MEETING_DIAL_ID_MAX + 1];
    enum status status = member_of(call, &view);
    if (status != STATUS_OK)
        return status;
    bool named = wish->name != NULL && wish->name[0] != '\0';
    if (named && !registry_name_valid(wish->name))
        return STATUS_INVALID;
    const struct dialout_wish dial = {.meeting = view.meeting,
                                      .participant = view.participant,
                                      .host = view.role != REGISTRY_PARTICIPANT,
                                      .account = call->account,
                                      .number = wish->number,
                                      .name = named ? wish->name : NULL,
                                      .from = view.name};
    status = dialout_begin(call->commands->dialin, &dial, id, &answer);
    if (answer != DIALING_OK) {
        call->code = dialing_code(answer);
        call->error = dialing_text(answer);
    }
    if (status != STATUS_OK)
        return status;
    call->result = arena_printf(call->arena, "{\"id\":\"%s\"}", id);
    return call->result != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}

enum status phone_command_cancel(struct call *call)
{
    const struct msg_dial_id *wish = call->args;
    struct meeting_view view;
    enum status status = member_of(call, &view);
    return status == STATUS_OK
               ? dialout_cancel(call->commands->dialin, view.meeting, view.participant, wish->id)
               : status;
}

/* ---- polls ---- */

/* Told to everybody, and answered with. */
static enum status poll_publish(struct call *call, const struct meeting_view *view,
                                const struct poll *poll)
{
    polls_tell(call->commands->meetings, view->meeting, poll, call->arena);
    call->result = json_encode(&poll_table, poll, call->arena);
    return call->result != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}

enum status poll_command_open(struct call *call)
{
    const struct msg_poll_new *wish = call->args;
    struct meeting_view view;
    struct poll poll;
    enum status status = host_of(call, &view);
    const struct poll_new fresh = {.meeting = view.meeting,
                                   .question = wish->question,
                                   .options = wish->options,
                                   .anonymous = wish->anonymous};
    if (status == STATUS_OK)
        status = polls_open(call->commands->db, &fresh, clock_wall_ms(), call->arena, &poll);
    return status == STATUS_OK ? poll_publish(call, &view, &poll) : status;
}

enum status poll_command_vote(struct call *call)
{
    const struct msg_poll_vote *wish = call->args;
    struct meeting_view view;
    struct poll poll;
    enum status status = member_of(call, &view);
    const struct poll_vote vote = {.meeting = view.meeting,
                                   .participant = view.participant,
                                   .poll = wish->id,
                                   .choice = wish->choice};
    if (status == STATUS_OK)
        status = polls_vote(call->commands->db, &vote, clock_wall_ms(), call->arena, &poll);
    return status == STATUS_OK ? poll_publish(call, &view, &poll) : status;
}

enum status poll_command_close(struct call *call)
{
    const struct msg_poll_id *wish = call->args;
    struct meeting_view view;
    struct poll poll;
    enum status status = host_of(call, &view);
    if (status == STATUS_OK)
        status = polls_close(call->commands->db, view.meeting, wish->id, clock_wall_ms(),
                             call->arena, &poll);
    return status == STATUS_OK ? poll_publish(call, &view, &poll) : status;
}

enum status poll_command_list(struct call *call)
{
    struct meeting_view view;
    struct json_list polls;
    enum status status = member_of(call, &view);
    if (status == STATUS_OK)
        status = polls_list(call->commands->db, view.meeting, view.participant,
                            view.role != REGISTRY_PARTICIPANT, call->arena, &polls);
    if (status != STATUS_OK)
        return status;
    const struct poll_list list = {polls};
    call->result = json_encode(&poll_list_table, &list, call->arena);
    return call->result != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}
