/*
 * core/clock.h - the two clocks. Code that decides by time takes it as an
 * argument; only loops and edges read these.
 */
#ifndef CORE_CLOCK_H
#define CORE_CLOCK_H

#include <stdint.h>

enum {
    CLOCK_NS_PER_MS = 1000000,
    CLOCK_NS_PER_US = 1000,
};

/* Nanoseconds of CLOCK_MONOTONIC; never goes back. Any thread. */
uint64_t clock_mono_ns(void);
/* Milliseconds since 1970-01-01 UTC. Any thread. */
int64_t clock_wall_ms(void);
/* 64-bit NTP timestamp (RFC 5905 6) of now; for RTCP sender reports. Any thread. */
uint64_t clock_ntp(void);

#endif
