/*
 * Codes of authenticator apps against the published ones.
 */
#include "modules/auth/totp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

/* RFC 6238, appendix B, and RFC 4226, appendix D: both with this seed. */
static const uint8_t seed[] = "12345678901234567890";

static void test_published(void **state)
{
    (void)state;
    static const struct {
        int64_t seconds;
        uint32_t code; /* the last six of the eight digits there */
    } rfc6238[] = {{59, 287082},       {1111111109, 81804},  {1111111111, 50471},
                   {1234567890, 5924}, {2000000000, 279037}, {20000000000, 353130}};
    static const uint32_t rfc4226[] = {755224, 287082, 359152, 969429, 338314,
                                       254676, 287922, 162583, 399871, 520489};
    for (size_t i = 0; i < sizeof rfc6238 / sizeof rfc6238[0]; i++)
        assert_int_equal(totp_code(seed, rfc6238[i].seconds / 30), rfc6238[i].code);
    for (size_t i = 0; i < sizeof rfc4226 / sizeof rfc4226[0]; i++)
        assert_int_equal(totp_code(seed, (int64_t)i), rfc4226[i]);
}

static bool match(int64_t of_step, int64_t used, int64_t now_step)
{
    char code[16];
    int64_t step = -1;
    snprintf(code, sizeof code, "%06u", totp_code(seed, of_step));
    bool found = totp_match(seed, code, used, now_step * TOTP_STEP_MS + 7, &step);
    assert_int_equal(step, found ? of_step : -1);
    return found;
}

static void test_window(void **state)
{
    (void)state;
    const int64_t now = 40000000;
    assert_false(match(now - 2, 0, now));
    assert_true(match(now - 1, 0, now));
    assert_true(match(now, 0, now));
    assert_true(match(now + 1, 0, now));
    assert_false(match(now + 2, 0, now));
    /* Once, and none before one that was used. */
    assert_false(match(now, now, now));
    assert_false(match(now - 1, now, now));
    assert_true(match(now + 1, now, now));
}

static void test_what_is_no_code(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "28708", "2870822", "287 082", "28708a", " 287082"};
    int64_t step = 0;
    assert_true(totp_match(seed, "287082", -1, 59000, &step));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(totp_match(seed, bad[i], -1, 59000, &step));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_published),
        cmocka_unit_test(test_window),
        cmocka_unit_test(test_what_is_no_code),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
