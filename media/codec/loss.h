/*
 * media/codec/loss.h - what was probably said in lost samples, for codecs that do not say so
 * themselves: the last period of the voice again and again, fading out, in the manner of
 * ITU-T G.711 appendix I, at either rate. Needs no delay.
 *
 * Pure; thread: one owner.
 */
#ifndef MEDIA_CODEC_LOSS_H
#define MEDIA_CODEC_LOSS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    LOSS_PERIOD_MIN_US = 2500,  /* 400 Hz */
    LOSS_PERIOD_MAX_US = 15000, /* 66 Hz */
    LOSS_WINDOW_US = 20000,     /* compared to find the period */
    LOSS_FULL_US = 10000,       /* repeated at full level; then it fades */
    LOSS_SILENT_US = 60000,     /* nothing is left */
    LOSS_BLEND_US = 5000,       /* into what comes afterwards */
    LOSS_HISTORY = 16 * (LOSS_PERIOD_MAX_US + LOSS_WINDOW_US) / 1000, /* samples at 16 kHz */
    LOSS_PERIOD_MAX = 16 * LOSS_PERIOD_MAX_US / 1000,
};

struct loss {
    uint32_t rate;
    int16_t history[LOSS_HISTORY];
    int16_t period[LOSS_PERIOD_MAX]; /* what is repeated */
    size_t length;                   /* of it; 0: nothing is lost now */
    size_t at;                       /* samples concealed */
};

/* rate: Hz, at most 16000. */
void loss_init(struct loss *loss, uint32_t rate);
/* Good samples, in place: after a loss their beginning is blended with what was made up. */
void loss_heard(struct loss *loss, int16_t *samples, size_t count);
void loss_conceal(struct loss *loss, int16_t *ret_samples, size_t count);

#endif
