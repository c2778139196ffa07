/*
 * Calls of ours.
 *
 *   DIAL ── INVITE to the trunk's address in use
 *             │ no word in TRUNK_ANSWER_MS: the trunk's next address, and it is asked by OPTIONS
 *             │ no address left: ENDED 408, and the server asks the next trunk
 *             ▼
 *          100 … 199: PROGRESS;  2xx: ANSWERED;  401, 407: once more with credentials
 *
 * Each early dialog of a forked call is progress; the stack hangs up what answers after the first
 * (RFC 3261 13.2.2.4).
 */
#include "signalling/sip/phone/call.h"

#include <sofia-sip/sip_tag.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    DIAL_NAME_MAX = 96, /* bytes of a display name */
    DIAL_CALLED_MAX = 128,
    DIAL_RETRIES = 3, /* a challenge, a session that is too short, a nonce that was stale */
};

void dial_clear(struct dial *dial)
{
    if (dial->timer != NULL)
        su_timer_destroy(dial->timer);
    free(dial->called);
    free(dial->from);
    *dial = (struct dial){0};
}

/* ---- From ---- */

/* Bytes of the letter at `text`, of UTF-8 that need not be good; 0: it is none. */
static size_t letter_length(const char *text)
{
    unsigned char first = (unsigned char)*text;
    size_t length = first < 0x80                    ? 1
                    : first >= 0xc2 && first < 0xe0 ? 2
                    : first >= 0xe0 && first < 0xf0 ? 3
                    : first >= 0xf0 && first < 0xf5 ? 4
                                                    : 0;
    for (size_t i = 1; i < length; i++) {
        if (((unsigned char)text[i] & 0xc0) != 0x80)
            return 0;
    }
    return length;
}

/* Controls (C0, C1) and what turns the direction of writing (U+200E, U+200F, U+202A to U+202E,
 * U+2066 to U+2069) have no place in a name; quotes would end the string. */
static bool letter_shown(const char *text, size_t length)
{
    const unsigned char *bytes = (const unsigned char *)text;
    if (length == 1)
        return bytes[0] >= ' ' && bytes[0] != 0x7f && bytes[0] != '"' && bytes[0] != '\\';
    if (length == 2)
        return bytes[0] != 0xc2 || bytes[1] >= 0xa0;
    if (length == 3 && bytes[0] == 0xe2 && bytes[1] == 0x80)
        return bytes[2] != 0x8e && bytes[2] != 0x8f && (bytes[2] < 0xa8 || bytes[2] > 0xae);
    return length != 3 || bytes[0] != 0xe2 || bytes[1] != 0x81 || bytes[2] < 0xa6 ||
           bytes[2] > 0xa9;
}

/* "\"Ann\" <sip:+4930…@domain>" (RFC 3261 25.1); without a name, the address alone. */
static void from_make(const struct wire_message *message, const char *domain, char *ret_from,
                      size_t size)
{
    char name[DIAL_NAME_MAX];
    size_t used = 0, length;
    const char *text = message->fields[WIRE_REASON], *number = message->fields[WIRE_NUMBER];
    for (; text != NULL && *text != '\0'; text += length > 0 ? length : 1) {
        length = letter_length(text);
        if (length == 0 || !letter_shown(text, length))
            continue;
        if (used + length >= sizeof name)
            break;
        memcpy(name + used, text, length);
        used += length;
    }
    name[used] = '\0';
    snprintf(ret_from, size, used > 0 ? "\"%s\" <sip:%s@%s>" : "%s<sip:%s@%s>", name,
             number != NULL && number[0] != '\0' ? number : "anonymous", domain);
}

/* ---- sending ---- */

static void on_timer(struct stack *stack, su_timer_t *timer, su_timer_arg_t *arg);

