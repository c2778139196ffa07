/*
 * media/rtp/red.h - redundant audio, RFC 2198: the primary block and the copies of
 * earlier ones in one payload. Pure functions, any thread.
 */
#ifndef MEDIA_RTP_RED_H
#define MEDIA_RTP_RED_H

#include "core/status.h"

#include <stddef.h>
#include <stdint.h>

enum {
    RED_BLOCKS_MAX = 10,                    /* primary included; Chromium sends at most 3 */
    RED_BLOCK_BYTES_MAX = (1 << 10) - 1,    /* 10 bits of length, RFC 2198 3 */
    RED_TIMESTAMP_BACK_MAX = (1 << 14) - 1, /* 14 bits of timestamp offset */
};

struct red_block {
    uint8_t payload_type;
    uint16_t timestamp_back; /* clock ticks before the packet's timestamp; 0 for the primary */
    const uint8_t *data;
    size_t length;
};

/* Oldest first, the primary last. */
struct red_view {
    struct red_block blocks[RED_BLOCKS_MAX];
    size_t count; /* 1.. */
};

/* Blocks borrow the payload. Errors: STATUS_TRUNCATED, STATUS_LIMIT (more than RED_BLOCKS_MAX). */
MUST_USE enum status red_parse(const uint8_t *payload, size_t length, struct red_view *ret_view);

/*
 * Writes the payload of view, in its order.
 * Errors: STATUS_TRUNCATED (does not fit), STATUS_INVALID (no block, a redundant block or
 * its distance too large for its field, payload type > 127).
 */
MUST_USE enum status red_build(const struct red_view *view, uint8_t *ret_payload, size_t size,
                               size_t *ret_length);

#endif
