/*
 * One call, from INVITE to the end: its SDP, its leg, its menu.
 *
 *   INVITE with SDP     read it, open the leg, answer with its port
 *   INVITE without      open the leg, offer; the answer comes in ACK
 *   ACK                 the menu speaks
 *   re-INVITE           read again, update the leg, answer; without SDP: offer what we have
 */
#include "core/clock.h"
#include "core/crypto.h"
#include "core/log.h"
#include "signalling/sip/calls.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PROMPT_GAP_MS = 150 };

/* ---- to parley-phone ---- */

void call_say(const struct call *call, enum wire_type type, uint16_t code, const char *sdp)
{
    struct wire_message message = {
        .type = type, .code = code, .call = call->id, .fields = {[WIRE_SDP] = sdp}};
    bridge_send(call->dialin->bridge, &message);
}

struct call *call_free(struct call *call)
{
    crypto_wipe(&call->security, sizeof call->security);
    if (call->asked != NULL)
        crypto_wipe(&call->asked->security, sizeof call->asked->security);
    arena_free(call->arena);
    free(call);
    return NULL;
}

void call_drop(struct call *call, bool hang_up)
{
    struct dialin *dialin = call->dialin;
    struct loop *loop = bridge_loop(dialin->bridge);
    if (call->outgoing != NULL)
        outgoing_ended(call);
    ledger_end(call);
    if (hang_up)
        call_say(call, WIRE_HANGUP, 0, NULL);
    loop_timer_stop(loop, &call->silence);
    loop_timer_stop(loop, &call->patience);
    map_remove(dialin->calls, call->id);
    map_remove(dialin->legs, call->leg);
    meetings_phone_leave(dialin->meetings, call->leg);
    media_leg_close(dialin->media, call->leg);
    call_free(call);
}

void call_why(struct call *call, const char *reason, uint16_t code)
{
    struct record *record = &call->ledger.record;
    if (record->reason != NULL)
        return;
    record->reason = reason;
    record->code = code;
}

/* A refused INVITE is the end of its call, a refused re-INVITE is not (RFC 3261 14.1). */
static void call_refuse(struct call *call, uint16_t code)
{
    call_say(call, WIRE_REFUSE, code, NULL);
    if (!call->answered)
        call_why(call, "refused", code);
    metric_add(call->dialin->refused, 1);
    if (!call->answered)
        call_drop(call, false);
}

static uint16_t code_of(enum status status)
{
    return status == STATUS_UNSUPPORTED ? 488 : status == STATUS_NO_MEMORY ? 503 : 400;
}

/* ---- the menu ---- */

static void prompt_play(struct call *call, enum menu_prompt prompt)
{
    struct media_prompt *recording = call->dialin->prompts.recordings[call->language][prompt];
    if (recording != NULL)
        media_leg_play(call->dialin->media, call->leg, recording, PROMPT_GAP_MS);
}

static void action_do(struct call *call, const struct menu_action *action)
{
    struct dialin *dialin = call->dialin;
    switch (action->what) {
    case MENU_PLAY:
        prompt_play(call, action->prompt);
        break;
    case MENU_STOP:
        media_leg_stop(dialin->media, call->leg);
        break;
    case MENU_CHECK:
        admission_begin(call);
        break;
    case MENU_MUTE:
        meetings_phone_mute(dialin->meetings, call->leg, action->on);
        break;
    case MENU_HAND:
        meetings_phone_hand(dialin->meetings, call->leg, action->on);
        break;
    case MENU_COUNT:
        meetings_phone_count(dialin->meetings, call->leg);
        break;
    case MENU_GAIN:
        media_leg_gain(dialin->media, call->leg, action->db);
        break;
    case MENU_JOIN:
        admission_invited(call);
        break;
    case MENU_POLL:
        admission_poll(call, 0);
        break;
    case MENU_VOTE:
        admission_poll(call, action->number);
        break;
    case MENU_HANG_UP:
        call->ending = true;
        break;
    }
}

void call_act(struct call *call, const struct menu_actions *actions)
{
    struct loop *loop = bridge_loop(call->dialin->bridge);
    bool invited = call->menu.at == MENU_AT_INVITE;
    loop_timer_start(loop, &call->silence, invited ? MENU_INVITE_MS : MENU_SILENCE_MS);
    for (size_t i = 0; i < actions->count; i++)
        action_do(call, &actions->items[i]);
}

