#include "media/sfu/window.h"

#include "core/clock.h"

enum { US_PER_S = 1000000 };

static uint32_t within(uint64_t us, uint32_t limit_us)
{
    if (us > limit_us)
        us = limit_us;
    return us < WINDOW_IDLE_US ? WINDOW_IDLE_US : (uint32_t)us;
}

void window_load(struct window *window, uint64_t packets_per_s, uint64_t destinations)
{
    uint32_t limit_us = within(packets_per_s / WINDOW_PACKETS_A_US, WINDOW_MAX_US);
    uint64_t gap_us = packets_per_s == 0 ? UINT32_MAX : destinations * US_PER_S / packets_per_s;
    window->goal_us = gap_us < limit_us ? within(WINDOW_SEGMENTS * gap_us, limit_us) : 0;
}

void window_flushed(struct window *window, size_t packets, size_t messages, uint64_t now_ns)
{
    uint32_t rest_us = window->rest_us;
    if (now_ns - window->flushed_ns >=
        (uint64_t)WINDOW_ALONE_US * CLOCK_NS_PER_US + rest_us * CLOCK_NS_PER_US)
        rest_us = 0;
    else if (5 * packets > 6 * messages) /* a fifth of them shared: wait for more */
        rest_us = within(2 * (uint64_t)rest_us, window->goal_us);
    else if (packets > WINDOW_FEW && 20 * packets < 21 * messages) /* it is only latency */
        rest_us = within(rest_us - rest_us / 8, window->goal_us);
    else
        rest_us = within(rest_us, window->goal_us);
    window->rest_us = rest_us;
    window->flushed_ns = now_ns;
}

uint32_t window_nap_us(const struct window *window, uint64_t worked_us)
{
    uint64_t spent_us = 2 * worked_us;
    if (spent_us >= WINDOW_BUDGET_US)
        return 0;
    uint32_t left_us = (uint32_t)(WINDOW_BUDGET_US - spent_us);
    return window->rest_us < left_us ? window->rest_us : left_us;
}
