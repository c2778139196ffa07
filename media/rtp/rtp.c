#include "media/rtp/rtp.h"

#include "core/bytes.h"

#include <string.h>

enum {
    RTP_VERSION = 2,
    RTP_PADDING_BIT = 0x20,
    RTP_EXTENSION_BIT = 0x10,
    RTP_MARKER_BIT = 0x80,
    RTP_BLOCK_HEADER_BYTES = 4, /* profile and length in words */
    RTP_ONE_BYTE_STOP = 15,
};

static enum rtp_extension_form form_of(uint16_t profile)
{
    if (profile == RTP_PROFILE_ONE_BYTE)
        return RTP_EXTENSION_ONE_BYTE;
    if ((profile & 0xFFF0) == RTP_PROFILE_TWO_BYTE)
        return RTP_EXTENSION_TWO_BYTE;
    return RTP_EXTENSION_OTHER;
}

enum status rtp_parse(const uint8_t *packet, size_t length, struct rtp_header *ret_header)
{
    if (length < RTP_HEADER_BYTES)
        return STATUS_TRUNCATED;
    if (packet[0] >> 6 != RTP_VERSION)
        return STATUS_INVALID;

    struct rtp_header header = {
        .padding = (packet[0] & RTP_PADDING_BIT) != 0,
        .csrc_count = packet[0] & 0x0F,
        .marker = (packet[1] & RTP_MARKER_BIT) != 0,
        .payload_type = packet[1] & 0x7F,
        .sequence = load_be16(packet + 2),
        .timestamp = load_be32(packet + 4),
        .ssrc = load_be32(packet + 8),
    };
    struct reader reader = reader_of(packet + RTP_HEADER_BYTES, length - RTP_HEADER_BYTES);
    for (size_t i = 0; i < header.csrc_count; i++)
        header.csrcs[i] = reader_be32(&reader);
    if (packet[0] & RTP_EXTENSION_BIT) {
        header.extension_profile = reader_be16(&reader);
        header.extension_length = (size_t)reader_be16(&reader) * 4;
        header.extension_offset = (size_t)(reader.at - packet);
        header.extension_form = form_of(header.extension_profile);
        (void)reader_take(&reader, header.extension_length);
    }
    if (reader.failed)
        return STATUS_TRUNCATED;

    header.payload_offset = (size_t)(reader.at - packet);
    header.payload_length = length - header.payload_offset;
    if (header.padding) {
        header.padding_length = packet[length - 1];
        if (header.padding_length == 0 || header.padding_length > header.payload_length)
            return STATUS_INVALID;
        header.payload_length -= header.padding_length;
    }
    *ret_header = header;
    return STATUS_OK;
}

bool rtp_is_rtcp(const uint8_t *packet, size_t length)
{
    return length >= 2 && packet[0] >> 6 == RTP_VERSION && packet[1] >= 192 && packet[1] <= 223;
}

/* ---- reading extension elements ---- */

struct rtp_elements rtp_elements_of(const uint8_t *packet, const struct rtp_header *header)
{
    const uint8_t *at = packet + header->extension_offset;
    return (struct rtp_elements){
        .at = at, .end = at + header->extension_length, .form = header->extension_form};
}

static bool one_byte_next(struct rtp_elements *elements, struct rtp_element *ret_element)
{
    uint8_t head = *elements->at;
    uint8_t id = head >> 4;
    uint8_t length = (uint8_t)((head & 0x0F) + 1);
    /* Id 15, and id 0 with a length, end the whole extension (RFC 8285 4.2). */
    if (id == RTP_ONE_BYTE_STOP || id == 0 ||
        (size_t)(elements->end - elements->at) < (size_t)length + 1) {
        elements->at = elements->end;
        return false;
    }
    *ret_element = (struct rtp_element){.id = id, .length = length, .value = elements->at + 1};
    elements->at += length + 1;
    return true;
}

static bool two_byte_next(struct rtp_elements *elements, struct rtp_element *ret_element)
{
    size_t left = (size_t)(elements->end - elements->at);
    if (left < 2 || left - 2 < elements->at[1]) {
        elements->at = elements->end;
        return false;
    }
    uint8_t length = elements->at[1];
    *ret_element =
        (struct rtp_element){.id = elements->at[0], .length = length, .value = elements->at + 2};
    elements->at += length + 2;
    return true;
}

