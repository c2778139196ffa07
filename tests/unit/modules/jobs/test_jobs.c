#include "modules/jobs/jobs.h"

#include "core/clock.h"
#include "modules/jobs/job_rows.h"
#include "storage/vault/vault.h"
#include "tests/support/clock_shift.h"
#include "tests/support/scratch.h"

#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { PATIENCE_S = 30, SEEN_MAX = 4096 };

/* What a kind's runs tell the test. */
struct seen {
    sem_t ran, may_go;
    pthread_mutex_t mutex;
    bool hold; /* runs wait for may_go */
    enum status answer;
    uint32_t count, now, most;
    uint32_t attempt; /* of the last one */
    char payload[128], space[32], key[32];
};

struct stage {
    char path[SCRATCH_PATH_MAX];
    struct db *db;
    struct metrics *metrics;
    struct jobs *jobs;
    struct seen seen;
};

static void wait_for(sem_t *semaphore)
{
    struct timespec at;
    clock_gettime(CLOCK_REALTIME, &at);
    at.tv_sec += PATIENCE_S;
    assert_int_equal(sem_timedwait(semaphore, &at), 0);
}

static enum status see(void *context, const struct jobs_job *job, struct arena *arena)
{
    struct seen *seen = context;
    assert_non_null(arena_alloc(arena, 1000));
    pthread_mutex_lock(&seen->mutex);
    seen->count++;
    seen->attempt = job->attempt;
    snprintf(seen->payload, sizeof seen->payload, "%s", job->payload);
    snprintf(seen->space, sizeof seen->space, "%s", job->space ? job->space : "-");
    snprintf(seen->key, sizeof seen->key, "%s", job->key ? job->key : "-");
    if (++seen->now > seen->most)
        seen->most = seen->now;
    enum status answer = seen->answer;
    bool hold = seen->hold;
    pthread_mutex_unlock(&seen->mutex);
    sem_post(&seen->ran);
    while (hold && !atomic_load(job->ending) && sem_trywait(&seen->may_go) != 0)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    pthread_mutex_lock(&seen->mutex);
    seen->now--;
    pthread_mutex_unlock(&seen->mutex);
    return hold && atomic_load(job->ending) ? STATUS_AGAIN : answer;
}

static void answer_set(struct stage *stage, enum status answer, bool hold)
{
    pthread_mutex_lock(&stage->seen.mutex);
    stage->seen.answer = answer;
    stage->seen.hold = hold;
    pthread_mutex_unlock(&stage->seen.mutex);
}

static void jobs_begin(struct stage *stage, uint32_t at_once)
{
    const struct jobs_kind kind = {.name = "test",
                                   .run = see,
                                   .context = &stage->seen,
                                   .at_once = at_once,
                                   .attempts_max = 3,
                                   .retry_first_ms = 60000};
    assert_int_equal(jobs_new(stage->db, stage->metrics, &stage->jobs), STATUS_OK);
    assert_int_equal(jobs_kind_add(stage->jobs, &kind), STATUS_OK);
    assert_int_equal(jobs_kind_add(stage->jobs, &kind), STATUS_EXISTS);
    assert_int_equal(jobs_start(stage->jobs), STATUS_OK);
    assert_int_equal(jobs_kind_add(stage->jobs, &kind), STATUS_INVALID);
}

static int stage_begin(void **state)
{
    struct stage *stage = calloc(1, sizeof *stage);
    assert_non_null(stage);
    scratch_make(stage->path);
    stage->db = scratch_db(stage->path, 2);
    assert_int_equal(metrics_new(&stage->metrics), STATUS_OK);
    pthread_mutex_init(&stage->seen.mutex, NULL);
    sem_init(&stage->seen.ran, 0, 0);
    sem_init(&stage->seen.may_go, 0, 0);
    jobs_begin(stage, 1);
    *state = stage;
    return 0;
}

static int stage_end(void **state)
{
    struct stage *stage = *state;
    stage->jobs = jobs_free(stage->jobs);
    scratch_no_scans(stage->db);
    db_close(stage->db);
    metrics_free(stage->metrics);
    scratch_remove(stage->path);
    free(stage);
    return 0;
}

struct adding {
    struct jobs_new job;
    enum status answer; /* of the body */
};

static enum status add_run(struct db_session *session, void *arg)
{
    const struct adding *adding = arg;
    enum status status = jobs_add(session, &adding->job, clock_wall_ms());
    return status == STATUS_OK ? adding->answer : status;
}

static enum status add(struct stage *stage, const char *key, const char *payload, int64_t in_ms)
{
    struct adding adding = {
        .job = {.kind = "test", .key = key, .payload = payload, .due_ms = clock_wall_ms() + in_ms}};
    return db_write(stage->db, add_run, &adding);
}

