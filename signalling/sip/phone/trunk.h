/*
 * signalling/sip/phone/trunk.h - a trunk in parley-phone. Everything is the one thread's.
 */
#ifndef SIGNALLING_SIP_PHONE_TRUNK_H
#define SIGNALLING_SIP_PHONE_TRUNK_H

#include "signalling/sip/phone/stack.h"

#include <unistd.h>

enum {
    TRUNK_TEXT_MAX = 256,
    TRUNK_TARGETS_MAX = 8, /* addresses of one trunk */
    TRUNK_TARGET_TEXT_MAX = 96,
};

struct trunk_target {
    enum wire_transport transport;
    char url[TRUNK_TARGET_TEXT_MAX]; /* "sip:192.0.2.1:5060;transport=udp" */
};

enum { TRUNK_ANSWER_MS = 2000 /* for a word of it; RFC 3261 would have us wait 32 s */ };

/* What its timer waits for. */
enum trunk_wait { TRUNK_ANSWER, TRUNK_PAUSE, TRUNK_RETRY };

struct trunk {
    struct phone_handle handle;
    struct stack *stack;
    char name[TRUNK_TEXT_MAX], user[TRUNK_TEXT_MAX], password[TRUNK_TEXT_MAX],
        domain[TRUNK_TEXT_MAX], realm[TRUNK_TEXT_MAX];
    char expires[TRUNK_TEXT_MAX]; /* seconds; "": it does not register */
    bool trusted;                 /* what it asserts of a caller is believed */
    bool up;                      /* registered if it is to be, and answering */
    bool challenged;              /* our answer to a challenge is on its way */
    size_t fixed_sources;         /* networks of the configuration */
    struct trunk_target targets[TRUNK_TARGETS_MAX];
    size_t target_count, target; /* target: the one in use */
    nua_handle_t *registration, *question;
    su_timer_t *timer;
    enum trunk_wait wait;
    uint32_t options_ms, retry_ms;
};

/* NULL: none. */
struct trunk *trunk_find(struct stack *stack, const char *name);
/* The trunk a packet from there came by, or NULL. */
struct trunk *trunk_of(struct stack *stack, const struct sockaddr *source);
/* It did not answer a call: asks it now whether it is there. */
void trunk_doubt(struct trunk *trunk);
/* Answers the challenge in a 401 or 407 to a request of ours with the trunk's credentials; false:
 * there are none for it. */
bool trunk_authenticate(const struct trunk *trunk, nua_handle_t *nh, const sip_t *sip);

#endif
