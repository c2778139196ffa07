/*
 * A PIN becomes a participant: storage and the conductor are asked by a job of the request pool,
 * which knows the call by its leg's number only. A call that has ended meanwhile is taken out of
 * the meeting again.
 */
#include "core/clock.h"
#include "core/crypto.h"
#include "core/log.h"
#include "modules/meetings/polls.h"
#include "modules/meetings/registry_pin.h"
#include "signalling/sip/calls.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ADMISSION_ARENA_MAX = 64 << 10 };

struct admission {
    struct dialin *dialin;
    uint64_t leg;
    const char *attestation; /* a literal */
    bool blocked;            /* too many guesses: whatever the PIN, it is wrong */
    bool invited; /* we called: the meeting is known, and who was called by a host does not wait */
    bool lobby;
    char meeting[REGISTRY_ID_MAX + 1], participant[CRYPTO_ID_CHARS + 1];
    char pin[MENU_PIN_MAX + 1];
    char name[REGISTRY_NAME_MAX + 1], number[CALL_TEXT_MAX];
    enum menu_answer answer;
    uint32_t people;
};

static void done_read(void *arg)
{
    struct admission *admission = arg;
    struct call *call = dialin_call(admission->dialin, admission->leg);
    if (call != NULL && admission->people > 0) {
        memcpy(call->meeting, admission->meeting, sizeof call->meeting);
        memcpy(call->participant, admission->participant, sizeof call->participant);
    }
    if (call != NULL)
        call_checked(call, admission->answer, admission->people > 0 ? admission->people - 1 : 0);
    else
        meetings_phone_leave(admission->dialin->meetings, admission->leg);
    free(admission);
}

static enum status enter(struct admission *admission, const struct registry_meeting *meeting)
{
    struct dialin *dialin = admission->dialin;
    struct registry_participant_spec spec = {.meeting = meeting->id,
                                             .name = admission->name,
                                             .kind = REGISTRY_PHONE,
                                             .admitted = !admission->lobby};
    struct registry_participant_created created;
    enum status status = registry_participant_new(dialin->db, &spec, clock_wall_ms(), &created);
    if (status != STATUS_OK)
        return status;
    struct meeting_phone_join join = {.meeting = meeting,
                                      .participant = created.id,
                                      .name = admission->name,
                                      .number = admission->number,
                                      .attestation = admission->attestation,
                                      .admitted = created.admitted,
                                      .leg = admission->leg};
    snprintf(admission->meeting, sizeof admission->meeting, "%s", meeting->id);
    snprintf(admission->participant, sizeof admission->participant, "%s", created.id);
    return meetings_phone_join(dialin->meetings, &join, &admission->people);
}

static enum status meeting_find(struct admission *admission, struct arena *arena,
                                struct registry_meeting *ret_meeting)
{
    struct db *db = admission->dialin->db;
    if (admission->invited) {
        enum status status = registry_find(db, admission->meeting, arena, ret_meeting);
        admission->lobby = admission->lobby && status == STATUS_OK && ret_meeting->lobby;
        return status == STATUS_OK && ret_meeting->ended != 0 ? STATUS_NOT_FOUND : status;
    }
    enum status status = registry_find_by_pin(db, admission->pin, arena, ret_meeting);
    crypto_wipe(admission->pin, sizeof admission->pin);
    if (status == STATUS_OK && admission->blocked)
        status = STATUS_NOT_FOUND;
    admission->lobby = status == STATUS_OK && ret_meeting->lobby;
    return status;
}

static void admission_run(void *arg)
{
    struct admission *admission = arg;
    struct dialin *dialin = admission->dialin;
    struct arena *arena;
    struct registry_meeting meeting;
    enum status status = arena_new(ADMISSION_ARENA_MAX, &arena);
    if (status == STATUS_OK) {
        status = meeting_find(admission, arena, &meeting);
        if (status == STATUS_OK && meeting.locked && !admission->invited)
            admission->answer = MENU_LOCKED;
        else if (status == STATUS_OK && (status = enter(admission, &meeting)) == STATUS_OK)
            admission->answer = admission->lobby ? MENU_FOUND_WAITING : MENU_FOUND_IN;
        arena_free(arena);
    }
    if (status != STATUS_OK)
        admission->answer =
            status == STATUS_NOT_FOUND && !admission->invited ? MENU_WRONG : MENU_FAILED;
    if (status != STATUS_OK && status != STATUS_NOT_FOUND)
        log_event(LOG_PHONE, LOG_WARN, "not_let_in", "status=%s", status_name(status));
    if (!dialin_letter(dialin, done_read, admission, sizeof *admission))
        meetings_phone_leave(dialin->meetings, admission->leg);
    free(admission);
}

