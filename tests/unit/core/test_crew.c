#include "core/crew.h"
#include "tests/support/alloc_fail.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* A gate that jobs wait at: makes "all threads busy" a condition, not a matter of time. */
struct gate {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool open;
    int waiting;
};

static struct gate gate = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static int close_gate(void **state)
{
    (void)state;
    gate.open = false;
    gate.waiting = 0;
    return 0;
}

static void wait_at_gate(void *arg)
{
    (void)arg;
    pthread_mutex_lock(&gate.lock);
    gate.waiting++;
    pthread_cond_broadcast(&gate.changed);
    while (!gate.open)
        pthread_cond_wait(&gate.changed, &gate.lock);
    pthread_mutex_unlock(&gate.lock);
}

static void open_gate(void)
{
    pthread_mutex_lock(&gate.lock);
    gate.open = true;
    pthread_cond_broadcast(&gate.changed);
    pthread_mutex_unlock(&gate.lock);
}

static void await_waiting(int count)
{
    pthread_mutex_lock(&gate.lock);
    while (gate.waiting < count)
        pthread_cond_wait(&gate.changed, &gate.lock);
    pthread_mutex_unlock(&gate.lock);
}

static void count_job(void *arg)
{
    atomic_uint *count = arg;
    atomic_fetch_add(count, crew_thread_index() < 3 ? 1 : 1000000);
}

static void test_all_jobs_run(void **state)
{
    (void)state;
    struct crew *crew;
    atomic_uint count = 0;
    assert_int_equal(crew_thread_index(), UINT32_MAX);
    assert_int_equal(crew_new("crew", 3, 5000, &crew), STATUS_OK);
    for (int i = 0; i < 5000; i++)
        assert_int_equal(crew_submit(crew, count_job, &count), STATUS_OK);
    assert_null(crew_free(crew));
    assert_int_equal(count, 5000);
    assert_null(crew_free(NULL));
    assert_int_equal(crew_new("crew", 0, 1, &crew), STATUS_INVALID);
    assert_int_equal(crew_new("crew", 1, 0, &crew), STATUS_INVALID);
}

static void test_limits(void **state)
{
    (void)state;
    struct crew *crew;
    struct strand *strand, *other;
    atomic_uint count = 0;
    assert_int_equal(crew_new("crew", 1, 3, &crew), STATUS_OK);
    assert_int_equal(strand_new(crew, 2, &strand), STATUS_OK);
    assert_int_equal(strand_new(crew, 2, &other), STATUS_OK);
    assert_int_equal(crew_submit(crew, wait_at_gate, NULL), STATUS_OK);
    await_waiting(1);
    assert_int_equal(crew_waiting(crew), 0);
    for (int i = 0; i < 2; i++)
        assert_int_equal(strand_submit(strand, count_job, &count), STATUS_OK);
    assert_int_equal(strand_submit(strand, count_job, &count), STATUS_LIMIT);
    for (int i = 0; i < 2; i++)
        assert_int_equal(crew_submit(crew, count_job, &count), STATUS_OK);
    assert_int_equal(crew_submit(crew, count_job, &count), STATUS_LIMIT);
    assert_int_equal(strand_submit(other, count_job, &count), STATUS_LIMIT);
    assert_int_equal(crew_waiting(crew), 3); /* the strand is one of them */
    open_gate();
    strand_free(strand);
    strand_free(other);
    crew_free(crew);
    assert_int_equal(count, 4);
}

/* Threads come with work and leave without; the next work finds the rest of the crew again. */
static void test_threads_come_and_go(void **state)
{
    (void)state;
    struct crew *crew;
    atomic_uint count = 0;
    assert_int_equal(crew_new("crew", 3, 100, &crew), STATUS_OK);
    crew_linger(crew, 1);
    for (int round = 0; round < 3; round++) {
        close_gate(NULL);
        assert_int_equal(crew_threads(crew), 1);
        for (int i = 0; i < 3; i++)
            assert_int_equal(crew_submit(crew, wait_at_gate, NULL), STATUS_OK);
        await_waiting(3);
        for (int i = 0; i < 50; i++) /* no more threads than it may have */
            assert_int_equal(crew_submit(crew, count_job, &count), STATUS_OK);
        assert_int_equal(crew_threads(crew), 3);
        open_gate();
        while (crew_threads(crew) > 1)
            sched_yield();
    }
    assert_int_equal(count, 150);
    crew_linger(crew, CREW_LINGER_MS);
    for (int i = 0; i < 1000;
         i++) { /* who comes while another leaves, and the end while all wait */
        assert_true(crew_submit(crew, count_job, &count) != STATUS_CLOSED);
        if (i % 100 == 0)
            crew_linger(crew, (uint32_t)i % 3);
    }
    crew_free(crew);
}

