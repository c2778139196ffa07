/* Tests of media/rtp/dependency_descriptor.h against the AV1 RTP specification, A.8, A.10. */
#include "core/bytes.h"
#include "media/rtp/dependency_descriptor.h"
#include "tests/unit/media/rtp/wire.h"

/* A row of the tables in A.10.2. */
struct row {
    uint8_t spatial, temporal;
    const char *fdiffs, *chains, *indications;
};

static const struct row l1t3[] = {
    {0, 0, "", "0", "SSS"},  {0, 0, "4", "4", "SSS"}, {0, 1, "2", "2", "SD-"},
    {0, 2, "1", "1", "D--"}, {0, 2, "1", "3", "D--"},
};

static const struct row l3t3[] = {
    {0, 0, "", "0 0 0", "SSSSSSSSS"},      {0, 0, "12", "12 11 10", "RRRRRRSSS"},
    {0, 1, "6", "6 5 4", "RR-RR-SD-"},     {0, 2, "3", "3 2 1", "R--R--D--"},
    {0, 2, "3", "9 8 7", "R--R--D--"},     {1, 0, "1", "1 1 1", "SSSSSS---"},
    {1, 0, "12 1", "1 1 1", "RRRSSS---"},  {1, 1, "6 1", "7 6 5", "RR-SD----"},
    {1, 2, "3 1", "4 3 2", "R--D-----"},   {1, 2, "3 1", "10 9 8", "R--D-----"},
    {2, 0, "1", "2 1 1", "SSS------"},     {2, 0, "12 1", "2 1 1", "SSS------"},
    {2, 1, "6 1", "8 7 6", "SD-------"},   {2, 2, "3 1", "5 4 3", "D--------"},
    {2, 2, "3 1", "11 10 9", "D--------"},
};

static const struct row l3t3_key_shift[] = {
    {0, 0, "", "0 0 0", "SSSSSSSSS"},    {0, 0, "3", "3 2 1", "------SSS"},
    {0, 0, "12", "12 8 1", "------SSS"}, {0, 1, "6", "6 2 7", "------SD-"},
    {0, 2, "3", "3 5 4", "------D--"},   {0, 2, "3", "9 5 10", "------D--"},
    {0, 2, "3", "3 11 4", "------D--"},  {1, 0, "1", "1 1 1", "SSSSSS---"},
    {1, 0, "6", "4 6 5", "---SSS---"},   {1, 0, "12", "4 12 5", "---SSS---"},
    {1, 1, "6", "10 6 11", "---SD----"}, {1, 2, "3", "1 3 2", "---D-----"},
    {1, 2, "3", "7 3 8", "---D-----"},   {1, 2, "3", "1 9 2", "---D-----"},
    {2, 0, "1", "2 1 1", "SSS------"},   {2, 0, "12", "11 7 12", "SSS------"},
    {2, 1, "6", "5 1 6", "SD-------"},   {2, 2, "3", "2 4 3", "D--------"},
    {2, 2, "3", "8 4 9", "D--------"},   {2, 2, "3", "2 10 3", "D--------"},
};

static size_t numbers(const char *text, uint8_t *ret_values)
{
    size_t count = 0;
    for (char *end; *text != '\0'; text = end) {
        ret_values[count++] = (uint8_t)strtoul(text, &end, 10);
        while (*end == ' ')
            end++;
    }
    return count;
}

static void structure_of(const struct row *rows, size_t count, uint8_t offset,
                         struct dd_structure *structure)
{
    memset(structure, 0, sizeof *structure);
    structure->id_offset = offset;
    structure->template_count = (uint8_t)count;
    structure->target_count = (uint8_t)strlen(rows[0].indications);
    for (size_t i = 0; i < count; i++) {
        struct dd_template *template = &structure->templates[i];
        template->spatial_id = rows[i].spatial;
        template->temporal_id = rows[i].temporal;
        template->fdiff_count = (uint8_t)numbers(rows[i].fdiffs, template->fdiffs);
        structure->chain_count = (uint8_t)numbers(rows[i].chains, template->chain_fdiffs);
        for (size_t t = 0; t < structure->target_count; t++)
            template->indications[t] = (uint8_t)(strchr("-DSR", rows[i].indications[t]) - "-DSR");
        structure->spatial_count = (uint8_t)(rows[i].spatial + 1);
        if (structure->temporal_count <= rows[i].temporal)
            structure->temporal_count = (uint8_t)(rows[i].temporal + 1);
    }
}

