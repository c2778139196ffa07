#include "modules/meetings/messages.h"
#include "core/fields.h"
#include "modules/meetings/registry.h"

enum { SDP_MAX = 1 << 18, SHORT_MAX = 64, MANY = 100000, SECRET_MAX = 128 };
#define TIME_MAX INT64_MAX

/* ---- from the client ---- */

static const struct json_field msg_identify_fields[] = {
    TEXT(msg_identify, meeting, 1, MEETING_ID_MAX, false,
         "id from the link; must be unless `spaces`"),
    TEXT(msg_identify, name, 1, MEETING_NAME_MAX, false,
         "how others see me; must be unless `spaces`"),
    TEXT(msg_identify, token, 0, MEETING_TOKEN_MAX, false,
         "host token, or the token of an earlier ready or waiting"),
    TEXT(msg_identify, client, 0, 200, false, "what I am, for the log"),
    TEXT(
        msg_identify, account, 0, 128, false,
        "who is signed in: a session token or ticket (POST /api/v1/session/ticket); my name is the "
        "account's"),
    BOOL(msg_identify, audio, "my microphone will be on"),
    BOOL(msg_identify, video, "my camera will be on"),
    BOOL(msg_identify, spaces, "no meeting: tell me what happens in the spaces of `account`"),
};
TABLE(msg_identify, "Opens a new session in a meeting, or for one's spaces.");

static const struct json_field msg_line_source_fields[] = {
    TEXT(msg_line_source, mid, 1, 16, true, "of an m-line I send on"),
    CHOICE(msg_line_source, source, "microphone|camera|screen|screen_audio", true,
           "what that line carries"),
};
static TABLE(msg_line_source, "");

static const struct json_field msg_offer_fields[] = {
    TEXT(msg_offer, sdp, 1, SDP_MAX, true, "the offer"),
    LIST(msg_offer, tracks, &msg_line_source_table, MEETING_SOURCES_MAX, false,
         "what my sending lines carry"),
};
TABLE(msg_offer, "Offers my connection; again with new ICE credentials: a restart; with another "
                 "DTLS fingerprint: a new connection.");

static const struct json_field msg_source_fields[] = {
    TEXT(msg_source, id, 1, SHORT_MAX, true, "participant"),
    CHOICE(msg_source, kind, "camera|screen|screen_audio", true, "which of theirs"),
};
static TABLE(msg_source, "");

static const struct json_field msg_tile_fields[] = {
    OBJECT(msg_tile, source, &msg_source_table, true, "whose picture"),
    INT(msg_tile, height, 0, 4320, false, "pixels shown; 0: full size"),
    INT(msg_tile, priority, 0, 255, false, "larger is kept longer on a narrow link"),
};
static TABLE(msg_tile, "");

static const struct json_field msg_view_fields[] = {
    LIST(msg_view, tiles, &msg_tile_table, MEETING_TILES_MAX + 1, true,
         "all I want to see, most wanted first"),
};
TABLE(msg_view, "Says which pictures are on my screen, and how large.");

static const struct json_field msg_self_update_fields[] = {
    MAYBE(msg_self_update, muted, "my microphone is muted"),
    MAYBE(msg_self_update, camera, "my camera is on"),
    TEXT(msg_self_update, name, 1, MEETING_NAME_MAX, false, "my new name"),
};
TABLE(msg_self_update, "Says what I send now.");

static const struct json_field msg_screen_start_fields[] = {
    BOOL(msg_screen_start, audio, "with its sound"),
};
TABLE(msg_screen_start,
      "I show my screen from now on. Refused while another presents, unless I am a host.");

static const struct json_field msg_hand_fields[] = {
    BOOL(msg_hand, raised, "up or down"),
};
TABLE(msg_hand, "Raises or lowers my hand.");

static const struct json_field msg_reaction_fields[] = {
    TEXT(msg_reaction, emoji, 1, MEETING_EMOJI_MAX, true, "one emoji"),
};
TABLE(msg_reaction, "Shows a reaction to everyone for a moment.");

static const struct json_field msg_empty_fields[1] = {{0}};
const struct json_table msg_empty_table = {.name = "msg_empty",
                                           .doc = "No data.",
                                           .size = sizeof(struct msg_empty),
                                           .fields = msg_empty_fields,
                                           .field_count = 0};

