#include "media/rtp/vp9.h"

#include "core/bytes.h"
#include "media/rtp/bits.h"

enum {
    VP9_SYNC_CODE = 0x498342,
    VP9_COLOR_RGB = 7,
};

static void picture_id_read(struct reader *reader, const uint8_t *payload,
                            struct vp9_descriptor *descriptor)
{
    descriptor->picture_id_offset = (uint8_t)(reader->at - payload);
    uint8_t octet = reader_u8(reader);
    descriptor->long_picture_id = (octet & 0x80) != 0;
    descriptor->picture_id = octet & 0x7F;
    if (descriptor->long_picture_id)
        descriptor->picture_id = (uint16_t)(descriptor->picture_id << 8 | reader_u8(reader));
}

static void layers_read(struct reader *reader, const uint8_t *payload,
                        struct vp9_descriptor *descriptor)
{
    uint8_t octet = reader_u8(reader);
    descriptor->tid = octet >> 5;
    descriptor->switching_up = (octet & 0x10) != 0;
    descriptor->sid = octet >> 1 & 7;
    descriptor->inter_layer = (octet & 1) != 0;
    if (!descriptor->flexible) {
        descriptor->tl0picidx_offset = (uint8_t)(reader->at - payload);
        descriptor->tl0picidx = reader_u8(reader);
    }
}

static enum status references_read(struct reader *reader, struct vp9_descriptor *descriptor)
{
    bool more = true;
    while (more) {
        if (descriptor->reference_count == VP9_REFERENCES_MAX)
            return STATUS_INVALID;
        uint8_t octet = reader_u8(reader);
        more = (octet & 1) != 0;
        descriptor->references[descriptor->reference_count++] = octet >> 1;
    }
    return STATUS_OK;
}

/* RFC 9628 4.2.1; the picture group is stepped over. */
static void structure_read(struct reader *reader, struct vp9_descriptor *descriptor)
{
    uint8_t head = reader_u8(reader);
    descriptor->spatial_count = (uint8_t)((head >> 5) + 1);
    if (head & 0x10) {
        for (size_t i = 0; i < descriptor->spatial_count; i++) {
            descriptor->widths[i] = reader_be16(reader);
            descriptor->heights[i] = reader_be16(reader);
        }
    }
    if (head & 0x08) {
        uint8_t pictures = reader_u8(reader);
        for (size_t i = 0; i < pictures && !reader->failed; i++)
            (void)reader_take(reader, reader_u8(reader) >> 2 & 3);
    }
}

/* Size from a key frame's uncompressed header (VP9 bitstream specification 6.2). */
static void frame_read(const uint8_t *frame, size_t length, struct vp9_descriptor *descriptor)
{
    struct bits bits = bits_of(frame, length);
    bool marker_good = bits_read(&bits, 2) == 2;
    unsigned profile = bits_read(&bits, 1);
    profile |= bits_read(&bits, 1) << 1;
    if (profile == 3)
        (void)bits_flag(&bits);
    bool show_existing = bits_flag(&bits);
    bool inter = bits_flag(&bits);
    (void)bits_read(&bits, 2); /* show_frame, error_resilient_mode */
    if (!marker_good || show_existing || inter || bits_read(&bits, 24) != VP9_SYNC_CODE)
        return;
    if (profile >= 2)
        (void)bits_flag(&bits); /* bit depth */
    bool subsampling_said = profile == 1 || profile == 3;
    if (bits_read(&bits, 3) == VP9_COLOR_RGB)
        (void)bits_read(&bits, subsampling_said ? 1 : 0);
    else
        (void)bits_read(&bits, subsampling_said ? 4 : 1);
    uint32_t width = bits_read(&bits, 16) + 1, height = bits_read(&bits, 16) + 1;
    if (bits.failed || width > UINT16_MAX || height > UINT16_MAX)
        return;
    descriptor->width = (uint16_t)width;
    descriptor->height = (uint16_t)height;
}

enum status vp9_parse(const uint8_t *payload, size_t length, struct vp9_descriptor *ret_descriptor)
{
    struct reader reader = reader_of(payload, length);
    uint8_t first = reader_u8(&reader);
    struct vp9_descriptor descriptor = {
        .has_picture_id = (first & 0x80) != 0,
        .inter_picture = (first & 0x40) != 0,
        .has_layers = (first & 0x20) != 0,
        .flexible = (first & 0x10) != 0,
        .frame_start = (first & 0x08) != 0,
        .frame_end = (first & 0x04) != 0,
        .has_structure = (first & 0x02) != 0,
        .not_reference_up = (first & 0x01) != 0,
    };
    if (descriptor.has_picture_id)
        picture_id_read(&reader, payload, &descriptor);
    if (descriptor.has_layers)
        layers_read(&reader, payload, &descriptor);
    if (descriptor.flexible && descriptor.inter_picture) {
        enum status status = references_read(&reader, &descriptor);
        if (status != STATUS_OK)
            return reader.failed ? STATUS_TRUNCATED : status;
    }
    if (descriptor.has_structure)
        structure_read(&reader, &descriptor);
    if (reader.failed || reader_left(&reader) == 0)
        return STATUS_TRUNCATED;

    descriptor.length = (size_t)(reader.at - payload);
    descriptor.key_frame =
        descriptor.frame_start && !descriptor.inter_picture && descriptor.sid == 0;
    descriptor.width = descriptor.widths[descriptor.sid];
    descriptor.height = descriptor.heights[descriptor.sid];
    if (descriptor.frame_start && !descriptor.inter_picture && descriptor.width == 0)
        frame_read(reader.at, reader_left(&reader), &descriptor);
    *ret_descriptor = descriptor;
    return STATUS_OK;
}

void vp9_rewrite(uint8_t *payload, const struct vp9_descriptor *descriptor, uint16_t picture_id,
                 uint8_t tl0picidx)
{
    if (descriptor->has_picture_id) {
        uint8_t *at = payload + descriptor->picture_id_offset;
        if (descriptor->long_picture_id)
            store_be16(at, (uint16_t)(0x8000 | (picture_id & 0x7FFF)));
        else
            *at = picture_id & 0x7F;
    }
    if (descriptor->tl0picidx_offset != 0)
        payload[descriptor->tl0picidx_offset] = tl0picidx;
}
