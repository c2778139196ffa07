#include "signalling/sip/wire.h"

#include "core/bytes.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { WIRE_LENGTH = 4, WIRE_FIELD_HEAD = 3 };

enum status wire_write(const struct wire_message *message, uint8_t *bytes, size_t size,
                       size_t *ret_length)
{
    size_t length = WIRE_HEAD;
    for (size_t i = 0; i < WIRE_FIELDS; i++) {
        const char *text = message->fields[i];
        if (text == NULL)
            continue;
        size_t bytes_of = strnlen(text, WIRE_TEXT_MAX + 1);
        if (bytes_of > WIRE_TEXT_MAX)
            return STATUS_LIMIT;
        length += WIRE_FIELD_HEAD + bytes_of + 1;
    }
    if (length > WIRE_FRAME_MAX)
        return STATUS_LIMIT;
    if (length > size)
        return STATUS_TRUNCATED;
    store_be32(bytes, (uint32_t)(length - WIRE_LENGTH));
    bytes[4] = WIRE_VERSION;
    bytes[5] = (uint8_t)message->type;
    store_be16(bytes + 6, message->code);
    store_be64(bytes + 8, message->call);
    uint8_t *at = bytes + WIRE_HEAD;
    for (size_t i = 0; i < WIRE_FIELDS; i++) {
        const char *text = message->fields[i];
        if (text == NULL)
            continue;
        size_t bytes_of = strlen(text);
        at[0] = (uint8_t)i;
        store_be16(at + 1, (uint16_t)bytes_of);
        memcpy(at + WIRE_FIELD_HEAD, text, bytes_of + 1);
        at += WIRE_FIELD_HEAD + bytes_of + 1;
    }
    *ret_length = length;
    return STATUS_OK;
}

enum status wire_frame(const uint8_t *bytes, size_t length, size_t *ret_frame)
{
    if (length < WIRE_LENGTH)
        return STATUS_AGAIN;
    size_t frame = (size_t)load_be32(bytes) + WIRE_LENGTH;
    if (frame < WIRE_HEAD || frame > WIRE_FRAME_MAX)
        return STATUS_INVALID;
    if (frame > length)
        return STATUS_AGAIN;
    *ret_frame = frame;
    return STATUS_OK;
}

enum status wire_parse(const uint8_t *bytes, size_t length, struct wire_message *ret_message)
{
    if (length < WIRE_HEAD || bytes[4] != WIRE_VERSION || bytes[5] == 0 ||
        bytes[5] >= WIRE_TYPE_END)
        return STATUS_INVALID;
    struct wire_message message = {.type = (enum wire_type)bytes[5],
                                   .code = load_be16(bytes + 6),
                                   .call = load_be64(bytes + 8)};
    struct reader reader = reader_of(bytes + WIRE_HEAD, length - WIRE_HEAD);
    while (reader_left(&reader) > 0) {
        uint8_t name = reader_u8(&reader);
        size_t size = reader_be16(&reader);
        const uint8_t *text = reader_take(&reader, size + 1);
        if (text == NULL || name >= WIRE_FIELDS || message.fields[name] != NULL ||
            size > WIRE_TEXT_MAX || memchr(text, '\0', size + 1) != text + size)
            return STATUS_INVALID;
        message.fields[name] = (const char *)text;
    }
    *ret_message = message;
    return STATUS_OK;
}

/* ---- an end of the connection ---- */

void wire_end_clear(struct wire_end *end)
{
    free(end->out);
    end->out = NULL;
    end->out_length = end->out_size = end->in_length = 0;
}

static enum status frames_read(struct wire_end *end, wire_read_fn *fn, void *context)
{
    size_t at = 0, frame = 0;
    enum status status;
    while ((status = wire_frame(end->in + at, end->in_length - at, &frame)) == STATUS_OK) {
        struct wire_message message;
        status = wire_parse(end->in + at, frame, &message);
        if (status != STATUS_OK)
            return status;
        fn(context, &message);
        at += frame;
    }
    end->in_length -= at;
    memmove(end->in, end->in + at, end->in_length);
    return status == STATUS_AGAIN ? STATUS_OK : status;
}

enum status wire_end_read(struct wire_end *end, wire_read_fn *fn, void *context)
{
    for (;;) {
        ssize_t got =
            recv(end->fd, end->in + end->in_length, sizeof end->in - end->in_length, MSG_DONTWAIT);
        if (got == 0)
            return STATUS_CLOSED;
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return errno == EAGAIN ? STATUS_OK : errno == ECONNRESET ? STATUS_CLOSED : STATUS_IO;
        end->in_length += (size_t)got;
        enum status status = frames_read(end, fn, context);
        if (status != STATUS_OK)
            return status;
    }
}

static enum status out_reserve(struct wire_end *end, size_t more)
{
    if (end->out_length + more > WIRE_OUT_MAX)
        return STATUS_LIMIT;
    if (end->out_length + more <= end->out_size)
        return STATUS_OK;
    size_t size = (end->out_length + more) * 2;
    uint8_t *out = realloc(end->out, size);
    if (out == NULL)
        return STATUS_NO_MEMORY;
    end->out = out;
    end->out_size = size;
    return STATUS_OK;
}

enum status wire_end_flush(struct wire_end *end)
{
    size_t at = 0;
    enum status status = STATUS_OK;
    while (status == STATUS_OK && at < end->out_length) {
        ssize_t sent =
            send(end->fd, end->out + at, end->out_length - at, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent >= 0)
            at += (size_t)sent;
        else if (errno == EAGAIN)
            status = STATUS_AGAIN;
        else if (errno != EINTR)
            status = errno == EPIPE || errno == ECONNRESET ? STATUS_CLOSED : STATUS_IO;
    }
    end->out_length -= at;
    memmove(end->out, end->out + at, end->out_length);
    return status;
}

enum status wire_end_send(struct wire_end *end, const struct wire_message *message)
{
    uint8_t frame[WIRE_FRAME_MAX];
    size_t length = 0;
    enum status status = wire_write(message, frame, sizeof frame, &length);
    if (status == STATUS_OK)
        status = out_reserve(end, length);
    if (status != STATUS_OK)
        return status;
    memcpy(end->out + end->out_length, frame, length);
    end->out_length += length;
    status = wire_end_flush(end);
    return status == STATUS_AGAIN ? STATUS_OK : status;
}
