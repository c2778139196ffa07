/* media/phone/leg_rtcp.c - a leg's reports (RFC 3550 6). */
#include "core/clock.h"
#include "media/phone/leg.h"
#include "media/rtp/rtcp.h"

#include <string.h>

enum { COMPOUND_BYTES = 256, SECOND_MS = 1000, ROUND_TRIP_UNIT = 65536, RTCP_PORT_STEP = 1 };

static void block_take(struct leg *leg, const struct rtcp_packet *packet)
{
    for (size_t i = 0; i < packet->item_count; i++) {
        struct rtcp_block block = rtcp_block_at(packet, i);
        uint32_t round_trip;
        if (block.ssrc != leg->out.ssrc)
            continue;
        leg->rtcp.remote_loss = block.fraction_lost;
        if (rtcp_round_trip(rtcp_ntp_middle(clock_ntp()), block.last_sr, block.delay_since_sr,
                            &round_trip))
            leg->rtcp.round_trip_ms =
                (uint32_t)((uint64_t)round_trip * SECOND_MS / ROUND_TRIP_UNIT);
    }
}

static void compound_take(struct leg *leg, const uint8_t *bytes, size_t length, uint64_t now_ns)
{
    struct rtcp_walk walk;
    struct rtcp_packet packet;
    if (rtcp_walk_new(bytes, length, &walk) != STATUS_OK)
        return;
    while (rtcp_walk_next(&walk, &packet)) {
        if (packet.kind == RTCP_SR && leg->in.known && packet.sender_ssrc == leg->in.ssrc)
            recv_stats_sr(&leg->in.stats, &packet.sender, now_ns / CLOCK_NS_PER_US);
        if (packet.kind == RTCP_SR || packet.kind == RTCP_RR)
            block_take(leg, &packet);
    }
}

void leg_rtcp_take(struct leg *leg, const uint8_t *bytes, size_t length, uint64_t now_ns)
{
    uint8_t open[LEG_PACKET_BYTES];
    if (!leg->negotiated || !leg_keys_ready(leg) || length > sizeof open)
        return;
    memcpy(open, bytes, length);
    if (leg->keys.unprotector != NULL &&
        unprotector_rtcp(leg->keys.unprotector, open, length, &length) != STATUS_OK) {
        leg->in.strangers++;
        return;
    }
    compound_take(leg, open, length, now_ns);
}

static struct ice_address rtcp_target(const struct leg *leg)
{
    struct ice_address to = leg->latch.target;
    if (leg->stream.rtcp_mux || to.port == 0)
        return to;
    bool moved = !ice_address_equal(&leg->latch.target, &leg->latch.signalled);
    if (leg->rtcp_signalled.port != 0 && !moved)
        return leg->rtcp_signalled;
    to.port = (uint16_t)(to.port + RTCP_PORT_STEP);
    return to;
}

static enum status compound_write(struct leg *leg, struct rtcp_writer *writer, uint64_t now_ns,
                                  bool bye)
{
    struct rtcp_block block;
    size_t blocks = leg->in.known && recv_stats_block(&leg->in.stats, leg->in.ssrc,
                                                      now_ns / CLOCK_NS_PER_US, &block)
                        ? 1
                        : 0;
    uint64_t passed_ms = now_ns / CLOCK_NS_PER_MS - leg->out.sent_ms;
    const struct rtcp_sender sender = {
        .ntp = clock_ntp(),
        .rtp_timestamp = leg->out.last_timestamp +
                         (uint32_t)(passed_ms * voice_clock(leg->out.codec) / SECOND_MS),
        .packets = (uint32_t)leg->out.packets,
        .bytes = (uint32_t)leg->out.bytes,
    };
    enum status status = leg->out.packets > 0 && passed_ms < 2 * LEG_REPORT_MS
                             ? rtcp_write_sr(writer, leg->out.ssrc, &sender, &block, blocks)
                             : rtcp_write_rr(writer, leg->out.ssrc, &block, blocks);
    if (status == STATUS_OK)
        status = rtcp_write_sdes(writer, leg->out.ssrc, leg->rtcp.cname);
    if (status == STATUS_OK && bye)
        status = rtcp_write_bye(writer, &leg->out.ssrc, 1);
    return status;
}

void leg_rtcp_send(struct leg *leg, uint64_t now_ns, bool bye)
{
    uint8_t bytes[COMPOUND_BYTES];
    const struct ice_address to = rtcp_target(leg);
    leg->rtcp.reported_ms = now_ns / CLOCK_NS_PER_MS;
    if (to.port == 0 || !leg_keys_ready(leg))
        return;
    struct rtcp_writer writer = rtcp_writer_of(bytes, sizeof bytes - PROTECTOR_RTCP_TAIL_MAX);
    if (compound_write(leg, &writer, now_ns, bye) != STATUS_OK)
        return;
    size_t length = writer.length;
    if (leg->keys.protector != NULL &&
        protector_rtcp(leg->keys.protector, bytes, length, sizeof bytes, &length) != STATUS_OK)
        return;
    leg_send(leg, leg->stream.rtcp_mux ? leg->fd : leg->rtcp_fd, &to, bytes, length);
}
