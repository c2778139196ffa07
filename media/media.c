#include "media/media.h"

#include "media/ice/candidates.h"
#include "media/sfu/feed.h"
#include "media/sfu/slot.h"
#include "media/sfu/tapping.h"
#include "media/sfu/tcp.h"
#include "media/sfu/track.h"
#include "media/sfu/transport.h"
#include "media/trace/trace.h"
#include "media/worker.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LETTER_CHAIN = 3 };

/* ---- sockets ---- */

static enum status socket_failed(int fd)
{
    int error = errno;
    if (fd >= 0)
        close(fd);
    if (error == EADDRINUSE)
        return STATUS_EXISTS;
    return error == EACCES ? STATUS_DENIED : STATUS_IO;
}

static int socket_bind(int fd, int family, uint16_t port)
{
    struct sockaddr_in6 any6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    struct sockaddr_in any4 = {.sin_family = AF_INET, .sin_port = htons(port)};
    if (family == AF_INET6)
        return bind(fd, (const struct sockaddr *)&any6, sizeof any6);
    return bind(fd, (const struct sockaddr *)&any4, sizeof any4);
}

static enum status socket_open(int family, uint16_t port, bool shared, int *ret_fd)
{
    const int on = 1, off = 0, bytes = WORKER_SOCKET_BUFFER;
    int fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return STATUS_IO;
    if (family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off) != 0)
        return socket_failed(fd);
    if (shared && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0)
        return socket_failed(fd);
    /* What the system allows of it is enough to begin with. */
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
    if (socket_bind(fd, family, port) != 0)
        return socket_failed(fd);
    *ret_fd = fd;
    return STATUS_OK;
}

static enum status socket_port(int fd, uint16_t *ret_port)
{
    struct sockaddr_storage bound;
    socklen_t length = sizeof bound;
    if (getsockname(fd, (struct sockaddr *)&bound, &length) != 0)
        return STATUS_IO;
    *ret_port = ntohs(bound.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&bound)->sin6_port
                                                  : ((struct sockaddr_in *)&bound)->sin_port);
    return STATUS_OK;
}

static int socket_family(void)
{
    int fd;
    if (socket_open(AF_INET6, 0, false, &fd) != STATUS_OK)
        return AF_INET; /* a machine without IPv6 */
    close(fd);
    return AF_INET6;
}

/* SO_REUSEPORT would share the port with another server of the same user, silently. */
static enum status port_probe(int family, uint16_t *port)
{
    int fd;
    enum status status = socket_open(family, *port, false, &fd);
    if (status != STATUS_OK)
        return status;
    status = socket_port(fd, port);
    close(fd);
    return status;
}

/* ---- beginning and end ---- */

static uint8_t workers_wanted(const struct media_config *config)
{
    if (config->workers != 0)
        return config->workers;
    cpu_set_t cpus;
    int count = sched_getaffinity(0, sizeof cpus, &cpus) == 0 ? CPU_COUNT(&cpus) : 1;
    return (uint8_t)(count > MEDIA_WORKERS_MAX ? MEDIA_WORKERS_MAX : count);
}

static enum status workers_make(struct media *media, const struct media_config *config,
                                uint16_t *ret_port)
{
    int family = socket_family();
    uint16_t port = config->port;
    enum status status = port_probe(family, &port);
    for (uint8_t i = 0; i < media->worker_count && status == STATUS_OK; i++) {
        int fd;
        status = socket_open(family, port, true, &fd);
        if (status == STATUS_OK)
            status = worker_new(media, i, fd, family, config, &media->workers[i]);
    }
    *ret_port = port;
    return status;
}

static enum status local_fill(struct media *media, const struct media_config *config, uint16_t port)
{
    const char *fingerprint = dtls_identity_fingerprint(media->identity);
    if (strlen(fingerprint) >= sizeof media->local.fingerprint)
        return STATUS_INTERNAL;
    memcpy(media->local.fingerprint, fingerprint, strlen(fingerprint) + 1);
    media->port = port;
    return candidates_gather(config, port, &media->local);
}

enum status media_new(const struct media_config *config, struct media **ret_media)
{
    if (config->workers > MEDIA_WORKERS_MAX || config->voices < 1 ||
        config->voices > MEDIA_VOICES_MAX)
        return STATUS_INVALID;
    struct media *media = calloc(1, sizeof *media);
    if (media == NULL)
        return STATUS_NO_MEMORY;
    media->worker_count = workers_wanted(config);
    media->voices = config->voices;
    if (config->events != NULL)
        media->events = *config->events;
    media->events_context = config->events_context;
    observations_init(&media->observations, config->metrics);
    uint16_t port;
    enum status status = dtls_identity_new(&media->identity);
    if (status == STATUS_OK)
        status = workers_make(media, config, &port);
    if (status == STATUS_OK)
        status = local_fill(media, config, port);
    for (uint8_t i = 0; i < media->worker_count && status == STATUS_OK; i++)
        status = worker_start(media->workers[i]);
    if (status != STATUS_OK) {
        media_free(media);
        return status;
    }
    *ret_media = media;
    return STATUS_OK;
}

