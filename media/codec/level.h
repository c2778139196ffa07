/*
 * media/codec/level.h - how loud a voice is, whether it speaks, and the gain that makes
 * callers equally loud.
 *
 * Levels are -dBov as in RFC 6464: 0 loudest, 127 silence. Pure; frames of 20 ms. Thread:
 * one owner.
 */
#ifndef MEDIA_CODEC_LEVEL_H
#define MEDIA_CODEC_LEVEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    LEVEL_SILENCE = 127,
    LEVEL_SPEECH = 55,      /* quieter is no voice, whatever the noise */
    LEVEL_OVER_NOISE = 8,   /* dB a voice is louder than the line's noise */
    LEVEL_NOISE_MOST = 50,  /* nothing louder is taken for the line's noise */
    LEVEL_HANGOVER = 20,    /* frames a voice goes on after it was heard last: ends of words */
    LEVEL_WANTED = 22,      /* of speech, after the gain */
    LEVEL_GAIN_MAX = 15,    /* dB a whisper is raised */
    LEVEL_GAIN_MIN = -15,   /* dB a shout is lowered */
    LEVEL_PEAK_MAX = 30000, /* samples stay below: the limiter */
    LEVEL_ECHO = 20,        /* dB an echo is quieter than what it is of, at least */
    LEVEL_ECHO_FRAMES = 25, /* and so late at most: the line there and back, and buffers */
};

uint8_t level_of(const int16_t *samples, size_t count);

/* A gain that changes without a step. Zero-filled is fresh. */
struct gain {
    float factor; /* applied at the end of the last frame; 0: none yet */
};

/* Samples times 10^(gain_db/20); where that is too loud, less (limited) or cut at full scale. */
void gain_apply(struct gain *gain, float gain_db, bool limited, int16_t *samples, size_t count);
/* Likewise of several voices added up, which may be louder than a sample can say. */
void gain_apply_sum(struct gain *gain, float gain_db, bool limited, const int32_t *sum,
                    int16_t *samples, size_t count);

/* Zero-filled is fresh. */
struct voice_level {
    bool begun;
    float noise;  /* of the line, -dBov */
    float speech; /* of the voice, -dBov */
    float gain;   /* dB, wanted */
    struct gain applied;
    bool unlimited;
    uint8_t hangover;
    uint8_t echo_left; /* frames for which echo holds; 0: nothing was sent */
    uint8_t echo;      /* -dBov of the loudest that was sent of late */
};

struct loud {
    uint8_t level; /* after the gain */
    bool voice;
};

/* Brings a frame to the wanted level, in place. */
struct loud voice_level_frame(struct voice_level *level, int16_t *samples, size_t count);

/* A frame of this level was sent to who speaks: what comes back and is no louder than its echo may
 * be is no voice, and neither begins one nor prolongs it. */
void voice_level_sent(struct voice_level *level, uint8_t sent);

#endif
