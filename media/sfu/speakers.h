/*
 * media/sfu/speakers.h - which of a room's microphones are heard.
 *
 * Pure: levels and time come as arguments. There are `voices` lanes; a lane belongs to
 * one microphone until it falls silent and another wants it, or until a clearly louder
 * one comes after its minimum time. Nothing is kept about those without a lane, so the
 * cost does not grow with the room. Levels are -dBov as in RFC 6464: 0 loudest.
 *
 * Thread: the room's home worker. The loudness part: the publisher's worker.
 */
#ifndef MEDIA_SFU_SPEAKERS_H
#define MEDIA_SFU_SPEAKERS_H

#include "media/media.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SPEAKERS_LOUD = 60,         /* up to this level it may be speech */
    SPEAKERS_SILENCE = 127,     /* RFC 6464: digital silence */
    SPEAKERS_UNKNOWN = 30,      /* assumed of a microphone without the extension: loud always */
    SPEAKERS_MARGIN = 6,        /* dB a challenger must be louder than the one it replaces */
    SPEAKERS_HOLD_MS = 1000,    /* nobody who speaks loses a lane sooner */
    SPEAKERS_PAUSE_MS = 600,    /* silent for that long: the lane is free to the next */
    SPEAKERS_SILENCE_MS = 2500, /* silent for that long: the lane is given back */
};

/* ---- one microphone ---- */

/* Zero-filled is not heard yet. */
struct loudness {
    bool heard;
    uint16_t level16; /* smoothed -dBov, in sixteenths */
};

/* Rises within about 60 ms of 20 ms packets, falls within half a second. */
uint8_t loudness_packet(struct loudness *loudness, uint8_t level);

/* ---- the room ---- */

struct speaker {
    uint64_t transport; /* 0: the lane is free */
    uint8_t track, worker;
    uint8_t level;
    uint64_t since_ms, loud_ms; /* lane taken; last at SPEAKERS_LOUD or louder */
};

/* Zero-filled but for voices is an empty room. */
struct speakers {
    uint8_t voices; /* 1..MEDIA_VOICES_MAX */
    struct speaker lanes[MEDIA_VOICES_MAX];
    uint8_t order[MEDIA_VOICES_MAX]; /* taken lanes, loudest first */
    uint8_t order_count;
    uint64_t listed[MEDIA_VOICES_MAX]; /* their holders at that time */
};

/*
 * A microphone's packet of this smoothed level came. Returns its lane, or -1: it is not
 * heard. When a lane changes hands, *ret_displaced is who had it (transport 0: it was
 * free) and *ret_taken is true.
 */
int speakers_packet(struct speakers *speakers, const struct speaker *speaker, uint64_t now_ms,
                    bool *ret_taken, struct speaker *ret_displaced);
/* Gives back one lane whose holder is silent; call until it returns false. */
bool speakers_expire(struct speakers *speakers, uint64_t now_ms, struct speaker *ret_released);
/* The microphone is gone. True when it had a lane. */
bool speakers_remove(struct speakers *speakers, uint64_t transport, uint8_t track);
/* Brings order up to date; true when set or order changed since the last call. Neighbours change
 * places only across SPEAKERS_MARGIN, so that the order does not flutter. */
bool speakers_order(struct speakers *speakers);

#endif
