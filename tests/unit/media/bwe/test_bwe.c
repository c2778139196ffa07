/* The parts of media/bwe/ one by one, and what an estimate does without a link behind it. */
#include "core/rng.h"
#include "media/bwe/bwe.h"
#include "media/bwe/pacer.h"
#include "tests/support/alloc_fail.h"
#include "tests/support/flow.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { MS = 1000, SECOND = 1000000 };

/* ---- sent ---- */

static void test_sent_tells_once_and_grows(void **state)
{
    (void)state;
    struct sent sent = {0};
    struct sent_fate fate;
    sent_put(&sent, 1, 100, 0, 0, 5); /* closed: nothing happens */
    assert_false(sent_told(&sent, 1, true, 6, &fate));
    assert_true(sent_idle_us(&sent, 10) == UINT64_MAX);
    assert_int_equal(sent_open(&sent), STATUS_OK);
    const uint64_t begin_us = (UINT64_C(7) << 32) - 50; /* the low bits wrap on the way */
    for (uint16_t i = 0; i < 100; i++)
        sent_put(&sent, (uint16_t)(65500 + i), (uint16_t)(1000 + i), i % 8, 0, begin_us + i);
    assert_int_equal(sent.overrun, 100 - SENT_PACKETS_MIN);
    assert_false(sent_told(&sent, 65500, true, begin_us + 200, &fate)); /* overwritten */
    assert_true(sent_told(&sent, (uint16_t)(65500 + 99), false, begin_us + 200, &fate));
    assert_false(fate.again);
    assert_false(sent_told(&sent, (uint16_t)(65500 + 99), false, begin_us + 200, &fate));
    sent_fit(&sent);
    assert_int_equal(sent.mask + 1, 2 * SENT_PACKETS_MIN);
    assert_true(sent_told(&sent, (uint16_t)(65500 + 99), true, begin_us + 200, &fate));
    assert_true(fate.again);
    assert_int_equal(fate.size, 1099);
    assert_int_equal(fate.cluster, 99 % 8);
    assert_true(fate.at_us == begin_us + 99);
    assert_false(sent_told(&sent, (uint16_t)(65500 + 99), true, begin_us + 200, &fate));
    assert_true(sent_idle_us(&sent, begin_us + 200) == 101);
    for (int round = 0; round < 10; round++) {
        for (uint32_t i = 0; i < 2 * SENT_PACKETS_MAX; i++)
            sent_put(&sent, (uint16_t)i, 10, 0, 0, begin_us);
        sent_fit(&sent);
    }
    assert_int_equal(sent.mask + 1, SENT_PACKETS_MAX);
    sent_close(&sent);
}

static void test_sent_without_memory(void **state)
{
    (void)state;
    struct bwe bwe;
    alloc_fail_at(1);
    assert_int_equal(bwe_open(&bwe, true, 0), STATUS_NO_MEMORY);
    alloc_fail_at(0);
    assert_true(bwe_estimate(&bwe) == UINT32_MAX);
    bwe_close(&bwe);
}

/* ---- throughput ---- */

static void test_throughput_is_a_rate(void **state)
{
    (void)state;
    struct throughput throughput = {0};
    assert_int_equal(throughput_bps(&throughput, THROUGHPUT_LONG), 0);
    for (int64_t at_us = -2 * SECOND; at_us < 2 * SECOND; at_us += 10 * MS)
        throughput_add(&throughput, at_us, 1250);
    uint32_t bps = throughput_bps(&throughput, THROUGHPUT_LONG);
    assert_in_range(bps, 950000, 1060000);
    /* A change is seen sooner in the shorter window. */
    for (int64_t at_us = 2 * SECOND; at_us < 2 * SECOND + 200 * MS; at_us += 10 * MS)
        throughput_add(&throughput, at_us, 125);
    assert_true(throughput_bps(&throughput, THROUGHPUT_SHORT) <
                throughput_bps(&throughput, THROUGHPUT_LONG) * 3 / 4);
    throughput_add(&throughput, 1 * SECOND, 1 << 20); /* too old */
    assert_true(throughput_bps(&throughput, THROUGHPUT_LONG) < bps);
    throughput_add(&throughput, -100 * SECOND, 100); /* another clock: all anew */
    assert_int_equal(throughput_bps(&throughput, THROUGHPUT_LONG), 0);
}

