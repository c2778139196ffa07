/*
 * media/leg.h - phone legs: the RTP side of one telephone call on a media worker.
 *
 * A leg owns its UDP port(s), decodes what the telephone sends and encodes what it
 * shall hear. Before it joins a room it hears prompts and reports digits (the voice
 * menu); in a room it hears everybody but itself, and its voice is one more microphone:
 * a source {leg id, track 0, media_leg_worker()} that media_slot_set, media_track_gate
 * and the speakers event know like any other. How: docs/design/mixer.md.
 *
 * Life: media_leg_open -> event opened (the port is known: write the answer) -> any of
 * update, join, leave, play, stop, mute, gain in any order -> media_leg_close -> event
 * closed, the last one with this id. A leg that cannot be opened, or whose DTLS fails,
 * is closed by itself; media_leg_close is then harmless. A telephone that falls silent
 * is only reported (lost): closing is the caller's decision.
 *
 * Threads: the calls as those of media.h (one thread at a time, the conductor's); they
 * copy what they are given, post a letter to the leg's worker and return at once.
 * Letters of one leg arrive in order. The events run on the leg's worker and must only
 * post elsewhere. Prompts may be made and given back by any thread.
 *
 * Units: time in ms, levels in dB (RFC 6464: -dBov, 0 loudest), sound is 16 bit mono.
 */
#ifndef MEDIA_LEG_H
#define MEDIA_LEG_H

#include "core/status.h"
#include "media/media.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    MEDIA_LEG_FORMATS_MAX = 8, /* codecs one answer leaves open */
    MEDIA_LEG_EVENTS_MAX = 4,  /* telephone-event at 8000 and 48000, and what odd trunks add */
    MEDIA_LEG_PT_NONE = 0xff,  /* payload type 0 is PCMU */
    MEDIA_LEG_KEY_MAX = 30,    /* bytes of an SDES master key and salt */
    MEDIA_LEG_PTIME_MIN_MS = 10,
    MEDIA_LEG_PTIME_MAX_MS = 60,
    MEDIA_LEG_GAIN_MAX_DB = 18, /* both ways */
    MEDIA_LEG_PROMPTS_MAX = 24, /* waiting to be played on one leg */
    MEDIA_LEG_LOST_MS = 10000,  /* no RTP for that long while some is expected: lost */
    MEDIA_LEG_STATISTICS_MS = 5000,
    MEDIA_LEGS_MAX = 2048, /* of one worker */
};

enum media_leg_codec {
    MEDIA_LEG_PCMU, /* RFC 3551 4.5.14, 8 kHz */
    MEDIA_LEG_PCMA,
    MEDIA_LEG_G722, /* 16 kHz, RTP clock 8000 (RFC 3551 4.5.2) */
    MEDIA_LEG_OPUS, /* RFC 7587, clock 48000; run at 16 kHz */
};

/* Payload types may differ by direction (RFC 3264 5.1): `receive` is the one in our SDP, `send`
 * the one in the peer's. An answer repeats the offer's, so that both are the same. */
struct media_leg_format {
    enum media_leg_codec codec;
    uint8_t receive, send;
};

/* telephone-event (RFC 4733). */
struct media_leg_event {
    uint8_t receive, send;
    uint32_t clock; /* Hz: 8000, 16000 or 48000 */
};

/* What offer and answer agreed on; media_leg_update replaces it whole. */
struct media_leg_stream {
    /* formats[0] is sent; what comes may be any of them, packet by packet. */
    struct media_leg_format formats[MEDIA_LEG_FORMATS_MAX];
    size_t format_count; /* 1..MEDIA_LEG_FORMATS_MAX */
    struct media_leg_event events[MEDIA_LEG_EVENTS_MAX];
    size_t event_count;    /* 0: in-band tones are looked for instead */
    uint8_t comfort_type;  /* RFC 3389 at 8 kHz, usually 13; MEDIA_LEG_PT_NONE: not negotiated */
    uint8_t ptime_ms;      /* of what we send: 10, 20, 30, 40 or 60; what comes may be any */
    bool sending, hearing; /* our direction: hold takes away one or both (RFC 3264 8.4). Not
                              hearing: what comes is dropped, music on hold too */
    struct sockaddr_storage remote; /* of c= and m=; AF_INET or AF_INET6, numeric. Address 0.0.0.0
                                       (hold in the old way) or port 0: nothing is sent */
    struct sockaddr_storage remote_rtcp; /* family 0: remote's port + 1 (RFC 3550 11) */
    bool rtcp_mux;                       /* RFC 5761 */
    /*
     * Symmetric RTP (RFC 7362): media goes to where media comes from. Which source that is is
     * decided once, by a run of packets that fit what was negotiated, before the signalled
     * address has been heard; afterwards it moves only with the peer's authentic SRTP, within the
     * same IP address after a silence, or by an update that changes `remote`. Strangers are
     * dropped and counted. false: only `remote` is taken.
     */
    bool symmetric;
};

