/*
 * What may be a person's picture: nothing outside the bounds is let through.
 */
#include "modules/auth/picture.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct picture picture;
    if (picture_look(data, size, &picture) == STATUS_OK &&
        (picture.width == 0 || picture.height == 0 || picture.width > PICTURE_SIDE_MAX ||
         picture.height > PICTURE_SIDE_MAX))
        abort();
    return 0;
}
