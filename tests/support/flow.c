#include "tests/support/flow.h"

#include <assert.h>
#include <string.h>

enum {
    FRAME_US = 33333,
    AUDIO_US = 20000,
    PACKET_BYTES = 1150,
    PADDING_BYTES = 300,
    CROSS_BYTES = 1200,
    KEY_FACTOR = 4,
    TICK_US = 250, /* of feedback */
};

void flow_begin(struct flow *flow)
{
    flow->layer = -1;
    flow->now_us = 1000000;
    flow->frame_us = flow->audio_us = flow->fed_back_us = flow->now_us;
    assert(bwe_open(&flow->bwe, true, flow->now_us) == STATUS_OK);
}

void flow_end(struct flow *flow)
{
    bwe_close(&flow->bwe);
}

/* ---- the sender ---- */

static void packet_leave(struct flow *flow, size_t bytes)
{
    uint64_t arrival_us = link_send(&flow->link, bytes, flow->now_us);
    flow->arrivals[flow->sent++ % FLOW_SENT] = arrival_us;
    flow->bwe.sequence++;
    bwe_sent(&flow->bwe, bytes, 0, flow->now_us);
    pacer_sent(&flow->pacer, (uint32_t)bytes, flow->now_us * 1000);
}

static void queue_drain(struct flow *flow)
{
    while (flow->queue_count > 0 && pacer_open(&flow->pacer, flow->now_us * 1000)) {
        uint16_t bytes = flow->queue[flow->queue_first];
        flow->queue_first = (flow->queue_first + 1) % FLOW_QUEUE;
        flow->queue_count--;
        flow->queue_bytes -= bytes;
        packet_leave(flow, bytes);
    }
}

static void video_leave(struct flow *flow, size_t bytes)
{
    if (flow->queue_count == 0 && pacer_open(&flow->pacer, flow->now_us * 1000)) {
        packet_leave(flow, bytes);
    } else if (flow->queue_count < FLOW_QUEUE) {
        flow->queue[(flow->queue_first + flow->queue_count++) % FLOW_QUEUE] = (uint16_t)bytes;
        flow->queue_bytes += bytes;
    }
}

static void layer_choose(struct flow *flow)
{
    uint32_t estimate = bwe_estimate(&flow->bwe);
    int chosen = -1;
    for (size_t i = 0; i < flow->layer_count; i++) {
        /* A higher layer has to fit with some room, one that is there may stay. */
        uint64_t needed = flow->layers[i] + FLOW_AUDIO_BPS;
        if ((int)i > flow->layer)
            needed = needed * 11 / 10;
        if (needed <= estimate)
            chosen = (int)i;
    }
    flow->key = flow->key || chosen != flow->layer;
    flow->layer = chosen;
}

uint32_t flow_desired(const struct flow *flow)
{
    size_t next = (size_t)(flow->layer + 1);
    if (next >= flow->layer_count)
        next = flow->layer_count - 1;
    return (flow->layers[next] + FLOW_AUDIO_BPS) * 11 / 10 + 1;
}

static void media_make(struct flow *flow)
{
    if (flow->now_us >= flow->audio_us) {
        flow->audio_us += AUDIO_US;
        packet_leave(flow, FLOW_AUDIO_BPS / 8 * AUDIO_US / 1000000);
    }
    if (flow->now_us < flow->frame_us)
        return;
    flow->frame_us += FRAME_US;
    layer_choose(flow);
    if (flow->layer < 0)
        return;
    uint64_t bytes = (uint64_t)flow->layers[flow->layer] * FRAME_US / 8000000;
    bytes = bytes * (80 + rng_below(&flow->rng, 41)) / 100;
    if (flow->key)
        bytes *= KEY_FACTOR;
    flow->key = false;
    flow->video_bytes += bytes;
    for (; bytes > PACKET_BYTES; bytes -= PACKET_BYTES)
        video_leave(flow, PACKET_BYTES);
    video_leave(flow, (size_t)bytes + 60);
}

