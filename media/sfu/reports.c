#include "media/sfu/reports.h"

#include "core/clock.h"
#include "media/rtp/rtcp.h"
#include "media/rtp/twcc.h"
#include "media/sfu/observe.h"
#include "media/sfu/slot.h"
#include "media/sfu/track.h"
#include "media/worker.h"

#include <string.h>

enum {
    REPORTS_FEEDBACK_BYTES = 300, /* room in which a transport-wide feedback says enough */
    REPORTS_REMB_BYTES = 20 + TRANSPORT_SSRCS_MAX * 4,
    REPORTS_SENDER_BYTES = 60, /* a sender report and its CNAME */
    REPORTS_NACKS_MAX = 512,   /* sequence numbers taken from one NACK */
    REPORTS_TWCC_MAX = 2048,   /* packet reports looked at in one feedback: an outage of seconds */
    REPORTS_CLOCK_SHIFT = 6,   /* a later report's delay counts 1/64: the clocks' drift */
    REPORTS_SLOT_ACTIVE_MS = 5000, /* a slot silent for that long gets no sender report */
};

/* ---- what we say ---- */

struct compound {
    struct transport *transport;
    struct rtcp_writer writer;
    size_t head; /* bytes of the receiver report that begins it */
    uint8_t bytes[REPORTS_COMPOUND_MAX + PROTECTOR_RTCP_TAIL_MAX];
};

static void compound_begin(struct compound *compound, struct transport *transport,
                           const struct rtcp_block *blocks, size_t count)
{
    compound->transport = transport;
    compound->writer = rtcp_writer_of(compound->bytes, REPORTS_COMPOUND_MAX);
    /* Always begun by the same sender: SRTCP keeps one state for it. */
    if (rtcp_write_rr(&compound->writer, transport->rtcp_ssrc, blocks, count) != STATUS_OK)
        compound->writer.length = 0;
    compound->head = count == 0 ? compound->writer.length : 0;
}

static void compound_send(struct compound *compound)
{
    if (compound->writer.length > compound->head)
        transport_send_rtcp(compound->transport, compound->bytes, compound->writer.length,
                            sizeof compound->bytes);
}

/* Makes room for this many bytes; a compound that has not so much goes out. */
static struct rtcp_writer *compound_room(struct compound *compound, size_t length)
{
    if (compound->writer.length + length > REPORTS_COMPOUND_MAX) {
        compound_send(compound);
        compound_begin(compound, compound->transport, NULL, 0);
    }
    return &compound->writer;
}

static size_t reception_blocks(struct transport *transport, uint64_t now_ns,
                               struct rtcp_block *ret_blocks)
{
    size_t count = 0;
    for (uint8_t i = 0; i < transport->track_count; i++) {
        const struct track *track = &transport->tracks[i];
        for (size_t layer = 0; layer < MEDIA_RIDS_MAX && count < RTCP_BLOCKS_MAX; layer++) {
            struct stream *stream = track->streams[layer];
            if (stream == NULL || !recv_stats_block(&stream->stats, stream->ssrc,
                                                    now_ns / CLOCK_NS_PER_US, &ret_blocks[count]))
                continue;
            count++;
            transport->worker->counters.uplink_expected += stream->stats.interval_expected;
            transport->worker->counters.uplink_lost += stream->stats.interval_lost;
        }
    }
    return count;
}

static void write_feedback(struct transport *transport, struct compound *compound)
{
    uint32_t media_ssrc = transport->ssrc_count > 0 ? transport->ssrcs[0].ssrc : 0;
    while (twcc_pending(transport->recorder)) {
        struct rtcp_writer *writer = compound_room(compound, REPORTS_FEEDBACK_BYTES);
        size_t length;
        if (twcc_build(transport->recorder, transport->rtcp_ssrc, media_ssrc,
                       writer->bytes + writer->length, writer->size - writer->length,
                       &length) != STATUS_OK)
            return;
        writer->length += length;
    }
}

static void write_remb(struct transport *transport, struct compound *compound)
{
    uint32_t ssrcs[TRANSPORT_SSRCS_MAX];
    size_t count = 0;
    for (uint8_t i = 0; i < transport->ssrc_count; i++) {
        const struct ssrc_entry *entry = &transport->ssrcs[i];
        const struct track *track = &transport->tracks[entry->track];
        bool remb = false;
        for (uint8_t p = 0; p < track->payload_count; p++)
            remb = remb || (track->payloads[p].remb && !track->payloads[p].transport_cc);
        if (remb && !entry->repair)
            ssrcs[count++] = entry->ssrc;
    }
    if (count > 0)
        (void)!rtcp_write_remb(compound_room(compound, REPORTS_REMB_BYTES), transport->rtcp_ssrc,
                               REPORTS_REMB, ssrcs, count);
}

