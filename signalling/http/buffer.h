/*
 * signalling/http/buffer.h - bytes on their way: appended at the end, taken from the
 * front, never more than the limit its user names. Owner: whoever embeds it.
 */
#ifndef SIGNALLING_HTTP_BUFFER_H
#define SIGNALLING_HTTP_BUFFER_H

#include "core/status.h"

#include <stddef.h>

struct buffer {
    char *bytes;
    size_t start, end, capacity; /* bytes[start..end) wait */
};

static inline size_t buffer_length(const struct buffer *buffer)
{
    return buffer->end - buffer->start;
}

/* NULL when it holds no memory. */
static inline char *buffer_front(const struct buffer *buffer)
{
    return buffer->bytes != NULL ? buffer->bytes + buffer->start : NULL;
}

/* Room for `size` more bytes at buffer->bytes + buffer->end. Errors: STATUS_NO_MEMORY. */
MUST_USE enum status buffer_reserve(struct buffer *buffer, size_t size);
MUST_USE enum status buffer_append(struct buffer *buffer, const void *bytes, size_t length);
/* Errors: STATUS_NO_MEMORY. */
MUST_USE enum status buffer_printf(struct buffer *buffer, const char *format, ...)
    PRINTF_LIKE(2, 3);
/* `length` <= buffer_length. */
void buffer_take(struct buffer *buffer, size_t length);
/* Gives the memory back; the buffer is empty and usable. */
void buffer_clear(struct buffer *buffer);

#endif
