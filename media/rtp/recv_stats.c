#include "media/rtp/recv_stats.h"

#include "core/bytes.h"

enum {
    RECV_BAD_NONE = RECV_SEQ_MOD + 1,
    RECV_JITTER_JUMP_S = 10, /* a step of the transit time beyond this is a new clock, not jitter */
    US_PER_S = 1000000,
};

void recv_stats_init(struct recv_stats *stats, uint32_t clock_rate)
{
    *stats = (struct recv_stats){.clock_rate = clock_rate, .bad = RECV_BAD_NONE};
}

/* RFC 3550 A.1 init_seq */
static void sequence_init(struct recv_stats *stats, uint16_t sequence)
{
    stats->started = true;
    stats->base = sequence;
    stats->highest = sequence;
    stats->bad = RECV_BAD_NONE;
    stats->cycles = 0;
    stats->received = 0;
    stats->expected_prior = stats->received_prior = 0;
    stats->transit_known = false;
}

/* RFC 3550 A.1 update_seq, without probation. *ret_forward: it is the highest by now. */
static enum recv_verdict sequence_update(struct recv_stats *stats, uint16_t sequence,
                                         bool *ret_forward)
{
    uint16_t ahead = (uint16_t)(sequence - stats->highest);
    *ret_forward = false;
    if (!stats->started) {
        sequence_init(stats, sequence);
        *ret_forward = true;
    } else if (ahead < RECV_DROPOUT_MAX) {
        if (sequence < stats->highest)
            stats->cycles += RECV_SEQ_MOD;
        stats->highest = sequence;
        *ret_forward = true;
    } else if (ahead <= RECV_SEQ_MOD - RECV_MISORDER_MAX) {
        if (sequence != stats->bad) {
            stats->bad = (sequence + 1U) & (RECV_SEQ_MOD - 1);
            return RECV_REJECTED;
        }
        /* Two in a row from elsewhere: the other side restarted without telling. */
        sequence_init(stats, sequence);
        *ret_forward = true;
        return RECV_RESTARTED;
    }
    return RECV_OK;
}

/* RFC 3550 A.8 */
static void jitter_update(struct recv_stats *stats, uint32_t timestamp, uint64_t now_us)
{
    uint32_t arrival = (uint32_t)(now_us / US_PER_S * stats->clock_rate +
                                  now_us % US_PER_S * stats->clock_rate / US_PER_S);
    uint32_t transit = arrival - timestamp;
    int32_t step = (int32_t)(transit - stats->transit);
    uint32_t distance = step < 0 ? 0U - (uint32_t)step : (uint32_t)step;
    if (stats->transit_known && distance / RECV_JITTER_JUMP_S < stats->clock_rate)
        stats->jitter += distance - ((stats->jitter + 8) >> 4);
    stats->transit = transit;
    stats->transit_known = true;
}

enum recv_verdict recv_stats_packet(struct recv_stats *stats, uint16_t sequence, uint32_t timestamp,
                                    size_t payload_length, uint64_t now_us)
{
    bool forward;
    enum recv_verdict verdict = sequence_update(stats, sequence, &forward);
    if (verdict == RECV_REJECTED)
        return verdict;
    stats->received++;
    stats->bytes += payload_length;
    /* Packets of one frame share a timestamp and leave paced: only the first tells of the path. */
    if (forward && (!stats->transit_known || timestamp != stats->last_timestamp)) {
        jitter_update(stats, timestamp, now_us);
        stats->last_timestamp = timestamp;
    }
    return verdict;
}

void recv_stats_sr(struct recv_stats *stats, const struct rtcp_sender *sender, uint64_t now_us)
{
    stats->sr_ntp = sender->ntp;
    stats->sr_rtp = sender->rtp_timestamp;
    stats->sr_arrival_us = now_us;
}

static uint64_t expected_of(const struct recv_stats *stats)
{
    return stats->cycles + stats->highest - stats->base + 1;
}

/* RFC 3550 A.3 */
static uint8_t fraction_take(struct recv_stats *stats)
{
    uint64_t expected = expected_of(stats);
    uint64_t expected_interval = expected - stats->expected_prior;
    int64_t lost_interval =
        (int64_t)expected_interval - (int64_t)(stats->received - stats->received_prior);
    stats->expected_prior = expected;
    stats->received_prior = stats->received;
    stats->interval_expected = expected_interval;
    stats->interval_lost = lost_interval > 0 ? (uint64_t)lost_interval : 0;
    uint64_t fraction = 0;
    if (expected_interval != 0)
        fraction = (stats->interval_lost << 8) / expected_interval;
    stats->fraction_lost = fraction > UINT8_MAX ? UINT8_MAX : (uint8_t)fraction;
    return stats->fraction_lost;
}

bool recv_stats_block(struct recv_stats *stats, uint32_t ssrc, uint64_t now_us,
                      struct rtcp_block *ret_block)
{
    if (!stats->started)
        return false;
    int64_t lost = recv_stats_lost(stats);
    if (lost > 0x7FFFFF)
        lost = 0x7FFFFF;
    if (lost < -0x800000)
        lost = -0x800000;
    uint32_t last_sr = rtcp_ntp_middle(stats->sr_ntp);
    uint64_t since = (now_us - stats->sr_arrival_us) * 65536 / US_PER_S;
    *ret_block = (struct rtcp_block){
        .ssrc = ssrc,
        .fraction_lost = fraction_take(stats),
        .cumulative_lost = (int32_t)lost,
        .highest_sequence = recv_stats_highest(stats),
        .jitter = recv_stats_jitter(stats),
        .last_sr = last_sr,
        .delay_since_sr = last_sr == 0         ? 0
                          : since > UINT32_MAX ? UINT32_MAX
                                               : (uint32_t)since,
    };
    return true;
}

uint32_t recv_stats_jitter(const struct recv_stats *stats)
{
    return stats->jitter >> 4;
}

int64_t recv_stats_lost(const struct recv_stats *stats)
{
    return stats->started ? (int64_t)expected_of(stats) - (int64_t)stats->received : 0;
}

uint32_t recv_stats_highest(const struct recv_stats *stats)
{
    return (uint32_t)(stats->cycles + stats->highest);
}

int64_t seq_unwrap(struct seq_unwrapper *unwrapper, uint16_t sequence)
{
    if (!unwrapper->started) {
        unwrapper->started = true;
        unwrapper->last = sequence;
    } else {
        unwrapper->last += seq_diff(sequence, (uint16_t)unwrapper->last);
    }
    return unwrapper->last;
}
