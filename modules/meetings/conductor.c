/*
 * The conductor: one thread, one loop. Calls from other threads are questions
 * (core/call.h); the media side's events are letters. Changes are gathered for a tick, so
 * that a hundred joins cost one roster message and one look at the slots.
 */
#include "modules/meetings/conductor.h"

#include "core/call.h"
#include "core/clock.h"
#include "core/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double join_bounds[] = {0.05, 0.1, 0.2, 0.3, 0.5, 0.8, 1.2, 2, 5, 10};

enum status meetings_new(const struct meetings_config *config, struct meetings **ret_meetings)
{
    struct meetings *meetings = calloc(1, sizeof *meetings);
    if (meetings == NULL)
        return STATUS_NO_MEMORY;
    meetings->config = *config;
    atomic_init(&meetings->next_transport, 1);
    atomic_init(&meetings->draining, false);
    struct map **maps[] = {&meetings->by_id, &meetings->by_room, &meetings->peers,
                           &meetings->resources, &meetings->legs};
    enum status status = loop_new("conductor", &meetings->loop);
    for (size_t i = 0; status == STATUS_OK && i < sizeof maps / sizeof maps[0]; i++)
        status = map_new(maps[i]);
    if (status == STATUS_OK)
        status = arena_new(CONDUCTOR_ARENA_MAX, &meetings->arena);
    if (status != STATUS_OK) {
        meetings_free(meetings);
        return status;
    }
    struct metrics *metrics = config->metrics;
    meetings->participants =
        metrics_gauge(metrics, "parley_participants", "", "People in meetings now.");
    meetings->phone_legs =
        metrics_gauge(metrics, "parley_phone_legs", "", "Telephone callers in meetings now.");
    meetings->players =
        metrics_gauge(metrics, "parley_players", "", "WHEP viewers of meetings now.");
    meetings->live =
        metrics_gauge(metrics, "parley_meetings", "", "Meetings with somebody in them.");
    meetings->join_seconds = metrics_histogram(
        metrics, "parley_join_seconds", "", "From a client's offer to its encrypted connection.",
        join_bounds, sizeof join_bounds / sizeof join_bounds[0]);
    statistics_metrics_init(&meetings->statistics, metrics);
    *ret_meetings = meetings;
    return STATUS_OK;
}

static void *conductor_main(void *arg)
{
    struct meetings *meetings = arg;
    loop_run(meetings->loop);
    return NULL;
}

static double conductor_queue(void *context)
{
    const struct meetings *meetings = context;
    return (double)loop_letters(meetings->loop);
}

enum status meetings_start(struct meetings *meetings, struct media *media)
{
    meetings->media = media;
    if (pthread_create(&meetings->thread, NULL, conductor_main, meetings) != 0)
        return STATUS_NO_MEMORY;
    meetings->started = true;
    metrics_gauge_read(meetings->config.metrics, "parley_queue_length", "queue=\"conductor\"",
                       "Entries waiting in a queue.", conductor_queue, meetings);
    return STATUS_OK;
}

void meetings_drain(struct meetings *meetings)
{
    atomic_store(&meetings->draining, true);
}

static void members_drop(struct meetings *meetings)
{
    size_t cursor = 0;
    struct meeting *meeting;
    while ((meeting = map_next(meetings->by_id, &cursor)) != NULL) {
        cursor = 0; /* the last member out takes the meeting with it */
        struct member *member = meeting->first;
        member_exit(member);
        member_free(member);
    }
}

void meetings_stop(struct meetings *meetings)
{
    if (!meetings->started)
        return;
    loop_stop(meetings->loop);
    pthread_join(meetings->thread, NULL);
    meetings->started = false;
    members_drop(meetings);
}

struct meetings *meetings_free(struct meetings *meetings)
{
    if (meetings == NULL)
        return NULL;
    map_free(meetings->by_id);
    map_free(meetings->by_room);
    map_free(meetings->peers);
    map_free(meetings->resources);
    map_free(meetings->legs);
    arena_free(meetings->arena);
    loop_free(meetings->loop);
    free(meetings);
    return NULL;
}

