#include "media/codec/level.h"
#include "media/codec/samples.h"
#include "media/codec/voice.h"

#include <math.h>

static const float noise_rise = 0.02F; /* dB a frame: 1 dB a second */
static const float noise_fall = 0.5F;  /* of the difference, a frame */
static const float speech_follow = 0.05F;
static const float gain_up = 0.1F;   /* dB a frame: 5 dB a second */
static const float gain_down = 0.4F; /* shouts are lowered sooner than whispers raised */

static float db_of(float power)
{
    const float full = 32768.0F * 32768.0F;
    return power <= 0 ? (float)LEVEL_SILENCE : -10.0F * log10f(power / full);
}

static float frame_level(const int16_t *samples, size_t count)
{
    float power = 0;
    for (size_t i = 0; i < count; i++)
        power += (float)samples[i] * (float)samples[i];
    float level = count == 0 ? LEVEL_SILENCE : db_of(power / (float)count);
    if (level > LEVEL_SILENCE)
        return LEVEL_SILENCE;
    return level < 0 ? 0 : level;
}

uint8_t level_of(const int16_t *samples, size_t count)
{
    return (uint8_t)(frame_level(samples, count) + 0.5F);
}

void voice_level_sent(struct voice_level *level, uint8_t sent)
{
    if (sent < LEVEL_SILENCE && (level->echo_left == 0 || sent <= level->echo)) {
        level->echo = sent;
        level->echo_left = LEVEL_ECHO_FRAMES;
    } else if (level->echo_left > 0) {
        level->echo_left--;
    }
}

static bool echo_likely(const struct voice_level *level, float now)
{
    return level->echo_left > 0 && now >= (float)level->echo + LEVEL_ECHO;
}

static bool voice_heard(struct voice_level *level, float now)
{
    if (!level->begun) {
        level->begun = true;
        level->noise = LEVEL_SPEECH + LEVEL_OVER_NOISE;
        level->speech = LEVEL_WANTED;
    }
    if (now > level->noise)
        level->noise += (now - level->noise) * noise_fall;
    else if (level->noise - noise_rise > LEVEL_NOISE_MOST)
        level->noise -= noise_rise;
    if (now < LEVEL_SPEECH && now + LEVEL_OVER_NOISE < level->noise && !echo_likely(level, now)) {
        level->hangover = LEVEL_HANGOVER;
        return true;
    }
    return false;
}

static void gain_follow(struct voice_level *level, float now)
{
    level->speech += (now - level->speech) * speech_follow;
    float wanted = level->speech - LEVEL_WANTED;
    if (wanted > LEVEL_GAIN_MAX)
        wanted = LEVEL_GAIN_MAX;
    if (wanted < LEVEL_GAIN_MIN)
        wanted = LEVEL_GAIN_MIN;
    if (wanted > level->gain + gain_up)
        level->gain += gain_up;
    else if (wanted < level->gain - gain_down)
        level->gain -= gain_down;
    else
        level->gain = wanted;
}

static int16_t cut(float sample)
{
    if (sample > INT16_MAX)
        return INT16_MAX;
    return sample < INT16_MIN ? INT16_MIN : (int16_t)lrintf(sample);
}

void gain_apply_sum(struct gain *gain, float gain_db, bool limited, const int32_t *sum,
                    int16_t *samples, size_t count)
{
    float factor = powf(10, gain_db / 20), from = gain->factor == 0 ? factor : gain->factor;
    int32_t peak = 1;
    for (size_t i = 0; limited && i < count; i++) {
        int32_t size = sum[i] < 0 ? -sum[i] : sum[i];
        peak = size > peak ? size : peak;
    }
    /* What is loud already is left as it is. */
    float most = peak > LEVEL_PEAK_MAX && peak <= INT16_MAX ? 1 : LEVEL_PEAK_MAX / (float)peak;
    if (factor > most)
        factor = most;
    if (from > most)
        from = factor;
    gain->factor = factor;
    if (from == 1 && factor == 1) { /* the usual case, without a rounding for each */
        for (size_t i = 0; i < count; i++)
            samples[i] = samples_cut(sum[i]);
        return;
    }
    float step = (factor - from) / (float)count;
    for (size_t i = 0; i < count; i++)
        samples[i] = cut((float)sum[i] * (from + step * (float)i));
}

void gain_apply(struct gain *gain, float gain_db, bool limited, int16_t *samples, size_t count)
{
    int32_t sum[VOICE_FRAME_MAX];
    if (gain_db == 0 && (gain->factor == 0 || gain->factor == 1))
        return;
    for (size_t at = 0; at < count; at += VOICE_FRAME_MAX) {
        size_t part = count - at < VOICE_FRAME_MAX ? count - at : VOICE_FRAME_MAX;
        for (size_t i = 0; i < part; i++)
            sum[i] = samples[at + i];
        gain_apply_sum(gain, gain_db, limited, sum, samples + at, part);
    }
}

struct loud voice_level_frame(struct voice_level *level, int16_t *samples, size_t count)
{
    float now = frame_level(samples, count);
    bool heard = voice_heard(level, now);
    if (heard)
        gain_follow(level, now);
    else if (level->hangover > 0)
        level->hangover--;
    bool voice = heard || level->hangover > 0;
    if (voice)
        gain_apply(&level->applied, level->gain, !level->unlimited, samples, count);
    float after = now - (voice ? level->gain : 0);
    if (after < 0)
        after = 0;
    return (struct loud){.level = (uint8_t)(after > LEVEL_SILENCE ? LEVEL_SILENCE : after + 0.5F),
                         .voice = voice};
}
