/*
 * media/sfu/feed.h - a source as the subscribers of one worker see it: the layers'
 * histories, shared by all of them, and who takes it.
 *
 * A feed exists while somebody here subscribes. A room's voice lanes are feeds too;
 * their source changes with the speaker.
 *
 * Thread: the subscribers' worker.
 */
#ifndef MEDIA_SFU_FEED_H
#define MEDIA_SFU_FEED_H

#include "core/status.h"
#include "media/media.h"
#include "media/packet.h"
#include "media/sfu/history.h"
#include "media/worker.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    FEED_LAYER_NONE = -1,
    FEED_LAYER_PAUSED = -2, /* as a target: nothing is wanted */
    FEED_ARRIVED_MAX = 32,  /* packets of a turn delivered together: a large frame's burst */
};

/* A slot's place in a feed. */
struct subscription {
    struct feed *feed; /* NULL: none */
    struct slot *slot;
    uint32_t place;
    int8_t layer;     /* carried now, or FEED_LAYER_NONE */
    int8_t target;    /* to be carried from its next key frame on; NONE: whichever comes; PAUSED */
    uint8_t epoch;    /* of the carried stream */
    bool unsupported; /* said so already */
};

/* A subscription, and beside it what it leads to: a walk over thousands must not wait for the
 * memory of one to learn where the next thing is. */
struct feed_place {
    struct subscription *subscription;
    struct slot *slot;
    struct transport *transport;
};

/* Where a layer's time stands, by the publisher's last sender report. */
struct feed_report {
    uint64_t ntp;    /* our clock; 0: none yet */
    uint64_t source; /* whose it is: in a voice lane it may be the last speaker's */
    uint32_t timestamp;
};

struct feed {
    struct media_source source; /* voice lanes: the present speaker, transport 0 when none */
    bool voice, gone;
    uint8_t epochs[MEDIA_RIDS_MAX];
    uint8_t layer_count;
    uint8_t spatial; /* enum feed_spatial: what layers[] are */
    struct media_layer_info layers[MEDIA_RIDS_MAX];
    struct history histories[MEDIA_RIDS_MAX];
    struct feed_report reports[MEDIA_RIDS_MAX];
    uint32_t wanted[MEDIA_RIDS_MAX]; /* subscriptions that carry or want a layer */
    uint32_t wanted_any;             /* that take whichever comes first */
    uint8_t mask;                    /* of layers, as last told to the publisher's worker */
    uint32_t count, capacity;
    struct feed_place *places;
    uint8_t arrived_count;
    struct packet *arrived[FEED_ARRIVED_MAX]; /* of this turn, references */
    struct feed *arrived_next;                /* in the worker's list while there are some */
};

uint64_t feed_key(uint64_t transport, uint8_t track);

/* Joins the feed of this source, made when it is not there. Errors: STATUS_NO_MEMORY. */
MUST_USE enum status feed_subscribe(struct worker *worker, const struct media_source *source,
                                    struct subscription *subscription);
/* Joins one made already (a voice lane). Errors: STATUS_NO_MEMORY. */
MUST_USE enum status feed_join(struct worker *worker, struct feed *feed,
                               struct subscription *subscription);
/* Leaves; the last one ends the feed of a source. No-op without a feed. */
void feed_leave(struct worker *worker, struct subscription *subscription);
/* Sets what the subscription carries and wants, and tells the publisher's worker when the layers
 * wanted here changed. */
void feed_want(struct worker *worker, struct subscription *subscription, int8_t layer,
               int8_t target);
/* Somebody here needs a key frame of this layer. */
void feed_keyframe(struct worker *worker, const struct feed *feed, uint8_t layer);

/* Packets of the feed, in order: into its history and to all its slots, each slot's together, so
 * that its state is fetched once and they share a message. Keeps the caller's references. */
void feed_deliver(struct worker *worker, struct feed *feed, struct packet *const *packets,
                  size_t count);
/* By ring or from this worker's own track: delivered at the end of the turn. */
void feed_media(struct worker *worker, struct packet *packet);
/* The end of a turn: what arrived in it is delivered. */
void feed_turn(struct worker *worker);
void feed_report(struct worker *worker, const struct message *message);

/* A voice lane's beginning and end. */
void feed_voice_init(struct feed *feed);
void feed_fini(struct worker *worker, struct feed *feed);

/* Once a second: key frames still missing are asked for again, histories give back what is old. */
void feed_tick(struct worker *worker, struct feed *feed);

/* Letters from the publisher's worker: transport, track. */
void feed_on_layers(struct worker *worker, const struct letter *letter);
void feed_on_gone(struct worker *worker, const struct letter *letter);

#endif
