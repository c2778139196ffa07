#include "media/worker.h"

#include "core/call.h"
#include "core/clock.h"
#include "media/phone/phone.h"
#include "media/sfu/feed.h"
#include "media/sfu/inlet.h"
#include "media/sfu/pacing.h"
#include "media/sfu/rewriter.h"
#include "media/sfu/room.h"
#include "media/sfu/slot.h"
#include "media/sfu/slot_fec.h"
#include "media/sfu/tapping.h"
#include "media/sfu/tcp.h"
#include "media/sfu/track.h"
#include "media/sfu/transport.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    WORKER_RING_TURN = 1024, /* messages taken from one ring per turn */
    WORKER_SECOND_MS = 1000,
};

uint64_t worker_now_ns(const struct worker *worker)
{
    return loop_now_ns(worker->loop);
}

uint64_t worker_now_ms(const struct worker *worker)
{
    return loop_now_ms(worker->loop);
}

uint8_t worker_home(const struct worker *worker, uint64_t room)
{
    return (uint8_t)(room % worker->media->worker_count);
}

const struct packets *worker_packets(const struct worker *worker)
{
    return worker->packets;
}

struct packet *worker_packet(struct worker *worker, const struct ice_path *from,
                             const uint8_t *bytes, size_t length)
{
    struct packet *packet = packet_new(worker->packets, length);
    if (packet == NULL) {
        worker->counters.dropped_pool++;
        return NULL;
    }
    memcpy(packet->data, bytes, length);
    packet->length = (uint16_t)length;
    packet->from = *from;
    packet->arrived_ns = worker_now_ns(worker);
    return packet;
}

/* ---- letters ---- */

static void letter_open(void *arg)
{
    struct letter *letter = arg;
    letter->fn(letter->to, letter);
    free(letter);
}

enum status worker_post(struct worker *worker, letter_fn *fn, const struct letter *letter)
{
    struct letter *copy = malloc(sizeof *copy);
    if (copy == NULL)
        return STATUS_NO_MEMORY;
    *copy = *letter;
    copy->to = worker;
    copy->fn = fn;
    enum status status = loop_post(worker->loop, letter_open, copy);
    if (status != STATUS_OK)
        free(copy);
    return status;
}

void worker_tell(struct worker *worker, uint8_t to, letter_fn *fn, const struct letter *letter)
{
    if (worker_post(worker->media->workers[to], fn, letter) != STATUS_OK)
        worker->counters.letters_lost++;
}

/* ---- rings ---- */

void worker_send(struct worker *worker, uint8_t to, const struct message *message)
{
    if (ring_push(worker->media->workers[to]->inbox[worker->number], message)) {
        worker->to_ring |= UINT64_C(1) << to;
        return;
    }
    packet_unref(message->packet, worker->packets);
    worker->counters.dropped_ring++;
}

/*
 * A sleeping worker that has got something is woken, once. `asleep` only changes by exchange: of
 * two that meet, either the sleeper sees what is in its ring or the other one sees it sleep.
 */
static void ring_bells(struct worker *worker)
{
    if (worker->to_ring == 0)
        return;
    for (uint8_t to = 0; to < worker->media->worker_count; to++) {
        struct worker *other = worker->media->workers[to];
        const uint64_t one = 1;
        if ((worker->to_ring >> to & 1) != 0 && atomic_exchange(&other->asleep, false))
            (void)!write(other->bell, &one, sizeof one); /* fails only when it rings already */
    }
    worker->to_ring = 0;
}

static void message_take(struct worker *worker, uint8_t from, struct message *message)
{
    switch ((enum message_kind)message->kind) {
    case MESSAGE_MEDIA:
        feed_media(worker, message->packet);
        break;
    case MESSAGE_VOICE_UP:
        room_voice_up(worker, message->room, from, message->packet);
        break;
    case MESSAGE_VOICE_DOWN:
        room_voice_down(worker, message->room, (uint8_t)message->lane, message->packet);
        break;
    case MESSAGE_REPORT:
        feed_report(worker, message);
        break;
    case MESSAGE_STRAY:
        inlet_relayed(worker, message->packet, from);
        break;
    }
    packet_unref(message->packet, worker->packets);
}

static void rings_drain(struct worker *worker)
{
    for (uint8_t from = 0; from < worker->media->worker_count; from++) {
        struct message message;
        if (worker->inbox[from] == NULL)
            continue;
        for (int i = 0; i < WORKER_RING_TURN && ring_pop(worker->inbox[from], &message); i++)
            message_take(worker, from, &message);
    }
}

