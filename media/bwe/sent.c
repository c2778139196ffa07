#include "media/bwe/sent.h"

#include <stdlib.h>

enum status sent_open(struct sent *sent)
{
    struct sent_packet *packets = calloc(SENT_PACKETS_MIN, sizeof *packets);
    if (packets == NULL)
        return STATUS_NO_MEMORY;
    *sent = (struct sent){.packets = packets, .mask = SENT_PACKETS_MIN - 1};
    return STATUS_OK;
}

void sent_close(struct sent *sent)
{
    free(sent->packets);
    *sent = (struct sent){0};
}

void sent_fit(struct sent *sent)
{
    bool small = sent->overrun > 0 && sent->mask + 1 < SENT_PACKETS_MAX;
    sent->overrun = 0;
    if (sent->packets == NULL || !small)
        return;
    uint32_t count = (sent->mask + 1) * 2;
    struct sent_packet *packets = calloc(count, sizeof *packets);
    if (packets == NULL)
        return;
    for (uint32_t i = 0; i <= sent->mask; i++) {
        const struct sent_packet *packet = &sent->packets[i];
        if ((packet->marks & SENT_HELD) != 0)
            packets[packet->sequence & (count - 1)] = *packet;
    }
    free(sent->packets);
    sent->packets = packets;
    sent->mask = count - 1;
}

bool sent_told(struct sent *sent, uint16_t sequence, bool received, uint64_t now_us,
               struct sent_fate *ret_fate)
{
    if (sent->packets == NULL)
        return false;
    struct sent_packet *packet = &sent->packets[sequence & sent->mask];
    bool lost = (packet->marks & SENT_LOST) != 0;
    if ((packet->marks & SENT_HELD) == 0 || packet->sequence != sequence || (!received && lost))
        return false;
    *ret_fate = (struct sent_fate){
        .at_us = now_us - (uint32_t)((uint32_t)now_us - packet->at_us),
        .note = packet->note,
        .size = packet->marks & SENT_SIZE_MAX,
        .cluster = packet->marks >> SENT_CLUSTER_SHIFT & SENT_CLUSTER_MAX,
        .again = lost,
    };
    if (received)
        packet->marks = 0;
    else
        packet->marks |= SENT_LOST;
    return true;
}

uint64_t sent_idle_us(const struct sent *sent, uint64_t now_us)
{
    return sent->any ? (uint32_t)((uint32_t)now_us - sent->last_us) : UINT64_MAX;
}

uint64_t sent_going_us(const struct sent *sent, uint64_t now_us)
{
    return sent->any ? (uint32_t)((uint32_t)now_us - sent->begun_us) : 0;
}
