/*
 * modules/meetings/messages.h - what clients and the meeting say to each other, as
 * structs and field tables: decoding, encoding and docs/protocol.md come from these.
 */
#ifndef MODULES_MEETINGS_MESSAGES_H
#define MODULES_MEETINGS_MESSAGES_H

#include "core/json.h"

enum {
    MEETING_ID_MAX = 64,
    MEETING_NAME_MAX = 64,   /* bytes of a participant's name */
    MEETING_TITLE_MAX = 200, /* bytes */
    MEETING_TOKEN_MAX = 64,
    MEETING_TILES_MAX = 9,
    MEETING_EMOJI_MAX = 32,
    MEETING_SOURCES_MAX = 8, /* m-lines a client names in media.offer */
    MEETING_CHAT_TEXT_MAX = 8000,
    MEETING_DIAL_ID_MAX = 20,    /* digits of a call's number */
    MEETING_DIAL_TEXT_MAX = 128, /* bytes of a number, a SIP address, a callee's name */
    MEETING_QUESTION_MAX = 300,  /* bytes of a poll's question */
    MEETING_ANSWER_MAX = 120,    /* bytes of one answer */
    MEETING_ANSWERS_MAX = 10,    /* of a poll; 2 at least */
    MEETING_NUMBERS_MAX = 64,    /* to dial in */
    MEETING_CHAT_PAGE_MAX = 100,
};

/* ---- from the client ---- */

struct msg_identify {
    const char *meeting, *name, *token, *client, *account;
    bool audio, video, spaces;
};

struct msg_line_source {
    const char *mid, *source;
};

struct msg_offer {
    const char *sdp;
    struct json_list tracks; /* struct msg_line_source */
};

struct msg_source {
    const char *id, *kind;
};

struct msg_tile {
    struct msg_source source;
    int64_t height, priority;
};

struct msg_view {
    struct json_list tiles; /* struct msg_tile, most wanted first */
};

struct msg_self_update {
    uint8_t muted, camera; /* enum json_maybe */
    const char *name;
};

struct msg_screen_start {
    bool audio;
};

struct msg_hand {
    bool raised;
};

struct msg_reaction {
    const char *emoji;
};

struct msg_empty {
    char none;
};

struct msg_chat_send {
    const char *text, *reply_to, *nonce;
};

struct msg_chat_edit {
    const char *id, *text;
};

struct msg_chat_id {
    const char *id;
};

struct msg_chat_react {
    const char *id, *emoji;
    bool on;
};

struct msg_chat_preview {
    const char *id, *preview;
};

struct msg_chat_history {
    const char *before;
    int64_t limit;
};

struct msg_space_events {
    int64_t after;
};

struct msg_space_here {
    bool idle;
};

struct msg_space_typing {
    const char *space, *thread;
};

/* One participant, or all of them. */
struct msg_target {
    const char *id;
    bool all;
};

struct msg_stop {
    const char *id, *what;
};

struct msg_rename {
    const char *id, *name;
};

struct msg_role {
    const char *id, *role;
};

struct msg_meeting_set {
    uint8_t locked, lobby; /* enum json_maybe */
    const char *title;
};

struct msg_pin {
    const char *pin;
};

struct msg_dial_wish {
    const char *number, *name;
};

struct msg_dial_id {
    const char *id;
};

struct msg_poll_new {
    const char *question;
    struct json_list options; /* const char * */
    bool anonymous;
};

struct msg_poll_vote {
    const char *id;
    int64_t choice;
};

struct msg_poll_id {
    const char *id;
};

/* ---- from the server ---- */

struct msg_dial {
    const char *id, *by, *number, *name, *state;
    int64_t code;
};

struct msg_dials {
    struct json_list dials; /* struct msg_dial */
};

/* How to take part by telephone. */
struct msg_number {
    const char *number, *language;
};

struct msg_phone {
    const char *pin;
    struct json_list numbers; /* struct msg_number */
    bool dial;                /* I may call others */
};

