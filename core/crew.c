#include "core/crew.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

enum { CREW_THREADS_MAX = 64 };

struct job {
    struct job *next;
    crew_fn *fn;
    void *arg;
};

struct jobs {
    struct job *first, *last;
    uint32_t count;
};

struct crew {
    const char *name;
    pthread_mutex_t lock;
    pthread_cond_t bell;
    struct jobs jobs;
    uint32_t jobs_max, thread_count;
    bool closed;
    struct worker {
        struct crew *crew;
        uint32_t index;
        pthread_t thread;
    } workers[CREW_THREADS_MAX];
};

static _Thread_local uint32_t thread_index = UINT32_MAX;

static void jobs_push(struct jobs *jobs, struct job *job)
{
    job->next = NULL;
    if (jobs->last != NULL)
        jobs->last->next = job;
    else
        jobs->first = job;
    jobs->last = job;
    jobs->count++;
}

static struct job *jobs_pop(struct jobs *jobs)
{
    struct job *job = jobs->first;
    if (job == NULL)
        return NULL;
    jobs->first = job->next;
    if (jobs->first == NULL)
        jobs->last = NULL;
    jobs->count--;
    return job;
}

static struct job *job_new(crew_fn *fn, void *arg)
{
    struct job *job = malloc(sizeof *job);
    if (job != NULL)
        *job = (struct job){.fn = fn, .arg = arg};
    return job;
}

static void *crew_work(void *arg)
{
    struct worker *worker = arg;
    struct crew *crew = worker->crew;
    thread_index = worker->index;
    pthread_mutex_lock(&crew->lock);
    for (;;) {
        struct job *job = jobs_pop(&crew->jobs);
        if (job == NULL && crew->closed)
            break;
        if (job == NULL) {
            pthread_cond_wait(&crew->bell, &crew->lock);
            continue;
        }
        pthread_mutex_unlock(&crew->lock);
        job->fn(job->arg);
        free(job);
        pthread_mutex_lock(&crew->lock);
    }
    pthread_mutex_unlock(&crew->lock);
    return NULL;
}

enum status crew_new(const char *name, uint32_t threads, uint32_t jobs_max, struct crew **ret_crew)
{
    if (threads == 0 || threads > CREW_THREADS_MAX)
        return STATUS_INVALID;
    struct crew *crew = calloc(1, sizeof *crew);
    if (crew == NULL)
        return STATUS_NO_MEMORY;
    crew->name = name;
    crew->jobs_max = jobs_max;
    pthread_mutex_init(&crew->lock, NULL);
    pthread_cond_init(&crew->bell, NULL);
    for (; crew->thread_count < threads; crew->thread_count++) {
        struct worker *worker = &crew->workers[crew->thread_count];
        *worker = (struct worker){.crew = crew, .index = crew->thread_count};
        if (pthread_create(&worker->thread, NULL, crew_work, worker) != 0) {
            crew_free(crew);
            return STATUS_NO_MEMORY;
        }
        pthread_setname_np(worker->thread, name);
    }
    *ret_crew = crew;
    return STATUS_OK;
}

struct crew *crew_free(struct crew *crew)
{
    if (crew == NULL)
        return NULL;
    pthread_mutex_lock(&crew->lock);
    crew->closed = true;
    pthread_cond_broadcast(&crew->bell);
    pthread_mutex_unlock(&crew->lock);
    for (uint32_t i = 0; i < crew->thread_count; i++)
        pthread_join(crew->workers[i].thread, NULL);
    pthread_cond_destroy(&crew->bell);
    pthread_mutex_destroy(&crew->lock);
    free(crew);
    return NULL;
}

/* Takes a job that is already made. `more`: a strand's next job, which the limit does not refuse
 * and which may follow after the crew was closed. */