static void probe_make(struct flow *flow)
{
    uint32_t due = probe_due(&flow->bwe.probe, flow->now_us);
    size_t bytes = flow->bwe.probe.target_bps > 2000000 ? PACKET_BYTES : PADDING_BYTES;
    for (uint32_t made = 0; made < due; made += (uint32_t)bytes)
        packet_leave(flow, bytes);
}

static void cross_make(struct flow *flow)
{
    if (flow->cross_bps == 0 || flow->now_us < flow->cross_from_us ||
        flow->now_us >= flow->cross_to_us)
        return;
    if (flow->cross_us < flow->cross_from_us)
        flow->cross_us = flow->cross_from_us;
    for (; flow->cross_us <= flow->now_us;
         flow->cross_us += (uint64_t)CROSS_BYTES * 8000000 / flow->cross_bps)
        (void)link_send(&flow->link, CROSS_BYTES, flow->now_us);
}

/* ---- the receiver ---- */

static int64_t first_untold(struct flow *flow)
{
    /* As the recorder does: what comes after it was told missing is told again, with all since. */
    int64_t from = flow->told - 64 < 0 ? 0 : flow->told - 64;
    uint64_t before_us = flow->fed_back_us - flow->feedback_us;
    for (int64_t i = from; i < flow->told; i++) {
        uint64_t arrival_us = flow->arrivals[i % FLOW_SENT];
        if (arrival_us > before_us && arrival_us <= flow->now_us)
            return i;
    }
    return flow->told;
}

static void feedback_make(struct flow *flow)
{
    if (flow->now_us < flow->fed_back_us)
        return;
    int64_t begin = first_untold(flow), end = flow->told;
    for (int64_t i = flow->told; i < flow->sent; i++) {
        uint64_t arrival_us = flow->arrivals[i % FLOW_SENT];
        if (arrival_us != 0 && arrival_us <= flow->now_us)
            end = i + 1;
    }
    flow->fed_back_us = flow->now_us + flow->feedback_us;
    if (end - begin > FLOW_REPORTS)
        begin = end - FLOW_REPORTS;
    if (end == begin || flow->batch_count == FLOW_BATCHES)
        return;
    flow->told = end;
    if (rng_below(&flow->rng, LINK_ONE) < flow->feedback_loss)
        return;
    struct flow_batch *batch =
        &flow->batches[(flow->batch_first + flow->batch_count++) % FLOW_BATCHES];
    batch->due_us = flow->now_us + flow->back_us;
    batch->count = 0;
    for (int64_t i = begin; i < end; i++) {
        uint64_t arrival_us = flow->arrivals[i % FLOW_SENT];
        bool received = arrival_us != 0 && arrival_us <= flow->now_us;
        batch->reports[batch->count++] = (struct twcc_report){
            .sequence = (uint16_t)i,
            .received = received,
            .arrival_us = ((int64_t)arrival_us + flow->clock_us) / TICK_US * TICK_US,
        };
    }
}

static void feedback_take(struct flow *flow)
{
    while (flow->batch_count > 0) {
        const struct flow_batch *batch = &flow->batches[flow->batch_first];
        if (batch->due_us > flow->now_us)
            return;
        bwe_feedback(&flow->bwe, batch->reports, batch->count, flow->now_us);
        flow->batch_first = (flow->batch_first + 1) % FLOW_BATCHES;
        flow->batch_count--;
    }
}

void flow_step(struct flow *flow)
{
    flow->now_us += FLOW_STEP_US;
    feedback_take(flow);
    if (flow->now_us / FLOW_STEP_US % 10 == 0) {
        bwe_tick(&flow->bwe, flow_desired(flow), flow->now_us);
        pacer_set(&flow->pacer, bwe_estimate(&flow->bwe), bwe_burst_percent(&flow->bwe),
                  (uint32_t)flow->queue_bytes);
    }
    cross_make(flow);
    queue_drain(flow);
    media_make(flow);
    probe_make(flow);
    feedback_make(flow);
}
