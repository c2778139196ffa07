/* Tests of media/rtp/ulpfec.h: the example of RFC 5109 10.1, and a decoder written from 9.2. */
#include "core/bytes.h"
#include "media/rtp/rtp.h"
#include "media/rtp/ulpfec.h"
#include "tests/unit/media/rtp/wire.h"

struct sent {
    uint8_t bytes[1500];
    size_t length;
};

static struct ulpfec fec;

static void make(struct sent *sent, uint16_t sequence, uint32_t timestamp, uint8_t type,
                 bool marker, size_t payload, uint64_t *seed)
{
    const struct rtp_writing writing = {.marker = marker,
                                        .payload_type = type,
                                        .sequence = sequence,
                                        .timestamp = timestamp,
                                        .ssrc = 2};
    size_t head;
    assert_ok(rtp_write(&writing, sent->bytes, sizeof sent->bytes, &head));
    for (size_t i = 0; i < payload; i++)
        sent->bytes[head + i] = (uint8_t)dice(seed);
    sent->length = head + payload;
}

static enum status protect(const struct sent *sent, size_t split)
{
    const struct ulpfec_media media = {sent->bytes, sent->bytes + split, split,
                                       sent->length - split};
    return ulpfec_protect(&fec, &media);
}

static void test_example_of_the_rfc(void **state)
{
    (void)state;
    uint64_t seed = 1;
    struct sent a, b, c, d;
    ulpfec_clear(&fec);
    make(&a, 8, 3, 11, true, 200, &seed);
    make(&b, 9, 5, 18, false, 140, &seed);
    make(&c, 10, 7, 11, true, 100, &seed);
    make(&d, 11, 9, 18, false, 340, &seed);
    uint8_t payload[1500];
    size_t length;
    assert_int_equal(ulpfec_write(&fec, payload, sizeof payload, &length), STATUS_INVALID);
    assert_ok(protect(&a, 12));
    assert_ok(protect(&b, 12));
    assert_ok(protect(&c, 12));
    assert_ok(protect(&d, 12));
    assert_ok(ulpfec_write(&fec, payload, sizeof payload, &length));
    assert_int_equal(length, 18 + 340);
    assert_int_equal(payload[0], 0x40);                /* E 0, L 1 (ours), P X CC 0 */
    assert_int_equal(payload[1], 0);                   /* M 0, PT 0 */
    assert_int_equal(load_be16(payload + 2), 8);       /* SN base */
    assert_int_equal(load_be32(payload + 4), 8);       /* TS recovery */
    assert_int_equal(load_be16(payload + 8), 372);     /* length recovery */
    assert_int_equal(load_be16(payload + 10), 340);    /* protection length */
    assert_int_equal(load_be16(payload + 12), 0xf000); /* mask */
    assert_int_equal(load_be32(payload + 14), 0);
    for (size_t i = 0; i < 340; i++) {
        uint8_t parity = d.bytes[12 + i];
        parity ^= i < 200 ? a.bytes[12 + i] : 0;
        parity ^= i < 140 ? b.bytes[12 + i] : 0;
        parity ^= i < 100 ? c.bytes[12 + i] : 0;
        assert_int_equal(payload[18 + i], parity);
    }
    for (size_t size = 0; size < length; size += 7)
        assert_int_equal(ulpfec_write(&fec, payload, size, &length), STATUS_TRUNCATED);
}

static void test_limits(void **state)
{
    (void)state;
    uint64_t seed = 2;
    struct sent sent;
    ulpfec_clear(&fec);
    make(&sent, 65530, 3, 96, true, 20, &seed);
    assert_ok(protect(&sent, 12));
    assert_int_equal(protect(&sent, 12), STATUS_DUPLICATE);
    make(&sent, (uint16_t)(65530 + 47), 3, 96, true, 20, &seed);
    assert_ok(protect(&sent, 12));
    make(&sent, (uint16_t)(65530 + 48), 3, 96, true, 20, &seed);
    assert_int_equal(protect(&sent, 12), STATUS_LIMIT);
    make(&sent, 65529, 3, 96, true, 20, &seed);
    assert_int_equal(protect(&sent, 12), STATUS_LIMIT);
    make(&sent, 65531, 3, 96, true, ULPFEC_BYTES_MAX + 1, &seed);
    assert_int_equal(protect(&sent, 12), STATUS_LIMIT);
    uint8_t payload[64];
    size_t length;
    assert_ok(ulpfec_write(&fec, payload, sizeof payload, &length));
    assert_int_equal(length, 18 + 20);
    assert_int_equal(load_be16(payload + 12), 0x8000);
    assert_int_equal(load_be32(payload + 14), 1);
}