static struct admission *admission_new(const struct call *call)
{
    struct admission *admission = calloc(1, sizeof *admission);
    if (admission == NULL)
        return NULL;
    admission->dialin = call->dialin;
    admission->leg = call->leg;
    admission->attestation = call->hidden || call->outgoing != NULL ? "" : call->attestation;
    snprintf(admission->name, sizeof admission->name, "%s", call->name);
    snprintf(admission->number, sizeof admission->number, "%s", call->hidden ? "" : call->number);
    return admission;
}

static void admission_submit(struct call *call, struct admission *admission)
{
    if (admission != NULL && crew_submit(call->dialin->crew, admission_run, admission) == STATUS_OK)
        return;
    free(admission);
    call_checked(call, MENU_FAILED, 0);
}

void admission_begin(struct call *call)
{
    struct dialin *dialin = call->dialin;
    uint64_t now_ms = loop_now_ms(bridge_loop(dialin->bridge));
    struct admission *admission = admission_new(call);
    if (admission != NULL) {
        /* Blocked or not: a guess is looked up, so that nothing tells the two apart. */
        admission->blocked = guesses_blocked(&dialin->guesses, call_guesser(call), now_ms);
        snprintf(admission->pin, sizeof admission->pin, "%s", call->menu.pin);
    }
    admission_submit(call, admission);
}

void admission_invited(struct call *call)
{
    const struct outgoing_wish *wish = outgoing_wish_of(call);
    struct admission *admission = admission_new(call);
    if (admission != NULL) {
        admission->invited = true;
        admission->lobby = wish->lobby;
        snprintf(admission->meeting, sizeof admission->meeting, "%s", wish->meeting);
    }
    admission_submit(call, admission);
}

/* ---- polls ---- */

struct ballot {
    struct dialin *dialin;
    uint64_t leg;
    char meeting[REGISTRY_ID_MAX + 1], participant[CRYPTO_ID_CHARS + 1];
    uint8_t choice, answers;
    bool counted;
};

static void ballot_read(void *arg)
{
    struct ballot *ballot = arg;
    struct call *call = dialin_call(ballot->dialin, ballot->leg);
    if (call != NULL)
        call_polled(call, ballot->answers, ballot->choice != 0, ballot->counted);
    free(ballot);
}

static void ballot_run(void *arg)
{
    struct ballot *ballot = arg;
    struct arena *arena;
    struct poll poll;
    const struct poll_vote vote = {
        .meeting = ballot->meeting, .participant = ballot->participant, .choice = ballot->choice};
    enum status status = arena_new(ADMISSION_ARENA_MAX, &arena);
    if (status == STATUS_OK) {
        status = ballot->choice == 0
                     ? polls_open_one(ballot->dialin->db, ballot->meeting, arena, &poll)
                     : polls_vote(ballot->dialin->db, &vote, clock_wall_ms(), arena, &poll);
        if (status == STATUS_OK) {
            ballot->answers = (uint8_t)poll.options.count;
            ballot->counted = ballot->choice != 0;
        }
        if (ballot->counted)
            polls_tell(ballot->dialin->meetings, ballot->meeting, &poll, arena);
        arena_free(arena);
    }
    if (status != STATUS_OK && status != STATUS_NOT_FOUND)
        log_event(LOG_PHONE, LOG_WARN, "not_voted", "status=%s", status_name(status));
    (void)!dialin_letter(ballot->dialin, ballot_read, ballot, sizeof *ballot);
    free(ballot);
}

void admission_poll(struct call *call, uint8_t choice)
{
    struct ballot *ballot = calloc(1, sizeof *ballot);
    if (ballot != NULL) {
        ballot->dialin = call->dialin;
        ballot->leg = call->leg;
        ballot->choice = choice;
        memcpy(ballot->meeting, call->meeting, sizeof ballot->meeting);
        memcpy(ballot->participant, call->participant, sizeof ballot->participant);
    }
    if (ballot == NULL || crew_submit(call->dialin->crew, ballot_run, ballot) != STATUS_OK) {
        free(ballot);
        call_polled(call, 0, choice != 0, false);
    }
}
