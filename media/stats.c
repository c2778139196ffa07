#include "media/stats.h"

#include "core/call.h"
#include "media/sfu/slot.h"
#include "media/sfu/track.h"
#include "media/sfu/transport.h"
#include "media/worker.h"

enum { US_PER_S = 1000000 };

const char *media_switch_reason_name(enum media_switch_reason reason)
{
    static const char *const names[] = {
#define MEDIA_SWITCH_NAME(name, text) [MEDIA_SWITCH_##name] = text,
        MEDIA_SWITCH_REASONS(MEDIA_SWITCH_NAME)
#undef MEDIA_SWITCH_NAME
    };
    return names[reason];
}

static uint32_t ticks_us(uint32_t ticks, enum media_kind kind)
{
    uint32_t rate = kind == MEDIA_AUDIO ? TRACK_CLOCK_AUDIO : TRACK_CLOCK_VIDEO;
    return (uint32_t)((uint64_t)ticks * US_PER_S / rate);
}

static void track_fill(const struct track *track, struct media_transport_stats *row)
{
    for (uint8_t layer = 0; layer < MEDIA_RIDS_MAX; layer++) {
        const struct stream *stream = track->streams[layer];
        if (stream == NULL)
            continue;
        row->streams[row->stream_count++] = (struct media_stream_stats){
            .track = track->number,
            .layer = layer,
            .kind = (uint8_t)track->kind,
            .codec = track->format.codec,
            .info = stream->info,
            .packets = stream->stats.received,
            .bytes = stream->stats.bytes,
            .lost = recv_stats_lost(&stream->stats),
            .fraction_lost = stream->stats.fraction_lost,
            .jitter_us = ticks_us(recv_stats_jitter(&stream->stats), track->kind),
        };
    }
}

static void switches_fill(const struct slot_stats *stats, struct media_slot_stats *ret_slot)
{
    size_t first = (size_t)(stats->switch_next + MEDIA_SWITCHES_MAX - stats->switch_count);
    for (size_t i = 0; i < stats->switch_count; i++)
        ret_slot->switches[i] = stats->switches[(first + i) % MEDIA_SWITCHES_MAX];
    ret_slot->switch_count = stats->switch_count;
}

static void slot_fill(const struct slot *slot, struct media_transport_stats *row)
{
    const struct subscription *active = &slot->active;
    const struct subscription *waiting = slot->next.feed != NULL ? &slot->next : active;
    const struct slot_stats *stats = &slot->stats;
    if (slot->state == MEDIA_SLOT_EMPTY && slot->packets == 0)
        return;
    struct media_slot_stats *filled = &row->slots[row->slot_count++];
    *filled = (struct media_slot_stats){
        .slot = slot->number,
        .kind = slot->kind,
        .state = slot->state,
        .layer = active->layer,
        .target = waiting->target > FEED_LAYER_NONE ? waiting->target : FEED_LAYER_NONE,
        .spatial = slot->spatial,
        .temporal = slot->temporal,
        .bitrate = stats->bitrate,
        .packets = slot->packets,
        .bytes = slot->bytes,
        .lost = stats->lost,
        .fraction_lost = stats->fraction_lost,
        .jitter_us = ticks_us(stats->jitter, (enum media_kind)slot->kind),
    };
    if (active->feed != NULL) {
        filled->source = active->feed->source;
        if (active->layer >= 0 && active->layer < active->feed->layer_count)
            filled->height = active->feed->layers[active->layer].height;
    }
    switches_fill(stats, filled);
}

static void transport_fill(const struct transport *transport, struct media_transport_stats *row)
{
    row->found = true;
    row->worker = transport->worker->number;
    row->tcp = transport->path.stream != 0;
    row->lost = transport->lost;
    row->rtt_us = transport->rtt_ms * 1000;
    row->remb = transport->remb;
    row->estimate = transport->allocator.known ? transport->allocator.budget : 0;
    for (uint8_t i = 0; i < transport->track_count; i++)
        track_fill(&transport->tracks[i], row);
    for (uint8_t i = 0; i < transport->slot_count; i++)
        slot_fill(&transport->slots[i], row);
}

struct question {
    const struct worker *worker;
    struct media_transport_stats *rows;
    size_t count;
};

static void answer(void *arg)
{
    const struct question *question = arg;
    for (size_t i = 0; i < question->count; i++) {
        struct media_transport_stats *row = &question->rows[i];
        const struct transport *transport = map_get(question->worker->transports, row->id);
        if (transport != NULL)
            transport_fill(transport, row);
    }
}

enum status media_stats(struct media *media, uint8_t worker, struct media_transport_stats *rows,
                        size_t count)
{
    if (worker >= media->worker_count || count > MEDIA_STATS_BATCH_MAX)
        return STATUS_INVALID;
    for (size_t i = 0; i < count; i++) {
        rows[i].found = false;
        rows[i].stream_count = rows[i].slot_count = 0;
    }
    struct question question = {media->workers[worker], rows, count};
    return loop_call(media->workers[worker]->loop, answer, &question);
}
