#include "signalling/http/frames.h"

#include "core/bytes.h"

enum {
    OPCODE_CONTROL = 8, /* this bit */
    OPCODE_CLOSE = 8,
    FRAME_MASKED = 0x80,
    CONTROL_MAX = 125, /* bytes, RFC 6455 5.5 */
};

/* Bytes the header has, as far as the first `have` say. */
static uint8_t header_length(const struct frames *frames)
{
    if (frames->have < 2)
        return 2;
    uint8_t length = frames->header[1] & 0x7f;
    uint8_t mask = (frames->header[1] & FRAME_MASKED) != 0 ? 4 : 0;
    return (uint8_t)(2 + (length == 126 ? 2 : length == 127 ? 8 : 0) + mask);
}

/* The header is whole. False when its length is not in the fewest bytes. */
static bool header_take(struct frames *frames)
{
    const uint8_t *header = frames->header;
    uint64_t length = header[1] & 0x7f;
    if (length == 126) {
        length = load_be16(header + 2);
        if (length < 126)
            return false;
    } else if (length == 127) {
        length = load_be64(header + 2);
        if (length <= UINT16_MAX || length > INT64_MAX)
            return false;
    }
    frames->closing = frames->closing || (header[0] & 0x0f) == OPCODE_CLOSE;
    frames->payload_left = length;
    frames->have = 0;
    return true;
}

/* False when a header is malformed or not masked as `masked` says. */
static bool frames_follow(struct frames *frames, const uint8_t *bytes, size_t length, bool masked)
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
        if (frames->have < 2)
            continue;
        bool control = (frames->header[0] & OPCODE_CONTROL) != 0;
        if (frames->have == 2 && (((frames->header[1] & FRAME_MASKED) != 0) != masked ||
                                  (control && (frames->header[1] & 0x7f) > CONTROL_MAX)))
            return false;
        if (frames->have == header_length(frames) && !header_take(frames))
            return false;
    }
    return true;
}

bool frames_pass(struct frames *frames, const uint8_t *bytes, size_t length)
{
    return frames_follow(frames, bytes, length, true);
}

bool frames_closing(struct frames *frames, const uint8_t *bytes, size_t length)
{
    static const uint8_t end[] = {'\r', '\n', '\r', '\n'};
    size_t at = 0;
    for (; at < length && frames->blank < sizeof end; at++)
        frames->blank = bytes[at] == end[frames->blank] ? (uint8_t)(frames->blank + 1)
                                                        : (uint8_t)(bytes[at] == '\r');
    if (!frames_follow(frames, bytes + at, length - at, false))
        frames->closing = true;
    return frames->closing;
}