/* ---- delay ---- */

static void test_a_growing_queue_is_overuse(void **state)
{
    (void)state;
    struct delay delay = {0};
    int64_t at_us = 0, queue_us = 0;
    for (; at_us < 2 * SECOND; at_us += 10 * MS)
        delay_packet(&delay, at_us, at_us + 900 * SECOND + at_us % (3 * MS));
    assert_int_equal(delay.usage, DELAY_NORMAL);
    assert_true(delay_queue(&delay) < 3 * MS);
    for (; delay.usage != DELAY_OVERUSE && at_us < 4 * SECOND; at_us += 10 * MS) {
        queue_us += 2 * MS; /* a fifth too much */
        delay_packet(&delay, at_us, at_us + 900 * SECOND + queue_us);
    }
    assert_int_equal(delay.usage, DELAY_OVERUSE);
    assert_true(queue_us < 80 * MS);
    for (; queue_us < 300 * MS; queue_us += 2 * MS, at_us += 10 * MS)
        delay_packet(&delay, at_us, at_us + 900 * SECOND + queue_us);
    for (; delay.usage != DELAY_UNDERUSE && queue_us > 0; at_us += 10 * MS) {
        queue_us -= 2 * MS;
        delay_packet(&delay, at_us, at_us + 900 * SECOND + queue_us);
    }
    assert_int_equal(delay.usage, DELAY_UNDERUSE);
    /* A clock that jumps is no queue. */
    for (int i = 0; i < 100; i++, at_us += 10 * MS)
        delay_packet(&delay, at_us, at_us);
    assert_int_equal(delay.usage, DELAY_NORMAL);
    assert_true(delay_queue(&delay) < MS);
}

/* ---- loss ---- */

static enum loss_verdict lose(struct loss *loss, int percent, uint32_t bps, uint64_t *now_us)
{
    for (int i = 0; i < 100; i++)
        loss_packet(loss, i >= percent, false);
    *now_us += LOSS_WINDOW_US;
    return loss_judge(loss, bps, *now_us);
}

/* Ten of a hundred lost by chance for ten minutes, in windows as small as a picture makes them:
 * hardly ever a reason to send less, whatever one window says. */
static void test_loss_by_chance(void **state)
{
    (void)state;
    enum { PACKETS = 45, WINDOWS = 2000, HIGH_MOST = 12 };
    struct loss loss = {0};
    uint64_t now_us = SECOND;
    struct rng rng;
    rng_seed(&rng, 7);
    int high = 0;
    for (int window = 0; window < WINDOWS; window++) {
        for (int i = 0; i < PACKETS; i++)
            loss_packet(&loss, rng_below(&rng, 10) != 0, false);
        now_us += 300 * MS;
        high += loss_judge(&loss, 1000000, now_us) == LOSS_HIGH;
    }
    assert_in_range(high, 0, HIGH_MOST);
}

/* A path that loses a sixth: one test of sending less, then it is its own. */
static void test_loss_that_stays(void **state)
{
    (void)state;
    enum { PACKETS = 45, WINDOWS = 200 };
    struct loss loss = {0};
    uint64_t now_us = SECOND;
    struct rng rng;
    rng_seed(&rng, 8);
    uint32_t bps = 1000000;
    int own = 0, since = 0;
    for (int window = 0; window < WINDOWS; window++) {
        for (int i = 0; i < PACKETS; i++)
            loss_packet(&loss, rng_below(&rng, 6) != 0, false);
        now_us += 300 * MS;
        enum loss_verdict verdict = loss_judge(&loss, bps, now_us);
        since += own > 0 && verdict == LOSS_HIGH;
        own += verdict == LOSS_OWN;
        bps = verdict == LOSS_HIGH ? 660000 : verdict == LOSS_OWN ? 1000000 : bps;
    }
    assert_true(own >= 1);
    assert_in_range(since, 0, 3);
}

