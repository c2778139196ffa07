/*
 * media/phone/leg.h - one phone leg inside its worker; what it is to others is in
 * media/leg.h.
 *
 * leg.c: life and letters · leg_keys.c: SDES and DTLS · leg_in.c: datagrams · leg_voice.c:
 * from packets to the room · leg_out.c: from room and prompts to packets · leg_rtcp.c.
 *
 * Thread: the worker's. Memory is taken when it is opened, updated or joins, and once per
 * codec that comes; not per packet.
 */
#ifndef MEDIA_PHONE_LEG_H
#define MEDIA_PHONE_LEG_H

#include "media/codec/level.h"
#include "media/codec/noise.h"
#include "media/codec/telephony.h"
#include "media/codec/voice.h"
#include "media/dtls/dtls.h"
#include "media/leg.h"
#include "media/phone/digits.h"
#include "media/phone/jitter.h"
#include "media/phone/latch.h"
#include "media/phone/phone.h"
#include "media/rtp/recv_stats.h"
#include "media/srtp/srtp.h"
#include "media/worker.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    LEG_CODECS = VOICE_OPUS + 1,
    LEG_DTLS_MS = 30000, /* for a handshake */
    LEG_TALKING_MS = 200,
    LEG_TAIL_MS = 200,        /* silence sent after a sound, so that the phone's buffer runs dry */
    LEG_KEEPALIVE_MS = 15000, /* RFC 6263 4: a silent packet keeps NATs open, trunks patient */
    LEG_REPORT_MS = 5000,     /* RFC 3550 6.2 */
    LEG_WAITING = VOICE_DECODED_MAX + VOICE_FRAME_MAX,
    LEG_OUT_WAITING = VOICE_FRAME_MAX * 4, /* samples: 60 ms of a packet and a frame */
    LEG_PACKET_BYTES = 1500,
    /* -dBov: comfort noise enters no room any louder, so that it never counts as somebody who
     * speaks (SPEAKERS_LOUD is 60). */
    LEG_COMFORT_LOUDEST = 62,
    LEG_TONE_FRAMES = 2, /* how long tones are listened to before they go on */
};

/* The RTP that comes. */
struct leg_in {
    bool known; /* ssrc and stats mean something */
    uint32_t ssrc;
    enum voice_codec codec;
    struct recv_stats stats;
    struct jitter jitter;
    struct digits digits;
    bool comfort;          /* its noise between words is known */
    uint8_t comfort_level; /* -dBov */
    uint64_t heard_ms;     /* last RTP of the peer */
    bool lost;             /* told */
    uint64_t strangers, received;
    uint64_t lost_before, late_before; /* of streams before this one */
};

/* The voice on its way into the room. */
struct leg_voice {
    struct voice_decoder *decoders[LEG_CODECS];
    struct voice_encoder *encoders[2]; /* Opus at 8 and 16 kHz */
    size_t count;
    int16_t samples[LEG_WAITING];
    bool quiet, voiced;
    struct noise noise;
    struct voice_level level;
    struct tones *tones; /* NULL: telephone-event was negotiated */
    int16_t delayed[LEG_TONE_FRAMES][VOICE_FRAME_MAX];
    uint8_t muting; /* frames that still hold a tone */
    bool talking;   /* told */
    uint64_t talking_ms;
    uint64_t concealed_ms, played_ms;
    uint64_t pending_ms; /* concealed since the last packet */
    uint16_t sequence;
    bool encoding; /* the last frame went out encoded: the encoder's past is this voice */
    uint64_t reported_ms;
};

struct leg_prompt {
    struct media_prompt *prompt;
    uint16_t gap_ms;
};

/* What the telephone hears. */
struct leg_out {
    enum voice_codec codec;
    struct voice_encoder *encoders[LEG_CODECS];
    size_t count;
    int16_t samples[LEG_OUT_WAITING];
    uint64_t count_ms; /* beat of the first of them */
    uint32_t ssrc, timestamp_base;
    uint16_t sequence;
    uint32_t roc;
    uint32_t last_timestamp;
    bool sounding; /* the packet before this one was not a pause ago */
    uint16_t tail_ms;
    uint64_t sent_ms;
    uint64_t packets, bytes;
    struct leg_prompt prompts[MEDIA_LEG_PROMPTS_MAX];
    uint8_t prompt_count;
    size_t prompt_at; /* samples played of the first, at 8 kHz */
    int8_t gain_db;
    struct gain gain;
};

struct leg_keys {
    struct protector *protector;
    struct unprotector *unprotector;
    struct dtls_conn *dtls;
    struct loop_timer timer;
    struct ice_address dtls_peer; /* handshake's */
    uint64_t began_ms;
};

