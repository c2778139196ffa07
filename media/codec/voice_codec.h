/*
 * media/codec/voice_codec.h - what telephony.c and opus.c give to voice.c. Private to
 * media/codec.
 */
#ifndef MEDIA_CODEC_VOICE_CODEC_H
#define MEDIA_CODEC_VOICE_CODEC_H

#include "media/codec/voice.h"

#include <stdbool.h>

/* `state` is the library's. Counts are checked already; each as its namesake in voice.h. */
struct voice_decoding {
    void *(*begin)(uint32_t rate); /* NULL: no memory */
    void (*end)(void *state);
    void (*reset)(void *state);
    /* Samples, 0: makes no sense. */
    size_t (*decode)(void *state, const uint8_t *bytes, size_t length, int16_t *ret_samples);
    void (*conceal)(void *state, int16_t *ret_samples, size_t count);
    /* NULL: packets of this codec hold nothing of those before them. */
    bool (*recover)(void *state, const uint8_t *bytes, size_t length, int16_t *ret_samples,
                    size_t count);
};

struct voice_encoding {
    void *(*begin)(uint32_t rate);
    void (*end)(void *state);
    void (*reset)(void *state);
    /* Bytes, 0: refused. */
    size_t (*encode)(void *state, const int16_t *samples, size_t count, uint8_t *ret_bytes);
};

extern const struct voice_decoding telephony_pcmu_decoding, telephony_pcma_decoding,
    telephony_g722_decoding, voice_opus_decoding;
extern const struct voice_encoding telephony_pcmu_encoding, telephony_pcma_encoding,
    telephony_g722_encoding, voice_opus_encoding;

#endif
