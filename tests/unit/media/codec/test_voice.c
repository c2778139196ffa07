/* What is done to a voice between its packets: levels and gain, the gate, noise, concealment, the
 * copies that Opus packets hold. Chance is seeded. */
#include "media/codec/level.h"
#include "media/codec/loss.h"
#include "media/codec/noise.h"
#include "media/codec/voice.h"

#include <math.h>
#include <opus.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { RATE = 8000, FRAME = RATE / 50 };

static uint64_t dice_state;

static uint32_t dice(uint32_t bound)
{
    dice_state = dice_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(dice_state >> 33) % bound;
}

static void tone_add(int16_t *samples, size_t count, size_t from, double tone, double level)
{
    for (size_t i = 0; i < count; i++)
        samples[i] =
            (int16_t)(samples[i] + level * sin(2 * M_PI * tone * (double)(from + i) / 8000));
}

static void test_levels(void **state)
{
    (void)state;
    /* A whisper, a voice, a shout: amplitudes; after some seconds they are alike. */
    static const double amplitudes[] = {500, 3000, 20000};
    for (size_t i = 0; i < 3; i++) {
        struct voice_level level = {0};
        struct loud loud = {0};
        int16_t samples[FRAME];
        for (size_t frame = 0; frame < 500; frame++) {
            memset(samples, 0, sizeof samples);
            tone_add(samples, FRAME, frame * FRAME, 500, amplitudes[i]);
            loud = voice_level_frame(&level, samples, FRAME);
            assert_true(loud.voice);
        }
        assert_in_range(level_of(samples, FRAME), LEVEL_WANTED - 3, LEVEL_WANTED + 6);
        assert_in_range(loud.level, level_of(samples, FRAME) - 1, level_of(samples, FRAME) + 1);
        /* The line's noise is no voice. */
        for (size_t frame = 0; frame < 100; frame++) {
            for (size_t s = 0; s < FRAME; s++)
                samples[s] = (int16_t)((int)dice(40) - 20);
            loud = voice_level_frame(&level, samples, FRAME);
        }
        assert_false(loud.voice);
    }
}

/* A raised voice's peaks: turned down, or cut when nobody wants that. */
static void test_limiter_optional(void **state)
{
    (void)state;
    for (int unlimited = 0; unlimited <= 1; unlimited++) {
        struct gain gain = {0};
        int16_t samples[FRAME];
        int most = 0, least = INT16_MAX;
        for (size_t frame = 0; frame < 10; frame++) {
            memset(samples, 0, sizeof samples);
            tone_add(samples, FRAME, frame * FRAME, 500, 20000);
            gain_apply(&gain, 12, unlimited == 0, samples, FRAME);
            for (size_t s = 0; s < FRAME; s++) {
                most = samples[s] > most ? samples[s] : most;
                least = samples[s] < least ? samples[s] : least;
            }
        }
        assert_in_range(most, unlimited == 0 ? 29000 : INT16_MAX,
                        unlimited == 0 ? LEVEL_PEAK_MAX : INT16_MAX);
        assert_true(least < -29000);
    }
}

/* Three loud voices together: what a telephone cannot be sent is turned down, and stays a tone. */
static void test_limiter_of_a_sum(void **state)
{
    (void)state;
    for (int unlimited = 0; unlimited <= 1; unlimited++) {
        struct gain gain = {0};
        int32_t sum[FRAME];
        int16_t samples[FRAME];
        double off = 0;
        for (size_t frame = 0; frame < 10; frame++) {
            for (size_t s = 0; s < FRAME; s++)
                sum[s] = (int32_t)(60000 * sin(2 * M_PI * 500 * (double)s / RATE));
            gain_apply_sum(&gain, 0, unlimited == 0, sum, samples, FRAME);
            for (size_t s = 0; s < FRAME; s++)
                off = fmax(off, fabs(samples[s] - sum[s] / 60000.0 * LEVEL_PEAK_MAX));
        }
        assert_true(unlimited == 0 ? off < 2 : off > 5000);
    }
}

