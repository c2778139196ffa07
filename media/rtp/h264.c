#include "media/rtp/h264.h"

#include "core/bytes.h"
#include "media/rtp/bits.h"

enum {
    NAL_SLICE = 1,
    NAL_SLICE_LAST = 5, /* 1..5 are coded slices or partitions of them */
    NAL_IDR = 5,
    NAL_SPS = 7,
    NAL_PPS = 8,
    NAL_SINGLE_LAST = 23,
    NAL_STAP_A = 24,
    NAL_STAP_B = 25,
    NAL_FU_A = 28,
    NAL_FU_B = 29,

    SPS_BYTES_MAX = 256, /* of it are read; what comes before the size is far shorter */
    MB_PIXELS = 16,
};

/* Copies without emulation prevention bytes (ITU-T H.264 7.3.1); returns the length. */
static size_t rbsp_copy(const uint8_t *nal, size_t length, uint8_t ret_rbsp[SPS_BYTES_MAX])
{
    size_t copied = 0, zeros = 0;
    for (size_t i = 0; i < length && copied < SPS_BYTES_MAX; i++) {
        if (zeros >= 2 && nal[i] == 3) {
            zeros = 0;
            continue;
        }
        zeros = nal[i] == 0 ? zeros + 1 : 0;
        ret_rbsp[copied++] = nal[i];
    }
    return copied;
}

/* se(v), ITU-T H.264 9.1.1 */
static int32_t signed_golomb(struct bits *bits)
{
    uint32_t code = bits_golomb(bits);
    int32_t half = (int32_t)(code / 2);
    return code & 1 ? half + 1 : -half;
}

static void scaling_list_skip(struct bits *bits, unsigned size)
{
    uint32_t last = 8, next = 8;
    for (unsigned i = 0; i < size && next != 0 && !bits->failed; i++) {
        /* Modulo 256: only its lowest eight bits count. */
        next = (last + (uint32_t)signed_golomb(bits)) & 0xFF;
        last = next == 0 ? last : next;
    }
}

/* Profiles that say their chroma format (ITU-T H.264 7.3.2.1.1). */
static bool has_chroma_format(uint32_t profile)
{
    static const uint8_t profiles[] = {100, 110, 122, 244, 44,  83, 86,
                                       118, 128, 138, 139, 134, 135};
    for (size_t i = 0; i < sizeof profiles; i++) {
        if (profiles[i] == profile)
            return true;
    }
    return false;
}

/* Returns chroma_format_idc; 1 (4:2:0) where the profile does not say. */
static uint32_t chroma_read(struct bits *bits, uint32_t profile)
{
    if (!has_chroma_format(profile))
        return 1;
    uint32_t chroma = bits_golomb(bits);
    if (chroma == 3)
        (void)bits_flag(bits); /* separate_colour_plane_flag */
    (void)bits_golomb(bits);   /* bit depths */
    (void)bits_golomb(bits);
    (void)bits_flag(bits); /* qpprime_y_zero_transform_bypass_flag */
    if (bits_flag(bits)) {
        unsigned lists = chroma == 3 ? 12 : 8;
        for (unsigned i = 0; i < lists && !bits->failed; i++) {
            if (bits_flag(bits))
                scaling_list_skip(bits, i < 6 ? 16 : 64);
        }
    }
    return chroma;
}

static void order_count_skip(struct bits *bits)
{
    uint32_t type = bits_golomb(bits);
    if (type == 0) {
        (void)bits_golomb(bits);
    } else if (type == 1) {
        (void)bits_flag(bits);
        (void)bits_golomb(bits);
        (void)bits_golomb(bits);
        uint32_t cycle = bits_golomb(bits);
        for (uint32_t i = 0; i < cycle && !bits->failed; i++)
            (void)bits_golomb(bits);
    }
}

