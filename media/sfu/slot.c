#include "media/sfu/slot.h"

#include "core/crypto.h"
#include "media/rtp/rtcp.h"
#include "media/sfu/allocator.h"
#include "media/sfu/payload.h"
#include "media/sfu/room.h"
#include "media/sfu/slot_choose.h"
#include "media/sfu/slot_fec.h"
#include "media/sfu/slot_write.h"
#include "media/sfu/track.h"
#include "media/sfu/track_layers.h"

/* What feedback tells of has had its round trip. */
enum { MISSED_RTT_MS = 1 };

static uint32_t clock_rate(const struct slot *slot)
{
    return slot->kind == MEDIA_AUDIO ? TRACK_CLOCK_AUDIO : TRACK_CLOCK_VIDEO;
}

/* The layer as subscribers know it: simulcast or spatial. */
static uint8_t layer_shown(const struct slot *slot, const struct subscription *subscription)
{
    if (subscription->feed->spatial != FEED_SIMULCAST)
        return slot->spatial;
    return subscription->layer > 0 ? (uint8_t)subscription->layer : 0;
}

void slot_tell(struct worker *worker, struct slot *slot, enum media_slot_state state)
{
    slot->state = (uint8_t)state;
    if (worker->media->events.slot == NULL)
        return;
    const struct subscription *subscription =
        slot->next.feed != NULL && state != MEDIA_SLOT_LIVE ? &slot->next : &slot->active;
    struct media_slot_report report = {.state = state,
                                       .ceiling = (uint8_t)slot->allocation.layer,
                                       .limited = slot->allocation.limited};
    if (slot->allocation.layer == ALLOCATION_PAUSED)
        report.ceiling = 0;
    if (subscription->feed != NULL && state != MEDIA_SLOT_EMPTY) {
        report.source = subscription->feed->source;
        report.layer = layer_shown(slot, subscription);
    }
    worker->media->events.slot(worker->media->events_context, slot->transport->id, slot->number,
                               &report);
}

/* ---- what to carry ---- */

static bool same_source(const struct subscription *subscription, const struct media_source *source)
{
    const struct feed *feed = subscription->feed;
    return feed != NULL && !feed->voice && feed->source.transport == source->transport &&
           feed->source.track == source->track;
}

static void subscription_clear(struct worker *worker, struct subscription *subscription)
{
    feed_leave(worker, subscription);
    subscription->layer = FEED_LAYER_NONE;
    subscription->target = FEED_LAYER_NONE;
    subscription->unsupported = false;
}

static void slot_want_voice(struct worker *worker, struct slot *slot)
{
    struct room *room = slot->transport->room;
    subscription_clear(worker, &slot->next);
    if (room == NULL || slot->want.voice >= worker->media->voices) {
        subscription_clear(worker, &slot->active);
        slot_tell(worker, slot, MEDIA_SLOT_EMPTY);
        return;
    }
    struct feed *lane = &room->lanes[slot->want.voice];
    if (slot->active.feed == lane)
        return;
    subscription_clear(worker, &slot->active);
    if (feed_join(worker, lane, &slot->active) == STATUS_OK)
        slot_tell(worker, slot, MEDIA_SLOT_WAITING);
}

static void slot_want_source(struct worker *worker, struct slot *slot)
{
    const struct media_source *source = &slot->want.source;
    if (same_source(&slot->active, source) || same_source(&slot->next, source)) {
        if (same_source(&slot->active, source))
            subscription_clear(worker, &slot->next);
        allocator_review(worker, slot->transport);
        slot_retarget(worker, slot, MEDIA_SWITCH_SIZE);
        return;
    }
    struct subscription *joining = &slot->active;
    if (slot->active.feed != NULL && slot->active.layer != FEED_LAYER_NONE) {
        subscription_clear(worker, &slot->next);
        joining = &slot->next;
    } else {
        subscription_clear(worker, &slot->active);
    }
    if (feed_subscribe(worker, source, joining) != STATUS_OK) {
        slot_tell(worker, slot, MEDIA_SLOT_EMPTY);
        return;
    }
    allocation_init(&slot->allocation);
    slot->asked_ms = slot->absent_until_ms = 0;
    slot->aimed = MEDIA_SWITCH_SOURCE;
    slot_tell(worker, slot, MEDIA_SLOT_WAITING);
    allocator_review(worker, slot->transport);
    slot_aim(worker, slot, joining);
}

