/* Whole calls through media_new() over loopback sockets: two workers, real ICE, DTLS and SRTP. */
#include "core/bytes.h"
#include "core/clock.h"
#include "core/crypto.h"
#include "core/lock.h"
#include "media/ice/ice.h"
#include "media/media.h"
#include "media/rtp/rtcp.h"
#include "media/rtp/rtp.h"
#include "media/rtp/vp8.h"
#include "tests/support/alloc_fail.h"
#include "tests/support/clock_shift.h"
#include "tests/support/peer.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum {
    WAIT_MS = 10000,
    MEMBERS_MAX = 24,
    VP8 = 96,
    VP8_RTX = 97,
    OPUS = 111,
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
    PAYLOAD_BYTES = 600,
};

struct received {
    struct rtp_header header;
    uint8_t head[24]; /* the payload's first bytes */
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
};

static struct {
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
} stage;

static struct member *member_of(uint64_t id)
{
    for (size_t i = 0; i < stage.count; i++) {
        if (stage.members[i].id == id)
            return &stage.members[i];
    }
    return NULL;
}

static void on_transport(void *context, uint64_t id, uint8_t worker,
                         enum media_transport_state state, bool over_tcp)
{
    (void)context;
    lock_take(&stage.lock);
    struct member *member = member_of(id);
    if (member != NULL) {
        member->worker = worker;
        member->tcp = over_tcp;
        member->connected = member->connected || state == MEDIA_TRANSPORT_CONNECTED;
        member->failed = member->failed || state == MEDIA_TRANSPORT_FAILED;
        member->lost = state == MEDIA_TRANSPORT_LOST;
    }
    lock_give(&stage.lock);
}

static void on_track(void *context, struct media_source source, enum media_codec codec,
                     const struct media_layer_info *layers, size_t layer_count)
{
    (void)context;
    (void)codec;
    lock_take(&stage.lock);
    if (source.track == CAMERA) {
        stage.layer_count = layer_count;
        memcpy(stage.layers, layers, layer_count * sizeof *layers);
    }
    lock_give(&stage.lock);
}

static void on_speakers(void *context, uint64_t room, const uint64_t *transports,
                        const uint8_t *levels, size_t count)
{
    (void)context;
    (void)room;
    (void)levels;
    lock_take(&stage.lock);
    memcpy(stage.speakers, transports, count * sizeof *transports);
    stage.speaker_count = count;
    lock_give(&stage.lock);
}

static void on_slot(void *context, uint64_t id, uint8_t slot, enum media_slot_state state,
                    struct media_source source, uint8_t layer)
{
    (void)context;
    (void)source;
    lock_take(&stage.lock);
    struct member *member = member_of(id);
    if (member != NULL) {
        member->slot_states[slot] = (uint8_t)state;
        member->slot_layers[slot] = layer;
    }
    lock_give(&stage.lock);
}

static const struct media_events media_events = {
    .transport = on_transport, .track = on_track, .speakers = on_speakers, .slot = on_slot};

/* ---- peers ---- */

static void on_rtp(void *context, struct peer *peer, const uint8_t *packet, size_t length)
{
    struct member *member = context;
    struct received *received = &member->received[member->received_count];
    (void)peer;
    if (member->received_count == RECEIVED_MAX)
        return;
    if (rtp_parse(packet, length, &received->header) != STATUS_OK)
        fail_msg("unparsable RTP forwarded");
    size_t head = received->header.payload_length < sizeof received->head
                      ? received->header.payload_length
                      : sizeof received->head;
    memcpy(received->head, packet + received->header.payload_offset, head);
    member->received_count++;
}

static void on_rtcp(void *context, struct peer *peer, const uint8_t *packet, size_t length)
{
    struct member *member = context;
    struct rtcp_walk walk;
    struct rtcp_packet one;
    (void)peer;
    member->rtcp_count++;
    if (rtcp_walk_new(packet, length, &walk) != STATUS_OK)
        fail_msg("malformed RTCP");
    while (rtcp_walk_next(&walk, &one)) {
        uint16_t mask;
        if (one.kind == RTCP_NACK) {
            member->nacks++;
            member->nacked = rtcp_nack_at(&one, 0, &mask);
        }
        member->plis += one.kind == RTCP_PLI;
        member->feedbacks += one.kind == RTCP_TWCC;
        member->sender_reports += one.kind == RTCP_SR;
    }
}

static const struct peer_events peer_events = {.rtp = on_rtp, .rtcp = on_rtcp};