/* `nal` after its header octet. */
static void sps_read(const uint8_t *nal, size_t length, struct h264_payload *payload)
{
    uint8_t rbsp[SPS_BYTES_MAX];
    struct bits bits = bits_of(rbsp, rbsp_copy(nal, length, rbsp));
    uint32_t profile = bits_read(&bits, 8);
    (void)bits_read(&bits, 16); /* constraints, level */
    (void)bits_golomb(&bits);   /* seq_parameter_set_id */
    uint32_t chroma = chroma_read(&bits, profile);
    (void)bits_golomb(&bits); /* log2_max_frame_num_minus4 */
    order_count_skip(&bits);
    (void)bits_golomb(&bits); /* max_num_ref_frames */
    (void)bits_flag(&bits);   /* gaps_in_frame_num_value_allowed_flag */
    uint64_t width = ((uint64_t)bits_golomb(&bits) + 1) * MB_PIXELS;
    uint64_t height = ((uint64_t)bits_golomb(&bits) + 1) * MB_PIXELS;
    unsigned fields = bits_flag(&bits) ? 1 : 2;
    height *= fields;
    if (fields == 2)
        (void)bits_flag(&bits); /* mb_adaptive_frame_field_flag */
    (void)bits_flag(&bits);     /* direct_8x8_inference_flag */
    if (bits_flag(&bits)) {
        uint64_t unit_x = chroma == 1 || chroma == 2 ? 2 : 1;
        uint64_t unit_y = (chroma == 1 ? 2U : 1U) * fields;
        uint64_t crop_x = (uint64_t)bits_golomb(&bits) * unit_x;
        crop_x += (uint64_t)bits_golomb(&bits) * unit_x;
        uint64_t crop_y = (uint64_t)bits_golomb(&bits) * unit_y;
        crop_y += (uint64_t)bits_golomb(&bits) * unit_y;
        if (crop_x >= width || crop_y >= height)
            return;
        width -= crop_x;
        height -= crop_y;
    }
    if (bits.failed || width > UINT16_MAX || height > UINT16_MAX)
        return;
    payload->width = (uint16_t)width;
    payload->height = (uint16_t)height;
}

/* The start of a NAL unit: its type, and what follows the header octet. */
static void nal_read(uint8_t type, const uint8_t *body, size_t length, struct h264_payload *payload)
{
    if (type >= NAL_SLICE && type <= NAL_SLICE_LAST) {
        payload->has_slice = true;
        /* first_mb_in_slice is ue(v): a leading 1 is the value 0. */
        bool first = length > 0 && (body[0] & 0x80) != 0;
        payload->first_slice |= first;
        payload->has_idr |= type == NAL_IDR;
        payload->key_frame |= type == NAL_IDR && first;
    } else if (type == NAL_SPS) {
        payload->has_sps = true;
        payload->key_frame = true;
        sps_read(body, length, payload);
    } else if (type == NAL_PPS) {
        payload->has_pps = true;
    }
}

/* RFC 6184 5.7.1 */
static enum status stap_read(struct reader *reader, struct h264_payload *payload)
{
    do {
        uint16_t length = reader_be16(reader);
        const uint8_t *nal = reader_take(reader, length);
        if (nal == NULL || length == 0)
            return STATUS_TRUNCATED;
        payload->reference |= (nal[0] & 0x60) != 0;
        nal_read(nal[0] & 0x1F, nal + 1, (size_t)length - 1, payload);
    } while (reader_left(reader) > 0);
    return STATUS_OK;
}

/* RFC 6184 5.8 */
static enum status fragment_read(struct reader *reader, struct h264_payload *payload)
{
    uint8_t head = reader_u8(reader);
    if (reader->failed || reader_left(reader) == 0)
        return STATUS_TRUNCATED;
    payload->starts_nal = (head & 0x80) != 0;
    payload->ends_nal = (head & 0x40) != 0;
    uint8_t type = head & 0x1F;
    if (payload->starts_nal)
        nal_read(type, reader->at, reader_left(reader), payload);
    else
        payload->has_slice = type >= NAL_SLICE && type <= NAL_SLICE_LAST;
    return STATUS_OK;
}

enum status h264_parse(const uint8_t *bytes, size_t length, struct h264_payload *ret_payload)
{
    struct reader reader = reader_of(bytes, length);
    uint8_t head = reader_u8(&reader);
    if (reader.failed || reader_left(&reader) == 0)
        return STATUS_TRUNCATED;
    uint8_t type = head & 0x1F;
    struct h264_payload payload = {
        .starts_nal = true, .ends_nal = true, .reference = (head & 0x60) != 0};
    enum status status = STATUS_OK;
    if (type == NAL_STAP_A)
        status = stap_read(&reader, &payload);
    else if (type == NAL_FU_A)
        status = fragment_read(&reader, &payload);
    else if (type >= NAL_STAP_B && type <= NAL_FU_B)
        status = STATUS_UNSUPPORTED;
    else if (type == 0 || type > NAL_SINGLE_LAST)
        status = STATUS_INVALID;
    else
        nal_read(type, reader.at, reader_left(&reader), &payload);
    if (status != STATUS_OK)
        return status;
    *ret_payload = payload;
    return STATUS_OK;
}
