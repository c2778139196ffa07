/* STIR/SHAKEN: PASSporTs signed by another implementation (tests/vectors/rfc8588), and changed. */
#include "signalling/sip/passport.h"
#include "signalling/sip/stir.h"
#include "tests/support/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define DATE "Fri, 15 Jan 2027 08:00:00 GMT"

enum { ISSUED = 1800000000 };

static const char *checked_at(const char *identity, const char *caller, const char *called,
                              int64_t now_s)
{
    struct stir *stir;
    assert_int_equal(stir_new(TEST_VECTORS "/rfc8588", &stir), STATUS_OK);
    assert_int_equal(stir_count(stir), 1);
    const struct stir_request request = {.identity = identity,
                                         .caller = caller,
                                         .called = {called, NULL},
                                         .date = DATE,
                                         .now_s = now_s};
    const char *found = stir_check(stir, &request);
    stir_free(stir);
    return found;
}

static const char *checked(const char *identity, const char *caller, const char *called)
{
    return checked_at(identity, caller, called, ISSUED + 10);
}

static char *vector(const char *name)
{
    size_t length;
    return file_load(name, &length);
}

static void what_is_signed_is_found_valid(void **state)
{
    (void)state;
    char *shaken = vector("rfc8588/shaken.txt"), *full = vector("rfc8588/full.txt"),
         *compact = vector("rfc8588/compact.txt");
    assert_string_equal(checked(shaken, "+12155551212", "+1 (215) 555-1213"), "A");
    assert_string_equal(checked(full, "12155551212", "12155551213"), "valid");
    assert_string_equal(checked(compact, "+12155551212", "+12155551213"), "valid");
    assert_string_equal(checked(NULL, "+12155551212", "+12155551213"), "");
    free(shaken);
    free(full);
    free(compact);
}

static void what_is_not_right_fails(void **state)
{
    (void)state;
    char *shaken = vector("rfc8588/shaken.txt"), *compact = vector("rfc8588/compact.txt");
    assert_string_equal(checked(shaken, "+12155551214", "+12155551213"), "failed"); /* caller */
    assert_string_equal(checked(shaken, "+12155551212", "+12155551214"), "failed"); /* callee */
    assert_string_equal(checked(shaken, "+12155551212", "meet"), "failed");
    assert_string_equal(checked(compact, "+12155551214", "+12155551213"), "failed");
    assert_string_equal(checked_at(shaken, "12155551212", "12155551213", ISSUED + 61), "failed");
    assert_string_equal(checked_at(shaken, "12155551212", "12155551213", ISSUED - 61), "failed");
    size_t signature = strcspn(strrchr(shaken, '.') + 1, ";");
    for (size_t i = 0; i < signature; i += 7) { /* each changed letter of the signature */
        char *letter = strrchr(shaken, '.') + 1 + i, before = *letter;
        if (strchr(shaken, ';') < letter)
            break;
        *letter = before == 'A' ? 'B' : 'A';
        assert_string_equal(checked(shaken, "12155551212", "12155551213"), "failed");
        *letter = before;
    }
    free(shaken);
    free(compact);
}

static void headers_that_are_none_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      ".",
                                      "..",
                                      "a.b.c",
                                      "..AAAA;info=<https://c/p>;alg=ES256",
                                      "no dots;info=<https://c/p>"};
    struct passport passport;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(passport_read(bad[i], &passport), STATUS_INVALID);
    char *shaken = vector("rfc8588/shaken.txt"), text[4096];
    int body = (int)strcspn(shaken, ";");
    static const struct {
        const char *parameters;
        enum status status;
    } cases[] = {
        {"", STATUS_INVALID},
        {";info=<https://cert.example/p.cer>;alg=RS256", STATUS_UNSUPPORTED},
        {";info=<https://cert.example/p.cer>;alg=ES256;ppt=div", STATUS_UNSUPPORTED},
        {";info=<https://cert.example/other.cer>;alg=ES256;ppt=shaken", STATUS_INVALID},
        {";info=<https://cert.example/p.cer>;alg=ES256", STATUS_INVALID}, /* ppt is in it */
        {";info=https://cert.example/p.cer;ppt=shaken", STATUS_INVALID},
        {";info=<https://cert.example/p.cer>;ppt=shaken", STATUS_OK},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        snprintf(text, sizeof text, "%.*s%s", body, shaken, cases[i].parameters);
        assert_int_equal(passport_read(text, &passport), cases[i].status);
    }
    free(shaken);
}

static void numbers_and_dates(void **state)
{
    (void)state;
    char number[PASSPORT_NUMBER_MAX];
    int64_t seconds;
    assert_true(passport_number("+49 (30) 12-34.5;phone-context=x", number));
    assert_string_equal(number, "493012345");
    assert_false(passport_number("ann", number));
    assert_false(passport_number("", number));
    assert_false(passport_number("1234567890123456789012345678901234567890", number));
    assert_true(passport_date(DATE, &seconds));
    assert_int_equal(seconds, ISSUED);
    assert_false(passport_date("yesterday", &seconds));
    assert_false(passport_date(DATE " and more", &seconds));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_signed_is_found_valid),
        cmocka_unit_test(what_is_not_right_fails),
        cmocka_unit_test(headers_that_are_none_are_refused),
        cmocka_unit_test(numbers_and_dates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
