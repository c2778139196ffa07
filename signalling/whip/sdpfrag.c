#include "signalling/whip/sdpfrag.h"

#include <string.h>

/* Copies the value of "a=NAME:" when the line is one; a second, different one is refused. */
static enum status take(const char *line, size_t length, const char *name, char *into, size_t size)
{
    size_t prefix = strlen(name);
    if (length < prefix || memcmp(line, name, prefix) != 0)
        return STATUS_OK;
    const char *value = line + prefix;
    size_t value_length = length - prefix;
    if (value_length == 0 || value_length >= size)
        return STATUS_INVALID;
    if (into[0] != '\0' && (strlen(into) != value_length || memcmp(into, value, value_length) != 0))
        return STATUS_INVALID;
    memcpy(into, value, value_length);
    into[value_length] = '\0';
    return STATUS_OK;
}

enum status sdpfrag_read(const char *text, size_t length, struct sdpfrag *ret_frag)
{
    struct sdpfrag frag = {"", ""};
    if (length > SDPFRAG_MAX || memchr(text, '\0', length) != NULL)
        return STATUS_INVALID;
    const char *end = text + length;
    while (text < end) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        const char *next = newline != NULL ? newline + 1 : end;
        size_t line = (size_t)((newline != NULL ? newline : end) - text);
        if (line > 0 && text[line - 1] == '\r')
            line--;
        if (line > 0 && (line < 2 || text[1] != '='))
            return STATUS_INVALID;
        if (take(text, line, "a=ice-ufrag:", frag.ufrag, sizeof frag.ufrag) != STATUS_OK ||
            take(text, line, "a=ice-pwd:", frag.pwd, sizeof frag.pwd) != STATUS_OK)
            return STATUS_INVALID;
        text = next;
    }
    *ret_frag = frag;
    return STATUS_OK;
}
