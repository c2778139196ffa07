/* Captures: headers around packets, blocks in the file, and the ends of a file. */
#include "core/bytes.h"
#include "media/trace/ip_frame.h"
#include "media/trace/pcapng.h"
#include "media/trace/trace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static struct ice_address address(uint8_t last, uint16_t port)
{
    struct ice_address made = {.ip = {[10] = 0xff, [11] = 0xff, 192, 0, 2, last}, .port = port};
    return made;
}

static uint16_t checksum(uint32_t sum, const uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        sum += i % 2 == 0 ? (uint32_t)bytes[i] << 8 : bytes[i];
    while (sum >> 16 != 0)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

static void test_udp_over_ipv4(void **state)
{
    (void)state;
    uint8_t out[3 + IP_FRAME_HEAD_MAX];
    const struct ip_frame frame = {.from = address(1, 10000), .to = address(2, 40000)};
    assert_int_equal(ip_frame_write(&frame, (const uint8_t *)"abc", 3, out), 31);
    assert_int_equal(load_be16(out + 2), 31);
    assert_int_equal(checksum(0, out, 20), 0);
    assert_int_equal(load_be16(out + 20), 10000);
    assert_int_equal(load_be16(out + 22), 40000);
    assert_int_equal(load_be16(out + 24), 11);
    /* The addresses, the protocol and the length are summed too; an odd length is padded. */
    assert_int_equal(checksum(17 + 11, out + 12, 19), 0);
}

static void test_tcp_over_ipv6(void **state)
{
    (void)state;
    uint8_t out[4 + IP_FRAME_HEAD_MAX];
    struct ip_frame frame = {.tcp = true, .sequence = 7, .acknowledged = 9};
    frame.from = (struct ice_address){.ip = {0x20, 1, 0xd, 0xb8, [15] = 1}, .port = 8443};
    frame.to = (struct ice_address){.ip = {0x20, 1, 0xd, 0xb8, [15] = 2}, .port = 50000};
    assert_int_equal(ip_frame_write(&frame, (const uint8_t *)"abcd", 4, out), 66);
    assert_int_equal(out[0] >> 4, 6);
    assert_int_equal(load_be16(out + 4), 26);
    assert_int_equal(load_be32(out + 44), 7);
    assert_int_equal(load_be32(out + 48), 9);
    assert_int_equal(load_be16(out + 60), 4); /* RFC 4571 */
    assert_memory_equal(out + 62, "abcd", 4);
    assert_int_equal(checksum(6 + 26, out + 8, 58), 0);
}

static void test_long_texts_fit(void **state)
{
    (void)state;
    char text[PCAPNG_TEXT_MAX * 2];
    uint8_t out[PCAPNG_HEAD_MAX];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    size_t length = pcapng_head(out, text, text, text);
    assert_true(length <= PCAPNG_HEAD_MAX && length % 4 == 0);
}

static char folder[] = "/tmp/parley-trace-XXXXXX";

static int folder_make(void **state)
{
    (void)state;
    return mkdtemp(folder) != NULL ? 0 : -1;
}

static int folder_remove(void **state)
{
    char path[256];
    (void)state;
    snprintf(path, sizeof path, "%s/trace.pcapng", folder);
    unlink(path);
    return rmdir(folder);
}

static struct trace_result result;
static atomic_int ends;

static void on_ended(void *context, const struct trace_result *given)
{
    (void)context;
    result = *given;
    atomic_fetch_add(&ends, 1);
}

static struct trace *begin(uint64_t bytes_max, char path[256])
{
    const struct trace_config config = {.path = path,
                                        .comment = "a test",
                                        .bytes_max = bytes_max,
                                        .seconds_max = 60,
                                        .ended = on_ended};
    struct trace *trace;
    atomic_store(&ends, 0);
    snprintf(path, 256, "%s/trace.pcapng", folder);
    unlink(path);
    assert_int_equal(trace_new(&config, &trace), STATUS_OK);
    struct trace *again;
    assert_int_equal(trace_new(&config, &again), STATUS_EXISTS);
    return trace;
}

static const struct tap_packet small = {.local = {.port = 1}, .outbound = true, .length = 1000};

static void test_more_than_the_ring_holds(void **state)
{
    (void)state;
    char path[256];
    uint8_t bytes[1000] = {0};
    struct tap *tap;
    struct trace *trace = begin(UINT64_C(1) << 30, path);
    assert_int_equal(tap_new(trace, 7, &tap), STATUS_OK);
    assert_int_equal(tap_transport(tap), 7);
    for (int i = 0; i < TRACE_RING * 8; i++)
        tap_put(tap, &small, bytes);
    const struct tap_packet large = {.length = TRACE_PACKET_MAX + 1};
    tap_put(tap, &large, NULL); /* counted, never looked at */
    trace_free(trace);
    assert_int_equal(ends, 1);
    assert_false(result.failed);
    assert_true(result.written >= TRACE_RING);
    assert_true(result.dropped >= 1);
    assert_int_equal(result.written + result.dropped, TRACE_RING * 8 + 1);
    struct stat found;
    assert_int_equal(stat(path, &found), 0);
    assert_int_equal(found.st_size, result.bytes);
    assert_int_equal(found.st_mode & 0777, 0600);
    tap_put(tap, &small, bytes); /* nobody reads it any more */
    tap_unref(tap);
}

static void test_a_full_file_ends_the_trace(void **state)
{
    (void)state;
    enum { BYTES = 100000 };
    char path[256];
    uint8_t bytes[1000] = {0};
    struct tap *tap, *late;
    struct trace *trace = begin(BYTES, path);
    assert_int_equal(tap_new(trace, 7, &tap), STATUS_OK);
    for (int i = 0; i < 10000 && !tap_ended(tap); i++) {
        tap_put(tap, &small, bytes);
        usleep(1000);
    }
    assert_true(tap_ended(tap));
    assert_int_equal(tap_new(trace, 8, &late), STATUS_CLOSED);
    trace_free(trace);
    assert_int_equal(ends, 1);
    assert_true(result.bytes <= BYTES && result.bytes > BYTES - 3000);
    tap_unref(tap);
}

static void test_taps_have_a_limit(void **state)
{
    (void)state;
    char path[256];
    struct tap *tap;
    struct trace *trace = begin(1 << 20, path);
    for (uint64_t i = 0; i < TRACE_TAPS_MAX; i++) {
        assert_int_equal(tap_new(trace, i + 1, &tap), STATUS_OK);
        tap_unref(tap);
    }
    assert_int_equal(tap_new(trace, 99, &tap), STATUS_LIMIT);
    trace_free(trace);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_udp_over_ipv4),
        cmocka_unit_test(test_tcp_over_ipv6),
        cmocka_unit_test(test_long_texts_fit),
        cmocka_unit_test(test_more_than_the_ring_holds),
        cmocka_unit_test(test_a_full_file_ends_the_trace),
        cmocka_unit_test(test_taps_have_a_limit),
    };
    return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
