#include "media/codec/samples.h"

#include <string.h>

static void fade(int16_t *into, const int16_t *from, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int32_t share = (int32_t)(i * 256 / count);
        into[i] = (int16_t)((into[i] * (256 - share) + from[i] * share) / 256);
    }
}

void samples_append(int16_t *samples, size_t room, size_t *count, const int16_t *more,
                    size_t more_count, bool faded)
{
    if (faded && *count >= more_count) {
        fade(samples + *count - more_count, more, more_count);
    } else if (*count + more_count <= room) {
        memcpy(samples + *count, more, more_count * sizeof *more);
        *count += more_count;
    }
}
