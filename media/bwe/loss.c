#include "media/bwe/loss.h"

#include <math.h>

/* draft-ietf-rmcat-gcc-02 6: above 10 % less, below 2 % more. */
static const double LOSS_HIGH_FRACTION = 0.10, LOSS_LOW_FRACTION = 0.02;
/* A short window of few packets is allowed to be worse by that many standard deviations. */
static const double LOSS_DEVIATIONS = 1.5;
static const double LOSS_TEST_RATE = 0.75; /* of what was sent: less is a test */
/* More than that is an outage or a wrong rate, never a path one lives with. */
static const double LOSS_FLOOR_MAX = 0.3, LOSS_FLOOR_FIRST = 0.85;
static const double LOSS_FLOOR_RISE = 0.1, LOSS_FLOOR_FALL = 0.3;

void loss_packet(struct loss *loss, bool received, bool again)
{
    if (again) {
        if (loss->lost > 0)
            loss->lost--;
        return;
    }
    loss->told++;
    loss->lost += received ? 0 : 1;
}

void loss_forget(struct loss *loss, uint64_t now_us)
{
    loss->told = loss->lost = 0;
    loss->begun_us = now_us;
}

static double deviation(double fraction, uint32_t count)
{
    return sqrt(fraction * (1 - fraction) / count);
}

static void floor_follow(struct loss *loss, double fraction)
{
    double gain = fraction < loss->floor ? LOSS_FLOOR_FALL : LOSS_FLOOR_RISE;
    /* It rises by itself only where it is: a new loss is put to the test first. */
    if (fraction < loss->floor || loss->floor > LOSS_LOW_FRACTION)
        loss->floor += gain * (fmin(fraction, LOSS_FLOOR_MAX) - loss->floor);
}

/* Less is sent since the loss was found, and about as much is lost: where a queue had overflowed,
 * it would be what exceeds the rate that came through then. */
static bool test_fails(const struct loss *loss, double fraction, uint32_t offered_bps)
{
    if (loss->tested_bps == 0 || offered_bps > loss->tested_bps * LOSS_TEST_RATE)
        return false;
    double through = loss->tested_bps * (1 - loss->tested_fraction);
    double overflow = offered_bps > through ? 1 - through / offered_bps : 0;
    return overflow < loss->tested_fraction / 3 && fraction > LOSS_HIGH_FRACTION &&
           fraction > (loss->tested_fraction + overflow) / 2;
}

static enum loss_verdict verdict_of(struct loss *loss, double fraction, uint32_t count,
                                    uint32_t offered_bps)
{
    if (test_fails(loss, fraction, offered_bps)) {
        loss->tested_bps = 0;
        /* Rather too little: the rest shows as loss again, what is too much hides a full queue. */
        loss->floor =
            fmin(fmin(fraction, loss->tested_fraction), LOSS_FLOOR_MAX) * LOSS_FLOOR_FIRST;
        return LOSS_OWN;
    }
    double spread = LOSS_DEVIATIONS * deviation(fmax(fraction, loss->floor), count);
    double excess = fraction - loss->floor;
    if (excess > LOSS_HIGH_FRACTION + spread) {
        if (loss->tested_bps == 0) {
            loss->tested_bps = offered_bps;
            loss->tested_fraction = fraction;
        }
        return LOSS_HIGH;
    }
    if (fraction < LOSS_HIGH_FRACTION)
        loss->tested_bps = 0; /* sending less did help */
    floor_follow(loss, fraction);
    return excess > LOSS_LOW_FRACTION + spread ? LOSS_SOME : LOSS_LOW;
}

enum loss_verdict loss_judge(struct loss *loss, uint32_t offered_bps, uint64_t now_us)
{
    uint64_t passed_us = now_us - loss->begun_us;
    bool full = passed_us >= LOSS_WINDOW_US && loss->told >= LOSS_PACKETS;
    bool late = passed_us >= LOSS_WINDOW_US_MAX && loss->told >= LOSS_PACKETS_LEAST;
    if (!full && !late)
        return LOSS_UNKNOWN;
    double fraction = (double)loss->lost / loss->told;
    enum loss_verdict verdict = verdict_of(loss, fraction, loss->told, offered_bps);
    loss->fraction = fraction;
    loss_forget(loss, now_us);
    return verdict;
}
