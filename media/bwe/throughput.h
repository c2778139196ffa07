/*
 * media/bwe/throughput.h - bit/s over the last half second, of bytes that come with a
 * time of their own (when they left, or when they arrived on the receiver's clock).
 */
#ifndef MEDIA_BWE_THROUGHPUT_H
#define MEDIA_BWE_THROUGHPUT_H

#include <stdbool.h>
#include <stdint.h>

enum {
    THROUGHPUT_BUCKETS = 16, /* power of two */
    THROUGHPUT_BUCKET_US = 32000,
    THROUGHPUT_LONG = 16, /* buckets: half a second */
    THROUGHPUT_SHORT = 8, /* a quarter */
};

/* Zero-filled is empty. */
struct throughput {
    bool started;
    int64_t first, newest; /* buckets, counted from the clock's zero */
    int64_t newest_us;
    uint32_t bytes[THROUGHPUT_BUCKETS];
};

/* Times may be a little out of order; what is older than the buckets is left out. */
void throughput_add(struct throughput *throughput, int64_t at_us, uint32_t bytes);
/* Over the last `buckets`; 0: not known yet. */
uint32_t throughput_bps(const struct throughput *throughput, uint32_t buckets);

#endif
