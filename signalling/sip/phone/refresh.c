/*
 * A session is refreshed by the stack at half its time (RFC 4028), by UPDATE where the other side
 * takes it and else by a re-INVITE. The stack leaves three things out. A re-INVITE of its own has
 * no SDP, which asks for an offer that nobody would answer; or it is the last INVITE once more,
 * with an offer that holds and answers may have made untrue since: it gets what we said last, with
 * the version of that (RFC 4028 10, RFC 3264 8). And a refresh that met a request of the other side
 * is asked again after a while of its own (RFC 3261 14.1). Every request goes out by a function
 * that ours stands before, as in sieve.c.
 */
#include "signalling/sip/phone/refresh.h"

#include "core/crypto.h"

#include <dlfcn.h>
#include <sofia-sip/msg_header.h>
#include <sofia-sip/nta.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_tag.h>
#include <sofia-sip/su_tagarg.h>
#include <stdlib.h>
#include <string.h>

enum {
    REFRESH_PENDING = 491,
    REFRESH_STEP_MS = 10,
    REFRESH_STEPS = 200,       /* 0 to 2 s: for who did not make the Call-ID */
    REFRESH_STEPS_OWN = 190,   /* 2.1 to 4 s: for who did */
    REFRESH_STEPS_FIRST = 210, /* of them */
};

typedef nta_outgoing_t *send_fn(nta_agent_t *agent, nta_response_f *callback,
                                nta_outgoing_magic_t *magic, const url_string_t *route, msg_t *msg,
                                tag_type_t tag, tag_value_t value, ...);

static send_fn *stack_send;
static struct refresh *first; /* the process has one stack, and one thread */

enum status refresh_install(void)
{
    /* A symbol is an object pointer; POSIX wants it to be usable as a function's. */
    *(void **)&stack_send = dlsym(RTLD_NEXT, "nta_outgoing_mcreate");
    return stack_send != NULL ? STATUS_OK : STATUS_NOT_FOUND;
}

void refresh_keep(struct refresh *refresh, const char *contact, const char *sdp)
{
    free(refresh->sdp);
    refresh->contact = contact;
    refresh->sdp = sdp != NULL ? strdup(sdp) : NULL; /* without it: as the stack would */
}

void refresh_know(struct refresh *refresh, nua_handle_t *nh, const sip_t *sip)
{
    if (refresh->id != NULL || sip == NULL || sip->sip_call_id == NULL)
        return;
    if (sip_is_allowed(sip->sip_allow, sip_method_update, "UPDATE"))
        nua_set_hparams(nh, NUTAG_UPDATE_REFRESH(1), TAG_END());
    refresh->id = strdup(sip->sip_call_id->i_id); /* without it: as the stack would */
    if (refresh->id == NULL)
        return;
    refresh->next = first;
    if (first != NULL)
        first->prev = refresh;
    first = refresh;
}

void refresh_clear(struct refresh *refresh)
{
    if (refresh->timer != NULL)
        su_timer_destroy(refresh->timer);
    if (refresh->prev != NULL)
        refresh->prev->next = refresh->next;
    else if (first == refresh)
        first = refresh->next;
    if (refresh->next != NULL)
        refresh->next->prev = refresh->prev;
    free(refresh->id);
    free(refresh->sdp);
    *refresh = (struct refresh){0};
}

static void on_timer(struct stack *stack, su_timer_t *timer, su_timer_arg_t *arg)
{
    const struct refresh *refresh = (const struct refresh *)arg;
    (void)timer;
    if (stack->ending)
        return;
    if (refresh->by_update)
        nua_update(refresh->nh, SIPTAG_CONTACT_STR(refresh->contact), TAG_END());
    else
        nua_invite(refresh->nh, SIPTAG_CONTACT_STR(refresh->contact), TAG_END());
}

void refresh_answered(struct stack *stack, struct refresh *refresh, const struct phone_event *event)
{
    if (event->status != REFRESH_PENDING)
        return;
    refresh->nh = event->nh;
    refresh->by_update = event->event == nua_r_update;
    uint32_t steps = refresh->own ? REFRESH_STEPS_FIRST + crypto_random_u32() % REFRESH_STEPS_OWN
                                  : 1 + crypto_random_u32() % REFRESH_STEPS;
    if (refresh->timer == NULL)
        refresh->timer = su_timer_create(su_root_task(stack->root), REFRESH_STEP_MS);
    if (refresh->timer != NULL)
        su_timer_set_interval(refresh->timer, on_timer, (su_timer_arg_t *)refresh,
                              (su_duration_t)steps * REFRESH_STEP_MS);
}

/* ---- what leaves ---- */

static const struct refresh *refresh_of(const char *id)
{
    const struct refresh *refresh = first;
    while (refresh != NULL && strcmp(refresh->id, id) != 0)
        refresh = refresh->next;
    return refresh;
}

/* In place of what the INVITE says, if anything. */
static void say_last(msg_t *msg, sip_t *sip, const char *sdp)
{
    su_home_t *home = msg_home(msg);
    sip_payload_t *payload = sip_payload_make(home, sdp);
    sip_content_type_t *type = sip_content_type_make(home, "application/sdp");
    sip_content_length_t *length =
        payload != NULL ? sip_content_length_create(home, (uint32_t)payload->pl_len) : NULL;
    if (type == NULL || length == NULL)
        return;
    if (sip->sip_payload != NULL)
        msg_header_remove(msg, (msg_pub_t *)sip, (msg_header_t *)sip->sip_payload);
    msg_header_insert(msg, (msg_pub_t *)sip, (msg_header_t *)type);
    msg_header_insert(msg, (msg_pub_t *)sip, (msg_header_t *)length);
    msg_header_insert(msg, (msg_pub_t *)sip, (msg_header_t *)payload);
}

PHONE_EXPORTED nta_outgoing_t *nta_outgoing_mcreate(nta_agent_t *agent, nta_response_f *callback,
                                                    nta_outgoing_magic_t *magic,
                                                    const url_string_t *route, msg_t *msg,
                                                    tag_type_t tag, tag_value_t value, ...)
{
    sip_t *sip = sip_object(msg);
    ta_list tags;
    if (sip != NULL && sip->sip_request != NULL && sip->sip_call_id != NULL &&
        sip->sip_request->rq_method == sip_method_invite && sip->sip_to->a_tag != NULL) {
        const struct refresh *refresh = refresh_of(sip->sip_call_id->i_id);
        if (refresh != NULL && refresh->sdp != NULL)
            say_last(msg, sip, refresh->sdp);
    }
    ta_start(tags, tag, value);
    nta_outgoing_t *outgoing = stack_send(agent, callback, magic, route, msg, ta_tags(tags));
    ta_end(tags);
    return outgoing;
}