static enum status cancel_run(struct db_session *session, void *arg)
{
    return jobs_cancel(session, "test", arg);
}

/* Waits until the rows say so. */
static void await_count(struct stage *stage, const char *sql, int64_t wanted)
{
    for (int i = 0; i < PATIENCE_S * 1000 && scratch_count(stage->db, sql) != wanted; i++)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    assert_int_equal(scratch_count(stage->db, sql), wanted);
}

static const char all[] = "SELECT count(*) FROM job WHERE kind = 'test'";
static const char counted[] = "SELECT jobs FROM job_kind WHERE kind = 'test'";

static bool metric_says(struct stage *stage, const char *line)
{
    char *text = metrics_print(stage->metrics);
    bool found = strstr(text, line) != NULL;
    free(text);
    return found;
}

static void test_runs_after_commit(void **state)
{
    struct stage *stage = *state;
    struct adding undone = {.job = {.kind = "test", .payload = "never"}, .answer = STATUS_DENIED};
    assert_int_equal(db_write(stage->db, add_run, &undone), STATUS_DENIED);
    assert_int_equal(add(stage, NULL, "{\"to\":\"\u4e0a\u6d77\"}", 0), STATUS_OK);
    wait_for(&stage->seen.ran);
    await_count(stage, all, 0);
    assert_int_equal(scratch_count(stage->db, counted), 0);
    assert_string_equal(stage->seen.payload, "{\"to\":\"\u4e0a\u6d77\"}");
    assert_string_equal(stage->seen.space, "-");
    assert_int_equal(stage->seen.count, 1);
    assert_true(metric_says(stage, "parley_jobs_done_total{kind=\"test\"} 1"));
}

static void test_waits_until_it_is_due(void **state)
{
    struct stage *stage = *state;
    assert_int_equal(add(stage, "late", "l", 3600000), STATUS_OK);
    assert_int_equal(add(stage, "soon", "s", 40), STATUS_OK);
    wait_for(&stage->seen.ran);
    assert_string_equal(stage->seen.key, "soon");
    await_count(stage, all, 1);
    clock_leap_ms(3600000);
    jobs_wake(stage->jobs);
    wait_for(&stage->seen.ran);
    assert_string_equal(stage->seen.key, "late");
    await_count(stage, all, 0);
}

static void test_fails_and_comes_again_later(void **state)
{
    struct stage *stage = *state;
    answer_set(stage, STATUS_IO, false);
    assert_int_equal(add(stage, "a", "a", 0), STATUS_OK);
    for (uint32_t attempt = 1; attempt <= 3; attempt++) {
        wait_for(&stage->seen.ran);
        assert_int_equal(stage->seen.attempt, attempt);
        await_count(stage, "SELECT count(*) FROM job WHERE lease > 0", 0);
        /* Not before its time. */
        clock_leap_ms(40000);
        jobs_wake(stage->jobs);
        await_count(stage, all, attempt < 3 ? 1 : 0);
        assert_int_equal(stage->seen.count, attempt);
        clock_leap_ms(attempt == 1 ? 40000 : 120000);
        jobs_wake(stage->jobs);
    }
    assert_int_equal(scratch_count(stage->db, counted), 0);
    assert_true(metric_says(stage, "parley_jobs_failures_total{kind=\"test\"} 3"));
    assert_true(metric_says(stage, "parley_jobs_given_up_total{kind=\"test\"} 1"));
}

static void test_hopeless_is_given_up_at_once(void **state)
{
    struct stage *stage = *state;
    answer_set(stage, STATUS_INVALID, false);
    assert_int_equal(add(stage, NULL, "x", 0), STATUS_OK);
    wait_for(&stage->seen.ran);
    await_count(stage, all, 0);
    assert_int_equal(stage->seen.count, 1);
}

static void test_one_for_each_key(void **state)
{
    struct stage *stage = *state;
    char key[] = "k";
    assert_int_equal(add(stage, key, "first", 3600000), STATUS_OK);
    assert_int_equal(add(stage, key, "second", 0), STATUS_OK);
    wait_for(&stage->seen.ran);
    assert_string_equal(stage->seen.payload, "second");
    await_count(stage, all, 0);
    assert_int_equal(scratch_count(stage->db, counted), 0);
    assert_int_equal(add(stage, key, "third", 3600000), STATUS_OK);
    assert_int_equal(db_write(stage->db, cancel_run, key), STATUS_OK);
    assert_int_equal(db_write(stage->db, cancel_run, key), STATUS_NOT_FOUND);
    assert_int_equal(scratch_count(stage->db, counted), 0);
}

