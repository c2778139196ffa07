#include "media/sfu/needs.h"

enum { ROW = (1 << MEDIA_TEMPORAL_MAX) - 1 };

/* Levels of a row from this one on. */
static unsigned row_from(uint8_t temporal)
{
    unsigned level = temporal < MEDIA_TEMPORAL_MAX ? temporal : MEDIA_TEMPORAL_MAX - 1;
    return (unsigned)ROW << level & ROW;
}

/* Levels that no decode target names are as the named one below, or the lowest above. */
static unsigned row_fill(unsigned row, unsigned named)
{
    bool last = false;
    for (unsigned level = 0; level < MEDIA_TEMPORAL_MAX; level++) {
        if ((named >> level & 1) != 0) {
            last = (row >> level & 1) != 0;
            break;
        }
    }
    for (unsigned level = 0; level < MEDIA_TEMPORAL_MAX; level++) {
        if ((named >> level & 1) != 0)
            last = (row >> level & 1) != 0;
        else if (last)
            row |= 1U << level;
    }
    return row;
}

static uint16_t needs_by_targets(const struct dd_frame *frame, const struct dd_structure *structure)
{
    unsigned rows[NEEDS_SPATIAL_MAX] = {0}, named[NEEDS_SPATIAL_MAX] = {0};
    for (uint8_t t = 0; t < structure->target_count; t++) {
        uint8_t spatial = structure->target_spatial[t], level = structure->target_temporal[t];
        if (spatial >= NEEDS_SPATIAL_MAX)
            continue;
        if (level >= MEDIA_TEMPORAL_MAX)
            level = MEDIA_TEMPORAL_MAX - 1;
        named[spatial] |= 1U << level;
        if (frame->indications[t] != DD_NOT_PRESENT)
            rows[spatial] |= 1U << level;
    }
    unsigned needs = 0, below = 0;
    for (unsigned spatial = 0; spatial < NEEDS_SPATIAL_MAX; spatial++) {
        unsigned row = named[spatial] != 0 ? row_fill(rows[spatial], named[spatial]) : below;
        needs |= row << (spatial * MEDIA_TEMPORAL_MAX);
        below = row;
    }
    return (uint16_t)needs;
}

uint16_t needs_of(enum media_codec codec, const struct codec_info *info,
                  const struct dd_structure *structure)
{
    if (info->has_dd)
        return needs_by_targets(&info->dd, structure);
    unsigned needs = 0, row = row_from(info->temporal_id);
    /* RFC 9628 4.2, Z: nothing above in this picture is predicted from it. */
    bool above = codec != MEDIA_CODEC_VP9 || !info->vp9.not_reference_up;
    for (unsigned spatial = info->spatial_id; spatial < NEEDS_SPATIAL_MAX; spatial++) {
        if (spatial == info->spatial_id || above)
            needs |= row << (spatial * MEDIA_TEMPORAL_MAX);
    }
    return (uint16_t)needs;
}

uint16_t needs_flat(uint16_t needs, uint8_t spatial_count)
{
    unsigned top = spatial_count > 1 ? spatial_count - 1U : 0;
    if (top >= NEEDS_SPATIAL_MAX)
        top = NEEDS_SPATIAL_MAX - 1;
    return (uint16_t)((needs >> (top * MEDIA_TEMPORAL_MAX) & ROW) * 0x1111U);
}
