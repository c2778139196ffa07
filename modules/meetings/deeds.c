/*
 * What members do of their own and what hosts do to others. Rights and targets are looked
 * at in one place, deed_check, before storage is written and again when it is done.
 */
#include "modules/meetings/conductor.h"

#include "core/clock.h"

#include <stdio.h>
#include <string.h>

/* ---- members ---- */

struct watch_question {
    struct member *member;
    const struct msg_view *view;
};

static void watch_answer(void *arg)
{
    const struct watch_question *question = arg;
    struct member *member = question->member;
    const struct msg_tile *tiles = question->view->tiles.items;
    if (member->meeting == NULL || !member->admitted)
        return;
    member->tile_count = 0;
    for (size_t i = 0; i < question->view->tiles.count; i++) {
        struct tile *tile = &member->tiles[member->tile_count++];
        snprintf(tile->id, sizeof tile->id, "%s", tiles[i].source.id);
        tile->screen = strcmp(tiles[i].source.kind, "screen") == 0;
        tile->height = (uint16_t)tiles[i].height;
        tile->priority = (uint8_t)tiles[i].priority;
    }
    member->viewed = true;
    member->screen_due = false;
    stage_changed(member->meeting);
}

void meetings_watch(struct meetings *meetings, struct meeting_member *member,
                    const struct msg_view *view)
{
    struct watch_question question = {.member = (struct member *)member, .view = view};
    (void)!conductor_ask(meetings, watch_answer, &question);
}

struct update_question {
    struct member *member;
    const struct msg_self_update *update;
    enum status status;
};

static void maybe_set(bool *flag, uint8_t maybe)
{
    if (maybe != JSON_ABSENT)
        *flag = maybe == JSON_YES;
}

static void update_answer(void *arg)
{
    struct update_question *question = arg;
    struct member *member = question->member;
    const struct msg_self_update *update = question->update;
    if (member->meeting == NULL || !member->admitted) {
        question->status = STATUS_DENIED;
        return;
    }
    maybe_set(&member->muted, update->muted);
    maybe_set(&member->camera, update->camera);
    if (update->name != NULL)
        snprintf(member->name, sizeof member->name, "%s", update->name);
    if (update->muted != JSON_ABSENT)
        peer_gate(member, MEDIA_SOURCE_MICROPHONE, !member->muted);
    if (update->camera != JSON_ABSENT)
        peer_gate(member, MEDIA_SOURCE_CAMERA, member->camera);
    roster_changed(member, ROSTER_UPDATED);
    stage_changed(member->meeting);
}

enum status meetings_self_update(struct meetings *meetings, struct meeting_member *member,
                                 const struct msg_self_update *update)
{
    struct update_question question = {.member = (struct member *)member, .update = update};
    enum status status = conductor_ask(meetings, update_answer, &question);
    return status != STATUS_OK ? status : question.status;
}

struct flag_question {
    struct member *member;
    bool on, sound;
    const char *text;
    enum status status;
};

static void hand_set(struct member *member, bool raised)
{
    if (raised == (member->hand_ms != 0))
        return;
    member->hand_ms = raised ? clock_wall_ms() : 0;
    roster_changed(member, ROSTER_UPDATED);
}

static void hand_answer(void *arg)
{
    const struct flag_question *question = arg;
    if (question->member->meeting != NULL && question->member->admitted)
        hand_set(question->member, question->on);
}

void meetings_hand(struct meetings *meetings, struct meeting_member *member, bool raised)
{
    struct flag_question question = {.member = (struct member *)member, .on = raised};
    (void)!conductor_ask(meetings, hand_answer, &question);
}

static void react_answer(void *arg)
{
    const struct flag_question *question = arg;
    struct member *member = question->member;
    if (member->meeting == NULL || !member->admitted)
        return;
    struct msg_reacted reacted = {.id = member->id, .emoji = question->text};
    meeting_send(member->meeting, NULL, "reaction", &msg_reacted_table, &reacted);
}

void meetings_react(struct meetings *meetings, struct meeting_member *member, const char *emoji)
{
    struct flag_question question = {.member = (struct member *)member, .text = emoji};
    (void)!conductor_ask(meetings, react_answer, &question);
}

static void typing_answer(void *arg)
{
    struct member *member = arg;
    if (member->meeting == NULL || !member->admitted)
        return;
    struct msg_id who = {.id = member->id};
    meeting_send(member->meeting, member, "chat.typing", &msg_id_table, &who);
}

void meetings_typing(struct meetings *meetings, struct meeting_member *member)
{
    (void)!conductor_ask(meetings, typing_answer, member);
}

static void stopped_send(struct member *member, const struct member *by, const char *type,
                         const char *what)
{
    struct msg_by message = {.by = by->id, .what = what};
    member_send(member, type, &msg_by_table, &message);
}

