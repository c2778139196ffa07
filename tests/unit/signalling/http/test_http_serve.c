/*
 * tests/unit/signalling/http/test_http_serve.c - what the edge serves: routes, files with
 * ETag, Range and encodings, pages, headers, CORS, keep-alive and pipelining.
 */
#include "fixture.h"

#define GET(path) "GET " path " HTTP/1.1\r\nHost: localhost\r\n"
#define CLOSE "Connection: close\r\n\r\n"

static struct fixture f;

/* One request with extra header lines. */
static void get(const char *path, const char *fields, struct reply *reply)
{
    char request[2048];
    snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: localhost\r\n%s" CLOSE, path,
             fields);
    ask(f.port, request, reply);
}

static void expect_body(const struct reply *reply, const char *text)
{
    assert_int_equal(reply->body_length, strlen(text));
    assert_string_equal(reply->body, text);
}

static void routes_see_their_request(void **state)
{
    (void)state;
    struct reply reply;
    get("/facts/a%20b%E2%82%AC?x=1&name=%41+b&name=c", "Authorization: Bearer t\r\n", &reply);
    assert_int_equal(reply.status, 200);
    expect_body(&reply, "{\"method\":\"GET\",\"path\":\"/facts/a b\xe2\x82\xac\",\"param\":\"a "
                        "b\xe2\x82\xac\",\"name\":\"A b\",\"host\":\"localhost\",\"type\":\"\","
                        "\"auth\":\"Bearer t\",\"address\":\"127.0.0.1\",\"loopback\":1,"
                        "\"secure\":0}");
    reply_free(&reply);
    ask(f.port,
        "PATCH http://LOCALHOST:80/facts/x?name=%00 HTTP/1.1\r\nHost: localhost:80\r\n"
        "Content-Type: Application/SDP; charset=utf-8\r\nContent-Length: 1\r\n\r\na",
        &reply);
    assert_int_equal(reply.status, 200);
    assert_non_null(strstr(reply.body, "\"method\":\"PATCH\",\"path\":\"/facts/x\""));
    assert_non_null(strstr(reply.body, "\"name\":\"-\",\"host\":\"localhost:80\","
                                       "\"type\":\"application/sdp\""));
    reply_free(&reply);
    get("/facts/a/b", "", &reply);
    assert_int_equal(reply.status, 200); /* no route: a page of the client */
    expect_body(&reply, PAGE_TEXT);
    reply_free(&reply);
}

static void a_handlers_problem_has_the_request_id(void **state)
{
    (void)state;
    struct reply reply;
    get("/problem", "", &reply);
    assert_int_equal(reply.status, 409);
    assert_string_equal(reply_field(&reply, "Content-Type"), "application/problem+json");
    char id[80];
    snprintf(id, sizeof id, "\"request_id\":\"%s\"", reply_field(&reply, "X-Request-Id"));
    assert_non_null(strstr(reply.body, id));
    assert_non_null(strstr(reply.body, "\"detail\":\"said \\\"no\\\"\""));
    assert_string_equal(reply_field(&reply, "X-Good"), "yes");
    assert_null(reply_field(&reply, "X-Bad"));
    assert_null(reply_field(&reply, "Set-Cookie"));
    reply_free(&reply);
}

static void every_answer_has_the_security_headers(void **state)
{
    (void)state;
    struct reply reply;
    get("/", "", &reply);
    const char *policy = reply_field(&reply, "Content-Security-Policy");
    assert_non_null(policy);
    assert_null(strstr(policy, "unsafe"));
    assert_non_null(strstr(policy, "frame-ancestors 'none'"));
    assert_non_null(strstr(policy, "connect-src 'self' ws://localhost wss://localhost"));
    assert_string_equal(reply_field(&reply, "X-Content-Type-Options"), "nosniff");
    assert_string_equal(reply_field(&reply, "Referrer-Policy"), "no-referrer");
    assert_string_equal(reply_field(&reply, "Cross-Origin-Opener-Policy"), "same-origin");
    assert_non_null(strstr(reply_field(&reply, "Permissions-Policy"), "display-capture=(self)"));
    assert_null(reply_field(&reply, "Strict-Transport-Security"));
    assert_non_null(reply_field(&reply, "Date"));
    reply_free(&reply);
}

