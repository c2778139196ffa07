/*
 * WHIP and WHEP: publishers are participants without a gateway session, viewers are
 * subscribers whom nobody sees. Both live as long as their transport, and are reached by
 * the secret at the end of their resource's URL.
 */
#include "modules/meetings/conductor.h"

#include "core/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct enter_question {
    struct meetings *meetings;
    const struct meeting_whip *whip;
    struct member *member;
    enum status status;
};

/* Somebody who sends a picture or a voice. */
static bool publishes(const struct member *member)
{
    return member_visible(member) && member->peer != NULL && member->peer->spec->track_count > 0;
}

static struct member *publisher_named(struct meeting *meeting, const char *name)
{
    for (struct member *member = meeting->first; member != NULL; member = member->next) {
        if (publishes(member) && strcmp(member->name, name) == 0)
            return member;
    }
    return NULL;
}

static enum status enter(struct enter_question *question, struct meeting *meeting)
{
    struct meetings *meetings = question->meetings;
    struct member *member = question->member;
    enum status status = map_put(meetings->resources, map_key_of(member->token), member);
    if (status != STATUS_OK)
        return status;
    status = member_enter(meeting, member);
    if (status != STATUS_OK) {
        map_remove(meetings->resources, map_key_of(member->token));
        return status;
    }
    status = peer_open(member, question->whip->spec);
    if (status != STATUS_OK)
        member_exit(member);
    return status;
}

static void whip_answer(void *arg)
{
    struct enter_question *question = arg;
    struct meeting *meeting;
    struct member *member = question->member;
    question->status = meeting_enter(question->meetings, question->whip->meeting, &meeting);
    if (question->status != STATUS_OK)
        return;
    const struct member *same = publisher_named(meeting, member->name);
    if (same != NULL && same->kind == MEMBER_WHIP) {
        question->status = STATUS_EXISTS;
        return;
    }
    question->status = enter(question, meeting);
    if (question->status != STATUS_OK)
        return;
    member->muted = member->peer->track_of[MEDIA_SOURCE_MICROPHONE] < 0;
    member->camera = member->peer->track_of[MEDIA_SOURCE_CAMERA] >= 0;
    roster_changed(member, ROSTER_JOINED);
}

static size_t lines_needed(const struct media_transport_spec *spec)
{
    size_t audio = 0, video = 0;
    for (size_t i = 0; i < spec->slot_count; i++)
        ++*(spec->slots[i].kind == MEDIA_AUDIO ? &audio : &video);
    return audio > video ? audio : video;
}

static void whep_answer(void *arg)
{
    struct enter_question *question = arg;
    struct member *member = question->member;
    struct meeting *meeting = meeting_find(question->meetings, question->whip->meeting->id);
    const struct member *one = NULL;
    if (meeting != NULL && !member->from_all)
        one = publisher_named(meeting, question->whip->name);
    if (meeting == NULL || (!member->from_all && one == NULL)) {
        question->status = STATUS_NOT_FOUND;
        return;
    }
    if (one != NULL)
        memcpy(member->lines[0], one->id, sizeof one->id);
    question->status = enter(question, meeting);
}

/* Lines of those who left are free again; who is in no line takes the first free one. */
void publishers_lines(struct member *player)
{
    if (!player->from_all)
        return;
    struct meeting *meeting = player->meeting;
    for (size_t i = 0; i < player->line_count; i++) {
        if (player->lines[i][0] != '\0' && member_find(meeting, player->lines[i]) == NULL)
            player->lines[i][0] = '\0';
    }
    for (const struct member *member = meeting->first; member != NULL; member = member->next) {
        if (!publishes(member))
            continue;
        size_t free_line = player->line_count;
        bool placed = false;
        for (size_t i = player->line_count; i-- > 0;) {
            placed |= strcmp(player->lines[i], member->id) == 0;
            if (player->lines[i][0] == '\0')
                free_line = i;
        }
        if (!placed && free_line < player->line_count)
            memcpy(player->lines[free_line], member->id, sizeof member->id);
    }
}