static void ice_make(struct media_ice *ice)
{
    crypto_hex(&(uint32_t){crypto_random_u32()}, 4, ice->local_ufrag);
    uint8_t secret[12];
    crypto_random(secret, sizeof secret);
    crypto_hex(secret, sizeof secret, ice->local_pwd);
}

static struct media_payload vp8_payload(void)
{
    return (struct media_payload){.codec = MEDIA_CODEC_VP8,
                                  .type = VP8,
                                  .rtx_type = VP8_RTX,
                                  .nack = true,
                                  .pli = true,
                                  .transport_cc = true};
}

static const struct media_extensions audio_extensions = {.audio_level = EXT_LEVEL, .mid = EXT_MID};
static const struct media_extensions video_extensions = {
    .mid = EXT_MID, .rid = EXT_RID, .repaired_rid = EXT_REPAIRED_RID, .transport_cc = EXT_TWCC};

static void spec_fill(struct media_transport_spec *spec, const struct member *member, uint64_t room,
                      uint32_t base)
{
    *spec = (struct media_transport_spec){.id = member->id, .room = room, .ice = member->ice};
    spec->fingerprint = *crowd_fingerprint(stage.peers);
    spec->track_count = 2;
    spec->tracks[0] = (struct media_track_spec){
        .mid = "0",
        .kind = MEDIA_AUDIO,
        .source = MEDIA_SOURCE_MICROPHONE,
        .payloads = {{.codec = MEDIA_CODEC_OPUS, .type = OPUS}},
        .payload_count = 1,
        .extensions = audio_extensions,
        .ssrc = base + 1,
    };
    spec->tracks[1] = (struct media_track_spec){
        .mid = "1",
        .kind = MEDIA_VIDEO,
        .source = MEDIA_SOURCE_CAMERA,
        .payloads = {vp8_payload()},
        .payload_count = 1,
        .extensions = video_extensions,
        .rids = {"q", "h", "f"},
        .rid_count = 3,
    };
    spec->slot_count = SLOT_VOICES + SLOT_TILES;
    for (size_t i = 0; i < spec->slot_count; i++) {
        struct media_slot_spec *slot = &spec->slots[i];
        bool voice = i < SLOT_VOICES;
        snprintf(slot->mid, sizeof slot->mid, "%zu", i + 2);
        slot->kind = voice ? MEDIA_AUDIO : MEDIA_VIDEO;
        slot->payload_count = 1;
        slot->payloads[0] =
            voice ? (struct media_payload){.codec = MEDIA_CODEC_OPUS, .type = OPUS} : vp8_payload();
        slot->extensions = voice ? audio_extensions : video_extensions;
        slot->ssrc = base + 100 + (uint32_t)i;
        slot->rtx_ssrc = voice ? 0 : base + 200 + (uint32_t)i;
    }
}

static uint32_t base_of(const struct member *member)
{
    return (uint32_t)member->id * 1000;
}

static struct member *member_open(uint64_t room)
{
    lock_take(&stage.lock);
    struct member *member = &stage.members[stage.count++];
    *member = (struct member){.id = ++stage.next_id};
    lock_give(&stage.lock);
    member->received = calloc(RECEIVED_MAX, sizeof *member->received);
    ice_make(&member->ice);
    struct media_transport_spec *spec = malloc(sizeof *spec);
    assert_non_null(spec);
    spec_fill(spec, member, room, base_of(member));
    assert_int_equal(media_transport_open(stage.media, spec), STATUS_OK);
    free(spec);
    return member;
}

static uint16_t media_port(void)
{
    return media_local(stage.media)->candidates[0].port;
}

static void member_connect(struct member *member, bool tcp, uint16_t port, const char *srtp)
{
    struct peer_config config = {
        .server = {.sin_family = AF_INET, .sin_port = htons(port)},
        .tcp = tcp,
        .srtp = srtp,
        .check_ms = 300,
        .server_ufrag = member->ice.local_ufrag,
        .server_pwd = member->ice.local_pwd,
        .events = &peer_events,
        .context = member,
    };
    config.server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(peer_new(stage.peers, &config, &member->peer), STATUS_OK);
}

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

static struct member *member_join(uint64_t room)
{
    struct member *member = member_open(room);
    member_connect(member, false, media_port(), NULL);
    WAIT_FOR(member->connected && peer_connected(member->peer));
    return member;
}

static void voices_want(const struct member *member)
{
    for (uint8_t i = 0; i < SLOT_VOICES; i++) {
        const struct media_want want = {.mode = MEDIA_WANT_VOICE, .voice = i};
        media_slot_set(stage.media, member->id, member->worker, i, &want);
    }
}

