#include "media/sfu/feed.h"

#include "media/sfu/allocator.h"
#include "media/sfu/room.h"
#include "media/sfu/slot.h"
#include "media/sfu/slot_choose.h"
#include "media/sfu/track.h"

#include <stdlib.h>
#include <string.h>

enum {
    FEED_ALL_LAYERS = (1 << MEDIA_RIDS_MAX) - 1,
    FEED_TRACK_BITS = 3, /* MEDIA_TRACKS_MAX */
    FEED_CAPACITY_MIN = 4,
    FEED_PREFETCH = 2, /* subscribers ahead, a step */
    FEED_LINE = 64,    /* bytes of a cache line */
};

uint64_t feed_key(uint64_t transport, uint8_t track)
{
    return transport << FEED_TRACK_BITS | track;
}

static void feed_tell(struct worker *worker, const struct feed *feed, letter_fn *fn, uint8_t layer)
{
    struct letter letter = {.transport = feed->source.transport,
                            .track = feed->source.track,
                            .layer = layer,
                            .from = worker->number};
    worker_tell(worker, feed->source.worker, fn, &letter);
}

/* Tells the publisher's worker which layers are wanted here, when that changed. */
static void feed_mask_update(struct worker *worker, struct feed *feed)
{
    if (feed->voice || feed->gone)
        return;
    uint8_t mask = feed->wanted_any > 0 ? FEED_ALL_LAYERS : 0;
    for (uint8_t layer = 0; layer < MEDIA_RIDS_MAX; layer++) {
        if (feed->wanted[layer] > 0)
            mask |= (uint8_t)(1 << layer);
    }
    if (mask == feed->mask)
        return;
    feed->mask = mask;
    feed_tell(worker, feed, track_on_subscribe, mask);
}

static void wanted_count(struct feed *feed, const struct subscription *subscription, int amount)
{
    uint32_t step = (uint32_t)amount;
    if (subscription->layer != FEED_LAYER_NONE)
        feed->wanted[subscription->layer] += step;
    if (subscription->target == FEED_LAYER_NONE)
        feed->wanted_any += step;
    else if (subscription->target >= 0 && subscription->target != subscription->layer)
        feed->wanted[subscription->target] += step;
}

void feed_want(struct worker *worker, struct subscription *subscription, int8_t layer,
               int8_t target)
{
    struct feed *feed = subscription->feed;
    if (layer == subscription->layer && target == subscription->target)
        return;
    wanted_count(feed, subscription, -1);
    subscription->layer = layer;
    subscription->target = target;
    wanted_count(feed, subscription, 1);
    feed_mask_update(worker, feed);
}

void feed_keyframe(struct worker *worker, const struct feed *feed, uint8_t layer)
{
    if (!feed->voice && !feed->gone)
        feed_tell(worker, feed, track_on_keyframe, layer);
}

/* Packets are kept as long as the farthest of those connected may ask for them. Their handshakes
 * have told how far they are; one of whom nothing is known may be far. */
static uint32_t feed_keep_ms(const struct feed *feed)
{
    uint32_t rtt_ms = 1;
    for (uint32_t i = 0; i < feed->count && rtt_ms != 0; i++) {
        const struct transport *transport = feed->places[i].transport;
        if (transport->connected && (transport->rtt_ms == 0 || transport->rtt_ms > rtt_ms))
            rtt_ms = transport->rtt_ms;
    }
    return history_keep_ms(rtt_ms);
}

/* One more is connected, and may be farther than the others. */
static void feed_reach(struct feed *feed, const struct transport *transport)
{
    uint32_t keep_ms = transport->connected ? history_keep_ms(transport->rtt_ms) : 0;
    for (size_t layer = 0; layer < MEDIA_RIDS_MAX; layer++) {
        if (keep_ms > feed->histories[layer].keep_ms)
            feed->histories[layer].keep_ms = keep_ms;
    }
}

/* ---- who takes it ---- */

enum status feed_join(struct worker *worker, struct feed *feed, struct subscription *subscription)
{
    if (feed->count == feed->capacity) {
        uint32_t capacity = feed->capacity == 0 ? FEED_CAPACITY_MIN : feed->capacity * 2;
        struct feed_place *places = realloc(feed->places, capacity * sizeof *places);
        if (places == NULL)
            return STATUS_NO_MEMORY;
        feed->places = places;
        feed->capacity = capacity;
    }
    subscription->feed = feed;
    subscription->place = feed->count;
    subscription->layer = FEED_LAYER_NONE;
    subscription->target = FEED_LAYER_NONE;
    feed->places[feed->count++] =
        (struct feed_place){subscription, subscription->slot, subscription->slot->transport};
    wanted_count(feed, subscription, 1);
    feed_mask_update(worker, feed);
    feed_reach(feed, subscription->slot->transport);
    return STATUS_OK;
}

