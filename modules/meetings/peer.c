/*
 * Transports: an offer becomes a peer of its member; the media side's events come as
 * letters and end in the roster, on the stage or at the client.
 */
#include "modules/meetings/conductor.h"

#include "core/clock.h"
#include "core/log.h"
#include "media/leg.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- tracing ---- */

struct trace_question {
    struct meetings *meetings;
    const char *participant;
    struct trace *trace;
    enum status status;
};

static void trace_answer(void *arg)
{
    struct trace_question *question = arg;
    struct meetings *meetings = question->meetings;
    meetings->trace = question->trace;
    snprintf(meetings->traced, sizeof meetings->traced, "%s", question->participant);
    question->status = question->trace == NULL ? STATUS_OK : STATUS_NOT_FOUND;
    struct meeting *meeting;
    for (size_t cursor = 0; question->status == STATUS_NOT_FOUND &&
                            (meeting = map_next(meetings->by_id, &cursor)) != NULL;) {
        const struct member *member = member_find(meeting, meetings->traced);
        if (member != NULL && member->peer != NULL)
            question->status = media_trace(meetings->media, member->peer->id, meetings->trace);
    }
}

enum status meetings_trace(struct meetings *meetings, const char *participant, struct trace *trace)
{
    struct trace_question question = {meetings, participant, trace, STATUS_OK};
    enum status status = conductor_ask(meetings, trace_answer, &question);
    return status != STATUS_OK ? status : question.status;
}

/* Before the transport is opened: its first check is in the trace. */
static void trace_follow(struct meetings *meetings, const struct member *member, uint64_t transport)
{
    if (meetings->trace == NULL || strcmp(member->id, meetings->traced) != 0)
        return;
    enum status status = media_trace(meetings->media, transport, meetings->trace);
    if (status != STATUS_OK && status != STATUS_CLOSED)
        log_event(LOG_MEETING, LOG_WARN, "trace_not_followed", "participant=%s status=%s",
                  member->id, status_name(status));
}

/* ---- opening and closing ---- */

static struct peer *peer_free(struct peer *peer)
{
    if (peer == NULL)
        return NULL;
    free(peer->uses);
    free(peer->spec);
    free(peer);
    return NULL;
}

static enum status peer_new(struct member *member, const struct media_transport_spec *spec,
                            struct peer **ret_peer)
{
    struct peer *peer = calloc(1, sizeof *peer);
    if (peer == NULL)
        return STATUS_NO_MEMORY;
    size_t size = media_transport_spec_size(spec);
    peer->uses = calloc(spec->slot_count > 0 ? spec->slot_count : 1, sizeof *peer->uses);
    peer->spec = malloc(size);
    if (peer->uses == NULL || peer->spec == NULL) {
        peer_free(peer);
        return STATUS_NO_MEMORY;
    }
    memcpy(peer->spec, spec, size);
    peer->spec->room = member->meeting->room;
    peer->id = spec->id;
    peer->member = member;
    peer->offered_ns = clock_mono_ns();
    memset(peer->track_of, -1, sizeof peer->track_of);
    for (size_t i = 0; i < spec->track_count; i++) {
        peer->track_of[spec->tracks[i].source] = (int8_t)i;
        size_t layers = spec->tracks[i].rid_count;
        peer->tracks[i].layers = (uint8_t)(layers > 0 ? layers : 1);
    }
    *ret_peer = peer;
    return STATUS_OK;
}

enum status peer_open(struct member *member, const struct media_transport_spec *spec)
{
    struct meetings *meetings = member->meetings;
    struct peer *peer;
    enum status status = peer_new(member, spec, &peer);
    if (status != STATUS_OK)
        return status;
    status = map_put(meetings->peers, peer->id, peer);
    if (status == STATUS_OK) {
        /* media copies the whole struct, so it gets the caller's with our room. */
        struct media_transport_spec *full = malloc(sizeof *full);
        status = full != NULL ? STATUS_OK : STATUS_NO_MEMORY;
        if (full != NULL) {
            memcpy(full, spec, sizeof *full);
            full->room = peer->spec->room;
            trace_follow(meetings, member, full->id);
            status = media_transport_open(meetings->media, full);
        }
        free(full);
    }
    if (status != STATUS_OK) {
        map_remove(meetings->peers, peer->id);
        peer_free(peer);
        return status;
    }
    peer_close(member);
    member->peer = peer;
    stage_assign_uses(member);
    return STATUS_OK;
}