static void tile_want(const struct member *member, uint8_t tile, const struct member *source,
                      uint16_t height)
{
    const struct media_want want = {
        .mode = MEDIA_WANT_SOURCE,
        .source = {.transport = source->id, .track = CAMERA, .worker = source->worker},
        .height = height,
    };
    media_slot_set(stage.media, member->id, member->worker, (uint8_t)(SLOT_TILE + tile), &want);
}

static size_t received_on(const struct member *member, uint32_t ssrc)
{
    size_t count = 0;
    for (size_t i = 0; i < member->received_count; i++)
        count += member->received[i].header.ssrc == ssrc;
    return count;
}

/* ---- what publishers send ---- */

static void send_audio(struct member *member, uint8_t level)
{
    uint8_t packet[200], value[1];
    size_t length;
    struct rtp_writing writing = {
        .payload_type = OPUS,
        .sequence = member->sequences[0]++,
        .timestamp = member->sequences[0] * 960U,
        .ssrc = base_of(member) + 1,
        .elements = {rtp_audio_level_element(EXT_LEVEL, level, true, value)},
        .element_count = 1,
    };
    assert_int_equal(rtp_write(&writing, packet, sizeof packet, &length), STATUS_OK);
    memset(packet + length, (int)member->id, 60);
    peer_send_rtp(member->peer, packet, length + 60);
}

struct frame {
    uint8_t layer;
    bool key;
    uint8_t packets;
    uint8_t lose; /* packet of the frame not sent, 1-based; 0: none */
};

static size_t vp8_head(uint8_t *out, bool first, bool key, uint16_t picture, uint8_t layer)
{
    static const uint16_t heights[] = {180, 360, 720};
    size_t at = 0;
    out[at++] = first ? 0x90 : 0x80; /* X, S */
    out[at++] = 0xe0;                /* I, L, T */
    store_be16(out + at, (uint16_t)(0x8000 | (picture & 0x7fff)));
    at += 2;
    out[at++] = (uint8_t)picture; /* TL0PICIDX */
    out[at++] = 0x20;             /* TID 0, Y */
    if (!first)
        return at;
    out[at++] = key ? 0x10 : 0x11; /* frame tag: P */
    out[at++] = 0;
    out[at++] = 0;
    if (key) {
        const uint8_t start[] = {0x9d, 0x01, 0x2a};
        memcpy(out + at, start, sizeof start);
        uint16_t height = heights[layer], width = (uint16_t)(height * 16 / 9);
        out[at + 3] = (uint8_t)width;
        out[at + 4] = (uint8_t)(width >> 8);
        out[at + 5] = (uint8_t)height;
        out[at + 6] = (uint8_t)(height >> 8);
        at += 7;
    }
    return at;
}

static void send_frame(struct member *member, const struct frame *frame)
{
    static const char *const rids[] = {"q", "h", "f"};
    uint16_t *sequence = &member->sequences[1 + frame->layer];
    uint16_t *picture = &member->sequences[4 + frame->layer];
    for (uint8_t i = 1; i <= frame->packets; i++) {
        uint8_t packet[PEER_PACKET_MAX], twcc[2];
        size_t length;
        struct rtp_writing writing = {
            .marker = i == frame->packets,
            .payload_type = VP8,
            .sequence = (*sequence)++,
            .timestamp = *picture * 3000U + 7,
            .ssrc = base_of(member) + 10 + frame->layer,
            .elements = {{.id = EXT_MID, .length = 1, .value = (const uint8_t *)"1"},
                         {.id = EXT_RID, .length = 1, .value = (const uint8_t *)rids[frame->layer]},
                         rtp_transport_seq_element(EXT_TWCC, member->twcc++, twcc)},
            .element_count = 3,
        };
        assert_int_equal(rtp_write(&writing, packet, sizeof packet, &length), STATUS_OK);
        memset(packet + length, 0xaa, PAYLOAD_BYTES);
        size_t head = vp8_head(packet + length, i == 1, frame->key, *picture, frame->layer);
        packet[length + head] = (uint8_t)member->id;
        packet[length + head + 1] = frame->layer;
        if (i != frame->lose)
            peer_send_rtp(member->peer, packet, length + PAYLOAD_BYTES);
    }
    (*picture)++;
}

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

