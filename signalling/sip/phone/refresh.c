/*
 * A session is refreshed by the stack at half its time (RFC 4028), by UPDATE where the other side
 * takes it and else by a re-INVITE. The stack leaves two things out: its re-INVITE has no SDP,
 * which asks for an offer that nobody would answer, so it gets what was negotiated last (RFC 4028
 * 10); and a refresh that met a request of the other side is asked again after a while of its own
 * (RFC 3261 14.1). It makes its re-INVITE with a function that ours stands before, as in sieve.c.
 */
#include "signalling/sip/phone/refresh.h"

#include "core/crypto.h"

#include <dlfcn.h>
#include <sofia-sip/sip_tag.h>
#include <stdlib.h>
#include <string.h>

enum {
    REFRESH_PENDING = 491,
    REFRESH_STEP_MS = 10,
    REFRESH_STEPS = 200,       /* 0 to 2 s: for who did not make the Call-ID */
    REFRESH_STEPS_OWN = 190,   /* 2.1 to 4 s: for who did */
    REFRESH_STEPS_FIRST = 210, /* of them */
};

typedef int invite_fn(nua_t *nua, nua_handle_t *nh, int event, const tagi_t *tags);

int nua_stack_invite(nua_t *nua, nua_handle_t *nh, int event, const tagi_t *tags);

static invite_fn *stack_invite;

enum status refresh_install(void)
{
    /* A symbol is an object pointer; POSIX wants it to be usable as a function's. */
    *(void **)&stack_invite = dlsym(RTLD_NEXT, "nua_stack_invite");
    return stack_invite != NULL ? STATUS_OK : STATUS_NOT_FOUND;
}

void refresh_keep(struct refresh *refresh, const char *contact, const char *sdp)
{
    free(refresh->sdp);
    refresh->contact = contact;
    refresh->sdp = sdp != NULL ? strdup(sdp) : NULL; /* without it: as the stack would */
}

void refresh_clear(struct refresh *refresh)
{
    if (refresh->timer != NULL)
        su_timer_destroy(refresh->timer);
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
        nua_invite(refresh->nh, SIPTAG_CONTACT_STR(refresh->contact),
                   SIPTAG_CONTENT_TYPE_STR("application/sdp"), SIPTAG_PAYLOAD_STR(refresh->sdp),
                   TAG_END());
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

/* The stack's own has no tags; nua_invite's always does. */
PHONE_EXPORTED int nua_stack_invite(nua_t *nua, nua_handle_t *nh, int event, const tagi_t *tags)
{
    const struct phone_handle *handle = nua_handle_magic(nh);
    const struct refresh *refresh = handle != NULL ? handle->refresh : NULL;
    if (tags == NULL && refresh != NULL && refresh->sdp != NULL) {
        const tagi_t own[] = {{SIPTAG_CONTACT_STR(refresh->contact)},
                              {SIPTAG_CONTENT_TYPE_STR("application/sdp")},
                              {SIPTAG_PAYLOAD_STR(refresh->sdp)},
                              {TAG_END()}};
        tags = tl_adup(nua_handle_home(nh), own); /* lives as long as the call */
    }
    return stack_invite(nua, nh, event, tags);
}
