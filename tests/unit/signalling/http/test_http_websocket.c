/*
 * tests/unit/signalling/http/test_http_websocket.c - RFC 6455 by raw frames: echo,
 * fragments, limits, what a client must not do, many sockets, slow readers.
 */
#include "fixture.h"

#include <sys/resource.h>

#define UPGRADE                                                                                    \
    "GET /gateway HTTP/1.1\r\nHost: localhost\r\nConnection: keep-alive, Upgrade\r\n"              \
    "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"                                          \
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"                                              \
    "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n"

enum { FIN = 0x80, CONTINUATION = 0, TEXT = 1, BINARY = 2, CLOSE = 8, PING = 9, PONG = 10 };

static struct fixture f;

/* The accept value is RFC 6455 1.3's for this key. */
static void upgrade(struct wire *wire)
{
    struct reply reply;
    wire_text(wire, UPGRADE);
    wire_reply(wire, false, &reply);
    assert_int_equal(reply.status, 101);
    assert_string_equal(reply_field(&reply, "Sec-WebSocket-Accept"),
                        "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    assert_null(reply_field(&reply, "Sec-WebSocket-Extensions"));
    reply_free(&reply);
}

static struct wire ws_open(bool tls)
{
    struct wire wire = tls ? wire_open_tls(f.tls_port) : wire_open(f.port);
    upgrade(&wire);
    return wire;
}

/* A frame as a client sends it; returns its length. */
static size_t frame_make(uint8_t *frame, uint8_t first, const void *bytes, size_t length)
{
    static const uint8_t mask[4] = {0x37, 0xfa, 0x21, 0x3d};
    size_t at = 2;
    frame[0] = first;
    if (length < 126) {
        frame[1] = (uint8_t)(0x80 | length);
    } else if (length <= UINT16_MAX) {
        frame[1] = 0x80 | 126;
        store_be16(frame + 2, (uint16_t)length);
        at = 4;
    } else {
        frame[1] = 0x80 | 127;
        store_be64(frame + 2, length);
        at = 10;
    }
    memcpy(frame + at, mask, 4);
    at += 4;
    for (size_t i = 0; i < length; i++)
        frame[at + i] = ((const uint8_t *)bytes)[i] ^ mask[i & 3];
    return at + length;
}

static void ws_send(struct wire *wire, uint8_t first, const void *bytes, size_t length)
{
    uint8_t *frame = malloc(length + 14);
    assert_non_null(frame);
    size_t size = frame_make(frame, first, bytes, length);
    wire_send(wire, frame, size);
    free(frame);
}

/* Reads one frame of the server; returns its first byte. */
static uint8_t ws_read(struct wire *wire, char *bytes, size_t size, size_t *ret_length)
{
    uint8_t head[10];
    wire_exactly(wire, head, 2);
    assert_int_equal(head[1] & 0x80, 0);
    size_t length = head[1];
    if (length == 126) {
        wire_exactly(wire, head + 2, 2);
        length = load_be16(head + 2);
    } else if (length == 127) {
        wire_exactly(wire, head + 2, 8);
        length = (size_t)load_be64(head + 2);
    }
    assert_true(length < size);
    wire_exactly(wire, bytes, length);
    bytes[length] = '\0';
    *ret_length = length;
    return head[0];
}

/* Reads a message that may come in fragments. */
static void ws_expect(struct wire *wire, const char *text, size_t length)
{
    char *whole = malloc(length + 1), *piece = malloc(length + 16384);
    size_t have = 0;
    assert_non_null(whole);
    assert_non_null(piece);
    for (bool final = false; !final;) {
        size_t got = 0;
        uint8_t first = ws_read(wire, piece, length + 16384, &got);
        assert_int_equal(first & 0x7f, have == 0 ? TEXT : CONTINUATION);
        final = (first & FIN) != 0;
        assert_true(have + got <= length);
        memcpy(whole + have, piece, got);
        have += got;
    }
    assert_int_equal(have, length);
    assert_memory_equal(whole, text, length);
    free(whole);
    free(piece);
}

static void ws_expect_close(struct wire *wire, uint16_t code)
{
    char bytes[256];
    size_t length = 0;
    assert_int_equal(ws_read(wire, bytes, sizeof bytes, &length), FIN | CLOSE);
    assert_true(length >= 2);
    assert_int_equal(load_be16((uint8_t *)bytes), code);
    assert_true(wire_ended(wire));
}

static void messages_come_back(void **state)
{
    bool tls = *state != NULL;
    static const size_t sizes[] = {1, 125, 126, 4096, 65535, 65536, HTTP_WS_FRAME_MAX};
    struct wire wire = ws_open(tls);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char *text = malloc(sizes[i]);
        assert_non_null(text);
        memset(text, 'a' + (int)i, sizes[i]);
        ws_send(&wire, FIN | TEXT, text, sizes[i]);
        ws_expect(&wire, text, sizes[i]);
        free(text);
    }
    wire_close(&wire);
}

