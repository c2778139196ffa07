#include "media/bwe/throughput.h"

#include <string.h>

static int64_t bucket_of(int64_t at_us)
{
    int64_t bucket = at_us / THROUGHPUT_BUCKET_US;
    return at_us < 0 && bucket * THROUGHPUT_BUCKET_US != at_us ? bucket - 1 : bucket;
}

static void throughput_move(struct throughput *throughput, int64_t bucket)
{
    if (bucket - throughput->newest >= THROUGHPUT_BUCKETS) {
        memset(throughput->bytes, 0, sizeof throughput->bytes);
        /* After a silence the rate is that of what comes, not of the silence. */
        throughput->first = bucket;
    } else {
        for (int64_t i = throughput->newest + 1; i <= bucket; i++)
            throughput->bytes[(uint64_t)i % THROUGHPUT_BUCKETS] = 0;
    }
    throughput->newest = bucket;
}

void throughput_add(struct throughput *throughput, int64_t at_us, uint32_t bytes)
{
    int64_t bucket = bucket_of(at_us);
    if (!throughput->started || bucket < throughput->newest - THROUGHPUT_BUCKETS * 64) {
        *throughput = (struct throughput){.started = true, .first = bucket, .newest = bucket};
        throughput->newest_us = at_us;
    }
    if (bucket > throughput->newest)
        throughput_move(throughput, bucket);
    if (bucket <= throughput->newest - THROUGHPUT_BUCKETS)
        return;
    if (at_us > throughput->newest_us)
        throughput->newest_us = at_us;
    throughput->bytes[(uint64_t)bucket % THROUGHPUT_BUCKETS] += bytes;
}

uint32_t throughput_bps(const struct throughput *throughput, uint32_t buckets)
{
    enum { BUCKETS_LEAST = 3 };
    if (!throughput->started)
        return 0;
    int64_t from = throughput->newest - (int64_t)buckets + 1;
    if (from < throughput->first)
        from = throughput->first;
    if (throughput->newest - from + 1 < BUCKETS_LEAST)
        return 0;
    uint64_t bytes = 0;
    for (int64_t i = from; i <= throughput->newest; i++)
        bytes += throughput->bytes[(uint64_t)i % THROUGHPUT_BUCKETS];
    /* The newest bucket lasts as long as something came into it, the others wholly. */
    uint64_t us = (uint64_t)(throughput->newest_us - from * THROUGHPUT_BUCKET_US);
    if (us < (BUCKETS_LEAST - 1) * THROUGHPUT_BUCKET_US)
        us = (BUCKETS_LEAST - 1) * THROUGHPUT_BUCKET_US;
    uint64_t bps = bytes * 8 * 1000000 / us;
    return bps > UINT32_MAX ? UINT32_MAX : (uint32_t)bps;
}