static void pages_are_the_index(void **state)
{
    (void)state;
    static const char *const pages[] = {"/", "/m/abc", "/m/abc/settings", "/index.html"};
    static const char *const nothing[] = {"/api",         "/api/v1",      "/whip", "/whep/x",
                                          "/assets/none", "/favicon.ico", "/m/a.b"};
    struct reply reply;
    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++) {
        get(pages[i], "", &reply);
        assert_int_equal(reply.status, 200);
        expect_body(&reply, PAGE_TEXT);
        assert_string_equal(reply_field(&reply, "Cache-Control"), "no-cache");
        assert_string_equal(reply_field(&reply, "Content-Type"), "text/html; charset=utf-8");
        reply_free(&reply);
    }
    for (size_t i = 0; i < sizeof nothing / sizeof *nothing; i++) {
        get(nothing[i], "", &reply);
        assert_int_equal(reply.status, 404);
        reply_free(&reply);
    }
}

static void encodings_are_chosen(void **state)
{
    (void)state;
    static const struct {
        const char *accept, *coding, *body;
    } cases[] = {
        {"", NULL, SCRIPT_TEXT},
        {"Accept-Encoding: gzip, deflate, br\r\n", "br", "BROTLI"},
        {"Accept-Encoding: BR\r\n", "br", "BROTLI"},
        {"Accept-Encoding: gzip\r\n", "gzip", "GZIP"},
        {"Accept-Encoding: br;q=0, gzip;q=0.5\r\n", "gzip", "GZIP"},
        {"Accept-Encoding: br;q=0.0, gzip;q=0\r\n", NULL, SCRIPT_TEXT},
        {"Accept-Encoding: brotli\r\n", NULL, SCRIPT_TEXT},
        {"Accept-Encoding: br\r\nRange: bytes=0-\r\n", NULL, SCRIPT_TEXT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct reply reply;
        get("/assets/main-1a2b3c.js", cases[i].accept, &reply);
        expect_body(&reply, cases[i].body);
        if (cases[i].coding != NULL)
            assert_string_equal(reply_field(&reply, "Content-Encoding"), cases[i].coding);
        else
            assert_null(reply_field(&reply, "Content-Encoding"));
        assert_string_equal(reply_field(&reply, "Vary"), "Accept-Encoding");
        assert_string_equal(reply_field(&reply, "Cache-Control"),
                            "public, max-age=31536000, immutable");
        assert_string_equal(reply_field(&reply, "Content-Type"), "text/javascript; charset=utf-8");
        reply_free(&reply);
    }
    struct reply reply;
    get("/assets/main-1a2b3c.js.br", "", &reply);
    assert_int_equal(reply.status, 404);
    reply_free(&reply);
}

static void etags_save_the_body(void **state)
{
    (void)state;
    struct reply reply;
    char etag[64], packed[64], fields[256];
    get("/assets/main-1a2b3c.js", "", &reply);
    snprintf(etag, sizeof etag, "%s", reply_field(&reply, "ETag"));
    reply_free(&reply);
    get("/assets/main-1a2b3c.js", "Accept-Encoding: br\r\n", &reply);
    snprintf(packed, sizeof packed, "%s", reply_field(&reply, "ETag"));
    assert_string_not_equal(etag, packed);
    reply_free(&reply);
    static const struct {
        const char *before, *after;
        bool ours;
        int status;
    } cases[] = {
        {"", "", true, 304},   {"W/", "", true, 304},     {"\"a\", ", ", \"b\"", true, 304},
        {"*", "", false, 304}, {"\"a\"", "", false, 200}, {"x", "", true, 200},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        snprintf(fields, sizeof fields, "If-None-Match: %s%s%s\r\n", cases[i].before,
                 cases[i].ours ? etag : "", cases[i].after);
        get("/assets/main-1a2b3c.js", fields, &reply);
        assert_int_equal(reply.status, cases[i].status);
        if (reply.status == 304) {
            assert_int_equal(reply.body_length, 0);
            assert_null(reply_field(&reply, "Content-Length"));
            assert_string_equal(reply_field(&reply, "ETag"), etag);
        }
        reply_free(&reply);
    }
    snprintf(fields, sizeof fields, "If-None-Match: %s\r\nAccept-Encoding: br\r\n", etag);
    get("/assets/main-1a2b3c.js", fields, &reply);
    assert_int_equal(reply.status, 200);
    reply_free(&reply);
}

static void ranges_are_cut(void **state)
{
    (void)state;
    static const struct {
        const char *range;
        int status;
        const char *body, *content_range;
    } cases[] = {
        {"bytes=0-6", 206, "console", "bytes 0-6/23"},
        {"bytes=8-10", 206, "log", "bytes 8-10/23"},
        {"bytes=21-", 206, ";\n", "bytes 21-22/23"},
        {"bytes=21-22", 206, ";\n", "bytes 21-22/23"},
        {"bytes=21-23", 206, ";\n", "bytes 21-22/23"},
        {"bytes=21-999", 206, ";\n", "bytes 21-22/23"},
        {"bytes=-2", 206, ";\n", "bytes 21-22/23"},
        {"bytes=-999", 206, SCRIPT_TEXT, "bytes 0-22/23"},
        {"bytes=23-", 416, "", "bytes */23"},
        {"bytes=-0", 416, "", "bytes */23"},
        {"bytes=5-4", 200, SCRIPT_TEXT, NULL},
        {"bytes=0-1,3-4", 200, SCRIPT_TEXT, NULL},
        {"bytes=a-b", 200, SCRIPT_TEXT, NULL},
        {"bytes=99999999999999999999-", 200, SCRIPT_TEXT, NULL},
        {"lines=0-1", 200, SCRIPT_TEXT, NULL},
    };
    struct reply reply;
    char fields[256], etag[64];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        snprintf(fields, sizeof fields, "Range: %s\r\n", cases[i].range);
        get("/assets/main-1a2b3c.js", fields, &reply);
        assert_int_equal(reply.status, cases[i].status);
        expect_body(&reply, cases[i].body);
        if (cases[i].content_range != NULL)
            assert_string_equal(reply_field(&reply, "Content-Range"), cases[i].content_range);
        snprintf(etag, sizeof etag, "%s", reply_field(&reply, "ETag"));
        reply_free(&reply);
    }
    snprintf(fields, sizeof fields, "Range: bytes=0-6\r\nIf-Range: %s\r\n", etag);
    get("/assets/main-1a2b3c.js", fields, &reply);
    assert_int_equal(reply.status, 206);
    reply_free(&reply);
    get("/assets/main-1a2b3c.js", "Range: bytes=0-6\r\nIf-Range: \"old\"\r\n", &reply);
    assert_int_equal(reply.status, 200);
    reply_free(&reply);
}

