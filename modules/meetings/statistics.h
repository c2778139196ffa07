/*
 * modules/meetings/statistics.h - how everybody in a meeting fares: what the server measures and
 * what the clients report, of one participant side by side.
 *
 * Losses are per mille. Bytes are payload octets (RFC 3550 6.4.1), those of a client's
 * bytesSent and bytesReceived. Answers are bounded: a large meeting is asked page by page.
 */
#ifndef MODULES_MEETINGS_STATISTICS_H
#define MODULES_MEETINGS_STATISTICS_H

#include "core/json.h"
#include "modules/meetings/meetings.h"

#include <stdint.h>

enum {
    STATISTICS_PARTICIPANTS_MAX = 500, /* in one answer */
    STATISTICS_SLOTS_MAX = 8000,       /* in one answer: 3 MB */
    STATISTICS_SWITCHES_MAX = 8,       /* of one participant, over all slots */
    STATISTICS_REPORT_MS = 5000,       /* a client that reports more often is refused */
    STATISTICS_STREAMS_MAX = 16,       /* pictures a client reports about */
};

/* ---- from the client, every 10 s ---- */

struct msg_stats_stream {
    const char *mid;
    int64_t height, fps, freezes;
};

struct msg_stats {
    int64_t rtt, available;               /* ms; bit/s */
    int64_t sent, received;               /* bit/s */
    int64_t sent_bytes, received_bytes;   /* of the connection so far */
    int64_t loss_out, loss_in, concealed; /* per mille */
    int64_t freezes;                      /* of the connection so far */
    struct json_list streams;             /* struct msg_stats_stream: pictures being decoded */
};

extern const struct json_table msg_stats_table;

/* Keeps the report and counts it in /metrics. Errors: STATUS_LIMIT (too soon after the last),
 * STATUS_DENIED (not in a meeting, or in its lobby). */
MUST_USE enum status meetings_report(struct meetings *meetings, struct meeting_member *member,
                                     const struct msg_stats *report);

/* ---- to hosts ---- */

struct msg_stats_sent { /* a layer the participant sends us */
    const char *mid, *source, *codec;
    int64_t layer, width, height, bitrate, packets, bytes, lost, loss, jitter;
    bool active;
};

struct msg_stats_slot { /* a line on which we send */
    const char *mid, *kind, *from, *state;
    int64_t layer, target, spatial, temporal, height, bitrate, packets, bytes, lost, loss, jitter;
};

struct msg_stats_switch {
    const char *mid, *reason;
    int64_t ago, from, to;
};

struct msg_stats_server {
    bool connected, tcp;
    int64_t rtt, estimate, remb, sent, received;
    struct json_list tracks;   /* struct msg_stats_sent */
    struct json_list slots;    /* struct msg_stats_slot */
    struct json_list switches; /* struct msg_stats_switch, newest first */
};

struct msg_stats_client {
    int64_t ago; /* ms; -1: it never reported, the rest is 0 */
    struct msg_stats report;
};

struct msg_stats_participant {
    const char *id, *name, *kind;
    struct msg_stats_server server;
    struct msg_stats_client client;
};

struct msg_statistics {
    struct json_list participants; /* struct msg_stats_participant, in order of joining */
    bool more;                     /* ask again, after the last of these */
};

extern const struct json_table msg_statistics_table;

/*
 * Those in the meeting who joined after `after` (a participant id; NULL: from the first), WHEP
 * viewers included. Blocks on the conductor, then on media workers, a few transports each time.
 * Errors: STATUS_NOT_FOUND (nobody is there, or no `after`), STATUS_NO_MEMORY, as loop_call.
 */
MUST_USE enum status meetings_statistics(struct meetings *meetings, const char *meeting,
                                         const char *after, struct arena *arena,
                                         struct msg_statistics *ret_statistics);

/* The reports' histograms. */
struct metrics;
struct statistics_metrics {
    struct metric *round_trip, *loss, *freezes, *concealed, *height;
};
void statistics_metrics_init(struct statistics_metrics *statistics, struct metrics *metrics);

#endif