static void an_empty_message_comes_back(void **state)
{
    (void)state;
    struct wire wire = ws_open(false);
    ws_send(&wire, FIN | TEXT, "", 0);
    ws_expect(&wire, "", 0);
    wire_close(&wire);
}

static void frames_with_the_upgrade_are_read(void **state)
{
    (void)state;
    char bytes[1024] = UPGRADE;
    size_t length = strlen(bytes);
    length += frame_make((uint8_t *)bytes + length, FIN | TEXT, "early", 5);
    struct wire wire = wire_open(f.port);
    struct reply reply;
    wire_send(&wire, bytes, length);
    wire_reply(&wire, false, &reply);
    assert_int_equal(reply.status, 101);
    reply_free(&reply);
    ws_expect(&wire, "early", 5);
    wire_close(&wire);
}

static void bytes_one_by_one_are_a_message(void **state)
{
    (void)state;
    uint8_t frame[64];
    size_t length = frame_make(frame, FIN | TEXT, "slowly \xe2\x82\xac", 10);
    struct wire wire = ws_open(false);
    for (size_t i = 0; i < length; i++)
        wire_send(&wire, frame + i, 1);
    ws_expect(&wire, "slowly \xe2\x82\xac", 10);
    wire_close(&wire);
}

static void fragments_are_put_together(void **state)
{
    (void)state;
    struct wire wire = ws_open(false);
    char bytes[64];
    size_t length = 0;
    ws_send(&wire, TEXT, "one ", 4);
    ws_send(&wire, FIN | PING, "now", 3);
    ws_send(&wire, CONTINUATION, "\xe2", 1); /* a character cut in two */
    ws_send(&wire, CONTINUATION, "", 0);
    ws_send(&wire, FIN | CONTINUATION, "\x82\xac", 2);
    assert_int_equal(ws_read(&wire, bytes, sizeof bytes, &length), FIN | PONG);
    assert_string_equal(bytes, "now");
    ws_expect(&wire, "one \xe2\x82\xac", 7);
    wire_close(&wire);
}

static void oversized_is_said_and_the_socket_lives(void **state)
{
    (void)state;
    size_t length = HTTP_WS_FRAME_MAX + 1;
    char *text = malloc(length);
    assert_non_null(text);
    memset(text, 'x', length);
    struct wire wire = ws_open(false);
    ws_send(&wire, FIN | TEXT, text, length);
    ws_expect(&wire, "too large", 9);
    ws_send(&wire, TEXT, text, length / 2);
    ws_send(&wire, CONTINUATION, text, length / 2);
    ws_send(&wire, FIN | CONTINUATION, text, length / 2);
    ws_expect(&wire, "too large", 9);
    ws_send(&wire, FIN | TEXT, "still here", 10);
    ws_expect(&wire, "still here", 10);
    wire_close(&wire);
    free(text);
}

struct breach {
    const char *name;
    const char *bytes;
    size_t length;
    uint16_t code; /* 0: the socket just ends */
};

