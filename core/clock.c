#include "core/clock.h"

#include <time.h>

enum { NS_PER_S = 1000000000 };

/* Seconds from 1900-01-01 (NTP's era 0) to 1970-01-01. */
static const uint64_t ntp_epoch_s = 2208988800u;

uint64_t clock_mono_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

int64_t clock_wall_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / CLOCK_NS_PER_MS;
}

uint64_t clock_ntp(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    uint64_t fraction = ((uint64_t)now.tv_nsec << 32) / NS_PER_S;
    return ((uint64_t)now.tv_sec + ntp_epoch_s) << 32 | fraction;
}
