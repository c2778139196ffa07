/*
 * Bodies in pieces: whole and in order either way, slowed down, refused, and let go of whatever
 * becomes of the client.
 */
#include "tests/unit/signalling/http/fixture.h"

enum { BODY = 1900001 /* bytes: some pieces, the last not full */ };

/* What a sink or source is asked; `freed` counts for all of a test. */
struct pieces {
    atomic_size_t bytes, largest;
    atomic_int freed, ended, wrong;
    atomic_bool hold; /* take and read wait for this to be false */
    size_t refuse_at; /* SIZE_MAX: never */
    size_t fail_at;
    size_t length; /* of the source */
};

static struct pieces pieces;

static uint8_t byte_at(size_t at)
{
    return (uint8_t)(at * 31 + at / 65536);
}

static void pieces_begin(void)
{
    memset(&pieces, 0, sizeof pieces);
    pieces.refuse_at = pieces.fail_at = SIZE_MAX;
    pieces.length = BODY;
}

static void wait_while(atomic_bool *held)
{
    struct timespec pause = {.tv_nsec = CLOCK_NS_PER_MS};
    while (atomic_load(held))
        nanosleep(&pause, NULL);
}

static void await(atomic_int *value, int expected)
{
    struct timespec pause = {.tv_nsec = CLOCK_NS_PER_MS};
    uint64_t until = clock_mono_ns() + (uint64_t)PATIENCE_MS * CLOCK_NS_PER_MS;
    while (atomic_load(value) != expected) {
        assert_true(clock_mono_ns() < until);
        nanosleep(&pause, NULL);
    }
}

static void take(void *context, const void *bytes, size_t length, struct http_reply *reply)
{
    struct pieces *own = context;
    size_t at = atomic_load(&own->bytes);
    wait_while(&own->hold);
    for (size_t i = 0; i < length; i++) {
        if (((const uint8_t *)bytes)[i] != byte_at(at + i))
            atomic_fetch_add(&own->wrong, 1);
    }
    if (length > atomic_load(&own->largest))
        atomic_store(&own->largest, length);
    atomic_fetch_add(&own->bytes, length);
    if (at + length >= own->refuse_at)
        http_reply_json(reply, 409, "{\"no\":1}");
}

static void end(void *context, struct http_reply *reply)
{
    struct pieces *own = context;
    atomic_fetch_add(&own->ended, 1);
    http_reply_json(reply, 201, "{\"whole\":1}");
}

static enum status give(void *context, void *ret_bytes, size_t size, size_t *ret_got)
{
    struct pieces *own = context;
    size_t at = atomic_load(&own->bytes);
    size_t length = size < 40000 ? size : 40000; /* less than is asked for */
    wait_while(&own->hold);
    if (at >= own->fail_at)
        return STATUS_CORRUPT;
    for (size_t i = 0; i < length; i++)
        ((uint8_t *)ret_bytes)[i] = byte_at(at + i);
    atomic_fetch_add(&own->bytes, length);
    *ret_got = length;
    return STATUS_OK;
}

static void let_go(void *context)
{
    struct pieces *own = context;
    atomic_fetch_add(&own->freed, 1);
}

static void answer_sink(void *context, const struct http_request *request, struct http_reply *reply)
{
    (void)context;
    assert_int_equal(request->body_length, 0);
    if (request->content_length == 13)
        http_problem(request, reply, 403, "unlucky", "no");
    else
        reply->sink = (struct http_sink){&pieces, take, end, let_go};
}

static void answer_source(void *context, const struct http_request *request,
                          struct http_reply *reply)
{
    (void)context;
    (void)request;
    reply->source = (struct http_source){&pieces, pieces.length, give, let_go};
}

static void begin(struct fixture *f)
{
    struct http_config config;
    const struct http_route routes[] = {{"POST", "/sink", answer_sink, NULL, HTTP_STREAMED},
                                        {"GET", "/source", answer_source, NULL, 0}};
    pieces_begin();
    fixture_config(f, &config);
    fixture_new(f, &config);
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++)
        assert_int_equal(http_route_add(f->http, &routes[i]), STATUS_OK);
}

static void head_send(struct wire *wire, size_t length)
{
    char head[128];
    snprintf(head, sizeof head,
             "POST /sink HTTP/1.1\r\nHost: localhost\r\nContent-Length: %zu\r\n\r\n", length);
    wire_text(wire, head);
}

static void body_send(struct wire *wire, size_t length)
{
    uint8_t *body = malloc(length);
    assert_non_null(body);
    for (size_t i = 0; i < length; i++)
        body[i] = byte_at(i);
    wire_send(wire, body, length);
    free(body);
}

