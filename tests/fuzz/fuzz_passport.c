/*
 * The Identity header of an INVITE: what is taken is within its bounds, and is the same when it is
 * read again.
 */
#include "signalling/sip/passport.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct passport first, second;
    char *text = malloc(size + 1); /* exact, so that a read past its end is seen */
    int64_t seconds;
    if (text == NULL)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    (void)!passport_date(text, &seconds);
    if (passport_read(text, &first) == STATUS_OK) {
        if (passport_read(text, &second) != STATUS_OK || first.length != second.length ||
            memcmp(first.text, second.text, first.length) != 0 ||
            first.dest_count > PASSPORT_DESTS_MAX || first.length >= PASSPORT_SIGNED_MAX ||
            (first.attestation != '\0') != first.shaken)
            abort();
        if (first.compact &&
            passport_complete(&first, "+1 555", "15551234", 1800000000) != STATUS_OK)
            abort();
    }
    free(text);
    return 0;
}
