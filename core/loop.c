/*
 * A turn: letters, descriptors, timers, the hook, sleep. The clock is read after
 * each handler, which is how a slow one is found. A removed watch stays allocated
 * until the turn is over, since epoll may have reported it already.
 */
#include "core/loop.h"

#include "core/clock.h"
#include "core/log.h"
#include "core/wheel.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

enum {
    EVENTS_MAX = 64,       /* descriptors reported at once */
    TIMER_SLACK_NS = 1000, /* the default, 50 us, is as long as a flush window may be late */
};

struct loop_watch {
    struct loop *loop;
    struct loop_watch *next, *prev; /* of loop->watches; next alone of loop->removed */
    const char *name;
    loop_fd_fn *fn; /* NULL: removed */
    void *context;
    int fd;
};

struct loop {
    const char *name;
    struct mailbox *mailbox;
    struct loop_watch *watches, *removed;
    int epoll_fd;
    _Atomic bool stopping;
    bool no_pwait2;        /* the kernel or a sandbox refuses epoll_pwait2 */
    uint64_t now_ns;       /* start of this turn */
    uint64_t handler_ns;   /* end of the last handler */
    uint64_t sleep_max_ns; /* of the next sleep */
    uint64_t nap_ns;       /* of it, whatever comes */
    loop_hook_fn *hook;
    void *hook_context;
    struct wheel wheel, lax;
};

static uint64_t whole_ms(uint64_t ns)
{
    return ns / CLOCK_NS_PER_MS;
}

enum status loop_new(const char *name, struct loop **ret_loop)
{
    enum status status = STATUS_NO_MEMORY;
    struct loop *loop = calloc(1, sizeof *loop);
    if (!loop)
        return status;
    loop->name = name;
    loop->sleep_max_ns = UINT64_MAX;
    loop->now_ns = clock_mono_ns();
    wheel_init(&loop->wheel, whole_ms(loop->now_ns));
    wheel_init(&loop->lax, whole_ms(loop->now_ns));
    loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    status = mailbox_new(LOOP_LETTERS_MAX, &loop->mailbox);
    if (status != STATUS_OK)
        goto fail;
    status = STATUS_LIMIT;
    struct epoll_event mail = {.events = EPOLLIN};
    if (loop->epoll_fd < 0 ||
        epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, mailbox_fd(loop->mailbox), &mail) < 0)
        goto fail;
    *ret_loop = loop;
    return STATUS_OK;

fail:
    loop_free(loop);
    return status;
}

static void free_watches(struct loop_watch *watch)
{
    while (watch) {
        struct loop_watch *next = watch->next;
        free(watch);
        watch = next;
    }
}

struct loop *loop_free(struct loop *loop)
{
    if (!loop)
        return NULL;
    free_watches(loop->watches);
    free_watches(loop->removed);
    mailbox_free(loop->mailbox);
    if (loop->epoll_fd >= 0)
        close(loop->epoll_fd);
    free(loop);
    return NULL;
}

/* After each handler: who was it, and how long did it take? */
static void handler_done(struct loop *loop, const char *handler)
{
    uint64_t now_ns = clock_mono_ns();
    uint64_t took_ms = whole_ms(now_ns - loop->handler_ns);
    loop->handler_ns = now_ns;
    if (took_ms >= LOOP_SLOW_MS)
        log_event(LOG_LOOP, LOG_WARN, "slow_handler", "loop=%s handler=%s ms=%llu", loop->name,
                  handler, (unsigned long long)took_ms);
}

static void run_letters(struct loop *loop)
{
    if (mailbox_drain(loop->mailbox) > 0)
        handler_done(loop, "letters");
}

static void run_watches(struct loop *loop, const struct epoll_event *events, int count)
{
    for (int i = 0; i < count; i++) {
        struct loop_watch *watch = events[i].data.ptr;
        if (!watch || !watch->fn)
            continue; /* the mailbox, or removed by a handler before */
        const char *name = watch->name;
        watch->fn(watch->context, events[i].events);
        handler_done(loop, name);
    }
}