static void on_silence(void *context)
{
    struct call *call = context;
    struct menu_actions actions;
    if (call->ending) { /* the recordings are not there, or cannot be heard out */
        call_drop(call, true);
        return;
    }
    menu_silence(&call->menu, &actions);
    if (actions.count > 0)
        call_act(call, &actions);
}

/* Nobody answered; a machine did; or the call has lasted as long as it may. */
static void on_patience(void *context)
{
    struct call *call = context;
    bool joined = call->meeting[0] != '\0';
    call_why(call, !call->answered ? "no_answer" : joined ? "length" : "machine", 0);
    call_drop(call, true);
}

void call_key(struct call *call, char key)
{
    struct menu_actions actions;
    if (!call->talking)
        return;
    menu_key(&call->menu, key, &actions);
    call_act(call, &actions);
}

void call_played(struct call *call)
{
    if (call->ending)
        call_drop(call, true);
}

const char *call_guesser(const struct call *call)
{
    return call->number[0] != '\0' ? call->number : call->source;
}

void call_checked(struct call *call, enum menu_answer answer, uint32_t others)
{
    struct menu_actions actions;
    if (answer == MENU_WRONG)
        guesses_count(&call->dialin->guesses, call_guesser(call),
                      loop_now_ms(bridge_loop(call->dialin->bridge)));
    menu_checked(&call->menu, answer, others, &actions);
    if (call->outgoing != NULL && (answer == MENU_FOUND_IN || answer == MENU_FOUND_WAITING))
        outgoing_joined(call);
    call_act(call, &actions);
}

void call_polled(struct call *call, uint8_t answers, bool voted, bool counted)
{
    struct menu_actions actions;
    if (voted)
        menu_voted(&call->menu, counted, &actions);
    else
        menu_poll(&call->menu, answers, &actions);
    call_act(call, &actions);
}

void call_notice(struct call *call, enum meeting_phone_notice notice, uint32_t people)
{
    struct menu_actions actions = {0};
    switch (notice) {
    case MEETING_PHONE_ADMITTED:
        menu_admitted(&call->menu, people > 0 ? people - 1 : 0, &actions);
        break;
    case MEETING_PHONE_MUTED:
        menu_host_muted(&call->menu, &actions);
        break;
    case MEETING_PHONE_ASKED_UNMUTE:
        menu_asked_unmute(&call->menu, &actions);
        break;
    case MEETING_PHONE_HAND_LOWERED:
        call->menu.hand = false;
        break;
    case MEETING_PHONE_REMOVED:
    case MEETING_PHONE_ENDED:
        call_why(call, notice == MEETING_PHONE_ENDED ? "meeting_ended" : "removed", 0);
        if (call->outgoing != NULL && !call->answered) {
            call_drop(call, true);
            return;
        }
        menu_removed(&call->menu, &actions);
        break;
    case MEETING_PHONE_POLL:
        menu_poll_opened(&call->menu, &actions);
        break;
    case MEETING_PHONE_COUNTED:
        menu_counted(&call->menu, people, &actions);
        break;
    }
    if (call->talking && actions.count > 0)
        call_act(call, &actions);
}

/* ---- SDP ---- */

static void answered(struct call *call, enum status status, const char *sdp)
{
    if (status == STATUS_OK) {
        call_say(call, WIRE_ANSWER, 0, sdp);
        call->answered = true;
    } else {
        call_refuse(call, code_of(status));
    }
}

static void offer_send(struct call *call)
{
    const char *sdp = NULL;
    call->local.version++;
    call->offered = true;
    /* Plain to begin with; later the keys that are in use go on. */
    enum status status = negotiate_offer(&call->local, &call->security, call->dialin->arena, &sdp);
    answered(call, status, sdp);
}

static void answer_send(struct call *call, const struct negotiated *negotiated)
{
    const char *sdp = NULL;
    call->local.version++;
    call->offered = false;
    call->security = negotiated->security;
    call->ledger.record.codec = negotiate_codec(&negotiated->stream);
    enum status status = negotiate_answer(negotiated, &call->local, call->dialin->arena, &sdp);
    answered(call, status, sdp);
}

/* The other side goes on with its key: so do we (RFC 4568 7.1.4). */
static void key_keep(const struct call *call, struct media_leg_security *security)
{
    if (security->kind == MEDIA_LEG_SDES && call->security.kind == MEDIA_LEG_SDES &&
        security->suite == call->security.suite &&
        crypto_equal(security->receive_key, call->security.receive_key,
                     sizeof security->receive_key))
        memcpy(security->send_key, call->security.send_key, sizeof security->send_key);
}

