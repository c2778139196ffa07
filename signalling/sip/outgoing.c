/*
 * A call of ours, from the wish to the meeting.
 *
 *   leg opened       our offer leaves in the INVITE
 *   PROGRESS         ringing, or early media; each is told in the meeting
 *   ANSWERED         the leg hears and is heard; the menu asks for 1
 *   1 pressed        admission_invited: a participant like any caller
 *
 * Nobody answers within ring_ms: CANCEL. Nobody presses 1 within OUTGOING_KEY_MS: a machine.
 */
#include "core/clock.h"
#include "core/log.h"
#include "signalling/sip/calls.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
    OUTGOING_KEY_MS = 30000, /* for the callee to press 1 */
    OUTGOING_EARLY_MAX = 8,  /* early dialogs whose SDP is kept: 32 KiB each */
};

struct outgoing {
    struct outgoing_wish wish;
    const char *early; /* SDP of the last progress: the 200 may come without */
    size_t early_count;
    const char *told;  /* state, as last told */
    const char *trunk; /* it goes by */
    uint32_t tried;    /* trunks, as trunks_choose */
    const char *sdp;   /* our offer */
};

/* What a final answer means to the one who called. RFC 3261 21. */
static const struct {
    uint16_t first, last;
    const char *state;
} outcomes[] = {
    {486, 486, "busy"},       {600, 600, "busy"},      {408, 408, "no_answer"},
    {480, 480, "no_answer"},  {487, 487, "no_answer"}, {603, 603, "declined"},
    {607, 608, "declined"},   {401, 401, "refused"},   {403, 403, "refused"},
    {407, 407, "refused"},    {404, 404, "unknown"},   {410, 410, "unknown"},
    {484, 484, "unknown"},    {485, 485, "unknown"},   {604, 604, "unknown"},
    {415, 415, "media"},      {488, 488, "media"},     {606, 606, "media"},
    {300, 399, "redirected"}, {402, 402, "refused"},   {500, 599, "network"},
};

static const char *state_of(uint16_t code)
{
    for (size_t i = 0; i < sizeof outcomes / sizeof outcomes[0]; i++) {
        if (code >= outcomes[i].first && code <= outcomes[i].last)
            return outcomes[i].state;
    }
    return "failed";
}

static void tell(struct call *call, const char *state, uint16_t code)
{
    struct outgoing *outgoing = call->outgoing;
    outgoing->told = state;
    meetings_dial_state(call->dialin->meetings, outgoing->wish.meeting, call->leg, state, code);
}

static void patience(struct call *call, int64_t ms)
{
    loop_timer_start(bridge_loop(call->dialin->bridge), &call->patience, (uint64_t)ms);
}

static void ledger_fill(struct call *call, const struct outgoing_wish *wish)
{
    struct ledger_entry *ledger = &call->ledger;
    snprintf(ledger->id, sizeof ledger->id, "%s", wish->record);
    snprintf(ledger->meeting, sizeof ledger->meeting, "%s", wish->meeting);
    snprintf(ledger->caller, sizeof ledger->caller, "%s", wish->caller);
    snprintf(ledger->prefix, sizeof ledger->prefix, "%s", wish->prefix);
    ledger->record.direction = RECORD_OUT;
    ledger->record.started = wish->started;
    ledger->record.rate = wish->rate;
}

void outgoing_begin(const struct outgoing_wish *wish)
{
    struct dialin *dialin = wish->dialin;
    uint32_t tried = 0;
    char address[INET6_ADDRSTRLEN] = "";
    const char *trunk = trunks_choose(dialin->trunks, &tried);
    if (trunk != NULL)
        trunks_address(dialin->trunks, trunk, address);
    struct call *call = map_count(dialin->calls) < DIALIN_CALLS_MAX
                            ? call_new(dialin, wish->leg | WIRE_CALL_OUT, wish->number, address)
                            : NULL;
    struct outgoing *outgoing = call != NULL ? arena_alloc(call->arena, sizeof *outgoing) : NULL;
    if (outgoing == NULL) {
        meetings_dial_state(dialin->meetings, wish->meeting, wish->leg, "failed", 0);
        if (call != NULL)
            call_drop(call, false);
        return;
    }
    *outgoing = (struct outgoing){.wish = *wish, .trunk = trunk, .tried = tried};
    call->outgoing = outgoing;
    const struct trunk_settings *settings = trunks_find(dialin->trunks, trunk, "");
    if (settings != NULL)
        call->language = (enum prompt_language)settings->language;
    ledger_fill(call, wish);
    call_name(call, wish->name);
    negotiate_keys(dialin->config.out.security, &call->security);
    patience(call, dialin->config.out.ring_ms);
    struct media_leg_spec spec = {.id = call->leg};
    enum status status = trunk != NULL ? media_leg_open(dialin->media, &spec) : STATUS_NOT_FOUND;
    log_event(LOG_PHONE, LOG_INFO, "call_out", "leg=%" PRIu64 " trunk=%s status=%s", call->leg,
              trunk != NULL ? trunk : "", status_name(status));
    if (status != STATUS_OK) {
        call_why(call, trunk != NULL ? "failed" : "network", 0);
        call->closed = true;
        call_drop(call, false);
    }
}

