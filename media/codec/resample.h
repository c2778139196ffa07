/*
 * media/codec/resample.h - a voice at the other of the two rates of telephones, 8 and 16 kHz, by a
 * half-band filter of 43 taps: flat within 0.02 dB up to 3.4 kHz, 54 dB down from 4.6 kHz on. What
 * comes out is 21 samples at 16 kHz, 1.3 ms, late.
 *
 * Thread: the owner of the state.
 */
#ifndef MEDIA_CODEC_RESAMPLE_H
#define MEDIA_CODEC_RESAMPLE_H

#include <stddef.h>
#include <stdint.h>

enum {
    RESAMPLE_TAPS = 11,                     /* of one side, without those that are 0 */
    RESAMPLE_REACH = 2 * RESAMPLE_TAPS - 1, /* samples at 16 kHz to either side */
    RESAMPLE_PAST = 2 * RESAMPLE_REACH,
};

/* All 0: silence came before. One direction only. */
struct resample {
    int16_t past[RESAMPLE_PAST];
};

/* `count` samples at 8 kHz into 2 * count at 16 kHz, VOICE_FRAME_MAX at most. */
void resample_double(struct resample *resample, const int16_t *in, size_t count, int16_t *out);
/* 2 * count samples at 16 kHz into `count` at 8 kHz. */
void resample_halve(struct resample *resample, const int16_t *in, size_t count, int16_t *out);

#endif
