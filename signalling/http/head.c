#include "signalling/http/head.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>
#include <strings.h>

enum { LENGTH_DIGITS_MAX = 18 }; /* of a Content-Length: fits 64 bits */

/* The reader goes forward over the bytes; a refusal is set once. */
struct cursor {
    char *at, *end;
    struct refusal *refusal;
};

static enum status refuse(struct cursor *cursor, int status, const char *code, const char *detail)
{
    *cursor->refusal = (struct refusal){.status = status, .code = code, .detail = detail};
    return STATUS_INVALID;
}

static bool is_control(unsigned char c)
{
    return (c < 0x20 && c != '\t') || c == 0x7f;
}

/* RFC 9110 5.6.2 tchar */
static bool is_token_char(unsigned char c)
{
    return c < 0x80 && (isalnum(c) || (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL));
}

/* RFC 3986 3.3 pchar without "%", plus "/" */
static bool is_path_char(unsigned char c)
{
    return c < 0x80 && (isalnum(c) || (c != '\0' && strchr("-._~!$&'()*+,;=:@/", c) != NULL));
}

enum head_scan head_scan(const char *bytes, size_t length, size_t *at)
{
    for (size_t i = *at; i < length; i++) {
        unsigned char c = (unsigned char)bytes[i];
        bool after_cr = i > 0 && bytes[i - 1] == '\r';
        if ((c == '\n') != after_cr || (is_control(c) && c != '\r' && c != '\n'))
            return HEAD_BAD;
        if (c == '\n' && (i == 1 || (i >= 3 && bytes[i - 2] == '\n'))) {
            *at = i + 1;
            return i == 1 ? HEAD_BAD : HEAD_WHOLE;
        }
    }
    *at = length;
    return HEAD_MORE;
}

