/*
 * The parser of both ends of the socket between the server and parley-phone: what it takes, it
 * writes again byte for byte.
 */
#include "signalling/sip/wire.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t frame;
    if (wire_frame(data, size, &frame) != STATUS_OK)
        return 0;
    uint8_t *exact = malloc(frame); /* so that a read past its end is seen */
    if (exact == NULL)
        return 0;
    memcpy(exact, data, frame);
    struct wire_message message;
    if (wire_parse(exact, frame, &message) == STATUS_OK) {
        uint8_t again[WIRE_FRAME_MAX];
        size_t length;
        struct wire_message second;
        if (wire_write(&message, again, sizeof again, &length) != STATUS_OK || length != frame ||
            wire_parse(again, length, &second) != STATUS_OK)
            abort();
        for (size_t i = 0; i < WIRE_FIELDS; i++) {
            const char *one = message.fields[i], *other = second.fields[i];
            if ((one == NULL) != (other == NULL) || (one != NULL && strcmp(one, other) != 0))
                abort();
        }
    }
    free(exact);
    return 0;
}
