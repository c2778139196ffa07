#include "media/sfu/transport.h"

#include "core/clock.h"
#include "core/crypto.h"
#include "media/rtp/rtx.h"
#include "media/sfu/inlet.h"
#include "media/sfu/reports.h"
#include "media/sfu/room.h"
#include "media/sfu/slot.h"
#include "media/sfu/tapping.h"
#include "media/sfu/tcp.h"
#include "media/sfu/track.h"
#include "media/worker.h"

#include <stdlib.h>
#include <string.h>

enum {
    TRANSPORT_CNAME_BYTES = 8,
    TRANSPORT_WATCH_MS = 200, /* between looks at consent */
};

/* ---- made by the conductor's thread ---- */

size_t payloads_from(const struct media_payload *payloads, size_t count,
                     struct payload *ret_payloads)
{
    size_t kept = 0;
    for (size_t i = 0; i < count && i < MEDIA_PAYLOADS_MAX; i++) {
        const struct media_payload *from = &payloads[i];
        if (from->codec == MEDIA_CODEC_NONE)
            continue;
        ret_payloads[kept++] = (struct payload){
            .format = {.codec = (uint8_t)from->codec,
                       .h264_packetization_mode = from->h264_packetization_mode,
                       .vp9_profile = from->vp9_profile,
                       .h264_profile_level_id = from->h264_profile_level_id},
            .type = from->type,
            .rtx_type = from->rtx_type,
            .nack = from->nack,
            .pli = from->pli,
            .fir = from->fir,
            .transport_cc = from->transport_cc,
            .remb = from->remb,
        };
    }
    return kept;
}

static void ssrc_declare(struct transport *transport, uint32_t ssrc, uint8_t track, bool repair)
{
    if (ssrc != 0)
        transport->ssrcs[transport->ssrc_count++] =
            (struct ssrc_entry){.ssrc = ssrc, .track = track, .repair = repair};
}

static size_t track_init(struct transport *transport, uint8_t number,
                         const struct media_track_spec *spec, struct payload *payloads)
{
    struct track *track = &transport->tracks[number];
    *track = (struct track){
        .transport = transport,
        .number = number,
        .kind = spec->kind,
        .source = spec->source,
        .payloads = payloads,
        .payload_count = (uint8_t)payloads_from(spec->payloads, spec->payload_count, payloads),
        .rid_count = (uint8_t)(spec->rid_count > MEDIA_RIDS_MAX ? MEDIA_RIDS_MAX : spec->rid_count),
        .extensions = spec->extensions,
        .ssrc = spec->ssrc,
        .rtx_ssrc = spec->rtx_ssrc,
        .origin = spec->ssrc != 0 ? spec->ssrc : crypto_random_u32(),
        .lane = TRACK_LANE_NONE,
    };
    memcpy(track->mid, spec->mid, sizeof track->mid);
    memcpy(track->rids, spec->rids, sizeof track->rids);
    ssrc_declare(transport, spec->ssrc, number, false);
    ssrc_declare(transport, spec->rtx_ssrc, number, true);
    return track->payload_count;
}

static size_t slot_init(struct transport *transport, uint8_t number,
                        const struct media_slot_spec *spec, struct payload *payloads)
{
    struct slot *slot = &transport->slots[number];
    *slot = (struct slot){
        .transport = transport,
        .number = number,
        .kind = (uint8_t)spec->kind,
        .state = MEDIA_SLOT_EMPTY,
        .payloads = payloads,
        .payload_count = (uint8_t)payloads_from(spec->payloads, spec->payload_count, payloads),
        .extensions = spec->extensions,
        .ssrc = spec->ssrc,
        .rtx_ssrc = spec->rtx_ssrc,
    };
    allocation_init(&slot->allocation);
    struct subscription *both[] = {&slot->active, &slot->next};
    for (size_t i = 0; i < 2; i++) {
        both[i]->slot = slot;
        both[i]->layer = FEED_LAYER_NONE;
        both[i]->target = FEED_LAYER_NONE;
    }
    return slot->payload_count;
}

