#include "media/sfu/loss.h"

#include <stddef.h>

enum {
    RISE_SHIFT = 1,    /* a sample above what is believed counts a half */
    FALL_SHIFT = 4,    /* one below a sixteenth */
    VOICE_BPS = 45000, /* Opus at 32 kbit/s with its headers, and a copy of it */
    COPY_BPS = 33000,
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

/* Independent losses: of the packets under one parity two are seldom lost at once. Switched off
 * well below where it was switched on. */
static uint8_t fec_every_of(const struct loss_meter *meter)
{
    uint32_t rtt_ms = meter->rtt8_ms / 8;
    bool on = meter->fec_every != 0;
    if (rtt_ms < (on ? LOSS_FEC_ROUND_TRIP_MS * 3 / 4 : LOSS_FEC_ROUND_TRIP_MS) ||
        meter->permille < (on ? LOSS_FEC_PERMILLE / 2 : LOSS_FEC_PERMILLE))
        return 0;
    uint32_t every = 1000 / (3U * meter->permille);
    if (every > LOSS_FEC_EVERY_MAX)
        every = LOSS_FEC_EVERY_MAX;
    return (uint8_t)(every < LOSS_FEC_EVERY_MIN ? LOSS_FEC_EVERY_MIN : every);
}

static void decide(struct loss_meter *meter)
{
    meter->red_depth = red_depth_of(meter->permille);
    if (meter->red_depth_max != 0 && meter->red_depth > meter->red_depth_max)
        meter->red_depth = meter->red_depth_max;
    meter->fec_every = fec_every_of(meter);
}

static void sample_take(struct loss_meter *meter, uint32_t permille)
{
    int32_t apart = (int32_t)permille - meter->permille;
    /* Rounded away from what is believed, so that it gets all the way. */
    if (apart > 0)
        meter->permille += (uint16_t)((apart + (1 << RISE_SHIFT) - 1) >> RISE_SHIFT);
    else
        meter->permille -= (uint16_t)((-apart + (1 << FALL_SHIFT) - 1) >> FALL_SHIFT);
    decide(meter);
}

void loss_round_trip(struct loss_meter *meter, uint32_t rtt_ms)
{
    if (meter->rtt8_ms == 0)
        meter->rtt8_ms = rtt_ms * 8;
    else
        meter->rtt8_ms = meter->rtt8_ms - meter->rtt8_ms / 8 + rtt_ms;
    decide(meter);
}

void loss_room(struct loss_meter *meter, uint32_t budget_bps)
{
    uint32_t speech_bps = budget_bps / 3 * 2;
    uint32_t depth = speech_bps <= VOICE_BPS ? 0 : (speech_bps - VOICE_BPS) / COPY_BPS;
    /* One copy always: without any, speech is the first thing that is lost. */
    depth = depth < 1 ? 1 : depth;
    meter->red_depth_max = (uint8_t)(depth < UINT8_MAX ? depth : UINT8_MAX);
    decide(meter);
}

uint32_t loss_fec_rest(const struct loss_meter *meter, uint32_t video_bps)
{
    if (meter->fec_every == 0)
        return video_bps;
    return (uint32_t)((uint64_t)video_bps * meter->fec_every / (meter->fec_every + 1U));
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