static void test_made_anew_while_it_runs(void **state)
{
    struct stage *stage = *state;
    char key[] = "k";
    answer_set(stage, STATUS_OK, true);
    assert_int_equal(add(stage, key, "first", 0), STATUS_OK);
    wait_for(&stage->seen.ran);
    assert_int_equal(db_write(stage->db, cancel_run, key), STATUS_NOT_FOUND);
    assert_int_equal(add(stage, key, "second", 0), STATUS_OK);
    sem_post(&stage->seen.may_go);
    wait_for(&stage->seen.ran);
    assert_string_equal(stage->seen.payload, "second");
    assert_int_equal(stage->seen.attempt, 1);
    assert_int_equal(stage->seen.most, 1);
    sem_post(&stage->seen.may_go);
    await_count(stage, all, 0);
    assert_int_equal(scratch_count(stage->db, counted), 0);
}

static void test_few_of_a_kind_at_once(void **state)
{
    struct stage *stage = *state;
    jobs_free(stage->jobs);
    jobs_begin(stage, 2);
    answer_set(stage, STATUS_OK, true);
    for (int i = 0; i < 5; i++)
        assert_int_equal(add(stage, NULL, "x", 0), STATUS_OK);
    for (int i = 0; i < 5; i++) {
        wait_for(&stage->seen.ran);
        sem_post(&stage->seen.may_go);
    }
    await_count(stage, all, 0);
    assert_int_equal(stage->seen.most, 2);
}

static enum status doom_run(struct db_session *session, void *arg)
{
    (void)arg;
    return vault_space_doom(session, "lake");
}

static void test_payload_is_sealed_and_dies_with_its_space(void **state)
{
    struct stage *stage = *state;
    struct adding adding = {.job = {.kind = "test", .space = "lake", .payload = "x"}};
    assert_int_equal(db_write(stage->db, add_run, &adding), STATUS_CLOSED);
    assert_int_equal(vault_space_new(db_vault(stage->db), stage->db, "lake"), STATUS_OK);
    assert_int_equal(db_write(stage->db, add_run, &adding), STATUS_OK);
    wait_for(&stage->seen.ran);
    assert_string_equal(stage->seen.space, "lake");
    await_count(stage, all, 0);
    adding.job.due_ms = clock_wall_ms() + 1000;
    assert_int_equal(db_write(stage->db, add_run, &adding), STATUS_OK);
    assert_int_equal(db_write(stage->db, doom_run, NULL), STATUS_OK);
    assert_int_equal(vault_reap(db_vault(stage->db), stage->db), STATUS_OK);
    clock_leap_ms(2000);
    jobs_wake(stage->jobs);
    await_count(stage, all, 0);
    assert_int_equal(stage->seen.count, 1);
}

static void test_limits(void **state)
{
    struct stage *stage = *state;
    char *large = malloc(JOBS_PAYLOAD_MAX + 2), key[JOBS_KEY_MAX + 2];
    assert_non_null(large);
    memset(large, 'x', JOBS_PAYLOAD_MAX + 1);
    large[JOBS_PAYLOAD_MAX + 1] = '\0';
    assert_int_equal(add(stage, NULL, large, 3600000), STATUS_INVALID);
    assert_int_equal(add(stage, NULL, large + 1, 3600000), STATUS_OK);
    memset(key, 'x', sizeof key - 1);
    key[sizeof key - 1] = '\0';
    assert_int_equal(add(stage, key, "", 3600000), STATUS_INVALID);
    assert_int_equal(add(stage, key + 1, "", 3600000), STATUS_OK);
    free(large);
}

static enum status fill_run(struct db_session *session, void *arg)
{
    struct db_statement *update = db_prepare(session, "UPDATE job_kind SET jobs = $1"
                                                      " WHERE kind = 'test'");
    db_bind_int(update, 1, *(const int64_t *)arg);
    return db_run(update);
}

static void test_queue_has_an_end(void **state)
{
    struct stage *stage = *state;
    int64_t count = JOBS_WAITING_MAX - 1;
    assert_int_equal(add(stage, "a", "", 3600000), STATUS_OK);
    assert_int_equal(db_write(stage->db, fill_run, &count), STATUS_OK);
    assert_int_equal(add(stage, "b", "", 3600000), STATUS_OK);
    assert_int_equal(add(stage, "c", "", 3600000), STATUS_LIMIT);
    assert_int_equal(add(stage, "b", "again", 3600000), STATUS_OK);
    assert_int_equal(scratch_count(stage->db, counted), JOBS_WAITING_MAX);
}

static void test_stopping_costs_no_attempt(void **state)
{
    struct stage *stage = *state;
    answer_set(stage, STATUS_OK, true);
    assert_int_equal(add(stage, NULL, "x", 0), STATUS_OK);
    wait_for(&stage->seen.ran);
    stage->jobs = jobs_free(stage->jobs);
    assert_int_equal(scratch_count(stage->db, all), 1);
    answer_set(stage, STATUS_OK, false);
    jobs_begin(stage, 1);
    wait_for(&stage->seen.ran);
    assert_int_equal(stage->seen.attempt, 1);
    await_count(stage, all, 0);
}

