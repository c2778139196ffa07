/*
 * Three steps: the conductor copies who is there and where their transports live; each media
 * worker in turn copies what it knows of a few of them; the answer is put together here, on the
 * thread that asked. Nobody but it waits for anybody.
 */
#include "modules/meetings/statistics.h"

#include "core/clock.h"
#include "media/stats.h"
#include "modules/meetings/conductor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MILLE = 1000 };

/* ---- what clients report ---- */

struct member_report {
    int64_t at_ms; /* clock_mono */
    struct msg_stats stats;
    struct msg_stats_stream streams[STATISTICS_STREAMS_MAX];
    char mids[STATISTICS_STREAMS_MAX][MEDIA_TEXT_MAX];
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const double seconds_bounds[] = {0.005, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2,
                                        0.3,   0.5,  0.75, 1,    2,   5};
static const double ratio_bounds[] = {0, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.3, 0.5};
static const double freezes_bounds[] = {0, 1, 2, 3, 5, 10, 20};
static const double height_bounds[] = {90, 180, 270, 360, 480, 540, 720, 1080, 1440, 2160};

void statistics_metrics_init(struct statistics_metrics *statistics, struct metrics *metrics)
{
    statistics->round_trip = metrics_histogram(metrics, "parley_client_round_trip_seconds", "",
                                               "Round trips as clients report them.",
                                               seconds_bounds, COUNT(seconds_bounds));
    statistics->loss =
        metrics_histogram(metrics, "parley_client_loss_ratio", "",
                          "Share lost of what clients receive, as they report it, worst stream.",
                          ratio_bounds, COUNT(ratio_bounds));
    statistics->freezes = metrics_histogram(metrics, "parley_client_freezes", "",
                                            "Freezes of pictures between two reports of a client.",
                                            freezes_bounds, COUNT(freezes_bounds));
    statistics->concealed =
        metrics_histogram(metrics, "parley_client_concealed_ratio", "",
                          "Share of the sound that clients made up, between two of their reports.",
                          ratio_bounds, COUNT(ratio_bounds));
    statistics->height = metrics_histogram(metrics, "parley_client_frame_height", "",
                                           "Heights of the pictures that clients decode, pixels.",
                                           height_bounds, COUNT(height_bounds));
}

static void report_observe(const struct statistics_metrics *statistics,
                           const struct member_report *before, const struct msg_stats *stats)
{
    if (stats->rtt > 0)
        metric_observe(statistics->round_trip, (double)stats->rtt / MILLE);
    metric_observe(statistics->loss, (double)stats->loss_in / MILLE);
    metric_observe(statistics->concealed, (double)stats->concealed / MILLE);
    int64_t freezes = stats->freezes;
    if (before->at_ms != 0 && before->stats.freezes <= freezes)
        freezes -= before->stats.freezes; /* else a new connection counts from 0 */
    metric_observe(statistics->freezes, (double)freezes);
    const struct msg_stats_stream *streams = stats->streams.items;
    for (size_t i = 0; i < stats->streams.count; i++) {
        if (streams[i].height > 0)
            metric_observe(statistics->height, (double)streams[i].height);
    }
}

/* Points the copy's texts and list into itself. */
static void report_bind(struct member_report *report)
{
    report->stats.streams.items = report->streams;
    for (size_t i = 0; i < report->stats.streams.count; i++)
        report->streams[i].mid = report->mids[i];
}

static void report_copy(struct member_report *report, const struct msg_stats *stats)
{
    const struct msg_stats_stream *streams = stats->streams.items;
    report->stats = *stats;
    for (size_t i = 0; i < stats->streams.count; i++) {
        report->streams[i] = streams[i];
        snprintf(report->mids[i], sizeof report->mids[i], "%s", streams[i].mid);
    }
    report_bind(report);
}

struct report_question {
    struct member *member;
    const struct msg_stats *stats;
    enum status status;
};

static void report_answer(void *arg)
{
    struct report_question *question = arg;
    struct member *member = question->member;
    int64_t now_ms = (int64_t)loop_now_ms(member->meetings->loop);
    question->status = STATUS_DENIED;
    if (member->meeting == NULL || !member->admitted)
        return;
    question->status = STATUS_LIMIT;
    if (member->report != NULL && now_ms - member->report->at_ms < STATISTICS_REPORT_MS)
        return;
    question->status = STATUS_NO_MEMORY;
    if (member->report == NULL)
        member->report = calloc(1, sizeof *member->report);
    if (member->report == NULL)
        return;
    report_observe(&member->meetings->statistics, member->report, question->stats);
    report_copy(member->report, question->stats);
    member->report->at_ms = now_ms;
    question->status = STATUS_OK;
}

enum status meetings_report(struct meetings *meetings, struct meeting_member *member,
                            const struct msg_stats *report)
{
    struct report_question question = {.member = (struct member *)member, .stats = report};
    enum status status = conductor_ask(meetings, report_answer, &question);
    return status != STATUS_OK ? status : question.status;
}

/* ---- who is there ---- */

struct line {
    char mid[MEDIA_TEXT_MAX];
    uint8_t kind; /* a track's enum media_source_kind; a slot's place in use_names */
};

/* A participant as the conductor knows it. */
struct subject {
    char id[CRYPTO_ID_CHARS + 1], name[REGISTRY_NAME_MAX + 1];
    enum member_kind kind;
    bool connected;
    uint8_t worker;
    uint64_t transport;
    size_t track_count, slot_count;
    struct line *tracks, *slots;
    struct member_report *report; /* NULL: none */
};

struct gathering {
    struct meetings *meetings;
    const char *meeting, *after;
    struct arena *arena;
    struct subject *subjects; /* STATISTICS_PARTICIPANTS_MAX */
    size_t count, slots;
    bool more;
    enum status status;
};

static enum status peer_copy(const struct peer *peer, struct arena *arena, struct subject *subject)
{
    const struct media_transport_spec *spec = peer->spec;
    subject->connected = peer->connected;
    subject->worker = peer->worker;
    subject->transport = peer->id;
    subject->tracks = arena_alloc(arena, (spec->track_count + 1) * sizeof *subject->tracks);
    subject->slots = arena_alloc(arena, (spec->slot_count + 1) * sizeof *subject->slots);
    if (subject->tracks == NULL || subject->slots == NULL)
        return STATUS_NO_MEMORY;
    subject->track_count = spec->track_count;
    subject->slot_count = spec->slot_count;
    for (size_t i = 0; i < spec->track_count; i++) {
        subject->tracks[i].kind = (uint8_t)spec->tracks[i].source;
        memcpy(subject->tracks[i].mid, spec->tracks[i].mid, MEDIA_TEXT_MAX);
    }
    for (size_t i = 0; i < spec->slot_count; i++) {
        subject->slots[i].kind = (uint8_t)peer->uses[i].kind;
        memcpy(subject->slots[i].mid, spec->slots[i].mid, MEDIA_TEXT_MAX);
    }
    return STATUS_OK;
}

static enum status member_copy(const struct member *member, struct arena *arena,
                               struct subject *subject)
{
    *subject = (struct subject){.kind = member->kind};
    snprintf(subject->id, sizeof subject->id, "%s", member->id);
    snprintf(subject->name, sizeof subject->name, "%s", member->name);
    if (member->report != NULL) {
        subject->report = arena_alloc(arena, sizeof *subject->report);
        if (subject->report == NULL)
            return STATUS_NO_MEMORY;
        *subject->report = *member->report;
        report_bind(subject->report);
    }
    return member->peer != NULL ? peer_copy(member->peer, arena, subject) : STATUS_OK;
}

static void gather(void *arg)
{
    struct gathering *gathering = arg;
    struct meeting *meeting = meeting_find(gathering->meetings, gathering->meeting);
    const struct member *member = meeting != NULL ? meeting->first : NULL;
    if (meeting != NULL && gathering->after != NULL) {
        member = member_find(meeting, gathering->after);
        gathering->status = member != NULL ? STATUS_OK : STATUS_NOT_FOUND;
        member = member != NULL ? member->next : NULL;
    } else {
        gathering->status = meeting != NULL ? STATUS_OK : STATUS_NOT_FOUND;
    }
    for (; member != NULL && gathering->status == STATUS_OK; member = member->next) {
        if (!member->admitted)
            continue;
        size_t slots = member->peer != NULL ? member->peer->spec->slot_count : 0;
        if (gathering->count == STATISTICS_PARTICIPANTS_MAX ||
            (gathering->count > 0 && gathering->slots + slots > STATISTICS_SLOTS_MAX)) {
            gathering->more = true;
            return;
        }
        gathering->slots += slots;
        gathering->status =
            member_copy(member, gathering->arena, &gathering->subjects[gathering->count++]);
    }
}

/* ---- the answer ---- */

struct answering {
    const struct gathering *gathering;
    struct map *by_transport; /* -> struct subject */
    struct msg_stats_participant *participants;
    struct media_transport_stats *rows; /* MEDIA_STATS_BATCH_MAX */
    struct arena *arena;
    int64_t now_ms;
};

static int64_t mille(uint8_t fraction)
{
    return (int64_t)fraction * MILLE / MEDIA_LOSS_ONE;
}

static enum status tracks_fill(const struct answering *answering, const struct subject *subject,
                               const struct media_transport_stats *row,
                               struct msg_stats_server *server)
{
    static const char *const sources[] = {"microphone", "camera", "screen", "screen_audio"};
    static const char *const codecs[] = {NULL, "opus", "red", "vp8", "vp9", "h264", "av1"};
    struct msg_stats_sent *sent =
        arena_alloc(answering->arena, (row->stream_count + 1) * sizeof *sent);
    if (sent == NULL)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < row->stream_count; i++) {
        const struct media_stream_stats *stream = &row->streams[i];
        if (stream->track >= subject->track_count)
            continue;
        const struct line *line = &subject->tracks[stream->track];
        sent[server->tracks.count++] = (struct msg_stats_sent){
            .mid = line->mid,
            .source = sources[line->kind],
            .codec = codecs[stream->codec],
            .layer = stream->layer,
            .width = stream->info.width,
            .height = stream->info.height,
            .bitrate = stream->info.bitrate,
            .packets = (int64_t)stream->packets,
            .bytes = (int64_t)stream->bytes,
            .lost = stream->lost,
            .loss = mille(stream->fraction_lost),
            .jitter = stream->jitter_us,
            .active = stream->info.active,
        };
        server->received += stream->info.bitrate;
    }
    server->tracks.items = sent;
    return STATUS_OK;
}

