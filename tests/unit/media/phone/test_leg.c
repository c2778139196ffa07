/* Phone legs in a whole media: raw RTP telephones and WebRTC peers on loopback hear each other. */
#include "tests/support/telephone.h"

#include "core/bytes.h"
#include "core/crypto.h"

#include <arpa/inet.h>
#include <math.h>
#include <opus.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    ROOM = 7,
    TONE_PHONE = 1000, /* Hz */
    TONE_PEER = 400,
    OPUS_TYPE = 107, /* the telephones' */
    SECOND_FRAMES = 50,
    OWN_TONE_DB = -50,
    LEAK_MOST = 300, /* samples of a tone of 8000 */
};

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
    int loudest; /* sample heard */
};

static struct speaker speaker;

static void speaker_join(uint64_t room, double tone)
{
    speaker.member = member_join(room);
    speaker.tone = tone;
    speaker.phase = 0;
    speaker.next_ns = 0;
    speaker.taken = 0;
    speaker.loudest = 0;
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
                         received->header.payload_length, samples, &count) == STATUS_OK) {
            hearing_add(&speaker.heard, samples, count);
            for (size_t i = 0; i < count; i++)
                speaker.loudest = samples[i] > speaker.loudest ? samples[i] : speaker.loudest;
        }
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

enum {
    QUALITY_FRAMES = 150,
    QUALITY_KEYS = 12,
    QUALITY_CALLS = 6,
    QUALITY_LEAST = 400,  /* hundredths of MOS; a calm machine gives 430 and more */
    QUALITY_BY_LOSS = 20, /* lower by that at least when one in twenty packets is lost */
};

/* What the statistics say of three seconds of voice with keys pressed in between. */
static uint16_t quality_of(enum media_leg_codec codec, uint32_t drop_every)
{
    struct telephone *telephone = telephone_call(codec, NULL);
    uint32_t frame = voice_rate((enum voice_codec)codec) / SECOND_FRAMES;
    telephone->tone = TONE_PHONE;
    telephone->drop_every = drop_every;
    for (uint32_t key = 0; key < QUALITY_KEYS; key++) {
        TELEPHONES_UNTIL(telephone->phase >= key * QUALITY_FRAMES / QUALITY_KEYS * frame);
        telephone_press(telephone, '5', 0);
    }
    TELEPHONES_UNTIL(telephone->phase >= QUALITY_FRAMES * frame);
    media_leg_close(stage.media, telephone->id);
    TELEPHONES_UNTIL(telephone->closed);
    assert_true(telephone->statistics.played_ms > (QUALITY_FRAMES - SECOND_FRAMES) * 20);
    print_message("codec %d, one in %u lost: MOS %.2f, %u of %u ms concealed\n", (int)codec,
                  drop_every, telephone->statistics.mos_100 / 100.0,
                  (unsigned)telephone->statistics.concealed_ms,
                  (unsigned)telephone->statistics.played_ms);
    return telephone->statistics.mos_100;
}

/* A machine that stalls is a bad line: of some calls the best. */
static void quality_is(enum media_leg_codec codec)
{
    uint16_t clean = 0;
    for (int call = 0; call < QUALITY_CALLS && clean < QUALITY_LEAST; call++)
        clean = quality_of(codec, 0);
    assert_in_range(clean, QUALITY_LEAST, 450);
    assert_in_range(quality_of(codec, 20), 250, clean - QUALITY_BY_LOSS);
}

static void test_quality(void **state)
{
    (void)state;
    quality_is(MEDIA_LEG_PCMU);
    quality_is(MEDIA_LEG_OPUS);
}

/* Opus with copies of the packet before, in pairs every 40 ms; one in ten, the first of a pair, is
 * lost: it is taken from the other one. */
static void opus_pair_send(struct telephone *telephone, OpusEncoder *encoder, size_t number)
{
    for (size_t i = 0; i < 2; i++) {
        int16_t samples[VOICE_FRAME_MAX];
        uint8_t payload[VOICE_ENCODED_MAX];
        for (size_t s = 0; s < VOICE_FRAME_MAX; s++) {
            /* In syllables: what goes on unchanged is noise to the encoder, and not copied. */
            double at = 2 * M_PI * telephone->phase++ / 16000;
            samples[s] = (int16_t)(8000 * sin(at * 500) * pow(sin(at * 3), 2));
        }
        int length = opus_encode(encoder, samples, VOICE_FRAME_MAX, payload, sizeof payload);
        assert_true(length > 0);
        if (i == 0 && number % 5 == 4)
            telephone->sequence++;
        else
            telephone_send(telephone, telephone->fd, OPUS_TYPE, false, payload, (size_t)length);
        telephone->timestamp += 960;
    }
}

