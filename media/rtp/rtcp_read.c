#include "media/rtp/rtcp_wire.h"

#include "core/bytes.h"

static size_t whole_length(const uint8_t *packet)
{
    return ((size_t)load_be16(packet + 2) + 1) * 4;
}

enum status rtcp_walk_new(const uint8_t *compound, size_t length, struct rtcp_walk *ret_walk)
{
    const uint8_t *end = compound + length;
    if (length < RTCP_HEADER_BYTES)
        return STATUS_TRUNCATED;
    for (const uint8_t *at = compound; at < end; at += whole_length(at)) {
        if ((size_t)(end - at) < RTCP_HEADER_BYTES || whole_length(at) > (size_t)(end - at))
            return STATUS_TRUNCATED;
        if (at[0] >> 6 != RTCP_VERSION)
            return STATUS_INVALID;
    }
    *ret_walk = (struct rtcp_walk){.at = compound, .end = end};
    return STATUS_OK;
}

static enum rtcp_kind report_read(struct rtcp_packet *packet, size_t blocks_at)
{
    if (packet->length < blocks_at + (size_t)packet->count * RTCP_BLOCK_BYTES)
        return RTCP_BROKEN;
    packet->sender_ssrc = load_be32(packet->bytes + 4);
    packet->item_count = packet->count;
    if (packet->type != RTCP_TYPE_SR)
        return RTCP_RR;
    packet->sender = (struct rtcp_sender){
        .ntp = load_be64(packet->bytes + 8),
        .rtp_timestamp = load_be32(packet->bytes + 16),
        .packets = load_be32(packet->bytes + 20),
        .bytes = load_be32(packet->bytes + 24),
    };
    return RTCP_SR;
}

static enum rtcp_kind bye_read(struct rtcp_packet *packet)
{
    if (packet->length < RTCP_HEADER_BYTES + (size_t)packet->count * 4)
        return RTCP_BROKEN;
    packet->item_count = packet->count;
    if (packet->count > 0)
        packet->sender_ssrc = load_be32(packet->bytes + 4);
    return RTCP_BYE;
}

/* Entries of `size` bytes after the feedback header; at least one. */
static enum rtcp_kind entries_read(struct rtcp_packet *packet, size_t size, enum rtcp_kind kind)
{
    packet->item_count = (packet->length - RTCP_FEEDBACK_BYTES) / size;
    return packet->item_count > 0 ? kind : RTCP_BROKEN;
}

/* draft-alvestrand-rmcat-remb-03 2.2 */
static enum rtcp_kind application_read(struct rtcp_packet *packet)
{
    const uint8_t *body = packet->bytes + RTCP_FEEDBACK_BYTES;
    if (packet->length < RTCP_REMB_BYTES || load_be32(body) != RTCP_REMB_NAME)
        return RTCP_OTHER;
    unsigned exponent = body[5] >> 2;
    uint64_t mantissa = load_be24(body + 5) & RTCP_REMB_MANTISSA_MAX;
    packet->bitrate = mantissa << exponent;
    packet->item_count = body[4];
    if (packet->bitrate >> exponent != mantissa ||
        packet->length < RTCP_REMB_BYTES + packet->item_count * 4)
        return RTCP_BROKEN;
    return RTCP_REMB;
}

static enum rtcp_kind feedback_read(struct rtcp_packet *packet)
{
    if (packet->length < RTCP_FEEDBACK_BYTES)
        return RTCP_BROKEN;
    packet->sender_ssrc = load_be32(packet->bytes + 4);
    packet->media_ssrc = load_be32(packet->bytes + 8);
    if (packet->type == RTCP_TYPE_RTPFB) {
        if (packet->count == RTCP_FMT_NACK)
            return entries_read(packet, 4, RTCP_NACK);
        if (packet->count == RTCP_FMT_TWCC)
            return packet->length >= RTCP_TWCC_BYTES ? RTCP_TWCC : RTCP_BROKEN;
        return RTCP_OTHER;
    }
    if (packet->count == RTCP_FMT_PLI)
        return RTCP_PLI;
    if (packet->count == RTCP_FMT_FIR)
        return entries_read(packet, RTCP_FIR_BYTES, RTCP_FIR);
    if (packet->count == RTCP_FMT_AFB)
        return application_read(packet);
    return RTCP_OTHER;
}

static enum rtcp_kind kind_read(struct rtcp_packet *packet)
{
    switch (packet->type) {
    case RTCP_TYPE_SR:
        return report_read(packet, RTCP_SR_BYTES);
    case RTCP_TYPE_RR:
        return report_read(packet, RTCP_RR_BYTES);
    case RTCP_TYPE_SDES:
        return RTCP_SDES;
    case RTCP_TYPE_BYE:
        return bye_read(packet);
    case RTCP_TYPE_RTPFB:
    case RTCP_TYPE_PSFB:
        return feedback_read(packet);
    case RTCP_TYPE_XR:
        if (packet->length < RTCP_RR_BYTES)
            return RTCP_BROKEN;
        packet->sender_ssrc = load_be32(packet->bytes + 4);
        return RTCP_XR;
    default:
        return RTCP_OTHER;
    }
}