static enum status slots_fill(const struct answering *answering, const struct subject *subject,
                              const struct media_transport_stats *row,
                              struct msg_stats_server *server)
{
    static const char *const kinds[] = {"voice", "screen_audio", "tile", "screen"};
    static const char *const states[] = {"empty", "waiting", "live", "unsupported", "paused"};
    struct msg_stats_slot *slots =
        arena_alloc(answering->arena, (row->slot_count + 1) * sizeof *slots);
    if (slots == NULL)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < row->slot_count; i++) {
        const struct media_slot_stats *slot = &row->slots[i];
        if (slot->slot >= subject->slot_count)
            continue;
        const struct line *line = &subject->slots[slot->slot];
        const struct subject *from = map_get(answering->by_transport, slot->source.transport);
        slots[server->slots.count++] = (struct msg_stats_slot){
            .mid = line->mid,
            .kind = kinds[line->kind],
            .from = from != NULL ? from->id : NULL,
            .state = states[slot->state],
            .layer = slot->layer,
            .target = slot->target,
            .spatial = slot->spatial,
            .temporal = slot->temporal,
            .height = slot->height,
            .bitrate = slot->bitrate,
            .packets = (int64_t)slot->packets,
            .bytes = (int64_t)slot->bytes,
            .lost = slot->lost,
            .loss = mille(slot->fraction_lost),
            .jitter = slot->jitter_us,
        };
        server->sent += slot->bitrate;
    }
    server->slots.items = slots;
    return STATUS_OK;
}

