#include "media/sfu/slot_choose.h"

#include "media/sfu/layers.h"
#include "media/sfu/needs.h"
#include "media/sfu/track_layers.h"

/* ---- the target ---- */

bool slot_awaits_key(const struct slot *slot)
{
    const struct feed *feed = slot->active.feed;
    if (feed == NULL || feed->spatial == FEED_SIMULCAST || slot->active.layer < 0)
        return false;
    /* Where every picture carries the layers below, going down needs no key picture. */
    return feed->spatial == FEED_SPATIAL ? slot->spatial < slot->spatial_target
                                         : slot->spatial != slot->spatial_target;
}

void slot_aim(struct worker *worker, struct slot *slot, struct subscription *subscription)
{
    struct feed *feed = subscription->feed;
    if (feed == NULL || feed->voice)
        return;
    if (slot->allocation.layer == ALLOCATION_PAUSED) {
        feed_want(worker, subscription, FEED_LAYER_NONE, FEED_LAYER_PAUSED);
        return;
    }
    int chosen = LAYERS_NONE;
    if (feed->layer_count > 0)
        chosen = layers_choose(feed->layers, feed->layer_count, slot->want.height,
                               (uint8_t)(slot->allocation.layer + 1));
    if (chosen == LAYERS_NONE) {
        if (subscription->target == FEED_LAYER_PAUSED)
            feed_want(worker, subscription, FEED_LAYER_NONE, FEED_LAYER_NONE);
        return;
    }
    if (feed->spatial != FEED_SIMULCAST) {
        slot->spatial_target = (uint8_t)chosen;
        chosen = 0;
    }
    feed_want(worker, subscription, subscription->layer, (int8_t)chosen);
    if (slot->kind == MEDIA_VIDEO && (subscription->layer != subscription->target ||
                                      (subscription == &slot->active && slot_awaits_key(slot))))
        feed_keyframe(worker, feed, (uint8_t)chosen);
}

void slot_retarget(struct worker *worker, struct slot *slot, enum media_switch_reason reason)
{
    struct subscription *subscription = slot->next.feed != NULL ? &slot->next : &slot->active;
    int8_t target = subscription->target;
    slot_aim(worker, slot, subscription);
    /* Where nothing is carried yet, what made it begin counts. */
    if (subscription->target != target && subscription->layer != FEED_LAYER_NONE)
        slot->aimed = (uint8_t)reason;
}

void slot_allocated(struct worker *worker, struct slot *slot, bool paused)
{
    if (slot->allocation.layer == ALLOCATION_PAUSED) {
        if (slot->active.layer != FEED_LAYER_NONE) {
            slot_switched(worker, slot, MEDIA_SWITCH_LINK, FEED_LAYER_NONE);
            slot->aimed = MEDIA_SWITCH_LINK;
        }
        slot_aim(worker, slot, &slot->active);
        slot_aim(worker, slot, &slot->next);
        if (!paused || slot->state != MEDIA_SLOT_PAUSED)
            slot_tell(worker, slot, MEDIA_SLOT_PAUSED);
        return;
    }
    slot_retarget(worker, slot, MEDIA_SWITCH_LINK);
    slot_tell(worker, slot,
              slot->state == MEDIA_SLOT_PAUSED ? MEDIA_SLOT_WAITING
                                               : (enum media_slot_state)slot->state);
}

/* ---- the level ---- */

/* Highest temporal level while this layer is carried. */
static uint8_t temporal_limit(const struct slot *slot, uint8_t layer)
{
    if (layer == slot->allocation.layer)
        return slot->allocation.temporal;
    /* On its way down it is thinned at once; a layer below what is borne is carried whole. */
    return layer > slot->allocation.layer ? 0 : ALLOCATION_TEMPORAL_ALL;
}

static uint8_t layer_carried(const struct slot *slot, const struct packet *packet)
{
    return packet->spatial_count > 1 ? slot->spatial : packet->layer;
}

static uint8_t spatial_reached(const struct slot *slot, const struct packet *packet)
{
    uint8_t top = (uint8_t)(packet->spatial_count - 1);
    return slot->spatial_target < top ? slot->spatial_target : top;
}

void slot_level_begin(struct slot *slot, const struct packet *packet)
{
    slot->spatial = packet->spatial_count > 1 ? spatial_reached(slot, packet) : 0;
    slot->temporal = temporal_limit(slot, layer_carried(slot, packet));
}

/* At the beginning of a picture. */
static void spatial_follow(struct slot *slot, const struct packet *packet)
{
    uint8_t reached = spatial_reached(slot, packet);
    if (reached == slot->spatial)
        return;
    bool carried = needs_has(packet->needs, slot->spatial, slot->temporal);
    if (!packet->key && (reached > slot->spatial || !carried))
        return;
    slot->spatial = reached;
    if (packet->key)
        slot->temporal = temporal_limit(slot, reached);
    rewriter_split(slot->rewriter, packet, reached);
}

bool slot_level_fits(struct slot *slot, const struct packet *packet)
{
    bool newest = packet->index > rewriter_segment_now(slot->rewriter)->source_newest;
    if (packet->start && newest) {
        if (packet->spatial_id == 0 && packet->spatial_count > 1)
            spatial_follow(slot, packet);
        uint8_t limit = temporal_limit(slot, layer_carried(slot, packet));
        if (limit < slot->temporal)
            slot->temporal = limit;
        if (packet->switching_up && packet->temporal_id > slot->temporal &&
            packet->temporal_id <= limit)
            slot->temporal = packet->temporal_id;
    }
    return needs_has(packet->needs, slot->spatial, slot->temporal);
}
