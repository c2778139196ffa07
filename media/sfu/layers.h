/*
 * media/sfu/layers.h - which simulcast layer a slot shall carry. Pure.
 */
#ifndef MEDIA_SFU_LAYERS_H
#define MEDIA_SFU_LAYERS_H

#include "media/media.h"

#include <stddef.h>
#include <stdint.h>

enum { LAYERS_NONE = -1, LAYERS_LOWEST_HEIGHT = 180 /* assumed when no size is known */ };

/*
 * The smallest active layer at least `height` pixels high, or the largest active one; 0: the
 * largest. `below`: layers from this index on are not wanted (the link is narrow); the lowest
 * active one is always allowed. Heights not known follow from those known by 4:2:1.
 * LAYERS_NONE: no layer is active.
 */
int layers_choose(const struct media_layer_info *layers, size_t count, uint16_t height,
                  uint8_t below);
/* The height of a layer, known or assumed. */
uint32_t layers_height(const struct media_layer_info *layers, size_t count, size_t layer);

#endif