/* The stream of one SSRC has no gap and no repetition. */
static void assert_continuous(const struct member *member, uint32_t ssrc)
{
    bool any = false;
    uint16_t last = 0;
    for (size_t i = 0; i < member->received_count; i++) {
        const struct rtp_header *header = &member->received[i].header;
        if (header->ssrc != ssrc)
            continue;
        if (any)
            assert_int_equal(seq_diff(header->sequence, last), 1);
        any = true;
        last = header->sequence;
    }
    assert_true(any);
}

/* ---- set-up ---- */

static int stage_open_with(uint8_t workers)
{
    memset(&stage, 0, sizeof stage);
    assert_int_equal(lock_init(&stage.lock), STATUS_OK);
    const struct media_config config = {
        .workers = workers, .voices = 3, .loopback = true, .events = &media_events};
    assert_int_equal(media_new(&config, &stage.media), STATUS_OK);
    assert_int_equal(crowd_new(&stage.peers), STATUS_OK);
    return 0;
}

static int stage_open(void **state)
{
    (void)state;
    return stage_open_with(2);
}

static int stage_open_three(void **state)
{
    (void)state;
    return stage_open_with(3);
}

static int stage_close(void **state)
{
    (void)state;
    crowd_free(stage.peers);
    media_free(stage.media);
    for (size_t i = 0; i < stage.count; i++)
        free(stage.members[i].received);
    lock_fini(&stage.lock);
    return 0;
}

/* Two members on different workers: the kernel's hash decides, so several are tried. */
static struct member *member_join_elsewhere(uint64_t room, uint8_t worker)
{
    for (int i = 0; i < 12; i++) {
        struct member *member = member_join(room);
        if (member->worker != worker)
            return member;
    }
    fail_msg("the kernel put everybody on one worker");
    return NULL;
}

/* ---- tests ---- */

static void test_one_publisher_one_subscriber(void **state)
{
    (void)state;
    struct member *publisher = member_join(0);
    struct member *near = member_join(0);
    struct member *far = member_join_elsewhere(0, publisher->worker);
    tile_want(near, 0, publisher, 0);
    tile_want(far, 0, publisher, 0);
    SEND_UNTIL(publisher, true, 0,
               near->slot_states[SLOT_TILE] == MEDIA_SLOT_LIVE &&
                   far->slot_states[SLOT_TILE] == MEDIA_SLOT_LIVE);
    uint32_t near_ssrc = base_of(near) + 100 + SLOT_TILE;
    uint32_t far_ssrc = base_of(far) + 100 + SLOT_TILE;
    SEND_UNTIL(publisher, false, 0,
               received_on(near, near_ssrc) > 40 && received_on(far, far_ssrc) > 40);
    assert_continuous(near, near_ssrc);
    assert_continuous(far, far_ssrc);
    for (size_t i = 0; i < far->received_count; i++)
        assert_int_equal(far->received[i].header.csrc_count, 1);
    SEND_UNTIL(publisher, false, 0, publisher->feedbacks > 2);
}

static void test_voices(void **state)
{
    (void)state;
    struct member *alice = member_join(7);
    struct member *bob = member_join(7);
    struct member *carol = member_join_elsewhere(7, alice->worker);
    voices_want(alice);
    voices_want(bob);
    voices_want(carol);
    uint64_t end_ns = clock_mono_ns() + (uint64_t)WAIT_MS * CLOCK_NS_PER_MS;
    while ((received_on(carol, base_of(carol) + 100) < 20 || stage.speaker_count != 1) &&
           clock_mono_ns() < end_ns) {
        send_audio(alice, 20);
        send_audio(bob, 127);
        for (int turn = 0; turn < 3; turn++)
            crowd_turn(stage.peers, 2);
    }
    assert_true(received_on(carol, base_of(carol) + 100) >= 20);
    assert_true(received_on(bob, base_of(bob) + 100) >= 20);
    assert_continuous(carol, base_of(carol) + 100);
    /* Nobody hears herself, and the silent one is not forwarded. */
    assert_int_equal(alice->received_count, 0);
    assert_int_equal(received_on(carol, base_of(carol) + 101), 0);
    lock_take(&stage.lock);
    assert_int_equal(stage.speaker_count, 1);
    assert_int_equal(stage.speakers[0], alice->id);
    lock_give(&stage.lock);
    WAIT_FOR(stage.speaker_count == 0); /* she has stopped */
}