bool rtcp_walk_next(struct rtcp_walk *walk, struct rtcp_packet *ret_packet)
{
    if (walk->at >= walk->end)
        return false;
    size_t length = whole_length(walk->at);
    *ret_packet = (struct rtcp_packet){
        .type = walk->at[1],
        .count = walk->at[0] & 0x1F,
        .bytes = walk->at,
        .length = length,
    };
    walk->at += length;
    if (ret_packet->bytes[0] & RTCP_PADDING_BIT) {
        /* Multiples of four by RFC 3550 6.4.1, but libwebrtc pads its feedback by 1 to 3. */
        size_t padding = ret_packet->bytes[length - 1];
        if (padding == 0 || padding > length - RTCP_HEADER_BYTES) {
            ret_packet->kind = RTCP_BROKEN;
            return true;
        }
        ret_packet->length -= padding;
    }
    ret_packet->kind = kind_read(ret_packet);
    return true;
}

struct rtcp_block rtcp_block_at(const struct rtcp_packet *packet, size_t index)
{
    const uint8_t *at = packet->bytes + (packet->kind == RTCP_SR ? RTCP_SR_BYTES : RTCP_RR_BYTES) +
                        index * RTCP_BLOCK_BYTES;
    uint32_t lost = load_be24(at + 5);
    return (struct rtcp_block){
        .ssrc = load_be32(at),
        .fraction_lost = at[4],
        .cumulative_lost = lost & 0x800000 ? (int32_t)lost - (1 << 24) : (int32_t)lost,
        .highest_sequence = load_be32(at + 8),
        .jitter = load_be32(at + 12),
        .last_sr = load_be32(at + 16),
        .delay_since_sr = load_be32(at + 20),
    };
}

uint32_t rtcp_ssrc_at(const struct rtcp_packet *packet, size_t index)
{
    if (packet->kind == RTCP_FIR)
        return load_be32(packet->bytes + RTCP_FEEDBACK_BYTES + index * RTCP_FIR_BYTES);
    size_t first = packet->kind == RTCP_REMB ? RTCP_REMB_BYTES : RTCP_HEADER_BYTES;
    return load_be32(packet->bytes + first + index * 4);
}

uint8_t rtcp_fir_sequence_at(const struct rtcp_packet *packet, size_t index)
{
    return packet->bytes[RTCP_FEEDBACK_BYTES + index * RTCP_FIR_BYTES + 4];
}

uint16_t rtcp_nack_at(const struct rtcp_packet *packet, size_t index, uint16_t *ret_mask)
{
    const uint8_t *at = packet->bytes + RTCP_FEEDBACK_BYTES + index * 4;
    *ret_mask = load_be16(at + 2);
    return load_be16(at);
}

size_t rtcp_nack_list(const struct rtcp_packet *packet, uint16_t *ret_sequences, size_t max)
{
    size_t count = 0;
    for (size_t i = 0; i < packet->item_count && count < max; i++) {
        uint16_t mask;
        uint16_t first = rtcp_nack_at(packet, i, &mask);
        ret_sequences[count++] = first;
        for (unsigned bit = 0; bit < RTCP_NACK_SPAN - 1 && count < max; bit++) {
            if (mask >> bit & 1)
                ret_sequences[count++] = (uint16_t)(first + bit + 1);
        }
    }
    return count;
}

/* The next report block of an XR (RFC 3611 3); false at the end or where one does not fit. */
static bool xr_block_next(struct reader *reader, uint8_t *ret_type, struct reader *ret_body)
{
    uint8_t type = reader_u8(reader);
    (void)reader_u8(reader);
    size_t length = (size_t)reader_be16(reader) * 4;
    const uint8_t *body = reader_take(reader, length);
    if (body == NULL)
        return false;
    *ret_type = type;
    *ret_body = reader_of(body, length);
    return true;
}

bool rtcp_xr_reference_time(const struct rtcp_packet *packet, uint64_t *ret_ntp)
{
    struct reader reader = reader_of(packet->bytes + RTCP_RR_BYTES, packet->length - RTCP_RR_BYTES);
    uint8_t type;
    struct reader body;
    while (xr_block_next(&reader, &type, &body)) {
        const uint8_t *ntp = type == RTCP_XR_REFERENCE_TIME ? reader_take(&body, 8) : NULL;
        if (ntp != NULL) {
            *ret_ntp = load_be64(ntp);
            return true;
        }
    }
    return false;
}

bool rtcp_xr_dlrr_find(const struct rtcp_packet *packet, uint32_t ssrc, struct rtcp_dlrr *ret_dlrr)
{
    struct reader reader = reader_of(packet->bytes + RTCP_RR_BYTES, packet->length - RTCP_RR_BYTES);
    uint8_t type;
    struct reader body;
    while (xr_block_next(&reader, &type, &body)) {
        if (type != RTCP_XR_DLRR)
            continue;
        for (const uint8_t *at; (at = reader_take(&body, RTCP_DLRR_BYTES)) != NULL;) {
            if (load_be32(at) != ssrc)
                continue;
            *ret_dlrr = (struct rtcp_dlrr){
                .ssrc = ssrc, .last_rr = load_be32(at + 4), .delay_since_rr = load_be32(at + 8)};
            return true;
        }
    }
    return false;
}

bool rtcp_round_trip(uint32_t now, uint32_t last, uint32_t delay, uint32_t *ret_round_trip)
{
    uint32_t round_trip = now - last - delay;
    /* The upper half is a small negative number: clocks that tick differently. */
    if (last == 0 || round_trip > INT32_MAX)
        return false;
    *ret_round_trip = round_trip;
    return true;
}

uint32_t rtcp_ntp_middle(uint64_t ntp)
{
    return (uint32_t)(ntp >> 16);
}