void slot_want(struct worker *worker, struct slot *slot, const struct media_want *want)
{
    /* Who is looked at more closely need not climb to it. */
    if (want->height != slot->want.height || want->purpose != slot->want.purpose)
        slot->allocation.fresh = true;
    slot->want = *want;
    if (want->mode == MEDIA_WANT_VOICE && slot->kind == MEDIA_AUDIO) {
        slot_want_voice(worker, slot);
    } else if (want->mode == MEDIA_WANT_SOURCE && want->source.transport != 0) {
        slot_want_source(worker, slot);
    } else {
        subscription_clear(worker, &slot->next);
        subscription_clear(worker, &slot->active);
        if (slot->state != MEDIA_SLOT_EMPTY)
            slot_tell(worker, slot, MEDIA_SLOT_EMPTY);
        allocator_review(worker, slot->transport);
    }
}

void slot_on_want(struct worker *worker, const struct letter *letter)
{
    struct transport *transport = map_get(worker->transports, letter->transport);
    if (transport != NULL && letter->slot < transport->slot_count)
        slot_want(worker, &transport->slots[letter->slot], &letter->want);
}

void slot_source_gone(struct worker *worker, struct subscription *subscription)
{
    struct slot *slot = subscription->slot;
    bool shown = subscription == &slot->active;
    subscription_clear(worker, subscription);
    if (slot->next.feed == NULL && shown)
        slot_tell(worker, slot, MEDIA_SLOT_EMPTY);
}

void slot_refresh(struct worker *worker, struct slot *slot)
{
    const struct subscription *active = &slot->active;
    if (active->feed != NULL && active->layer != FEED_LAYER_NONE)
        feed_keyframe(worker, active->feed, (uint8_t)active->layer);
}

void slot_end(struct worker *worker, struct slot *slot)
{
    subscription_clear(worker, &slot->next);
    subscription_clear(worker, &slot->active);
    slot_fec_end(worker, slot);
    if (slot->rewriter != NULL) {
        if (slot->rewriter->map != NULL)
            pool_put(worker->maps, slot->rewriter->map);
        pool_put(worker->rewriters, slot->rewriter);
        slot->rewriter = NULL;
    }
}

/* ---- the stream ---- */

static bool slot_rewriter(struct worker *worker, struct slot *slot)
{
    if (slot->rewriter != NULL)
        return true;
    struct rewriter_map *map = NULL;
    struct rewriter *rewriter = pool_get(worker->rewriters);
    if (rewriter == NULL)
        return false;
    bool answers = false;
    for (uint8_t i = 0; i < slot->payload_count; i++)
        answers = answers || slot->payloads[i].nack;
    if (answers)
        map = pool_get(worker->maps); /* without it NACKs go unanswered, nothing worse */
    rewriter_init(rewriter, crypto_random_u64(), map);
    slot->rtx_index = crypto_random_u32() & 0x7fff;
    slot->rewriter = rewriter;
    return true;
}

static void slot_begin(struct worker *worker, struct slot *slot, const struct packet *packet)
{
    slot_level_begin(slot, packet);
    rewriter_switch(slot->rewriter, packet, slot->spatial, clock_rate(slot),
                    slot->kind == MEDIA_AUDIO ? SLOT_FRAME_AUDIO : SLOT_FRAME_VIDEO);
    slot->voice = packet->source;
    worker->counters.switches++;
}

static void slot_forward(struct worker *worker, struct slot *slot, struct packet *packet)
{
    struct rewritten rewritten;
    struct leaving leaving = {.packet = packet, .rewritten = &rewritten};
    uint8_t spatial = slot->spatial;
    bool leave_out = packet->payload_length == 0 ||
                     (slot->kind == MEDIA_VIDEO && !slot_level_fits(slot, packet));
    if (slot->spatial != spatial)
        slot_tell(worker, slot, MEDIA_SLOT_LIVE);
    enum status status = leave_out ? rewriter_omit(slot->rewriter, packet, &rewritten)
                                   : rewriter_forward(slot->rewriter, packet, &rewritten);
    leaving.spatial = slot->spatial;
    leaving.empty = status == STATUS_EXISTS;
    if ((status != STATUS_OK || leave_out) && !leaving.empty)
        return;
    slot->forwarded_ms = worker_now_ms(worker);
    if (packet->key && packet->start)
        slot->key_index = rewritten.index;
    slot_send(worker, slot, &leaving);
}

/* What was awaited takes the place of what was shown until now. */
static struct subscription *slot_promote(struct worker *worker, struct slot *slot)
{
    subscription_clear(worker, &slot->active);
    slot->active = slot->next;
    slot->active.feed->places[slot->active.place].subscription = &slot->active;
    slot->next.feed = NULL;
    subscription_clear(worker, &slot->next);
    return &slot->active;
}

static enum media_switch_reason switch_reason(const struct slot *slot,
                                              const struct subscription *subscription,
                                              const struct packet *packet)
{
    if (subscription == &slot->next)
        return MEDIA_SWITCH_SOURCE;
    return subscription->layer == packet->layer ? MEDIA_SWITCH_RESTART
                                                : (enum media_switch_reason)slot->aimed;
}

