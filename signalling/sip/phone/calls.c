/*
 * Calls: an INVITE is told to the server, which says what to answer. A call has one INVITE that
 * waits at a time (RFC 3261 14.2), so ANSWER and REFUSE need not say which.
 */
#include "signalling/sip/phone/call.h"
#include "signalling/sip/phone/identity.h"

#include <arpa/inet.h>
#include <sofia-sip/msg_addr.h>
#include <sofia-sip/sip.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_tag.h>
#include <sofia-sip/url.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { CALL_UNSENT = 700 /* statuses from here on are the stack's own */ };

static const struct sockaddr *source_of(nua_t *nua)
{
    msg_t *request = nua_current_request(nua);
    su_sockaddr_t *address = request != NULL ? msg_addr(request) : NULL;
    return address != NULL && (address->su_family == AF_INET || address->su_family == AF_INET6)
               ? &address->su_sa
               : NULL;
}

static void source_text(const struct sockaddr *source, char ret_text[INET6_ADDRSTRLEN])
{
    const su_sockaddr_t *address = (const su_sockaddr_t *)(const void *)source;
    ret_text[0] = '\0';
    if (source != NULL && source->sa_family == AF_INET)
        inet_ntop(AF_INET, &address->su_sin.sin_addr, ret_text, INET6_ADDRSTRLEN);
    else if (source != NULL)
        inet_ntop(AF_INET6, &address->su_sin6.sin6_addr, ret_text, INET6_ADDRSTRLEN);
}

static void source_url(nua_t *nua, char *ret_url, size_t size)
{
    char text[INET6_ADDRSTRLEN];
    source_text(source_of(nua), text);
    snprintf(ret_url, size, strchr(text, ':') != NULL ? "sip:[%s]" : "sip:%s", text);
}

static struct phone_call *call_find(struct stack *stack, uint64_t id)
{
    struct phone_call *call = stack->first;
    while (call != NULL && call->id != id)
        call = call->next;
    return call;
}

struct phone_call *call_new(struct stack *stack, nua_handle_t *nh, uint64_t id)
{
    struct phone_call *call = stack->call_count < PHONE_CALLS_MAX ? calloc(1, sizeof *call) : NULL;
    if (call == NULL)
        return NULL;
    call->handle.kind = HANDLE_CALL;
    call->handle.refresh = &call->refresh;
    call->stack = stack;
    call->id = id;
    call->nh = nh;
    call->next = stack->first;
    if (stack->first != NULL)
        stack->first->prev = call;
    stack->first = call;
    stack->call_count++;
    if (nh != NULL)
        nua_handle_bind(nh, &call->handle);
    return call;
}

static void call_free(struct stack *stack, struct phone_call *call)
{
    if (call->prev != NULL)
        call->prev->next = call->next;
    else
        stack->first = call->next;
    if (call->next != NULL)
        call->next->prev = call->prev;
    stack->call_count--;
    if (call->update != NULL)
        msg_unref(call->update);
    refresh_clear(&call->refresh);
    dial_clear(&call->dial);
    if (call->nh != NULL) {
        nua_handle_bind(call->nh, NULL);
        nua_handle_destroy(call->nh);
    }
    free(call);
}

void call_end(struct stack *stack, struct phone_call *call, int code, const char *reason)
{
    struct wire_message told = {
        .type = WIRE_ENDED, .call = call->id, .code = (uint16_t)(code > 0 ? code : 0)};
    told.fields[WIRE_REASON] = reason;
    stack_say(stack, &told);
    call_free(stack, call);
}

/* ---- INVITE ---- */

/* NULL: none, or not SDP. */
static const char *sdp_of(const sip_t *sip)
{
    const sip_payload_t *payload = sip->sip_payload;
    if (payload == NULL || payload->pl_data == NULL || payload->pl_len == 0)
        return NULL;
    return payload->pl_data; /* sofia puts a NUL after it; one inside ends it earlier */
}

static bool sdp_usable(const sip_t *sip)
{
    const sip_payload_t *payload = sip->sip_payload;
    if (payload == NULL || payload->pl_len == 0)
        return true;
    const sip_content_type_t *type = sip->sip_content_type;
    return type != NULL && type->c_type != NULL &&
           strcasecmp(type->c_type, "application/sdp") == 0 && payload->pl_len <= WIRE_TEXT_MAX;
}

const char *call_sdp(const struct phone_event *event)
{
    return event->sip != NULL && sdp_usable(event->sip) ? sdp_of(event->sip) : NULL;
}

