/*
 * One lock over everything of a crew: its queue of work, and the queues of its
 * strands. A strand with jobs stands in the crew's queue once, by the entry it
 * carries in itself; a thread that meets it runs one of its jobs and puts it back at
 * the end, so a busy strand delays others by one job and no more. That entry needs
 * no memory: what was accepted always runs.
 */
#include "core/crew.h"

#include "core/deadline.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    CREW_THREADS_MAX = 256,
    THREAD_NAME_SIZE = 16, /* with NUL, pthread_setname_np(3) */
};

struct job {
    struct job *next;
    crew_fn *fn;
    void *arg;
    struct strand *strand; /* of a strand's entry in the crew's queue; else NULL */
};

struct jobs {
    struct job *first, **end;
};

enum member_state {
    MEMBER_ABSENT,
    MEMBER_WORKING, /* or woken, or on its way there */
    MEMBER_IDLE,    /* in the crew's list */
    MEMBER_LEFT,    /* absent, but its thread is still to be joined */
};

struct member {
    struct crew *crew;
    uint32_t index;
    enum member_state state;
    pthread_t thread;
    pthread_cond_t wake;
    struct member *next_idle;
};

struct crew {
    const char *name;
    pthread_mutex_t lock;
    struct member *idle; /* the one who became so last is first */
    uint32_t linger_ms;
    struct jobs queue;
    _Atomic uint32_t waiting; /* entries of queue */
    _Atomic uint32_t strands_waiting;
    uint32_t jobs_max;
    uint32_t strands; /* not freed yet: each needs the lock */
    bool closing, joined;
    uint32_t member_count;
    struct member members[];
};

struct strand {
    struct crew *crew;
    struct jobs queue;
    struct job entry;
    uint32_t waiting, jobs_max;
    bool active; /* its entry is queued, or one of its jobs runs */
    bool freed;
};

static _Thread_local uint32_t thread_index = UINT32_MAX;

uint32_t crew_thread_index(void)
{
    return thread_index;
}

static void jobs_init(struct jobs *jobs)
{
    *jobs = (struct jobs){.end = &jobs->first};
}

static void jobs_append(struct jobs *jobs, struct job *job)
{
    job->next = NULL;
    *jobs->end = job;
    jobs->end = &job->next;
}

static struct job *jobs_take(struct jobs *jobs)
{
    struct job *job = jobs->first;
    jobs->first = job->next;
    if (!jobs->first)
        jobs->end = &jobs->first;
    return job;
}

static void crew_release(struct crew *crew)
{
    for (uint32_t i = 0; i < crew->member_count; i++)
        pthread_cond_destroy(&crew->members[i].wake);
    pthread_mutex_destroy(&crew->lock);
    free(crew);
}

/* Under the lock. */
static void enqueue(struct crew *crew, struct job *job)
{
    jobs_append(&crew->queue, job);
    crew->waiting++;
}

/* Under the lock, which is let go while the job runs. */
static void run_job(struct crew *crew, struct job *job)
{
    pthread_mutex_unlock(&crew->lock);
    job->fn(job->arg);
    free(job);
    pthread_mutex_lock(&crew->lock);
}

/* Under the lock: one job of the strand, then back to the end of the queue. */
static void run_strand(struct crew *crew, struct strand *strand)
{
    struct job *job = jobs_take(&strand->queue);
    strand->waiting--;
    crew->strands_waiting--;
    run_job(crew, job);
    if (strand->queue.first) {
        enqueue(crew, &strand->entry);
        return; /* this thread looks at the queue next: nobody needs waking */
    }
    strand->active = false;
    if (strand->freed) {
        crew->strands--;
        free(strand);
    }
}

/* Under the lock: until it is woken. False: it has waited long enough. */
static bool member_idle(struct crew *crew, struct member *member)
{
    struct timespec until = {0};
    if (member->index > 0)
        until = deadline_in(crew->linger_ms);
    member->state = MEMBER_IDLE;
    member->next_idle = crew->idle;
    crew->idle = member;
    int error = 0;
    while (member->state == MEMBER_IDLE && error != ETIMEDOUT) {
        if (member->index == 0)
            pthread_cond_wait(&member->wake, &crew->lock);
        else
            error = pthread_cond_timedwait(&member->wake, &crew->lock, &until);
    }
    if (member->state != MEMBER_IDLE)
        return true;
    struct member **at = &crew->idle;
    while (*at != member)
        at = &(*at)->next_idle;
    *at = member->next_idle;
    member->state = MEMBER_WORKING;
    return false;
}

