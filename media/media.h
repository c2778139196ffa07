/*
 * media/media.h - the media side as the rest of the program sees it.
 *
 * A transport is one peer connection: one ICE/DTLS/SRTP session with tracks (what
 * the client sends us) and slots (what we may send it). A source is a track as
 * others subscribe to it. One worker thread per core; all share one UDP port
 * (SO_REUSEPORT) and the worker whose socket the kernel chose for a client's
 * address adopts the client's transport. A room spreads over all workers; its
 * loudest speakers are chosen by one of them (room % workers), its home.
 *
 * Threads: the calls may be made from any one thread at a time (the conductor);
 * they post letters and return at once. The events run on worker threads and must
 * only post elsewhere.
 */
#ifndef MEDIA_MEDIA_H
#define MEDIA_MEDIA_H

#include "core/metrics.h"
#include "core/status.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum media_kind { MEDIA_AUDIO, MEDIA_VIDEO };

enum media_codec {
    MEDIA_CODEC_NONE,
    MEDIA_CODEC_OPUS,
    MEDIA_CODEC_RED, /* RFC 2198: over Opus; on a video slot around media and ULPFEC */
    MEDIA_CODEC_VP8,
    MEDIA_CODEC_VP9,
    MEDIA_CODEC_H264,
    MEDIA_CODEC_AV1,
    MEDIA_CODEC_ULPFEC, /* RFC 5109; video slots only, inside RED */
};

/* What a track is for. WHIP publishers have MICROPHONE and CAMERA. */
enum media_source_kind {
    MEDIA_SOURCE_MICROPHONE,
    MEDIA_SOURCE_CAMERA,
    MEDIA_SOURCE_SCREEN,
    MEDIA_SOURCE_SCREEN_AUDIO,
};

enum {
    MEDIA_TRACKS_MAX = 8,    /* m-lines a client sends on */
    MEDIA_SLOTS_MAX = 64,    /* m-lines we send on: 5 voices, screen audio, 49 tiles, a screen; or
                                WHEP's publishers */
    MEDIA_PAYLOADS_MAX = 16, /* payload types kept per m-line, RTX not counted */
    MEDIA_RIDS_MAX = 3,      /* simulcast or spatial layers of a track, lowest first */
    MEDIA_TEMPORAL_MAX = 4,  /* temporal levels told apart; higher ones count as the last */
    MEDIA_TEXT_MAX = 32,     /* mid, rid: RFC 8843, RFC 8851 allow more, nobody sends it */
    MEDIA_UFRAG_MAX = 256,   /* RFC 8839 5.4 */
    MEDIA_PWD_MAX = 256,
    MEDIA_VOICES_MAX = 5, /* loudest speakers a room forwards */
    MEDIA_WORKERS_MAX = 64,
    MEDIA_CANDIDATES_MAX = 16,
};

/* One payload type of one m-line, as negotiated with this peer. */
struct media_payload {
    enum media_codec codec;
    uint8_t type;     /* payload type */
    uint8_t rtx_type; /* RFC 4588; 0: none */
    bool nack, pli, fir, transport_cc, remb;
    uint32_t h264_profile_level_id; /* RFC 6184 8.1; 0 for other codecs */
    uint8_t h264_packetization_mode;
    uint8_t vp9_profile;
};

/* RFC 8285 ids negotiated with this peer; 0: not negotiated. */
struct media_extensions {
    uint8_t audio_level;            /* RFC 6464 */
    uint8_t mid, rid, repaired_rid; /* RFC 8843, RFC 8852 */
    uint8_t transport_cc;           /* draft-holmer-rmcat-transport-wide-cc-extensions-01 */
    uint8_t abs_send_time;
    uint8_t dependency_descriptor; /* AV1 RTP specification, appendix A */
    uint8_t video_orientation;     /* 3GPP TS 26.114 7.4.5 (CVO) */
    uint8_t playout_delay;
    uint8_t color_space;
};

/* An m-line on which the client sends. */
struct media_track_spec {
    char mid[MEDIA_TEXT_MAX];
    enum media_kind kind;
    enum media_source_kind source;
    struct media_payload payloads[MEDIA_PAYLOADS_MAX];
    size_t payload_count;
    struct media_extensions extensions;
    uint32_t ssrc,
        rtx_ssrc; /* from a=ssrc; 0: learnt from mid, or from the payload type when unique */
    char rids[MEDIA_RIDS_MAX][MEDIA_TEXT_MAX]; /* a=rid send, in the order of a=simulcast */
    size_t rid_count;
};