/* Targets are HD, VGA, QVGA of 30, 15, 7.5 pictures each; the chain of each size protects them. */
static void three_layers(struct dd_structure *structure)
{
    structure->has_resolutions = true;
    for (uint8_t s = 0; s < 3; s++) {
        structure->widths[s] = (uint16_t)(320 << s);
        structure->heights[s] = (uint16_t)(180 << s);
    }
    for (uint8_t t = 0; t < 9; t++) {
        structure->protected_by[t] = (uint8_t)(2 - t / 3);
        structure->target_spatial[t] = (uint8_t)(2 - t / 3);
        structure->target_temporal[t] = (uint8_t)(2 - t % 3);
    }
}

static struct {
    const char *name;
    struct dd_structure structure;
} examples[3] = {{.name = "l1t3"}, {.name = "l3t3"}, {.name = "l3t3_key_shift"}};

static int make_examples(void **state)
{
    (void)state;
    structure_of(l1t3, sizeof l1t3 / sizeof l1t3[0], 0, &examples[0].structure);
    examples[0].structure.has_resolutions = true;
    examples[0].structure.widths[0] = 640;
    examples[0].structure.heights[0] = 360;
    for (uint8_t t = 0; t < 3; t++)
        examples[0].structure.target_temporal[t] = (uint8_t)(2 - t);
    structure_of(l3t3, sizeof l3t3 / sizeof l3t3[0], 5, &examples[1].structure);
    structure_of(l3t3_key_shift, sizeof l3t3_key_shift / sizeof l3t3_key_shift[0], 5,
                 &examples[2].structure);
    three_layers(&examples[1].structure);
    three_layers(&examples[2].structure);
    return 0;
}

static size_t load(size_t example, uint8_t bytes[256])
{
    return vector_load("av1-rtp/dependency_descriptor.txt", examples[example].name, bytes, 256);
}

static void test_examples_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        uint8_t bytes[256];
        size_t length = load(i, bytes);
        struct dd_structure structure;
        struct dd_frame frame;
        assert_ok(dd_parse(bytes, length, NULL, &structure, &frame));
        assert_memory_equal(&examples[i].structure, &structure, sizeof structure);
        assert_true(frame.start_of_frame && frame.end_of_frame && frame.has_structure);
        assert_true(frame.has_active_targets);
        assert_int_equal((1 << structure.target_count) - 1, frame.active_targets);
        assert_int_equal(1, frame.frame_number);
        assert_int_equal(0, frame.spatial_id);
        assert_int_equal(0, frame.temporal_id);
        assert_int_equal(0, frame.fdiff_count);
        assert_int_equal(structure.widths[0], frame.width);
        assert_int_equal(structure.heights[0], frame.height);
        for (uint8_t t = 0; t < structure.target_count; t++)
            assert_true(dd_is_switch_point(&frame, t));
    }
}

static void test_examples_are_written(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        uint8_t bytes[256], written[256];
        size_t length = load(i, bytes), written_length;
        struct dd_structure structure;
        struct dd_frame frame;
        assert_ok(dd_parse(bytes, length, NULL, &structure, &frame));
        assert_ok(
            dd_write(&frame, &examples[i].structure, written, sizeof written, &written_length));
        assert_int_equal(length, written_length);
        assert_memory_equal(bytes, written, length);
        for (size_t size = 0; size < length; size++)
            assert_int_equal(STATUS_TRUNCATED,
                             dd_write(&frame, &structure, written, size, &written_length));
    }
}

