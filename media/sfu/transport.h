/*
 * media/sfu/transport.h - one peer connection inside the media side: ICE, DTLS, SRTP,
 * its tracks and slots.
 *
 * Made by the conductor's thread (transport_new), known to all workers, claimed by one
 * (transport_claim); from then on everything but the atomics is that worker's. Reference
 * counted: each entry of a worker's table holds one.
 */
#ifndef MEDIA_SFU_TRANSPORT_H
#define MEDIA_SFU_TRANSPORT_H

#include "core/loop.h"
#include "core/status.h"
#include "media/dtls/dtls.h"
#include "media/ice/ice.h"
#include "media/media.h"
#include "media/packet.h"
#include "media/rtp/twcc.h"
#include "media/sfu/allocator.h"
#include "media/sfu/downlink.h"
#include "media/sfu/loss.h"
#include "media/sfu/pacing.h"
#include "media/sfu/repairs.h"
#include "media/sfu/sender.h"
#include "media/srtp/srtp.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum {
    TRANSPORT_UNOWNED = -1,
    TRANSPORT_SSRCS_MAX = MEDIA_TRACKS_MAX * MEDIA_RIDS_MAX * 2, /* each layer and its RTX */
    TRANSPORT_ADDRESSES_MAX = ICE_PATHS_MAX,
    TRANSPORT_TICK_MS = 50,  /* a publisher's: feedback, gaps, key frames */
    TRANSPORT_IDLE_MS = 500, /* a subscriber's */
    TRANSPORT_LAX_MS = 100,  /* a wait so long may end with another's */
    TRANSPORT_REPORT_MS = 1000,
    TRANSPORT_LINE = 64,         /* bytes of a cache line */
    TRANSPORT_SETTLE_MS = 20000, /* a client's last flight has come by then, if it ever does */
    TRANSPORT_ADOPT_MS = 60000,  /* never connected for that long after adoption: FAILED */
};

/* A payload type as negotiated with this peer, compact. */
struct payload {
    struct packet_format format;
    uint8_t type, rtx_type;
    bool nack, pli, fir, transport_cc, remb;
};

/* Which stream an SSRC is. */
struct ssrc_entry {
    uint32_t ssrc;
    uint8_t track, layer;
    bool repair;
};

struct transport {
    /* Constant after transport_new. */
    uint64_t id, room_id;
    struct media_fingerprint fingerprint;
    uint8_t track_count, slot_count;
    struct track *tracks;
    struct slot *slots;
    struct payload *payloads; /* of all tracks and slots */

    /* Any thread. */
    atomic_uint references;
    atomic_int owner; /* worker, or TRANSPORT_UNOWNED */

    /* The owner's. First what each packet that leaves looks at, together. */
    struct worker *worker; /* NULL until adopted */
    struct protector *protector;
    struct ice_path path; /* where packets go */
    bool has_path, connected, lost, ended;
    bool settled; /* the handshake need not be repeated: OpenSSL's memory is given back */
    bool sending; /* media may be forwarded: connected, not lost, a path */
    struct sender_group group;
    uint64_t video_bytes;
    struct pacing pacing;

    struct ice_agent *agent;
    struct dtls_conn *dtls;
    struct unprotector *unprotector;
    struct room *room;
    struct loop_timer timer;
    uint64_t timer_due_ms;
    uint64_t adopted_ms, connected_ms, watched_ms, reported_ms, fed_back_ms;
    struct ice_address addresses[TRANSPORT_ADDRESSES_MAX]; /* those in the worker's table */
    uint8_t address_count, address_next;

    /* Receiving. */
    struct ssrc_entry ssrcs[TRANSPORT_SSRCS_MAX];
    uint8_t ssrc_count;
    struct twcc_recorder *recorder; /* when the first packet with the extension came */
    bool clock_known;
    int64_t clock_shift; /* our NTP clock less the peer's, 2^-32 s */

    /* Sending. */
    uint32_t rtcp_ssrc;
    char cname[17];
    uint32_t rtt_ms;    /* 0: unknown; of the handshake until a report tells better */
    uint64_t flight_ns; /* when the handshake's flight left that is not answered yet; 0: none */
    struct repairs repairs;
    struct loss_meter loss;
    struct allocator allocator;
    struct downlink downlink;
    uint64_t remb;
    uint64_t observed_ms;
    uint32_t estimate_told; /* bit/s, as the conductor knows it */
};

/* A hint that a packet is about to leave by it. */
static inline void transport_prefetch(const struct transport *transport)
{
    const uint8_t *begin = (const uint8_t *)&transport->worker;
    for (const uint8_t *line = begin; line < (const uint8_t *)&transport->agent;
         line += TRANSPORT_LINE)
        __builtin_prefetch(line);
    __builtin_prefetch(&transport->downlink.bwe);
}

/* Copies what it needs of spec. One reference. Errors: STATUS_INVALID, STATUS_NO_MEMORY. */
MUST_USE enum status transport_new(const struct media_transport_spec *spec,
                                   struct transport **ret_transport);
/* The same for a microphone of this process's own, a phone leg's: without ICE and DTLS. Its owner
 * gives packets to its track. */
MUST_USE enum status transport_new_local(const struct media_transport_spec *spec,
                                         struct transport **ret_transport);
MUST_USE enum status transport_adopt_local(struct transport *transport, struct worker *worker);
struct transport *transport_ref(struct transport *transport);
/* The last one frees it: it must not be adopted any more. Accepts NULL. */
void transport_unref(struct transport *transport);

/* True: this worker is its owner now, or was already. */
bool transport_claim(struct transport *transport, uint8_t worker);
/* A check passed here: it stays. Errors: STATUS_NO_MEMORY (then it is unclaimed again). */
MUST_USE enum status transport_adopt(struct transport *transport, struct worker *worker);
/* Gives everything of the worker's back; a close_notify is sent when connected. */
void transport_end(struct transport *transport);

/* What came from this transport's addresses. Owner only. */
void transport_stun(struct worker *worker, struct transport *transport, struct packet *packet);
void transport_dtls(struct transport *transport, const struct packet *packet);
void transport_rtp(struct transport *transport, struct packet *packet);
void transport_rtcp(struct transport *transport, struct packet *packet);
/* An RTP packet without its protection. */
void transport_media(struct transport *transport, struct packet *packet);

/* Its ICE-TCP connection is gone. */
void transport_stream_closed(struct transport *transport, uint32_t stream);
void transport_restart(struct transport *transport, const struct media_ice *ice);

/* Bytes as they are to where media goes; dropped when there is no such place. */
void transport_send(struct transport *transport, const uint8_t *bytes, size_t length);
/* Protects an RTCP compound (capacity leaves PROTECTOR_RTCP_TAIL_MAX) and sends it. */
void transport_send_rtcp(struct transport *transport, uint8_t *bytes, size_t length,
                         size_t capacity);
/* The timer shall fire within this many ms. */
void transport_wake_within(struct transport *transport, uint64_t wait_ms);

/* Compact form of the peer's payload types; ret_payloads holds MEDIA_PAYLOADS_MAX. */
size_t payloads_from(const struct media_payload *payloads, size_t count,
                     struct payload *ret_payloads);

#endif
