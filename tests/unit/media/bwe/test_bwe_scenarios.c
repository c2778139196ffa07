/*
 * Ten thousand random short calls through media/bwe/ over a simulated link.
 *
 * What must hold in each: speech always has its rate; the estimate is never above the link
 * (by more than OVER_PERCENT and a voice) for more than OVER_US while enough is sent to find out;
 * where the link has been steady it is found again.
 *
 * A call that fails prints its seed; BWE_SEED=n replays it alone and prints its course.
 */
#include "tests/support/flow.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
    SCENARIOS = 10000,
    MS = 1000,
    SECOND = 1000000,
    OVER_PERCENT = 115,
    OVER_US = 2 * SECOND,
    OVER_SENT_PERCENT = 102, /* of the link: less shows nothing */
    CLIMB_PERCENT = 70,      /* of the link, or of what there is to send, is reached... */
    FIND_US = 7 * SECOND,    /* ...that long after the last change */
};

struct scenario {
    struct flow flow;
    uint64_t steady_us; /* nothing changes after */
    uint64_t end_us;
    bool harsh; /* lost, jittered or shared so much that only survival is asked */
    uint64_t over_us, over_longest_us, over_at_us;
    uint32_t least_bps;
};

static struct scenario scenario;

static uint32_t between(struct rng *rng, uint32_t low, uint32_t high)
{
    return low + rng_below(rng, high - low + 1);
}

/* Evenly in the logarithm: slow links count as much as fast ones. */
static uint32_t rate_any(struct rng *rng)
{
    uint32_t bps = between(rng, 150000, 300000);
    return bps << rng_below(rng, 5);
}

static uint32_t rate_least(const struct link *link)
{
    uint32_t least = UINT32_MAX;
    for (size_t i = 0; i < link->step_count; i++) {
        if (link->steps[i].bps != 0 && link->steps[i].bps < least)
            least = link->steps[i].bps;
    }
    return least;
}

static void link_make(struct scenario *made, struct rng *rng)
{
    struct link *link = &made->flow.link;
    link->delay_us = between(rng, 2, 150) * MS;
    link->queue_us = between(rng, 60, 1000) * MS;
    link->keeps_order = rng_below(rng, 4) != 0;
    if (rng_below(rng, 3) == 0)
        link->jitter_us = between(rng, 1, 40) * MS;
    if (rng_below(rng, 3) == 0)
        link->loss = rng_below(rng, LINK_ONE / 10);
    if (rng_below(rng, 20) == 0)
        link->loss = LINK_ONE / 10 + rng_below(rng, LINK_ONE / 5);
    if (rng_below(rng, 4) == 0)
        link->reorder = rng_below(rng, LINK_ONE / 20);
    uint64_t at_us = 0;
    link->step_count = 0;
    for (uint32_t i = 0, steps = between(rng, 1, 3); i < steps; i++) {
        link->steps[link->step_count++] = (struct link_step){at_us, rate_any(rng)};
        made->steady_us = at_us;
        at_us = (i + 2) * SECOND + between(rng, 0, 1500) * MS;
        if (rng_below(rng, 12) == 0 && i + 1 < steps) {
            link->steps[link->step_count++] = (struct link_step){at_us, 0};
            at_us += between(rng, 100, 1500) * MS;
        }
    }
}

static void scenario_make(struct scenario *made, uint64_t seed)
{
    static const uint32_t layers[] = {150000, 500000, 1300000, 2500000, 4500000};
    struct rng rng;
    rng_seed(&rng, seed);
    memset(made, 0, offsetof(struct scenario, flow.batches));
    made->over_us = made->over_longest_us = made->over_at_us = 0;
    struct flow *flow = &made->flow;
    link_make(made, &rng);
    flow->layer_count = sizeof layers / sizeof layers[0];
    memcpy(flow->layers, layers, sizeof layers);
    flow->feedback_us = between(&rng, 50, 100) * MS;
    flow->back_us = flow->link.delay_us;
    flow->feedback_loss = rng_below(&rng, 4) == 0 ? rng_below(&rng, LINK_ONE / 20) : 0;
    flow->clock_us = (int64_t)rng_below(&rng, 1U << 30) * 4096 - (INT64_C(1) << 40);
    made->harsh = flow->link.loss > LINK_ONE / 20 || flow->link.jitter_us > 20 * MS ||
                  flow->link.reorder > LINK_ONE / 50;
    if (rng_below(&rng, 5) == 0) {
        flow->cross_bps = rate_least(&flow->link) / between(&rng, 2, 5);
        flow->cross_from_us = between(&rng, 0, 3) * SECOND;
        flow->cross_to_us = flow->cross_from_us + between(&rng, 500, 4000) * MS;
        if (flow->cross_to_us > made->steady_us)
            made->steady_us = flow->cross_to_us;
        made->harsh = true;
    }
    made->end_us = made->steady_us + FIND_US;
    rng_seed(&flow->rng, seed + 1);
    rng_seed(&flow->link.rng, seed + 2);
    flow_begin(flow);
    made->steady_us += flow->now_us;
    made->end_us += flow->now_us;
    for (size_t i = 1; i < flow->link.step_count; i++)
        flow->link.steps[i].at_us += flow->now_us;
    flow->cross_from_us += flow->now_us;
    flow->cross_to_us += flow->now_us;
    made->least_bps = UINT32_MAX;
}

