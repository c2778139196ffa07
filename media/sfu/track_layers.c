#include "media/sfu/track_layers.h"

#include "media/sfu/feed.h"
#include "media/sfu/needs.h"

#include <string.h>

enum {
    RATE_NEWS = 8,          /* a rate that moved by more than 1/8 of itself is told */
    RATE_NEWS_LEAST = 8000, /* bit/s */
};

/* ---- what a packet says ---- */

static bool is_spatial(const struct track *track)
{
    return track->rid_count <= 1 && track->streams[0] != NULL &&
           track->streams[0]->spatial_count > 1;
}

/* Layers the sender keeps up now: those of the active decode targets. */
static uint8_t active_layers(const struct dd_structure *structure, uint32_t targets)
{
    uint8_t count = 0;
    for (uint8_t t = 0; t < structure->target_count; t++) {
        if ((targets >> t & 1) != 0 && structure->target_spatial[t] >= count)
            count = (uint8_t)(structure->target_spatial[t] + 1);
    }
    return count;
}

static void size_set(struct media_layer_info *info, uint16_t width, uint16_t height)
{
    if (height == 0)
        return;
    info->width = width;
    info->height = height;
}

/* A key picture says which spatial layers there are, and how large. */
static void key_layers(struct stream *stream, const struct packet *packet,
                       const struct codec_info *info)
{
    uint8_t count = 1;
    const uint16_t *widths = NULL, *heights = NULL;
    if (info->has_dd) {
        const struct dd_structure *structure = stream->structure;
        count = structure->spatial_count;
        if (structure->has_resolutions) {
            widths = structure->widths;
            heights = structure->heights;
        }
    } else if (packet->format.codec == MEDIA_CODEC_VP9 && info->vp9.has_structure) {
        count = info->vp9.spatial_count;
        widths = info->vp9.widths;
        heights = info->vp9.heights;
    } else if (packet->format.codec == MEDIA_CODEC_VP9 && info->vp9.has_layers) {
        count = stream->spatial_count;
    }
    if (count > MEDIA_RIDS_MAX)
        count = MEDIA_RIDS_MAX;
    if (count == 0)
        count = 1;
    stream->spatial_count = count;
    for (uint8_t spatial = 0; heights != NULL && spatial < count; spatial++)
        size_set(&stream->spatial[spatial], widths[spatial], heights[spatial]);
    if (heights != NULL)
        size_set(&stream->info, widths[count - 1], heights[count - 1]);
    else
        size_set(&stream->info, info->width, info->height);
}

void layers_of_packet(struct track *track, struct stream *stream, struct packet *packet,
                      const struct codec_info *info)
{
    packet->temporal_id = info->temporal_id;
    packet->switching_up = info->switching_up;
    packet->end = info->end_of_frame;
    packet->structure = info->has_dd && info->dd.has_structure;
    if (packet->key && packet->start)
        key_layers(stream, packet, info);
    packet->needs = needs_of((enum media_codec)packet->format.codec, info, stream->structure);
    packet->spatial_count = stream->spatial_count;
    if (track->rid_count > 1) {
        packet->needs = needs_flat(packet->needs, stream->spatial_count);
        packet->spatial_count = 1;
    }
    if (packet->spatial_count <= 1) {
        packet->spatial_count = 1;
        return;
    }
    packet->spatial_id = info->spatial_id;
    if (info->has_dd && info->dd.has_active_targets) {
        uint8_t active = active_layers(stream->structure, info->dd.active_targets);
        for (uint8_t spatial = active; spatial < MEDIA_RIDS_MAX; spatial++) {
            track->layers_stopped |= stream->spatial[spatial].active;
            stream->spatial[spatial].active = false;
        }
        if (active > 0 && active < packet->spatial_count)
            packet->spatial_count = active;
    }
    if (packet->start && !packet->key && packet->spatial_id == 0)
        stream->inter_layer =
            needs_has(packet->needs, (uint8_t)(stream->spatial_count - 1), MEDIA_TEMPORAL_MAX - 1);
}

