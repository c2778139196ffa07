/*
 * One thread, the dispatcher, looks which jobs are due, leases them in one transaction and hands
 * them to the crew; then it sleeps until the next one is due, something is added (db_listen) or a
 * run has ended. So an idle queue costs a look a minute, and a busy one no more commits than it
 * needs.
 */
#include "modules/jobs/jobs.h"

#include "core/clock.h"
#include "core/crew.h"
#include "core/handoff.h"
#include "core/log.h"
#include "modules/jobs/job_rows.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ATTEMPTS_MAX = 10,
    LEASE_MS = 300000,
    RETRY_FIRST_MS = 5000,
    RETRY_MAX_MS = 3600000,
    FAULT_WAIT_MS = 1000, /* after the database failed the dispatcher */
};

struct kind {
    struct jobs_kind wish; /* with the defaults filled in */
    atomic_uint running;
    struct metric *waiting, *done, *failed, *given_up;
};

/* What one thread of the crew does; the dispatcher fills it while it is not busy. */
struct run {
    struct jobs *jobs;
    struct kind *kind;
    struct job_lease lease;
    struct arena *arena;
    atomic_bool busy;
};

struct jobs {
    struct db *db;
    struct metrics *metrics;
    struct crew *crew;
    struct handoff *wake; /* one entry: somebody wants a look */
    pthread_t dispatcher;
    bool dispatching, listening;
    atomic_bool ending;
    uint32_t kind_count, first_kind; /* whose turn it is to be leased first */
    struct kind kinds[JOBS_KINDS_MAX];
    struct run runs[JOBS_THREADS];
};

int64_t jobs_wait_ms(const struct jobs_kind *kind, uint32_t attempt, uint32_t random)
{
    int64_t wait = kind->retry_max_ms;
    uint32_t doublings = attempt > 0 ? attempt - 1 : 0;
    if (doublings < 30 && kind->retry_first_ms << doublings < kind->retry_max_ms)
        wait = kind->retry_first_ms << doublings;
    return wait - wait / 4 + (int64_t)(random % (uint64_t)(wait / 2 + 1));
}

void jobs_wake(struct jobs *jobs)
{
    /* Full: it has been asked to look already. */
    (void)!handoff_put(jobs->wake, jobs);
}

static void on_signal(void *context)
{
    jobs_wake(context);
}

/* ---- one run ---- */

struct ending {
    struct run *run;
    int64_t due_ms;
    uint32_t attempts;
};

static enum status end_run(struct db_session *session, void *arg)
{
    const struct ending *ending = arg;
    return job_end(session, &ending->run->lease, ending->run->kind->wish.name);
}

static enum status put_back_run(struct db_session *session, void *arg)
{
    const struct ending *ending = arg;
    return job_put_back(session, &ending->run->lease, ending->due_ms, ending->attempts);
}

struct loading {
    const struct run *run;
    struct jobs_job job;
};

static enum status load_run(struct db_session *session, void *arg)
{
    struct loading *loading = arg;
    return job_load(session, &loading->run->lease, loading->run->kind->wish.name,
                    loading->run->arena, &loading->job);
}

static enum status carry_out(struct run *run)
{
    struct loading loading = {.run = run};
    enum status status = db_read(run->jobs->db, load_run, &loading);
    /* What cannot be opened any more never will be. */
    if (status == STATUS_CLOSED || status == STATUS_CORRUPT)
        return STATUS_INVALID;
    if (status != STATUS_OK)
        return status;
    loading.job.ending = &run->jobs->ending;
    return run->kind->wish.run(run->kind->wish.context, &loading.job, run->arena);
}

/* Counts and logs how it went, and says what becomes of the row. */
static db_body *judge(struct run *run, enum status status, struct ending *ending)
{
    const struct jobs_kind *wish = &run->kind->wish;
    uint32_t attempt = run->lease.attempt;
    *ending = (struct ending){.run = run, .due_ms = clock_wall_ms(), .attempts = attempt};
    if (status == STATUS_OK) {
        metric_add(run->kind->done, 1);
        return end_run;
    }
    if (atomic_load(&run->jobs->ending) && status != STATUS_INVALID) {
        ending->attempts = attempt - 1;
        return put_back_run;
    }
    metric_add(run->kind->failed, 1);
    bool over = status == STATUS_INVALID || attempt >= wish->attempts_max;
    if (over)
        metric_add(run->kind->given_up, 1);
    log_event(LOG_JOBS, LOG_WARN, over ? "given_up" : "failed",
              "kind=%s job=%s attempt=%" PRIu32 " status=%s", wish->name, run->lease.id, attempt,
              status_name(status));
    ending->due_ms += jobs_wait_ms(wish, attempt, crypto_random_u32());
    return over ? end_run : put_back_run;
}

