/*
 * media/codec/voice.h - the codecs of telephony: frames of 16 bit mono in, bytes out, and
 * back, with concealment of what was lost.
 *
 * G.711 and G.722 (ITU-T) are spandsp's (telephony.c), Opus (RFC 6716) libopus' (opus.c).
 * Each runs at a rate of its own and is never resampled: 8 kHz for G.711, 16 kHz for
 * G.722, either for Opus, which decodes natively to both.
 *
 * All memory is taken by voice_decoder_new and voice_encoder_new. Thread: one owner.
 */
#ifndef MEDIA_CODEC_VOICE_H
#define MEDIA_CODEC_VOICE_H

#include "core/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum voice_codec { VOICE_PCMU, VOICE_PCMA, VOICE_G722, VOICE_OPUS };

enum {
    VOICE_RATE_NARROW = 8000,
    VOICE_RATE_WIDE = 16000,
    VOICE_FRAME_MS = 20,
    VOICE_FRAME_MAX = VOICE_RATE_WIDE / 1000 * VOICE_FRAME_MS, /* samples */
    VOICE_PACKET_MS_MAX = 120, /* of one received packet: RFC 6716 3.2.5; longer G.711 is cut */
    VOICE_DECODED_MAX = VOICE_RATE_WIDE / 1000 * VOICE_PACKET_MS_MAX,
    VOICE_ENCODED_MAX = 1275, /* bytes: RFC 6716 3.2.1 */
};

/* Samples of 20 ms. */
static inline size_t voice_frame(uint32_t rate)
{
    return rate / 1000 * VOICE_FRAME_MS;
}

/* Of the RTP timestamp: G.722 counts 8000 though it has 16000 samples (RFC 3551 4.5.2). */
uint32_t voice_clock(enum voice_codec codec);
/* At which a leg of this codec runs. */
uint32_t voice_rate(enum voice_codec codec);

/* Samples at `rate` that a lost packet had which lasted so many ticks; 0: 20 ms. */
size_t voice_lost(enum voice_codec codec, uint32_t rate, uint32_t ticks);

struct voice_decoder;

/* rate: voice_rate(codec), or either rate for Opus. Errors: STATUS_INVALID, STATUS_NO_MEMORY. */
MUST_USE enum status voice_decoder_new(enum voice_codec codec, uint32_t rate,
                                       struct voice_decoder **ret_decoder);
/* Accepts NULL, returns NULL. */
struct voice_decoder *voice_decoder_free(struct voice_decoder *decoder);
/* A new stream: what was heard before is forgotten. */
void voice_decoder_reset(struct voice_decoder *decoder);
/* One packet's payload; ret_samples holds VOICE_DECODED_MAX. Errors: STATUS_INVALID (empty, or no
 * packet of this codec); then conceal instead. */
MUST_USE enum status voice_decode(struct voice_decoder *decoder, const uint8_t *bytes,
                                  size_t length, int16_t *ret_samples, size_t *ret_count);
/* What probably was in `count` lost samples (at most VOICE_DECODED_MAX): repeats the voice's last
 * periods, fading out within about 60 ms. */
void voice_conceal(struct voice_decoder *decoder, int16_t *ret_samples, size_t count);
/* The same from the packet that follows what was lost: where it holds a copy of it (Opus' in-band
 * FEC, RFC 6716 2.1.7), that is decoded and the call true. The packet is yet to be decoded;
 * length 0: it is not there. */
bool voice_recover(struct voice_decoder *decoder, const uint8_t *bytes, size_t length,
                   int16_t *ret_samples, size_t count);

struct voice_encoder;

/* As voice_decoder_new. */
MUST_USE enum status voice_encoder_new(enum voice_codec codec, uint32_t rate,
                                       struct voice_encoder **ret_encoder);
struct voice_encoder *voice_encoder_free(struct voice_encoder *encoder);
void voice_encoder_reset(struct voice_encoder *encoder);
/* count: 10, 20, 40 or 60 ms of samples, G.711 and G.722 any even number up to 60 ms. ret_bytes
 * holds VOICE_ENCODED_MAX. Errors: STATUS_INVALID. */
MUST_USE enum status voice_encode(struct voice_encoder *encoder, const int16_t *samples,
                                  size_t count, uint8_t *ret_bytes, size_t *ret_length);

#endif
