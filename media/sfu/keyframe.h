/*
 * media/sfu/keyframe.h - when to ask a publisher for a key frame of one layer: at once,
 * but not more often than every KEYFRAME_SPACING_MS however many want one, and again
 * until it comes.
 *
 * Thread: the publisher's worker. Zero-filled is "nobody wants one".
 */
#ifndef MEDIA_SFU_KEYFRAME_H
#define MEDIA_SFU_KEYFRAME_H

#include <stdbool.h>
#include <stdint.h>

enum {
    KEYFRAME_SPACING_MS = 500,
    KEYFRAME_TRIES_MAX = 20, /* then the publisher is not going to; who still wants one asks anew */
};

struct keyframe {
    bool wanted, asked;
    uint8_t tries;
    uint64_t asked_ms;
};

static inline void keyframe_want(struct keyframe *keyframe)
{
    if (!keyframe->wanted)
        keyframe->tries = 0;
    keyframe->wanted = true;
}

static inline void keyframe_came(struct keyframe *keyframe)
{
    keyframe->wanted = false;
}

/* True: send the request now; it counts as sent. */
static inline bool keyframe_due(struct keyframe *keyframe, uint64_t now_ms)
{
    if (!keyframe->wanted)
        return false;
    if (keyframe->asked && now_ms - keyframe->asked_ms < KEYFRAME_SPACING_MS)
        return false;
    if (keyframe->tries >= KEYFRAME_TRIES_MAX) {
        keyframe->wanted = false;
        return false;
    }
    keyframe->tries++;
    keyframe->asked = true;
    keyframe->asked_ms = now_ms;
    return true;
}

#endif
