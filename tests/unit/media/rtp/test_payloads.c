/* Tests of vp8.h (RFC 7741), vp9.h (RFC 9628), h264.h (RFC 6184), av1.h (AV1 RTP 4.4). */
#include "core/bytes.h"
#include "media/rtp/av1.h"
#include "media/rtp/h264.h"
#include "media/rtp/vp8.h"
#include "media/rtp/vp9.h"
#include "tests/unit/media/rtp/wire.h"

enum { PAYLOAD_MAX = 256 };

static size_t header(const char *name, uint8_t *bytes)
{
    return vector_load("codec/headers.txt", name, bytes, 64);
}

/* ---- VP8 ---- */

static struct vp8_descriptor vp8_of(const char *name, uint8_t payload[PAYLOAD_MAX])
{
    size_t length = vector_load("rfc7741/payload.txt", name, payload, PAYLOAD_MAX);
    struct vp8_descriptor vp8;
    assert_ok(vp8_parse(payload, length, &vp8));
    return vp8;
}

static void test_vp8_examples(void **state)
{
    (void)state;
    uint8_t payload[PAYLOAD_MAX];
    struct vp8_descriptor vp8 = vp8_of("key_frame", payload);
    assert_true(vp8.key_frame && vp8.partition_start && vp8.has_picture_id);
    assert_false(vp8.long_picture_id);
    assert_int_equal(17, vp8.picture_id);
    assert_int_equal(3, vp8.length);
    assert_int_equal(640, vp8.width);
    assert_int_equal(360, vp8.height);

    vp8 = vp8_of("inter_frame", payload);
    assert_false(vp8.key_frame || vp8.has_picture_id || vp8.has_tl0picidx);
    assert_true(vp8.partition_start);
    assert_int_equal(1, vp8.length);

    vp8 = vp8_of("partition_first", payload);
    assert_true(vp8.key_frame);
    assert_int_equal(0, vp8.width); /* one byte too short for the size */
    vp8 = vp8_of("partition_second", payload);
    assert_false(vp8.key_frame);
    assert_int_equal(1, vp8.partition);

    vp8 = vp8_of("long_picture_id", payload);
    assert_true(vp8.long_picture_id);
    assert_int_equal(4711, vp8.picture_id);

    vp8 = vp8_of("all_fields", payload);
    assert_true(vp8.non_reference && vp8.layer_sync);
    assert_int_equal(4711, vp8.picture_id);
    assert_int_equal(42, vp8.tl0picidx);
    assert_int_equal(2, vp8.tid);
    assert_int_equal(9, vp8.keyidx);
    assert_int_equal(6, vp8.length);
}

static void test_vp8_of_an_encoder(void **state)
{
    (void)state;
    uint8_t payload[PAYLOAD_MAX] = {0x10};
    size_t length = 1 + header("vp8", payload + 1);
    struct vp8_descriptor vp8;
    assert_ok(vp8_parse(payload, length, &vp8));
    assert_true(vp8.key_frame);
    assert_int_equal(642, vp8.width);
    assert_int_equal(362, vp8.height);
    payload[0] = 0x00; /* a later fragment of partition 0 */
    assert_ok(vp8_parse(payload, length, &vp8));
    assert_false(vp8.key_frame);
}

static void test_vp8_rewrite(void **state)
{
    (void)state;
    uint8_t payload[PAYLOAD_MAX], before[PAYLOAD_MAX];
    struct vp8_descriptor vp8 = vp8_of("all_fields", payload);
    vp8_rewrite(payload, &vp8, 0x7FFF, 7);
    struct vp8_descriptor again;
    assert_ok(vp8_parse(payload, 10, &again));
    assert_int_equal(0x7FFF, again.picture_id);
    assert_true(again.long_picture_id);
    assert_int_equal(7, again.tl0picidx);
    assert_int_equal(2, again.tid);
    assert_int_equal(9, again.keyidx);

    vp8 = vp8_of("key_frame", payload);
    vp8_rewrite(payload, &vp8, 0x7FFF, 7);
    assert_ok(vp8_parse(payload, 13, &again));
    assert_int_equal(0x7F, again.picture_id);
    assert_false(again.long_picture_id);
    assert_true(again.key_frame);

    vp8 = vp8_of("inter_frame", payload);
    memcpy(before, payload, 5);
    vp8_rewrite(payload, &vp8, 0x7FFF, 7);
    assert_memory_equal(before, payload, 5);
}

