#include "media/sfu/slot_stats.h"

void slot_stats_switch(struct slot_stats *stats, const struct media_switch *change)
{
    stats->switches[stats->switch_next] = *change;
    stats->switch_next = (uint8_t)((stats->switch_next + 1) % MEDIA_SWITCHES_MAX);
    if (stats->switch_count < MEDIA_SWITCHES_MAX)
        stats->switch_count++;
}

uint32_t slot_stats_report(struct slot_stats *stats, const struct rtcp_block *block)
{
    int64_t more = (int64_t)block->cumulative_lost - stats->lost;
    stats->reported = true;
    stats->lost = block->cumulative_lost;
    stats->fraction_lost = block->fraction_lost;
    stats->jitter = block->jitter;
    return more > 0 ? (uint32_t)more : 0;
}

void slot_stats_measure(struct slot_stats *stats, uint64_t bytes, uint64_t now_ms)
{
    uint64_t elapsed_ms = now_ms - stats->measured_ms;
    if (elapsed_ms < SLOT_STATS_MEASURE_MS)
        return;
    stats->bitrate = (uint32_t)((bytes - stats->bytes_before) * 8000 / elapsed_ms);
    stats->bytes_before = bytes;
    stats->measured_ms = now_ms;
}