static void write_sender_reports(struct transport *transport, struct compound *compound,
                                 uint64_t now_ms)
{
    uint64_t ntp = clock_ntp();
    for (uint8_t i = 0; i < transport->slot_count; i++) {
        struct slot *slot = &transport->slots[i];
        slot_stats_measure(&slot->stats, slot->bytes, now_ms);
        struct rtcp_sender sender;
        if (slot->forwarded_ms + REPORTS_SLOT_ACTIVE_MS < now_ms ||
            !slot_report(slot, ntp, &sender))
            continue;
        struct rtcp_writer *writer = compound_room(compound, REPORTS_SENDER_BYTES);
        if (rtcp_write_sr(writer, slot->ssrc, &sender, NULL, 0) == STATUS_OK)
            (void)!rtcp_write_sdes(writer, slot->ssrc, transport->cname);
    }
}

static bool transport_receives(const struct transport *transport)
{
    for (uint8_t i = 0; i < transport->track_count; i++) {
        for (size_t layer = 0; layer < MEDIA_RIDS_MAX; layer++) {
            const struct stream *stream = transport->tracks[i].streams[layer];
            if (stream != NULL && stream->info.active)
                return true;
        }
    }
    return false;
}

uint64_t reports_send(struct transport *transport, uint64_t now_ns)
{
    uint64_t now_ms = now_ns / CLOCK_NS_PER_MS;
    bool full = now_ms - transport->reported_ms >= TRANSPORT_REPORT_MS;
    uint64_t wait_ms = TRANSPORT_IDLE_MS;
    struct compound compound;
    struct rtcp_block blocks[RTCP_BLOCKS_MAX];
    compound_begin(&compound, transport, blocks,
                   full ? reception_blocks(transport, now_ns, blocks) : 0);
    for (uint8_t i = 0; i < transport->track_count; i++) {
        uint64_t next_ms = track_feedback(&transport->tracks[i],
                                          compound_room(&compound, TRACK_FEEDBACK_BYTES), now_ms);
        if (next_ms < wait_ms)
            wait_ms = next_ms;
    }
    if (transport->recorder != NULL && now_ms - transport->fed_back_ms >= REPORTS_FEEDBACK_MS) {
        transport->fed_back_ms = now_ms;
        write_feedback(transport, &compound);
    }
    if (full) {
        transport->reported_ms = now_ms;
        write_remb(transport, &compound);
        write_sender_reports(transport, &compound, now_ms);
        observe(transport, now_ms);
    }
    compound_send(&compound);
    if (transport_receives(transport) && wait_ms > TRANSPORT_TICK_MS)
        wait_ms = TRANSPORT_TICK_MS;
    return wait_ms;
}

/* ---- what it says ---- */

static struct slot *slot_of(const struct transport *transport, uint32_t ssrc)
{
    for (uint8_t i = 0; i < transport->slot_count; i++) {
        if (transport->slots[i].ssrc == ssrc)
            return &transport->slots[i];
    }
    return NULL;
}

/*
 * The peer's NTP clock against ours. The least delay is nearest the truth; one value for the
 * whole transport, so that its audio and video keep together.
 */
static void clock_learn(struct transport *transport, uint64_t ntp)
{
    const int64_t second = INT64_C(1) << 32;
    int64_t shift = (int64_t)(clock_ntp() - ntp);
    int64_t apart = shift - transport->clock_shift;
    if (!transport->clock_known || apart < 0 || apart > second)
        transport->clock_shift = shift;
    else
        transport->clock_shift += apart >> REPORTS_CLOCK_SHIFT;
    transport->clock_known = true;
}

static void take_sender(struct transport *transport, const struct rtcp_packet *packet)
{
    for (uint8_t i = 0; i < transport->ssrc_count; i++) {
        const struct ssrc_entry *entry = &transport->ssrcs[i];
        if (entry->ssrc != packet->sender_ssrc || entry->repair)
            continue;
        clock_learn(transport, packet->sender.ntp);
        track_report(&transport->tracks[entry->track], entry->layer, packet->sender.ntp,
                     packet->sender.rtp_timestamp);
        return;
    }
}

