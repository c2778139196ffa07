/*
 * signalling/http/reply.c - the helpers of http.h that a handler answers with.
 */
#include "core/json.h"
#include "signalling/http/answer.h"
#include "signalling/http/head.h"
#include "signalling/http/http.h"

#include <string.h>

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* "a+b%20c" -> "a b c" (application/x-www-form-urlencoded); NULL when malformed. */
static const char *query_decode(struct arena *arena, const char *text, size_t length)
{
    char *decoded = arena_strndup(arena, text, length);
    if (decoded == NULL)
        return NULL;
    char *to = decoded;
    for (const char *from = decoded; *from != '\0'; from++) {
        char c = *from;
        if (c == '%') {
            int high = hex_value(from[1]);
            int low = high >= 0 ? hex_value(from[2]) : -1;
            if (low < 0 || (high == 0 && low == 0))
                return NULL;
            c = (char)(high << 4 | low);
            from += 2;
        } else if (c == '+') {
            c = ' ';
        }
        *to++ = c;
    }
    *to = '\0';
    return decoded;
}

const char *http_query(const struct http_request *request, const char *name)
{
    size_t length = strlen(name);
    for (const char *at = request->query; *at != '\0';) {
        size_t item = strcspn(at, "&");
        if (item > length && strncmp(at, name, length) == 0 && at[length] == '=')
            return query_decode(request->arena, at + length + 1, item - length - 1);
        if (item == length && strncmp(at, name, length) == 0)
            return "";
        at += item + (at[item] == '&');
    }
    return NULL;
}

const char *http_header(const struct http_request *request, const char *name)
{
    return head_get(request->head, name);
}

void http_reply_json(struct http_reply *reply, int status, const char *json)
{
    reply->status = status;
    reply->content_type = "application/json";
    reply->body = json;
    reply->body_length = json != NULL ? strlen(json) : 0;
}

void http_reply_header(struct http_reply *reply, const char *name, const char *value)
{
    if (reply->header_count == HTTP_REPLY_HEADERS_MAX || value == NULL)
        return;
    reply->headers[reply->header_count].name = name;
    reply->headers[reply->header_count++].value = value;
}

void http_problem(const struct http_request *request, struct http_reply *reply, int status,
                  const char *code, const char *detail)
{
    const char *quoted = json_quote(detail, request->arena);
    const char *text = NULL;
    if (quoted != NULL)
        text = arena_printf(request->arena,
                            "{\"type\":\"about:blank\",\"title\":\"%s\",\"status\":%d,"
                            "\"code\":\"%s\",\"detail\":%s,\"request_id\":\"%s\"}",
                            answer_reason(status), status, code, quoted, request->id);
    reply->status = status;
    reply->content_type = "application/problem+json";
    reply->body = text;
    reply->body_length = text != NULL ? strlen(text) : 0;
}

void http_problem_member(const struct http_request *request, struct http_reply *reply,
                         const char *name, const char *json)
{
    const char *text = arena_printf(request->arena, "%.*s,\"%s\":%s}", (int)reply->body_length - 1,
                                    (const char *)reply->body, name, json);
    if (text == NULL)
        return; /* the problem stands without it */
    reply->body = text;
    reply->body_length = strlen(text);
}
