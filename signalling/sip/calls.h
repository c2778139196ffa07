/*
 * signalling/sip/calls.h - what the files of calls share: dialin.c all calls, call.c one of them,
 * outgoing.c one of ours, dialout.c who may make one, admission.c what blocks, ledger.c records.
 */
#ifndef SIGNALLING_SIP_CALLS_H
#define SIGNALLING_SIP_CALLS_H

#include "core/arena.h"
#include "core/loop.h"
#include "core/map.h"
#include "modules/phone/menu.h"
#include "modules/phone/prompts.h"
#include "modules/phone/records.h"
#include "signalling/sip/bridge.h"
#include "signalling/sip/dialin.h"
#include "signalling/sip/guesses.h"
#include "signalling/sip/negotiate.h"
#include "signalling/sip/pins.h"
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
    struct map *closing; /* struct ledger_entry by leg: what ended, until its leg's last word */
    struct arena *arena; /* of one event */
    struct prompts prompts;
    struct guesses guesses; /* of callers */
    struct pins *pins;
    struct msg_number *numbers; /* to dial in */
    size_t number_count;
    struct metric *received, *refused, *restarts;
};

/* What becomes a record; the texts are its own. */
struct ledger_entry {
    struct record record;
    char id[CRYPTO_ID_CHARS + 1], meeting[REGISTRY_ID_MAX + 1], caller[CALL_TEXT_MAX],
        number[CALL_TEXT_MAX], prefix[DIALING_PREFIX_MAX + 2];
};

struct call {
    struct dialin *dialin;
    struct ledger_entry ledger;
    struct outgoing *outgoing; /* in the arena; NULL: it came in */
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
    bool closed;   /* the leg has ended by itself */
    char participant[CRYPTO_ID_CHARS + 1], meeting[REGISTRY_ID_MAX + 1]; /* once it is in one */
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
/* The answer to admission_poll. */
void call_polled(struct call *call, uint8_t answers, bool voted, bool counted);
/* Does what the menu says. */
void call_act(struct call *call, const struct menu_actions *actions);
void call_say(const struct call *call, enum wire_type type, uint16_t code, const char *sdp);
/* A call with its leg's number, in the maps, its leg not opened; NULL without memory. `id`: the
 * process's. `source`: numeric address of the other side. */
struct call *call_new(struct dialin *dialin, uint64_t id, const char *number, const char *source);
/* Takes the answer to what we said last; what cannot be taken changes nothing. *ret_codec as
 * negotiate_codec, set on success. Errors: as negotiate_read, negotiate_answered, media_leg_update.
 */
MUST_USE enum status call_answer_take(struct call *call, const char *sdp, const char **ret_codec);
/* Why it ends; the first reason counts. */
void call_why(struct call *call, const char *reason, uint16_t code);
/* Whose wrong PINs are counted: the caller's number; the source's, when there is none. */
const char *call_guesser(const struct call *call);
/* Out of the meeting, the leg closed, freed; `hang_up`: parley-phone is told. */
void call_drop(struct call *call, bool hang_up);
struct call *call_free(struct call *call);

/* ---- caller.c ---- */

/* What others see of a caller; `name` may be NULL. */
void call_name(struct call *call, const char *name);
/* Ours, for its SDP. */
void call_address(struct call *call);

/* ---- outgoing.c: a call of ours, on the calls' thread ---- */

/* What the one who calls wants; texts are its own. */
struct outgoing_wish {
    struct dialin *dialin;
    uint64_t leg;
    char record[CRYPTO_ID_CHARS + 1], meeting[REGISTRY_ID_MAX + 1], number[DIALING_TEXT_MAX],
        name[REGISTRY_NAME_MAX + 1], from[REGISTRY_NAME_MAX + 1], caller[CALL_TEXT_MAX],
        prefix[DIALING_PREFIX_MAX + 2];
    int64_t rate, length_ms, started;
    bool lobby; /* who answers waits in the lobby, when there is one */
};

void outgoing_begin(const struct outgoing_wish *wish);
void outgoing_opened(struct call *call);
/* PROGRESS, ANSWERED. */
void outgoing_message(struct call *call, const struct wire_message *message);
/* The trunk could not put it through and nothing rang yet: the next one is asked. False: there is
 * none, or it is another end. */
bool outgoing_again(struct call *call, uint16_t code);
/* ENDED, or dropped: what is told about it. */
void outgoing_ended(struct call *call);
const struct outgoing_wish *outgoing_wish_of(const struct call *call);
/* In the meeting: the call may last as long as was allowed. */
void outgoing_joined(struct call *call);

/* ---- ledger.c ---- */

/* The first write of a call that came in. */
void ledger_begin(struct call *call);
void ledger_statistics(struct dialin *dialin, uint64_t leg, uint16_t mos_100);
/* The call ends; written when its leg has said its last word. */
void ledger_end(struct call *call);
/* Its leg has. */
void ledger_closed(struct dialin *dialin, uint64_t leg);
/* What is left is written now; the calls' thread has ended. */
void ledger_flush(struct dialin *dialin);

/* ---- admission.c ---- */

/* Looks the menu's PIN up in the request pool and lets the caller in; call_checked follows. */
void admission_begin(struct call *call);
/* Who answered a call of ours comes in. */
void admission_invited(struct call *call);
/* Asks for the open poll of the caller's meeting, and votes for `choice` in it unless that is 0;
 * call_polled follows. */
void admission_poll(struct call *call, uint8_t choice);

#endif