uint64_t meetings_transport_id(struct meetings *meetings)
{
    return atomic_fetch_add(&meetings->next_transport, 1);
}

uint64_t meetings_transports(const struct meetings *meetings)
{
    return atomic_load(&meetings->next_transport) - 1;
}

enum status conductor_ask(struct meetings *meetings, mailbox_fn *fn, void *arg)
{
    return loop_call(meetings->loop, fn, arg);
}

struct arena *conductor_arena(struct meetings *meetings)
{
    arena_reset(meetings->arena);
    return meetings->arena;
}

/* ---- meetings ---- */

struct meeting *meeting_find(struct meetings *meetings, const char *id)
{
    struct meeting *meeting = map_get(meetings->by_id, map_key_of(id));
    return meeting != NULL && strcmp(meeting->id, id) == 0 ? meeting : NULL;
}

static void meeting_tick(void *context)
{
    struct meeting *meeting = context;
    uint64_t now_ms = loop_now_ms(meeting->meetings->loop);
    if (meeting->stage_dirty) {
        meeting->stage_dirty = false;
        stage_update(meeting, now_ms);
    }
    roster_flush(meeting);
    dials_expire(meeting, now_ms);
    poll_flush(meeting, now_ms);
}

void meeting_wake(struct meeting *meeting, uint64_t delay_ms)
{
    struct loop *loop = meeting->meetings->loop;
    if (!loop_timer_running(&meeting->tick) || meeting->tick.due_ms > loop_now_ms(loop) + delay_ms)
        loop_timer_start(loop, &meeting->tick, delay_ms);
}

static struct meeting *meeting_free(struct meeting *meeting)
{
    if (meeting == NULL)
        return NULL;
    map_free(meeting->by_id);
    free(meeting->left);
    free(meeting->poll);
    free(meeting);
    return NULL;
}

enum status meeting_enter(struct meetings *meetings, const struct registry_meeting *record,
                          struct meeting **ret_meeting)
{
    struct meeting *meeting = meeting_find(meetings, record->id);
    if (meeting != NULL) {
        *ret_meeting = meeting;
        return STATUS_OK;
    }
    if (atomic_load(&meetings->draining))
        return STATUS_CLOSED;
    if (map_count(meetings->by_id) >= MEETINGS_LIVE_MAX)
        return STATUS_LIMIT;
    meeting = calloc(1, sizeof *meeting);
    if (meeting == NULL || map_new(&meeting->by_id) != STATUS_OK) {
        meeting_free(meeting);
        return STATUS_NO_MEMORY;
    }
    meeting->meetings = meetings;
    snprintf(meeting->id, sizeof meeting->id, "%s", record->id);
    snprintf(meeting->title, sizeof meeting->title, "%s", record->title);
    snprintf(meeting->link, sizeof meeting->link, "/m/%s", record->id);
    meeting->locked = record->locked;
    meeting->lobby = record->lobby;
    meeting->room = ++meetings->next_room;
    meeting->tick =
        (struct loop_timer){.name = "meeting_tick", .fn = meeting_tick, .context = meeting};
    uint64_t key = map_key_of(meeting->id);
    if (map_put(meetings->by_id, key, meeting) != STATUS_OK) {
        meeting_free(meeting);
        return STATUS_NO_MEMORY;
    }
    if (map_put(meetings->by_room, meeting->room, meeting) != STATUS_OK) {
        map_remove(meetings->by_id, key);
        meeting_free(meeting);
        return STATUS_NO_MEMORY;
    }
    metric_add(meetings->live, 1);
    *ret_meeting = meeting;
    return STATUS_OK;
}