static void test_templates_are_followed(void **state)
{
    (void)state;
    const struct dd_structure *known = &examples[1].structure;
    struct dd_structure none;
    struct dd_frame frame;
    for (uint8_t i = 0; i < known->template_count; i++) {
        uint8_t bytes[3] = {(uint8_t)(0x40 | (5 + i)), 0xAB, 0xCD};
        assert_ok(dd_parse(bytes, 3, known, &none, &frame));
        assert_false(frame.start_of_frame || frame.has_structure || frame.has_active_targets);
        assert_true(frame.end_of_frame);
        assert_int_equal(0xABCD, frame.frame_number);
        const struct dd_template *template = &known->templates[i];
        assert_int_equal(template->spatial_id, frame.spatial_id);
        assert_int_equal(template->temporal_id, frame.temporal_id);
        assert_int_equal(template->fdiff_count, frame.fdiff_count);
        for (size_t f = 0; f < frame.fdiff_count; f++)
            assert_int_equal(template->fdiffs[f], frame.fdiffs[f]);
        assert_memory_equal(template->chain_fdiffs, frame.chain_fdiffs, 3);
        assert_memory_equal(template->indications, frame.indications, 9);
        assert_int_equal(320 << frame.spatial_id, frame.width);
    }
    /* Template 8 (spatial 1, temporal 1): VGA at 30 may begin here, at 15 it is discardable. */
    uint8_t bytes[3] = {5 + 7, 0, 0};
    assert_ok(dd_parse(bytes, 3, known, &none, &frame));
    assert_true(dd_is_switch_point(&frame, 3));
    assert_false(dd_is_switch_point(&frame, 4));
    assert_false(dd_is_switch_point(&frame, 0));
    assert_false(dd_is_switch_point(&frame, 255));
}

static void test_without_its_structure(void **state)
{
    (void)state;
    uint8_t bytes[3] = {0x80 | 63, 0x12, 0x34};
    struct dd_structure none;
    struct dd_frame frame;
    for (int known = 0; known < 2; known++) {
        memset(&frame, 0xFF, sizeof frame);
        assert_int_equal(STATUS_NOT_FOUND,
                         dd_parse(bytes, 3, known ? &examples[0].structure : NULL, &none, &frame));
        assert_true(frame.start_of_frame);
        assert_false(frame.end_of_frame || frame.has_structure);
        assert_int_equal(63, frame.template_id);
        assert_int_equal(0x1234, frame.frame_number);
    }
    assert_int_equal(STATUS_TRUNCATED, dd_parse(bytes, 2, NULL, &none, &frame));
}

static void test_frame_number_in_place(void **state)
{
    (void)state;
    uint8_t bytes[256], before[256];
    size_t length = load(1, bytes);
    memcpy(before, bytes, length);
    dd_frame_number_set(bytes, 0xFEED);
    struct dd_frame frame;
    assert_ok(dd_parse_mandatory(bytes, length, &frame));
    assert_int_equal(0xFEED, frame.frame_number);
    assert_int_equal(before[0], bytes[0]);
    assert_memory_equal(before + 3, bytes + 3, length - 3);
}

/* Fields of its own beside a template's: all lengths of fdiffs, chains of eight bits, bitmask. */
static void test_custom_fields(void **state)
{
    (void)state;
    const struct dd_structure *known = &examples[1].structure;
    struct dd_structure none;
    struct dd_frame frame, again;
    assert_ok(dd_parse((const uint8_t[]){0xC0 | 6, 0, 9}, 3, known, &none, &frame));
    static const uint16_t fdiffs[] = {1, 16, 17, 256, 257, 4096};
    memcpy(frame.fdiffs, fdiffs, sizeof fdiffs);
    frame.fdiff_count = 6;
    frame.chain_fdiffs[2] = 255;
    frame.indications[8] = DD_REQUIRED;
    frame.has_active_targets = true;
    frame.active_targets = 0x1B5;
    uint8_t bytes[256];
    size_t length;
    assert_ok(dd_write(&frame, known, bytes, sizeof bytes, &length));
    assert_ok(dd_parse(bytes, length, known, &none, &again));
    assert_true(again.custom_fdiffs && again.custom_chains && again.custom_indications);
    assert_true(again.has_active_targets);
    assert_int_equal(0x1B5, again.active_targets);
    assert_int_equal(6, again.fdiff_count);
    assert_memory_equal(fdiffs, again.fdiffs, sizeof fdiffs);
    assert_memory_equal(frame.chain_fdiffs, again.chain_fdiffs, 3);
    assert_memory_equal(frame.indications, again.indications, 9);
}

