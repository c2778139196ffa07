#include "signalling/gateway/backlog.h"

#include <stdlib.h>

enum { BACKLOG_FIRST = 16 }; /* places at first */

static size_t place(const struct backlog *backlog, size_t index)
{
    return (backlog->begin + index) & (backlog->capacity - 1);
}

static enum status backlog_grow(struct backlog *backlog)
{
    size_t capacity = backlog->capacity > 0 ? backlog->capacity * 2 : BACKLOG_FIRST;
    struct gateway_payload **ring = calloc(capacity, sizeof(struct gateway_payload *));
    if (ring == NULL)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < backlog->count; i++)
        ring[i] = backlog->ring[place(backlog, i)];
    free(backlog->ring);
    backlog->ring = ring;
    backlog->capacity = capacity;
    backlog->begin = 0;
    return STATUS_OK;
}

enum status backlog_add(struct backlog *backlog, uint64_t number, struct gateway_payload *payload)
{
    if (backlog->count == GATEWAY_BACKLOG_FRAMES_MAX ||
        backlog->bytes + payload->length > GATEWAY_BACKLOG_BYTES_MAX)
        return STATUS_LIMIT;
    if (backlog->count == backlog->capacity) {
        enum status status = backlog_grow(backlog);
        if (status != STATUS_OK)
            return status;
    }
    if (backlog->count == 0)
        backlog->first = number;
    backlog->ring[place(backlog, backlog->count++)] = gateway_payload_ref(payload);
    backlog->bytes += payload->length;
    return STATUS_OK;
}

void backlog_forget(struct backlog *backlog, uint64_t number)
{
    while (backlog->count > 0 && backlog->first <= number) {
        struct gateway_payload *oldest = backlog->ring[backlog->begin];
        backlog->bytes -= oldest->length;
        gateway_payload_unref(oldest);
        backlog->begin = place(backlog, 1);
        backlog->count--;
        backlog->first++;
    }
}

struct gateway_payload *backlog_get(const struct backlog *backlog, uint64_t number)
{
    if (backlog->count == 0 || number < backlog->first || number - backlog->first >= backlog->count)
        return NULL;
    return backlog->ring[place(backlog, (size_t)(number - backlog->first))];
}

void backlog_clear(struct backlog *backlog)
{
    backlog_forget(backlog, UINT64_MAX);
    free(backlog->ring);
    *backlog = (struct backlog){0};
}
