/*
 * Calls: an INVITE is told to the server, which says what to answer. A call has one INVITE that
 * waits at a time (RFC 3261 14.2), so ANSWER and REFUSE need not say which.
 */
#include "signalling/sip/phone/identity.h"
#include "signalling/sip/phone/refresh.h"
#include "signalling/sip/phone/trunk.h"

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

struct phone_call {
    struct phone_handle handle;
    struct phone_call *next, *prev;
    uint64_t id;
    nua_handle_t *nh;
    char contact[STACK_CONTACT_MAX]; /* ours */
    const struct trunk *trunk;       /* of a call of ours; NULL: it came in */
    bool challenged;                 /* our answer to a challenge is on its way */
    msg_t *update;                   /* an UPDATE with an offer waits; NULL: an INVITE does */
    struct refresh refresh;
    bool waiting;  /* an INVITE, re-INVITE or UPDATE is to be answered */
    bool answered; /* the first one was */
    bool ending;   /* BYE was sent, or ENDED told */
};

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

/* `peer`, `user`: as agent_contact takes them. */
static struct phone_call *call_new(struct stack *stack, nua_handle_t *nh, uint64_t id,
                                   const struct agent *agent, const char *peer, const char *user)
{
    struct phone_call *call = stack->call_count < PHONE_CALLS_MAX ? calloc(1, sizeof *call) : NULL;
    if (call == NULL)
        return NULL;
    call->handle.kind = HANDLE_CALL;
    call->handle.refresh = &call->refresh;
    call->id = id;
    call->nh = nh;
    agent_contact(agent, peer, user, call->contact);
    call->next = stack->first;
    if (stack->first != NULL)
        stack->first->prev = call;
    stack->first = call;
    stack->call_count++;
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
    nua_handle_bind(call->nh, NULL);
    nua_handle_destroy(call->nh);
    free(call);
}

/* The last the server hears of it. */
static void call_end(struct stack *stack, struct phone_call *call, int code, const char *reason)
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
        call = call_new(stack, event->nh, stack->next_call++, event->agent, source, "");
        refused = call == NULL ? 503 : 0;
        if (sip_is_allowed(event->sip->sip_allow, sip_method_update, "UPDATE"))
            nua_set_hparams(event->nh, NUTAG_UPDATE_REFRESH(1), TAG_END());
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
    told.fields[WIRE_SDP] =
        event->sip != NULL && sdp_usable(event->sip) ? sdp_of(event->sip) : NULL;
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

/* ---- calls of ours ---- */

/* Refused before anything was sent. */
static void dial_fail(struct stack *stack, uint64_t id, int code)
{
    struct wire_message told = {.type = WIRE_ENDED, .call = id, .code = (uint16_t)code};
    stack_say(stack, &told);
}

/* The display name as a quoted string (RFC 3261 25.1); what cannot stand in one is left out. */
static void from_make(const struct wire_message *message, const char *domain, char *ret_from,
                      size_t size)
{
    char name[64];
    size_t used = 0;
    const char *text = message->fields[WIRE_REASON], *number = message->fields[WIRE_NUMBER];
    for (; text != NULL && *text != '\0' && used + 1 < sizeof name; text++) {
        if ((unsigned char)*text >= ' ' && *text != '"' && *text != '\\')
            name[used++] = *text;
    }
    name[used] = '\0';
    snprintf(ret_from, size, "\"%s\" <sip:%s@%s>", name,
             number != NULL && number[0] != '\0' ? number : "anonymous", domain);
}