/* Three spatial layers, three levels: targets above the layer kept are off, the rest is as it was.
 */
static void test_layers_left_out(void **state)
{
    (void)state;
    for (uint8_t spatial = 0; spatial < 3; spatial++) {
        uint8_t bytes[256], less[256];
        size_t length = load(1, bytes), less_length;
        assert_int_equal(dd_restrict(bytes, length, spatial, less, sizeof less, &less_length),
                         STATUS_OK);
        struct dd_structure structure;
        struct dd_frame frame;
        assert_int_equal(dd_parse(less, less_length, NULL, &structure, &frame), STATUS_OK);
        assert_memory_equal(structure.templates, examples[1].structure.templates,
                            sizeof structure.templates);
        uint32_t expected = 0;
        for (uint8_t t = 0; t < structure.target_count; t++)
            expected |= (uint32_t)(structure.target_spatial[t] <= spatial) << t;
        assert_true(frame.has_active_targets);
        assert_int_equal(frame.active_targets, expected);
        assert_int_equal(__builtin_popcount(expected), 3 * (spatial + 1));
        /* Said of what was said already, nothing comes back. */
        assert_int_equal(dd_restrict(less, less_length, 2, bytes, sizeof bytes, &length),
                         STATUS_OK);
        assert_int_equal(dd_parse(bytes, length, NULL, &structure, &frame), STATUS_OK);
        assert_int_equal(frame.active_targets, expected);
    }
    uint8_t plain[3] = {0x80, 0, 1}, out[16];
    size_t length;
    assert_int_equal(dd_restrict(plain, sizeof plain, 0, out, sizeof out, &length), STATUS_INVALID);
}

static void test_what_cannot_be_written(void **state)
{
    (void)state;
    const struct dd_structure *known = &examples[0].structure;
    struct dd_structure none;
    struct dd_frame good, frame;
    uint8_t bytes[64];
    size_t length;
    assert_ok(dd_parse((const uint8_t[]){0xC1, 0, 9}, 3, known, &none, &good));
    assert_ok(dd_write(&good, known, bytes, sizeof bytes, &length));
    assert_int_equal(3, length);
    frame = good;
    frame.template_id = 5; /* has 0..4 */
    assert_int_equal(STATUS_INVALID, dd_write(&frame, known, bytes, sizeof bytes, &length));
    frame = good;
    frame.fdiffs[0] = 4097;
    assert_int_equal(STATUS_INVALID, dd_write(&frame, known, bytes, sizeof bytes, &length));
    frame = good;
    frame.has_active_targets = true;
    frame.active_targets = 8; /* has three */
    assert_int_equal(STATUS_INVALID, dd_write(&frame, known, bytes, sizeof bytes, &length));
    struct dd_structure broken = *known;
    broken.templates[1].temporal_id = 2; /* a step that next_layer_idc does not know */
    assert_int_equal(STATUS_INVALID, dd_write(&good, &broken, bytes, sizeof bytes, &length));
    broken = *known;
    broken.chain_count = 4;
    assert_int_equal(STATUS_INVALID, dd_write(&good, &broken, bytes, sizeof bytes, &length));
}

