#include "media/sfu/inlet.h"

#include "core/clock.h"
#include "media/sfu/tapping.h"
#include "media/sfu/tcp.h"
#include "media/sfu/transport.h"
#include "media/worker.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum {
    INLET_BATCH = 32,      /* datagrams per recvmmsg */
    INLET_ROUNDS = 8,      /* of them per turn, then letters and timers get their time */
    INLET_STRAYS_MAX = 64, /* checks kept for a turn: their transport's letter may be next */
    INLET_OWN = -1,        /* the datagram at hand came to this worker's own socket */
};

struct inlet {
    struct packet *strays[INLET_STRAYS_MAX];
    uint16_t stray_count;
    uint16_t strays_seen; /* of them have waited for a turn */
    int16_t relayed_by;   /* which worker sent the datagram at hand, or INLET_OWN */
    struct mmsghdr headers[INLET_BATCH];
    struct iovec vectors[INLET_BATCH];
    struct sockaddr_storage addresses[INLET_BATCH];
    uint8_t bytes[INLET_BATCH][PACKET_BYTES_MAX];
};

/* ---- whose they are ---- */

struct transport *inlet_transport_of(const struct worker *worker, const uint8_t *bytes,
                                     size_t length)
{
    const char *ufrag;
    size_t ufrag_length;
    char text[MEDIA_TEXT_MAX];
    if (ice_peek_ufrag(bytes, length, &ufrag, &ufrag_length) != STATUS_OK ||
        ufrag_length >= sizeof text)
        return NULL;
    memcpy(text, ufrag, ufrag_length);
    text[ufrag_length] = '\0';
    const struct known *known = map_get(worker->ufrags, map_key_of(text));
    return known != NULL && strcmp(known->ufrag, text) == 0 ? known->transport : NULL;
}

static void datagram_relay(struct worker *worker, struct packet *packet, uint8_t owner)
{
    /* Relayed already, or from a TCP connection, which moves as a whole: not sent around. */
    if (worker->inlet->relayed_by != INLET_OWN || packet->from.stream != 0)
        return;
    const struct message message = {.kind = MESSAGE_STRAY, .packet = packet_ref(packet)};
    worker_send(worker, owner, &message);
}

static void stray_keep(struct worker *worker, struct packet *packet)
{
    struct inlet *inlet = worker->inlet;
    if (inlet->stray_count < INLET_STRAYS_MAX)
        inlet->strays[inlet->stray_count++] = packet_ref(packet);
    else
        worker->counters.dropped_stranger++;
}

static void check_take(struct worker *worker, struct packet *packet, bool again)
{
    struct transport *transport = inlet_transport_of(worker, packet->data, packet->length);
    if (transport == NULL) {
        if (!again && packet->from.stream == 0)
            stray_keep(worker, packet);
        else
            worker->counters.dropped_stranger++;
        return;
    }
    if (!transport_claim(transport, worker->number)) {
        int owner = atomic_load(&transport->owner);
        if (owner != TRANSPORT_UNOWNED)
            datagram_relay(worker, packet, (uint8_t)owner);
        return;
    }
    if (worker->tap != NULL)
        tapping_in(worker, transport, packet);
    transport_stun(worker, transport, packet);
    if (transport->worker == NULL)
        atomic_store(&transport->owner, TRANSPORT_UNOWNED); /* the check was not genuine */
}

void inlet_datagram(struct worker *worker, struct packet *packet)
{
    enum ice_kind kind = ice_kind_of(packet->data, packet->length);
    if (kind == ICE_KIND_STUN) {
        check_take(worker, packet, false);
        return;
    }
    struct transport *transport = NULL;
    if (packet->from.stream != 0) {
        transport = tcp_transport(worker, packet->from.stream);
    } else {
        struct address_entry *entry = addresses_find(&worker->addresses, &packet->from.address);
        if (entry != NULL && entry->transport == NULL) {
            entry->seen_ms = worker_now_ms(worker);
            datagram_relay(worker, packet, entry->worker);
            return;
        }
        transport = entry == NULL ? NULL : entry->transport;
    }
    if (worker->tap != NULL)
        tapping_in(worker, transport, packet);
    if (transport == NULL)
        worker->counters.dropped_stranger++;
    else if (kind == ICE_KIND_RTP)
        transport_rtp(transport, packet);
    else if (kind == ICE_KIND_RTCP)
        transport_rtcp(transport, packet);
    else if (kind == ICE_KIND_DTLS)
        transport_dtls(transport, packet);
    else
        worker->counters.dropped_malformed++;
}

