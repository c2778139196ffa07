/* media/phone/prompt.c - recordings played to telephones; see media/leg.h. */
#include "media/phone/leg.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { PROMPT_S_MAX = 120, HALF_BAND = 15 };

struct media_prompt {
    atomic_uint references;
    size_t narrow_count;
    int16_t *narrow, *wide; /* wide has twice as many */
};

/* Half-band low pass, windowed sinc, Q15; every second tap but the middle is 0. */
static const int32_t half_band[HALF_BAND] = {-101, 0, 545,   0, -2024, 0, 9763, 16384,
                                             9763, 0, -2024, 0, 545,   0, -101};

static int16_t filtered(const int16_t *samples, size_t count, size_t at, size_t step, int gain)
{
    int64_t sum = 0;
    for (size_t tap = 0; tap < HALF_BAND; tap++) {
        /* Position in the stream that the taps run over; step 2: zeros between the samples. */
        size_t place = at + tap;
        if (place < HALF_BAND / 2 || (place - HALF_BAND / 2) % step != 0)
            continue;
        size_t sample = (place - HALF_BAND / 2) / step;
        if (sample < count)
            sum += (int64_t)samples[sample] * half_band[tap];
    }
    sum = sum * gain / 32768;
    return (int16_t)(sum > INT16_MAX ? INT16_MAX : sum < INT16_MIN ? INT16_MIN : sum);
}

static enum status prompt_fill(struct media_prompt *prompt, const int16_t *samples, size_t count,
                               uint32_t rate)
{
    bool wide = rate == VOICE_RATE_WIDE;
    prompt->narrow_count = wide ? count / 2 : count;
    prompt->narrow = calloc(prompt->narrow_count + 1, sizeof *prompt->narrow);
    prompt->wide = calloc(prompt->narrow_count * 2 + 1, sizeof *prompt->wide);
    if (prompt->narrow == NULL || prompt->wide == NULL)
        return STATUS_NO_MEMORY;
    if (wide) {
        memcpy(prompt->wide, samples, prompt->narrow_count * 2 * sizeof *samples);
        for (size_t i = 0; i < prompt->narrow_count; i++)
            prompt->narrow[i] = filtered(samples, count, i * 2, 1, 1);
    } else {
        memcpy(prompt->narrow, samples, count * sizeof *samples);
        for (size_t i = 0; i < prompt->narrow_count * 2; i++)
            prompt->wide[i] = filtered(samples, count, i, 2, 2);
    }
    return STATUS_OK;
}

enum status media_prompt_new(const int16_t *samples, size_t count, uint32_t rate,
                             struct media_prompt **ret_prompt)
{
    if ((rate != VOICE_RATE_NARROW && rate != VOICE_RATE_WIDE) || count == 0 ||
        count > (size_t)rate * PROMPT_S_MAX)
        return STATUS_INVALID;
    struct media_prompt *prompt = calloc(1, sizeof *prompt);
    if (prompt == NULL)
        return STATUS_NO_MEMORY;
    atomic_init(&prompt->references, 1);
    enum status status = prompt_fill(prompt, samples, count, rate);
    if (status != STATUS_OK) {
        media_prompt_unref(prompt);
        return status;
    }
    *ret_prompt = prompt;
    return STATUS_OK;
}

struct media_prompt *media_prompt_ref(struct media_prompt *prompt)
{
    atomic_fetch_add_explicit(&prompt->references, 1, memory_order_relaxed);
    return prompt;
}

void media_prompt_unref(struct media_prompt *prompt)
{
    if (prompt == NULL ||
        atomic_fetch_sub_explicit(&prompt->references, 1, memory_order_acq_rel) != 1)
        return;
    free(prompt->narrow);
    free(prompt->wide);
    free(prompt);
}

const int16_t *media_prompt_samples(const struct media_prompt *prompt, uint32_t rate,
                                    size_t *ret_count)
{
    bool wide = rate == VOICE_RATE_WIDE;
    *ret_count = wide ? prompt->narrow_count * 2 : prompt->narrow_count;
    return wide ? prompt->wide : prompt->narrow;
}