static void test_loss_that_less_does_not_help(void **state)
{
    (void)state;
    struct loss loss = {0};
    uint64_t now_us = SECOND;
    assert_int_equal(loss_judge(&loss, 1000000, now_us), LOSS_UNKNOWN);
    assert_int_equal(lose(&loss, 1, 1000000, &now_us), LOSS_LOW);
    assert_int_equal(lose(&loss, 8, 1000000, &now_us), LOSS_SOME);
    /* An overflowing queue: less is sent, less is lost. */
    assert_int_equal(lose(&loss, 30, 1000000, &now_us), LOSS_HIGH);
    assert_int_equal(lose(&loss, 0, 600000, &now_us), LOSS_LOW);
    assert_true(loss.floor < 0.01);
    /* A bad radio: it is the same. */
    assert_int_equal(lose(&loss, 30, 1000000, &now_us), LOSS_HIGH);
    assert_int_equal(lose(&loss, 28, 950000, &now_us), LOSS_HIGH);
    assert_int_equal(lose(&loss, 29, 500000, &now_us), LOSS_OWN);
    assert_int_equal(lose(&loss, 30, 1000000, &now_us), LOSS_LOW);
    assert_int_equal(lose(&loss, 60, 1000000, &now_us), LOSS_HIGH); /* and more than that is not */
    loss_packet(&loss, false, false);
    loss_packet(&loss, true, true); /* it came after all */
    assert_int_equal(loss.lost, 0);
}

/* ---- pacer ---- */

static void test_pacer(void **state)
{
    (void)state;
    struct pacer pacer = {0};
    uint64_t now_ns = UINT64_C(5000000000);
    for (int i = 0; i < 1000; i++) {
        assert_true(pacer_open(&pacer, now_ns));
        pacer_sent(&pacer, 1200, now_ns);
    }
    pacer_set(&pacer, 1000000, PACER_PERCENT, 0); /* 2.5 Mbit/s: 40 ms are 12,500 bytes */
    uint32_t bytes = 0;
    for (; pacer_open(&pacer, now_ns); bytes += 1200)
        pacer_sent(&pacer, 1200, now_ns);
    assert_in_range(bytes, 12500, 13700);
    now_ns += pacer_wait_ns(&pacer, now_ns);
    assert_true(pacer_open(&pacer, now_ns));
    for (bytes = 0; bytes < 312500; bytes += 1250) {
        now_ns += pacer_wait_ns(&pacer, now_ns);
        pacer_sent(&pacer, 1250, now_ns);
    }
    assert_in_range(now_ns, UINT64_C(5950000000), UINT64_C(6010000000));
    pacer_set(&pacer, 1000000, PACER_PERCENT, 1000000); /* what waits leaves in time */
    assert_true(pacer.ns_per_byte <= (uint64_t)PACER_WAIT_US_MAX * 1000 / 1000000);
    pacer_set(&pacer, UINT32_MAX, PACER_PERCENT, 0);
    assert_true(pacer_open(&pacer, now_ns));
}

/* ---- the whole over a plain link ---- */

static const uint32_t layers[] = {150000, 500000, 1700000};

static struct flow *flow_over(const struct link_step *steps, size_t count, uint32_t queue_ms)
{
    static struct flow flow;
    memset(&flow, 0, offsetof(struct flow, batches));
    memcpy(flow.link.steps, steps, count * sizeof *steps);
    flow.link.step_count = count;
    flow.link.delay_us = 25 * MS;
    flow.link.queue_us = queue_ms * MS;
    memcpy(flow.layers, layers, sizeof layers);
    flow.layer_count = 3;
    flow.feedback_us = 100 * MS;
    flow.back_us = 25 * MS;
    rng_seed(&flow.rng, 1);
    rng_seed(&flow.link.rng, 2);
    flow_begin(&flow);
    return &flow;
}

static void flow_until(struct flow *flow, uint64_t us)
{
    while (flow->now_us < us)
        flow_step(flow);
}