static bool rings_empty(const struct worker *worker)
{
    for (uint8_t from = 0; from < worker->media->worker_count; from++) {
        if (worker->inbox[from] != NULL && ring_length(worker->inbox[from]) > 0)
            return false;
    }
    return true;
}

static void on_bell(void *context, uint32_t events)
{
    struct worker *worker = context;
    uint64_t rung;
    (void)events;
    (void)!read(worker->bell, &rung, sizeof rung); /* the rings are read at the end of the turn */
}

/* ---- the end of a turn ---- */

static void worker_flush(struct worker *worker)
{
    window_flushed(&worker->window, sender_waiting(worker->sender), sender_messages(worker->sender),
                   worker_now_ns(worker));
    sender_flush(worker->sender);
    tcp_flush(worker);
}

/* Sends what the turn has gathered; in a crowd the next turn comes a little later. */
static void flush_and_rest(struct worker *worker)
{
    if (sender_waiting(worker->sender) == 0 && worker->unsent == NULL)
        return;
    worker_flush(worker);
    uint64_t worked_ns = clock_mono_ns() - worker_now_ns(worker);
    loop_nap(worker->loop, window_nap_us(&worker->window, worked_ns / CLOCK_NS_PER_US));
}

static void on_turn_end(void *context)
{
    struct worker *worker = context;
    rings_drain(worker);
    inlet_turn(worker);
    feed_turn(worker);
    if (worker->paced != NULL)
        pacing_turn(worker);
    flush_and_rest(worker);
    ring_bells(worker);
    atomic_exchange(&worker->asleep, true);
    if (!rings_empty(worker)) {
        atomic_exchange(&worker->asleep, false);
        loop_sleep_at_most(worker->loop, 0);
    }
}

/* ---- ten times a second ---- */

static void on_tick(void *context)
{
    struct worker *worker = context;
    uint64_t now_ms = worker_now_ms(worker);
    struct room *room;
    struct feed *feed;
    for (size_t cursor = 0; (room = map_next(worker->rooms, &cursor)) != NULL;) {
        if (worker_home(worker, room->id) == worker->number)
            room_tick(worker, room);
    }
    if (now_ms - worker->seconds_ms >= WORKER_SECOND_MS) {
        meter_second(worker, now_ms - worker->seconds_ms);
        worker->seconds_ms = now_ms;
        for (size_t cursor = 0; (feed = map_next(worker->feeds, &cursor)) != NULL;)
            feed_tick(worker, feed);
        addresses_expire(&worker->addresses, now_ms);
    }
    tcp_expire(worker);
    tapping_tick(worker);
    window_load(&worker->window, meter_tick(worker) * WORKER_SECOND_MS / WORKER_TICK_MS,
                sender_destinations(worker->sender));
    if (!worker->closing)
        loop_timer_start(worker->loop, &worker->tick, WORKER_TICK_MS);
}

/* ---- letters of the conductor ---- */

static struct known *known_add(struct worker *worker, struct transport *transport,
                               const struct media_ice *ice)
{
    struct known *known = calloc(1, sizeof *known);
    if (known == NULL)
        return NULL;
    memcpy(known->ufrag, ice->local_ufrag, sizeof known->ufrag);
    known->ufrag[sizeof known->ufrag - 1] = '\0';
    uint64_t key = map_key_of(known->ufrag);
    known->transport = transport;
    known->next = map_get(worker->known, transport->id);
    if (map_put(worker->ufrags, key, known) != STATUS_OK) {
        free(known);
        return NULL;
    }
    if (map_put(worker->known, transport->id, known) != STATUS_OK) {
        map_remove(worker->ufrags, key);
        free(known);
        return NULL;
    }
    transport_ref(transport);
    return known;
}

void worker_on_open(struct worker *worker, const struct letter *letter)
{
    struct opening *opening = letter->object;
    if (worker->closing || known_add(worker, opening->transport, &opening->ice) == NULL)
        worker->counters.letters_lost += worker->closing ? 0 : 1;
    transport_unref(opening->transport);
    free(opening);
}