static void invite_tell(struct stack *stack, struct phone_call *call,
                        const struct phone_event *event)
{
    struct identity identity;
    char source[INET6_ADDRSTRLEN];
    const struct sockaddr *from = source_of(event->agent->nua);
    const struct trunk *trunk = from != NULL ? trunk_of(stack, from) : NULL;
    identity_read(event->sip, trunk != NULL && trunk->trusted, &identity);
    source_text(from, source);
    struct wire_message told = {.type = WIRE_INVITE, .call = call->id, .code = identity.hidden};
    told.fields[WIRE_SDP] = sdp_of(event->sip);
    told.fields[WIRE_NUMBER] = identity.number;
    told.fields[WIRE_NAME] = identity.name;
    told.fields[WIRE_ADDRESS] = source;
    told.fields[WIRE_VIA] = trunk != NULL ? trunk->name : NULL;
    told.fields[WIRE_IDENTITY] = identity_header(event->sip, "Identity");
    char date[64];
    if (told.fields[WIRE_IDENTITY] != NULL && event->sip->sip_date != NULL &&
        sip_date_e(date, sizeof date, (const msg_header_t *)event->sip->sip_date, 0) <
            (issize_t)sizeof date)
        told.fields[WIRE_DATE] = date;
    told.fields[WIRE_TO] = event->sip->sip_to != NULL ? event->sip->sip_to->a_url->url_user : NULL;
    told.fields[WIRE_CALLED] = event->sip->sip_request->rq_url->url_user;
    stack_say(stack, &told);
}

static void on_invite(struct stack *stack, struct phone_call *call, const struct phone_event *event)
{
    bool first = call == NULL;
    int refused = stack->ending ? 503 : !sdp_usable(event->sip) ? 415 : 0;
    if (refused == 0 && first) {
        char source[INET6_ADDRSTRLEN + 16];
        source_url(event->agent->nua, source, sizeof source);
        call = call_new(stack, event->nh, stack->next_call++);
        refused = call == NULL ? 503 : 0;
        if (call != NULL) {
            agent_contact(event->agent, source, "", call->contact);
            refresh_know(&call->refresh, event->nh, event->sip);
        }
    }
    if (refused != 0) {
        nua_respond(event->nh, refused, sip_status_phrase(refused),
                    NUTAG_WITH_THIS(event->agent->nua), TAG_END());
        if (first)
            nua_handle_destroy(event->nh);
        return;
    }
    call->waiting = true;
    if (first) {
        nua_respond(event->nh, SIP_180_RINGING, SIPTAG_CONTACT_STR(call->contact), TAG_END());
        invite_tell(stack, call, event);
        return;
    }
    struct wire_message told = {.type = WIRE_REINVITE, .call = call->id};
    told.fields[WIRE_SDP] = sdp_of(event->sip);
    stack_say(stack, &told);
}

static void on_ack(struct stack *stack, struct phone_call *call, const struct phone_event *event)
{
    struct wire_message told = {.type = WIRE_ACK, .call = call->id};
    told.fields[WIRE_SDP] = call_sdp(event);
    stack_say(stack, &told);
}

/* ---- UPDATE (RFC 3311) ---- */

/* Without SDP it refreshes the session; with SDP it is an offer like a re-INVITE's. */
static void on_update(struct stack *stack, struct phone_call *call, const struct phone_event *event)
{
    const char *sdp = sdp_of(event->sip);
    int status = stack->ending                    ? 503
                 : !sdp_usable(event->sip)        ? 415
                 : sdp != NULL && !call->answered ? 504
                 : sdp != NULL && call->waiting   ? 491
                 : sdp == NULL                    ? 200
                                                  : 0;
    if (status != 0) {
        nua_respond(event->nh, status, sip_status_phrase(status),
                    NUTAG_WITH_THIS(event->agent->nua), SIPTAG_CONTACT_STR(call->contact),
                    TAG_END());
        return;
    }
    call->waiting = true;
    call->update = msg_ref(nua_current_request(event->agent->nua));
    struct wire_message told = {.type = WIRE_REINVITE, .call = call->id};
    told.fields[WIRE_SDP] = sdp;
    stack_say(stack, &told);
}

/* ---- INFO ---- */

/* application/dtmf-relay: "Signal= 5\r\nDuration= 160"; application/dtmf: "5". */
static char info_digit(const sip_t *sip)
{
    const char *body = sip != NULL ? sdp_of(sip) : NULL;
    const char *type =
        body != NULL && sip->sip_content_type != NULL ? sip->sip_content_type->c_type : NULL;
    if (type == NULL)
        return '\0';
    if (strcasecmp(type, "application/dtmf-relay") == 0) {
        body = strcasestr(body, "signal");
        body = body != NULL ? strchr(body, '=') : NULL;
        body = body != NULL ? body + 1 : NULL;
    } else if (strcasecmp(type, "application/dtmf") != 0) {
        return '\0';
    }
    if (body == NULL)
        return '\0';
    body += strspn(body, " \t");
    if (strncmp(body, "10", 2) == 0)
        return '*';
    if (strncmp(body, "11", 2) == 0)
        return '#';
    return *body != '\0' && strchr("0123456789*#ABCD", *body) != NULL ? *body : '\0';
}

