#include "media/rtp/codec.h"

#include "media/rtp/av1.h"
#include "media/rtp/h264.h"

static enum status vp8_inspect(const uint8_t *payload, size_t length, bool marker,
                               struct codec_info *info)
{
    enum status status = vp8_parse(payload, length, &info->vp8);
    if (status != STATUS_OK)
        return status;
    const struct vp8_descriptor *vp8 = &info->vp8;
    info->key_frame = vp8->key_frame;
    info->start_of_frame = vp8->partition_start && vp8->partition == 0;
    info->end_of_frame = marker;
    info->switching_up = vp8->key_frame || vp8->layer_sync;
    info->discardable = vp8->non_reference;
    info->temporal_id = vp8->tid;
    if (vp8->has_picture_id) {
        info->picture_id = vp8->picture_id;
        info->long_picture_id = vp8->long_picture_id;
    }
    if (vp8->has_tl0picidx)
        info->tl0picidx = vp8->tl0picidx;
    info->width = vp8->width;
    info->height = vp8->height;
    return STATUS_OK;
}

static enum status vp9_inspect(const uint8_t *payload, size_t length, struct codec_info *info)
{
    enum status status = vp9_parse(payload, length, &info->vp9);
    if (status != STATUS_OK)
        return status;
    const struct vp9_descriptor *vp9 = &info->vp9;
    info->key_frame = vp9->key_frame;
    info->start_of_frame = vp9->frame_start;
    info->end_of_frame = vp9->frame_end;
    info->switching_up = vp9->key_frame || vp9->switching_up;
    info->needs_layer_below = vp9->inter_layer;
    info->spatial_id = vp9->sid;
    info->temporal_id = vp9->tid;
    if (vp9->has_picture_id) {
        info->picture_id = vp9->picture_id;
        info->long_picture_id = vp9->long_picture_id;
    }
    if (vp9->tl0picidx_offset != 0)
        info->tl0picidx = vp9->tl0picidx;
    info->width = vp9->width;
    info->height = vp9->height;
    return STATUS_OK;
}

static enum status h264_inspect(const uint8_t *payload, size_t length, bool marker,
                                struct codec_info *info)
{
    struct h264_payload h264;
    enum status status = h264_parse(payload, length, &h264);
    if (status != STATUS_OK)
        return status;
    info->key_frame = h264.key_frame;
    info->start_of_frame = h264.first_slice || h264.has_sps;
    info->end_of_frame = marker;
    info->switching_up = h264.key_frame;
    info->discardable = h264.has_slice && !h264.reference;
    info->width = h264.width;
    info->height = h264.height;
    return STATUS_OK;
}

static enum status av1_inspect(const uint8_t *payload, size_t length, bool marker,
                               struct codec_info *info)
{
    struct av1_payload av1;
    enum status status = av1_parse(payload, length, &av1);
    if (status != STATUS_OK)
        return status;
    info->key_frame = av1.new_sequence;
    info->start_of_frame = !av1.continues_first;
    info->end_of_frame = marker;
    info->switching_up = av1.new_sequence;
    info->spatial_id = av1.spatial_id;
    info->temporal_id = av1.temporal_id;
    info->width = av1.width;
    info->height = av1.height;
    return STATUS_OK;
}

static enum status payload_inspect(enum media_codec codec, const uint8_t *payload, size_t length,
                                   bool marker, struct codec_info *info)
{
    switch (codec) {
    case MEDIA_CODEC_OPUS:
    case MEDIA_CODEC_RED:
        info->start_of_frame = info->end_of_frame = true;
        return STATUS_OK;
    case MEDIA_CODEC_VP8:
        return vp8_inspect(payload, length, marker, info);
    case MEDIA_CODEC_VP9:
        return vp9_inspect(payload, length, info);
    case MEDIA_CODEC_H264:
        return h264_inspect(payload, length, marker, info);
    case MEDIA_CODEC_AV1:
        return av1_inspect(payload, length, marker, info);
    default:
        return STATUS_UNSUPPORTED;
    }
}

/* Who needs the frame, and who may begin with it. */
static void indications_inspect(const struct dd_structure *structure, struct codec_info *info)
{
    bool discardable = false, needed = false;
    for (uint8_t t = 0; t < structure->target_count; t++) {
        uint8_t indication = info->dd.indications[t];
        discardable |= indication == DD_DISCARDABLE;
        needed |= indication == DD_SWITCH || indication == DD_REQUIRED;
        if (indication == DD_SWITCH && structure->target_spatial[t] == info->spatial_id &&
            structure->target_temporal[t] >= info->temporal_id)
            info->switching_up = true;
    }
    info->discardable = discardable && !needed;
}

static bool dd_inspect(const struct codec_dd *dd, struct codec_info *info)
{
    enum status status = dd_parse(dd->bytes, dd->length, *dd->known ? dd->structure : NULL,
                                  dd->structure, &info->dd);
    if (status != STATUS_OK)
        return false;
    if (info->dd.has_structure)
        *dd->known = true;
    info->has_dd = true;
    info->start_of_frame = info->dd.start_of_frame;
    info->end_of_frame = info->dd.end_of_frame;
    info->spatial_id = info->dd.spatial_id;
    info->temporal_id = info->dd.temporal_id;
    /* A structure comes with each key frame and with nothing else (A.8.3). */
    info->key_frame = info->dd.start_of_frame && (info->dd.has_structure || info->key_frame);
    info->switching_up = info->key_frame;
    indications_inspect(dd->structure, info);
    if (info->width == 0) {
        info->width = info->dd.width;
        info->height = info->dd.height;
    }
    return true;
}

enum status codec_inspect(enum media_codec codec, const uint8_t *payload, size_t length,
                          bool marker, const struct codec_dd *dd, struct codec_info *ret_info)
{
    struct codec_info info = {.picture_id = CODEC_PICTURE_ID_NONE,
                              .tl0picidx = CODEC_TL0PICIDX_NONE};
    enum status status = payload_inspect(codec, payload, length, marker, &info);
    if (status == STATUS_UNSUPPORTED && codec != MEDIA_CODEC_H264)
        return status;
    bool has_dd = dd != NULL && dd->bytes != NULL && dd_inspect(dd, &info);
    if (status != STATUS_OK && !has_dd)
        return status;
    *ret_info = info;
    return STATUS_OK;
}