enum { STRANDS = 8, STRAND_JOBS = 500 };

struct log {
    uint32_t next;
    atomic_bool inside;
    bool overlapped, disorder;
};

struct entry {
    struct log *log;
    uint32_t number;
};

static void log_entry(void *arg)
{
    struct entry *entry = arg;
    struct log *log = entry->log;
    log->overlapped |= atomic_exchange(&log->inside, true);
    log->disorder |= log->next != entry->number;
    log->next++;
    atomic_store(&log->inside, false);
}

static void test_strands_keep_order(void **state)
{
    (void)state;
    static struct entry entries[STRANDS][STRAND_JOBS];
    static struct log logs[STRANDS];
    struct strand *strands[STRANDS];
    struct crew *crew;
    assert_int_equal(crew_new("crew", 4, STRANDS, &crew), STATUS_OK);
    for (int s = 0; s < STRANDS; s++)
        assert_int_equal(strand_new(crew, STRAND_JOBS, &strands[s]), STATUS_OK);
    for (uint32_t i = 0; i < STRAND_JOBS; i++) {
        for (int s = 0; s < STRANDS; s++) {
            entries[s][i] = (struct entry){.log = &logs[s], .number = i};
            assert_int_equal(strand_submit(strands[s], log_entry, &entries[s][i]), STATUS_OK);
        }
    }
    for (int s = 0; s < STRANDS; s++)
        assert_null(strand_free(strands[s])); /* accepted jobs still run */
    crew_free(crew);
    for (int s = 0; s < STRANDS; s++) {
        assert_int_equal(logs[s].next, STRAND_JOBS);
        assert_false(logs[s].overlapped || logs[s].disorder);
    }
}

static void submit_late(void *arg)
{
    struct strand *strand = arg;
    wait_at_gate(NULL);
    while (strand_submit(strand, wait_at_gate, NULL) != STATUS_CLOSED)
        ;
}

static void *free_crew(void *arg)
{
    crew_free(arg);
    return NULL;
}

/* A strand outlives its crew: what is offered meanwhile is refused, the memory goes with it. */
static void test_closed_crew(void **state)
{
    (void)state;
    struct crew *crew;
    struct strand *strand;
    pthread_t closer;
    assert_int_equal(crew_new("crew", 2, 100000, &crew), STATUS_OK);
    assert_int_equal(strand_new(crew, 1, &strand), STATUS_OK);
    assert_int_equal(strand_submit(strand, submit_late, strand), STATUS_OK);
    await_waiting(1);
    assert_int_equal(pthread_create(&closer, NULL, free_crew, crew), 0);
    open_gate();
    pthread_join(closer, NULL);
    assert_null(strand_free(strand));
    assert_null(strand_free(NULL));
}

static void free_own_strand(void *arg)
{
    strand_free(arg);
}

static void test_strand_freed_by_its_job(void **state)
{
    (void)state;
    struct crew *crew;
    struct strand *strand;
    assert_int_equal(crew_new("crew", 1, 10, &crew), STATUS_OK);
    assert_int_equal(strand_new(crew, 10, &strand), STATUS_OK);
    assert_int_equal(strand_new(crew, 0, &strand), STATUS_INVALID);
    assert_int_equal(strand_submit(strand, free_own_strand, strand), STATUS_OK);
    crew_free(crew);
}

static enum status make(void *context)
{
    (void)context;
    struct crew *crew = NULL;
    struct strand *strand = NULL;
    atomic_uint count = 0;
    enum status status = crew_new("crew", 2, 10, &crew);
    if (status == STATUS_OK)
        status = strand_new(crew, 10, &strand);
    if (status == STATUS_OK)
        status = crew_submit(crew, count_job, &count);
    if (status == STATUS_OK)
        status = strand_submit(strand, count_job, &count);
    strand_free(strand);
    crew_free(crew);
    return status;
}

static void test_without_memory(void **state)
{
    (void)state;
    assert_int_equal(alloc_fail_each(make, NULL), 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_jobs_run),
        cmocka_unit_test_setup(test_limits, close_gate),
        cmocka_unit_test(test_threads_come_and_go),
        cmocka_unit_test(test_strands_keep_order),
        cmocka_unit_test_setup(test_closed_crew, close_gate),
        cmocka_unit_test(test_strand_freed_by_its_job),
        cmocka_unit_test(test_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
