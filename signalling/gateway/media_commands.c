#include "signalling/gateway/media_commands.h"

#include "core/clock.h"
#include "modules/meetings/statistics.h"
#include "signalling/sdp/answer.h"

#include <string.h>

/* ---- media ---- */

static enum media_source_kind source_of(const char *name)
{
    static const char *const names[] = {"microphone", "camera", "screen", "screen_audio"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(name, names[i]) == 0)
            return (enum media_source_kind)i;
    }
    return MEDIA_SOURCE_CAMERA;
}

enum status media_command_offer(struct call *call)
{
    const struct msg_offer *offer = call->args;
    struct meetings *meetings = call->commands->meetings;
    struct media_transport_spec *previous = arena_alloc(call->arena, sizeof *previous);
    struct media_transport_spec *spec = arena_alloc(call->arena, sizeof *spec);
    struct msg_slot_line *lines = arena_alloc(call->arena, MEDIA_SLOTS_MAX * sizeof *lines);
    struct answer_source *sources =
        arena_alloc(call->arena, (offer->tracks.count + 1) * sizeof *sources);
    if (previous == NULL || spec == NULL || lines == NULL || sources == NULL)
        return STATUS_NO_MEMORY;
    const struct msg_line_source *named = offer->tracks.items;
    for (size_t i = 0; i < offer->tracks.count; i++)
        sources[i] = (struct answer_source){named[i].mid, source_of(named[i].source)};
    bool again = meetings_transport(meetings, call->member, previous) == STATUS_OK;
    struct answer_config config = {.role = ANSWER_CALL,
                                   .local = media_local(call->commands->media),
                                   .sources = sources,
                                   .source_count = offer->tracks.count,
                                   .transport_id = meetings_transport_id(meetings),
                                   .previous = again ? previous : NULL};
    enum answer_change change;
    struct answer_error *error = arena_alloc(call->arena, sizeof *error);
    struct msg_answer answer;
    if (error == NULL)
        return STATUS_NO_MEMORY;
    enum status status = answer_make(offer->sdp, strlen(offer->sdp), &config, call->arena, spec,
                                     &change, &answer.sdp, error);
    if (status != STATUS_OK) {
        call->error = error->text[0] != '\0' ? error->text : NULL;
        return status;
    }
    status = meetings_offer(meetings, call->member, spec, change != ANSWER_NEW, lines);
    if (status != STATUS_OK)
        return status;
    answer.slots = (struct json_list){.items = lines, .count = spec->slot_count};
    call->result = json_encode(&msg_answer_table, &answer, call->arena);
    return call->result != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}

enum status media_command_close(struct call *call)
{
    meetings_media_close(call->commands->meetings, call->member);
    return STATUS_OK;
}

enum status media_command_view(struct call *call)
{
    meetings_watch(call->commands->meetings, call->member, call->args);
    return STATUS_OK;
}

/* ---- oneself ---- */

enum status self_command_update(struct call *call)
{
    const struct msg_self_update *update = call->args;
    if (update->name != NULL) {
        struct meeting_view view;
        meetings_look(call->commands->meetings, call->member, &view);
        enum status status = registry_participant_rename(
            call->commands->db, view.meeting, view.participant, update->name, clock_wall_ms());
        if (status != STATUS_OK)
            return status;
    }
    return meetings_self_update(call->commands->meetings, call->member, update);
}

enum status self_command_stats(struct call *call)
{
    return meetings_report(call->commands->meetings, call->member, call->args);
}

enum status self_command_hand(struct call *call)
{
    const struct msg_hand *hand = call->args;
    meetings_hand(call->commands->meetings, call->member, hand->raised);
    return STATUS_OK;
}

enum status self_command_reaction(struct call *call)
{
    const struct msg_reaction *reaction = call->args;
    meetings_react(call->commands->meetings, call->member, reaction->emoji);
    return STATUS_OK;
}

enum status self_command_screen_start(struct call *call)
{
    const struct msg_screen_start *start = call->args;
    return meetings_present(call->commands->meetings, call->member, true, start->audio);
}

enum status self_command_screen_stop(struct call *call)
{
    return meetings_present(call->commands->meetings, call->member, false, false);
}

enum status self_command_leave(struct call *call)
{
    call->end = "left";
    return STATUS_OK;
}