static void head_has_no_body(void **state)
{
    (void)state;
    struct wire wire = wire_open(f.port);
    struct reply reply;
    wire_text(&wire, "HEAD /assets/main-1a2b3c.js HTTP/1.1\r\nHost: localhost\r\n\r\n"
                     "HEAD /facts/a HTTP/1.1\r\nHost: localhost\r\n\r\n" GET("/") "\r\n");
    wire_reply(&wire, true, &reply);
    assert_int_equal(reply.status, 200);
    assert_string_equal(reply_field(&reply, "Content-Length"), "23");
    reply_free(&reply);
    wire_reply(&wire, true, &reply);
    assert_int_equal(reply.status, 200);
    assert_int_not_equal(strtol(reply_field(&reply, "Content-Length"), NULL, 10), 0);
    reply_free(&reply);
    wire_reply(&wire, false, &reply);
    expect_body(&reply, PAGE_TEXT);
    reply_free(&reply);
    wire_close(&wire);
}

static void pipelined_requests_are_answered_in_order(void **state)
{
    (void)state;
    static const char four[] =
        "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\none" GET(
            "/") "\r\n"
                 "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n" GET(
                     "/facts/x") "\r\n";
    static const size_t pieces[] = {sizeof four, 1, 7};
    for (size_t p = 0; p < sizeof pieces / sizeof *pieces; p++) {
        struct wire wire = wire_open(f.port);
        struct reply reply;
        for (size_t at = 0; at < sizeof four - 1; at += pieces[p]) {
            size_t left = sizeof four - 1 - at;
            wire_send(&wire, four + at, left < pieces[p] ? left : pieces[p]);
        }
        wire_reply(&wire, false, &reply);
        expect_body(&reply, "one");
        reply_free(&reply);
        wire_reply(&wire, false, &reply);
        expect_body(&reply, PAGE_TEXT);
        reply_free(&reply);
        wire_reply(&wire, false, &reply);
        expect_body(&reply, "");
        reply_free(&reply);
        wire_reply(&wire, false, &reply);
        assert_non_null(strstr(reply.body, "\"param\":\"x\""));
        reply_free(&reply);
        wire_close(&wire);
    }
}

