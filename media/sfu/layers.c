#include "media/sfu/layers.h"

#include <stdbool.h>

uint32_t layers_height(const struct media_layer_info *layers, size_t count, size_t layer)
{
    if (layers[layer].height != 0)
        return layers[layer].height;
    for (size_t other = 0; other < count; other++) {
        if (layers[other].height == 0)
            continue;
        uint32_t height = layers[other].height;
        return other > layer ? height >> (other - layer) : height << (layer - other);
    }
    return (uint32_t)LAYERS_LOWEST_HEIGHT << layer;
}

int layers_choose(const struct media_layer_info *layers, size_t count, uint16_t height,
                  uint8_t below)
{
    int chosen = LAYERS_NONE;
    for (size_t layer = 0; layer < count; layer++) {
        if (!layers[layer].active)
            continue;
        if (chosen != LAYERS_NONE) {
            bool enough = height != 0 && layers_height(layers, count, (size_t)chosen) >= height;
            if (enough || layer >= below)
                break;
        }
        chosen = (int)layer;
    }
    return chosen;
}