static void workers_each(struct media *media, void (*step)(struct worker *worker))
{
    for (uint8_t i = 0; i < media->worker_count; i++) {
        if (media->workers[i] != NULL)
            step(media->workers[i]);
    }
}

struct media *media_free(struct media *media)
{
    if (media == NULL)
        return NULL;
    workers_each(media, worker_end);
    /* A letter's answer's answer is the longest chain. */
    for (int chain = 0; chain < LETTER_CHAIN; chain++)
        workers_each(media, worker_settle);
    workers_each(media, worker_stop);
    /* Packets lie in each other's queues and histories: all are given back before any pool goes. */
    workers_each(media, worker_drop);
    for (uint8_t i = 0; i < media->worker_count; i++)
        media->workers[i] = worker_free(media->workers[i]);
    dtls_identity_free(media->identity);
    free(media);
    return NULL;
}

const struct media_local *media_local(const struct media *media)
{
    return &media->local;
}

uint8_t media_worker_count(const struct media *media)
{
    return media->worker_count;
}

/* ---- letters of the conductor ---- */

static enum status open_at(struct worker *worker, struct transport *transport,
                           const struct media_ice *ice)
{
    struct opening *opening = malloc(sizeof *opening);
    if (opening == NULL)
        return STATUS_NO_MEMORY;
    *opening = (struct opening){.transport = transport_ref(transport), .ice = *ice};
    const struct letter letter = {.object = opening};
    enum status status = worker_post(worker, worker_on_open, &letter);
    if (status != STATUS_OK) {
        transport_unref(transport);
        free(opening);
    }
    return status;
}

/* Tells all workers; what one of them has no room for now it hears a little later. */
static void tell_all(struct media *media, letter_fn *fn, const struct letter *letter)
{
    for (uint8_t i = 0; i < media->worker_count; i++)
        while (worker_post(media->workers[i], fn, letter) == STATUS_LIMIT)
            sched_yield();
}

enum status media_transport_open(struct media *media, const struct media_transport_spec *spec)
{
    if (media->opened >= WORKER_TRANSPORTS_MAX)
        return STATUS_LIMIT;
    struct transport *transport;
    enum status status = transport_new(spec, &transport);
    if (status != STATUS_OK)
        return status;
    for (uint8_t i = 0; i < media->worker_count && status == STATUS_OK; i++)
        status = open_at(media->workers[i], transport, &spec->ice);
    media->opened++;
    if (status != STATUS_OK)
        media_transport_close(media, spec->id);
    transport_unref(transport);
    return status;
}

void media_transport_close(struct media *media, uint64_t transport)
{
    const struct letter letter = {.transport = transport};
    tell_all(media, worker_on_close, &letter);
    if (media->opened > 0)
        media->opened--;
}

enum status media_transport_restart(struct media *media, uint64_t transport,
                                    const struct media_ice *ice)
{
    if (ice->local_ufrag[0] == '\0' || ice->local_pwd[0] == '\0')
        return STATUS_INVALID;
    for (uint8_t i = 0; i < media->worker_count; i++) {
        struct media_ice *copy = malloc(sizeof *copy);
        if (copy == NULL)
            return STATUS_NO_MEMORY;
        *copy = *ice;
        const struct letter letter = {.transport = transport, .object = copy};
        enum status status = worker_post(media->workers[i], worker_on_restart, &letter);
        if (status != STATUS_OK) {
            free(copy);
            return status;
        }
    }
    return STATUS_OK;
}

enum status media_trace(struct media *media, uint64_t transport, struct trace *trace)
{
    struct tap *tap;
    enum status status = tap_new(trace, transport, &tap);
    if (status != STATUS_OK)
        return status;
    for (uint8_t i = 0; i < media->worker_count; i++) {
        const struct letter letter = {.object = tap_ref(tap)};
        enum status posted = worker_post(media->workers[i], tapping_on_tap, &letter);
        if (posted != STATUS_OK) {
            tap_unref(tap);
            status = posted;
        }
    }
    tap_unref(tap);
    return status;
}

void media_slot_set(struct media *media, uint64_t transport, uint8_t worker, uint8_t slot,
                    const struct media_want *want)
{
    const struct letter letter = {.transport = transport, .slot = slot, .want = *want};
    if (worker < media->worker_count)
        while (worker_post(media->workers[worker], slot_on_want, &letter) == STATUS_LIMIT)
            sched_yield();
}

void media_track_gate(struct media *media, struct media_source source, bool open)
{
    const struct letter letter = {.transport = source.transport, .track = source.track, .on = open};
    if (source.worker < media->worker_count)
        while (worker_post(media->workers[source.worker], track_on_gate, &letter) == STATUS_LIMIT)
            sched_yield();
}

void media_tcp_adopt(struct media *media, int fd, const uint8_t *bytes, size_t length)
{
    struct letter letter = {.stream = {.fd = fd, .length = length}};
    letter.stream.bytes = malloc(length + 1);
    uint8_t worker = (uint8_t)(atomic_fetch_add(&media->next_connection, 1) % media->worker_count);
    if (letter.stream.bytes != NULL) {
        memcpy(letter.stream.bytes, bytes, length);
        if (worker_post(media->workers[worker], tcp_on_adopt, &letter) == STATUS_OK)
            return;
    }
    free(letter.stream.bytes);
    close(fd);
}