static enum status member_make(const struct meeting_whip *whip, enum member_kind kind,
                               struct member **ret_member)
{
    struct member *member = calloc(1, sizeof *member);
    if (member == NULL)
        return STATUS_NO_MEMORY;
    member->kind = kind;
    member->admitted = true;
    member->viewed = true;
    crypto_token(member->token);
    snprintf(member->name, sizeof member->name, "%s", whip->name);
    if (whip->participant != NULL)
        snprintf(member->id, sizeof member->id, "%s", whip->participant);
    else
        crypto_id(member->id);
    if (kind == MEMBER_PLAYER) {
        member->from_all = strcmp(whip->name, "all") == 0;
        member->line_count = lines_needed(whip->spec);
        member->lines = calloc(member->line_count + 1, sizeof *member->lines);
        if (member->lines == NULL) {
            member_free(member);
            return STATUS_NO_MEMORY;
        }
    }
    *ret_member = member;
    return STATUS_OK;
}

static enum status whip_enter(struct meetings *meetings, const struct meeting_whip *whip,
                              enum member_kind kind, mailbox_fn *fn, char *ret_resource)
{
    struct member *member;
    enum status status = member_make(whip, kind, &member);
    if (status != STATUS_OK)
        return status;
    char resource[CRYPTO_TOKEN_CHARS + 1];
    memcpy(resource, member->token, sizeof resource);
    struct enter_question question = {.meetings = meetings, .whip = whip, .member = member};
    status = conductor_ask(meetings, fn, &question);
    if (status == STATUS_OK)
        status = question.status;
    if (status != STATUS_OK) {
        member_free(member);
        return status;
    }
    memcpy(ret_resource, resource, sizeof resource);
    return STATUS_OK;
}

enum status meetings_whip_join(struct meetings *meetings, const struct meeting_whip *whip,
                               char *ret_resource)
{
    return whip_enter(meetings, whip, MEMBER_WHIP, whip_answer, ret_resource);
}

enum status meetings_whep_join(struct meetings *meetings, const struct meeting_whip *whip,
                               char *ret_resource)
{
    return whip_enter(meetings, whip, MEMBER_PLAYER, whep_answer, ret_resource);
}

/* ---- resources ---- */

struct resource_question {
    struct meetings *meetings;
    const char *resource;
    struct media_transport_spec *spec;
    const struct media_ice *ice;
    enum status status;
};

static struct member *resource_find(const struct resource_question *question)
{
    struct member *member = map_get(question->meetings->resources, map_key_of(question->resource));
    return member != NULL && strlen(question->resource) == CRYPTO_TOKEN_CHARS &&
                   crypto_equal(member->token, question->resource, CRYPTO_TOKEN_CHARS)
               ? member
               : NULL;
}

static void resource_spec_answer(void *arg)
{
    struct resource_question *question = arg;
    const struct member *member = resource_find(question);
    if (member == NULL || member->peer == NULL) {
        question->status = STATUS_NOT_FOUND;
        return;
    }
    const struct media_transport_spec *spec = member->peer->spec;
    memcpy(question->spec, spec, media_transport_spec_size(spec));
}

static void resource_restart_answer(void *arg)
{
    struct resource_question *question = arg;
    const struct member *member = resource_find(question);
    if (member == NULL || member->peer == NULL) {
        question->status = STATUS_NOT_FOUND;
        return;
    }
    question->status =
        media_transport_restart(question->meetings->media, member->peer->id, question->ice);
    if (question->status == STATUS_OK)
        member->peer->spec->ice = *question->ice;
}

static void resource_leave_answer(void *arg)
{
    struct resource_question *question = arg;
    struct member *member = resource_find(question);
    if (member == NULL) {
        question->status = STATUS_NOT_FOUND;
        return;
    }
    member_exit(member);
    member_free(member);
}

static enum status resource_ask(mailbox_fn *fn, struct resource_question *question)
{
    enum status status = conductor_ask(question->meetings, fn, question);
    return status != STATUS_OK ? status : question->status;
}

enum status meetings_resource(struct meetings *meetings, const char *resource,
                              struct media_transport_spec *ret_spec)
{
    struct resource_question question = {
        .meetings = meetings, .resource = resource, .spec = ret_spec};
    return resource_ask(resource_spec_answer, &question);
}

enum status meetings_resource_restart(struct meetings *meetings, const char *resource,
                                      const struct media_ice *ice)
{
    struct resource_question question = {.meetings = meetings, .resource = resource, .ice = ice};
    return resource_ask(resource_restart_answer, &question);
}

enum status meetings_resource_leave(struct meetings *meetings, const char *resource)
{
    struct resource_question question = {.meetings = meetings, .resource = resource};
    return resource_ask(resource_leave_answer, &question);
}