/* ---- counting ---- */

void layers_count(struct track *track, struct stream *stream, const struct packet *packet,
                  uint64_t now_ms)
{
    bool anew = !stream->info.active;
    stream->arrived_ms = now_ms;
    stream->info.active = true;
    if (anew) {
        stream->measured_ms = now_ms;
        memset(stream->bytes, 0, sizeof stream->bytes);
    }
    uint8_t level =
        packet->temporal_id < MEDIA_TEMPORAL_MAX ? packet->temporal_id : MEDIA_TEMPORAL_MAX - 1;
    for (uint8_t spatial = 0; spatial < packet->spatial_count; spatial++) {
        if (needs_has(packet->needs, spatial, MEDIA_TEMPORAL_MAX - 1))
            stream->bytes[spatial][level] += packet->length;
    }
    if (packet->spatial_count > 1 && packet->spatial_id < MEDIA_RIDS_MAX) {
        struct media_layer_info *info = &stream->spatial[packet->spatial_id];
        stream->spatial_ms[packet->spatial_id] = now_ms;
        anew = anew || !info->active;
        info->active = true;
    }
    if (!anew)
        return;
    track_changed(track);
    transport_wake_within(track->transport, 0); /* the event, and ticks from now on */
}

/* Follows a rise at once by half, a fall slowly: a pause in the speech of a picture is none. */
static uint32_t rate_smooth(uint32_t before, uint32_t now)
{
    if (before == 0)
        return now;
    return now > before ? before + (now - before) / 2 : before - (before - now) / 4;
}

static bool rate_is_news(uint32_t before, uint32_t now)
{
    uint32_t apart = now > before ? now - before : before - now;
    return apart > RATE_NEWS_LEAST && apart > before / RATE_NEWS;
}

/* True when it is worth telling. */
static bool info_measure(struct media_layer_info *info, const uint32_t *bytes, uint64_t elapsed_ms)
{
    uint64_t sum = 0;
    bool news = false;
    uint8_t levels = 0;
    for (uint8_t level = 0; level < MEDIA_TEMPORAL_MAX; level++) {
        sum += bytes[level];
        if (bytes[level] > 0)
            levels = (uint8_t)(level + 1);
        uint32_t rate = rate_smooth(info->rates[level], (uint32_t)(sum * 8000 / elapsed_ms));
        news = news || rate_is_news(info->rates[level], rate);
        info->rates[level] = rate;
    }
    news = news || levels != info->levels;
    info->levels = levels;
    info->bitrate = info->rates[MEDIA_TEMPORAL_MAX - 1];
    return news;
}

static bool stream_measure(const struct track *track, struct stream *stream, uint64_t now_ms)
{
    uint64_t elapsed_ms = now_ms - stream->measured_ms;
    bool first = stream->info.bitrate == 0;
    if (!stream->info.active ||
        elapsed_ms < (uint64_t)(first ? TRACK_MEASURE_FIRST_MS : TRACK_MEASURE_MS))
        return false;
    bool spatial = is_spatial(track);
    uint8_t top = spatial ? (uint8_t)(stream->spatial_count - 1) : 0;
    bool news = info_measure(&stream->info, stream->bytes[top], elapsed_ms);
    for (uint8_t layer = 0; spatial && layer < stream->spatial_count; layer++) {
        if (stream->spatial[layer].active)
            news |= info_measure(&stream->spatial[layer], stream->bytes[layer], elapsed_ms);
    }
    stream->measured_ms = now_ms;
    memset(stream->bytes, 0, sizeof stream->bytes);
    return news;
}

/* ---- activity ---- */