static void test_layers_and_switches(void **state)
{
    (void)state;
    struct member *publisher = member_join(0);
    struct member *viewer = member_join(0);
    uint32_t ssrc = base_of(viewer) + 100 + SLOT_TILE;
    tile_want(viewer, 0, publisher, 180);
    SEND_UNTIL(publisher, true, 0, viewer->slot_states[SLOT_TILE] == MEDIA_SLOT_LIVE);
    SEND_UNTIL(publisher, true, 2, stage.layer_count == 3);
    assert_int_equal(viewer->slot_layers[SLOT_TILE], 0);
    tile_want(viewer, 0, publisher, 720);
    size_t plis = publisher->plis;
    /* Without a key frame of the new layer the old one goes on, and the publisher is asked. */
    SEND_UNTIL(publisher, false, 2, publisher->plis > plis);
    size_t before = received_on(viewer, ssrc);
    const struct frame unfit = {.layer = 2, .packets = 2};
    for (int i = 0; i < 20; i++) {
        send_frame(publisher, &unfit);
        crowd_turn(stage.peers, 2);
    }
    SEND_UNTIL(publisher, false, 0, received_on(viewer, ssrc) > before + 4);
    assert_int_equal(viewer->slot_layers[SLOT_TILE], 0);
    SEND_UNTIL(publisher, true, 2, viewer->slot_layers[SLOT_TILE] == 2);
    SEND_UNTIL(publisher, false, 2, received_on(viewer, ssrc) > before + 30);
    assert_continuous(viewer, ssrc);
    /* Another source in the same slot. */
    struct member *other = member_join(0);
    tile_want(viewer, 0, other, 0);
    before = received_on(viewer, ssrc);
    SEND_UNTIL(publisher, false, 2, received_on(viewer, ssrc) > before + 4);
    SEND_UNTIL(other, true, 0,
               viewer->slot_states[SLOT_TILE] == MEDIA_SLOT_LIVE &&
                   viewer->slot_layers[SLOT_TILE] == 0);
    before = received_on(viewer, ssrc);
    SEND_UNTIL(other, false, 0, received_on(viewer, ssrc) > before + 10);
    assert_continuous(viewer, ssrc);
    uint16_t picture = 0;
    uint32_t timestamp = 0;
    for (size_t i = 0; i < viewer->received_count; i++) {
        const struct received *received = &viewer->received[i];
        struct vp8_descriptor descriptor;
        if (received->header.ssrc != ssrc)
            continue;
        assert_int_equal(vp8_parse(received->head, sizeof received->head, &descriptor), STATUS_OK);
        if (timestamp != 0 && descriptor.partition_start) {
            assert_int_equal(vp8_picture_id_diff(descriptor.picture_id, picture, true), 1);
            assert_true((int32_t)(received->header.timestamp - timestamp) > 0);
        }
        picture = descriptor.picture_id;
        timestamp = received->header.timestamp;
    }
}

static void test_loss_is_repaired(void **state)
{
    (void)state;
    struct member *publisher = member_join(0);
    struct member *viewer = member_join_elsewhere(0, publisher->worker);
    uint32_t ssrc = base_of(viewer) + 100 + SLOT_TILE;
    uint32_t rtx_ssrc = base_of(viewer) + 200 + SLOT_TILE;
    tile_want(viewer, 0, publisher, 0);
    SEND_UNTIL(publisher, true, 0, viewer->slot_states[SLOT_TILE] == MEDIA_SLOT_LIVE);
    SEND_UNTIL(publisher, false, 0, received_on(viewer, ssrc) > 10);
    /* What the publisher's network loses is asked for from the publisher... */
    const struct frame holed = {.layer = 0, .packets = 3, .lose = 2};
    uint16_t lost = (uint16_t)(publisher->sequences[1] + 1);
    send_frame(publisher, &holed);
    SEND_UNTIL(publisher, false, 0, publisher->nacks > 0);
    assert_int_equal(publisher->nacked, lost);
    /* ...and what the subscriber lost comes by RTX from here. */
    uint16_t wanted = viewer->received[viewer->received_count - 1].header.sequence;
    uint8_t bytes[64];
    struct rtcp_writer writer = rtcp_writer_of(bytes, sizeof bytes);
    assert_int_equal(rtcp_write_rr(&writer, 1, NULL, 0), STATUS_OK);
    assert_int_equal(rtcp_write_nack(&writer, 1, ssrc, &wanted, 1), STATUS_OK);
    peer_send_rtcp(viewer->peer, bytes, writer.length);
    WAIT_FOR(received_on(viewer, rtx_ssrc) == 1);
    const struct received *repair = &viewer->received[viewer->received_count - 1];
    assert_int_equal(repair->header.payload_type, VP8_RTX);
    assert_int_equal(load_be16(repair->head), wanted);
    /* A picture that cannot be decoded leads to one request for a key frame. */
    size_t plis = publisher->plis;
    writer = rtcp_writer_of(bytes, sizeof bytes);
    assert_int_equal(rtcp_write_rr(&writer, 1, NULL, 0), STATUS_OK);
    assert_int_equal(rtcp_write_pli(&writer, 1, ssrc), STATUS_OK);
    peer_send_rtcp(viewer->peer, bytes, writer.length);
    WAIT_FOR(publisher->plis > plis);
}

