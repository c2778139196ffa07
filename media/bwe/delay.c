#include "media/bwe/delay.h"

#include <math.h>

/* draft-ietf-rmcat-gcc-02 5.3..5.5, with the trend line libwebrtc has put in the place of its
 * Kalman filter. */
static const double SMOOTHING = 0.9;
static const double TREND_GAIN = 4;
static const double THRESHOLD_FIRST_MS = 12.5, THRESHOLD_MIN_MS = 6, THRESHOLD_MAX_MS = 600;
static const double THRESHOLD_UP = 0.0087, THRESHOLD_DOWN = 0.039;
static const double THRESHOLD_OUTLIER_MS = 15, THRESHOLD_STEP_MS_MAX = 100;
static const double OVERUSE_MS = 10;
static const double US_PER_MS = 1000;

enum {
    DELAY_DELTAS_MAX = 60,         /* groups after which the trend counts fully */
    DELAY_REORDERED_US = 3000000,  /* the receiver's clock jumped: all anew */
    DELAY_BURST_ARRIVAL_US = 5000, /* came together: what a radio link held back */
    DELAY_BURST_LENGTH_US = 100000,
};

static void delay_restart(struct delay *delay)
{
    double threshold_ms = delay->threshold_ms;
    *delay = (struct delay){.threshold_ms = threshold_ms};
}

/* ---- the trend ---- */

/* Slope of the least-squares line through the points; ms of delay per ms. */
static double slope_of(const struct delay *delay)
{
    double time = 0, value = 0;
    for (uint8_t i = 0; i < delay->count; i++) {
        time += delay->times_ms[i];
        value += delay->delays_ms[i];
    }
    time /= delay->count;
    value /= delay->count;
    double above = 0, below = 0;
    for (uint8_t i = 0; i < delay->count; i++) {
        double apart = delay->times_ms[i] - time;
        above += apart * (delay->delays_ms[i] - value);
        below += apart * apart;
    }
    return below > 0 ? above / below : 0;
}

static void threshold_adapt(struct delay *delay, double offset_ms, int64_t arrival_us)
{
    double size = fabs(offset_ms);
    double passed_ms = (double)(arrival_us - delay->adapted_us) / US_PER_MS;
    delay->adapted_us = arrival_us;
    if (size > delay->threshold_ms + THRESHOLD_OUTLIER_MS)
        return;
    if (passed_ms > THRESHOLD_STEP_MS_MAX)
        passed_ms = THRESHOLD_STEP_MS_MAX;
    double gain = size < delay->threshold_ms ? THRESHOLD_DOWN : THRESHOLD_UP;
    delay->threshold_ms += gain * (size - delay->threshold_ms) * passed_ms;
    delay->threshold_ms = fmin(fmax(delay->threshold_ms, THRESHOLD_MIN_MS), THRESHOLD_MAX_MS);
}

static void usage_detect(struct delay *delay, double trend, double sent_ms, int64_t arrival_us)
{
    double deltas = delay->deltas < DELAY_DELTAS_MAX ? delay->deltas : DELAY_DELTAS_MAX;
    double offset_ms = deltas * trend * TREND_GAIN;
    if (delay->threshold_ms <= 0) {
        delay->threshold_ms = THRESHOLD_FIRST_MS;
        delay->adapted_us = arrival_us;
    }
    if (offset_ms > delay->threshold_ms) {
        delay->over_ms += delay->over_count == 0 ? sent_ms / 2 : sent_ms;
        delay->over_count++;
        if (delay->over_ms > OVERUSE_MS && delay->over_count > 1 && trend >= delay->trend_before) {
            delay->over_ms = 0;
            delay->over_count = 0;
            delay->usage = DELAY_OVERUSE;
        }
    } else {
        delay->over_ms = 0;
        delay->over_count = 0;
        delay->usage = offset_ms < -delay->threshold_ms ? DELAY_UNDERUSE : DELAY_NORMAL;
    }
    delay->trend_before = trend;
    threshold_adapt(delay, offset_ms, arrival_us);
}

