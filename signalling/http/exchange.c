/*
 * signalling/http/exchange.c - request and answer on a connection: gathers a head, judges
 * it, gathers the body, and writes what came of it.
 */
#include "core/log.h"
#include "core/metrics.h"
#include "signalling/http/conn.h"
#include "signalling/http/request.h"
#include "signalling/http/transfer.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* draft-ietf-httpapi-ratelimit-headers: what programs may still ask. Pages need not know. */
static void allowance_add(struct conn *conn)
{
    struct visitors_allowance allowance;
    const struct request *request = conn->request;
    if (request == NULL || request->route == NULL ||
        !visitors_allowance(conn->http->visitors, conn->visitor, &allowance))
        return;
    char text[64];
    snprintf(text, sizeof text, "\"address\";q=%u;w=60", allowance.quota);
    answer_field(&conn->answer, "RateLimit-Policy", text);
    snprintf(text, sizeof text, "\"address\";r=%u;t=%u", allowance.left, allowance.reset_s);
    answer_field(&conn->answer, "RateLimit", text);
}

/* The answer has its fields and body: adds what every answer has, and begins to write. */
static void answer_begin(struct conn *conn)
{
    struct http *http = conn->http;
    const struct request *request = conn->request;
    const char *host = request != NULL ? request->head.host : NULL;
    conn->keep = conn->keep && !http->draining;
    conn->answer.head_only = request != NULL && strcmp(request->head.method, "HEAD") == 0;
    allowance_add(conn);
    const struct answer_scene scene = {
        .id = conn->id,
        .host = host,
        .origin = conn->foreign,
        .hsts = conn->link.ssl != NULL && http->config.certificate != NULL && host != NULL &&
                strncmp(host, "localhost", 9) != 0,
        .close = !conn->keep,
    };
    if (!answer_finish(&conn->answer, &scene)) {
        /* No memory for an answer: ending the connection is one. */
        answer_clear(&conn->answer);
        conn->keep = false;
    }
    uint64_t took_ms = conn->began_ms > 0 ? edge_now_ms() - conn->began_ms : 0;
    if (request != NULL && log_wants(LOG_HTTP, LOG_DEBUG)) {
        char path[256];
        log_event(LOG_HTTP, LOG_DEBUG, "request", "id=%s method=%s path=%s status=%d ms=%llu",
                  conn->id, request->head.method, log_quote(path, sizeof path, request->head.path),
                  conn->answer.status, (unsigned long long)took_ms);
    }
    conn_deadline(conn, conn_transfer_ms(conn, answer_left(&conn->answer)));
}

void conn_reply(struct conn *conn)
{
    answer_reply(&conn->answer, &conn->request->reply);
    conn->state = CONN_ANSWER;
}

void conn_refuse(struct conn *conn, const struct refusal *refusal, bool keep)
{
    metric_add(conn->http->refusals, 1);
    log_event(LOG_HTTP, LOG_DEBUG, "refused", "id=%s peer=%s status=%d code=%s", conn->id,
              conn->address, refusal->status, refusal->code);
    conn->keep = keep;
    answer_problem(&conn->answer, refusal, conn->id);
    conn->state = CONN_ANSWER;
}

/* A refusal with one more header line. */
static enum conn_step refuse_with(struct conn *conn, const struct refusal *refusal, bool keep,
                                  const char *name, const char *value)
{
    answer_field(&conn->answer, name, value);
    conn_refuse(conn, refusal, keep);
    return CONN_GO_ON;
}

static enum conn_step refuse(struct conn *conn, int status, const char *code, const char *detail,
                             bool keep)
{
    const struct refusal refusal = {.status = status, .code = code, .detail = detail};
    conn_refuse(conn, &refusal, keep);
    return CONN_GO_ON;
}

/* The decoded path as it may stand in a header again. */
static char *path_encode(struct arena *arena, const char *path)
{
    char *encoded = arena_alloc(arena, strlen(path) * 3 + 1);
    char *to = encoded;
    for (const char *at = path; encoded != NULL && *at != '\0'; at++) {
        unsigned char c = (unsigned char)*at;
        if (c < 0x80 && (isalnum(c) || strchr("-._~!$&'()*+,;=:@/", c) != NULL))
            *to++ = *at;
        else
            to += snprintf(to, 4, "%%%02X", c);
    }
    return encoded;
}