struct leg_rtcp {
    uint64_t reported_ms;
    uint32_t round_trip_ms;
    uint8_t remote_loss;
    char cname[17];
};

struct leg {
    uint64_t id;
    struct phone *phone;
    struct worker *worker;
    bool negotiated, ended;
    int fd, rtcp_fd;
    int family;
    struct loop_watch *watch, *rtcp_watch;
    uint16_t port;
    struct media_leg_stream stream;
    struct media_leg_security security;
    struct latch latch;
    struct ice_address rtcp_signalled; /* port 0: the latch's, with the next port or rtcp-mux */
    struct leg_keys keys;
    struct leg_in in;
    struct leg_voice voice;
    struct leg_out out;
    struct leg_rtcp rtcp;
    uint64_t room_id; /* 0: none */
    struct phone_room *room;
    struct transport *publisher; /* its microphone in the room */
    uint32_t room_rate;          /* it is listed with in the mix */
    bool muted;
    uint8_t beat;
    struct leg *beat_next;
    uint64_t told_ms; /* statistics */
};

/* leg.c */
void leg_close(struct leg *leg, enum media_leg_end end);
/* The same by a letter, for those who are inside of it. */
void leg_fail(struct leg *leg, enum media_leg_end end);
enum voice_codec leg_codec(const struct media_leg_format *format);
/* Its events. */
const struct media_leg_events *leg_events(const struct leg *leg);
/* Each second. */
void leg_second(struct leg *leg, uint64_t now_ms);
/* Letters. object: struct media_leg_spec; struct leg_update; struct leg_prompt; all malloc'ed. */
void leg_on_open(struct worker *worker, const struct letter *letter);
void leg_on_update(struct worker *worker, const struct letter *letter);
void leg_on_room(struct worker *worker, const struct letter *letter); /* room, 0: leave */
void leg_on_mute(struct worker *worker, const struct letter *letter); /* on */
void leg_on_gain(struct worker *worker, const struct letter *letter); /* lane: dB */
void leg_on_play(struct worker *worker, const struct letter *letter);
void leg_on_stop(struct worker *worker, const struct letter *letter);
void leg_on_close(struct worker *worker, const struct letter *letter); /* layer: why */

struct leg_update {
    struct media_leg_stream stream;
    bool rekey;
    struct media_leg_security security;
};

/* leg_keys.c. Errors: STATUS_INVALID, STATUS_NO_MEMORY, STATUS_INTERNAL. */
MUST_USE enum status leg_keys_begin(struct leg *leg);
void leg_keys_end(struct leg *leg);
void leg_keys_dtls(struct leg *leg, const uint8_t *bytes, size_t length,
                   const struct ice_address *from);
/* Media may be sent and taken: there are keys, or there need be none. */
bool leg_keys_ready(const struct leg *leg);

/* leg_in.c */
void leg_readable(void *context, uint32_t events);
void leg_rtcp_readable(void *context, uint32_t events);
void leg_digits(struct leg *leg, uint64_t now_ms);
/* The stream begins anew, another codec or direction. */
void leg_in_reset(struct leg *leg);

/* leg_voice.c: 20 ms towards the room, of the beat that was due at due_ms. False: nothing comes. */
bool leg_voice_beat(struct leg *leg, uint64_t now_ms, uint64_t due_ms);
MUST_USE enum status leg_publish_begin(struct leg *leg, uint64_t room);
void leg_publish_end(struct leg *leg);

/* leg_out.c: 20 ms towards the telephone. False: there is nothing to hear. */
bool leg_out_beat(struct leg *leg, uint64_t due_ms);
/* Bytes that are protected already, or need not be; fd is one of the leg's. No port: dropped. */
void leg_send(struct leg *leg, int fd, const struct ice_address *to, const uint8_t *bytes,
              size_t length);
void leg_prompts_drop(struct leg *leg);
void leg_keepalive(struct leg *leg, uint64_t now_ms);

/* leg_rtcp.c */
void leg_rtcp_take(struct leg *leg, const uint8_t *bytes, size_t length, uint64_t now_ns);
void leg_rtcp_send(struct leg *leg, uint64_t now_ns, bool bye);

/* prompt.c: samples at 8000 or 16000 Hz. */
const int16_t *media_prompt_samples(const struct media_prompt *prompt, uint32_t rate,
                                    size_t *ret_count);

/* Ports (ports.c): an even one and the next, bound. Errors: STATUS_LIMIT (none free in the range),
 * STATUS_IO. */
struct leg_sockets {
    int rtp, rtcp, family;
    uint16_t port;
};
MUST_USE enum status leg_sockets_open(uint16_t first, uint16_t last,
                                      struct leg_sockets *ret_sockets);

#endif
