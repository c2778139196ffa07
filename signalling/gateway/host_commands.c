#include "signalling/gateway/host_commands.h"

#include "core/clock.h"

#include <string.h>

static enum status deed_live(struct call *call, const struct meeting_deed *deed)
{
    return meetings_do(call->commands->meetings, call->member, deed);
}

enum status host_command_mute(struct call *call)
{
    const struct msg_target *target = call->args;
    return deed_live(call, &(struct meeting_deed){
                               .act = MEETING_ACT_MUTE, .target = target->id, .all = target->all});
}

enum status host_command_ask_unmute(struct call *call)
{
    const struct msg_target *target = call->args;
    return deed_live(call, &(struct meeting_deed){.act = MEETING_ACT_ASK_UNMUTE,
                                                  .target = target->id,
                                                  .all = target->all});
}

enum status host_command_lower_hand(struct call *call)
{
    const struct msg_target *target = call->args;
    return deed_live(call, &(struct meeting_deed){.act = MEETING_ACT_LOWER_HAND,
                                                  .target = target->id,
                                                  .all = target->all});
}

enum status host_command_stop(struct call *call)
{
    const struct msg_stop *stop = call->args;
    bool camera = strcmp(stop->what, "camera") == 0;
    return deed_live(call, &(struct meeting_deed){.act = camera ? MEETING_ACT_STOP_CAMERA
                                                                : MEETING_ACT_STOP_SCREEN,
                                                  .target = stop->id});
}

enum status host_command_remove(struct call *call)
{
    const struct msg_target *target = call->args;
    struct meeting_deed deed = {.act = MEETING_ACT_REMOVE, .target = target->id};
    struct meeting_view view;
    meetings_look(call->commands->meetings, call->member, &view);
    enum status status = meetings_may(call->commands->meetings, call->member, &deed);
    if (status == STATUS_OK)
        status = registry_participant_remove(call->commands->db, view.meeting, target->id,
                                             clock_wall_ms());
    return status == STATUS_OK ? deed_live(call, &deed) : status;
}

enum status host_command_rename(struct call *call)
{
    const struct msg_rename *rename = call->args;
    struct meeting_deed deed = {
        .act = MEETING_ACT_RENAME, .target = rename->id, .name = rename->name};
    struct meeting_view view;
    meetings_look(call->commands->meetings, call->member, &view);
    enum status status = meetings_may(call->commands->meetings, call->member, &deed);
    if (status == STATUS_OK)
        status = registry_participant_rename(call->commands->db, view.meeting, rename->id,
                                             rename->name, clock_wall_ms());
    return status == STATUS_OK ? deed_live(call, &deed) : status;
}

enum status host_command_role(struct call *call)
{
    const struct msg_role *wish = call->args;
    struct meeting_deed deed = {.act = MEETING_ACT_ROLE, .target = wish->id};
    struct meeting_view view;
    if (!registry_role_of(wish->role, &deed.role))
        return STATUS_INVALID;
    meetings_look(call->commands->meetings, call->member, &view);
    enum status status = meetings_may(call->commands->meetings, call->member, &deed);
    if (status == STATUS_OK)
        status = deed.role == REGISTRY_HOST
                     ? registry_hand_over(call->commands->db, view.meeting, view.participant,
                                          wish->id, clock_wall_ms())
                     : registry_participant_role(call->commands->db, view.meeting, wish->id,
                                                 deed.role, clock_wall_ms());
    return status == STATUS_OK ? deed_live(call, &deed) : status;
}

/* One who waits, or all of them: each is written, then let in or sent away. */
static enum status lobby_each(struct call *call, enum meeting_act act)
{
    const struct msg_target *target = call->args;
    struct meetings *meetings = call->commands->meetings;
    struct meeting_deed deed = {.act = act, .target = target->id, .all = target->all};
    struct json_list ids = {.items = NULL};
    struct meeting_view view;
    meetings_look(meetings, call->member, &view);
    enum status status = meetings_may(meetings, call->member, &deed);
    if (status == STATUS_OK && target->all)
        status = meetings_waiting(meetings, call->member, call->arena, &ids);
    const char *const *waiting = target->all ? ids.items : &target->id;
    size_t count = target->all ? ids.count : 1;
    for (size_t i = 0; status == STATUS_OK && i < count; i++) {
        deed.target = waiting[i];
        deed.all = false;
        status = act == MEETING_ACT_ADMIT
                     ? registry_participant_admit(call->commands->db, view.meeting, waiting[i],
                                                  clock_wall_ms())
                     : registry_participant_remove(call->commands->db, view.meeting, waiting[i],
                                                   clock_wall_ms());
        if (status == STATUS_OK)
            status = meetings_do(meetings, call->member, &deed);
        if (status == STATUS_NOT_FOUND && target->all) /* left meanwhile */
            status = STATUS_OK;
    }
    return status;
}

enum status host_command_admit(struct call *call)
{
    return lobby_each(call, MEETING_ACT_ADMIT);
}

enum status host_command_refuse(struct call *call)
{
    return lobby_each(call, MEETING_ACT_REFUSE);
}

enum status host_command_set(struct call *call)
{
    const struct msg_meeting_set *set = call->args;
    struct registry_settings settings = {
        .locked = set->locked, .lobby = set->lobby, .title = set->title};
    struct registry_meeting meeting;
    struct meeting_deed deed = {.act = MEETING_ACT_SET, .meeting = &meeting};
    struct meeting_view view;
    meetings_look(call->commands->meetings, call->member, &view);
    enum status status = meetings_may(call->commands->meetings, call->member, &deed);
    if (status == STATUS_OK)
        status = registry_update(call->commands->db, view.meeting, &settings, clock_wall_ms(),
                                 call->arena, &meeting);
    return status == STATUS_OK ? deed_live(call, &deed) : status;
}

enum status host_command_end(struct call *call)
{
    struct meeting_deed deed = {.act = MEETING_ACT_END};
    struct meeting_view view;
    meetings_look(call->commands->meetings, call->member, &view);
    enum status status = meetings_may(call->commands->meetings, call->member, &deed);
    if (status == STATUS_OK)
        status = registry_end(call->commands->db, view.meeting, clock_wall_ms());
    if (status == STATUS_OK)
        status = deed_live(call, &deed);
    if (status == STATUS_OK)
        call->end = "ended";
    return status;
}
