#include "media/rtp/red.h"

#include "core/bytes.h"

#include <stdbool.h>
#include <string.h>

enum {
    RED_FOLLOWS_BIT = 0x80,
    RED_HEADER_BYTES = 4, /* of a redundant block; the primary's has one byte */
};

enum status red_parse(const uint8_t *payload, size_t length, struct red_view *ret_view)
{
    struct red_view view = {.count = 0};
    struct reader reader = reader_of(payload, length);
    bool follows = true;
    while (follows) {
        if (view.count == RED_BLOCKS_MAX)
            return STATUS_LIMIT;
        struct red_block *block = &view.blocks[view.count];
        uint8_t head = reader_u8(&reader);
        follows = (head & RED_FOLLOWS_BIT) != 0;
        block->payload_type = head & 0x7F;
        if (follows) {
            uint32_t rest = reader_be24(&reader);
            block->timestamp_back = (uint16_t)(rest >> 10);
            block->length = rest & RED_BLOCK_BYTES_MAX;
        }
        if (reader.failed)
            return STATUS_TRUNCATED;
        view.count++;
    }
    for (size_t i = 0; i < view.count; i++) {
        struct red_block *block = &view.blocks[i];
        if (i + 1 == view.count)
            block->length = reader_left(&reader);
        block->data = reader_take(&reader, block->length);
    }
    if (reader.failed)
        return STATUS_TRUNCATED;
    *ret_view = view;
    return STATUS_OK;
}

enum status red_build(const struct red_view *view, uint8_t *ret_payload, size_t size,
                      size_t *ret_length)
{
    if (view->count == 0 || view->count > RED_BLOCKS_MAX)
        return STATUS_INVALID;
    size_t total = (view->count - 1) * RED_HEADER_BYTES + 1;
    for (size_t i = 0; i < view->count; i++) {
        const struct red_block *block = &view->blocks[i];
        bool primary = i + 1 == view->count;
        if (block->payload_type > 0x7F)
            return STATUS_INVALID;
        if (!primary &&
            (block->length > RED_BLOCK_BYTES_MAX || block->timestamp_back > RED_TIMESTAMP_BACK_MAX))
            return STATUS_INVALID;
        if (block->length > size)
            return STATUS_TRUNCATED;
        total += block->length;
    }
    if (total > size)
        return STATUS_TRUNCATED;

    uint8_t *at = ret_payload;
    for (size_t i = 0; i + 1 < view->count; i++) {
        const struct red_block *block = &view->blocks[i];
        *at = (uint8_t)(RED_FOLLOWS_BIT | block->payload_type);
        store_be24(at + 1, (uint32_t)block->timestamp_back << 10 | (uint32_t)block->length);
        at += RED_HEADER_BYTES;
    }
    *at++ = view->blocks[view->count - 1].payload_type;
    for (size_t i = 0; i < view->count; i++) {
        if (view->blocks[i].length > 0)
            memcpy(at, view->blocks[i].data, view->blocks[i].length);
        at += view->blocks[i].length;
    }
    *ret_length = total;
    return STATUS_OK;
}