void slot_switched(struct worker *worker, struct slot *slot, enum media_switch_reason reason,
                   int8_t to)
{
    const struct media *media = worker->media;
    const struct media_switch change = {.ms = worker_now_ms(worker),
                                        .reason = (uint8_t)reason,
                                        .from = slot->active.layer,
                                        .to = to};
    slot_stats_switch(&slot->stats, &change);
    if (media->events.switched != NULL)
        media->events.switched(media->events_context, slot->transport->id, slot->number, &change);
}

/* A first packet of what this subscription waits for: from now on it is what the slot carries. */
static bool slot_switch(struct worker *worker, struct subscription *subscription,
                        const struct packet *packet)
{
    struct slot *slot = subscription->slot;
    if (!slot_format(slot, &packet->format)) {
        if (!subscription->unsupported)
            slot_tell(worker, slot, MEDIA_SLOT_UNSUPPORTED);
        subscription->unsupported = true;
        return false;
    }
    if (!slot_rewriter(worker, slot))
        return false;
    slot_switched(worker, slot, switch_reason(slot, subscription, packet), (int8_t)packet->layer);
    if (subscription == &slot->next)
        subscription = slot_promote(worker, slot);
    slot_begin(worker, slot, packet);
    subscription->epoch = packet->epoch;
    subscription->unsupported = false;
    int8_t layer = (int8_t)packet->layer;
    int8_t target = subscription->target == FEED_LAYER_NONE ? layer : subscription->target;
    feed_want(worker, subscription, layer, target);
    slot_tell(worker, slot, MEDIA_SLOT_LIVE);
    return true;
}

/* True when the packet belongs to what is carried from now on. */
static bool slot_takes(struct worker *worker, struct subscription *subscription,
                       const struct packet *packet)
{
    struct slot *slot = subscription->slot;
    bool carried = subscription->layer == packet->layer && subscription->epoch == packet->epoch;
    if (carried && (!subscription->feed->voice || slot->voice == packet->source))
        return slot_format(slot, &packet->format);
    if (subscription->feed->voice) {
        if (packet->source == slot->transport->id || !slot_format(slot, &packet->format) ||
            !slot_rewriter(worker, slot))
            return false;
        slot_switched(worker, slot, MEDIA_SWITCH_VOICE, 0);
        if (subscription->layer == FEED_LAYER_NONE) {
            feed_want(worker, subscription, 0, 0);
            slot_tell(worker, slot, MEDIA_SLOT_LIVE);
        }
        subscription->epoch = packet->epoch;
        slot_begin(worker, slot, packet);
        return true;
    }
    bool awaited = subscription->target == FEED_LAYER_NONE ||
                   subscription->target == packet->layer ||
                   (subscription->layer == packet->layer && subscription->epoch != packet->epoch);
    return awaited && packet->key && packet->start && slot_switch(worker, subscription, packet);
}

void slot_offer(struct worker *worker, struct subscription *subscription, struct packet *packet)
{
    struct slot *slot = subscription->slot;
    if (!slot->transport->sending || !slot_takes(worker, subscription, packet))
        return;
    slot_forward(worker, slot, packet);
}

/* ---- repair ---- */

/* The number went to parity or to padding: the subscriber need not wait for it. */
static void slot_repair_nothing(struct worker *worker, struct slot *slot, uint16_t sequence)
{
    struct transport *transport = slot->transport;
    if (slot_repairs_plainly(slot) ||
        repairs_ask(&transport->repairs, slot->number, sequence, 0, transport->rtt_ms,
                    transport->video_bytes, worker_now_ms(worker)) != REPAIRS_SEND)
        return;
    const struct own own = {.type = slot->payload->rtx_type,
                            .ssrc = slot->rtx_ssrc,
                            .timestamp = slot->rewriter->timestamp,
                            .index = slot->rtx_index++,
                            .original = sequence};
    slot_send_own(worker, slot, &own);
    worker->counters.rtx_sent++;
}

/* The packet that left under this number, as it may leave again. Errors: as rewriter_find. */
static enum status slot_find(const struct slot *slot, uint16_t sequence,
                             struct rewriter_found *ret_found, const struct packet **ret_packet)
{
    const struct feed *feed = slot->active.feed;
    if (slot->rewriter == NULL || feed == NULL || !slot->transport->sending ||
        slot->payload == NULL)
        return STATUS_NOT_FOUND;
    enum status status = rewriter_find(slot->rewriter, sequence, ret_found);
    if (status != STATUS_OK)
        return status;
    const struct packet *packet =
        history_get(&feed->histories[ret_found->segment->layer], ret_found->source_index);
    if (packet == NULL || packet->source != ret_found->segment->source ||
        packet->track != ret_found->segment->track || !format_equal(&packet->format, &slot->format))
        return STATUS_NOT_FOUND;
    *ret_packet = packet;
    return STATUS_OK;
}

