#include "media/bwe/probe.h"

#include "core/bytes.h"
#include "media/bwe/sent.h"

enum {
    PROBE_FACTOR = 2,         /* of the estimate; a link twice as fast is found in one step */
    PROBE_FACTOR_FIRST = 3,   /* nothing is known yet */
    PROBE_JITTER_LENGTHS = 4, /* a cluster is that many times as long as arrivals wander */
    PROBE_PERCENT = 100,
    PROBE_DESIRED_PERCENT = 150, /* room for what a layer is above its average */
    PROBE_LEAST_PERCENT = 150,   /* of the estimate: less could not be told from it */
    PROBE_FOUND_PERCENT = 103,   /* less above the estimate is nothing */
    PROBE_MUCH_PERCENT = 110,    /* so much more may be another link: there may be more yet */
    PROBE_HEARD_PERCENT = 60,    /* of the packets not lost anyway */
    PROBE_FASTER_PERCENT = 200,  /* arrived so much faster than sent: held back somewhere */
    PROBE_FULL_PERCENT = 92,     /* arrived slower than that: the link is full */
    PROBE_SLACK_US = 2000,       /* what arrivals wander on a good path */
    US_PER_SECOND = 1000000,
};

static uint32_t percent_of(uint32_t value, uint32_t percent)
{
    uint64_t part = (uint64_t)value * percent / PROBE_PERCENT;
    return part > UINT32_MAX ? UINT32_MAX : (uint32_t)part;
}

void probe_consider(struct probe *probe, uint32_t estimate_bps, uint32_t desired_bps,
                    double jitter_ms, uint64_t now_us)
{
    if (probe->state == PROBE_AWAITING && now_us - probe->begun_us > PROBE_ANSWER_US)
        probe_abandon(probe, PROBE_AGAIN_US, now_us);
    if (probe->state != PROBE_IDLE || now_us < probe->next_us || desired_bps <= estimate_bps ||
        estimate_bps >= PROBE_BPS_MAX)
        return;
    bool first = probe->cluster == 0;
    uint32_t target = estimate_bps * (first ? PROBE_FACTOR_FIRST : PROBE_FACTOR);
    if (target > percent_of(desired_bps, PROBE_DESIRED_PERCENT))
        target = percent_of(desired_bps, PROBE_DESIRED_PERCENT);
    if (target < percent_of(estimate_bps, PROBE_LEAST_PERCENT))
        target = percent_of(estimate_bps, PROBE_LEAST_PERCENT);
    uint64_t length_us = PROBE_US + (uint64_t)(jitter_ms * 1000) * PROBE_JITTER_LENGTHS;
    *probe = (struct probe){
        .state = PROBE_SENDING,
        .cluster = (uint8_t)(probe->cluster % SENT_CLUSTER_MAX + 1),
        .target_bps = target,
        .before_bps = estimate_bps,
        .begun_us = now_us,
        .slack_us = PROBE_SLACK_US + (int64_t)(jitter_ms * 1000),
        .length_us = length_us < PROBE_US_MAX ? length_us : PROBE_US_MAX,
        .wait_us = probe->wait_us,
    };
}

uint32_t probe_due(struct probe *probe, uint64_t now_us)
{
    if (probe->state != PROBE_SENDING)
        return 0;
    uint64_t passed_us = now_us - probe->begun_us;
    bool over = (passed_us >= probe->length_us && probe->sent_packets >= PROBE_PACKETS) ||
                passed_us >= 2 * PROBE_US_MAX || probe->sent_bytes >= PROBE_BYTES_MAX;
    if (over) {
        probe->state = PROBE_AWAITING;
        return 0;
    }
    uint64_t due = probe->target_bps / 8 * passed_us / US_PER_SECOND + 1;
    return due > probe->sent_bytes ? (uint32_t)(due - probe->sent_bytes) : 0;
}

void probe_sent(struct probe *probe, uint16_t sequence, uint16_t size)
{
    probe->last_sequence = sequence;
    probe->sent_bytes += size;
    probe->sent_packets++;
}

void probe_lost(struct probe *probe)
{
    probe->lost_packets++;
}

