#include "media/bwe/bwe.h"

#include "media/bwe/pacer.h"

#include <math.h>
#include <string.h>

enum {
    US_PER_MS = 1000,
    US_PER_SECOND = 1000000,
    BWE_RTT_MS_DEFAULT = 100,
    BWE_RESPONSE_MS = 100,     /* feedback's spacing: an answer comes a round trip and this later */
    BWE_PACKET_BITS = 9600,    /* additive increase: one packet a response time */
    BWE_QUEUE_US = 50000,      /* a longer queue than that is left to empty before anything grows */
    BWE_QUEUE_SHOWN_US = 5000, /* what never empties is a queue, however short */
    BWE_QUEUE_IDLE_US = 20000, /* sent well below the estimate, no shorter one is congestion */
    BWE_STANDING_US = 500000,  /* a queue that stays that long does so because of us */
    BWE_DRAIN_US = 800000,
    BWE_DRAINED_US = 30000,
    BWE_DRAIN_US_MAX = 2500000,
};

static const double BACKOFF = 0.85; /* GCC's beta */
static const double DRAIN_LEAST = 0.5;
static const double BACKOFF_LOSS = 0.8;    /* of what arrives: enough less to be a test */
static const double GROWTH = 1.08;         /* a second, far from any known capacity */
static const double GROWTH_REPORTS = 1.05; /* without feedback: a second */
static const double IDLE = 0.7;      /* sending less than that of the estimate shows nothing */
static const double DELIVERED = 1.5; /* never more than so much of what arrives */
static const double NEAR_LOW = 0.75, NEAR_HIGH = 1.15; /* about the capacity found before */
static const double SILENT_BACKOFF = 0.7, SILENT_LEAST = 0.2, SILENT_BACK = 0.6;
static const double REMB_ROOM = 1.2; /* receivers say at most 1.5 times what they get */

enum status bwe_open(struct bwe *bwe, bool feedback, uint64_t now_us)
{
    *bwe = (struct bwe){.estimate_bps = BWE_BPS_FIRST, .updated_us = now_us, .queued_us = now_us};
    if (!feedback)
        return STATUS_OK;
    enum status status = sent_open(&bwe->sent);
    if (status == STATUS_OK)
        bwe->source = BWE_TRANSPORT_WIDE;
    return status;
}

void bwe_close(struct bwe *bwe)
{
    sent_close(&bwe->sent);
    *bwe = (struct bwe){0};
}

uint32_t bwe_estimate(const struct bwe *bwe)
{
    return bwe->source == BWE_NOTHING ? UINT32_MAX : bwe->estimate_bps;
}

uint32_t bwe_burst_percent(const struct bwe *bwe)
{
    if (bwe->draining)
        return PACER_PERCENT_DRAIN;
    return bwe->capacity_bps != 0 ? PACER_PERCENT_NEAR : PACER_PERCENT;
}

static void estimate_set(struct bwe *bwe, double bps)
{
    bwe->estimate_bps = (uint32_t)fmin(fmax(bps, BWE_BPS_MIN), BWE_BPS_MAX);
}

/* ---- what arrived ---- */

/* What the link carries, what it loses by itself included; 0: unknown. */
static double delivered_bps(const struct bwe *bwe, uint32_t buckets)
{
    return throughput_bps(&bwe->arrived, buckets) / (1 - bwe->loss.floor);
}

static bool is_idle(const struct bwe *bwe)
{
    return throughput_bps(&bwe->offered, THROUGHPUT_LONG) < bwe->estimate_bps * IDLE;
}

static uint64_t response_us(const struct bwe *bwe)
{
    uint64_t rtt_ms = bwe->rtt_ms != 0 ? bwe->rtt_ms : BWE_RTT_MS_DEFAULT;
    return (rtt_ms + BWE_RESPONSE_MS) * US_PER_MS;
}

static void rtt_note(struct bwe *bwe, uint64_t sent_us, uint64_t now_us)
{
    uint32_t rtt_ms = (uint32_t)((now_us - sent_us) / US_PER_MS) + 1;
    bwe->rtt_ms = bwe->rtt_ms == 0 ? rtt_ms : (bwe->rtt_ms * 7 + rtt_ms) / 8;
}

/* ---- down ---- */

static void lower(struct bwe *bwe, double bps, uint64_t now_us)
{
    if (bps >= bwe->estimate_bps)
        return;
    estimate_set(bwe, bps);
    bwe->lowered_us = now_us;
    bwe->kept_bps = 0;
    probe_abandon(&bwe->probe, PROBE_WAIT_US, now_us);
}

