#include "media/sfu/downlink.h"

#include "core/clock.h"
#include "media/sfu/allocator.h"
#include "media/sfu/pacing.h"
#include "media/sfu/slot.h"
#include "media/sfu/slot_write.h"
#include "media/sfu/transport.h"
#include "media/worker.h"

enum {
    DOWNLINK_PROBE_TURN = 16, /* packets of a probe in one turn */
    DOWNLINK_AGAIN = 32,      /* packets back that are sent again */
};

static uint64_t now_us(const struct worker *worker)
{
    return worker_now_ns(worker) / CLOCK_NS_PER_US;
}

/* ---- whom it is told ---- */

static void downlink_tell(struct worker *worker, struct transport *transport)
{
    struct downlink *downlink = &transport->downlink;
    const struct bwe *bwe = &downlink->bwe;
    uint32_t estimate = bwe_estimate(bwe), told = downlink->told_bps;
    uint64_t now_ms = worker_now_ms(worker);
    if (estimate == UINT32_MAX && (told == 0 || told == UINT32_MAX))
        return;
    uint32_t apart = estimate > told ? estimate - told : told - estimate;
    if (apart <= told / DOWNLINK_BUDGET_PART && now_ms - downlink->told_ms < DOWNLINK_BUDGET_MS)
        return;
    downlink->told_bps = estimate;
    downlink->told_ms = now_ms;
    pacer_set(&transport->pacing.pacer, estimate, bwe_burst_percent(bwe), transport->pacing.bytes);
    allocator_budget(worker, transport, estimate, now_ms);
}

static bool slot_feeds_back(const struct slot *slot)
{
    bool feedback = false;
    for (uint8_t i = 0; i < slot->payload_count; i++)
        feedback = feedback || slot->payloads[i].transport_cc;
    return feedback && slot->extensions.transport_cc != 0;
}

void downlink_open(struct worker *worker, struct transport *transport)
{
    bool feedback = false;
    for (uint8_t i = 0; i < transport->slot_count; i++)
        feedback = feedback || slot_feeds_back(&transport->slots[i]);
    uint16_t sequence = transport->downlink.bwe.sequence;
    downlink_close(worker, transport);
    if (transport->slot_count > 0)
        (void)!bwe_open(&transport->downlink.bwe, feedback, now_us(worker));
    transport->downlink.bwe.sequence = sequence;
    downlink_tell(worker, transport);
}

void downlink_close(struct worker *worker, struct transport *transport)
{
    pacing_end(worker, transport);
    bwe_close(&transport->downlink.bwe);
}

/* ---- probes ---- */

static bool slot_probes(const struct slot *slot)
{
    return slot->kind == MEDIA_VIDEO && slot->extensions.transport_cc != 0 &&
           slot->payload != NULL && slot->rewriter != NULL && !slot_repairs_plainly(slot) &&
           slot->payload->rtx_type != 0 && slot->rtx_ssrc != 0;
}

/* The one that carried something last: what it sends again may even be of use. */
static struct slot *slot_to_probe(const struct transport *transport)
{
    struct slot *newest = NULL;
    for (uint8_t i = 0; i < transport->slot_count; i++) {
        struct slot *slot = &transport->slots[i];
        if (slot_probes(slot) && (newest == NULL || slot->forwarded_ms > newest->forwarded_ms))
            newest = slot;
    }
    return newest;
}

bool downlink_probe(struct worker *worker, struct transport *transport, uint64_t now_ns)
{
    struct probe *probe = &transport->downlink.bwe.probe;
    if (probe->state != PROBE_SENDING)
        return false;
    struct slot *slot = slot_to_probe(transport);
    uint32_t due = probe_due(probe, now_ns / CLOCK_NS_PER_US);
    for (uint32_t sent = 0; slot != NULL && due > 0 && sent < DOWNLINK_PROBE_TURN; sent++) {
        uint32_t before = probe->sent_bytes;
        bool again = probe->target_bps > DOWNLINK_PADDING_BPS_MAX &&
                     slot_again(worker, slot, (uint16_t)(1 + probe->sent_packets % DOWNLINK_AGAIN));
        if (!again)
            slot_pad(worker, slot);
        uint32_t made = probe->sent_bytes - before;
        if (made == 0)
            break;
        worker->counters.probes_sent++;
        due = due > made ? due - made : 0;
    }
    return probe->state == PROBE_SENDING;
}

static void downlink_watch(struct worker *worker, struct transport *transport)
{
    struct bwe *bwe = &transport->downlink.bwe;
    uint32_t desired = allocator_desired(transport);
    if (desired > bwe->estimate_bps && slot_to_probe(transport) == NULL)
        desired = 0;
    bwe_tick(bwe, desired, now_us(worker));
    if (bwe->probe.state == PROBE_SENDING)
        pacing_wake(worker, transport);
    downlink_tell(worker, transport);
}

/* ---- what the subscriber says ---- */

void downlink_feedback(struct worker *worker, struct transport *transport,
                       const struct twcc_report *reports, size_t count)
{
    struct bwe *bwe = &transport->downlink.bwe;
    bwe_feedback(bwe, reports, count, now_us(worker));
    downlink_watch(worker, transport);
    if (transport->loss.permille < LOSS_MISSED_PERMILLE)
        return;
    for (uint8_t i = 0; i < bwe->missing_count; i++) {
        uint32_t note = bwe->missing[i];
        uint8_t slot = (uint8_t)(note >> SLOT_NOTE_SLOT);
        if (slot < transport->slot_count)
            slot_missed(worker, &transport->slots[slot], (uint16_t)note,
                        (note & SLOT_NOTE_REPAIR) != 0);
    }
}

void downlink_remb(struct worker *worker, struct transport *transport, uint64_t bps)
{
    bwe_remb(&transport->downlink.bwe, bps, transport->downlink.sent_bps, now_us(worker));
    downlink_tell(worker, transport);
}

void downlink_report(struct transport *transport, uint8_t fraction)
{
    struct downlink *downlink = &transport->downlink;
    downlink->reported = true;
    if (fraction > downlink->loss_worst)
        downlink->loss_worst = fraction;
}

static void downlink_judge(struct worker *worker, struct transport *transport, uint64_t now_ms)
{
    struct downlink *downlink = &transport->downlink;
    uint64_t elapsed_ms = now_ms - downlink->judged_ms;
    if (elapsed_ms < DOWNLINK_JUDGE_MS)
        return;
    downlink->sent_bps =
        (uint32_t)((transport->video_bytes - downlink->sent_bytes) * 8000 / elapsed_ms);
    if (downlink->reported)
        bwe_report(&downlink->bwe, downlink->loss_worst, downlink->sent_bps, now_us(worker));
    downlink->judged_ms = now_ms;
    downlink->sent_bytes = transport->video_bytes;
    downlink->loss_worst = 0;
    downlink->reported = false;
}

uint64_t downlink_tick(struct worker *worker, struct transport *transport)
{
    if (transport->slot_count == 0)
        return TRANSPORT_IDLE_MS;
    downlink_judge(worker, transport, worker_now_ms(worker));
    downlink_watch(worker, transport);
    return transport->downlink.bwe.source == BWE_TRANSPORT_WIDE ? DOWNLINK_TICK_MS
                                                                : TRANSPORT_IDLE_MS;
}
