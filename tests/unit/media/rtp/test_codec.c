/* Tests of media/rtp/codec.h: one answer for all codecs, with and without a descriptor. */
#include "media/rtp/codec.h"
#include "tests/unit/media/rtp/wire.h"

static struct codec_info info;

static size_t vp8(const char *name, uint8_t bytes[64])
{
    return vector_load("rfc7741/payload.txt", name, bytes, 64);
}

static size_t l1t3(uint8_t bytes[64])
{
    return vector_load("av1-rtp/dependency_descriptor.txt", "l1t3", bytes, 64);
}

static void test_audio(void **state)
{
    (void)state;
    assert_ok(codec_inspect(MEDIA_CODEC_OPUS, (const uint8_t[]){0xFC}, 1, false, NULL, &info));
    assert_true(info.start_of_frame && info.end_of_frame);
    assert_false(info.key_frame || info.has_dd);
    assert_ok(codec_inspect(MEDIA_CODEC_RED, (const uint8_t[]){0x6F}, 1, true, NULL, &info));
    assert_int_equal(CODEC_PICTURE_ID_NONE, info.picture_id);
    assert_int_equal(STATUS_UNSUPPORTED, codec_inspect(MEDIA_CODEC_NONE, (const uint8_t[]){0x6F}, 1,
                                                       true, NULL, &info));
}

static void test_vp8(void **state)
{
    (void)state;
    uint8_t payload[64];
    assert_ok(
        codec_inspect(MEDIA_CODEC_VP8, payload, vp8("key_frame", payload), false, NULL, &info));
    assert_true(info.key_frame && info.start_of_frame && info.switching_up);
    assert_false(info.end_of_frame || info.discardable || info.long_picture_id);
    assert_int_equal(17, info.picture_id);
    assert_int_equal(CODEC_TL0PICIDX_NONE, info.tl0picidx);
    assert_int_equal(640, info.width);
    assert_int_equal(17, info.vp8.picture_id);
    assert_ok(
        codec_inspect(MEDIA_CODEC_VP8, payload, vp8("all_fields", payload), true, NULL, &info));
    assert_true(info.end_of_frame && info.switching_up && info.discardable && info.long_picture_id);
    assert_false(info.key_frame);
    assert_int_equal(4711, info.picture_id);
    assert_int_equal(42, info.tl0picidx);
    assert_int_equal(2, info.temporal_id);
    size_t length = vp8("partition_second", payload);
    assert_ok(codec_inspect(MEDIA_CODEC_VP8, payload, length, true, NULL, &info));
    assert_false(info.start_of_frame);
    assert_int_equal(STATUS_TRUNCATED,
                     codec_inspect(MEDIA_CODEC_VP8, payload, 0, true, NULL, &info));
}

static void test_vp9(void **state)
{
    (void)state;
    uint8_t payload[] = {0xAC, 0x11, 0x00, 0x2A, 0x82, 0x49, 0x83};
    assert_ok(codec_inspect(MEDIA_CODEC_VP9, payload, sizeof payload, false, NULL, &info));
    assert_true(info.key_frame && info.start_of_frame && info.end_of_frame && info.switching_up);
    assert_int_equal(17, info.picture_id);
    assert_int_equal(42, info.tl0picidx);
    payload[0] |= 0x40;
    payload[2] = 1 << 5 | 1 << 1 | 1;
    assert_ok(codec_inspect(MEDIA_CODEC_VP9, payload, sizeof payload, false, NULL, &info));
    assert_false(info.key_frame || info.switching_up);
    assert_true(info.needs_layer_below);
    assert_int_equal(1, info.spatial_id);
    assert_int_equal(1, info.temporal_id);
}

static void test_h264(void **state)
{
    (void)state;
    uint8_t payload[] = {0x65, 0x88, 0x84};
    assert_ok(codec_inspect(MEDIA_CODEC_H264, payload, 3, true, NULL, &info));
    assert_true(info.key_frame && info.start_of_frame && info.end_of_frame);
    payload[0] = 0x01;
    assert_ok(codec_inspect(MEDIA_CODEC_H264, payload, 3, false, NULL, &info));
    assert_true(info.discardable && info.start_of_frame);
    assert_false(info.key_frame || info.end_of_frame);
    payload[0] = 0x19; /* STAP-B */
    assert_int_equal(STATUS_UNSUPPORTED,
                     codec_inspect(MEDIA_CODEC_H264, payload, 3, false, NULL, &info));
}

static void test_av1(void **state)
{
    (void)state;
    uint8_t payload[] = {0x18, 0x30, 0x00};
    assert_ok(codec_inspect(MEDIA_CODEC_AV1, payload, 3, false, NULL, &info));
    assert_true(info.key_frame && info.start_of_frame);
    payload[0] = 0x90;
    assert_ok(codec_inspect(MEDIA_CODEC_AV1, payload, 3, true, NULL, &info));
    assert_true(info.end_of_frame);
    assert_false(info.key_frame || info.start_of_frame);
}

