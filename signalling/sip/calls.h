/*
 * signalling/sip/calls.h - what the files of dial-in share: dialin.c all calls, call.c one of them,
 * admission.c what blocks.
 */
#ifndef SIGNALLING_SIP_CALLS_H
#define SIGNALLING_SIP_CALLS_H

#include "core/arena.h"
#include "core/loop.h"
#include "core/map.h"
#include "modules/phone/menu.h"
#include "modules/phone/prompts.h"
#include "signalling/sip/bridge.h"
#include "signalling/sip/dialin.h"
#include "signalling/sip/guesses.h"
#include "signalling/sip/negotiate.h"
#include "signalling/sip/trunks.h"

enum { CALL_ARENA_MAX = 1 << 20, CALL_TEXT_MAX = 128 };

struct dialin {
    struct dialin_config config;
    struct wire_message *messages; /* what parley-phone is told first */
    char outside[INET6_ADDRSTRLEN];
    struct db *db;
    struct crew *crew;
    struct meetings *meetings;
    struct media *media;
    struct bridge *bridge;
    struct trunks *trunks;
    struct map *calls, *legs; /* by the process's number, by the leg's */
    struct arena *arena;      /* of one event */
    struct prompts prompts;
    struct guesses guesses;
    struct metric *received, *refused, *restarts;
};

struct call {
    struct dialin *dialin;
    uint64_t id, leg;
    char number[CALL_TEXT_MAX], name[CALL_TEXT_MAX];
    char source[INET6_ADDRSTRLEN], address[INET6_ADDRSTRLEN]; /* theirs; ours in SDP */
    const char *attestation; /* of the number, as stir_check says */
    bool hidden;
    bool open;     /* the leg's ports are known */
    bool answered; /* 200 was sent */
    bool offered;  /* our offer waits for its answer in ACK */
    bool talking;  /* ACK came: the menu runs */
    bool ending;   /* hang up when the prompts were heard */
    struct arena *arena;
    struct negotiated *asked; /* the INVITE's offer, until it is answered; NULL: late offer */
    struct negotiate_local local;
    struct media_leg_security security; /* as agreed */
    enum prompt_language language;
    struct menu menu;
    struct loop_timer silence, patience;
};

/* ---- dialin.c ---- */

struct call *dialin_call(struct dialin *dialin, uint64_t leg);
/* From any thread: fn(letter) on the calls' thread with a copy, malloc'ed, that it frees. False: it
 * will not run. */
bool dialin_letter(struct dialin *dialin, mailbox_fn *fn, const void *letter, size_t size);

/* ---- call.c: on the calls' thread ---- */

void call_invited(struct dialin *dialin, const struct wire_message *invite);
void call_message(struct call *call, const struct wire_message *message);
void call_opened(struct call *call, uint16_t port, uint16_t rtcp_port);
void call_key(struct call *call, char key);
void call_played(struct call *call);
void call_notice(struct call *call, enum meeting_phone_notice notice, uint32_t people);
void call_checked(struct call *call, enum menu_answer answer, uint32_t others);
/* Whose wrong PINs are counted: the caller's number; the source's, when there is none. */
const char *call_guesser(const struct call *call);
/* Out of the meeting, the leg closed, freed; `hang_up`: parley-phone is told. */
void call_drop(struct call *call, bool hang_up);
struct call *call_free(struct call *call);

/* ---- admission.c ---- */

/* Looks the menu's PIN up in the request pool and lets the caller in; call_checked follows. */
void admission_begin(struct call *call);

#endif