static enum status transport_fill(struct transport *transport,
                                  const struct media_transport_spec *spec)
{
    size_t payload_count = 0;
    for (size_t i = 0; i < spec->track_count; i++)
        payload_count += spec->tracks[i].payload_count;
    for (size_t i = 0; i < spec->slot_count; i++)
        payload_count += spec->slots[i].payload_count;
    transport->tracks = calloc(spec->track_count + 1, sizeof *transport->tracks);
    transport->slots = calloc(spec->slot_count + 1, sizeof *transport->slots);
    transport->payloads = calloc(payload_count + 1, sizeof *transport->payloads);
    if (transport->tracks == NULL || transport->slots == NULL || transport->payloads == NULL)
        return STATUS_NO_MEMORY;
    struct payload *payloads = transport->payloads;
    for (uint8_t i = 0; i < spec->track_count; i++)
        payloads += track_init(transport, i, &spec->tracks[i], payloads);
    for (uint8_t i = 0; i < spec->slot_count; i++)
        payloads += slot_init(transport, i, &spec->slots[i], payloads);
    transport->track_count = (uint8_t)spec->track_count;
    transport->slot_count = (uint8_t)spec->slot_count;
    return STATUS_OK;
}

static bool spec_in_range(const struct media_transport_spec *spec)
{
    if (spec->id == 0 || spec->track_count > MEDIA_TRACKS_MAX || spec->slot_count > MEDIA_SLOTS_MAX)
        return false;
    for (size_t i = 0; i < spec->track_count; i++) {
        if (spec->tracks[i].payload_count > MEDIA_PAYLOADS_MAX)
            return false;
    }
    for (size_t i = 0; i < spec->slot_count; i++) {
        if (spec->slots[i].payload_count > MEDIA_PAYLOADS_MAX)
            return false;
    }
    return true;
}

static enum status transport_make(const struct media_transport_spec *spec,
                                  struct transport **ret_transport)
{
    struct transport *transport = calloc(1, sizeof *transport);
    if (transport == NULL)
        return STATUS_NO_MEMORY;
    transport->id = spec->id;
    transport->room_id = spec->room;
    transport->fingerprint = spec->fingerprint;
    atomic_init(&transport->references, 1);
    atomic_init(&transport->owner, TRANSPORT_UNOWNED);
    transport->rtcp_ssrc = crypto_random_u32() | 1;
    uint8_t name[TRANSPORT_CNAME_BYTES];
    crypto_random(name, sizeof name);
    crypto_hex(name, sizeof name, transport->cname);
    enum status status = transport_fill(transport, spec);
    if (status != STATUS_OK) {
        transport_unref(transport);
        return status;
    }
    *ret_transport = transport;
    return STATUS_OK;
}

enum status transport_new(const struct media_transport_spec *spec, struct transport **ret_transport)
{
    if (!spec_in_range(spec))
        return STATUS_INVALID;
    struct transport *transport;
    enum status status = transport_make(spec, &transport);
    if (status != STATUS_OK)
        return status;
    status = ice_agent_new(&spec->ice, &transport->agent);
    if (status != STATUS_OK) {
        transport_unref(transport);
        return status;
    }
    *ret_transport = transport;
    return STATUS_OK;
}

enum status transport_new_local(const struct media_transport_spec *spec,
                                struct transport **ret_transport)
{
    if (!spec_in_range(spec))
        return STATUS_INVALID;
    return transport_make(spec, ret_transport);
}

struct transport *transport_ref(struct transport *transport)
{
    atomic_fetch_add_explicit(&transport->references, 1, memory_order_relaxed);
    return transport;
}

void transport_unref(struct transport *transport)
{
    if (transport == NULL ||
        atomic_fetch_sub_explicit(&transport->references, 1, memory_order_acq_rel) != 1)
        return;
    ice_agent_free(transport->agent);
    free(transport->tracks);
    free(transport->slots);
    free(transport->payloads);
    free(transport);
}

bool transport_claim(struct transport *transport, uint8_t worker)
{
    int owner = TRANSPORT_UNOWNED;
    return atomic_compare_exchange_strong(&transport->owner, &owner, worker) || owner == worker;
}

/* ---- state ---- */

