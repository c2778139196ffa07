#include "core/text.h"

#include <stdint.h>
#include <string.h>

enum { BAD = 0 }; /* no code point of a text: its end is known by its length */

/* The next code point of NUL-terminated bytes, *at moved behind it; BAD when malformed. */
static uint32_t next(const unsigned char **at)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *p = *at;
    uint32_t length = p[0] < 0x80 ? 1 : p[0] < 0xc0 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
    if (length == 0 || p[0] > 0xf4)
        return BAD;
    uint32_t point = length == 1 ? p[0] : p[0] & (0x7fu >> length);
    for (uint32_t i = 1; i < length; i++) {
        if ((p[i] & 0xc0) != 0x80) /* also the NUL: never reads past it */
            return BAD;
        point = point << 6 | (p[i] & 0x3f);
    }
    if (point < smallest[length] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
        return BAD;
    *at = p + length;
    return point;
}

static bool allowed(uint32_t point, enum text_kind kind)
{
    if (kind == TEXT_PARAGRAPHS && (point == '\n' || point == '\t'))
        return true;
    if (point < 0x20 || (point >= 0x7f && point < 0xa0))
        return false;
    if (kind == TEXT_PARAGRAPHS)
        return true;
    /* Line and paragraph separators, embeddings and isolates: one name could dress as another. */
    return !(point >= 0x2028 && point <= 0x202e) && !(point >= 0x2066 && point <= 0x2069);
}

bool text_valid(const char *text, size_t min, size_t max, enum text_kind kind)
{
    if (!text)
        return false;
    size_t length = strnlen(text, max + 1);
    if (length < min || length > max)
        return false;
    const unsigned char *at = (const unsigned char *)text;
    while (*at) {
        uint32_t point = next(&at);
        if (point == BAD || !allowed(point, kind))
            return false;
    }
    return true;
}

bool text_blank(const char *text)
{
    const unsigned char *at = (const unsigned char *)text;
    while (*at) {
        uint32_t point = next(&at);
        if (point == BAD)
            return false;
        if (point > ' ' && point != 0xa0 && !(point >= 0x200b && point <= 0x200f) &&
            point != 0x3000 && point != 0xfeff)
            return false;
    }
    return true;
}

void text_mend(char *text)
{
    while (*text) {
        const unsigned char *at = (const unsigned char *)text;
        if (next(&at) == BAD)
            *text++ = '?';
        else
            text += at - (const unsigned char *)text;
    }
}
