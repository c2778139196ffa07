#include "tests/support/media_stage.h"

#include "core/bytes.h"
#include "core/crypto.h"
#include "media/rtp/red.h"
#include "media/rtp/rtcp.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct stage stage;
const struct media_leg_config *stage_legs;

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

static void on_slot(void *context, uint64_t id, uint8_t slot,
                    const struct media_slot_report *report)
{
    (void)context;
    lock_take(&stage.lock);
    struct member *member = member_of(id);
    if (member != NULL) {
        member->slot_states[slot] = (uint8_t)report->state;
        member->slot_layers[slot] = report->layer;
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
    if (member->lose_every != 0 && rng_below(&member->lose, member->lose_every) == 0) {
        if (received->header.ssrc == member->missing_ssrc && member->missing_count < MISSING_MAX)
            member->missing[member->missing_count++] = received->header.sequence;
        return;
    }
    size_t head = received->header.payload_length < sizeof received->head
                      ? received->header.payload_length
                      : sizeof received->head;
    memcpy(received->head, packet + received->header.payload_offset, head);
    received->length = (uint16_t)length;
    memcpy(received->bytes, packet, length < RECEIVED_BYTES ? length : RECEIVED_BYTES);
    member->received_count++;
    struct rtp_element number;
    if (member->recorder != NULL &&
        rtp_element_find(packet, &received->header, EXT_TWCC, &number) && number.length == 2)
        (void)!twcc_record(member->recorder, load_be16(number.value),
                           clock_mono_ns() / CLOCK_NS_PER_US);
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

void member_ice(struct media_ice *ice)
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

void member_spec(const struct member *member, uint64_t room, struct media_transport_spec *spec)
{
    uint32_t base = member_base(member);
    *spec = (struct media_transport_spec){.id = member->id, .room = room, .ice = member->ice};
    spec->fingerprint = *crowd_fingerprint(stage.peers);
    spec->track_count = 2;
    spec->tracks[0] = (struct media_track_spec){
        .mid = "0",
        .kind = MEDIA_AUDIO,
        .source = MEDIA_SOURCE_MICROPHONE,
        .payloads = {{.codec = MEDIA_CODEC_OPUS, .type = OPUS},
                     {.codec = MEDIA_CODEC_RED, .type = RED}},
        .payload_count = 2,
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
        slot->payload_count = voice ? 2 : 3;
        slot->payloads[0] =
            voice ? (struct media_payload){.codec = MEDIA_CODEC_OPUS, .type = OPUS} : vp8_payload();
        slot->payloads[1] =
            (struct media_payload){.codec = MEDIA_CODEC_RED, .type = voice ? RED : VIDEO_RED};
        slot->payloads[2] = (struct media_payload){.codec = MEDIA_CODEC_ULPFEC, .type = ULPFEC};
        slot->extensions = voice ? audio_extensions : video_extensions;
        slot->ssrc = base + 100 + (uint32_t)i;
        slot->rtx_ssrc = voice ? 0 : base + 200 + (uint32_t)i;
    }
}

uint32_t member_base(const struct member *member)
{
    return (uint32_t)member->id * 1000;
}

struct member *member_open(uint64_t room)
{
    lock_take(&stage.lock);
    struct member *member = &stage.members[stage.count++];
    *member = (struct member){.id = ++stage.next_id};
    lock_give(&stage.lock);
    member->received = calloc(RECEIVED_MAX, sizeof *member->received);
    member_ice(&member->ice);
    struct media_transport_spec *spec = malloc(sizeof *spec);
    assert_non_null(spec);
    member_spec(member, room, spec);
    assert_int_equal(media_transport_open(stage.media, spec), STATUS_OK);
    free(spec);
    return member;
}

uint16_t stage_port(void)
{
    return media_local(stage.media)->candidates[0].port;
}

void member_connect(struct member *member, bool tcp, uint16_t port, const char *srtp)
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

struct member *member_join(uint64_t room)
{
    struct member *member = member_open(room);
    member_connect(member, false, stage_port(), NULL);
    WAIT_FOR(member->connected && peer_connected(member->peer));
    return member;
}

void voices_want(const struct member *member)
{
    for (uint8_t i = 0; i < SLOT_VOICES; i++) {
        const struct media_want want = {.mode = MEDIA_WANT_VOICE, .voice = i};
        media_slot_set(stage.media, member->id, member->worker, i, &want);
    }
}

void tile_want(const struct member *member, uint8_t tile, const struct member *source,
               uint16_t height)
{
    const struct media_want want = {
        .mode = MEDIA_WANT_SOURCE,
        .source = {.transport = source->id, .track = CAMERA, .worker = source->worker},
        .height = height,
    };
    media_slot_set(stage.media, member->id, member->worker, (uint8_t)(SLOT_TILE + tile), &want);
}

size_t received_on(const struct member *member, uint32_t ssrc)
{
    size_t count = 0;
    for (size_t i = 0; i < member->received_count; i++)
        count += member->received[i].header.ssrc == ssrc;
    return count;
}

void member_feed_back(struct member *member)
{
    uint8_t packet[PEER_PACKET_MAX];
    size_t length;
    if (member->recorder == NULL) {
        member->recorder = calloc(1, sizeof *member->recorder);
        assert_non_null(member->recorder);
        twcc_recorder_init(member->recorder);
    }
    while (twcc_build(member->recorder, member_base(member), 1, packet, sizeof packet - 64,
                      &length) == STATUS_OK)
        peer_send_rtcp(member->peer, packet, length);
}

/* ---- what publishers send ---- */

void send_audio(struct member *member, uint8_t level)
{
    uint8_t packet[200], value[1];
    size_t length;
    struct rtp_writing writing = {
        .payload_type = OPUS,
        .sequence = member->sequences[0]++,
        .timestamp = member->sequences[0] * 960U,
        .ssrc = member_base(member) + 1,
        .elements = {rtp_audio_level_element(EXT_LEVEL, level, true, value)},
        .element_count = 1,
    };
    assert_int_equal(rtp_write(&writing, packet, sizeof packet, &length), STATUS_OK);
    memset(packet + length, (int)member->id, 60);
    peer_send_rtp(member->peer, packet, length + 60);
}

void send_red(struct member *member, uint8_t copies, bool lost)
{
    uint8_t packet[400], value[1];
    uint8_t bytes[RED_BLOCKS_MAX][60];
    size_t length, body;
    uint16_t sequence = member->sequences[0]++;
    struct red_view view = {.count = copies + 1u};
    for (uint8_t i = 0; i <= copies; i++) {
        uint8_t back = (uint8_t)(copies - i);
        memset(bytes[i], (uint8_t)(sequence - back), sizeof bytes[i]);
        view.blocks[i] =
            (struct red_block){OPUS, (uint16_t)(back * 960), bytes[i], sizeof bytes[i]};
    }
    struct rtp_writing writing = {
        .payload_type = RED,
        .sequence = sequence,
        .timestamp = sequence * 960U,
        .ssrc = member_base(member) + 1,
        .elements = {rtp_audio_level_element(EXT_LEVEL, 20, true, value)},
        .element_count = 1,
    };
    assert_int_equal(rtp_write(&writing, packet, sizeof packet, &length), STATUS_OK);
    assert_int_equal(red_build(&view, packet + length, sizeof packet - length, &body), STATUS_OK);
    if (!lost)
        peer_send_rtp(member->peer, packet, length + body);
}

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

void send_frame(struct member *member, const struct frame *frame)
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
            .ssrc = member_base(member) + 10 + frame->layer,
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

/* The stream of one SSRC has no gap and no repetition. */
void assert_continuous(const struct member *member, uint32_t ssrc)
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
        .workers = workers,
        .voices = 3,
        .loopback = true,
        .events = &media_events,
        .legs = stage_legs,
    };
    assert_int_equal(media_new(&config, &stage.media), STATUS_OK);
    assert_int_equal(crowd_new(&stage.peers), STATUS_OK);
    return 0;
}

int stage_open(void **state)
{
    (void)state;
    return stage_open_with(2);
}

int stage_open_three(void **state)
{
    (void)state;
    return stage_open_with(3);
}

int stage_close(void **state)
{
    (void)state;
    crowd_free(stage.peers);
    media_free(stage.media);
    for (size_t i = 0; i < stage.count; i++) {
        free(stage.members[i].received);
        free(stage.members[i].recorder);
    }
    lock_fini(&stage.lock);
    return 0;
}

/* Two members on different workers: the kernel's hash decides, so several are tried. */
struct member *member_join_elsewhere(uint64_t room, uint8_t worker)
{
    for (int i = 0; i < 12; i++) {
        struct member *member = member_join(room);
        if (member->worker != worker)
            return member;
    }
    fail_msg("the kernel put everybody on one worker");
    return NULL;
}