enum media_leg_security_kind {
    MEDIA_LEG_PLAIN,
    MEDIA_LEG_SDES, /* RFC 4568 */
    MEDIA_LEG_DTLS, /* RFC 5763, RFC 5764; our fingerprint is media_local()->fingerprint */
};

enum media_leg_suite {
    MEDIA_LEG_AES_CM_128_HMAC_SHA1_80, /* RFC 4568 6.2; key and salt 30 bytes */
    MEDIA_LEG_AES_CM_128_HMAC_SHA1_32, /* RTCP has 80 bits nevertheless */
    MEDIA_LEG_AEAD_AES_128_GCM,        /* RFC 7714 14.2; key and salt 28 bytes */
};

/* Key material is the caller's to wipe. Never give two legs the same keys. */
struct media_leg_security {
    enum media_leg_security_kind kind;
    /* SDES: what stands after inline:, decoded, key before salt. send: our a=crypto. */
    enum media_leg_suite suite;
    uint8_t send_key[MEDIA_LEG_KEY_MAX], receive_key[MEDIA_LEG_KEY_MAX];
    /* DTLS: the peer's a=fingerprint. */
    struct media_fingerprint fingerprint;
    bool active; /* a=setup:active in our SDP: we send the ClientHello */
};

struct media_leg_spec {
    uint64_t id; /* unique in the process, never 0; one space with transports' ids */
    struct media_leg_stream stream;
    struct media_leg_security security;
    /* An offer of ours goes out before the peer's answer is known: false, then only the ports are
     * taken, and stream and security come by media_leg_update and are not looked at here. */
    bool negotiated;
    int8_t gain_db; /* of what it hears, to begin with */
};

enum media_leg_digit_way { MEDIA_LEG_DIGIT_EVENT, MEDIA_LEG_DIGIT_TONE };

/* Totals since it was opened but for those named "now". */
struct media_leg_statistics {
    uint64_t packets_received, packets_sent;
    uint64_t packets_lost;            /* never came */
    uint64_t packets_late;            /* came after their time, or twice */
    uint64_t packets_stranger;        /* from addresses that are not its peer's, or not authentic */
    uint64_t concealed_ms, played_ms; /* of what entered the room or would have */
    uint32_t jitter_ms;               /* RFC 3550 A.8, now */
    uint32_t buffer_ms;               /* jitter buffer, now */
    uint32_t round_trip_ms;           /* now; 0: the peer's RTCP does not tell */
    uint8_t remote_loss;              /* 1/256, by the peer's last report */
    uint16_t mos_100; /* E-model (ITU-T G.107) of what came: 100..450; 0: nothing came */
};

enum media_leg_end {
    MEDIA_LEG_ENDED,       /* by media_leg_close or media_free */
    MEDIA_LEG_NO_PORT,     /* the range is used up, or the system has no descriptors */
    MEDIA_LEG_NO_MEMORY,   /* or MEDIA_LEGS_MAX on its worker */
    MEDIA_LEG_DTLS_FAILED, /* fingerprint, alert, or no handshake within 30 s */
};