/* What is to be sent while a queue of that length empties: gone in about BWE_DRAIN_US. */
static double drain_share(int64_t queue_us)
{
    return fmin(fmax(1 - (double)queue_us / BWE_DRAIN_US, DRAIN_LEAST), BACKOFF);
}

static void congested(struct bwe *bwe, uint64_t now_us)
{
    double capacity = delivered_bps(bwe, THROUGHPUT_SHORT);
    /* A burst that is gone already, a few packets of a small stream that came late. */
    double shown_us =
        is_idle(bwe) ? BWE_QUEUE_IDLE_US + bwe->delay.jitter_ms * US_PER_MS : BWE_QUEUE_SHOWN_US;
    if ((double)bwe->queue_us < shown_us)
        return;
    if (capacity <= 0 || now_us - bwe->lowered_us < response_us(bwe) / 2)
        return;
    /* With a queue behind it the link was busy: what came is all that it bears. */
    bool busy = bwe->queue_us > BWE_QUEUE_US;
    bwe->capacity_bps = (uint32_t)(busy ? capacity : fmin(capacity, bwe->estimate_bps));
    lower(bwe, capacity * drain_share(bwe->queue_us), now_us);
    if (busy && !bwe->draining) {
        bwe->draining = true;
        bwe->drain_until_us = now_us + BWE_DRAIN_US_MAX;
    }
}

static void drain(struct bwe *bwe, uint64_t now_us)
{
    if (bwe->queue_us > BWE_DRAINED_US && now_us < bwe->drain_until_us) {
        /* Not enough less: what arrives, nothing added for the path's own loss, is all there is. */
        double arrived = throughput_bps(&bwe->arrived, THROUGHPUT_LONG);
        if (bwe->queue_us > BWE_QUEUE_US && now_us - bwe->lowered_us > BWE_STANDING_US &&
            arrived > 0)
            lower(bwe, arrived * BACKOFF, now_us);
        return;
    }
    bwe->draining = false;
    if (bwe->queue_us > BWE_DRAINED_US) {
        delay_rebase(&bwe->delay); /* another's queue, or a longer way: ours has had its time */
        return;
    }
    double bps = bwe->capacity_bps * BACKOFF;
    if (bps > bwe->estimate_bps)
        estimate_set(bwe, bps);
}

/* A queue with an end that is full grows no more: there is no trend, but it is there. */
static bool queue_stands(struct bwe *bwe, uint64_t now_us)
{
    if (bwe->queue_us < BWE_QUEUE_US || bwe->draining)
        bwe->queued_us = now_us;
    return now_us - bwe->queued_us > BWE_STANDING_US;
}

static void losses(struct bwe *bwe, uint64_t now_us)
{
    uint32_t offered = throughput_bps(&bwe->offered, THROUGHPUT_LONG);
    enum loss_verdict verdict = loss_judge(&bwe->loss, offered, now_us);
    if (verdict == LOSS_HIGH) {
        uint32_t before = bwe->kept_bps != 0 ? bwe->kept_bps : bwe->estimate_bps;
        double arrived = throughput_bps(&bwe->arrived, THROUGHPUT_LONG);
        if (arrived > 0)
            lower(bwe, arrived * BACKOFF_LOSS, now_us);
        bwe->kept_bps = before;
    } else if (verdict == LOSS_OWN) {
        if (bwe->kept_bps > bwe->estimate_bps)
            estimate_set(bwe, bwe->kept_bps);
        bwe->kept_bps = 0;
    } else if (verdict == LOSS_LOW) {
        bwe->kept_bps = 0;
    }
}

/* ---- up ---- */

static bool near_capacity(const struct bwe *bwe)
{
    return bwe->capacity_bps != 0 && bwe->estimate_bps > bwe->capacity_bps * NEAR_LOW &&
           bwe->estimate_bps < bwe->capacity_bps * NEAR_HIGH;
}

