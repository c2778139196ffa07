#include "media/codec/voice.h"

#include "media/codec/voice_codec.h"

#include <stdlib.h>

struct voice_decoder {
    const struct voice_decoding *calls;
    void *state;
};

struct voice_encoder {
    const struct voice_encoding *calls;
    void *state;
};

struct codec_row {
    uint32_t clock, rate;
    bool any_rate;
    const struct voice_decoding *decoding;
    const struct voice_encoding *encoding;
};

static const struct codec_row rows[] = {
    [VOICE_PCMU] = {8000, VOICE_RATE_NARROW, false, &telephony_pcmu_decoding,
                    &telephony_pcmu_encoding},
    [VOICE_PCMA] = {8000, VOICE_RATE_NARROW, false, &telephony_pcma_decoding,
                    &telephony_pcma_encoding},
    [VOICE_G722] = {8000, VOICE_RATE_WIDE, false, &telephony_g722_decoding,
                    &telephony_g722_encoding},
    [VOICE_OPUS] = {48000, VOICE_RATE_WIDE, true, &voice_opus_decoding, &voice_opus_encoding},
};

uint32_t voice_clock(enum voice_codec codec)
{
    return rows[codec].clock;
}

uint32_t voice_rate(enum voice_codec codec)
{
    return rows[codec].rate;
}

size_t voice_lost(enum voice_codec codec, uint32_t rate, uint32_t ticks)
{
    uint64_t count = (uint64_t)ticks * rate / rows[codec].clock;
    if (count == 0)
        return voice_frame(rate);
    return count < VOICE_DECODED_MAX ? (size_t)count : VOICE_DECODED_MAX;
}

static bool rate_fits(enum voice_codec codec, uint32_t rate)
{
    if ((size_t)codec >= sizeof rows / sizeof rows[0])
        return false;
    return rate == rows[codec].rate ||
           (rows[codec].any_rate && (rate == VOICE_RATE_NARROW || rate == VOICE_RATE_WIDE));
}

enum status voice_decoder_new(enum voice_codec codec, uint32_t rate,
                              struct voice_decoder **ret_decoder)
{
    if (!rate_fits(codec, rate))
        return STATUS_INVALID;
    struct voice_decoder *decoder = calloc(1, sizeof *decoder);
    if (decoder == NULL)
        return STATUS_NO_MEMORY;
    decoder->calls = rows[codec].decoding;
    decoder->state = decoder->calls->begin(rate);
    if (decoder->state == NULL) {
        free(decoder);
        return STATUS_NO_MEMORY;
    }
    *ret_decoder = decoder;
    return STATUS_OK;
}

struct voice_decoder *voice_decoder_free(struct voice_decoder *decoder)
{
    if (decoder != NULL)
        decoder->calls->end(decoder->state);
    free(decoder);
    return NULL;
}

void voice_decoder_reset(struct voice_decoder *decoder)
{
    decoder->calls->reset(decoder->state);
}

enum status voice_decode(struct voice_decoder *decoder, const uint8_t *bytes, size_t length,
                         int16_t *ret_samples, size_t *ret_count)
{
    size_t count =
        length == 0 ? 0 : decoder->calls->decode(decoder->state, bytes, length, ret_samples);
    if (count == 0)
        return STATUS_INVALID;
    *ret_count = count;
    return STATUS_OK;
}

void voice_conceal(struct voice_decoder *decoder, int16_t *ret_samples, size_t count)
{
    decoder->calls->conceal(decoder->state, ret_samples,
                            count < VOICE_DECODED_MAX ? count : VOICE_DECODED_MAX);
}

bool voice_recover(struct voice_decoder *decoder, const uint8_t *bytes, size_t length,
                   int16_t *ret_samples, size_t count)
{
    if (decoder->calls->recover != NULL && length > 0 && count <= VOICE_DECODED_MAX &&
        decoder->calls->recover(decoder->state, bytes, length, ret_samples, count))
        return true;
    voice_conceal(decoder, ret_samples, count);
    return false;
}

enum status voice_encoder_new(enum voice_codec codec, uint32_t rate,
                              struct voice_encoder **ret_encoder)
{
    if (!rate_fits(codec, rate))
        return STATUS_INVALID;
    struct voice_encoder *encoder = calloc(1, sizeof *encoder);
    if (encoder == NULL)
        return STATUS_NO_MEMORY;
    encoder->calls = rows[codec].encoding;
    encoder->state = encoder->calls->begin(rate);
    if (encoder->state == NULL) {
        free(encoder);
        return STATUS_NO_MEMORY;
    }
    *ret_encoder = encoder;
    return STATUS_OK;
}

struct voice_encoder *voice_encoder_free(struct voice_encoder *encoder)
{
    if (encoder != NULL)
        encoder->calls->end(encoder->state);
    free(encoder);
    return NULL;
}

void voice_encoder_reset(struct voice_encoder *encoder)
{
    encoder->calls->reset(encoder->state);
}

enum status voice_encode(struct voice_encoder *encoder, const int16_t *samples, size_t count,
                         uint8_t *ret_bytes, size_t *ret_length)
{
    if (count == 0 || count > VOICE_FRAME_MAX * 3)
        return STATUS_INVALID;
    size_t length = encoder->calls->encode(encoder->state, samples, count, ret_bytes);
    if (length == 0)
        return STATUS_INVALID;
    *ret_length = length;
    return STATUS_OK;
}