enum status peer_open_leg(struct member *member)
{
    struct meetings *meetings = member->meetings;
    struct media_transport_spec *spec = calloc(1, sizeof *spec);
    struct peer *peer;
    if (spec == NULL)
        return STATUS_NO_MEMORY;
    spec->id = member->leg;
    spec->track_count = 1;
    spec->tracks[0].kind = MEDIA_AUDIO;
    spec->tracks[0].source = MEDIA_SOURCE_MICROPHONE;
    enum status status = peer_new(member, spec, &peer);
    free(spec);
    if (status == STATUS_OK && map_put(meetings->peers, peer->id, peer) != STATUS_OK) {
        peer_free(peer);
        status = STATUS_NO_MEMORY;
    }
    if (status != STATUS_OK)
        return status;
    peer->leg = peer->connected = true;
    peer->worker = media_leg_worker(meetings->media, peer->id);
    member->peer = peer;
    return STATUS_OK;
}

void peer_close(struct member *member)
{
    struct peer *peer = member->peer;
    if (peer == NULL)
        return;
    struct meetings *meetings = member->meetings;
    member->peer = NULL;
    map_remove(meetings->peers, peer->id);
    if (peer->leg)
        media_leg_leave(meetings->media, peer->id);
    else
        media_transport_close(meetings->media, peer->id);
    for (struct member *other = member->meeting->first; other != NULL; other = other->next) {
        for (size_t i = 0; other->peer != NULL && i < other->peer->spec->slot_count; i++) {
            if (other->peer->uses[i].shown == member)
                other->peer->uses[i].shown = NULL;
        }
    }
    peer_free(peer);
    stage_changed(member->meeting);
}

bool peer_source(const struct member *member, enum media_source_kind kind,
                 struct media_source *ret_source)
{
    const struct peer *peer = member->peer;
    if (peer == NULL || !peer->connected || peer->track_of[kind] < 0)
        return false;
    *ret_source = (struct media_source){
        .transport = peer->id, .track = (uint8_t)peer->track_of[kind], .worker = peer->worker};
    return true;
}

void peer_gate(struct member *member, enum media_source_kind kind, bool open)
{
    struct media_source source;
    struct peer *peer = member->peer;
    if (peer == NULL || peer->track_of[kind] < 0)
        return;
    struct track_use *track = &peer->tracks[peer->track_of[kind]];
    if (track->gated == !open)
        return;
    track->gated = !open;
    if (peer->leg) {
        media_leg_mute(member->meetings->media, peer->id, !open);
        return;
    }
    if (peer_source(member, kind, &source))
        media_track_gate(member->meetings->media, source, open);
}

/* ---- calls ---- */

struct offer_question {
    struct member *member;
    const struct media_transport_spec *spec;
    bool restart;
    struct msg_slot_line *lines;
    enum status status;
};

static const char *const use_names[] = {"voice", "screen_audio", "tile", "screen"};

static void offer_answer(void *arg)
{
    struct offer_question *question = arg;
    struct member *member = question->member;
    const struct media_transport_spec *spec = question->spec;
    struct peer *peer = member->peer;
    if (member->meeting == NULL || !member->admitted) {
        question->status = STATUS_DENIED;
        return;
    }
    if (question->restart) {
        question->status =
            peer != NULL && peer->id == spec->id
                ? media_transport_restart(member->meetings->media, spec->id, &spec->ice)
                : STATUS_NOT_FOUND;
        if (question->status == STATUS_OK)
            peer->spec->ice = spec->ice;
    } else {
        question->status = peer_open(member, spec);
    }
    if (question->status != STATUS_OK)
        return;
    peer = member->peer;
    for (size_t i = 0; i < peer->spec->slot_count; i++)
        question->lines[i] = (struct msg_slot_line){.mid = spec->slots[i].mid,
                                                    .kind = use_names[peer->uses[i].kind],
                                                    .index = peer->uses[i].index};
}

enum status meetings_offer(struct meetings *meetings, struct meeting_member *member,
                           const struct media_transport_spec *spec, bool restart,
                           struct msg_slot_line *ret_lines)
{
    struct offer_question question = {
        .member = (struct member *)member, .spec = spec, .restart = restart, .lines = ret_lines};
    enum status status = conductor_ask(meetings, offer_answer, &question);
    return status != STATUS_OK ? status : question.status;
}