/* An m-line on which we send. payloads[] is what this subscriber decodes. */
struct media_slot_spec {
    char mid[MEDIA_TEXT_MAX];
    enum media_kind kind;
    struct media_payload payloads[MEDIA_PAYLOADS_MAX];
    size_t payload_count;
    struct media_extensions extensions;
    uint32_t ssrc, rtx_ssrc; /* ours, written into the answer; rtx_ssrc 0: none */
};

struct media_ice {
    char local_ufrag[MEDIA_TEXT_MAX],
        local_pwd[MEDIA_TEXT_MAX]; /* ours; ufrag unique in the process */
    char remote_ufrag[MEDIA_UFRAG_MAX + 1], remote_pwd[MEDIA_PWD_MAX + 1];
};

/* The client's certificate (RFC 8122). */
struct media_fingerprint {
    char algorithm[16]; /* "sha-256", "sha-384", "sha-512" */
    uint8_t digest[64];
    size_t length;
};

struct media_transport_spec {
    uint64_t id;   /* unique in the process, never 0, never reused */
    uint64_t room; /* whose voices it hears; 0: none */
    struct media_ice ice;
    struct media_fingerprint fingerprint;
    size_t track_count, slot_count;
    struct media_track_spec tracks[MEDIA_TRACKS_MAX];
    struct media_slot_spec slots[MEDIA_SLOTS_MAX]; /* last: a kept copy may end after slot_count */
};

/* Bytes of spec that mean something. */
static inline size_t media_transport_spec_size(const struct media_transport_spec *spec)
{
    return offsetof(struct media_transport_spec, slots) + spec->slot_count * sizeof spec->slots[0];
}

/* A track as others subscribe to it. worker comes with the CONNECTED event. */
struct media_source {
    uint64_t transport; /* 0: no source */
    uint8_t track;      /* index into its spec's tracks */
    uint8_t worker;
};

enum media_want_mode {
    MEDIA_WANT_NOTHING,
    MEDIA_WANT_VOICE,  /* the room's speaker number `voice`, never oneself */
    MEDIA_WANT_SOURCE, /* this source */
};

/* What a picture is to its viewer: on a narrow link the screen comes first, then the speaker. */
enum media_purpose { MEDIA_FOR_TILE, MEDIA_FOR_SPEAKER, MEDIA_FOR_SCREEN };

/* What a slot shall carry. */
struct media_want {
    enum media_want_mode mode;
    uint8_t voice; /* 0..MEDIA_VOICES_MAX-1 */
    struct media_source source;
    uint16_t height; /* pixels the viewer shows: the smallest layer at least that high is chosen; 0:
                        the highest */
    uint8_t priority; /* larger is kept longer when the link is narrow */
    uint8_t purpose;  /* enum media_purpose */
};

enum media_transport_state {
    MEDIA_TRANSPORT_CONNECTED, /* DTLS is done; also after a restart */
    MEDIA_TRANSPORT_LOST,      /* no check for 30 s (RFC 7675): nothing is sent until one comes */
    MEDIA_TRANSPORT_RESTORED,  /* checks came again */
    MEDIA_TRANSPORT_FAILED,    /* DTLS failed or closed by the peer: close it */
};

enum media_slot_state {
    MEDIA_SLOT_EMPTY,
    MEDIA_SLOT_WAITING, /* for a key frame */
    MEDIA_SLOT_LIVE,
    MEDIA_SLOT_UNSUPPORTED, /* the subscriber decodes none of what the publisher sends */
    MEDIA_SLOT_PAUSED,      /* the subscriber's link has no room for it */
};

/* How a slot fares. */
struct media_slot_report {
    enum media_slot_state state;
    struct media_source source;
    uint8_t layer;   /* carried */
    uint8_t ceiling; /* highest layer the link bears now */
    bool limited;    /* by the link: paused, a lower layer or fewer frames than wanted */
};

/* A simulcast or spatial layer of a source as seen by its worker. */
struct media_layer_info {
    uint16_t width, height; /* 0: unknown */
    uint32_t bitrate;       /* bit/s of late, with the lower layers it needs; kept when it stops */
    uint32_t rates[MEDIA_TEMPORAL_MAX]; /* the same up to each temporal level */
    uint8_t levels;                     /* temporal levels seen */
    bool active;
};

struct media_leg_config;
struct media_switch; /* media/stats.h */