static void *work(void *arg)
{
    struct member *member = arg;
    struct crew *crew = member->crew;
    thread_index = member->index;
    char name[THREAD_NAME_SIZE];
    snprintf(name, sizeof name, "%.10s-%u", crew->name, member->index);
    pthread_setname_np(pthread_self(), name);

    pthread_mutex_lock(&crew->lock);
    for (;;) {
        while (!crew->queue.first && !crew->closing && member_idle(crew, member))
            continue;
        if (!crew->queue.first)
            break;
        struct job *job = jobs_take(&crew->queue);
        crew->waiting--;
        if (job->strand)
            run_strand(crew, job->strand);
        else
            run_job(crew, job);
    }
    member->state = MEMBER_LEFT;
    pthread_mutex_unlock(&crew->lock);
    return NULL;
}

/* Under the lock, which a thread that has left needs no more. */
static bool member_start(struct member *member)
{
    if (member->state == MEMBER_LEFT)
        pthread_join(member->thread, NULL);
    bool started = pthread_create(&member->thread, NULL, work, member) == 0;
    member->state = started ? MEMBER_WORKING : MEMBER_ABSENT;
    return started;
}

/* Under the lock: somebody looks at the queue soon. Without a thread to be had, whoever is done
 * next does. */
static void crew_wake(struct crew *crew)
{
    struct member *member = crew->idle;
    if (member != NULL) {
        crew->idle = member->next_idle;
        member->state = MEMBER_WORKING;
        pthread_cond_signal(&member->wake);
        return;
    }
    for (uint32_t i = 0; i < crew->member_count; i++) {
        member = &crew->members[i];
        if (member->state == MEMBER_ABSENT || member->state == MEMBER_LEFT) {
            (void)member_start(member);
            return;
        }
    }
}

enum status crew_new(const char *name, uint32_t threads, uint32_t jobs_max, struct crew **ret_crew)
{
    if (threads == 0 || threads > CREW_THREADS_MAX || jobs_max == 0)
        return STATUS_INVALID;
    struct crew *crew = calloc(1, sizeof *crew + threads * sizeof crew->members[0]);
    if (!crew)
        return STATUS_NO_MEMORY;
    crew->name = name;
    crew->jobs_max = jobs_max;
    crew->linger_ms = CREW_LINGER_MS;
    crew->member_count = threads;
    pthread_mutex_init(&crew->lock, NULL);
    jobs_init(&crew->queue);
    for (uint32_t i = 0; i < threads; i++) {
        crew->members[i] = (struct member){.crew = crew, .index = i};
        deadline_cond_init(&crew->members[i].wake);
    }
    pthread_mutex_lock(&crew->lock);
    bool started = member_start(&crew->members[0]);
    pthread_mutex_unlock(&crew->lock);
    if (!started) {
        crew_free(crew);
        return STATUS_NO_MEMORY;
    }
    *ret_crew = crew;
    return STATUS_OK;
}

struct crew *crew_free(struct crew *crew)
{
    if (!crew)
        return NULL;
    pthread_mutex_lock(&crew->lock);
    crew->closing = true;
    while (crew->idle != NULL)
        crew_wake(crew);
    pthread_mutex_unlock(&crew->lock);
    /* Nobody is started any more; who is absent now stays so. */
    for (uint32_t i = 0; i < crew->member_count; i++) {
        pthread_mutex_lock(&crew->lock);
        bool absent = crew->members[i].state == MEMBER_ABSENT;
        pthread_mutex_unlock(&crew->lock);
        if (!absent)
            pthread_join(crew->members[i].thread, NULL);
    }

    pthread_mutex_lock(&crew->lock);
    crew->joined = true;
    bool last = crew->strands == 0; /* else the last strand_free lets go of the memory */
    pthread_mutex_unlock(&crew->lock);
    if (last)
        crew_release(crew);
    return NULL;
}

