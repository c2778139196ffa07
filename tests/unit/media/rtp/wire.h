/*
 * tests/unit/media/rtp/wire.h - what the tests of the wire share: every prefix of a
 * packet in a block of its exact size, and numbers from a fixed seed.
 */
#ifndef TESTS_UNIT_MEDIA_RTP_WIRE_H
#define TESTS_UNIT_MEDIA_RTP_WIRE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/vector.h"

typedef void prefix_fn(uint8_t *bytes, size_t length);

/* Hands out bytes[0..n) for all n <= length: the sanitizer sees a read past any of them. */
static inline void for_each_prefix(const uint8_t *bytes, size_t length, prefix_fn *fn)
{
    for (size_t n = 0; n <= length; n++) {
        uint8_t *exact = malloc(n > 0 ? n : 1);
        assert_non_null(exact);
        memcpy(exact, bytes, n);
        fn(exact, n);
        free(exact);
    }
}

/* xorshift64: the same numbers in every run. */
static inline uint32_t dice(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return (uint32_t)(*seed >> 16);
}

#define assert_ok(expression) assert_int_equal(STATUS_OK, expression)

#endif
