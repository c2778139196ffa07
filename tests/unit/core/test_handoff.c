#include "core/handoff.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { PRODUCERS = 4, CONSUMERS = 4, ENTRIES_EACH = 5000, ROOM = 16 };

static void test_order_and_limit(void **state)
{
    (void)state;
    struct handoff *handoff = NULL;
    int entries[3];
    void *entry = NULL;
    assert_int_equal(handoff_new(0, &handoff), STATUS_INVALID);
    assert_int_equal(handoff_new(2, &handoff), STATUS_OK);
    for (int round = 0; round < 3; round++) {
        assert_int_equal(handoff_put(handoff, &entries[0]), STATUS_OK);
        assert_int_equal(handoff_put(handoff, &entries[1]), STATUS_OK);
        assert_int_equal(handoff_put(handoff, &entries[2]), STATUS_LIMIT);
        assert_int_equal(handoff_length(handoff), 2);
        assert_int_equal(handoff_take(handoff, 0, &entry), STATUS_OK);
        assert_ptr_equal(entry, &entries[0]);
        assert_int_equal(handoff_put(handoff, &entries[2]), STATUS_OK);
        for (int i = 1; i < 3; i++) {
            assert_int_equal(handoff_take(handoff, HANDOFF_FOREVER, &entry), STATUS_OK);
            assert_ptr_equal(entry, &entries[i]);
        }
    }
    assert_int_equal(handoff_take(handoff, 0, &entry), STATUS_TIMEOUT);
    assert_int_equal(handoff_take(handoff, 5, &entry), STATUS_TIMEOUT);
    assert_ptr_equal(entry, &entries[2]);
    assert_null(handoff_free(handoff));
    assert_null(handoff_free(NULL));
}

static void test_closed(void **state)
{
    (void)state;
    struct handoff *handoff = NULL;
    int value;
    void *entry = NULL;
    assert_int_equal(handoff_new(4, &handoff), STATUS_OK);
    assert_int_equal(handoff_put(handoff, &value), STATUS_OK);
    handoff_close(handoff);
    assert_int_equal(handoff_put(handoff, &value), STATUS_CLOSED);
    assert_int_equal(handoff_take(handoff, HANDOFF_FOREVER, &entry), STATUS_OK);
    assert_ptr_equal(entry, &value);
    assert_int_equal(handoff_take(handoff, HANDOFF_FOREVER, &entry), STATUS_CLOSED);
    handoff_free(handoff);
}

struct crowd {
    struct handoff *handoff;
    char entries[PRODUCERS * ENTRIES_EACH];
    atomic_int taken[PRODUCERS * ENTRIES_EACH];
    atomic_int next_producer;
};

static void *produce(void *arg)
{
    struct crowd *crowd = arg;
    int first = atomic_fetch_add(&crowd->next_producer, 1) * ENTRIES_EACH;
    for (int i = 0; i < ENTRIES_EACH; i++)
        while (handoff_put(crowd->handoff, &crowd->entries[first + i]) == STATUS_LIMIT)
            continue;
    return NULL;
}

static void *consume(void *arg)
{
    struct crowd *crowd = arg;
    void *entry;
    while (handoff_take(crowd->handoff, HANDOFF_FOREVER, &entry) == STATUS_OK)
        atomic_fetch_add(&crowd->taken[(char *)entry - crowd->entries], 1);
    return NULL;
}

static void test_crowd_takes_each_once(void **state)
{
    (void)state;
    static struct crowd crowd;
    pthread_t producers[PRODUCERS], consumers[CONSUMERS];
    assert_int_equal(handoff_new(ROOM, &crowd.handoff), STATUS_OK);
    for (int i = 0; i < CONSUMERS; i++)
        assert_int_equal(pthread_create(&consumers[i], NULL, consume, &crowd), 0);
    for (int i = 0; i < PRODUCERS; i++)
        assert_int_equal(pthread_create(&producers[i], NULL, produce, &crowd), 0);
    for (int i = 0; i < PRODUCERS; i++)
        pthread_join(producers[i], NULL);
    handoff_close(crowd.handoff);
    for (int i = 0; i < CONSUMERS; i++)
        pthread_join(consumers[i], NULL);
    for (int i = 0; i < PRODUCERS * ENTRIES_EACH; i++)
        assert_int_equal(atomic_load(&crowd.taken[i]), 1);
    handoff_free(crowd.handoff);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order_and_limit),
        cmocka_unit_test(test_closed),
        cmocka_unit_test(test_crowd_takes_each_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
