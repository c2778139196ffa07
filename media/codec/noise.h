/*
 * media/codec/noise.h - comfort noise (RFC 3389): read from a packet, and made.
 *
 * The level alone is taken; the spectrum that may follow it (3.2) is not: what is made is white.
 * Pure; thread: one owner.
 */
#ifndef MEDIA_CODEC_NOISE_H
#define MEDIA_CODEC_NOISE_H

#include "core/status.h"

#include <stddef.h>
#include <stdint.h>

/* Zero-filled is fresh. */
struct noise {
    uint32_t state;
};

/* Level in -dBov, 0..127 (3.1). Errors: STATUS_TRUNCATED, STATUS_INVALID (its first bit is set). */
MUST_USE enum status noise_read(const uint8_t *payload, size_t length, uint8_t *ret_level);
/* So many samples of this level, -dBov. */
void noise_make(struct noise *noise, float level, int16_t *ret_samples, size_t count);

#endif
