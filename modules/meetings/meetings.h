/*
 * modules/meetings/meetings.h - the live state of all meetings: who is in, with what role,
 * who waits, who presents, who sees whom. What outlives the process is registry.h's.
 *
 * One thread, the conductor, owns everything behind this header; it never blocks and
 * touches no storage. The calls below may be made from any thread but it, and block until
 * the conductor has done the work (microseconds). Answers to clients leave through the
 * member's port, in order.
 */
#ifndef MODULES_MEETINGS_MEETINGS_H
#define MODULES_MEETINGS_MEETINGS_H

#include "core/metrics.h"
#include "core/status.h"
#include "media/media.h"
#include "modules/meetings/messages.h"
#include "modules/meetings/registry.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    MEETING_MEMBERS_MAX = 2000, /* in one meeting, lobby included */
    MEETING_PLAYERS_MAX = 1000, /* WHEP viewers of one meeting */
    MEETINGS_LIVE_MAX = 10000,
    MEETING_TICK_MS = 50,         /* changes are gathered this long */
    MEETING_ROSTER_MS = 250,      /* at most one roster message in this time */
    MEETING_AWAY_MS = 15000,      /* offline this long: others no longer see the member */
    MEETING_LAYER_REST_MS = 4000, /* a layer nobody watches is paused after this time... */
    MEETING_DIALS_MAX = 8,        /* calls out of one meeting that are being made, or just failed */
    MEETING_DIAL_KEEP_MS = 20000, /* how long one that failed is still told */
    MEETING_LINK_REST_MS = 12000, /* ...one that no viewer's link bears, after this */
};

struct meetings;
struct meeting_member; /* somebody with a gateway session; lives until meetings_leave */

/* How a member is reached. All may be called from the conductor and must not block. */
struct meeting_port_ops {
    void (*send)(void *port, const char *type, const char *json);
    /* A text for many ports: made once, sent to each, then dropped. */
    void *(*share)(const char *type, const char *json);
    void (*send_shared)(void *port, void *shared);
    void (*unshare)(void *shared);
    /* The member's session is over; the port's owner will call meetings_leave. */
    void (*end)(void *port, const char *reason, const char *code);
};

enum meeting_phone_notice {
    MEETING_PHONE_ADMITTED,
    MEETING_PHONE_MUTED,
    MEETING_PHONE_ASKED_UNMUTE,
    MEETING_PHONE_HAND_LOWERED,
    MEETING_PHONE_REMOVED, /* or refused; the leg is out, the call goes on */
    MEETING_PHONE_ENDED,
    MEETING_PHONE_COUNTED, /* the answer to meetings_phone_count */
    MEETING_PHONE_POLL,    /* one was opened */
};

/* How the call of a leg hears of the meeting; on the conductor, must not block. `people`: in the
 * meeting now. */
typedef void meeting_phone_fn(void *context, uint64_t leg, enum meeting_phone_notice notice,
                              uint32_t people);

struct meetings_config {
    uint8_t voices;
    const struct meeting_port_ops *ports;
    meeting_phone_fn *phone; /* NULL: there are no telephones */
    void *phone_context;
    struct metrics *metrics;
};

MUST_USE enum status meetings_new(const struct meetings_config *config,
                                  struct meetings **ret_meetings);
/* The events to give to media_new, with the meetings as context. */
extern const struct media_events meetings_media_events;
/* Starts the conductor; media must outlive it. */
MUST_USE enum status meetings_start(struct meetings *meetings, struct media *media);
/* No joins from now on (STATUS_CLOSED). */
void meetings_drain(struct meetings *meetings);
/* Joins the conductor's thread; whoever is still in leaves. Calls fail from now on, media may go.
 */
void meetings_stop(struct meetings *meetings);
/* After meetings_stop, and media is gone. Accepts NULL, returns NULL. */
struct meetings *meetings_free(struct meetings *meetings);

/*
 * The participant's connection, and those they make later, go into the trace; it stays the
 * caller's, who takes it back (NULL) before it is freed. Errors: STATUS_NOT_FOUND (not here now;
 * they will be traced when they come), as media_trace and loop_call.
 */
struct trace;
MUST_USE enum status meetings_trace(struct meetings *meetings, const char *participant,
                                    struct trace *trace);

