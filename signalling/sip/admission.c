/*
 * A PIN becomes a participant: storage and the conductor are asked by a job of the request pool,
 * which knows the call by its leg's number only. A call that has ended meanwhile is taken out of
 * the meeting again.
 */
#include "core/clock.h"
#include "core/crypto.h"
#include "core/log.h"
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
    char pin[MENU_PIN_MAX + 1];
    char name[REGISTRY_NAME_MAX + 1], number[CALL_TEXT_MAX];
    enum menu_answer answer;
    uint32_t people;
};

static void done_read(void *arg)
{
    struct admission *admission = arg;
    struct call *call = dialin_call(admission->dialin, admission->leg);
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
                                             .admitted = !meeting->lobby};
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
    return meetings_phone_join(dialin->meetings, &join, &admission->people);
}

static void admission_run(void *arg)
{
    struct admission *admission = arg;
    struct dialin *dialin = admission->dialin;
    struct arena *arena;
    struct registry_meeting meeting;
    enum status status = arena_new(ADMISSION_ARENA_MAX, &arena);
    if (status == STATUS_OK) {
        status = registry_find_by_pin(dialin->db, admission->pin, arena, &meeting);
        crypto_wipe(admission->pin, sizeof admission->pin);
        if (status == STATUS_OK && admission->blocked)
            status = STATUS_NOT_FOUND;
        if (status == STATUS_OK && meeting.locked)
            admission->answer = MENU_LOCKED;
        else if (status == STATUS_OK && (status = enter(admission, &meeting)) == STATUS_OK)
            admission->answer = meeting.lobby ? MENU_FOUND_WAITING : MENU_FOUND_IN;
        arena_free(arena);
    }
    if (status != STATUS_OK)
        admission->answer = status == STATUS_NOT_FOUND ? MENU_WRONG : MENU_FAILED;
    if (status != STATUS_OK && status != STATUS_NOT_FOUND)
        log_event(LOG_PHONE, LOG_WARN, "not_let_in", "status=%s", status_name(status));
    if (!dialin_letter(dialin, done_read, admission, sizeof *admission))
        meetings_phone_leave(dialin->meetings, admission->leg);
    free(admission);
}

void admission_begin(struct call *call)
{
    struct dialin *dialin = call->dialin;
    uint64_t now_ms = loop_now_ms(bridge_loop(dialin->bridge));
    /* Blocked or not: a guess is looked up, so that nothing tells the two apart. */
    struct admission *admission = calloc(1, sizeof *admission);
    if (admission == NULL) {
        call_checked(call, MENU_FAILED, 0);
        return;
    }
    admission->dialin = dialin;
    admission->leg = call->leg;
    admission->attestation = call->hidden ? "" : call->attestation;
    admission->blocked = guesses_blocked(&dialin->guesses, call_guesser(call), now_ms);
    snprintf(admission->pin, sizeof admission->pin, "%s", call->menu.pin);
    snprintf(admission->name, sizeof admission->name, "%s", call->name);
    snprintf(admission->number, sizeof admission->number, "%s", call->hidden ? "" : call->number);
    if (crew_submit(dialin->crew, admission_run, admission) != STATUS_OK) {
        free(admission);
        call_checked(call, MENU_FAILED, 0);
    }
}
