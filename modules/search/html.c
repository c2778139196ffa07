#include "modules/search/html.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

/* Whether `text` stands at `at`, in any case. */
static bool stands(const char *bytes, size_t length, size_t at, const char *text)
{
    size_t size = strlen(text);
    return length - at >= size && strncasecmp(bytes + at, text, size) == 0;
}

/* Behind the next `end`; the length when there is none. */
static size_t skip_past(const char *bytes, size_t length, size_t at, const char *end)
{
    for (; at < length; at++)
        if (stands(bytes, length, at, end))
            return at + strlen(end);
    return length;
}

/* Behind a tag's '>', which may also stand in the quotes of an attribute. */
static size_t tag_skip(const char *bytes, size_t length, size_t at)
{
    char quote = '\0';
    for (; at < length; at++) {
        char c = bytes[at];
        if (quote != '\0')
            quote = c == quote ? '\0' : quote;
        else if (c == '"' || c == '\'')
            quote = c;
        else if (c == '>')
            return at + 1;
    }
    return length;
}

/* Behind what begins with the '<' at `at`; `at` itself when it is no markup. */
static size_t markup_skip(const char *bytes, size_t length, size_t at)
{
    if (stands(bytes, length, at, "<!--"))
        return skip_past(bytes, length, at + 4, "-->");
    if (stands(bytes, length, at, "<script"))
        return tag_skip(bytes, length, skip_past(bytes, length, at, "</script"));
    if (stands(bytes, length, at, "<style"))
        return tag_skip(bytes, length, skip_past(bytes, length, at, "</style"));
    char next = at + 1 < length ? bytes[at + 1] : ' ';
    bool is_tag = (next >= 'a' && next <= 'z') || (next >= 'A' && next <= 'Z') || next == '/' ||
                  next == '!' || next == '?';
    return is_tag ? tag_skip(bytes, length, at + 1) : at;
}

/* At most 4 bytes, fewer than its reference has; a control character becomes a space. */
static size_t character_put(char *to, uint32_t code)
{
    if (code < 0x20 || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
        code = ' ';
    size_t more = code < 0x80 ? 0 : code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    static const uint8_t first[] = {0, 0xc0, 0xe0, 0xf0};
    to[0] = (char)(first[more] | (code >> (6 * more)));
    for (size_t i = 1; i <= more; i++)
        to[i] = (char)(0x80 | ((code >> (6 * (more - i))) & 0x3f));
    return more + 1;
}

static int digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 99;
}

/* Behind the reference at `at`, its character in *ret_code; `at` itself when it is none. */
static size_t reference_read(const char *bytes, size_t length, size_t at, uint32_t *ret_code)
{
    static const struct {
        const char *name;
        uint32_t code;
    } names[] = {{"&amp;", '&'},  {"&lt;", '<'},    {"&gt;", '>'},
                 {"&quot;", '"'}, {"&apos;", '\''}, {"&nbsp;", ' '}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (stands(bytes, length, at, names[i].name)) {
            *ret_code = names[i].code;
            return at + strlen(names[i].name);
        }
    bool hex = stands(bytes, length, at, "&#x");
    size_t begin = at + (hex ? 3 : 2), end = begin;
    int base = hex ? 16 : 10;
    uint32_t code = 0;
    if (!stands(bytes, length, at, "&#"))
        return at;
    for (; end < length && end - begin < 7 && digit(bytes[end]) < base; end++)
        code = code * (uint32_t)base + (uint32_t)digit(bytes[end]);
    if (end == begin || end == length || bytes[end] != ';')
        return at;
    *ret_code = code;
    return end + 1;
}

size_t html_text(char *bytes, size_t length)
{
    size_t used = 0;
    for (size_t at = 0; at < length;) {
        uint32_t code = ' ';
        size_t next = at;
        if (bytes[at] == '<')
            next = markup_skip(bytes, length, at);
        else if (bytes[at] == '&')
            next = reference_read(bytes, length, at, &code);
        if (next == at)
            bytes[used++] = bytes[at++];
        else
            used += character_put(bytes + used, code);
        at = next > at ? next : at;
    }
    return used;
}
