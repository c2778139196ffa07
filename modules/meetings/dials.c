/*
 * What is told in a meeting beside its members: calls that are being made out of it, and how a
 * poll stands.
 *
 * A call that has come to nothing stays in the list for MEETING_DIAL_KEEP_MS, so that who called
 * reads why; one that has joined is a member and leaves the list.
 */
#include "modules/meetings/conductor.h"
#include "modules/meetings/polls.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- calls out ---- */

static bool dial_over(const struct dial *dial)
{
    return dial->ended_ms != 0;
}

static struct dial *dial_find(struct meeting *meeting, uint64_t leg)
{
    for (size_t i = 0; i < meeting->dial_count; i++) {
        if (meeting->dials[i].leg == leg)
            return &meeting->dials[i];
    }
    return NULL;
}

static void dial_remove(struct meeting *meeting, struct dial *dial)
{
    size_t at = (size_t)(dial - meeting->dials);
    meeting->dial_count--;
    memmove(dial, dial + 1, (meeting->dial_count - at) * sizeof *dial);
}

static bool dial_seen_by(const struct dial *dial, const struct member *member)
{
    return member_is_host(member) || strcmp(dial->by, member->id) == 0;
}

void dials_send_to(struct member *member)
{
    struct meeting *meeting = member->meeting;
    struct msg_dial list[MEETING_DIALS_MAX];
    char ids[MEETING_DIALS_MAX][MEETING_DIAL_ID_MAX + 1];
    struct msg_dials dials = {.dials = {.items = list}};
    if (member->port == NULL || !member->admitted)
        return;
    for (size_t i = 0; i < meeting->dial_count; i++) {
        const struct dial *dial = &meeting->dials[i];
        if (!dial_seen_by(dial, member))
            continue;
        snprintf(ids[i], sizeof ids[i], "%" PRIu64, dial->leg);
        list[dials.dials.count++] = (struct msg_dial){.id = ids[i],
                                                      .by = dial->by,
                                                      .number = dial->number,
                                                      .name = dial->name,
                                                      .state = dial->state,
                                                      .code = dial->code};
    }
    member_send(member, "dials", &msg_dials_table, &dials);
}

static void dials_changed(struct meeting *meeting, const char *by)
{
    for (struct member *member = meeting->first; member != NULL; member = member->next) {
        if (member_is_host(member) || strcmp(by, member->id) == 0)
            dials_send_to(member);
    }
}

void dials_expire(struct meeting *meeting, uint64_t now_ms)
{
    for (size_t i = 0; i < meeting->dial_count;) {
        struct dial *dial = &meeting->dials[i];
        if (!dial_over(dial) || now_ms < dial->ended_ms + MEETING_DIAL_KEEP_MS) {
            i++;
            continue;
        }
        struct dial gone = *dial;
        dial_remove(meeting, dial);
        dials_changed(meeting, gone.by);
    }
    for (size_t i = 0; i < meeting->dial_count; i++) {
        if (dial_over(&meeting->dials[i]))
            meeting_wake(meeting, meeting->dials[i].ended_ms + MEETING_DIAL_KEEP_MS - now_ms);
    }
}

/* The meeting is over: so is what was being made out of it. */
void dials_end(struct meeting *meeting)
{
    const struct meetings_config *config = &meeting->meetings->config;
    for (size_t i = 0; i < meeting->dial_count && config->phone != NULL; i++) {
        if (!dial_over(&meeting->dials[i]))
            config->phone(config->phone_context, meeting->dials[i].leg, MEETING_PHONE_ENDED, 0);
    }
    meeting->dial_count = 0;
}

struct dial_question {
    struct meetings *meetings;
    const char *meeting, *participant, *id;
    const struct meeting_dial *dial;
    uint64_t leg;
    enum status status;
};

/* One that is over gives way to a new one. */
static bool dial_room(struct meeting *meeting)
{
    for (size_t i = 0; i < meeting->dial_count && meeting->dial_count == MEETING_DIALS_MAX; i++) {
        if (dial_over(&meeting->dials[i]))
            dial_remove(meeting, &meeting->dials[i]);
    }
    return meeting->dial_count < MEETING_DIALS_MAX;
}

static void add_answer(void *arg)
{
    struct dial_question *question = arg;
    struct meeting *meeting = meeting_find(question->meetings, question->meeting);
    if (meeting == NULL) {
        question->status = STATUS_NOT_FOUND;
        return;
    }
    if (!dial_room(meeting)) {
        question->status = STATUS_LIMIT;
        return;
    }
    struct dial *dial = &meeting->dials[meeting->dial_count++];
    *dial = (struct dial){.leg = question->dial->leg, .state = "calling"};
    snprintf(dial->by, sizeof dial->by, "%s", question->dial->by);
    snprintf(dial->number, sizeof dial->number, "%s", question->dial->number);
    snprintf(dial->name, sizeof dial->name, "%s", question->dial->name);
    dials_changed(meeting, dial->by);
}

enum status meetings_dial_add(struct meetings *meetings, const char *meeting,
                              const struct meeting_dial *dial)
{
    struct dial_question question = {.meetings = meetings, .meeting = meeting, .dial = dial};
    enum status status = conductor_ask(meetings, add_answer, &question);
    return status != STATUS_OK ? status : question.status;
}