/* RFC 5109 9.2: the packet that is missing, of those the mask names. */
static void recover(const uint8_t *payload, const struct sent *sent, size_t count, size_t missing,
                    struct sent *ret_lost)
{
    uint16_t base = load_be16(payload + 2), length = load_be16(payload + 8);
    uint8_t first = payload[0], second = payload[1];
    uint32_t timestamp = load_be32(payload + 4);
    size_t protected = load_be16(payload + 10);
    uint8_t body[1500] = {0};
    memcpy(body, payload + 18, protected);
    for (size_t i = 0; i < count; i++) {
        uint16_t ahead = (uint16_t)(load_be16(sent[i].bytes + 2) - base);
        assert_true(ahead < 48 && (payload[12 + ahead / 8] >> (7 - ahead % 8) & 1) != 0);
        if (i == missing)
            continue;
        first ^= sent[i].bytes[0];
        second ^= sent[i].bytes[1];
        timestamp ^= load_be32(sent[i].bytes + 4);
        length ^= (uint16_t)(sent[i].length - 12);
        for (size_t at = 12; at < sent[i].length; at++)
            body[at - 12] ^= sent[i].bytes[at];
    }
    ret_lost->bytes[0] = (uint8_t)(0x80 | (first & 0x3f));
    ret_lost->bytes[1] = second;
    memcpy(ret_lost->bytes + 2, sent[missing].bytes + 2, 2); /* by the mask */
    store_be32(ret_lost->bytes + 4, timestamp);
    memcpy(ret_lost->bytes + 8, sent[missing].bytes + 8, 4);
    assert_true(length <= protected);
    memcpy(ret_lost->bytes + 12, body, length);
    ret_lost->length = 12u + length;
}

static void test_any_lost_packet_is_recovered(void **state)
{
    (void)state;
    static struct sent sent[48];
    uint64_t seed = 77;
    for (int round = 0; round < 300; round++) {
        size_t count = 1 + dice(&seed) % 12;
        uint16_t sequence = (uint16_t)dice(&seed);
        ulpfec_clear(&fec);
        for (size_t i = 0; i < count; i++) {
            uint8_t value[3];
            const struct rtp_writing writing = {
                .marker = dice(&seed) % 2 == 0,
                .payload_type = (uint8_t)(dice(&seed) % 128),
                .sequence = sequence,
                .timestamp = (uint32_t)dice(&seed),
                .ssrc = 7,
                .csrc_count = (uint8_t)(dice(&seed) % 2),
                .csrcs = {(uint32_t)dice(&seed)},
                .elements = {rtp_send_time_element(2, (uint32_t)dice(&seed) & 0xffffff, value)},
                .element_count = dice(&seed) % 2,
            };
            size_t head, payload = dice(&seed) % 1200;
            assert_ok(rtp_write(&writing, sent[i].bytes, sizeof sent[i].bytes, &head));
            for (size_t at = 0; at < payload; at++)
                sent[i].bytes[head + at] = (uint8_t)dice(&seed);
            sent[i].length = head + payload;
            assert_ok(protect(&sent[i], head));
            sequence = (uint16_t)(sequence + 1 + dice(&seed) % 4);
        }
        uint8_t payload[1600];
        size_t length;
        assert_ok(ulpfec_write(&fec, payload, sizeof payload, &length));
        for (size_t missing = 0; missing < count; missing++) {
            struct sent lost;
            recover(payload, sent, count, missing, &lost);
            assert_int_equal(lost.length, sent[missing].length);
            assert_memory_equal(lost.bytes, sent[missing].bytes, lost.length);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_example_of_the_rfc),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_any_lost_packet_is_recovered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
