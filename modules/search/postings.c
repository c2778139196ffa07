#include "modules/search/postings.h"

#include <string.h>

enum { VARINT_MAX = 10 };

size_t postings_varint_put(uint8_t *to, uint64_t value)
{
    size_t length = 0;
    while (value >= 0x80) {
        to[length++] = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    to[length++] = (uint8_t)value;
    return length;
}

enum status postings_varint_get(const uint8_t **at, const uint8_t *end, uint64_t *ret_value)
{
    uint64_t value = 0;
    const uint8_t *p = *at;
    for (unsigned shift = 0; p < end && shift < 64; shift += 7) {
        uint8_t byte = *p++;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *at = p;
            *ret_value = value;
            return STATUS_OK;
        }
    }
    return STATUS_CORRUPT;
}

enum status posting_make(int64_t doc, const uint32_t *positions, size_t count, struct arena *arena,
                         struct posting *ret_posting)
{
    if (count > POSTINGS_POSITIONS_MAX)
        count = POSTINGS_POSITIONS_MAX;
    uint8_t bytes[VARINT_MAX];
    size_t length = 0, used = 0;
    for (size_t i = 0; i < count; i++)
        length += postings_varint_put(bytes, positions[i] - (i > 0 ? positions[i - 1] : 0));
    uint8_t *encoded = arena_alloc(arena, length + 1);
    if (encoded == NULL)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < count; i++)
        used += postings_varint_put(encoded + used, positions[i] - (i > 0 ? positions[i - 1] : 0));
    *ret_posting = (struct posting){
        .doc = doc, .count = (uint32_t)count, .encoded = encoded, .encoded_length = (uint32_t)used};
    return STATUS_OK;
}

enum status posting_positions(const struct posting *posting, uint32_t *ret_positions)
{
    const uint8_t *at = posting->encoded, *end = at + posting->encoded_length;
    uint64_t position = 0, step;
    for (uint32_t i = 0; i < posting->count; i++) {
        if (postings_varint_get(&at, end, &step) != STATUS_OK || step > UINT32_MAX - position)
            return STATUS_CORRUPT;
        position += step;
        ret_positions[i] = (uint32_t)position;
    }
    return STATUS_OK;
}

enum status posting_read(const uint8_t **at, const uint8_t *end, struct posting *ret_posting)
{
    uint64_t count, step;
    enum status status = postings_varint_get(at, end, &count);
    if (status != STATUS_OK || count > POSTINGS_POSITIONS_MAX)
        return STATUS_CORRUPT;
    const uint8_t *from = *at;
    for (uint64_t i = 0; status == STATUS_OK && i < count; i++)
        status = postings_varint_get(at, end, &step);
    ret_posting->count = (uint32_t)count;
    ret_posting->encoded = from;
    ret_posting->encoded_length = (uint32_t)(*at - from);
    return status;
}

enum status postings_decode(int64_t first, const void *bytes, size_t length, struct arena *arena,
                            struct posting **ret_items, size_t *ret_count)
{
    /* A posting has two bytes at least. */
    uint8_t *copy = arena_alloc(arena, length + 1);
    struct posting *items = arena_alloc(arena, (length / 2 + 1) * sizeof *items);
    if (copy == NULL || items == NULL)
        return STATUS_NO_MEMORY;
    if (length > 0)
        memcpy(copy, bytes, length);
    const uint8_t *at = copy, *end = copy + length;
    size_t count = 0;
    enum status status = STATUS_OK;
    for (int64_t doc = first; status == STATUS_OK && at < end;) {
        uint64_t step = 0;
        status = postings_varint_get(&at, end, &step);
        if (status != STATUS_OK || step > (uint64_t)(INT64_MAX - doc))
            return STATUS_CORRUPT;
        doc += (int64_t)step;
        status = posting_read(&at, end, &items[count]);
        items[count++].doc = doc;
    }
    if (status != STATUS_OK)
        return status;
    *ret_items = items;
    *ret_count = count;
    return STATUS_OK;
}

enum status postings_encode(const struct posting *items, size_t count, struct arena *arena,
                            const uint8_t **ret_bytes, size_t *ret_length, size_t *ret_taken)
{
    size_t room = POSTINGS_BLOCK_MAX;
    if (items[0].encoded_length + (size_t)2 * VARINT_MAX > room)
        room = items[0].encoded_length + (size_t)2 * VARINT_MAX;
    uint8_t *bytes = arena_alloc(arena, room);
    if (bytes == NULL)
        return STATUS_NO_MEMORY;
    size_t used = 0, taken = 0;
    for (; taken < count; taken++) {
        const struct posting *item = &items[taken];
        if (used + item->encoded_length + (size_t)2 * VARINT_MAX > room)
            break;
        int64_t before = taken > 0 ? items[taken - 1].doc : item->doc;
        used += postings_varint_put(bytes + used, (uint64_t)(item->doc - before));
        used += postings_varint_put(bytes + used, item->count);
        memcpy(bytes + used, item->encoded, item->encoded_length);
        used += item->encoded_length;
    }
    *ret_bytes = bytes;
    *ret_length = used;
    *ret_taken = taken;
    return STATUS_OK;
}