static void breaches_end_the_socket(void **state)
{
    (void)state;
    static const struct breach breaches[] = {
        {"unmasked", "\x81\x02hi", 4, 1002},
        {"unmasked empty", "\x81\x00", 2, 1002},
        {"unmasked after a good one", "\x81\x80\x00\x00\x00\x00\x81\x02hi", 10, 1002},
        {"a length in too many bytes", "\x81\xfe\x00\x05\x00\x00\x00\x00hello", 13, 1002},
        {"a length in far too many bytes",
         "\x81\xff\x00\x00\x00\x00\x00\x00\x00\x05\x00\x00\x00\x00hello", 19, 1002},
        {"a length of 64 bits", "\x81\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00", 14,
         1002},
        {"invalid UTF-8", "\x81\x82\x00\x00\x00\x00\xc3\x28", 8, 1007},
        {"UTF-8 cut at the end", "\x81\x81\x00\x00\x00\x00\xc3", 7, 1007},
        {"binary", "\x82\x81\x00\x00\x00\x00x", 7, 1003},
        {"reserved bit", "\xc1\x81\x00\x00\x00\x00x", 7, 1002},
        {"reserved opcode", "\x83\x80\x00\x00\x00\x00", 6, 1002},
        {"a fragmented ping", "\x09\x80\x00\x00\x00\x00", 6, 1002},
        {"a long ping", "\x89\xfe\x00\x7e\x00\x00\x00\x00", 8, 1002},
        {"a continuation of nothing", "\x80\x81\x00\x00\x00\x00x", 7, 1002},
    };
    for (size_t i = 0; i < sizeof breaches / sizeof *breaches; i++) {
        struct wire wire = ws_open(false);
        wire_send(&wire, breaches[i].bytes, breaches[i].length);
        uint8_t head[2], first = 0;
        char code[128];
        do { /* an echo of a good frame may come first */
            ssize_t got = wire_read(&wire, head, 2);
            if (got != 2)
                fail_msg("%s: no close frame", breaches[i].name);
            first = head[0];
            wire_exactly(&wire, code, head[1]);
        } while (first != (FIN | CLOSE));
        if (head[1] < 2 || load_be16((uint8_t *)code) != breaches[i].code)
            fail_msg("%s: closed with %u", breaches[i].name, load_be16((uint8_t *)code));
        assert_true(wire_ended(&wire));
        wire_close(&wire);
    }
    WAIT_UNTIL(atomic_load(&f.closed) == atomic_load(&f.opened));
}

static void close_is_answered(void **state)
{
    bool tls = *state != NULL;
    struct wire wire = ws_open(tls);
    ws_send(&wire, FIN | CLOSE, "\x03\xe8", 2);
    ws_expect_close(&wire, 1000);
    wire_close(&wire);
    WAIT_UNTIL(atomic_load(&f.closed) == atomic_load(&f.opened));
}

static void the_server_closes_with_a_code(void **state)
{
    (void)state;
    struct wire wire = ws_open(false);
    ws_send(&wire, FIN | TEXT, "leave", 5);
    ws_expect_close(&wire, 4000);
    wire_close(&wire);
    WAIT_UNTIL(atomic_load(&f.closed) == atomic_load(&f.opened));
}

static void a_vanished_client_is_closed(void **state)
{
    (void)state;
    struct wire wire = ws_open(false);
    struct linger now = {.l_onoff = 1};
    setsockopt(wire.fd, SOL_SOCKET, SO_LINGER, &now, sizeof now); /* RST */
    wire_close(&wire);
    WAIT_UNTIL(atomic_load(&f.closed) == atomic_load(&f.opened));
}

