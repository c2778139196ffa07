/*
 * Timers sit in a wheel of LOOP_BUCKETS one-millisecond buckets by due time modulo its
 * size; one that is due in a later round is looked at and put back. A bitmap names the
 * buckets with timers, so that the next one is found without walking.
 */
#include "core/loop.h"

#include "core/clock.h"
#include "core/log.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

enum {
    LOOP_BUCKETS = 512, /* power of two */
    LOOP_EVENTS = 64,   /* read from epoll at once */
    LOOP_HOOKS_MAX = 4,
};
#define LOOP_SLEEP_MAX_NS UINT64_C(1000000000)
#define LOOP_NO_CAP UINT64_MAX

struct loop_watch {
    struct loop *loop;
    struct loop_watch *next_dead;
    int fd;
    const char *name;
    loop_fd_fn *fn;
    void *context;
    bool dead;
};

struct loop_hook {
    loop_hook_fn *fn;
    void *context;
};

struct loop {
    const char *name;
    int epoll;
    struct mailbox *mailbox;
    struct loop_watch *letters, *dead;
    atomic_bool stopping;
    uint64_t now_ns, wheel_ms; /* the wheel is done up to and with wheel_ms */
    uint64_t sleep_cap_ns;
    struct loop_hook hooks[LOOP_HOOKS_MAX];
    size_t hook_count;
    uint64_t occupied[LOOP_BUCKETS / 64];
    struct loop_timer buckets[LOOP_BUCKETS]; /* list heads */
};

/* ---- timers ---- */

static void list_init(struct loop_timer *head)
{
    head->next = head->prev = head;
}

static void list_add(struct loop_timer *head, struct loop_timer *timer)
{
    timer->prev = head->prev;
    timer->next = head;
    head->prev->next = timer;
    head->prev = timer;
}

static void list_remove(struct loop_timer *timer)
{
    timer->prev->next = timer->next;
    timer->next->prev = timer->prev;
    timer->next = timer->prev = NULL;
}

static void wheel_put(struct loop *loop, struct loop_timer *timer)
{
    size_t bucket = timer->due_ms % LOOP_BUCKETS;
    list_add(&loop->buckets[bucket], timer);
    loop->occupied[bucket / 64] |= UINT64_C(1) << bucket % 64;
}

bool loop_timer_running(const struct loop_timer *timer)
{
    return timer->next != NULL;
}

void loop_timer_stop(struct loop *loop, struct loop_timer *timer)
{
    (void)loop;
    if (loop_timer_running(timer))
        list_remove(timer);
}

void loop_timer_start(struct loop *loop, struct loop_timer *timer, uint64_t delay_ms)
{
    loop_timer_stop(loop, timer);
    timer->due_ms = (loop->now_ns + CLOCK_NS_PER_MS - 1) / CLOCK_NS_PER_MS + delay_ms;
    if (timer->due_ms <= loop->wheel_ms)
        timer->due_ms = loop->wheel_ms + 1;
    wheel_put(loop, timer);
}

/* Names a handler that ran from `since_ns` until now, when it was too long; returns now. */
static uint64_t loop_account(const struct loop *loop, const char *handler, uint64_t since_ns)
{
    uint64_t now_ns = clock_mono_ns();
    uint64_t ms = (now_ns - since_ns) / CLOCK_NS_PER_MS;
    if (ms > LOOP_SLOW_MS)
        log_event(LOG_LOOP, LOG_WARN, "slow_handler", "loop=%s handler=%s ms=%llu", loop->name,
                  handler, (unsigned long long)ms);
    return now_ns;
}

static void bucket_fire(struct loop *loop, size_t bucket, uint64_t now_ms)
{
    struct loop_timer *head = &loop->buckets[bucket];
    struct loop_timer due;
    loop->occupied[bucket / 64] &= ~(UINT64_C(1) << bucket % 64);
    if (head->next == head)
        return;
    /* The list moves to a head of its own: handlers may start timers in this bucket. */
    due.next = head->next;
    due.prev = head->prev;
    due.next->prev = due.prev->next = &due;
    list_init(head);
    while (due.next != &due) {
        struct loop_timer *timer = due.next;
        list_remove(timer);
        if (timer->due_ms > now_ms) {
            wheel_put(loop, timer);
            continue;
        }
        const char *name = timer->name != NULL ? timer->name : "timer";
        uint64_t start_ns = clock_mono_ns();
        timer->fn(timer->context); /* may free the timer */
        loop_account(loop, name, start_ns);
    }
}

