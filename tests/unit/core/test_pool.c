#include "core/pool.h"
#include "tests/support/alloc_fail.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_blocks(void **state)
{
    (void)state;
    struct pool *pool;
    void *blocks[10];
    struct pool_config config = {.block_size = 100, .slab_blocks = 4, .blocks_max = 10};
    assert_int_equal(pool_new(&config, &pool), STATUS_OK);
    assert_int_equal(pool_slabs(pool), 1);
    for (int i = 0; i < 10; i++) {
        blocks[i] = pool_get(pool);
        assert_non_null(blocks[i]);
        assert_int_equal((uintptr_t)blocks[i] % 64, 0);
        memset(blocks[i], i, 128);
    }
    assert_null(pool_get(pool));
    assert_int_equal(pool_used(pool), 10);
    assert_int_equal(pool_slabs(pool), 3);
    for (int i = 0; i < 10; i++)
        assert_int_equal(((unsigned char *)blocks[i])[127], i);
    for (int i = 0; i < 10; i++)
        (i % 2 ? pool_put : pool_put_remote)(pool, blocks[i]);
    assert_int_equal(pool_used(pool), 0);
    for (int i = 0; i < 10; i++)
        assert_non_null(blocks[i] = pool_get(pool));
    assert_int_equal(pool_slabs(pool), 3);
    for (int i = 0; i < 10; i++)
        pool_put(pool, blocks[i]);
    assert_null(pool_free(pool));
    assert_null(pool_free(NULL));
}

static void test_refuses(void **state)
{
    (void)state;
    struct pool *pool = NULL;
    const struct pool_config bad[] = {
        {.block_size = 0, .slab_blocks = 1, .blocks_max = 1},
        {.block_size = 1, .slab_blocks = 0, .blocks_max = 1},
        {.block_size = 1, .slab_blocks = 1, .blocks_max = 0},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(pool_new(&bad[i], &pool), STATUS_INVALID);
    assert_null(pool);
}

enum { RETURNERS = 3, ROUNDS = 20000 };

struct returner {
    struct pool *pool;
    _Atomic(void *) block; /* handed over by the owner, NULL: none */
    _Atomic bool stop;
};

static void *give_back(void *arg)
{
    struct returner *returner = arg;
    while (!returner->stop || returner->block) {
        void *block = atomic_exchange(&returner->block, NULL);
        if (block)
            pool_put_remote(returner->pool, block);
        else
            sched_yield();
    }
    return NULL;
}

static void test_remote_put(void **state)
{
    (void)state;
    struct pool_config config = {.block_size = 64, .slab_blocks = 8, .blocks_max = 8};
    struct returner returners[RETURNERS];
    pthread_t threads[RETURNERS];
    struct pool *pool;
    assert_int_equal(pool_new(&config, &pool), STATUS_OK);
    for (int i = 0; i < RETURNERS; i++) {
        memset(&returners[i], 0, sizeof returners[i]);
        returners[i].pool = pool;
        assert_int_equal(pthread_create(&threads[i], NULL, give_back, &returners[i]), 0);
    }
    for (int sent = 0; sent < ROUNDS;) {
        struct returner *returner = &returners[sent % RETURNERS];
        void *block = returner->block ? NULL : pool_get(pool);
        if (!block) {
            sched_yield();
            continue;
        }
        memset(block, sent, 64);
        returner->block = block;
        sent++;
    }
    for (int i = 0; i < RETURNERS; i++) {
        returners[i].stop = true;
        pthread_join(threads[i], NULL);
    }
    assert_int_equal(pool_used(pool), 0);
    assert_int_equal(pool_slabs(pool), 1);
    pool_free(pool);
}

static enum status make(void *context)
{
    (void)context;
    struct pool *pool;
    struct pool_config config = {.block_size = 64, .slab_blocks = 1, .blocks_max = 2};
    enum status status = pool_new(&config, &pool);
    if (status != STATUS_OK)
        return status;
    void *first = pool_get(pool), *second = pool_get(pool);
    if (!second)
        status = STATUS_NO_MEMORY;
    else
        pool_put(pool, second);
    pool_put(pool, first);
    pool_free(pool);
    return status;
}

static void test_without_memory(void **state)
{
    (void)state;
    assert_int_equal(alloc_fail_each(make, NULL), 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blocks),
        cmocka_unit_test(test_refuses),
        cmocka_unit_test(test_remote_put),
        cmocka_unit_test(test_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