/* The redirect port: "https://host:port/path?query". */
static enum conn_step redirect(struct conn *conn)
{
    const struct request *request = conn->request;
    if (strcmp(request->view.method, "GET") != 0 || request->head.content_length > 0)
        return refuse(conn, 403, "https_required", "this port only points to HTTPS", false);
    const char *host = request->head.host;
    size_t length = host[0] == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":");
    char port[8] = "";
    if (conn->http->secure_port != 443)
        snprintf(port, sizeof port, ":%u", conn->http->secure_port);
    const char *path = path_encode(request->arena, request->head.path);
    const char *query = request->head.query;
    const char *location = NULL;
    if (path != NULL)
        location = arena_printf(request->arena, "https://%.*s%s%s%s%s", (int)length, host, port,
                                path, query[0] != '\0' ? "?" : "", query);
    if (location == NULL)
        return CONN_OVER;
    conn->answer.status = 308;
    answer_field(&conn->answer, "Location", location);
    conn->state = CONN_ANSWER;
    return CONN_GO_ON;
}

/* RFC 6455 4.2.1: the key is base64 of 16 bytes. */
static bool ws_key_valid(const char *key)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    return key != NULL && strlen(key) == 24 && strspn(key, alphabet) == 22 &&
           strchr("AQgw", key[21]) != NULL && strcmp(key + 22, "==") == 0;
}

static enum conn_step upgrade(struct conn *conn)
{
    const struct head *head = &conn->request->head;
    if (!head->upgrade_websocket) {
        static const struct refusal refusal = {426, "upgrade_required",
                                               "this address speaks websocket"};
        return refuse_with(conn, &refusal, false, "Upgrade", "websocket");
    }
    if (strcmp(head->method, "GET") != 0 || head->has_length)
        return refuse(conn, 400, "bad_upgrade", "a websocket begins with GET and no body", false);
    const char *version = head_get(head, "sec-websocket-version");
    if (version == NULL || strcmp(version, "13") != 0) {
        static const struct refusal refusal = {426, "websocket_version",
                                               "only websocket version 13 is spoken here"};
        return refuse_with(conn, &refusal, false, "Sec-WebSocket-Version", "13");
    }
    if (!ws_key_valid(head_get(head, "sec-websocket-key")))
        return refuse(conn, 400, "bad_upgrade", "Sec-WebSocket-Key is malformed", false);
    if (conn->http->draining)
        return refuse(conn, 503, "going_down", "the server is going down", false);
    if (conn_pump_begin(conn) != STATUS_OK)
        return refuse(conn, 503, "busy", "no room for another websocket", false);
    return CONN_GO_ON;
}

/* OPTIONS of a route that has no handler for it, for pages of listed origins (CORS). */
static enum conn_step options(struct conn *conn, const char *allow)
{
    conn->answer.status = 204;
    answer_field(&conn->answer, "Allow", allow);
    if (conn->foreign != NULL) {
        answer_field(&conn->answer, "Access-Control-Allow-Methods", allow);
        answer_field(&conn->answer, "Access-Control-Allow-Headers",
                     "Authorization, Content-Type, If-Match");
        answer_field(&conn->answer, "Access-Control-Max-Age", "600");
    }
    conn->state = CONN_ANSWER;
    return CONN_GO_ON;
}

static enum conn_step serve_asset(struct conn *conn)
{
    const struct request *request = conn->request;
    const struct asset *asset = assets_find(conn->http->assets, request->view.path);
    if (asset == NULL)
        asset = assets_page(conn->http->assets, request->view.path);
    bool bodiless = request->head.content_length == 0;
    if (asset == NULL)
        return refuse(conn, 404, "not_found", "there is nothing at this address", bodiless);
    if (strcmp(request->view.method, "GET") != 0) {
        static const struct refusal refusal = {405, "method_not_allowed",
                                               "this address can only be read"};
        return refuse_with(conn, &refusal, bodiless, "Allow", "GET, HEAD");
    }
    if (!bodiless)
        return refuse(conn, 413, "body_too_large", "this address takes no body", false);
    answer_asset(&conn->answer, asset, &request->head);
    conn->state = CONN_ANSWER;
    return CONN_GO_ON;
}