/* Issue: 3 -> 0.5 -> 3 Mbit/s, back in the earlier layer within 5 s; estimate not above for 2 s. */
static void test_a_step_down_and_up(void **state)
{
    (void)state;
    for (uint32_t low_s = 5; low_s < 40; low_s += 3) {
        const struct link_step steps[] = {
            {0, 3000000}, {10 * SECOND, 500000}, {(10 + low_s) * SECOND, 3000000}};
        struct flow *flow = flow_over(steps, 3, 300);
        flow_until(flow, 10 * SECOND);
        assert_int_equal(flow->layer, 2);
        flow_until(flow, 12 * SECOND);
        assert_true(bwe_estimate(&flow->bwe) < 575000);
        uint64_t up_us = (10 + low_s) * (uint64_t)SECOND;
        while (flow->now_us < up_us) {
            flow_step(flow);
            assert_true(bwe_estimate(&flow->bwe) < 800000);
        }
        while (flow->layer != 2 && flow->now_us < up_us + 10 * SECOND)
            flow_step(flow);
        assert_true(flow->now_us <= up_us + 4500 * MS);
        flow_end(flow);
    }
}

/* Used below the estimate, it stays where it is: nothing is known of the link that is not used. */
static void test_idle_neither_rises_nor_falls(void **state)
{
    (void)state;
    const struct link_step steps[] = {{0, 3000000}};
    struct flow *flow = flow_over(steps, 1, 300);
    flow_until(flow, 8 * SECOND);
    flow->layer_count = 1; /* a small tile from now on */
    flow_until(flow, 9 * SECOND);
    uint32_t before = bwe_estimate(&flow->bwe);
    flow_until(flow, 60 * SECOND);
    assert_int_equal(bwe_estimate(&flow->bwe), before);
    flow_end(flow);
}

static void put(struct bwe *bwe, uint64_t now_us)
{
    bwe->sequence++;
    bwe_sent(bwe, 1000, 0, now_us);
}

/* Ticks for so long or until a probe begins. */
static uint64_t probe_within(struct bwe *bwe, uint64_t now_us, uint64_t us)
{
    uint64_t end_us = now_us + us;
    while (now_us < end_us && bwe->probe.state != PROBE_SENDING)
        bwe_tick(bwe, 1000000, now_us += 50 * MS);
    assert_int_equal(bwe->probe.state, PROBE_SENDING);
    return now_us;
}

/* Every picture is paused behind a full queue: nothing is sent that could say that it is gone. */
static void test_who_sends_nothing_still_probes(void **state)
{
    (void)state;
    struct bwe bwe;
    uint64_t now_us = SECOND;
    assert_int_equal(bwe_open(&bwe, true, now_us), STATUS_OK);
    for (int64_t i = 0; i < 100; i++, now_us += 20 * MS) {
        put(&bwe, now_us);
        const struct twcc_report report = {.sequence = (uint16_t)(bwe.sequence - 1),
                                           .received = true,
                                           .arrival_us = (int64_t)now_us + i * 3 * MS};
        bwe_feedback(&bwe, &report, 1, now_us);
    }
    assert_true(bwe.queue_us > 100 * MS);
    now_us = probe_within(&bwe, now_us, 4 * SECOND);
    for (int i = 0; i < 10; i++)
        put(&bwe, now_us);
    assert_int_equal(probe_due(&bwe.probe, now_us + SECOND), 0);
    /* It began a moment ago: that it has not been answered is no silence. */
    bwe_tick(&bwe, 1000000, now_us + 100 * MS);
    assert_false(bwe.silent);
    /* It never is answered: the next. */
    (void)probe_within(&bwe, now_us, 4 * SECOND);
    bwe_close(&bwe);
}

/* A queue of a second: the picture goes on, the queue goes away. */
static void test_a_bloated_queue_is_drained(void **state)
{
    (void)state;
    const struct link_step steps[] = {{0, 3000000}, {10 * SECOND, 800000}};
    struct flow *flow = flow_over(steps, 2, 1000);
    flow_until(flow, 14 * SECOND);
    uint64_t frames_begin = flow->video_bytes;
    int64_t queue_worst_us = 0;
    while (flow->now_us < 30 * SECOND) {
        flow_step(flow);
        if (flow->bwe.queue_us > queue_worst_us)
            queue_worst_us = flow->bwe.queue_us;
    }
    assert_true(queue_worst_us < 200 * MS);
    assert_true(flow->video_bytes - frames_begin > 16 * 400000 / 8);
    flow_end(flow);
}