static void test_address_change(void **state)
{
    (void)state;
    struct member *publisher = member_join(0);
    struct member *viewer = member_join(0);
    uint32_t ssrc = base_of(viewer) + 100 + SLOT_TILE;
    tile_want(viewer, 0, publisher, 0);
    SEND_UNTIL(publisher, true, 0, viewer->slot_states[SLOT_TILE] == MEDIA_SLOT_LIVE);
    /* Each new port may land on either worker's socket. */
    for (int i = 0; i < 6; i++) {
        uint32_t answered = peer_checks_answered(viewer->peer);
        assert_int_equal(peer_move(viewer->peer), STATUS_OK);
        WAIT_FOR(peer_checks_answered(viewer->peer) > answered);
        size_t before = received_on(viewer, ssrc);
        SEND_UNTIL(publisher, false, 0, received_on(viewer, ssrc) > before + 4);
        answered = peer_checks_answered(publisher->peer);
        assert_int_equal(peer_move(publisher->peer), STATUS_OK);
        WAIT_FOR(peer_checks_answered(publisher->peer) > answered);
        before = received_on(viewer, ssrc);
        SEND_UNTIL(publisher, false, 0, received_on(viewer, ssrc) > before + 4);
    }
}

static void test_restart(void **state)
{
    (void)state;
    struct member *publisher = member_join(0);
    struct member *viewer = member_join(0);
    uint32_t ssrc = base_of(viewer) + 100 + SLOT_TILE;
    tile_want(viewer, 0, publisher, 0);
    SEND_UNTIL(publisher, true, 0, viewer->slot_states[SLOT_TILE] == MEDIA_SLOT_LIVE);
    struct media_ice ice = {0};
    ice_make(&ice);
    assert_int_equal(media_transport_restart(stage.media, viewer->id, &ice), STATUS_OK);
    size_t before = received_on(viewer, ssrc);
    SEND_UNTIL(publisher, false, 0, received_on(viewer, ssrc) > before + 4);
    viewer->connected = false;
    uint32_t answered = peer_checks_answered(viewer->peer);
    peer_restart(viewer->peer, ice.local_ufrag, ice.local_pwd);
    WAIT_FOR(peer_checks_answered(viewer->peer) > answered && viewer->connected);
    before = received_on(viewer, ssrc);
    SEND_UNTIL(publisher, false, 0, received_on(viewer, ssrc) > before + 4);
}

/* A listener that hands accepted connections over, as the edge does. */
static uint16_t listener_open(int *ret_fd)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t length = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(fd, 8), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    *ret_fd = fd;
    return ntohs(address.sin_port);
}

static void test_tcp(void **state)
{
    (void)state;
    int listener;
    uint16_t port = listener_open(&listener);
    struct member *publisher = member_join(0);
    struct member *viewers[4];
    for (size_t i = 0; i < 4; i++) {
        viewers[i] = member_open(0);
        member_connect(viewers[i], true, port, NULL);
        int accepted = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        assert_true(accepted >= 0);
        /* Some bytes have been read already when it is handed over. */
        crowd_turn(stage.peers, 1);
        uint8_t begun[7];
        ssize_t got = recv(accepted, begun, sizeof begun, MSG_WAITALL);
        media_tcp_adopt(stage.media, accepted, begun, got > 0 ? (size_t)got : 0);
        WAIT_FOR(viewers[i]->connected && peer_connected(viewers[i]->peer));
        assert_true(viewers[i]->tcp);
        tile_want(viewers[i], 0, publisher, 0);
    }
    for (size_t i = 0; i < 4; i++) {
        uint32_t ssrc = base_of(viewers[i]) + 100 + SLOT_TILE;
        SEND_UNTIL(publisher, true, 0, viewers[i]->slot_states[SLOT_TILE] == MEDIA_SLOT_LIVE);
        SEND_UNTIL(publisher, false, 0, received_on(viewers[i], ssrc) > 10);
        assert_continuous(viewers[i], ssrc);
    }
    close(listener);
}

