#include "core/call.h"
#include "core/clock.h"
#include "core/loop.h"
#include "tests/support/alloc_fail.h"
#include "tests/support/capture.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

static struct loop *loop;

static int set_up(void **state)
{
    (void)state;
    return loop_new("test", &loop) == STATUS_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    loop = loop_free(loop);
    return 0;
}

static void stop(void *context)
{
    (void)context;
    loop_stop(loop);
}

struct shot {
    struct loop_timer timer;
    uint64_t asked_ns, fired_ns;
    uint32_t count;
};

static void fire(void *context)
{
    struct shot *shot = context;
    shot->fired_ns = clock_mono_ns();
    shot->count++;
}

static void arm(struct shot *shot, uint64_t delay_ms)
{
    shot->timer.name = "shot";
    shot->timer.fn = fire;
    shot->timer.context = shot;
    shot->asked_ns = clock_mono_ns();
    loop_timer_start(loop, &shot->timer, delay_ms);
}

static void run_for(uint64_t ms)
{
    struct loop_timer end = {.name = "end", .fn = stop};
    loop_timer_start(loop, &end, ms);
    loop_run(loop);
}

static void test_timers_never_early(void **state)
{
    (void)state;
    static const uint64_t delays[] = {0, 1, 2, 7, 30};
    struct shot shots[5] = {0}, stopped = {0};
    for (int i = 0; i < 5; i++)
        arm(&shots[i], delays[i]);
    arm(&stopped, 5);
    assert_true(loop_timer_running(&stopped.timer));
    loop_timer_stop(loop, &stopped.timer);
    loop_timer_stop(loop, &stopped.timer);
    run_for(60);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(shots[i].count, 1);
        assert_false(loop_timer_running(&shots[i].timer));
        assert_true(shots[i].fired_ns - shots[i].asked_ns >= delays[i] * CLOCK_NS_PER_MS);
    }
    assert_int_equal(stopped.count, 0);
}

static void restart(void *context)
{
    struct shot *shot = context;
    if (++shot->count < 5)
        loop_timer_start(loop, &shot->timer, 1);
    else
        loop_stop(loop);
}

static void test_timer_restarts_itself(void **state)
{
    (void)state;
    struct shot shot = {.timer = {.name = "again", .fn = restart, .context = &shot}};
    loop_timer_start(loop, &shot.timer, 50);
    loop_timer_start(loop, &shot.timer, 1); /* a running one is moved */
    loop_run(loop);
    assert_int_equal(shot.count, 5);
}

static void fire_in_turn(void *context)
{
    struct shot *shot = context;
    shot->fired_ns = loop_now_ns(loop);
    shot->count++;
}

/* Timers that may wait share a waking: one of their own, or another's. */
static void test_lax_timers_share_a_waking(void **state)
{
    (void)state;
    enum { COUNT = 12, LATER = COUNT };
    struct shot lax[COUNT + 1] = {0}, sharp = {0};
    for (uint64_t i = 0; i <= COUNT; i++) {
        lax[i].timer = (struct loop_timer){.name = "lax", .fn = fire_in_turn, .context = &lax[i]};
        loop_timer_start_lax(loop, &lax[i].timer, i == LATER ? 60 : 2 + i);
    }
    sharp.timer = (struct loop_timer){.name = "sharp", .fn = fire_in_turn, .context = &sharp};
    loop_timer_start(loop, &sharp.timer, 70);
    run_for(150);
    uint64_t turn_ns = 0;
    int turns = 0;
    for (int i = 0; i < COUNT; i++) {
        assert_int_equal(lax[i].count, 1);
        turns += lax[i].fired_ns != turn_ns;
        turn_ns = lax[i].fired_ns;
    }
    /* A late first turn finds some due; the wheel has turns of its own; twelve there are not. */
    assert_in_range(turns, 1, 3);
    assert_int_equal(lax[LATER].count, 1);
    assert_true(lax[LATER].fired_ns <= sharp.fired_ns);
    loop_timer_start_lax(loop, &lax[0].timer, 1);
    loop_timer_stop(loop, &lax[0].timer);
    assert_false(loop_timer_running(&lax[0].timer));
}

static void stop_other(void *context)
{
    struct loop_timer *other = context;
    loop_timer_stop(loop, other);
}

static void test_timer_stops_another_due(void **state)
{
    (void)state;
    struct shot victim = {0};
    struct loop_timer killer = {.name = "killer", .fn = stop_other, .context = &victim.timer};
    loop_timer_start(loop, &killer, 1);
    arm(&victim, 1);
    usleep(4000); /* both are overdue in the first turn */
    run_for(5);
    assert_int_equal(victim.count, 0);
}

