#include "signalling/gateway/commands.h"

#include "core/clock.h"
#include "core/log.h"
#include "modules/meetings/statistics.h"
#include "modules/spaces/spaces.h"
#include "signalling/gateway/chat_commands.h"
#include "signalling/gateway/phone_commands.h"
#include "signalling/gateway/space_feed.h"
#include "signalling/gateway/space_live.h"
#include "signalling/sdp/answer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COMMANDS_ARENA_MAX = 8 << 20 /* bytes of an identify */ };

/* What a session is here: its context. */
struct client {
    struct meeting_member *member; /* NULL: a session for spaces */
    char space[SPACES_ID_MAX + 1]; /* the meeting is of; "": of none */
    struct signed_in signed_in;
    uint64_t typed_ms; /* when its typing was told last */
};

/* ---- ports: how the conductor reaches a session ---- */

static void port_send(void *port, const char *type, const char *json)
{
    gateway_dispatch(port, type, json);
}

static void *port_share(const char *type, const char *json)
{
    return gateway_payload_new(type, json);
}

static void port_send_shared(void *port, void *shared)
{
    gateway_dispatch_payload(port, shared);
}

static void port_unshare(void *shared)
{
    gateway_payload_unref(shared);
}

static void port_end(void *port, const char *reason, const char *code)
{
    gateway_end(port, reason, code);
}

const struct meeting_port_ops commands_port_ops = {
    .send = port_send,
    .share = port_share,
    .send_shared = port_send_shared,
    .unshare = port_unshare,
    .end = port_end,
};

/* ---- identify ---- */

/* Who the token says this is, or a new participant. */
struct identity {
    const char *id, *token, *name;
    enum registry_role role;
    bool admitted;
};

/* Refused on purpose: code is what the client is told (docs/design/gateway.md). What only failed
 * leaves *ret_code alone. */
static enum status refuse(const char *code, enum status status, const char **ret_code)
{
    *ret_code = code;
    return status;
}

static enum status identity_known(struct commands *commands, const struct msg_identify *identify,
                                  struct arena *arena, struct identity *ret_identity,
                                  const char **ret_code)
{
    struct registry_participant participant;
    enum status status = registry_participant_by_token(commands->db, identify->meeting,
                                                       identify->token, arena, &participant);
    if (status != STATUS_OK)
        return status;
    if (participant.removed)
        return refuse("removed", STATUS_DENIED, ret_code);
    if (strcmp(participant.name, identify->name) != 0) {
        status = registry_participant_rename(commands->db, identify->meeting, participant.id,
                                             identify->name, clock_wall_ms());
        if (status != STATUS_OK)
            return status;
    }
    *ret_identity = (struct identity){.id = participant.id,
                                      .token = identify->token,
                                      .name = identify->name,
                                      .role = participant.role,
                                      .admitted = participant.admitted};
    return STATUS_OK;
}

static enum status identity_new(struct commands *commands, const struct msg_identify *identify,
                                const struct adhoc_opened *opened, struct arena *arena,
                                struct identity *ret_identity, const char **ret_code)
{
    const char *host = opened->token[0] != '\0' ? opened->token : NULL;
    if (host == NULL && identify->token != NULL &&
        registry_host_check(commands->db, identify->meeting, identify->token) == STATUS_OK)
        host = identify->token;
    if (host == NULL && opened->meeting.locked)
        return refuse("locked", STATUS_DENIED, ret_code);
    struct registry_participant_spec spec = {.meeting = identify->meeting,
                                             .name = identify->name,
                                             .kind = REGISTRY_BROWSER,
                                             .admitted = !opened->meeting.lobby,
                                             .host_token = host};
    struct registry_participant_created created;
    enum status status = registry_participant_new(commands->db, &spec, clock_wall_ms(), &created);
    if (status == STATUS_LIMIT)
        return refuse("full", status, ret_code);
    if (status != STATUS_OK)
        return status;
    *ret_identity = (struct identity){.id = arena_strdup(arena, created.id),
                                      .token = arena_strdup(arena, created.token),
                                      .name = identify->name,
                                      .role = created.role,
                                      .admitted = created.admitted};
    return ret_identity->id != NULL && ret_identity->token != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}

