/*
 * What members are told about each other: a snapshot on entering, then what changed,
 * gathered for a quarter of a second, so that n joins cost n messages and not n².
 */
#include "modules/meetings/conductor.h"

#include <stdlib.h>
#include <string.h>

static const char *const kind_names[] = {"browser", "whip", "phone", "browser"};

static struct msg_participant participant_of(const struct member *member)
{
    return (struct msg_participant){
        .id = member->id,
        .name = member->name,
        .role = registry_role_name(member->role),
        .kind = kind_names[member->kind],
        .muted = member->muted,
        .camera = member->camera,
        .screen = member->screen,
        .online = member->online,
        .hand = member->hand_ms,
        .joined = member->joined_ms,
        .account = member->account[0] != '\0' ? member->account : NULL,
    };
}

static struct msg_meeting meeting_of(const struct meeting *meeting)
{
    return (struct msg_meeting){
        .id = meeting->id,
        .title = meeting->title,
        .link = meeting->link,
        .locked = meeting->locked,
        .lobby = meeting->lobby,
    };
}

/* ---- sending ---- */

void member_send(struct member *member, const char *type, const struct json_table *table,
                 const void *data)
{
    if (member->port == NULL)
        return;
    const char *json = json_encode(table, data, conductor_arena(member->meetings));
    if (json != NULL)
        member->meetings->config.ports->send(member->port, type, json);
}

void meeting_send_json(struct meeting *meeting, const struct member *but, const char *type,
                       const char *json)
{
    const struct meeting_port_ops *ports = meeting->meetings->config.ports;
    void *shared = json != NULL ? ports->share(type, json) : NULL;
    if (shared == NULL)
        return;
    for (struct member *member = meeting->first; member != NULL; member = member->next) {
        if (member->port != NULL && member->admitted && member != but)
            ports->send_shared(member->port, shared);
    }
    ports->unshare(shared);
}

void meeting_send(struct meeting *meeting, const struct member *but, const char *type,
                  const struct json_table *table, const void *data)
{
    meeting_send_json(meeting, but, type,
                      json_encode(table, data, conductor_arena(meeting->meetings)));
}

/* ---- what changed ---- */

static void roster_wake(struct meeting *meeting)
{
    meeting->roster_dirty = true;
    meeting_wake(meeting, MEETING_TICK_MS);
}

void roster_changed(struct member *member, enum roster_change change)
{
    if (!member_visible(member))
        return;
    if (member->change != ROSTER_JOINED)
        member->change = change;
    roster_wake(member->meeting);
}

void roster_left(struct member *member)
{
    struct meeting *meeting = member->meeting;
    if (member->change == ROSTER_JOINED) { /* nobody was told */
        member->change = ROSTER_NONE;
        return;
    }
    if (meeting->left_count == meeting->left_size) {
        size_t size = meeting->left_size > 0 ? meeting->left_size * 2 : 16;
        void *left = realloc(meeting->left, size * sizeof meeting->left[0]);
        if (left == NULL) { /* told now instead of gathered */
            struct msg_id gone = {.id = member->id};
            struct msg_roster roster = {.left = {.items = &gone, .count = 1}};
            meeting_send(meeting, member, "roster", &msg_roster_table, &roster);
            return;
        }
        meeting->left = left;
        meeting->left_size = size;
    }
    memcpy(meeting->left[meeting->left_count++], member->id, sizeof member->id);
    member->change = ROSTER_NONE;
    roster_wake(meeting);
}

static void roster_send(struct meeting *meeting)
{
    struct arena *arena = conductor_arena(meeting->meetings);
    struct msg_participant *joined = arena_alloc(arena, (meeting->count + 1) * sizeof *joined);
    struct msg_participant *updated = arena_alloc(arena, (meeting->count + 1) * sizeof *updated);
    struct msg_id *left = arena_alloc(arena, (meeting->left_count + 1) * sizeof *left);
    if (joined == NULL || updated == NULL || left == NULL)
        return;
    struct msg_roster roster = {{.items = joined}, {.items = updated}, {.items = left}};
    for (struct member *member = meeting->first; member != NULL; member = member->next) {
        if (member->change == ROSTER_JOINED)
            joined[roster.joined.count++] = participant_of(member);
        else if (member->change == ROSTER_UPDATED)
            updated[roster.updated.count++] = participant_of(member);
        member->change = ROSTER_NONE;
    }
    for (size_t i = 0; i < meeting->left_count; i++)
        left[roster.left.count++].id = meeting->left[i];
    meeting_send_json(meeting, NULL, "roster", json_encode(&msg_roster_table, &roster, arena));
    meeting->left_count = 0;
}

