#include "storage/event.h"

#include "tests/support/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ARENA_BYTES = 1 << 20 };

struct fixture {
    char path[SCRATCH_PATH_MAX];
    struct db *db;
    struct arena *arena;
};

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    assert_non_null(fixture);
    scratch_make(fixture->path);
    fixture->db = scratch_db(fixture->path, 1);
    assert_int_equal(arena_new(ARENA_BYTES, &fixture->arena), STATUS_OK);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    arena_free(fixture->arena);
    db_close(fixture->db);
    scratch_remove(fixture->path);
    free(fixture);
    return 0;
}

/* `count` events of a scope, made at the times first_ms, first_ms + 1 ... in one transaction. */
struct batch {
    const char *scope;
    int64_t first_ms;
    int count;
    int64_t last_seq;
    enum status answer;
};

static enum status batch_run(struct db_session *session, void *arg)
{
    struct batch *batch = arg;
    for (int i = 0; i < batch->count; i++) {
        char id[16];
        snprintf(id, sizeof id, "%d", i);
        enum status status = event_write_id(session, batch->scope, "test", id, batch->first_ms + i);
        if (status != STATUS_OK)
            return status;
    }
    enum status status = event_write(session, batch->scope, "end", "{}",
                                     batch->first_ms + batch->count, &batch->last_seq);
    return status != STATUS_OK ? status : batch->answer;
}

/* count events and one more; the seq of the last. */
static int64_t write_batch(struct fixture *fixture, const char *scope, int64_t first_ms, int count)
{
    struct batch batch = {.scope = scope, .first_ms = first_ms, .count = count};
    assert_int_equal(db_write(fixture->db, batch_run, &batch), STATUS_OK);
    return batch.last_seq;
}

static void test_order_and_scopes(void **state)
{
    struct fixture *fixture = *state;
    struct event_list list;
    int64_t last = -1;
    assert_int_equal(event_last(fixture->db, &last), STATUS_OK);
    assert_int_equal(last, 0);
    write_batch(fixture, "one", 100, 2);
    write_batch(fixture, "two", 200, 1);
    int64_t end = write_batch(fixture, "one", 300, 0);
    assert_int_equal(event_last(fixture->db, &last), STATUS_OK);
    assert_int_equal(last, end);
    assert_int_equal(event_list(fixture->db, "one", 0, fixture->arena, &list), STATUS_OK);
    assert_int_equal(list.count, 4);
    assert_false(list.more);
    assert_string_equal(list.items[1].type, "test");
    assert_string_equal(list.items[1].payload, "{\"id\":\"1\"}");
    assert_int_equal(list.items[1].created, 101);
    for (size_t i = 1; i < list.count; i++)
        assert_true(list.items[i].seq > list.items[i - 1].seq);
    assert_int_equal(event_list(fixture->db, "one", list.items[2].seq, fixture->arena, &list),
                     STATUS_OK);
    assert_int_equal(list.count, 1);
    assert_int_equal(list.items[0].seq, end);
    assert_int_equal(event_list(fixture->db, "none", 0, fixture->arena, &list), STATUS_OK);
    assert_int_equal(list.count, 0);
}

static void test_event_goes_with_its_transaction(void **state)
{
    struct fixture *fixture = *state;
    struct batch batch = {.scope = "one", .count = 3, .answer = STATUS_DENIED};
    int64_t last = -1;
    assert_int_equal(db_write(fixture->db, batch_run, &batch), STATUS_DENIED);
    assert_int_equal(event_last(fixture->db, &last), STATUS_OK);
    assert_int_equal(last, 0);
}

static enum status long_id(struct db_session *session, void *arg)
{
    return event_write_id(session, "one", "test", arg, 1);
}

static void test_long_id_is_refused(void **state)
{
    struct fixture *fixture = *state;
    char id[80];
    memset(id, 'a', sizeof id);
    id[79] = '\0';
    assert_int_equal(db_write(fixture->db, long_id, id), STATUS_INVALID);
    id[64] = '\0';
    assert_int_equal(db_write(fixture->db, long_id, id), STATUS_OK);
}

