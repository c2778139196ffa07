/*
 * media/sfu/meter.h - brings what a worker has counted to the metrics registry, and measures
 * what is not counted as it happens: rates, lengths, memory, the kernel's drops.
 *
 * Thread: the worker's.
 */
#ifndef MEDIA_SFU_METER_H
#define MEDIA_SFU_METER_H

#include "media/sfu/sender.h"

#include <stdint.h>

struct worker;

/* In the worker: where it stood when last looked at. Zero-filled before meter_begin. */
struct meter {
    struct sender_counts sent;
    uint64_t received_bytes, sent_bytes; /* at the last once-a-second round */
    uint32_t socket_drops;               /* of the kernel */
    uint64_t slabs_first;                /* of all pools at the beginning */
};

/* All pools have been made. */
void meter_begin(struct worker *worker);
/* Ten times a second. Returns how many packets were sent since the last call. */
uint64_t meter_tick(struct worker *worker);
/* Once a second; `elapsed_ms` since the last call. */
void meter_second(struct worker *worker, uint64_t elapsed_ms);

#endif