static const struct json_field msg_chat_send_fields[] = {
    TEXT(msg_chat_send, text, 1, MEETING_CHAT_TEXT_MAX, true, "Markdown"),
    TEXT(msg_chat_send, reply_to, 0, 20, false, "message it answers"),
    TEXT(msg_chat_send, nonce, 1, SHORT_MAX, true,
         "made by the client; the same again is the same message"),
};
TABLE(msg_chat_send, "Writes into the meeting's chat.");

static const struct json_field msg_chat_edit_fields[] = {
    TEXT(msg_chat_edit, id, 1, 20, true, "message"),
    TEXT(msg_chat_edit, text, 1, MEETING_CHAT_TEXT_MAX, true, "its new text"),
};
TABLE(msg_chat_edit, "Changes a message of mine.");

static const struct json_field msg_chat_id_fields[] = {
    TEXT(msg_chat_id, id, 1, 20, true, "message"),
};
TABLE(msg_chat_id, "Names a message.");

static const struct json_field msg_chat_react_fields[] = {
    TEXT(msg_chat_react, id, 1, 20, true, "message"),
    TEXT(msg_chat_react, emoji, 1, MEETING_EMOJI_MAX, true, "one emoji"),
    BOOL(msg_chat_react, on, "put it or take it back"),
};
TABLE(msg_chat_react, "Reacts to a message.");

static const struct json_field msg_chat_preview_fields[] = {
    TEXT(msg_chat_preview, id, 1, 20, true, "message"),
    TEXT(msg_chat_preview, preview, 1, SHORT_MAX, true, "id of one of its cards"),
};
TABLE(msg_chat_preview, "Takes a link's card away from a message of a space's meeting.");

static const struct json_field msg_chat_history_fields[] = {
    TEXT(msg_chat_history, before, 0, 20, false, "message id; absent: the newest"),
    INT(msg_chat_history, limit, 1, MEETING_CHAT_PAGE_MAX, false, "how many at most"),
};
TABLE(msg_chat_history, "Asks for older messages.");

static const struct json_field msg_space_events_fields[] = {
    INT(msg_space_events, after, -1, INT64_MAX, true,
        "sequence number of the newest event I know; -1: none, where it is now"),
};
TABLE(msg_space_events,
      "What happened in my spaces since. After the page without `more` events are "
      "dispatched as they come. Only in a session for spaces.");

static const struct json_field msg_space_here_fields[] = {
    BOOL(msg_space_here, idle, "nobody sits before the page, or it is not looked at"),
};
TABLE(msg_space_here,
      "Whether I am there; when nothing is said or done for ten minutes, I am away. "
      "Only in a session for spaces.");

static const struct json_field msg_space_typing_fields[] = {
    TEXT(msg_space_typing, space, 1, SHORT_MAX, true, ""),
    TEXT(msg_space_typing, thread, 0, 20, false, "message whose thread I write in"),
};
TABLE(msg_space_typing, "I type in a space. Only in a session for spaces.");

static const struct json_field msg_target_fields[] = {
    TEXT(msg_target, id, 1, SHORT_MAX, false, "participant"),
    BOOL(msg_target, all, "everyone it can apply to, instead of id"),
};
TABLE(msg_target, "Names one participant, or all.");

static const struct json_field msg_stop_fields[] = {
    TEXT(msg_stop, id, 1, SHORT_MAX, true, "participant"),
    CHOICE(msg_stop, what, "camera|screen", true, "what to stop"),
};
TABLE(msg_stop, "Stops somebody's camera or share.");

static const struct json_field msg_rename_fields[] = {
    TEXT(msg_rename, id, 1, SHORT_MAX, true, "participant"),
    TEXT(msg_rename, name, 1, MEETING_NAME_MAX, true, "new name"),
};
TABLE(msg_rename, "Renames somebody.");

static const struct json_field msg_role_fields[] = {
    TEXT(msg_role, id, 1, SHORT_MAX, true, "participant"),
    CHOICE(msg_role, role, "host|cohost|participant", true, "host: hands over, I become co-host"),
};
TABLE(msg_role, "Sets somebody's role.");