static void group_end(struct delay *delay)
{
    const struct delay_group *now = &delay->now, *before = &delay->before;
    double sent_ms = (double)(now->sent_us - before->sent_us) / US_PER_MS;
    double delta_ms = (double)(now->arrival_us - before->arrival_us) / US_PER_MS - sent_ms;
    if (delay->deltas == 0)
        delay->origin_us = now->arrival_us;
    delay->deltas++;
    delay->jitter_ms += (fabs(delta_ms) - delay->jitter_ms) / 16;
    delay->accumulated_ms += delta_ms;
    delay->smoothed_ms = SMOOTHING * delay->smoothed_ms + (1 - SMOOTHING) * delay->accumulated_ms;
    delay->times_ms[delay->next] = (double)(now->arrival_us - delay->origin_us) / US_PER_MS;
    delay->delays_ms[delay->next] = delay->smoothed_ms;
    delay->next = (uint8_t)((delay->next + 1) % DELAY_POINTS);
    if (delay->count < DELAY_POINTS)
        delay->count++;
    double trend = delay->count == DELAY_POINTS ? slope_of(delay) : delay->trend_before;
    usage_detect(delay, trend, sent_ms, now->arrival_us);
}

/* ---- the least delay ---- */

static void base_note(struct delay *delay, int64_t sent_us, int64_t arrival_us)
{
    int64_t least_us = arrival_us - sent_us;
    if (!delay->based) {
        delay->based = true;
        delay->base_us[0] = delay->base_us[1] = least_us;
        delay->base_begun_us = sent_us;
    } else if (sent_us - delay->base_begun_us >= DELAY_BASE_US) {
        delay->base_us[0] = delay->base_us[1];
        delay->base_us[1] = least_us;
        delay->base_begun_us = sent_us;
    }
    if (least_us < delay->base_us[1])
        delay->base_us[1] = least_us;
    if (!delay->batched || least_us < delay->least_us)
        delay->least_us = least_us;
    delay->batched = true;
}

int64_t delay_queue(struct delay *delay)
{
    int64_t base_us = delay->base_us[0] < delay->base_us[1] ? delay->base_us[0] : delay->base_us[1];
    delay->batched = false;
    return delay->based ? delay->least_us - base_us : 0;
}

void delay_rebase(struct delay *delay)
{
    delay->base_us[0] = delay->base_us[1] = delay->least_us;
}

/* ---- groups ---- */

static bool group_takes(const struct delay_group *group, int64_t sent_us, int64_t arrival_us)
{
    if (sent_us - group->sent_first_us <= DELAY_GROUP_US)
        return true;
    int64_t arrival_delta_us = arrival_us - group->arrival_us;
    return arrival_delta_us <= DELAY_BURST_ARRIVAL_US &&
           arrival_delta_us - (sent_us - group->sent_us) < 0 &&
           arrival_us - group->arrival_first_us < DELAY_BURST_LENGTH_US;
}

void delay_packet(struct delay *delay, int64_t sent_us, int64_t arrival_us)
{
    if (delay->grouping && (arrival_us < delay->now.arrival_us - DELAY_REORDERED_US ||
                            arrival_us > delay->now.arrival_us + (sent_us - delay->now.sent_us) +
                                             10 * (int64_t)DELAY_REORDERED_US))
        delay_restart(delay);
    base_note(delay, sent_us, arrival_us);
    struct delay_group *now = &delay->now;
    if (!delay->grouping) {
        delay->grouping = true;
        *now = (struct delay_group){sent_us, sent_us, arrival_us, arrival_us};
        return;
    }
    if (sent_us < now->sent_first_us)
        return; /* overtaken on the way: it says nothing of the queue */
    if (!group_takes(now, sent_us, arrival_us)) {
        if (delay->grouped && now->arrival_us >= delay->before.arrival_us)
            group_end(delay);
        delay->before = *now;
        delay->grouped = true;
        *now = (struct delay_group){sent_us, sent_us, arrival_us, arrival_us};
        return;
    }
    if (sent_us > now->sent_us)
        now->sent_us = sent_us;
    if (arrival_us > now->arrival_us)
        now->arrival_us = arrival_us;
}
