#include "media/sfu/track.h"

#include "core/bytes.h"
#include "core/clock.h"
#include "media/rtp/codec.h"
#include "media/sfu/feed.h"
#include "media/sfu/room.h"
#include "media/sfu/track_layers.h"

#include <stdlib.h>
#include <string.h>

static uint32_t track_clock(const struct track *track)
{
    return track->kind == MEDIA_AUDIO ? TRACK_CLOCK_AUDIO : TRACK_CLOCK_VIDEO;
}

/* ---- streams ---- */

static bool track_nacks(const struct track *track)
{
    for (uint8_t i = 0; i < track->payload_count; i++) {
        if (track->payloads[i].nack)
            return true;
    }
    return false;
}

static void stream_begin(const struct track *track, struct stream *stream, uint32_t ssrc)
{
    stream->ssrc = ssrc;
    stream->epoch++;
    stream->unwrapper = (struct seq_unwrapper){0};
    stream->come = (struct redundancy_window){0};
    stream->structure_known = false;
    stream->spatial_count = 1;
    recv_stats_init(&stream->stats, track_clock(track));
    if (stream->nacks != NULL)
        nack_init(stream->nacks, TRACK_NACK_REORDER_MS);
    if (track->kind == MEDIA_VIDEO)
        keyframe_want(&stream->keyframe);
}

struct stream *track_stream(struct track *track, uint8_t layer, uint32_t ssrc)
{
    struct stream *stream = track->streams[layer];
    if (stream == NULL) {
        stream = calloc(1, sizeof *stream);
        if (stream == NULL)
            return NULL;
        if (track_nacks(track))
            stream->nacks = calloc(1, sizeof *stream->nacks);
        track->streams[layer] = stream;
        stream_begin(track, stream, ssrc);
        /* The sender begins with a key frame by itself. */
        keyframe_came(&stream->keyframe);
    } else if (stream->ssrc != ssrc) {
        stream_begin(track, stream, ssrc);
    }
    return stream;
}

static void stream_free(struct stream *stream)
{
    if (stream == NULL)
        return;
    free(stream->nacks);
    free(stream->structure);
    free(stream);
}

/* ---- reports ---- */

static void report_send(const struct track *track, uint8_t layer, uint8_t to)
{
    const struct stream *stream = track->streams[layer];
    struct worker *worker = track->transport->worker;
    if (stream == NULL || stream->stats.sr_ntp == 0 || !track->transport->clock_known)
        return;
    const struct message message = {
        .kind = MESSAGE_REPORT,
        .track = track->number,
        .layer = layer,
        .lane = track->lane,
        .timestamp = stream->stats.sr_rtp,
        .id = track->transport->id,
        .room = track->transport->room_id,
        .ntp = stream->stats.sr_ntp + (uint64_t)track->transport->clock_shift,
    };
    if (to == worker->number)
        feed_report(worker, &message);
    else
        worker_send(worker, to, &message);
}

void track_report(struct track *track, uint8_t layer, uint64_t ntp, uint32_t timestamp)
{
    struct stream *stream = track->streams[layer];
    const struct worker *worker = track->transport->worker;
    if (stream == NULL)
        return;
    const struct rtcp_sender sender = {.ntp = ntp, .rtp_timestamp = timestamp};
    recv_stats_sr(&stream->stats, &sender, worker_now_ns(worker) / CLOCK_NS_PER_US);
    /* A voice may be listened to anywhere in the room. */
    uint64_t workers = track->lane == TRACK_LANE_NONE ? track_workers(track) : UINT64_MAX;
    for (uint8_t to = 0; to < worker->media->worker_count; to++) {
        if ((workers >> to & 1) != 0)
            report_send(track, layer, to);
    }
}

void track_end(struct track *track)
{
    struct worker *worker = track->transport->worker;
    struct letter letter = {.transport = track->transport->id, .track = track->number};
    uint64_t workers = track_workers(track);
    for (uint8_t to = 0; to < worker->media->worker_count; to++) {
        if ((workers >> to & 1) != 0)
            worker_tell(worker, to, feed_on_gone, &letter);
    }
    memset(track->wanted, 0, sizeof track->wanted);
    if (track->source == MEDIA_SOURCE_MICROPHONE && track->transport->room != NULL)
        room_microphone_gone(worker, track);
    for (size_t layer = 0; layer < MEDIA_RIDS_MAX; layer++) {
        stream_free(track->streams[layer]);
        track->streams[layer] = NULL;
    }
}

/* ---- one packet ---- */

static const struct payload *payload_of(const struct track *track, uint8_t type)
{
    for (uint8_t i = 0; i < track->payload_count; i++) {
        if (track->payloads[i].type == type)
            return &track->payloads[i];
    }
    return NULL;
}