static uint64_t opus_concealed_ms(void)
{
    enum { PAIRS = 100, PAIRS_LOST = PAIRS / 5, BITRATE = 32000, LOSS_PERCENT = 20 };
    struct telephone *telephone = telephone_call(MEDIA_LEG_OPUS, NULL);
    OpusEncoder *encoder = opus_encoder_create(16000, 1, OPUS_APPLICATION_VOIP, NULL);
    assert_non_null(encoder);
    opus_encoder_ctl(encoder, OPUS_SET_INBAND_FEC(1));
    opus_encoder_ctl(encoder, OPUS_SET_PACKET_LOSS_PERC(LOSS_PERCENT));
    opus_encoder_ctl(encoder, OPUS_SET_BITRATE(BITRATE));
    opus_encoder_ctl(encoder, OPUS_SET_SIGNAL(OPUS_SIGNAL_VOICE));
    telephone->tone = -1; /* sends nothing by itself */
    uint64_t next_ns = clock_mono_ns();
    for (size_t pair = 0; pair < PAIRS; pair++, next_ns += 40 * CLOCK_NS_PER_MS) {
        TELEPHONES_UNTIL(clock_mono_ns() >= next_ns);
        opus_pair_send(telephone, encoder, pair);
    }
    opus_encoder_destroy(encoder);
    TELEPHONES_UNTIL(!telephone->talking);
    media_leg_close(stage.media, telephone->id);
    TELEPHONES_UNTIL(telephone->closed);
    assert_true(telephone->statistics.packets_lost >= PAIRS_LOST - 1);
    print_message("%u packets lost, %u ms concealed\n",
                  (unsigned)telephone->statistics.packets_lost,
                  (unsigned)telephone->statistics.concealed_ms);
    return telephone->statistics.concealed_ms;
}

/* A machine that stalls is a bad line: of some calls the best. Without copies it is 400 ms. */
static void test_opus_copies(void **state)
{
    (void)state;
    enum { CALLS = 4, CONCEALED_MOST_MS = 200 };
    uint64_t best_ms = UINT64_MAX;
    for (int call = 0; call < CALLS && best_ms >= CONCEALED_MOST_MS; call++) {
        uint64_t now_ms = opus_concealed_ms();
        best_ms = now_ms < best_ms ? now_ms : best_ms;
    }
    assert_in_range(best_ms, 0, CONCEALED_MOST_MS - 1);
}

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
            telephones_tear_down(state);
            telephones_set_up(state);
        }
    }
}

/* Telephones among themselves, of one rate and of two; then a browser comes and hears them too. */
static void telephones_alone(enum media_leg_codec first, enum media_leg_codec second)
{
    struct telephone *one = telephone_call(first, NULL), *two;
    while (media_leg_worker(stage.media, stage.next_id + 1) !=
           media_leg_worker(stage.media, one->id))
        stage.next_id++;
    two = telephone_call(second, NULL);
    one->tone = TONE_PHONE;
    two->tone = 600;
    media_leg_join(stage.media, one->id, ROOM + 1 + one->id % 2);
    media_leg_join(stage.media, two->id, ROOM + 1 + one->id % 2);
    bool there = false, back = false;
    TELEPHONES_UNTIL((there = there || hearing_tone(&two->heard, TONE_PHONE),
                      back = back || hearing_tone(&one->heard, 600), there && back));
    assert_true(hearing_level(&one->heard, TONE_PHONE) < OWN_TONE_DB);
    assert_true(hearing_level(&two->heard, 600) < OWN_TONE_DB);
    two->tone = 0;
    speaker_join(ROOM + 1 + one->id % 2, 0);
    TELEPHONES_UNTIL(speaker_turn() && hearing_tone(&speaker.heard, TONE_PHONE));
    TELEPHONES_UNTIL(hearing_tone(&two->heard, TONE_PHONE));
    speaker_leave();
}

static void test_telephones_alone(void **state)
{
    telephones_alone(MEDIA_LEG_PCMU, MEDIA_LEG_PCMA);
    telephones_tear_down(state);
    telephones_set_up(state);
    telephones_alone(MEDIA_LEG_PCMU, MEDIA_LEG_G722);
}

