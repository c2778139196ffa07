#include "modules/previews/charset.h"

#include "modules/search/html.h"

#include <errno.h>
#include <glib.h>
#include <iconv.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

enum {
    META_MAX = 1024, /* bytes in which a page must say it (HTML 13.2.3.2) */
    GROWTH = 3,      /* UTF-8 of one byte: windows-1252's euro sign */
};

static const char utf8[] = "UTF-8", fallback[] = "WINDOWS-1252";

/* What a page says, what iconv calls it. Latin-1 means windows-1252 on the web. */
static const struct {
    const char *label, *name;
} known[] = {
    {"utf-8", utf8},
    {"utf8", utf8},
    {"us-ascii", fallback},
    {"ascii", fallback},
    {"iso-8859-1", fallback},
    {"latin1", fallback},
    {"windows-1252", fallback},
    {"iso-8859-2", "ISO-8859-2"},
    {"iso-8859-5", "ISO-8859-5"},
    {"iso-8859-7", "ISO-8859-7"},
    {"iso-8859-9", "WINDOWS-1254"},
    {"iso-8859-15", "ISO-8859-15"},
    {"windows-1250", "WINDOWS-1250"},
    {"windows-1251", "WINDOWS-1251"},
    {"windows-1253", "WINDOWS-1253"},
    {"windows-1254", "WINDOWS-1254"},
    {"windows-1255", "WINDOWS-1255"},
    {"windows-1256", "WINDOWS-1256"},
    {"koi8-r", "KOI8-R"},
    {"koi8-u", "KOI8-U"},
    {"gb2312", "GB18030"},
    {"gbk", "GB18030"},
    {"gb18030", "GB18030"},
    {"big5", "BIG5-HKSCS"},
    {"shift_jis", "CP932"},
    {"shift-jis", "CP932"},
    {"sjis", "CP932"},
    {"euc-jp", "EUC-JP"},
    {"euc-kr", "CP949"},
    {"ks_c_5601-1987", "CP949"},
};

/* NULL: it is not known. */
static const char *name_find(const char *label)
{
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strcasecmp(known[i].label, label) == 0)
            return known[i].name;
    return NULL;
}

/* ---- what is said of it ---- */

/* Behind "charset=" in such a value. */
static void parameter_read(const char *value, size_t length, char ret_name[CHARSET_NAME_MAX])
{
    static const char key[] = "charset=";
    size_t used = 0, at = 0;
    while (at + sizeof key - 1 <= length && strncasecmp(value + at, key, sizeof key - 1) != 0)
        at++;
    for (at += sizeof key - 1; at < length && used + 1 < CHARSET_NAME_MAX; at++) {
        if (strchr("; \t,", value[at]) != NULL)
            break;
        if (value[at] != '"' && value[at] != '\'')
            ret_name[used++] = value[at];
    }
    ret_name[used] = '\0';
}

void charset_of_type(const char *content_type, char ret_name[CHARSET_NAME_MAX])
{
    parameter_read(content_type, strlen(content_type), ret_name);
}

static void meta_read(struct html_span page, char ret_name[CHARSET_NAME_MAX])
{
    struct html_span tag, value;
    size_t at = 0;
    ret_name[0] = '\0';
    page.length = page.length < META_MAX ? page.length : META_MAX;
    while (ret_name[0] == '\0' && html_tag_next(page, &at, &tag)) {
        if (!html_tag_is(tag, "meta"))
            continue;
        if (html_attribute(tag, "charset", &value) && value.length < CHARSET_NAME_MAX) {
            memcpy(ret_name, value.bytes, value.length);
            ret_name[value.length] = '\0';
        } else if (html_attribute(tag, "http-equiv", &value) && value.length == 12 &&
                   strncasecmp(value.bytes, "content-type", 12) == 0 &&
                   html_attribute(tag, "content", &value)) {
            parameter_read(value.bytes, value.length, ret_name);
        }
    }
}

/* Whether it is UTF-8, but for a character that the end cuts. */
static bool is_utf8(const char *bytes, size_t length)
{
    const char *wrong;
    return g_utf8_validate_len(bytes, length, &wrong) || bytes + length - wrong < 4;
}

/* ---- turning it over ---- */

static enum status convert(const char *name, const char *bytes, size_t length, char *to,
                           size_t *ret_length)
{
    iconv_t converter = iconv_open(utf8, name);
    char *in = (char *)(uintptr_t)bytes, *out = to; /* iconv does not write there */
    size_t left = length, room = *ret_length;
    if (converter == (iconv_t)-1)
        return STATUS_UNSUPPORTED;
    while (left > 0 && iconv(converter, &in, &left, &out, &room) == (size_t)-1) {
        if (errno != EILSEQ || room == 0)
            break; /* the end cuts a character */
        *out++ = ' ';
        room--;
        in++;
        left--;
    }
    iconv_close(converter);
    *ret_length = (size_t)(out - to);
    return STATUS_OK;
}

enum status charset_decode(const char *name, const char *bytes, size_t length, struct arena *arena,
                           char **ret_text, size_t *ret_length)
{
    char said[CHARSET_NAME_MAX];
    if (length >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0) {
        name = utf8;
        bytes += 3;
        length -= 3;
    }
    if (name[0] == '\0') {
        meta_read((struct html_span){bytes, length}, said);
        name = said[0] != '\0' ? said : is_utf8(bytes, length) ? utf8 : fallback;
    }
    const char *known_name = name_find(name);
    if (known_name == NULL)
        return STATUS_UNSUPPORTED;
    size_t room = GROWTH * length;
    char *text = arena_alloc(arena, room + 1);
    if (text == NULL)
        return STATUS_NO_MEMORY;
    enum status status = convert(known_name, bytes, length, text, &room);
    if (status != STATUS_OK)
        return status;
    text[room] = '\0';
    *ret_text = text;
    *ret_length = room;
    return STATUS_OK;
}
