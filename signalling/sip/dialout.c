#include "signalling/sip/dialout.h"

#include "core/clock.h"
#include "core/log.h"
#include "signalling/sip/calls.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool dialout_may(const struct dialin *dialin, bool host)
{
    return dialin != NULL && dialing_on(&dialin->config.out.rules) &&
           (host || dialin->config.out.members);
}

struct json_list dialout_numbers(const struct dialin *dialin)
{
    if (dialin == NULL)
        return (struct json_list){0};
    return (struct json_list){.items = dialin->numbers, .count = dialin->number_count};
}

/* ---- beginning ---- */

static void begin_read(void *arg)
{
    struct outgoing_wish *wish = arg;
    arena_reset(wish->dialin->arena);
    outgoing_begin(wish);
    free(wish);
}

static void wish_make(struct dialin *dialin, const struct dialout_wish *from,
                      const struct dialing_target *target, struct outgoing_wish *wish)
{
    *wish = (struct outgoing_wish){.dialin = dialin,
                                   .leg = meetings_transport_id(dialin->meetings),
                                   .rate = target->rate,
                                   .started = clock_wall_ms(),
                                   .lobby = !from->host};
    crypto_id(wish->record);
    snprintf(wish->meeting, sizeof wish->meeting, "%s", from->meeting);
    snprintf(wish->number, sizeof wish->number, "%s", target->number);
    snprintf(wish->prefix, sizeof wish->prefix, "%s", target->prefix);
    snprintf(wish->name, sizeof wish->name, "%s", from->name != NULL ? from->name : "");
    snprintf(wish->from, sizeof wish->from, "%s", from->from != NULL ? from->from : "");
    snprintf(wish->caller, sizeof wish->caller, "%s%s", from->account != NULL ? "" : "meeting:",
             from->account != NULL ? from->account : from->meeting);
}

static enum status record_begin(struct dialin *dialin, const struct outgoing_wish *wish,
                                const struct dialing_target *target, const char *typed,
                                enum dialing_answer *answer, int64_t *ret_length_ms)
{
    char text[DIALING_TEXT_MAX];
    snprintf(text, sizeof text, "%s", target->number[0] != '\0' ? target->number : typed);
    const struct record record = {.id = wish->record,
                                  .direction = RECORD_OUT,
                                  .meeting = wish->meeting,
                                  .caller = wish->caller,
                                  .number = text,
                                  .started = wish->started};
    return records_begin_out(dialin->db, &record, target, &dialin->config.out.limits, answer,
                             ret_length_ms);
}

/* The call will not be made: its record says so. */
static void record_fail(struct dialin *dialin, const struct outgoing_wish *wish)
{
    const struct record record = {.id = wish->record,
                                  .direction = RECORD_OUT,
                                  .meeting = wish->meeting,
                                  .caller = wish->caller,
                                  .number = wish->number,
                                  .started = wish->started,
                                  .ended = clock_wall_ms(),
                                  .reason = "failed"};
    enum status status = records_write(dialin->db, &record);
    if (status != STATUS_OK)
        log_event(LOG_PHONE, LOG_WARN, "record_lost", "status=%s", status_name(status));
}

enum status dialout_begin(struct dialin *dialin, const struct dialout_wish *from,
                          char ret_id[MEETING_DIAL_ID_MAX + 1], enum dialing_answer *ret_answer)
{
    struct dialing_target target;
    struct outgoing_wish wish;
    if (dialin == NULL)
        return STATUS_UNSUPPORTED;
    const struct dialin_out *out = &dialin->config.out;
    enum dialing_answer answer = dialing_check(&out->rules, from->number, &target);
    if (!from->host && !out->members)
        answer = DIALING_RIGHT;
    wish_make(dialin, from, &target, &wish);
    enum status status =
        record_begin(dialin, &wish, &target, from->number, &answer, &wish.length_ms);
    if (status != STATUS_OK)
        return status;
    if (answer != DIALING_OK) {
        log_event(LOG_PHONE, LOG_INFO, "dial_denied", "why=%s", dialing_code(answer));
        *ret_answer = answer;
        return answer == DIALING_FORMAT || answer == DIALING_COUNTRY ? STATUS_INVALID
                                                                     : STATUS_DENIED;
    }
    const struct meeting_dial dial = {
        .leg = wish.leg, .by = from->participant, .number = wish.number, .name = wish.name};
    status = meetings_dial_add(dialin->meetings, wish.meeting, &dial);
    if (status == STATUS_OK && !dialin_letter(dialin, begin_read, &wish, sizeof wish)) {
        meetings_dial_state(dialin->meetings, wish.meeting, wish.leg, "failed", 0);
        status = STATUS_CLOSED;
    }
    if (status != STATUS_OK)
        record_fail(dialin, &wish);
    else
        snprintf(ret_id, MEETING_DIAL_ID_MAX + 1, "%" PRIu64, wish.leg);
    return status;
}

/* ---- cancelling ---- */

struct cancel_letter {
    struct dialin *dialin;
    uint64_t leg;
};

static void cancel_read(void *arg)
{
    struct cancel_letter letter = *(struct cancel_letter *)arg;
    free(arg);
    arena_reset(letter.dialin->arena);
    struct call *call = dialin_call(letter.dialin, letter.leg);
    if (call == NULL || call->outgoing == NULL)
        return;
    call_why(call, "cancelled", 0);
    call_drop(call, true);
}

enum status dialout_cancel(struct dialin *dialin, const char *meeting, const char *participant,
                           const char *id)
{
    if (dialin == NULL)
        return STATUS_NOT_FOUND;
    struct cancel_letter letter = {.dialin = dialin};
    enum status status =
        meetings_dial_find(dialin->meetings, meeting, participant, id, &letter.leg);
    if (status == STATUS_OK && !dialin_letter(dialin, cancel_read, &letter, sizeof letter))
        status = STATUS_CLOSED;
    return status;
}