static void transport_tell(const struct transport *transport, enum media_transport_state state)
{
    const struct media *media = transport->worker->media;
    if (media->events.transport != NULL)
        media->events.transport(media->events_context, transport->id, transport->worker->number,
                                state, transport->path.stream != 0);
}

static void transport_update(struct transport *transport)
{
    const struct ice_path *path =
        ice_agent_selected(transport->agent, worker_now_ns(transport->worker));
    transport->has_path = path != NULL;
    if (path != NULL)
        transport->path = *path;
    transport->sending = transport->connected && transport->has_path && !transport->lost;
}

static void transport_fail(struct transport *transport)
{
    bool told = transport->ended;
    transport->ended = true;
    transport->connected = false;
    transport->sending = false;
    if (!told)
        transport_tell(transport, MEDIA_TRANSPORT_FAILED);
}

void transport_send(struct transport *transport, const uint8_t *bytes, size_t length)
{
    if (!transport->has_path)
        return;
    if (transport->path.stream != 0)
        tcp_send(transport->worker, transport->path.stream, bytes, length);
    else
        sender_copy(transport->worker->sender, &transport->path.address, bytes, length);
}

void transport_send_rtcp(struct transport *transport, uint8_t *bytes, size_t length,
                         size_t capacity)
{
    size_t protected_length;
    if (transport->sending && transport->worker->tap != NULL)
        tapping_plain(transport->worker, transport, true, bytes, length);
    if (transport->sending && protector_rtcp(transport->protector, bytes, length, capacity,
                                             &protected_length) == STATUS_OK)
        transport_send(transport, bytes, protected_length);
}

static void send_handshake(void *context, const uint8_t *bytes, size_t length)
{
    struct transport *transport = context;
    if (transport->flight_ns == 0)
        transport->flight_ns = worker_now_ns(transport->worker);
    transport_send(transport, bytes, length);
}

/* ---- DTLS ---- */

static enum status transport_key(struct transport *transport)
{
    struct protector_keys ours, theirs;
    enum status status = dtls_conn_keys(transport->dtls, &ours, &theirs);
    if (status == STATUS_OK)
        status = protector_new(&ours, &transport->protector);
    if (status == STATUS_OK && protector_batches(transport->protector))
        sender_macs_open(transport->worker->sender);
    if (status == STATUS_OK)
        status = unprotector_new(&theirs, &transport->unprotector);
    explicit_bzero(&ours, sizeof ours);
    explicit_bzero(&theirs, sizeof theirs);
    return status;
}

static void transport_handshake(struct transport *transport, enum dtls_state state)
{
    if (transport->ended)
        return;
    if (state == DTLS_CLOSED || state == DTLS_FAILED) {
        transport_fail(transport);
        return;
    }
    if (state == DTLS_CONNECTED && !transport->connected) {
        if (transport_key(transport) != STATUS_OK) {
            transport_fail(transport);
            return;
        }
        transport->connected = true;
        transport->connected_ms = worker_now_ms(transport->worker);
        transport_update(transport);
        downlink_open(transport->worker, transport);
        transport_tell(transport, MEDIA_TRANSPORT_CONNECTED);
    }
    int32_t wait_ms = dtls_conn_wait_ms(transport->dtls);
    if (wait_ms >= 0)
        transport_wake_within(transport, (uint64_t)wait_ms);
}

void transport_dtls(struct transport *transport, const struct packet *packet)
{
    if (transport->dtls == NULL || transport->ended ||
        !ice_agent_path_open(transport->agent, &packet->from, worker_now_ns(transport->worker)))
        return;
    if (!transport->connected && transport->flight_ns != 0) {
        /* The client's own time is in it and what was lost: no less than the round trip. */
        uint64_t trip_ns = worker_now_ns(transport->worker) - transport->flight_ns;
        uint32_t trip_ms = (uint32_t)(trip_ns / CLOCK_NS_PER_MS) + 1;
        if (transport->rtt_ms == 0 || trip_ms < transport->rtt_ms)
            transport->rtt_ms = trip_ms;
        transport->flight_ns = 0;
    }
    transport_handshake(transport,
                        dtls_conn_receive(transport->dtls, packet->data, packet->length));
}

