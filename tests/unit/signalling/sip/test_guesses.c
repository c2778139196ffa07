/* signalling/sip/guesses.h: ten an hour, by source, in a table that does not grow. */
#include "signalling/sip/guesses.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void test_ten_block_for_an_hour(void **state)
{
    (void)state;
    struct guesses *guesses = calloc(1, sizeof *guesses);
    for (int i = 0; i < GUESSES_MAX; i++) {
        assert_false(guesses_blocked(guesses, "+4930123", 5000));
        guesses_count(guesses, "+4930123", 5000);
    }
    assert_true(guesses_blocked(guesses, "+4930123", 5000 + GUESSES_MS - 1));
    assert_false(guesses_blocked(guesses, "+4930124", 5000));
    assert_false(guesses_blocked(guesses, "+4930123", 5000 + GUESSES_MS));
    guesses_count(guesses, "+4930123", 5000 + GUESSES_MS);
    assert_false(guesses_blocked(guesses, "+4930123", 5001 + GUESSES_MS));
    free(guesses);
}

static void test_the_oldest_gives_way(void **state)
{
    (void)state;
    struct guesses *guesses = calloc(1, sizeof *guesses);
    char name[32];
    for (int i = 0; i < GUESSES_MAX; i++)
        guesses_count(guesses, "old", 1);
    for (int i = 0; i < GUESSES_SOURCES - 1; i++) {
        snprintf(name, sizeof name, "caller %d", i);
        guesses_count(guesses, name, 2);
    }
    assert_true(guesses_blocked(guesses, "old", 3));
    guesses_count(guesses, "one more", 3);
    assert_false(guesses_blocked(guesses, "old", 3));
    free(guesses);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ten_block_for_an_hour),
        cmocka_unit_test(test_the_oldest_gives_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