static void large_bodies_pass(void **state)
{
    bool tls = *state != NULL;
    char *body = malloc(HTTP_BODY_MAX + 1);
    char head[128];
    assert_non_null(body);
    for (size_t i = 0; i < HTTP_BODY_MAX; i++)
        body[i] = (char)(' ' + i % 90);
    body[HTTP_BODY_MAX] = '\0';
    struct wire wire = tls ? wire_open_tls(f.tls_port) : wire_open(f.port);
    struct reply reply;
    snprintf(head, sizeof head,
             "POST /upload HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n",
             HTTP_BODY_MAX);
    wire_text(&wire, head);
    wire_send(&wire, body, HTTP_BODY_MAX);
    wire_reply(&wire, false, &reply);
    assert_int_equal(reply.status, 200);
    assert_int_equal(reply.body_length, HTTP_BODY_MAX);
    assert_memory_equal(reply.body, body, HTTP_BODY_MAX);
    reply_free(&reply);
    wire_text(&wire, GET("/large") "\r\n" GET("/") "\r\n");
    wire_reply(&wire, false, &reply);
    assert_int_equal(reply.body_length, 4 << 20);
    reply_free(&reply);
    wire_reply(&wire, false, &reply);
    expect_body(&reply, PAGE_TEXT);
    reply_free(&reply);
    wire_close(&wire);
    free(body);
}

static void expect_continue_is_answered(void **state)
{
    (void)state;
    struct wire wire = wire_open(f.port);
    struct reply reply;
    char go_on[25];
    wire_text(&wire, "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n"
                     "Expect: 100-continue\r\n\r\n");
    wire_exactly(&wire, go_on, sizeof go_on);
    assert_memory_equal(go_on, "HTTP/1.1 100 Continue\r\n\r\n", sizeof go_on);
    wire_text(&wire, "ok");
    wire_reply(&wire, false, &reply);
    expect_body(&reply, "ok");
    reply_free(&reply);
    wire_close(&wire);
}

