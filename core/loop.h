/*
 * core/loop.h - one thread's event loop: descriptors (epoll), timers (a wheel of
 * 1 ms ticks), letters from other threads, and a hook before it sleeps.
 *
 * A handler that holds the loop over LOOP_SLOW_MS is named in the log.
 * Thread: everything but loop_post and loop_stop belongs to the thread that runs it.
 */
#ifndef CORE_LOOP_H
#define CORE_LOOP_H

#include "core/queue.h"
#include "core/status.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    LOOP_SLOW_MS = 20,
    LOOP_LETTERS_MAX = 65536,
    LOOP_LAX_MS = 20, /* a lax timer fires so much late at most: thousands share a waking */
};

struct loop;
struct loop_watch;

typedef void loop_fd_fn(void *context, uint32_t events); /* EPOLLIN | EPOLLOUT | ... */
typedef void loop_timer_fn(void *context);
typedef void loop_hook_fn(void *context);

/* Embed it; zeroed is "not running". `name` (a literal) is what a slow handler is called. */
struct loop_timer {
    struct loop_timer *next, *prev; /* the wheel's */
    uint64_t due_ms;
    const char *name;
    loop_timer_fn *fn;
    void *context;
    bool lax; /* the loop's */
};

MUST_USE enum status loop_new(const char *name, struct loop **ret_loop);
struct loop *loop_free(struct loop *loop); /* accepts NULL, returns NULL */
/* Runs until loop_stop; drains letters before descriptors each turn. */
void loop_run(struct loop *loop);
/* Any thread, also before loop_run. Letters already posted still run, later ones are refused: a
 * loop runs once. */
void loop_stop(struct loop *loop);
/* Any thread; errors as mailbox_post. */
MUST_USE enum status loop_post(struct loop *loop, mailbox_fn *fn, void *arg);
uint32_t loop_letters(const struct loop *loop); /* waiting now; any thread */

/* `name`: a literal. The descriptor stays the caller's. */
MUST_USE enum status loop_fd_add(struct loop *loop, int fd, uint32_t events, const char *name,
                                 loop_fd_fn *fn, void *context, struct loop_watch **ret_watch);
void loop_fd_change(struct loop_watch *watch, uint32_t events);
/* Safe inside its own and others' callbacks. Accepts NULL, returns NULL. */
struct loop_watch *loop_fd_remove(struct loop_watch *watch);

/* (Re)starts; fires once, not before delay_ms. fn, context and name are in the timer. */
void loop_timer_start(struct loop *loop, struct loop_timer *timer, uint64_t delay_ms);
/* The same for what may wait: it fires when the loop is awake anyway, or LOOP_LAX_MS later. */
void loop_timer_start_lax(struct loop *loop, struct loop_timer *timer, uint64_t delay_ms);
void loop_timer_stop(struct loop *loop, struct loop_timer *timer); /* no-op when not running */
bool loop_timer_running(const struct loop_timer *timer);

/* Called each turn after all handlers, before the loop sleeps: workers flush here. One per loop. */
void loop_before_sleep(struct loop *loop, loop_hook_fn *fn, void *context);
/* Next sleep lasts at most this many microseconds (for flush windows); 0: do not sleep. */
void loop_sleep_at_most(struct loop *loop, uint64_t us);
/* Next sleep goes on this many microseconds though descriptors become ready, so that one waking
 * serves many of them; timers and loop_sleep_at_most still end it. Letters wait too. */
void loop_nap(struct loop *loop, uint64_t us);
/* Time at the start of this turn (CLOCK_MONOTONIC); no system call. */
uint64_t loop_now_ns(const struct loop *loop);
uint64_t loop_now_ms(const struct loop *loop);

#endif