static void test_pages(void **state)
{
    struct fixture *fixture = *state;
    struct event_list list = {.more = true};
    write_batch(fixture, "one", 0, EVENT_LIST_MAX * 2 - 1);
    int64_t after = 0;
    for (int page = 0; page < 2; page++) {
        assert_true(list.more);
        arena_reset(fixture->arena);
        assert_int_equal(event_list(fixture->db, "one", after, fixture->arena, &list), STATUS_OK);
        assert_int_equal(list.count, EVENT_LIST_MAX);
        after = list.items[list.count - 1].seq;
    }
    assert_false(list.more);
}

static void test_pruned_are_known_as_such(void **state)
{
    struct fixture *fixture = *state;
    struct event_list list;
    int64_t removed = -1, last = 0;
    int64_t old_end = write_batch(fixture, "one", 1000, EVENT_PRUNE_MAX * 2 + 10);
    int64_t end = write_batch(fixture, "one", 1000000, 4);
    assert_int_equal(event_prune(fixture->db, 500000, &removed), STATUS_OK);
    assert_int_equal(removed, EVENT_PRUNE_MAX * 2 + 11);
    assert_int_equal(event_prune(fixture->db, 500000, &removed), STATUS_OK);
    assert_int_equal(removed, 0);
    assert_int_equal(event_list(fixture->db, "one", old_end - 1, fixture->arena, &list),
                     STATUS_OUT_OF_WINDOW);
    assert_int_equal(event_list(fixture->db, "one", 0, fixture->arena, &list),
                     STATUS_OUT_OF_WINDOW);
    assert_int_equal(event_list(fixture->db, "one", old_end, fixture->arena, &list), STATUS_OK);
    assert_int_equal(list.count, 5);
    /* Nor can be known what somebody saw who claims to have seen the future. */
    assert_int_equal(event_list(fixture->db, "one", end + 1, fixture->arena, &list),
                     STATUS_OUT_OF_WINDOW);
    assert_int_equal(event_list(fixture->db, "one", end, fixture->arena, &list), STATUS_OK);
    assert_int_equal(list.count, 0);
    /* All gone: numbers go on where they were, also after a restart. */
    assert_int_equal(event_prune(fixture->db, INT64_MAX, &removed), STATUS_OK);
    assert_int_equal(removed, 5);
    fixture->db = db_close(fixture->db);
    fixture->db = scratch_db(fixture->path, 1);
    assert_int_equal(event_last(fixture->db, &last), STATUS_OK);
    assert_int_equal(last, end);
    assert_int_equal(event_list(fixture->db, "one", end, fixture->arena, &list), STATUS_OK);
    assert_true(write_batch(fixture, "one", 1, 0) > end);
}

static void test_small_arenas(void **state)
{
    struct fixture *fixture = *state;
    struct event_list list;
    enum status status = STATUS_NO_MEMORY;
    write_batch(fixture, "one", 0, 5);
    for (size_t limit = 0; status == STATUS_NO_MEMORY; limit += 1000) {
        struct arena *arena = NULL;
        assert_int_equal(arena_new(limit + 1, &arena), STATUS_OK);
        status = event_list(fixture->db, "one", 0, arena, &list);
        assert_true(status == STATUS_OK || status == STATUS_NO_MEMORY);
        arena_free(arena);
    }
}

static void test_plans(void **state)
{
    struct fixture *fixture = *state;
    int64_t removed, last;
    struct event_list list;
    write_batch(fixture, "one", 1, 5);
    assert_int_equal(event_prune(fixture->db, 1000, &removed), STATUS_OK);
    assert_int_equal(event_last(fixture->db, &last), STATUS_OK);
    assert_int_equal(event_list(fixture->db, "one", last, fixture->arena, &list), STATUS_OK);
    scratch_no_scans(fixture->db);
    scratch_uses(fixture->db, "event_scope");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_order_and_scopes),
        TEST(test_event_goes_with_its_transaction),
        TEST(test_long_id_is_refused),
        TEST(test_pages),
        TEST(test_pruned_are_known_as_such),
        TEST(test_small_arenas),
        TEST(test_plans),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