/* ---- the timer ---- */

void transport_wake_within(struct transport *transport, uint64_t wait_ms)
{
    uint64_t due_ms = worker_now_ms(transport->worker) + wait_ms;
    if (loop_timer_running(&transport->timer) && transport->timer_due_ms <= due_ms)
        return;
    transport->timer_due_ms = due_ms;
    if (wait_ms < TRANSPORT_LAX_MS)
        loop_timer_start(transport->worker->loop, &transport->timer, wait_ms);
    else
        loop_timer_start_lax(transport->worker->loop, &transport->timer, wait_ms);
}

/* The first authentic packet shows that the handshake need not be repeated, or so much time without
 * one: who has not got our last flight asks for it again sooner. */
static void transport_settle(struct transport *transport)
{
    if (transport->settled)
        return;
    transport->settled = true;
    dtls_conn_settle(transport->dtls);
}

static void transport_watch(struct transport *transport, uint64_t now_ns)
{
    if (ice_agent_tick(transport->agent, now_ns) && !transport->ended) {
        transport->lost = true;
        transport_update(transport);
        if (transport->connected)
            transport_tell(transport, MEDIA_TRANSPORT_LOST);
    }
    uint64_t now_ms = now_ns / CLOCK_NS_PER_MS;
    if (!transport->connected && !transport->ended &&
        now_ms - transport->adopted_ms >= TRANSPORT_ADOPT_MS)
        transport_fail(transport);
    if (transport->connected && now_ms - transport->connected_ms >= TRANSPORT_SETTLE_MS)
        transport_settle(transport);
}

static void transport_timer(void *context)
{
    struct transport *transport = context;
    uint64_t now_ns = worker_now_ns(transport->worker);
    if (!transport->connected && !transport->ended)
        transport_handshake(transport, dtls_conn_tick(transport->dtls));
    uint64_t now_ms = now_ns / CLOCK_NS_PER_MS;
    if (transport->agent != NULL && now_ms - transport->watched_ms >= TRANSPORT_WATCH_MS) {
        transport->watched_ms = now_ms;
        transport_watch(transport, now_ns);
    }
    bool going_on = transport->agent != NULL;
    for (uint8_t i = 0; i < transport->track_count; i++)
        going_on = track_watch(&transport->tracks[i], now_ms) || going_on;
    if (!going_on) /* a telephone that is silent: its next packet wakes */
        return;
    uint64_t wait_ms = TRANSPORT_IDLE_MS;
    if (transport->sending) {
        wait_ms = reports_send(transport, now_ns);
        uint64_t downlink_ms = downlink_tick(transport->worker, transport);
        if (downlink_ms < wait_ms)
            wait_ms = downlink_ms;
    }
    transport_wake_within(transport, wait_ms < TRANSPORT_IDLE_MS ? wait_ms : TRANSPORT_IDLE_MS);
}

/* ---- beginning and end at its worker ---- */

static enum status adopt(struct transport *transport, struct worker *worker)
{
    enum status status = map_put(worker->transports, transport->id, transport);
    if (status != STATUS_OK)
        return status;
    status = room_join(worker, transport);
    if (status != STATUS_OK) {
        map_remove(worker->transports, transport->id);
        return status;
    }
    transport->worker = worker;
    transport->adopted_ms = worker_now_ms(worker);
    transport->observed_ms = transport->adopted_ms + OBSERVE_FIRST_MS - OBSERVE_MS;
    transport->timer =
        (struct loop_timer){.name = "transport", .fn = transport_timer, .context = transport};
    transport_wake_within(transport, TRANSPORT_IDLE_MS);
    return STATUS_OK;
}

enum status transport_adopt(struct transport *transport, struct worker *worker)
{
    enum status status = dtls_conn_new(worker->media->identity, &transport->fingerprint,
                                       DTLS_SERVER, send_handshake, transport, &transport->dtls);
    if (status != STATUS_OK)
        return status;
    status = adopt(transport, worker);
    if (status != STATUS_OK)
        transport->dtls = dtls_conn_free(transport->dtls);
    return status;
}

