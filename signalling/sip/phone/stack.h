/*
 * signalling/sip/phone/stack.h - what the files of the stack share: stack.c (the agents and their
 * events), calls.c (calls), trunks.c (registrations). Everything is the one thread's.
 */
#ifndef SIGNALLING_SIP_PHONE_STACK_H
#define SIGNALLING_SIP_PHONE_STACK_H

#include "signalling/sip/phone/phone.h"

struct phone_call;
struct refresh;
struct trunk;

/* sofia's handles point to one of these. */
#define NUTAG_MAGIC_T struct stack
#define NUA_MAGIC_T struct stack
#define NUA_HMAGIC_T struct phone_handle
#define SU_ROOT_MAGIC_T struct stack

struct phone_handle {
    enum { HANDLE_CALL, HANDLE_TRUNK } kind;
    struct refresh *refresh; /* of a call */
};

#include <sofia-sip/nua.h>
#include <sofia-sip/nua_tag.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/su_wait.h>

enum { STACK_CONTACT_MAX = 512 };

/* A transport we listen on, with an agent of its own: then its Contact is its own too. */
struct agent {
    struct stack *stack;
    nua_t *nua; /* NULL: not configured */
    char url[128];
    char told[46];    /* our address for others, behind NAT; "": none */
    char folder[256]; /* TLS: where agent.pem is */
    uint16_t port;
    bool down; /* has ended */
};

struct stack {
    su_root_t *root;
    struct agent agents[WIRE_TRANSPORTS];
    struct phone_call *first; /* calls */
    size_t call_count;
    uint64_t next_call;
    struct trunk *trunks;
    size_t trunk_count;
    struct wire_end *server;
    int server_wait;
    bool ending;
};

struct phone_event {
    nua_event_t event;
    int status;
    const char *phrase;
    struct agent *agent;
    nua_handle_t *nh;
    const sip_t *sip;
    tagi_t *tags;
};

/* To the server; a failure ends the process. */
void stack_say(struct stack *stack, const struct wire_message *message);

/*
 * Our Contact for a peer, "<sip:user@address:port;transport=tcp>"; `peer`: its SIP address,
 * numeric, or NULL. Where we listen on all addresses it is the one we would send to the peer from.
 */
void agent_contact(const struct agent *agent, const char *peer, const char *user,
                   char ret_contact[STACK_CONTACT_MAX]);

/* ---- sieve.c ---- */

/* Before the first request. Errors: STATUS_NOT_FOUND (another stack than we know). */
MUST_USE enum status sieve_install(void);

/* ---- refresh.c ---- */

/* As sieve_install. */
MUST_USE enum status refresh_install(void);

/* ---- restart.c ---- */

/* As sieve_install. */
MUST_USE enum status restart_install(void);

/* ---- calls.c ---- */

/* An event of a call, or of none yet (INVITE). */
void call_event(struct stack *stack, struct phone_call *call, const struct phone_event *event);
/* ANSWER, REFUSE, HANGUP, DIAL. */
void call_take(struct stack *stack, const struct wire_message *message);
void calls_hang_up(struct stack *stack);

/* ---- trunks.c ---- */

MUST_USE enum status trunk_add(struct stack *stack, const struct wire_message *message);
/* A network its calls come from. Errors: STATUS_NOT_FOUND, as gate_allow. */
MUST_USE enum status trunk_allow(struct stack *stack, const struct network *network,
                                 const char *name);
/* TARGETS: where it is now. */
void trunk_targets(struct stack *stack, const struct wire_message *message);
void trunks_start(struct stack *stack);
void trunk_event(struct trunk *trunk, const struct phone_event *event);

#endif