/* Into the list of the newest, newest first. */
static void switch_put(struct msg_stats_switch *newest, size_t *count,
                       const struct msg_stats_switch *change)
{
    size_t at = *count;
    while (at > 0 && newest[at - 1].ago > change->ago)
        at--;
    if (at == STATISTICS_SWITCHES_MAX)
        return;
    if (*count < STATISTICS_SWITCHES_MAX)
        ++*count;
    memmove(newest + at + 1, newest + at, (*count - at - 1) * sizeof *newest);
    newest[at] = *change;
}

static enum status switches_fill(const struct answering *answering, const struct subject *subject,
                                 const struct media_transport_stats *row,
                                 struct msg_stats_server *server)
{
    struct msg_stats_switch *newest =
        arena_alloc(answering->arena, STATISTICS_SWITCHES_MAX * sizeof *newest);
    if (newest == NULL)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < row->slot_count; i++) {
        const struct media_slot_stats *slot = &row->slots[i];
        for (size_t j = 0; j < slot->switch_count && slot->slot < subject->slot_count; j++) {
            const struct media_switch *change = &slot->switches[j];
            int64_t ago = answering->now_ms - (int64_t)change->ms;
            const struct msg_stats_switch told = {
                .mid = subject->slots[slot->slot].mid,
                .reason = media_switch_reason_name((enum media_switch_reason)change->reason),
                .ago = ago > 0 ? ago : 0,
                .from = change->from,
                .to = change->to,
            };
            switch_put(newest, &server->switches.count, &told);
        }
    }
    server->switches.items = newest;
    return STATUS_OK;
}