/* Who is signed in joins under the account's name. */
static enum status account_take(struct commands *commands, struct msg_identify *identify,
                                struct arena *arena, struct auth_caller *ret_caller,
                                const char **ret_code)
{
    if (identify->account == NULL || identify->account[0] == '\0')
        return STATUS_OK;
    enum status status =
        auth_ticket_check(commands->auth, identify->account, clock_wall_ms(), arena, ret_caller);
    if (status != STATUS_OK)
        return status == STATUS_DENIED ? refuse("signed_out", status, ret_code) : status;
    identify->name = ret_caller->user.name;
    return STATUS_OK;
}

/* From now on the end of the sign-in ends the session; it may have come just before. */
static enum status account_watch(struct commands *commands, struct gateway_session *session,
                                 const struct auth_caller *caller, struct client *client)
{
    struct signed_in *signed_in = &client->signed_in;
    if (caller->session == NULL)
        return STATUS_OK;
    signed_in->session = session;
    snprintf(signed_in->user, sizeof signed_in->user, "%s", caller->user.id);
    snprintf(signed_in->login, sizeof signed_in->login, "%s", caller->session);
    signed_in_add(commands->signed_in, signed_in);
    return auth_session_check(commands->auth, signed_in->login, clock_wall_ms());
}

static enum status meeting_open(struct commands *commands, const struct gateway_session *session,
                                const struct msg_identify *identify, bool member,
                                struct arena *arena, struct adhoc_opened *ret_opened,
                                const char **ret_code)
{
    if (identify->meeting == NULL || identify->name == NULL ||
        !registry_id_valid(identify->meeting) || !registry_name_valid(identify->name))
        return refuse("name", STATUS_INVALID, ret_code);
    bool may_create = adhoc_allows(commands->adhoc, gateway_session_loopback(session), member);
    enum status status =
        adhoc_open(commands->db, identify->meeting, may_create, clock_wall_ms(), arena, ret_opened);
    if (status == STATUS_NOT_FOUND)
        return refuse("not_found", status, ret_code);
    return status == STATUS_CLOSED ? refuse("ended", status, ret_code) : status;
}

/* In a space's meeting who is signed in is what the space says, each time they come: members are
 * let in, owners as hosts, editors as co-hosts. A host token just shown counts for a host's. */
static enum status space_role_take(struct commands *commands,
                                   const struct registry_meeting *meeting,
                                   const struct auth_caller *caller, bool fresh,
                                   struct arena *arena, struct identity *identity)
{
    struct spaces_space space = {.role = ""};
    if (meeting->space == NULL || caller->session == NULL)
        return STATUS_OK;
    const struct spaces_who who = {meeting->space, caller->user.id};
    enum status status = spaces_get(commands->db, &who, arena, &space);
    bool member = status == STATUS_OK;
    if (status != STATUS_OK && status != STATUS_NOT_FOUND)
        return status;
    enum registry_role role = strcmp(space.role, "owner") == 0    ? REGISTRY_HOST
                              : strcmp(space.role, "editor") == 0 ? REGISTRY_COHOST
                                                                  : REGISTRY_PARTICIPANT;
    if (fresh && identity->role == REGISTRY_HOST)
        role = REGISTRY_HOST;
    status = STATUS_OK;
    if (identity->role != role)
        status = registry_participant_role(commands->db, meeting->id, identity->id, role,
                                           clock_wall_ms());
    if (status == STATUS_OK && member && !identity->admitted)
        status =
            registry_participant_admit(commands->db, meeting->id, identity->id, clock_wall_ms());
    identity->role = role;
    identity->admitted = identity->admitted || member;
    return status;
}

