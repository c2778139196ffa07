#include "modules/previews/page.h"

#include "core/text.h"
#include "modules/previews/charset.h"
#include "modules/search/html.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

enum { RAW_MAX = 4096 /* bytes of a value that are read, references and all */ };

/* Which <meta> says what; of those of a member the first that is there counts. */
static const struct {
    const char *attribute, *name;
    size_t member, size;
} sources[] = {
    {"property", "og:title", offsetof(struct page, title), PAGE_TITLE_MAX},
    {"name", "og:title", offsetof(struct page, title), PAGE_TITLE_MAX},
    {"name", "twitter:title", offsetof(struct page, title), PAGE_TITLE_MAX},
    {"property", "og:description", offsetof(struct page, about), PAGE_ABOUT_MAX},
    {"name", "og:description", offsetof(struct page, about), PAGE_ABOUT_MAX},
    {"name", "twitter:description", offsetof(struct page, about), PAGE_ABOUT_MAX},
    {"name", "description", offsetof(struct page, about), PAGE_ABOUT_MAX},
    {"property", "og:site_name", offsetof(struct page, site), PAGE_SITE_MAX},
    {"name", "application-name", offsetof(struct page, site), PAGE_SITE_MAX},
};

enum { SOURCES = sizeof sources / sizeof sources[0] };

/* ---- a line that may be shown ---- */

/* Bytes of the character that begins here. */
static size_t character_length(const char *at)
{
    unsigned char c = (unsigned char)at[0];
    return c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
}

/* U+00A0 and U+3000 are spaces too, and so is what a line may not have. */
static bool is_space(const char *one)
{
    return strcmp(one, " ") == 0 || strcmp(one, "\xc2\xa0") == 0 ||
           strcmp(one, "\xe3\x80\x80") == 0 || !text_valid(one, 1, 4, TEXT_LINE);
}

/* Several spaces are one. `text` is well-formed. */
static void line_put(const char *text, size_t max, char *ret_line)
{
    size_t used = 0;
    bool space = false;
    for (size_t length; *text != '\0'; text += length) {
        char one[5] = "";
        length = character_length(text);
        memcpy(one, text, length);
        if (is_space(one)) {
            space = used > 0;
            continue;
        }
        if (used + length + (space ? 1 : 0) > max)
            break;
        if (space)
            ret_line[used++] = ' ';
        space = false;
        memcpy(ret_line + used, one, length);
        used += length;
    }
    ret_line[used] = '\0';
    if (text_blank(ret_line))
        ret_line[0] = '\0';
}

/* Its references resolved, tags in it left out. */
static void value_put(struct html_span value, size_t max, char *ret_line)
{
    char raw[RAW_MAX + 1];
    size_t length = value.length < RAW_MAX ? value.length : RAW_MAX;
    memcpy(raw, value.bytes, length);
    length = html_text(raw, length);
    raw[length] = '\0';
    for (size_t i = 0; i < length; i++)
        raw[i] = raw[i] != '\0' ? raw[i] : ' ';
    text_mend(raw);
    line_put(raw, max, ret_line);
}

/* ---- the page ---- */

struct reading {
    struct html_span page, title; /* bytes NULL: no <title> yet */
    struct html_span values[SOURCES];
};

static bool is_named(struct html_span tag, const char *attribute, const char *name)
{
    struct html_span value;
    return html_attribute(tag, attribute, &value) && value.length == strlen(name) &&
           strncasecmp(value.bytes, name, value.length) == 0;
}

static void meta_take(struct reading *reading, struct html_span tag)
{
    struct html_span content;
    if (!html_attribute(tag, "content", &content))
        return;
    for (size_t i = 0; i < SOURCES; i++)
        if (reading->values[i].bytes == NULL &&
            is_named(tag, sources[i].attribute, sources[i].name))
            reading->values[i] = content;
}

/* What stands between <title> and </title>, where no tag begins. */
static void title_take(struct reading *reading, size_t at)
{
    static const char end[] = "</title";
    const char *bytes = reading->page.bytes;
    size_t length = reading->page.length, begin = at;
    while (at < length &&
           (length - at < sizeof end - 1 || strncasecmp(bytes + at, end, sizeof end - 1) != 0))
        at++;
    reading->title = (struct html_span){bytes + begin, at - begin};
}

static void page_scan(struct reading *reading)
{
    struct html_span tag;
    size_t at = 0;
    while (html_tag_next(reading->page, &at, &tag)) {
        if (html_tag_is(tag, "meta"))
            meta_take(reading, tag);
        else if (reading->title.bytes == NULL && html_tag_is(tag, "title"))
            title_take(reading, at);
    }
}

static bool is_html(const char *content_type)
{
    static const char html[] = "text/html";
    size_t size = sizeof html - 1;
    return strncasecmp(content_type, html, size) == 0 && strchr("; \t", content_type[size]) != NULL;
}

enum status page_read(const char *content_type, const char *bytes, size_t length,
                      struct arena *arena, struct page *ret_page)
{
    struct reading reading = {.title.bytes = NULL};
    char charset[CHARSET_NAME_MAX], *text = NULL;
    size_t text_length = 0;
    if (!is_html(content_type))
        return STATUS_UNSUPPORTED;
    charset_of_type(content_type, charset);
    enum status status = charset_decode(charset, bytes, length, arena, &text, &text_length);
    if (status != STATUS_OK)
        return status;
    reading.page = (struct html_span){text, text_length};
    page_scan(&reading);
    *ret_page = (struct page){.title = ""};
    for (size_t i = 0; i < SOURCES; i++) {
        char *line = (char *)ret_page + sources[i].member;
        if (line[0] == '\0' && reading.values[i].bytes != NULL)
            value_put(reading.values[i], sources[i].size, line);
    }
    if (ret_page->title[0] == '\0' && reading.title.bytes != NULL)
        value_put(reading.title, PAGE_TITLE_MAX, ret_page->title);
    return STATUS_OK;
}
