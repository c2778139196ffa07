/*
 * Whom one may call: numbers as people write them, prefixes, what is shipped, rates and budgets.
 */
#include "modules/phone/dialing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define LIST(...)                                                                                  \
    {                                                                                              \
        .items = (const char *[]){__VA_ARGS__},                                                    \
        .count = sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *)                            \
    }

static const char *e164(const char *country, const char *typed)
{
    static char number[DIALING_TEXT_MAX];
    enum dialing_answer answer = dialing_number(country, typed, number);
    return answer == DIALING_OK ? number : dialing_code(answer);
}

static void test_numbers(void **state)
{
    (void)state;
    assert_string_equal(e164("49", "030 1234567"), "+49301234567");
    assert_string_equal(e164("49", "+49 (30) 1234-567"), "+49301234567");
    assert_string_equal(e164("49", "0044 20 7946 0000"), "+442079460000");
    assert_string_equal(e164("49", "tel:+49-30-1234567"), "+49301234567");
    assert_string_equal(e164("1", "(212) 555-0123"), "+12125550123");
    assert_string_equal(e164("1", "1 212 555 0123"), "+12125550123");
    assert_string_equal(e164("1", "011 49 30 1234567"), "+49301234567");
    assert_string_equal(e164("39", "06 1234567"), "+39061234567"); /* the 0 is the number's */
    assert_string_equal(e164("36", "06 1 234 5678"), "+3612345678");
    assert_string_equal(e164("7", "8 495 123-45-67"), "+74951234567");
    assert_string_equal(e164("", "030 1234567"), "dial_country");
    assert_string_equal(e164("", "+49301234567"), "+49301234567");
    /* none: emergencies, too long, letters, other digits, a 0 after the + */
    assert_string_equal(e164("49", "110"), "dial_format");
    assert_string_equal(e164("49", "+1234567890123456"), "dial_format");
    assert_string_equal(e164("49", "0800 FLOWERS"), "dial_format");
    assert_string_equal(e164("49", "\xef\xbc\x90\xef\xbc\x93\xef\xbc\x90"), "dial_format");
    assert_string_equal(e164("49", "+0301234567"), "dial_format");
    assert_string_equal(e164("49", "+49 30\r\n1234567"), "dial_format");
    assert_string_equal(e164("49", ""), "dial_format");
    assert_string_equal(e164("49", "++49301234567"), "dial_format");
}

/* What people write at home, of countries of every way: a prefix, another one, none, none but a 0
 * that is the number's. */
static void test_countries(void **state)
{
    (void)state;
    static const struct {
        const char *country, *typed, *number;
    } written[] = {
        {"44", "020 7946 0000", "+442079460000"},    {"33", "01 23 45 67 89", "+33123456789"},
        {"86", "010 1234 5678", "+861012345678"},    {"86", "138 0013 8000", "+8613800138000"},
        {"81", "03-1234-5678", "+81312345678"},      {"91", "098765 43210", "+919876543210"},
        {"61", "02 9876 5432", "+61298765432"},      {"55", "0 11 91234-5678", "+5511912345678"},
        {"27", "021 123 4567", "+27211234567"},      {"370", "0 612 34567", "+37061234567"},
        {"375", "8 017 212 3456", "+375172123456"},  {"375", "8 801 100 1234", "+3758011001234"},
        {"993", "8 12 123456", "+99312123456"},      {"7", "8 727 123 4567", "+77271234567"},
        {"36", "06 20 123 4567", "+36201234567"},    {"1", "1 876 555 0123", "+18765550123"},
        {"39", "02 1234 5678", "+390212345678"},     {"378", "0549 123456", "+3780549123456"},
        {"225", "07 12 34 56 78", "+2250712345678"}, {"242", "06 612 3456", "+242066123456"},
        {"241", "01 12 34 56", "+24101123456"},      {"229", "01 95 12 34 56", "+2290195123456"},
        {"34", "912 345 678", "+34912345678"},       {"420", "212 345 678", "+420212345678"},
        {"352", "27 12 34 56", "+35227123456"},      {"852", "2123 4567", "+85221234567"},
        {"65", "6123 4567", "+6561234567"},          {"998", "71 123 45 67", "+998711234567"},
        {"998", "8 71 123 45 67", "+9988711234567"}, /* out of use: no guess is made */
        {"299", "012 3456", "+2990123456"},          /* a country nobody told us of */
    };
    for (size_t i = 0; i < sizeof written / sizeof written[0]; i++)
        assert_string_equal(e164(written[i].country, written[i].typed), written[i].number);
}

static void test_abroad(void **state)
{
    (void)state;
    assert_string_equal(e164("81", "010 49 30 1234567"), "+49301234567");
    assert_string_equal(e164("61", "0011 49 30 1234567"), "+49301234567");
    assert_string_equal(e164("7", "8~10 49 30 1234567"), "dial_format");
    assert_string_equal(e164("7", "8 10 49 30 1234567"), "+49301234567");
    assert_string_equal(e164("254", "000 49 30 1234567"), "+49301234567");
    assert_string_equal(e164("86", "00 49 30 1234567"), "+49301234567");
    /* Which of the digits choose a carrier is not guessed. */
    assert_string_equal(e164("852", "001 49 30 1234567"), "dial_country");
    assert_string_equal(e164("55", "00 15 49 30 1234567"), "dial_country");
    assert_string_equal(e164("82", "002 49 30 1234567"), "dial_country");
}