/* Whoever asked whether to send its body hears yes; false when it cannot be told. */
static bool go_on_say(struct conn *conn)
{
    static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
    const struct head *head = &conn->request->head;
    if (!head->expect_continue || head->content_length == 0 || buffer_length(&conn->in) > 0)
        return true;
    /* So early on a connection its few bytes always fit the socket's buffer. */
    return link_write(&conn->link, go_on, sizeof go_on - 1) == (ssize_t)sizeof go_on - 1;
}

void conn_body_wanted(struct conn *conn)
{
    conn->state = CONN_PIECES;
    if (!go_on_say(conn))
        log_event(LOG_HTTP, LOG_DEBUG, "continue_lost", "id=%s", conn->id);
}

static enum conn_step submit(struct conn *conn)
{
    conn_deadline(conn, 0);
    if (request_submit(conn->request) != STATUS_OK) {
        static const struct refusal refusal = {503, "busy", "the server has too much to do"};
        bool read = conn->request->route->body_max != HTTP_STREAMED ||
                    conn->request->head.content_length == 0;
        return refuse_with(conn, &refusal, read, "Retry-After", "1");
    }
    conn->in_pool = true;
    conn->state = CONN_POOL;
    return CONN_GO_ON;
}

/* The route is found: asks for the body, or goes on without one. */
static enum conn_step begin_body(struct conn *conn)
{
    const struct request *request = conn->request;
    if (request->route->body_max == HTTP_STREAMED)
        return submit(conn);
    if (request->head.content_length > request->route->body_max)
        return refuse(conn, 413, "body_too_large",
                      request->route->body_max > 0 ? "the body is too large"
                                                   : "this address takes no body",
                      false);
    conn->state = CONN_BODY;
    conn_deadline(conn, conn_transfer_ms(conn, request->head.content_length));
    return go_on_say(conn) ? CONN_GO_ON : CONN_OVER;
}

/* The head is valid: whose request is it, and may it be? */
static enum conn_step judge(struct conn *conn)
{
    struct request *request = conn->request;
    const struct http *http = conn->http;
    conn->keep = !request->head.close;
    if (conn->kind == GATE_REDIRECT)
        return redirect(conn);
    if (!request_origin_ok(request, &conn->foreign))
        return refuse(conn, 403, "foreign_origin", "this page may not do that here", false);
    if (http->ws_path != NULL && strcmp(request->view.path, http->ws_path) == 0)
        return upgrade(conn);
    char allow[REQUEST_ALLOW_MAX];
    switch (request_route(request, allow)) {
    case STATUS_OK:
        return begin_body(conn);
    case STATUS_UNSUPPORTED:
        if (strcmp(request->view.method, "OPTIONS") == 0 && request->head.content_length == 0)
            return options(conn, allow);
        const struct refusal refusal = {405, "method_not_allowed",
                                        "this address does not know the method"};
        return refuse_with(conn, &refusal, request->head.content_length == 0, "Allow", allow);
    default:
        return serve_asset(conn);
    }
}