struct spec_question {
    struct member *member;
    struct media_transport_spec *spec;
    enum status status;
};

static void spec_answer(void *arg)
{
    struct spec_question *question = arg;
    const struct peer *peer = question->member->peer;
    if (peer == NULL) {
        question->status = STATUS_NOT_FOUND;
        return;
    }
    memcpy(question->spec, peer->spec, media_transport_spec_size(peer->spec));
}

enum status meetings_transport(struct meetings *meetings, struct meeting_member *member,
                               struct media_transport_spec *ret_spec)
{
    struct spec_question question = {.member = (struct member *)member, .spec = ret_spec};
    enum status status = conductor_ask(meetings, spec_answer, &question);
    return status != STATUS_OK ? status : question.status;
}

static void media_close_answer(void *arg)
{
    struct member *member = arg;
    if (member->meeting != NULL)
        peer_close(member);
}

void meetings_media_close(struct meetings *meetings, struct meeting_member *member)
{
    (void)!conductor_ask(meetings, media_close_answer, member);
}

/* ---- the media side's events: worker threads post, the conductor reads ---- */

struct transport_letter {
    struct meetings *meetings;
    uint64_t transport;
    uint8_t worker;
    enum media_transport_state state;
    bool over_tcp;
};

static void peer_connected(struct peer *peer, const struct transport_letter *letter)
{
    struct member *member = peer->member;
    if (!peer->connected)
        metric_observe(member->meetings->join_seconds,
                       (double)(clock_mono_ns() - peer->offered_ns) / 1e9);
    peer->connected = true;
    peer->worker = letter->worker;
    for (size_t i = 0; i < peer->spec->track_count; i++) {
        struct media_source source = {
            .transport = peer->id, .track = (uint8_t)i, .worker = peer->worker};
        if (peer->tracks[i].gated)
            media_track_gate(member->meetings->media, source, false);
    }
    stage_changed(member->meeting);
}

static void transport_read(void *arg)
{
    static const char *const names[] = {"connected", "lost", "restored", "failed"};
    struct transport_letter *letter = arg;
    struct peer *peer = map_get(letter->meetings->peers, letter->transport);
    if (peer != NULL) {
        struct member *member = peer->member;
        log_event(LOG_MEETING, LOG_INFO, "transport",
                  "meeting=%s participant=%s transport=%" PRIu64 " worker=%u state=%s tcp=%d",
                  member->meeting->id, member->id, letter->transport, letter->worker,
                  names[letter->state], letter->over_tcp);
        peer->tcp = letter->over_tcp;
        struct msg_media_state state = {.state = names[letter->state], .tcp = peer->tcp};
        member_send(member, "media.state", &msg_media_state_table, &state);
        if (letter->state == MEDIA_TRANSPORT_CONNECTED) {
            peer_connected(peer, letter);
        } else if (letter->state == MEDIA_TRANSPORT_FAILED && member->port != NULL) {
            peer_close(member);
            struct msg_reason why = {.reason = "lost"};
            member_send(member, "media.need_offer", &msg_reason_table, &why);
        } else if (letter->state == MEDIA_TRANSPORT_FAILED ||
                   (letter->state == MEDIA_TRANSPORT_LOST && member->port == NULL)) {
            member_exit(member); /* WHIP and WHEP live as long as their connection */
            member_free(member);
        }
    }
    free(letter);
}

void conductor_letter(struct meetings *meetings, mailbox_fn *fn, const void *letter, size_t size)
{
    void *copy = malloc(size);
    enum status status = STATUS_NO_MEMORY;
    if (copy != NULL) {
        memcpy(copy, letter, size);
        status = loop_post(meetings->loop, fn, copy);
    }
    if (status == STATUS_OK)
        return;
    free(copy);
    if (status != STATUS_CLOSED)
        log_event(LOG_MEETING, LOG_ERROR, "media_event_lost", "status=%s", status_name(status));
}

static void on_transport(void *context, uint64_t transport, uint8_t worker,
                         enum media_transport_state state, bool over_tcp)
{
    struct transport_letter letter = {context, transport, worker, state, over_tcp};
    conductor_letter(context, transport_read, &letter, sizeof letter);
}

