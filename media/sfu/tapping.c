#include "media/sfu/tapping.h"

#include "core/clock.h"
#include "media/sfu/tcp.h"
#include "media/sfu/transport.h"
#include "media/trace/trace.h"
#include "media/worker.h"

static bool tapped(const struct worker *worker, const struct transport *transport)
{
    return transport != NULL && transport->id == tap_transport(worker->tap);
}

/* What the trace is not to show: protected media, when it gets the same unprotected. */
static bool hidden(const struct worker *worker, const uint8_t *bytes, size_t length)
{
    enum ice_kind kind = ice_kind_of(bytes, length);
    return tap_decrypted(worker->tap) && (kind == ICE_KIND_RTP || kind == ICE_KIND_RTCP);
}

static void put(struct worker *worker, const struct ice_path *path, bool outbound,
                const uint8_t *bytes, size_t length)
{
    struct tap_packet packet = {.mono_ns = clock_mono_ns(),
                                .remote = path->address,
                                .local = {.port = worker->media->port},
                                .outbound = outbound,
                                .tcp = path->stream != 0,
                                .length = (uint16_t)length};
    if (packet.tcp)
        tcp_local(worker, path->stream, &packet.local);
    tap_put(worker->tap, &packet, bytes);
}

void tapping_in(struct worker *worker, const struct transport *transport,
                const struct packet *packet)
{
    if (tapped(worker, transport) && !hidden(worker, packet->data, packet->length))
        put(worker, &packet->from, false, packet->data, packet->length);
}

void tapping_out(void *context, const struct ice_address *to, const uint8_t *bytes, size_t length)
{
    struct worker *worker = context;
    const struct address_entry *entry = addresses_find(&worker->addresses, to);
    const struct ice_path path = {.address = *to};
    if (entry != NULL && tapped(worker, entry->transport) && !hidden(worker, bytes, length))
        put(worker, &path, true, bytes, length);
}

void tapping_stream_out(struct worker *worker, const struct transport *transport,
                        const struct ice_path *to, const uint8_t *bytes, size_t length)
{
    if (tapped(worker, transport) && !hidden(worker, bytes, length))
        put(worker, to, true, bytes, length);
}

void tapping_plain(struct worker *worker, const struct transport *transport, bool outbound,
                   const uint8_t *bytes, size_t length)
{
    if (tapped(worker, transport) && tap_decrypted(worker->tap))
        put(worker, &transport->path, outbound, bytes, length);
}

static void tap_set(struct worker *worker, struct tap *tap)
{
    tap_unref(worker->tap);
    worker->tap = tap;
    sender_tap(worker->sender, tap != NULL ? tapping_out : NULL, worker);
}

void tapping_on_tap(struct worker *worker, const struct letter *letter)
{
    tap_set(worker, letter->object);
}

void tapping_tick(struct worker *worker)
{
    if (worker->tap != NULL && tap_ended(worker->tap))
        tap_set(worker, NULL);
}

void tapping_end(struct worker *worker)
{
    tap_unref(worker->tap);
    worker->tap = NULL;
}