static void run_main(void *arg)
{
    struct run *run = arg;
    struct jobs *jobs = run->jobs;
    struct ending ending;
    db_body *body = judge(run, carry_out(run), &ending);
    enum status status = db_write(jobs->db, body, &ending);
    /* Not written: its lease ends, and it runs again. */
    if (status != STATUS_OK && status != STATUS_NOT_FOUND)
        log_event(LOG_JOBS, LOG_ERROR, "end_not_written", "kind=%s job=%s status=%s",
                  run->kind->wish.name, run->lease.id, status_name(status));
    arena_reset(run->arena);
    atomic_fetch_sub(&run->kind->running, 1);
    atomic_store(&run->busy, false);
    jobs_wake(jobs);
}

/* ---- the dispatcher ---- */

struct turn {
    struct jobs *jobs;
    int64_t now_ms;
    int64_t next_due_ms; /* of kinds that have room */
    int64_t counts[JOBS_KINDS_MAX];
    struct job_lease leases[JOBS_THREADS];
    struct kind *kinds[JOBS_THREADS]; /* whose lease */
    uint32_t free, leased;
};

static uint32_t room_of(const struct kind *kind)
{
    uint32_t running = atomic_load(&kind->running);
    return running < kind->wish.at_once ? kind->wish.at_once - running : 0;
}

static enum status look_run(struct db_session *session, void *arg)
{
    struct turn *turn = arg;
    struct jobs *jobs = turn->jobs;
    enum status status = STATUS_OK;
    turn->next_due_ms = INT64_MAX;
    for (uint32_t i = 0; status == STATUS_OK && i < jobs->kind_count; i++) {
        int64_t due_ms = INT64_MAX;
        if (room_of(&jobs->kinds[i]) > 0)
            status = job_next(session, jobs->kinds[i].wish.name, turn->now_ms, &due_ms);
        if (due_ms < turn->next_due_ms)
            turn->next_due_ms = due_ms;
        if (status == STATUS_OK)
            status = job_count(session, jobs->kinds[i].wish.name, &turn->counts[i]);
    }
    return status;
}

static enum status lease_run(struct db_session *session, void *arg)
{
    struct turn *turn = arg;
    struct jobs *jobs = turn->jobs;
    enum status status = STATUS_OK;
    turn->leased = 0;
    for (uint32_t i = 0; status == STATUS_OK && i < jobs->kind_count; i++) {
        struct kind *kind = &jobs->kinds[(jobs->first_kind + i) % jobs->kind_count];
        uint32_t room = room_of(kind), left = turn->free - turn->leased, count = 0;
        if (room == 0 || left == 0)
            continue;
        status =
            job_lease(session, kind->wish.name, turn->now_ms, turn->now_ms + kind->wish.lease_ms,
                      room < left ? room : left, &turn->leases[turn->leased], &count);
        for (uint32_t k = 0; k < count; k++)
            turn->kinds[turn->leased + k] = kind;
        turn->leased += count;
    }
    return status;
}

static struct run *run_free(struct jobs *jobs)
{
    for (size_t i = 0; i < JOBS_THREADS; i++) {
        if (!atomic_load(&jobs->runs[i].busy))
            return &jobs->runs[i];
    }
    return NULL;
}

static void hand_out(struct jobs *jobs, const struct turn *turn)
{
    for (uint32_t i = 0; i < turn->leased; i++) {
        struct run *run = run_free(jobs);
        run->kind = turn->kinds[i];
        run->lease = turn->leases[i];
        atomic_store(&run->busy, true);
        atomic_fetch_add(&run->kind->running, 1);
        if (crew_submit(jobs->crew, run_main, run) == STATUS_OK)
            continue;
        /* Its lease ends by itself. */
        atomic_fetch_sub(&run->kind->running, 1);
        atomic_store(&run->busy, false);
    }
}

/* Starts what is due and can be; ms until the next look. */
static int64_t turn_take(struct jobs *jobs)
{
    struct turn turn = {.jobs = jobs, .now_ms = clock_wall_ms()};
    for (size_t i = 0; i < JOBS_THREADS; i++)
        turn.free += !atomic_load(&jobs->runs[i].busy);
    enum status status = db_read(jobs->db, look_run, &turn);
    bool due = turn.next_due_ms <= turn.now_ms && turn.free > 0;
    for (uint32_t i = 0; status == STATUS_OK && i < jobs->kind_count; i++)
        metric_set(jobs->kinds[i].waiting, turn.counts[i]);
    if (status == STATUS_OK && due)
        status = db_write(jobs->db, lease_run, &turn);
    if (status != STATUS_OK) {
        log_event(LOG_JOBS, LOG_ERROR, "queue_unreadable", "status=%s", status_name(status));
        return FAULT_WAIT_MS;
    }
    jobs->first_kind++;
    hand_out(jobs, &turn);
    if (turn.leased > 0)
        return 0; /* there may be more */
    if (due || turn.free == 0 || turn.next_due_ms - turn.now_ms > JOBS_SLEEP_MAX_MS)
        return JOBS_SLEEP_MAX_MS; /* the end of a run wakes it */
    return turn.next_due_ms - turn.now_ms;
}