static void element_keep(const struct packet *packet, const struct rtp_element *element,
                         uint8_t length_max, struct packet_element *ret_kept)
{
    if (element->length == 0 || element->length > length_max)
        return;
    *ret_kept = (struct packet_element){.offset = (uint16_t)(element->value - packet->data),
                                        .length = element->length};
}

static void elements_keep(const struct track *track, struct packet *packet,
                          const struct rtp_header *header)
{
    const struct media_extensions *ids = &track->extensions;
    struct rtp_elements elements = rtp_elements_of(packet->data, header);
    struct rtp_element element;
    while (rtp_elements_next(&elements, &element)) {
        if (element.id == 0)
            continue;
        if (element.id == ids->audio_level)
            element_keep(packet, &element, 2, &packet->audio_level);
        else if (element.id == ids->dependency_descriptor)
            element_keep(packet, &element, UINT8_MAX, &packet->dependency);
        else if (element.id == ids->video_orientation)
            element_keep(packet, &element, 1, &packet->orientation);
        else if (element.id == ids->playout_delay)
            element_keep(packet, &element, 3, &packet->playout_delay);
        else if (element.id == ids->color_space)
            element_keep(packet, &element, 28, &packet->color_space);
    }
}

/* What the payload says. False: it makes no sense. */
static bool video_facts(struct track *track, struct stream *stream, struct packet *packet,
                        const struct rtp_header *header)
{
    const struct packet_element *kept = &packet->dependency;
    struct codec_dd dd = {.structure = stream->structure, .known = &stream->structure_known};
    if (kept->length > 0) {
        if (stream->structure == NULL)
            stream->structure = calloc(1, sizeof *stream->structure);
        dd.structure = stream->structure;
        if (stream->structure != NULL) {
            dd.bytes = packet->data + kept->offset;
            dd.length = kept->length;
        }
    }
    struct codec_info info;
    if (codec_inspect((enum media_codec)packet->format.codec, packet->data + packet->payload_offset,
                      packet->payload_length, header->marker, &dd, &info) != STATUS_OK)
        return false;
    packet->key = info.key_frame;
    packet->start = info.start_of_frame;
    layers_of_packet(track, stream, packet, &info);
    packet->picture_id = info.picture_id;
    packet->long_picture_id = info.long_picture_id;
    packet->tl0picidx = info.tl0picidx;
    if (packet->format.codec == MEDIA_CODEC_VP8) {
        packet->picture_id_offset = info.vp8.picture_id_offset;
        packet->tl0picidx_offset = info.vp8.tl0picidx_offset;
    } else if (packet->format.codec == MEDIA_CODEC_VP9) {
        packet->picture_id_offset = info.vp9.picture_id_offset;
        packet->tl0picidx_offset = info.vp9.tl0picidx_offset;
    }
    if (kept->length >= DD_MANDATORY_BYTES)
        packet->frame_number = load_be16(packet->data + kept->offset + 1);
    return true;
}

static void audio_facts(struct track *track, struct packet *packet)
{
    packet->key = packet->start = packet->end = true;
    packet->spatial_count = 1;
    packet->needs = UINT16_MAX; /* counted whole */
    uint8_t level = SPEAKERS_UNKNOWN;
    if (packet->audio_level.length > 0)
        level = packet->data[packet->audio_level.offset] & 0x7f;
    packet->loudness = loudness_packet(&track->loudness, level);
}

static void track_dispatch(const struct track *track, struct packet *packet)
{
    struct worker *worker = track->transport->worker;
    uint64_t workers = track->wanted[packet->layer];
    if (track->source == MEDIA_SOURCE_MICROPHONE && track->transport->room != NULL &&
        packet->payload_length > 0)
        room_voice(worker, track, packet);
    for (uint8_t to = 0; workers != 0; to++, workers >>= 1) {
        if ((workers & 1) == 0)
            continue;
        if (to == worker->number) {
            feed_media(worker, packet);
        } else {
            const struct message message = {.kind = MESSAGE_MEDIA, .packet = packet_ref(packet)};
            worker_send(worker, to, &message);
        }
    }
}

/* RED becomes the Opus in it, and what was lost and has a copy in it goes on before it. False: it
 * makes no sense. */
