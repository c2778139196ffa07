/*
 * Who is there, by a clock of the test's own.
 */
#include "modules/auth/presence.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct presence *begun(void)
{
    struct presence *presence = NULL;
    assert_int_equal(presence_new(&presence), STATUS_OK);
    return presence;
}

static size_t changes(struct presence *presence, int64_t *after, int64_t now)
{
    static struct presence_page page;
    presence_changes(presence, *after, now, &page);
    *after = page.last;
    return page.count;
}

static void test_sessions_and_questions(void **state)
{
    (void)state;
    struct presence *presence = begun();
    int64_t now = 1000000, after = 0;
    assert_int_equal(presence_of(presence, "ada"), PRESENCE_OFFLINE);
    presence_opened(presence, "ada", now);
    presence_opened(presence, "ada", now += PRESENCE_EVERY_MS);
    presence_closed(presence, "ada", now += PRESENCE_EVERY_MS);
    assert_int_equal(presence_of(presence, "ada"), PRESENCE_ONLINE);
    presence_closed(presence, "ada", now += PRESENCE_EVERY_MS);
    assert_int_equal(presence_of(presence, "ada"), PRESENCE_OFFLINE);
    /* A page that asks, then one that nobody looks at, then none. */
    presence_seen(presence, "ada", false, now += PRESENCE_EVERY_MS);
    assert_int_equal(presence_of(presence, "ada"), PRESENCE_ONLINE);
    presence_seen(presence, "ada", true, now += PRESENCE_SEEN_MS - 1);
    assert_int_equal(presence_of(presence, "ada"), PRESENCE_ONLINE);
    presence_seen(presence, "ada", true, now += PRESENCE_EVERY_MS);
    assert_int_equal(presence_of(presence, "ada"), PRESENCE_AWAY);
    changes(presence, &after, now += PRESENCE_SEEN_MS);
    assert_int_equal(presence_of(presence, "ada"), PRESENCE_OFFLINE);
    presence_free(presence);
}

static void test_a_page_loaded_anew_is_no_change(void **state)
{
    (void)state;
    struct presence *presence = begun();
    int64_t now = 1000000, after = -1;
    presence_opened(presence, "ada", now);
    assert_int_equal(changes(presence, &after, now), 0);
    presence_closed(presence, "ada", now + 100);
    presence_opened(presence, "ada", now + 300);
    assert_int_equal(changes(presence, &after, now + PRESENCE_EVERY_MS), 0);
    presence_closed(presence, "ada", now + PRESENCE_EVERY_MS + 1);
    assert_int_equal(changes(presence, &after, now + PRESENCE_EVERY_MS + 2), 0);
    assert_int_equal(changes(presence, &after, now + 2 * PRESENCE_EVERY_MS), 1);
    assert_int_equal(changes(presence, &after, now + 3 * PRESENCE_EVERY_MS), 0);
    presence_touched(presence, "ada", now + 4 * PRESENCE_EVERY_MS);
    assert_int_equal(changes(presence, &after, now + 4 * PRESENCE_EVERY_MS), 1);
    presence_free(presence);
}

static void test_thousands(void **state)
{
    (void)state;
    static struct presence_page page;
    struct presence *presence = begun();
    int64_t now = 1000000;
    char name[CRYPTO_ID_CHARS + 1];
    presence_changes(presence, -1, now, &page);
    int64_t begun_at = page.last;
    for (int i = 0; i < PRESENCE_MAX + 100; i++) {
        snprintf(name, sizeof name, "p%d", i);
        presence_opened(presence, name, now);
    }
    presence_changes(presence, 0, now + PRESENCE_EVERY_MS, &page);
    assert_int_equal(page.last - begun_at, PRESENCE_MAX);
    assert_int_equal(page.count, PRESENCE_PAGE_MAX);
    assert_true(page.missed);
    /* One more than there is room for is offline, until somebody went for good. */
    presence_opened(presence, "late", now);
    presence_changes(presence, page.last, now += 2 * PRESENCE_EVERY_MS, &page);
    assert_int_equal(presence_of(presence, "late"), PRESENCE_OFFLINE);
    presence_closed(presence, "p7", now += PRESENCE_EVERY_MS);
    for (int i = 0; i < PRESENCE_MAX; i++) {
        snprintf(name, sizeof name, "p%d", i);
        if (i != 7)
            presence_touched(presence, name, now);
    }
    presence_changes(presence, page.last, now += PRESENCE_EVERY_MS, &page);
    presence_opened(presence, "late", now += PRESENCE_EVERY_MS);
    presence_changes(presence, page.last, now += PRESENCE_EVERY_MS, &page);
    assert_int_equal(presence_of(presence, "late"), PRESENCE_ONLINE);
    assert_int_equal(page.count, 1);
    assert_string_equal(page.items[0].account, "late");
    assert_false(page.missed);
    /* A number of before a restart. */
    presence_changes(presence, page.last + 1, now, &page);
    assert_true(page.missed);
    presence_free(presence);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sessions_and_questions),
        cmocka_unit_test(test_a_page_loaded_anew_is_no_change),
        cmocka_unit_test(test_thousands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
