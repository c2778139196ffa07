#include "core/fields.h"
#include "modules/meetings/statistics.h"

enum { ID_MAX = 64, MID_MAX = 32, MILLE = 1000, HEIGHT_MAX = 8640, MS_MAX = 1000000 };
#define COUNT_MAX (INT64_C(1) << 52) /* what a browser counts exactly */

static const struct json_field msg_stats_stream_fields[] = {
    TEXT(msg_stats_stream, mid, 1, 16, true, "of the receiving line"),
    INT(msg_stats_stream, height, 0, HEIGHT_MAX, false, "pixels decoded"),
    INT(msg_stats_stream, fps, 0, 1000, false, "frames a second decoded"),
    INT(msg_stats_stream, freezes, 0, COUNT_MAX, false, "freezeCount"),
};
static TABLE(msg_stats_stream, "");

static const struct json_field msg_stats_fields[] = {
    INT(msg_stats, rtt, 0, MS_MAX, false, "ms, by the checks of my connection"),
    INT(msg_stats, available, 0, COUNT_MAX, false, "bit/s I believe I may send; 0: unknown"),
    INT(msg_stats, sent, 0, COUNT_MAX, false, "bit/s"),
    INT(msg_stats, received, 0, COUNT_MAX, false, "bit/s"),
    INT(msg_stats, sent_bytes, 0, COUNT_MAX, false, "payload octets of all streams so far"),
    INT(msg_stats, received_bytes, 0, COUNT_MAX, false, "payload octets of all streams so far"),
    INT(msg_stats, loss_out, 0, MILLE, false, "per mille, the worst of my streams"),
    INT(msg_stats, loss_in, 0, MILLE, false, "per mille, the worst of the streams I get"),
    INT(msg_stats, concealed, 0, MILLE, false, "per mille of the sound, since the last report"),
    INT(msg_stats, freezes, 0, COUNT_MAX, false, "of all pictures so far"),
    LIST(msg_stats, streams, &msg_stats_stream_table, STATISTICS_STREAMS_MAX, false,
         "pictures I decode now"),
};
TABLE(msg_stats, "How my connection fares, for the hosts' statistics; at most every 5 s.");

static const struct json_field msg_stats_sent_fields[] = {
    TEXT(msg_stats_sent, mid, 0, MID_MAX, true, ""),
    CHOICE(msg_stats_sent, source, "microphone|camera|screen|screen_audio", true, ""),
    CHOICE(msg_stats_sent, codec, "opus|red|vp8|vp9|h264|av1", false, ""),
    INT(msg_stats_sent, layer, 0, 8, true, "simulcast layer, 0 lowest"),
    INT(msg_stats_sent, width, 0, HEIGHT_MAX * 2, true, "0: unknown"),
    INT(msg_stats_sent, height, 0, HEIGHT_MAX, true, "0: unknown"),
    INT(msg_stats_sent, bitrate, 0, COUNT_MAX, true, "bit/s over the last second"),
    INT(msg_stats_sent, packets, 0, COUNT_MAX, true, ""),
    INT(msg_stats_sent, bytes, 0, COUNT_MAX, true, "payload octets"),
    INT(msg_stats_sent, lost, INT64_MIN, COUNT_MAX, true, "packets, repaired ones not counted"),
    INT(msg_stats_sent, loss, 0, MILLE, true, "per mille over the last second"),
    INT(msg_stats_sent, jitter, 0, COUNT_MAX, true, "microseconds"),
    BOOL(msg_stats_sent, active, "packets come"),
};
static TABLE(msg_stats_sent, "");