static void test_gate_and_close(void **state)
{
    (void)state;
    struct member *publisher = member_join(0);
    struct member *viewer = member_join(0);
    uint32_t ssrc = base_of(viewer) + 100 + SLOT_TILE;
    tile_want(viewer, 0, publisher, 0);
    SEND_UNTIL(publisher, true, 0, viewer->slot_states[SLOT_TILE] == MEDIA_SLOT_LIVE);
    const struct media_source camera = {
        .transport = publisher->id, .track = CAMERA, .worker = publisher->worker};
    media_track_gate(stage.media, camera, false);
    size_t before = SIZE_MAX;
    for (int i = 0; i < 200 && before != received_on(viewer, ssrc); i++) {
        before = received_on(viewer, ssrc);
        for (int turn = 0; turn < 10; turn++)
            crowd_turn(stage.peers, 2);
    }
    const struct frame frame = {.layer = 0, .packets = 2};
    for (int i = 0; i < 20; i++) {
        send_frame(publisher, &frame);
        crowd_turn(stage.peers, 2);
    }
    assert_int_equal(received_on(viewer, ssrc), before);
    media_track_gate(stage.media, camera, true);
    SEND_UNTIL(publisher, true, 0, received_on(viewer, ssrc) > before + 4);
    media_transport_close(stage.media, publisher->id);
    WAIT_FOR(viewer->slot_states[SLOT_TILE] == MEDIA_SLOT_EMPTY);
    /* The peer that goes by itself is reported. */
    peer_free(viewer->peer);
    WAIT_FOR(viewer->failed);
}

static void test_other_profiles(void **state)
{
    (void)state;
    static const char *const profiles[] = {"SRTP_AES128_CM_SHA1_80", "SRTP_AEAD_AES_256_GCM"};
    struct member *publisher = member_join(0);
    for (size_t i = 0; i < 2; i++) {
        struct member *viewer = member_open(0);
        member_connect(viewer, false, media_port(), profiles[i]);
        WAIT_FOR(viewer->connected && peer_connected(viewer->peer));
        tile_want(viewer, 0, publisher, 0);
        SEND_UNTIL(publisher, true, 0, received_on(viewer, base_of(viewer) + 100 + SLOT_TILE) > 10);
    }
}

static void test_consent_runs_out_and_comes_back(void **state)
{
    (void)state;
    struct member *publisher = member_join(0);
    struct member *viewer = member_join(0);
    uint32_t ssrc = base_of(viewer) + 100 + SLOT_TILE;
    tile_want(viewer, 0, publisher, 0);
    SEND_UNTIL(publisher, true, 0, viewer->slot_states[SLOT_TILE] == MEDIA_SLOT_LIVE);
    crowd_turn(stage.peers, 2);
    peer_set_checking(viewer->peer, false);
    clock_leap_ms(ICE_CONSENT_MS + 1000);
    uint32_t answered = peer_checks_answered(publisher->peer);
    WAIT_FOR(viewer->lost && peer_checks_answered(publisher->peer) > answered);
    for (int i = 0; i < 100; i++) /* what was under way arrives */
        crowd_turn(stage.peers, 1);
    size_t before = received_on(viewer, ssrc);
    const struct frame frame = {.layer = 0, .packets = 2, .key = true};
    for (int i = 0; i < 50; i++) {
        send_frame(publisher, &frame);
        crowd_turn(stage.peers, 2);
    }
    assert_int_equal(received_on(viewer, ssrc), before);
    peer_set_checking(viewer->peer, true);
    WAIT_FOR(!viewer->lost);
    SEND_UNTIL(publisher, true, 0, received_on(viewer, ssrc) > before + 4);
}

static void test_wrong_password_adopts_nobody(void **state)
{
    (void)state;
    struct member *member = member_open(0);
    char right[MEDIA_TEXT_MAX];
    memcpy(right, member->ice.local_pwd, sizeof right);
    member->ice.local_pwd[0] ^= 1;
    member_connect(member, false, media_port(), NULL);
    for (int i = 0; i < 60; i++)
        crowd_turn(stage.peers, 3);
    assert_int_equal(peer_checks_answered(member->peer), 0);
    peer_restart(member->peer, member->ice.local_ufrag, right);
    WAIT_FOR(member->connected);
}

