#include "media/packet.h"

#include <stdlib.h>
#include <string.h>

_Static_assert((sizeof(struct packet) + PACKET_BYTES_SMALL) % 64 == 0 &&
                   (sizeof(struct packet) + PACKET_BYTES_MEDIUM) % 64 == 0,
               "pools round up to 64 bytes: these lose none by it");

struct packets {
    struct pool *pools[PACKET_SIZES];
};

enum status packets_new(uint32_t packets_max, struct packets **ret_packets)
{
    static const size_t bytes[PACKET_SIZES] = {PACKET_BYTES_SMALL, PACKET_BYTES_MEDIUM,
                                               PACKET_BYTES_MAX};
    struct packets *packets = calloc(1, sizeof *packets);
    enum status status = packets == NULL ? STATUS_NO_MEMORY : STATUS_OK;
    for (int size = 0; size < PACKET_SIZES && status == STATUS_OK; size++) {
        const struct pool_config config = {sizeof(struct packet) + bytes[size], PACKET_SLAB,
                                           packets_max};
        status = pool_new(&config, &packets->pools[size]);
    }
    if (status == STATUS_OK)
        *ret_packets = packets;
    else
        packets_free(packets);
    return status;
}

struct packets *packets_free(struct packets *packets)
{
    for (int size = 0; size < PACKET_SIZES && packets != NULL; size++)
        pool_free(packets->pools[size]);
    free(packets);
    return NULL;
}

uint32_t packets_used(const struct packets *packets)
{
    uint32_t used = 0;
    for (int size = 0; size < PACKET_SIZES; size++)
        used += pool_used(packets->pools[size]);
    return used;
}

uint32_t packets_slabs(const struct packets *packets)
{
    uint32_t slabs = 0;
    for (int size = 0; size < PACKET_SIZES; size++)
        slabs += pool_slabs(packets->pools[size]);
    return slabs;
}

size_t packets_bytes(const struct packets *packets)
{
    size_t bytes = 0;
    for (int size = 0; size < PACKET_SIZES; size++)
        bytes += pool_bytes(packets->pools[size]);
    return bytes;
}

struct packet *packet_new(struct packets *packets, size_t bytes)
{
    enum packet_size size = bytes <= PACKET_BYTES_SMALL    ? PACKET_SMALL
                            : bytes <= PACKET_BYTES_MEDIUM ? PACKET_MEDIUM
                                                           : PACKET_LARGE;
    struct packet *packet = bytes > PACKET_BYTES_MAX ? NULL : pool_get(packets->pools[size]);
    if (packet == NULL)
        return NULL;
    atomic_init(&packet->references, 1);
    packet->pool = packets->pools[size];
    packet->size = (uint8_t)size;
    return packet;
}

struct packet *packet_ref(struct packet *packet)
{
    atomic_fetch_add_explicit(&packet->references, 1, memory_order_relaxed);
    return packet;
}

void packet_unref(struct packet *packet, const struct packets *home)
{
    if (packet == NULL)
        return;
    /* A sole owner needs no atomic decrement: nobody else can take a reference any more. */
    if (atomic_load_explicit(&packet->references, memory_order_acquire) != 1 &&
        atomic_fetch_sub_explicit(&packet->references, 1, memory_order_acq_rel) != 1)
        return;
    if (home != NULL && packet->pool == home->pools[packet->size])
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