/* Two legs of this media call each other, one room each: the offerer waits, the answerer begins
 * the handshake. What is said in one room is heard in the other. */
static void dtls_spec(struct telephone *telephone, const struct telephone *other, bool active,
                      struct media_leg_spec *ret_spec)
{
    struct sockaddr_in remote = {.sin_family = AF_INET, .sin_port = htons(other->leg_port)};
    remote.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    telephone_spec(telephone, ret_spec);
    memcpy(&ret_spec->stream.remote, &remote, sizeof remote);
    ret_spec->stream.rtcp_mux = true;
    ret_spec->security = (struct media_leg_security){
        .kind = MEDIA_LEG_DTLS, .active = active, .fingerprint = {"sha-256", {0}, 32}};
    const char *text = strchr(media_local(stage.media)->fingerprint, ' ') + 1;
    for (size_t i = 0; i < 32; i++)
        ret_spec->security.fingerprint.digest[i] = (uint8_t)strtoul(text + i * 3, NULL, 16);
}

static void test_dtls(void **state)
{
    (void)state;
    struct telephone *passive = telephone_new(MEDIA_LEG_OPUS, NULL);
    struct telephone *active = telephone_new(MEDIA_LEG_OPUS, NULL);
    struct media_leg_spec spec = {.id = passive->id};
    passive->tone = active->tone = -1; /* sockets of theirs are not used */
    telephone_open(passive, &spec);
    spec.id = active->id;
    telephone_open(active, &spec);
    dtls_spec(passive, active, false, &spec);
    assert_int_equal(media_leg_update(stage.media, passive->id, &spec.stream, &spec.security),
                     STATUS_OK);
    dtls_spec(active, passive, true, &spec);
    assert_int_equal(media_leg_update(stage.media, active->id, &spec.stream, &spec.security),
                     STATUS_OK);
    speaker_join(ROOM, TONE_PEER);
    struct telephone *other = telephone_call(MEDIA_LEG_PCMU, NULL);
    other->tone = 0;
    media_leg_join(stage.media, passive->id, ROOM);
    media_leg_join(stage.media, active->id, ROOM + 1);
    media_leg_join(stage.media, other->id, ROOM + 1);
    TELEPHONES_UNTIL(speaker_turn() && hearing_tone(&other->heard, TONE_PEER));
    speaker_leave();
}

static void test_dtls_wrong_fingerprint(void **state)
{
    (void)state;
    struct telephone *passive = telephone_new(MEDIA_LEG_PCMU, NULL);
    struct telephone *active = telephone_new(MEDIA_LEG_PCMU, NULL);
    struct media_leg_spec spec = {.id = passive->id};
    passive->tone = active->tone = -1;
    telephone_open(passive, &spec);
    spec.id = active->id;
    telephone_open(active, &spec);
    dtls_spec(passive, active, false, &spec);
    spec.security.fingerprint.digest[3] ^= 1;
    assert_int_equal(media_leg_update(stage.media, passive->id, &spec.stream, &spec.security),
                     STATUS_OK);
    dtls_spec(active, passive, true, &spec);
    assert_int_equal(media_leg_update(stage.media, active->id, &spec.stream, &spec.security),
                     STATUS_OK);
    TELEPHONES_UNTIL(passive->closed);
    assert_int_equal(passive->end, MEDIA_LEG_DTLS_FAILED);
}

/* Digits come while prompts play; the prompt is heard; a stranger that sends as fast as the phone
 * gets nothing and changes nothing. */
static void test_menu_and_thief(void **state)
{
    (void)state;
    static int16_t samples[8000 * 3];
    struct media_prompt *prompt;
    struct telephone *telephone = telephone_call(MEDIA_LEG_PCMU, NULL);
    for (size_t i = 0; i < 8000 * 3; i++)
        samples[i] = (int16_t)(6000 * sin(2 * M_PI * 600 * (double)i / 8000));
    assert_int_equal(media_prompt_new(samples, 8000 * 3, 8000, &prompt), STATUS_OK);
    telephone->tone = 0;
    TELEPHONES_UNTIL(telephone->timestamp > 160 * 5);
    media_leg_play(stage.media, telephone->id, prompt, 0);
    media_leg_play(stage.media, telephone->id, prompt, 100);
    media_prompt_unref(prompt);
    int thief = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    uint8_t noise[160], bytes[200];
    crypto_random(noise, sizeof noise);
    size_t keys = 0;
    TELEPHONES_UNTIL(
        (telephone_send(telephone, thief, 0, false, noise, sizeof noise), telephone->sequence--,
         keys < 20 ? telephone_press(telephone, "0123456789*#"[keys++ % 12], 0) : (void)0,
         hearing_tone(&telephone->heard, 600)));
    TELEPHONES_UNTIL(telephone->digit_count == keys);
    assert_int_equal(recv(thief, bytes, sizeof bytes, MSG_DONTWAIT), -1);
    for (size_t i = 0; i < keys; i++)
        assert_int_equal(telephone->digits[i], "0123456789*#"[i % 12]);
    media_leg_stop(stage.media, telephone->id);
    TELEPHONES_UNTIL(telephone->played == 1);
    media_leg_close(stage.media, telephone->id);
    TELEPHONES_UNTIL(telephone->closed);
    assert_true(telephone->statistics.packets_stranger > 20);
    close(thief);
}