static void grow(struct bwe *bwe, uint64_t passed_us, uint64_t now_us)
{
    double seconds = (double)passed_us / US_PER_SECOND;
    double delivered = delivered_bps(bwe, THROUGHPUT_LONG);
    double bps = bwe->estimate_bps;
    if (is_idle(bwe) || bwe->queue_us > BWE_QUEUE_US || now_us - bwe->lowered_us < response_us(bwe))
        return;
    if (near_capacity(bwe))
        bps += seconds * BWE_PACKET_BITS * US_PER_SECOND / (double)response_us(bwe);
    else
        bps *= pow(GROWTH, seconds);
    if (bwe->capacity_bps != 0 && bps > bwe->capacity_bps * NEAR_HIGH)
        bwe->capacity_bps = 0;
    bps = fmin(bps, delivered * DELIVERED);
    if (bps > bwe->estimate_bps)
        estimate_set(bwe, bps);
}

static void probed(struct bwe *bwe, uint16_t sequence, uint64_t now_us)
{
    uint32_t bps = probe_result(&bwe->probe, sequence, bwe->loss.floor, now_us);
    if (bps <= bwe->estimate_bps || bwe->draining)
        return;
    estimate_set(bwe, bps);
    bwe->capacity_bps = 0;
}

/* ---- feedback ---- */

static void adjust(struct bwe *bwe, uint64_t now_us)
{
    uint64_t passed_us = now_us - bwe->updated_us;
    bwe->updated_us = now_us;
    if (passed_us > BWE_SILENT_US)
        passed_us = BWE_SILENT_US;
    losses(bwe, now_us);
    if (bwe->delay.usage == DELAY_OVERUSE || queue_stands(bwe, now_us))
        congested(bwe, now_us);
    else if (bwe->draining)
        drain(bwe, now_us);
    else if (bwe->delay.usage == DELAY_NORMAL && bwe->loss.fraction - bwe->loss.floor < 0.1)
        grow(bwe, passed_us, now_us);
}

/* Feedback is there again: what was lost in between says nothing of the rate. */
static void resume(struct bwe *bwe, uint64_t now_us)
{
    bwe->silent = false;
    loss_forget(&bwe->loss, now_us);
    double bps = bwe->loud_bps * SILENT_BACK;
    if (bps > bwe->estimate_bps)
        estimate_set(bwe, bps);
    probe_abandon(&bwe->probe, PROBE_NEXT_US, now_us);
}

void bwe_feedback(struct bwe *bwe, const struct twcc_report *reports, size_t count, uint64_t now_us)
{
    bwe->missing_count = 0;
    if (bwe->sent.packets == NULL || count == 0)
        return;
    bool resumed = bwe->silent, received = false;
    uint64_t newest_us = 0;
    uint16_t newest = 0;
    for (size_t i = 0; i < count; i++) {
        const struct twcc_report *report = &reports[i];
        struct sent_fate fate;
        if (!sent_told(&bwe->sent, report->sequence, report->received, now_us, &fate))
            continue;
        if (!fate.again)
            throughput_add(&bwe->offered, (int64_t)fate.at_us, fate.size);
        if (!resumed)
            loss_packet(&bwe->loss, report->received, fate.again);
        bool probing = fate.cluster != 0 && fate.cluster == bwe->probe.cluster &&
                       bwe->probe.state != PROBE_IDLE;
        if (!report->received) {
            if (probing)
                probe_lost(&bwe->probe);
            if (fate.note != 0 && bwe->missing_count < BWE_MISSING_MAX)
                bwe->missing[bwe->missing_count++] = fate.note;
            continue;
        }
        received = true;
        newest = report->sequence;
        newest_us = fate.at_us;
        throughput_add(&bwe->arrived, report->arrival_us, fate.size);
        delay_packet(&bwe->delay, (int64_t)fate.at_us, report->arrival_us);
        if (probing)
            probe_received(&bwe->probe, fate.size, fate.at_us, report->arrival_us);
    }
    sent_fit(&bwe->sent);
    if (!received)
        return;
    bwe->source = BWE_TRANSPORT_WIDE;
    bwe->heard = true;
    bwe->heard_us = now_us;
    rtt_note(bwe, newest_us, now_us);
    bwe->queue_us = delay_queue(&bwe->delay);
    if (resumed)
        resume(bwe, now_us);
    adjust(bwe, now_us);
    probed(bwe, newest, now_us);
}

/* ---- peers without it ---- */

static bool listens_elsewhere(const struct bwe *bwe, uint64_t now_us)
{
    if (bwe->sent.packets == NULL)
        return true;
    return !bwe->heard && bwe->first_sent_us != 0 && now_us - bwe->first_sent_us > BWE_DEAF_US;
}

