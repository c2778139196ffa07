/* media/codec/opus.c - Opus by libopus; the only file that knows it. */
#include "media/codec/voice_codec.h"

#include <opus.h>

enum {
    OPUS_BITRATE_NARROW = 16000, /* bit/s */
    OPUS_BITRATE_WIDE = 24000,
    OPUS_COMPLEXITY = 5, /* 65 us for 20 ms of 8 kHz; 10 costs twice that for little */
    OPUS_EXPECTED_LOSS = 5,
};

static void *decoder_begin(uint32_t rate)
{
    return opus_decoder_create((opus_int32)rate, 1, NULL);
}

static void decoder_end(void *state)
{
    opus_decoder_destroy(state);
}

static void decoder_reset(void *state)
{
    opus_decoder_ctl(state, OPUS_RESET_STATE);
}

static size_t decoder_decode(void *state, const uint8_t *bytes, size_t length, int16_t *ret_samples)
{
    int count = opus_decode(state, bytes, (opus_int32)length, ret_samples, VOICE_DECODED_MAX, 0);
    return count < 0 ? 0 : (size_t)count;
}

static void decoder_conceal(void *state, int16_t *ret_samples, size_t count)
{
    /* It wants multiples of 2.5 ms and says so otherwise. */
    if (opus_decode(state, NULL, 0, ret_samples, (int)count, 0) == (int)count)
        return;
    for (size_t i = 0; i < count; i++)
        ret_samples[i] = 0;
}

static void *encoder_begin(uint32_t rate)
{
    OpusEncoder *encoder = opus_encoder_create((opus_int32)rate, 1, OPUS_APPLICATION_VOIP, NULL);
    if (encoder == NULL)
        return NULL;
    opus_encoder_ctl(encoder, OPUS_SET_BITRATE(rate == VOICE_RATE_NARROW ? OPUS_BITRATE_NARROW
                                                                         : OPUS_BITRATE_WIDE));
    opus_encoder_ctl(encoder, OPUS_SET_COMPLEXITY(OPUS_COMPLEXITY));
    opus_encoder_ctl(encoder, OPUS_SET_SIGNAL(OPUS_SIGNAL_VOICE));
    opus_encoder_ctl(encoder, OPUS_SET_PACKET_LOSS_PERC(OPUS_EXPECTED_LOSS));
    return encoder;
}

static void encoder_end(void *state)
{
    opus_encoder_destroy(state);
}

static void encoder_reset(void *state)
{
    opus_encoder_ctl(state, OPUS_RESET_STATE);
}

static size_t encoder_encode(void *state, const int16_t *samples, size_t count, uint8_t *ret_bytes)
{
    opus_int32 length = opus_encode(state, samples, (int)count, ret_bytes, VOICE_ENCODED_MAX);
    return length < 0 ? 0 : (size_t)length;
}

const struct voice_decoding voice_opus_decoding = {decoder_begin, decoder_end, decoder_reset,
                                                   decoder_decode, decoder_conceal};
const struct voice_encoding voice_opus_encoding = {encoder_begin, encoder_end, encoder_reset,
                                                   encoder_encode};
