#include "media/sfu/pacing.h"

#include "core/clock.h"
#include "media/sfu/downlink.h"
#include "media/sfu/slot_write.h"
#include "media/sfu/transport.h"
#include "media/worker.h"

struct paced {
    struct paced *next;
    struct packet *packet;
    struct slot *slot;
    struct rewritten rewritten;
    bool empty, covered, parity;
    uint8_t spatial;
};

uint32_t pacing_block_bytes(void)
{
    return sizeof(struct paced);
}

void pacing_wake(struct worker *worker, struct transport *transport)
{
    if (transport->pacing.listed)
        return;
    transport->pacing.listed = true;
    transport->pacing.next = worker->paced;
    worker->paced = transport;
}

bool pacing_hold(struct worker *worker, struct slot *slot, const struct leaving *leaving)
{
    struct pacing *pacing = &slot->transport->pacing;
    struct paced *paced = pacing->count < PACING_PACKETS_MAX ? pool_get(worker->pacing) : NULL;
    if (paced == NULL) {
        /* What came before goes first. */
        pacing_flush(worker, slot->transport);
        return false;
    }
    *paced = (struct paced){
        .packet = packet_ref((struct packet *)(uintptr_t)leaving->packet),
        .slot = slot,
        .rewritten = *leaving->rewritten,
        .empty = leaving->empty,
        .covered = leaving->covered,
        .parity = leaving->parity,
        .spatial = leaving->spatial,
    };
    if (pacing->first == NULL)
        pacing->first = paced;
    else
        pacing->last->next = paced;
    pacing->last = paced;
    pacing->count++;
    pacing->bytes += leaving->packet->length;
    worker->counters.paced++;
    pacing_wake(worker, slot->transport);
    return true;
}

static void paced_take(struct worker *worker, struct transport *transport, bool send)
{
    struct pacing *pacing = &transport->pacing;
    struct paced *paced = pacing->first;
    pacing->first = paced->next;
    pacing->count--;
    pacing->bytes -= paced->packet->length;
    const struct leaving leaving = {
        .packet = paced->packet,
        .rewritten = &paced->rewritten,
        .empty = paced->empty,
        .covered = paced->covered,
        .parity = paced->parity,
        .spatial = paced->spatial,
    };
    if (send)
        slot_leave(worker, paced->slot, &leaving);
    packet_unref(paced->packet, worker->packets);
    pool_put(worker->pacing, paced);
}

void pacing_flush(struct worker *worker, struct transport *transport)
{
    while (transport->pacing.first != NULL)
        paced_take(worker, transport, transport->sending);
}

void pacing_end(struct worker *worker, struct transport *transport)
{
    struct transport **at = &worker->paced;
    while (transport->pacing.first != NULL)
        paced_take(worker, transport, false);
    if (!transport->pacing.listed)
        return;
    while (*at != transport)
        at = &(*at)->pacing.next;
    *at = transport->pacing.next;
    transport->pacing.listed = false;
}

/* Nanoseconds until it wants to be looked at again; 0: not any more. */
static uint64_t transport_turn(struct worker *worker, struct transport *transport, uint64_t now_ns)
{
    struct pacing *pacing = &transport->pacing;
    if (!transport->sending) {
        pacing_flush(worker, transport);
        return 0;
    }
    while (pacing->first != NULL && pacer_open(&pacing->pacer, now_ns))
        paced_take(worker, transport, true);
    bool probing = downlink_probe(worker, transport, now_ns);
    if (pacing->first == NULL)
        return probing ? 1 : 0;
    uint64_t wait_ns = pacer_wait_ns(&pacing->pacer, now_ns);
    return probing || wait_ns == 0 ? 1 : wait_ns;
}

void pacing_turn(struct worker *worker)
{
    uint64_t now_ns = worker_now_ns(worker), sleep_us = UINT64_MAX;
    struct transport **at = &worker->paced;
    while (*at != NULL) {
        struct transport *transport = *at;
        uint64_t wait_ns = transport_turn(worker, transport, now_ns);
        if (wait_ns == 0) {
            transport->pacing.listed = false;
            *at = transport->pacing.next;
            continue;
        }
        if (wait_ns / CLOCK_NS_PER_US < sleep_us)
            sleep_us = wait_ns / CLOCK_NS_PER_US;
        at = &transport->pacing.next;
    }
    if (sleep_us != UINT64_MAX)
        loop_sleep_at_most(worker->loop,
                           sleep_us < PACING_SLEEP_US_MIN ? PACING_SLEEP_US_MIN : sleep_us);
}
