#include "signalling/http/frames.h"

#include "core/bytes.h"

/* Bytes the header has, as far as the first `have` say. */
static uint8_t header_length(const struct frames *frames)
{
    if (frames->have < 2)
        return 2;
    uint8_t length = frames->header[1] & 0x7f;
    return (uint8_t)(2 + (length == 126 ? 2 : length == 127 ? 8 : 0) + 4);
}

static bool header_take(struct frames *frames)
{
    const uint8_t *header = frames->header;
    uint64_t length = header[1] & 0x7f;
    if ((header[1] & 0x80) == 0)
        return false;
    if (length == 126) {
        length = load_be16(header + 2);
        if (length < 126)
            return false;
    } else if (length == 127) {
        length = load_be64(header + 2);
        if (length <= UINT16_MAX || length > INT64_MAX)
            return false;
    }
    frames->payload_left = length;
    frames->have = 0;
    return true;
}

bool frames_pass(struct frames *frames, const uint8_t *bytes, size_t length)
{
    for (size_t at = 0; at < length;) {
        if (frames->payload_left > 0) {
            uint64_t left = length - at;
            uint64_t step = frames->payload_left < left ? frames->payload_left : left;
            frames->payload_left -= step;
            at += (size_t)step;
            continue;
        }
        frames->header[frames->have++] = bytes[at++];
        /* Unmasked is told at the second byte: what follows is not a header then. */
        if (frames->have == 2 && (frames->header[1] & 0x80) == 0)
            return false;
        if (frames->have == header_length(frames) && frames->have > 2 && !header_take(frames))
            return false;
    }
    return true;
}
