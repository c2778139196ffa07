/*
 * RFC 4571 frames out of a stream cut anywhere, and telling ICE-TCP from TLS.
 */
#include "core/bytes.h"
#include "core/rng.h"
#include "media/ice/tcp_frame.h"
#include "tests/support/stun_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { STREAM_MAX = 64 * 1024 };

/* Checks that packets come in order: packet i is filled with the low byte of i. */
struct sink {
    size_t count, stop_after;
    size_t lengths[256];
};

static bool sink_take(void *context, const uint8_t *packet, size_t length)
{
    struct sink *sink = context;
    for (size_t i = 0; i < length; i++)
        assert_int_equal(packet[i], (uint8_t)sink->count);
    sink->lengths[sink->count++] = length;
    return sink->count != sink->stop_after;
}

static size_t append(uint8_t *stream, size_t at, uint8_t fill, size_t length)
{
    tcp_frame_head(length, stream + at);
    memset(stream + at + TCP_FRAME_HEAD, fill, length);
    return at + TCP_FRAME_HEAD + length;
}

static void test_any_cut(void **state)
{
    (void)state;
    static uint8_t stream[STREAM_MAX];
    struct rng rng;
    rng_seed(&rng, 1);
    for (int round = 0; round < 200; round++) {
        size_t lengths[30], length = 0;
        for (size_t i = 0; i < 30; i++) {
            lengths[i] = 1 + rng_below(&rng, i % 7 == 0 ? TCP_FRAME_MAX : 40);
            length = append(stream, length, (uint8_t)i, lengths[i]);
        }
        struct tcp_frame_reader reader = {0};
        struct sink sink = {0};
        for (size_t at = 0; at < length;) {
            size_t piece = 1 + rng_below(&rng, round % 2 == 0 ? 3 : 3000);
            if (piece > length - at)
                piece = length - at;
            assert_int_equal(tcp_frame_read(&reader, stream + at, piece, sink_take, &sink),
                             STATUS_OK);
            at += piece;
        }
        assert_int_equal(sink.count, 30);
        assert_memory_equal(sink.lengths, lengths, sizeof lengths);
    }
}

static void test_bounds(void **state)
{
    (void)state;
    static uint8_t stream[STREAM_MAX];
    struct tcp_frame_reader reader = {0};
    struct sink sink = {0};
    size_t length = append(stream, 0, 0, TCP_FRAME_MAX);
    assert_int_equal(tcp_frame_read(&reader, stream, length, sink_take, &sink), STATUS_OK);
    assert_int_equal(sink.count, 1);
    length = append(stream, 0, 0, TCP_FRAME_MAX + 1);
    assert_int_equal(tcp_frame_read(&reader, stream, length, sink_take, &sink), STATUS_LIMIT);
    reader = (struct tcp_frame_reader){0};
    assert_int_equal(tcp_frame_read(&reader, stream, 1, sink_take, &sink), STATUS_OK);
    assert_int_equal(tcp_frame_read(&reader, stream + 1, 1, sink_take, &sink), STATUS_LIMIT);
    /* Empty frames are nothing; neither whole nor in pieces. */
    reader = (struct tcp_frame_reader){0};
    static const uint8_t empty[6] = {0};
    assert_int_equal(tcp_frame_read(&reader, empty, 5, sink_take, &sink), STATUS_OK);
    assert_int_equal(tcp_frame_read(&reader, empty, 1, sink_take, &sink), STATUS_OK);
    assert_int_equal(sink.count, 1);
}

static void test_stop(void **state)
{
    (void)state;
    static uint8_t stream[STREAM_MAX];
    size_t length = 0;
    for (uint8_t i = 0; i < 5; i++)
        length = append(stream, length, i, 10);
    for (size_t first = 0; first < 12; first++) {
        struct tcp_frame_reader reader = {0};
        struct sink sink = {.stop_after = 2};
        assert_int_equal(tcp_frame_read(&reader, stream, first, sink_take, &sink), STATUS_OK);
        assert_int_equal(tcp_frame_read(&reader, stream + first, length - first, sink_take, &sink),
                         STATUS_CLOSED);
        assert_int_equal(sink.count, 2);
    }
}

static void test_looks(void **state)
{
    (void)state;
    struct stun_text text;
    uint8_t framed[STUN_CLIENT_MAX + TCP_FRAME_HEAD];
    stun_text_check(&text, "ours:theirs", "password", true);
    tcp_frame_head(text.length, framed);
    memcpy(framed + TCP_FRAME_HEAD, text.bytes, text.length);
    for (size_t length = 0; length < ICE_TCP_LOOK_BYTES; length++)
        assert_int_equal(ice_tcp_looks_like(framed, length), ICE_TCP_MORE);
    assert_int_equal(ice_tcp_looks_like(framed, ICE_TCP_LOOK_BYTES), ICE_TCP_STUN);
    assert_int_equal(ice_tcp_looks_like(framed, text.length), ICE_TCP_STUN);
    for (size_t at = 0; at < ICE_TCP_LOOK_BYTES; at++) {
        framed[at] ^= 0x80;
        assert_int_equal(ice_tcp_looks_like(framed, ICE_TCP_LOOK_BYTES), ICE_TCP_OTHER);
        framed[at] ^= 0x80;
    }
    static const uint8_t tls[] = {0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03};
    static const uint8_t http[] = "GET / HTTP/1.1";
    assert_int_equal(ice_tcp_looks_like(tls, 1), ICE_TCP_OTHER);
    assert_int_equal(ice_tcp_looks_like(tls, sizeof tls), ICE_TCP_OTHER);
    assert_int_equal(ice_tcp_looks_like(http, 1), ICE_TCP_OTHER);
    assert_int_equal(ice_tcp_looks_like(NULL, 0), ICE_TCP_MORE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_any_cut),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_stop),
        cmocka_unit_test(test_looks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