/* To the trunk's next address; false: there is none, or no memory. */
static bool dial_send(struct phone_call *call)
{
    struct stack *stack = call->stack;
    struct dial *dial = &call->dial;
    struct trunk *trunk = dial->trunk;
    char to[DIAL_CALLED_MAX + TRUNK_TEXT_MAX + 16];
    if (dial->tried >= trunk->target_count)
        return false;
    const struct trunk_target *target =
        &trunk->targets[(dial->first + dial->tried++) % trunk->target_count];
    const struct agent *agent = &stack->agents[target->transport];
    snprintf(to, sizeof to, "<%s>", dial->called);
    nua_handle_t *nh =
        nua_handle(agent->nua, NULL, SIPTAG_TO_STR(to), SIPTAG_FROM_STR(dial->from), TAG_END());
    if (nh == NULL)
        return false;
    if (call->nh != NULL) { /* what comes of it yet is not this call's */
        nua_cancel(call->nh, TAG_END());
        nua_handle_bind(call->nh, NULL);
        nua_handle_destroy(call->nh);
    }
    call->nh = nh;
    nua_handle_bind(nh, &call->handle);
    agent_contact(agent, target->url, trunk->user, call->contact);
    nua_invite(nh, NUTAG_URL(dial->called), NUTAG_PROXY(target->url),
               NUTAG_RETRY_COUNT(DIAL_RETRIES), SIPTAG_CONTACT_STR(call->contact),
               SIPTAG_CONTENT_TYPE_STR("application/sdp"), SIPTAG_PAYLOAD_STR(call->refresh.sdp),
               TAG_END());
    su_timer_set_interval(dial->timer, on_timer, (su_timer_arg_t *)call, TRUNK_ANSWER_MS);
    return true;
}

static void on_timer(struct stack *stack, su_timer_t *timer, su_timer_arg_t *arg)
{
    struct phone_call *call = (struct phone_call *)arg;
    (void)timer;
    if (stack->ending || call->ending)
        return;
    trunk_doubt(call->dial.trunk);
    if (dial_send(call))
        return;
    nua_cancel(call->nh, TAG_END());
    call_end(stack, call, 408, NULL);
}

/* Refused before anything was sent. */
static void dial_fail(struct stack *stack, uint64_t id, int code)
{
    struct wire_message told = {.type = WIRE_ENDED, .call = id, .code = (uint16_t)code};
    stack_say(stack, &told);
}

void dial_begin(struct stack *stack, const struct wire_message *message)
{
    char url[DIAL_CALLED_MAX + TRUNK_TEXT_MAX + 8], from[TRUNK_TEXT_MAX + 256];
    struct trunk *trunk = trunk_find(stack, message->fields[WIRE_NAME]);
    const char *called = message->fields[WIRE_CALLED], *sdp = message->fields[WIRE_SDP];
    struct phone_call *call = NULL;
    if (trunk != NULL && !stack->ending && called != NULL && strlen(called) <= DIAL_CALLED_MAX &&
        sdp != NULL && (message->call & WIRE_CALL_OUT) != 0)
        call = call_new(stack, NULL, message->call);
    if (call == NULL) {
        dial_fail(stack, message->call, 503);
        return;
    }
    snprintf(url, sizeof url, strncmp(called, "sip:", 4) == 0 ? "%s" : "sip:%s@%s", called,
             trunk->domain);
    from_make(message, trunk->domain, from, sizeof from);
    call->dial = (struct dial){
        .trunk = trunk, .called = strdup(url), .from = strdup(from), .first = trunk->target};
    call->dial.timer = su_timer_create(su_root_task(stack->root), TRUNK_ANSWER_MS);
    call->refresh.own = true;
    refresh_keep(&call->refresh, call->contact, sdp);
    if (call->dial.called == NULL || call->dial.from == NULL || call->dial.timer == NULL ||
        call->refresh.sdp == NULL || !dial_send(call))
        call_end(stack, call, 503, NULL);
}

/* ---- answers ---- */

void dial_response(struct stack *stack, struct phone_call *call, const struct phone_event *event)
{
    struct dial *dial = &call->dial;
    struct wire_message told = {.call = call->id, .code = (uint16_t)event->status};
    su_timer_reset(dial->timer);
    if (call->ending) { /* answered while our CANCEL was under way */
        call->answered = event->status >= 200 && event->status < 300;
        if (call->answered)
            nua_bye(call->nh, TAG_END());
        return;
    }
    if (event->status == 401 || event->status == 407) {
        if (!dial->challenged && trunk_authenticate(dial->trunk, call->nh, event->sip))
            dial->challenged = true;
        else
            call_end(stack, call, event->status, event->phrase);
    } else if (event->status > 100 && event->status < 200) {
        told.type = WIRE_PROGRESS;
        told.fields[WIRE_SDP] = call_sdp(event);
        stack_say(stack, &told);
    } else if (event->status >= 200 && event->status < 300) {
        call->answered = true;
        refresh_know(&call->refresh, call->nh, event->sip);
        told.type = WIRE_ANSWERED;
        told.fields[WIRE_SDP] = call_sdp(event);
        stack_say(stack, &told);
    }
}