struct echo {
    struct loop_watch *watch, *other;
    int fd;
    uint32_t calls;
};

static void on_event(void *context, uint32_t events)
{
    struct echo *echo = context;
    eventfd_t value;
    assert_true(events & EPOLLIN);
    eventfd_read(echo->fd, &value);
    echo->calls++;
    loop_stop(loop);
    echo->watch = loop_fd_remove(echo->watch);
    echo->other = loop_fd_remove(echo->other);
}

static void add_echo(struct echo *echo)
{
    echo->fd = eventfd(1, EFD_NONBLOCK | EFD_CLOEXEC);
    assert_int_equal(loop_fd_add(loop, echo->fd, EPOLLIN, "echo", on_event, echo, &echo->watch),
                     STATUS_OK);
}

/* Both are ready in one turn; whichever runs first removes both. */
static void test_removal_inside_callbacks(void **state)
{
    (void)state;
    struct echo first = {0}, second = {0};
    add_echo(&first);
    add_echo(&second);
    first.other = second.watch;
    second.other = first.watch;
    loop_run(loop);
    assert_int_equal(first.calls + second.calls, 1);
    assert_null(loop_fd_remove(NULL));
    close(first.fd);
    close(second.fd);
}

static void unmute(void *context)
{
    struct echo *echo = context;
    assert_int_equal(echo->calls, 0);
    loop_fd_change(echo->watch, EPOLLIN);
}

static void test_descriptor_wishes_change(void **state)
{
    (void)state;
    struct echo echo = {0};
    struct loop_timer later = {.name = "unmute", .fn = unmute, .context = &echo};
    add_echo(&echo);
    loop_fd_change(echo.watch, 0);
    loop_timer_start(loop, &later, 5);
    loop_run(loop);
    assert_int_equal(echo.calls, 1);
    close(echo.fd);
}

static void test_fd_errors(void **state)
{
    (void)state;
    struct loop_watch *watch = NULL;
    assert_int_equal(loop_fd_add(loop, -1, EPOLLIN, "bad", on_event, NULL, &watch), STATUS_INVALID);
    assert_null(watch);
}

struct poster {
    uint32_t got;
};

enum { POSTS = 10000 };

static void got_letter(void *arg)
{
    struct poster *poster = arg;
    if (++poster->got == POSTS)
        loop_stop(loop);
}

static void *post_letters(void *arg)
{
    for (int i = 0; i < POSTS; i++) {
        if (loop_post(loop, got_letter, arg) != STATUS_OK)
            return arg;
    }
    return NULL;
}

static void test_letters_from_a_thread(void **state)
{
    (void)state;
    struct poster poster = {0};
    pthread_t thread;
    void *failed;
    assert_int_equal(pthread_create(&thread, NULL, post_letters, &poster), 0);
    loop_run(loop);
    pthread_join(thread, &failed);
    assert_null(failed);
    assert_int_equal(poster.got, POSTS);
    assert_int_equal(loop_letters(loop), 0);
}

static void count_call(void *arg)
{
    uint32_t *count = arg;
    (*count)++;
}

static void test_letters_before_stop_are_run(void **state)
{
    (void)state;
    uint32_t count = 0;
    assert_int_equal(loop_post(loop, count_call, &count), STATUS_OK);
    loop_stop(loop);
    loop_run(loop); /* the stop came before the run, and counts */
    assert_int_equal(count, 1);
    assert_int_equal(loop_post(loop, count_call, &count), STATUS_CLOSED);
}

enum { ASKERS = 4, QUESTIONS = 1000 };

static void *ask(void *arg)
{
    uint32_t *count = arg;
    for (int i = 0; i < QUESTIONS; i++) {
        if (loop_call(loop, count_call, count) != STATUS_OK)
            break;
    }
    return NULL;
}

static void *run_loop(void *arg)
{
    (void)arg;
    loop_run(loop);
    return NULL;
}

static void test_questions_are_answered(void **state)
{
    (void)state;
    pthread_t runner, askers[ASKERS];
    uint32_t counts[ASKERS] = {0};
    assert_int_equal(pthread_create(&runner, NULL, run_loop, NULL), 0);
    for (int i = 0; i < ASKERS; i++)
        assert_int_equal(pthread_create(&askers[i], NULL, ask, &counts[i]), 0);
    for (int i = 0; i < ASKERS; i++) {
        pthread_join(askers[i], NULL);
        assert_int_equal(counts[i], QUESTIONS);
    }
    loop_stop(loop);
    pthread_join(runner, NULL);
    assert_int_equal(loop_call(loop, count_call, &counts[0]), STATUS_CLOSED);
}