static void test_vp8_picture_id_diff(void **state)
{
    (void)state;
    assert_int_equal(2, vp8_picture_id_diff(1, 0x7FFF, true));
    assert_int_equal(-2, vp8_picture_id_diff(0x7FFF, 1, true));
    assert_int_equal(2, vp8_picture_id_diff(1, 0x7F, false));
    assert_int_equal(-2, vp8_picture_id_diff(0x7F, 1, false));
    assert_int_equal(0, vp8_picture_id_diff(5, 5, false));
}

/* ---- VP9 ---- */

static void test_vp9_not_flexible(void **state)
{
    (void)state;
    /* I L B E V; picture id 4711; TID 0, SID 0; TL0PICIDX 42; structure: two layers with sizes. */
    uint8_t payload[PAYLOAD_MAX] = {0xAE, 0x92, 0x67, 0x00, 0x2A, 0x38, 0x01, 0x40, 0x00, 0xB4,
                                    0x02, 0x80, 0x01, 0x68, 0x02, 0x04, 0x01, 0x54, 0x02, 0xAA};
    struct vp9_descriptor vp9;
    assert_ok(vp9_parse(payload, 20, &vp9));
    assert_true(vp9.key_frame && vp9.frame_start && vp9.frame_end && vp9.has_structure);
    assert_int_equal(4711, vp9.picture_id);
    assert_int_equal(42, vp9.tl0picidx);
    assert_int_equal(2, vp9.spatial_count);
    assert_int_equal(320, vp9.widths[0]);
    assert_int_equal(180, vp9.heights[0]);
    assert_int_equal(640, vp9.widths[1]);
    assert_int_equal(360, vp9.heights[1]);
    assert_int_equal(320, vp9.width);
    /* A group of two pictures: one with a P_DIFF, one with a P_DIFF. */
    assert_int_equal(19, vp9.length);
    assert_int_equal(STATUS_TRUNCATED, vp9_parse(payload, 19, &vp9));

    vp9_rewrite(payload, &vp9, 1, 43);
    assert_ok(vp9_parse(payload, 20, &vp9));
    assert_int_equal(1, vp9.picture_id);
    assert_true(vp9.long_picture_id);
    assert_int_equal(43, vp9.tl0picidx);

    payload[3] = 1 << 5 | 1 << 4 | 1 << 1 | 1; /* TID 1, U, SID 1, D */
    assert_ok(vp9_parse(payload, 20, &vp9));
    assert_int_equal(1, vp9.tid);
    assert_int_equal(1, vp9.sid);
    assert_true(vp9.switching_up && vp9.inter_layer);
    assert_false(vp9.key_frame);
    assert_int_equal(640, vp9.width);
}

static void test_vp9_flexible(void **state)
{
    (void)state;
    /* I P L F B; 7-bit picture id 17; TID 2; three P_DIFFs. */
    uint8_t payload[] = {0xF8, 0x11, 0x40, 0x03, 0x05, 0x06, 0xAA, 0xBB};
    struct vp9_descriptor vp9;
    assert_ok(vp9_parse(payload, sizeof payload, &vp9));
    assert_int_equal(17, vp9.picture_id);
    assert_false(vp9.long_picture_id);
    assert_int_equal(2, vp9.tid);
    assert_int_equal(0, vp9.tl0picidx_offset);
    assert_int_equal(3, vp9.reference_count);
    assert_int_equal(1, vp9.references[0]);
    assert_int_equal(2, vp9.references[1]);
    assert_int_equal(3, vp9.references[2]);
    assert_false(vp9.key_frame);
    vp9_rewrite(payload, &vp9, 0x1FF, 9);
    assert_int_equal(0x7F, payload[1]);
    assert_int_equal(0x40, payload[2]);
    payload[5] |= 1; /* a fourth */
    assert_int_equal(STATUS_INVALID, vp9_parse(payload, sizeof payload, &vp9));
}

