/*
 * Lines. The text is copied once and cut in place, so that every text of the result is
 * NUL-terminated without a copy of its own.
 */
#include "signalling/sdp/sdp.h"
#include "core/list.h"
#include "signalling/sdp/parser.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum status parser_fail(struct desc_parser *parser, enum status status, const char *format, ...)
{
    char what[DESC_ERROR_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    snprintf(parser->error->text, sizeof parser->error->text, "line %u: %.100s", parser->line,
             what);
    return status;
}

char *parser_word(char **cursor)
{
    char *at = *cursor + strspn(*cursor, " \t");
    if (*at == '\0')
        return NULL;
    size_t length = strcspn(at, " \t");
    *cursor = at + length;
    if (at[length] != '\0') {
        at[length] = '\0';
        (*cursor)++;
    }
    return at;
}

bool parser_number(const char *text, uint32_t max, uint32_t *ret_value)
{
    uint64_t value = 0;
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 10 || text[digits] != '\0')
        return false;
    for (size_t i = 0; i < digits; i++)
        value = value * 10 + (uint64_t)(text[i] - '0');
    if (value > max)
        return false;
    *ret_value = (uint32_t)value;
    return true;
}

bool parser_address(char *text, const char **ret_address, bool *ret_ip6)
{
    const char *net = parser_word(&text);
    const char *family = parser_word(&text);
    const char *address = parser_word(&text);
    if (address == NULL || strcmp(net, "IN") != 0 ||
        (strcmp(family, "IP4") != 0 && strcmp(family, "IP6") != 0))
        return false;
    *ret_ip6 = family[2] == '6';
    *ret_address = address;
    return true;
}

static enum status origin_parse(struct desc_parser *parser, char *value)
{
    struct desc_origin origin = {0};
    origin.username = parser_word(&value);
    origin.id = parser_word(&value);
    origin.version = parser_word(&value);
    if (origin.version == NULL || !parser_address(value, &origin.address, &origin.ip6))
        return parser_fail(parser, STATUS_INVALID, "malformed o=");
    parser->desc->origin = origin;
    return STATUS_OK;
}

static enum status bandwidth_parse(struct desc_parser *parser, char *value)
{
    char *colon = strchr(value, ':');
    uint32_t amount;
    if (colon == NULL || colon == value || !parser_number(colon + 1, UINT32_MAX, &amount))
        return parser_fail(parser, STATUS_INVALID, "malformed b=");
    if (parser->section->bandwidth_count == DESC_ATTRIBUTES_MAX)
        return parser_fail(parser, STATUS_LIMIT, "too many b=");
    struct desc_bandwidth *bandwidth =
        LIST_ADD(parser->arena, parser->section->bandwidths, parser->section->bandwidth_count);
    if (bandwidth == NULL)
        return STATUS_NO_MEMORY;
    *colon = '\0';
    *bandwidth = (struct desc_bandwidth){.type = value, .value = amount};
    return STATUS_OK;
}

/* "9", "49170/2" */
static bool port_parse(char *text, struct desc_media *media)
{
    uint32_t port, count = 1;
    char *slash = strchr(text, '/');
    if (slash != NULL) {
        *slash = '\0';
        if (!parser_number(slash + 1, UINT16_MAX, &count) || count == 0)
            return false;
    }
    if (!parser_number(text, UINT16_MAX, &port))
        return false;
    media->port = (uint16_t)port;
    media->port_count = (uint16_t)count;
    return true;
}

static enum status media_parse(struct desc_parser *parser, char *value)
{
    struct desc *desc = parser->desc;
    if (desc->media_count == DESC_MEDIA_MAX)
        return parser_fail(parser, STATUS_LIMIT, "more than %d m-lines", DESC_MEDIA_MAX);
    struct desc_media *media = LIST_ADD(parser->arena, desc->media, desc->media_count);
    if (media == NULL)
        return STATUS_NO_MEMORY;
    parser->media = media;
    parser->section = &media->section;
    media->line = parser->line;
    media->kind = parser_word(&value);
    char *port = parser_word(&value);
    media->protocol = parser_word(&value);
    if (media->protocol == NULL || !desc_is_token(media->kind) || !port_parse(port, media))
        return parser_fail(parser, STATUS_INVALID, "malformed m=");
    for (const char *format; (format = parser_word(&value)) != NULL;) {
        if (!desc_is_token(format))
            return parser_fail(parser, STATUS_INVALID, "malformed format in m=");
        if (media->format_count == DESC_FORMATS_MAX)
            return parser_fail(parser, STATUS_LIMIT, "more than %d formats", DESC_FORMATS_MAX);
        const char **slot = LIST_ADD(parser->arena, media->formats, media->format_count);
        if (slot == NULL)
            return STATUS_NO_MEMORY;
        *slot = format;
    }
    if (media->format_count == 0)
        return parser_fail(parser, STATUS_INVALID, "m= without a format");
    return STATUS_OK;
}

