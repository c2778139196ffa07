/* Small helpers shared by every file: clocks, errors, random bytes, histogram. */
#ifndef UTIL_H
#define UTIL_H
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NS_MS 1000000ull
#define NS_S 1000000000ull

static inline uint64_t clock_ns(clockid_t c)
{
    struct timespec t;
    clock_gettime(c, &t);
    return (uint64_t)t.tv_sec * NS_S + (uint64_t)t.tv_nsec;
}
static inline uint64_t mono_ns(void)
{
    return clock_ns(CLOCK_MONOTONIC);
}
static inline uint64_t real_ns(void)
{
    return clock_ns(CLOCK_REALTIME);
}

static inline void put16(uint8_t *p, uint16_t v)
{
    p[0] = v >> 8;
    p[1] = (uint8_t)v;
}
static inline void put32(uint8_t *p, uint32_t v)
{
    put16(p, v >> 16);
    put16(p + 2, (uint16_t)v);
}
static inline void put64(uint8_t *p, uint64_t v)
{
    put32(p, v >> 32);
    put32(p + 4, (uint32_t)v);
}
static inline uint16_t get16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}
static inline uint32_t get32(const uint8_t *p)
{
    return (uint32_t)get16(p) << 16 | get16(p + 2);
}
static inline uint64_t get64(const uint8_t *p)
{
    return (uint64_t)get32(p) << 32 | get32(p + 4);
}

__attribute__((noreturn, format(printf, 1, 2))) void die(const char *fmt, ...);
__attribute__((format(printf, 1, 2))) void say(const char *fmt, ...); /* stderr, with a time */
void rnd_bytes(void *p, size_t n);
void rnd_text(char *out, size_t n); /* n letters and digits, then a NUL */

/* Histogram of nanoseconds: 64 sub-buckets for each power of two (error < 1.6 %). */
#define HIST_SUB 6
#define HIST_LEN ((64 - HIST_SUB + 1) << HIST_SUB)
struct hist {
    uint64_t n, sum, max, min;
    uint32_t bucket[HIST_LEN];
};
void hist_reset(struct hist *h);
void hist_add(struct hist *h, uint64_t v);
uint64_t hist_quantile(const struct hist *h, double q);
#endif