static bool red_take(const struct track *track, struct stream *stream, struct packet *packet)
{
    struct worker *worker = track->transport->worker;
    const struct payload *opus = NULL;
    for (uint8_t i = 0; i < track->payload_count && opus == NULL; i++) {
        if (track->payloads[i].format.codec == MEDIA_CODEC_OPUS)
            opus = &track->payloads[i];
    }
    struct redundancy_copies copies;
    if (opus == NULL || redundancy_unwrap(packet, opus->type, &stream->come, &copies) != STATUS_OK)
        return false;
    packet->format = opus->format;
    for (size_t i = 0; i < copies.count; i++) {
        struct packet *lost = redundancy_packet(packet, &copies, i, worker->packets);
        if (lost == NULL)
            break;
        if (stream->nacks != NULL)
            (void)nack_received(stream->nacks, (uint16_t)lost->index, true, worker_now_ms(worker));
        worker->counters.red_recovered++;
        track_dispatch(track, lost);
        packet_unref(lost, worker->packets);
    }
    return true;
}

static void gaps_note(struct track *track, struct stream *stream, uint16_t sequence, bool repaired,
                      uint64_t now_ms)
{
    if (stream->nacks == NULL)
        return;
    size_t before = stream->nacks->count;
    (void)nack_received(stream->nacks, sequence, repaired, now_ms);
    if (stream->nacks->count > before)
        transport_wake_within(track->transport, nack_reorder_ms(stream->nacks));
    if (nack_key_frame_wanted(stream->nacks)) {
        keyframe_want(&stream->keyframe);
        transport_wake_within(track->transport, 0);
    }
}

void track_receive(struct track *track, uint8_t layer, struct packet *packet,
                   const struct rtp_header *header)
{
    struct worker *worker = track->transport->worker;
    uint64_t now_ms = worker_now_ms(worker);
    const struct payload *payload = payload_of(track, header->payload_type);
    struct stream *stream = track_stream(track, layer, header->ssrc);
    if (payload == NULL || stream == NULL) {
        worker->counters.dropped_malformed++;
        return;
    }
    enum recv_verdict verdict =
        recv_stats_packet(&stream->stats, header->sequence, header->timestamp,
                          header->payload_length, packet->arrived_ns / CLOCK_NS_PER_US);
    if (verdict == RECV_REJECTED)
        return;
    if (verdict == RECV_RESTARTED)
        stream_begin(track, stream, header->ssrc);
    gaps_note(track, stream, header->sequence, packet->repaired, now_ms);
    if (track->gated) {
        worker->counters.dropped_gate++;
        return;
    }
    packet->source = track->transport->id;
    packet->track = track->number;
    packet->layer = layer;
    packet->epoch = stream->epoch;
    packet->index = seq_unwrap(&stream->unwrapper, header->sequence);
    packet->timestamp = header->timestamp;
    packet->origin = track->origin;
    packet->format = payload->format;
    packet->marker = header->marker;
    packet->payload_offset = (uint16_t)header->payload_offset;
    packet->payload_length = (uint16_t)header->payload_length;
    if (packet->payload_length > 0) {
        elements_keep(track, packet, header);
        uint16_t height = stream->info.height;
        if (track->kind == MEDIA_AUDIO) {
            if (!redundancy_arrived(&stream->come, packet->index))
                return; /* a copy was here before */
            audio_facts(track, packet);
            if (packet->format.codec == MEDIA_CODEC_RED && !red_take(track, stream, packet)) {
                worker->counters.dropped_malformed++;
                return;
            }
        } else if (!video_facts(track, stream, packet, header)) {
            worker->counters.dropped_malformed++;
            return;
        }
        if (packet->key && packet->start && track->kind == MEDIA_VIDEO) {
            keyframe_came(&stream->keyframe);
            if (stream->nacks != NULL)
                nack_key_frame(stream->nacks, header->sequence);
        }
        if (stream->info.height != height && stream->info.active)
            track_changed(track);
        layers_count(track, stream, packet, now_ms);
        if (track->format.codec != packet->format.codec)
            track->changed = true;
        track->format = packet->format;
    }
    track_dispatch(track, packet);
}

/* ---- feedback ---- */

static bool keyframe_request(const struct track *track, struct stream *stream,
                             struct rtcp_writer *writer)
{
    bool pli = false, fir = false;
    for (uint8_t i = 0; i < track->payload_count; i++) {
        pli = pli || track->payloads[i].pli;
        fir = fir || track->payloads[i].fir;
    }
    uint32_t ours = track->transport->rtcp_ssrc;
    if (pli || !fir)
        return rtcp_write_pli(writer, ours, stream->ssrc) == STATUS_OK;
    return rtcp_write_fir(writer, ours, stream->ssrc, ++stream->fir_sequence) == STATUS_OK;
}