static void test_vp9_of_an_encoder(void **state)
{
    (void)state;
    static const char *const names[] = {"vp9_profile_0", "vp9_profile_1", "vp9_profile_2",
                                        "vp9_rgb"};
    for (size_t i = 0; i < 4; i++) {
        uint8_t payload[PAYLOAD_MAX] = {0x8C, 0x11};
        size_t length = 2 + header(names[i], payload + 2);
        struct vp9_descriptor vp9;
        assert_ok(vp9_parse(payload, length, &vp9));
        assert_true(vp9.key_frame);
        assert_int_equal(642, vp9.width);
        assert_int_equal(362, vp9.height);
        payload[3] ^= 0xFF; /* no sync code: no size, but the descriptor holds */
        assert_ok(vp9_parse(payload, length, &vp9));
        assert_int_equal(0, vp9.width);
    }
}

/* ---- H.264 ---- */

static void test_h264_single_units(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint16_t width, height;
    } cases[] = {{"sps_baseline", 642, 362},
                 {"sps_high", 642, 362},
                 {"sps_interlaced", 644, 356},
                 {"sps_scaling_lists", 642, 362},
                 {"sps_emulation", 640, 360}};
    uint8_t nal[PAYLOAD_MAX];
    struct h264_payload h264;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_ok(h264_parse(nal, header(cases[i].name, nal), &h264));
        assert_true(h264.has_sps && h264.key_frame && h264.reference);
        assert_int_equal(cases[i].width, h264.width);
        assert_int_equal(cases[i].height, h264.height);
    }
    assert_ok(h264_parse(nal, header("pps", nal), &h264));
    assert_true(h264.has_pps);
    assert_false(h264.key_frame || h264.has_slice);
    assert_ok(h264_parse(nal, header("idr", nal), &h264));
    assert_true(h264.has_idr && h264.key_frame && h264.first_slice && h264.has_slice);
    nal[1] = 0x40; /* another slice of the same picture */
    assert_ok(h264_parse(nal, 3, &h264));
    assert_true(h264.has_idr);
    assert_false(h264.key_frame || h264.first_slice);
    nal[0] = 0x01; /* a slice that nothing refers to */
    assert_ok(h264_parse(nal, 3, &h264));
    assert_false(h264.has_idr || h264.reference);
    assert_true(h264.has_slice);
}

static size_t make_stap(uint8_t payload[PAYLOAD_MAX])
{
    static const char *const names[] = {"sps_baseline", "pps", "idr"};
    size_t length = 1;
    payload[0] = 0x78;
    for (size_t i = 0; i < 3; i++) {
        size_t size = header(names[i], payload + length + 2);
        store_be16(payload + length, (uint16_t)size);
        length += size + 2;
    }
    return length;
}

static void test_h264_stap_a(void **state)
{
    (void)state;
    uint8_t payload[PAYLOAD_MAX];
    size_t length = make_stap(payload);
    struct h264_payload h264;
    assert_ok(h264_parse(payload, length, &h264));
    assert_true(h264.has_sps && h264.has_pps && h264.has_idr && h264.key_frame);
    assert_int_equal(642, h264.width);
    assert_int_equal(STATUS_TRUNCATED, h264_parse(payload, length - 1, &h264));
    store_be16(payload + 1, 0);
    assert_int_equal(STATUS_TRUNCATED, h264_parse(payload, length, &h264));
}