struct media_leg_events {
    /* UDP ports as they belong into our SDP; rtcp_port is port when rtcp-mux was asked for. Both
     * are taken in any case: an offer may leave rtcp-mux to the answer. */
    void (*opened)(void *context, uint64_t leg, uint16_t port, uint16_t rtcp_port);
    /* A key was pressed: '0'..'9', '*', '#', 'A'..'D', or '!' (flash). Once each, when it is over
     * or has lasted 2 s. */
    void (*digit)(void *context, uint64_t leg, char digit, uint32_t duration_ms,
                  enum media_leg_digit_way way);
    /* Speaks, or stopped; at most every 200 ms. Also while muted, not while held. */
    void (*talking)(void *context, uint64_t leg, bool talking);
    /* No RTP for MEDIA_LEG_LOST_MS; false: it came again. Not while held. */
    void (*lost)(void *context, uint64_t leg, bool lost);
    /* The queue of prompts ran empty, by playing or by media_leg_stop. */
    void (*played)(void *context, uint64_t leg);
    /* Every MEDIA_LEG_STATISTICS_MS, and once right before closed. */
    void (*statistics)(void *context, uint64_t leg, const struct media_leg_statistics *statistics);
    void (*closed)(void *context, uint64_t leg, enum media_leg_end end);
};

/* Belongs into struct media_config. */
struct media_leg_config {
    uint16_t port_first, port_last; /* UDP, inclusive; 0, 0: any. A leg takes an even one and the
                                       odd one after it */
    /* What is too loud is cut at full scale instead of turned down, of callers and for them. */
    bool unlimited;
    /* All that callers send enters the room, not only their voices: their line's noise too, and the
     * echo of what they hear. The room is told which of it is voice in any case. */
    bool ungated;
    const struct media_leg_events *events; /* borrowed as long as media lives; NULL members are not
                                              called */
    void *context;
};

/* Errors: STATUS_INVALID (a field out of its range), STATUS_LIMIT (the worker has too many letters
 * waiting), STATUS_NO_MEMORY. Then no event follows. */
MUST_USE enum status media_leg_open(struct media *media, const struct media_leg_spec *spec);
/* The worker of this leg: its part in struct media_source. */
uint8_t media_leg_worker(const struct media *media, uint64_t leg);
/*
 * Re-negotiation: codec, address, direction, keys. Room, prompts, port and jitter buffer stay.
 * security NULL or equal to the present one: keys go on; else a new SRTP context or a new DTLS
 * association begins. Errors as media_leg_open; the present stream goes on then.
 */
MUST_USE enum status media_leg_update(struct media *media, uint64_t leg,
                                      const struct media_leg_stream *stream,
                                      const struct media_leg_security *security);
/* Into a room (of media_transport_spec's number space), out of the one before if any. */
void media_leg_join(struct media *media, uint64_t leg, uint64_t room);
/* Hears prompts only. Prompts go on. */
void media_leg_leave(struct media *media, uint64_t leg);
/* Muted: what it says does not enter the room. Digits do count. */
void media_leg_mute(struct media *media, uint64_t leg, bool muted);
/* Of what it hears, -MEDIA_LEG_GAIN_MAX_DB..MEDIA_LEG_GAIN_MAX_DB; beyond: clamped. */
void media_leg_gain(struct media *media, uint64_t leg, int8_t gain_db);
void media_leg_close(struct media *media, uint64_t leg);

/* ---- prompts ---- */

/* A recording, shared by all legs and constant; reference counted, any thread. */
struct media_prompt;

/* Copies `count` samples at `rate` 8000 or 16000 Hz, at most 120 s of them; the other rate is made
 * of them here, once. One reference. Errors: STATUS_INVALID, STATUS_NO_MEMORY. */
MUST_USE enum status media_prompt_new(const int16_t *samples, size_t count, uint32_t rate,
                                      struct media_prompt **ret_prompt);
struct media_prompt *media_prompt_ref(struct media_prompt *prompt);
/* Accepts NULL. */
void media_prompt_unref(struct media_prompt *prompt);

/*
 * Plays after what is queued already; takes a reference of its own. Over a room the prompt is in
 * front and the room softer behind it. gap_ms: silence before it, 0..10000 (repeat a menu after a
 * pause). Past MEDIA_LEG_PROMPTS_MAX it is dropped.
 */
void media_leg_play(struct media *media, uint64_t leg, struct media_prompt *prompt,
                    uint16_t gap_ms);
/* Drops the queue, within 20 ms. */
void media_leg_stop(struct media *media, uint64_t leg);

#endif
