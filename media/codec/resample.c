#include "media/codec/resample.h"
#include "media/codec/samples.h"
#include "media/codec/voice.h"

#include <string.h>

enum { FRACTION = 15, HALF_SAMPLE = 1 << 14 };

/* A sinc at the odd taps, windowed by Kaiser's of beta 5; the middle tap is a half, the even ones
 * are 0. In 1 / 2^FRACTION; the side's sum is a quarter. */
static const int16_t taps[RESAMPLE_TAPS] = {10372, -3332, 1855, -1181, 785, -524,
                                            342,   -215,  127,  -67,   30};

void resample_double(struct resample *resample, const int16_t *in, size_t count, int16_t *out)
{
    int16_t line[RESAMPLE_REACH + VOICE_FRAME_MAX / 2];
    memcpy(line, resample->past, RESAMPLE_REACH * sizeof *line);
    memcpy(line + RESAMPLE_REACH, in, count * sizeof *line);
    for (size_t i = 0; i < count; i++) {
        const int16_t *before = line + i + RESAMPLE_TAPS - 1, *after = before + 1;
        int32_t sum = 0;
        for (size_t tap = 0; tap < RESAMPLE_TAPS; tap++)
            sum += taps[tap] * (before[-(ptrdiff_t)tap] + after[tap]);
        out[2 * i] = *before;
        out[2 * i + 1] = samples_cut((sum + HALF_SAMPLE / 2) >> (FRACTION - 1));
    }
    memcpy(resample->past, line + count, RESAMPLE_REACH * sizeof *line);
}

void resample_halve(struct resample *resample, const int16_t *in, size_t count, int16_t *out)
{
    int16_t line[RESAMPLE_PAST + VOICE_FRAME_MAX];
    memcpy(line, resample->past, RESAMPLE_PAST * sizeof *line);
    memcpy(line + RESAMPLE_PAST, in, 2 * count * sizeof *line);
    for (size_t i = 0; i < count; i++) {
        const int16_t *middle = line + 2 * i + RESAMPLE_REACH;
        int32_t sum = *middle * HALF_SAMPLE;
        for (ptrdiff_t tap = 0; tap < RESAMPLE_TAPS; tap++)
            sum += taps[tap] * (middle[-(2 * tap + 1)] + middle[2 * tap + 1]);
        out[i] = samples_cut((sum + HALF_SAMPLE) >> FRACTION);
    }
    memcpy(resample->past, line + 2 * count, RESAMPLE_PAST * sizeof *line);
}