static void run_timers(struct loop *loop, struct wheel *wheel)
{
    wheel_advance(wheel, whole_ms(loop->now_ns));
    for (struct loop_timer *timer; (timer = wheel_take(wheel)) != NULL;) {
        const char *name = timer->name; /* its handler may free it */
        timer->fn(timer->context);
        handler_done(loop, name);
    }
}

/* Nanoseconds until the next timer or the cap of loop_sleep_at_most; UINT64_MAX: for ever. */
static uint64_t sleep_ns(const struct loop *loop)
{
    uint64_t due_ms = wheel_next_ms(&loop->wheel), lax_ms = wheel_next_ms(&loop->lax);
    if (lax_ms < UINT64_MAX - LOOP_LAX_MS && lax_ms + LOOP_LAX_MS < due_ms)
        due_ms = lax_ms + LOOP_LAX_MS;
    if (due_ms >= UINT64_MAX / CLOCK_NS_PER_MS)
        return loop->sleep_max_ns;
    uint64_t now_ns = clock_mono_ns();
    uint64_t due_ns = due_ms * CLOCK_NS_PER_MS;
    uint64_t until_ns = due_ns > now_ns ? due_ns - now_ns : 0;
    return until_ns < loop->sleep_max_ns ? until_ns : loop->sleep_max_ns;
}

static struct timespec span_of(uint64_t ns)
{
    return (struct timespec){.tv_sec = (time_t)(ns / 1000000000),
                             .tv_nsec = (long)(ns % 1000000000)};
}

/* Waits for descriptors, to the microsecond; returns how many are ready. */
static int wait_events(struct loop *loop, struct epoll_event *events)
{
    uint64_t ns = sleep_ns(loop);
    if (loop->nap_ns > 0 && ns > 0) {
        const struct timespec nap = span_of(ns < loop->nap_ns ? ns : loop->nap_ns);
        clock_nanosleep(CLOCK_MONOTONIC, 0, &nap, NULL);
        ns = 0;
    }
    loop->nap_ns = 0;
    loop->sleep_max_ns = UINT64_MAX;
    const struct timespec span = span_of(ns);
    const struct timespec *limit = ns == UINT64_MAX ? NULL : &span;
    if (!loop->no_pwait2) {
        int count = epoll_pwait2(loop->epoll_fd, events, EVENTS_MAX, limit, NULL);
        if (count >= 0 || errno == EINTR)
            return count < 0 ? 0 : count;
        loop->no_pwait2 = true;
    }
    struct pollfd any = {.fd = loop->epoll_fd, .events = POLLIN};
    if (ns > 0)
        ppoll(&any, 1, limit, NULL);
    int count = epoll_wait(loop->epoll_fd, events, EVENTS_MAX, 0);
    return count < 0 ? 0 : count;
}

void loop_run(struct loop *loop)
{
    struct epoll_event events[EVENTS_MAX];
    int count = 0;
    prctl(PR_SET_TIMERSLACK, TIMER_SLACK_NS, 0, 0, 0);
    while (!atomic_load(&loop->stopping)) {
        loop->now_ns = loop->handler_ns = clock_mono_ns();
        run_letters(loop);
        run_watches(loop, events, count);
        run_timers(loop, &loop->wheel);
        run_timers(loop, &loop->lax);
        if (loop->hook) {
            loop->hook(loop->hook_context);
            handler_done(loop, "before_sleep");
        }
        free_watches(loop->removed);
        loop->removed = NULL;
        count = wait_events(loop, events);
    }
    loop->handler_ns = clock_mono_ns();
    while (mailbox_length(loop->mailbox) > 0)
        run_letters(loop); /* who asked and waits for the answer still gets it */
}

static void wake(void *arg)
{
    (void)arg;
}

void loop_stop(struct loop *loop)
{
    atomic_store(&loop->stopping, true);
    /* A mailbox that refuses holds letters or is closed: then the loop is awake already. */
    enum status status = mailbox_post(loop->mailbox, wake, NULL);
    (void)status;
    mailbox_close(loop->mailbox);
}