enum status transport_adopt_local(struct transport *transport, struct worker *worker)
{
    /* As after a handshake; its clock is ours. */
    transport->connected = true;
    transport->clock_known = true;
    return adopt(transport, worker);
}

void transport_end(struct transport *transport)
{
    struct worker *worker = transport->worker;
    if (worker == NULL)
        return;
    transport->ended = true;
    transport->sending = false;
    loop_timer_stop(worker->loop, &transport->timer);
    if (transport->dtls != NULL)
        dtls_conn_close(transport->dtls);
    downlink_close(worker, transport);
    for (uint8_t i = 0; i < transport->slot_count; i++)
        slot_end(worker, &transport->slots[i]);
    for (uint8_t i = 0; i < transport->track_count; i++)
        track_end(&transport->tracks[i]);
    room_leave(worker, transport);
    for (uint8_t i = 0; i < transport->address_count; i++)
        addresses_remove(&worker->addresses, &transport->addresses[i], transport);
    tcp_flush(worker); /* the close_notify, before its connection goes */
    tcp_close_of(worker, transport);
    map_remove(worker->transports, transport->id);
    transport->dtls = dtls_conn_free(transport->dtls);
    transport->protector = protector_free(transport->protector);
    transport->unprotector = unprotector_free(transport->unprotector);
    free(transport->recorder);
    transport->recorder = NULL;
    transport->worker = NULL;
}

/* ---- STUN ---- */

/* Datagrams from this address are this transport's. */
static void address_learn(struct worker *worker, struct transport *transport,
                          const struct ice_address *address)
{
    const struct address_entry *known = addresses_find(&worker->addresses, address);
    if (known != NULL && known->transport == transport)
        return;
    const struct address_entry entry = {.address = *address, .transport = transport};
    if (addresses_put(&worker->addresses, &entry) != STATUS_OK)
        return;
    if (transport->address_count == TRANSPORT_ADDRESSES_MAX) {
        uint8_t at = transport->address_next;
        if (ice_address_equal(&transport->addresses[at], &transport->path.address))
            at = (uint8_t)((at + 1) % TRANSPORT_ADDRESSES_MAX); /* not the one in use */
        addresses_remove(&worker->addresses, &transport->addresses[at], transport);
        transport->addresses[at] = *address;
        transport->address_next = (uint8_t)((at + 1) % TRANSPORT_ADDRESSES_MAX);
    } else {
        transport->addresses[transport->address_count++] = *address;
    }
}

static void on_route(struct worker *worker, const struct letter *letter)
{
    const struct address_entry *known = addresses_find(&worker->addresses, &letter->address);
    if (known != NULL && known->transport != NULL)
        return;
    const struct address_entry entry = {
        .address = letter->address, .worker = letter->from, .seen_ms = worker_now_ms(worker)};
    if (addresses_put(&worker->addresses, &entry) != STATUS_OK)
        worker->counters.letters_lost++;
}

static void path_learn(struct worker *worker, struct transport *transport,
                       const struct packet *packet)
{
    if (packet->from.stream != 0) {
        tcp_bind(worker, packet->from.stream, transport);
        return;
    }
    address_learn(worker, transport, &packet->from.address);
    uint8_t relayer;
    if (inlet_relayer(worker, &relayer)) {
        const struct letter letter = {.from = worker->number, .address = packet->from.address};
        worker_tell(worker, relayer, on_route, &letter);
    }
}

void transport_stun(struct worker *worker, struct transport *transport, struct packet *packet)
{
    uint8_t reply[ICE_REPLY_MAX];
    struct ice_outcome outcome;
    /* The turn's time, as everywhere the agent is asked: its clock must not go back. */
    if (ice_agent_receive(transport->agent, packet->data, packet->length, &packet->from,
                          worker_now_ns(worker), reply, &outcome) != STATUS_OK) {
        worker->counters.dropped_malformed++;
        return;
    }
    if (outcome.passed && transport->worker == NULL &&
        transport_adopt(transport, worker) != STATUS_OK)
        return;
    if (outcome.passed)
        path_learn(worker, transport, packet);
    if (outcome.reply_length > 0) {
        if (packet->from.stream != 0)
            tcp_send(worker, packet->from.stream, reply, outcome.reply_length);
        else
            sender_copy(worker->sender, &packet->from.address, reply, outcome.reply_length);
    }
    if (!outcome.passed)
        return;
    bool restored = outcome.restored || transport->lost;
    transport->lost = false;
    transport_update(transport);
    if (transport->connected && !transport->ended && (restored || outcome.restarted))
        transport_tell(transport, restored ? MEDIA_TRANSPORT_RESTORED : MEDIA_TRANSPORT_CONNECTED);
}