void roster_flush(struct meeting *meeting)
{
    if (!meeting->roster_dirty)
        return;
    uint64_t now_ms = loop_now_ms(meeting->meetings->loop);
    uint64_t due_ms = meeting->roster_ms + MEETING_ROSTER_MS;
    if (now_ms < due_ms) {
        meeting_wake(meeting, due_ms - now_ms);
        return;
    }
    meeting->roster_dirty = false;
    meeting->roster_ms = now_ms;
    roster_send(meeting);
}

/* ---- snapshots ---- */

void roster_send_ready(struct member *member)
{
    struct meeting *meeting = member->meeting;
    struct arena *arena = conductor_arena(meeting->meetings);
    struct msg_participant *all = arena_alloc(arena, (meeting->count + 1) * sizeof *all);
    if (all == NULL || member->port == NULL)
        return;
    struct msg_ready ready = {
        .session = member->session,
        .secret = member->secret,
        .self = member->id,
        .token = member->token,
        .role = registry_role_name(member->role),
        .meeting = meeting_of(meeting),
        .participants = {.items = all},
        .slots = {.voices = meeting->meetings->config.voices, .tiles = MEETING_TILES_MAX},
        .presenter = meeting->presenter != NULL ? meeting->presenter->id : NULL,
    };
    for (const struct member *other = meeting->first; other != NULL; other = other->next) {
        if (member_visible(other))
            all[ready.participants.count++] = participant_of(other);
    }
    const char *json = json_encode(&msg_ready_table, &ready, arena);
    if (json != NULL)
        meeting->meetings->config.ports->send(member->port, "ready", json);
}

void roster_send_waiting(struct member *member)
{
    struct msg_waiting waiting = {
        .session = member->session,
        .secret = member->secret,
        .self = member->id,
        .token = member->token,
        .meeting = meeting_of(member->meeting),
    };
    member_send(member, "waiting", &msg_waiting_table, &waiting);
}

void roster_send_lobby(struct meeting *meeting)
{
    struct arena *arena = conductor_arena(meeting->meetings);
    struct msg_knock *knocks = arena_alloc(arena, (meeting->count + 1) * sizeof *knocks);
    if (knocks == NULL)
        return;
    struct msg_lobby lobby = {{.items = knocks}};
    for (const struct member *member = meeting->first; member != NULL; member = member->next) {
        if (!member->admitted)
            knocks[lobby.waiting.count++] = (struct msg_knock){
                .id = member->id, .name = member->name, .since = member->joined_ms};
    }
    const char *json = json_encode(&msg_lobby_table, &lobby, arena);
    for (struct member *member = meeting->first; json != NULL && member != NULL;
         member = member->next) {
        if (member->port != NULL && member_is_host(member))
            meeting->meetings->config.ports->send(member->port, "lobby", json);
    }
}

/* Numbers are for hosts: what everybody sees of a caller is a name. */
void roster_send_callers(struct meeting *meeting)
{
    struct arena *arena = conductor_arena(meeting->meetings);
    struct msg_caller *callers = arena_alloc(arena, (meeting->count + 1) * sizeof *callers);
    if (callers == NULL)
        return;
    struct msg_callers message = {{.items = callers}};
    for (const struct member *member = meeting->first; member != NULL; member = member->next) {
        if (member->kind == MEMBER_PHONE)
            callers[message.callers.count++] = (struct msg_caller){
                .id = member->id, .number = member->number, .attestation = member->attestation};
    }
    if (message.callers.count == 0)
        return;
    const char *json = json_encode(&msg_callers_table, &message, arena);
    for (struct member *member = meeting->first; json != NULL && member != NULL;
         member = member->next) {
        if (member->port != NULL && member_is_host(member))
            meeting->meetings->config.ports->send(member->port, "callers", json);
    }
}

void roster_send_meeting(struct meeting *meeting)
{
    struct msg_meeting message = meeting_of(meeting);
    meeting_send(meeting, NULL, "meeting", &msg_meeting_table, &message);
}