static void present_answer(void *arg)
{
    struct flag_question *question = arg;
    struct member *member = question->member;
    struct meeting *meeting = member->meeting;
    if (meeting == NULL || !member->admitted) {
        question->status = STATUS_DENIED;
        return;
    }
    struct member *presenter = meeting->presenter;
    if (!question->on) {
        if (presenter == member)
            stage_present(meeting, NULL, false);
        return;
    }
    if (presenter != NULL && presenter != member) {
        if (!member_is_host(member)) {
            question->status = STATUS_DENIED;
            return;
        }
        stopped_send(presenter, member, "stopped", "screen");
    }
    stage_present(meeting, member, question->sound);
}

enum status meetings_present(struct meetings *meetings, struct meeting_member *member, bool on,
                             bool sound)
{
    struct flag_question question = {.member = (struct member *)member, .on = on, .sound = sound};
    enum status status = conductor_ask(meetings, present_answer, &question);
    return status != STATUS_OK ? status : question.status;
}

/* ---- hosts ---- */

static void do_mute(struct member *target, const struct member *by, const struct meeting_deed *deed)
{
    (void)deed;
    if (target->muted)
        return;
    target->muted = true;
    peer_gate(target, MEDIA_SOURCE_MICROPHONE, false);
    stopped_send(target, by, "muted", NULL);
    phone_notice(target, MEETING_PHONE_MUTED);
    roster_changed(target, ROSTER_UPDATED);
}

static void do_ask_unmute(struct member *target, const struct member *by,
                          const struct meeting_deed *deed)
{
    (void)deed;
    stopped_send(target, by, "asked_unmute", NULL);
    phone_notice(target, MEETING_PHONE_ASKED_UNMUTE);
}

static void do_stop_camera(struct member *target, const struct member *by,
                           const struct meeting_deed *deed)
{
    (void)deed;
    target->camera = false;
    peer_gate(target, MEDIA_SOURCE_CAMERA, false);
    stopped_send(target, by, "stopped", "camera");
    roster_changed(target, ROSTER_UPDATED);
    stage_changed(target->meeting);
}

static void do_stop_screen(struct member *target, const struct member *by,
                           const struct meeting_deed *deed)
{
    (void)deed;
    if (target->meeting->presenter != target)
        return;
    stopped_send(target, by, "stopped", "screen");
    stage_present(target->meeting, NULL, false);
}

static void do_lower_hand(struct member *target, const struct member *by,
                          const struct meeting_deed *deed)
{
    (void)by, (void)deed;
    if (target->hand_ms != 0)
        phone_notice(target, MEETING_PHONE_HAND_LOWERED);
    hand_set(target, false);
}

static void member_dismiss(struct member *target, const char *reason)
{
    struct msg_reason why = {.reason = reason};
    member_send(target, "removed", &msg_reason_table, &why);
    phone_notice(target,
                 strcmp(reason, "ended") == 0 ? MEETING_PHONE_ENDED : MEETING_PHONE_REMOVED);
    bool owned = target->port == NULL; /* WHIP, phone: nobody else will free it */
    if (!owned)
        target->meetings->config.ports->end(target->port, "ended", reason);
    member_exit(target);
    if (owned)
        member_free(target);
}

static void do_remove(struct member *target, const struct member *by,
                      const struct meeting_deed *deed)
{
    (void)by, (void)deed;
    member_dismiss(target, "removed");
}

static void do_refuse(struct member *target, const struct member *by,
                      const struct meeting_deed *deed)
{
    (void)by, (void)deed;
    member_dismiss(target, "refused");
}

static void do_rename(struct member *target, const struct member *by,
                      const struct meeting_deed *deed)
{
    (void)by;
    snprintf(target->name, sizeof target->name, "%s", deed->name);
    roster_changed(target, ROSTER_UPDATED);
}

static void do_role(struct member *target, const struct member *by, const struct meeting_deed *deed)
{
    if (deed->role == REGISTRY_HOST) { /* hands over */
        struct member *giver = member_find(target->meeting, by->id);
        giver->role = REGISTRY_COHOST;
        roster_changed(giver, ROSTER_UPDATED);
    }
    target->role = deed->role;
    roster_changed(target, ROSTER_UPDATED);
    roster_send_lobby(target->meeting);
    roster_send_callers(target->meeting);
    if (target->meeting->dial_count > 0)
        dials_send_to(target);
}

static void do_admit(struct member *target, const struct member *by,
                     const struct meeting_deed *deed)
{
    (void)by, (void)deed;
    target->admitted = true;
    if (target->kind == MEMBER_PHONE && phone_connect(target) != STATUS_OK) {
        member_dismiss(target, "removed");
        return;
    }
    roster_send_ready(target);
    roster_changed(target, ROSTER_JOINED);
    roster_send_lobby(target->meeting);
    stage_changed(target->meeting);
}

static void do_set(struct meeting *meeting, const struct meeting_deed *deed)
{
    meeting->locked = deed->meeting->locked;
    meeting->lobby = deed->meeting->lobby;
    snprintf(meeting->title, sizeof meeting->title, "%s", deed->meeting->title);
    roster_send_meeting(meeting);
}

