#include "media/rtp/av1.h"

#include "core/bytes.h"
#include "media/rtp/bits.h"

enum {
    OBU_SEQUENCE_HEADER = 1,
    OBU_EXTENSION_BIT = 0x04,
    OBU_SIZE_BIT = 0x02,
    LEB128_BYTES_MAX = 8,
    OPERATING_LEVEL_TIERED = 7, /* above it a tier bit follows */
};

/* AV1 4.10.5. A value beyond 32 bits fails the reader. */
static size_t leb128_read(struct reader *reader)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < LEB128_BYTES_MAX; i++) {
        uint8_t octet = reader_u8(reader);
        value |= (uint64_t)(octet & 0x7F) << (7 * i);
        if (!(octet & 0x80)) {
            if (value > UINT32_MAX)
                reader->failed = true;
            return (size_t)value;
        }
    }
    reader->failed = true;
    return 0;
}

/* AV1 5.5.3, 5.5.4. Returns the length of decoder buffer delays; 0: no decoder model. */
static unsigned timing_read(struct bits *bits)
{
    if (!bits_flag(bits))
        return 0;
    (void)bits_read(bits, 32); /* num_units_in_display_tick */
    (void)bits_read(bits, 32); /* time_scale */
    if (bits_flag(bits))
        (void)bits_golomb(bits); /* num_ticks_per_picture_minus_1 */
    if (!bits_flag(bits))
        return 0;
    unsigned delay_bits = bits_read(bits, 5) + 1;
    (void)bits_read(bits, 32); /* num_units_in_decoding_tick */
    (void)bits_read(bits, 10); /* two lengths */
    return delay_bits;
}

static void operating_points_skip(struct bits *bits, unsigned delay_bits)
{
    bool initial_delay = bits_flag(bits);
    unsigned count = bits_read(bits, 5) + 1;
    for (unsigned i = 0; i < count && !bits->failed; i++) {
        (void)bits_read(bits, 12); /* operating_point_idc */
        if (bits_read(bits, 5) > OPERATING_LEVEL_TIERED)
            (void)bits_flag(bits);
        if (delay_bits > 0 && bits_flag(bits)) {
            (void)bits_read(bits, delay_bits);
            (void)bits_read(bits, delay_bits);
            (void)bits_flag(bits); /* low_delay_mode_flag */
        }
        if (initial_delay && bits_flag(bits))
            (void)bits_read(bits, 4);
    }
}

/* AV1 5.5.1, as far as the largest frame's size. */
static void sequence_read(const uint8_t *obu, size_t length, struct av1_payload *payload)
{
    struct bits bits = bits_of(obu, length);
    (void)bits_read(&bits, 4); /* seq_profile, still_picture */
    if (bits_flag(&bits)) {    /* reduced_still_picture_header */
        (void)bits_read(&bits, 5);
    } else {
        unsigned delay_bits = timing_read(&bits);
        operating_points_skip(&bits, delay_bits);
    }
    unsigned width_bits = bits_read(&bits, 4) + 1, height_bits = bits_read(&bits, 4) + 1;
    uint32_t width = bits_read(&bits, width_bits) + 1, height = bits_read(&bits, height_bits) + 1;
    if (bits.failed || width > UINT16_MAX || height > UINT16_MAX)
        return;
    payload->width = (uint16_t)width;
    payload->height = (uint16_t)height;
}

/* An element that begins an OBU (AV1 5.3). It may be cut: the rest is in the next packet. */
static void obu_read(const uint8_t *obu, size_t length, struct av1_payload *payload,
                     bool *layers_known)
{
    struct reader reader = reader_of(obu, length);
    uint8_t head = reader_u8(&reader);
    if (head & OBU_EXTENSION_BIT) {
        uint8_t extension = reader_u8(&reader);
        if (!*layers_known && !reader.failed) {
            payload->temporal_id = extension >> 5;
            payload->spatial_id = extension >> 3 & 3;
            *layers_known = true;
        }
    }
    if (head & OBU_SIZE_BIT)
        (void)leb128_read(&reader);
    if (reader.failed || (head >> 3 & 0x0F) != OBU_SEQUENCE_HEADER)
        return;
    payload->has_sequence_header = true;
    sequence_read(reader.at, reader_left(&reader), payload);
}

enum status av1_parse(const uint8_t *bytes, size_t length, struct av1_payload *ret_payload)
{
    struct reader reader = reader_of(bytes, length);
    uint8_t head = reader_u8(&reader);
    struct av1_payload payload = {
        .continues_first = (head & 0x80) != 0,
        .continues_last = (head & 0x40) != 0,
        .element_count = head >> 4 & 3,
        .new_sequence = (head & 0x08) != 0,
    };
    if (reader.failed || reader_left(&reader) == 0)
        return STATUS_TRUNCATED;
    if (payload.new_sequence && payload.continues_first)
        return STATUS_INVALID;

    bool layers_known = false;
    for (size_t i = 0; reader_left(&reader) > 0; i++) {
        bool last = payload.element_count != 0 && i + 1 == payload.element_count;
        size_t size = last ? reader_left(&reader) : leb128_read(&reader);
        const uint8_t *element = reader_take(&reader, size);
        if (element == NULL)
            return STATUS_TRUNCATED;
        if (size > 0 && !(i == 0 && payload.continues_first))
            obu_read(element, size, &payload, &layers_known);
        if (!last && payload.element_count != 0 && reader_left(&reader) == 0)
            return STATUS_TRUNCATED;
    }
    *ret_payload = payload;
    return STATUS_OK;
}
