#include "media/rtp/vp8.h"

#include "core/bytes.h"

enum {
    VP8_LONG_BIT = 0x80,
    VP8_KEY_HEADER_BYTES = 10, /* frame tag, start code, width, height (RFC 6386 9.1) */
    VP8_START_CODE = 0x9D012A,
};

/* The octets that X announces (RFC 7741 4.2). */
static void extension_read(struct reader *reader, const uint8_t *payload,
                           struct vp8_descriptor *descriptor)
{
    uint8_t present = reader_u8(reader);
    descriptor->has_picture_id = (present & 0x80) != 0;
    descriptor->has_tl0picidx = (present & 0x40) != 0;
    descriptor->has_tid = (present & 0x20) != 0;
    descriptor->has_keyidx = (present & 0x10) != 0;
    if (descriptor->has_picture_id) {
        descriptor->picture_id_offset = (uint8_t)(reader->at - payload);
        descriptor->picture_id = reader_u8(reader);
        if (descriptor->picture_id & VP8_LONG_BIT) {
            descriptor->long_picture_id = true;
            descriptor->picture_id =
                (uint16_t)((descriptor->picture_id & 0x7F) << 8 | reader_u8(reader));
        }
    }
    if (descriptor->has_tl0picidx) {
        descriptor->tl0picidx_offset = (uint8_t)(reader->at - payload);
        descriptor->tl0picidx = reader_u8(reader);
    }
    if (descriptor->has_tid || descriptor->has_keyidx) {
        uint8_t octet = reader_u8(reader);
        descriptor->tid = descriptor->has_tid ? octet >> 6 : 0;
        descriptor->layer_sync = descriptor->has_tid && (octet & 0x20) != 0;
        descriptor->keyidx = descriptor->has_keyidx ? octet & 0x1F : 0;
    }
}

static void frame_read(const uint8_t *frame, size_t length, struct vp8_descriptor *descriptor)
{
    descriptor->key_frame = (frame[0] & 1) == 0;
    if (!descriptor->key_frame || length < VP8_KEY_HEADER_BYTES ||
        load_be24(frame + 3) != VP8_START_CODE)
        return;
    /* Little-endian, with two bits of scaling on top. */
    descriptor->width = (uint16_t)((frame[7] & 0x3F) << 8 | frame[6]);
    descriptor->height = (uint16_t)((frame[9] & 0x3F) << 8 | frame[8]);
}

enum status vp8_parse(const uint8_t *payload, size_t length, struct vp8_descriptor *ret_descriptor)
{
    struct reader reader = reader_of(payload, length);
    uint8_t first = reader_u8(&reader);
    struct vp8_descriptor descriptor = {
        .non_reference = (first & 0x20) != 0,
        .partition_start = (first & 0x10) != 0,
        .partition = first & 0x07,
    };
    if (first & 0x80)
        extension_read(&reader, payload, &descriptor);
    if (reader.failed || reader_left(&reader) == 0)
        return STATUS_TRUNCATED;
    descriptor.length = (size_t)(reader.at - payload);
    if (descriptor.partition_start && descriptor.partition == 0)
        frame_read(reader.at, reader_left(&reader), &descriptor);
    *ret_descriptor = descriptor;
    return STATUS_OK;
}

void vp8_rewrite(uint8_t *payload, const struct vp8_descriptor *descriptor, uint16_t picture_id,
                 uint8_t tl0picidx)
{
    if (descriptor->has_picture_id) {
        uint8_t *at = payload + descriptor->picture_id_offset;
        if (descriptor->long_picture_id)
            store_be16(at, (uint16_t)(0x8000 | (picture_id & 0x7FFF)));
        else
            *at = picture_id & 0x7F;
    }
    if (descriptor->has_tl0picidx)
        payload[descriptor->tl0picidx_offset] = tl0picidx;
}

int vp8_picture_id_diff(uint16_t a, uint16_t b, bool long_picture_id)
{
    int modulus = long_picture_id ? 1 << 15 : 1 << 7;
    int distance = (a - b) & (modulus - 1);
    return distance < modulus / 2 ? distance : distance - modulus;
}
