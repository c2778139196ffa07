#include "media/sfu/history.h"

#include "core/clock.h"

#include <stdlib.h>

enum status history_init(struct history *history, uint32_t packets)
{
    if (packets == 0 || (packets & (packets - 1)) != 0)
        return STATUS_INVALID;
    struct packet **entries = calloc(packets, sizeof(struct packet *));
    if (entries == NULL)
        return STATUS_NO_MEMORY;
    *history = (struct history){.entries = entries, .mask = packets - 1, .keep_ms = HISTORY_MS};
    return STATUS_OK;
}

void history_fini(struct history *history, const struct packets *home)
{
    history_clear(history, home);
    free(history->entries);
    *history = (struct history){0};
}

static struct packet **history_place(const struct history *history, int64_t index)
{
    return &history->entries[(uint64_t)index & history->mask];
}

static void history_drop_below(struct history *history, int64_t oldest, const struct packets *home)
{
    for (; history->oldest < oldest && history->oldest <= history->newest; history->oldest++) {
        struct packet **place = history_place(history, history->oldest);
        packet_unref(*place, home);
        *place = NULL;
    }
    if (history->oldest < oldest)
        history->oldest = oldest;
}

void history_clear(struct history *history, const struct packets *home)
{
    if (history->started)
        history_drop_below(history, history->newest + 1, home);
    history->started = false;
}

void history_put(struct history *history, struct packet *packet, const struct packets *home)
{
    if (history->entries == NULL)
        return;
    int64_t index = packet->index;
    if (!history->started) {
        history->started = true;
        history->oldest = history->newest = index;
    } else if (index > history->newest) {
        history_drop_below(history, index - (int64_t)history->mask, home);
        history->newest = index;
    } else if (index < history->oldest) {
        return;
    }
    struct packet **place = history_place(history, index);
    if (*place == NULL)
        *place = packet_ref(packet);
    history_expire(history, packet->arrived_ns, home);
}

void history_expire(struct history *history, uint64_t now_ns, const struct packets *home)
{
    if (!history->started)
        return;
    const uint64_t age_ns = (uint64_t)history->keep_ms * CLOCK_NS_PER_MS;
    while (history->oldest <= history->newest) {
        const struct packet *packet = *history_place(history, history->oldest);
        if (packet != NULL && packet->arrived_ns + age_ns > now_ns)
            return;
        history_drop_below(history, history->oldest + 1, home);
    }
}

struct packet *history_get(const struct history *history, int64_t index)
{
    if (!history->started || index < history->oldest || index > history->newest)
        return NULL;
    return *history_place(history, index);
}