/* Of what was sent an echo comes back 26 dB softer: no voice. Who speaks over it is one; and when
 * nothing is sent any more, that soft voice is heard. */
static void test_gate_and_echo(void **state)
{
    (void)state;
    enum { ECHO_AMPLITUDE = 400, SENT_AMPLITUDE = 8000, SPEECH_AMPLITUDE = 3000 };
    struct voice_level level = {0};
    int16_t sent[FRAME], back[FRAME];
    size_t voices[3] = {0};
    for (size_t frame = 0; frame < 300; frame++) {
        size_t part = frame / 100; /* echo; double talk; nothing sent */
        memset(sent, 0, sizeof sent);
        memset(back, 0, sizeof back);
        tone_add(sent, FRAME, frame * FRAME, 500, part < 2 ? SENT_AMPLITUDE : 0);
        voice_level_sent(&level, level_of(sent, FRAME));
        tone_add(back, FRAME, frame * FRAME, 500, ECHO_AMPLITUDE);
        if (part == 1)
            tone_add(back, FRAME, frame * FRAME, 700, SPEECH_AMPLITUDE);
        voices[part] += voice_level_frame(&level, back, FRAME).voice;
    }
    assert_int_equal(voices[0], 0);
    assert_int_equal(voices[1], 100);
    assert_true(voices[2] > 70);
}

static void test_noise(void **state)
{
    (void)state;
    struct noise noise = {0};
    int16_t samples[FRAME * 10];
    uint8_t level = 0;
    const uint8_t packet[] = {66, 1, 2, 3}, wrong[] = {0x80 | 66};
    assert_int_equal(noise_read(packet, 0, &level), STATUS_TRUNCATED);
    assert_int_equal(noise_read(wrong, 1, &level), STATUS_INVALID);
    assert_int_equal(noise_read(packet, sizeof packet, &level), STATUS_OK);
    assert_int_equal(level, 66);
    for (uint8_t wanted = 10; wanted <= 80; wanted += 10) {
        noise_make(&noise, wanted, samples, FRAME * 10);
        assert_in_range(level_of(samples, FRAME * 10), wanted - 1, wanted + 1);
    }
}

static void test_limiter(void **state)
{
    (void)state;
    struct voice_level level = {0};
    int16_t samples[FRAME];
    for (size_t frame = 0; frame < 300; frame++) {
        memset(samples, 0, sizeof samples);
        tone_add(samples, FRAME, frame * FRAME, 500, frame < 250 ? 300 : 32000);
        (void)voice_level_frame(&level, samples, FRAME);
        for (size_t s = 0; s < FRAME; s++)
            assert_in_range(samples[s] + 32768, 0, 65535 - (frame < 250 ? 0 : 1));
    }
}

static void test_concealment(void **state)
{
    (void)state;
    for (uint32_t rate = 8000; rate <= 16000; rate *= 2) {
        struct loss loss;
        size_t frame = rate / 50;
        int16_t samples[320], before[320];
        double error = 0, power = 0;
        loss_init(&loss, rate);
        for (size_t i = 0; i < 20; i++) {
            for (size_t s = 0; s < frame; s++)
                samples[s] = (int16_t)(8000 * sin(2 * M_PI * 200 * (double)(i * frame + s) / rate));
            memcpy(before, samples, sizeof before);
            if (i == 10) {
                loss_conceal(&loss, samples, frame);
                /* The first 10 ms are at full level and in phase. */
                for (size_t s = 0; s < frame / 2; s++) {
                    error += pow(samples[s] - before[s], 2);
                    power += pow(before[s], 2);
                }
            } else {
                loss_heard(&loss, samples, frame);
            }
        }
        assert_true(error < power / 50);
        for (int i = 0; i < 4; i++)
            loss_conceal(&loss, samples, frame);
        assert_int_equal(samples[frame - 1], 0); /* it has faded */
    }
}

