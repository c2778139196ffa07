/*
 * modules/meetings/conductor.h - the conductor's own state, shared by the files of this
 * folder and nobody else. Everything here runs on the conductor's thread.
 *
 *   conductor.c   the thread, meetings and members coming and going
 *   roster.c      what members are told about each other
 *   peer.c        transports: offers, the media side's events
 *   stage.c       who is in which slot, which layers are watched, who presents
 *   deeds.c       what members and hosts do
 *   publishers.c  WHIP and WHEP
 *   phones.c      telephone callers
 *   dials.c       calls that are being made; how a poll stands
 *   statistics.c  how everybody fares
 *   eventlog.c    switches and estimates, into the log
 */
#ifndef MODULES_MEETINGS_CONDUCTOR_H
#define MODULES_MEETINGS_CONDUCTOR_H

#include "core/arena.h"
#include "core/loop.h"
#include "core/map.h"
#include "modules/meetings/meetings.h"
#include "modules/meetings/statistics.h"

#include <pthread.h>
#include <stdatomic.h>

enum {
    CONDUCTOR_ARENA_MAX = 64 << 20, /* bytes of one message: a roster of everyone */
    CONDUCTOR_LAYERS_MAX = 3,
};

enum member_kind { MEMBER_BROWSER, MEMBER_WHIP, MEMBER_PHONE, MEMBER_PLAYER /* WHEP */ };

/* Which line of the client a slot answers. */
struct slot_use {
    enum { SLOT_VOICE, SLOT_SCREEN_AUDIO, SLOT_TILE, SLOT_SCREEN } kind;
    uint8_t index;          /* among its kind */
    struct media_want want; /* as media knows it */
    struct member *shown;   /* whose source it is; NULL: none */
    enum media_source_kind source;
    /* What the viewer's link bears, as media said last of this source. */
    bool paused;
    uint8_t ceiling; /* highest layer; UINT8_MAX: not said */
};

/* What is known of a track of ours. */
struct track_use {
    uint16_t heights[CONDUCTOR_LAYERS_MAX]; /* last seen; 0: never */
    uint8_t layers;                         /* negotiated: rid_count, at least 1 */
    bool sent[CONDUCTOR_LAYERS_MAX];        /* packets of the layer come */
    bool marked[CONDUCTOR_LAYERS_MAX];      /* somebody watches the layer now */
    bool longed[CONDUCTOR_LAYERS_MAX];      /* somebody would if the link bore it */
    bool watched[CONDUCTOR_LAYERS_MAX];     /* as last told to the publisher */
    uint64_t rest_ms[CONDUCTOR_LAYERS_MAX]; /* watched no more: when it is paused; 0: not resting */
    uint16_t height;                        /* largest wanted now; UINT16_MAX: full size */
    bool gated;
};

struct peer {
    uint64_t id;
    struct member *member;
    bool connected, tcp;
    bool leg; /* of a telephone: its microphone is all it has */
    uint8_t worker;
    uint64_t offered_ns;   /* for the join time */
    struct slot_use *uses; /* spec->slot_count */
    struct track_use tracks[MEDIA_TRACKS_MAX];
    int8_t track_of[4];                /* by enum media_source_kind; -1: none */
    struct media_transport_spec *spec; /* only its first slot_count slots are allocated */
};

struct tile {
    char id[CRYPTO_ID_CHARS + 1];
    bool screen;
    uint16_t height;
    uint8_t priority;
};

enum roster_change { ROSTER_NONE, ROSTER_JOINED, ROSTER_UPDATED };