struct media_events {
    /* `worker` adopted it. `over_tcp`: ICE-TCP carries it. */
    void (*transport)(void *context, uint64_t transport, uint8_t worker,
                      enum media_transport_state state, bool over_tcp);
    /* The first packet of a track came, its codec changed, layers came or went, or it went silent
     * (layer_count 0). At most every 200 ms per track. */
    void (*track)(void *context, struct media_source source, enum media_codec codec,
                  const struct media_layer_info *layers, size_t layer_count);
    /* Transports of the room's speakers, loudest first; only when the set or order changed, and at
     * most every 200 ms. Levels are -dBov, 0 loudest (RFC 6464). */
    void (*speakers)(void *context, uint64_t room, const uint64_t *transports,
                     const uint8_t *levels, size_t count);
    void (*slot)(void *context, uint64_t transport, uint8_t slot,
                 const struct media_slot_report *report);
    /* A slot began another source or layer, or was paused (media/stats.h). For the log: the packet
     * waits, so it shall cost nothing when nobody reads it. */
    void (*switched)(void *context, uint64_t transport, uint8_t slot,
                     const struct media_switch *change);
    /* What a subscriber's link bears has moved by an eighth. For the log. */
    void (*estimated)(void *context, uint64_t transport, uint32_t estimate_bps);
};

struct media_config {
    uint16_t port; /* UDP; 0: any */
    const char *const
        *addresses; /* advertised instead of the found ones, "192.0.2.1" or "192.0.2.1:20000" */
    size_t address_count;
    uint16_t tcp_port; /* advertised for ICE-TCP; 0: none */
    uint8_t workers;   /* 0: one per CPU this process may use */
    uint8_t voices;    /* 1..MEDIA_VOICES_MAX */
    bool loopback;     /* also advertise 127.0.0.1 and ::1 */
    const struct media_events *events;
    void *events_context;
    struct metrics *metrics;
    const struct media_leg_config *legs; /* media/leg.h; NULL: any port, no events */
};

struct media_candidate {
    bool tcp; /* RFC 6544 passive */
    char address[INET6_ADDRSTRLEN];
    uint16_t port;
    uint32_t priority; /* RFC 8445 5.1.2.1 */
    char foundation[8];
};

/* What an answer says about us; constant while the process runs. */
struct media_local {
    char fingerprint[128]; /* "sha-256 AB:CD:..." (RFC 8122) */
    struct media_candidate candidates[MEDIA_CANDIDATES_MAX];
    size_t candidate_count;
};

struct media;

/* Binds the sockets and starts the workers. Errors: STATUS_INVALID, STATUS_NO_MEMORY, STATUS_EXISTS
 * (port taken), STATUS_IO. */
MUST_USE enum status media_new(const struct media_config *config, struct media **ret_media);
/* Ends all transports (DTLS close_notify), joins the threads. Accepts NULL, returns NULL. */
struct media *media_free(struct media *media);
/* Borrowed as long as media lives. */
const struct media_local *media_local(const struct media *media);
uint8_t media_worker_count(const struct media *media);

/* Copies spec and makes it known to all workers: when it returns, a check that
 * arrives afterwards is answered. Errors: STATUS_INVALID, STATUS_NO_MEMORY, STATUS_LIMIT. */
MUST_USE enum status media_transport_open(struct media *media,
                                          const struct media_transport_spec *spec);
/* ICE restart: new credentials; media goes on by the old path until the new is checked. */
MUST_USE enum status media_transport_restart(struct media *media, uint64_t transport,
                                             const struct media_ice *ice);
void media_transport_close(struct media *media, uint64_t transport);
/* `worker`: who adopted the subscriber's transport. */
void media_slot_set(struct media *media, uint64_t transport, uint8_t worker, uint8_t slot,
                    const struct media_want *want);
/* Closed: what the track sends is dropped at the door (muted or stopped by a host). */
void media_track_gate(struct media *media, struct media_source source, bool open);
/* The packets of this transport go into the trace from now on, whichever worker has it or will, in
 * place of those of the transport traced before. Errors: as tap_new; what worker_post says, then
 * some worker does not know. */
struct trace;
MUST_USE enum status media_trace(struct media *media, uint64_t transport, struct trace *trace);
/*
 * Hands over an accepted TCP connection that began with an RFC 4571 frame; `bytes`
 * are what was read of it already. Owns fd from here on. Any thread.
 */
void media_tcp_adopt(struct media *media, int fd, const uint8_t *bytes, size_t length);

#endif