/* Packets with copies of those before them, as a telephone that was told of losses sends them. */
enum { OPUS_FRAMES = 40, OPUS_LOST = 20, OPUS_COPIES_LOSS = 20, OPUS_BITRATE = 32000 };

struct opus_packets {
    uint8_t bytes[OPUS_FRAMES][VOICE_ENCODED_MAX];
    size_t lengths[OPUS_FRAMES];
};

/* A pulse of 5 ms every 20 ms whose place and tone nobody could guess from the ones before. */
static void opus_packets_make(struct opus_packets *packets, bool copies)
{
    OpusEncoder *encoder = opus_encoder_create(16000, 1, OPUS_APPLICATION_VOIP, NULL);
    assert_non_null(encoder);
    opus_encoder_ctl(encoder, OPUS_SET_INBAND_FEC(copies ? 1 : 0));
    opus_encoder_ctl(encoder, OPUS_SET_PACKET_LOSS_PERC(OPUS_COPIES_LOSS));
    opus_encoder_ctl(encoder, OPUS_SET_BITRATE(OPUS_BITRATE));
    opus_encoder_ctl(encoder, OPUS_SET_SIGNAL(OPUS_SIGNAL_VOICE));
    for (size_t i = 0; i < OPUS_FRAMES; i++) {
        int16_t samples[VOICE_FRAME_MAX];
        double tone = i == OPUS_LOST ? 900 : 300;
        for (size_t s = 0; s < VOICE_FRAME_MAX; s++)
            samples[s] = (int16_t)(8000 * sin(2 * M_PI * tone * (double)s / 16000));
        int length = opus_encode(encoder, samples, VOICE_FRAME_MAX, packets->bytes[i],
                                 sizeof packets->bytes[i]);
        assert_true(length > 0);
        packets->lengths[i] = (size_t)length;
    }
    opus_encoder_destroy(encoder);
}

/* Share of the lost packet's tone in what stands in its place and the delay of the codec behind. */
static double opus_tone_found(const struct opus_packets *packets, uint32_t rate, bool *ret_found)
{
    struct voice_decoder *decoder;
    int16_t samples[VOICE_DECODED_MAX * 2];
    size_t frame = voice_frame(rate), count;
    double parts[2] = {0};
    assert_int_equal(voice_decoder_new(VOICE_OPUS, rate, &decoder), STATUS_OK);
    for (size_t i = 0; i < OPUS_LOST; i++)
        assert_int_equal(
            voice_decode(decoder, packets->bytes[i], packets->lengths[i], samples, &count),
            STATUS_OK);
    *ret_found = voice_recover(decoder, packets->bytes[OPUS_LOST + 1],
                               packets->lengths[OPUS_LOST + 1], samples, frame);
    voice_decoder_free(decoder);
    for (size_t s = 0; s < frame; s++) {
        double at = 2 * M_PI * (double)s / rate;
        parts[0] += samples[s] * sin(at * 900) / (double)frame;
        parts[1] += samples[s] * cos(at * 900) / (double)frame;
    }
    return sqrt(parts[0] * parts[0] + parts[1] * parts[1]);
}

static void test_opus_copies(void **state)
{
    (void)state;
    static struct opus_packets with, without;
    opus_packets_make(&with, true);
    opus_packets_make(&without, false);
    for (uint32_t rate = 8000; rate <= 16000; rate *= 2) {
        bool found;
        double right = opus_tone_found(&with, rate, &found);
        assert_true(found);
        assert_true(right > 1000);
        double guessed = opus_tone_found(&without, rate, &found);
        assert_false(found);
        assert_true(guessed < right / 2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_levels),
        cmocka_unit_test(test_limiter_optional),
        cmocka_unit_test(test_limiter_of_a_sum),
        cmocka_unit_test(test_gate_and_echo),
        cmocka_unit_test(test_noise),
        cmocka_unit_test(test_limiter),
        cmocka_unit_test(test_concealment),
        cmocka_unit_test(test_opus_copies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