/* The head stands whole at the front of `in`. */
static enum conn_step take_head(struct conn *conn)
{
    struct http *http = conn->http;
    crypto_id(conn->id);
    conn->began_ms = edge_now_ms();
    metric_add(http->requests, 1);
    uint32_t wait_s = visitors_request(http->visitors, conn->visitor, conn->began_ms);
    if (wait_s > 0) {
        static const struct refusal refusal = {429, "too_many_requests",
                                               "too many requests from this address"};
        char text[16];
        snprintf(text, sizeof text, "%u", wait_s);
        return refuse_with(conn, &refusal, false, "Retry-After", text);
    }
    const struct request_scene scene = {
        .address = conn->address,
        .id = conn->id,
        .loopback = conn->loopback,
        .secure = conn->link.ssl != NULL,
    };
    struct refusal refusal = {503, "no_memory", "the server has no memory for this now"};
    enum status status =
        request_new(http, buffer_front(&conn->in), conn->scanned, &scene, &conn->request, &refusal);
    buffer_take(&conn->in, conn->scanned);
    conn->scanned = 0;
    if (status != STATUS_OK) {
        if (refusal.status == 405)
            answer_field(&conn->answer, "Allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
        conn_refuse(conn, &refusal, false);
        return CONN_GO_ON;
    }
    conn->request->conn = conn;
    return judge(conn);
}

/* More than HTTP_HEAD_MAX came: of the request line, or of what follows it? */
static enum conn_step refuse_long(struct conn *conn)
{
    bool target = memchr(buffer_front(&conn->in), '\n', HTTP_HEAD_MAX) == NULL;
    return target ? refuse(conn, 414, "target_too_long", "the request target is too long", false)
                  : refuse(conn, 431, "head_too_large", "the header is too large", false);
}

enum conn_step conn_head(struct conn *conn)
{
    switch (head_scan(buffer_front(&conn->in), buffer_length(&conn->in), &conn->scanned)) {
    case HEAD_WHOLE:
        return conn->scanned > HTTP_HEAD_MAX ? refuse_long(conn) : take_head(conn);
    case HEAD_BAD:
        return refuse(conn, 400, "bad_line_end", "a line end or character is malformed", false);
    case HEAD_MORE:
        break;
    }
    size_t have = buffer_length(&conn->in);
    if (have >= HTTP_HEAD_MAX)
        return refuse_long(conn);
    if (buffer_reserve(&conn->in, 2048) != STATUS_OK)
        return CONN_OVER;
    ssize_t got =
        link_read(&conn->link, conn->in.bytes + conn->in.end, conn->in.capacity - conn->in.end);
    if (got == LINK_WAIT) {
        if (have == 0)
            buffer_clear(&conn->in); /* an idle connection holds no buffer */
        return CONN_WAIT;
    }
    if (got <= 0)
        return CONN_OVER;
    conn->in.end += (size_t)got;
    if (have == 0)
        conn_deadline(conn, conn->http->limits.head_ms);
    return CONN_GO_ON;
}

enum conn_step conn_body(struct conn *conn)
{
    struct buffer *body = &conn->request->body;
    size_t left = (size_t)conn->request->head.content_length - buffer_length(body);
    if (left == 0)
        return submit(conn);
    size_t early = buffer_length(&conn->in);
    if (early > 0) {
        size_t take = early < left ? early : left;
        if (buffer_append(body, buffer_front(&conn->in), take) != STATUS_OK)
            return CONN_OVER;
        buffer_take(&conn->in, take);
        return CONN_GO_ON;
    }
    /* Memory follows what came, not what was announced. */
    size_t piece = left < CONN_PIECE ? left : CONN_PIECE;
    if (buffer_reserve(body, piece) != STATUS_OK)
        return CONN_OVER;
    ssize_t got = link_read(&conn->link, body->bytes + body->end, piece);
    if (got == LINK_WAIT)
        return CONN_WAIT;
    if (got <= 0)
        return CONN_OVER;
    body->end += (size_t)got;
    return CONN_GO_ON;
}

/* The answer is written: the next request, or the end. */
static enum conn_step answered(struct conn *conn)
{
    if (conn->transfer != NULL && transfer_drop(conn))
        return CONN_WAIT;
    transfer_free(conn);
    answer_clear(&conn->answer);
    conn->request = request_free(conn->request);
    conn->foreign = NULL;
    conn->scanned = 0;
    if (!conn->keep) {
        conn_linger(conn);
        return CONN_GO_ON;
    }
    conn->state = CONN_HEAD;
    conn_deadline(conn, buffer_length(&conn->in) > 0 ? conn->http->limits.head_ms
                                                     : conn->http->limits.idle_ms);
    return CONN_GO_ON;
}

enum conn_step conn_answer(struct conn *conn)
{
    struct answer *answer = &conn->answer;
    if (answer->out.bytes == NULL && answer->status != 0) {
        answer_begin(conn);
        if (answer->status == 0)
            return CONN_OVER;
    }
    if (answer_left(answer) == 0)
        return conn->transfer != NULL && !transfer_over(conn->transfer) ? transfer_send(conn)
                                                                        : answered(conn);
    bool head = buffer_length(&answer->out) > 0;
    const char *bytes = head ? buffer_front(&answer->out) : answer->body + answer->sent;
    size_t length = head ? buffer_length(&answer->out) : answer->body_length - answer->sent;
    ssize_t put = link_write(&conn->link, bytes, length < 65536 ? length : 65536);
    if (put == LINK_WAIT)
        return CONN_WAIT;
    if (put < 0)
        return CONN_OVER;
    if (head)
        buffer_take(&answer->out, (size_t)put);
    else
        answer->sent += (size_t)put;
    return CONN_GO_ON;
}
