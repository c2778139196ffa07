/*
 * tests/fuzz/fuzz_leg.c - datagrams as a telephone's stream: RTP, telephone-event, the jitter
 * buffer and every decoder, as leg_in.c and leg_voice.c put them together.
 *
 * Input: records of a length byte, a byte of time passed (ms) and that many bytes of
 * packet. The payload type chooses: 0 PCMU, 8 PCMA, 9 G.722, 101 event, 13 comfort noise,
 * all others Opus.
 */
#include "media/codec/level.h"
#include "media/codec/voice.h"
#include "media/phone/digits.h"
#include "media/phone/jitter.h"
#include "media/phone/latch.h"
#include "media/rtp/rtp.h"

#include <stdlib.h>
#include <string.h>

enum { CODECS = VOICE_OPUS + 1, EVENT = 101, COMFORT = 13, TAKES_MAX = 8, EVENT_CLOCK = 8000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

static struct voice_decoder *decoders[CODECS];
static struct packets *packets;

static void start(void)
{
    if (packets != NULL)
        return;
    if (packets_new(JITTER_SLOTS * 2, &packets) != STATUS_OK)
        abort();
    for (int codec = 0; codec < CODECS; codec++) {
        if (voice_decoder_new((enum voice_codec)codec, voice_rate((enum voice_codec)codec),
                              &decoders[codec]) != STATUS_OK)
            abort();
    }
}

static enum voice_codec codec_of(uint8_t type)
{
    switch (type) {
    case 0:
        return VOICE_PCMU;
    case 8:
        return VOICE_PCMA;
    case 9:
        return VOICE_G722;
    default:
        return VOICE_OPUS;
    }
}

static void play(struct jitter *jitter, struct voice_level *level, uint64_t now_ms)
{
    static int16_t samples[VOICE_DECODED_MAX];
    for (int i = 0; i < TAKES_MAX; i++) {
        struct packet *packet;
        size_t count = VOICE_FRAME_MAX;
        enum jitter_verdict verdict = jitter_take(jitter, i % 2 == 0, now_ms, packets, &packet);
        if (verdict == JITTER_PAUSE || verdict == JITTER_EMPTY)
            return;
        if (verdict == JITTER_LOST || verdict == JITTER_HOLD) {
            voice_conceal(decoders[VOICE_G722], samples, count);
            continue;
        }
        struct voice_decoder *decoder = decoders[packet->track];
        if (voice_decode(decoder, packet->data + packet->payload_offset, packet->payload_length,
                         samples, &count) != STATUS_OK)
            voice_conceal(decoder, samples, count);
        if (count == 0 || count > VOICE_DECODED_MAX)
            abort();
        jitter_played(jitter, (uint32_t)count);
        (void)voice_level_frame(level, samples, count);
        packet_unref(packet, packets);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    struct jitter jitter;
    struct digits digits = {0};
    struct voice_level level = {0};
    struct digit told[DIGITS_AT_ONCE];
    uint64_t now_ms = 1000;
    start();
    jitter_init(&jitter, EVENT_CLOCK);
    while (length >= 2) {
        size_t bytes = data[0] < length - 2 ? data[0] : length - 2;
        struct rtp_header header;
        struct telephone_event event;
        struct packet *packet = packet_new(packets, bytes);
        if (packet == NULL)
            abort();
        now_ms += data[1];
        memcpy(packet->data, data + 2, bytes);
        data += 2 + bytes;
        length -= 2 + bytes;
        if (rtp_parse(packet->data, bytes, &header) == STATUS_OK) {
            bool voice = header.payload_type != EVENT && header.payload_type != COMFORT;
            if (header.payload_type == EVENT &&
                telephone_event_read(packet->data + header.payload_offset, header.payload_length,
                                     &event) == STATUS_OK &&
                digits_packet(&digits, &event, header.timestamp, EVENT_CLOCK, now_ms, told) >
                    DIGITS_AT_ONCE)
                abort();
            packet->payload_offset = (uint16_t)header.payload_offset;
            packet->payload_length = (uint16_t)header.payload_length;
            packet->track = (uint8_t)codec_of(header.payload_type);
            (void)!jitter_put(&jitter, voice ? packet : NULL, header.sequence, header.timestamp,
                              now_ms, packets);
        }
        packet_unref(packet, packets);
        (void)digits_tick(&digits, now_ms, told);
        play(&jitter, &level, now_ms);
    }
    jitter_clear(&jitter, packets);
    if (packets_used(packets) != 0)
        abort();
    return 0;
}