static const struct json_field msg_stats_slot_fields[] = {
    TEXT(msg_stats_slot, mid, 0, MID_MAX, true, ""),
    CHOICE(msg_stats_slot, kind, "voice|screen_audio|tile|screen", true, ""),
    TEXT(msg_stats_slot, from, 0, ID_MAX, false, "whose it carries; absent: nobody's"),
    CHOICE(msg_stats_slot, state, "empty|waiting|live|unsupported|paused", true, ""),
    INT(msg_stats_slot, layer, -1, 8, true, "carried; -1: none"),
    INT(msg_stats_slot, target, -1, 8, true, "wanted; -1: none"),
    INT(msg_stats_slot, spatial, 0, 8, true, "highest spatial layer carried, of SVC"),
    INT(msg_stats_slot, temporal, 0, 255, true, "highest temporal level carried; 255: all"),
    INT(msg_stats_slot, height, 0, HEIGHT_MAX, true, "of the layer; 0: unknown"),
    INT(msg_stats_slot, bitrate, 0, COUNT_MAX, true, "bit/s over the last second"),
    INT(msg_stats_slot, packets, 0, COUNT_MAX, true, ""),
    INT(msg_stats_slot, bytes, 0, COUNT_MAX, true, "payload octets, repetitions included"),
    INT(msg_stats_slot, lost, INT64_MIN, COUNT_MAX, true, "packets, by their receiver reports"),
    INT(msg_stats_slot, loss, 0, MILLE, true, "per mille, by the last of them"),
    INT(msg_stats_slot, jitter, 0, COUNT_MAX, true, "microseconds, by the last of them"),
};
static TABLE(msg_stats_slot, "");

static const struct json_field msg_stats_switch_fields[] = {
    TEXT(msg_stats_switch, mid, 0, MID_MAX, true, "of the slot"),
    TEXT(msg_stats_switch, reason, 0, MID_MAX, true,
         "source, voice, size, layers, link, restart (docs/design/observe.md)"),
    INT(msg_stats_switch, ago, 0, COUNT_MAX, true, "ms"),
    INT(msg_stats_switch, from, -1, 8, true, "layer; -1: none"),
    INT(msg_stats_switch, to, -1, 8, true, "layer; -1: none"),
};
static TABLE(msg_stats_switch, "");

static const struct json_field msg_stats_server_fields[] = {
    BOOL(msg_stats_server, connected, "the rest means something"),
    BOOL(msg_stats_server, tcp, "over ICE-TCP"),
    INT(msg_stats_server, rtt, 0, COUNT_MAX, true, "ms, by their receiver reports; 0: unknown"),
    INT(msg_stats_server, estimate, 0, COUNT_MAX, true,
        "bit/s their link bears, as we estimate it; 0: unknown"),
    INT(msg_stats_server, remb, 0, COUNT_MAX, true, "bit/s they last asked for; 0: never"),
    INT(msg_stats_server, sent, 0, COUNT_MAX, true, "bit/s of payload to them"),
    INT(msg_stats_server, received, 0, COUNT_MAX, true, "bit/s of RTP from them"),
    LIST(msg_stats_server, tracks, &msg_stats_sent_table, 24, false, "what they send"),
    LIST(msg_stats_server, slots, &msg_stats_slot_table, MEDIA_SLOTS_MAX, false, "what they get"),
    LIST(msg_stats_server, switches, &msg_stats_switch_table, STATISTICS_SWITCHES_MAX, false,
         "of slots, newest first"),
};
static TABLE(msg_stats_server, "");

static const struct json_field msg_stats_client_fields[] = {
    INT(msg_stats_client, ago, -1, COUNT_MAX, true, "ms since it came; -1: never"),
    OBJECT(msg_stats_client, report, &msg_stats_table, true, "their last self.stats"),
};
static TABLE(msg_stats_client, "");

static const struct json_field msg_stats_participant_fields[] = {
    TEXT(msg_stats_participant, id, 0, ID_MAX, true, "participant"),
    TEXT(msg_stats_participant, name, 0, MEETING_NAME_MAX, true, ""),
    CHOICE(msg_stats_participant, kind, "browser|whip|phone|whep", true, ""),
    OBJECT(msg_stats_participant, server, &msg_stats_server_table, true, "what we measure"),
    OBJECT(msg_stats_participant, client, &msg_stats_client_table, true, "what they report"),
};
static TABLE(msg_stats_participant, "");

static const struct json_field msg_statistics_fields[] = {
    LIST(msg_statistics, participants, &msg_stats_participant_table, STATISTICS_PARTICIPANTS_MAX,
         true, "in order of joining"),
    BOOL(msg_statistics, more, "ask again with `?after=` the last id"),
};
TABLE(msg_statistics, "How everybody in the meeting fares.");
