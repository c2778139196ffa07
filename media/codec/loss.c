#include "media/codec/loss.h"

#include <string.h>

enum { US_PER_S = 1000000, WEIGHT = 1 << 12, COARSE = 2 };

static size_t samples_of(const struct loss *loss, uint32_t us)
{
    return (size_t)((uint64_t)loss->rate * us / US_PER_S);
}

void loss_init(struct loss *loss, uint32_t rate)
{
    memset(loss, 0, sizeof *loss);
    loss->rate = rate;
}

/* How alike the end of the history and what was `lag` samples before it are: correlation, squared,
 * by energy. */
static double likeness(const int16_t *end, size_t window, size_t lag, size_t step)
{
    int64_t product = 0, energy = 1;
    for (size_t i = 1; i <= window; i += step) {
        int32_t then = *(end - lag - i);
        product += (int64_t) * (end - i) * then;
        energy += (int64_t)then * then;
    }
    if (product <= 0)
        return 0;
    return (double)product * (double)product / (double)energy;
}

static size_t period_find(const struct loss *loss)
{
    const int16_t *end = loss->history + LOSS_HISTORY;
    size_t window = samples_of(loss, LOSS_WINDOW_US);
    size_t least = samples_of(loss, LOSS_PERIOD_MIN_US),
           most = samples_of(loss, LOSS_PERIOD_MAX_US);
    size_t best = most;
    double best_likeness = 0;
    for (size_t lag = least; lag <= most; lag += COARSE) {
        double now = likeness(end, window, lag, COARSE);
        if (now > best_likeness) {
            best_likeness = now;
            best = lag;
        }
    }
    size_t from = best > least ? best - 1 : best, to = best < most ? best + 1 : best;
    best_likeness = 0;
    for (size_t lag = from; lag <= to; lag++) {
        double now = likeness(end, window, lag, 1);
        if (now > best_likeness) {
            best_likeness = now;
            best = lag;
        }
    }
    return best;
}

static int16_t blend(int32_t from, int32_t to, size_t at, size_t whole)
{
    int32_t share = (int32_t)(at * WEIGHT / whole);
    return (int16_t)((from * (WEIGHT - share) + to * share) / WEIGHT);
}

/* The last period; its last quarter goes over into what came before it, so that its end fits its
 * beginning. */
static void loss_begin(struct loss *loss)
{
    const int16_t *end = loss->history + LOSS_HISTORY;
    loss->length = period_find(loss);
    loss->at = 0;
    memcpy(loss->period, end - loss->length, loss->length * sizeof *end);
    size_t quarter = loss->length / 4;
    for (size_t i = 0; i < quarter; i++) {
        size_t place = loss->length - quarter + i;
        loss->period[place] =
            blend(loss->period[place], *(end - loss->length - quarter + i), i, quarter);
    }
}

static int16_t loss_next(struct loss *loss)
{
    size_t full = samples_of(loss, LOSS_FULL_US), silent = samples_of(loss, LOSS_SILENT_US);
    size_t at = loss->at++;
    if (at >= silent)
        return 0;
    int16_t sample = loss->period[at % loss->length];
    return at < full ? sample : blend(sample, 0, at - full, silent - full);
}

static void history_keep(struct loss *loss, const int16_t *samples, size_t count)
{
    if (count >= LOSS_HISTORY) {
        memcpy(loss->history, samples + count - LOSS_HISTORY, sizeof loss->history);
        return;
    }
    memmove(loss->history, loss->history + count, (LOSS_HISTORY - count) * sizeof *samples);
    memcpy(loss->history + LOSS_HISTORY - count, samples, count * sizeof *samples);
}

void loss_heard(struct loss *loss, int16_t *samples, size_t count)
{
    size_t over = samples_of(loss, LOSS_BLEND_US);
    for (size_t i = 0; loss->length > 0 && i < count && i < over; i++)
        samples[i] = blend(loss_next(loss), samples[i], i, over);
    loss->length = 0;
    history_keep(loss, samples, count);
}

void loss_conceal(struct loss *loss, int16_t *ret_samples, size_t count)
{
    if (loss->length == 0)
        loss_begin(loss);
    for (size_t i = 0; i < count; i++)
        ret_samples[i] = loss_next(loss);
    history_keep(loss, ret_samples, count);
}