static const char *asked(const struct dialing_config *config, const char *typed)
{
    struct dialing_target target;
    return dialing_code(dialing_check(config, typed, &target));
}

static void test_prefixes(void **state)
{
    (void)state;
    const struct dialing_config config = {.country = "49",
                                          .allow = LIST("+49", "+1", "+44900", "sip:example.org"),
                                          .deny = LIST("+4915", "+1212", "sip:bad.example")};
    assert_string_equal(asked(&config, "030 1234567"), "ok");
    assert_string_equal(asked(&config, "0151 23456789"), "dial_prefix"); /* the operator's */
    assert_string_equal(asked(&config, "+12125550123"), "dial_prefix");
    assert_string_equal(asked(&config, "+13105550123"), "ok");
    assert_string_equal(asked(&config, "+18765550123"), "dial_prefix");  /* Jamaica, behind +1 */
    assert_string_equal(asked(&config, "0900 1234567"), "dial_prefix");  /* premium, shipped */
    assert_string_equal(asked(&config, "+881612345678"), "dial_prefix"); /* satellite */
    assert_string_equal(asked(&config, "+44900123456"), "ok"); /* longer than what is shipped */
    assert_string_equal(asked(&config, "+442079460000"), "dial_prefix"); /* not allowed at all */
    const struct dialing_config none = {.country = "49", .deny = LIST("+1")};
    assert_string_equal(asked(&none, "030 1234567"), "dial_off");
    assert_false(dialing_on(&none));
    /* The same prefix in both lists of the operator is denied; a shipped one may be allowed. */
    const struct dialing_config both = {
        .country = "", .allow = LIST("+49", "+881"), .deny = LIST("+49")};
    assert_string_equal(asked(&both, "+49301234567"), "dial_prefix");
    assert_string_equal(asked(&both, "+881612345678"), "ok");
}

static void test_addresses(void **state)
{
    (void)state;
    struct dialing_target target;
    const struct dialing_config config = {
        .country = "49", .allow = LIST("sip:example.org"), .deny = LIST("sip:bad.example")};
    assert_int_equal(dialing_check(&config, "Ann.B@Example.ORG", &target), DIALING_OK);
    assert_string_equal(target.number, "sip:Ann.B@example.org");
    assert_true(target.sip);
    assert_string_equal(asked(&config, "sip:ann@other.example"), "dial_prefix");
    assert_string_equal(asked(&config, "sip:ann@bad.example"), "dial_prefix");
    /* A number there is a number: allowed by its prefix, or not. */
    assert_string_equal(asked(&config, "sip:+449001234567@example.org"), "dial_prefix");
    assert_string_equal(asked(&config, "sip:ann@example.org;transport=tcp"), "dial_format");
    assert_string_equal(asked(&config, "sip:a b@example.org"), "dial_format");
    assert_string_equal(asked(&config, "sip:ann@example.org\r\nX: y"), "dial_format");
    assert_string_equal(asked(&config, "sip:@example.org"), "dial_format");
    assert_string_equal(asked(&config, "sip:ann@"), "dial_format");
}

static void test_money(void **state)
{
    (void)state;
    struct dialing_target target;
    const struct dialing_config config = {.country = "",
                                          .allow = LIST("+49", "+33"),
                                          .rates = LIST("+49=0.02", "+4930=0.015"),
                                          .budget = LIST("+49=5", "*=20.5")};
    assert_int_equal(dialing_check(&config, "+49301234567", &target), DIALING_OK);
    assert_int_equal(target.rate, 15000);
    assert_int_equal(target.budget, 5 * DIALING_MICRO);
    assert_int_equal(target.budget_all, 20500000);
    assert_string_equal(target.prefix, "+49");
    assert_int_equal(dialing_check(&config, "+49891234567", &target), DIALING_OK);
    assert_int_equal(target.rate, 20000);
    assert_int_equal(dialing_check(&config, "+33123456789", &target), DIALING_RATE);
}

static void test_config(void **state)
{
    (void)state;
    const char *bad = NULL;
    const struct dialing_config good = {.country = "49",
                                        .allow = LIST("+49", "sip:example.org"),
                                        .rates = LIST("+49=0.02"),
                                        .budget = LIST("*=5")};
    assert_true(dialing_config_valid(&good, &bad));
    const struct dialing_config prefix = {.country = "49", .allow = LIST("49")};
    assert_false(dialing_config_valid(&prefix, &bad));
    assert_string_equal(bad, "49");
    const struct dialing_config rate = {.country = "49", .rates = LIST("+49=cheap")};
    assert_false(dialing_config_valid(&rate, &bad));
    const struct dialing_config total = {.country = "49", .rates = LIST("*=1")};
    assert_false(dialing_config_valid(&total, &bad));
    const struct dialing_config country = {.country = "+49"};
    assert_false(dialing_config_valid(&country, &bad));
    /* What is shipped can be read too. */
    for (size_t i = 0; dialing_denied[i] != NULL; i++) {
        const struct dialing_config one = {.country = "", .allow = LIST(dialing_denied[i])};
        assert_true(dialing_config_valid(&one, &bad));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers),   cmocka_unit_test(test_prefixes),
        cmocka_unit_test(test_addresses), cmocka_unit_test(test_money),
        cmocka_unit_test(test_config),    cmocka_unit_test(test_countries),
        cmocka_unit_test(test_abroad),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
