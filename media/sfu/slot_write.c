#include "media/sfu/slot_write.h"

#include "core/bytes.h"
#include "core/clock.h"
#include "media/rtp/dependency_descriptor.h"
#include "media/rtp/red.h"
#include "media/rtp/rtp.h"
#include "media/sfu/payload.h"
#include "media/sfu/redundancy.h"
#include "media/sfu/slot_fec.h"
#include "media/sfu/tapping.h"
#include "media/sfu/tcp.h"

#include <string.h>

/* ---- the format ---- */

bool slot_format(struct slot *slot, const struct packet_format *format)
{
    if (format_equal(&slot->format, format))
        return slot->payload != NULL;
    pacing_flush(slot->transport->worker, slot->transport);
    slot->format = *format;
    slot->payload = payload_for(slot->payloads, slot->payload_count, format);
    const struct packet_format red = {.codec = MEDIA_CODEC_RED};
    const struct payload *redundant = payload_for(slot->payloads, slot->payload_count, &red);
    slot->red_type = redundant != NULL ? redundant->type : 0;
    const struct packet_format ulpfec = {.codec = MEDIA_CODEC_ULPFEC};
    const struct payload *parity = payload_for(slot->payloads, slot->payload_count, &ulpfec);
    slot->ulpfec_type = parity != NULL ? parity->type : 0;
    return slot->payload != NULL;
}

bool slot_repairs_plainly(const struct slot *slot)
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

/* Where the structure comes along, layers that this subscriber does not get are said to be off. */
static uint8_t descriptor_copy(const struct leaving *leaving, uint8_t *ret_descriptor)
{
    const struct packet *packet = leaving->packet;
    const uint8_t *bytes = packet->data + packet->dependency.offset;
    size_t length;
    if (packet->structure && leaving->spatial + 1 < packet->spatial_count &&
        dd_restrict(bytes, packet->dependency.length, leaving->spatial, ret_descriptor,
                    RTP_TWO_BYTE_VALUE_MAX, &length) == STATUS_OK)
        return (uint8_t)length;
    memcpy(ret_descriptor, bytes, packet->dependency.length);
    return packet->dependency.length;
}

/* Those that change with the time: never where a repetition has to be the same packet. They stand
 * first, so that they have the same place in each of the stream's packets: parity is reckoned
 * without them. */
static void elements_timed(const struct worker *worker, struct slot *slot,
                           struct writing_space *space, struct rtp_writing *writing)
{
    const struct media_extensions *ids = &slot->extensions;
    if (slot_repairs_plainly(slot))
        return;
    if (ids->transport_cc != 0)
        writing->elements[writing->element_count++] = rtp_transport_seq_element(
            ids->transport_cc, slot->transport->downlink.bwe.sequence++, space->sequence);
    if (ids->abs_send_time != 0)
        writing->elements[writing->element_count++] = rtp_send_time_element(
            ids->abs_send_time, rtp_send_time_of(worker_now_ns(worker)), space->send_time);
}

static void elements_of(const struct worker *worker, struct slot *slot,
                        const struct leaving *leaving, struct writing_space *space,
                        struct rtp_writing *writing)
{
    const struct packet *packet = leaving->packet;
    const struct media_extensions *ids = &slot->extensions;
    elements_timed(worker, slot, space, writing);
    element_copy(writing, ids->audio_level, packet, &packet->audio_level);
    element_copy(writing, ids->video_orientation, packet, &packet->orientation);
    element_copy(writing, ids->playout_delay, packet, &packet->playout_delay);
    element_copy(writing, ids->color_space, packet, &packet->color_space);
    if (ids->dependency_descriptor != 0 && packet->dependency.length >= DD_MANDATORY_BYTES) {
        uint8_t length = descriptor_copy(leaving, space->descriptor);
        dd_frame_number_set(space->descriptor, leaving->rewritten->frame_number);
        writing->elements[writing->element_count++] = (struct rtp_element){
            .id = ids->dependency_descriptor, .length = length, .value = space->descriptor};
    }
}

/* Whether this packet takes copies of earlier ones with it, and which. */
static bool slot_redundancy(const struct slot *slot, const struct leaving *leaving,
                            struct red_view *ret_view)
{
    uint8_t depth = slot->transport->loss.red_depth;
    /* What is repeated bit by bit may not depend on what was lost when. */
    if (depth == 0 || slot->red_type == 0 || leaving->repair || leaving->empty ||
        slot_repairs_plainly(slot))
        return false;
    const struct packet *packet = leaving->packet;
    const struct rewriter_segment *segment = rewriter_segment_now(slot->rewriter);
    return redundancy_view(&slot->active.feed->histories[packet->layer], packet,
                           segment->source_begin, depth, slot->payload->type, ret_view);
}

