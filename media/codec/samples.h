/*
 * media/codec/samples.h - decoded samples: those that wait to be played, and those that are too
 * loud. Pure; thread: the owner of the array.
 */
#ifndef MEDIA_CODEC_SAMPLES_H
#define MEDIA_CODEC_SAMPLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What no sample can say is cut at full scale. */
static inline int16_t samples_cut(int32_t sum)
{
    return (int16_t)(sum > INT16_MAX ? INT16_MAX : sum < INT16_MIN ? INT16_MIN : sum);
}

/* Appends `more` to the *count that wait in `samples`, which has room for so many; what does not
 * fit whole is left out. `faded`: the last of those that wait are faded into it instead. */
void samples_append(int16_t *samples, size_t room, size_t *count, const int16_t *more,
                    size_t more_count, bool faded);

#endif
