/*
 * media/codec/telephony.c - G.711, G.722 and the in-band digit detector, by
 * spandsp; the only file that knows it.
 */
#include "media/codec/telephony.h"

#include "media/codec/loss.h"
#include "media/codec/voice_codec.h"

#include <spandsp.h>
#include <stdlib.h>
#include <string.h>

enum { G722_SAMPLES_PER_BYTE = 2, SAMPLES_8K_MAX = VOICE_DECODED_MAX / 2 };

/* ---- G.711 ---- */

struct pcm_decoder {
    const int16_t *table;
    struct loss loss;
};

static int16_t ulaw_table[256], alaw_table[256];

/* Before main: read by all workers without a lock. */
__attribute__((constructor)) static void tables_fill(void)
{
    for (int i = 0; i < 256; i++) {
        ulaw_table[i] = ulaw_to_linear((uint8_t)i);
        alaw_table[i] = alaw_to_linear((uint8_t)i);
    }
}

static void *pcm_begin(const int16_t *table)
{
    struct pcm_decoder *decoder = calloc(1, sizeof *decoder);
    if (decoder == NULL)
        return NULL;
    decoder->table = table;
    loss_init(&decoder->loss, VOICE_RATE_NARROW);
    return decoder;
}

static void *ulaw_begin(uint32_t rate)
{
    (void)rate;
    return pcm_begin(ulaw_table);
}

static void *alaw_begin(uint32_t rate)
{
    (void)rate;
    return pcm_begin(alaw_table);
}

static void pcm_reset(void *state)
{
    struct pcm_decoder *decoder = state;
    loss_init(&decoder->loss, VOICE_RATE_NARROW);
}

static size_t pcm_decode(void *state, const uint8_t *bytes, size_t length, int16_t *ret_samples)
{
    struct pcm_decoder *decoder = state;
    size_t count = length < SAMPLES_8K_MAX ? length : SAMPLES_8K_MAX;
    for (size_t i = 0; i < count; i++)
        ret_samples[i] = decoder->table[bytes[i]];
    loss_heard(&decoder->loss, ret_samples, count);
    return count;
}

static void pcm_conceal(void *state, int16_t *ret_samples, size_t count)
{
    struct pcm_decoder *decoder = state;
    loss_conceal(&decoder->loss, ret_samples, count);
}

static void *encode_nothing_kept(uint32_t rate)
{
    static char none;
    (void)rate;
    return &none;
}

static void encode_end(void *state)
{
    (void)state;
}

static size_t ulaw_encode(void *state, const int16_t *samples, size_t count, uint8_t *ret_bytes)
{
    (void)state;
    for (size_t i = 0; i < count; i++)
        ret_bytes[i] = linear_to_ulaw(samples[i]);
    return count;
}

static size_t alaw_encode(void *state, const int16_t *samples, size_t count, uint8_t *ret_bytes)
{
    (void)state;
    for (size_t i = 0; i < count; i++)
        ret_bytes[i] = linear_to_alaw(samples[i]);
    return count;
}

const struct voice_decoding telephony_pcmu_decoding = {ulaw_begin, free,        pcm_reset,
                                                       pcm_decode, pcm_conceal, NULL};
const struct voice_decoding telephony_pcma_decoding = {alaw_begin, free,        pcm_reset,
                                                       pcm_decode, pcm_conceal, NULL};
const struct voice_encoding telephony_pcmu_encoding = {encode_nothing_kept, encode_end, encode_end,
                                                       ulaw_encode};
const struct voice_encoding telephony_pcma_encoding = {encode_nothing_kept, encode_end, encode_end,
                                                       alaw_encode};

/* ---- G.722 ---- */

struct wide_decoder {
    g722_decode_state_t *codec;
    struct loss loss;
};

static void wide_end(void *state)
{
    struct wide_decoder *decoder = state;
    if (decoder->codec != NULL)
        g722_decode_free(decoder->codec);
    free(decoder);
}

static void *wide_begin(uint32_t rate)
{
    (void)rate;
    struct wide_decoder *decoder = calloc(1, sizeof *decoder);
    if (decoder == NULL)
        return NULL;
    decoder->codec = g722_decode_init(NULL, 64000, 0);
    loss_init(&decoder->loss, VOICE_RATE_WIDE);
    if (decoder->codec == NULL) {
        wide_end(decoder);
        return NULL;
    }
    return decoder;
}