static const struct json_field msg_meeting_set_fields[] = {
    MAYBE(msg_meeting_set, locked, "nobody new comes in"),
    MAYBE(msg_meeting_set, lobby, "newcomers wait until admitted"),
    TEXT(msg_meeting_set, title, 1, MEETING_TITLE_MAX, false, "new title"),
};
TABLE(msg_meeting_set, "Changes the meeting.");

static const struct json_field msg_pin_fields[] = {
    TEXT(msg_pin, pin, 0, 32, true, "6 to 16 digits; empty: one of ten digits is made anew"),
};
TABLE(msg_pin, "Sets the meeting's PIN for telephones.");

static const struct json_field msg_dial_wish_fields[] = {
    TEXT(msg_dial_wish, number, 1, MEETING_DIAL_TEXT_MAX, true,
         "telephone number, or a SIP address: ann@example.org"),
    TEXT(msg_dial_wish, name, 0, MEETING_NAME_MAX, false, "how others see them"),
};
TABLE(msg_dial_wish, "Calls somebody out of the meeting; what becomes of it comes in dials.");

static const struct json_field msg_dial_id_fields[] = {
    TEXT(msg_dial_id, id, 1, MEETING_DIAL_ID_MAX, true, "of a call in dials"),
};
TABLE(msg_dial_id, "Names a call that is being made.");

static const struct json_field msg_poll_new_fields[] = {
    TEXT(msg_poll_new, question, 1, MEETING_QUESTION_MAX, true, NULL),
    TEXTS(msg_poll_new, options, MEETING_ANSWERS_MAX, MEETING_ANSWER_MAX, "answers, 2 at least"),
    BOOL(msg_poll_new, anonymous, "nobody learns who chose what"),
};
TABLE(msg_poll_new, "Opens a poll.");

static const struct json_field msg_poll_vote_fields[] = {
    TEXT(msg_poll_vote, id, 1, SHORT_MAX, true, "poll"),
    INT(msg_poll_vote, choice, 1, MEETING_ANSWERS_MAX, true, "from 1"),
};
TABLE(msg_poll_vote, "Chooses an answer, or another one.");

static const struct json_field msg_poll_id_fields[] = {
    TEXT(msg_poll_id, id, 1, SHORT_MAX, true, "poll"),
};
TABLE(msg_poll_id, "Names a poll.");

/* ---- from the server ---- */

static const struct json_field msg_dial_fields[] = {
    TEXT(msg_dial, id, 1, MEETING_DIAL_ID_MAX, true, NULL),
    TEXT(msg_dial, by, 0, SHORT_MAX, true, "participant who calls; empty: the REST interface"),
    TEXT(msg_dial, number, 1, MEETING_DIAL_TEXT_MAX, true, "in E.164, or a SIP address"),
    TEXT(msg_dial, name, 0, MEETING_DIAL_TEXT_MAX, true, "of whom is called"),
    CHOICE(msg_dial, state,
           "calling|ringing|early|answered|joined|busy|no_answer|declined|refused|unknown|media|"
           "redirected|network|failed|machine|cancelled|length|removed|meeting_ended|silent|"
           "phone_down|shutdown|hung_up",
           true,
           "the first four go on; early: an announcement is played; answered: 1 is awaited; "
           "machine: nobody pressed it"),
    INT(msg_dial, code, 0, 699, true, "SIP status; 0: none"),
};
TABLE(msg_dial, "A call out of the meeting.");

static const struct json_field msg_dials_fields[] = {
    LIST(msg_dials, dials, &msg_dial_table, 64, true, "all that I may see"),
};
TABLE(msg_dials, "Calls that are being made, or have just come to nothing; to hosts and to who "
                 "calls.");

static const struct json_field msg_number_fields[] = {
    TEXT(msg_number, number, 1, 64, true, "to call, as the operator wrote it"),
    TEXT(msg_number, language, 0, 16, true, "en, zh-CN: the menu speaks it; empty: it is not told"),
};
static TABLE(msg_number, "A number to dial in.");

static const struct json_field msg_phone_fields[] = {
    TEXT(msg_phone, pin, 0, 32, true, "what callers type; empty: nobody can call in"),
    LIST(msg_phone, numbers, &msg_number_table, MEETING_NUMBERS_MAX, true, "to call"),
    BOOL(msg_phone, dial, "I may call others out of the meeting"),
};
TABLE(msg_phone, "How to take part by telephone.");