struct member {
    struct meetings *meetings;
    struct meeting *meeting; /* NULL: removed, waits for meetings_leave */
    struct member *next, *prev;
    enum member_kind kind;
    char id[CRYPTO_ID_CHARS + 1];
    char token[CRYPTO_TOKEN_CHARS + 1]; /* WHIP, WHEP: the resource */
    char name[REGISTRY_NAME_MAX + 1];
    char account[CRYPTO_ID_CHARS + 1]; /* "": nobody is signed in */
    char session[64], secret[64];
    enum registry_role role;
    bool admitted; /* else in the lobby */
    bool online, away;
    bool muted, camera, screen, screen_audio;
    int64_t hand_ms, joined_ms;
    uint64_t leg;                       /* MEMBER_PHONE */
    char number[REGISTRY_NAME_MAX + 1]; /* who calls, for hosts */
    const char *attestation;            /* of the number; a literal */
    void *port;                         /* NULL: none (WHIP, WHEP) */
    struct peer *peer;
    struct tile tiles[MEETING_TILES_MAX + 1];
    size_t tile_count;
    bool viewed;     /* said what it wants to see at least once */
    bool screen_due; /* somebody began to present since: shown in full until it says otherwise */
    enum roster_change change;
    bool layers_told;
    struct member_report *report; /* statistics.c; NULL: the client told nothing yet */
    struct loop_timer away_timer;
    /* WHEP: whom line k carries, by participant id; "" is free. from_all: filled as they join. */
    bool from_all;
    char (*lines)[CRYPTO_ID_CHARS + 1];
    size_t line_count;
};

/* A call that is being made out of a meeting, or has come to nothing. */
struct dial {
    uint64_t leg;
    char by[CRYPTO_ID_CHARS + 1]; /* "": the REST interface */
    char number[MEETING_DIAL_TEXT_MAX + 1], name[MEETING_DIAL_TEXT_MAX + 1];
    const char *state; /* constant */
    uint16_t code;
    uint64_t ended_ms; /* 0: it has not */
};

struct poll_letter;

struct meeting {
    struct meetings *meetings;
    char id[MEETING_ID_MAX + 1];
    char title[MEETING_TITLE_MAX + 1];
    char link[MEETING_ID_MAX + 8];
    uint64_t room;
    bool locked, lobby;
    struct member *first, *last; /* in order of joining; lobby, WHIP and WHEP too */
    size_t count, player_count;
    struct map *by_id; /* members by participant id */
    struct member *presenter;
    uint64_t loudest[2]; /* transports; the second for the loudest's own view. 0: none yet */
    struct loop_timer tick;
    uint64_t roster_ms; /* when the last roster message left */
    bool roster_dirty, stage_dirty;
    char (*left)[CRYPTO_ID_CHARS + 1]; /* since the last roster message */
    size_t left_count, left_size;
    struct dial dials[MEETING_DIALS_MAX];
    size_t dial_count;
    struct poll_letter *poll; /* to be told; NULL: everybody knows */
    char poll_id[CRYPTO_ID_CHARS + 1];
    int64_t poll_revision;
    uint64_t poll_ms; /* when it was told last */
};

struct meetings {
    struct meetings_config config;
    struct media *media;
    struct loop *loop;
    pthread_t thread;
    bool started;
    atomic_bool draining;
    atomic_uint_fast64_t next_transport;
    uint64_t next_room;
    struct trace *trace; /* NULL: nobody is traced */
    char traced[CRYPTO_ID_CHARS + 1];
    struct map *by_id, *by_room, *peers, *resources, *legs;
    struct arena *arena; /* of the message being made */
    struct metric *participants, *players, *live, *join_seconds, *phone_legs;
    struct statistics_metrics statistics;
};

/* ---- conductor.c ---- */

/* The meeting's live side, made when it is not there. */
enum status meeting_enter(struct meetings *meetings, const struct registry_meeting *record,
                          struct meeting **ret_meeting);
/* The tick comes in at most delay_ms. */
void meeting_wake(struct meeting *meeting, uint64_t delay_ms);
struct meeting *meeting_find(struct meetings *meetings, const char *id);
/* Appends to the meeting; STATUS_LIMIT, STATUS_NO_MEMORY: then an empty meeting is gone. */
enum status member_enter(struct meeting *meeting, struct member *member);
/* Takes it out of the meeting: its peer closed, others told; frees the meeting after its last. */
void member_exit(struct member *member);
struct member *member_free(struct member *member);
struct member *member_find(struct meeting *meeting, const char *id);
/* In the meeting, seen by others: admitted, here, not a WHEP viewer. */
bool member_visible(const struct member *member);
bool member_is_host(const struct member *member);
/* Runs fn on the conductor with arg; errors as loop_call. */
enum status conductor_ask(struct meetings *meetings, mailbox_fn *fn, void *arg);
/* From any thread: fn runs on the conductor with a copy of the letter, malloc'ed, that it frees.
 * When it cannot be posted the event is lost and said. */
