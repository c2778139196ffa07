/*
 * signalling/sip/phone/call.h - a call in parley-phone: what calls.c (calls that come, and what
 * all calls have) and dial.c (calls of ours) share. Everything is the one thread's.
 */
#ifndef SIGNALLING_SIP_PHONE_CALL_H
#define SIGNALLING_SIP_PHONE_CALL_H

#include "signalling/sip/phone/refresh.h"
#include "signalling/sip/phone/trunk.h"

#include <sofia-sip/sip.h>

/* A call of ours while nothing was heard of it; the texts live as long as the call. */
struct dial {
    struct trunk *trunk; /* NULL: the call came in */
    char *called, *from; /* URI; From */
    size_t first, tried; /* targets of the trunk: the one in use when it began; how many */
    su_timer_t *timer;   /* to the end of patience */
    bool challenged;     /* our answer to a challenge is on its way */
};

struct phone_call {
    struct phone_handle handle;
    struct phone_call *next, *prev;
    struct stack *stack;
    uint64_t id;
    nua_handle_t *nh;
    char contact[STACK_CONTACT_MAX]; /* ours */
    struct dial dial;
    msg_t *update; /* an UPDATE with an offer waits; NULL: an INVITE does */
    struct refresh refresh;
    bool waiting;  /* an INVITE, re-INVITE or UPDATE is to be answered */
    bool answered; /* the first one was */
    bool ending;   /* BYE was sent, or ENDED told */
};

/* ---- calls.c ---- */

/* With its handle, or none yet; its Contact is not made. NULL without memory or past
 * PHONE_CALLS_MAX. */
struct phone_call *call_new(struct stack *stack, nua_handle_t *nh, uint64_t id);
/* The last the server hears of it; freed. */
void call_end(struct stack *stack, struct phone_call *call, int code, const char *reason);
/* The SDP a message carries. NULL: none, or it is something else. */
const char *call_sdp(const struct phone_event *event);

/* ---- dial.c ---- */

/* DIAL. */
void dial_begin(struct stack *stack, const struct wire_message *message);
/* nua_r_invite of one that is not answered yet. */
void dial_response(struct stack *stack, struct phone_call *call, const struct phone_event *event);
void dial_clear(struct dial *dial);

#endif
