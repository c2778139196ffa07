/*
 * media/sfu/needs.h - which decoders of a scalable stream need a frame: a bit for each
 * spatial layer and temporal level a subscriber may be given. Pure.
 *
 * From the decode target indications of the dependency descriptor where there is one (AV1 RTP
 * specification, A.8.1), else from the codec's own descriptor.
 */
#ifndef MEDIA_SFU_NEEDS_H
#define MEDIA_SFU_NEEDS_H

#include "media/media.h"
#include "media/rtp/codec.h"

#include <stdbool.h>
#include <stdint.h>

enum { NEEDS_SPATIAL_MAX = 4 }; /* times MEDIA_TEMPORAL_MAX bits */

/* The bits of a frame; `structure` is the stream's when info->has_dd. */
uint16_t needs_of(enum media_codec codec, const struct codec_info *info,
                  const struct dd_structure *structure);
/* Levels from MEDIA_TEMPORAL_MAX on count as the last. */
static inline bool needs_has(uint16_t needs, uint8_t spatial, uint8_t temporal)
{
    unsigned level = temporal < MEDIA_TEMPORAL_MAX ? temporal : MEDIA_TEMPORAL_MAX - 1;
    return (needs >> (spatial * MEDIA_TEMPORAL_MAX + level) & 1) != 0;
}
/* For a stream of which every spatial layer is forwarded: the bits of the highest, for all. */
uint16_t needs_flat(uint16_t needs, uint8_t spatial_count);

#endif