/* A transport id for answer_make. Any thread. */
uint64_t meetings_transport_id(struct meetings *meetings);
/* How many ids were given so far. Any thread. */
uint64_t meetings_transports(const struct meetings *meetings);
/* Whether no meeting is live; asks the conductor. */
bool meetings_empty(struct meetings *meetings);
/* People in the meeting now (lobby and WHEP viewers not counted). */
uint32_t meetings_count(struct meetings *meetings, const char *meeting_id);

/* ---- members ---- */

struct meeting_join {
    const struct registry_meeting *meeting;
    const char *participant, *token, *name;
    const char *account; /* who is signed in; NULL: nobody */
    enum registry_role role;
    bool admitted; /* false: waits in the lobby */
    bool audio, video;
    void *port;
    const char *session, *secret; /* for ready and waiting */
};

/*
 * Enters the meeting or its lobby: `ready` or `waiting` leaves through the port before
 * anything else. Somebody already here under the same participant id is replaced (their
 * session ends with `elsewhere`).
 * Errors: STATUS_LIMIT (full), STATUS_CLOSED (draining), STATUS_NO_MEMORY.
 */
MUST_USE enum status meetings_join(struct meetings *meetings, const struct meeting_join *join,
                                   struct meeting_member **ret_member);
/* The member's socket went or came back. */
void meetings_online(struct meetings *meetings, struct meeting_member *member, bool online);
/* Last call: the member is freed. */
void meetings_leave(struct meetings *meetings, struct meeting_member *member);

/* What a member is and may do, copied out for code that must block on storage. */
struct meeting_view {
    char meeting[MEETING_ID_MAX + 1];
    char participant[CRYPTO_ID_CHARS + 1];
    char name[REGISTRY_NAME_MAX + 1];
    enum registry_role role;
    bool admitted, removed;
};
void meetings_look(struct meetings *meetings, struct meeting_member *member,
                   struct meeting_view *ret_view);
/* Participant ids that `all` means for a lobby command, in the arena. */
MUST_USE enum status meetings_waiting(struct meetings *meetings, struct meeting_member *member,
                                      struct arena *arena, struct json_list *ret_ids);

/* ---- media ---- */

/* What the member's last transport was made from (for answer_config.previous), or STATUS_NOT_FOUND.
 */
MUST_USE enum status meetings_transport(struct meetings *meetings, struct meeting_member *member,
                                        struct media_transport_spec *ret_spec);
/*
 * Takes the negotiated transport (a new one, or the same after a restart) and says what each of
 * its slots is for; ret_lines has spec->slot_count entries, their mids borrowed from spec. The
 * room in spec is set here.
 * Errors: STATUS_DENIED (in the lobby), STATUS_NO_MEMORY, STATUS_LIMIT.
 */
MUST_USE enum status meetings_offer(struct meetings *meetings, struct meeting_member *member,
                                    const struct media_transport_spec *spec, bool restart,
                                    struct msg_slot_line *ret_lines);
void meetings_media_close(struct meetings *meetings, struct meeting_member *member);

/* ---- what members do ---- */

void meetings_watch(struct meetings *meetings, struct meeting_member *member,
                    const struct msg_view *view);
/* `name` is applied too. STATUS_DENIED: not in the meeting. */
MUST_USE enum status meetings_self_update(struct meetings *meetings, struct meeting_member *member,
                                          const struct msg_self_update *update);
void meetings_hand(struct meetings *meetings, struct meeting_member *member, bool raised);
void meetings_react(struct meetings *meetings, struct meeting_member *member, const char *emoji);
void meetings_typing(struct meetings *meetings, struct meeting_member *member);
/* STATUS_DENIED: another presents and this is no host; a host takes over. */
MUST_USE enum status meetings_present(struct meetings *meetings, struct meeting_member *member,
                                      bool on, bool sound);

/* ---- what hosts do; rights are checked here (STATUS_DENIED), targets too (STATUS_NOT_FOUND) ----
 */

enum meeting_act {
    MEETING_ACT_MUTE,
    MEETING_ACT_ASK_UNMUTE,
    MEETING_ACT_STOP_CAMERA,
    MEETING_ACT_STOP_SCREEN,
    MEETING_ACT_LOWER_HAND,
    MEETING_ACT_REMOVE,
    MEETING_ACT_RENAME,
    MEETING_ACT_ROLE,
    MEETING_ACT_ADMIT,
    MEETING_ACT_REFUSE,
    MEETING_ACT_SET,
    MEETING_ACT_END,
};