static void arrived_clear(struct worker *worker, struct feed *feed)
{
    for (uint8_t i = 0; i < feed->arrived_count; i++)
        packet_unref(feed->arrived[i], worker_packets(worker));
    feed->arrived_count = 0;
}

static void feed_free(struct worker *worker, struct feed *feed)
{
    if (feed == NULL)
        return;
    for (struct feed **at = &worker->arrived; *at != NULL; at = &(*at)->arrived_next) {
        if (*at == feed) {
            *at = feed->arrived_next;
            break;
        }
    }
    feed_fini(worker, feed);
    free(feed);
}

static enum status feed_new(struct worker *worker, const struct media_source *source,
                            struct feed **ret_feed)
{
    struct feed *feed = calloc(1, sizeof *feed);
    if (feed == NULL)
        return STATUS_NO_MEMORY;
    feed->source = *source;
    enum status status = map_put(worker->feeds, feed_key(source->transport, source->track), feed);
    if (status != STATUS_OK) {
        free(feed);
        return status;
    }
    *ret_feed = feed;
    return STATUS_OK;
}

enum status feed_subscribe(struct worker *worker, const struct media_source *source,
                           struct subscription *subscription)
{
    if (source->worker >= worker->media->worker_count || source->track >= MEDIA_TRACKS_MAX)
        return STATUS_INVALID;
    struct feed *feed = map_get(worker->feeds, feed_key(source->transport, source->track));
    if (feed == NULL) {
        enum status status = feed_new(worker, source, &feed);
        if (status != STATUS_OK)
            return status;
    }
    enum status status = feed_join(worker, feed, subscription);
    if (status != STATUS_OK && feed->count == 0) {
        map_remove(worker->feeds, feed_key(source->transport, source->track));
        feed_free(worker, feed);
    }
    return status;
}

void feed_leave(struct worker *worker, struct subscription *subscription)
{
    struct feed *feed = subscription->feed;
    if (feed == NULL)
        return;
    const struct feed_place last = feed->places[--feed->count];
    feed->places[subscription->place] = last;
    last.subscription->place = subscription->place;
    wanted_count(feed, subscription, -1);
    subscription->feed = NULL;
    feed_mask_update(worker, feed);
    if (feed->count == 0 && !feed->voice) {
        map_remove(worker->feeds, feed_key(feed->source.transport, feed->source.track));
        feed_free(worker, feed);
    }
}

void feed_voice_init(struct feed *feed)
{
    *feed = (struct feed){.voice = true};
}

void feed_fini(struct worker *worker, struct feed *feed)
{
    arrived_clear(worker, feed);
    for (size_t layer = 0; layer < MEDIA_RIDS_MAX; layer++)
        history_fini(&feed->histories[layer], worker_packets(worker));
    free(feed->places);
    *feed = (struct feed){0};
}

/* ---- packets ---- */

static struct history *feed_history(struct worker *worker, struct feed *feed,
                                    const struct packet *packet)
{
    struct history *history = &feed->histories[packet->layer];
    bool anew = packet->epoch != feed->epochs[packet->layer] ||
                (feed->voice && packet->source != feed->source.transport);
    if (anew) {
        /* Numbers of another stream: what is held can no longer be told apart. */
        if (history->entries != NULL)
            history_clear(history, worker_packets(worker));
        feed->epochs[packet->layer] = packet->epoch;
    }
    if (history->entries == NULL) {
        bool audio =
            packet->format.codec == MEDIA_CODEC_OPUS || packet->format.codec == MEDIA_CODEC_RED;
        if (history_init(history, audio ? HISTORY_AUDIO_PACKETS : HISTORY_VIDEO_PACKETS) !=
            STATUS_OK)
            return NULL;
        history->keep_ms = feed_keep_ms(feed);
    }
    return history;
}

static void prefetch_bytes(const void *begin, size_t length)
{
    for (size_t line = 0; line < length; line += FEED_LINE)
        __builtin_prefetch((const uint8_t *)begin + line);
}

/* Each subscriber's state was last looked at a packet ago and is cold by now: what a slot needs is
 * fetched in steps, one pointer further each time, while others are written. */
static void feed_prefetch(const struct feed *feed, uint32_t at)
{
    const struct feed_place *ahead = feed->places + at;
    uint32_t left = feed->count - at;
    if (left > 3 * FEED_PREFETCH) {
        prefetch_bytes(ahead[3 * FEED_PREFETCH].slot, sizeof(struct slot));
        transport_prefetch(ahead[3 * FEED_PREFETCH].transport);
    }
    if (left > 2 * FEED_PREFETCH) {
        prefetch_bytes(ahead[2 * FEED_PREFETCH].slot->rewriter, REWRITER_HOT);
        __builtin_prefetch(ahead[2 * FEED_PREFETCH].transport->protector);
    }
    if (left > FEED_PREFETCH)
        protector_prefetch(ahead[FEED_PREFETCH].transport->protector);
}

