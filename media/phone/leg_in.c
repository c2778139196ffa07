/* media/phone/leg_in.c - datagrams that come to a leg's ports. */
#include "core/clock.h"
#include "media/phone/leg.h"
#include "media/rtp/rtp.h"

#include <string.h>
#include <sys/socket.h>

enum { RTCP_BYTES_MAX = 1500 };

void leg_in_reset(struct leg *leg)
{
    struct leg_in *in = &leg->in;
    in->lost_before += in->jitter.lost;
    in->late_before += in->jitter.late;
    in->jitter.lost = in->jitter.late = 0;
    jitter_clear(&in->jitter, worker_packets(leg->worker));
    jitter_init(&in->jitter, voice_clock(in->codec));
    leg->voice.count = 0;
    in->comfort = false;
}

/* ---- digits ---- */

static void digit_tell(const struct leg *leg, const struct digit *digit)
{
    if (leg_events(leg)->digit != NULL)
        leg_events(leg)->digit(leg->phone->config.context, leg->id, digit->key, digit->duration_ms,
                               MEDIA_LEG_DIGIT_EVENT);
}

void leg_digits(struct leg *leg, uint64_t now_ms)
{
    struct digit digit;
    if (digits_tick(&leg->in.digits, now_ms, &digit))
        digit_tell(leg, &digit);
}

static const struct media_leg_event *event_of(const struct leg *leg, uint8_t type)
{
    for (size_t i = 0; i < leg->stream.event_count; i++) {
        if (leg->stream.events[i].receive == type)
            return &leg->stream.events[i];
    }
    return NULL;
}

static const struct media_leg_format *format_of(const struct leg *leg, uint8_t type)
{
    for (size_t i = 0; i < leg->stream.format_count; i++) {
        if (leg->stream.formats[i].receive == type)
            return &leg->stream.formats[i];
    }
    return NULL;
}

static void event_take(struct leg *leg, const struct packet *packet,
                       const struct rtp_header *header, uint32_t clock, uint64_t now_ms)
{
    struct telephone_event event;
    struct digit digits[DIGITS_AT_ONCE];
    if (telephone_event_read(packet->data + header->payload_offset, header->payload_length,
                             &event) != STATUS_OK)
        return;
    size_t count = digits_packet(&leg->in.digits, &event, header->timestamp, clock, now_ms, digits);
    for (size_t i = 0; i < count; i++)
        digit_tell(leg, &digits[i]);
}

/* ---- RTP ---- */

static void stream_begin(struct leg *leg, uint32_t ssrc, enum voice_codec codec)
{
    struct leg_in *in = &leg->in;
    if (in->known && in->ssrc == ssrc && in->codec == codec)
        return;
    bool same_clock = in->known && in->ssrc == ssrc && voice_clock(in->codec) == voice_clock(codec);
    in->ssrc = ssrc;
    in->codec = codec;
    leg_in_reset(leg);
    if (!same_clock)
        recv_stats_init(&in->stats, voice_clock(codec));
    in->known = true;
}

static void media_take(struct leg *leg, struct packet *packet, const struct rtp_header *header,
                       uint64_t now_ms)
{
    const struct media_leg_event *event = event_of(leg, header->payload_type);
    const struct media_leg_format *format = format_of(leg, header->payload_type);
    struct leg_in *in = &leg->in;
    stream_begin(leg, header->ssrc, format != NULL ? leg_codec(format) : in->codec);
    if (recv_stats_packet(&in->stats, header->sequence, header->timestamp, header->payload_length,
                          packet->arrived_ns / CLOCK_NS_PER_US) == RECV_REJECTED)
        return;
    if (event != NULL)
        event_take(leg, packet, header, event->clock, now_ms);
    else if (format == NULL)
        in->comfort = noise_read(packet->data + header->payload_offset, header->payload_length,
                                 &in->comfort_level) == STATUS_OK;
    packet->payload_offset = (uint16_t)header->payload_offset;
    packet->payload_length = (uint16_t)header->payload_length;
    bool voice = event == NULL && format != NULL && header->payload_length > 0;
    (void)!jitter_put(&in->jitter, voice ? packet : NULL, header->sequence, header->timestamp,
                      now_ms, worker_packets(leg->worker));
    phone_wake(leg->phone, leg->beat);
}

