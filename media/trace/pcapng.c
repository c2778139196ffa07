#include "media/trace/pcapng.h"

#include <string.h>

enum {
    BLOCK_SECTION = 0x0A0D0D0A,
    BLOCK_INTERFACE = 1,
    BLOCK_STATISTICS = 5,
    BLOCK_PACKET = 6,
    MAGIC = 0x1A2B3C4D,
    LINKTYPE_RAW = 101, /* an IPv4 or IPv6 header comes first */
    OPTION_END = 0,
    OPTION_COMMENT = 1,
    SECTION_APPLICATION = 4,
    INTERFACE_NAME = 2,
    INTERFACE_RESOLUTION = 9,
    RESOLUTION_NS = 9, /* 10^-9 s */
    PACKET_FLAGS = 2,
    FLAG_INBOUND = 1,
    FLAG_OUTBOUND = 2,
    STATISTICS_START = 2,
    STATISTICS_END = 3,
    STATISTICS_RECEIVED = 4,
    STATISTICS_DROPPED = 5,
};

struct block {
    uint8_t *bytes;
    size_t length;
};

static void put(struct block *block, const void *bytes, size_t length)
{
    memcpy(block->bytes + block->length, bytes, length);
    block->length += length;
}

static void put_u32(struct block *block, uint32_t value)
{
    put(block, &value, sizeof value);
}

static void put_u16(struct block *block, uint16_t value)
{
    put(block, &value, sizeof value);
}

/* Upper half first, whatever the byte order is. */
static void put_time(struct block *block, uint64_t ns)
{
    put_u32(block, (uint32_t)(ns >> 32));
    put_u32(block, (uint32_t)ns);
}

static void pad(struct block *block)
{
    while (block->length % 4 != 0)
        block->bytes[block->length++] = 0;
}

static void option(struct block *block, uint16_t code, const void *bytes, size_t length)
{
    put_u16(block, code);
    put_u16(block, (uint16_t)length);
    put(block, bytes, length);
    pad(block);
}

static void option_text(struct block *block, uint16_t code, const char *text)
{
    size_t length = strlen(text);
    option(block, code, text, length < PCAPNG_TEXT_MAX ? length : PCAPNG_TEXT_MAX);
}

static void option_time(struct block *block, uint16_t code, uint64_t ns)
{
    put_u16(block, code);
    put_u16(block, sizeof ns);
    put_time(block, ns);
}

static struct block block_begin(uint8_t *out, uint32_t type)
{
    struct block block = {.bytes = out};
    put_u32(&block, type);
    put_u32(&block, 0);
    return block;
}

static size_t block_end(struct block *block)
{
    uint32_t length = (uint32_t)(block->length + sizeof length);
    put_u32(block, length);
    memcpy(block->bytes + 4, &length, sizeof length);
    return length;
}

size_t pcapng_head(uint8_t *out, const char *application, const char *comment,
                   const char *interface)
{
    const uint64_t unknown = UINT64_MAX; /* the section's length */
    const uint8_t resolution = RESOLUTION_NS;
    struct block section = block_begin(out, BLOCK_SECTION);
    put_u32(&section, MAGIC);
    put_u16(&section, 1);
    put_u16(&section, 0);
    put(&section, &unknown, sizeof unknown);
    option_text(&section, SECTION_APPLICATION, application);
    option_text(&section, OPTION_COMMENT, comment);
    option(&section, OPTION_END, "", 0);
    size_t length = block_end(&section);
    struct block described = block_begin(out + length, BLOCK_INTERFACE);
    put_u16(&described, LINKTYPE_RAW);
    put_u16(&described, 0);
    put_u32(&described, 0); /* no limit on a packet's length */
    option_text(&described, INTERFACE_NAME, interface);
    option(&described, INTERFACE_RESOLUTION, &resolution, sizeof resolution);
    option(&described, OPTION_END, "", 0);
    return length + block_end(&described);
}

size_t pcapng_packet(uint8_t *out, uint64_t at_ns, bool outbound, const uint8_t *bytes,
                     size_t length)
{
    const uint32_t flags = outbound ? FLAG_OUTBOUND : FLAG_INBOUND;
    struct block block = block_begin(out, BLOCK_PACKET);
    put_u32(&block, 0); /* the interface */
    put_time(&block, at_ns);
    put_u32(&block, (uint32_t)length);
    put_u32(&block, (uint32_t)length);
    put(&block, bytes, length);
    pad(&block);
    option(&block, PACKET_FLAGS, &flags, sizeof flags);
    option(&block, OPTION_END, "", 0);
    return block_end(&block);
}

size_t pcapng_statistics(uint8_t *out, const struct pcapng_statistics *statistics)
{
    struct block block = block_begin(out, BLOCK_STATISTICS);
    put_u32(&block, 0); /* the interface */
    put_time(&block, statistics->ended_ns);
    option_time(&block, STATISTICS_START, statistics->began_ns);
    option_time(&block, STATISTICS_END, statistics->ended_ns);
    option(&block, STATISTICS_RECEIVED, &statistics->received, sizeof statistics->received);
    option(&block, STATISTICS_DROPPED, &statistics->dropped, sizeof statistics->dropped);
    option(&block, OPTION_END, "", 0);
    return block_end(&block);
}
