/* media/phone/prompt.c - recordings played to telephones; see media/leg.h. */
#include "media/codec/resample.h"
#include "media/phone/leg.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { PROMPT_S_MAX = 120, STEP = VOICE_FRAME_MAX / 2 };

struct media_prompt {
    atomic_uint references;
    size_t narrow_count;
    int16_t *narrow, *wide; /* wide has twice as many */
};

static enum status prompt_fill(struct media_prompt *prompt, const int16_t *samples, size_t count,
                               uint32_t rate)
{
    bool wide = rate == VOICE_RATE_WIDE;
    prompt->narrow_count = wide ? count / 2 : count;
    prompt->narrow = calloc(prompt->narrow_count + 1, sizeof *prompt->narrow);
    prompt->wide = calloc(prompt->narrow_count * 2 + 1, sizeof *prompt->wide);
    if (prompt->narrow == NULL || prompt->wide == NULL)
        return STATUS_NO_MEMORY;
    if (wide)
        memcpy(prompt->wide, samples, 2 * prompt->narrow_count * sizeof *samples);
    else
        memcpy(prompt->narrow, samples, prompt->narrow_count * sizeof *samples);
    struct resample resample = {0};
    for (size_t at = 0; at < prompt->narrow_count; at += STEP) {
        size_t left = prompt->narrow_count - at, step = left < STEP ? left : STEP;
        if (wide)
            resample_halve(&resample, prompt->wide + 2 * at, step, prompt->narrow + at);
        else
            resample_double(&resample, prompt->narrow + at, step, prompt->wide + 2 * at);
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
