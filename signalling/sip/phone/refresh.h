/*
 * signalling/sip/phone/refresh.h - how a call's session is refreshed. The one thread's.
 */
#ifndef SIGNALLING_SIP_PHONE_REFRESH_H
#define SIGNALLING_SIP_PHONE_REFRESH_H

#include "signalling/sip/phone/stack.h"

/* Of one call; zeros to begin with. */
struct refresh {
    nua_handle_t *nh;
    const char *contact;         /* ours; the call's */
    char *sdp;                   /* what we said last */
    char *id;                    /* Call-ID; NULL: not known yet */
    struct refresh *next, *prev; /* of all that are known */
    su_timer_t *timer;           /* to the next try; NULL: none was refused yet */
    bool by_update;
    bool own; /* the call is ours: we made its Call-ID */
};

/* What a re-INVITE would say. */
void refresh_keep(struct refresh *refresh, const char *contact, const char *sdp);
/* nua_r_update, nua_r_invite within a call. */
void refresh_answered(struct stack *stack, struct refresh *refresh,
                      const struct phone_event *event);
/* The call's INVITE, or the answer to ours: its Call-ID tells which call a request is of, and its
 * Allow whether the other side takes UPDATE. */
void refresh_know(struct refresh *refresh, nua_handle_t *nh, const sip_t *sip);
void refresh_clear(struct refresh *refresh);

#endif