static void test_h264_fu_a(void **state)
{
    (void)state;
    uint8_t payload[] = {0x7C, 0x85, 0x88, 0x84};
    struct h264_payload h264;
    assert_ok(h264_parse(payload, sizeof payload, &h264));
    assert_true(h264.starts_nal && h264.has_idr && h264.key_frame && h264.reference);
    assert_false(h264.ends_nal);
    payload[1] = 0x05;
    assert_ok(h264_parse(payload, sizeof payload, &h264));
    assert_false(h264.starts_nal || h264.ends_nal || h264.key_frame || h264.has_idr);
    assert_true(h264.has_slice);
    payload[1] = 0x45;
    assert_ok(h264_parse(payload, sizeof payload, &h264));
    assert_true(h264.ends_nal);
}

static void test_h264_refused(void **state)
{
    (void)state;
    struct h264_payload h264;
    for (unsigned type = 0; type < 32; type++) {
        uint8_t payload[] = {(uint8_t)(0x60 | type), 0, 1, 0x65, 0, 0};
        enum status expected = type == 0 || type > 29                   ? STATUS_INVALID
                               : type >= 25 && type <= 29 && type != 28 ? STATUS_UNSUPPORTED
                                                                        : STATUS_OK;
        enum status status = h264_parse(payload, type == 24 ? 4 : 6, &h264);
        assert_int_equal(expected, status);
    }
}

/* ---- AV1 ---- */

/* One packet: temporal unit of a sequence header and the start of a frame OBU. */
static size_t make_av1(const char *name, uint8_t head, uint8_t payload[PAYLOAD_MAX])
{
    size_t size = header(name, payload + 2);
    payload[0] = head;
    payload[1] = (uint8_t)size;
    memcpy(payload + 2 + size, (const uint8_t[]){0x34, 0x48, 0x10, 0x20}, 4);
    return size + 6;
}

static void test_av1_key_frame(void **state)
{
    (void)state;
    static const char *const names[] = {"av1_aom", "av1_svt", "av1_tier", "av1_decoder_model"};
    for (size_t i = 0; i < 4; i++) {
        uint8_t payload[PAYLOAD_MAX];
        struct av1_payload av1;
        size_t length = make_av1(names[i], 0x68, payload);
        assert_ok(av1_parse(payload, length, &av1));
        assert_true(av1.new_sequence && av1.has_sequence_header && av1.continues_last);
        assert_false(av1.continues_first);
        assert_int_equal(2, av1.element_count);
        assert_int_equal(642, av1.width);
        assert_int_equal(362, av1.height);
        /* The frame OBU has an extension: temporal id 2, spatial id 1. */
        assert_int_equal(2, av1.temporal_id);
        assert_int_equal(1, av1.spatial_id);
    }
}

static void test_av1_elements(void **state)
{
    (void)state;
    struct av1_payload av1;
    /* W = 0: every element has its length, the second in two bytes of leb128. */
    assert_ok(av1_parse((const uint8_t[]){0x00, 0x01, 0x30, 0x82, 0x00, 0x30, 0x10}, 7, &av1));
    assert_int_equal(0, av1.element_count);
    assert_false(av1.new_sequence);
    /* A fragment that goes on is not looked into, though it looks like a sequence header. */
    assert_ok(av1_parse((const uint8_t[]){0x90, 0x08, 0x00}, 3, &av1));
    assert_true(av1.continues_first);
    assert_false(av1.has_sequence_header);
    /* N with Z, no element, fewer than W, an element past the end, a leb128 without end. */
    assert_int_equal(STATUS_INVALID, av1_parse((const uint8_t[]){0x98, 0x08}, 2, &av1));
    assert_int_equal(STATUS_TRUNCATED, av1_parse((const uint8_t[]){0x10}, 1, &av1));
    assert_int_equal(STATUS_TRUNCATED, av1_parse((const uint8_t[]){0x20, 0x01, 0x30}, 3, &av1));
    assert_int_equal(STATUS_TRUNCATED, av1_parse((const uint8_t[]){0x00, 0x02, 0x30}, 3, &av1));
    uint8_t endless[12];
    memset(endless, 0x80, sizeof endless);
    endless[0] = 0;
    assert_int_equal(STATUS_TRUNCATED, av1_parse(endless, sizeof endless, &av1));
}