/* Who calls, by name; Parley, when nobody has one; NULL: the trunk takes none. */
static const char *from_of(const struct call *call)
{
    const struct outgoing *outgoing = call->outgoing;
    const struct trunk_settings *trunk = trunks_find(call->dialin->trunks, outgoing->trunk, "");
    if (trunk != NULL && !trunk->names)
        return NULL;
    return outgoing->wish.from[0] != '\0' ? outgoing->wish.from : "Parley";
}

static void dial_send(struct call *call)
{
    const struct outgoing *outgoing = call->outgoing;
    const struct wire_message dial = {.type = WIRE_DIAL,
                                      .call = call->id,
                                      .fields = {[WIRE_NAME] = outgoing->trunk,
                                                 [WIRE_SDP] = outgoing->sdp,
                                                 [WIRE_CALLED] = outgoing->wish.number,
                                                 [WIRE_NUMBER] = call->dialin->config.out.number,
                                                 [WIRE_REASON] = from_of(call)}};
    bridge_send(call->dialin->bridge, &dial);
}

void outgoing_opened(struct call *call)
{
    call->local.version++;
    if (negotiate_offer(&call->local, &call->security, call->arena, &call->outgoing->sdp) !=
        STATUS_OK) {
        call_drop(call, false);
        return;
    }
    dial_send(call);
    tell(call, "calling", 0);
}

bool outgoing_again(struct call *call, uint16_t code)
{
    struct outgoing *outgoing = call->outgoing;
    bool unheard = code == 0 || code == 408 || (code >= 500 && code < 600);
    if (call->answered || !unheard || outgoing->told == NULL ||
        strcmp(outgoing->told, "calling") != 0 || outgoing->sdp == NULL)
        return false;
    const char *next = trunks_choose(call->dialin->trunks, &outgoing->tried);
    if (next == NULL)
        return false;
    log_event(LOG_PHONE, LOG_WARN, "call_out_again", "leg=%" PRIu64 " trunk=%s code=%u", call->leg,
              next, code);
    outgoing->trunk = next;
    dial_send(call);
    return true;
}

static void progress(struct call *call, const struct wire_message *message)
{
    struct outgoing *outgoing = call->outgoing;
    const char *sdp = message->fields[WIRE_SDP];
    if (sdp != NULL && outgoing->early_count < OUTGOING_EARLY_MAX) {
        const char *copy = arena_strdup(call->arena, sdp);
        outgoing->early = copy != NULL ? copy : outgoing->early;
        outgoing->early_count++;
    }
    const char *state = sdp != NULL ? "early" : message->code == 180 ? "ringing" : NULL;
    bool back = outgoing->told != NULL && strcmp(outgoing->told, "early") == 0;
    if (state != NULL && (!back || strcmp(state, "ringing") != 0) &&
        (outgoing->told == NULL || strcmp(outgoing->told, state) != 0))
        tell(call, state, message->code);
}

static enum status answer_take(struct call *call, const char *sdp)
{
    return sdp != NULL ? call_answer_take(call, sdp, &call->ledger.record.codec)
                       : STATUS_UNSUPPORTED;
}

static void answered(struct call *call, const char *sdp)
{
    struct menu_actions actions;
    if (call->answered)
        return;
    call->answered = true;
    if (answer_take(call, sdp != NULL ? sdp : call->outgoing->early) != STATUS_OK) {
        call_why(call, "media", 488);
        call_drop(call, true);
        return;
    }
    call->ledger.record.answered = clock_wall_ms();
    call->talking = true;
    tell(call, "answered", 0);
    patience(call, OUTGOING_KEY_MS);
    menu_invite(&call->menu, call->dialin->config.out.number, &actions);
    call_act(call, &actions);
}

void outgoing_message(struct call *call, const struct wire_message *message)
{
    if (message->type == WIRE_PROGRESS && !call->answered)
        progress(call, message);
    else if (message->type == WIRE_ANSWERED)
        answered(call, message->fields[WIRE_SDP]);
}

void outgoing_joined(struct call *call)
{
    struct outgoing *outgoing = call->outgoing;
    int64_t spent_ms = clock_wall_ms() - call->ledger.record.answered;
    tell(call, "joined", 0);
    snprintf(call->meeting, sizeof call->meeting, "%s", outgoing->wish.meeting);
    patience(call, outgoing->wish.length_ms > spent_ms ? outgoing->wish.length_ms - spent_ms : 1);
}

void outgoing_ended(struct call *call)
{
    struct outgoing *outgoing = call->outgoing;
    struct record *record = &call->ledger.record;
    bool joined = outgoing->told != NULL && strcmp(outgoing->told, "joined") == 0;
    if (record->reason == NULL)
        record->reason = call->answered      ? "hung_up"
                         : record->code != 0 ? state_of((uint16_t)record->code)
                                             : "failed";
    if (!joined)
        tell(call,
             call->answered && strcmp(record->reason, "hung_up") == 0 ? "declined" : record->reason,
             (uint16_t)record->code);
}

const struct outgoing_wish *outgoing_wish_of(const struct call *call)
{
    return &call->outgoing->wish;
}