static void wheel_turn(struct loop *loop)
{
    uint64_t now_ms = loop_now_ms(loop);
    uint64_t from = loop->wheel_ms + 1;
    if (now_ms >= from + LOOP_BUCKETS)
        from = now_ms - LOOP_BUCKETS + 1; /* each bucket once is enough */
    for (uint64_t tick = from; tick <= now_ms; tick++) {
        loop->wheel_ms = tick;
        bucket_fire(loop, tick % LOOP_BUCKETS, now_ms);
    }
}

/* When the next occupied bucket comes round; LOOP_SLEEP_MAX_NS away when there is none. */
static uint64_t wheel_next_ns(const struct loop *loop)
{
    for (uint64_t ahead = 1; ahead <= LOOP_BUCKETS; ahead++) {
        size_t bucket = (loop->wheel_ms + ahead) % LOOP_BUCKETS;
        uint64_t word = loop->occupied[bucket / 64];
        if (word == 0) {
            ahead += 63 - bucket % 64;
            continue;
        }
        if ((word >> bucket % 64 & 1) != 0)
            return (loop->wheel_ms + ahead) * CLOCK_NS_PER_MS;
    }
    return loop->now_ns + LOOP_SLEEP_MAX_NS;
}

/* ---- descriptors ---- */

enum status loop_fd_add(struct loop *loop, int fd, uint32_t events, const char *name,
                        loop_fd_fn *fn, void *context, struct loop_watch **ret_watch)
{
    struct loop_watch *watch = calloc(1, sizeof *watch);
    if (watch == NULL)
        return STATUS_NO_MEMORY;
    *watch =
        (struct loop_watch){.loop = loop, .fd = fd, .name = name, .fn = fn, .context = context};
    struct epoll_event event = {.events = events, .data.ptr = watch};
    if (epoll_ctl(loop->epoll, EPOLL_CTL_ADD, fd, &event) != 0) {
        free(watch);
        return STATUS_IO;
    }
    *ret_watch = watch;
    return STATUS_OK;
}

void loop_fd_change(struct loop_watch *watch, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = watch};
    (void)epoll_ctl(watch->loop->epoll, EPOLL_CTL_MOD, watch->fd, &event);
}

/* Freed at the end of the turn: epoll's answer may still name it. */
struct loop_watch *loop_fd_remove(struct loop_watch *watch)
{
    if (watch == NULL || watch->dead)
        return NULL;
    (void)epoll_ctl(watch->loop->epoll, EPOLL_CTL_DEL, watch->fd, NULL);
    watch->dead = true;
    watch->next_dead = watch->loop->dead;
    watch->loop->dead = watch;
    return NULL;
}

static void dead_free(struct loop *loop)
{
    while (loop->dead != NULL) {
        struct loop_watch *next = loop->dead->next_dead;
        free(loop->dead);
        loop->dead = next;
    }
}

/* ---- the loop ---- */

static void letters_read(void *context, uint32_t events)
{
    struct loop *loop = context;
    (void)events;
    mailbox_drain(loop->mailbox);
}

enum status loop_new(const char *name, struct loop **ret_loop)
{
    struct loop *loop = calloc(1, sizeof *loop);
    if (loop == NULL)
        return STATUS_NO_MEMORY;
    loop->name = name;
    atomic_init(&loop->stopping, false);
    for (size_t i = 0; i < LOOP_BUCKETS; i++)
        list_init(&loop->buckets[i]);
    loop->sleep_cap_ns = LOOP_NO_CAP;
    loop->now_ns = clock_mono_ns();
    loop->wheel_ms = loop_now_ms(loop);
    loop->epoll = epoll_create1(EPOLL_CLOEXEC);
    enum status status =
        loop->epoll >= 0 ? mailbox_new(LOOP_LETTERS_MAX, &loop->mailbox) : STATUS_IO;
    if (status == STATUS_OK)
        status = loop_fd_add(loop, mailbox_fd(loop->mailbox), EPOLLIN, "letters", letters_read,
                             loop, &loop->letters);
    if (status != STATUS_OK) {
        loop_free(loop);
        return status;
    }
    *ret_loop = loop;
    return STATUS_OK;
}

