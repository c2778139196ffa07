#include "media/sfu/loss.h"

#include <stddef.h>

enum {
    RISE_SHIFT = 1, /* a sample above what is believed counts a half */
    FALL_SHIFT = 4, /* one below a sixteenth */
};

/* From this smoothed loss on, a packet carries that many copies. What independent losses leave is
 * the loss to the power of depth + 1: below 0.3 % at the end of each row. */
static const struct {
    uint16_t permille;
    uint8_t depth;
} red_depths[] = {{200, 4}, {100, 3}, {40, 2}, {10, 1}};

static uint8_t red_depth_of(uint16_t permille)
{
    for (size_t i = 0; i < sizeof red_depths / sizeof red_depths[0]; i++) {
        if (permille >= red_depths[i].permille)
            return red_depths[i].depth;
    }
    return 0;
}

static void sample_take(struct loss_meter *meter, uint32_t permille)
{
    int32_t apart = (int32_t)permille - meter->permille;
    /* Rounded away from what is believed, so that it gets all the way. */
    if (apart > 0)
        meter->permille += (uint16_t)((apart + (1 << RISE_SHIFT) - 1) >> RISE_SHIFT);
    else
        meter->permille -= (uint16_t)((-apart + (1 << FALL_SHIFT) - 1) >> FALL_SHIFT);
    meter->red_depth = red_depth_of(meter->permille);
}

void loss_counted(struct loss_meter *meter, uint32_t received, uint32_t lost, uint64_t now_ms)
{
    if (meter->received + meter->lost == 0)
        meter->window_ms = now_ms;
    meter->received += received;
    meter->lost += lost;
    meter->counted_ms = now_ms;
    uint32_t total = meter->received + meter->lost;
    uint64_t elapsed_ms = now_ms - meter->window_ms;
    if (total == 0 || elapsed_ms < LOSS_WINDOW_MS ||
        (total < LOSS_WINDOW_PACKETS && elapsed_ms < LOSS_WINDOW_MS_MAX))
        return;
    sample_take(meter, (uint32_t)((uint64_t)meter->lost * 1000 / total));
    meter->received = meter->lost = 0;
}

void loss_reported(struct loss_meter *meter, uint8_t fraction, uint64_t now_ms)
{
    if (meter->counted_ms != 0 && now_ms - meter->counted_ms < LOSS_COUNTED_MS)
        return;
    sample_take(meter, (uint32_t)fraction * 1000 / 256);
}
