/*
 * What a client with valid keys may send: decrypted RTP and RTCP through tracks, feeds
 * and slots to the written packet, and a subscriber's RTCP back, which moves the estimate
 * of its link, the pacer, probes and what the allocator gives it.
 *
 * Input: a byte that picks the codec and how high the subscriber's tile is, then steps: two
 * bytes, of which the top bits say whose packet follows (the publisher's, the subscriber's
 * RTCP) and the low ones how long it is; or that so many milliseconds pass.
 */
#include "core/bytes.h"
#include "core/call.h"
#include "media/sfu/downlink.h"
#include "media/sfu/redundancy.h"
#include "media/sfu/reports.h"
#include "media/sfu/slot.h"
#include "media/sfu/track.h"
#include "media/sfu/transport.h"
#include "media/worker.h"
#include "tests/support/clock_shift.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

enum {
    PUBLISHER = 1,
    SUBSCRIBER = 2,
    TYPE = 96,
    RTX = 97,
    OPUS = 111,
    VIDEO_RED = 118,
    ULPFEC = 120,
    LENGTH_MASK = 0x07ff,
    FROM_SUBSCRIBER = 0x8000,
    TIME_PASSES = 0x4000,
    CODECS = 6,
    TILE_STEP = 30, /* pixels */
};

static struct media media = {.worker_count = 1, .voices = 3};
static struct worker *worker;

static void must(enum status status)
{
    if (status != STATUS_OK)
        abort();
}

static void set_up(void)
{
    must(dtls_identity_new(&media.identity));
    const struct media_config config = {0};
    must(worker_new(&media, 0, socket(AF_INET, SOCK_DGRAM, 0), AF_INET, &config, &worker));
    media.workers[0] = worker;
    sender_socket(worker->sender, -1, AF_INET); /* nothing leaves */
    must(worker_start(worker));
}

static const struct media_extensions extensions = {.audio_level = 1,
                                                   .mid = 4,
                                                   .rid = 10,
                                                   .repaired_rid = 11,
                                                   .transport_cc = 3,
                                                   .dependency_descriptor = 8,
                                                   .video_orientation = 13,
                                                   .playout_delay = 6,
                                                   .color_space = 7};

static size_t payloads(enum media_codec codec, struct media_payload *ret_payloads)
{
    ret_payloads[0] = (struct media_payload){
        .codec = codec, .type = TYPE, .rtx_type = RTX, .nack = true, .pli = true};
    ret_payloads[1] = (struct media_payload){.codec = MEDIA_CODEC_OPUS, .type = OPUS};
    if (codec == MEDIA_CODEC_RED) {
        ret_payloads[0].nack = false;
        return 2;
    }
    ret_payloads[1] = (struct media_payload){.codec = MEDIA_CODEC_RED, .type = VIDEO_RED};
    ret_payloads[2] = (struct media_payload){.codec = MEDIA_CODEC_ULPFEC, .type = ULPFEC};
    return codec == MEDIA_CODEC_OPUS ? 1 : 3;
}

static struct transport *transport_open(uint64_t id, enum media_codec codec)
{
    static struct media_transport_spec spec;
    bool audio = codec == MEDIA_CODEC_OPUS || codec == MEDIA_CODEC_RED;
    spec = (struct media_transport_spec){.id = id, .room = 5};
    memcpy(spec.ice.local_ufrag, "ufrag", 6);
    memcpy(spec.ice.local_pwd, "passwordpasswordpassword", 25);
    memcpy(spec.fingerprint.algorithm, "sha-256", 8);
    spec.fingerprint.length = 32;
    struct media_track_spec *track = &spec.tracks[0];
    track->kind = audio ? MEDIA_AUDIO : MEDIA_VIDEO;
    track->source = audio ? MEDIA_SOURCE_MICROPHONE : MEDIA_SOURCE_CAMERA;
    track->payload_count = payloads(codec, track->payloads);
    track->extensions = extensions;
    track->ssrc = 1000;
    track->rtx_ssrc = 1001;
    spec.track_count = 1;
    struct media_slot_spec *slot = &spec.slots[0];
    slot->kind = track->kind;
    slot->payload_count = payloads(codec, slot->payloads);
    slot->extensions = extensions;
    slot->ssrc = 2000;
    slot->rtx_ssrc = 2001;
    spec.slot_count = 1;
    track->payloads[0].remb = id == PUBLISHER;
    slot->payloads[0].transport_cc = true;
    struct transport *transport;
    must(transport_new(&spec, &transport));
    if (!transport_claim(transport, 0))
        abort();
    must(transport_adopt(transport, worker));
    const struct protector_keys keys = {.profile = PROTECTOR_AES_GCM_128};
    must(protector_new(&keys, &transport->protector));
    transport->connected = transport->has_path = transport->sending = true;
    downlink_open(worker, transport);
    return transport;
}

static void transport_close(struct transport *transport)
{
    transport->has_path = false;
    transport_end(transport);
    transport_unref(transport);
}

static void rtp_take(struct transport *transport, const uint8_t *bytes, size_t length)
{
    struct packet *packet = worker_packet(worker, &(const struct ice_path){0}, bytes, length);
    if (packet == NULL)
        abort();
    transport_media(transport, packet);
    packet_unref(packet, worker->packets);
}

/* One input, taken step by step on the worker's thread: letters are read between the steps. */
struct play {
    struct reader reader;
    struct transport *publisher, *subscriber;
};

static void play_open(void *arg)
{
    struct play *play = arg;
    uint8_t head = reader_u8(&play->reader);
    enum media_codec codec = (enum media_codec)(MEDIA_CODEC_OPUS + head % CODECS);
    const struct media_want want = {.mode = MEDIA_WANT_SOURCE,
                                    .source = {.transport = PUBLISHER},
                                    .height = (uint16_t)(head / CODECS * TILE_STEP)};
    play->publisher = transport_open(PUBLISHER, codec);
    play->subscriber = transport_open(SUBSCRIBER, codec);
    play->subscriber->loss.red_depth = REDUNDANCY_DEPTH_MAX;
    play->subscriber->loss.fec_every = 3;
    slot_want(worker, &play->subscriber->slots[0], &want);
}

static void play_packet(void *arg)
{
    struct play *play = arg;
    uint16_t head = reader_be16(&play->reader);
    size_t size = head & LENGTH_MASK;
    if ((head & TIME_PASSES) != 0) {
        clock_leap_ms(size);
        return;
    }
    const uint8_t *packet = reader_take(&play->reader, size);
    if (packet == NULL || size > PACKET_BYTES_MAX)
        return;
    if ((head & FROM_SUBSCRIBER) != 0)
        reports_receive(play->subscriber, packet, size);
    else if (size >= 2 && packet[1] >= 192 && packet[1] < 224)
        reports_receive(play->publisher, packet, size);
    else
        rtp_take(play->publisher, packet, size);
}

static void play_close(void *arg)
{
    struct play *play = arg;
    (void)reports_send(play->publisher, worker_now_ns(worker));
    (void)reports_send(play->subscriber, worker_now_ns(worker));
    transport_close(play->subscriber);
    transport_close(play->publisher);
    sender_flush(worker->sender);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    if (worker == NULL)
        set_up();
    struct play play = {.reader = reader_of(bytes, length)};
    must(loop_call(worker->loop, play_open, &play));
    while (!play.reader.failed && reader_left(&play.reader) > 0)
        must(loop_call(worker->loop, play_packet, &play));
    must(loop_call(worker->loop, play_close, &play));
    return 0;
}