static void *dispatcher_main(void *arg)
{
    struct jobs *jobs = arg;
    while (!atomic_load(&jobs->ending)) {
        void *entry;
        (void)!handoff_take(jobs->wake, turn_take(jobs), &entry);
    }
    return NULL;
}

/* ---- beginning and end ---- */

enum status jobs_new(struct db *db, struct metrics *metrics, struct jobs **ret_jobs)
{
    struct jobs *jobs = calloc(1, sizeof *jobs);
    if (jobs == NULL)
        return STATUS_NO_MEMORY;
    jobs->db = db;
    jobs->metrics = metrics;
    atomic_init(&jobs->ending, false);
    enum status status = handoff_new(1, &jobs->wake);
    for (size_t i = 0; status == STATUS_OK && i < JOBS_THREADS; i++) {
        jobs->runs[i].jobs = jobs;
        atomic_init(&jobs->runs[i].busy, false);
        status = arena_new(JOBS_ARENA_MAX, &jobs->runs[i].arena);
    }
    if (status != STATUS_OK) {
        jobs_free(jobs);
        return status;
    }
    *ret_jobs = jobs;
    return STATUS_OK;
}

static void metrics_add(struct kind *kind, struct metrics *metrics)
{
    char label[JOBS_KIND_NAME_MAX + 32];
    if (metrics == NULL)
        return;
    snprintf(label, sizeof label, "kind=\"%s\"", kind->wish.name);
    kind->waiting = metrics_gauge(metrics, "parley_jobs_waiting", label,
                                  "Jobs there are, due or not, those that run too.");
    kind->done = metrics_counter(metrics, "parley_jobs_done_total", label, "Jobs done.");
    kind->failed =
        metrics_counter(metrics, "parley_jobs_failures_total", label, "Attempts that failed.");
    kind->given_up = metrics_counter(metrics, "parley_jobs_given_up_total", label,
                                     "Jobs that will not be tried again.");
}

enum status jobs_kind_add(struct jobs *jobs, const struct jobs_kind *wish)
{
    if (wish->name == NULL || wish->run == NULL || strlen(wish->name) > JOBS_KIND_NAME_MAX ||
        jobs->dispatching)
        return STATUS_INVALID;
    if (jobs->kind_count == JOBS_KINDS_MAX)
        return STATUS_LIMIT;
    for (uint32_t i = 0; i < jobs->kind_count; i++) {
        if (strcmp(jobs->kinds[i].wish.name, wish->name) == 0)
            return STATUS_EXISTS;
    }
    struct kind *kind = &jobs->kinds[jobs->kind_count++];
    kind->wish = *wish;
    kind->wish.at_once = wish->at_once > 0 ? wish->at_once : 1;
    kind->wish.attempts_max = wish->attempts_max > 0 ? wish->attempts_max : ATTEMPTS_MAX;
    kind->wish.lease_ms = wish->lease_ms > 0 ? wish->lease_ms : LEASE_MS;
    kind->wish.retry_first_ms = wish->retry_first_ms > 0 ? wish->retry_first_ms : RETRY_FIRST_MS;
    kind->wish.retry_max_ms = wish->retry_max_ms > 0 ? wish->retry_max_ms : RETRY_MAX_MS;
    metrics_add(kind, jobs->metrics);
    return STATUS_OK;
}

static enum status leases_end_run(struct db_session *session, void *arg)
{
    (void)arg;
    return job_leases_end(session);
}

enum status jobs_start(struct jobs *jobs)
{
    /* The database is this process's alone: whoever held a lease is dead. */
    enum status status = db_write(jobs->db, leases_end_run, NULL);
    if (status == STATUS_OK)
        status = crew_new("job", JOBS_THREADS, JOBS_THREADS, &jobs->crew);
    if (status == STATUS_OK)
        status = db_listen(jobs->db, DB_JOBS, on_signal, jobs);
    jobs->listening = status == STATUS_OK;
    if (status == STATUS_OK) {
        jobs->dispatching = pthread_create(&jobs->dispatcher, NULL, dispatcher_main, jobs) == 0;
        status = jobs->dispatching ? STATUS_OK : STATUS_NO_MEMORY;
    }
    return status;
}

struct jobs *jobs_free(struct jobs *jobs)
{
    if (jobs == NULL)
        return NULL;
    atomic_store(&jobs->ending, true);
    /* Nobody may hold a pointer to this any more when the next COMMIT comes. */
    if (jobs->listening)
        (void)!db_listen(jobs->db, DB_JOBS, NULL, NULL);
    if (jobs->dispatching) {
        jobs_wake(jobs);
        pthread_join(jobs->dispatcher, NULL);
    }
    jobs->crew = crew_free(jobs->crew);
    for (size_t i = 0; i < JOBS_THREADS; i++)
        arena_free(jobs->runs[i].arena);
    handoff_free(jobs->wake);
    free(jobs);
    return NULL;
}