static uint32_t room_bps(const struct flow *flow)
{
    uint32_t bps = link_bps(&flow->link, flow->now_us);
    bool shared = flow->now_us >= flow->cross_from_us && flow->now_us < flow->cross_to_us;
    uint32_t cross = shared ? flow->cross_bps : 0;
    return bps > cross ? bps - cross : 0;
}

static void scenario_watch(struct scenario *watched, bool print)
{
    const struct flow *flow = &watched->flow;
    uint32_t estimate = bwe_estimate(&flow->bwe);
    uint32_t room = room_bps(flow);
    uint32_t sent = throughput_bps(&flow->bwe.offered, THROUGHPUT_LONG);
    if (estimate < watched->least_bps)
        watched->least_bps = estimate;
    bool over = estimate > (uint64_t)room * OVER_PERCENT / 100 &&
                estimate > room + FLOW_AUDIO_BPS && sent > (uint64_t)room * OVER_SENT_PERCENT / 100;
    if (room != 0) /* an outage is no rate: nothing is to be learnt while it lasts */
        watched->over_us = over ? watched->over_us + FLOW_STEP_US : 0;
    if (watched->over_us > watched->over_longest_us) {
        watched->over_longest_us = watched->over_us;
        watched->over_at_us = flow->now_us;
    }
    if (print && flow->now_us / FLOW_STEP_US % 20 == 0)
        printf("%6.2f s  link %7u  estimate %7u  sent %7u  arrived %7u  queue %4lld ms  layer "
               "%d%s%s%s "
               "loss %.2f floor %.2f cap %u thr %.1f jit %.1f\n",
               (double)flow->now_us / SECOND, room, estimate, sent,
               throughput_bps(&flow->bwe.arrived, THROUGHPUT_LONG),
               (long long)flow->bwe.queue_us / MS, flow->layer,
               flow->bwe.delay.usage == DELAY_OVERUSE ? " overuse" : "",
               flow->bwe.draining ? " draining" : "", flow->bwe.silent ? " silent" : "",
               flow->bwe.loss.fraction, flow->bwe.loss.floor, flow->bwe.capacity_bps,
               flow->bwe.delay.threshold_ms, flow->bwe.delay.jitter_ms);
}

static uint32_t wanted_bps(const struct flow *flow)
{
    uint32_t room = room_bps(flow);
    uint32_t most = flow->layers[flow->layer_count - 1] + FLOW_AUDIO_BPS;
    return room < most ? room : most;
}

/* NULL: all is well. */
static const char *scenario_run(uint64_t seed, bool print)
{
    struct scenario *run = &scenario;
    scenario_make(run, seed);
    struct flow *flow = &run->flow;
    uint32_t reached = 0;
    while (flow->now_us < run->end_us) {
        flow_step(flow);
        scenario_watch(run, print);
        if (bwe_estimate(&flow->bwe) > reached && flow->now_us > run->steady_us)
            reached = bwe_estimate(&flow->bwe);
    }
    uint32_t wanted = wanted_bps(flow);
    if (print)
        printf("over %llu ms until %.2f s, least %u, reached %u of %u%s\n",
               (unsigned long long)run->over_longest_us / MS, (double)run->over_at_us / SECOND,
               run->least_bps, reached, wanted, run->harsh ? ", harsh" : "");
    flow_end(flow);
    if (run->least_bps < FLOW_AUDIO_BPS)
        return "speech is starved";
    if (run->over_longest_us > OVER_US)
        return "the estimate stays above the link";
    if (!run->harsh && reached < (uint64_t)wanted * CLIMB_PERCENT / 100)
        return "the link is not found";
    return NULL;
}

static void test_random_calls(void **state)
{
    (void)state;
    const char *only = getenv("BWE_SEED");
    uint64_t first = only != NULL ? strtoull(only, NULL, 10) : 1;
    uint64_t count = only != NULL ? 1 : SCENARIOS;
    uint32_t failures = 0;
    for (uint64_t seed = first; seed < first + count; seed++) {
        const char *wrong = scenario_run(seed, only != NULL);
        if (wrong == NULL)
            continue;
        failures++;
        print_message("BWE_SEED=%llu: %s\n", (unsigned long long)seed, wrong);
    }
    assert_int_equal(failures, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_random_calls)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