void transport_restart(struct transport *transport, const struct media_ice *ice)
{
    if (ice_agent_restart(transport->agent, ice) != STATUS_OK)
        return; /* the conductor's credentials are checked in media_transport_restart */
}

void transport_stream_closed(struct transport *transport, uint32_t stream)
{
    (void)ice_agent_stream_closed(transport->agent, stream, worker_now_ns(transport->worker));
    transport_update(transport);
}

/* ---- RTP and RTCP ---- */

static struct ssrc_entry *ssrc_find(struct transport *transport, uint32_t ssrc)
{
    for (uint8_t i = 0; i < transport->ssrc_count; i++) {
        if (transport->ssrcs[i].ssrc == ssrc)
            return &transport->ssrcs[i];
    }
    return NULL;
}

/* True when the m-line negotiated this payload type; *ret_repair: as retransmission. */
static bool type_known(const struct track *track, uint8_t type, bool *ret_repair)
{
    for (uint8_t i = 0; i < track->payload_count; i++) {
        if (track->payloads[i].type == type || track->payloads[i].rtx_type == type) {
            *ret_repair = track->payloads[i].type != type;
            return true;
        }
    }
    return false;
}

static bool text_at(const struct packet *packet, const struct rtp_header *header, uint8_t id,
                    char ret_text[MEDIA_TEXT_MAX])
{
    struct rtp_element element;
    return id != 0 && rtp_element_find(packet->data, header, id, &element) &&
           rtp_text_read(&element, ret_text, MEDIA_TEXT_MAX);
}

/* The layer by rid; 0 when the track has no simulcast. -1: it should say and does not. */
static int layer_of(const struct track *track, const struct packet *packet,
                    const struct rtp_header *header, bool repair)
{
    char rid[MEDIA_TEXT_MAX];
    if (track->rid_count <= 1)
        return 0;
    uint8_t id = repair ? track->extensions.repaired_rid : track->extensions.rid;
    if (!text_at(packet, header, id, rid))
        return -1;
    for (uint8_t layer = 0; layer < track->rid_count; layer++) {
        if (strcmp(track->rids[layer], rid) == 0)
            return layer;
    }
    return -1;
}

/* The m-line by mid, or by a payload type only one of them has. */
static struct track *track_of(struct transport *transport, const struct packet *packet,
                              const struct rtp_header *header, bool *ret_repair)
{
    struct track *only = NULL;
    size_t fitting = 0;
    for (uint8_t i = 0; i < transport->track_count; i++) {
        struct track *track = &transport->tracks[i];
        char mid[MEDIA_TEXT_MAX];
        bool repair;
        if (!type_known(track, header->payload_type, &repair))
            continue;
        if (text_at(packet, header, track->extensions.mid, mid)) {
            if (strcmp(mid, track->mid) != 0)
                continue;
            *ret_repair = repair;
            return track;
        }
        only = track;
        *ret_repair = repair;
        fitting++;
    }
    return fitting == 1 ? only : NULL;
}

static struct ssrc_entry *ssrc_learn(struct transport *transport, const struct packet *packet,
                                     const struct rtp_header *header)
{
    bool repair;
    const struct track *track = track_of(transport, packet, header, &repair);
    if (track == NULL)
        return NULL;
    int layer = layer_of(track, packet, header, repair);
    if (layer < 0)
        return NULL;
    const struct ssrc_entry learnt = {
        .ssrc = header->ssrc, .track = track->number, .layer = (uint8_t)layer, .repair = repair};
    for (uint8_t i = 0; i < transport->ssrc_count; i++) {
        struct ssrc_entry *entry = &transport->ssrcs[i];
        if (entry->track == learnt.track && entry->layer == learnt.layer &&
            entry->repair == learnt.repair) {
            *entry = learnt;
            return entry;
        }
    }
    /* One place for each track, layer and kind: it cannot be full. */
    transport->ssrcs[transport->ssrc_count] = learnt;
    return &transport->ssrcs[transport->ssrc_count++];
}

