#include "modules/search/html.h"

#include <assert.h>
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

/* Names of HTML 4 that titles use: markup, then punctuation, then U+00A1..U+00FF in order. */
static const struct {
    char name[9];
    uint16_t code;
} marks[] = {{"AMP;", '&'},       {"LT;", '<'},        {"GT;", '>'},       {"QUOT;", '"'},
             {"amp;", '&'},       {"lt;", '<'},        {"gt;", '>'},       {"quot;", '"'},
             {"apos;", '\''},     {"nbsp;", ' '},      {"ndash;", 0x2013}, {"mdash;", 0x2014},
             {"lsquo;", 0x2018},  {"rsquo;", 0x2019},  {"sbquo;", 0x201a}, {"ldquo;", 0x201c},
             {"rdquo;", 0x201d},  {"bdquo;", 0x201e},  {"bull;", 0x2022},  {"hellip;", 0x2026},
             {"lsaquo;", 0x2039}, {"rsaquo;", 0x203a}, {"euro;", 0x20ac},  {"trade;", 0x2122},
             {"thinsp;", ' '},    {"ensp;", ' '},      {"emsp;", ' '},     {"minus;", 0x2212},
             {"OElig;", 0x152},   {"oelig;", 0x153},   {"Scaron;", 0x160}, {"scaron;", 0x161}};

enum { LATIN_FIRST = 0xa1 };
static const char latin[][8] = {
    "iexcl;",  "cent;",   "pound;",  "curren;", "yen;",    "brvbar;", "sect;",   "uml;",
    "copy;",   "ordf;",   "laquo;",  "not;",    "shy;",    "reg;",    "macr;",   "deg;",
    "plusmn;", "sup2;",   "sup3;",   "acute;",  "micro;",  "para;",   "middot;", "cedil;",
    "sup1;",   "ordm;",   "raquo;",  "frac14;", "frac12;", "frac34;", "iquest;", "Agrave;",
    "Aacute;", "Acirc;",  "Atilde;", "Auml;",   "Aring;",  "AElig;",  "Ccedil;", "Egrave;",
    "Eacute;", "Ecirc;",  "Euml;",   "Igrave;", "Iacute;", "Icirc;",  "Iuml;",   "ETH;",
    "Ntilde;", "Ograve;", "Oacute;", "Ocirc;",  "Otilde;", "Ouml;",   "times;",  "Oslash;",
    "Ugrave;", "Uacute;", "Ucirc;",  "Uuml;",   "Yacute;", "THORN;",  "szlig;",  "agrave;",
    "aacute;", "acirc;",  "atilde;", "auml;",   "aring;",  "aelig;",  "ccedil;", "egrave;",
    "eacute;", "ecirc;",  "euml;",   "igrave;", "iacute;", "icirc;",  "iuml;",   "eth;",
    "ntilde;", "ograve;", "oacute;", "ocirc;",  "otilde;", "ouml;",   "divide;", "oslash;",
    "ugrave;", "uacute;", "ucirc;",  "uuml;",   "yacute;", "thorn;",  "yuml;"};
static_assert(LATIN_FIRST + sizeof latin / sizeof latin[0] == 0x100, "one each");

/* Names differ by their case. The length with the ';', 0: it is none. */
static size_t name_read(const char *bytes, size_t length, uint32_t *ret_code)
{
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
        size_t size = strlen(marks[i].name);
        if (length >= size && memcmp(bytes, marks[i].name, size) == 0) {
            *ret_code = marks[i].code;
            return size;
        }
    }
    for (size_t i = 0; i < sizeof latin / sizeof latin[0]; i++) {
        size_t size = strlen(latin[i]);
        if (length >= size && memcmp(bytes, latin[i], size) == 0) {
            *ret_code = (uint32_t)(LATIN_FIRST + i);
            return size;
        }
    }
    return 0;
}

/* Behind the reference at `at`, its character in *ret_code; `at` itself when it is none. */
static size_t reference_read(const char *bytes, size_t length, size_t at, uint32_t *ret_code)
{
    size_t named = name_read(bytes + at + 1, length - at - 1, ret_code);
    if (named > 0)
        return at + 1 + named;
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

/* ---- tags ---- */

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

bool html_tag_next(struct html_span page, size_t *at, struct html_span *ret_tag)
{
    while (*at < page.length) {
        const char *open = memchr(page.bytes + *at, '<', page.length - *at);
        if (open == NULL)
            break;
        size_t begin = (size_t)(open - page.bytes);
        size_t end = markup_skip(page.bytes, page.length, begin);
        *at = end > begin ? end : begin + 1;
        if (end - begin < 2 || page.bytes[end - 1] != '>' || page.bytes[begin + 1] == '!')
            continue;
        *ret_tag = (struct html_span){page.bytes + begin + 1, end - begin - 2};
        return true;
    }
    *at = page.length;
    return false;
}

bool html_tag_is(struct html_span tag, const char *name)
{
    size_t size = strlen(name);
    return stands(tag.bytes, tag.length, 0, name) &&
           (tag.length == size || is_space(tag.bytes[size]) || tag.bytes[size] == '/');
}

/* Spaces, and what stands between attributes by mistake. */
static size_t between_skip(struct html_span tag, size_t at)
{
    while (at < tag.length && (is_space(tag.bytes[at]) || tag.bytes[at] == '/'))
        at++;
    return at;
}

/* The value behind '=', quoted or not; where it ends. */
static size_t value_read(struct html_span tag, size_t at, struct html_span *ret_value)
{
    while (at < tag.length && is_space(tag.bytes[at]))
        at++;
    char quote = at < tag.length ? tag.bytes[at] : ' ';
    bool quoted = quote == '"' || quote == '\'';
    size_t begin = at + (quoted ? 1 : 0), end = begin;
    while (end < tag.length && (quoted ? tag.bytes[end] != quote : !is_space(tag.bytes[end])))
        end++;
    *ret_value = (struct html_span){tag.bytes + begin, end - begin};
    return end + (quoted && end < tag.length ? 1 : 0);
}

bool html_attribute(struct html_span tag, const char *name, struct html_span *ret_value)
{
    size_t at = 0, size = strlen(name);
    while (at < tag.length && !is_space(tag.bytes[at]) && tag.bytes[at] != '/')
        at++;
    for (at = between_skip(tag, at); at < tag.length; at = between_skip(tag, at)) {
        struct html_span value;
        size_t begin = at;
        while (at < tag.length && !is_space(tag.bytes[at]) && tag.bytes[at] != '=' &&
               tag.bytes[at] != '/')
            at++;
        bool found = at - begin == size && stands(tag.bytes, tag.length, begin, name);
        while (at < tag.length && is_space(tag.bytes[at]))
            at++;
        if (at == tag.length || tag.bytes[at] != '=')
            continue;
        at = value_read(tag, at + 1, &value);
        if (found) {
            *ret_value = value;
            return true;
        }
    }
    return false;
}