static void find_answer(void *arg)
{
    struct dial_question *question = arg;
    struct meeting *meeting = meeting_find(question->meetings, question->meeting);
    struct dial *dial =
        meeting != NULL ? dial_find(meeting, strtoull(question->id, NULL, 10)) : NULL;
    const struct member *member = meeting != NULL && question->participant[0] != '\0'
                                      ? member_find(meeting, question->participant)
                                      : NULL;
    bool may = question->participant[0] == '\0' ||
               (dial != NULL && member != NULL && dial_seen_by(dial, member));
    question->status = dial != NULL && may ? STATUS_OK : STATUS_NOT_FOUND;
    if (question->status != STATUS_OK)
        return;
    question->leg = dial->leg;
    if (!dial_over(dial))
        return;
    struct dial gone = *dial; /* read: it need not stay */
    dial_remove(meeting, dial);
    dials_changed(meeting, gone.by);
}

enum status meetings_dial_find(struct meetings *meetings, const char *meeting,
                               const char *participant, const char *id, uint64_t *ret_leg)
{
    struct dial_question question = {
        .meetings = meetings, .meeting = meeting, .participant = participant, .id = id};
    enum status status = conductor_ask(meetings, find_answer, &question);
    if (status == STATUS_OK)
        status = question.status;
    if (status == STATUS_OK)
        *ret_leg = question.leg;
    return status;
}

struct dial_letter {
    struct meetings *meetings;
    char meeting[MEETING_ID_MAX + 1];
    uint64_t leg;
    const char *state;
    uint16_t code;
};

/* What a call is on the way to its end; all other states are ends. */
static bool on_its_way(const char *state)
{
    static const char *const states[] = {"calling", "ringing", "early", "answered"};
    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
        if (strcmp(states[i], state) == 0)
            return true;
    }
    return false;
}

static void state_read(void *arg)
{
    struct dial_letter letter = *(struct dial_letter *)arg;
    free(arg);
    struct meeting *meeting = meeting_find(letter.meetings, letter.meeting);
    struct dial *dial = meeting != NULL ? dial_find(meeting, letter.leg) : NULL;
    if (dial == NULL || dial_over(dial))
        return;
    struct dial told = *dial;
    dial->state = letter.state;
    dial->code = letter.code;
    if (strcmp(letter.state, "joined") == 0) {
        dial_remove(meeting, dial);
    } else if (!on_its_way(letter.state)) {
        dial->ended_ms = loop_now_ms(meeting->meetings->loop);
        meeting_wake(meeting, MEETING_DIAL_KEEP_MS);
    }
    dials_changed(meeting, told.by);
}

void meetings_dial_state(struct meetings *meetings, const char *meeting, uint64_t leg,
                         const char *state, uint16_t code)
{
    struct dial_letter letter = {.meetings = meetings, .leg = leg, .state = state, .code = code};
    snprintf(letter.meeting, sizeof letter.meeting, "%s", meeting);
    conductor_letter(meetings, state_read, &letter, sizeof letter);
}

/* ---- polls ---- */

struct poll_letter {
    struct meetings *meetings;
    char meeting[MEETING_ID_MAX + 1], id[CRYPTO_ID_CHARS + 1];
    int64_t revision;
    bool opened;
    char json[];
};

static void poll_send(struct meeting *meeting)
{
    if (meeting->poll == NULL)
        return;
    meeting_send_json(meeting, NULL, "poll", meeting->poll->json);
    free(meeting->poll);
    meeting->poll = NULL;
    meeting->poll_ms = loop_now_ms(meeting->meetings->loop);
}

void poll_flush(struct meeting *meeting, uint64_t now_ms)
{
    uint64_t due_ms = meeting->poll_ms + MEETING_ROSTER_MS;
    if (meeting->poll == NULL)
        return;
    if (meeting->poll_ms == 0 || now_ms >= due_ms)
        poll_send(meeting);
    else
        meeting_wake(meeting, due_ms - now_ms);
}

static void poll_callers_tell(struct meeting *meeting)
{
    for (struct member *member = meeting->first; member != NULL; member = member->next) {
        if (member->admitted)
            phone_notice(member, MEETING_PHONE_POLL);
    }
}

static void poll_read(void *arg)
{
    struct poll_letter *letter = arg;
    struct meeting *meeting = meeting_find(letter->meetings, letter->meeting);
    bool same = meeting != NULL && strcmp(meeting->poll_id, letter->id) == 0;
    /* Two votes may come here in the other order than they were written. */
    if (meeting == NULL || (same && letter->revision <= meeting->poll_revision)) {
        free(letter);
        return;
    }
    if (!same)
        poll_send(meeting);
    free(meeting->poll);
    meeting->poll = letter;
    meeting->poll_revision = letter->revision;
    memcpy(meeting->poll_id, letter->id, sizeof meeting->poll_id);
    meeting_wake(meeting, MEETING_TICK_MS);
    if (letter->opened)
        poll_callers_tell(meeting);
}

void polls_tell(struct meetings *meetings, const char *meeting, const struct poll *poll,
                struct arena *arena)
{
    const char *json = json_encode(&poll_table, poll, arena);
    size_t length = json != NULL ? strlen(json) + 1 : 0;
    struct poll_letter *letter = json != NULL ? arena_alloc(arena, sizeof *letter + length) : NULL;
    if (letter == NULL)
        return;
    letter->meetings = meetings;
    letter->revision = poll->revision;
    letter->opened = poll->revision == 1;
    snprintf(letter->meeting, sizeof letter->meeting, "%s", meeting);
    snprintf(letter->id, sizeof letter->id, "%s", poll->id);
    memcpy(letter->json, json, length);
    conductor_letter(meetings, poll_read, letter, sizeof *letter + length);
}
