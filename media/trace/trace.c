#include "media/trace/trace.h"

#include "core/clock.h"
#include "core/queue.h"
#include "media/trace/ip_frame.h"
#include "media/trace/pcapng.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { TRACE_FILE_BUFFER = 1 << 18 };

struct record {
    struct tap_packet packet;
    uint8_t bytes[TRACE_PACKET_MAX];
};

struct tap {
    uint64_t transport;
    bool decrypted;
    atomic_uint references;
    atomic_bool ended;
    atomic_uint_fast64_t seen, dropped;
    struct ring *ring;
    /* The writer's. */
    struct ice_address remote, local; /* whose way was looked up last */
    uint32_t sent, received;          /* bytes of a TCP connection */
};

struct trace {
    struct trace_config config;
    char *path;
    FILE *file;
    pthread_t thread;
    atomic_bool stop, ended;
    struct tap *taps[TRACE_TAPS_MAX];
    atomic_uint tap_count;
    struct record record; /* the writer's */
    uint8_t frame[TRACE_PACKET_MAX + IP_FRAME_HEAD_MAX];
    uint8_t block[TRACE_PACKET_MAX + IP_FRAME_HEAD_MAX + PCAPNG_BLOCK_OVERHEAD_MAX];
    uint64_t wall_shift_ns; /* from clock_mono to 1970 */
    uint64_t began_ns;      /* clock_mono */
    uint64_t bytes, written;
    bool failed;
};

/* ---- taps ---- */

enum status tap_new(struct trace *trace, uint64_t transport, struct tap **ret_tap)
{
    unsigned count = atomic_load(&trace->tap_count);
    if (atomic_load(&trace->ended))
        return STATUS_CLOSED;
    if (count == TRACE_TAPS_MAX)
        return STATUS_LIMIT;
    struct tap *tap = calloc(1, sizeof *tap);
    if (tap == NULL)
        return STATUS_NO_MEMORY;
    tap->transport = transport;
    tap->decrypted = trace->config.decrypted;
    atomic_init(&tap->references, 2); /* the trace's, the caller's */
    enum status status = ring_new(sizeof(struct record), TRACE_RING, &tap->ring);
    if (status != STATUS_OK) {
        free(tap);
        return status;
    }
    trace->taps[count] = tap;
    atomic_store(&trace->tap_count, count + 1);
    atomic_store(&tap->ended, atomic_load(&trace->ended)); /* it may just have ended */
    *ret_tap = tap;
    return STATUS_OK;
}

struct tap *tap_ref(struct tap *tap)
{
    atomic_fetch_add_explicit(&tap->references, 1, memory_order_relaxed);
    return tap;
}

void tap_unref(struct tap *tap)
{
    if (tap == NULL || atomic_fetch_sub_explicit(&tap->references, 1, memory_order_acq_rel) != 1)
        return;
    ring_free(tap->ring);
    free(tap);
}

uint64_t tap_transport(const struct tap *tap)
{
    return tap->transport;
}

bool tap_decrypted(const struct tap *tap)
{
    return tap->decrypted;
}

bool tap_ended(const struct tap *tap)
{
    return atomic_load_explicit(&tap->ended, memory_order_relaxed);
}

void tap_put(struct tap *tap, const struct tap_packet *packet, const uint8_t *bytes)
{
    if (tap_ended(tap))
        return;
    atomic_fetch_add_explicit(&tap->seen, 1, memory_order_relaxed);
    struct record record;
    bool put = packet->length <= sizeof record.bytes;
    if (put) {
        record.packet = *packet;
        memcpy(record.bytes, bytes, packet->length);
        put = ring_push(tap->ring, &record);
    }
    if (!put)
        atomic_fetch_add_explicit(&tap->dropped, 1, memory_order_relaxed);
}

/* ---- the writer ---- */

/* The address this machine uses towards that client: its routes know, the bound socket does not. */
static void local_find(struct ice_address *local, const struct ice_address *remote)
{
    struct sockaddr_storage to, own;
    socklen_t length, own_length = sizeof own;
    struct ice_address found;
    sa_family_t family = ice_address_is_v4(remote) ? AF_INET : AF_INET6;
    if (ice_address_to(remote, family, &to, &length) != STATUS_OK)
        return;
    int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    if (connect(fd, (const struct sockaddr *)&to, length) == 0 &&
        getsockname(fd, (struct sockaddr *)&own, &own_length) == 0 &&
        ice_address_from((const struct sockaddr *)&own, &found) == STATUS_OK)
        memcpy(local->ip, found.ip, sizeof local->ip);
    close(fd);
}

static void block_write(struct trace *trace, const uint8_t *bytes, size_t length)
{
    if (!trace->failed && fwrite(bytes, 1, length, trace->file) != length)
        trace->failed = true;
    trace->bytes += length;
}

/* Where this client's packets come to. */
static const struct ice_address *local_of(struct tap *tap, const struct tap_packet *packet)
{
    static const uint8_t unspecified[16];
    if (memcmp(packet->local.ip, unspecified, sizeof unspecified) != 0)
        return &packet->local;
    if (!ice_address_equal(&tap->remote, &packet->remote)) {
        tap->remote = packet->remote;
        tap->local = packet->local;
        local_find(&tap->local, &packet->remote);
    }
    tap->local.port = packet->local.port;
    return &tap->local;
}