static void on_info(struct stack *stack, struct phone_call *call, const struct phone_event *event)
{
    char key[2] = {info_digit(event->sip), '\0'};
    if (event->status < 200)
        nua_respond(event->nh, SIP_200_OK, NUTAG_WITH_THIS(event->agent->nua), TAG_END());
    if (key[0] == '\0')
        return;
    struct wire_message told = {.type = WIRE_DIGIT, .call = call->id};
    told.fields[WIRE_NAME] = key;
    stack_say(stack, &told);
}

/* ---- events ---- */

static int state_of(const struct phone_event *event)
{
    int state = -1;
    tl_gets(event->tags, NUTAG_CALLSTATE_REF(state), TAG_END());
    return state;
}

/* A re-INVITE of ours has what was said last as its offer: the answer may say something new. */
static void on_refreshed(struct stack *stack, struct phone_call *call,
                         const struct phone_event *event)
{
    struct wire_message told = {.type = WIRE_REFRESHED, .call = call->id};
    told.fields[WIRE_SDP] = call_sdp(event);
    refresh_answered(stack, &call->refresh, event);
    if (event->event == nua_r_invite && event->status >= 200 && event->status < 300 &&
        told.fields[WIRE_SDP] != NULL)
        stack_say(stack, &told);
}

void call_event(struct stack *stack, struct phone_call *call, const struct phone_event *event)
{
    if (event->event == nua_i_invite) {
        on_invite(stack, call, event);
        return;
    }
    if (call == NULL) {
        /* Outside of a dialog: OPTIONS the stack answers by itself; nothing else is for us. */
        if (event->nh != NULL && event->event != nua_i_options && event->event < nua_r_set_params)
            nua_handle_destroy(event->nh);
        return;
    }
    switch (event->event) {
    case nua_i_ack:
        on_ack(stack, call, event);
        break;
    case nua_i_update:
        if (event->status < 200)
            on_update(stack, call, event);
        break;
    case nua_i_info:
        on_info(stack, call, event);
        break;
    case nua_r_update:
    case nua_r_invite:
        if (call->answered)
            on_refreshed(stack, call, event);
        else if (event->event == nua_r_invite && call->dial.trunk != NULL)
            dial_response(stack, call, event);
        break;
    case nua_i_state:
        if (state_of(event) == nua_callstate_terminated)
            call_end(stack, call, event->status, event->phrase);
        break;
    case nua_r_bye: /* 900 and on: it could not be sent, and nothing else follows */
        if (event->status >= CALL_UNSENT)
            call_end(stack, call, event->status, event->phrase);
        break;
    case nua_i_terminated:
        call_end(stack, call, event->status, event->phrase);
        break;
    default:
        break;
    }
}

/* ---- what the server says ---- */

void call_take(struct stack *stack, const struct wire_message *message)
{
    struct phone_call *call = call_find(stack, message->call);
    if (message->type == WIRE_DIAL && call == NULL) {
        dial_begin(stack, message);
        return;
    }
    if (call == NULL) /* it ended meanwhile */
        return;
    msg_t *update = call->update;
    if (message->type == WIRE_ANSWER && call->waiting) {
        call->waiting = false;
        call->answered = true;
        refresh_keep(&call->refresh, call->contact, message->fields[WIRE_SDP]);
        nua_respond(call->nh, SIP_200_OK, TAG_IF(update != NULL, NUTAG_WITH(update)),
                    SIPTAG_CONTACT_STR(call->contact), SIPTAG_CONTENT_TYPE_STR("application/sdp"),
                    SIPTAG_PAYLOAD_STR(message->fields[WIRE_SDP]), TAG_END());
    } else if (message->type == WIRE_REFUSE && call->waiting) {
        int code = message->code >= 400 && message->code < 700 ? message->code : 500;
        call->waiting = false;
        nua_respond(call->nh, code, sip_status_phrase(code),
                    TAG_IF(update != NULL, NUTAG_WITH(update)), TAG_END());
    } else if (message->type == WIRE_HANGUP && !call->ending) {
        call->ending = true;
        if (call->answered)
            nua_bye(call->nh, TAG_END());
        else if (call->dial.trunk != NULL)
            nua_cancel(call->nh, TAG_END());
        else
            nua_respond(call->nh, SIP_480_TEMPORARILY_UNAVAILABLE, TAG_END());
        return;
    }
    if (update != NULL && !call->waiting) {
        call->update = NULL;
        msg_unref(update);
    }
}

void calls_hang_up(struct stack *stack)
{
    for (struct phone_call *call = stack->first; call != NULL; call = call->next) {
        /* An UPDATE that waits while its call ends would be freed twice (nua_shutdown). */
        const struct wire_message refuse = {.type = WIRE_REFUSE, .call = call->id, .code = 503};
        if (call->update != NULL)
            call_take(stack, &refuse);
        const struct wire_message message = {.type = WIRE_HANGUP, .call = call->id};
        call_take(stack, &message);
    }
}