static enum status stream_change(struct call *call, const char *sdp,
                                 struct negotiated *ret_negotiated)
{
    enum status status = negotiate_read(sdp, call->dialin->arena, ret_negotiated);
    if (status != STATUS_OK)
        return status;
    key_keep(call, &ret_negotiated->security);
    call->ledger.record.codec = negotiate_codec(&ret_negotiated->stream);
    return media_leg_update(call->dialin->media, call->leg, &ret_negotiated->stream,
                            &ret_negotiated->security);
}

static void reinvited(struct call *call, const char *sdp)
{
    struct negotiated negotiated;
    if (!call->open || !call->answered) {
        call_refuse(call, 491);
        return;
    }
    if (sdp == NULL) {
        offer_send(call);
        return;
    }
    enum status status = stream_change(call, sdp, &negotiated);
    if (status == STATUS_OK)
        answer_send(call, &negotiated);
    else
        call_refuse(call, code_of(status));
    crypto_wipe(&negotiated.security, sizeof negotiated.security);
}

enum status call_answer_take(struct call *call, const char *sdp, const char **ret_codec)
{
    struct dialin *dialin = call->dialin;
    struct negotiated negotiated;
    enum status status = negotiate_read(sdp, dialin->arena, &negotiated);
    if (status == STATUS_OK)
        status = negotiate_answered(&call->security, &negotiated);
    if (status == STATUS_OK)
        status =
            media_leg_update(dialin->media, call->leg, &negotiated.stream, &negotiated.security);
    if (status == STATUS_OK) {
        call->security = negotiated.security;
        *ret_codec = negotiate_codec(&negotiated.stream);
    }
    crypto_wipe(&negotiated.security, sizeof negotiated.security);
    return status;
}

/* Asked anew, the other side may be held now, or be taken up again. */
static void refreshed(struct call *call, const char *sdp)
{
    const char *codec;
    if (!call->open || !call->answered || call->offered || sdp == NULL)
        return;
    enum status status = call_answer_take(call, sdp, &codec);
    if (status != STATUS_OK)
        log_event(LOG_PHONE, LOG_WARN, "refresh_not_taken", "leg=%" PRIu64 " status=%s", call->leg,
                  status_name(status));
}

static void acknowledged(struct call *call, const char *sdp)
{
    struct menu_actions actions;
    struct negotiated negotiated;
    if (call->offered) {
        call->offered = false;
        if (sdp == NULL || stream_change(call, sdp, &negotiated) != STATUS_OK) {
            call_drop(call, true);
            return;
        }
        call->security = negotiated.security;
    }
    if (call->talking)
        return;
    call->talking = true;
    call->ledger.record.answered = clock_wall_ms();
    loop_timer_stop(bridge_loop(call->dialin->bridge), &call->patience);
    menu_begin(&call->menu, &actions);
    call_act(call, &actions);
}

/* ---- beginning ---- */

static enum status leg_open(struct call *call, const char *sdp)
{
    struct media_leg_spec spec = {.id = call->leg, .negotiated = sdp != NULL};
    enum status status = STATUS_OK;
    if (sdp != NULL) {
        call->asked = arena_alloc(call->arena, sizeof *call->asked);
        status =
            call->asked != NULL ? negotiate_read(sdp, call->arena, call->asked) : STATUS_NO_MEMORY;
        if (status == STATUS_OK) {
            spec.stream = call->asked->stream;
            spec.security = call->asked->security;
        }
    }
    if (status == STATUS_OK)
        status = media_leg_open(call->dialin->media, &spec);
    crypto_wipe(&spec.security, sizeof spec.security);
    return status;
}

static void text_copy(char *to, size_t size, const char *from)
{
    snprintf(to, size, "%s", from != NULL ? from : "");
}