static void test_waits_grow_and_spread(void **state)
{
    (void)state;
    const struct jobs_kind kind = {.retry_first_ms = 4000, .retry_max_ms = 60000};
    assert_int_equal(jobs_wait_ms(&kind, 1, 0), 3000);
    assert_int_equal(jobs_wait_ms(&kind, 1, 2000), 5000);
    assert_int_equal(jobs_wait_ms(&kind, 3, 0), 12000);
    assert_int_equal(jobs_wait_ms(&kind, 5, 0), 45000);
    assert_int_equal(jobs_wait_ms(&kind, 4000000000, 30000), 75000);
}

/* ---- kill -9 ---- */

enum { KILLED_JOBS = 20, KILLS = 8, KILL_AFTER = 2 };

/* Longer than PIPE_BUF never: whole or not at all. */
static enum status tell(void *context, const struct jobs_job *job, struct arena *arena)
{
    (void)arena;
    int number = atoi(job->payload);
    if (write(*(int *)context, &number, sizeof number) != sizeof number)
        _exit(3);
    nanosleep(&(struct timespec){.tv_nsec = 3000000}, NULL);
    return STATUS_OK;
}

static struct jobs *tellers_begin(struct db *db, int *report)
{
    const struct jobs_kind kind = {.name = "test", .run = tell, .context = report, .at_once = 3};
    struct jobs *jobs = NULL;
    assert_int_equal(jobs_new(db, NULL, &jobs), STATUS_OK);
    assert_int_equal(jobs_kind_add(jobs, &kind), STATUS_OK);
    assert_int_equal(jobs_start(jobs), STATUS_OK);
    return jobs;
}

static void child_main(const char *path, int report)
{
    alarm(PATIENCE_S); /* nobody waits for it longer than that */
    tellers_begin(scratch_db(path, 2), &report);
    for (;;)
        pause();
}

static void told(int report, int count, int runs[KILLED_JOBS])
{
    int number;
    for (int i = 0; i < count && read(report, &number, sizeof number) == sizeof number; i++) {
        assert_in_range(number, 0, KILLED_JOBS - 1);
        runs[number]++;
    }
}

static void numbers_add(const char *path)
{
    struct stage stage = {.db = scratch_db(path, 1)};
    for (int i = 0; i < KILLED_JOBS; i++) {
        char text[16];
        snprintf(text, sizeof text, "%d", i);
        assert_int_equal(add(&stage, NULL, text, 0), STATUS_OK);
    }
    db_close(stage.db);
}

/* Killed in mid-run, again and again: all that was added has run in the end. */
static void test_killed_in_mid_run(void **state)
{
    (void)state;
    char path[SCRATCH_PATH_MAX];
    int runs[KILLED_JOBS] = {0}, pipes[2];
    scratch_make(path);
    numbers_add(path);
    for (int i = 0; i < KILLS; i++) {
        assert_int_equal(pipe(pipes), 0);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0)
            child_main(path, pipes[1]);
        close(pipes[1]);
        told(pipes[0], KILL_AFTER, runs);
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, NULL, 0), child);
        told(pipes[0], INT32_MAX, runs);
        close(pipes[0]);
    }
    struct stage stage = {.db = scratch_db(path, 2)};
    assert_true(scratch_count(stage.db, all) > 0);
    assert_int_equal(pipe(pipes), 0);
    stage.jobs = tellers_begin(stage.db, &pipes[1]);
    await_count(&stage, all, 0);
    jobs_free(stage.jobs);
    close(pipes[1]);
    told(pipes[0], INT32_MAX, runs);
    close(pipes[0]);
    for (int i = 0; i < KILLED_JOBS; i++)
        assert_true(runs[i] > 0);
    assert_int_equal(scratch_count(stage.db, counted), 0);
    scratch_intact(stage.db);
    db_close(stage.db);
    scratch_remove(path);
}

int main(void)
{
#define STAGED(test) cmocka_unit_test_setup_teardown(test, stage_begin, stage_end)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_killed_in_mid_run), /* forks: before there are threads */
        cmocka_unit_test(test_waits_grow_and_spread),
        STAGED(test_runs_after_commit),
        STAGED(test_waits_until_it_is_due),
        STAGED(test_fails_and_comes_again_later),
        STAGED(test_hopeless_is_given_up_at_once),
        STAGED(test_one_for_each_key),
        STAGED(test_made_anew_while_it_runs),
        STAGED(test_few_of_a_kind_at_once),
        STAGED(test_payload_is_sealed_and_dies_with_its_space),
        STAGED(test_limits),
        STAGED(test_queue_has_an_end),
        STAGED(test_stopping_costs_no_attempt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
