#include "core/arena.h"
#include "tests/support/alloc_fail.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_zeroed_and_aligned(void **state)
{
    (void)state;
    struct arena *arena;
    assert_int_equal(arena_new(1 << 20, &arena), STATUS_OK);
    for (size_t size = 0; size < 3000; size += 7) {
        unsigned char *memory = arena_alloc(arena, size);
        assert_non_null(memory);
        assert_int_equal((uintptr_t)memory % 16, 0);
        for (size_t i = 0; i < size; i++)
            assert_int_equal(memory[i], 0);
        memset(memory, 0xa5, size);
    }
    arena_reset(arena);
    unsigned char *again = arena_alloc(arena, 64);
    assert_int_equal(again[63], 0);
    assert_null(arena_free(arena));
    assert_null(arena_free(NULL));
}

static void test_limit(void **state)
{
    (void)state;
    struct arena *arena;
    assert_int_equal(arena_new(10000, &arena), STATUS_OK);
    assert_non_null(arena_alloc(arena, 6000));
    assert_null(arena_alloc(arena, 6000));
    assert_non_null(arena_alloc(arena, 4000));
    assert_null(arena_alloc(arena, 1));
    arena_reset(arena);
    assert_null(arena_alloc(arena, SIZE_MAX));
    assert_null(arena_alloc(arena, 10001));
    assert_null(arena_strndup(arena, "x", SIZE_MAX));
    assert_non_null(arena_alloc(arena, 10000));
    arena_free(arena);
}

static void test_texts(void **state)
{
    (void)state;
    struct arena *arena;
    assert_int_equal(arena_new(1 << 16, &arena), STATUS_OK);
    assert_string_equal(arena_strdup(arena, "hello"), "hello");
    assert_string_equal(arena_strndup(arena, "hello", 3), "hel");
    assert_string_equal(arena_strndup(arena, NULL, 0), "");
    assert_string_equal(arena_printf(arena, "%d-%s", 5, "x"), "5-x");
    assert_null(arena_printf(arena, "%70000d", 1));
    arena_free(arena);
}

static enum status fill(void *context)
{
    (void)context;
    struct arena *arena;
    enum status status = arena_new(1 << 20, &arena);
    if (status != STATUS_OK)
        return status;
    for (int i = 0; i < 8 && status == STATUS_OK; i++)
        status = arena_alloc(arena, 3000) ? STATUS_OK : STATUS_NO_MEMORY;
    arena_free(arena);
    return status;
}

static void test_without_memory(void **state)
{
    (void)state;
    assert_true(alloc_fail_each(fill, NULL) >= 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_zeroed_and_aligned),
        cmocka_unit_test(test_limit),
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
