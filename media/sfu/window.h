/*
 * media/sfu/window.h - how long a worker rests after a flush, so that the packets of a
 * crowd come and leave together. Pure: time and counts are arguments.
 *
 * A message of four packets (UDP GSO) costs half of four messages, and a waking costs as
 * much as five of them; but resting is latency. So a packet that comes alone is never
 * waited with; a crowd costs WINDOW_IDLE_US. More only where within the time that the load
 * excuses a second packet comes to the same destination, and packets do then share messages
 * (those of speech are of unequal sizes and do not): until there are WINDOW_SEGMENTS. What comes
 * while a turn works waits for the rest of it, the nap, and for as much work again: these
 * together are WINDOW_BUDGET_US at most, so that a busy worker rests less.
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
    WINDOW_BUDGET_US = 3000,
    WINDOW_PACKETS_A_US = 5, /* packets/s sent that excuse a microsecond */
    WINDOW_ALONE_US = 2000,  /* nothing left for that long: this one came alone */
    WINDOW_SEGMENTS = 4,     /* packets of a message worth waiting for */
    WINDOW_FEW = 2,          /* packets of a flush that say nothing: reports, checks */
};

/* Zero-filled: as at the start. */
struct window {
    uint32_t rest_us; /* to rest after the last flush; 0: not at all */
    uint32_t goal_us; /* of it, as the load is; below WINDOW_IDLE_US: that */
    uint64_t flushed_ns;
};

/* Packets sent a second, as measured of late, and to how many places they went. */
void window_load(struct window *window, uint64_t packets_per_s, uint64_t destinations);
/* A flush of so many packets in so many messages; sets rest_us. */
void window_flushed(struct window *window, size_t packets, size_t messages, uint64_t now_ns);
/* How long to rest now, after a turn of so much work. */
uint32_t window_nap_us(const struct window *window, uint64_t worked_us);

#endif