static void slot_repeat(struct worker *worker, struct slot *slot,
                        const struct rewriter_found *found, const struct packet *packet,
                        bool second)
{
    struct rewritten rewritten = rewriter_again(found, packet);
    struct leaving leaving = {
        .packet = packet,
        .rewritten = &rewritten,
        .repair = !slot_repairs_plainly(slot),
        .second = second,
        .spatial = found->segment->spatial,
    };
    slot_send(worker, slot, &leaving);
}

/* Once a round trip, within what repairs may take; twice where much is lost. */
static enum repairs_verdict slot_repeat_asked(struct worker *worker, struct slot *slot,
                                              const struct rewriter_found *found,
                                              const struct packet *packet, uint32_t rtt_ms)
{
    struct transport *transport = slot->transport;
    enum repairs_verdict verdict =
        repairs_ask(&transport->repairs, slot->number, (uint16_t)found->index,
                    packet->payload_length, rtt_ms, transport->video_bytes, worker_now_ms(worker));
    if (verdict != REPAIRS_SEND)
        return verdict;
    slot_repeat(worker, slot, found, packet, false);
    worker->counters.rtx_sent++;
    if (transport->loss.permille >= LOSS_TWICE_PERMILLE && !slot_repairs_plainly(slot) &&
        repairs_spare(&transport->repairs, packet->payload_length)) {
        slot_repeat(worker, slot, found, packet, true);
        worker->counters.rtx_sent++;
    }
    return REPAIRS_SEND;
}

/* Sent since the newest key frame: without it the subscriber decodes nothing until the next one. */
static bool slot_needs(const struct slot *slot, uint16_t sequence)
{
    if (slot->rewriter == NULL)
        return false;
    int64_t back = (uint16_t)((uint16_t)slot->rewriter->next - sequence);
    return back > 0 && slot->rewriter->next - back >= slot->key_index;
}

void slot_repair(struct worker *worker, struct slot *slot, uint16_t sequence)
{
    struct rewriter_found found;
    worker->counters.nacks_received++;
    const struct packet *packet;
    enum status status = slot_find(slot, sequence, &found, &packet);
    if (status == STATUS_EXISTS) {
        slot_repair_nothing(worker, slot, sequence);
        return;
    }
    if (status != STATUS_OK) {
        worker->counters.nacks_missed++;
        if (slot->kind == MEDIA_VIDEO && slot_needs(slot, sequence))
            slot_refresh(worker, slot);
        return;
    }
    worker->counters.nacks_over +=
        slot_repeat_asked(worker, slot, &found, packet, slot->transport->rtt_ms) == REPAIRS_OVER;
}

void slot_missed(struct worker *worker, struct slot *slot, uint16_t sequence, bool repair)
{
    struct rewriter_found found;
    const struct packet *packet;
    if (slot_repairs_plainly(slot) || slot_find(slot, sequence, &found, &packet) != STATUS_OK)
        return;
    /* A repetition that nobody had missed was a probe. */
    if (repair ==
        repairs_known(&slot->transport->repairs, slot->number, sequence, worker_now_ms(worker)))
        (void)slot_repeat_asked(worker, slot, &found, packet, MISSED_RTT_MS);
}

bool slot_again(struct worker *worker, struct slot *slot, uint16_t back)
{
    struct rewriter_found found;
    const struct packet *packet;
    if (slot_find(slot, (uint16_t)(slot->rewriter->next - back), &found, &packet) != STATUS_OK)
        return false;
    slot_repeat(worker, slot, &found, packet, false);
    return true;
}

/* ---- report ---- */

bool slot_report(const struct slot *slot, uint64_t ntp, struct rtcp_sender *ret_sender)
{
    const struct subscription *active = &slot->active;
    if (slot->rewriter == NULL || active->feed == NULL || active->layer == FEED_LAYER_NONE ||
        rewriter_segment_now(slot->rewriter) == NULL)
        return false;
    const struct feed_report *report = &active->feed->reports[active->layer];
    if (report->ntp == 0 || report->source != slot->voice)
        return false;
    /* Signed: the publisher's report may lie a little ahead of our clock. */
    int64_t passed = (int64_t)(ntp - report->ntp);
    int64_t ticks = (passed >> 16) * (int64_t)clock_rate(slot) >> 16;
    *ret_sender = (struct rtcp_sender){
        .ntp = ntp,
        .rtp_timestamp =
            rewriter_timestamp(slot->rewriter, report->timestamp + (uint32_t)(uint64_t)ticks),
        .packets = (uint32_t)slot->packets,
        .bytes = (uint32_t)slot->bytes,
    };
    return true;
}
