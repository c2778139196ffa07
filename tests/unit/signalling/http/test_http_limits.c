/*
 * tests/unit/signalling/http/test_http_limits.c - slow senders, slow readers, too many
 * connections, requests and handlers. Limits are made short; each test waits for what the
 * edge does, not for a time.
 */
#include "fixture.h"

#include "signalling/http/visitors.h"
#include "tests/support/alloc_fail.h"

#define GET(path) "GET " path " HTTP/1.1\r\nHost: localhost\r\n\r\n"

static void start_with(struct fixture *f, struct http_config *config,
                       const struct edge_limits *limits)
{
    fixture_new(f, config);
    if (limits != NULL)
        f->http->limits = *limits;
    fixture_start(f);
}

/* A fixture whose limits may be changed before it runs. */
static void prepare(struct fixture *f, struct edge_limits *ret_limits)
{
    struct http_config config;
    fixture_config(f, &config);
    fixture_new(f, &config);
    *ret_limits = f->http->limits;
}

static void run(struct fixture *f, const struct edge_limits *limits)
{
    f->http->limits = *limits;
    fixture_start(f);
}

static void a_slow_head_is_refused(void **state)
{
    (void)state;
    struct fixture f;
    struct edge_limits limits;
    struct reply reply;
    prepare(&f, &limits);
    limits.head_ms = 500; /* far above what a busy machine sleeps between two bytes */
    run(&f, &limits);
    struct wire wire = wire_open(f.port);
    wire_text(&wire, "GET / HTT");
    wire_reply(&wire, false, &reply);
    assert_int_equal(reply.status, 408);
    assert_non_null(strstr(reply.body, "too_slow"));
    reply_free(&reply);
    assert_true(wire_ended(&wire));
    wire_close(&wire);
    /* One byte after the other does not buy time: the whole head has one deadline. */
    wire = wire_open(f.port);
    uint64_t until = clock_mono_ns() + (uint64_t)PATIENCE_MS * CLOCK_NS_PER_MS;
    struct pollfd readable = {.fd = wire.fd, .events = POLLIN};
    while (poll(&readable, 1, 5) == 0) {
        wire_text(&wire, "G");
        assert_true(clock_mono_ns() < until);
    }
    wire_reply(&wire, false, &reply);
    assert_int_equal(reply.status, 408);
    reply_free(&reply);
    wire_close(&wire);
    fixture_free(&f);
}

static void a_slow_body_is_refused(void **state)
{
    (void)state;
    struct fixture f;
    struct edge_limits limits;
    struct reply reply;
    prepare(&f, &limits);
    limits.transfer_ms = 50;
    limits.transfer_bytes = 1 << 20;
    run(&f, &limits);
    struct wire wire = wire_open(f.port);
    wire_text(&wire, "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nhalf");
    wire_reply(&wire, false, &reply);
    assert_int_equal(reply.status, 408);
    reply_free(&reply);
    assert_true(wire_ended(&wire));
    wire_close(&wire);
    fixture_free(&f);
}

static void silence_ends_without_a_word(void **state)
{
    (void)state;
    struct fixture f;
    struct edge_limits limits;
    struct reply reply;
    prepare(&f, &limits);
    limits.first_ms = limits.idle_ms = 50;
    run(&f, &limits);
    struct wire wire = wire_open(f.port); /* says nothing */
    assert_true(wire_ended(&wire));
    wire_close(&wire);
    wire = wire_open(f.tls_port);
    wire_send(&wire, "\x16\x03", 2); /* too little to tell what it is */
    assert_true(wire_ended(&wire));
    wire_close(&wire);
    wire = wire_open(f.tls_port);
    wire_send(&wire, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11); /* half a ClientHello */
    assert_true(wire_ended(&wire));
    wire_close(&wire);
    wire = wire_open(f.port); /* one request, then nothing */
    wire_text(&wire, GET("/"));
    wire_reply(&wire, false, &reply);
    assert_int_equal(reply.status, 200);
    reply_free(&reply);
    assert_true(wire_ended(&wire));
    wire_close(&wire);
    fixture_free(&f);
}

