#include "signalling/http/buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BUFFER_FIRST = 1024 }; /* bytes of the first block: most heads fit */

enum status buffer_reserve(struct buffer *buffer, size_t size)
{
    if (buffer->capacity - buffer->end >= size)
        return STATUS_OK;
    if (buffer->start > 0) {
        memmove(buffer->bytes, buffer->bytes + buffer->start, buffer_length(buffer));
        buffer->end -= buffer->start;
        buffer->start = 0;
        if (buffer->capacity - buffer->end >= size)
            return STATUS_OK;
    }
    size_t capacity = buffer->capacity > 0 ? buffer->capacity : BUFFER_FIRST;
    while (capacity - buffer->end < size)
        capacity *= 2;
    char *bytes = realloc(buffer->bytes, capacity);
    if (bytes == NULL)
        return STATUS_NO_MEMORY;
    buffer->bytes = bytes;
    buffer->capacity = capacity;
    return STATUS_OK;
}

enum status buffer_append(struct buffer *buffer, const void *bytes, size_t length)
{
    enum status status = buffer_reserve(buffer, length);
    if (status != STATUS_OK)
        return status;
    if (length > 0)
        memcpy(buffer->bytes + buffer->end, bytes, length);
    buffer->end += length;
    return STATUS_OK;
}

enum status buffer_printf(struct buffer *buffer, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    enum status status = STATUS_NO_MEMORY;
    if (length >= 0)
        status = buffer_reserve(buffer, (size_t)length + 1);
    if (status == STATUS_OK) {
        vsnprintf(buffer->bytes + buffer->end, (size_t)length + 1, format, again);
        buffer->end += (size_t)length;
    }
    va_end(again);
    return status;
}

void buffer_take(struct buffer *buffer, size_t length)
{
    buffer->start += length;
    if (buffer->start == buffer->end)
        buffer->start = buffer->end = 0;
}

void buffer_clear(struct buffer *buffer)
{
    free(buffer->bytes);
    *buffer = (struct buffer){0};
}