struct meeting_deed {
    enum meeting_act act;
    const char *target; /* participant id, or NULL with `all` (or none needed) */
    bool all;
    const char *name;                       /* RENAME */
    enum registry_role role;                /* ROLE */
    const struct registry_meeting *meeting; /* SET: the settings as they are now */
};

/* Only whether the member may do it and the target is there: before storage is written. */
MUST_USE enum status meetings_may(struct meetings *meetings, struct meeting_member *member,
                                  const struct meeting_deed *deed);
/* Checks again and does it. After END the member is out, but its session is the caller's to end. */
MUST_USE enum status meetings_do(struct meetings *meetings, struct meeting_member *member,
                                 const struct meeting_deed *deed);

/* To everyone in the meeting (chat). */
void meetings_broadcast(struct meetings *meetings, const char *meeting_id, const char *type,
                        const char *json);

/* ---- telephones: a leg of media/leg.h is the participant's connection ---- */

struct meeting_phone_join {
    const struct registry_meeting *meeting;
    const char *participant, *name;
    const char *number; /* shown to hosts only; "" none */
    /* A literal: what is known of the number: "" nothing, "A", "B", "C" SHAKEN's attestation,
     * "valid", "failed". To hosts only. */
    const char *attestation;
    bool admitted;
    uint64_t leg; /* of meetings_transport_id, opened by the caller */
};

/* Errors as meetings_join. ret_people: in the meeting, with the caller. */
MUST_USE enum status meetings_phone_join(struct meetings *meetings,
                                         const struct meeting_phone_join *join,
                                         uint32_t *ret_people);
/* Any thread; return at once, and do nothing for a leg that is in no meeting. */
void meetings_phone_leave(struct meetings *meetings, uint64_t leg);
void meetings_phone_mute(struct meetings *meetings, uint64_t leg, bool muted);
void meetings_phone_hand(struct meetings *meetings, uint64_t leg, bool raised);
void meetings_phone_count(struct meetings *meetings, uint64_t leg);

/* ---- calls out: made by signalling/sip, told to hosts and to who called ---- */

struct meeting_dial {
    uint64_t leg;   /* of meetings_transport_id; its number is the call's id */
    const char *by; /* participant, or "" */
    const char *number, *name;
};

/* Errors: STATUS_NOT_FOUND (nobody is in the meeting), STATUS_LIMIT (MEETING_DIALS_MAX). */
MUST_USE enum status meetings_dial_add(struct meetings *meetings, const char *meeting,
                                       const struct meeting_dial *dial);
/* The call's leg, when this participant ("": anybody) may end it; one that is over leaves the list.
 * Errors: STATUS_NOT_FOUND. */
MUST_USE enum status meetings_dial_find(struct meetings *meetings, const char *meeting,
                                        const char *participant, const char *id, uint64_t *ret_leg);
/* `state` is a constant text, one of msg_dial's; `code`: the SIP status, 0 none. Any thread;
 * returns at once. */
void meetings_dial_state(struct meetings *meetings, const char *meeting, uint64_t leg,
                         const char *state, uint16_t code);

/* ---- WHIP and WHEP ---- */

struct meeting_whip {
    const struct registry_meeting *meeting;
    const char *name;        /* WHIP: who it is; WHEP: whom to watch, "all" for everybody */
    const char *participant; /* WHIP: its participant id; WHEP: NULL */
    const struct media_transport_spec *spec;
};

/* A publisher enters as a participant of kind whip. STATUS_EXISTS: somebody publishes under this
 * name by WHIP. ret_resource (CRYPTO_TOKEN_CHARS + 1) is what its URL ends in. */
MUST_USE enum status meetings_whip_join(struct meetings *meetings, const struct meeting_whip *whip,
                                        char *ret_resource);
/* A viewer who is in no roster. STATUS_NOT_FOUND: nobody of that name sends.
 * The k-th audio and video slot carry the k-th publisher in order of joining. */
MUST_USE enum status meetings_whep_join(struct meetings *meetings, const struct meeting_whip *whip,
                                        char *ret_resource);
/* The transport behind a resource; STATUS_NOT_FOUND. */
MUST_USE enum status meetings_resource(struct meetings *meetings, const char *resource,
                                       struct media_transport_spec *ret_spec);
MUST_USE enum status meetings_resource_restart(struct meetings *meetings, const char *resource,
                                               const struct media_ice *ice);
MUST_USE enum status meetings_resource_leave(struct meetings *meetings, const char *resource);

#endif