static void arrival_note(struct transport *transport, const struct track *track,
                         const struct packet *packet, const struct rtp_header *header)
{
    struct rtp_element element;
    uint16_t sequence;
    if (track->extensions.transport_cc == 0 ||
        !rtp_element_find(packet->data, header, track->extensions.transport_cc, &element) ||
        !rtp_transport_seq_read(&element, &sequence))
        return;
    if (transport->recorder == NULL) {
        transport->recorder = malloc(sizeof *transport->recorder);
        if (transport->recorder == NULL)
            return;
        twcc_recorder_init(transport->recorder);
        transport_wake_within(transport, TRANSPORT_TICK_MS);
    }
    /* Seen before or too late to be told: the sender knows already. */
    (void)!twcc_record(transport->recorder, sequence, packet->arrived_ns / CLOCK_NS_PER_US);
}

/* A retransmission becomes the packet it repeats. */
static bool repair_unwrap(const struct track *track, const struct ssrc_entry *entry,
                          struct packet *packet, struct rtp_header *header)
{
    const struct stream *stream = track->streams[entry->layer];
    size_t length = packet->length;
    for (uint8_t i = 0; stream != NULL && i < track->payload_count; i++) {
        if (track->payloads[i].rtx_type != header->payload_type)
            continue;
        if (rtx_unwrap(packet->data, &length, header, track->payloads[i].type, stream->ssrc) !=
            STATUS_OK)
            return false;
        packet->length = (uint16_t)length;
        return true;
    }
    return false;
}

static void count_refused(struct worker *worker, enum status status)
{
    if (status == STATUS_DUPLICATE || status == STATUS_LATE)
        worker->counters.dropped_replay++;
    else
        worker->counters.dropped_auth++;
}

void transport_media(struct transport *transport, struct packet *packet)
{
    struct worker *worker = transport->worker;
    struct rtp_header header;
    if (rtp_parse(packet->data, packet->length, &header) != STATUS_OK) {
        worker->counters.dropped_malformed++;
        return;
    }
    struct ssrc_entry *entry = ssrc_find(transport, header.ssrc);
    if (entry == NULL)
        entry = ssrc_learn(transport, packet, &header);
    if (entry == NULL) {
        worker->counters.dropped_ssrc++;
        return;
    }
    struct track *track = &transport->tracks[entry->track];
    arrival_note(transport, track, packet, &header);
    if (entry->repair && !repair_unwrap(track, entry, packet, &header))
        return; /* a probe without payload, or nothing to repair yet */
    packet_facts_clear(packet);
    packet->repaired = entry->repair;
    track_receive(track, entry->layer, packet, &header);
}

void transport_rtp(struct transport *transport, struct packet *packet)
{
    if (transport->unprotector == NULL || transport->ended)
        return;
    size_t length;
    uint64_t index;
    enum status status =
        unprotector_rtp(transport->unprotector, packet->data, packet->length, &length, &index);
    if (status != STATUS_OK) {
        count_refused(transport->worker, status);
        return;
    }
    transport_settle(transport);
    packet->length = (uint16_t)length;
    if (transport->worker->tap != NULL)
        tapping_plain(transport->worker, transport, false, packet->data, length);
    transport_media(transport, packet);
}

void transport_rtcp(struct transport *transport, struct packet *packet)
{
    if (transport->unprotector == NULL || transport->ended)
        return;
    size_t length;
    enum status status =
        unprotector_rtcp(transport->unprotector, packet->data, packet->length, &length);
    if (status != STATUS_OK) {
        count_refused(transport->worker, status);
        return;
    }
    transport_settle(transport);
    ice_agent_heard(transport->agent, &packet->from, packet->arrived_ns);
    if (transport->worker->tap != NULL)
        tapping_plain(transport->worker, transport, false, packet->data, length);
    reports_receive(transport, packet->data, length);
}