struct msg_participant {
    const char *id, *name, *role, *kind;
    bool muted, camera, screen, online;
    int64_t hand, joined;
    const char *account;
};

struct msg_meeting {
    const char *id, *title, *link;
    bool locked, lobby;
};

struct msg_slot_counts {
    int64_t voices, tiles;
};

struct msg_ready {
    const char *session, *secret, *self, *token, *role;
    struct msg_meeting meeting;
    struct json_list participants; /* struct msg_participant */
    struct msg_slot_counts slots;
    const char *presenter;
};

struct msg_waiting {
    const char *session, *secret, *self, *token;
    struct msg_meeting meeting;
};

struct msg_id {
    const char *id;
};

struct msg_roster {
    struct json_list joined, updated; /* struct msg_participant */
    struct json_list left;            /* struct msg_id */
};

struct msg_knock {
    const char *id, *name;
    int64_t since;
};

struct msg_lobby {
    struct json_list waiting; /* struct msg_knock */
};

struct msg_caller {
    const char *id, *number, *attestation;
};

struct msg_callers {
    struct json_list callers; /* struct msg_caller */
};

struct msg_slot_line {
    const char *mid, *kind;
    int64_t index;
};

struct msg_answer {
    const char *sdp;
    struct json_list slots; /* struct msg_slot_line */
};

struct msg_slot_source {
    const char *mid;
    struct msg_source source; /* id NULL: empty */
};

struct msg_slots {
    struct json_list slots; /* struct msg_slot_source */
};

struct msg_slot_state {
    const char *mid, *state;
    int64_t layer;
    const char *reason; /* NULL: all that was asked for */
};

struct msg_speaker {
    const char *id;
    int64_t level;
};

struct msg_speakers {
    struct json_list speakers; /* struct msg_speaker */
};

struct msg_layers {
    bool camera, screen;     /* somebody watches */
    int64_t camera_height;   /* largest height watched, 0: full size */
    struct json_list active; /* const char *: rids of the camera that are watched */
};

struct msg_media_state {
    const char *state;
    bool tcp;
};

struct msg_reason {
    const char *reason;
};

struct msg_by {
    const char *by, *what;
};

struct msg_spaces_ready {
    const char *session, *secret;
};

struct msg_space_typed {
    const char *space, *thread, *account, *name;
};

struct msg_space_read {
    const char *space, *account, *read_to;
};

struct msg_reacted {
    const char *id, *emoji;
};

extern const struct json_table msg_identify_table, msg_offer_table, msg_view_table,
    msg_self_update_table, msg_screen_start_table, msg_hand_table, msg_reaction_table,
    msg_empty_table, msg_chat_send_table, msg_chat_edit_table, msg_chat_id_table,
    msg_chat_react_table, msg_chat_preview_table, msg_chat_history_table, msg_space_typing_table,
    msg_spaces_ready_table, msg_space_here_table, msg_space_typed_table, msg_space_read_table,
    msg_space_events_table, msg_target_table, msg_stop_table, msg_rename_table, msg_role_table,
    msg_meeting_set_table, msg_pin_table, msg_dial_wish_table, msg_dial_id_table,
    msg_poll_new_table, msg_poll_vote_table, msg_poll_id_table;

extern const struct json_table msg_participant_table, msg_meeting_table, msg_ready_table,
    msg_waiting_table, msg_id_table, msg_callers_table, msg_roster_table, msg_lobby_table,
    msg_answer_table, msg_slots_table, msg_slot_state_table, msg_speakers_table, msg_layers_table,
    msg_media_state_table, msg_reason_table, msg_by_table, msg_reacted_table, msg_dial_table,
    msg_dials_table, msg_phone_table;

/* Every message the server dispatches: type and data. Ends with a NULL type. */
struct msg_dispatch {
    const char *type;
    const struct json_table *table; /* NULL: described elsewhere (chat) */
    const char *doc;
};
extern const struct msg_dispatch msg_dispatches[];

#endif
