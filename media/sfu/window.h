/*
 * media/sfu/window.h - how long a worker rests after a flush, so that the packets of a
 * crowd come and leave together. Pure: time and counts are arguments.
 *
 * A message of four packets (UDP GSO) costs half of four messages, and a waking costs as
 * much as five of them; but resting is latency. So a packet that comes alone is never
 * waited with; a crowd costs WINDOW_IDLE_US; more only where packets do share messages,
 * and as far as the load excuses it.
 *
 * Thread: the worker.
 */
#ifndef MEDIA_SFU_WINDOW_H
#define MEDIA_SFU_WINDOW_H

#include <stddef.h>
#include <stdint.h>

enum {
    WINDOW_IDLE_US = 400,
    WINDOW_MAX_US = 2500,
    WINDOW_PACKETS_A_US = 5, /* packets/s sent that excuse a microsecond */
    WINDOW_ALONE_US = 2000,  /* nothing left for that long: this one came alone */
};

/* Zero-filled: as at the start. */
struct window {
    uint32_t rest_us;  /* to rest after the last flush; 0: not at all */
    uint32_t limit_us; /* of it, as the load is */
    uint64_t flushed_ns;
};

/* Packets sent a second, as measured of late. */
void window_load(struct window *window, uint64_t packets_per_s);
/* A flush of so many packets in so many messages; sets rest_us. */
void window_flushed(struct window *window, size_t packets, size_t messages, uint64_t now_ns);

#endif