struct track_letter {
    struct meetings *meetings;
    struct media_source source;
    struct media_layer_info layers[CONDUCTOR_LAYERS_MAX];
    size_t layer_count;
};

static void track_read(void *arg)
{
    struct track_letter *letter = arg;
    struct peer *peer = map_get(letter->meetings->peers, letter->source.transport);
    if (peer != NULL && letter->source.track < peer->spec->track_count) {
        struct track_use *track = &peer->tracks[letter->source.track];
        for (size_t i = 0; i < CONDUCTOR_LAYERS_MAX; i++) {
            track->sent[i] = i < letter->layer_count && letter->layers[i].active;
            if (i < letter->layer_count && letter->layers[i].height > 0)
                track->heights[i] = letter->layers[i].height;
        }
        stage_changed(peer->member->meeting);
    }
    free(letter);
}

static void on_track(void *context, struct media_source source, enum media_codec codec,
                     const struct media_layer_info *layers, size_t layer_count)
{
    (void)codec;
    struct track_letter letter = {.meetings = context, .source = source};
    letter.layer_count = layer_count < CONDUCTOR_LAYERS_MAX ? layer_count : CONDUCTOR_LAYERS_MAX;
    if (letter.layer_count > 0)
        memcpy(letter.layers, layers, letter.layer_count * sizeof *layers);
    conductor_letter(context, track_read, &letter, sizeof letter);
}

struct speakers_letter {
    struct meetings *meetings;
    uint64_t room;
    uint64_t transports[MEDIA_VOICES_MAX];
    uint8_t levels[MEDIA_VOICES_MAX];
    size_t count;
};

static void speakers_read(void *arg)
{
    struct speakers_letter *letter = arg;
    struct meeting *meeting = map_get(letter->meetings->by_room, letter->room);
    if (meeting != NULL) {
        struct msg_speaker speakers[MEDIA_VOICES_MAX];
        struct msg_speakers message = {{.items = speakers}};
        for (size_t i = 0; i < letter->count; i++) {
            const struct peer *peer = map_get(letter->meetings->peers, letter->transports[i]);
            if (peer != NULL)
                speakers[message.speakers.count++] =
                    (struct msg_speaker){.id = peer->member->id, .level = letter->levels[i]};
        }
        meeting_send(meeting, NULL, "speakers", &msg_speakers_table, &message);
        stage_spoken(meeting, letter->transports, letter->count);
    }
    free(letter);
}

static void on_speakers(void *context, uint64_t room, const uint64_t *transports,
                        const uint8_t *levels, size_t count)
{
    struct speakers_letter letter = {.meetings = context, .room = room};
    letter.count = count < MEDIA_VOICES_MAX ? count : MEDIA_VOICES_MAX;
    if (letter.count > 0) {
        memcpy(letter.transports, transports, letter.count * sizeof *transports);
        memcpy(letter.levels, levels, letter.count);
    }
    conductor_letter(context, speakers_read, &letter, sizeof letter);
}

struct slot_letter {
    struct meetings *meetings;
    uint64_t transport;
    uint8_t slot;
    struct media_slot_report report;
};

static void slot_read(void *arg)
{
    static const char *const names[] = {"empty", "waiting", "live", "unsupported", "paused"};
    struct slot_letter *letter = arg;
    struct peer *peer = map_get(letter->meetings->peers, letter->transport);
    if (peer != NULL && letter->slot < peer->spec->slot_count &&
        peer->uses[letter->slot].kind != SLOT_VOICE) {
        const struct media_slot_report *report = &letter->report;
        struct msg_slot_state state = {.mid = peer->spec->slots[letter->slot].mid,
                                       .state = names[report->state],
                                       .layer = report->layer,
                                       .reason = report->limited ? "link" : NULL};
        member_send(peer->member, "slot", &msg_slot_state_table, &state);
        stage_slot_report(peer, letter->slot, report);
    }
    free(letter);
}

static void on_slot(void *context, uint64_t transport, uint8_t slot,
                    const struct media_slot_report *report)
{
    struct slot_letter letter = {context, transport, slot, *report};
    conductor_letter(context, slot_read, &letter, sizeof letter);
}

const struct media_events meetings_media_events = {.transport = on_transport,
                                                   .track = on_track,
                                                   .speakers = on_speakers,
                                                   .slot = on_slot,
                                                   .switched = eventlog_switched,
                                                   .estimated = eventlog_estimated};
