#include "media/rtp/dependency_descriptor.h"

#include "core/bytes.h"

#include <string.h>

enum {
    DD_TEMPLATE_IDS = 64,
    DD_FDIFF_MAX = 4096, /* three nibbles, plus one */
};

struct bit_writer {
    uint8_t *bytes;
    size_t at, end; /* in bits */
    bool full;
};

static void bits_write(struct bit_writer *writer, unsigned count, uint32_t value)
{
    if (writer->full || writer->end - writer->at < count) {
        writer->full = true;
        return;
    }
    for (unsigned i = count; i-- > 0; writer->at++) {
        uint8_t bit = (uint8_t)(1U << (7 - writer->at % 8));
        if (value >> i & 1)
            writer->bytes[writer->at / 8] |= bit;
        else
            writer->bytes[writer->at / 8] &= (uint8_t)~bit;
    }
}

/* write_ns(n, v), A.8.2 */
static void non_symmetric_write(struct bit_writer *writer, unsigned n, uint32_t value)
{
    unsigned width = 0;
    for (unsigned x = n; x != 0; x >>= 1)
        width++;
    uint32_t shorter = (1U << width) - n;
    if (value < shorter)
        bits_write(writer, width - 1, value);
    else
        bits_write(writer, width, value + shorter);
}

/* next_layer_idc from one template to the next; -1: not sayable (table A.2). */
static int layer_step(const struct dd_template *from, const struct dd_template *to)
{
    if (to->spatial_id == from->spatial_id && to->temporal_id == from->temporal_id)
        return 0;
    if (to->spatial_id == from->spatial_id && to->temporal_id == from->temporal_id + 1)
        return 1;
    if (to->spatial_id == from->spatial_id + 1 && to->temporal_id == 0)
        return 2;
    return -1;
}

static bool template_is_sayable(const struct dd_structure *structure, size_t index)
{
    const struct dd_template *template = &structure->templates[index];
    if (template->spatial_id >= DD_SPATIAL_MAX || template->temporal_id >= DD_TEMPORAL_MAX ||
        template->fdiff_count > DD_FDIFFS_MAX)
        return false;
    if (index == 0 ? template->spatial_id != 0 || template->temporal_id != 0
                   : layer_step(&structure->templates[index - 1], template) < 0)
        return false;
    for (size_t i = 0; i < template->fdiff_count; i++) {
        if (template->fdiffs[i] == 0 || template->fdiffs[i] > 16)
            return false;
    }
    for (size_t t = 0; t < structure->target_count; t++) {
        if (template->indications[t] > DD_REQUIRED)
            return false;
    }
    for (size_t c = 0; c < structure->chain_count; c++) {
        if (template->chain_fdiffs[c] > 15)
            return false;
    }
    return true;
}

static bool structure_is_sayable(const struct dd_structure *structure)
{
    if (structure->id_offset >= DD_TEMPLATE_IDS || structure->template_count == 0 ||
        structure->template_count > DD_TEMPLATES_MAX || structure->target_count == 0 ||
        structure->target_count > DD_TARGETS_MAX ||
        structure->chain_count > structure->target_count ||
        structure->spatial_count !=
            structure->templates[structure->template_count - 1].spatial_id + 1)
        return false;
    for (size_t i = 0; i < structure->template_count; i++) {
        if (!template_is_sayable(structure, i))
            return false;
    }
    for (size_t t = 0; structure->chain_count > 0 && t < structure->target_count; t++) {
        if (structure->protected_by[t] >= structure->chain_count)
            return false;
    }
    for (size_t s = 0; structure->has_resolutions && s < structure->spatial_count; s++) {
        if (structure->widths[s] == 0 || structure->heights[s] == 0)
            return false;
    }
    return true;
}

static void structure_write(struct bit_writer *writer, const struct dd_structure *structure)
{
    bits_write(writer, 6, structure->id_offset);
    bits_write(writer, 5, structure->target_count - 1U);
    for (size_t i = 1; i < structure->template_count; i++)
        bits_write(writer, 2,
                   (uint32_t)layer_step(&structure->templates[i - 1], &structure->templates[i]));
    bits_write(writer, 2, 3);
    for (size_t i = 0; i < structure->template_count; i++) {
        for (size_t t = 0; t < structure->target_count; t++)
            bits_write(writer, 2, structure->templates[i].indications[t]);
    }
    for (size_t i = 0; i < structure->template_count; i++) {
        for (size_t f = 0; f < structure->templates[i].fdiff_count; f++)
            bits_write(writer, 5, 0x10U | (structure->templates[i].fdiffs[f] - 1U));
        bits_write(writer, 1, 0);
    }
    non_symmetric_write(writer, structure->target_count + 1U, structure->chain_count);
    for (size_t t = 0; structure->chain_count > 0 && t < structure->target_count; t++)
        non_symmetric_write(writer, structure->chain_count, structure->protected_by[t]);
    for (size_t i = 0; i < structure->template_count; i++) {
        for (size_t c = 0; c < structure->chain_count; c++)
            bits_write(writer, 4, structure->templates[i].chain_fdiffs[c]);
    }
    bits_write(writer, 1, structure->has_resolutions);
    for (size_t s = 0; structure->has_resolutions && s < structure->spatial_count; s++) {
        bits_write(writer, 16, structure->widths[s] - 1U);
        bits_write(writer, 16, structure->heights[s] - 1U);
    }
}

