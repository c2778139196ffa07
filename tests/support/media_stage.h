/*
 * tests/support/media_stage.h - a media_new() with members on loopback sockets, for tests
 * of whole calls: each member is a peer that publishes a microphone and a camera of three
 * layers, and has slots for voices and tiles.
 *
 * Events come on worker threads and are kept under stage.lock; WAIT_FOR and SEND_UNTIL
 * look at them under it. One stage per program at a time.
 */
#ifndef TESTS_SUPPORT_MEDIA_STAGE_H
#define TESTS_SUPPORT_MEDIA_STAGE_H

#include "core/clock.h"
#include "core/lock.h"
#include "core/rng.h"
#include "media/media.h"
#include "media/rtp/rtp.h"
#include "media/rtp/twcc.h"
#include "tests/support/peer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum {
    WAIT_MS = 10000,
    MEMBERS_MAX = 24,
    VP8 = 96,
    VP8_RTX = 97,
    OPUS = 111,
    RED = 63,
    VIDEO_RED = 118,
    ULPFEC = 120,
    EXT_LEVEL = 1,
    EXT_MID = 4,
    EXT_RID = 10,
    EXT_REPAIRED_RID = 11,
    EXT_TWCC = 3,
    SLOT_VOICES = 3,
    SLOT_TILES = 2,
    SLOT_TILE = SLOT_VOICES,
    CAMERA = 1, /* track number */
    RECEIVED_MAX = 4096,
    MISSING_MAX = 256,
    PAYLOAD_BYTES = 600,
    RECEIVED_BYTES = 800, /* kept of a packet */
};

struct received {
    struct rtp_header header;
    uint8_t head[24]; /* the payload's first bytes */
    uint16_t length;
    uint8_t bytes[RECEIVED_BYTES];
};

struct member {
    uint64_t id;
    struct peer *peer;
    struct media_ice ice;
    bool connected, failed, lost;
    uint8_t worker;
    bool tcp;
    struct received *received; /* RECEIVED_MAX */
    size_t received_count, rtcp_count, nacks, plis, feedbacks, sender_reports;
    uint16_t nacked;
    uint8_t slot_states[MEDIA_SLOTS_MAX], slot_layers[MEDIA_SLOTS_MAX];
    uint16_t sequences[8]; /* as a publisher: next, by stream */
    uint16_t twcc;
    struct twcc_recorder *recorder; /* what member_feed_back tells; NULL: it tells nothing */
    uint32_t lose_every; /* of all that comes, one in so many is lost on the way; 0: nothing */
    struct rng lose;     /* seeded by who sets lose_every */
    uint32_t missing_ssrc;
    uint16_t missing[MISSING_MAX]; /* numbers of the stream missing_ssrc that were lost */
    size_t missing_count;
};

struct stage {
    struct media *media;
    struct crowd *peers;
    struct lock lock;
    struct member members[MEMBERS_MAX];
    size_t count;
    uint64_t next_id;
    uint64_t speakers[MEDIA_VOICES_MAX];
    size_t speaker_count;
    size_t layer_count;
    struct media_layer_info layers[MEDIA_RIDS_MAX];
};

extern struct stage stage;
/* For the media of the next stage_open; NULL: it has no phone legs to tell of. */
extern const struct media_leg_config *stage_legs;

/* cmocka set-up and tear-down. */
int stage_open(void **state);       /* two workers */
int stage_open_three(void **state); /* three */
int stage_close(void **state);

/* Opens its transport; nobody has connected. */
struct member *member_open(uint64_t room);
/* A peer for it; srtp as in peer_config. */
void member_connect(struct member *member, bool tcp, uint16_t port, const char *srtp);
/* Both, and waits until DTLS is done. */
struct member *member_join(uint64_t room);
/* One on another worker than this: the kernel's hash decides, so several are tried. */
struct member *member_join_elsewhere(uint64_t room, uint8_t worker);
/* What media_transport_open was given. */
void member_spec(const struct member *member, uint64_t room, struct media_transport_spec *ret_spec);
/* New local credentials. */
void member_ice(struct media_ice *ret_ice);
/* SSRCs count from here: + 1 microphone, + 10 camera's lowest layer, + 100 slots, + 200 their RTX.
 */
uint32_t member_base(const struct member *member);
uint16_t stage_port(void);

void voices_want(const struct member *member);
void tile_want(const struct member *member, uint8_t tile, const struct member *source,
               uint16_t height);
size_t received_on(const struct member *member, uint32_t ssrc);
/* As a subscriber: sends transport-wide feedback of all that came since; the first call begins. */
void member_feed_back(struct member *member);
/* The stream of one SSRC has no gap and no repetition. */
void assert_continuous(const struct member *member, uint32_t ssrc);

/* 20 ms of Opus whose payload is the member's id. */
void send_audio(struct member *member, uint8_t level);
/* The same in RED with copies of the `copies` packets before it; lost: it does not arrive. */
void send_red(struct member *member, uint8_t copies, bool lost);

struct frame {
    uint8_t layer;
    bool key;
    uint8_t packets;
    uint8_t lose; /* packet of the frame not sent, 1-based; 0: none */
};

/* One VP8 frame of the camera. */
void send_frame(struct member *member, const struct frame *frame);

#define WAIT_FOR(condition)                                                                        \
    do {                                                                                           \
        uint64_t until_ns = clock_mono_ns() + (uint64_t)WAIT_MS * CLOCK_NS_PER_MS;                 \
        bool met = false;                                                                          \
        while (!met && clock_mono_ns() < until_ns) {                                               \
            crowd_turn(stage.peers, 2);                                                            \
            lock_take(&stage.lock);                                                                \
            met = (condition);                                                                     \
            lock_give(&stage.lock);                                                                \
        }                                                                                          \
        if (!met)                                                                                  \
            fail_msg("never: %s", #condition);                                                     \
    } while (0)

/* Sends frames until the condition holds, about every 5 ms. */
#define SEND_UNTIL(member, frame_key, frame_layer, condition)                                      \
    do {                                                                                           \
        uint64_t until_ns = clock_mono_ns() + (uint64_t)WAIT_MS * CLOCK_NS_PER_MS;                 \
        bool met = false;                                                                          \
        while (!met && clock_mono_ns() < until_ns) {                                               \
            const struct frame sent = {.layer = frame_layer, .key = frame_key, .packets = 2};      \
            send_frame(member, &sent);                                                             \
            for (int turn = 0; turn < 3; turn++)                                                   \
                crowd_turn(stage.peers, 2);                                                        \
            lock_take(&stage.lock);                                                                \
            met = (condition);                                                                     \
            lock_give(&stage.lock);                                                                \
        }                                                                                          \
        if (!met)                                                                                  \
            fail_msg("never: %s", #condition);                                                     \
    } while (0)

#endif
