/*
 * media/rtp/bits.h - bits of codec headers, most significant first. Fails once and
 * stays failed, like core/bytes.h's reader. Private to this folder.
 */
#ifndef MEDIA_RTP_BITS_H
#define MEDIA_RTP_BITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bits {
    const uint8_t *bytes;
    size_t at, end; /* in bits */
    bool failed;
};

static inline struct bits bits_of(const uint8_t *bytes, size_t length)
{
    return (struct bits){.bytes = bytes, .end = length * 8};
}

/* The next `count` (0..32) bits; 0 past the end. */
static inline uint32_t bits_read(struct bits *bits, unsigned count)
{
    if (bits->failed || bits->end - bits->at < count) {
        bits->failed = true;
        return 0;
    }
    uint32_t value = 0;
    for (unsigned i = 0; i < count; i++, bits->at++)
        value = value << 1 | ((uint32_t)bits->bytes[bits->at / 8] >> (7 - bits->at % 8) & 1);
    return value;
}

static inline bool bits_flag(struct bits *bits)
{
    return bits_read(bits, 1) != 0;
}

/* Exp-Golomb ue(v), ITU-T H.264 9.1, and AV1's uvlc; fails above 32 bits. */
static inline uint32_t bits_golomb(struct bits *bits)
{
    unsigned zeros = 0;
    while (!bits->failed && !bits_flag(bits))
        zeros++;
    if (zeros > 31)
        bits->failed = true;
    if (bits->failed)
        return 0;
    return (1U << zeros) - 1 + bits_read(bits, zeros);
}

#endif
