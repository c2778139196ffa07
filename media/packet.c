#include "media/packet.h"

#include <string.h>

struct packet *packet_new(struct pool *pool)
{
    struct packet *packet = pool_get(pool);
    if (packet == NULL)
        return NULL;
    atomic_init(&packet->references, 1);
    packet->pool = pool;
    return packet;
}

struct packet *packet_ref(struct packet *packet)
{
    atomic_fetch_add_explicit(&packet->references, 1, memory_order_relaxed);
    return packet;
}

void packet_unref(struct packet *packet, const struct pool *home)
{
    if (packet == NULL)
        return;
    /* A sole owner needs no atomic decrement: nobody else can take a reference any more. */
    if (atomic_load_explicit(&packet->references, memory_order_acquire) != 1 &&
        atomic_fetch_sub_explicit(&packet->references, 1, memory_order_acq_rel) != 1)
        return;
    if (packet->pool == home)
        pool_put(packet->pool, packet);
    else
        pool_put_remote(packet->pool, packet);
}

void packet_facts_clear(struct packet *packet)
{
    const size_t begin = offsetof(struct packet, source);
    memset((uint8_t *)packet + begin, 0, offsetof(struct packet, data) - begin);
    packet->picture_id = PACKET_NUMBER_NONE;
    packet->tl0picidx = PACKET_NUMBER_NONE;
    packet->frame_number = PACKET_NUMBER_NONE;
}