static struct job *job_new(crew_fn *fn, void *arg)
{
    struct job *job = malloc(sizeof *job);
    if (job)
        *job = (struct job){.fn = fn, .arg = arg};
    return job;
}

enum status crew_submit(struct crew *crew, crew_fn *fn, void *arg)
{
    struct job *job = job_new(fn, arg);
    if (!job)
        return STATUS_NO_MEMORY;
    pthread_mutex_lock(&crew->lock);
    enum status status = crew->closing                     ? STATUS_CLOSED
                         : crew->waiting >= crew->jobs_max ? STATUS_LIMIT
                                                           : STATUS_OK;
    if (status == STATUS_OK) {
        enqueue(crew, job);
        crew_wake(crew);
    }
    pthread_mutex_unlock(&crew->lock);
    if (status != STATUS_OK)
        free(job);
    return status;
}

void crew_linger(struct crew *crew, uint32_t ms)
{
    pthread_mutex_lock(&crew->lock);
    crew->linger_ms = ms;
    pthread_mutex_unlock(&crew->lock);
}

uint32_t crew_threads(struct crew *crew)
{
    uint32_t threads = 0;
    pthread_mutex_lock(&crew->lock);
    for (uint32_t i = 0; i < crew->member_count; i++)
        threads +=
            crew->members[i].state == MEMBER_WORKING || crew->members[i].state == MEMBER_IDLE;
    pthread_mutex_unlock(&crew->lock);
    return threads;
}

uint32_t crew_waiting(const struct crew *crew)
{
    return atomic_load_explicit(&crew->waiting, memory_order_relaxed);
}

uint32_t crew_strands_waiting(const struct crew *crew)
{
    return atomic_load_explicit(&crew->strands_waiting, memory_order_relaxed);
}

enum status strand_new(struct crew *crew, uint32_t jobs_max, struct strand **ret_strand)
{
    if (jobs_max == 0)
        return STATUS_INVALID;
    struct strand *strand = calloc(1, sizeof *strand);
    if (!strand)
        return STATUS_NO_MEMORY;
    strand->crew = crew;
    strand->jobs_max = jobs_max;
    strand->entry.strand = strand;
    jobs_init(&strand->queue);
    pthread_mutex_lock(&crew->lock);
    crew->strands++;
    pthread_mutex_unlock(&crew->lock);
    *ret_strand = strand;
    return STATUS_OK;
}

struct strand *strand_free(struct strand *strand)
{
    if (!strand)
        return NULL;
    struct crew *crew = strand->crew;
    pthread_mutex_lock(&crew->lock);
    strand->freed = true;
    bool last = false;
    if (!strand->active) {
        free(strand);
        last = --crew->strands == 0 && crew->joined;
    }
    pthread_mutex_unlock(&crew->lock);
    if (last)
        crew_release(crew);
    return NULL;
}

/* Under the lock. A strand already in the queue takes no more room there. */
static enum status strand_accept(struct strand *strand, struct job *job)
{
    struct crew *crew = strand->crew;
    if (crew->closing)
        return STATUS_CLOSED;
    if (strand->waiting >= strand->jobs_max)
        return STATUS_LIMIT;
    if (!strand->active && crew->waiting >= crew->jobs_max)
        return STATUS_LIMIT;
    jobs_append(&strand->queue, job);
    strand->waiting++;
    crew->strands_waiting++;
    if (!strand->active) {
        strand->active = true;
        enqueue(crew, &strand->entry);
        crew_wake(crew);
    }
    return STATUS_OK;
}

enum status strand_submit(struct strand *strand, crew_fn *fn, void *arg)
{
    struct crew *crew = strand->crew;
    struct job *job = job_new(fn, arg);
    if (!job)
        return STATUS_NO_MEMORY;
    pthread_mutex_lock(&crew->lock);
    assert(!strand->freed);
    enum status status = strand_accept(strand, job);
    pthread_mutex_unlock(&crew->lock);
    if (status != STATUS_OK)
        free(job);
    return status;
}