void bwe_remb(struct bwe *bwe, uint64_t bps, uint32_t sent_bps, uint64_t now_us)
{
    if (!listens_elsewhere(bwe, now_us))
        return;
    double passed = (double)(now_us - bwe->updated_us) / US_PER_SECOND;
    bwe->updated_us = now_us;
    double grown = bwe->estimate_bps * pow(GROWTH, fmin(passed, 1));
    /* What the receiver says is bounded by what it gets: only near that is it the link's. */
    bool limits = (double)bps < sent_bps * REMB_ROOM;
    bool first = bwe->source != BWE_REMB;
    bwe->source = BWE_REMB;
    estimate_set(bwe, limits || first ? (double)bps : fmax((double)bps, grown));
}

void bwe_report(struct bwe *bwe, uint8_t fraction, uint32_t sent_bps, uint64_t now_us)
{
    enum { FRACTION_HIGH = 26, FRACTION_LOW = 5, FRACTION_ONE = 256 }; /* GCC's 10 % and 2 % */
    if (bwe->source == BWE_REMB || !listens_elsewhere(bwe, now_us))
        return;
    double passed = (double)(now_us - bwe->updated_us) / US_PER_SECOND;
    if (fraction > FRACTION_HIGH && sent_bps > 0) {
        double kept = 1 - 0.5 * fraction / FRACTION_ONE;
        double from = bwe->source == BWE_REPORTS ? bwe->estimate_bps : sent_bps;
        bwe->source = BWE_REPORTS;
        estimate_set(bwe, fmin(from, sent_bps) * kept);
    } else if (bwe->source == BWE_REPORTS && fraction < FRACTION_LOW) {
        estimate_set(bwe, bwe->estimate_bps * pow(GROWTH_REPORTS, fmin(passed, 5)));
        if (bwe->estimate_bps >= BWE_BPS_MAX)
            bwe->source = BWE_NOTHING;
    }
    bwe->updated_us = now_us;
}

/* ---- time ---- */

static void fall_silent(struct bwe *bwe, uint64_t now_us)
{
    /* Whoever begins after a pause has not been answered yet. */
    uint64_t quiet_us = now_us - bwe->heard_us, going_us = sent_going_us(&bwe->sent, now_us);
    if (quiet_us > going_us)
        quiet_us = going_us;
    uint64_t limit_us = BWE_SILENT_US + (uint64_t)bwe->rtt_ms * US_PER_MS;
    /* Nothing sent since is no silence of the peer's. */
    if (quiet_us < limit_us || sent_idle_us(&bwe->sent, now_us) > quiet_us - limit_us / 2)
        return;
    if (!bwe->silent) {
        bwe->silent = true;
        bwe->loud_bps = bwe->estimate_bps;
        probe_abandon(&bwe->probe, PROBE_NEXT_US, now_us);
    }
    if (now_us - bwe->stepped_us < BWE_SILENT_STEP_US)
        return;
    bwe->stepped_us = now_us;
    double bps = bwe->estimate_bps * SILENT_BACKOFF;
    double least = bwe->loud_bps * SILENT_LEAST;
    if (bps > least)
        estimate_set(bwe, bps);
}

/* Nothing leaves, every picture is paused: what queue there was is gone, no feedback says so. */
static bool rests(struct bwe *bwe, uint64_t now_us)
{
    if (sent_idle_us(&bwe->sent, now_us) < SENT_PAUSE_US)
        return false;
    bwe->delay.usage = DELAY_NORMAL;
    bwe->queue_us = 0;
    bwe->queued_us = now_us;
    return true;
}

void bwe_tick(struct bwe *bwe, uint32_t desired_bps, uint64_t now_us)
{
    if (bwe->source != BWE_TRANSPORT_WIDE)
        return;
    if (bwe->first_sent_us == 0 && bwe->sent.any)
        bwe->first_sent_us = now_us;
    if (!bwe->heard) {
        if (listens_elsewhere(bwe, now_us))
            bwe->source = BWE_NOTHING; /* it promised feedback and gives none */
        return;
    }
    fall_silent(bwe, now_us);
    bool calm = !bwe->silent && !bwe->draining && bwe->delay.usage != DELAY_OVERUSE &&
                bwe->queue_us < BWE_QUEUE_US && now_us - bwe->heard_us < BWE_SILENT_US;
    if (calm || rests(bwe, now_us))
        probe_consider(&bwe->probe, bwe->estimate_bps, desired_bps, bwe->delay.jitter_ms, now_us);
}