static void test_descriptor_beside_the_payload(void **state)
{
    (void)state;
    static struct dd_structure structure;
    bool known = false;
    uint8_t bytes[64], payload[] = {0x10, 0x30, 0x00};
    struct codec_dd dd = {.bytes = bytes, .structure = &structure, .known = &known};

    /* A delta frame before the structure is known: the payload alone speaks. */
    memcpy(bytes, (const uint8_t[]){0x82, 0, 1}, 3);
    dd.length = 3;
    assert_ok(codec_inspect(MEDIA_CODEC_AV1, payload, 3, true, &dd, &info));
    assert_false(info.has_dd || known);
    assert_true(info.start_of_frame && info.end_of_frame);

    dd.length = l1t3(bytes);
    assert_ok(codec_inspect(MEDIA_CODEC_AV1, payload, 3, false, &dd, &info));
    assert_true(known && info.has_dd && info.key_frame && info.switching_up && info.end_of_frame);
    assert_int_equal(640, info.width);
    assert_int_equal(360, info.height);

    /* Template 2 is the picture of temporal layer 1 that 30 pictures a second may begin with. */
    memcpy(bytes, (const uint8_t[]){0x82, 0, 3}, 3);
    dd.length = 3;
    assert_ok(codec_inspect(MEDIA_CODEC_AV1, payload, 3, true, &dd, &info));
    assert_true(info.has_dd && info.start_of_frame && info.switching_up);
    assert_false(info.key_frame || info.end_of_frame || info.discardable);
    assert_int_equal(1, info.temporal_id);
    assert_int_equal(3, info.dd.frame_number);
    /* Template 3 is of the highest: nothing needs it. */
    memcpy(bytes, (const uint8_t[]){0x83, 0, 4}, 3);
    assert_ok(codec_inspect(MEDIA_CODEC_AV1, payload, 3, true, &dd, &info));
    assert_true(info.discardable);
    assert_false(info.switching_up);
    assert_int_equal(2, info.temporal_id);
    /* The stream began anew: what is left of the old structure does not count. */
    known = false;
    assert_ok(codec_inspect(MEDIA_CODEC_AV1, payload, 3, true, &dd, &info));
    assert_false(info.has_dd);
}

/* End-to-end encrypted: the payload says nothing, the descriptor all. */
static void test_descriptor_alone(void **state)
{
    (void)state;
    static struct dd_structure structure;
    bool known = false;
    uint8_t bytes[64], payload[] = {0x98, 0xFF, 0xFF};
    struct codec_dd dd = {
        .bytes = bytes, .length = l1t3(bytes), .structure = &structure, .known = &known};
    assert_int_equal(STATUS_INVALID, codec_inspect(MEDIA_CODEC_AV1, payload, 3, true, NULL, &info));
    assert_ok(codec_inspect(MEDIA_CODEC_AV1, payload, 3, true, &dd, &info));
    assert_true(info.key_frame && info.has_dd);
    bytes[3] = 0x80; /* a structure that ends too early */
    dd.length = 5;
    assert_int_equal(STATUS_INVALID, codec_inspect(MEDIA_CODEC_AV1, payload, 3, true, &dd, &info));
    assert_true(known);
    assert_int_equal(5, structure.template_count);
}

/* A key frame's second packet holds no place to begin. */
static void test_key_frame_only_where_it_begins(void **state)
{
    (void)state;
    static struct dd_structure structure;
    bool known = false;
    uint8_t bytes[64], payload[] = {0x65, 0x88, 0x84};
    struct codec_dd dd = {
        .bytes = bytes, .length = l1t3(bytes), .structure = &structure, .known = &known};
    assert_ok(codec_inspect(MEDIA_CODEC_H264, (const uint8_t[]){0x68, 0xCB}, 2, false, &dd, &info));
    assert_true(info.key_frame);
    memcpy(bytes, (const uint8_t[]){0x40, 0, 1}, 3);
    dd.length = 3;
    assert_ok(codec_inspect(MEDIA_CODEC_H264, payload, 3, true, &dd, &info));
    assert_true(info.has_dd && info.end_of_frame);
    assert_false(info.key_frame || info.start_of_frame);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_audio),
        cmocka_unit_test(test_vp8),
        cmocka_unit_test(test_vp9),
        cmocka_unit_test(test_h264),
        cmocka_unit_test(test_av1),
        cmocka_unit_test(test_descriptor_beside_the_payload),
        cmocka_unit_test(test_descriptor_alone),
        cmocka_unit_test(test_key_frame_only_where_it_begins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