static void order_is_kept_across_threads(void **state)
{
    (void)state;
    struct wire wire = ws_open(false);
    WAIT_UNTIL(atomic_load(&f.opened) > atomic_load(&f.closed));
    struct http_ws *ws = http_ws_ref(atomic_load(&f.last));
    char text[16];
    for (int i = 0; i < 2000; i++) {
        snprintf(text, sizeof text, "%d", i);
        assert_int_equal(http_ws_send(ws, text, strlen(text)), STATUS_OK);
    }
    for (int i = 0; i < 2000; i++) {
        snprintf(text, sizeof text, "%d", i);
        ws_expect(&wire, text, strlen(text));
    }
    wire_close(&wire);
    WAIT_UNTIL(atomic_load(&f.closed) == atomic_load(&f.opened));
    assert_int_equal(http_ws_send(ws, "late", 4), STATUS_CLOSED);
    http_ws_unref(ws);
}

static void a_slow_reader_is_cut_off(void **state)
{
    (void)state;
    struct wire wire = ws_open(false);
    WAIT_UNTIL(atomic_load(&f.opened) > atomic_load(&f.closed));
    struct http_ws *ws = http_ws_ref(atomic_load(&f.last));
    size_t length = 256 << 10, sent = 0;
    char *text = malloc(length);
    assert_non_null(text);
    memset(text, 'x', length);
    enum status status;
    while ((status = http_ws_send(ws, text, length)) == STATUS_OK)
        assert_true((sent += length) < 64u << 20);
    assert_int_equal(status, STATUS_LIMIT);
    assert_true(sent >= HTTP_WS_QUEUE_MAX / 2);
    WAIT_UNTIL(atomic_load(&f.closed) == atomic_load(&f.opened));
    assert_int_equal(http_ws_send(ws, text, 1), STATUS_CLOSED);
    http_ws_unref(ws);
    free(text);
    wire_close(&wire);
}

static void a_thousand_sockets_echo(void **state)
{
    (void)state;
    enum { SOCKETS = 1000 };
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_true(limit.rlim_cur > SOCKETS * 4);
    struct wire *wires = calloc(SOCKETS, sizeof *wires);
    assert_non_null(wires);
    for (int i = 0; i < SOCKETS; i++)
        wires[i] = ws_open(false);
    WAIT_UNTIL(atomic_load(&f.opened) - atomic_load(&f.closed) == SOCKETS);
    char text[16];
    for (int i = 0; i < SOCKETS; i++) {
        snprintf(text, sizeof text, "%d", i);
        ws_send(&wires[i], FIN | TEXT, text, strlen(text));
    }
    for (int i = 0; i < SOCKETS; i++) {
        snprintf(text, sizeof text, "%d", i);
        ws_expect(&wires[i], text, strlen(text));
        wire_close(&wires[i]);
    }
    free(wires);
    WAIT_UNTIL(atomic_load(&f.closed) == atomic_load(&f.opened));
}

static void the_end_says_going_away(void **state)
{
    (void)state;
    struct fixture own;
    fixture_plain(&own);
    struct wire wire = wire_open(own.port);
    upgrade(&wire);
    ws_send(&wire, FIN | TEXT, "hi", 2);
    ws_expect(&wire, "hi", 2);
    own.http = http_free(own.http);
    ws_expect_close(&wire, 1001);
    wire_close(&wire);
    fixture_free(&own);
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
    static int tls = 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_come_back),
        {"messages_come_back by TLS", messages_come_back, NULL, NULL, &tls},
        cmocka_unit_test(an_empty_message_comes_back),
        cmocka_unit_test(frames_with_the_upgrade_are_read),
        cmocka_unit_test(bytes_one_by_one_are_a_message),
        cmocka_unit_test(fragments_are_put_together),
        cmocka_unit_test(oversized_is_said_and_the_socket_lives),
        cmocka_unit_test(breaches_end_the_socket),
        cmocka_unit_test(close_is_answered),
        {"close_is_answered by TLS", close_is_answered, NULL, NULL, &tls},
        cmocka_unit_test(the_server_closes_with_a_code),
        cmocka_unit_test(a_vanished_client_is_closed),
        cmocka_unit_test(order_is_kept_across_threads),
        cmocka_unit_test(a_slow_reader_is_cut_off),
        cmocka_unit_test(a_thousand_sockets_echo),
        cmocka_unit_test(the_end_says_going_away),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
