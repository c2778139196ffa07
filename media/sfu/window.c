#include "media/sfu/window.h"

#include "core/clock.h"

static uint32_t within(uint64_t us, uint32_t limit_us)
{
    if (us > limit_us)
        us = limit_us;
    return us < WINDOW_IDLE_US ? WINDOW_IDLE_US : (uint32_t)us;
}

void window_load(struct window *window, uint64_t packets_per_s)
{
    window->limit_us = within(packets_per_s / WINDOW_PACKETS_A_US, WINDOW_MAX_US);
}

void window_flushed(struct window *window, size_t packets, size_t messages, uint64_t now_ns)
{
    uint32_t rest_us = window->rest_us;
    if (now_ns - window->flushed_ns >=
        (uint64_t)WINDOW_ALONE_US * CLOCK_NS_PER_US + rest_us * CLOCK_NS_PER_US)
        rest_us = 0;
    else if (5 * packets > 6 * messages) /* a fifth of them shared: wait longer */
        rest_us = within((uint64_t)rest_us + rest_us / 4, window->limit_us);
    else if (20 * packets < 21 * messages) /* hardly any: it is only latency */
        rest_us = within(rest_us - rest_us / 8, window->limit_us);
    else
        rest_us = within(rest_us, window->limit_us);
    window->rest_us = rest_us;
    window->flushed_ns = now_ns;
}
