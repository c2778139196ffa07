#include "media/rtp/rtx.h"

#include "core/bytes.h"

#include <string.h>

enum { RTX_PADDING_BIT = 0x20 };

enum status rtx_wrap(const uint8_t *packet, size_t length, uint8_t rtx_payload_type,
                     uint32_t rtx_ssrc, uint16_t rtx_sequence, uint8_t *ret_packet, size_t size,
                     size_t *ret_length)
{
    struct rtp_header header;
    enum status status = rtp_parse(packet, length, &header);
    if (status != STATUS_OK)
        return status;
    size_t total = header.payload_offset + RTX_OSN_BYTES + header.payload_length;
    if (total > size)
        return STATUS_TRUNCATED;

    memcpy(ret_packet, packet, header.payload_offset);
    ret_packet[0] &= (uint8_t)~RTX_PADDING_BIT;
    rtp_payload_type_set(ret_packet, rtx_payload_type);
    rtp_sequence_set(ret_packet, rtx_sequence);
    rtp_ssrc_set(ret_packet, rtx_ssrc);
    store_be16(ret_packet + header.payload_offset, header.sequence);
    memcpy(ret_packet + header.payload_offset + RTX_OSN_BYTES, packet + header.payload_offset,
           header.payload_length);
    *ret_length = total;
    return STATUS_OK;
}

enum status rtx_unwrap(uint8_t *packet, size_t *length, struct rtp_header *header,
                       uint8_t payload_type, uint32_t ssrc)
{
    if (header->payload_length == 0)
        return STATUS_NOT_FOUND;
    if (header->payload_length < RTX_OSN_BYTES)
        return STATUS_TRUNCATED;

    uint8_t *payload = packet + header->payload_offset;
    uint16_t sequence = load_be16(payload);
    /* Padding moves along: its count is the last byte. */
    memmove(payload, payload + RTX_OSN_BYTES,
            header->payload_length - RTX_OSN_BYTES + header->padding_length);
    rtp_sequence_set(packet, sequence);
    rtp_payload_type_set(packet, payload_type);
    rtp_ssrc_set(packet, ssrc);
    header->sequence = sequence;
    header->payload_type = payload_type & 0x7F;
    header->ssrc = ssrc;
    header->payload_length -= RTX_OSN_BYTES;
    *length -= RTX_OSN_BYTES;
    return STATUS_OK;
}
