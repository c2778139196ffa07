/*
 * media/rtp/dependency_descriptor.h - the dependency descriptor header extension (AV1
 * RTP specification, appendix A), which also Chromium's VP8, VP9 and H264 carry.
 *
 * The template structure comes with key frames only, so a receiver keeps one per
 * stream and hands it to every parse; the caller decides when a structure becomes the
 * stream's (descriptors of old packets may come late).
 *
 * Pure functions, any thread. About 6 KiB a structure.
 */
#ifndef MEDIA_RTP_DEPENDENCY_DESCRIPTOR_H
#define MEDIA_RTP_DEPENDENCY_DESCRIPTOR_H

#include "core/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    DD_TEMPLATES_MAX = 64, /* A.8.3: template ids have six bits */
    DD_TARGETS_MAX = 32,   /* dt_cnt_minus_one has five bits */
    DD_CHAINS_MAX = 32,
    DD_FDIFFS_MAX = 32, /* per template or frame; the syntax has no bound, 8 are in use */
    DD_SPATIAL_MAX = 4,
    DD_TEMPORAL_MAX = 8,
    DD_MANDATORY_BYTES = 3,
};

/* Decode target indication, A.8.1. */
enum dd_indication {
    DD_NOT_PRESENT = 0,
    DD_DISCARDABLE = 1,
    DD_SWITCH = 2,
    DD_REQUIRED = 3,
};

struct dd_template {
    uint8_t spatial_id, temporal_id;
    uint8_t fdiff_count;
    uint8_t indications[DD_TARGETS_MAX]; /* enum dd_indication per decode target */
    uint8_t fdiffs[DD_FDIFFS_MAX];       /* frames back, 1..16 */
    uint8_t
        chain_fdiffs[DD_CHAINS_MAX]; /* frames back to the chain's previous; 0: this begins it */
};

struct dd_structure {
    uint8_t id_offset; /* template_id of templates[0] */
    uint8_t template_count, target_count, chain_count;
    uint8_t spatial_count, temporal_count; /* highest id + 1 */
    uint8_t protected_by[DD_TARGETS_MAX];  /* chain of each decode target; chain_count > 0 only */
    uint8_t target_spatial[DD_TARGETS_MAX],
        target_temporal[DD_TARGETS_MAX]; /* layers of a target */
    bool has_resolutions;
    uint16_t widths[DD_SPATIAL_MAX], heights[DD_SPATIAL_MAX];
    struct dd_template templates[DD_TEMPLATES_MAX];
};

struct dd_frame {
    bool start_of_frame, end_of_frame;
    uint8_t template_id;
    uint16_t frame_number;
    bool has_structure;      /* the descriptor carries one: *ret_structure was filled */
    bool has_active_targets; /* active_targets came with this descriptor, or with its structure */
    uint32_t active_targets; /* bit per decode target */
    uint8_t spatial_id, temporal_id;
    bool custom_indications, custom_fdiffs, custom_chains;
    uint8_t indications[DD_TARGETS_MAX];
    uint8_t fdiff_count;
    uint16_t fdiffs[DD_FDIFFS_MAX]; /* 1..4096 */
    uint8_t chain_count;
    uint8_t chain_fdiffs[DD_CHAINS_MAX];
    uint16_t width, height; /* 0: unknown */
};

/*
 * `structure`: the stream's current one, NULL when none is known. A new structure goes to
 * *ret_structure (must not be NULL, may be the same object as structure only if the caller
 * accepts that it is overwritten).
 * Errors: STATUS_TRUNCATED, STATUS_INVALID (a structure that breaks A.8's rules),
 * STATUS_NOT_FOUND (it needs a structure, or a template that is not there; start, end,
 * template_id and frame_number of ret_frame are right all the same), STATUS_LIMIT.
 */
MUST_USE enum status dd_parse(const uint8_t *bytes, size_t length,
                              const struct dd_structure *structure,
                              struct dd_structure *ret_structure, struct dd_frame *ret_frame);

/* The three mandatory bytes alone; no structure needed. Errors: STATUS_TRUNCATED. */
MUST_USE enum status dd_parse_mandatory(const uint8_t *bytes, size_t length,
                                        struct dd_frame *ret_frame);

/* Replaces the frame number in place. `bytes` holds DD_MANDATORY_BYTES at least. */
void dd_frame_number_set(uint8_t *bytes, uint16_t frame_number);

/*
 * Writes a descriptor of `frame` with `structure`, which is attached when
 * frame->has_structure. Fields that differ from the frame's template are written as
 * custom ones. active_targets are written when frame->has_active_targets.
 * Errors: STATUS_TRUNCATED (does not fit), STATUS_INVALID (out of range, template unknown).
 */
MUST_USE enum status dd_write(const struct dd_frame *frame, const struct dd_structure *structure,
                              uint8_t *ret_bytes, size_t size, size_t *ret_length);

/*
 * A descriptor that carries its structure, as it is for a receiver that gets the spatial layers up
 * to `spatial` only: decode targets above are inactive (A.8.3, active_decode_targets_bitmask).
 * Errors: STATUS_INVALID (no structure, or it cannot be said anew), STATUS_TRUNCATED (`size`).
 */
MUST_USE enum status dd_restrict(const uint8_t *bytes, size_t length, uint8_t spatial,
                                 uint8_t *ret_bytes, size_t size, size_t *ret_length);

/* True when a decoder of `target` may begin at this frame after an earlier one of a lower target.
 */
bool dd_is_switch_point(const struct dd_frame *frame, uint8_t target);

#endif
