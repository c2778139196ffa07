#include "media/sfu/observe.h"

#include "media/sfu/slot.h"
#include "media/sfu/track.h"
#include "media/sfu/transport.h"
#include "media/stats.h"
#include "media/worker.h"

static const double round_trip_bounds[] = {0.005, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2,
                                           0.3,   0.5,  0.75, 1,    2,   5};
static const double rate_bounds[] = {100e3, 150e3, 250e3, 400e3, 600e3, 1e6,
                                     1.5e6, 2.5e6, 4e6,   6e6,   10e6,  20e6};
static const double loss_bounds[] = {0, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.3, 0.5};

void observations_init(struct observations *observations, struct metrics *metrics)
{
    if (metrics == NULL)
        return;
    observations->round_trip =
        metrics_histogram(metrics, "parley_round_trip_seconds", "",
                          "Round trips to clients by their receiver reports, every 10 s.",
                          round_trip_bounds, sizeof round_trip_bounds / sizeof *round_trip_bounds);
    observations->estimate =
        metrics_histogram(metrics, "parley_estimate_bits_per_second", "",
                          "What subscribers' links bear, as we estimate it, every 10 s.",
                          rate_bounds, sizeof rate_bounds / sizeof *rate_bounds);
    observations->uplink_loss = metrics_histogram(
        metrics, "parley_uplink_loss_ratio", "",
        "Share lost of what a client sends, over the last second, worst stream, every 10 s.",
        loss_bounds, sizeof loss_bounds / sizeof *loss_bounds);
    observations->downlink_loss = metrics_histogram(
        metrics, "parley_downlink_loss_ratio", "",
        "Share lost of what a client is sent, by its last reports, worst slot, every 10 s.",
        loss_bounds, sizeof loss_bounds / sizeof *loss_bounds);
}

void observe_estimate(struct transport *transport, uint32_t estimate_bps)
{
    const struct media *media = transport->worker->media;
    uint32_t told = transport->estimate_told;
    uint32_t apart = estimate_bps > told ? estimate_bps - told : told - estimate_bps;
    if (apart < told / OBSERVE_ESTIMATE || estimate_bps == told)
        return;
    transport->estimate_told = estimate_bps;
    if (media->events.estimated != NULL)
        media->events.estimated(media->events_context, transport->id, estimate_bps);
}

/* 1/256; -1: nothing comes. */
static int uplink_loss(const struct transport *transport)
{
    int worst = -1;
    for (uint8_t i = 0; i < transport->track_count; i++) {
        for (size_t layer = 0; layer < MEDIA_RIDS_MAX; layer++) {
            const struct stream *stream = transport->tracks[i].streams[layer];
            if (stream != NULL && stream->info.active && stream->stats.fraction_lost > worst)
                worst = stream->stats.fraction_lost;
        }
    }
    return worst;
}

/* 1/256; -1: nothing is sent, or nothing was reported. */
static int downlink_loss(const struct transport *transport, uint64_t now_ms)
{
    int worst = -1;
    for (uint8_t i = 0; i < transport->slot_count; i++) {
        const struct slot *slot = &transport->slots[i];
        bool sent = slot->packets > 0 && slot->forwarded_ms + OBSERVE_MS > now_ms;
        if (sent && slot->stats.reported && slot->stats.fraction_lost > worst)
            worst = slot->stats.fraction_lost;
    }
    return worst;
}

void observe(struct transport *transport, uint64_t now_ms)
{
    const struct observations *observations = &transport->worker->media->observations;
    if ((int64_t)(now_ms - transport->observed_ms) < OBSERVE_MS)
        return;
    transport->observed_ms = now_ms;
    if (transport->rtt_ms != 0)
        metric_observe(observations->round_trip, transport->rtt_ms / 1000.0);
    if (transport->allocator.known)
        metric_observe(observations->estimate, transport->allocator.budget);
    int uplink = uplink_loss(transport), downlink = downlink_loss(transport, now_ms);
    if (uplink >= 0)
        metric_observe(observations->uplink_loss, (double)uplink / MEDIA_LOSS_ONE);
    if (downlink >= 0)
        metric_observe(observations->downlink_loss, (double)downlink / MEDIA_LOSS_ONE);
}
