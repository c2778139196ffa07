#include "modules/previews/urls.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

static bool is_word(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* Length of the scheme that stands here; 0: none. */
static size_t scheme_length(const char *at)
{
    return strncasecmp(at, "https://", 8) == 0 ? 8 : strncasecmp(at, "http://", 7) == 0 ? 7 : 0;
}

/* Chinese marks and brackets, U+3000..U+303F, U+FF00..U+FFEF, and quotes, U+2018..U+201F: they end
 * an address as a space does. The text is well-formed UTF-8. */
static bool is_wide_mark(const char *at)
{
    const unsigned char *c = (const unsigned char *)at;
    return (c[0] == 0xe3 && c[1] == 0x80) || (c[0] == 0xef && c[1] >= 0xbc && c[1] <= 0xbf) ||
           (c[0] == 0xe2 && c[1] == 0x80 && c[2] >= 0x98 && c[2] <= 0x9f);
}

/* Up to where an address may go at most: to a space, a quote, an angle, a bracket too many. */
static size_t extent(const char *at)
{
    size_t length = 0;
    int open = 0;
    for (; at[length] != '\0'; length++) {
        char c = at[length];
        if ((unsigned char)c <= ' ' || strchr("<>\"`\\^{}|", c) != NULL ||
            is_wide_mark(at + length))
            break;
        open += c == '(' || c == '[' ? 1 : c == ')' || c == ']' ? -1 : 0;
        if (open < 0)
            break;
    }
    while (length > 0 && strchr(".,;:!?'*_~", at[length - 1]) != NULL)
        length--;
    return length;
}

/* Behind code that begins here, in as many backticks as end it; `at` when it is none. */
static const char *code_skip(const char *at)
{
    size_t ticks = strspn(at, "`");
    for (const char *end = at + ticks; ticks > 0 && (end = strchr(end, '`')) != NULL;) {
        size_t closing = strspn(end, "`");
        end += closing;
        if (closing == ticks)
            return end;
    }
    /* A fence that nobody closes goes to the end; a lone backtick is one. */
    return ticks >= 3 ? at + strlen(at) : at;
}

static bool is_known(const struct urls_url *urls, size_t count, const struct urls_url *url)
{
    for (size_t i = 0; i < count; i++)
        if (urls[i].length == url->length && memcmp(urls[i].text, url->text, url->length) == 0)
            return true;
    return false;
}

size_t urls_find(const char *text, struct urls_url ret_urls[URLS_MAX])
{
    size_t count = 0;
    for (const char *at = text; at != NULL && *at != '\0' && count < URLS_MAX;) {
        const char *behind = *at == '`' ? code_skip(at) : at;
        if (behind > at) {
            at = behind;
            continue;
        }
        size_t scheme = at == text || !is_word(at[-1]) ? scheme_length(at) : 0;
        if (scheme == 0) {
            at += *at == '`' ? strspn(at, "`") : 1;
            continue;
        }
        const struct urls_url url = {at, extent(at)};
        if (url.length > scheme && url.length <= URLS_BYTES_MAX && !is_known(ret_urls, count, &url))
            ret_urls[count++] = url;
        at += url.length > scheme ? url.length : scheme;
    }
    return count;
}