bool rtp_elements_next(struct rtp_elements *elements, struct rtp_element *ret_element)
{
    if (elements->form != RTP_EXTENSION_ONE_BYTE && elements->form != RTP_EXTENSION_TWO_BYTE)
        return false;
    while (elements->at < elements->end) {
        if (*elements->at != 0)
            return elements->form == RTP_EXTENSION_ONE_BYTE ? one_byte_next(elements, ret_element)
                                                            : two_byte_next(elements, ret_element);
        elements->at++;
    }
    return false;
}

bool rtp_element_find(const uint8_t *packet, const struct rtp_header *header, uint8_t id,
                      struct rtp_element *ret_element)
{
    if (id == 0)
        return false;
    struct rtp_elements elements = rtp_elements_of(packet, header);
    struct rtp_element element;
    while (rtp_elements_next(&elements, &element)) {
        if (element.id == id) {
            *ret_element = element;
            return true;
        }
    }
    return false;
}

bool rtp_audio_level_read(const struct rtp_element *element, uint8_t *ret_level, bool *ret_voice)
{
    if (element->length != 1)
        return false;
    *ret_level = element->value[0] & 0x7F;
    *ret_voice = (element->value[0] & 0x80) != 0;
    return true;
}

bool rtp_transport_seq_read(const struct rtp_element *element, uint16_t *ret_seq)
{
    /* Version 2 of the extension has two more bytes that ask for feedback; the number is the same.
     */
    if (element->length != 2 && element->length != 4)
        return false;
    *ret_seq = load_be16(element->value);
    return true;
}

bool rtp_send_time_read(const struct rtp_element *element, uint32_t *ret_time)
{
    if (element->length != 3)
        return false;
    *ret_time = load_be24(element->value);
    return true;
}

bool rtp_text_read(const struct rtp_element *element, char *ret_text, size_t size)
{
    if (element->length == 0 || (size_t)element->length + 1 > size)
        return false;
    for (size_t i = 0; i < element->length; i++) {
        if (element->value[i] <= ' ' || element->value[i] >= 0x7F)
            return false;
    }
    memcpy(ret_text, element->value, element->length);
    ret_text[element->length] = '\0';
    return true;
}

bool rtp_orientation_read(const struct rtp_element *element, uint8_t *ret_quarters)
{
    if (element->length != 1)
        return false;
    *ret_quarters = element->value[0] & 3;
    return true;
}

/* ---- writing ---- */

/* Bytes of all elements and which form they need; 0 without elements. */
static size_t elements_size(const struct rtp_writing *writing, bool *ret_two_byte)
{
    size_t count = 0, bytes = 0;
    bool two_byte = false;
    for (size_t i = 0; i < writing->element_count; i++) {
        const struct rtp_element *element = &writing->elements[i];
        if (element->id == 0)
            continue;
        count++;
        bytes += element->length;
        if (element->id > RTP_ONE_BYTE_ID_MAX || element->length == 0 ||
            element->length > RTP_ONE_BYTE_VALUE_MAX)
            two_byte = true;
    }
    *ret_two_byte = two_byte;
    return bytes + count * (two_byte ? 2 : 1);
}

static size_t block_size(size_t elements)
{
    return elements == 0 ? 0 : RTP_BLOCK_HEADER_BYTES + ((elements + 3) & ~(size_t)3);
}

size_t rtp_write_size(const struct rtp_writing *writing)
{
    bool two_byte;
    return RTP_HEADER_BYTES + (size_t)writing->csrc_count * 4 +
           block_size(elements_size(writing, &two_byte));
}

/* Fills a block of `size` bytes, its header included. */
static void block_write(const struct rtp_writing *writing, uint8_t *block, size_t size,
                        bool two_byte)
{
    store_be16(block, two_byte ? RTP_PROFILE_TWO_BYTE : RTP_PROFILE_ONE_BYTE);
    store_be16(block + 2, (uint16_t)((size - RTP_BLOCK_HEADER_BYTES) / 4));
    uint8_t *at = block + RTP_BLOCK_HEADER_BYTES;
    for (size_t i = 0; i < writing->element_count; i++) {
        const struct rtp_element *element = &writing->elements[i];
        if (element->id == 0)
            continue;
        if (two_byte) {
            *at++ = element->id;
            *at++ = element->length;
        } else {
            *at++ = (uint8_t)(element->id << 4 | (element->length - 1));
        }
        if (element->length > 0)
            memcpy(at, element->value, element->length);
        at += element->length;
    }
    memset(at, 0, (size_t)(block + size - at));
}

