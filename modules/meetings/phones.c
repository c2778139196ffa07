/*
 * Telephone callers: participants whose connection is a leg (media/leg.h). Their call lives in
 * signalling/sip/, which opens and closes the leg; here it enters and leaves the room.
 */
#include "modules/meetings/conductor.h"

#include "core/clock.h"
#include "core/log.h"
#include "media/leg.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint32_t people(const struct meeting *meeting)
{
    uint32_t count = 0;
    for (const struct member *member = meeting->first; member != NULL; member = member->next)
        count += member_visible(member);
    return count;
}

void phone_notice(struct member *member, enum meeting_phone_notice notice)
{
    const struct meetings_config *config = &member->meetings->config;
    if (member->kind == MEMBER_PHONE && config->phone != NULL)
        config->phone(config->phone_context, member->leg, notice, people(member->meeting));
}

static struct member *phone_find(struct meetings *meetings, uint64_t leg)
{
    return map_get(meetings->legs, leg);
}

enum status phone_connect(struct member *member)
{
    struct meetings *meetings = member->meetings;
    enum status status = peer_open_leg(member);
    if (status != STATUS_OK)
        return status;
    media_leg_join(meetings->media, member->leg, member->meeting->room);
    metric_add(meetings->phone_legs, 1);
    stage_changed(member->meeting);
    phone_notice(member, MEETING_PHONE_ADMITTED);
    return STATUS_OK;
}

void phone_forget(struct member *member)
{
    if (member->kind != MEMBER_PHONE)
        return;
    map_remove(member->meetings->legs, member->leg);
    if (member->peer != NULL)
        metric_add(member->meetings->phone_legs, -1);
}

/* ---- joining ---- */

struct join_question {
    struct meetings *meetings;
    const struct meeting_phone_join *join;
    struct member *member;
    uint32_t people;
    enum status status;
};

static void join_answer(void *arg)
{
    struct join_question *question = arg;
    struct meetings *meetings = question->meetings;
    struct member *member = question->member;
    struct meeting *meeting;
    question->status = atomic_load(&meetings->draining)
                           ? STATUS_CLOSED
                           : meeting_enter(meetings, question->join->meeting, &meeting);
    if (question->status == STATUS_OK)
        question->status = member_enter(meeting, member);
    if (question->status != STATUS_OK)
        return;
    question->status = map_put(meetings->legs, member->leg, member);
    if (question->status == STATUS_OK && member->admitted)
        question->status = phone_connect(member);
    if (question->status != STATUS_OK) {
        member_exit(member);
        return;
    }
    question->people = people(meeting);
    if (member->admitted)
        roster_changed(member, ROSTER_JOINED);
    else
        roster_send_lobby(meeting);
    roster_send_callers(meeting);
}

enum status meetings_phone_join(struct meetings *meetings, const struct meeting_phone_join *join,
                                uint32_t *ret_people)
{
    struct member *member = calloc(1, sizeof *member);
    if (member == NULL)
        return STATUS_NO_MEMORY;
    member->kind = MEMBER_PHONE;
    member->leg = join->leg;
    member->admitted = join->admitted;
    snprintf(member->id, sizeof member->id, "%s", join->participant);
    snprintf(member->name, sizeof member->name, "%s", join->name);
    snprintf(member->number, sizeof member->number, "%s", join->number);
    member->attestation = join->attestation != NULL ? join->attestation : "";
    struct join_question question = {.meetings = meetings, .join = join, .member = member};
    enum status status = conductor_ask(meetings, join_answer, &question);
    if (status == STATUS_OK)
        status = question.status;
    if (status == STATUS_OK)
        *ret_people = question.people;
    else
        member_free(member);
    return status;
}

/* ---- what a caller does ---- */

struct phone_letter {
    struct meetings *meetings;
    uint64_t leg;
    bool on;
};

static void leave_read(void *arg)
{
    struct phone_letter *letter = arg;
    struct member *member = phone_find(letter->meetings, letter->leg);
    if (member != NULL) {
        member_exit(member);
        member_free(member);
    }
    free(letter);
}

static void mute_read(void *arg)
{
    struct phone_letter *letter = arg;
    struct member *member = phone_find(letter->meetings, letter->leg);
    if (member != NULL && member->admitted && member->muted != letter->on) {
        member->muted = letter->on;
        peer_gate(member, MEDIA_SOURCE_MICROPHONE, !member->muted);
        roster_changed(member, ROSTER_UPDATED);
    }
    free(letter);
}

static void hand_read(void *arg)
{
    struct phone_letter *letter = arg;
    struct member *member = phone_find(letter->meetings, letter->leg);
    if (member != NULL && member->admitted && letter->on != (member->hand_ms != 0)) {
        member->hand_ms = letter->on ? clock_wall_ms() : 0;
        roster_changed(member, ROSTER_UPDATED);
    }
    free(letter);
}

static void count_read(void *arg)
{
    struct phone_letter *letter = arg;
    struct member *member = phone_find(letter->meetings, letter->leg);
    if (member != NULL && member->admitted)
        phone_notice(member, MEETING_PHONE_COUNTED);
    free(letter);
}

static void tell(struct meetings *meetings, mailbox_fn *fn, uint64_t leg, bool on)
{
    struct phone_letter letter = {meetings, leg, on};
    conductor_letter(meetings, fn, &letter, sizeof letter);
}

void meetings_phone_leave(struct meetings *meetings, uint64_t leg)
{
    tell(meetings, leave_read, leg, false);
}

void meetings_phone_mute(struct meetings *meetings, uint64_t leg, bool muted)
{
    tell(meetings, mute_read, leg, muted);
}

void meetings_phone_hand(struct meetings *meetings, uint64_t leg, bool raised)
{
    tell(meetings, hand_read, leg, raised);
}

void meetings_phone_count(struct meetings *meetings, uint64_t leg)
{
    tell(meetings, count_read, leg, false);
}
