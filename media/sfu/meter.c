#include "media/sfu/meter.h"

#include "media/worker.h"

#include <linux/sock_diag.h>
#include <sys/socket.h>

static uint64_t slabs(const struct worker *worker)
{
    return (uint64_t)packets_slabs(worker->packets) + pool_slabs(worker->rewriters) +
           pool_slabs(worker->maps) + pool_slabs(worker->pacing) + pool_slabs(worker->fecs);
}

static uint64_t bytes(const struct worker *worker)
{
    return (uint64_t)packets_bytes(worker->packets) + pool_bytes(worker->rewriters) +
           pool_bytes(worker->maps) + pool_bytes(worker->pacing) + pool_bytes(worker->fecs);
}

static void gauges_set(struct worker *worker)
{
    uint32_t waiting = 0;
    for (uint8_t from = 0; from < worker->media->worker_count; from++)
        waiting += worker->inbox[from] == NULL ? 0 : ring_length(worker->inbox[from]);
    metric_set(worker->counters.gauges.pool_bytes, (int64_t)bytes(worker));
    metric_set(worker->counters.gauges.packet_pool_used, packets_used(worker->packets));
    metric_set(worker->counters.gauges.ring_length, waiting);
    metric_set(worker->counters.gauges.letters, loop_letters(worker->loop));
    metric_set(worker->counters.gauges.transports, (int64_t)map_count(worker->transports));
    metric_set(worker->counters.gauges.feeds, (int64_t)map_count(worker->feeds));
    metric_set(worker->counters.gauges.addresses, (int64_t)worker->addresses.count);
    metric_set(worker->counters.gauges.tcp, (int64_t)map_count(worker->connections));
}

/* What the kernel threw away because we read too slowly: one question a second, none per packet. */
static void socket_look(struct worker *worker)
{
    uint32_t memory[SK_MEMINFO_VARS];
    socklen_t length = sizeof memory;
    if (getsockopt(worker->fd, SOL_SOCKET, SO_MEMINFO, memory, &length) != 0 ||
        length < (SK_MEMINFO_DROPS + 1) * sizeof memory[0])
        return;
    worker->counters.dropped_receive_buffer +=
        memory[SK_MEMINFO_DROPS] - worker->meter.socket_drops;
    worker->meter.socket_drops = memory[SK_MEMINFO_DROPS];
    metric_set(worker->counters.gauges.socket_queue, memory[SK_MEMINFO_RMEM_ALLOC]);
}

static void rates_set(struct worker *worker, uint64_t elapsed_ms)
{
    struct counters *counters = &worker->counters;
    uint64_t received = counters->received_bytes - worker->meter.received_bytes;
    uint64_t sent = counters->sent_bytes - worker->meter.sent_bytes;
    worker->meter.received_bytes = counters->received_bytes;
    worker->meter.sent_bytes = counters->sent_bytes;
    metric_set(counters->gauges.receive_bits, (int64_t)(received * 8000 / elapsed_ms));
    metric_set(counters->gauges.send_bits, (int64_t)(sent * 8000 / elapsed_ms));
}

void meter_begin(struct worker *worker)
{
    worker->meter.slabs_first = slabs(worker);
}

uint64_t meter_tick(struct worker *worker)
{
    const struct sender_counts *sent = sender_counts(worker->sender);
    const struct sender_counts before = worker->meter.sent;
    struct counters *counters = &worker->counters;
    counters->sent += sent->packets - before.packets;
    counters->sent_bytes += sent->bytes - before.bytes;
    counters->send_calls += sent->calls - before.calls;
    counters->segmented += sent->segmented - before.segmented;
    counters->dropped_kernel += sent->dropped - before.dropped;
    counters->allocations = slabs(worker) - worker->meter.slabs_first;
    worker->meter.sent = *sent;
    counters_publish(counters);
    gauges_set(worker);
    return sent->packets - before.packets;
}

void meter_second(struct worker *worker, uint64_t elapsed_ms)
{
    rates_set(worker, elapsed_ms);
    socket_look(worker);
}
