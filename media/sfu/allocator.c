#include "media/sfu/allocator.h"

#include "media/sfu/allocation.h"
#include "media/sfu/layers.h"
#include "media/sfu/observe.h"
#include "media/sfu/slot.h"
#include "media/sfu/slot_choose.h"

enum { AUDIO_OVERHEAD = 40 /* bytes of RTP header, extensions and tag, about */ };

/* What the slots of one decision want; the first is all speech together. */
struct deciding {
    struct allocation_want wants[MEDIA_SLOTS_MAX + 1];
    struct allocation allocations[MEDIA_SLOTS_MAX + 1];
    uint8_t slots[MEDIA_SLOTS_MAX + 1];
    size_t count;
    struct media_layer_info voices;
};

static void audio_measure(struct transport *transport, uint64_t now_ms)
{
    struct allocator *allocator = &transport->allocator;
    uint64_t elapsed_ms = now_ms - allocator->audio_ms;
    if (elapsed_ms < ALLOCATOR_AUDIO_MS)
        return;
    uint64_t bytes = 0;
    for (uint8_t i = 0; i < transport->slot_count; i++) {
        const struct slot *slot = &transport->slots[i];
        if (slot->kind == MEDIA_AUDIO)
            bytes += slot->bytes + (uint64_t)slot->packets * AUDIO_OVERHEAD;
    }
    allocator->audio_rate = (uint32_t)((bytes - allocator->audio_bytes) * 8000 / elapsed_ms);
    allocator->audio_bytes = bytes;
    allocator->audio_ms = now_ms;
}

static const struct feed *feed_wanted(const struct slot *slot)
{
    return slot->next.feed != NULL ? slot->next.feed : slot->active.feed;
}

/* A layer that was asked for and does not come is not reckoned with for a while. */
static uint8_t absent_from(struct slot *slot, const struct feed *feed, uint64_t now_ms)
{
    int ceiling = slot->allocation.layer;
    int highest = LAYERS_NONE;
    for (int layer = 0; layer < feed->layer_count; layer++) {
        if (feed->layers[layer].active)
            highest = layer;
    }
    if (now_ms < slot->absent_until_ms)
        return (uint8_t)(highest + 1);
    if (ceiling <= highest || highest == LAYERS_NONE || slot->allocation.fresh) {
        slot->asked_ms = 0;
    } else if (slot->asked_ms == 0) {
        slot->asked_ms = now_ms;
    } else if (now_ms - slot->asked_ms >= ALLOCATOR_ABSENT_MS) {
        slot->asked_ms = 0;
        slot->absent_until_ms = now_ms + ALLOCATOR_ABSENT_RETRY_MS;
        return (uint8_t)(highest + 1);
    }
    return MEDIA_RIDS_MAX;
}

static bool pictures_untried(const struct transport *transport)
{
    for (uint8_t i = 0; i < transport->slot_count; i++) {
        const struct slot *slot = &transport->slots[i];
        if (slot->kind == MEDIA_VIDEO && slot->payload != NULL)
            return false;
    }
    return true;
}

static void want_gather(struct deciding *deciding, struct slot *slot, bool untried, uint64_t now_ms)
{
    static const uint8_t kinds[] = {[MEDIA_FOR_TILE] = ALLOCATION_TILE,
                                    [MEDIA_FOR_SPEAKER] = ALLOCATION_SPEAKER,
                                    [MEDIA_FOR_SCREEN] = ALLOCATION_SCREEN};
    const struct feed *feed = feed_wanted(slot);
    if (slot->kind != MEDIA_VIDEO || feed == NULL)
        return;
    size_t at = deciding->count++;
    deciding->slots[at] = slot->number;
    deciding->allocations[at] = slot->allocation;
    deciding->wants[at] = (struct allocation_want){
        .kind = kinds[slot->want.purpose],
        .priority = slot->want.priority,
        .height = slot->want.height,
        .layers = feed->layers,
        .layer_count = feed->layer_count,
        .absent_from = absent_from(slot, feed, now_ms),
        .untried = untried,
    };
}

static void decision_apply(struct worker *worker, struct transport *transport,
                           struct deciding *deciding)
{
    for (size_t i = 1; i < deciding->count; i++) {
        struct slot *slot = &transport->slots[deciding->slots[i]];
        struct allocation *decided = &deciding->allocations[i];
        transport->allocator.limited |= decided->limited;
        /* Nothing was known of its layers: what comes first is not to be climbed to. */
        if (deciding->wants[i].layer_count == 0 && decided->layer != ALLOCATION_PAUSED)
            allocation_init(decided);
        const struct allocation before = slot->allocation;
        slot->allocation = *decided;
        if (before.layer != decided->layer || before.temporal != decided->temporal ||
            before.limited != decided->limited)
            slot_allocated(worker, slot, before.layer == ALLOCATION_PAUSED);
    }
}

static void decide(struct worker *worker, struct transport *transport, uint64_t now_ms)
{
    struct allocator *allocator = &transport->allocator;
    struct deciding deciding;
    audio_measure(transport, now_ms);
    deciding.voices = (struct media_layer_info){
        .bitrate = allocator->audio_rate + 1, .levels = 1, .active = true};
    deciding.wants[0] = (struct allocation_want){.kind = ALLOCATION_VOICE,
                                                 .layers = &deciding.voices,
                                                 .layer_count = 1,
                                                 .absent_from = MEDIA_RIDS_MAX};
    allocation_init(&deciding.allocations[0]);
    deciding.count = 1;
    bool untried = pictures_untried(transport);
    for (uint8_t i = 0; i < transport->slot_count; i++)
        want_gather(&deciding, &transport->slots[i], untried, now_ms);
    uint32_t budget = allocator->budget;
    if (budget > allocator->audio_rate)
        budget =
            allocator->audio_rate + loss_fec_rest(&transport->loss, budget - allocator->audio_rate);
    const struct allocation_result result =
        allocation_decide(allocator->known ? budget : UINT32_MAX, deciding.wants,
                          deciding.allocations, deciding.count, now_ms);
    allocator->used = result.used;
    allocator->desired = result.desired;
    allocator->limited = false;
    allocator->dirty = false;
    decision_apply(worker, transport, &deciding);
}

void allocator_budget(struct worker *worker, struct transport *transport, uint32_t estimate_bps,
                      uint64_t now_ms)
{
    struct allocator *allocator = &transport->allocator;
    allocator->known = estimate_bps != UINT32_MAX;
    allocator->budget = estimate_bps;
    loss_room(&transport->loss, estimate_bps);
    if (allocator->known)
        observe_estimate(transport, estimate_bps);
    if (!allocator->dirty && !allocator->limited && estimate_bps >= allocator->desired)
        return;
    decide(worker, transport, now_ms);
}

uint32_t allocator_desired(const struct transport *transport)
{
    return transport->allocator.desired;
}

void allocator_review(struct worker *worker, struct transport *transport)
{
    decide(worker, transport, worker_now_ms(worker));
}

void allocator_rates_changed(struct transport *transport)
{
    if (transport->allocator.known)
        transport->allocator.dirty = true;
}