static void test_port_taken(void **state)
{
    (void)state;
    struct media *second;
    const struct media_config config = {
        .port = media_port(), .workers = 1, .voices = 3, .loopback = true};
    assert_int_equal(media_new(&config, &second), STATUS_EXISTS);
}

static enum status media_opened(void *context)
{
    const struct media_config config = {.workers = 2, .voices = 3, .loopback = true};
    struct media *media;
    (void)context;
    enum status status = media_new(&config, &media);
    if (status == STATUS_OK)
        media_free(media);
    return status;
}

static enum status transport_opened(void *context)
{
    enum status status = media_transport_open(stage.media, context);
    if (status != STATUS_OK || alloc_fail_fired())
        return status;
    alloc_fail_at(0); /* what closing takes is not the question */
    media_transport_close(stage.media, ((struct media_transport_spec *)context)->id);
    return status;
}

static void test_without_memory(void **state)
{
    (void)state;
    assert_true(alloc_fail_each(media_opened, NULL) > 20);
    struct member *member = member_open(0);
    struct media_transport_spec *spec = malloc(sizeof *spec);
    assert_non_null(spec);
    spec_fill(spec, member, 3, base_of(member));
    spec->id = 1000;
    assert_true(alloc_fail_each(transport_opened, spec) > 4);
    free(spec);
}

/* Many talk, three workers: everybody hears the same three, on lanes that stay. */
static void test_a_room_on_three_workers(void **state)
{
    (void)state;
    enum { PEOPLE = 8, TALKING = 4, ROUNDS = 60 };
    struct member *people[PEOPLE];
    uint32_t workers = 0;
    for (size_t i = 0; i < PEOPLE; i++) {
        people[i] = member_join(11);
        workers |= 1U << people[i]->worker;
        voices_want(people[i]);
    }
    assert_true(workers != 0);
    for (int round = 0; round < ROUNDS; round++) {
        for (size_t i = 0; i < PEOPLE; i++)
            send_audio(people[i], i < TALKING ? 25 : 127);
        for (int turn = 0; turn < 4; turn++)
            crowd_turn(stage.peers, 2);
    }
    WAIT_FOR(stage.speaker_count == 3);
    for (size_t i = 0; i < PEOPLE; i++) {
        size_t lanes = 0;
        bool heard[PEOPLE] = {false};
        for (size_t at = 0; at < people[i]->received_count; at++) {
            /* send_audio fills the payload with the speaker's id. */
            uint64_t who = people[i]->received[at].head[0];
            for (size_t j = 0; j < PEOPLE; j++)
                heard[j] = heard[j] || people[j]->id == who;
        }
        assert_false(heard[i]);
        for (size_t j = TALKING; j < PEOPLE; j++)
            assert_false(heard[j]);
        for (uint32_t lane = 0; lane < SLOT_VOICES; lane++) {
            if (received_on(people[i], base_of(people[i]) + 100 + lane) == 0)
                continue;
            lanes++;
            assert_continuous(people[i], base_of(people[i]) + 100 + lane);
        }
        bool speaks = false;
        for (size_t j = 0; j < stage.speaker_count; j++)
            speaks = speaks || stage.speakers[j] == people[i]->id;
        assert_int_equal(lanes, speaks ? 2 : 3);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_one_publisher_one_subscriber, stage_open, stage_close),
        cmocka_unit_test_setup_teardown(test_voices, stage_open, stage_close),
        cmocka_unit_test_setup_teardown(test_layers_and_switches, stage_open, stage_close),
        cmocka_unit_test_setup_teardown(test_loss_is_repaired, stage_open, stage_close),
        cmocka_unit_test_setup_teardown(test_address_change, stage_open, stage_close),
        cmocka_unit_test_setup_teardown(test_restart, stage_open, stage_close),
        cmocka_unit_test_setup_teardown(test_tcp, stage_open, stage_close),
        cmocka_unit_test_setup_teardown(test_gate_and_close, stage_open, stage_close),
        cmocka_unit_test_setup_teardown(test_other_profiles, stage_open, stage_close),
        cmocka_unit_test_setup_teardown(test_consent_runs_out_and_comes_back, stage_open,
                                        stage_close),
        cmocka_unit_test_setup_teardown(test_a_room_on_three_workers, stage_open_three,
                                        stage_close),
        cmocka_unit_test_setup_teardown(test_without_memory, stage_open, stage_close),
        cmocka_unit_test_setup_teardown(test_wrong_password_adopts_nobody, stage_open, stage_close),
        cmocka_unit_test_setup_teardown(test_port_taken, stage_open, stage_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
