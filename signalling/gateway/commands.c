#include "signalling/gateway/commands.h"

#include "core/log.h"
#include "modules/meetings/statistics.h"
#include "signalling/gateway/chat_commands.h"
#include "signalling/gateway/client.h"
#include "signalling/gateway/host_commands.h"
#include "signalling/gateway/media_commands.h"
#include "signalling/gateway/phone_commands.h"
#include "signalling/gateway/space_feed.h"
#include "signalling/gateway/space_live.h"
#include "signalling/gateway/space_people.h"

#include <string.h>

enum { COMMANDS_ARENA_MAX = 8 << 20 /* bytes of an identify */ };

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

/* ---- sessions ---- */

static void on_identify(void *context, struct gateway_session *session, const struct json *d)
{
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
        status = client_identify(context, session, &message, arena, &code);
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
    struct client *client = gateway_session_context(session);
    if (client == NULL)
        return;
    if (client->member != NULL)
        meetings_online(commands->meetings, client->member, online);
    signed_in_connected(commands->signed_in, &client->signed_in, online);
}

static void on_gone(void *context, struct gateway_session *session)
{
    client_gone(context, session);
}

/* ---- the table ---- */

/* In which sessions. */
enum command_where { IN_MEETING, IN_SPACES, ANYWHERE };

static const struct command {
    struct command_info info;
    enum status (*run)(struct call *call);
    enum command_where where;
} command_table[] = {
    {{"media.offer", &msg_offer_table, "`{sdp, slots[]}`"}, media_command_offer, IN_MEETING},
    {{"media.close", &msg_empty_table, NULL}, media_command_close, IN_MEETING},
    {{"media.view", &msg_view_table, NULL}, media_command_view, IN_MEETING},
    {{"self.update", &msg_self_update_table, NULL}, self_command_update, IN_MEETING},
    {{"self.stats", &msg_stats_table, NULL}, self_command_stats, IN_MEETING},
    {{"hand", &msg_hand_table, NULL}, self_command_hand, IN_MEETING},
    {{"reaction", &msg_reaction_table, NULL}, self_command_reaction, IN_MEETING},
    {{"screen.start", &msg_screen_start_table, NULL}, self_command_screen_start, IN_MEETING},
    {{"screen.stop", &msg_empty_table, NULL}, self_command_screen_stop, IN_MEETING},
    {{"chat.send", &msg_chat_send_table, "`{message}`"}, chat_command_send, IN_MEETING},
    {{"chat.edit", &msg_chat_edit_table, "`{message}`"}, chat_command_edit, IN_MEETING},
    {{"chat.delete", &msg_chat_id_table, "`{message}`"}, chat_command_delete, IN_MEETING},
    {{"chat.react", &msg_chat_react_table, "`{message}`"}, chat_command_react, IN_MEETING},
    {{"chat.drop_preview", &msg_chat_preview_table, "`{message}`"},
     chat_command_drop_preview,
     IN_MEETING},
    {{"chat.typing", &msg_empty_table, NULL}, chat_command_typing, IN_MEETING},
    {{"chat.history", &msg_chat_history_table,
      "`{messages[], more}`, oldest first; in a meeting of a space also `self`, the author one is, "
      "and `moderates`"},
     chat_command_history,
     IN_MEETING},
    {{"phone.info", &msg_empty_table, "`{pin, numbers[], dial}`"}, phone_command_info, IN_MEETING},
    {{"phone.dial", &msg_dial_wish_table, "`{id}`"}, phone_command_dial, IN_MEETING},
    {{"phone.cancel", &msg_dial_id_table, NULL}, phone_command_cancel, IN_MEETING},
    {{"poll.open", &msg_poll_new_table, "the poll"}, poll_command_open, IN_MEETING},
    {{"poll.vote", &msg_poll_vote_table, "the poll"}, poll_command_vote, IN_MEETING},
    {{"poll.close", &msg_poll_id_table, "the poll"}, poll_command_close, IN_MEETING},
    {{"poll.list", &msg_empty_table, "`{polls[]}`, newest first"}, poll_command_list, IN_MEETING},
    {{"host.pin", &msg_pin_table, "`{pin, numbers[], dial}`"}, phone_command_pin, IN_MEETING},
    {{"host.mute", &msg_target_table, NULL}, host_command_mute, IN_MEETING},
    {{"host.ask_unmute", &msg_target_table, NULL}, host_command_ask_unmute, IN_MEETING},
    {{"host.stop", &msg_stop_table, NULL}, host_command_stop, IN_MEETING},
    {{"host.remove", &msg_target_table, NULL}, host_command_remove, IN_MEETING},
    {{"host.rename", &msg_rename_table, NULL}, host_command_rename, IN_MEETING},
    {{"host.role", &msg_role_table, NULL}, host_command_role, IN_MEETING},
    {{"host.admit", &msg_target_table, NULL}, host_command_admit, IN_MEETING},
    {{"host.refuse", &msg_target_table, NULL}, host_command_refuse, IN_MEETING},
    {{"host.set", &msg_meeting_set_table, NULL}, host_command_set, IN_MEETING},
    {{"host.lower_hand", &msg_target_table, NULL}, host_command_lower_hand, IN_MEETING},
    {{"host.end", &msg_empty_table, NULL}, host_command_end, IN_MEETING},
    {{"space.typing", &msg_space_typing_table, NULL}, space_live_typing, IN_SPACES},
    {{"space.events", &msg_space_events_table,
      "`{items[], last, more}`, as `GET /events`; code `limited`: not kept any more, load all "
      "anew"},
     space_feed_events,
     IN_SPACES},
    {{"space.here", &msg_space_here_table, NULL}, space_people_here, IN_SPACES},
    {{"space.people", &msg_empty_table,
      "`{people[]}`: who is there of those with whom I share a space; whoever is not named is not. "
      "In any session of who is signed in"},
     space_people_list,
     ANYWHERE},
    {{"leave", &msg_empty_table, NULL}, self_command_leave, IN_MEETING},
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
    if (command->where == (client->member == NULL ? IN_MEETING : IN_SPACES)) {
        gateway_reply_error(session, s, "denied", "not in a session of this kind", NULL);
        return;
    }
    if (client_check(context, session, client, arena) != STATUS_OK) {
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