void conductor_letter(struct meetings *meetings, mailbox_fn *fn, const void *letter, size_t size);
/* The arena, empty. */
struct arena *conductor_arena(struct meetings *meetings);

/* ---- roster.c ---- */

void roster_changed(struct member *member, enum roster_change change);
void roster_left(struct member *member);
void roster_flush(struct meeting *meeting); /* sends what changed, when it is time */
void roster_send_ready(struct member *member);
void roster_send_waiting(struct member *member);
void roster_send_lobby(struct meeting *meeting);   /* to hosts */
void roster_send_callers(struct meeting *meeting); /* to hosts */
void roster_send_meeting(struct meeting *meeting); /* to everyone */
/* JSON of a table's struct to one member, or to all who are in (except `but`). */
void member_send(struct member *member, const char *type, const struct json_table *table,
                 const void *data);
void meeting_send(struct meeting *meeting, const struct member *but, const char *type,
                  const struct json_table *table, const void *data);
void meeting_send_json(struct meeting *meeting, const struct member *but, const char *type,
                       const char *json);

/* ---- peer.c ---- */

/* Copies what is needed of spec, opens or restarts the transport. */
enum status peer_open(struct member *member, const struct media_transport_spec *spec);
/* The peer of a telephone, whose leg is open. */
enum status peer_open_leg(struct member *member);
void peer_close(struct member *member);
/* The source of this kind as media names it; false when there is none to be had now. */
bool peer_source(const struct member *member, enum media_source_kind kind,
                 struct media_source *ret_source);
/* What the member declares as off is dropped at the door. */
void peer_gate(struct member *member, enum media_source_kind kind, bool open);

/* ---- phones.c ---- */

/* Tells the voice menu of a telephone; does nothing for other members. */
void phone_notice(struct member *member, enum meeting_phone_notice notice);
/* An admitted caller begins to hear and to be heard. */
enum status phone_connect(struct member *member);
/* Last thing of a member who leaves. */
void phone_forget(struct member *member);

/* ---- dials.c ---- */

/* What a member may see of the calls that are being made. */
void dials_send_to(struct member *member);
void dials_expire(struct meeting *meeting, uint64_t now_ms);
void dials_end(struct meeting *meeting);
void poll_flush(struct meeting *meeting, uint64_t now_ms);

/* ---- stage.c ---- */

void stage_changed(
    struct meeting *meeting); /* before the next tick slots and layers are looked at */
void stage_update(struct meeting *meeting, uint64_t now_ms);
/* Media says how a slot fares: layers that no viewer's link bears need not be sent. */
void stage_slot_report(struct peer *peer, uint8_t slot, const struct media_slot_report *report);
/* The loudest speaker is another: viewers' links serve that picture first. */
void stage_spoken(struct meeting *meeting, const uint64_t *transports, size_t count);
/* What each slot of a fresh peer is for. */
void stage_assign_uses(struct member *member);
/* `member` shows the screen from now on (NULL: nobody does), with `sound`. */
void stage_present(struct meeting *meeting, struct member *member, bool sound);

/* ---- eventlog.c ---- */

/* Events of media_events; on worker threads. Nothing is done while log topic sfu is not at debug.
 */
void eventlog_switched(void *context, uint64_t transport, uint8_t slot,
                       const struct media_switch *change);
void eventlog_estimated(void *context, uint64_t transport, uint32_t estimate_bps);

/* ---- publishers.c ---- */

void publishers_lines(struct member *player); /* fills free lines of a WHEP viewer */

#endif
