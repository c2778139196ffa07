/*
 * What may be a face, by its first bytes: hostile ones are refused before anything is decoded, and
 * nothing is read past what there is.
 */
#include "modules/auth/picture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A byte more than a header needs is not there: AddressSanitizer sees a read past the end. */
static enum status look(const uint8_t *bytes, size_t length, struct picture *ret_picture)
{
    uint8_t *exact = malloc(length > 0 ? length : 1);
    assert_non_null(exact);
    if (length > 0)
        memcpy(exact, bytes, length);
    enum status status = picture_look(exact, length, ret_picture);
    free(exact);
    return status;
}

struct sample {
    const char *type;
    const uint8_t *bytes;
    size_t length;
};

static const uint8_t png[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n', 0, 0, 0, 13,
                              'I',  'H', 'D', 'R', 0,    0,    1,    0,    0, 0, 0, 200};
/* APP0 of four bytes, then a baseline frame of 200 x 256. */
static const uint8_t jpeg[] = {0xff, 0xd8, 0xff, 0xe0, 0, 4,   'J', 'F', 0xff,
                               0xc0, 0,    17,   8,    0, 200, 1,   0};
static const uint8_t webp_lossy[] = {'R', 'I', 'F', 'F',  22,   0,    0,  0, 'W', 'E',
                                     'B', 'P', 'V', 'P',  '8',  ' ',  10, 0, 0,   0,
                                     0,   0,   0,   0x9d, 0x01, 0x2a, 0,  1, 200, 0};
static const uint8_t webp_extended[] = {'R', 'I', 'F', 'F', 22,  0,   0,  0,   'W', 'E',
                                        'B', 'P', 'V', 'P', '8', 'X', 10, 0,   0,   0,
                                        0,   0,   0,   0,   255, 0,   0,  199, 0,   0};
/* 14 bits of width less one, 14 of height less one. */
static const uint8_t webp_lossless[] = {'R',  'I',  'F',  'F',  22,  0,   0,  0, 'W', 'E',
                                        'B',  'P',  'V',  'P',  '8', 'L', 10, 0, 0,   0,
                                        0x2f, 0xff, 0xc0, 0x31, 0,   0,   0,  0, 0,   0};

#define SAMPLE(type, bytes)                                                                        \
    {                                                                                              \
        type, bytes, sizeof(bytes)                                                                 \
    }
static const struct sample samples[] = {
    SAMPLE("image/png", png),
    SAMPLE("image/jpeg", jpeg),
    SAMPLE("image/webp", webp_lossy),
    SAMPLE("image/webp", webp_extended),
    SAMPLE("image/webp", webp_lossless),
};

enum { SAMPLES = sizeof samples / sizeof samples[0] };

static void test_each_kind(void **state)
{
    (void)state;
    for (size_t i = 0; i < SAMPLES; i++) {
        struct picture picture;
        assert_int_equal(look(samples[i].bytes, samples[i].length, &picture), STATUS_OK);
        assert_string_equal(picture.type, samples[i].type);
        assert_int_equal(picture.width, 256);
        assert_int_equal(picture.height, 200);
    }
}

static void test_truncated(void **state)
{
    (void)state;
    for (size_t i = 0; i < SAMPLES; i++) {
        for (size_t length = 0; length < samples[i].length; length++) {
            struct picture picture = {.type = "untouched"};
            assert_int_equal(look(samples[i].bytes, length, &picture), STATUS_UNSUPPORTED);
            assert_string_equal(picture.type, "untouched");
        }
    }
}

