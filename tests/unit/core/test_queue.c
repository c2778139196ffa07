/* Rings and mailboxes between threads; the loop's letters, timers and descriptors. */
#include "core/call.h"
#include "core/clock.h"
#include "core/crew.h"
#include "core/loop.h"
#include "core/pool.h"
#include "core/queue.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <cmocka.h>

enum { ENTRIES = 200000 };

static void *produce(void *arg)
{
    struct ring *ring = arg;
    for (uint32_t i = 0; i < ENTRIES;) {
        if (ring_push(ring, &i))
            i++;
    }
    return NULL;
}

static void ring_keeps_order_between_threads(void **state)
{
    (void)state;
    struct ring *ring;
    assert_int_equal(ring_new(sizeof(uint32_t), 3, &ring), STATUS_INVALID);
    assert_int_equal(ring_new(sizeof(uint32_t), 64, &ring), STATUS_OK);
    pthread_t producer;
    assert_int_equal(pthread_create(&producer, NULL, produce, ring), 0);
    for (uint32_t expected = 0; expected < ENTRIES;) {
        uint32_t value;
        if (ring_pop(ring, &value)) {
            assert_int_equal(value, expected);
            expected++;
        }
    }
    pthread_join(producer, NULL);
    assert_int_equal(ring_length(ring), 0);
    ring_free(ring);
}

static void ring_is_bounded(void **state)
{
    (void)state;
    struct ring *ring;
    assert_int_equal(ring_new(1, 4, &ring), STATUS_OK);
    for (char c = 0; c < 4; c++)
        assert_true(ring_push(ring, &c));
    assert_false(ring_push(ring, "x"));
    assert_int_equal(ring_length(ring), 4);
    ring_free(ring);
}

static void count_one(void *arg)
{
    ++*(int *)arg;
}

static void mailbox_is_bounded_and_closes(void **state)
{
    (void)state;
    struct mailbox *mailbox;
    int count = 0;
    assert_int_equal(mailbox_new(40, &mailbox), STATUS_OK);
    for (int i = 0; i < 40; i++)
        assert_int_equal(mailbox_post(mailbox, count_one, &count), STATUS_OK);
    assert_int_equal(mailbox_post(mailbox, count_one, &count), STATUS_LIMIT);
    assert_int_equal(mailbox_drain(mailbox), 40);
    assert_int_equal(count, 40);
    mailbox_close(mailbox);
    assert_int_equal(mailbox_post(mailbox, count_one, &count), STATUS_CLOSED);
    mailbox_free(mailbox);
}

/* ---- the loop ---- */

struct loop_test {
    struct loop *loop;
    struct loop_timer early, late, again, never;
    int order[4], fired, repeats, pipe[2];
    struct loop_watch *watch;
    char seen;
};

static void *run(void *arg)
{
    loop_run(arg);
    return NULL;
}

static void early_fired(void *context)
{
    struct loop_test *test = context;
    test->order[test->fired++] = 1;
    loop_timer_stop(test->loop, &test->never);
}

static void late_fired(void *context)
{
    struct loop_test *test = context;
    test->order[test->fired++] = 2;
    loop_stop(test->loop);
}

static void again_fired(void *context)
{
    struct loop_test *test = context;
    if (++test->repeats < 5)
        loop_timer_start(test->loop, &test->again, 1);
}

static void never_fired(void *context)
{
    (void)context;
    fail();
}

static void readable(void *context, uint32_t events)
{
    struct loop_test *test = context;
    assert_true(events & EPOLLIN);
    assert_int_equal(read(test->pipe[0], &test->seen, 1), 1);
    test->watch = loop_fd_remove(test->watch);
}

static void loop_runs_timers_and_descriptors(void **state)
{
    (void)state;
    struct loop_test test = {0};
    assert_int_equal(loop_new("test", &test.loop), STATUS_OK);
    test.early = (struct loop_timer){.fn = early_fired, .context = &test};
    test.late = (struct loop_timer){.fn = late_fired, .context = &test};
    test.again = (struct loop_timer){.fn = again_fired, .context = &test};
    test.never = (struct loop_timer){.fn = never_fired, .context = &test};
    uint64_t start_ns = clock_mono_ns();
    loop_timer_start(test.loop, &test.late, 600); /* longer than the wheel is round */
    loop_timer_start(test.loop, &test.never, 88);
    loop_timer_start(test.loop, &test.early, 20);
    loop_timer_start(test.loop, &test.again, 0);
    assert_int_equal(pipe(test.pipe), 0);
    assert_int_equal(
        loop_fd_add(test.loop, test.pipe[0], EPOLLIN, "pipe", readable, &test, &test.watch),
        STATUS_OK);
    assert_int_equal(write(test.pipe[1], "x", 1), 1);
    loop_run(test.loop);
    assert_true(clock_mono_ns() - start_ns >= UINT64_C(600) * CLOCK_NS_PER_MS);
    assert_int_equal(test.fired, 2);
    assert_int_equal(test.order[0], 1);
    assert_int_equal(test.order[1], 2);
    assert_int_equal(test.repeats, 5);
    assert_int_equal(test.seen, 'x');
    assert_null(test.watch);
    close(test.pipe[0]);
    close(test.pipe[1]);
    loop_free(test.loop);
}

