/*
 * Any bytes as an HTML page: its text is never longer, and reading the text again ends too.
 */
#include "modules/search/html.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *bytes = malloc(size);
    if (size == 0 || bytes == NULL) {
        free(bytes);
        return 0;
    }
    memcpy(bytes, data, size);
    size_t length = html_text(bytes, size);
    assert(length <= size);
    assert(html_text(bytes, length) <= length);
    free(bytes);
    return 0;
}