static void meeting_leave_if_empty(struct meeting *meeting)
{
    if (meeting->first != NULL)
        return;
    struct meetings *meetings = meeting->meetings;
    dials_end(meeting);
    loop_timer_stop(meetings->loop, &meeting->tick);
    map_remove(meetings->by_id, map_key_of(meeting->id));
    map_remove(meetings->by_room, meeting->room);
    metric_add(meetings->live, -1);
    meeting_free(meeting);
}

struct count_question {
    struct meetings *meetings;
    const char *id;
    uint32_t count;
};

static void count_answer(void *arg)
{
    struct count_question *question = arg;
    const struct meeting *meeting = meeting_find(question->meetings, question->id);
    for (const struct member *member = meeting != NULL ? meeting->first : NULL; member != NULL;
         member = member->next)
        question->count += member_visible(member);
}

uint32_t meetings_count(struct meetings *meetings, const char *meeting_id)
{
    struct count_question question = {.meetings = meetings, .id = meeting_id};
    return conductor_ask(meetings, count_answer, &question) == STATUS_OK ? question.count : 0;
}

struct empty_question {
    const struct meetings *meetings;
    bool empty;
};

static void empty_answer(void *arg)
{
    struct empty_question *question = arg;
    question->empty = map_count(question->meetings->by_id) == 0;
}

bool meetings_empty(struct meetings *meetings)
{
    struct empty_question question = {.meetings = meetings};
    return conductor_ask(meetings, empty_answer, &question) == STATUS_OK && question.empty;
}

/* ---- members ---- */

bool member_visible(const struct member *member)
{
    return member->admitted && !member->away && member->kind != MEMBER_PLAYER;
}

bool member_is_host(const struct member *member)
{
    return member->admitted && member->role != REGISTRY_PARTICIPANT;
}

struct member *member_find(struct meeting *meeting, const char *id)
{
    struct member *member = map_get(meeting->by_id, map_key_of(id));
    return member != NULL && strcmp(member->id, id) == 0 ? member : NULL;
}

static void member_goes_away(void *context)
{
    struct member *member = context;
    member->away = true;
    roster_left(member);
    if (member->meeting->presenter == member)
        stage_present(member->meeting, NULL, false);
    stage_changed(member->meeting);
}

enum status member_enter(struct meeting *meeting, struct member *member)
{
    size_t most = member->kind == MEMBER_PLAYER ? MEETING_PLAYERS_MAX : MEETING_MEMBERS_MAX;
    size_t *count = member->kind == MEMBER_PLAYER ? &meeting->player_count : &meeting->count;
    enum status status =
        *count < most ? map_put(meeting->by_id, map_key_of(member->id), member) : STATUS_LIMIT;
    if (status != STATUS_OK) {
        meeting_leave_if_empty(meeting);
        return status;
    }
    ++*count;
    member->meetings = meeting->meetings;
    member->meeting = meeting;
    member->joined_ms = clock_wall_ms();
    member->online = true;
    member->away_timer =
        (struct loop_timer){.name = "member_away", .fn = member_goes_away, .context = member};
    member->prev = meeting->last;
    if (meeting->last != NULL)
        meeting->last->next = member;
    else
        meeting->first = member;
    meeting->last = member;
    metric_add(member->kind == MEMBER_PLAYER ? meeting->meetings->players
                                             : meeting->meetings->participants,
               1);
    return STATUS_OK;
}

void member_exit(struct member *member)
{
    struct meeting *meeting = member->meeting;
    if (meeting == NULL)
        return;
    struct meetings *meetings = meeting->meetings;
    loop_timer_stop(meetings->loop, &member->away_timer);
    phone_forget(member);
    peer_close(member);
    if (member_visible(member))
        roster_left(member);
    if (meeting->presenter == member)
        stage_present(meeting, NULL, false);
    if (member_find(meeting, member->id) == member) /* else it was replaced */
        map_remove(meeting->by_id, map_key_of(member->id));
    if (member->port == NULL)
        map_remove(meetings->resources, map_key_of(member->token));
    if (member->prev != NULL)
        member->prev->next = member->next;
    else
        meeting->first = member->next;
    if (member->next != NULL)
        member->next->prev = member->prev;
    else
        meeting->last = member->prev;
    member->next = member->prev = NULL;
    bool player = member->kind == MEMBER_PLAYER;
    --*(player ? &meeting->player_count : &meeting->count);
    metric_add(player ? meetings->players : meetings->participants, -1);
    member->meeting = NULL;
    if (!member->admitted)
        roster_send_lobby(meeting);
    stage_changed(meeting);
    meeting_leave_if_empty(meeting);
}