static enum status identify(struct commands *commands, struct gateway_session *session,
                            struct msg_identify *identify, struct arena *arena,
                            const char **ret_code)
{
    struct adhoc_opened opened;
    struct identity identity;
    struct auth_caller caller = {.session = NULL};
    enum status status = account_take(commands, identify, arena, &caller, ret_code);
    if (status == STATUS_OK)
        status = meeting_open(commands, session, identify, caller.session != NULL, arena, &opened,
                              ret_code);
    if (status != STATUS_OK)
        return status;
    status = identify->token != NULL && identify->token[0] != '\0'
                 ? identity_known(commands, identify, arena, &identity, ret_code)
                 : STATUS_NOT_FOUND;
    bool fresh = status == STATUS_NOT_FOUND;
    if (fresh)
        status = identity_new(commands, identify, &opened, arena, &identity, ret_code);
    if (status == STATUS_OK)
        status = space_role_take(commands, &opened.meeting, &caller, fresh, arena, &identity);
    if (status != STATUS_OK)
        return status;
    struct client *client = calloc(1, sizeof *client);
    if (client == NULL)
        return STATUS_NO_MEMORY;
    if (opened.meeting.space != NULL)
        snprintf(client->space, sizeof client->space, "%s", opened.meeting.space);
    struct meeting_join join = {
        .meeting = &opened.meeting,
        .participant = identity.id,
        .token = identity.token,
        .name = identity.name,
        .role = identity.role,
        .admitted = identity.admitted,
        .audio = identify->audio,
        .video = identify->video,
        .port = gateway_session_ref(session),
        .session = gateway_session_id(session),
        .secret = gateway_session_secret(session),
    };
    status = account_watch(commands, session, &caller, client);
    if (status == STATUS_OK)
        status = meetings_join(commands->meetings, &join, &client->member);
    if (status != STATUS_OK) {
        signed_in_remove(commands->signed_in, &client->signed_in);
        gateway_session_unref(session);
        free(client);
        return status == STATUS_LIMIT ? refuse("full", status, ret_code) : status;
    }
    gateway_session_set_context(session, client);
    return STATUS_OK;
}

/* No meeting: what is not kept of what happens in the account's spaces. */
static enum status identify_spaces(struct commands *commands, struct gateway_session *session,
                                   struct msg_identify *identify, struct arena *arena,
                                   const char **ret_code)
{
    struct auth_caller caller = {.session = NULL};
    enum status status = account_take(commands, identify, arena, &caller, ret_code);
    if (status == STATUS_OK && caller.session == NULL)
        status = refuse("signed_out", STATUS_DENIED, ret_code);
    const struct msg_spaces_ready ready = {.session = gateway_session_id(session),
                                           .secret = gateway_session_secret(session)};
    const char *json = json_encode(&msg_spaces_ready_table, &ready, arena);
    struct client *client = status == STATUS_OK ? calloc(1, sizeof *client) : NULL;
    if (status == STATUS_OK && (client == NULL || json == NULL))
        status = STATUS_NO_MEMORY;
    if (status == STATUS_OK) {
        gateway_session_ref(session);
        client->signed_in.spaces = true;
        status = account_watch(commands, session, &caller, client);
        if (status != STATUS_OK) {
            signed_in_remove(commands->signed_in, &client->signed_in);
            gateway_session_unref(session);
        }
    }
    if (status != STATUS_OK) {
        free(client);
        return status;
    }
    gateway_session_set_context(session, client);
    gateway_dispatch(session, "spaces.ready", json);
    return STATUS_OK;
}