static bool type_known(const struct leg *leg, uint8_t type)
{
    return format_of(leg, type) != NULL || event_of(leg, type) != NULL ||
           (leg->stream.comfort_type != MEDIA_LEG_PT_NONE && leg->stream.comfort_type == type);
}

static void rtp_take(struct leg *leg, struct packet *packet, uint64_t now_ms)
{
    struct rtp_header header;
    size_t length = packet->length;
    uint64_t index;
    if (rtp_parse(packet->data, packet->length, &header) != STATUS_OK ||
        !type_known(leg, header.payload_type) || !leg_keys_ready(leg) ||
        (leg->keys.unprotector != NULL &&
         (unprotector_rtp(leg->keys.unprotector, packet->data, packet->length, &length, &index) !=
              STATUS_OK ||
          rtp_parse(packet->data, length, &header) != STATUS_OK))) {
        leg->in.strangers++;
        return;
    }
    const struct latch_packet seen = {.from = packet->from.address,
                                      .ssrc = header.ssrc,
                                      .sequence = header.sequence,
                                      .authentic = leg->keys.unprotector != NULL};
    if (!latch_take(&leg->latch, &seen, now_ms)) {
        leg->in.strangers++;
        return;
    }
    packet->length = (uint16_t)length;
    leg->in.heard_ms = now_ms;
    leg->in.received++;
    if (leg->stream.hearing)
        media_take(leg, packet, &header, now_ms);
}

static void datagram_take(struct leg *leg, struct packet *packet)
{
    uint64_t now_ms = worker_now_ms(leg->worker);
    enum ice_kind kind = ice_kind_of(packet->data, packet->length);
    if (kind == ICE_KIND_RTP && leg->negotiated)
        rtp_take(leg, packet, now_ms);
    else if (kind == ICE_KIND_DTLS)
        leg_keys_dtls(leg, packet->data, packet->length, &packet->from.address);
    else if (kind == ICE_KIND_RTCP && leg->stream.rtcp_mux &&
             latch_near(&leg->latch, &packet->from.address))
        leg_rtcp_take(leg, packet->data, packet->length, packet->arrived_ns);
}

void leg_readable(void *context, uint32_t events)
{
    struct leg *leg = context;
    struct worker *worker = leg->phone->worker;
    struct mmsghdr headers[PHONE_BATCH];
    struct iovec vectors[PHONE_BATCH];
    struct sockaddr_storage addresses[PHONE_BATCH];
    uint8_t bytes[PHONE_BATCH][PACKET_BYTES_MAX];
    (void)events;
    for (int i = 0; i < PHONE_BATCH; i++) {
        vectors[i] = (struct iovec){&bytes[i], sizeof bytes[i]};
        headers[i].msg_hdr = (struct msghdr){.msg_name = &addresses[i],
                                             .msg_namelen = sizeof addresses[i],
                                             .msg_iov = &vectors[i],
                                             .msg_iovlen = 1};
    }
    int got = recvmmsg(leg->fd, headers, PHONE_BATCH, MSG_DONTWAIT, NULL);
    for (int i = 0; i < got; i++) {
        struct ice_path from = {0};
        worker->counters.received++;
        worker->counters.received_bytes += headers[i].msg_len;
        if (leg->ended || (headers[i].msg_hdr.msg_flags & MSG_TRUNC) != 0 ||
            ice_address_from((const struct sockaddr *)&addresses[i], &from.address) != STATUS_OK)
            continue;
        struct packet *packet = worker_packet(worker, &from, bytes[i], headers[i].msg_len);
        if (packet == NULL)
            continue;
        datagram_take(leg, packet);
        packet_unref(packet, worker->packets);
    }
}

void leg_rtcp_readable(void *context, uint32_t events)
{
    struct leg *leg = context;
    uint8_t bytes[RTCP_BYTES_MAX];
    struct sockaddr_storage address;
    struct ice_address from;
    socklen_t length = sizeof address;
    (void)events;
    ssize_t got = recvfrom(leg->rtcp_fd, bytes, sizeof bytes, MSG_DONTWAIT,
                           (struct sockaddr *)&address, &length);
    if (got <= 0 || leg->ended || !leg->negotiated || leg->stream.rtcp_mux ||
        ice_address_from((const struct sockaddr *)&address, &from) != STATUS_OK ||
        !latch_near(&leg->latch, &from))
        return;
    leg_rtcp_take(leg, bytes, (size_t)got, worker_now_ns(leg->worker));
}