/* Layers beyond the bounds, templates beyond 64, fdiffs without end. */
static void test_structures_out_of_bounds(void **state)
{
    (void)state;
    uint8_t bytes[256];
    struct dd_structure structure;
    struct dd_frame frame;
    /* mandatory; flags 10000; offset 0 (6), targets 1 (5), then next_layer_idc in pairs of bits. */
    static const uint8_t patterns[] = {0x55 /* temporal++ */, 0xAA /* spatial++ */,
                                       0x00 /* same */};
    for (size_t i = 0; i < 3; i++) {
        memset(bytes, patterns[i], sizeof bytes);
        memcpy(bytes, (const uint8_t[]){0xC0, 0, 1, 0x80, 0x00}, 5);
        assert_int_equal(STATUS_INVALID, dd_parse(bytes, sizeof bytes, NULL, &structure, &frame));
    }
    /* Otherwise whole, but with a fifth spatial layer, or a ninth temporal one. */
    static const uint8_t spatial[] = {0xC0, 0x00, 0x01, 0x80, 0x00, 0xAA, 0xEA, 0xA0, 0x00};
    static const uint8_t temporal[] = {0xC0, 0x00, 0x01, 0x80, 0x00, 0x55,
                                       0x55, 0xEA, 0xAA, 0xA0, 0x00};
    assert_int_equal(STATUS_INVALID, dd_parse(spatial, sizeof spatial, NULL, &structure, &frame));
    assert_int_equal(STATUS_INVALID, dd_parse(temporal, sizeof temporal, NULL, &structure, &frame));
    /* One template (idc 3), one target, and fdiffs that always follow. */
    memset(bytes, 0xFF, sizeof bytes);
    memcpy(bytes, (const uint8_t[]){0xC0, 0, 1, 0x80, 0x00}, 5);
    assert_int_equal(STATUS_LIMIT, dd_parse(bytes, sizeof bytes, NULL, &structure, &frame));
}

/* Random structures and frames, written and read again. */
static void random_structure(uint64_t *seed, struct dd_structure *structure)
{
    memset(structure, 0, sizeof *structure);
    structure->id_offset = (uint8_t)(dice(seed) % 64);
    structure->template_count = (uint8_t)(1 + dice(seed) % 20);
    structure->target_count = (uint8_t)(1 + dice(seed) % DD_TARGETS_MAX);
    structure->chain_count = (uint8_t)(dice(seed) % (structure->target_count + 1U));
    uint8_t spatial = 0, temporal = 0;
    for (size_t i = 0; i < structure->template_count; i++) {
        struct dd_template *template = &structure->templates[i];
        template->spatial_id = spatial;
        template->temporal_id = temporal;
        template->fdiff_count = (uint8_t)(dice(seed) % 5);
        for (size_t f = 0; f < template->fdiff_count; f++)
            template->fdiffs[f] = (uint8_t)(1 + dice(seed) % 16);
        for (size_t t = 0; t < structure->target_count; t++)
            template->indications[t] = dice(seed) % 4;
        for (size_t c = 0; c < structure->chain_count; c++)
            template->chain_fdiffs[c] = dice(seed) % 16;
        structure->spatial_count = (uint8_t)(spatial + 1);
        uint32_t step = dice(seed) % 3;
        if (step == 1 && temporal + 1 < DD_TEMPORAL_MAX) {
            temporal++;
        } else if (step == 2 && spatial + 1 < DD_SPATIAL_MAX) {
            spatial++;
            temporal = 0;
        }
    }
    for (size_t t = 0; t < structure->target_count && structure->chain_count > 0; t++)
        structure->protected_by[t] = (uint8_t)(dice(seed) % structure->chain_count);
    structure->has_resolutions = dice(seed) & 1;
    for (size_t s = 0; structure->has_resolutions && s < structure->spatial_count; s++) {
        structure->widths[s] = (uint16_t)(1 + dice(seed) % 65535);
        structure->heights[s] = (uint16_t)(1 + dice(seed) % 65535);
    }
}

