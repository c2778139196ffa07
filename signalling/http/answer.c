#include "signalling/http/answer.h"

#include "core/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

static const struct {
    int status;
    const char *reason;
} reasons[] = {
    {101, "Switching Protocols"},
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {206, "Partial Content"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {416, "Range Not Satisfiable"},
    {417, "Expectation Failed"},
    {421, "Misdirected Request"},
    {422, "Unprocessable Content"},
    {423, "Locked"},
    {426, "Upgrade Required"},
    {428, "Precondition Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {460, "Checksum Mismatch"}, /* tus 1.0 */
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {503, "Service Unavailable"},
    {505, "HTTP Version Not Supported"},
};

const char *answer_reason(int status)
{
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (reasons[i].status == status)
            return reasons[i].reason;
    return "Status";
}

void answer_field(struct answer *answer, const char *name, const char *value)
{
    for (const char *at = value; *at != '\0'; at++) {
        if ((unsigned char)*at < 0x20 || *at == 0x7f) {
            log_event(LOG_HTTP, LOG_WARN, "header_dropped", "name=%s", name);
            return;
        }
    }
    if (buffer_printf(&answer->fields, "%s: %s\r\n", name, value) != STATUS_OK)
        answer->failed = true;
}

void answer_problem(struct answer *answer, const struct refusal *refusal, const char *id)
{
    char *text = NULL;
    int length = asprintf(&text,
                          "{\"type\":\"about:blank\",\"title\":\"%s\",\"status\":%d,"
                          "\"code\":\"%s\",\"detail\":\"%s\",\"request_id\":\"%s\"}",
                          answer_reason(refusal->status), refusal->status, refusal->code,
                          refusal->detail, id);
    if (length < 0) {
        answer->failed = true;
        return;
    }
    free(answer->owned);
    answer->status = refusal->status;
    answer->owned = text;
    answer->body = text;
    answer->body_length = (size_t)length;
    answer_field(answer, "Content-Type", "application/problem+json");
    answer_field(answer, "Cache-Control", "no-store");
}

/* True when the list of entity tags (RFC 9110 13.1.2, weak comparison) has this one. */
static bool etag_listed(const char *list, const char *etag)
{
    if (strcmp(list, "*") == 0)
        return true;
    size_t length = strlen(etag);
    for (const char *at = list; (at = strstr(at, etag)) != NULL; at += length) {
        char before = at == list ? ',' : at[-1];
        char after = at[length];
        bool begins = before == ',' || before == ' ' || before == '\t' || before == '/';
        if (begins && (after == '\0' || after == ',' || after == ' ' || after == '\t'))
            return true;
    }
    return false;
}

/* What Accept-Encoding says of a coding (RFC 9110 12.5.3): taken unless q=0. */
static bool coding_taken(const char *accept, const char *coding)
{
    size_t length = strlen(coding);
    while (*accept != '\0') {
        accept += strspn(accept, " \t,");
        size_t item = strcspn(accept, ",");
        size_t name = strcspn(accept, " \t,;");
        if (name == length && strncasecmp(accept, coding, length) == 0) {
            const char *q = memchr(accept, '=', item);
            if (q == NULL)
                return true;
            q++;
            return strspn(q, "0.") < strcspn(q, " \t,;");
        }
        accept += item;
    }
    return false;
}

static const struct asset_body *asset_choose(const struct asset *asset, const struct head *head,
                                             const char **ret_coding)
{
    const char *accept = head_get(head, "accept-encoding");
    *ret_coding = NULL;
    /* A range is of the plain bytes: simple, and what media players mean. */
    if (accept == NULL || head_get(head, "range") != NULL)
        return &asset->identity;
    if (asset->brotli.bytes != NULL && coding_taken(accept, "br")) {
        *ret_coding = "br";
        return &asset->brotli;
    }
    if (asset->gzip.bytes != NULL && coding_taken(accept, "gzip")) {
        *ret_coding = "gzip";
        return &asset->gzip;
    }
    return &asset->identity;
}

/* Digits at *at; false when there are none or too many to count. */
static bool number_take(const char **at, size_t *ret_value)
{
    size_t digits = strspn(*at, "0123456789");
    if (digits == 0 || digits > 18)
        return false;
    *ret_value = 0;
    for (; digits > 0; digits--, (*at)++)
        *ret_value = *ret_value * 10 + (size_t)(**at - '0');
    return true;
}

enum http_range http_range(const char *value, size_t length, size_t *ret_first, size_t *ret_last)
{
    size_t first = 0, last = 0;
    if (strncmp(value, "bytes=", 6) != 0)
        return HTTP_RANGE_NONE;
    const char *at = value + 6;
    if (*at == '-') {
        at++;
        if (!number_take(&at, &last) || *at != '\0')
            return HTTP_RANGE_NONE;
        if (last == 0 || length == 0)
            return HTTP_RANGE_OUTSIDE;
        *ret_first = last < length ? length - last : 0;
        *ret_last = length - 1;
        return HTTP_RANGE_PART;
    }
    if (!number_take(&at, &first) || *at++ != '-')
        return HTTP_RANGE_NONE;
    bool open = *at == '\0';
    if (!open && (!number_take(&at, &last) || *at != '\0' || last < first))
        return HTTP_RANGE_NONE;
    if (first >= length)
        return HTTP_RANGE_OUTSIDE;
    *ret_first = first;
    *ret_last = open || last >= length ? length - 1 : last;
    return HTTP_RANGE_PART;
}

static void asset_range(struct answer *answer, const struct asset_body *body,
                        const struct head *head)
{
    const char *range = head_get(head, "range");
    const char *if_range = head_get(head, "if-range");
    if (range == NULL || (if_range != NULL && strcmp(if_range, body->etag) != 0))
        return;
    size_t first = 0, last = 0;
    char text[96];
    switch (http_range(range, body->length, &first, &last)) {
    case HTTP_RANGE_NONE:
        break;
    case HTTP_RANGE_PART:
        answer->status = 206;
        answer->body = (const char *)body->bytes + first;
        answer->body_length = last - first + 1;
        snprintf(text, sizeof text, "bytes %zu-%zu/%zu", first, last, body->length);
        answer_field(answer, "Content-Range", text);
        break;
    case HTTP_RANGE_OUTSIDE:
        answer->status = 416;
        answer->body_length = 0;
        snprintf(text, sizeof text, "bytes */%zu", body->length);
        answer_field(answer, "Content-Range", text);
        break;
    }
}

void answer_asset(struct answer *answer, const struct asset *asset, const struct head *head)
{
    const char *coding = NULL;
    const struct asset_body *body = asset_choose(asset, head, &coding);
    const char *if_none_match = head_get(head, "if-none-match");
    answer_field(answer, "ETag", body->etag);
    answer_field(answer, "Cache-Control",
                 asset->immutable ? "public, max-age=31536000, immutable" : "no-cache");
    if (asset->brotli.bytes != NULL || asset->gzip.bytes != NULL)
        answer_field(answer, "Vary", "Accept-Encoding");
    if (if_none_match != NULL && etag_listed(if_none_match, body->etag)) {
        answer->status = 304;
        return;
    }
    answer->status = 200;
    answer->body = body->bytes;
    answer->body_length = body->length;
    answer_field(answer, "Content-Type", asset->content_type);
    answer_field(answer, "Accept-Ranges", "bytes");
    if (coding != NULL)
        answer_field(answer, "Content-Encoding", coding);
    else
        asset_range(answer, body, head);
}

void answer_reply(struct answer *answer, const struct http_reply *reply)
{
    answer->status = reply->status != 0 ? reply->status : 200;
    answer->body = reply->body;
    answer->body_length = reply->body != NULL ? reply->body_length : 0;
    answer->streamed = reply->source.context != NULL;
    answer->stream_length = reply->source.length;
    if (reply->content_type != NULL)
        answer_field(answer, "Content-Type", reply->content_type);
    bool cached = false;
    for (size_t i = 0; i < reply->header_count; i++) {
        cached = cached || strcasecmp(reply->headers[i].name, "Cache-Control") == 0;
        answer_field(answer, reply->headers[i].name, reply->headers[i].value);
    }
    if (!cached)
        answer_field(answer, "Cache-Control", "no-store");
}

/* No 'unsafe-inline' anywhere: what the client runs comes from files of this server. */
static enum status policy_add(struct buffer *out, const char *host)
{
    enum status status = buffer_printf(
        out,
        "Content-Security-Policy: default-src 'self'; script-src 'self'; style-src 'self'; "
        "img-src 'self' data: blob:; media-src 'self' blob: mediastream:; worker-src 'self' blob:; "
        "object-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'; "
        "connect-src 'self'");
    /* Older browsers do not count websockets of the same host as 'self'. */
    if (status == STATUS_OK && host != NULL)
        status = buffer_printf(out, " ws://%s wss://%s", host, host);
    if (status == STATUS_OK)
        status = buffer_printf(out, "\r\n");
    return status;
}

static enum status security_add(struct buffer *out, const struct answer_scene *scene)
{
    enum status status = policy_add(out, scene->host);
    if (status == STATUS_OK)
        status = buffer_printf(
            out, "X-Content-Type-Options: nosniff\r\n"
                 "Referrer-Policy: no-referrer\r\n"
                 "Cross-Origin-Opener-Policy: same-origin\r\n"
                 "Cross-Origin-Resource-Policy: same-origin\r\n"
                 "Permissions-Policy: camera=(self), microphone=(self), display-capture=(self), "
                 "fullscreen=(self), picture-in-picture=(self), screen-wake-lock=(self), "
                 "autoplay=(self), geolocation=(), payment=(), usb=()\r\n");
    if (status == STATUS_OK && scene->hsts)
        status = buffer_printf(out, "Strict-Transport-Security: max-age=31536000\r\n");
    if (status == STATUS_OK && scene->origin != NULL)
        status = buffer_printf(out,
                               "Access-Control-Allow-Origin: %s\r\nVary: Origin\r\n"
                               "Access-Control-Expose-Headers: Location, ETag, Link, "
                               "X-Request-Id\r\n",
                               scene->origin);
    return status;
}

static enum status date_add(struct buffer *out)
{
    char text[64];
    time_t now = time(NULL);
    struct tm parts;
    if (gmtime_r(&now, &parts) == NULL)
        return STATUS_OK;
    /* The C locale's names are the ones of RFC 9110 5.6.7; the program sets no other. */
    strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts);
    return buffer_printf(out, "Date: %s\r\n", text);
}

bool answer_finish(struct answer *answer, const struct answer_scene *scene)
{
    struct buffer *out = &answer->out;
    bool bodiless = answer->status == 204 || answer->status == 304;
    enum status status = answer->failed ? STATUS_NO_MEMORY : STATUS_OK;
    if (status == STATUS_OK)
        status =
            buffer_printf(out, "HTTP/1.1 %d %s\r\n", answer->status, answer_reason(answer->status));
    if (status == STATUS_OK)
        status = date_add(out);
    if (status == STATUS_OK && buffer_length(&answer->fields) > 0)
        status = buffer_append(out, buffer_front(&answer->fields), buffer_length(&answer->fields));
    if (status == STATUS_OK)
        status = security_add(out, scene);
    if (status == STATUS_OK && !bodiless)
        status = buffer_printf(out, "Content-Length: %" PRIu64 "\r\n",
                               answer->streamed ? answer->stream_length : answer->body_length);
    if (status == STATUS_OK)
        status = buffer_printf(out, "X-Request-Id: %s\r\n%s\r\n", scene->id,
                               scene->close ? "Connection: close\r\n" : "");
    if (bodiless || answer->head_only)
        answer->body_length = answer->stream_length = 0;
    if (status == STATUS_OK && answer->body_length <= ANSWER_INLINE_MAX) {
        status = buffer_append(out, answer->body, answer->body_length);
        answer->body_length = 0;
    }
    return status == STATUS_OK;
}

void answer_clear(struct answer *answer)
{
    buffer_clear(&answer->fields);
    buffer_clear(&answer->out);
    free(answer->owned);
    *answer = (struct answer){0};
}

size_t answer_left(const struct answer *answer)
{
    return buffer_length(&answer->out) + answer->body_length - answer->sent;
}