static struct wire small_window(uint16_t port)
{
    struct wire wire = {.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    int small = 4096;
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    setsockopt(wire.fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    assert_int_equal(connect(wire.fd, (struct sockaddr *)&address, sizeof address), 0);
    return wire;
}

/* The client asks for much and reads nothing: the connection ends before it is all sent. */
static void a_slow_reader_is_left(void **state)
{
    (void)state;
    struct fixture f;
    struct edge_limits limits;
    prepare(&f, &limits);
    limits.transfer_ms = 50;
    limits.transfer_bytes = 1u << 30;
    run(&f, &limits);
    struct wire wire = small_window(f.port);
    wire_text(&wire, GET("/large") GET("/large") GET("/large"));
    struct pollfd ended = {.fd = wire.fd, .events = POLLRDHUP};
    assert_int_equal(poll(&ended, 1, PATIENCE_MS), 1);
    wire_close(&wire);
    fixture_free(&f);
}

static void a_websocket_that_reads_nothing_is_left(void **state)
{
    (void)state;
    struct fixture f;
    struct edge_limits limits;
    prepare(&f, &limits);
    limits.stall_ms = 50;
    run(&f, &limits);
    struct wire wire = small_window(f.port);
    wire_text(&wire, "GET /gateway HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n"
                     "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                     "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
    WAIT_UNTIL(atomic_load(&f.opened) == 1);
    struct http_ws *ws = http_ws_ref(atomic_load(&f.last));
    static char text[1 << 20];
    memset(text, 'x', sizeof text);
    for (int i = 0; i < 3; i++) /* below HTTP_WS_QUEUE_MAX */
        assert_int_equal(http_ws_send(ws, text, sizeof text), STATUS_OK);
    WAIT_UNTIL(atomic_load(&f.closed) == 1);
    http_ws_unref(ws);
    wire_close(&wire);
    fixture_free(&f);
}

static void connections_per_address_are_limited(void **state)
{
    (void)state;
    struct fixture f;
    struct http_config config;
    struct wire wires[3];
    struct reply reply;
    fixture_config(&f, &config);
    config.connections_per_address = 3;
    start_with(&f, &config, NULL);
    for (int i = 0; i < 3; i++) {
        wires[i] = wire_open(f.port);
        wire_text(&wires[i], GET("/"));
        wire_reply(&wires[i], false, &reply);
        reply_free(&reply);
    }
    struct wire fourth = wire_open(f.port);
    assert_true(wire_ended(&fourth));
    wire_close(&fourth);
    fourth = wire_open(f.tls_port); /* all ports count together */
    assert_true(wire_ended(&fourth));
    wire_close(&fourth);
    wire_close(&wires[0]);
    /* One goes, one may come, once the edge has seen it go. */
    bool answered = false;
    WAIT_UNTIL(({
        char first;
        fourth = wire_open(f.port);
        wire_text(&fourth, GET("/"));
        answered = wire_read(&fourth, &first, 1) == 1;
        wire_close(&fourth);
        answered;
    }));
    wire_close(&wires[1]);
    wire_close(&wires[2]);
    fixture_free(&f);
}

static void requests_per_minute_are_limited(void **state)
{
    (void)state;
    struct fixture f;
    struct http_config config;
    struct reply reply;
    fixture_config(&f, &config);
    config.requests_per_minute = 5;
    start_with(&f, &config, NULL);
    for (int i = 0; i < 5; i++) {
        ask(f.port, GET("/"), &reply);
        assert_int_equal(reply.status, 200);
        reply_free(&reply);
    }
    ask(f.port, GET("/"), &reply);
    assert_int_equal(reply.status, 429);
    long wait_s = strtol(reply_field(&reply, "Retry-After"), NULL, 10);
    assert_in_range(wait_s, 1, 13);
    assert_string_equal(reply_field(&reply, "Connection"), "close");
    reply_free(&reply);
    fixture_free(&f);
}

static void a_full_pool_says_so(void **state)
{
    (void)state;
    struct fixture f;
    struct edge_limits limits;
    struct reply reply;
    prepare(&f, &limits);
    limits.exchanges_max = 2;
    run(&f, &limits);
    atomic_store(&f.hold, true);
    struct wire held[2];
    for (int i = 0; i < 2; i++) {
        held[i] = wire_open(f.port);
        wire_text(&held[i], GET("/hold"));
    }
    WAIT_UNTIL(atomic_load(&f.held) == 2);
    struct wire wire = wire_open(f.port);
    wire_text(&wire, GET("/facts/a") GET("/"));
    wire_reply(&wire, false, &reply);
    assert_int_equal(reply.status, 503);
    assert_non_null(reply_field(&reply, "Retry-After"));
    reply_free(&reply);
    wire_reply(&wire, false, &reply); /* files need no pool */
    assert_int_equal(reply.status, 200);
    reply_free(&reply);
    atomic_store(&f.hold, false);
    for (int i = 0; i < 2; i++) {
        wire_reply(&held[i], false, &reply);
        assert_int_equal(reply.status, 200);
        reply_free(&reply);
        wire_close(&held[i]);
    }
    wire_close(&wire);
    fixture_free(&f);
}

/* ---- the table of addresses, with a clock of our own ---- */

static struct sockaddr_in v4(const char *text)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    assert_int_equal(inet_pton(AF_INET, text, &address.sin_addr), 1);
    return address;
}

static struct sockaddr_in6 v6(const char *text)
{
    struct sockaddr_in6 address = {.sin6_family = AF_INET6};
    assert_int_equal(inet_pton(AF_INET6, text, &address.sin6_addr), 1);
    return address;
}

static void addresses_count_by_customer(void **state)
{
    (void)state;
    const struct visitors_config config = {.connections_per_address = 2};
    const struct sockaddr_in6 first = v6("2001:db8:1:2::1"), same = v6("2001:db8:1:2:ffff::9"),
                              other = v6("2001:db8:1:3::1"), mapped = v6("::ffff:192.0.2.7");
    const struct sockaddr_in plain = v4("192.0.2.7");
    struct visitors *visitors = NULL;
    struct visitor *a = NULL, *b = NULL, *c = NULL, *none = NULL;
    assert_int_equal(visitors_new(&config, &visitors), STATUS_OK);
    assert_int_equal(visitors_enter(visitors, (const struct sockaddr *)&first, false, 0, &a),
                     STATUS_OK);
    assert_int_equal(visitors_enter(visitors, (const struct sockaddr *)&same, false, 0, &b),
                     STATUS_OK);
    assert_ptr_equal(a, b);
    assert_int_equal(visitors_enter(visitors, (const struct sockaddr *)&same, false, 0, &none),
                     STATUS_LIMIT);
    assert_int_equal(visitors_enter(visitors, (const struct sockaddr *)&other, false, 0, &c),
                     STATUS_OK);
    assert_int_equal(visitors_enter(visitors, (const struct sockaddr *)&mapped, false, 0, &b),
                     STATUS_OK);
    assert_int_equal(visitors_enter(visitors, (const struct sockaddr *)&plain, false, 0, &c),
                     STATUS_OK);
    assert_ptr_equal(b, c);
    visitors_leave(a);
    assert_int_equal(visitors_enter(visitors, (const struct sockaddr *)&first, false, 0, &a),
                     STATUS_OK);
    visitors_free(visitors);
}

static void tokens_come_back_with_time(void **state)
{
    (void)state;
    const struct visitors_config config = {.requests_per_minute = 60};
    const struct sockaddr_in address = v4("192.0.2.7");
    struct visitors *visitors = NULL;
    struct visitor *visitor = NULL;
    assert_int_equal(visitors_new(&config, &visitors), STATUS_OK);
    assert_int_equal(
        visitors_enter(visitors, (const struct sockaddr *)&address, false, 5000, &visitor),
        STATUS_OK);
    for (int i = 0; i < 60; i++)
        assert_int_equal(visitors_request(visitors, visitor, 5000), 0);
    assert_int_equal(visitors_request(visitors, visitor, 5000), 2);
    assert_int_equal(visitors_request(visitors, visitor, 5999), 1);
    assert_int_equal(visitors_request(visitors, visitor, 6000), 0);
    assert_int_not_equal(visitors_request(visitors, visitor, 6000), 0);
    for (int i = 0; i < 60; i++)
        assert_int_equal(visitors_request(visitors, visitor, 6000 + 600000), 0);
    assert_int_not_equal(visitors_request(visitors, visitor, 6000 + 600000), 0);
    visitors_free(visitors);
}

static void loopback_has_limits_only_when_they_are_set(void **state)
{
    (void)state;
    const struct visitors_config config = {0};
    const struct sockaddr_in address = v4("127.0.0.1");
    struct visitors *visitors = NULL;
    struct visitor *visitor = NULL;
    assert_int_equal(visitors_new(&config, &visitors), STATUS_OK);
    for (int i = 0; i < VISITORS_CONNECTIONS_DEFAULT * 2; i++)
        assert_int_equal(
            visitors_enter(visitors, (const struct sockaddr *)&address, true, 0, &visitor),
            STATUS_OK);
    for (int i = 0; i < VISITORS_REQUESTS_DEFAULT * 2; i++)
        assert_int_equal(visitors_request(visitors, visitor, 0), 0);
    visitors_free(visitors);
}

static void idle_addresses_are_forgotten(void **state)
{
    (void)state;
    const struct visitors_config config = {0};
    struct visitors *visitors = NULL;
    struct visitor *visitor = NULL;
    assert_int_equal(visitors_new(&config, &visitors), STATUS_OK);
    /* Three times as many addresses as are remembered, two minutes apart a third. */
    for (uint32_t i = 0; i < 3 * VISITORS_MAX; i++) {
        struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(i)};
        uint64_t now_ms = (uint64_t)(i / VISITORS_MAX) * 120000;
        assert_int_equal(
            visitors_enter(visitors, (const struct sockaddr *)&address, false, now_ms, &visitor),
            STATUS_OK);
        visitors_leave(visitor);
    }
    visitors_free(visitors);
}

/* ---- the k-th allocation fails ---- */

static enum status begin_and_end(void *context)
{
    char error[256];
    struct http *http = NULL;
    enum status status = http_new(context, &http, error);
    http_free(http);
    return status;
}

static void without_memory_nothing_begins(void **state)
{
    (void)state;
    static const char *const origins[] = {"https://a.example", "https://b.example"};
    struct fixture f;
    struct http_config config;
    fixture_config(&f, &config);
    config.origins = origins;
    config.origin_count = 2;
    assert_true(alloc_fail_each(begin_and_end, &config) > 10);
    fixture_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_slow_head_is_refused),
        cmocka_unit_test(a_slow_body_is_refused),
        cmocka_unit_test(silence_ends_without_a_word),
        cmocka_unit_test(a_slow_reader_is_left),
        cmocka_unit_test(a_websocket_that_reads_nothing_is_left),
        cmocka_unit_test(connections_per_address_are_limited),
        cmocka_unit_test(requests_per_minute_are_limited),
        cmocka_unit_test(a_full_pool_says_so),
        cmocka_unit_test(addresses_count_by_customer),
        cmocka_unit_test(tokens_come_back_with_time),
        cmocka_unit_test(loopback_has_limits_only_when_they_are_set),
        cmocka_unit_test(idle_addresses_are_forgotten),
        cmocka_unit_test(without_memory_nothing_begins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