static void payload_patch(const struct packet *packet, const struct rewritten *rewritten,
                          uint8_t *payload)
{
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

/* `red`: in RED as this payload type; 0: not. */
static size_t write_body(const struct leaving *leaving, uint8_t red, uint8_t *out, size_t room)
{
    const uint8_t *payload = leaving->packet->data + leaving->packet->payload_offset;
    size_t length = leaving->packet->payload_length;
    if (leaving->empty) {
        out[0] = 1; /* one byte of padding, its own count */
        return 1;
    }
    size_t head = 0;
    if (leaving->repair) {
        store_be16(out, (uint16_t)leaving->rewritten->index);
        head = 2; /* RFC 4588 4: the original sequence number */
    } else if (red != 0) {
        out[head++] = red; /* RFC 2198 3: the only block */
    }
    if (head + length > room)
        return 0;
    memcpy(out + head, payload, length);
    payload_patch(leaving->packet, leaving->rewritten, out + head);
    return head + length;
}

/* A picture's packet, or its repetition: both are repeated under the number it left with first. */
static uint32_t note_of(const struct slot *slot, const struct leaving *leaving)
{
    if (slot->kind != MEDIA_VIDEO || leaving->empty || leaving->second)
        return 0;
    return SLOT_NOTE | (uint32_t)slot->number << SLOT_NOTE_SLOT |
           (leaving->repair ? SLOT_NOTE_REPAIR : 0) | (uint16_t)leaving->rewritten->index;
}

/* What the estimate of the link and its pacer need to know of it. `note`: as slot_missed. */
static void note_sent(const struct worker *worker, const struct slot *slot, size_t length,
                      uint32_t note)
{
    struct transport *transport = slot->transport;
    uint64_t now_ns = worker_now_ns(worker);
    if (slot->extensions.transport_cc != 0 && !slot_repairs_plainly(slot))
        bwe_sent(&transport->downlink.bwe, length, note, now_ns / CLOCK_NS_PER_US);
    if (transport->pacing.pacer.ns_per_byte != 0)
        pacer_sent(&transport->pacing.pacer, (uint32_t)length, now_ns);
}

/* Header, payload and tag into `out`; 0: it does not fit or has nothing to show. */
static size_t slot_write(struct worker *worker, struct slot *slot, const struct leaving *leaving,
                         uint8_t *out, size_t size)
{
    const struct packet *packet = leaving->packet;
    struct transport *transport = slot->transport;
    int64_t index = leaving->repair ? slot->rtx_index : leaving->rewritten->index;
    struct rtp_writing writing = {
        .marker = leaving_marker(leaving),
        .payload_type = leaving->repair ? slot->payload->rtx_type : slot->payload->type,
        .sequence = (uint16_t)index,
        .timestamp = leaving->rewritten->timestamp,
        .ssrc = leaving->repair ? slot->rtx_ssrc : slot->ssrc,
        .csrc_count = 1,
        .csrcs = {packet->origin},
    };
    struct red_view view;
    bool redundant = slot->kind == MEDIA_AUDIO && slot_redundancy(slot, leaving, &view);
    bool covered = leaving->covered && slot->fec != NULL;
    if (redundant || covered)
        writing.payload_type = slot->red_type;
    struct writing_space space;
    elements_of(worker, slot, leaving, &space, &writing);
    size_t tail = protector_rtp_tail(transport->protector);
    size_t head;
    if (rtp_write(&writing, out, size - tail - SENDER_PAD_MAX, &head) != STATUS_OK)
        return 0;
    size_t room = size - tail - SENDER_PAD_MAX - head, body = 0;
    if (!redundant)
        body = write_body(leaving, covered ? slot->payload->type : 0, out + head, room);
    else if (red_build(&view, out + head, room, &body) == STATUS_OK)
        worker->counters.red_sent++;
    if (body == 0)
        return 0;
    if (leaving->empty) {
        out[0] |= 0x20; /* P */
    } else if (covered) {
        const struct ulpfec_media media = {out, out + head + 1, head, body - 1};
        slot_fec_add(slot, &media);
    } else if (slot->kind == MEDIA_VIDEO && !slot_repairs_plainly(slot) &&
               transport->path.stream == 0) {
        uint8_t padding = sender_padding(worker->sender, &transport->group, head + body + tail);
        size_t padded;
        if (padding > 0 && rtp_pad(out, head + body, size - tail, padding, &padded) == STATUS_OK)
            body = padded - head;
    }
    if (worker->tap != NULL)
        tapping_plain(worker, transport, true, out, head + body);
    size_t length;
    struct mac_batch *macs = transport->path.stream == 0 ? sender_macs(worker->sender) : NULL;
    if (protector_rtp_later(transport->protector, macs, (uint32_t)(index >> 16), out, head,
                            out + head, body, out, &length) != STATUS_OK)
        return 0;
    if (leaving->repair)
        slot->rtx_index++;
    slot->packets++;
    slot->bytes += body;
    if (slot->kind == MEDIA_VIDEO)
        transport->video_bytes += length;
    note_sent(worker, slot, length, note_of(slot, leaving));
    return length;
}

static void room_leave(struct worker *worker, struct transport *transport, uint8_t *out,
                       size_t length)
{
    if (transport->path.stream != 0)
        tcp_send(worker, transport->path.stream, out, length);
    else
        sender_commit(worker->sender, &transport->path.address, &transport->group, length);
}

void slot_leave(struct worker *worker, struct slot *slot, const struct leaving *leaving)
{
    struct leaving written = *leaving;
    if (leaving->parity) {
        if (slot_fec_send(worker, slot, leaving->rewritten->index))
            return;
        written.empty = true; /* the number is taken */
    }
    uint8_t *out = sender_room(worker->sender);
    size_t length = slot_write(worker, slot, &written, out, SENDER_PACKET_BYTES);
    if (length == 0)
        return;
    worker->counters.forwarded++;
    room_leave(worker, slot->transport, out, length);
}

static void leave_or_hold(struct worker *worker, struct slot *slot, const struct leaving *leaving)
{
    if (slot->kind == MEDIA_VIDEO && !leaving->repair &&
        pacing_busy(&slot->transport->pacing, worker_now_ns(worker)) &&
        pacing_hold(worker, slot, leaving))
        return;
    slot_leave(worker, slot, leaving);
}

void slot_send(struct worker *worker, struct slot *slot, const struct leaving *leaving)
{
    if (slot->kind == MEDIA_AUDIO || !slot_fec_covers(worker, slot, leaving)) {
        leave_or_hold(worker, slot, leaving);
        return;
    }
    struct leaving covered = *leaving;
    covered.covered = true;
    leave_or_hold(worker, slot, &covered);
    if (!slot_fec_due(slot, leaving_marker(leaving)))
        return;
    /* Its number is taken now: what waits for the pacer leaves in the order of numbers. */
    struct rewritten rewritten = *leaving->rewritten;
    rewritten.index = rewriter_insert(slot->rewriter);
    covered.rewritten = &rewritten;
    covered.covered = false;
    covered.parity = true;
    leave_or_hold(worker, slot, &covered);
}

void slot_pad(struct worker *worker, struct slot *slot)
{
    struct transport *transport = slot->transport;
    uint8_t *out = sender_room(worker->sender);
    struct rtp_writing writing = {
        .payload_type = slot->payload->rtx_type,
        .sequence = (uint16_t)slot->rtx_index,
        .timestamp = slot->rewriter->timestamp,
        .ssrc = slot->rtx_ssrc,
    };
    struct writing_space space;
    elements_timed(worker, slot, &space, &writing);
    size_t head, whole, length;
    if (rtp_write(&writing, out, SENDER_PACKET_BYTES, &head) != STATUS_OK ||
        rtp_pad(out, head, SENDER_PACKET_BYTES, UINT8_MAX, &whole) != STATUS_OK)
        return;
    if (worker->tap != NULL)
        tapping_plain(worker, transport, true, out, whole);
    if (protector_rtp(transport->protector, (uint32_t)(slot->rtx_index >> 16), out, head,
                      out + head, whole - head, out, &length) != STATUS_OK)
        return;
    slot->rtx_index++;
    note_sent(worker, slot, length, 0);
    room_leave(worker, transport, out, length);
}

static size_t own_write(struct worker *worker, struct slot *slot, const struct own *own,
                        uint8_t *out, size_t size)
{
    struct transport *transport = slot->transport;
    struct rtp_writing writing = {.payload_type = own->type,
                                  .sequence = (uint16_t)own->index,
                                  .timestamp = own->timestamp,
                                  .ssrc = own->ssrc};
    struct writing_space space;
    elements_timed(worker, slot, &space, &writing);
    size_t room = size - protector_rtp_tail(transport->protector);
    size_t head, body = 2, length;
    if (rtp_write(&writing, out, room, &head) != STATUS_OK)
        return 0;
    if (own->parity == NULL) {
        store_be16(out + head, own->original);
    } else {
        out[head] = slot->ulpfec_type; /* RED's only block */
        if (ulpfec_write(own->parity, out + head + 1, room - head - 1, &body) != STATUS_OK)
            return 0;
        body++;
    }
    if (worker->tap != NULL)
        tapping_plain(worker, transport, true, out, head + body);
    if (protector_rtp(transport->protector, (uint32_t)(own->index >> 16), out, head, out + head,
                      body, out, &length) != STATUS_OK)
        return 0;
    slot->packets++;
    slot->bytes += body;
    transport->video_bytes += length;
    note_sent(worker, slot, length, 0);
    return length;
}

void slot_send_own(struct worker *worker, struct slot *slot, const struct own *own)
{
    uint8_t *out = sender_room(worker->sender);
    size_t length = own_write(worker, slot, own, out, SENDER_PACKET_BYTES);
    if (length > 0)
        room_leave(worker, slot->transport, out, length);
}