/* Each layer of a stream that goes on must go on too. */
static bool spatial_stopped(struct stream *stream)
{
    bool stopped = false;
    for (uint8_t layer = 0; layer < MEDIA_RIDS_MAX; layer++) {
        struct media_layer_info *info = &stream->spatial[layer];
        if (!info->active || (layer < stream->spatial_count && stream->info.active &&
                              stream->arrived_ms - stream->spatial_ms[layer] < TRACK_STALL_MS))
            continue;
        info->active = false;
        stopped = true;
    }
    return stopped;
}

static bool streams_stopped(struct track *track, uint64_t now_ms)
{
    uint64_t newest_ms = 0;
    bool stopped = track->layers_stopped;
    track->layers_stopped = false;
    for (size_t layer = 0; layer < MEDIA_RIDS_MAX; layer++) {
        const struct stream *stream = track->streams[layer];
        if (stream != NULL && stream->arrived_ms > newest_ms)
            newest_ms = stream->arrived_ms;
    }
    for (size_t layer = 0; layer < MEDIA_RIDS_MAX; layer++) {
        struct stream *stream = track->streams[layer];
        if (stream == NULL || !stream->info.active)
            continue;
        bool stalled = newest_ms - stream->arrived_ms >= TRACK_STALL_MS;
        if (stalled || now_ms - stream->arrived_ms >= TRACK_SILENT_MS) {
            stream->info.active = false;
            stopped = true;
        }
        stopped |= spatial_stopped(stream);
    }
    return stopped;
}

bool layers_watch(struct track *track, uint64_t now_ms)
{
    bool news = false, active = false;
    for (size_t layer = 0; layer < MEDIA_RIDS_MAX; layer++) {
        if (track->streams[layer] != NULL)
            news |= stream_measure(track, track->streams[layer], now_ms);
    }
    if (streams_stopped(track, now_ms))
        track_changed(track);
    else if (news && track->kind == MEDIA_VIDEO)
        track_tell_layers(track, track_workers(track), false);
    for (size_t layer = 0; layer < MEDIA_RIDS_MAX; layer++)
        active = active || (track->streams[layer] != NULL && track->streams[layer]->info.active);
    return active;
}

/* ---- telling the workers with subscribers ---- */

uint64_t track_workers(const struct track *track)
{
    uint64_t workers = 0;
    for (size_t layer = 0; layer < MEDIA_RIDS_MAX; layer++)
        workers |= track->wanted[layer];
    return workers;
}

size_t track_layers(const struct track *track, struct media_layer_info *ret_layers)
{
    memset(ret_layers, 0, MEDIA_RIDS_MAX * sizeof *ret_layers);
    if (is_spatial(track)) {
        const struct stream *stream = track->streams[0];
        memcpy(ret_layers, stream->spatial, stream->spatial_count * sizeof *ret_layers);
        return stream->spatial_count;
    }
    size_t count = track->rid_count > 1 ? track->rid_count : 0;
    for (size_t layer = 0; layer < MEDIA_RIDS_MAX; layer++) {
        if (track->streams[layer] == NULL)
            continue;
        ret_layers[layer] = track->streams[layer]->info;
        if (layer >= count)
            count = layer + 1;
    }
    return count;
}

void track_tell_layers(const struct track *track, uint64_t workers, bool anew)
{
    struct letter letter = {.transport = track->transport->id, .track = track->number, .on = anew};
    letter.layers.count = (uint8_t)track_layers(track, letter.layers.infos);
    letter.layers.spatial = FEED_SIMULCAST;
    if (is_spatial(track))
        letter.layers.spatial = track->streams[0]->inter_layer ? FEED_SPATIAL : FEED_SPATIAL_KEY;
    for (uint8_t to = 0; to < MEDIA_WORKERS_MAX && workers >> to != 0; to++) {
        if ((workers >> to & 1) != 0)
            worker_tell(track->transport->worker, to, feed_on_layers, &letter);
    }
}

void track_changed(struct track *track)
{
    track->changed = true;
    track_tell_layers(track, track_workers(track), true);
}
