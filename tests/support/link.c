#include "tests/support/link.h"

enum { LINK_REORDER_US = 10000, US_BITS_PER_BYTE = 8000000 };

static size_t step_at(const struct link *link, uint64_t now_us)
{
    size_t at = 0;
    while (at + 1 < link->step_count && link->steps[at + 1].at_us <= now_us)
        at++;
    return at;
}

uint32_t link_bps(const struct link *link, uint64_t now_us)
{
    return link->steps[step_at(link, now_us)].bps;
}

/* The end of sending `bytes` that begins at begin_us, over all the rates on the way; 0: never. */
static uint64_t served_us(const struct link *link, size_t bytes, uint64_t begin_us)
{
    uint64_t left = (uint64_t)bytes * US_BITS_PER_BYTE; /* us at 1 bit/s */
    for (size_t at = step_at(link, begin_us); at < link->step_count; at++) {
        uint64_t bps = link->steps[at].bps;
        bool last = at + 1 == link->step_count;
        uint64_t us = bps == 0 ? UINT64_MAX : left / bps;
        if (last)
            return bps == 0 ? 0 : begin_us + us;
        uint64_t room_us = link->steps[at + 1].at_us - begin_us;
        if (us <= room_us)
            return begin_us + us;
        left -= room_us * bps;
        begin_us = link->steps[at + 1].at_us;
    }
    return 0;
}

static bool chance(struct link *link, uint32_t of_one)
{
    return of_one != 0 && rng_below(&link->rng, LINK_ONE) < of_one;
}

uint64_t link_send(struct link *link, size_t bytes, uint64_t now_us)
{
    uint64_t begin_us = link->free_us > now_us ? link->free_us : now_us;
    uint64_t end_us = served_us(link, bytes, begin_us);
    if (end_us == 0 || end_us - now_us > link->queue_us + (end_us - begin_us))
        return 0;
    link->free_us = end_us;
    if (chance(link, link->loss))
        return 0;
    uint64_t arrival_us = end_us + link->delay_us;
    if (link->jitter_us != 0)
        arrival_us += rng_below(&link->rng, link->jitter_us);
    if (chance(link, link->reorder))
        return arrival_us + link->jitter_us + LINK_REORDER_US;
    if (link->keeps_order && arrival_us < link->last_us)
        arrival_us = link->last_us;
    link->last_us = arrival_us;
    return arrival_us;
}
