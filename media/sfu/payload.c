#include "media/sfu/payload.h"

static bool h264_fits(const struct packet_format *sent, const struct packet_format *decoded)
{
    /* A decoder of mode 1 takes mode 0; profiles by profile_idc (RFC 6184 8.1). */
    if (sent->h264_packetization_mode > decoded->h264_packetization_mode)
        return false;
    enum { BASELINE = 0x42, CONSTRAINED = 0x40 /* constraint_set1 in profile-iop */ };
    uint32_t sent_idc = sent->h264_profile_level_id >> 16;
    uint32_t decoded_idc = decoded->h264_profile_level_id >> 16;
    if (sent_idc == decoded_idc || sent->h264_profile_level_id == 0 ||
        decoded->h264_profile_level_id == 0)
        return true;
    bool constrained_baseline =
        sent_idc == BASELINE && (sent->h264_profile_level_id >> 8 & CONSTRAINED) != 0;
    return constrained_baseline;
}

static bool format_fits(const struct packet_format *sent, const struct packet_format *decoded)
{
    if (sent->codec != decoded->codec)
        return false;
    if (sent->codec == MEDIA_CODEC_H264)
        return h264_fits(sent, decoded);
    return sent->codec != MEDIA_CODEC_VP9 || sent->vp9_profile == decoded->vp9_profile;
}

const struct payload *payload_for(const struct payload *payloads, size_t count,
                                  const struct packet_format *format)
{
    const struct payload *fits = NULL;
    for (size_t i = 0; i < count; i++) {
        if (!format_fits(format, &payloads[i].format))
            continue;
        bool exact =
            payloads[i].format.h264_packetization_mode == format->h264_packetization_mode &&
            payloads[i].format.h264_profile_level_id == format->h264_profile_level_id;
        if (exact)
            return &payloads[i];
        if (fits == NULL)
            fits = &payloads[i];
    }
    return fits;
}

bool format_equal(const struct packet_format *left, const struct packet_format *right)
{
    return left->codec == right->codec &&
           left->h264_packetization_mode == right->h264_packetization_mode &&
           left->vp9_profile == right->vp9_profile &&
           left->h264_profile_level_id == right->h264_profile_level_id;
}