uint64_t track_feedback(struct track *track, struct rtcp_writer *writer, uint64_t now_ms)
{
    struct counters *counters = &track->transport->worker->counters;
    uint64_t wait_ms = UINT64_MAX;
    for (size_t layer = 0; layer < MEDIA_RIDS_MAX; layer++) {
        struct stream *stream = track->streams[layer];
        if (stream == NULL || track->gated)
            continue;
        if (stream->nacks != NULL) {
            uint16_t sequences[TRACK_NACKS_MAX];
            nack_rtt_set(stream->nacks, track->transport->rtt_ms);
            size_t count = nack_due(stream->nacks, now_ms, sequences, TRACK_NACKS_MAX);
            if (count > 0 && rtcp_write_nack(writer, track->transport->rtcp_ssrc, stream->ssrc,
                                             sequences, count) == STATUS_OK)
                counters->nacks_sent += count;
            uint64_t next_ms = nack_next_ms(stream->nacks);
            if (next_ms != UINT64_MAX && (next_ms < now_ms || next_ms - now_ms < wait_ms))
                wait_ms = next_ms < now_ms ? 1 : next_ms - now_ms;
        }
        if (stream->info.active && keyframe_due(&stream->keyframe, now_ms) &&
            keyframe_request(track, stream, writer))
            counters->keyframes++;
    }
    return wait_ms;
}

/* ---- watching ---- */

static void track_event(struct track *track, uint64_t now_ms)
{
    const struct media *media = track->transport->worker->media;
    track->changed = false;
    track->told_ms = now_ms;
    if (media->events.track == NULL)
        return;
    struct media_layer_info layers[MEDIA_RIDS_MAX];
    size_t count = track_layers(track, layers);
    bool active = false;
    for (size_t layer = 0; layer < count; layer++)
        active = active || layers[layer].active;
    const struct media_source source = {.transport = track->transport->id,
                                        .track = track->number,
                                        .worker = track->transport->worker->number};
    media->events.track(media->events_context, source, (enum media_codec)track->format.codec,
                        layers, active ? count : 0);
}

bool track_watch(struct track *track, uint64_t now_ms)
{
    bool going_on = layers_watch(track, now_ms);
    if (track->changed && now_ms - track->told_ms >= TRACK_EVENT_MS)
        track_event(track, now_ms);
    return going_on || track->changed;
}

/* ---- letters ---- */

static struct track *track_find(const struct worker *worker, const struct letter *letter)
{
    struct transport *transport = map_get(worker->transports, letter->transport);
    if (transport == NULL || letter->track >= transport->track_count)
        return NULL;
    return &transport->tracks[letter->track];
}

void track_on_subscribe(struct worker *worker, const struct letter *letter)
{
    struct track *track = track_find(worker, letter);
    if (track == NULL) {
        if (letter->layer != 0) {
            const struct letter gone = {.transport = letter->transport, .track = letter->track};
            worker_tell(worker, letter->from, feed_on_gone, &gone);
        }
        return;
    }
    uint64_t bit = UINT64_C(1) << letter->from;
    bool anew = (track_workers(track) & bit) == 0;
    for (uint8_t layer = 0; layer < MEDIA_RIDS_MAX; layer++) {
        if ((letter->layer >> layer & 1) != 0)
            track->wanted[layer] |= bit;
        else
            track->wanted[layer] &= ~bit;
    }
    if (!anew || letter->layer == 0)
        return;
    struct media_layer_info layers[MEDIA_RIDS_MAX];
    if (track_layers(track, layers) > 0)
        track_tell_layers(track, bit, true);
    for (uint8_t layer = 0; layer < MEDIA_RIDS_MAX; layer++)
        report_send(track, layer, letter->from);
}

void track_on_keyframe(struct worker *worker, const struct letter *letter)
{
    struct track *track = track_find(worker, letter);
    if (track == NULL || letter->layer >= MEDIA_RIDS_MAX || track->streams[letter->layer] == NULL ||
        track->kind != MEDIA_VIDEO)
        return;
    keyframe_want(&track->streams[letter->layer]->keyframe);
    transport_wake_within(track->transport, 0);
}

void track_on_lane(struct worker *worker, const struct letter *letter)
{
    struct track *track = track_find(worker, letter);
    if (track == NULL)
        return;
    track->lane = letter->lane;
    if (track->lane == TRACK_LANE_NONE)
        return;
    for (uint8_t to = 0; to < worker->media->worker_count; to++)
        report_send(track, 0, to);
}

void track_on_gate(struct worker *worker, const struct letter *letter)
{
    struct track *track = track_find(worker, letter);
    if (track == NULL || track->gated == !letter->on)
        return;
    track->gated = !letter->on;
    track->loudness = (struct loudness){0};
    /* What was dropped is missing to every decoder. */
    for (uint8_t layer = 0; letter->on && layer < MEDIA_RIDS_MAX; layer++) {
        if (track->streams[layer] != NULL && track->kind == MEDIA_VIDEO)
            keyframe_want(&track->streams[layer]->keyframe);
    }
}
