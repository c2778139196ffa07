/*
 * tests/unit/signalling/http/test_http_refusals.c - bytes that must be refused, sent as
 * they are over real sockets, at once and byte by byte, plain and by TLS.
 */
#include "fixture.h"

#define HOST "Host: localhost\r\n"
#define ONE_HEADER "a: b\r\n"
#define TEN_HEADERS                                                                                \
    ONE_HEADER ONE_HEADER ONE_HEADER ONE_HEADER ONE_HEADER ONE_HEADER ONE_HEADER ONE_HEADER        \
        ONE_HEADER ONE_HEADER

struct refused {
    const char *name;
    const char *bytes;
    size_t length; /* 0: strlen */
    int status;
    const char *code;
};

#define BYTES(text) text, sizeof text - 1

static const struct refused refused[] = {
    {"length and encoding",
     BYTES("POST /echo HTTP/1.1\r\n" HOST
           "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
     400, "length_and_encoding"},
    {"encoding and length",
     BYTES("POST /echo HTTP/1.1\r\n" HOST
           "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n"),
     400, "length_and_encoding"},
    {"encoding", BYTES("POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"), 501,
     "transfer_encoding"},
    {"encoding identity",
     BYTES("POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: identity\r\n\r\n"), 501,
     "transfer_encoding"},
    {"encoding behind a tab",
     BYTES("POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding:\tchunked\r\n\r\n"), 501,
     "transfer_encoding"},
    {"encoding with a blank before the colon",
     BYTES("POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding : chunked\r\n\r\n"), 400,
     "bad_header"},
    {"two lengths",
     BYTES("POST /echo HTTP/1.1\r\n" HOST "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab"), 400,
     "repeated_header"},
    {"the same length twice",
     BYTES("POST /echo HTTP/1.1\r\n" HOST "Content-Length: 1\r\nContent-Length: 1\r\n\r\na"), 400,
     "repeated_header"},
    {"a list of lengths", BYTES("POST /echo HTTP/1.1\r\n" HOST "Content-Length: 1, 1\r\n\r\na"),
     400, "bad_length"},
    {"a negative length", BYTES("POST /echo HTTP/1.1\r\n" HOST "Content-Length: -1\r\n\r\n"), 400,
     "bad_length"},
    {"a signed length", BYTES("POST /echo HTTP/1.1\r\n" HOST "Content-Length: +1\r\n\r\na"), 400,
     "bad_length"},
    {"a hexadecimal length", BYTES("POST /echo HTTP/1.1\r\n" HOST "Content-Length: 0x1\r\n\r\na"),
     400, "bad_length"},
    {"an empty length", BYTES("POST /echo HTTP/1.1\r\n" HOST "Content-Length:\r\n\r\n"), 400,
     "bad_length"},
    {"a length past 64 bits",
     BYTES("POST /echo HTTP/1.1\r\n" HOST "Content-Length: 18446744073709551617\r\n\r\na"), 413,
     "body_too_large"},
    {"a body too large", BYTES("POST /echo HTTP/1.1\r\n" HOST "Content-Length: 65537\r\n\r\n"), 413,
     "body_too_large"},
    {"a body where none is", BYTES("GET /facts/a HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\na"),
     413, "body_too_large"},
    {"a body for a file", BYTES("GET / HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\na"), 413,
     "body_too_large"},
    {"NUL in a name", BYTES("GET / HTTP/1.1\r\n" HOST "a\0b: c\r\n\r\n"), 400, "bad_line_end"},
    {"NUL in a value", BYTES("GET / HTTP/1.1\r\n" HOST "a: b\0c\r\n\r\n"), 400, "bad_line_end"},
    {"NUL in the path", BYTES("GET /\0 HTTP/1.1\r\n" HOST "\r\n"), 400, "bad_line_end"},
    {"a control character", BYTES("GET / HTTP/1.1\r\n" HOST "a: \x01\r\n\r\n"), 400,
     "bad_line_end"},
    {"DEL", BYTES("GET / HTTP/1.1\r\n" HOST "a: \x7f\r\n\r\n"), 400, "bad_line_end"},
    {"only line feeds", BYTES("GET / HTTP/1.1\nHost: localhost\n\n"), 400, "bad_line_end"},
    {"one line feed", BYTES("GET / HTTP/1.1\r\nHost: localhost\n\r\n"), 400, "bad_line_end"},
    {"a lone carriage return", BYTES("GET / HTTP/1.1\r\nHost: local\rhost\r\n\r\n"), 400,
     "bad_line_end"},
    {"two carriage returns", BYTES("GET / HTTP/1.1\r\r\nHost: localhost\r\n\r\n"), 400,
     "bad_line_end"},
    {"a leading empty line", BYTES("\r\nGET / HTTP/1.1\r\n" HOST "\r\n"), 400, "bad_line_end"},
    {"a folded header", BYTES("GET / HTTP/1.1\r\n" HOST "a: b\r\n c\r\n\r\n"), 400,
     "folded_header"},
    {"a folded first header", BYTES("GET / HTTP/1.1\r\n " HOST "\r\n"), 400, "folded_header"},
    {"a blank before the colon", BYTES("GET / HTTP/1.1\r\nHost : localhost\r\n\r\n"), 400,
     "bad_header"},
    {"a blank in a name", BYTES("GET / HTTP/1.1\r\n" HOST "a b: c\r\n\r\n"), 400, "bad_header"},
    {"no colon", BYTES("GET / HTTP/1.1\r\n" HOST "abc\r\n\r\n"), 400, "bad_header"},
    {"no name", BYTES("GET / HTTP/1.1\r\n" HOST ": b\r\n\r\n"), 400, "bad_header"},
    {"a name beyond ASCII", BYTES("GET / HTTP/1.1\r\n" HOST "\xc3\xa9: b\r\n\r\n"), 400,
     "bad_header"},
    {"no Host", BYTES("GET / HTTP/1.1\r\n\r\n"), 400, "no_host"},
    {"two Hosts", BYTES("GET / HTTP/1.1\r\n" HOST HOST "\r\n"), 400, "repeated_header"},
    {"an empty Host", BYTES("GET / HTTP/1.1\r\nHost:\r\n\r\n"), 400, "bad_host"},
    {"a list of Hosts", BYTES("GET / HTTP/1.1\r\nHost: a, b\r\n\r\n"), 400, "bad_host"},
    {"a Host with a user", BYTES("GET / HTTP/1.1\r\nHost: a@b\r\n\r\n"), 400, "bad_host"},
    {"a Host with a path", BYTES("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"), 400, "bad_host"},
    {"a Host that would end a policy", BYTES("GET / HTTP/1.1\r\nHost: a;script-src\r\n\r\n"), 400,
     "bad_host"},
    {"a port too large", BYTES("GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n"), 400, "bad_host"},
    {"a port of letters", BYTES("GET / HTTP/1.1\r\nHost: a:b\r\n\r\n"), 400, "bad_host"},
    {"half an IPv6 address", BYTES("GET / HTTP/1.1\r\nHost: [::1\r\n\r\n"), 400, "bad_host"},
    {"no IPv6 address", BYTES("GET / HTTP/1.1\r\nHost: [x]\r\n\r\n"), 400, "bad_host"},
    {"another host in the target", BYTES("GET http://evil.example/ HTTP/1.1\r\n" HOST "\r\n"), 400,
     "bad_host"},
    {"two blanks", BYTES("GET  / HTTP/1.1\r\n" HOST "\r\n"), 400, "bad_request_line"},
    {"a blank at the end", BYTES("GET / HTTP/1.1 \r\n" HOST "\r\n"), 400, "bad_request_line"},
    {"a tab as blank", BYTES("GET\t/\tHTTP/1.1\r\n" HOST "\r\n"), 400, "bad_request_line"},
    {"no version", BYTES("GET /\r\n" HOST "\r\n"), 400, "bad_request_line"},
    {"no target", BYTES("GET HTTP/1.1\r\n" HOST "\r\n"), 400, "bad_request_line"},
    {"a small version", BYTES("GET / http/1.1\r\n" HOST "\r\n"), 400, "bad_request_line"},
    {"HTTP/1.0", BYTES("GET / HTTP/1.0\r\n" HOST "\r\n"), 505, "http_version"},
    {"HTTP/2", BYTES("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 505, "http_version"},
    {"an unknown method", BYTES("BREW / HTTP/1.1\r\n" HOST "\r\n"), 501, "unknown_method"},
    {"a small method", BYTES("get / HTTP/1.1\r\n" HOST "\r\n"), 501, "unknown_method"},
    {"TRACE", BYTES("TRACE / HTTP/1.1\r\n" HOST "\r\n"), 405, "method_not_allowed"},
    {"CONNECT", BYTES("CONNECT localhost:1 HTTP/1.1\r\n" HOST "\r\n"), 405, "method_not_allowed"},
    {"a method the path has not", BYTES("DELETE /facts/a HTTP/1.1\r\n" HOST "\r\n"), 405,
     "method_not_allowed"},
    {"a POST to a file", BYTES("POST /index.html HTTP/1.1\r\n" HOST "\r\n"), 405,
     "method_not_allowed"},
    {"an asterisk", BYTES("OPTIONS * HTTP/1.1\r\n" HOST "\r\n"), 400, "bad_target"},
    {"a target without slash", BYTES("GET index.html HTTP/1.1\r\n" HOST "\r\n"), 400, "bad_target"},
    {"up", BYTES("GET /../etc/passwd HTTP/1.1\r\n" HOST "\r\n"), 400, "bad_target"},
    {"up, escaped", BYTES("GET /%2e%2E/etc/passwd HTTP/1.1\r\n" HOST "\r\n"), 400, "bad_target"},
    {"up, escaped slash", BYTES("GET /..%2fetc/passwd HTTP/1.1\r\n" HOST "\r\n"), 400,
     "bad_target"},
    {"up, backslash", BYTES("GET /..%5cetc HTTP/1.1\r\n" HOST "\r\n"), 400, "bad_target"},
    {"an escaped slash", BYTES("GET /facts/a%2Fb HTTP/1.1\r\n" HOST "\r\n"), 400, "bad_target"},
    {"here", BYTES("GET /./ HTTP/1.1\r\n" HOST "\r\n"), 400, "bad_target"},
    {"an escaped NUL", BYTES("GET /a%00b HTTP/1.1\r\n" HOST "\r\n"), 400, "bad_target"},
    {"half an escape", BYTES("GET /a%2 HTTP/1.1\r\n" HOST "\r\n"), 400, "bad_target"},
    {"a false escape", BYTES("GET /a%zz HTTP/1.1\r\n" HOST "\r\n"), 400, "bad_target"},
    {"invalid UTF-8", BYTES("GET /%ff HTTP/1.1\r\n" HOST "\r\n"), 400, "bad_target"},
    {"overlong UTF-8", BYTES("GET /%c0%af HTTP/1.1\r\n" HOST "\r\n"), 400, "bad_target"},
    {"raw bytes in the path", BYTES("GET /\xc3\xa9 HTTP/1.1\r\n" HOST "\r\n"), 400, "bad_target"},
    {"a fragment", BYTES("GET /#a HTTP/1.1\r\n" HOST "\r\n"), 400, "bad_target"},
    {"a bad query", BYTES("GET /?a=<b> HTTP/1.1\r\n" HOST "\r\n"), 400, "bad_target"},
    {"an unknown expectation", BYTES("GET / HTTP/1.1\r\n" HOST "Expect: tea\r\n\r\n"), 417,
     "expectation"},
    {"101 headers",
     BYTES("GET / HTTP/1.1\r\n" HOST TEN_HEADERS TEN_HEADERS TEN_HEADERS TEN_HEADERS TEN_HEADERS
               TEN_HEADERS TEN_HEADERS TEN_HEADERS TEN_HEADERS TEN_HEADERS "\r\n"),
     431, "too_many_headers"},
    {"a foreign page writes",
     BYTES("POST /echo HTTP/1.1\r\n" HOST "Origin: http://evil.example\r\n\r\n"), 403,
     "foreign_origin"},
    {"a page without origin writes", BYTES("POST /echo HTTP/1.1\r\n" HOST "Origin: null\r\n\r\n"),
     403, "foreign_origin"},
    {"the same host, another port",
     BYTES("POST /echo HTTP/1.1\r\nHost: localhost:1\r\nOrigin: http://localhost:2\r\n\r\n"), 403,
     "foreign_origin"},
    {"a name that was bound to loopback",
     BYTES("POST /echo HTTP/1.1\r\nHost: evil.example\r\nOrigin: http://evil.example\r\n\r\n"), 403,
     "foreign_origin"},
    {"a foreign page opens a websocket",
     BYTES("GET /gateway HTTP/1.1\r\n" HOST "Origin: http://evil.example\r\nConnection: Upgrade\r\n"
           "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"),
     403, "foreign_origin"},
    {"no upgrade", BYTES("GET /gateway HTTP/1.1\r\n" HOST "\r\n"), 426, "upgrade_required"},
    {"an old websocket",
     BYTES("GET /gateway HTTP/1.1\r\n" HOST "Connection: Upgrade\r\nUpgrade: websocket\r\n"
           "Sec-WebSocket-Version: 8\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"),
     426, "websocket_version"},
    {"a short key",
     BYTES("GET /gateway HTTP/1.1\r\n" HOST "Connection: Upgrade\r\nUpgrade: websocket\r\n"
           "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhl\r\n\r\n"),
     400, "bad_upgrade"},
    {"a websocket by POST",
     BYTES("POST /gateway HTTP/1.1\r\n" HOST "Connection: Upgrade\r\nUpgrade: websocket\r\n"
           "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"),
     400, "bad_upgrade"},
    {"nothing there", BYTES("GET /api/v1/nothing HTTP/1.1\r\n" HOST "\r\n"), 404, "not_found"},
    {"no such file", BYTES("GET /assets/none.js HTTP/1.1\r\n" HOST "\r\n"), 404, "not_found"},
    {"a hidden file", BYTES("GET /.secret HTTP/1.1\r\n" HOST "\r\n"), 404, "not_found"},
};

static struct fixture f;

static void check(const struct refused *expected, struct wire *wire)
{
    struct reply reply;
    wire_reply(wire, false, &reply);
    char code[64];
    snprintf(code, sizeof code, "\"code\":\"%s\"", expected->code);
    if (reply.status != expected->status || strstr(reply.body, code) == NULL)
        fail_msg("%s: %d %s", expected->name, reply.status, reply.body);
    assert_string_equal(reply_field(&reply, "Content-Type"), "application/problem+json");
    assert_string_equal(reply_field(&reply, "X-Content-Type-Options"), "nosniff");
    char id[80];
    snprintf(id, sizeof id, "\"request_id\":\"%s\"", reply_field(&reply, "X-Request-Id"));
    assert_non_null(strstr(reply.body, id));
    if (expected->status == 405)
        assert_non_null(reply_field(&reply, "Allow"));
    const char *connection = reply_field(&reply, "Connection");
    if (connection != NULL && strcmp(connection, "close") == 0)
        assert_true(wire_ended(wire));
    else
        assert_true(expected->status == 404 || expected->status == 405);
    reply_free(&reply);
}

static void each_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        struct wire wire = wire_open(f.port);
        wire_send(&wire, refused[i].bytes, refused[i].length);
        check(&refused[i], &wire);
        wire_close(&wire);
    }
}

static void each_is_refused_byte_by_byte(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        struct wire wire = wire_open(f.port);
        int one = 1;
        setsockopt(wire.fd, IPPROTO_TCP, 1 /* TCP_NODELAY */, &one, sizeof one);
        for (size_t at = 0; at < refused[i].length; at++)
            wire_send(&wire, refused[i].bytes + at, 1);
        check(&refused[i], &wire);
        wire_close(&wire);
    }
}