static void take_blocks(struct transport *transport, const struct rtcp_packet *packet)
{
    uint32_t now = rtcp_ntp_middle(clock_ntp());
    for (size_t i = 0; i < packet->item_count; i++) {
        struct rtcp_block block = rtcp_block_at(packet, i);
        struct slot *slot = slot_of(transport, block.ssrc);
        if (slot == NULL)
            continue;
        transport->worker->counters.downlink_lost += slot_stats_report(&slot->stats, &block);
        uint32_t round_trip;
        if (rtcp_round_trip(now, block.last_sr, block.delay_since_sr, &round_trip)) {
            transport->rtt_ms = (uint32_t)((uint64_t)round_trip * 1000 >> 16) + 1;
            loss_round_trip(&transport->loss, transport->rtt_ms);
        }
        loss_reported(&transport->loss, block.fraction_lost, worker_now_ms(transport->worker));
        if (slot->kind == MEDIA_VIDEO)
            downlink_report(transport, block.fraction_lost);
    }
}

static void take_nacks(struct transport *transport, const struct rtcp_packet *packet)
{
    struct slot *slot = slot_of(transport, packet->media_ssrc);
    uint16_t sequences[REPORTS_NACKS_MAX];
    if (slot == NULL)
        return;
    size_t count = rtcp_nack_list(packet, sequences, REPORTS_NACKS_MAX);
    for (size_t i = 0; i < count; i++)
        slot_repair(transport->worker, slot, sequences[i]);
}

static void take_refresh(struct transport *transport, uint32_t ssrc)
{
    struct slot *slot = slot_of(transport, ssrc);
    if (slot == NULL)
        return;
    transport->worker->counters.plis_received++;
    slot_refresh(transport->worker, slot);
}

static void take_feedback(struct transport *transport, const struct rtcp_packet *packet)
{
    struct twcc_feedback feedback;
    struct twcc_report reports[REPORTS_TWCC_MAX];
    size_t count;
    if (twcc_parse(packet->bytes, packet->length, &feedback, reports, REPORTS_TWCC_MAX, &count) !=
        STATUS_OK)
        return;
    uint32_t lost = 0;
    for (size_t i = 0; i < count; i++)
        lost += !reports[i].received;
    transport->worker->counters.lost_reported += lost;
    loss_counted(&transport->loss, (uint32_t)count - lost, lost, worker_now_ms(transport->worker));
    downlink_feedback(transport->worker, transport, reports, count);
}

static void answer_reference_time(struct transport *transport, const struct rtcp_packet *packet)
{
    uint64_t ntp;
    if (!rtcp_xr_reference_time(packet, &ntp))
        return;
    struct compound compound;
    const struct rtcp_dlrr dlrr = {.ssrc = packet->sender_ssrc, .last_rr = rtcp_ntp_middle(ntp)};
    compound_begin(&compound, transport, NULL, 0);
    if (rtcp_write_xr_dlrr(&compound.writer, transport->rtcp_ssrc, &dlrr, 1) == STATUS_OK)
        compound_send(&compound);
}

static void take_packet(struct transport *transport, const struct rtcp_packet *packet)
{
    switch (packet->kind) {
    case RTCP_SR:
        take_sender(transport, packet);
        take_blocks(transport, packet);
        break;
    case RTCP_RR:
        take_blocks(transport, packet);
        break;
    case RTCP_NACK:
        take_nacks(transport, packet);
        break;
    case RTCP_PLI:
        take_refresh(transport, packet->media_ssrc);
        break;
    case RTCP_FIR:
        for (size_t i = 0; i < packet->item_count; i++)
            take_refresh(transport, rtcp_ssrc_at(packet, i));
        break;
    case RTCP_REMB:
        transport->remb = packet->bitrate;
        downlink_remb(transport->worker, transport, packet->bitrate);
        break;
    case RTCP_TWCC:
        take_feedback(transport, packet);
        break;
    case RTCP_XR:
        answer_reference_time(transport, packet);
        break;
    case RTCP_SDES:
    case RTCP_BYE: /* a stopped track is known by its silence, and may come back */
    case RTCP_OTHER:
    case RTCP_BROKEN:
        break;
    }
}

void reports_receive(struct transport *transport, const uint8_t *bytes, size_t length)
{
    struct rtcp_walk walk;
    struct rtcp_packet packet;
    if (rtcp_walk_new(bytes, length, &walk) != STATUS_OK) {
        transport->worker->counters.dropped_malformed++;
        return;
    }
    while (rtcp_walk_next(&walk, &packet))
        take_packet(transport, &packet);
}
