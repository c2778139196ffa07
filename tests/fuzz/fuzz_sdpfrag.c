/* Fragments that a WHIP or WHEP client sends by PATCH. */
#include "signalling/whip/sdpfrag.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    struct sdpfrag frag;
    if (sdpfrag_read((const char *)data, length, &frag) == STATUS_OK &&
        (strlen(frag.ufrag) > MEDIA_UFRAG_MAX || strlen(frag.pwd) > MEDIA_PWD_MAX ||
         strpbrk(frag.ufrag, "\r\n") != NULL || strpbrk(frag.pwd, "\n") != NULL))
        abort();
    return 0;
}
