/* tests/support/vector.c - see vector.h. */
#include "tests/support/vector.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void give_up(const char *file, const char *name, const char *why)
{
    fprintf(stderr, "vector %s, entry %s: %s\n", file, name, why);
    abort();
}

static size_t hex_append(const char *text, uint8_t *bytes, size_t have, size_t size)
{
    while (*text != '\0' && *text != '#') {
        unsigned value = 0;
        if (isspace((unsigned char)*text)) {
            text++;
            continue;
        }
        if (sscanf(text, "%2x", &value) != 1 || have >= size)
            return SIZE_MAX;
        bytes[have++] = (uint8_t)value;
        text += 2;
    }
    return have;
}

size_t vector_load(const char *file, const char *name, uint8_t *ret_bytes, size_t size)
{
    char path[512], line[512];
    snprintf(path, sizeof path, "%s/%s", TEST_VECTORS, file);
    FILE *stream = fopen(path, "r");
    if (stream == NULL)
        give_up(file, name, "no such file");
    bool found = false;
    size_t have = 0;
    while (fgets(line, sizeof line, stream) != NULL) {
        const char *text = line;
        const char *colon = line[0] == '#' ? NULL : strchr(line, ':');
        if (colon != NULL) {
            if (found)
                break;
            size_t length = (size_t)(colon - line);
            found = strlen(name) == length && memcmp(line, name, length) == 0;
            text = colon + 1;
        }
        if (found && have != SIZE_MAX)
            have = hex_append(text, ret_bytes, have, size);
    }
    fclose(stream);
    if (!found || have == SIZE_MAX)
        give_up(file, name, found ? "not hex, or too long" : "no such entry");
    return have;
}