struct member *member_free(struct member *member)
{
    if (member == NULL)
        return NULL;
    free(member->lines);
    free(member->report);
    free(member);
    return NULL;
}

/* ---- joining and leaving ---- */

struct join_question {
    struct meetings *meetings;
    const struct meeting_join *join;
    struct member *member;
    enum status status;
};

/* `known`: others already see this participant, by an earlier session. */
static void member_show(struct member *member, bool known)
{
    if (!member->admitted) {
        roster_send_waiting(member);
        roster_send_lobby(member->meeting);
        return;
    }
    roster_send_ready(member);
    roster_changed(member, known ? ROSTER_UPDATED : ROSTER_JOINED);
    if (member_is_host(member)) {
        roster_send_lobby(member->meeting);
        roster_send_callers(member->meeting);
    }
    if (member->meeting->dial_count > 0)
        dials_send_to(member);
    stage_changed(member->meeting);
}

/* The same participant came by another session: the earlier one ends, unseen by others. */
static bool member_replaced(struct member *before)
{
    bool known = member_visible(before) && before->change != ROSTER_JOINED;
    struct msg_reason why = {.reason = "elsewhere"};
    member_send(before, "removed", &msg_reason_table, &why);
    if (before->port != NULL)
        before->meetings->config.ports->end(before->port, "ended", "elsewhere");
    before->away = true;
    member_exit(before);
    return known;
}

static void join_answer(void *arg)
{
    struct join_question *question = arg;
    struct meetings *meetings = question->meetings;
    struct member *member = question->member;
    struct meeting *meeting;
    question->status = atomic_load(&meetings->draining)
                           ? STATUS_CLOSED
                           : meeting_enter(meetings, question->join->meeting, &meeting);
    if (question->status != STATUS_OK)
        return;
    struct member *before = member_find(meeting, member->id);
    question->status = member_enter(meeting, member);
    if (question->status != STATUS_OK)
        return;
    bool known = false;
    if (before != NULL) {
        member->hand_ms = before->hand_ms;
        known = member_replaced(before);
    }
    member_show(member, known);
}

enum status meetings_join(struct meetings *meetings, const struct meeting_join *join,
                          struct meeting_member **ret_member)
{
    struct member *member = calloc(1, sizeof *member);
    if (member == NULL)
        return STATUS_NO_MEMORY;
    snprintf(member->id, sizeof member->id, "%s", join->participant);
    snprintf(member->token, sizeof member->token, "%s", join->token);
    snprintf(member->name, sizeof member->name, "%s", join->name);
    if (join->account != NULL)
        snprintf(member->account, sizeof member->account, "%s", join->account);
    snprintf(member->session, sizeof member->session, "%s", join->session);
    snprintf(member->secret, sizeof member->secret, "%s", join->secret);
    member->role = join->role;
    member->admitted = join->admitted;
    member->muted = !join->audio;
    member->camera = join->video;
    member->port = join->port;
    struct join_question question = {.meetings = meetings, .join = join, .member = member};
    enum status status = conductor_ask(meetings, join_answer, &question);
    if (status == STATUS_OK)
        status = question.status;
    if (status != STATUS_OK) {
        member_free(member);
        return status;
    }
    *ret_member = (struct meeting_member *)member;
    return STATUS_OK;
}

struct presence_letter {
    struct member *member;
    bool online;
};