/* To one slot; false: it left, and the last one has taken its place. */
static bool feed_offer(struct worker *worker, const struct feed *feed, uint32_t at,
                       struct packet *const *packets, size_t count)
{
    const struct slot *slot = feed->places[at].slot;
    for (size_t i = 0; i < count; i++) {
        slot_offer(worker, feed->places[at].subscription, packets[i]);
        if (at >= feed->count || feed->places[at].slot != slot)
            return false;
    }
    return true;
}

void feed_deliver(struct worker *worker, struct feed *feed, struct packet *const *packets,
                  size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct history *history = feed_history(worker, feed, packets[i]);
        if (history != NULL)
            history_put(history, packets[i], worker_packets(worker));
    }
    if (feed->voice) {
        feed->source.transport = packets[0]->source;
        feed->source.track = packets[0]->track;
    }
    for (uint32_t i = 0; i < feed->count;) {
        feed_prefetch(feed, i);
        if (feed_offer(worker, feed, i, packets, count))
            i++;
    }
}

static void arrived_deliver(struct worker *worker, struct feed *feed)
{
    feed_deliver(worker, feed, feed->arrived, feed->arrived_count);
    arrived_clear(worker, feed);
}

void feed_turn(struct worker *worker)
{
    while (worker->arrived != NULL) {
        struct feed *feed = worker->arrived;
        worker->arrived = feed->arrived_next;
        arrived_deliver(worker, feed);
    }
}

void feed_media(struct worker *worker, struct packet *packet)
{
    struct feed *feed = map_get(worker->feeds, feed_key(packet->source, packet->track));
    if (feed == NULL)
        return;
    if (feed->arrived_count == FEED_ARRIVED_MAX)
        arrived_deliver(worker, feed);
    else if (feed->arrived_count == 0) {
        feed->arrived_next = worker->arrived;
        worker->arrived = feed;
    }
    feed->arrived[feed->arrived_count++] = packet_ref(packet);
}

void feed_report(struct worker *worker, const struct message *message)
{
    const struct feed_report report = {
        .ntp = message->ntp, .source = message->id, .timestamp = message->timestamp};
    struct feed *feed = map_get(worker->feeds, feed_key(message->id, message->track));
    if (feed != NULL)
        feed->reports[message->layer] = report;
    struct room *room = message->lane < 0 ? NULL : map_get(worker->rooms, message->room);
    if (room != NULL)
        room->lanes[message->lane].reports[0] = report;
}

static void feed_forget(struct worker *worker, struct feed *feed)
{
    uint32_t keep_ms = feed_keep_ms(feed);
    for (size_t layer = 0; layer < MEDIA_RIDS_MAX; layer++) {
        feed->histories[layer].keep_ms = keep_ms;
        history_expire(&feed->histories[layer], worker_now_ns(worker), worker_packets(worker));
    }
}

void feed_tick(struct worker *worker, struct feed *feed)
{
    feed_forget(worker, feed);
    for (uint32_t i = 0; i < feed->count; i++) {
        const struct subscription *subscription = feed->places[i].subscription;
        bool awaits =
            subscription->target != subscription->layer ||
            (subscription == &subscription->slot->active && slot_awaits_key(subscription->slot));
        if (subscription->target >= 0 && awaits && subscription->slot->kind == MEDIA_VIDEO)
            feed_keyframe(worker, feed, (uint8_t)subscription->target);
    }
}

/* ---- letters ---- */

void feed_on_layers(struct worker *worker, const struct letter *letter)
{
    struct feed *feed = map_get(worker->feeds, feed_key(letter->transport, letter->track));
    if (feed == NULL || letter->layers.count > MEDIA_RIDS_MAX)
        return;
    feed->layer_count = letter->layers.count;
    feed->spatial = letter->layers.spatial;
    memcpy(feed->layers, letter->layers.infos, sizeof feed->layers);
    for (uint32_t i = 0; i < feed->count; i++) {
        struct slot *slot = feed->places[i].slot;
        if (letter->on) {
            allocator_review(worker, slot->transport);
            slot_retarget(worker, slot, MEDIA_SWITCH_LAYERS);
        } else {
            allocator_rates_changed(slot->transport);
        }
    }
}

void feed_on_gone(struct worker *worker, const struct letter *letter)
{
    struct feed *feed = map_get(worker->feeds, feed_key(letter->transport, letter->track));
    if (feed == NULL)
        return;
    feed->gone = true;
    /* The last one to leave ends the feed. */
    for (uint32_t left = feed->count; left > 0; left--)
        slot_source_gone(worker, feed->places[left - 1].subscription);
}
