/* media/ice/tcp_frame.c - see tcp_frame.h. */
#include "media/ice/tcp_frame.h"

#include "core/bytes.h"
#include "media/ice/stun_wire.h"

enum ice_tcp_look ice_tcp_looks_like(const uint8_t *bytes, size_t length)
{
    /* Frame length, then STUN: type, length, cookie. Refuse at the first byte that cannot be. */
    if (length >= 1 && bytes[0] >= TCP_FRAME_MAX >> 8)
        return ICE_TCP_OTHER;
    if (length >= 4 && load_be16(bytes + 2) != WIRE_BINDING_REQUEST)
        return ICE_TCP_OTHER;
    if (length >= 6 && load_be16(bytes) != load_be16(bytes + 4) + WIRE_HEADER)
        return ICE_TCP_OTHER;
    if (length < ICE_TCP_LOOK_BYTES)
        return ICE_TCP_MORE;
    return load_be32(bytes + 6) == WIRE_COOKIE ? ICE_TCP_STUN : ICE_TCP_OTHER;
}

/* Moves up to `want` bytes in all into the reader. True when they are there. */
static bool reader_fill(struct tcp_frame_reader *reader, size_t want, const uint8_t **bytes,
                        size_t *length)
{
    size_t take = want > reader->have ? want - reader->have : 0;
    if (take > *length)
        take = *length;
    memcpy(reader->buffer + reader->have, *bytes, take);
    reader->have = (uint16_t)(reader->have + take);
    *bytes += take;
    *length -= take;
    return reader->have >= want;
}

/* Goes on with a frame whose beginning is in the reader. */
static enum status frame_finish(struct tcp_frame_reader *reader, const uint8_t **bytes,
                                size_t *length, tcp_frame_fn *fn, void *context)
{
    if (!reader_fill(reader, TCP_FRAME_HEAD, bytes, length))
        return STATUS_OK;
    size_t size = load_be16(reader->buffer);
    if (size > TCP_FRAME_MAX)
        return STATUS_LIMIT;
    if (!reader_fill(reader, TCP_FRAME_HEAD + size, bytes, length))
        return STATUS_OK;
    reader->have = 0;
    if (size > 0 && !fn(context, reader->buffer + TCP_FRAME_HEAD, size))
        return STATUS_CLOSED;
    return STATUS_OK;
}

enum status tcp_frame_read(struct tcp_frame_reader *reader, const uint8_t *bytes, size_t length,
                           tcp_frame_fn *fn, void *context)
{
    while (length > 0) {
        size_t size = length >= TCP_FRAME_HEAD ? load_be16(bytes) : SIZE_MAX;
        if (reader->have == 0 && size != SIZE_MAX && size <= length - TCP_FRAME_HEAD) {
            if (size > TCP_FRAME_MAX)
                return STATUS_LIMIT;
            const uint8_t *packet = bytes + TCP_FRAME_HEAD;
            bytes = packet + size;
            length -= TCP_FRAME_HEAD + size;
            if (size > 0 && !fn(context, packet, size))
                return STATUS_CLOSED;
            continue;
        }
        enum status status = frame_finish(reader, &bytes, &length, fn, context);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

void tcp_frame_head(size_t length, uint8_t ret_head[TCP_FRAME_HEAD])
{
    store_be16(ret_head, (uint16_t)length);
}
