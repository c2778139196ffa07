#include "media/rtp/dependency_descriptor.h"

#include "core/bytes.h"
#include "media/rtp/bits.h"

#include <string.h>

enum {
    DD_TEMPLATE_IDS = 64,
    DD_NEXT_SAME = 0, /* next_layer_idc, table A.2 */
    DD_NEXT_TEMPORAL = 1,
    DD_NEXT_SPATIAL = 2,
    DD_NEXT_NONE = 3,
};

enum status dd_parse_mandatory(const uint8_t *bytes, size_t length, struct dd_frame *ret_frame)
{
    if (length < DD_MANDATORY_BYTES)
        return STATUS_TRUNCATED;
    *ret_frame = (struct dd_frame){
        .start_of_frame = (bytes[0] & 0x80) != 0,
        .end_of_frame = (bytes[0] & 0x40) != 0,
        .template_id = bytes[0] & 0x3F,
        .frame_number = load_be16(bytes + 1),
    };
    return STATUS_OK;
}

void dd_frame_number_set(uint8_t *bytes, uint16_t frame_number)
{
    store_be16(bytes + 1, frame_number);
}

/* ns(n), A.8.2; n > 0 */
static uint8_t non_symmetric_read(struct bits *bits, unsigned n)
{
    unsigned width = 0;
    for (unsigned x = n; x != 0; x >>= 1)
        width++;
    uint32_t shorter = (1U << width) - n;
    uint32_t value = bits_read(bits, width - 1);
    if (value >= shorter)
        value = (value << 1) - shorter + bits_read(bits, 1);
    return (uint8_t)value;
}

/* ---- the structure ---- */

static enum status layers_read(struct bits *bits, struct dd_structure *structure)
{
    uint8_t spatial = 0, temporal = 0;
    uint32_t next = DD_NEXT_SAME;
    while (next != DD_NEXT_NONE) {
        if (structure->template_count == DD_TEMPLATES_MAX || spatial >= DD_SPATIAL_MAX ||
            temporal >= DD_TEMPORAL_MAX)
            return STATUS_INVALID;
        struct dd_template *template = &structure->templates[structure->template_count++];
        template->spatial_id = spatial;
        template->temporal_id = temporal;
        if (structure->temporal_count <= temporal)
            structure->temporal_count = (uint8_t)(temporal + 1);
        next = bits_read(bits, 2);
        if (bits->failed)
            return STATUS_TRUNCATED;
        if (next == DD_NEXT_TEMPORAL) {
            temporal++;
        } else if (next == DD_NEXT_SPATIAL) {
            temporal = 0;
            spatial++;
        }
    }
    structure->spatial_count = (uint8_t)(spatial + 1);
    return STATUS_OK;
}

static enum status template_fdiffs_read(struct bits *bits, struct dd_structure *structure)
{
    for (size_t i = 0; i < structure->template_count; i++) {
        struct dd_template *template = &structure->templates[i];
        while (bits_flag(bits)) {
            if (template->fdiff_count == DD_FDIFFS_MAX)
                return STATUS_LIMIT;
            template->fdiffs[template->fdiff_count++] = (uint8_t)(bits_read(bits, 4) + 1);
        }
    }
    return STATUS_OK;
}

static void template_chains_read(struct bits *bits, struct dd_structure *structure)
{
    structure->chain_count = non_symmetric_read(bits, structure->target_count + 1U);
    if (structure->chain_count == 0)
        return;
    for (size_t t = 0; t < structure->target_count; t++)
        structure->protected_by[t] = non_symmetric_read(bits, structure->chain_count);
    for (size_t i = 0; i < structure->template_count; i++) {
        for (size_t c = 0; c < structure->chain_count; c++)
            structure->templates[i].chain_fdiffs[c] = (uint8_t)bits_read(bits, 4);
    }
}

/* decode_target_layers(), A.8.2: a target has the highest layers that any of its frames has. */
static void target_layers_derive(struct dd_structure *structure)
{
    for (size_t t = 0; t < structure->target_count; t++) {
        for (size_t i = 0; i < structure->template_count; i++) {
            const struct dd_template *template = &structure->templates[i];
            if (template->indications[t] == DD_NOT_PRESENT)
                continue;
            if (template->spatial_id > structure->target_spatial[t])
                structure->target_spatial[t] = template->spatial_id;
            if (template->temporal_id > structure->target_temporal[t])
                structure->target_temporal[t] = template->temporal_id;
        }
    }
}

static enum status resolutions_read(struct bits *bits, struct dd_structure *structure)
{
    structure->has_resolutions = bits_flag(bits);
    for (size_t s = 0; structure->has_resolutions && s < structure->spatial_count; s++) {
        uint32_t width = bits_read(bits, 16) + 1, height = bits_read(bits, 16) + 1;
        /* 65,536 is what no encoder makes: not worth wider fields. */
        if (width > UINT16_MAX || height > UINT16_MAX)
            return STATUS_INVALID;
        structure->widths[s] = (uint16_t)width;
        structure->heights[s] = (uint16_t)height;
    }
    return STATUS_OK;
}