static void known_drop(struct worker *worker, uint64_t id)
{
    struct known *known = map_remove(worker->known, id);
    while (known != NULL) {
        struct known *next = known->next;
        uint64_t key = map_key_of(known->ufrag);
        if (map_get(worker->ufrags, key) == known)
            map_remove(worker->ufrags, key);
        transport_unref(known->transport);
        free(known);
        known = next;
    }
}

void worker_on_close(struct worker *worker, const struct letter *letter)
{
    struct transport *transport = map_get(worker->transports, letter->transport);
    if (transport != NULL)
        transport_end(transport);
    known_drop(worker, letter->transport);
}

void worker_on_restart(struct worker *worker, const struct letter *letter)
{
    struct media_ice *ice = letter->object;
    const struct known *known = map_get(worker->known, letter->transport);
    if (known != NULL && known_add(worker, known->transport, ice) == NULL)
        worker->counters.letters_lost++;
    /* Who owns nobody's yet claims it for the moment: then the credentials are there for whoever
     * adopts it. */
    if (known != NULL && transport_claim(known->transport, worker->number)) {
        transport_restart(known->transport, ice);
        if (known->transport->worker == NULL)
            atomic_store(&known->transport->owner, TRANSPORT_UNOWNED);
    }
    explicit_bzero(ice, sizeof *ice);
    free(ice);
}

static void transports_end(struct worker *worker)
{
    struct transport *transport;
    size_t cursor = 0;
    while ((transport = map_next(worker->transports, &cursor)) != NULL) {
        transport_end(transport);
        cursor = 0;
    }
}

static void end_all(void *arg)
{
    struct worker *worker = arg;
    worker->closing = true;
    phone_end(worker->phone);
    transports_end(worker);
    tcp_close_all(worker);
    worker_flush(worker);
    loop_timer_stop(worker->loop, &worker->tick);
}

static void nothing(void *arg)
{
    (void)arg;
}

void worker_end(struct worker *worker)
{
    /* Without room for the question it is ended by worker_drop: its peers hear nothing then. */
    if (worker->running)
        (void)!loop_call(worker->loop, end_all, worker);
}

void worker_settle(struct worker *worker)
{
    if (worker->running)
        (void)!loop_call(worker->loop, nothing, NULL);
}

/* ---- beginning and end ---- */

/* Rings grow with the square of the workers: with many of them each is shorter. */
static uint32_t ring_entries(const struct worker *worker)
{
    uint32_t entries = WORKER_RING_ENTRIES;
    while (entries * worker->media->worker_count > WORKER_RINGS_ENTRIES)
        entries /= 2;
    return entries;
}

static enum status worker_memory(struct worker *worker)
{
    const struct pool_config rewriters = {sizeof(struct rewriter), WORKER_REWRITERS_SLAB,
                                          WORKER_REWRITERS_MAX};
    const struct pool_config maps = {sizeof(struct rewriter_map), WORKER_REWRITERS_SLAB,
                                     WORKER_REWRITERS_MAX};
    const struct pool_config pacing = {pacing_block_bytes(), PACING_POOL_SLAB, PACING_POOL_MAX};
    const struct pool_config fecs = {sizeof(struct slot_fec), WORKER_FECS_SLAB,
                                     WORKER_REWRITERS_MAX};
    struct map **tables[] = {&worker->ufrags, &worker->known, &worker->transports,
                             &worker->feeds,  &worker->rooms, &worker->connections};
    enum status status = packets_new(WORKER_PACKETS_MAX, &worker->packets);
    if (status == STATUS_OK)
        status = pool_new(&rewriters, &worker->rewriters);
    if (status == STATUS_OK)
        status = pool_new(&maps, &worker->maps);
    if (status == STATUS_OK)
        status = pool_new(&pacing, &worker->pacing);
    if (status == STATUS_OK)
        status = pool_new(&fecs, &worker->fecs);
    if (status == STATUS_OK)
        status = sender_new(&worker->sender);
    for (size_t i = 0; i < sizeof tables / sizeof tables[0] && status == STATUS_OK; i++)
        status = map_new(tables[i]);
    for (uint8_t from = 0; from < worker->media->worker_count && status == STATUS_OK; from++) {
        if (from != worker->number)
            status = ring_new(sizeof(struct message), ring_entries(worker), &worker->inbox[from]);
    }
    if (status == STATUS_OK)
        status = inlet_new(&worker->inlet);
    if (status == STATUS_OK)
        meter_begin(worker);
    return status;
}

