#include "media/codec/noise.h"

#include "media/codec/level.h"

#include <math.h>

enum status noise_read(const uint8_t *payload, size_t length, uint8_t *ret_level)
{
    if (length == 0)
        return STATUS_TRUNCATED;
    if (payload[0] > LEVEL_SILENCE)
        return STATUS_INVALID;
    *ret_level = payload[0];
    return STATUS_OK;
}

void noise_make(struct noise *noise, float level, int16_t *ret_samples, size_t count)
{
    /* Evenly distributed up to the root of three times what is meant in the mean. */
    const float most = sqrtf(3) * 32768.0F * powf(10, -level / 20);
    for (size_t i = 0; i < count; i++) {
        noise->state = noise->state * 1664525U + 1013904223U; /* Knuth's, good enough to be heard */
        float sample = most * (float)(int32_t)noise->state / 2147483648.0F;
        ret_samples[i] = (int16_t)(sample > INT16_MAX   ? INT16_MAX
                                   : sample < INT16_MIN ? INT16_MIN
                                                        : (int)lrintf(sample));
    }
}