struct call *call_new(struct dialin *dialin, uint64_t id, const char *number, const char *source)
{
    struct call *call = calloc(1, sizeof *call);
    if (call == NULL || arena_new(CALL_ARENA_MAX, &call->arena) != STATUS_OK) {
        free(call);
        return NULL;
    }
    call->dialin = dialin;
    call->id = id;
    call->leg =
        (id & WIRE_CALL_OUT) != 0 ? id & ~WIRE_CALL_OUT : meetings_transport_id(dialin->meetings);
    text_copy(call->number, sizeof call->number, number);
    text_copy(call->source, sizeof call->source, source);
    call_address(call);
    crypto_id(call->ledger.id);
    text_copy(call->ledger.number, sizeof call->ledger.number, number);
    call->ledger.record.started = clock_wall_ms();
    call->silence = (struct loop_timer){.name = "menu", .fn = on_silence, .context = call};
    call->patience = (struct loop_timer){.name = "call", .fn = on_patience, .context = call};
    call->local = (struct negotiate_local){.address = call->address,
                                           .session = crypto_random_u32(),
                                           .fingerprint = media_local(dialin->media)->fingerprint};
    enum status status = map_put(dialin->calls, call->id, call);
    if (status == STATUS_OK)
        status = map_put(dialin->legs, call->leg, call);
    if (status == STATUS_OK)
        return call;
    map_remove(dialin->calls, call->id);
    return call_free(call);
}

void call_invited(struct dialin *dialin, const struct wire_message *invite)
{
    struct call *call =
        map_count(dialin->calls) < DIALIN_CALLS_MAX && map_get(dialin->calls, invite->call) == NULL
            ? call_new(dialin, invite->call, invite->fields[WIRE_NUMBER],
                       invite->fields[WIRE_ADDRESS])
            : NULL;
    if (call == NULL) {
        struct wire_message busy = {.type = WIRE_REFUSE, .code = 503, .call = invite->call};
        bridge_send(dialin->bridge, &busy);
        return;
    }
    const struct trunk_settings *trunk =
        trunks_find(dialin->trunks, invite->fields[WIRE_VIA], invite->fields[WIRE_CALLED]);
    if (trunk != NULL)
        call->language = (enum prompt_language)trunk->language;
    const struct stir_request asserted = {
        .identity = invite->fields[WIRE_IDENTITY],
        .caller = call->number,
        .called = {invite->fields[WIRE_TO], invite->fields[WIRE_CALLED]},
        .date = invite->fields[WIRE_DATE],
        .now_s = (int64_t)(clock_wall_ms() / 1000)};
    call->attestation = stir_check(dialin->config.stir, &asserted);
    call->hidden = invite->code != 0;
    if (call->hidden)
        call->ledger.number[0] = '\0';
    call_name(call, invite->fields[WIRE_NAME]);
    ledger_begin(call);
    metric_add(dialin->received, 1);
    loop_timer_start(bridge_loop(dialin->bridge), &call->patience, DIALIN_ANSWER_MS);
    enum status status = leg_open(call, invite->fields[WIRE_SDP]);
    log_event(LOG_PHONE, LOG_INFO, "call", "leg=%" PRIu64 " source=%s status=%s", call->leg,
              call->source, status_name(status));
    if (status != STATUS_OK) {
        call->closed = true;
        call_refuse(call, code_of(status));
    }
}

void call_opened(struct call *call, uint16_t port, uint16_t rtcp_port)
{
    call->open = true;
    call->local.port = port;
    call->local.rtcp_port = rtcp_port;
    if (call->outgoing != NULL) {
        outgoing_opened(call);
        return;
    }
    if (call->asked == NULL) {
        offer_send(call);
        return;
    }
    struct negotiated *asked = call->asked;
    call->asked = NULL;
    answer_send(call, asked); /* refusing frees the call and all in its arena */
}

void call_message(struct call *call, const struct wire_message *message)
{
    const char *sdp = message->fields[WIRE_SDP], *key = message->fields[WIRE_NAME];
    if (message->type == WIRE_REINVITE)
        reinvited(call, sdp);
    else if (message->type == WIRE_REFRESHED)
        refreshed(call, sdp);
    else if (message->type == WIRE_ACK)
        acknowledged(call, sdp);
    else if (message->type == WIRE_DIGIT && key != NULL)
        call_key(call, key[0]);
    else if ((message->type == WIRE_PROGRESS || message->type == WIRE_ANSWERED) &&
             call->outgoing != NULL)
        outgoing_message(call, message);
    else if (message->type == WIRE_ENDED) {
        if (call->outgoing != NULL && outgoing_again(call, message->code))
            return;
        if (call->ledger.record.reason == NULL)
            call->ledger.record.code = message->code;
        call_drop(call, false);
    }
}
