#include "media/trace/ip_frame.h"

#include "core/bytes.h"

#include <netinet/in.h>
#include <string.h>

enum {
    IPV4_HEAD = 20,
    IPV6_HEAD = 40,
    UDP_HEAD = 8,
    TCP_HEAD = 20,
    FRAME_HEAD = 2,
    IPV4_IN_IPV6 = 12, /* bytes of ::ffff:0:0/96 before the address */
    HOPS = 64,
    TCP_PUSH_ACK = 0x18,
};

/* RFC 1071, of 16-bit words in network order. */
static uint32_t sum_of(uint32_t sum, const uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i + 1 < length; i += 2)
        sum += load_be16(bytes + i);
    if (length % 2 != 0)
        sum += (uint32_t)bytes[length - 1] << 8;
    return sum;
}

static uint16_t sum_fold(uint32_t sum)
{
    while (sum >> 16 != 0)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

static size_t ip_write(const struct ip_frame *frame, uint8_t protocol, size_t length, uint8_t *out)
{
    if (ice_address_is_v4(&frame->from)) {
        memset(out, 0, IPV4_HEAD);
        out[0] = 0x45;
        store_be16(out + 2, (uint16_t)(IPV4_HEAD + length));
        store_be16(out + 6, 0x4000); /* do not fragment */
        out[8] = HOPS;
        out[9] = protocol;
        memcpy(out + 12, frame->from.ip + IPV4_IN_IPV6, 4);
        memcpy(out + 16, frame->to.ip + IPV4_IN_IPV6, 4);
        store_be16(out + 10, sum_fold(sum_of(0, out, IPV4_HEAD)));
        return IPV4_HEAD;
    }
    store_be32(out, UINT32_C(6) << 28);
    store_be16(out + 4, (uint16_t)length);
    out[6] = protocol;
    out[7] = HOPS;
    memcpy(out + 8, frame->from.ip, 16);
    memcpy(out + 24, frame->to.ip, 16);
    return IPV6_HEAD;
}

static void checksum_put(const uint8_t *ip, size_t ip_length, uint8_t protocol, uint8_t *segment,
                         size_t length, size_t at)
{
    size_t addresses = ip_length == IPV4_HEAD ? 8 : 32;
    uint32_t sum = sum_of(0, ip + ip_length - addresses, addresses);
    sum = sum_of(sum + protocol + (uint32_t)length, segment, length);
    uint16_t checksum = sum_fold(sum);
    /* RFC 768: 0 would mean that there is none. */
    store_be16(segment + at, checksum == 0 && protocol == IPPROTO_UDP ? 0xffff : checksum);
}

size_t ip_frame_write(const struct ip_frame *frame, const uint8_t *bytes, size_t length,
                      uint8_t *out)
{
    uint8_t protocol = frame->tcp ? IPPROTO_TCP : IPPROTO_UDP;
    size_t head = frame->tcp ? TCP_HEAD + FRAME_HEAD : UDP_HEAD;
    size_t ip = ip_write(frame, protocol, head + length, out);
    uint8_t *segment = out + ip;
    memset(segment, 0, head);
    store_be16(segment, frame->from.port);
    store_be16(segment + 2, frame->to.port);
    if (frame->tcp) {
        store_be32(segment + 4, frame->sequence);
        store_be32(segment + 8, frame->acknowledged);
        segment[12] = TCP_HEAD / 4 << 4;
        segment[13] = TCP_PUSH_ACK;
        store_be16(segment + 14, UINT16_MAX);
        store_be16(segment + TCP_HEAD, (uint16_t)length);
    } else {
        store_be16(segment + 4, (uint16_t)(head + length));
    }
    memcpy(segment + head, bytes, length);
    checksum_put(out, ip, protocol, segment, head + length, frame->tcp ? 16 : 6);
    return ip + head + length;
}