static void wide_reset(void *state)
{
    struct wide_decoder *decoder = state;
    g722_decode_init(decoder->codec, 64000, 0);
    loss_init(&decoder->loss, VOICE_RATE_WIDE);
}

static size_t wide_decode(void *state, const uint8_t *bytes, size_t length, int16_t *ret_samples)
{
    struct wide_decoder *decoder = state;
    if (length > VOICE_DECODED_MAX / G722_SAMPLES_PER_BYTE)
        length = VOICE_DECODED_MAX / G722_SAMPLES_PER_BYTE;
    int count = g722_decode(decoder->codec, ret_samples, bytes, (int)length);
    loss_heard(&decoder->loss, ret_samples, (size_t)count);
    return (size_t)count;
}

static void wide_conceal(void *state, int16_t *ret_samples, size_t count)
{
    struct wide_decoder *decoder = state;
    loss_conceal(&decoder->loss, ret_samples, count);
}

static void *wide_encoder_begin(uint32_t rate)
{
    (void)rate;
    return g722_encode_init(NULL, 64000, 0);
}

static void wide_encoder_end(void *state)
{
    g722_encode_free(state);
}

static void wide_encoder_reset(void *state)
{
    g722_encode_init(state, 64000, 0);
}

static size_t wide_encode(void *state, const int16_t *samples, size_t count, uint8_t *ret_bytes)
{
    return (size_t)g722_encode(state, ret_bytes, samples, (int)count);
}

const struct voice_decoding telephony_g722_decoding = {wide_begin,  wide_end,     wide_reset,
                                                       wide_decode, wide_conceal, NULL};
const struct voice_encoding telephony_g722_encoding = {wide_encoder_begin, wide_encoder_end,
                                                       wide_encoder_reset, wide_encode};

/* ---- digits as tones ---- */

/*
 * The library forgets a digit when two of its blocks in a row do not hold it, and calls what
 * follows a new one. Q.24 has a key go on over a hole that is shorter than any pause between two:
 * so blocks are counted, and the same digit after few of them is told once. HOLE_BLOCKS of them
 * are missed in each hole up to 42 ms and in no pause from 56 ms on.
 */
enum { TONES_BLOCK = 102 /* samples the library decides about */, HOLE_BLOCKS = 4 };

struct tones {
    dtmf_rx_state_t *state;
    size_t filled;   /* samples of the block that is listened to */
    unsigned missed; /* blocks since the last one in a digit */
    char last, told; /* digit heard last; '\0': none. To be taken; '\0': none */
};

struct tones *tones_new(void)
{
    struct tones *tones = calloc(1, sizeof *tones);
    if (tones == NULL)
        return NULL;
    tones->state = dtmf_rx_init(NULL, NULL, NULL);
    return tones->state == NULL ? tones_free(tones) : tones;
}

struct tones *tones_free(struct tones *tones)
{
    if (tones != NULL && tones->state != NULL)
        dtmf_rx_free(tones->state);
    free(tones);
    return NULL;
}

static void block_end(struct tones *tones)
{
    char digits[2] = {0};
    if (dtmf_rx_get(tones->state, digits, 1) == 1) {
        if (digits[0] != tones->last || tones->missed > HOLE_BLOCKS)
            tones->told = digits[0];
        tones->last = digits[0];
    }
    int now = dtmf_rx_status(tones->state);
    if (now != 0 && now == tones->last)
        tones->missed = 0;
    else if (tones->missed <= HOLE_BLOCKS)
        tones->missed++;
}

bool tones_listen(struct tones *tones, const int16_t *samples, size_t count)
{
    while (count > 0) {
        size_t now = TONES_BLOCK - tones->filled < count ? TONES_BLOCK - tones->filled : count;
        dtmf_rx(tones->state, samples, (int)now);
        samples += now;
        count -= now;
        tones->filled += now;
        if (tones->filled == TONES_BLOCK) {
            tones->filled = 0;
            block_end(tones);
        }
    }
    return dtmf_rx_status(tones->state) != 0;
}

char tones_digit(struct tones *tones)
{
    char digit = tones->told;
    tones->told = '\0';
    return digit;
}