static void sink_whole(struct wire *wire, size_t length)
{
    struct reply reply;
    atomic_store(&pieces.bytes, 0);
    head_send(wire, length);
    body_send(wire, length);
    wire_reply(wire, false, &reply);
    assert_int_equal(reply.status, 201);
    assert_int_equal(atomic_load(&pieces.bytes), length);
    assert_int_equal(atomic_load(&pieces.wrong), 0);
    assert_in_range(atomic_load(&pieces.largest), length > 0, HTTP_PIECE);
    reply_free(&reply);
}

static void test_a_body_goes_to_its_sink(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    fixture_start(&f);
    struct wire wire = wire_open(f.port), tls = wire_open_tls(f.tls_port);
    sink_whole(&wire, BODY); /* and the connection goes on */
    sink_whole(&wire, 0);
    sink_whole(&wire, 1);
    sink_whole(&wire, HTTP_PIECE);
    sink_whole(&tls, BODY);
    assert_int_equal(atomic_load(&pieces.ended), 5);
    assert_int_equal(atomic_load(&pieces.freed), 5);
    wire_close(&wire);
    wire_close(&tls);
    fixture_free(&f);
}

static void test_refused_before_and_in_the_middle(void **state)
{
    (void)state;
    struct fixture f;
    struct reply reply;
    begin(&f);
    fixture_start(&f);
    struct wire wire = wire_open(f.port);
    head_send(&wire, 13);
    wire_reply(&wire, false, &reply);
    assert_int_equal(reply.status, 403);
    assert_string_equal(reply_field(&reply, "Connection"), "close");
    reply_free(&reply);
    wire_close(&wire);
    pieces.refuse_at = 100000;
    wire = wire_open(f.port);
    head_send(&wire, BODY);
    body_send(&wire, 150000);
    wire_reply(&wire, false, &reply);
    assert_int_equal(reply.status, 409);
    reply_free(&reply);
    assert_int_equal(atomic_load(&pieces.freed), 1);
    assert_int_equal(atomic_load(&pieces.ended), 0);
    wire_close(&wire);
    fixture_free(&f);
}

static void test_a_sender_that_goes_or_waits(void **state)
{
    (void)state;
    struct fixture f;
    struct reply reply;
    begin(&f);
    f.http->limits.transfer_ms = 100;
    f.http->limits.transfer_bytes = 1 << 20;
    fixture_start(&f);
    struct wire wire = wire_open(f.port);
    head_send(&wire, BODY);
    body_send(&wire, 100000);
    wire_close(&wire);
    await(&pieces.freed, 1);
    wire = wire_open(f.port);
    atomic_store(&pieces.bytes, 0);
    head_send(&wire, BODY);
    body_send(&wire, 100000);
    wire_reply(&wire, false, &reply);
    assert_int_equal(reply.status, 408);
    reply_free(&reply);
    await(&pieces.freed, 2);
    assert_int_equal(atomic_load(&pieces.ended), 0);
    wire_close(&wire);
    fixture_free(&f);
}

