#include "media/bwe/loss.h"

#include <math.h>

/* draft-ietf-rmcat-gcc-02 6: above 10 % less, below 2 % more. */
static const double LOSS_HIGH_FRACTION = 0.10, LOSS_LOW_FRACTION = 0.02;
/* How many standard deviations chance is allowed: a window at once, some seconds together, and a
 * window that only says not to send more. */
static const double LOSS_DEVIATIONS_WINDOW = 3, LOSS_DEVIATIONS_LONG = 2,
                    LOSS_DEVIATIONS_SOME = 1.5;
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

static void long_forget(struct loss *loss)
{
    loss->long_told = loss->long_lost = 0;
}

/* Some seconds, the older the less. */
static void long_follow(struct loss *loss, uint64_t passed_us)
{
    double kept = fmax(1 - (double)passed_us / LOSS_LONG_US, 0);
    loss->long_told = loss->long_told * kept + loss->told;
    loss->long_lost = loss->long_lost * kept + loss->lost;
}

/* More than a path may lose beside its own: now, or for some time. Returns the share; 0: not so. */
static double high_fraction(const struct loss *loss, double fraction)
{
    double most = loss->floor + LOSS_HIGH_FRACTION;
    double at = fmax(fraction, loss->floor);
    if (fraction > most + LOSS_DEVIATIONS_WINDOW * deviation(at, loss->told))
        return fraction;
    if (loss->long_told < LOSS_LONG_PACKETS)
        return 0;
    double mean = loss->long_lost / loss->long_told;
    double spread = LOSS_DEVIATIONS_LONG * deviation(mean, (uint32_t)loss->long_told);
    return mean > most + spread ? mean : 0;
}

/* Less is sent since the loss was found, and about as much is lost: where a queue had overflowed,
 * it would be what exceeds the rate that came through then. */
static bool test_fails(const struct loss *loss, double fraction, uint32_t offered_bps)
{
    double through = loss->tested_bps * (1 - loss->tested_fraction);
    double overflow = offered_bps > through ? 1 - through / offered_bps : 0;
    double excess = loss->tested_fraction - loss->floor;
    return overflow < loss->tested_fraction / 3 && fraction - loss->floor > (excess + overflow) / 2;
}

/* LOSS_UNKNOWN: it is not over, or sending less did help. */
static enum loss_verdict test_verdict(struct loss *loss, uint32_t offered_bps)
{
    if (loss->tested_bps == 0)
        return LOSS_UNKNOWN;
    if (offered_bps > loss->tested_bps * LOSS_TEST_RATE) {
        long_forget(loss); /* what is told is of before */
        return LOSS_UNKNOWN;
    }
    if (loss->long_told < LOSS_LONG_PACKETS)
        return LOSS_UNKNOWN;
    double fraction = loss->long_lost / loss->long_told;
    bool own = test_fails(loss, fraction, offered_bps);
    /* Rather too little: the rest shows as loss again, what is too much hides a full queue. */
    if (own)
        loss->floor =
            fmin(fmin(fraction, loss->tested_fraction), LOSS_FLOOR_MAX) * LOSS_FLOOR_FIRST;
    loss->tested_bps = 0;
    long_forget(loss);
    return own ? LOSS_OWN : LOSS_UNKNOWN;
}

static enum loss_verdict verdict_of(struct loss *loss, double fraction, uint32_t offered_bps)
{
    if (test_verdict(loss, offered_bps) == LOSS_OWN)
        return LOSS_OWN;
    double high = high_fraction(loss, fraction);
    if (high > 0) {
        if (loss->tested_bps == 0) {
            loss->tested_bps = offered_bps;
            loss->tested_fraction = high;
        }
        long_forget(loss);
        return LOSS_HIGH;
    }
    double excess = fraction - loss->floor;
    double spread = LOSS_DEVIATIONS_SOME * deviation(fmax(fraction, loss->floor), loss->told);
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
    long_follow(loss, passed_us);
    enum loss_verdict verdict = verdict_of(loss, fraction, offered_bps);
    loss->fraction = fraction;
    loss_forget(loss, now_us);
    return verdict;
}
