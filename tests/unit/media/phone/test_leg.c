/* Phone legs in a whole media: raw RTP telephones and WebRTC peers on loopback hear each other. */
#include "tests/support/telephone.h"

#include "core/bytes.h"
#include "core/crypto.h"

#include <arpa/inet.h>
#include <math.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    ROOM = 7,
    TONE_PHONE = 1000, /* Hz */
    TONE_PEER = 400,
    SECOND_FRAMES = 50,
    OWN_TONE_DB = -50,
};

static int set_up(void **state)
{
    telephones_stage(0, 0);
    return stage_open(state);
}

static int tear_down(void **state)
{
    stage_close(state);
    telephones_end();
    return 0;
}

/* ---- a peer that speaks and hears Opus ---- */

struct speaker {
    struct member *member;
    struct voice_encoder *encoder;
    struct voice_decoder *decoder;
    double tone;
    uint32_t phase;
    uint64_t next_ns;
    size_t taken; /* of member->received */
    struct hearing heard;
};

static struct speaker speaker;

static void speaker_join(uint64_t room, double tone)
{
    speaker.member = member_join(room);
    speaker.tone = tone;
    speaker.phase = 0;
    speaker.next_ns = 0;
    speaker.taken = 0;
    speaker.heard = (struct hearing){.rate = VOICE_RATE_WIDE};
    assert_int_equal(voice_encoder_new(VOICE_OPUS, VOICE_RATE_WIDE, &speaker.encoder), STATUS_OK);
    assert_int_equal(voice_decoder_new(VOICE_OPUS, VOICE_RATE_WIDE, &speaker.decoder), STATUS_OK);
    voices_want(speaker.member);
}

static void speaker_leave(void)
{
    speaker.encoder = voice_encoder_free(speaker.encoder);
    speaker.decoder = voice_decoder_free(speaker.decoder);
}

static void speaker_send(void)
{
    int16_t samples[VOICE_FRAME_MAX];
    uint8_t packet[1500], value[1];
    size_t length, payload;
    struct member *member = speaker.member;
    for (size_t i = 0; i < VOICE_FRAME_MAX; i++)
        samples[i] = (int16_t)(8000 * sin(2 * M_PI * speaker.tone * speaker.phase++ / 16000));
    struct rtp_writing writing = {
        .payload_type = OPUS,
        .sequence = member->sequences[0]++,
        .timestamp = member->sequences[0] * 960U,
        .ssrc = member_base(member) + 1,
        .elements = {rtp_audio_level_element(EXT_LEVEL, 15, true, value)},
        .element_count = 1,
    };
    assert_int_equal(rtp_write(&writing, packet, sizeof packet, &length), STATUS_OK);
    assert_int_equal(
        voice_encode(speaker.encoder, samples, VOICE_FRAME_MAX, packet + length, &payload),
        STATUS_OK);
    peer_send_rtp(member->peer, packet, length + payload);
}

/* Whatever came on any voice slot is one stream here: one speaks at a time. */
static void speaker_hear(void)
{
    struct member *member = speaker.member;
    for (; speaker.taken < member->received_count; speaker.taken++) {
        const struct received *received = &member->received[speaker.taken];
        uint32_t slot = received->header.ssrc - member_base(member) - 100;
        int16_t samples[VOICE_DECODED_MAX];
        size_t count;
        if (slot < SLOT_VOICES && received->header.payload_length > 0 &&
            voice_decode(speaker.decoder, received->bytes + received->header.payload_offset,
                         received->header.payload_length, samples, &count) == STATUS_OK)
            hearing_add(&speaker.heard, samples, count);
    }
    if (member->received_count == RECEIVED_MAX) /* it stops keeping then */
        member->received_count = speaker.taken = 0;
}

static bool speaker_turn(void)
{
    uint64_t now_ns = clock_mono_ns();
    if (speaker.next_ns == 0)
        speaker.next_ns = now_ns;
    if (speaker.tone > 0 && now_ns >= speaker.next_ns) {
        speaker_send();
        speaker.next_ns += 20 * CLOCK_NS_PER_MS;
    }
    speaker_hear();
    return true;
}

/* ---- the calls ---- */

static void each_hears_the_other(enum media_leg_codec codec,
                                 const struct media_leg_security *security)
{
    struct telephone *telephone = telephone_call(codec, security);
    telephone->tone = TONE_PHONE;
    speaker_join(ROOM, TONE_PEER);
    media_leg_join(stage.media, telephone->id, ROOM);
    bool there = false, back = false;
    TELEPHONES_UNTIL(speaker_turn() &&
                     (there = there || hearing_tone(&speaker.heard, TONE_PHONE),
                      back = back || hearing_tone(&telephone->heard, TONE_PEER), there && back));
    assert_true(hearing_level(&telephone->heard, TONE_PHONE) < OWN_TONE_DB);
    assert_int_equal(telephone->bad, 0);
    media_leg_close(stage.media, telephone->id);
    TELEPHONES_UNTIL(telephone->closed);
    assert_int_equal(telephone->end, MEDIA_LEG_ENDED);
    assert_true(telephone->statistics.packets_received > SECOND_FRAMES);
    assert_true(telephone->statistics.mos_100 >= 100);
    speaker_leave();
}

static void test_pcmu(void **state)
{
    (void)state;
    each_hears_the_other(MEDIA_LEG_PCMU, NULL);
}

static void test_pcma(void **state)
{
    (void)state;
    each_hears_the_other(MEDIA_LEG_PCMA, NULL);
}

static void test_g722(void **state)
{
    (void)state;
    each_hears_the_other(MEDIA_LEG_G722, NULL);
}

static void test_opus(void **state)
{
    (void)state;
    each_hears_the_other(MEDIA_LEG_OPUS, NULL);
}

static void test_sdes(void **state)
{
    (void)state;
    for (int suite = 0; suite <= MEDIA_LEG_AEAD_AES_128_GCM; suite++) {
        struct media_leg_security security = {.kind = MEDIA_LEG_SDES,
                                              .suite = (enum media_leg_suite)suite};
        crypto_random(security.send_key, sizeof security.send_key);
        crypto_random(security.receive_key, sizeof security.receive_key);
        each_hears_the_other(MEDIA_LEG_PCMU, &security);
        if (suite < MEDIA_LEG_AEAD_AES_128_GCM) {
            tear_down(state);
            set_up(state);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_pcmu, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_pcma, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_g722, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_opus, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_sdes, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("leg", tests, NULL, NULL);
}