static void online_answer(void *arg)
{
    const struct presence_letter *letter = arg;
    struct member *member = letter->member;
    if (member->meeting == NULL || member->online == letter->online)
        return;
    struct loop *loop = member->meetings->loop;
    member->online = letter->online;
    if (!letter->online) {
        loop_timer_start(loop, &member->away_timer, MEETING_AWAY_MS);
        roster_changed(member, ROSTER_UPDATED);
        return;
    }
    loop_timer_stop(loop, &member->away_timer);
    if (member->away) {
        member->away = false;
        roster_changed(member, ROSTER_JOINED);
        stage_changed(member->meeting);
    } else {
        roster_changed(member, ROSTER_UPDATED);
    }
}

void meetings_online(struct meetings *meetings, struct meeting_member *member, bool online)
{
    struct presence_letter letter = {.member = (struct member *)member, .online = online};
    (void)!conductor_ask(meetings, online_answer, &letter);
}

static void leave_answer(void *arg)
{
    member_exit(arg);
}

void meetings_leave(struct meetings *meetings, struct meeting_member *member)
{
    /* When the conductor has ended, meetings_stop takes whoever is still in. */
    if (conductor_ask(meetings, leave_answer, member) == STATUS_OK)
        member_free((struct member *)member);
}

struct look_question {
    const struct member *member;
    struct meeting_view *view;
};

static void look_answer(void *arg)
{
    struct look_question *question = arg;
    const struct member *member = question->member;
    struct meeting_view *view = question->view;
    view->removed = member->meeting == NULL;
    if (member->meeting != NULL)
        snprintf(view->meeting, sizeof view->meeting, "%s", member->meeting->id);
    snprintf(view->participant, sizeof view->participant, "%s", member->id);
    snprintf(view->name, sizeof view->name, "%s", member->name);
    view->role = member->role;
    view->admitted = member->admitted;
}

void meetings_look(struct meetings *meetings, struct meeting_member *member,
                   struct meeting_view *ret_view)
{
    *ret_view = (struct meeting_view){.removed = true};
    struct look_question question = {.member = (const struct member *)member, .view = ret_view};
    (void)!conductor_ask(meetings, look_answer, &question);
}

struct waiting_question {
    const struct member *member;
    struct arena *arena;
    struct json_list *list;
    enum status status;
};

static void waiting_answer(void *arg)
{
    struct waiting_question *question = arg;
    const struct meeting *meeting = question->member->meeting;
    size_t most = meeting != NULL ? meeting->count : 0;
    const char **ids = arena_alloc(question->arena, (most + 1) * sizeof *ids);
    *question->list = (struct json_list){.items = ids};
    question->status = ids != NULL ? STATUS_OK : STATUS_NO_MEMORY;
    for (const struct member *member = most > 0 ? meeting->first : NULL;
         member != NULL && question->status == STATUS_OK; member = member->next) {
        if (member->admitted)
            continue;
        const char *id = arena_strdup(question->arena, member->id);
        if (id == NULL)
            question->status = STATUS_NO_MEMORY;
        else
            ids[question->list->count++] = id;
    }
}

enum status meetings_waiting(struct meetings *meetings, struct meeting_member *member,
                             struct arena *arena, struct json_list *ret_ids)
{
    struct waiting_question question = {
        .member = (const struct member *)member, .arena = arena, .list = ret_ids};
    enum status status = conductor_ask(meetings, waiting_answer, &question);
    return status != STATUS_OK ? status : question.status;
}

struct broadcast_question {
    struct meetings *meetings;
    const char *meeting, *type, *json;
};

static void broadcast_answer(void *arg)
{
    const struct broadcast_question *question = arg;
    struct meeting *meeting = meeting_find(question->meetings, question->meeting);
    if (meeting != NULL)
        meeting_send_json(meeting, NULL, question->type, question->json);
}

void meetings_broadcast(struct meetings *meetings, const char *meeting_id, const char *type,
                        const char *json)
{
    struct broadcast_question question = {meetings, meeting_id, type, json};
    (void)!conductor_ask(meetings, broadcast_answer, &question);
}