static void test_random_round_trips(void **state)
{
    (void)state;
    uint64_t seed = 0xDD;
    for (int round = 0; round < 1000; round++) {
        struct dd_structure structure, read;
        random_structure(&seed, &structure);
        size_t index = dice(&seed) % structure.template_count;
        const struct dd_template *template = &structure.templates[index];
        struct dd_frame frame = {
            .start_of_frame = dice(&seed) & 1,
            .template_id = (uint8_t)((structure.id_offset + index) % 64),
            .frame_number = (uint16_t)dice(&seed),
            .has_structure = true,
            .has_active_targets = true,
            .active_targets = dice(&seed) & UINT32_MAX >> (32 - structure.target_count),
            .fdiff_count = (uint8_t)(dice(&seed) % 4),
        };
        for (size_t f = 0; f < frame.fdiff_count; f++)
            frame.fdiffs[f] = (uint16_t)(1 + dice(&seed) % 4096);
        for (size_t t = 0; t < structure.target_count; t++)
            frame.indications[t] = dice(&seed) % 4;
        memcpy(frame.chain_fdiffs, template->chain_fdiffs, sizeof frame.chain_fdiffs);
        uint8_t bytes[2048];
        size_t length;
        assert_ok(dd_write(&frame, &structure, bytes, sizeof bytes, &length));
        struct dd_frame again;
        assert_ok(dd_parse(bytes, length, NULL, &read, &again));
        assert_memory_equal(structure.templates, read.templates, sizeof read.templates);
        assert_memory_equal(structure.protected_by, read.protected_by, sizeof read.protected_by);
        assert_memory_equal(structure.widths, read.widths, sizeof read.widths);
        assert_memory_equal(structure.heights, read.heights, sizeof read.heights);
        assert_int_equal(structure.chain_count, read.chain_count);
        assert_int_equal(structure.spatial_count, read.spatial_count);
        assert_int_equal(frame.frame_number, again.frame_number);
        assert_int_equal(frame.active_targets, again.active_targets);
        assert_int_equal(frame.fdiff_count, again.fdiff_count);
        assert_memory_equal(frame.fdiffs, again.fdiffs, sizeof frame.fdiffs);
        assert_memory_equal(frame.indications, again.indications, sizeof frame.indications);
        assert_memory_equal(frame.chain_fdiffs, again.chain_fdiffs, structure.chain_count);
        assert_int_equal(template->spatial_id, again.spatial_id);
        assert_int_equal(template->temporal_id, again.temporal_id);
    }
}

static void parse_prefix(uint8_t *bytes, size_t length)
{
    struct dd_structure structure;
    struct dd_frame frame;
    enum status status = dd_parse(bytes, length, NULL, &structure, &frame);
    assert_true(status != STATUS_OK || frame.has_structure);
    (void)!dd_parse(bytes, length, &examples[1].structure, &structure, &frame);
}

static void test_prefixes(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        uint8_t bytes[256];
        size_t length = load(i, bytes);
        for_each_prefix(bytes, length, parse_prefix);
        struct dd_structure structure;
        struct dd_frame frame;
        for (size_t n = DD_MANDATORY_BYTES; n < length - 1; n++)
            assert_int_not_equal(STATUS_OK, dd_parse(bytes, n, NULL, &structure, &frame));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_examples_are_read),
        cmocka_unit_test(test_examples_are_written),
        cmocka_unit_test(test_templates_are_followed),
        cmocka_unit_test(test_without_its_structure),
        cmocka_unit_test(test_frame_number_in_place),
        cmocka_unit_test(test_custom_fields),
        cmocka_unit_test(test_layers_left_out),
        cmocka_unit_test(test_what_cannot_be_written),
        cmocka_unit_test(test_structures_out_of_bounds),
        cmocka_unit_test(test_random_round_trips),
        cmocka_unit_test(test_prefixes),
    };
    return cmocka_run_group_tests(tests, make_examples, NULL);
}