static void record_write(struct trace *trace, struct tap *tap, const struct record *record)
{
    const struct tap_packet *packet = &record->packet;
    const struct ice_address *local = local_of(tap, packet);
    struct ip_frame frame = {.from = packet->outbound ? *local : packet->remote,
                             .to = packet->outbound ? packet->remote : *local,
                             .tcp = packet->tcp};
    if (packet->tcp) {
        frame.sequence = packet->outbound ? tap->sent : tap->received;
        frame.acknowledged = packet->outbound ? tap->received : tap->sent;
        *(packet->outbound ? &tap->sent : &tap->received) += packet->length + 2U;
    }
    size_t length = ip_frame_write(&frame, record->bytes, packet->length, trace->frame);
    length = pcapng_packet(trace->block, packet->mono_ns + trace->wall_shift_ns, packet->outbound,
                           trace->frame, length);
    block_write(trace, trace->block, length);
    trace->written++;
}

static bool trace_full(const struct trace *trace)
{
    return trace->failed ||
           trace->bytes + sizeof trace->block + PCAPNG_STATISTICS_MAX > trace->config.bytes_max;
}

static void taps_drain(struct trace *trace)
{
    unsigned count = atomic_load_explicit(&trace->tap_count, memory_order_acquire);
    for (unsigned i = 0; i < count; i++) {
        while (!trace_full(trace) && ring_pop(trace->taps[i]->ring, &trace->record))
            record_write(trace, trace->taps[i], &trace->record);
    }
}

static void trace_end(struct trace *trace)
{
    uint8_t block[PCAPNG_STATISTICS_MAX];
    struct pcapng_statistics statistics = {
        .began_ns = trace->began_ns + trace->wall_shift_ns,
        .ended_ns = clock_mono_ns() + trace->wall_shift_ns,
    };
    atomic_store(&trace->ended, true);
    unsigned count = atomic_load(&trace->tap_count);
    for (unsigned i = 0; i < count; i++) {
        atomic_store(&trace->taps[i]->ended, true);
        statistics.received += atomic_load(&trace->taps[i]->seen);
    }
    /* What was seen and is not there: it found no room in a ring, or the file ended first. */
    statistics.dropped = statistics.received - trace->written;
    block_write(trace, block, pcapng_statistics(block, &statistics));
    if (fclose(trace->file) != 0)
        trace->failed = true;
    if (trace->config.ended != NULL)
        trace->config.ended(trace->config.context,
                            &(struct trace_result){.path = trace->path,
                                                   .bytes = trace->bytes,
                                                   .written = trace->written,
                                                   .dropped = statistics.dropped,
                                                   .failed = trace->failed});
}

static void *trace_main(void *arg)
{
    struct trace *trace = arg;
    const struct timespec turn = {.tv_nsec = TRACE_TURN_MS * (long)CLOCK_NS_PER_MS};
    uint64_t until_ns =
        trace->began_ns + (uint64_t)trace->config.seconds_max * 1000 * CLOCK_NS_PER_MS;
    while (!atomic_load(&trace->stop) && clock_mono_ns() < until_ns && !trace_full(trace)) {
        taps_drain(trace);
        fflush(trace->file); /* what fails is seen when it is closed */
        nanosleep(&turn, NULL);
    }
    taps_drain(trace);
    trace_end(trace);
    return NULL;
}

/* ---- beginning and end ---- */

static enum status file_open(struct trace *trace)
{
    int fd = open(trace->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return errno == EEXIST ? STATUS_EXISTS : STATUS_IO;
    trace->file = fdopen(fd, "w");
    if (trace->file == NULL) {
        close(fd);
        return STATUS_NO_MEMORY;
    }
    setvbuf(trace->file, NULL, _IOFBF, TRACE_FILE_BUFFER);
    uint8_t head[PCAPNG_HEAD_MAX];
    size_t length = pcapng_head(head, "parley " PARLEY_VERSION, trace->config.comment,
                                trace->config.decrypted ? "media, decrypted" : "media");
    block_write(trace, head, length);
    return STATUS_OK;
}

static void trace_release(struct trace *trace)
{
    unsigned count = atomic_load(&trace->tap_count);
    for (unsigned i = 0; i < count; i++)
        tap_unref(trace->taps[i]);
    free(trace->path);
    free(trace);
}

enum status trace_new(const struct trace_config *config, struct trace **ret_trace)
{
    struct trace *trace = calloc(1, sizeof *trace);
    if (trace == NULL)
        return STATUS_NO_MEMORY;
    trace->config = *config;
    trace->path = strdup(config->path);
    trace->began_ns = clock_mono_ns();
    trace->wall_shift_ns = (uint64_t)clock_wall_ms() * CLOCK_NS_PER_MS - trace->began_ns;
    enum status status = trace->path != NULL ? file_open(trace) : STATUS_NO_MEMORY;
    trace->config.comment = NULL; /* borrowed for the head only */
    if (status == STATUS_OK && pthread_create(&trace->thread, NULL, trace_main, trace) != 0) {
        fclose(trace->file);
        status = STATUS_NO_MEMORY;
    }
    if (status != STATUS_OK) {
        trace_release(trace);
        return status;
    }
    *ret_trace = trace;
    return STATUS_OK;
}

struct trace *trace_free(struct trace *trace)
{
    if (trace == NULL)
        return NULL;
    atomic_store(&trace->stop, true);
    pthread_join(trace->thread, NULL);
    trace_release(trace);
    return NULL;
}