static void test_an_outage_is_over_when_it_is_over(void **state)
{
    (void)state;
    const struct link_step steps[] = {{0, 3000000}, {10 * SECOND, 0}, {13 * SECOND, 3000000}};
    struct flow *flow = flow_over(steps, 3, 300);
    flow_until(flow, 10 * SECOND);
    assert_int_equal(flow->layer, 2);
    flow_until(flow, 13 * SECOND);
    assert_true(flow->layer < 2);
    while (flow->layer < 1 && flow->now_us < 20 * SECOND)
        flow_step(flow);
    assert_true(flow->now_us < 14 * SECOND);
    flow_end(flow);
}

/* ---- peers without transport-wide feedback ---- */

static void test_remb_and_reports(void **state)
{
    (void)state;
    struct bwe bwe;
    uint64_t now_us = SECOND;
    assert_int_equal(bwe_open(&bwe, false, now_us), STATUS_OK);
    assert_true(bwe_estimate(&bwe) == UINT32_MAX);
    bwe_report(&bwe, 3, 2000000, now_us += SECOND);
    assert_true(bwe_estimate(&bwe) == UINT32_MAX); /* no loss, no limit */
    bwe_report(&bwe, 128, 2000000, now_us += SECOND);
    assert_int_equal(bwe_estimate(&bwe), 1500000);
    for (int i = 0; i < 20; i++)
        bwe_report(&bwe, 0, 1000000, now_us += SECOND);
    assert_true(bwe_estimate(&bwe) > 3000000);
    /* REMB knows more. Near what is sent it is the link's, else only what the receiver saw. */
    bwe_remb(&bwe, 900000, 850000, now_us += SECOND);
    assert_int_equal(bwe_estimate(&bwe), 900000);
    bwe_remb(&bwe, 700000, 650000, now_us += SECOND);
    assert_int_equal(bwe_estimate(&bwe), 700000);
    for (int i = 0; i < 10; i++)
        bwe_remb(&bwe, 750000, 500000, now_us += SECOND);
    assert_in_range(bwe_estimate(&bwe), 1300000, 1700000);
    bwe_report(&bwe, 255, 500000, now_us += SECOND);
    assert_in_range(bwe_estimate(&bwe), 1300000, 1700000);
    bwe_remb(&bwe, UINT64_MAX, 500000, now_us += SECOND);
    assert_int_equal(bwe_estimate(&bwe), BWE_BPS_MAX);
    bwe_close(&bwe);
    /* One that promises feedback and gives none is judged by its reports. */
    assert_int_equal(bwe_open(&bwe, true, now_us), STATUS_OK);
    assert_int_equal(bwe_estimate(&bwe), BWE_BPS_FIRST);
    bwe.sequence++;
    bwe_sent(&bwe, 1000, 0, now_us);
    bwe_tick(&bwe, 1000000, now_us);
    bwe_report(&bwe, 0, 300000, now_us += SECOND);
    assert_int_equal(bwe_estimate(&bwe), BWE_BPS_FIRST);
    bwe_tick(&bwe, 1000000, now_us += BWE_DEAF_US);
    assert_true(bwe_estimate(&bwe) == UINT32_MAX);
    bwe_close(&bwe);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sent_tells_once_and_grows),
        cmocka_unit_test(test_sent_without_memory),
        cmocka_unit_test(test_throughput_is_a_rate),
        cmocka_unit_test(test_a_growing_queue_is_overuse),
        cmocka_unit_test(test_loss_by_chance),
        cmocka_unit_test(test_loss_that_stays),
        cmocka_unit_test(test_loss_that_less_does_not_help),
        cmocka_unit_test(test_pacer),
        cmocka_unit_test(test_a_step_down_and_up),
        cmocka_unit_test(test_who_sends_nothing_still_probes),
        cmocka_unit_test(test_idle_neither_rises_nor_falls),
        cmocka_unit_test(test_a_bloated_queue_is_drained),
        cmocka_unit_test(test_an_outage_is_over_when_it_is_over),
        cmocka_unit_test(test_remb_and_reports),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