enum status rtp_write(const struct rtp_writing *writing, uint8_t *ret_packet, size_t size,
                      size_t *ret_length)
{
    if (writing->csrc_count > RTP_CSRCS_MAX || writing->element_count > RTP_EXTENSIONS_MAX ||
        writing->payload_type > 0x7F)
        return STATUS_INVALID;
    bool two_byte;
    size_t block = block_size(elements_size(writing, &two_byte));
    size_t fixed = RTP_HEADER_BYTES + (size_t)writing->csrc_count * 4;
    if (fixed + block > size)
        return STATUS_TRUNCATED;

    ret_packet[0] =
        (uint8_t)(RTP_VERSION << 6 | (block > 0 ? RTP_EXTENSION_BIT : 0) | writing->csrc_count);
    ret_packet[1] = (uint8_t)((writing->marker ? RTP_MARKER_BIT : 0) | writing->payload_type);
    store_be16(ret_packet + 2, writing->sequence);
    store_be32(ret_packet + 4, writing->timestamp);
    store_be32(ret_packet + 8, writing->ssrc);
    for (size_t i = 0; i < writing->csrc_count; i++)
        store_be32(ret_packet + RTP_HEADER_BYTES + i * 4, writing->csrcs[i]);
    if (block > 0)
        block_write(writing, ret_packet + fixed, block, two_byte);
    *ret_length = fixed + block;
    return STATUS_OK;
}

enum status rtp_pad(uint8_t *packet, size_t length, size_t size, uint8_t count, size_t *ret_length)
{
    if (count == 0 || length < RTP_HEADER_BYTES || (packet[0] & RTP_PADDING_BIT) != 0)
        return STATUS_INVALID;
    if (length > size || size - length < count)
        return STATUS_TRUNCATED;
    memset(packet + length, 0, count);
    packet[length + count - 1] = count;
    packet[0] |= RTP_PADDING_BIT;
    *ret_length = length + count;
    return STATUS_OK;
}

struct rtp_element rtp_audio_level_element(uint8_t id, uint8_t level, bool voice,
                                           uint8_t ret_value[1])
{
    ret_value[0] = (uint8_t)((voice ? 0x80 : 0) | (level & 0x7F));
    return (struct rtp_element){.id = id, .length = 1, .value = ret_value};
}

struct rtp_element rtp_transport_seq_element(uint8_t id, uint16_t seq, uint8_t ret_value[2])
{
    store_be16(ret_value, seq);
    return (struct rtp_element){.id = id, .length = 2, .value = ret_value};
}

struct rtp_element rtp_send_time_element(uint8_t id, uint32_t time, uint8_t ret_value[3])
{
    store_be24(ret_value, time);
    return (struct rtp_element){.id = id, .length = 3, .value = ret_value};
}

uint32_t rtp_send_time_of(uint64_t now_ns)
{
    /* Whole seconds apart from the rest: now_ns << 18 would overflow after 20 hours. */
    uint64_t seconds = now_ns / 1000000000, rest = now_ns % 1000000000;
    return (uint32_t)((seconds << 18) + (rest << 18) / 1000000000) & 0xFFFFFF;
}

void rtp_sequence_set(uint8_t *packet, uint16_t sequence)
{
    store_be16(packet + 2, sequence);
}

void rtp_timestamp_set(uint8_t *packet, uint32_t timestamp)
{
    store_be32(packet + 4, timestamp);
}

void rtp_ssrc_set(uint8_t *packet, uint32_t ssrc)
{
    store_be32(packet + 8, ssrc);
}

void rtp_payload_type_set(uint8_t *packet, uint8_t payload_type)
{
    packet[1] = (uint8_t)((packet[1] & RTP_MARKER_BIT) | (payload_type & 0x7F));
}

void rtp_marker_set(uint8_t *packet, bool marker)
{
    packet[1] = (uint8_t)((marker ? RTP_MARKER_BIT : 0) | (packet[1] & 0x7F));
}