static const struct json_field msg_participant_fields[] = {
    TEXT(msg_participant, id, 0, SHORT_MAX, true, "participant"),
    TEXT(msg_participant, name, 0, MEETING_NAME_MAX, true, ""),
    CHOICE(msg_participant, role, "host|cohost|participant", true, ""),
    CHOICE(msg_participant, kind, "browser|whip|phone", true, "how they take part"),
    BOOL(msg_participant, muted, "microphone muted, or none"),
    BOOL(msg_participant, camera, "camera is on"),
    BOOL(msg_participant, screen, "screen is shared"),
    BOOL(msg_participant, online, "false while the connection is away"),
    INT(msg_participant, hand, 0, TIME_MAX, true, "when the hand went up, ms since 1970; 0: down"),
    INT(msg_participant, joined, 0, TIME_MAX, true, "ms since 1970"),
    TEXT(msg_participant, account, 1, SHORT_MAX, false, "who is signed in; absent: nobody"),
};
TABLE(msg_participant, "Somebody in the meeting.");

static const struct json_field msg_meeting_fields[] = {
    TEXT(msg_meeting, id, 0, MEETING_ID_MAX, true, ""),
    TEXT(msg_meeting, title, 0, MEETING_TITLE_MAX, false, ""),
    TEXT(msg_meeting, link, 0, 512, true, "path of the meeting's page"),
    BOOL(msg_meeting, locked, "nobody new comes in"),
    BOOL(msg_meeting, lobby, "newcomers wait until admitted"),
};
TABLE(msg_meeting, "The meeting and its settings.");

static const struct json_field msg_slot_counts_fields[] = {
    INT(msg_slot_counts, voices, 0, 16, true, "audio lines to offer for voices"),
    INT(msg_slot_counts, tiles, 0, 64, true, "video lines to offer for cameras"),
};
static TABLE(msg_slot_counts, "");

static const struct json_field msg_ready_fields[] = {
    TEXT(msg_ready, session, 0, SECRET_MAX, true, "for resume"),
    TEXT(msg_ready, secret, 0, SECRET_MAX, true, "for resume"),
    TEXT(msg_ready, self, 0, SHORT_MAX, true, "my participant id"),
    TEXT(msg_ready, token, 0, MEETING_TOKEN_MAX, true, "lets me come back as the same one"),
    CHOICE(msg_ready, role, "host|cohost|participant", true, "my role"),
    OBJECT(msg_ready, meeting, &msg_meeting_table, true, ""),
    LIST(msg_ready, participants, &msg_participant_table, MANY, true, "all, myself included"),
    OBJECT(msg_ready, slots, &msg_slot_counts_table, true,
           "what to offer, besides one screen and its sound"),
    TEXT(msg_ready, presenter, 0, SHORT_MAX, false, "who shares the screen"),
};
TABLE(msg_ready, "I am in.");

static const struct json_field msg_waiting_fields[] = {
    TEXT(msg_waiting, session, 0, SECRET_MAX, true, "for resume"),
    TEXT(msg_waiting, secret, 0, SECRET_MAX, true, "for resume"),
    TEXT(msg_waiting, self, 0, SHORT_MAX, true, "my participant id"),
    TEXT(msg_waiting, token, 0, MEETING_TOKEN_MAX, true, "lets me come back as the same one"),
    OBJECT(msg_waiting, meeting, &msg_meeting_table, true, ""),
};
TABLE(msg_waiting, "I wait in the lobby; ready or removed follows.");

static const struct json_field msg_id_fields[] = {
    TEXT(msg_id, id, 0, SHORT_MAX, false, "participant; absent: nobody"),
};
TABLE(msg_id, "Names a participant.");

static const struct json_field msg_roster_fields[] = {
    LIST(msg_roster, joined, &msg_participant_table, MANY, false, "new ones"),
    LIST(msg_roster, updated, &msg_participant_table, MANY, false, "changed ones, whole"),
    LIST(msg_roster, left, &msg_id_table, MANY, false, "gone ones"),
};
TABLE(msg_roster, "What changed among the participants; at most four a second.");