static enum status worker_watches(struct worker *worker)
{
    snprintf(worker->name, sizeof worker->name, "media-%u", worker->number);
    enum status status = loop_new(worker->name, &worker->loop);
    if (status != STATUS_OK)
        return status;
    worker->bell = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (worker->bell < 0)
        return STATUS_IO;
    status = loop_fd_add(worker->loop, worker->bell, EPOLLIN, "bell", on_bell, worker,
                         &worker->bell_watch);
    if (status == STATUS_OK)
        status = loop_fd_add(worker->loop, worker->fd, EPOLLIN, "udp", inlet_readable, worker,
                             &worker->watch);
    loop_before_sleep(worker->loop, on_turn_end, worker);
    worker->tick = (struct loop_timer){.name = "tick", .fn = on_tick, .context = worker};
    loop_timer_start(worker->loop, &worker->tick, WORKER_TICK_MS);
    return status;
}

enum status worker_new(struct media *media, uint8_t number, int fd, int family,
                       const struct media_config *config, struct worker **ret_worker)
{
    struct worker *worker = calloc(1, sizeof *worker);
    if (worker == NULL) {
        close(fd);
        return STATUS_NO_MEMORY;
    }
    worker->media = media;
    worker->number = number;
    worker->fd = fd;
    worker->family = family;
    worker->bell = -1;
    atomic_init(&worker->asleep, false);
    enum status status = worker_memory(worker);
    if (status == STATUS_OK)
        status = worker_watches(worker);
    if (status == STATUS_OK)
        status = phone_new(worker, config->legs, &worker->phone);
    if (status != STATUS_OK) {
        worker_free(worker);
        return status;
    }
    sender_socket(worker->sender, fd, family);
    counters_init(&worker->counters, config->metrics, number);
    *ret_worker = worker;
    return STATUS_OK;
}

static void *worker_run(void *arg)
{
    struct worker *worker = arg;
    loop_run(worker->loop);
    return NULL;
}

enum status worker_start(struct worker *worker)
{
    sigset_t all, before;
    sigfillset(&all);
    /* Signals are the main thread's. */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&worker->thread, NULL, worker_run, worker);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error != 0)
        return STATUS_NO_MEMORY;
    worker->running = true;
    pthread_setname_np(worker->thread, worker->name);
    return STATUS_OK;
}

void worker_stop(struct worker *worker)
{
    if (!worker->running)
        return;
    loop_stop(worker->loop);
    pthread_join(worker->thread, NULL);
    worker->running = false;
}

void worker_drop(struct worker *worker)
{
    struct message message;
    struct room *room;
    struct feed *feed;
    struct known *known;
    phone_end(worker->phone);
    transports_end(worker);
    for (size_t cursor = 0; (known = map_next(worker->known, &cursor)) != NULL; cursor = 0)
        known_drop(worker, known->transport->id);
    for (size_t cursor = 0; (room = map_next(worker->rooms, &cursor)) != NULL;)
        room_free(worker, room);
    for (size_t cursor = 0; (feed = map_next(worker->feeds, &cursor)) != NULL;) {
        feed_fini(worker, feed);
        free(feed);
    }
    for (uint8_t from = 0; from < worker->media->worker_count; from++) {
        while (worker->inbox[from] != NULL && ring_pop(worker->inbox[from], &message))
            packet_unref(message.packet, NULL);
    }
    inlet_drop(worker);
}

struct worker *worker_free(struct worker *worker)
{
    if (worker == NULL)
        return NULL;
    loop_fd_remove(worker->watch);
    loop_fd_remove(worker->bell_watch);
    loop_free(worker->loop);
    if (worker->bell >= 0)
        close(worker->bell);
    close(worker->fd);
    for (uint8_t from = 0; from < MEDIA_WORKERS_MAX; from++)
        ring_free(worker->inbox[from]);
    map_free(worker->ufrags);
    map_free(worker->known);
    map_free(worker->transports);
    map_free(worker->feeds);
    map_free(worker->rooms);
    map_free(worker->connections);
    addresses_fini(&worker->addresses);
    tapping_end(worker);
    phone_free(worker->phone);
    sender_free(worker->sender);
    packets_free(worker->packets);
    pool_free(worker->rewriters);
    pool_free(worker->maps);
    pool_free(worker->pacing);
    pool_free(worker->fecs);
    inlet_free(worker->inlet);
    free(worker);
    return NULL;
}