static bool fdiffs_differ(const struct dd_frame *frame, const struct dd_template *template)
{
    if (frame->fdiff_count != template->fdiff_count)
        return true;
    for (size_t i = 0; i < frame->fdiff_count; i++) {
        if (frame->fdiffs[i] != template->fdiffs[i])
            return true;
    }
    return false;
}

static bool frame_is_sayable(const struct dd_frame *frame, const struct dd_structure *structure)
{
    if (frame->template_id >= DD_TEMPLATE_IDS || frame->fdiff_count > DD_FDIFFS_MAX)
        return false;
    for (size_t i = 0; i < frame->fdiff_count; i++) {
        if (frame->fdiffs[i] == 0 || frame->fdiffs[i] > DD_FDIFF_MAX)
            return false;
    }
    for (size_t t = 0; t < structure->target_count; t++) {
        if (frame->indications[t] > DD_REQUIRED)
            return false;
    }
    return !frame->has_active_targets || structure->target_count == DD_TARGETS_MAX ||
           frame->active_targets >> structure->target_count == 0;
}

static void frame_fdiffs_write(struct bit_writer *writer, const struct dd_frame *frame)
{
    for (size_t i = 0; i < frame->fdiff_count; i++) {
        uint32_t value = frame->fdiffs[i] - 1U;
        unsigned nibbles = value < 0x10 ? 1 : value < 0x100 ? 2 : 3;
        bits_write(writer, 2, nibbles);
        bits_write(writer, 4 * nibbles, value);
    }
    bits_write(writer, 2, 0);
}

/* extended_descriptor_fields() and the custom part of frame_dependency_definition() */
static void extended_write(struct bit_writer *writer, const struct dd_frame *frame,
                           const struct dd_structure *structure, const struct dd_template *template)
{
    uint32_t all = UINT32_MAX >> (DD_TARGETS_MAX - structure->target_count);
    /* A structure by itself says that all targets are active. */
    bool active =
        frame->has_active_targets && !(frame->has_structure && frame->active_targets == all);
    bool indications =
        memcmp(frame->indications, template->indications, structure->target_count) != 0;
    bool fdiffs = fdiffs_differ(frame, template);
    bool chains = memcmp(frame->chain_fdiffs, template->chain_fdiffs, structure->chain_count) != 0;
    if (!frame->has_structure && !active && !indications && !fdiffs && !chains)
        return;
    bits_write(writer, 1, frame->has_structure);
    bits_write(writer, 1, active);
    bits_write(writer, 1, indications);
    bits_write(writer, 1, fdiffs);
    bits_write(writer, 1, chains);
    if (frame->has_structure)
        structure_write(writer, structure);
    if (active)
        bits_write(writer, structure->target_count, frame->active_targets);
    for (size_t t = 0; indications && t < structure->target_count; t++)
        bits_write(writer, 2, frame->indications[t]);
    if (fdiffs)
        frame_fdiffs_write(writer, frame);
    for (size_t c = 0; chains && c < structure->chain_count; c++)
        bits_write(writer, 8, frame->chain_fdiffs[c]);
}

enum status dd_write(const struct dd_frame *frame, const struct dd_structure *structure,
                     uint8_t *ret_bytes, size_t size, size_t *ret_length)
{
    if (!structure_is_sayable(structure) || !frame_is_sayable(frame, structure))
        return STATUS_INVALID;
    size_t index =
        (size_t)(frame->template_id + DD_TEMPLATE_IDS - structure->id_offset) % DD_TEMPLATE_IDS;
    if (index >= structure->template_count)
        return STATUS_INVALID;
    if (size < DD_MANDATORY_BYTES)
        return STATUS_TRUNCATED;
    ret_bytes[0] = (uint8_t)((frame->start_of_frame ? 0x80 : 0) | (frame->end_of_frame ? 0x40 : 0) |
                             frame->template_id);
    store_be16(ret_bytes + 1, frame->frame_number);
    struct bit_writer writer = {.bytes = ret_bytes, .at = DD_MANDATORY_BYTES * 8, .end = size * 8};
    extended_write(&writer, frame, structure, &structure->templates[index]);
    if (writer.full)
        return STATUS_TRUNCATED;
    if (writer.at % 8 != 0)
        bits_write(&writer, 8 - (unsigned)(writer.at % 8), 0);
    *ret_length = writer.at / 8;
    return STATUS_OK;
}

enum status dd_restrict(const uint8_t *bytes, size_t length, uint8_t spatial, uint8_t *ret_bytes,
                        size_t size, size_t *ret_length)
{
    struct dd_structure structure;
    struct dd_frame frame;
    if (dd_parse(bytes, length, NULL, &structure, &frame) != STATUS_OK || !frame.has_structure)
        return STATUS_INVALID;
    uint32_t all = UINT32_MAX >> (DD_TARGETS_MAX - structure.target_count);
    uint32_t active = frame.has_active_targets ? frame.active_targets & all : all;
    for (uint8_t t = 0; t < structure.target_count; t++) {
        if (structure.target_spatial[t] > spatial)
            active &= ~(UINT32_C(1) << t);
    }
    frame.has_active_targets = true;
    frame.active_targets = active;
    return dd_write(&frame, &structure, ret_bytes, size, ret_length);
}