static void *ask(void *arg)
{
    struct loop *loop = arg;
    static _Thread_local int count;
    for (int i = 0; i < 1000; i++)
        assert_int_equal(loop_call(loop, count_one, &count), STATUS_OK);
    assert_int_equal(count, 1000);
    return NULL;
}

static void questions_are_answered_until_the_end(void **state)
{
    (void)state;
    struct loop *loop;
    pthread_t runner, askers[4];
    int count = 0;
    assert_int_equal(loop_new("test", &loop), STATUS_OK);
    assert_int_equal(pthread_create(&runner, NULL, run, loop), 0);
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&askers[i], NULL, ask, loop), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(askers[i], NULL);
    loop_stop(loop);
    pthread_join(runner, NULL);
    assert_int_equal(loop_call(loop, count_one, &count), STATUS_CLOSED);
    loop_free(loop);
}

/* ---- the pool ---- */

struct remote {
    struct pool *pool;
    struct ring *ring;
};

static void *give_back(void *arg)
{
    struct remote *remote = arg;
    void *block;
    for (int i = 0; i < 20000;) {
        if (ring_pop(remote->ring, &block)) {
            pool_put_remote(remote->pool, block);
            i++;
        }
    }
    return NULL;
}

static void blocks_come_back_from_other_threads(void **state)
{
    (void)state;
    struct pool_config config = {.block_size = 100, .slab_blocks = 8, .blocks_max = 32};
    struct remote remote;
    assert_int_equal(pool_new(&config, &remote.pool), STATUS_OK);
    assert_int_equal(ring_new(sizeof(void *), 16, &remote.ring), STATUS_OK);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, give_back, &remote), 0);
    for (int i = 0; i < 20000;) {
        void *block = pool_get(remote.pool);
        if (block == NULL)
            continue;
        assert_int_equal((uintptr_t)block % 64, 0);
        while (!ring_push(remote.ring, &block))
            continue;
        i++;
    }
    pthread_join(thread, NULL);
    assert_int_equal(pool_used(remote.pool), 0);
    assert_true(pool_slabs(remote.pool) <= 4);
    void *blocks[33];
    for (int i = 0; i < 32; i++)
        assert_non_null(blocks[i] = pool_get(remote.pool));
    assert_null(pool_get(remote.pool));
    for (int i = 0; i < 32; i++)
        pool_put(remote.pool, blocks[i]);
    ring_free(remote.ring);
    pool_free(remote.pool);
}

/* ---- crew and strands ---- */

struct stranded {
    struct strand *strand;
    int next;
    atomic_int inside;
};

struct step {
    struct stranded *stranded;
    int number;
};

static void step(void *arg)
{
    struct step *self = arg;
    assert_int_equal(atomic_fetch_add(&self->stranded->inside, 1), 0);
    assert_int_equal(self->stranded->next++, self->number);
    assert_true(crew_thread_index() < 4);
    atomic_fetch_sub(&self->stranded->inside, 1);
    free(self);
}

static void strands_run_in_order_one_at_a_time(void **state)
{
    (void)state;
    enum { STRANDS = 8, STEPS = 2000 };
    struct crew *crew;
    struct stranded stranded[STRANDS] = {0};
    assert_int_equal(crew_new("test", 4, 1000, &crew), STATUS_OK);
    for (int i = 0; i < STRANDS; i++)
        assert_int_equal(strand_new(crew, STEPS, &stranded[i].strand), STATUS_OK);
    for (int n = 0; n < STEPS; n++) {
        for (int i = 0; i < STRANDS; i++) {
            struct step *job = malloc(sizeof *job);
            assert_non_null(job);
            *job = (struct step){&stranded[i], n};
            assert_int_equal(strand_submit(stranded[i].strand, step, job), STATUS_OK);
        }
    }
    for (int i = 0; i < STRANDS; i++)
        strand_free(stranded[i].strand);
    crew_free(crew);
    for (int i = 0; i < STRANDS; i++)
        assert_int_equal(stranded[i].next, STEPS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ring_keeps_order_between_threads),
        cmocka_unit_test(ring_is_bounded),
        cmocka_unit_test(mailbox_is_bounded_and_closes),
        cmocka_unit_test(loop_runs_timers_and_descriptors),
        cmocka_unit_test(questions_are_answered_until_the_end),
        cmocka_unit_test(blocks_come_back_from_other_threads),
        cmocka_unit_test(strands_run_in_order_one_at_a_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
