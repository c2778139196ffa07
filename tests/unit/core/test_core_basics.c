/* status, clock, rng, crypto: small nouns in one program. */
#include "core/bytes.h"
#include "core/clock.h"
#include "core/crypto.h"
#include "core/rng.h"
#include "core/status.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static void test_status_texts(void **state)
{
    (void)state;
    assert_string_equal(status_name(STATUS_OK), "OK");
    assert_string_equal(status_name(STATUS_OUT_OF_WINDOW), "OUT_OF_WINDOW");
    assert_string_equal(status_text(STATUS_NOT_FOUND), "not found");
    assert_string_equal(status_name((enum status)99), "UNKNOWN");
    assert_non_null(status_text((enum status)99));
}

static void test_clocks(void **state)
{
    (void)state;
    uint64_t before = clock_mono_ns();
    assert_true(clock_mono_ns() >= before);
    assert_in_range((uint64_t)(clock_wall_ms() - (int64_t)time(NULL) * 1000 + 1000), 0, 3000);
    uint64_t ntp_s = clock_ntp() >> 32;
    assert_in_range(ntp_s - (uint64_t)time(NULL) - 2208988800u, 0, 1);
}

static void test_rng_replays(void **state)
{
    (void)state;
    struct rng a, b, c;
    rng_seed(&a, 7);
    rng_seed(&b, 7);
    rng_seed(&c, 8);
    assert_true(rng_next(&a) == rng_next(&b));
    assert_false(rng_next(&a) == rng_next(&c));
}

/* First outputs of xoshiro256** from the state 1, 2, 3, 4, worked out from its definition. */
static void test_rng_vector(void **state)
{
    (void)state;
    struct rng rng = {.state = {1, 2, 3, 4}};
    assert_true(rng_next(&rng) == 11520);
    assert_true(rng_next(&rng) == 0);
    assert_true(rng_next(&rng) == 1509978240);
}

static void test_rng_below(void **state)
{
    (void)state;
    struct rng rng;
    rng_seed(&rng, 1);
    uint32_t seen[6] = {0};
    for (int i = 0; i < 60000; i++)
        seen[rng_below(&rng, 6)]++;
    for (int i = 0; i < 6; i++)
        assert_in_range(seen[i], 9500, 10500);
    assert_int_equal(rng_below(&rng, 1), 0);
}

static void test_crypto_random(void **state)
{
    (void)state;
    uint8_t bytes[64] = {0}, zero[64] = {0};
    crypto_random(bytes, sizeof bytes);
    assert_memory_not_equal(bytes, zero, sizeof bytes);
    assert_false(crypto_random_u64() == crypto_random_u64());
    crypto_random(bytes, 0);
}

/* FIPS 180-4 example "abc"; RFC 4231 4.3; the empty key and text worked out with Python. */
static void test_crypto_digests(void **state)
{
    (void)state;
    uint8_t digest[CRYPTO_SHA256_BYTES];
    char text[2 * CRYPTO_SHA256_BYTES + 1];
    crypto_sha256("abc", 3, digest);
    crypto_hex(digest, sizeof digest, text);
    assert_string_equal(text, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    crypto_hmac_sha256("Jefe", 4, "what do ya want for nothing?", 28, digest);
    crypto_hex(digest, sizeof digest, text);
    assert_string_equal(text, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    crypto_hmac_sha256(NULL, 0, "", 0, digest);
    crypto_hex(digest, sizeof digest, text);
    assert_string_equal(text, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
    assert_true(crypto_equal("same", "same", 4));
    assert_false(crypto_equal("same", "samf", 4));
}

/* RFC 4648 10, in the alphabet of section 5 and unpadded. */
static void test_crypto_base64url(void **state)
{
    (void)state;
    static const struct {
        const char *plain, *coded;
    } cases[] = {
        {"", ""},           {"f", "Zg"},          {"fo", "Zm8"},          {"foo", "Zm9v"},
        {"foob", "Zm9vYg"}, {"fooba", "Zm9vYmE"}, {"foobar", "Zm9vYmFy"}, {"\xff\xef", "_-8"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char coded[16];
        size_t length = strlen(cases[i].plain);
        crypto_base64url(cases[i].plain, length, coded);
        assert_string_equal(coded, cases[i].coded);
        assert_true(strlen(coded) < CRYPTO_BASE64URL_SIZE(length));
    }
}

static void test_crypto_names(void **state)
{
    (void)state;
    char token[CRYPTO_TOKEN_CHARS + 1], other[CRYPTO_TOKEN_CHARS + 1], id[CRYPTO_ID_CHARS + 1];
    crypto_token(token);
    crypto_token(other);
    assert_int_equal(strlen(token), CRYPTO_TOKEN_CHARS);
    assert_string_not_equal(token, other);
    crypto_id(id);
    assert_int_equal(strlen(id), CRYPTO_ID_CHARS);
}

static void test_bytes_reader_stays_failed(void **state)
{
    (void)state;
    static const uint8_t wire[] = {1, 2, 3, 4, 5, 6, 7, 8};
    struct reader reader = reader_of(wire, sizeof wire);
    assert_int_equal(reader_u8(&reader), 1);
    assert_int_equal(reader_be16(&reader), 0x0203);
    assert_int_equal(reader_be24(&reader), 0x040506);
    assert_int_equal(reader_be32(&reader), 0);
    assert_true(reader.failed);
    assert_int_equal(reader_u8(&reader), 0);
    assert_int_equal(reader_left(&reader), 2);
}

static void test_bytes_stores(void **state)
{
    (void)state;
    uint8_t wire[8];
    store_be64(wire, 0x0102030405060708);
    assert_true(load_be64(wire) == 0x0102030405060708);
    store_be24(wire, 0xabcdef);
    assert_int_equal(load_be24(wire), 0xabcdef);
    store_be16(wire, 0xfffe);
    assert_int_equal(load_be16(wire), 0xfffe);
    assert_int_equal(seq_diff(1, 65535), 2);
    assert_int_equal(seq_diff(65535, 1), -2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_status_texts),   cmocka_unit_test(test_clocks),
        cmocka_unit_test(test_rng_replays),    cmocka_unit_test(test_rng_vector),
        cmocka_unit_test(test_rng_below),      cmocka_unit_test(test_crypto_random),
        cmocka_unit_test(test_crypto_digests), cmocka_unit_test(test_crypto_base64url),
        cmocka_unit_test(test_crypto_names),   cmocka_unit_test(test_bytes_reader_stays_failed),
        cmocka_unit_test(test_bytes_stores),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