static void origins_of_our_own_may_write(void **state)
{
    (void)state;
    static const struct {
        const char *host, *origin;
        int status;
        const char *allowed;
    } cases[] = {
        {"localhost:8080", "http://localhost:8080", 200, NULL},
        {"localhost", "http://LOCALHOST:80", 200, NULL},
        {"127.0.0.1:9", "http://127.0.0.1:9", 200, NULL},
        {"[::1]:9", "http://[::1]:9", 200, NULL},
        {"a.localhost", "http://a.localhost", 200, NULL},
        {"localhost", "https://meet.example.org", 200, "https://meet.example.org"},
        {"localhost", "http://meet.example.org", 403, NULL},
        {"localhost", "https://localhost", 403, NULL},
        {"localhost", "https://meet.example.org.evil.example", 403, NULL},
        {"localhost.evil.example", "http://localhost.evil.example", 403, NULL},
        {"127.evil.example", "http://127.evil.example", 403, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char request[512];
        struct reply reply;
        snprintf(request, sizeof request,
                 "POST /echo HTTP/1.1\r\nHost: %s\r\nOrigin: %s\r\nContent-Length: 1\r\n\r\na",
                 cases[i].host, cases[i].origin);
        ask(f.port, request, &reply);
        if (reply.status != cases[i].status)
            fail_msg("%s at %s: %d", cases[i].origin, cases[i].host, reply.status);
        const char *allowed = reply_field(&reply, "Access-Control-Allow-Origin");
        if (cases[i].allowed != NULL)
            assert_string_equal(allowed, cases[i].allowed);
        else
            assert_null(allowed);
        reply_free(&reply);
    }
}

static void foreign_pages_may_read_nothing_they_can_see(void **state)
{
    (void)state;
    struct reply reply;
    get("/facts/a", "Origin: http://evil.example\r\n", &reply);
    assert_int_equal(reply.status, 200);
    assert_null(reply_field(&reply, "Access-Control-Allow-Origin"));
    assert_string_equal(reply_field(&reply, "Cross-Origin-Resource-Policy"), "same-origin");
    reply_free(&reply);
}

static void options_are_told(void **state)
{
    (void)state;
    struct reply reply;
    ask(f.port,
        "OPTIONS /facts/a HTTP/1.1\r\nHost: localhost\r\nOrigin: https://meet.example.org\r\n"
        "Access-Control-Request-Method: PATCH\r\n\r\n",
        &reply);
    assert_int_equal(reply.status, 204);
    assert_string_equal(reply_field(&reply, "Allow"), "GET, PATCH");
    assert_string_equal(reply_field(&reply, "Access-Control-Allow-Methods"), "GET, PATCH");
    reply_free(&reply);
    ask(f.port,
        "OPTIONS /facts/a HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil.example\r\n\r\n",
        &reply);
    assert_int_equal(reply.status, 403);
    reply_free(&reply);
}

static void draining_answers_and_closes(void **state)
{
    (void)state;
    struct fixture own;
    struct reply reply;
    fixture_plain(&own);
    struct wire wire = wire_open(own.port);
    wire_text(&wire, GET("/") "\r\n");
    wire_reply(&wire, false, &reply);
    assert_null(reply_field(&reply, "Connection"));
    reply_free(&reply);
    atomic_store(&own.hold, true);
    wire_text(&wire, GET("/hold") "\r\n");
    struct wire idle = wire_open(own.port);
    wire_text(&idle, GET("/") "\r\n");
    wire_reply(&idle, false, &reply);
    reply_free(&reply);
    http_drain(own.http);
    http_drain(own.http);
    /* The port is given back when the edge has heard of it. */
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(own.port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int refused = 0;
    WAIT_UNTIL(({
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        refused = connect(fd, (struct sockaddr *)&address, sizeof address);
        close(fd);
        refused != 0;
    }));
    atomic_store(&own.hold, false);
    wire_reply(&wire, false, &reply);
    assert_int_equal(reply.status, 200);
    assert_string_equal(reply_field(&reply, "Connection"), "close");
    reply_free(&reply);
    wire_close(&wire);
    wire_text(&idle, GET("/") "\r\n"); /* connections that were open are still answered, once */
    wire_reply(&idle, false, &reply);
    assert_int_equal(reply.status, 200);
    assert_string_equal(reply_field(&reply, "Connection"), "close");
    reply_free(&reply);
    wire_close(&idle);
    fixture_free(&own);
}

/* Ended while a handler still works: its request goes nowhere, its memory comes home. */
static void the_end_waits_for_handlers(void **state)
{
    (void)state;
    struct fixture own;
    fixture_plain(&own);
    atomic_store(&own.hold, true);
    struct wire wire = wire_open(own.port);
    wire_text(&wire, GET("/hold") "\r\n" GET("/") "\r\n");
    struct wire second = wire_open(own.port);
    wire_text(&second, GET("/hold") "\r\n");
    wire_close(&second);
    WAIT_UNTIL(atomic_load(&own.held) == 2);
    atomic_store(&own.hold, false);
    fixture_free(&own);
    wire_close(&wire);
}

static void a_taken_port_is_named(void **state)
{
    (void)state;
    struct http_config config;
    struct fixture own;
    fixture_config(&own, &config);
    config.port = f.port;
    char error[256];
    struct http *http = NULL;
    assert_int_equal(http_new(&config, &http, error), STATUS_EXISTS);
    char expected[64];
    snprintf(expected, sizeof expected, "http.port: port %u: the port is taken", f.port);
    assert_string_equal(error, expected);
    fixture_free(&own);
}

static void a_missing_folder_is_named(void **state)
{
    (void)state;
    struct http_config config;
    struct fixture own;
    fixture_config(&own, &config);
    config.web = "/nowhere";
    char error[256];
    struct http *http = NULL;
    assert_int_equal(http_new(&config, &http, error), STATUS_NOT_FOUND);
    assert_non_null(strstr(error, "/nowhere"));
    fixture_free(&own);
}

static int start(void **state)
{
    (void)state;
    static const char *const origins[] = {"https://meet.example.org"};
    struct http_config config;
    fixture_config(&f, &config);
    config.origins = origins;
    config.origin_count = 1;
    fixture_new(&f, &config);
    fixture_start(&f);
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
    static int tls = 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(routes_see_their_request),
        cmocka_unit_test(a_handlers_problem_has_the_request_id),
        cmocka_unit_test(every_answer_has_the_security_headers),
        cmocka_unit_test(pages_are_the_index),
        cmocka_unit_test(encodings_are_chosen),
        cmocka_unit_test(etags_save_the_body),
        cmocka_unit_test(ranges_are_cut),
        cmocka_unit_test(head_has_no_body),
        cmocka_unit_test(pipelined_requests_are_answered_in_order),
        cmocka_unit_test(large_bodies_pass),
        {"large_bodies_pass by TLS", large_bodies_pass, NULL, NULL, &tls},
        cmocka_unit_test(expect_continue_is_answered),
        cmocka_unit_test(origins_of_our_own_may_write),
        cmocka_unit_test(foreign_pages_may_read_nothing_they_can_see),
        cmocka_unit_test(options_are_told),
        cmocka_unit_test(draining_answers_and_closes),
        cmocka_unit_test(the_end_waits_for_handlers),
        cmocka_unit_test(a_taken_port_is_named),
        cmocka_unit_test(a_missing_folder_is_named),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
