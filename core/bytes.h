/*
 * core/bytes.h - wire bytes: big-endian loads and stores, and a length-checked
 * reader that fails once and stays failed.
 */
#ifndef CORE_BYTES_H
#define CORE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint16_t load_be16(const uint8_t *p)
{
    return (uint16_t)((uint16_t)(p[0] << 8) | p[1]);
}

static inline uint32_t load_be24(const uint8_t *p)
{
    return (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
}

static inline uint32_t load_be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline uint64_t load_be64(const uint8_t *p)
{
    return (uint64_t)load_be32(p) << 32 | load_be32(p + 4);
}

static inline void store_be16(uint8_t *p, uint16_t value)
{
    p[0] = (uint8_t)(value >> 8);
    p[1] = (uint8_t)value;
}

static inline void store_be24(uint8_t *p, uint32_t value)
{
    p[0] = (uint8_t)(value >> 16);
    p[1] = (uint8_t)(value >> 8);
    p[2] = (uint8_t)value;
}

static inline void store_be32(uint8_t *p, uint32_t value)
{
    p[0] = (uint8_t)(value >> 24);
    p[1] = (uint8_t)(value >> 16);
    p[2] = (uint8_t)(value >> 8);
    p[3] = (uint8_t)value;
}

static inline void store_be64(uint8_t *p, uint64_t value)
{
    store_be32(p, (uint32_t)(value >> 32));
    store_be32(p + 4, (uint32_t)value);
}

struct reader {
    const uint8_t *at, *end;
    bool failed; /* a read went past the end; all later reads yield 0 */
};

static inline struct reader reader_of(const uint8_t *bytes, size_t length)
{
    return (struct reader){.at = bytes, .end = bytes + length};
}

static inline size_t reader_left(const struct reader *reader)
{
    return (size_t)(reader->end - reader->at);
}

/* The next `length` bytes, or NULL (and failed). */
static inline const uint8_t *reader_take(struct reader *reader, size_t length)
{
    if (reader->failed || reader_left(reader) < length) {
        reader->failed = true;
        return NULL;
    }
    const uint8_t *taken = reader->at;
    reader->at += length;
    return taken;
}

static inline uint8_t reader_u8(struct reader *reader)
{
    const uint8_t *p = reader_take(reader, 1);
    return p ? p[0] : 0;
}

static inline uint16_t reader_be16(struct reader *reader)
{
    const uint8_t *p = reader_take(reader, 2);
    return p ? load_be16(p) : 0;
}

static inline uint32_t reader_be24(struct reader *reader)
{
    const uint8_t *p = reader_take(reader, 3);
    return p ? load_be24(p) : 0;
}

static inline uint32_t reader_be32(struct reader *reader)
{
    const uint8_t *p = reader_take(reader, 4);
    return p ? load_be32(p) : 0;
}

/* RFC 1982 order of 16-bit sequence numbers: how far `a` is ahead of `b`, -32768..32767. */
static inline int16_t seq_diff(uint16_t a, uint16_t b)
{
    return (int16_t)(uint16_t)(a - b);
}

#endif
