#include "media/sfu/slot_choose.h"

#include "media/sfu/layers.h"

void slot_aim(struct worker *worker, struct slot *slot, struct subscription *subscription)
{
    struct feed *feed = subscription->feed;
    if (feed == NULL || feed->voice || feed->layer_count == 0)
        return;
    int chosen = layers_choose(feed->layers, feed->layer_count, slot->want.height,
                               narrow_layers(&slot->transport->narrow));
    if (chosen == LAYERS_NONE)
        return;
    feed_want(worker, subscription, subscription->layer, (int8_t)chosen);
    if (subscription->layer != subscription->target && slot->kind == MEDIA_VIDEO)
        feed_keyframe(worker, feed, (uint8_t)chosen);
}

void slot_retarget(struct worker *worker, struct slot *slot, enum media_switch_reason reason)
{
    struct subscription *subscription = slot->next.feed != NULL ? &slot->next : &slot->active;
    int8_t target = subscription->target;
    slot_aim(worker, slot, subscription);
    if (subscription->target != target)
        slot->aimed = (uint8_t)reason;
}

/* Levels go at the next frame, and come back only where the stream allows it. */
bool slot_temporal_fits(struct slot *slot, const struct packet *packet)
{
    uint8_t limit = narrow_temporal(&slot->transport->narrow);
    if (packet->start && limit < slot->temporal)
        slot->temporal = limit;
    if (packet->start && packet->switching_up && packet->temporal_id > slot->temporal &&
        packet->temporal_id <= limit)
        slot->temporal = packet->temporal_id;
    return packet->temporal_id <= slot->temporal;
}