enum status loop_post(struct loop *loop, mailbox_fn *fn, void *arg)
{
    return mailbox_post(loop->mailbox, fn, arg);
}

uint32_t loop_letters(const struct loop *loop)
{
    return mailbox_length(loop->mailbox);
}

enum status loop_fd_add(struct loop *loop, int fd, uint32_t events, const char *name,
                        loop_fd_fn *fn, void *context, struct loop_watch **ret_watch)
{
    struct loop_watch *watch = malloc(sizeof *watch);
    if (!watch)
        return STATUS_NO_MEMORY;
    *watch =
        (struct loop_watch){.loop = loop, .name = name, .fn = fn, .context = context, .fd = fd};
    struct epoll_event event = {.events = events, .data.ptr = watch};
    if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0) {
        int error = errno;
        free(watch);
        return error == ENOMEM ? STATUS_NO_MEMORY : error == ENOSPC ? STATUS_LIMIT : STATUS_INVALID;
    }
    watch->next = loop->watches;
    if (watch->next)
        watch->next->prev = watch;
    loop->watches = watch;
    *ret_watch = watch;
    return STATUS_OK;
}

void loop_fd_change(struct loop_watch *watch, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = watch};
    int changed = epoll_ctl(watch->loop->epoll_fd, EPOLL_CTL_MOD, watch->fd, &event);
    assert(changed == 0); /* fails only for a descriptor closed before its watch was removed */
}

struct loop_watch *loop_fd_remove(struct loop_watch *watch)
{
    if (!watch)
        return NULL;
    struct loop *loop = watch->loop;
    /* Fails for a descriptor closed already; the kernel has forgotten that one. */
    epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, watch->fd, NULL);
    if (watch->prev)
        watch->prev->next = watch->next;
    else
        loop->watches = watch->next;
    if (watch->next)
        watch->next->prev = watch->prev;
    watch->fn = NULL;
    watch->next = loop->removed;
    loop->removed = watch;
    return NULL;
}

static void timer_start(struct loop *loop, struct loop_timer *timer, uint64_t delay_ms, bool lax)
{
    loop_timer_stop(loop, timer);
    timer->lax = lax;
    /* Rounded up from the moment of the call: never early, however long this turn has lasted. */
    uint64_t now_ms = whole_ms(clock_mono_ns() + CLOCK_NS_PER_MS - 1);
    timer->due_ms = delay_ms < UINT64_MAX - now_ms ? now_ms + delay_ms : UINT64_MAX;
    wheel_add(lax ? &loop->lax : &loop->wheel, timer);
}

void loop_timer_start(struct loop *loop, struct loop_timer *timer, uint64_t delay_ms)
{
    timer_start(loop, timer, delay_ms, false);
}

void loop_timer_start_lax(struct loop *loop, struct loop_timer *timer, uint64_t delay_ms)
{
    timer_start(loop, timer, delay_ms, true);
}

void loop_timer_stop(struct loop *loop, struct loop_timer *timer)
{
    if (loop_timer_running(timer))
        wheel_remove(timer->lax ? &loop->lax : &loop->wheel, timer);
}

bool loop_timer_running(const struct loop_timer *timer)
{
    return timer->next != NULL;
}

void loop_before_sleep(struct loop *loop, loop_hook_fn *fn, void *context)
{
    assert(!loop->hook);
    loop->hook = fn;
    loop->hook_context = context;
}

void loop_sleep_at_most(struct loop *loop, uint64_t us)
{
    uint64_t ns = us < UINT64_MAX / CLOCK_NS_PER_US ? us * CLOCK_NS_PER_US : UINT64_MAX;
    if (ns < loop->sleep_max_ns)
        loop->sleep_max_ns = ns;
}

void loop_nap(struct loop *loop, uint64_t us)
{
    loop->nap_ns = us * CLOCK_NS_PER_US;
}

uint64_t loop_now_ns(const struct loop *loop)
{
    return loop->now_ns;
}

uint64_t loop_now_ms(const struct loop *loop)
{
    return whole_ms(loop->now_ns);
}