static void dial(struct stack *stack, const struct wire_message *message)
{
    char url[TRUNK_TEXT_MAX + 144], to[sizeof url + 2], from[TRUNK_TEXT_MAX + 256];
    const struct trunk *trunk = trunk_find(stack, message->fields[WIRE_NAME]);
    const char *called = message->fields[WIRE_CALLED];
    if (trunk == NULL || trunk->target >= trunk->target_count || stack->ending || called == NULL ||
        strlen(called) > 128 || message->fields[WIRE_SDP] == NULL ||
        (message->call & WIRE_CALL_OUT) == 0) {
        dial_fail(stack, message->call, 503);
        return;
    }
    const struct trunk_target *target = &trunk->targets[trunk->target];
    const struct agent *agent = &stack->agents[target->transport];
    bool address = strncmp(called, "sip:", 4) == 0;
    snprintf(url, sizeof url, address ? "%s" : "sip:%s@%s", called, trunk->domain);
    snprintf(to, sizeof to, "<%s>", url);
    from_make(message, trunk->domain, from, sizeof from);
    nua_handle_t *nh =
        nua_handle(agent->nua, NULL, SIPTAG_TO_STR(to), SIPTAG_FROM_STR(from), TAG_END());
    struct phone_call *call =
        nh != NULL ? call_new(stack, nh, message->call, agent, target->url, trunk->user) : NULL;
    if (call == NULL) {
        if (nh != NULL)
            nua_handle_destroy(nh);
        dial_fail(stack, message->call, 503);
        return;
    }
    call->trunk = trunk;
    call->refresh.own = true;
    refresh_keep(&call->refresh, call->contact, message->fields[WIRE_SDP]);
    nua_invite(nh, NUTAG_URL(url), NUTAG_PROXY(target->url),
               NUTAG_RETRY_COUNT(trunk->user[0] != '\0' ? 1 : 0), SIPTAG_CONTACT_STR(call->contact),
               SIPTAG_CONTENT_TYPE_STR("application/sdp"),
               SIPTAG_PAYLOAD_STR(message->fields[WIRE_SDP]), TAG_END());
}

static const char *answer_sdp(const struct phone_event *event)
{
    return event->sip != NULL && sdp_usable(event->sip) ? sdp_of(event->sip) : NULL;
}

/* The stack asks again by itself where a 302 or 305 sends it, up to NUTAG_RETRY_COUNT times: none
 * without credentials, once with them, as a challenge counts too. That one is stopped here. */
static bool redirected(const struct phone_event *event)
{
    return event->status == 100 && event->phrase != NULL &&
           strncmp(event->phrase, "Redirected", 10) == 0;
}

/* Each early dialog of a forked call is progress; the stack hangs up what answers after the first
 * (RFC 3261 13.2.2.4). Where a 3xx sends us is not asked: rules were checked for one number only.
 */
static void on_response(struct stack *stack, struct phone_call *call,
                        const struct phone_event *event)
{
    struct wire_message told = {.call = call->id, .code = (uint16_t)event->status};
    if (call->trunk == NULL)
        return;
    if (call->ending) { /* answered while our CANCEL was under way */
        call->answered = event->status >= 200 && event->status < 300;
        if (call->answered)
            nua_bye(call->nh, TAG_END());
        return;
    }
    if (redirected(event)) {
        nua_cancel(call->nh, TAG_END());
        call_end(stack, call, 302, NULL);
    } else if (event->status == 401 || event->status == 407) {
        if (!call->challenged && trunk_authenticate(call->trunk, call->nh, event->sip))
            call->challenged = true;
        else
            call_end(stack, call, event->status, event->phrase);
    } else if (event->status > 100 && event->status < 200) {
        told.type = WIRE_PROGRESS;
        told.fields[WIRE_SDP] = answer_sdp(event);
        stack_say(stack, &told);
    } else if (event->status >= 200 && event->status < 300) {
        call->answered = true;
        told.type = WIRE_ANSWERED;
        told.fields[WIRE_SDP] = answer_sdp(event);
        stack_say(stack, &told);
    }
}

/* ---- events ---- */

static int state_of(const struct phone_event *event)
{
    int state = -1;
    tl_gets(event->tags, NUTAG_CALLSTATE_REF(state), TAG_END());
    return state;
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
            refresh_answered(stack, &call->refresh, event);
        else if (event->event == nua_r_invite)
            on_response(stack, call, event);
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
        dial(stack, message);
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
        else if (call->trunk != NULL)
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