/* The sink waits, and so does the client: no time runs out, and little is taken from it. */
static void test_a_slow_sink_slows_its_client(void **state)
{
    (void)state;
    struct fixture f;
    struct reply reply;
    begin(&f);
    f.http->limits.transfer_ms = 50;
    atomic_store(&pieces.hold, true);
    fixture_start(&f);
    struct wire wire = wire_open(f.port);
    int small = 65536;
    setsockopt(wire.fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
    head_send(&wire, 64 << 20);
    uint8_t *body = calloc(1, 64 << 20);
    assert_non_null(body);
    for (size_t i = 0; i < 64 << 20; i++)
        body[i] = byte_at(i);
    /* Sends as much as is taken, until nothing is for 200 ms. */
    size_t sent = 0;
    struct pollfd ready = {.fd = wire.fd, .events = POLLOUT};
    while (poll(&ready, 1, 200) == 1) {
        ssize_t put = send(wire.fd, body + sent, (64 << 20) - sent, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (put > 0)
            sent += (size_t)put;
    }
    assert_true(sent < 32 << 20);
    atomic_store(&pieces.hold, false);
    wire_send(&wire, body + sent, (64 << 20) - sent);
    wire_reply(&wire, false, &reply);
    assert_int_equal(reply.status, 201);
    assert_int_equal(atomic_load(&pieces.wrong), 0);
    reply_free(&reply);
    free(body);
    wire_close(&wire);
    fixture_free(&f);
}

static void source_whole(struct wire *wire)
{
    struct reply reply;
    atomic_store(&pieces.bytes, 0);
    wire_text(wire, "GET /source HTTP/1.1\r\nHost: localhost\r\n\r\n");
    wire_reply(wire, false, &reply);
    assert_int_equal(reply.status, 200);
    assert_string_equal(reply_field(&reply, "Content-Length"), "1900001");
    assert_int_equal(reply.body_length, BODY);
    for (size_t i = 0; i < BODY; i++)
        assert_int_equal((uint8_t)reply.body[i], byte_at(i));
    reply_free(&reply);
}

static void test_a_source_is_sent(void **state)
{
    (void)state;
    struct fixture f;
    struct reply reply;
    begin(&f);
    fixture_start(&f);
    struct wire wire = wire_open(f.port), tls = wire_open_tls(f.tls_port);
    source_whole(&wire);
    wire_text(&wire, "HEAD /source HTTP/1.1\r\nHost: localhost\r\n\r\n");
    wire_reply(&wire, true, &reply);
    assert_string_equal(reply_field(&reply, "Content-Length"), "1900001");
    reply_free(&reply);
    source_whole(&wire);
    source_whole(&tls);
    await(&pieces.freed, 4);
    wire_close(&wire);
    wire_close(&tls);
    fixture_free(&f);
}

static void test_a_reader_that_goes_or_waits(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    f.http->limits.transfer_ms = 100;
    f.http->limits.transfer_bytes = 1 << 20;
    fixture_start(&f);
    struct wire wire = wire_open(f.port);
    pieces.length = 64 << 20; /* more than the kernel holds for a reader */
    int small = 4096;
    setsockopt(wire.fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    wire_text(&wire, "GET /source HTTP/1.1\r\nHost: localhost\r\n\r\n");
    await(&pieces.freed, 1); /* it took nothing */
    assert_true(atomic_load(&pieces.bytes) < pieces.length);
    wire_close(&wire);
    atomic_store(&pieces.bytes, 0);
    atomic_store(&pieces.hold, true);
    wire = wire_open(f.port);
    wire_text(&wire, "GET /source HTTP/1.1\r\nHost: localhost\r\n\r\n");
    wire_close(&wire);
    atomic_store(&pieces.hold, false);
    await(&pieces.freed, 2);
    fixture_free(&f);
}

static void test_a_source_that_fails_ends_the_connection(void **state)
{
    (void)state;
    struct fixture f;
    char bytes[65536];
    size_t all = 0;
    ssize_t got;
    begin(&f);
    pieces.fail_at = 1000000;
    fixture_start(&f);
    struct wire wire = wire_open(f.port);
    wire_text(&wire, "GET /source HTTP/1.1\r\nHost: localhost\r\n\r\n");
    while ((got = wire_read(&wire, bytes, sizeof bytes)) > 0)
        all += (size_t)got;
    assert_true(all < BODY);
    await(&pieces.freed, 1);
    wire_close(&wire);
    fixture_free(&f);
}

static void test_there_are_so_many_and_no_more(void **state)
{
    (void)state;
    struct fixture f;
    struct reply reply;
    begin(&f);
    f.http->limits.transfers_max = 1;
    fixture_start(&f);
    struct wire first = wire_open(f.port), second = wire_open(f.port);
    head_send(&first, BODY);
    body_send(&first, 100000);
    struct timespec pause = {.tv_nsec = CLOCK_NS_PER_MS};
    while (atomic_load(&pieces.bytes) == 0)
        nanosleep(&pause, NULL);
    wire_text(&second, "GET /source HTTP/1.1\r\nHost: localhost\r\n\r\n");
    wire_reply(&second, false, &reply);
    assert_int_equal(reply.status, 503);
    reply_free(&reply);
    await(&pieces.freed, 1);
    wire_close(&second);
    /* The server ends in the middle of the other. */
    fixture_free(&f);
    assert_int_equal(atomic_load(&pieces.freed), 2);
    wire_close(&first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_body_goes_to_its_sink),
        cmocka_unit_test(test_refused_before_and_in_the_middle),
        cmocka_unit_test(test_a_sender_that_goes_or_waits),
        cmocka_unit_test(test_a_slow_sink_slows_its_client),
        cmocka_unit_test(test_a_source_is_sent),
        cmocka_unit_test(test_a_reader_that_goes_or_waits),
        cmocka_unit_test(test_a_source_that_fails_ends_the_connection),
        cmocka_unit_test(test_there_are_so_many_and_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