/* Who ends it is told too, but their session lives until their command is answered. */
static void do_end(struct meeting *meeting, struct member *by)
{
    struct member *next;
    for (struct member *member = meeting->first; member != NULL; member = next) {
        next = member->next;
        if (member != by)
            member_dismiss(member, "ended");
    }
    struct msg_reason why = {.reason = "ended"};
    member_send(by, "removed", &msg_reason_table, &why);
    member_exit(by);
}

enum deed_scope { SCOPE_IN, SCOPE_LOBBY, SCOPE_MEETING };

static const struct deed_rule {
    enum deed_scope scope;
    bool host_only; /* co-hosts may not */
    bool may_all, not_self;
    void (*apply)(struct member *target, const struct member *by, const struct meeting_deed *deed);
} deed_rules[] = {
    [MEETING_ACT_MUTE] = {SCOPE_IN, false, true, false, do_mute},
    [MEETING_ACT_ASK_UNMUTE] = {SCOPE_IN, false, false, true, do_ask_unmute},
    [MEETING_ACT_STOP_CAMERA] = {SCOPE_IN, false, false, false, do_stop_camera},
    [MEETING_ACT_STOP_SCREEN] = {SCOPE_IN, false, false, false, do_stop_screen},
    [MEETING_ACT_LOWER_HAND] = {SCOPE_IN, false, true, false, do_lower_hand},
    [MEETING_ACT_REMOVE] = {SCOPE_IN, false, false, true, do_remove},
    [MEETING_ACT_RENAME] = {SCOPE_IN, false, false, false, do_rename},
    [MEETING_ACT_ROLE] = {SCOPE_IN, true, false, true, do_role},
    [MEETING_ACT_ADMIT] = {SCOPE_LOBBY, false, true, false, do_admit},
    [MEETING_ACT_REFUSE] = {SCOPE_LOBBY, false, true, false, do_refuse},
    [MEETING_ACT_SET] = {SCOPE_MEETING, false, false, false, NULL},
    [MEETING_ACT_END] = {SCOPE_MEETING, true, false, false, NULL},
};

static bool in_scope(const struct member *target, enum deed_scope scope)
{
    return scope == SCOPE_LOBBY ? !target->admitted : member_visible(target);
}

static enum status deed_check(const struct member *by, const struct meeting_deed *deed,
                              struct member **ret_target)
{
    const struct deed_rule *rule = &deed_rules[deed->act];
    *ret_target = NULL;
    if (by->meeting == NULL || !member_is_host(by) ||
        (rule->host_only && by->role != REGISTRY_HOST))
        return STATUS_DENIED;
    if (rule->scope == SCOPE_MEETING)
        return STATUS_OK;
    if (deed->all)
        return rule->may_all ? STATUS_OK : STATUS_INVALID;
    struct member *target = deed->target != NULL ? member_find(by->meeting, deed->target) : NULL;
    if (target == NULL || !in_scope(target, rule->scope))
        return STATUS_NOT_FOUND;
    if (rule->not_self && target == by)
        return STATUS_INVALID;
    /* A co-host has no power over a host. */
    if (target != by && target->role == REGISTRY_HOST && by->role != REGISTRY_HOST)
        return STATUS_DENIED;
    *ret_target = target;
    return STATUS_OK;
}

static void deed_all(const struct member *by, const struct meeting_deed *deed)
{
    const struct deed_rule *rule = &deed_rules[deed->act];
    struct member *next;
    for (struct member *target = by->meeting->first; target != NULL; target = next) {
        next = target->next;
        if (target != by && in_scope(target, rule->scope) &&
            (target->role != REGISTRY_HOST || by->role == REGISTRY_HOST))
            rule->apply(target, by, deed);
    }
}

struct deed_question {
    struct member *by;
    const struct meeting_deed *deed;
    enum status status;
};

static void may_answer(void *arg)
{
    struct deed_question *question = arg;
    struct member *target;
    question->status = deed_check(question->by, question->deed, &target);
}

static void deed_answer(void *arg)
{
    struct deed_question *question = arg;
    const struct meeting_deed *deed = question->deed;
    struct member *target;
    question->status = deed_check(question->by, deed, &target);
    if (question->status != STATUS_OK)
        return;
    if (deed->act == MEETING_ACT_SET)
        do_set(question->by->meeting, deed);
    else if (deed->act == MEETING_ACT_END)
        do_end(question->by->meeting, question->by);
    else if (target != NULL)
        deed_rules[deed->act].apply(target, question->by, deed);
    else
        deed_all(question->by, deed);
}

static enum status deed_ask(struct meetings *meetings, mailbox_fn *fn,
                            struct meeting_member *member, const struct meeting_deed *deed)
{
    struct deed_question question = {.by = (struct member *)member, .deed = deed};
    enum status status = conductor_ask(meetings, fn, &question);
    return status != STATUS_OK ? status : question.status;
}

enum status meetings_may(struct meetings *meetings, struct meeting_member *member,
                         const struct meeting_deed *deed)
{
    return deed_ask(meetings, may_answer, member, deed);
}

enum status meetings_do(struct meetings *meetings, struct meeting_member *member,
                        const struct meeting_deed *deed)
{
    return deed_ask(meetings, deed_answer, member, deed);
}
