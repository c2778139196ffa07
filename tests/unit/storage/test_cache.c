#include "storage/cache.h"

#include "storage/event.h"
#include "tests/support/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static bool holds(struct cache *cache, const char *key, const char *value)
{
    char found[CACHE_VALUE_MAX];
    size_t length = 0;
    return cache_get(cache, key, found, sizeof found, &length) && length == strlen(value) &&
           memcmp(found, value, length) == 0;
}

static void keep(struct cache *cache, const char *scope, const char *key, const char *value)
{
    cache_put(cache, cache_mark(cache), scope, key, value, strlen(value));
}

static void test_keeps_until_stale(void **state)
{
    (void)state;
    struct cache *cache;
    assert_int_equal(cache_new(NULL, &cache), STATUS_OK);
    keep(cache, "a", "one", "1");
    keep(cache, "b", "two", "2");
    keep(cache, "b", "two", "2 again");
    assert_true(holds(cache, "one", "1"));
    assert_true(holds(cache, "two", "2 again"));
    const uint64_t scope = cache_scope_of("a");
    cache_stale(cache, &scope, 1);
    assert_false(holds(cache, "one", "1"));
    assert_true(holds(cache, "two", "2 again"));
    keep(cache, "a", "one", "new");
    assert_true(holds(cache, "one", "new"));
    cache_stale(cache, NULL, 0);
    assert_false(holds(cache, "one", "new"));
    assert_false(holds(cache, "two", "2 again"));
    assert_null(cache_free(cache));
}

/* What was read before the change must not be kept after it. */
static void test_forgets_what_was_read_meanwhile(void **state)
{
    (void)state;
    struct cache *cache;
    assert_int_equal(cache_new(NULL, &cache), STATUS_OK);
    const uint64_t scope = cache_scope_of("a");
    uint64_t mark = cache_mark(cache);
    cache_stale(cache, &scope, 1);
    cache_put(cache, mark, "a", "one", "old", 3);
    assert_false(holds(cache, "one", "old"));
    cache_put(cache, mark, "b", "two", "fine", 4);
    assert_true(holds(cache, "two", "fine"));
    cache_free(cache);
}

static void test_is_bounded(void **state)
{
    (void)state;
    struct cache *cache;
    char key[CACHE_KEY_MAX + 8], large[CACHE_VALUE_MAX + 1] = {0};
    size_t kept = 0;
    assert_int_equal(cache_new(NULL, &cache), STATUS_OK);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 4 * CACHE_SLOTS; i++) {
            snprintf(key, sizeof key, "key %d", i);
            if (round == 0)
                keep(cache, "a", key, key);
            else
                kept += holds(cache, key, key);
        }
    }
    assert_in_range(kept, CACHE_SLOTS / 2, CACHE_SLOTS);
    cache_put(cache, cache_mark(cache), "a", "large", large, sizeof large);
    assert_false(holds(cache, "large", ""));
    memset(key, 'x', sizeof key - 1);
    key[sizeof key - 1] = '\0';
    keep(cache, "a", key, "v");
    assert_false(holds(cache, key, "v"));
    cache_free(cache);
}

struct change {
    const char *type;
    enum status answer;
};

static enum status change_run(struct db_session *session, void *arg)
{
    const struct change *change = arg;
    enum status status = event_write_id(session, "scope", change->type, "x", 1);
    return status == STATUS_OK ? change->answer : status;
}

/* By events: what says nothing of rights leaves it, what fails may. */
static void test_events_make_stale(void **state)
{
    (void)state;
    char path[SCRATCH_PATH_MAX];
    scratch_make(path);
    struct db *db = scratch_db(path, 1);
    keep(db_cache(db), "scope", "key", "v");
    struct change change = {"message.added", STATUS_OK};
    assert_int_equal(db_write(db, change_run, &change), STATUS_OK);
    assert_true(holds(db_cache(db), "key", "v"));
    change.type = "member.updated";
    assert_int_equal(db_write(db, change_run, &change), STATUS_OK);
    assert_false(holds(db_cache(db), "key", "v"));
    db_close(db);
    scratch_remove(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keeps_until_stale),
        cmocka_unit_test(test_forgets_what_was_read_meanwhile),
        cmocka_unit_test(test_is_bounded),
        cmocka_unit_test(test_events_make_stale),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