/* Checks whose transport was not known a turn ago: the letters that came since may have told. */
static void strays_again(struct worker *worker)
{
    struct inlet *inlet = worker->inlet;
    uint16_t seen = inlet->strays_seen;
    for (uint16_t i = 0; i < seen; i++) {
        check_take(worker, inlet->strays[i], true);
        packet_unref(inlet->strays[i], worker->packets);
    }
    inlet->stray_count = (uint16_t)(inlet->stray_count - seen);
    memmove(inlet->strays, inlet->strays + seen, inlet->stray_count * sizeof inlet->strays[0]);
    inlet->strays_seen = inlet->stray_count;
}

void inlet_turn(struct worker *worker)
{
    if (worker->inlet->stray_count == 0)
        return;
    /* Once more with the letters of the next turn, which begins at once. */
    strays_again(worker);
    if (worker->inlet->stray_count > 0)
        loop_sleep_at_most(worker->loop, 0);
}

void inlet_relayed(struct worker *worker, struct packet *packet, uint8_t from)
{
    worker->inlet->relayed_by = from;
    inlet_datagram(worker, packet);
    worker->inlet->relayed_by = INLET_OWN;
}

bool inlet_relayer(const struct worker *worker, uint8_t *ret_from)
{
    if (worker->inlet->relayed_by == INLET_OWN)
        return false;
    *ret_from = (uint8_t)worker->inlet->relayed_by;
    return true;
}

/* ---- reading the socket ---- */

static void batch_take(struct worker *worker, unsigned at, uint64_t arrived_ns)
{
    struct inlet *inlet = worker->inlet;
    const struct mmsghdr *header = &inlet->headers[at];
    struct ice_path from = {0};
    worker->counters.received++;
    worker->counters.received_bytes += header->msg_len;
    if ((header->msg_hdr.msg_flags & MSG_TRUNC) != 0 ||
        ice_address_from((const struct sockaddr *)&inlet->addresses[at], &from.address) !=
            STATUS_OK) {
        worker->counters.dropped_malformed++;
        return;
    }
    struct packet *packet = worker_packet(worker, &from, inlet->bytes[at], header->msg_len);
    if (packet == NULL)
        return;
    /* A turn may be long; a sender's estimator lives on what the feedback says of arrivals. */
    packet->arrived_ns = arrived_ns;
    inlet_datagram(worker, packet);
    packet_unref(packet, worker->packets);
}

void inlet_readable(void *context, uint32_t events)
{
    struct worker *worker = context;
    struct inlet *inlet = worker->inlet;
    (void)events;
    for (int round = 0; round < INLET_ROUNDS; round++) {
        int got = recvmmsg(worker->fd, inlet->headers, INLET_BATCH, MSG_DONTWAIT, NULL);
        uint64_t arrived_ns = clock_mono_ns();
        for (int i = 0; i < got; i++) {
            inlet->headers[i].msg_hdr.msg_namelen = sizeof inlet->addresses[i]; /* for the next */
            batch_take(worker, (unsigned)i, arrived_ns);
        }
        if (got < INLET_BATCH)
            return;
    }
}

/* ---- beginning and end ---- */

enum status inlet_new(struct inlet **ret_inlet)
{
    struct inlet *inlet = calloc(1, sizeof *inlet);
    if (inlet == NULL)
        return STATUS_NO_MEMORY;
    inlet->relayed_by = INLET_OWN;
    for (int i = 0; i < INLET_BATCH; i++) {
        inlet->vectors[i] = (struct iovec){inlet->bytes[i], PACKET_BYTES_MAX};
        inlet->headers[i].msg_hdr = (struct msghdr){
            .msg_name = &inlet->addresses[i],
            .msg_namelen = sizeof inlet->addresses[i],
            .msg_iov = &inlet->vectors[i],
            .msg_iovlen = 1,
        };
    }
    *ret_inlet = inlet;
    return STATUS_OK;
}

void inlet_drop(struct worker *worker)
{
    struct inlet *inlet = worker->inlet;
    for (uint16_t i = 0; i < inlet->stray_count; i++)
        packet_unref(inlet->strays[i], worker->packets);
}

struct inlet *inlet_free(struct inlet *inlet)
{
    free(inlet);
    return NULL;
}
