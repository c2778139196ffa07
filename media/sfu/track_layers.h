/*
 * media/sfu/track_layers.h - the layers of what a client sends on one m-line: which come, how
 * large they are, what each costs, and telling so to the workers with subscribers.
 *
 * Thread: the publisher's worker.
 */
#ifndef MEDIA_SFU_TRACK_LAYERS_H
#define MEDIA_SFU_TRACK_LAYERS_H

#include "media/rtp/codec.h"
#include "media/sfu/track.h"

enum {
    TRACK_MEASURE_MS = 1000,
    TRACK_MEASURE_FIRST_MS = 400, /* a layer that has just begun is measured sooner */
};

/* How the layers of a source lie in its streams. */
enum feed_spatial {
    FEED_SIMULCAST,   /* each in a stream of its own, or one layer only */
    FEED_SPATIAL,     /* in one stream; a picture needs the lower layers of the same picture */
    FEED_SPATIAL_KEY, /* the same, but only key pictures do (L3T3_KEY) */
};

/* Sets what the packet's payload says about layers, and keeps the sizes. */
void layers_of_packet(struct track *track, struct stream *stream, struct packet *packet,
                      const struct codec_info *info);
/* Counts it; begins the stream's and its layer's activity, which subscribers are told of. */
void layers_count(struct track *track, struct stream *stream, const struct packet *packet,
                  uint64_t now_ms);
/* Each tick: measures rates, finds out which layers have stopped, tells what changed. */
bool layers_watch(struct track *track, uint64_t now_ms);

/* All layers, seen or declared; returns their number. ret_layers holds MEDIA_RIDS_MAX. */
size_t track_layers(const struct track *track, struct media_layer_info *ret_layers);
/* To the workers in the mask. `anew`: layers came, went or changed their size; else rates only. */
void track_tell_layers(const struct track *track, uint64_t workers, bool anew);
/* A layer began, stopped or changed its size: slots may want another one. */
void track_changed(struct track *track);
/* Those with subscribers. */
uint64_t track_workers(const struct track *track);

#endif