static void each_is_refused_by_tls(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        struct wire wire = wire_open_tls(f.tls_port);
        wire_send(&wire, refused[i].bytes, refused[i].length);
        check(&refused[i], &wire);
        wire_close(&wire);
    }
}

/* What follows a refused request must not be taken for the next one. */
static void nothing_after_a_refusal_is_read(void **state)
{
    (void)state;
    struct wire wire = wire_open(f.port);
    struct reply reply;
    wire_text(&wire, "POST /echo HTTP/1.1\r\n" HOST
                     "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
                     "GET /facts/smuggled HTTP/1.1\r\n" HOST "\r\n");
    wire_reply(&wire, false, &reply);
    assert_int_equal(reply.status, 400);
    reply_free(&reply);
    char more[64];
    assert_int_equal(wire_read(&wire, more, sizeof more), 0);
    wire_close(&wire);
}

static void a_long_target_is_refused(void **state)
{
    (void)state;
    for (size_t length = HTTP_HEAD_MAX / 2; length <= HTTP_HEAD_MAX * 2; length *= 2) {
        char *request = calloc(1, length + 64);
        assert_non_null(request);
        strcpy(request, "GET /");
        memset(request + 5, 'a', length);
        strcat(request, " HTTP/1.1\r\n" HOST "\r\n");
        struct reply reply;
        ask(f.port, request, &reply);
        assert_int_equal(reply.status, 414);
        reply_free(&reply);
        free(request);
    }
}

static void a_long_header_is_refused(void **state)
{
    (void)state;
    char *request = calloc(1, HTTP_HEAD_MAX + 128);
    assert_non_null(request);
    strcpy(request, "GET / HTTP/1.1\r\n" HOST "a: ");
    size_t length = strlen(request);
    memset(request + length, 'a', HTTP_HEAD_MAX);
    strcat(request, "\r\n\r\n");
    struct reply reply;
    ask(f.port, request, &reply);
    assert_int_equal(reply.status, 431);
    reply_free(&reply);
    free(request);
}

static int start(void **state)
{
    (void)state;
    fixture_plain(&f);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    fixture_free(&f);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_is_refused),
        cmocka_unit_test(each_is_refused_byte_by_byte),
        cmocka_unit_test(each_is_refused_by_tls),
        cmocka_unit_test(nothing_after_a_refusal_is_read),
        cmocka_unit_test(a_long_target_is_refused),
        cmocka_unit_test(a_long_header_is_refused),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