/* 1,000 keys, one packet in ten lost: each is told once, in their order. */
static void test_thousand_digits(void **state)
{
    (void)state;
    enum { KEYS = 1000, SEED = 11 };
    static const char keys[] = "0123456789*#ABCD";
    static char pressed[KEYS];
    struct rng rng;
    struct telephone *telephone = telephone_call(MEDIA_LEG_PCMU, NULL);
    telephone->tone = 0;
    rng_seed(&rng, SEED);
    rng_seed(&telephone->rng, SEED);
    for (size_t i = 0; i < KEYS; i++) {
        pressed[i] = keys[rng_below(&rng, 16)];
        telephone_press(telephone, pressed[i], 10);
        TELEPHONES_UNTIL(telephone->digit_count >= i); /* all before this one */
    }
    TELEPHONES_UNTIL(telephone->digit_count >= KEYS);
    media_leg_close(stage.media, telephone->id);
    TELEPHONES_UNTIL(telephone->closed);
    assert_int_equal(telephone->digit_count, KEYS);
    assert_memory_equal(telephone->digits, pressed, KEYS);
}

/* No telephone-event negotiated: tones are digits, and the room hears nothing of them. */
static void test_tones_do_not_leak(void **state)
{
    (void)state;
    struct telephone *telephone = telephone_new(MEDIA_LEG_PCMU, NULL);
    struct media_leg_spec spec;
    telephone_spec(telephone, &spec);
    spec.stream.event_count = 0;
    telephone_open(telephone, &spec);
    telephone->tone = 0;
    speaker_join(ROOM, 0);
    media_leg_join(stage.media, telephone->id, ROOM);
    telephone->tone = 770;
    telephone->second_tone = 1336; /* 5, for two seconds */
    TELEPHONES_UNTIL(speaker_turn() && telephone->digit_count == 1);
    assert_int_equal(telephone->digits[0], '5');
    uint32_t until = telephone->phase + 8000;
    TELEPHONES_UNTIL(speaker_turn() && telephone->phase > until);
    int loudest = speaker.loudest;
    telephone->second_tone = 0;
    telephone->tone = TONE_PHONE;
    TELEPHONES_UNTIL(speaker_turn() && hearing_tone(&speaker.heard, TONE_PHONE));
    assert_true(hearing_level(&speaker.heard, 770) < OWN_TONE_DB);
    assert_true(loudest < LEAK_MOST);
    assert_int_equal(telephone->digit_count, 1);
    speaker_leave();
}

/* A tone whose packets stop coming for 100 ms, and of which some are lost, is one key. */
static void test_tone_on_a_bad_line(void **state)
{
    (void)state;
    enum { STALLS = 5, STALL_MS = 100, BETWEEN = 8000 * 3 / 10 /* samples */ };
    struct telephone *telephone = telephone_new(MEDIA_LEG_PCMU, NULL);
    struct media_leg_spec spec;
    telephone_spec(telephone, &spec);
    spec.stream.event_count = 0;
    telephone_open(telephone, &spec);
    telephone->tone = 770;
    telephone->second_tone = 1336;
    telephone->drop_every = 9;
    TELEPHONES_UNTIL(telephone->digit_count == 1);
    for (int i = 0; i < STALLS; i++) {
        uint32_t until = telephone->phase + BETWEEN;
        telephone->next_ns += STALL_MS * CLOCK_NS_PER_MS;
        TELEPHONES_UNTIL(telephone->phase > until);
    }
    telephone->tone = telephone->second_tone = 0;
    uint32_t until = telephone->phase + BETWEEN;
    TELEPHONES_UNTIL(telephone->phase > until);
    telephone->tone = 852;
    telephone->second_tone = 1477;
    TELEPHONES_UNTIL(telephone->digit_count > 1);
    assert_string_equal(telephone->digits, "59");
}

