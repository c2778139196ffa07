/*
 * modules/auth/picture.h - what may be a person's picture: PNG, JPEG or WebP, by its bytes and not
 * by what it says it is, and no larger than a face needs. Nothing is decoded: browsers do that,
 * each for itself, and what is served says `nosniff`. Any thread.
 */
#ifndef MODULES_AUTH_PICTURE_H
#define MODULES_AUTH_PICTURE_H

#include "core/status.h"

#include <stddef.h>
#include <stdint.h>

enum {
    PICTURE_BYTES_MAX = 131072,
    PICTURE_SIDE_MAX = 512, /* pixels; the client sends 256 */
};

struct picture {
    const char *type; /* "image/png" */
    uint32_t width, height;
};

/* Errors: STATUS_UNSUPPORTED (none of the three, or damaged before its size is said),
 * STATUS_LIMIT (too many bytes or pixels). */
MUST_USE enum status picture_look(const uint8_t *bytes, size_t length, struct picture *ret_picture);

#endif