static const struct json_field msg_knock_fields[] = {
    TEXT(msg_knock, id, 0, SHORT_MAX, true, "participant"),
    TEXT(msg_knock, name, 0, MEETING_NAME_MAX, true, ""),
    INT(msg_knock, since, 0, TIME_MAX, true, "ms since 1970"),
};
static TABLE(msg_knock, "");

static const struct json_field msg_lobby_fields[] = {
    LIST(msg_lobby, waiting, &msg_knock_table, MANY, true, "all who wait, longest first"),
};
TABLE(msg_lobby, "Who waits in the lobby; to hosts.");

static const struct json_field msg_caller_fields[] = {
    TEXT(msg_caller, id, 1, CRYPTO_ID_CHARS, true, "participant"),
    TEXT(msg_caller, number, 0, REGISTRY_NAME_MAX, true, "who calls, empty when hidden"),
    TEXT(
        msg_caller, attestation, 0, 8, true,
        "what vouches for the number (STIR/SHAKEN): empty nothing, A the provider knows caller and "
        "number, B the caller, C neither, valid, failed"),
};
static TABLE(msg_caller, "A telephone caller.");

static const struct json_field msg_callers_fields[] = {
    LIST(msg_callers, callers, &msg_caller_table, MANY, true, "all of the meeting and its lobby"),
};
TABLE(msg_callers, "Numbers of those who take part by telephone; to hosts.");

static const struct json_field msg_slot_line_fields[] = {
    TEXT(msg_slot_line, mid, 0, 32, true, ""),
    CHOICE(msg_slot_line, kind, "voice|screen_audio|tile|screen", true, "what it will carry"),
    INT(msg_slot_line, index, 0, 64, true, "its number among its kind"),
};
static TABLE(msg_slot_line, "");

static const struct json_field msg_answer_fields[] = {
    TEXT(msg_answer, sdp, 0, SDP_MAX * 2, true, "the answer"),
    LIST(msg_answer, slots, &msg_slot_line_table, 64, true, "what each receiving line is for"),
};
TABLE(msg_answer, "Answers media.offer.");

static const struct json_field msg_slot_source_fields[] = {
    TEXT(msg_slot_source, mid, 0, 32, true, ""),
    OBJECT(msg_slot_source, source, &msg_source_table, false, "absent id: empty"),
};
static TABLE(msg_slot_source, "");

static const struct json_field msg_slots_fields[] = {
    LIST(msg_slots, slots, &msg_slot_source_table, 64, true, "every slot but the voices"),
};
TABLE(msg_slots, "Who is in which slot from now on.");

static const struct json_field msg_slot_state_fields[] = {
    TEXT(msg_slot_state, mid, 0, 32, true, ""),
    CHOICE(msg_slot_state, state, "empty|waiting|live|unsupported|paused", true,
           "waiting: for a key frame; unsupported: I cannot decode what they send; paused: see "
           "reason"),
    INT(msg_slot_state, layer, 0, 8, true, "simulcast or spatial layer, 0 lowest"),
    CHOICE(msg_slot_state, reason, "link", false,
           "why it is paused, smaller or slower than asked for; absent: it is not. link: my "
           "connection bears no more"),
};
TABLE(msg_slot_state, "How a slot fares.");

static const struct json_field msg_speaker_fields[] = {
    TEXT(msg_speaker, id, 0, SHORT_MAX, true, "participant"),
    INT(msg_speaker, level, 0, 127, true, "-dBov (RFC 6464), 0 loudest"),
};
static TABLE(msg_speaker, "");

static const struct json_field msg_speakers_fields[] = {
    LIST(msg_speakers, speakers, &msg_speaker_table, 16, true, "loudest first"),
};
TABLE(msg_speakers, "Who speaks.");

static const struct json_field msg_layers_fields[] = {
    BOOL(msg_layers, camera, "somebody watches my camera"),
    BOOL(msg_layers, screen, "somebody watches my screen"),
    INT(msg_layers, camera_height, 0, 4320, true, "largest size watched; 0: full"),
    TEXTS(msg_layers, active, 4, 32, "rids of my camera that somebody watches"),
};
TABLE(msg_layers, "To a publisher: what somebody watches; the rest need not be encoded.");

static const struct json_field msg_media_state_fields[] = {
    CHOICE(msg_media_state, state, "connected|lost|restored|failed", true, ""),
    BOOL(msg_media_state, tcp, "over ICE-TCP: UDP is blocked"),
};
TABLE(msg_media_state, "How my connection fares, seen from the server.");