static enum status crew_put(struct crew *crew, struct job *job, bool more)
{
    pthread_mutex_lock(&crew->lock);
    enum status status = STATUS_OK;
    if (!more && crew->closed)
        status = STATUS_CLOSED;
    else if (!more && crew->jobs.count >= crew->jobs_max)
        status = STATUS_LIMIT;
    else
        jobs_push(&crew->jobs, job);
    pthread_cond_signal(&crew->bell);
    pthread_mutex_unlock(&crew->lock);
    return status;
}

enum status crew_submit(struct crew *crew, crew_fn *fn, void *arg)
{
    struct job *job = job_new(fn, arg);
    if (job == NULL)
        return STATUS_NO_MEMORY;
    enum status status = crew_put(crew, job, false);
    if (status != STATUS_OK)
        free(job);
    return status;
}

uint32_t crew_waiting(const struct crew *crew)
{
    pthread_mutex_t *lock = (pthread_mutex_t *)(uintptr_t)&crew->lock;
    pthread_mutex_lock(lock);
    uint32_t count = crew->jobs.count;
    pthread_mutex_unlock(lock);
    return count;
}

uint32_t crew_thread_index(void)
{
    return thread_index;
}

/* ---- strands ---- */

struct strand {
    struct crew *crew;
    pthread_mutex_t lock;
    struct jobs jobs;
    uint32_t jobs_max;
    bool busy; /* its turn is queued or running */
    bool freed;
};

static void strand_destroy(struct strand *strand)
{
    pthread_mutex_destroy(&strand->lock);
    free(strand);
}

/* One job, then back into the crew's queue: a long strand does not keep others waiting. */
static void strand_turn(void *arg)
{
    struct strand *strand = arg;
    pthread_mutex_lock(&strand->lock);
    struct job *job = jobs_pop(&strand->jobs);
    pthread_mutex_unlock(&strand->lock);
    job->fn(job->arg);
    job->fn = strand_turn; /* the memory of the job done becomes the next turn */
    job->arg = strand;
    pthread_mutex_lock(&strand->lock);
    bool more = strand->jobs.count > 0;
    bool last = !more && strand->freed;
    strand->busy = more;
    if (more)
        (void)!crew_put(strand->crew, job, true); /* cannot be refused */
    pthread_mutex_unlock(&strand->lock);
    if (!more)
        free(job);
    if (last)
        strand_destroy(strand);
}

enum status strand_new(struct crew *crew, uint32_t jobs_max, struct strand **ret_strand)
{
    struct strand *strand = calloc(1, sizeof *strand);
    if (strand == NULL)
        return STATUS_NO_MEMORY;
    strand->crew = crew;
    strand->jobs_max = jobs_max;
    pthread_mutex_init(&strand->lock, NULL);
    *ret_strand = strand;
    return STATUS_OK;
}

struct strand *strand_free(struct strand *strand)
{
    if (strand == NULL)
        return NULL;
    pthread_mutex_lock(&strand->lock);
    bool idle = !strand->busy;
    strand->freed = true;
    pthread_mutex_unlock(&strand->lock);
    if (idle)
        strand_destroy(strand);
    return NULL;
}

enum status strand_submit(struct strand *strand, crew_fn *fn, void *arg)
{
    struct job *job = job_new(fn, arg);
    struct job *turn = job_new(strand_turn, strand);
    enum status status = job != NULL && turn != NULL ? STATUS_OK : STATUS_NO_MEMORY;
    pthread_mutex_lock(&strand->lock);
    if (status == STATUS_OK && strand->jobs.count >= strand->jobs_max)
        status = STATUS_LIMIT;
    if (status == STATUS_OK && !strand->busy) {
        status = crew_put(strand->crew, turn, false);
        if (status == STATUS_OK) {
            strand->busy = true;
            turn = NULL;
        }
    }
    if (status == STATUS_OK) {
        jobs_push(&strand->jobs, job);
        job = NULL;
    }
    pthread_mutex_unlock(&strand->lock);
    free(turn);
    free(job);
    return status;
}
