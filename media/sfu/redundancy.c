#include "media/sfu/redundancy.h"

#include <string.h>

enum { RED_HEADERS_MAX = REDUNDANCY_DEPTH_MAX * 4 + 1 };

/* ---- receiving ---- */

bool redundancy_arrived(struct redundancy_window *window, int64_t index)
{
    if (!window->started) {
        /* What was sent before the first packet is not missed. */
        *window = (struct redundancy_window){true, index, UINT64_MAX};
        return true;
    }
    if (index > window->newest) {
        int64_t ahead = index - window->newest;
        window->come = ahead < REDUNDANCY_WINDOW_PACKETS ? window->come << ahead : 0;
        window->come |= 1;
        window->newest = index;
        return true;
    }
    int64_t back = window->newest - index;
    if (back >= REDUNDANCY_WINDOW_PACKETS || (window->come >> back & 1) != 0)
        return false;
    window->come |= UINT64_C(1) << back;
    return true;
}

enum status redundancy_unwrap(struct packet *packet, uint8_t primary_type,
                              struct redundancy_window *window,
                              struct redundancy_copies *ret_copies)
{
    struct red_view view;
    enum status status =
        red_parse(packet->data + packet->payload_offset, packet->payload_length, &view);
    if (status != STATUS_OK)
        return status;
    const struct red_block *primary = &view.blocks[view.count - 1];
    if (primary->payload_type != primary_type)
        return STATUS_INVALID;
    size_t count = 0;
    for (size_t i = 0; i + 1 < view.count; i++) {
        const struct red_block *block = &view.blocks[i];
        int64_t index = packet->index - (int64_t)(view.count - 1 - i);
        if (block->payload_type != primary_type || block->length == 0 ||
            block->timestamp_back == 0 || !redundancy_arrived(window, index))
            continue;
        ret_copies->copies[count].index = index;
        ret_copies->copies[count].timestamp = packet->timestamp - block->timestamp_back;
        ret_copies->copies[count].data = block->data;
        ret_copies->copies[count].length = (uint16_t)block->length;
        count++;
    }
    ret_copies->count = count;
    packet->payload_offset = (uint16_t)(primary->data - packet->data);
    packet->payload_length = (uint16_t)primary->length;
    return STATUS_OK;
}

struct packet *redundancy_packet(const struct packet *carrier,
                                 const struct redundancy_copies *copies, size_t which,
                                 struct packets *packets)
{
    struct packet *packet = packet_new(packets, copies->copies[which].length);
    if (packet == NULL)
        return NULL;
    packet_facts_clear(packet);
    packet->arrived_ns = carrier->arrived_ns;
    packet->source = carrier->source;
    packet->track = carrier->track;
    packet->layer = carrier->layer;
    packet->epoch = carrier->epoch;
    packet->origin = carrier->origin;
    packet->format = carrier->format;
    packet->loudness = carrier->loudness;
    packet->start = packet->key = true;
    packet->index = copies->copies[which].index;
    packet->timestamp = copies->copies[which].timestamp;
    packet->payload_length = packet->length = copies->copies[which].length;
    memcpy(packet->data, copies->copies[which].data, packet->length);
    return packet;
}

/* ---- sending ---- */

bool redundancy_view(const struct history *history, const struct packet *packet, int64_t begin,
                     uint8_t depth, uint8_t primary_type, struct red_view *ret_view)
{
    struct red_block found[REDUNDANCY_DEPTH_MAX]; /* newest first */
    size_t count = 0, total = RED_HEADERS_MAX + packet->payload_length;
    if (depth > REDUNDANCY_DEPTH_MAX)
        depth = REDUNDANCY_DEPTH_MAX;
    for (int64_t back = 1; back <= depth && packet->index - back >= begin; back++) {
        const struct packet *older = history_get(history, packet->index - back);
        if (older == NULL || older->payload_length == 0)
            continue; /* lost on its way here, or a probe */
        uint32_t ticks = packet->timestamp - older->timestamp;
        total += older->payload_length;
        /* After a pause (DTX) what was said before is past; and so is all that is older. */
        if (older->source != packet->source || older->epoch != packet->epoch || ticks == 0 ||
            ticks > RED_TIMESTAMP_BACK_MAX || older->payload_length > RED_BLOCK_BYTES_MAX ||
            total > REDUNDANCY_BYTES_MAX)
            break;
        found[count++] = (struct red_block){.payload_type = primary_type,
                                            .timestamp_back = (uint16_t)ticks,
                                            .data = older->data + older->payload_offset,
                                            .length = older->payload_length};
    }
    if (count == 0)
        return false;
    ret_view->count = count + 1;
    for (size_t i = 0; i < count; i++)
        ret_view->blocks[i] = found[count - 1 - i];
    ret_view->blocks[count] = (struct red_block){.payload_type = primary_type,
                                                 .data = packet->data + packet->payload_offset,
                                                 .length = packet->payload_length};
    return true;
}