static enum status structure_read(struct bits *bits, struct dd_structure *structure)
{
    memset(structure, 0, sizeof *structure);
    structure->id_offset = (uint8_t)bits_read(bits, 6);
    structure->target_count = (uint8_t)(bits_read(bits, 5) + 1);
    enum status status = layers_read(bits, structure);
    if (status != STATUS_OK)
        return status;
    for (size_t i = 0; i < structure->template_count; i++) {
        for (size_t t = 0; t < structure->target_count; t++)
            structure->templates[i].indications[t] = (uint8_t)bits_read(bits, 2);
    }
    status = template_fdiffs_read(bits, structure);
    if (status != STATUS_OK)
        return status;
    template_chains_read(bits, structure);
    target_layers_derive(structure);
    status = resolutions_read(bits, structure);
    if (bits->failed)
        return STATUS_TRUNCATED;
    return status;
}

/* ---- the frame ---- */

static uint32_t all_targets(const struct dd_structure *structure)
{
    return UINT32_MAX >> (DD_TARGETS_MAX - structure->target_count);
}

static const struct dd_template *template_of(const struct dd_structure *structure, uint8_t id)
{
    size_t index = (size_t)(id + DD_TEMPLATE_IDS - structure->id_offset) % DD_TEMPLATE_IDS;
    return index < structure->template_count ? &structure->templates[index] : NULL;
}

static enum status frame_fdiffs_read(struct bits *bits, struct dd_frame *frame)
{
    for (uint32_t size; (size = bits_read(bits, 2)) != 0;) {
        if (frame->fdiff_count == DD_FDIFFS_MAX)
            return STATUS_LIMIT;
        frame->fdiffs[frame->fdiff_count++] = (uint16_t)(bits_read(bits, 4 * size) + 1);
    }
    return STATUS_OK;
}

static enum status frame_read(struct bits *bits, const struct dd_structure *structure,
                              struct dd_frame *frame)
{
    const struct dd_template *template = template_of(structure, frame->template_id);
    if (template == NULL)
        return STATUS_NOT_FOUND;
    frame->spatial_id = template->spatial_id;
    frame->temporal_id = template->temporal_id;
    for (size_t t = 0; t < structure->target_count; t++)
        frame->indications[t] =
            frame->custom_indications ? (uint8_t)bits_read(bits, 2) : template->indications[t];
    if (frame->custom_fdiffs) {
        enum status status = frame_fdiffs_read(bits, frame);
        if (status != STATUS_OK)
            return status;
    } else {
        frame->fdiff_count = template->fdiff_count;
        for (size_t i = 0; i < template->fdiff_count; i++)
            frame->fdiffs[i] = template->fdiffs[i];
    }
    frame->chain_count = structure->chain_count;
    for (size_t c = 0; c < structure->chain_count; c++)
        frame->chain_fdiffs[c] =
            frame->custom_chains ? (uint8_t)bits_read(bits, 8) : template->chain_fdiffs[c];
    frame->width = structure->widths[frame->spatial_id];
    frame->height = structure->heights[frame->spatial_id];
    return bits->failed ? STATUS_TRUNCATED : STATUS_OK;
}

enum status dd_parse(const uint8_t *bytes, size_t length, const struct dd_structure *structure,
                     struct dd_structure *ret_structure, struct dd_frame *ret_frame)
{
    struct dd_frame frame;
    enum status status = dd_parse_mandatory(bytes, length, &frame);
    if (status != STATUS_OK)
        return status;
    const struct dd_frame mandatory = frame;
    struct bits bits = bits_of(bytes + DD_MANDATORY_BYTES, length - DD_MANDATORY_BYTES);
    struct dd_structure attached;
    bool has_active_field = false;
    if (length > DD_MANDATORY_BYTES) {
        frame.has_structure = bits_flag(&bits);
        has_active_field = bits_flag(&bits);
        frame.custom_indications = bits_flag(&bits);
        frame.custom_fdiffs = bits_flag(&bits);
        frame.custom_chains = bits_flag(&bits);
    }
    if (frame.has_structure) {
        status = structure_read(&bits, &attached);
        if (status != STATUS_OK)
            return status;
        structure = &attached;
        frame.active_targets = all_targets(&attached);
    }
    if (structure == NULL) {
        *ret_frame = mandatory;
        return STATUS_NOT_FOUND;
    }
    frame.has_active_targets = frame.has_structure || has_active_field;
    if (has_active_field)
        frame.active_targets = bits_read(&bits, structure->target_count);
    status = frame_read(&bits, structure, &frame);
    if (status == STATUS_NOT_FOUND) {
        *ret_frame = mandatory;
        return status;
    }
    if (status != STATUS_OK)
        return status;
    if (frame.has_structure)
        *ret_structure = attached;
    *ret_frame = frame;
    return STATUS_OK;
}

bool dd_is_switch_point(const struct dd_frame *frame, uint8_t target)
{
    return target < DD_TARGETS_MAX && frame->indications[target] == DD_SWITCH;
}