/* Askers are never left waiting by a loop that stops under them. */
static void test_stop_under_questions(void **state)
{
    (void)state;
    pthread_t runner, asker;
    uint32_t count = 0;
    assert_int_equal(pthread_create(&runner, NULL, run_loop, NULL), 0);
    assert_int_equal(pthread_create(&asker, NULL, ask, &count), 0);
    loop_stop(loop);
    pthread_join(asker, NULL);
    pthread_join(runner, NULL);
    assert_true(count <= QUESTIONS);
}

struct flush {
    uint64_t asked_ns, slept_ns_min;
    uint32_t turns;
};

/* Asks for 400 us each turn and keeps the shortest sleep; the best of many is not the scheduler's.
 */
static void flush_hook(void *context)
{
    struct flush *flush = context;
    uint64_t now_ns = clock_mono_ns();
    if (flush->turns > 0 && now_ns - flush->asked_ns < flush->slept_ns_min)
        flush->slept_ns_min = now_ns - flush->asked_ns;
    if (++flush->turns == 50)
        loop_stop(loop);
    loop_sleep_at_most(loop, 5000000);
    loop_sleep_at_most(loop, 400);
    flush->asked_ns = clock_mono_ns();
}

static void test_short_sleeps_are_precise(void **state)
{
    (void)state;
    struct flush flush = {.slept_ns_min = UINT64_MAX};
    loop_before_sleep(loop, flush_hook, &flush);
    loop_run(loop);
    assert_int_equal(flush.turns, 50);
    assert_in_range(flush.slept_ns_min, 400000, 600000);
}

static void ignore_ready(void *context, uint32_t events)
{
    (void)context, (void)events;
}

static void nap_hook(void *context)
{
    struct flush *flush = context;
    uint64_t now_ns = clock_mono_ns();
    if (flush->turns > 0 && now_ns - flush->asked_ns < flush->slept_ns_min)
        flush->slept_ns_min = now_ns - flush->asked_ns;
    if (++flush->turns == 20)
        loop_stop(loop);
    loop_nap(loop, 1000);
    flush->asked_ns = clock_mono_ns();
}

/* A descriptor that is ready all the time does not end a nap. */
static void test_a_nap_goes_on(void **state)
{
    (void)state;
    struct flush flush = {.slept_ns_min = UINT64_MAX};
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "x", 1), 1);
    struct loop_watch *watch;
    assert_int_equal(loop_fd_add(loop, ends[0], EPOLLIN, "ready", ignore_ready, NULL, &watch),
                     STATUS_OK);
    loop_before_sleep(loop, nap_hook, &flush);
    loop_run(loop);
    assert_true(flush.slept_ns_min >= 1000000);
    assert_null(loop_fd_remove(watch));
    close(ends[0]);
    close(ends[1]);
}

static void test_now_is_the_turns(void **state)
{
    (void)state;
    uint64_t before_ns = clock_mono_ns();
    run_for(1);
    assert_true(loop_now_ns(loop) > before_ns);
    assert_true(loop_now_ms(loop) == loop_now_ns(loop) / CLOCK_NS_PER_MS);
}

static void dawdle(void *context)
{
    (void)context;
    usleep((LOOP_SLOW_MS + 2) * 1000);
}

static void test_slow_handler_is_named(void **state)
{
    (void)state;
    char text[1024];
    struct loop_timer slow = {.name = "dawdle", .fn = dawdle};
    assert_int_equal(loop_post(loop, dawdle, NULL), STATUS_OK);
    loop_timer_start(loop, &slow, 0);
    capture_start();
    run_for(5);
    capture_stop(text, sizeof text);
    assert_non_null(strstr(text, " warn loop slow_handler loop=test handler=dawdle ms="));
    assert_non_null(strstr(text, "handler=letters"));
}

static enum status make(void *context)
{
    (void)context;
    struct loop *other = NULL;
    struct loop_watch *watch;
    int fd = eventfd(0, EFD_CLOEXEC);
    enum status status = loop_new("other", &other);
    if (status == STATUS_OK)
        status = loop_fd_add(other, fd, EPOLLIN, "fd", on_event, NULL, &watch);
    loop_free(other);
    close(fd);
    return status;
}

static void test_without_memory(void **state)
{
    (void)state;
    assert_true(alloc_fail_each(make, NULL) >= 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_timers_never_early, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_timer_restarts_itself, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_lax_timers_share_a_waking, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_timer_stops_another_due, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_removal_inside_callbacks, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_descriptor_wishes_change, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_fd_errors, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_letters_from_a_thread, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_letters_before_stop_are_run, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_questions_are_answered, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_stop_under_questions, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_short_sleeps_are_precise, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_nap_goes_on, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_now_is_the_turns, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_slow_handler_is_named, set_up, tear_down),
        cmocka_unit_test(test_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