/* A few bytes that say they are gigabytes of pixels: what a decoder would be killed by. */
static void test_bombs(void **state)
{
    (void)state;
    struct picture picture;
    uint8_t bytes[64];
    memcpy(bytes, png, sizeof png);
    memset(bytes + 16, 0xff, 8);
    assert_int_equal(look(bytes, sizeof png, &picture), STATUS_LIMIT);
    memcpy(bytes + 16, "\0\0\2\1\0\0\0\1", 8); /* 513 x 1 */
    assert_int_equal(look(bytes, sizeof png, &picture), STATUS_LIMIT);
    memcpy(bytes + 16, "\0\0\2\0\0\0\2\0", 8); /* 512 x 512 */
    assert_int_equal(look(bytes, sizeof png, &picture), STATUS_OK);
    memcpy(bytes + 16, "\0\0\0\1\0\0\2\1", 8); /* 1 x 513 */
    assert_int_equal(look(bytes, sizeof png, &picture), STATUS_LIMIT);
    memcpy(bytes, jpeg, sizeof jpeg);
    memset(bytes + 13, 0xff, 4);
    assert_int_equal(look(bytes, sizeof jpeg, &picture), STATUS_LIMIT);
    memcpy(bytes, webp_lossy, sizeof webp_lossy);
    memset(bytes + 26, 0xff, 4);
    assert_int_equal(look(bytes, sizeof webp_lossy, &picture), STATUS_LIMIT);
    memcpy(bytes, webp_extended, sizeof webp_extended);
    memset(bytes + 24, 0xff, 6);
    assert_int_equal(look(bytes, sizeof webp_extended, &picture), STATUS_LIMIT);
    memcpy(bytes, webp_lossless, sizeof webp_lossless);
    memset(bytes + 21, 0xff, 4);
    assert_int_equal(look(bytes, sizeof webp_lossless, &picture), STATUS_LIMIT);
}

static void test_oversize(void **state)
{
    (void)state;
    struct picture picture;
    uint8_t *bytes = calloc(1, PICTURE_BYTES_MAX + 1);
    assert_non_null(bytes);
    memcpy(bytes, png, sizeof png);
    assert_int_equal(picture_look(bytes, PICTURE_BYTES_MAX, &picture), STATUS_OK);
    assert_int_equal(picture_look(bytes, PICTURE_BYTES_MAX + 1, &picture), STATUS_LIMIT);
    free(bytes);
}

static void test_what_is_none(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "GIF89a\1\0\1\0\0\0\0",
        "<svg xmlns=\"http://www.w3.org/2000/svg\"><script/></svg>",
        "<!doctype html><script>alert(1)</script>",
        "%PDF-1.7",
        "BM......................",
    };
    struct picture picture;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_int_equal(look((const uint8_t *)texts[i], strlen(texts[i]), &picture),
                         STATUS_UNSUPPORTED);
    /* No width: nothing is drawn, and some divide by it. */
    uint8_t bytes[64];
    memcpy(bytes, png, sizeof png);
    memset(bytes + 16, 0, 4);
    assert_int_equal(look(bytes, sizeof png, &picture), STATUS_UNSUPPORTED);
    /* A segment that is shorter than its own length, and one that goes on past the end. */
    memcpy(bytes, jpeg, sizeof jpeg);
    bytes[5] = 1;
    assert_int_equal(look(bytes, sizeof jpeg, &picture), STATUS_UNSUPPORTED);
    bytes[4] = bytes[5] = 0xff;
    assert_int_equal(look(bytes, sizeof jpeg, &picture), STATUS_UNSUPPORTED);
    /* The scan begins and no frame has said its size. */
    memcpy(bytes, jpeg, sizeof jpeg);
    bytes[9] = 0xda;
    assert_int_equal(look(bytes, sizeof jpeg, &picture), STATUS_UNSUPPORTED);
}

/* Whatever the bytes are: an answer, at once, and no read past the end. */
static void test_any_bytes(void **state)
{
    (void)state;
    uint32_t seed = 1;
    for (int round = 0; round < 20000; round++) {
        const struct sample *sample = &samples[round % SAMPLES];
        uint8_t bytes[64];
        memcpy(bytes, sample->bytes, sample->length);
        for (int flips = 0; flips < 1 + round % 4; flips++) {
            seed = seed * 1664525 + 1013904223;
            bytes[(seed >> 8) % sample->length] = (uint8_t)(seed >> 24);
        }
        struct picture picture;
        if (look(bytes, sample->length, &picture) == STATUS_OK) {
            assert_in_range(picture.width, 1, PICTURE_SIDE_MAX);
            assert_in_range(picture.height, 1, PICTURE_SIDE_MAX);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_kind),    cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_bombs),        cmocka_unit_test(test_oversize),
        cmocka_unit_test(test_what_is_none), cmocka_unit_test(test_any_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
