/* media/codec/opus.c - Opus by libopus; the only file that knows it. */
#include "media/codec/voice_codec.h"

#include <opus.h>

enum {
    OPUS_BITRATE_NARROW = 16000, /* bit/s */
    OPUS_BITRATE_WIDE = 24000,
    OPUS_COMPLEXITY = 5, /* 65 us for 20 ms of 8 kHz; 10 costs twice that for little */
    OPUS_EXPECTED_LOSS = 5,
    OPUS_FRAMES_MAX = 48, /* of a packet: 120 ms of 2.5 ms (RFC 6716 3.2.5) */
    OPUS_CELT_FIRST = 16, /* configurations from here on are CELT alone (RFC 6716 3.1) */
    OPUS_SILK_MS = 20,    /* a flag of SILK stands for so much (RFC 6716 4.2.3) */
    MS_PER_S = 1000,
    OPUS_FLAGS = 8, /* bits in the byte that they are in */
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

/* The LBRR flag stands behind a VAD flag for each 20 ms, in the first bits of the first frame (RFC
 * 6716 4.2.3, 4.2.4), of the first channel. */
static bool copy_held(const uint8_t *bytes, size_t length)
{
    const unsigned char *frames[OPUS_FRAMES_MAX];
    opus_int16 sizes[OPUS_FRAMES_MAX];
    int frame_ms = opus_packet_get_samples_per_frame(bytes, MS_PER_S);
    int flags = frame_ms > OPUS_SILK_MS ? frame_ms / OPUS_SILK_MS : 1;
    if (bytes[0] >> 3 >= OPUS_CELT_FIRST ||
        opus_packet_parse(bytes, (opus_int32)length, NULL, frames, sizes, NULL) <= 0 ||
        sizes[0] == 0)
        return false;
    return (frames[0][0] >> (OPUS_FLAGS - 1 - flags) & 1) != 0;
}

static bool decoder_recover(void *state, const uint8_t *bytes, size_t length, int16_t *ret_samples,
                            size_t count)
{
    return copy_held(bytes, length) &&
           opus_decode(state, bytes, (opus_int32)length, ret_samples, (int)count, 1) == (int)count;
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

const struct voice_decoding voice_opus_decoding = {
    decoder_begin, decoder_end, decoder_reset, decoder_decode, decoder_conceal, decoder_recover};
const struct voice_encoding voice_opus_encoding = {encoder_begin, encoder_end, encoder_reset,
                                                   encoder_encode};