static void on_identify(void *context, struct gateway_session *session, const struct json *d)
{
    struct commands *commands = context;
    struct arena *arena = NULL;
    struct msg_identify message;
    struct json_error error = {""};
    const char *code = "unavailable";
    enum status status = gateway_session_context(session) != NULL
                             ? STATUS_DENIED
                             : arena_new(COMMANDS_ARENA_MAX, &arena);
    if (status == STATUS_OK)
        status = json_decode(&msg_identify_table, d, arena, &message, &error);
    if (status == STATUS_INVALID)
        code = "name";
    if (status == STATUS_OK)
        status = message.spaces ? identify_spaces(commands, session, &message, arena, &code)
                                : identify(commands, session, &message, arena, &code);
    if (status != STATUS_OK) {
        char quoted[JSON_ERROR_MAX * 2];
        log_event(LOG_GATEWAY, LOG_INFO, "refused", "address=%s code=%s status=%s why=%s",
                  gateway_session_address(session), code, status_name(status),
                  log_quote(quoted, sizeof quoted, error.text));
        gateway_end(session, "refused", code);
    }
    arena_free(arena);
}

static void on_presence(void *context, struct gateway_session *session, bool online)
{
    struct commands *commands = context;
    const struct client *client = gateway_session_context(session);
    if (client != NULL && client->member != NULL)
        meetings_online(commands->meetings, client->member, online);
}

static void on_gone(void *context, struct gateway_session *session)
{
    struct commands *commands = context;
    struct client *client = gateway_session_context(session);
    if (client == NULL)
        return;
    gateway_session_set_context(session, NULL);
    if (client->member != NULL)
        meetings_leave(commands->meetings, client->member);
    signed_in_remove(commands->signed_in, &client->signed_in);
    free(client);
    gateway_session_unref(session);
}

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

static enum status do_offer(struct call *call)
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

static enum status do_media_close(struct call *call)
{
    meetings_media_close(call->commands->meetings, call->member);
    return STATUS_OK;
}

static enum status do_view(struct call *call)
{
    meetings_watch(call->commands->meetings, call->member, call->args);
    return STATUS_OK;
}

/* ---- oneself ---- */

static enum status do_self_update(struct call *call)
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

static enum status do_self_stats(struct call *call)
{
    return meetings_report(call->commands->meetings, call->member, call->args);
}

static enum status do_hand(struct call *call)
{
    const struct msg_hand *hand = call->args;
    meetings_hand(call->commands->meetings, call->member, hand->raised);
    return STATUS_OK;
}

static enum status do_reaction(struct call *call)
{
    const struct msg_reaction *reaction = call->args;
    meetings_react(call->commands->meetings, call->member, reaction->emoji);
    return STATUS_OK;
}

static enum status do_screen_start(struct call *call)
{
    const struct msg_screen_start *start = call->args;
    return meetings_present(call->commands->meetings, call->member, true, start->audio);
}

static enum status do_screen_stop(struct call *call)
{
    return meetings_present(call->commands->meetings, call->member, false, false);
}

static enum status do_leave(struct call *call)
{
    call->end = "left";
    return STATUS_OK;
}

/* ---- hosts: may it be done, is it written, then it is done ---- */

static enum status deed_live(struct call *call, const struct meeting_deed *deed)
{
    return meetings_do(call->commands->meetings, call->member, deed);
}

static enum status do_host_mute(struct call *call)
{
    const struct msg_target *target = call->args;
    return deed_live(call, &(struct meeting_deed){
                               .act = MEETING_ACT_MUTE, .target = target->id, .all = target->all});
}

static enum status do_host_ask_unmute(struct call *call)
{
    const struct msg_target *target = call->args;
    return deed_live(call, &(struct meeting_deed){.act = MEETING_ACT_ASK_UNMUTE,
                                                  .target = target->id,
                                                  .all = target->all});
}

static enum status do_host_lower_hand(struct call *call)
{
    const struct msg_target *target = call->args;
    return deed_live(call, &(struct meeting_deed){.act = MEETING_ACT_LOWER_HAND,
                                                  .target = target->id,
                                                  .all = target->all});
}

static enum status do_host_stop(struct call *call)
{
    const struct msg_stop *stop = call->args;
    bool camera = strcmp(stop->what, "camera") == 0;
    return deed_live(call, &(struct meeting_deed){.act = camera ? MEETING_ACT_STOP_CAMERA
                                                                : MEETING_ACT_STOP_SCREEN,
                                                  .target = stop->id});
}