static enum status line_parse(struct desc_parser *parser, char *line)
{
    char *value = line + 2;
    if (line[0] == '\0' || line[1] != '=')
        return parser_fail(parser, STATUS_INVALID, "not of the form x=...");
    switch (line[0]) {
    case 'o':
        return parser->media == NULL ? origin_parse(parser, value) : STATUS_OK;
    case 's':
        parser->desc->name = value;
        return STATUS_OK;
    case 'i':
        parser->section->title = value;
        return STATUS_OK;
    case 'c':
        if (!parser_address(value, &parser->section->connection.address,
                            &parser->section->connection.ip6))
            return parser_fail(parser, STATUS_INVALID, "malformed c=");
        return STATUS_OK;
    case 'b':
        return bandwidth_parse(parser, value);
    case 'm':
        return media_parse(parser, value);
    case 'a':
        return parser_attribute(parser, value);
    default: /* t, r, z, u, e, p, k and what may come: of no use here */
        return STATUS_OK;
    }
}

/* Cuts at the next line end; trailing carriage returns go. */
static char *line_cut(char **cursor, char *end)
{
    char *line = *cursor;
    char *newline = memchr(line, '\n', (size_t)(end - line));
    char *stop = newline != NULL ? newline : end;
    *cursor = newline != NULL ? newline + 1 : end;
    while (stop > line && stop[-1] == '\r')
        stop--;
    *stop = '\0';
    return line;
}

static bool line_printable(const char *line)
{
    for (; *line != '\0'; line++)
        if (((unsigned char)*line < ' ' && *line != '\t') || *line == 0x7f)
            return false;
    return true;
}

static enum status lines_parse(struct desc_parser *parser, char *text, size_t length)
{
    char *end = text + length;
    for (char *cursor = text; cursor < end;) {
        char *line = line_cut(&cursor, end);
        if (++parser->line > DESC_LINES_MAX)
            return parser_fail(parser, STATUS_LIMIT, "more than %d lines", DESC_LINES_MAX);
        if (!line_printable(line))
            return parser_fail(parser, STATUS_INVALID, "control character");
        if (parser->line == 1 && strcmp(line, "v=0") != 0)
            return parser_fail(parser, STATUS_INVALID, "does not begin with v=0");
        if (line[0] == '\0' || parser->line == 1)
            continue;
        enum status status = line_parse(parser, line);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

enum status desc_parse(const char *text, size_t length, struct arena *arena, struct desc *ret_desc,
                       struct desc_error *ret_error)
{
    struct desc desc = {0};
    struct desc_parser parser = {
        .arena = arena, .desc = &desc, .section = &desc.section, .error = ret_error};
    ret_error->text[0] = '\0';
    if (length == 0)
        return parser_fail(&parser, STATUS_INVALID, "empty");
    if (length > DESC_TEXT_MAX)
        return parser_fail(&parser, STATUS_LIMIT, "longer than %d bytes", DESC_TEXT_MAX);
    if (memchr(text, '\0', length) != NULL)
        return parser_fail(&parser, STATUS_INVALID, "NUL byte");
    char *copy = arena_strndup(arena, text, length);
    if (copy == NULL)
        return STATUS_NO_MEMORY;
    enum status status = lines_parse(&parser, copy, length);
    if (status == STATUS_OK)
        *ret_desc = desc;
    return status;
}

enum desc_direction desc_direction_of(const struct desc *desc, const struct desc_media *media)
{
    if (media->section.directed)
        return media->section.direction;
    return desc->section.directed ? desc->section.direction : DESC_SENDRECV;
}

enum desc_direction desc_direction_mirror(enum desc_direction direction)
{
    static const enum desc_direction mirrored[] = {DESC_INACTIVE, DESC_RECVONLY, DESC_SENDONLY,
                                                   DESC_SENDRECV};
    return mirrored[direction & DESC_SENDRECV];
}

const struct desc_rtpmap *desc_rtpmap_of(const struct desc_media *media, uint8_t type)
{
    for (size_t i = 0; i < media->rtpmap_count; i++)
        if (media->rtpmaps[i].type == type)
            return &media->rtpmaps[i];
    return NULL;
}

const char *desc_fmtp_of(const struct desc_media *media, uint8_t type)
{
    for (size_t i = 0; i < media->fmtp_count; i++)
        if (media->fmtps[i].type == type)
            return media->fmtps[i].parameters;
    return NULL;
}

bool desc_parameter(const char *parameters, const char *name, char *ret_value, size_t size)
{
    size_t name_length = strlen(name);
    for (const char *at = parameters; at != NULL && *at != '\0';) {
        at += strspn(at, "; \t");
        size_t length = strcspn(at, ";");
        if (length > name_length && at[name_length] == '=' &&
            strncasecmp(at, name, name_length) == 0) {
            const char *value = at + name_length + 1;
            size_t left = length - name_length - 1;
            while (left > 0 && (value[left - 1] == ' ' || value[left - 1] == '\t'))
                left--;
            if (left >= size)
                return false;
            memcpy(ret_value, value, left);
            ret_value[left] = '\0';
            return true;
        }
        at += length;
    }
    return false;
}

uint32_t desc_parameter_number(const char *parameters, const char *name, uint32_t fallback)
{
    char text[16];
    uint32_t value;
    if (!desc_parameter(parameters, name, text, sizeof text) ||
        !parser_number(text, UINT32_MAX, &value))
        return fallback;
    return value;
}

int desc_payload_type(const char *format)
{
    uint32_t type;
    return parser_number(format, 127, &type) ? (int)type : -1;
}

bool desc_is_token(const char *text)
{
    if (text == NULL || *text == '\0')
        return false;
    for (; *text != '\0'; text++)
        if (*text <= ' ' || *text >= 0x7f || strchr("\"(),/:;<=>?@[\\]", *text) != NULL)
            return false;
    return true;
}
