/* signalling/sip/pins.h: choosing a PIN does not tell which ones there are, but for two an hour. */
#include "signalling/sip/pins.h"

#include "modules/meetings/registry_pin.h"
#include "signalling/sip/guesses.h"
#include "tests/support/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static const int64_t NOW = 1764000000000;

enum { MEETINGS = 20 };

struct fixture {
    char path[SCRATCH_PATH_MAX];
    struct db *db;
    struct pins *pins;
};

/* Meetings m0 to m19, of which m0 to m9 have the PINs 4815160 to 4815169. */
static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    char id[32], pin[32];
    struct registry_meeting_created created;
    assert_non_null(fixture);
    scratch_make(fixture->path);
    fixture->db = scratch_db(fixture->path, 1);
    assert_int_equal(pins_new(&fixture->pins), STATUS_OK);
    for (int i = 0; i < MEETINGS; i++) {
        snprintf(id, sizeof id, "m%d", i);
        snprintf(pin, sizeof pin, "481516%d", i);
        const struct registry_meeting_new wish = {.id = id};
        assert_int_equal(registry_create(fixture->db, &wish, NOW, &created), STATUS_OK);
        if (i < MEETINGS / 2)
            assert_int_equal(registry_pin_set(fixture->db, id, pin, NOW), STATUS_OK);
    }
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    pins_free(fixture->pins);
    db_close(fixture->db);
    scratch_remove(fixture->path);
    free(fixture);
    return 0;
}

static enum status choose(struct fixture *fixture, int meeting, const char *account,
                          const char *source, int number, uint64_t now_ms)
{
    char id[32], pin[32];
    snprintf(id, sizeof id, "m%d", meeting);
    snprintf(pin, sizeof pin, number < 0 ? "" : "481516%d", number);
    const struct pins_wish wish = {.meeting = id, .pin = pin, .account = account, .source = source};
    return pins_choose(fixture->pins, fixture->db, &wish, now_ms, NOW);
}

static void test_an_account_meets_two_an_hour(void **state)
{
    struct fixture *fixture = *state;
    /* In whatever meeting and from wherever: then one that is free is refused as well. */
    assert_int_equal(choose(fixture, 10, "ann", "192.0.2.1", 0, 1000), STATUS_INVALID);
    assert_int_equal(choose(fixture, 11, "ann", "192.0.2.2", 1, 1000), STATUS_INVALID);
    assert_int_equal(choose(fixture, 12, "ann", "192.0.2.3", 2, 1000), STATUS_LIMIT);
    assert_int_equal(choose(fixture, 13, "ann", "192.0.2.4", 77, 1000), STATUS_LIMIT);
    /* A new one may still be made, another account is not meant, and an hour is an hour. */
    assert_int_equal(choose(fixture, 13, "ann", "192.0.2.4", -1, 1000), STATUS_OK);
    assert_int_equal(choose(fixture, 13, "bob", "192.0.2.4", 77, 1000), STATUS_OK);
    assert_int_equal(choose(fixture, 14, "ann", "192.0.2.1", 78, 1000 + GUESSES_MS), STATUS_OK);
}

static void test_five_that_are_free(void **state)
{
    struct fixture *fixture = *state;
    for (int i = 0; i < GUESSES_MAX / PINS_TRY; i++)
        assert_int_equal(choose(fixture, 10, "ann", "192.0.2.1", 70 + i, 1000), STATUS_OK);
    assert_int_equal(choose(fixture, 10, "ann", "192.0.2.1", 79, 1000), STATUS_LIMIT);
}

static void test_who_is_not_signed_in(void **state)
{
    struct fixture *fixture = *state;
    /* By meeting after meeting from one address, and by one meeting from many. */
    for (int i = 0; i < 2; i++)
        assert_int_equal(choose(fixture, 10 + i, NULL, "192.0.2.1", i, 1000), STATUS_INVALID);
    assert_int_equal(choose(fixture, 12, NULL, "192.0.2.1", 2, 1000), STATUS_LIMIT);
    assert_int_equal(choose(fixture, 13, NULL, "192.0.2.2", 3, 1000), STATUS_INVALID);
    assert_int_equal(choose(fixture, 13, NULL, "192.0.2.3", 4, 1000), STATUS_INVALID);
    assert_int_equal(choose(fixture, 13, NULL, "192.0.2.4", 5, 1000), STATUS_LIMIT);
}

static void test_a_weak_one_is_no_try(void **state)
{
    struct fixture *fixture = *state;
    const struct pins_wish weak = {
        .meeting = "m10", .pin = "123456", .account = "ann", .source = "192.0.2.1"};
    for (int i = 0; i < 2 * GUESSES_MAX; i++)
        assert_int_equal(pins_choose(fixture->pins, fixture->db, &weak, 1000, NOW), STATUS_INVALID);
    assert_int_equal(choose(fixture, 10, "ann", "192.0.2.1", 77, 1000), STATUS_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_an_account_meets_two_an_hour, setup, teardown),
        cmocka_unit_test_setup_teardown(test_five_that_are_free, setup, teardown),
        cmocka_unit_test_setup_teardown(test_who_is_not_signed_in, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_weak_one_is_no_try, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