/* AV1 RTP specification 4.5: the example of 303 bytes with W = 2. */
static void test_av1_size_example(void **state)
{
    (void)state;
    uint8_t payload[303] = {0x20, 0xC8, 0x01};
    struct av1_payload av1;
    assert_ok(av1_parse(payload, sizeof payload, &av1));
    assert_int_equal(2, av1.element_count);
    assert_int_equal(STATUS_TRUNCATED, av1_parse(payload, 203, &av1));
    assert_ok(av1_parse(payload, 204, &av1));
}

/* ---- all ---- */

static void parse_prefix(uint8_t *bytes, size_t length)
{
    struct vp8_descriptor vp8;
    struct vp9_descriptor vp9;
    struct h264_payload h264;
    struct av1_payload av1;
    if (vp8_parse(bytes, length, &vp8) == STATUS_OK) {
        assert_true(vp8.length < length);
        vp8_rewrite(bytes, &vp8, vp8.picture_id, vp8.tl0picidx);
    }
    if (vp9_parse(bytes, length, &vp9) == STATUS_OK) {
        assert_true(vp9.length < length);
        vp9_rewrite(bytes, &vp9, vp9.picture_id, vp9.tl0picidx);
    }
    (void)!h264_parse(bytes, length, &h264);
    (void)!av1_parse(bytes, length, &av1);
}

static void test_prefixes(void **state)
{
    (void)state;
    static const char *const names[] = {"key_frame", "all_fields", "long_picture_id"};
    uint8_t payload[PAYLOAD_MAX];
    for (size_t i = 0; i < 3; i++) {
        size_t length = vector_load("rfc7741/payload.txt", names[i], payload, PAYLOAD_MAX);
        for_each_prefix(payload, length, parse_prefix);
    }
    for_each_prefix(payload, make_stap(payload), parse_prefix);
    for_each_prefix(payload, make_av1("av1_aom", 0x68, payload), parse_prefix);
    static const char *const headers[] = {"sps_baseline",      "sps_high",      "sps_interlaced",
                                          "sps_scaling_lists", "vp9_profile_0", "vp9_rgb"};
    for (size_t i = 0; i < 6; i++)
        for_each_prefix(payload, header(headers[i], payload), parse_prefix);
    for (size_t i = 0; i < 6; i++) {
        payload[0] = 0x8C;
        payload[1] = 0x11;
        for_each_prefix(payload, 2 + header(headers[i], payload + 2), parse_prefix);
    }
}

static void test_random_bytes(void **state)
{
    (void)state;
    uint64_t seed = 0xC0DEC;
    for (int round = 0; round < 20000; round++) {
        size_t length = dice(&seed) % 48;
        uint8_t *exact = malloc(length + 1);
        assert_non_null(exact);
        for (size_t i = 0; i < length; i++)
            exact[i] = (uint8_t)dice(&seed);
        uint8_t *bytes = realloc(exact, length > 0 ? length : 1);
        assert_non_null(bytes);
        parse_prefix(bytes, length);
        free(bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vp8_examples),      cmocka_unit_test(test_vp8_of_an_encoder),
        cmocka_unit_test(test_vp8_rewrite),       cmocka_unit_test(test_vp8_picture_id_diff),
        cmocka_unit_test(test_vp9_not_flexible),  cmocka_unit_test(test_vp9_flexible),
        cmocka_unit_test(test_vp9_of_an_encoder), cmocka_unit_test(test_h264_single_units),
        cmocka_unit_test(test_h264_stap_a),       cmocka_unit_test(test_h264_fu_a),
        cmocka_unit_test(test_h264_refused),      cmocka_unit_test(test_av1_key_frame),
        cmocka_unit_test(test_av1_elements),      cmocka_unit_test(test_av1_size_example),
        cmocka_unit_test(test_prefixes),          cmocka_unit_test(test_random_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