/* Cuts the next CRLF line out (NUL-terminated); NULL at the end. */
static char *next_line(struct cursor *cursor, size_t *ret_length)
{
    char *line = cursor->at;
    char *cr = memchr(line, '\r', (size_t)(cursor->end - line));
    if (cr == NULL || cr + 1 >= cursor->end || cr[1] != '\n')
        return NULL;
    *cr = '\0';
    cursor->at = cr + 2;
    *ret_length = (size_t)(cr - line);
    return line;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Length of the UTF-8 sequence at `text` (RFC 3629), 0 when it is none. */
static size_t utf8_sequence(const unsigned char *text)
{
    unsigned char c = text[0];
    if (c < 0x80)
        return 1;
    size_t more = c >= 0xc2 && c <= 0xdf   ? 1
                  : (c & 0xf0) == 0xe0     ? 2
                  : c >= 0xf0 && c <= 0xf4 ? 3
                                           : 0;
    for (size_t i = 1; i <= more; i++)
        if ((text[i] & 0xc0) != 0x80)
            return 0;
    bool bad = more == 0 || (c == 0xe0 && text[1] < 0xa0) || (c == 0xed && text[1] > 0x9f) ||
               (c == 0xf0 && text[1] < 0x90) || (c == 0xf4 && text[1] > 0x8f);
    return bad ? 0 : more + 1;
}

static bool utf8_valid(const char *text)
{
    for (const unsigned char *at = (const unsigned char *)text; *at != '\0';) {
        size_t length = utf8_sequence(at);
        if (length == 0)
            return false;
        at += length;
    }
    return true;
}

/* Decodes in place; false on bad escapes, control characters and an escaped slash, which a
 * router and a handler could read differently. */
static bool path_decode(char *path)
{
    char *to = path;
    for (const char *from = path; *from != '\0'; from++, to++) {
        if (*from != '%') {
            if (!is_path_char((unsigned char)*from))
                return false;
            *to = *from;
            continue;
        }
        int high = hex_value(from[1]);
        int low = high >= 0 ? hex_value(from[2]) : -1;
        if (low < 0)
            return false;
        unsigned char c = (unsigned char)(high << 4 | low);
        if (c < 0x20 || c == 0x7f || c == '/' || c == '\\')
            return false;
        *to = (char)c;
        from += 2;
    }
    *to = '\0';
    return utf8_valid(path);
}

static bool has_dot_segment(const char *path)
{
    for (const char *at = path; at != NULL; at = strchr(at, '/')) {
        at++;
        size_t length = strcspn(at, "/");
        if ((length == 1 && at[0] == '.') || (length == 2 && at[0] == '.' && at[1] == '.'))
            return true;
    }
    return false;
}

static bool query_valid(const char *query)
{
    for (const char *at = query; *at != '\0'; at++) {
        if (*at == '%' && (hex_value(at[1]) < 0 || hex_value(at[2]) < 0))
            return false;
        if (*at != '%' && *at != '?' && !is_path_char((unsigned char)*at))
            return false;
    }
    return true;
}

bool head_authority_valid(char *authority)
{
    size_t length = strlen(authority);
    if (length == 0 || length > HEAD_HOST_MAX)
        return false;
    char *port;
    if (authority[0] == '[') {
        char *bracket = strchr(authority, ']');
        if (bracket == NULL)
            return false;
        struct in6_addr address;
        *bracket = '\0';
        bool valid = inet_pton(AF_INET6, authority + 1, &address) == 1;
        *bracket = ']';
        if (!valid)
            return false;
        port = bracket + 1;
    } else {
        port = authority + strcspn(authority, ":");
        if (port == authority)
            return false;
        for (const char *at = authority; at < port; at++)
            if ((*at & 0x80) != 0 || (!isalnum((unsigned char)*at) && strchr("-._", *at) == NULL))
                return false;
    }
    if (*port != '\0') {
        unsigned value = 0;
        size_t digits = strspn(port + 1, "0123456789");
        if (*port != ':' || digits == 0 || digits > 5 || port[1 + digits] != '\0')
            return false;
        for (const char *at = port + 1; *at != '\0'; at++)
            value = value * 10 + (unsigned)(*at - '0');
        if (value == 0 || value > 65535)
            return false;
    }
    for (char *at = authority; *at != '\0'; at++)
        *at = (char)tolower((unsigned char)*at);
    return true;
}

/* RFC 9112 3.2: origin-form, or absolute-form whose authority becomes *ret_authority. */
static enum status parse_target(struct cursor *cursor, char *target, struct head *head,
                                char **ret_authority)
{
    char *slashes = strstr(target, "://");
    if (target[0] != '/' && slashes != NULL) {
        size_t scheme = (size_t)(slashes - target);
        if (!(scheme == 4 && strncasecmp(target, "http", 4) == 0) &&
            !(scheme == 5 && strncasecmp(target, "https", 5) == 0))
            return refuse(cursor, 400, "bad_target", "the request target is not a path");
        char *authority = slashes + 3;
        target = authority + strcspn(authority, "/?");
        if (*target != '/')
            return refuse(cursor, 400, "bad_target", "the request target has no path");
        /* One byte of "://" is given up so that both parts end in NUL. */
        memmove(authority - 1, authority, (size_t)(target - authority));
        target[-1] = '\0';
        *ret_authority = authority - 1;
    }
    if (target[0] != '/')
        return refuse(cursor, 400, "bad_target", "the request target is not a path");
    char *query = strchr(target, '?');
    if (query != NULL)
        *query++ = '\0';
    head->query = query != NULL ? query : "";
    if (!query_valid(head->query))
        return refuse(cursor, 400, "bad_target", "the query has a character that must be escaped");
    if (!path_decode(target) || has_dot_segment(target))
        return refuse(cursor, 400, "bad_target", "the path is malformed");
    head->path = target;
    return STATUS_OK;
}

static enum status parse_request_line(struct cursor *cursor, struct head *head,
                                      char **ret_authority)
{
    size_t length = 0;
    char *line = next_line(cursor, &length);
    if (line == NULL)
        return refuse(cursor, 400, "bad_request_line", "no request line");
    char *target = strchr(line, ' ');
    char *version = target != NULL ? strchr(target + 1, ' ') : NULL;
    if (version == NULL || target == line || strlen(line) != length)
        return refuse(cursor, 400, "bad_request_line", "the request line is malformed");
    *target++ = '\0';
    *version++ = '\0';
    for (const char *at = line; *at != '\0'; at++)
        if (!is_token_char((unsigned char)*at))
            return refuse(cursor, 400, "bad_request_line", "the method is malformed");
    if (strlen(target) > HEAD_TARGET_MAX)
        return refuse(cursor, 414, "target_too_long", "the request target is too long");
    bool shaped = strlen(version) == 8 && strncmp(version, "HTTP/", 5) == 0 &&
                  isdigit((unsigned char)version[5]) && version[6] == '.' &&
                  isdigit((unsigned char)version[7]);
    if (!shaped)
        return refuse(cursor, 400, "bad_request_line", "the request line is malformed");
    if (strcmp(version, "HTTP/1.1") != 0)
        return refuse(cursor, 505, "http_version", "only HTTP/1.1 is spoken here");
    static const char *const known[] = {"GET",    "HEAD",    "POST",    "PUT",  "PATCH",
                                        "DELETE", "OPTIONS", "CONNECT", "TRACE"};
    bool is_known = false;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        is_known = is_known || strcmp(line, known[i]) == 0;
    if (!is_known)
        return refuse(cursor, 501, "unknown_method", "this method is not known here");
    if (strcmp(line, "CONNECT") == 0 || strcmp(line, "TRACE") == 0)
        return refuse(cursor, 405, "method_not_allowed", "this method is not allowed here");
    head->method = line;
    return parse_target(cursor, target, head, ret_authority);
}

static enum status parse_field(struct cursor *cursor, char *line, size_t length, struct head *head)
{
    if (line[0] == ' ' || line[0] == '\t')
        return refuse(cursor, 400, "folded_header", "folded header lines are not accepted");
    if (head->field_count == HEAD_FIELDS_MAX)
        return refuse(cursor, 431, "too_many_headers", "too many header lines");
    char *colon = memchr(line, ':', length);
    if (colon == NULL || colon == line)
        return refuse(cursor, 400, "bad_header", "a header line is malformed");
    for (char *at = line; at < colon; at++) {
        if (!is_token_char((unsigned char)*at))
            return refuse(cursor, 400, "bad_header", "a header name is malformed");
        *at = (char)tolower((unsigned char)*at);
    }
    *colon = '\0';
    char *value = colon + 1 + strspn(colon + 1, " \t");
    char *end = line + length;
    for (const char *at = value; at < end; at++)
        if (is_control((unsigned char)*at))
            return refuse(cursor, 400, "bad_header", "a header value has a control character");
    while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    *end = '\0';
    head->fields[head->field_count++] = (struct head_field){.name = line, .value = value};
    return STATUS_OK;
}

/* Fields of which a second one would be read differently by different programs. */
static enum status check_single(struct cursor *cursor, const struct head *head)
{
    static const char *const single[] = {
        "authorization",
        "content-length",
        "content-type",
        "expect",
        "host",
        "if-range",
        "origin",
        "range",
        "sec-websocket-key",
        "sec-websocket-version",
        "upgrade",
    };
    for (size_t s = 0; s < sizeof single / sizeof *single; s++) {
        size_t seen = 0;
        for (size_t i = 0; i < head->field_count; i++)
            seen += strcmp(head->fields[i].name, single[s]) == 0;
        if (seen > 1)
            return refuse(cursor, 400, "repeated_header",
                          strcmp(single[s], "host") == 0 ? "more than one Host"
                          : strcmp(single[s], "content-length") == 0
                              ? "more than one Content-Length"
                              : "a header that may come once came twice");
    }
    return STATUS_OK;
}

static enum status check_length(struct cursor *cursor, struct head *head)
{
    const char *length = head_get(head, "content-length");
    if (head_get(head, "transfer-encoding") != NULL) {
        if (length != NULL)
            return refuse(cursor, 400, "length_and_encoding",
                          "Content-Length and Transfer-Encoding in one request");
        return refuse(cursor, 501, "transfer_encoding",
                      "Transfer-Encoding is not accepted in requests; send Content-Length");
    }
    if (length == NULL)
        return STATUS_OK;
    size_t digits = strspn(length, "0123456789");
    if (digits == 0 || length[digits] != '\0')
        return refuse(cursor, 400, "bad_length", "Content-Length is not a number");
    if (digits > LENGTH_DIGITS_MAX)
        return refuse(cursor, 413, "body_too_large", "the body is too large");
    head->has_length = true;
    for (size_t i = 0; i < digits; i++)
        head->content_length = head->content_length * 10 + (uint64_t)(length[i] - '0');
    return STATUS_OK;
}

static enum status check_host(struct cursor *cursor, struct head *head, char *authority)
{
    char *host = NULL;
    for (size_t i = 0; i < head->field_count; i++)
        if (strcmp(head->fields[i].name, "host") == 0)
            host = head->fields[i].value;
    if (host == NULL)
        return refuse(cursor, 400, "no_host", "no Host");
    if (!head_authority_valid(host))
        return refuse(cursor, 400, "bad_host", "Host is not a valid authority");
    if (authority != NULL && (!head_authority_valid(authority) || strcmp(authority, host) != 0))
        return refuse(cursor, 400, "bad_host", "Host and the request target differ");
    head->host = host;
    return STATUS_OK;
}

/* True when any field of that name lists the token. */
static bool any_list_has(const struct head *head, const char *name, const char *token)
{
    for (size_t i = 0; i < head->field_count; i++)
        if (strcmp(head->fields[i].name, name) == 0 && head_list_has(head->fields[i].value, token))
            return true;
    return false;
}

enum status head_parse(char *bytes, size_t length, struct head *ret_head,
                       struct refusal *ret_refusal)
{
    struct cursor cursor = {.at = bytes, .end = bytes + length, .refusal = ret_refusal};
    *ret_head = (struct head){0};
    size_t at = 0;
    if (head_scan(bytes, length, &at) != HEAD_WHOLE || at != length)
        return refuse(&cursor, 400, "bad_line_end", "a line end or character is malformed");
    char *authority = NULL;
    enum status status = parse_request_line(&cursor, ret_head, &authority);
    while (status == STATUS_OK) {
        size_t line_length = 0;
        char *line = next_line(&cursor, &line_length);
        if (line == NULL || line_length == 0)
            break;
        status = parse_field(&cursor, line, line_length, ret_head);
    }
    if (status == STATUS_OK)
        status = check_single(&cursor, ret_head);
    if (status == STATUS_OK)
        status = check_host(&cursor, ret_head, authority);
    if (status == STATUS_OK)
        status = check_length(&cursor, ret_head);
    if (status != STATUS_OK)
        return status;
    const char *expect = head_get(ret_head, "expect");
    ret_head->expect_continue = expect != NULL && strcasecmp(expect, "100-continue") == 0;
    if (expect != NULL && !ret_head->expect_continue)
        return refuse(&cursor, 417, "expectation", "only Expect: 100-continue is understood");
    ret_head->close = any_list_has(ret_head, "connection", "close");
    ret_head->upgrade_websocket = any_list_has(ret_head, "connection", "upgrade") &&
                                  any_list_has(ret_head, "upgrade", "websocket");
    return STATUS_OK;
}

const char *head_get(const struct head *head, const char *name)
{
    for (size_t i = 0; i < head->field_count; i++)
        if (strcmp(head->fields[i].name, name) == 0)
            return head->fields[i].value;
    return NULL;
}

bool head_list_has(const char *list, const char *token)
{
    size_t length = strlen(token);
    while (*list != '\0') {
        list += strspn(list, " \t,");
        size_t item = strcspn(list, ",");
        size_t end = item;
        while (end > 0 && (list[end - 1] == ' ' || list[end - 1] == '\t'))
            end--;
        if (end == length && strncasecmp(list, token, length) == 0)
            return true;
        list += item;
    }
    return false;
}