struct loop *loop_free(struct loop *loop)
{
    if (loop == NULL)
        return NULL;
    loop_fd_remove(loop->letters);
    dead_free(loop);
    mailbox_free(loop->mailbox);
    if (loop->epoll >= 0)
        close(loop->epoll);
    free(loop);
    return NULL;
}

static void loop_sleep(struct loop *loop, struct epoll_event *events, int *ret_count)
{
    uint64_t wake_ns = wheel_next_ns(loop), now_ns = clock_mono_ns();
    uint64_t sleep_ns = wake_ns > now_ns ? wake_ns - now_ns : 0;
    if (sleep_ns > LOOP_SLEEP_MAX_NS)
        sleep_ns = LOOP_SLEEP_MAX_NS;
    if (sleep_ns > loop->sleep_cap_ns)
        sleep_ns = loop->sleep_cap_ns;
    loop->sleep_cap_ns = LOOP_NO_CAP;
    struct timespec timeout = {.tv_sec = (time_t)(sleep_ns / 1000000000U),
                               .tv_nsec = (long)(sleep_ns % 1000000000U)};
    int count = epoll_pwait2(loop->epoll, events, LOOP_EVENTS, &timeout, NULL);
    *ret_count = count > 0 ? count : 0;
    loop->now_ns = clock_mono_ns();
}

static void loop_turn(struct loop *loop)
{
    struct epoll_event events[LOOP_EVENTS];
    int count;
    loop_sleep(loop, events, &count);
    uint64_t at_ns = loop->now_ns;
    for (int round = 0; round < 2; round++) { /* letters before descriptors */
        for (int i = 0; i < count; i++) {
            struct loop_watch *watch = events[i].data.ptr;
            if (watch->dead || (watch == loop->letters) != (round == 0))
                continue;
            watch->fn(watch->context, events[i].events);
            at_ns = loop_account(loop, watch->name, at_ns);
        }
    }
    wheel_turn(loop);
    at_ns = clock_mono_ns();
    for (size_t i = 0; i < loop->hook_count; i++)
        loop->hooks[i].fn(loop->hooks[i].context);
    if (loop->hook_count > 0)
        loop_account(loop, "before_sleep", at_ns);
    dead_free(loop);
}

void loop_run(struct loop *loop)
{
    loop->now_ns = clock_mono_ns();
    while (!atomic_load_explicit(&loop->stopping, memory_order_acquire))
        loop_turn(loop);
    while (mailbox_length(loop->mailbox) > 0) /* nobody who asked is left waiting */
        mailbox_drain(loop->mailbox);
}

static void stop_letter(void *arg)
{
    struct loop *loop = arg;
    atomic_store_explicit(&loop->stopping, true, memory_order_release);
}

void loop_stop(struct loop *loop)
{
    if (mailbox_post(loop->mailbox, stop_letter, loop) != STATUS_OK)
        stop_letter(loop); /* full or closed: seen at the next turn */
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

void loop_before_sleep(struct loop *loop, loop_hook_fn *fn, void *context)
{
    if (loop->hook_count < LOOP_HOOKS_MAX)
        loop->hooks[loop->hook_count++] = (struct loop_hook){fn, context};
}

void loop_sleep_at_most(struct loop *loop, uint64_t us)
{
    uint64_t ns = us * CLOCK_NS_PER_US;
    if (ns < loop->sleep_cap_ns)
        loop->sleep_cap_ns = ns;
}

uint64_t loop_now_ns(const struct loop *loop)
{
    return loop->now_ns;
}

uint64_t loop_now_ms(const struct loop *loop)
{
    return loop->now_ns / CLOCK_NS_PER_MS;
}
