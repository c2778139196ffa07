#include "media/sfu/slot.h"

#include "core/bytes.h"
#include "core/crypto.h"
#include "media/rtp/codec.h"
#include "media/rtp/red.h"
#include "media/rtp/rtcp.h"
#include "media/rtp/rtp.h"
#include "media/sfu/layers.h"
#include "media/sfu/room.h"
#include "media/sfu/tcp.h"
#include "media/sfu/track.h"

#include <string.h>

enum {
    SLOT_ELEMENTS_BYTES = 64, /* longest dependency descriptor copied: key frame's structure */
    SLOT_HEADER_MAX = 512,
    SLOT_REPAIR_SPACING_MS = 20, /* at least, between two repetitions of one packet */
    SLOT_RTT_MS_DEFAULT = 100,
};

static uint32_t clock_rate(const struct slot *slot)
{
    return slot->kind == MEDIA_AUDIO ? TRACK_CLOCK_AUDIO : TRACK_CLOCK_VIDEO;
}

static void slot_tell(struct worker *worker, struct slot *slot, enum media_slot_state state,
                      const struct subscription *subscription)
{
    slot->state = (uint8_t)state;
    if (worker->media->events.slot == NULL)
        return;
    struct media_source source = {0};
    uint8_t layer = 0;
    if (subscription != NULL && subscription->feed != NULL) {
        source = subscription->feed->source;
        if (subscription->layer > 0)
            layer = (uint8_t)subscription->layer;
    }
    worker->media->events.slot(worker->media->events_context, slot->transport->id, slot->number,
                               state, source, layer);
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

static void subscription_aim(struct worker *worker, struct slot *slot,
                             struct subscription *subscription)
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

void slot_retarget(struct worker *worker, struct slot *slot)
{
    if (slot->next.feed != NULL)
        subscription_aim(worker, slot, &slot->next);
    else
        subscription_aim(worker, slot, &slot->active);
}

static void slot_want_voice(struct worker *worker, struct slot *slot)
{
    struct room *room = slot->transport->room;
    subscription_clear(worker, &slot->next);
    if (room == NULL || slot->want.voice >= worker->media->voices) {
        subscription_clear(worker, &slot->active);
        slot_tell(worker, slot, MEDIA_SLOT_EMPTY, NULL);
        return;
    }
    struct feed *lane = &room->lanes[slot->want.voice];
    if (slot->active.feed == lane)
        return;
    subscription_clear(worker, &slot->active);
    if (feed_join(worker, lane, &slot->active) == STATUS_OK)
        slot_tell(worker, slot, MEDIA_SLOT_WAITING, NULL);
}

static void slot_want_source(struct worker *worker, struct slot *slot)
{
    const struct media_source *source = &slot->want.source;
    if (same_source(&slot->active, source) || same_source(&slot->next, source)) {
        if (same_source(&slot->active, source))
            subscription_clear(worker, &slot->next);
        slot_retarget(worker, slot);
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
        slot_tell(worker, slot, MEDIA_SLOT_EMPTY, NULL);
        return;
    }
    slot_tell(worker, slot, MEDIA_SLOT_WAITING, joining);
    subscription_aim(worker, slot, joining);
}

void slot_want(struct worker *worker, struct slot *slot, const struct media_want *want)
{
    slot->want = *want;
    if (want->mode == MEDIA_WANT_VOICE && slot->kind == MEDIA_AUDIO) {
        slot_want_voice(worker, slot);
    } else if (want->mode == MEDIA_WANT_SOURCE && want->source.transport != 0) {
        slot_want_source(worker, slot);
    } else {
        subscription_clear(worker, &slot->next);
        subscription_clear(worker, &slot->active);
        if (slot->state != MEDIA_SLOT_EMPTY)
            slot_tell(worker, slot, MEDIA_SLOT_EMPTY, NULL);
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
        slot_tell(worker, slot, MEDIA_SLOT_EMPTY, NULL);
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
    if (slot->rewriter != NULL) {
        if (slot->rewriter->map != NULL)
            pool_put(worker->maps, slot->rewriter->map);
        pool_put(worker->rewriters, slot->rewriter);
        slot->rewriter = NULL;
    }
}

/* ---- the format ---- */

static bool h264_fits(const struct packet_format *sent, const struct packet_format *decoded)
{
    /* A decoder of mode 1 takes mode 0; profiles by profile_idc (RFC 6184 8.1). */
    if (sent->h264_packetization_mode > decoded->h264_packetization_mode)
        return false;
    enum { BASELINE = 0x42, CONSTRAINED = 0x40 /* constraint_set1 in profile-iop */ };
    uint32_t sent_idc = sent->h264_profile_level_id >> 16;
    uint32_t decoded_idc = decoded->h264_profile_level_id >> 16;
    if (sent_idc == decoded_idc || sent->h264_profile_level_id == 0 ||
        decoded->h264_profile_level_id == 0)
        return true;
    bool constrained_baseline =
        sent_idc == BASELINE && (sent->h264_profile_level_id >> 8 & CONSTRAINED) != 0;
    return constrained_baseline;
}

static bool format_fits(const struct packet_format *sent, const struct packet_format *decoded)
{
    if (sent->codec != decoded->codec)
        return false;
    if (sent->codec == MEDIA_CODEC_H264)
        return h264_fits(sent, decoded);
    return sent->codec != MEDIA_CODEC_VP9 || sent->vp9_profile == decoded->vp9_profile;
}

const struct payload *payload_for(const struct payload *payloads, size_t count,
                                  const struct packet_format *format, bool *ret_unwrap)
{
    *ret_unwrap = false;
    const struct payload *fits = NULL;
    for (size_t i = 0; i < count; i++) {
        if (!format_fits(format, &payloads[i].format))
            continue;
        bool exact =
            payloads[i].format.h264_packetization_mode == format->h264_packetization_mode &&
            payloads[i].format.h264_profile_level_id == format->h264_profile_level_id;
        if (exact)
            return &payloads[i];
        if (fits == NULL)
            fits = &payloads[i];
    }
    if (fits == NULL && format->codec == MEDIA_CODEC_RED) {
        struct packet_format opus = {.codec = MEDIA_CODEC_OPUS};
        bool nested;
        fits = payload_for(payloads, count, &opus, &nested);
        *ret_unwrap = fits != NULL;
    }
    return fits;
}

static bool format_equal(const struct packet_format *left, const struct packet_format *right)
{
    return left->codec == right->codec &&
           left->h264_packetization_mode == right->h264_packetization_mode &&
           left->vp9_profile == right->vp9_profile &&
           left->h264_profile_level_id == right->h264_profile_level_id;
}

/* False: this subscriber cannot decode it. */
static bool slot_format(struct slot *slot, const struct packet_format *format)
{
    if (format_equal(&slot->format, format))
        return slot->payload != NULL;
    slot->format = *format;
    slot->payload = payload_for(slot->payloads, slot->payload_count, format, &slot->unwrap_red);
    struct packet_format opus = {.codec = MEDIA_CODEC_OPUS};
    bool unwrap;
    const struct payload *primary =
        payload_for(slot->payloads, slot->payload_count, &opus, &unwrap);
    slot->red_primary = primary != NULL ? primary->type : 0;
    return slot->payload != NULL;
}

/* Without RTX a repetition has to be the same packet bit by bit: no element may change with time.
 */
static bool repairs_plainly(const struct slot *slot)
{
    return slot->payload->nack && (slot->payload->rtx_type == 0 || slot->rtx_ssrc == 0);
}

/* ---- writing one packet ---- */

struct writing_space {
    uint8_t descriptor[RTP_TWO_BYTE_VALUE_MAX];
    uint8_t sequence[2], send_time[3];
};

static void element_copy(struct rtp_writing *writing, uint8_t id, const struct packet *packet,
                         const struct packet_element *element)
{
    if (id == 0 || element->length == 0)
        return;
    writing->elements[writing->element_count++] = (struct rtp_element){
        .id = id, .length = element->length, .value = packet->data + element->offset};
}

static void elements_of(const struct worker *worker, struct slot *slot, const struct packet *packet,
                        const struct rewritten *rewritten, struct writing_space *space,
                        struct rtp_writing *writing)
{
    const struct media_extensions *ids = &slot->extensions;
    element_copy(writing, ids->audio_level, packet, &packet->audio_level);
    element_copy(writing, ids->video_orientation, packet, &packet->orientation);
    element_copy(writing, ids->playout_delay, packet, &packet->playout_delay);
    element_copy(writing, ids->color_space, packet, &packet->color_space);
    if (ids->dependency_descriptor != 0 && packet->dependency.length >= DD_MANDATORY_BYTES) {
        memcpy(space->descriptor, packet->data + packet->dependency.offset,
               packet->dependency.length);
        dd_frame_number_set(space->descriptor, rewritten->frame_number);
        writing->elements[writing->element_count++] =
            (struct rtp_element){.id = ids->dependency_descriptor,
                                 .length = packet->dependency.length,
                                 .value = space->descriptor};
    }
    if (repairs_plainly(slot))
        return;
    if (ids->transport_cc != 0)
        writing->elements[writing->element_count++] = rtp_transport_seq_element(
            ids->transport_cc, slot->transport->twcc_sequence++, space->sequence);
    if (ids->abs_send_time != 0)
        writing->elements[writing->element_count++] = rtp_send_time_element(
            ids->abs_send_time, rtp_send_time_of(worker_now_ns(worker)), space->send_time);
}

/* Payload types inside RED name the publisher's numbering (RFC 2198 3). */
static void red_renumber(uint8_t *payload, size_t length, uint8_t primary)
{
    for (size_t at = 0; at < length; at += 4) {
        bool more = (payload[at] & 0x80) != 0;
        payload[at] = (uint8_t)((payload[at] & 0x80) | primary);
        if (!more)
            return;
    }
}

/* The part of the packet this subscriber gets. */
static bool payload_view(const struct slot *slot, const struct packet *packet,
                         const uint8_t **ret_payload, size_t *ret_length)
{
    *ret_payload = packet->data + packet->payload_offset;
    *ret_length = packet->payload_length;
    if (!slot->unwrap_red)
        return true;
    struct red_view view;
    if (red_parse(*ret_payload, *ret_length, &view) != STATUS_OK)
        return false;
    *ret_payload = view.blocks[view.count - 1].data;
    *ret_length = view.blocks[view.count - 1].length;
    return *ret_length > 0;
}

static void payload_patch(const struct slot *slot, const struct packet *packet,
                          const struct rewritten *rewritten, uint8_t *payload, size_t length)
{
    if (packet->format.codec == MEDIA_CODEC_RED && !slot->unwrap_red)
        red_renumber(payload, length, slot->red_primary);
    if (packet->picture_id_offset != 0) {
        uint8_t *place = payload + packet->picture_id_offset;
        if (packet->long_picture_id)
            store_be16(place, (uint16_t)(0x8000 | rewritten->picture_id));
        else
            *place = (uint8_t)rewritten->picture_id & 0x7f;
    }
    if (packet->tl0picidx_offset != 0)
        payload[packet->tl0picidx_offset] = rewritten->tl0picidx;
}

/* How a packet leaves: as itself, or as a repair with numbers of another stream. */
struct leaving {
    const struct packet *packet;
    const struct rewritten *rewritten;
    bool repair; /* by RTX */
    bool empty;  /* only its number: payload left out */
};

static size_t write_body(const struct slot *slot, const struct leaving *leaving, uint8_t *out,
                         size_t room)
{
    const uint8_t *payload;
    size_t length;
    if (leaving->empty) {
        out[0] = 1; /* one byte of padding, its own count */
        return 1;
    }
    if (!payload_view(slot, leaving->packet, &payload, &length))
        return 0;
    size_t head = 0;
    if (leaving->repair) {
        store_be16(out, (uint16_t)leaving->rewritten->index);
        head = 2; /* RFC 4588 4: the original sequence number */
    }
    if (head + length > room)
        return 0;
    memcpy(out + head, payload, length);
    payload_patch(slot, leaving->packet, leaving->rewritten, out + head, length);
    return head + length;
}

/* Header, payload and tag into `out`; 0: it does not fit or has nothing to show. */
static size_t slot_write(struct worker *worker, struct slot *slot, const struct leaving *leaving,
                         uint8_t *out, size_t size)
{
    const struct packet *packet = leaving->packet;
    struct transport *transport = slot->transport;
    int64_t index = leaving->repair ? slot->rtx_index : leaving->rewritten->index;
    struct rtp_writing writing = {
        .marker = packet->marker && !leaving->empty,
        .payload_type = leaving->repair ? slot->payload->rtx_type : slot->payload->type,
        .sequence = (uint16_t)index,
        .timestamp = leaving->rewritten->timestamp,
        .ssrc = leaving->repair ? slot->rtx_ssrc : slot->ssrc,
        .csrc_count = 1,
        .csrcs = {packet->origin},
    };
    struct writing_space space;
    elements_of(worker, slot, packet, leaving->rewritten, &space, &writing);
    size_t tail = protector_rtp_tail(transport->protector);
    size_t head;
    if (rtp_write(&writing, out, size - tail - SENDER_PAD_MAX, &head) != STATUS_OK)
        return 0;
    size_t body = write_body(slot, leaving, out + head, size - tail - SENDER_PAD_MAX - head);
    if (body == 0)
        return 0;
    if (leaving->empty) {
        out[0] |= 0x20; /* P */
    } else if (slot->kind == MEDIA_VIDEO && !repairs_plainly(slot) && transport->path.stream == 0) {
        uint8_t padding = sender_padding(worker->sender, &transport->group, head + body + tail);
        size_t padded;
        if (padding > 0 && rtp_pad(out, head + body, size - tail, padding, &padded) == STATUS_OK)
            body = padded - head;
    }
    size_t length;
    if (protector_rtp(transport->protector, (uint32_t)(index >> 16), out, head, out + head, body,
                      out, &length) != STATUS_OK)
        return 0;
    if (leaving->repair)
        slot->rtx_index++;
    slot->packets++;
    slot->bytes += (uint32_t)body;
    if (slot->kind == MEDIA_VIDEO)
        transport->video_bytes += length;
    return length;
}

static void slot_send(struct worker *worker, struct slot *slot, const struct leaving *leaving)
{
    struct transport *transport = slot->transport;
    uint8_t *out = sender_room(worker->sender);
    size_t length = slot_write(worker, slot, leaving, out, SENDER_PACKET_BYTES);
    if (length == 0)
        return;
    worker->counters.forwarded++;
    if (transport->path.stream != 0)
        tcp_send(worker, transport->path.stream, out, length);
    else
        sender_commit(worker->sender, &transport->path.address, &transport->group, length);
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
    rewriter_switch(slot->rewriter, packet, clock_rate(slot),
                    slot->kind == MEDIA_AUDIO ? SLOT_FRAME_AUDIO : SLOT_FRAME_VIDEO);
    slot->voice = packet->source;
    slot->temporal = narrow_temporal(&slot->transport->narrow);
    worker->counters.switches++;
}

/* Levels go at the next frame, and come back only where the stream allows it. */
static bool temporal_fits(struct slot *slot, const struct packet *packet)
{
    uint8_t limit = narrow_temporal(&slot->transport->narrow);
    if (packet->start && limit < slot->temporal)
        slot->temporal = limit;
    if (packet->start && packet->switching_up && packet->temporal_id > slot->temporal &&
        packet->temporal_id <= limit)
        slot->temporal = packet->temporal_id;
    return packet->temporal_id <= slot->temporal;
}

static void slot_forward(struct worker *worker, struct slot *slot, struct packet *packet)
{
    struct rewritten rewritten;
    struct leaving leaving = {.packet = packet, .rewritten = &rewritten};
    bool leave_out = packet->payload_length == 0 || !temporal_fits(slot, packet);
    enum status status = leave_out ? rewriter_omit(slot->rewriter, packet, &rewritten)
                                   : rewriter_forward(slot->rewriter, packet, &rewritten);
    leaving.empty = status == STATUS_EXISTS;
    if ((status != STATUS_OK || leave_out) && !leaving.empty)
        return;
    slot->forwarded_ms = worker_now_ms(worker);
    slot_send(worker, slot, &leaving);
}

/* What was awaited takes the place of what was shown until now. */
static struct subscription *slot_promote(struct worker *worker, struct slot *slot)
{
    subscription_clear(worker, &slot->active);
    slot->active = slot->next;
    slot->active.feed->subscriptions[slot->active.place] = &slot->active;
    slot->next.feed = NULL;
    subscription_clear(worker, &slot->next);
    return &slot->active;
}

/* A first packet of what this subscription waits for: from now on it is what the slot carries. */
static bool slot_switch(struct worker *worker, struct subscription *subscription,
                        const struct packet *packet)
{
    struct slot *slot = subscription->slot;
    if (!slot_format(slot, &packet->format)) {
        if (!subscription->unsupported)
            slot_tell(worker, slot, MEDIA_SLOT_UNSUPPORTED, subscription);
        subscription->unsupported = true;
        return false;
    }
    if (!slot_rewriter(worker, slot))
        return false;
    if (subscription == &slot->next)
        subscription = slot_promote(worker, slot);
    slot_begin(worker, slot, packet);
    subscription->epoch = packet->epoch;
    subscription->unsupported = false;
    int8_t layer = (int8_t)packet->layer;
    int8_t target = subscription->target == FEED_LAYER_NONE ? layer : subscription->target;
    feed_want(worker, subscription, layer, target);
    slot_tell(worker, slot, MEDIA_SLOT_LIVE, subscription);
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
        if (subscription->layer == FEED_LAYER_NONE) {
            feed_want(worker, subscription, 0, 0);
            slot_tell(worker, slot, MEDIA_SLOT_LIVE, subscription);
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

/* False: sent again within the last round trip. */
static bool repair_allowed(struct slot *slot, uint16_t sequence, uint64_t now_ms)
{
    struct transport *transport = slot->transport;
    uint64_t spacing = transport->rtt_ms != 0 ? transport->rtt_ms : SLOT_RTT_MS_DEFAULT;
    if (spacing < SLOT_REPAIR_SPACING_MS)
        spacing = SLOT_REPAIR_SPACING_MS;
    for (size_t i = 0; i < TRANSPORT_REPAIRS; i++) {
        const struct repair *repair = &transport->repairs[i];
        if (repair->slot == slot->number && repair->sequence == sequence && repair->when_ms != 0 &&
            now_ms - repair->when_ms < spacing)
            return false;
    }
    transport->repairs[transport->repair_next] =
        (struct repair){.when_ms = now_ms, .sequence = sequence, .slot = slot->number};
    transport->repair_next = (uint8_t)((transport->repair_next + 1) % TRANSPORT_REPAIRS);
    return true;
}

void slot_repair(struct worker *worker, struct slot *slot, uint16_t sequence)
{
    const struct feed *feed = slot->active.feed;
    struct rewriter_found found;
    worker->counters.nacks_received++;
    if (slot->rewriter == NULL || feed == NULL || !slot->transport->sending ||
        slot->payload == NULL || rewriter_find(slot->rewriter, sequence, &found) != STATUS_OK) {
        worker->counters.nacks_missed++;
        return;
    }
    const struct packet *packet =
        history_get(&feed->histories[found.segment->layer], found.source_index);
    if (packet == NULL || packet->source != found.segment->source ||
        packet->track != found.segment->track || !format_equal(&packet->format, &slot->format)) {
        worker->counters.nacks_missed++;
        return;
    }
    if (!repair_allowed(slot, sequence, worker_now_ms(worker)))
        return;
    struct rewritten rewritten = rewriter_again(&found, packet);
    struct leaving leaving = {
        .packet = packet, .rewritten = &rewritten, .repair = !repairs_plainly(slot)};
    slot_send(worker, slot, &leaving);
    worker->counters.rtx_sent++;
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
        .packets = slot->packets,
        .bytes = slot->bytes,
    };
    return true;
}