static enum status do_host_remove(struct call *call)
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

static enum status do_host_rename(struct call *call)
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

static enum status do_host_role(struct call *call)
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

static enum status do_host_admit(struct call *call)
{
    return lobby_each(call, MEETING_ACT_ADMIT);
}

static enum status do_host_refuse(struct call *call)
{
    return lobby_each(call, MEETING_ACT_REFUSE);
}

static enum status do_host_set(struct call *call)
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

static enum status do_host_end(struct call *call)
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

/* ---- the table ---- */

static const struct command {
    struct command_info info;
    enum status (*run)(struct call *call);
    bool spaces; /* for sessions for spaces; else for those in a meeting */
} command_table[] = {
    {{"media.offer", &msg_offer_table, "`{sdp, slots[]}`"}, do_offer, false},
    {{"media.close", &msg_empty_table, NULL}, do_media_close, false},
    {{"media.view", &msg_view_table, NULL}, do_view, false},
    {{"self.update", &msg_self_update_table, NULL}, do_self_update, false},
    {{"self.stats", &msg_stats_table, NULL}, do_self_stats, false},
    {{"hand", &msg_hand_table, NULL}, do_hand, false},
    {{"reaction", &msg_reaction_table, NULL}, do_reaction, false},
    {{"screen.start", &msg_screen_start_table, NULL}, do_screen_start, false},
    {{"screen.stop", &msg_empty_table, NULL}, do_screen_stop, false},
    {{"chat.send", &msg_chat_send_table, "`{message}`"}, chat_command_send, false},
    {{"chat.edit", &msg_chat_edit_table, "`{message}`"}, chat_command_edit, false},
    {{"chat.delete", &msg_chat_id_table, "`{message}`"}, chat_command_delete, false},
    {{"chat.react", &msg_chat_react_table, "`{message}`"}, chat_command_react, false},
    {{"chat.typing", &msg_empty_table, NULL}, chat_command_typing, false},
    {{"chat.history", &msg_chat_history_table,
      "`{messages[], more}`, oldest first; in a meeting of a space also `self`, the author one is, "
      "and `moderates`"},
     chat_command_history,
     false},
    {{"phone.info", &msg_empty_table, "`{pin, numbers[], dial}`"}, phone_command_info, false},
    {{"phone.dial", &msg_dial_wish_table, "`{id}`"}, phone_command_dial, false},
    {{"phone.cancel", &msg_dial_id_table, NULL}, phone_command_cancel, false},
    {{"poll.open", &msg_poll_new_table, "the poll"}, poll_command_open, false},
    {{"poll.vote", &msg_poll_vote_table, "the poll"}, poll_command_vote, false},
    {{"poll.close", &msg_poll_id_table, "the poll"}, poll_command_close, false},
    {{"poll.list", &msg_empty_table, "`{polls[]}`, newest first"}, poll_command_list, false},
    {{"host.pin", &msg_pin_table, "`{pin, numbers[], dial}`"}, phone_command_pin, false},
    {{"host.mute", &msg_target_table, NULL}, do_host_mute, false},
    {{"host.ask_unmute", &msg_target_table, NULL}, do_host_ask_unmute, false},
    {{"host.stop", &msg_stop_table, NULL}, do_host_stop, false},
    {{"host.remove", &msg_target_table, NULL}, do_host_remove, false},
    {{"host.rename", &msg_rename_table, NULL}, do_host_rename, false},
    {{"host.role", &msg_role_table, NULL}, do_host_role, false},
    {{"host.admit", &msg_target_table, NULL}, do_host_admit, false},
    {{"host.refuse", &msg_target_table, NULL}, do_host_refuse, false},
    {{"host.set", &msg_meeting_set_table, NULL}, do_host_set, false},
    {{"host.lower_hand", &msg_target_table, NULL}, do_host_lower_hand, false},
    {{"host.end", &msg_empty_table, NULL}, do_host_end, false},
    {{"space.typing", &msg_space_typing_table, NULL}, space_live_typing, true},
    {{"space.events", &msg_space_events_table,
      "`{items[], last, more}`, as `GET /events`; code `limited`: not kept any more, load all "
      "anew"},
     space_feed_events,
     true},
    {{"leave", &msg_empty_table, NULL}, do_leave, false},
};