static enum status server_fill(const struct answering *answering, const struct subject *subject,
                               const struct media_transport_stats *row,
                               struct msg_stats_server *server)
{
    server->connected = true;
    server->tcp = row->tcp;
    server->rtt = row->rtt_us / MILLE;
    server->remb = (int64_t)row->remb;
    server->estimate = row->estimate;
    enum status status = tracks_fill(answering, subject, row, server);
    if (status == STATUS_OK)
        status = slots_fill(answering, subject, row, server);
    if (status == STATUS_OK)
        status = switches_fill(answering, subject, row, server);
    return status;
}

/* Some transports of one worker; chosen[i] is the number of row i's subject. */
static enum status batch_fill(const struct answering *answering, uint8_t worker,
                              const size_t *chosen, size_t count)
{
    const struct gathering *gathering = answering->gathering;
    for (size_t i = 0; i < count; i++)
        answering->rows[i].id = gathering->subjects[chosen[i]].transport;
    enum status status = media_stats(gathering->meetings->media, worker, answering->rows, count);
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        if (answering->rows[i].found)
            status = server_fill(answering, &gathering->subjects[chosen[i]], &answering->rows[i],
                                 &answering->participants[chosen[i]].server);
    }
    return status;
}

static enum status worker_fill(const struct answering *answering, uint8_t worker)
{
    const struct gathering *gathering = answering->gathering;
    size_t chosen[MEDIA_STATS_BATCH_MAX], count = 0;
    enum status status = STATUS_OK;
    for (size_t i = 0; i < gathering->count && status == STATUS_OK; i++) {
        if (!gathering->subjects[i].connected || gathering->subjects[i].worker != worker)
            continue;
        chosen[count++] = i;
        if (count < MEDIA_STATS_BATCH_MAX)
            continue;
        status = batch_fill(answering, worker, chosen, count);
        count = 0;
    }
    return status == STATUS_OK && count > 0 ? batch_fill(answering, worker, chosen, count) : status;
}

static enum status answer_fill(const struct answering *answering)
{
    static const char *const kinds[] = {"browser", "whip", "phone", "whep"};
    const struct gathering *gathering = answering->gathering;
    for (size_t i = 0; i < gathering->count; i++) {
        struct subject *subject = &gathering->subjects[i];
        struct msg_stats_participant *participant = &answering->participants[i];
        *participant = (struct msg_stats_participant){.id = subject->id,
                                                      .name = subject->name,
                                                      .kind = kinds[subject->kind],
                                                      .client = {.ago = -1}};
        if (subject->report != NULL)
            participant->client =
                (struct msg_stats_client){.ago = answering->now_ms - subject->report->at_ms,
                                          .report = subject->report->stats};
        if (subject->transport != 0 &&
            map_put(answering->by_transport, subject->transport, subject) != STATUS_OK)
            return STATUS_NO_MEMORY;
    }
    enum status status = STATUS_OK;
    for (uint8_t worker = 0;
         worker < media_worker_count(gathering->meetings->media) && status == STATUS_OK; worker++)
        status = worker_fill(answering, worker);
    return status;
}

static enum status answer_new(const struct gathering *gathering,
                              struct msg_statistics *ret_statistics)
{
    struct answering answering = {.gathering = gathering,
                                  .arena = gathering->arena,
                                  .now_ms = (int64_t)(clock_mono_ns() / CLOCK_NS_PER_MS)};
    enum status status = map_new(&answering.by_transport);
    if (status != STATUS_OK)
        return status;
    answering.participants =
        arena_alloc(gathering->arena, (gathering->count + 1) * sizeof *answering.participants);
    answering.rows = malloc(MEDIA_STATS_BATCH_MAX * sizeof *answering.rows);
    status = answering.participants != NULL && answering.rows != NULL ? answer_fill(&answering)
                                                                      : STATUS_NO_MEMORY;
    free(answering.rows);
    map_free(answering.by_transport);
    if (status == STATUS_OK)
        *ret_statistics = (struct msg_statistics){
            .participants = {.items = answering.participants, .count = gathering->count},
            .more = gathering->more};
    return status;
}

enum status meetings_statistics(struct meetings *meetings, const char *meeting, const char *after,
                                struct arena *arena, struct msg_statistics *ret_statistics)
{
    struct gathering gathering = {
        .meetings = meetings, .meeting = meeting, .after = after, .arena = arena};
    gathering.subjects =
        arena_alloc(arena, STATISTICS_PARTICIPANTS_MAX * sizeof *gathering.subjects);
    if (gathering.subjects == NULL)
        return STATUS_NO_MEMORY;
    enum status status = conductor_ask(meetings, gather, &gathering);
    if (status == STATUS_OK)
        status = gathering.status;
    return status == STATUS_OK ? answer_new(&gathering, ret_statistics) : status;
}