static const struct json_field msg_reason_fields[] = {
    CHOICE(msg_reason, reason, "removed|refused|ended|left|elsewhere|lost", true, ""),
};
TABLE(msg_reason, "Why.");

static const struct json_field msg_by_fields[] = {
    TEXT(msg_by, by, 0, SHORT_MAX, true, "the host's participant id"),
    CHOICE(msg_by, what, "camera|screen", false, ""),
};
TABLE(msg_by, "A host did this.");

static const struct json_field msg_reacted_fields[] = {
    TEXT(msg_reacted, id, 0, SHORT_MAX, true, "participant"),
    TEXT(msg_reacted, emoji, 0, MEETING_EMOJI_MAX, true, ""),
};
TABLE(msg_reacted, "Somebody reacted.");

static const struct json_field msg_spaces_ready_fields[] = {
    TEXT(msg_spaces_ready, session, 1, SHORT_MAX, true, "for resume"),
    TEXT(msg_spaces_ready, secret, 1, SHORT_MAX, true, "for resume"),
};
TABLE(msg_spaces_ready,
      "I am told who types and reads in my spaces, and of events after `space.events`.");

static const struct json_field msg_space_typed_fields[] = {
    TEXT(msg_space_typed, space, 1, SHORT_MAX, true, ""),
    TEXT(msg_space_typed, thread, 0, 20, false, "message whose thread it is in"),
    TEXT(msg_space_typed, account, 1, SHORT_MAX, true, "who"),
    TEXT(msg_space_typed, name, 0, REGISTRY_NAME_MAX, false, "a guest's"),
};
TABLE(msg_space_typed, "Somebody types in a space.");

static const struct json_field msg_space_read_fields[] = {
    TEXT(msg_space_read, space, 1, SHORT_MAX, true, ""),
    TEXT(msg_space_read, account, 1, SHORT_MAX, true, "who"),
    TEXT(msg_space_read, read_to, 1, 20, true, "the newest message they have read"),
};
TABLE(msg_space_read, "Somebody has read.");

const struct msg_dispatch msg_dispatches[] = {
    {"ready", &msg_ready_table, NULL},
    {"waiting", &msg_waiting_table, NULL},
    {"roster", &msg_roster_table, NULL},
    {"meeting", &msg_meeting_table, "The settings changed."},
    {"lobby", &msg_lobby_table, NULL},
    {"callers", &msg_callers_table, NULL},
    {"dials", &msg_dials_table, NULL},
    {"poll", NULL,
     "A poll was opened, voted in or closed: the poll, without `mine`; at most four a "
     "second."},
    {"slots", &msg_slots_table, NULL},
    {"slot", &msg_slot_state_table, NULL},
    {"speakers", &msg_speakers_table, NULL},
    {"presenter", &msg_id_table, "Who presents now; no id: nobody."},
    {"layers", &msg_layers_table, NULL},
    {"media.state", &msg_media_state_table, NULL},
    {"media.need_offer", &msg_reason_table, "Make a new connection: the server lost it."},
    {"chat.message", NULL, "A new message: `{message}`."},
    {"chat.update", NULL,
     "A message was edited, deleted or reacted to, or has its cards: `{message}`."},
    {"chat.typing", &msg_id_table, "Somebody types."},
    {"spaces.ready", &msg_spaces_ready_table, NULL},
    {"space.typing", &msg_space_typed_table, NULL},
    {"space.read", &msg_space_read_table, NULL},
    {"space.people", NULL,
     "Who came, went, or is seen otherwise, to who asked (`space.people` the command): "
     "`{people[]}`."},
    {"space.events", NULL,
     "What happened, to who follows (`space.events` the command): `{items[], last, more}`, as "
     "`GET /events`."},
    {"reaction", &msg_reacted_table, NULL},
    {"asked_unmute", &msg_by_table, "A host asks me to unmute."},
    {"muted", &msg_by_table, "A host muted me; my audio is dropped until I unmute."},
    {"stopped", &msg_by_table, "A host stopped my camera or share."},
    {"removed", &msg_reason_table, "The session is over."},
    {NULL, NULL, NULL},
};