void probe_received(struct probe *probe, uint16_t size, uint64_t sent_us, int64_t arrival_us)
{
    bool first = probe->received_packets == 0;
    probe->received_packets++;
    probe->received_bytes += size;
    if (first || sent_us < probe->sent_first_us)
        probe->sent_first_us = sent_us;
    if (first || sent_us >= probe->sent_last_us) {
        probe->sent_last_us = sent_us;
        probe->last_bytes = size;
    }
    if (first || arrival_us < probe->arrival_first_us) {
        probe->arrival_first_us = arrival_us;
        probe->first_bytes = size;
    }
    if (first || arrival_us > probe->arrival_last_us)
        probe->arrival_last_us = arrival_us;
}

struct measure {
    uint32_t bps; /* what the link has borne; 0: too little was received to say */
    bool full;    /* it arrived slower than it was sent */
};

static struct measure probe_measure(const struct probe *probe, double own_loss)
{
    double heard = (1 - own_loss) * probe->sent_packets * PROBE_HEARD_PERCENT / PROBE_PERCENT;
    int64_t sent_us = (int64_t)(probe->sent_last_us - probe->sent_first_us);
    int64_t arrival_us = probe->arrival_last_us - probe->arrival_first_us;
    struct measure nothing = {.full = true};
    if ((probe->received_packets + probe->lost_packets) * PROBE_PERCENT <
        probe->sent_packets * PROBE_HEARD_PERCENT)
        return (struct measure){0}; /* the feedback about it was lost, not the cluster */
    if (probe->received_packets < heard || probe->received_packets < PROBE_PACKETS / 2 ||
        sent_us <= 0 || arrival_us <= 0)
        return nothing;
    double bytes = (double)probe->received_bytes / (1 - own_loss);
    /* The same packets in both: what lies between the first and the last. */
    double between =
        bytes - (probe->first_bytes > probe->last_bytes ? probe->first_bytes : probe->last_bytes);
    double sent_bps = between * 8 * US_PER_SECOND / (double)sent_us;
    double arrival_bps = between * 8 * US_PER_SECOND / (double)arrival_us;
    if (arrival_us * PROBE_FASTER_PERCENT < sent_us * PROBE_PERCENT)
        return (struct measure){0}; /* held back on the way and let go: no rate of the link's */
    bool full = arrival_us * PROBE_FULL_PERCENT > (sent_us + probe->slack_us) * PROBE_PERCENT;
    double bps = arrival_bps < sent_bps ? arrival_bps : sent_bps;
    if (full)
        bps = bps * PROBE_FULL_PERCENT / PROBE_PERCENT;
    return (struct measure){bps > PROBE_BPS_MAX ? PROBE_BPS_MAX : (uint32_t)bps, full};
}

static void probe_end(struct probe *probe, bool full, uint64_t wait_us, uint64_t now_us)
{
    probe->state = PROBE_IDLE;
    probe->wait_us = full ? wait_us : 0;
    if (probe->wait_us > PROBE_WAIT_US_MAX)
        probe->wait_us = PROBE_WAIT_US_MAX;
    probe->next_us = now_us + (full ? probe->wait_us : wait_us);
}

uint32_t probe_result(struct probe *probe, uint16_t sequence, double own_loss, uint64_t now_us)
{
    if (probe->state != PROBE_AWAITING)
        return 0;
    uint64_t longer_us = probe->wait_us == 0 ? PROBE_WAIT_US : probe->wait_us * 2;
    if (seq_diff(sequence, probe->last_sequence) < 0) {
        if (now_us - probe->begun_us > PROBE_ANSWER_US)
            probe_end(probe, false, PROBE_AGAIN_US, now_us);
        return 0;
    }
    struct measure measure = probe_measure(probe, own_loss);
    bool found = measure.bps > percent_of(probe->before_bps, PROBE_FOUND_PERCENT);
    bool much = measure.bps > percent_of(probe->before_bps, PROBE_MUCH_PERCENT);
    /* A full link that bore a little more has said what it has to say for a while. */
    uint64_t wait_us = measure.full ? (found ? PROBE_WAIT_US : longer_us)
                                    : (found ? PROBE_NEXT_US : PROBE_AGAIN_US);
    probe_end(probe, measure.full && !much, much && measure.full ? PROBE_AGAIN_US : wait_us,
              now_us);
    return found ? measure.bps : 0;
}

void probe_abandon(struct probe *probe, uint64_t wait_us, uint64_t now_us)
{
    probe->state = PROBE_IDLE;
    probe->wait_us = 0;
    probe->next_us = now_us + wait_us;
}
