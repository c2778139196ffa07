#include "core/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static bool line(const char *text)
{
    return text_valid(text, 1, 64, TEXT_LINE);
}

static bool paragraphs(const char *text)
{
    return text_valid(text, 1, 64, TEXT_PARAGRAPHS);
}

static void test_lengths(void **state)
{
    (void)state;
    assert_false(text_valid(NULL, 0, 5, TEXT_LINE));
    assert_true(text_valid("", 0, 5, TEXT_LINE));
    assert_false(text_valid("", 1, 5, TEXT_LINE));
    assert_true(text_valid("abcde", 1, 5, TEXT_LINE));
    assert_false(text_valid("abcdef", 1, 5, TEXT_LINE));
    assert_false(text_valid("caf\xc3\xa9s", 1, 5, TEXT_LINE)); /* bytes count */
}

static void test_well_formed(void **state)
{
    (void)state;
    static const char *const good[] = {"a",
                                       "\xc2\xa2",
                                       "\xe4\xb8\x8a\xe6\xb5\xb7",
                                       "\xf0\x9f\x91\x8d",
                                       "\xed\x9f\xbf",
                                       "\xee\x80\x80",
                                       "\xf4\x8f\xbf\xbf"};
    /* RFC 3629 3 and 10: overlong forms, surrogates, beyond U+10FFFF, stray and missing bytes. */
    static const char *const bad[] = {"\xc0\x80",
                                      "\xc1\xbf",
                                      "\xe0\x80\xaf",
                                      "\xe0\x9f\xbf",
                                      "\xf0\x80\x80\xaf",
                                      "\xf0\x8f\xbf\xbf",
                                      "\xed\xa0\x80",
                                      "\xed\xbf\xbf",
                                      "\x80",
                                      "\xbf",
                                      "\xc3",
                                      "\xe4\xb8",
                                      "\xf0\x9f\x91",
                                      "\xc3(",
                                      "\xf4\x90\x80\x80",
                                      "\xf5\x80\x80\x80",
                                      "\xf8\x88\x80\x80",
                                      "\xff",
                                      "\xfe",
                                      "a\xe4\xb8z"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_true(paragraphs(good[i]));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        /* In memory of its own, so that a read past its end is seen. */
        char *text = strdup(bad[i]);
        assert_non_null(text);
        assert_false(paragraphs(text));
        free(text);
    }
}

static void test_controls(void **state)
{
    (void)state;
    assert_true(paragraphs("a\n\tb"));
    assert_false(line("a\nb"));
    assert_false(line("a\tb"));
    assert_false(paragraphs("a\rb"));
    assert_false(paragraphs("a\x1b[0m"));
    assert_false(paragraphs("a\x7f"));
    assert_false(paragraphs("a\xc2\x85z"));
    /* U+202E turns what follows: allowed in a message, not in a name. */
    assert_true(paragraphs("\xe2\x80\xae"
                           "abc"));
    assert_false(line("\xe2\x80\xae"
                      "abc"));
    assert_false(line("\xe2\x80\xa8"
                      "abc"));
    assert_false(line("\xe2\x81\xa6"
                      "abc"));
    /* Joined emoji need U+200D. */
    assert_true(line("\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x92\xbb"));
}

static void test_blank(void **state)
{
    (void)state;
    assert_true(text_blank(""));
    assert_true(text_blank("  \t"));
    assert_true(text_blank(" \xc2\xa0\xe2\x80\x8b\xe3\x80\x80\xef\xbb\xbf"));
    assert_false(text_blank(" a "));
    assert_false(text_blank("\xe4\xb8\x8a"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_well_formed),
        cmocka_unit_test(test_controls),
        cmocka_unit_test(test_blank),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