enum { COMMAND_COUNT = sizeof command_table / sizeof command_table[0] };

const struct command_info *commands_list(size_t *ret_count)
{
    static struct command_info list[COMMAND_COUNT];
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        list[i] = command_table[i].info;
    *ret_count = COMMAND_COUNT;
    return list;
}

static const char *error_code(enum status status)
{
    switch (status) {
    case STATUS_INVALID:
        return "invalid";
    case STATUS_DENIED:
        return "denied";
    case STATUS_NOT_FOUND:
        return "not_found";
    case STATUS_LIMIT:
        return "limit";
    case STATUS_UNSUPPORTED:
        return "unsupported";
    case STATUS_EXISTS:
        return "exists";
    case STATUS_OUT_OF_WINDOW:
        return "limited";
    default:
        return "unavailable";
    }
}

static const struct command *command_find(const char *type)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (strcmp(command_table[i].info.type, type) == 0)
            return &command_table[i];
    }
    return NULL;
}

/* Every command asks anew whether who is signed in still is. */
static bool client_may(const struct commands *commands, struct gateway_session *session,
                       const struct client *client)
{
    if (client->signed_in.session == NULL)
        return true;
    enum status status =
        auth_session_check(commands->auth, client->signed_in.login, clock_wall_ms());
    if (status == STATUS_DENIED)
        gateway_end(session, "ended", "signed_out");
    return status == STATUS_OK;
}

static void on_command(void *context, struct gateway_session *session, uint64_t s, const char *t,
                       const struct json *d, struct arena *arena)
{
    struct client *client = gateway_session_context(session);
    const struct command *command = command_find(t);
    if (command == NULL) {
        gateway_reply_error(session, s, "unknown", "no such command", "t");
        return;
    }
    if (client == NULL) {
        gateway_reply_error(session, s, "denied", "identify first", NULL);
        return;
    }
    if (command->spaces != (client->member == NULL)) {
        gateway_reply_error(session, s, "denied", "not in a session of this kind", NULL);
        return;
    }
    if (!client_may(context, session, client)) {
        gateway_reply_error(session, s, "denied", "signed out", NULL);
        return;
    }
    struct json_error error = {""};
    void *args = arena_alloc(arena, command->info.args->size);
    enum status status =
        args != NULL ? json_decode(command->info.args, d, arena, args, &error) : STATUS_NO_MEMORY;
    struct call call = {.commands = context,
                        .session = session,
                        .member = client->member,
                        .space = client->space[0] != '\0' ? client->space : NULL,
                        .account =
                            client->signed_in.session != NULL ? client->signed_in.user : NULL,
                        .signed_in = &client->signed_in,
                        .typed_ms = &client->typed_ms,
                        .arena = arena,
                        .args = args};
    if (status != STATUS_OK)
        call.error = error.text[0] != '\0' ? error.text : NULL;
    else
        status = command->run(&call);
    if (status == STATUS_OK) {
        gateway_reply_ok(session, s, call.result);
        if (call.then != NULL)
            call.then(&call);
        if (call.end != NULL)
            gateway_end(session, "ended", call.end);
        return;
    }
    log_event(LOG_GATEWAY, LOG_DEBUG, "command_failed", "type=%s status=%s", t,
              status_name(status));
    gateway_reply_error(session, s, call.code != NULL ? call.code : error_code(status),
                        call.error != NULL ? call.error : status_text(status), NULL);
}

const struct gateway_ops commands_gateway_ops = {
    .identify = on_identify,
    .command = on_command,
    .presence = on_presence,
    .gone = on_gone,
};
