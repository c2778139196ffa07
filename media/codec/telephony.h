/*
 * media/codec/telephony.h - digits sent as tones (ITU-T Q.23, Q.24), at 8 kHz.
 *
 * Thread: one owner.
 */
#ifndef MEDIA_CODEC_TELEPHONY_H
#define MEDIA_CODEC_TELEPHONY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tones;

/* NULL: no memory. */
struct tones *tones_new(void);
/* Accepts NULL, returns NULL. */
struct tones *tones_free(struct tones *tones);
/* The next samples; true while a digit's tone lasts, as far as that is known: it takes about
 * 25 ms of tone to tell. */
bool tones_listen(struct tones *tones, const int16_t *samples, size_t count);
/* The digit recognised last since it was asked ('0'..'9', '*', '#', 'A'..'D'), '\0': none. A hole
 * of up to 40 ms in a tone does not make two of it; a pause of 56 ms does (Q.24). */
char tones_digit(struct tones *tones);

#endif