/* Held: nothing is sent; back: it goes on. Another codec in between keeps the room. */
static void test_hold_and_change(void **state)
{
    (void)state;
    struct telephone *telephone = telephone_call(MEDIA_LEG_PCMU, NULL);
    struct media_leg_spec spec;
    telephone->tone = TONE_PHONE;
    speaker_join(ROOM, TONE_PEER);
    media_leg_join(stage.media, telephone->id, ROOM);
    TELEPHONES_UNTIL(speaker_turn() && hearing_tone(&telephone->heard, TONE_PEER));
    telephone_spec(telephone, &spec);
    spec.stream.sending = spec.stream.hearing = false;
    assert_int_equal(media_leg_update(stage.media, telephone->id, &spec.stream, NULL), STATUS_OK);
    size_t packets = SIZE_MAX;
    uint32_t checked = telephone->phase;
    TELEPHONES_UNTIL(speaker_turn() && (telephone->phase - checked > 4000
                                            ? (checked = telephone->phase,
                                               packets == telephone->packets_heard ||
                                                   (packets = telephone->packets_heard, 0))
                                            : 0));
    spec.stream.sending = spec.stream.hearing = true;
    spec.stream.formats[0] = (struct media_leg_format){MEDIA_LEG_PCMA, 8, 8};
    assert_int_equal(media_leg_update(stage.media, telephone->id, &spec.stream, NULL), STATUS_OK);
    telephone_recode(telephone, MEDIA_LEG_PCMA);
    speaker.heard = (struct hearing){.rate = VOICE_RATE_WIDE};
    bool there = false, back = false;
    TELEPHONES_UNTIL(speaker_turn() &&
                     (there = there || hearing_tone(&speaker.heard, TONE_PHONE),
                      back = back || hearing_tone(&telephone->heard, TONE_PEER), there && back));
    speaker_leave();
}

static void test_ports(void **state)
{
    (void)state;
    struct telephone *first = telephone_new(MEDIA_LEG_PCMU, NULL);
    struct media_leg_spec spec = {.id = first->id};
    telephone_open(first, &spec);
    assert_int_equal(first->leg_port % 2, 0);
    assert_int_equal(first->leg_rtcp_port, first->leg_port + 1);
    spec.negotiated = true;
    assert_int_equal(media_leg_open(stage.media, &spec), STATUS_INVALID);
    media_leg_close(stage.media, 12345); /* nobody */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_pcmu, telephones_set_up, telephones_tear_down),
        cmocka_unit_test_setup_teardown(test_pcma, telephones_set_up, telephones_tear_down),
        cmocka_unit_test_setup_teardown(test_g722, telephones_set_up, telephones_tear_down),
        cmocka_unit_test_setup_teardown(test_opus, telephones_set_up, telephones_tear_down),
        cmocka_unit_test_setup_teardown(test_opus_copies, telephones_set_up, telephones_tear_down),
        cmocka_unit_test_setup_teardown(test_sdes, telephones_set_up, telephones_tear_down),
        cmocka_unit_test_setup_teardown(test_telephones_alone, telephones_set_up,
                                        telephones_tear_down),
        cmocka_unit_test_setup_teardown(test_quality, telephones_set_up, telephones_tear_down),
        cmocka_unit_test_setup_teardown(test_dtls, telephones_set_up, telephones_tear_down),
        cmocka_unit_test_setup_teardown(test_dtls_wrong_fingerprint, telephones_set_up,
                                        telephones_tear_down),
        cmocka_unit_test_setup_teardown(test_menu_and_thief, telephones_set_up,
                                        telephones_tear_down),
        cmocka_unit_test_setup_teardown(test_thousand_digits, telephones_set_up,
                                        telephones_tear_down),
        cmocka_unit_test_setup_teardown(test_tones_do_not_leak, telephones_set_up,
                                        telephones_tear_down),
        cmocka_unit_test_setup_teardown(test_tone_on_a_bad_line, telephones_set_up,
                                        telephones_tear_down),
        cmocka_unit_test_setup_teardown(test_hold_and_change, telephones_set_up,
                                        telephones_tear_down),
        cmocka_unit_test_setup_teardown(test_ports, telephones_set_up, telephones_tear_down),
    };
    return cmocka_run_group_tests_name("leg", tests, NULL, NULL);
}
