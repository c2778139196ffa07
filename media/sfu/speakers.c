#include "media/sfu/speakers.h"

#include <string.h>

enum {
    LOUDNESS_RISE_SHIFT = 1, /* each packet goes half of the way up */
    LOUDNESS_FALL_SHIFT = 4, /* and a sixteenth of the way down */
};

uint8_t loudness_packet(struct loudness *loudness, uint8_t level)
{
    int target = level * 16;
    if (!loudness->heard) {
        loudness->heard = true;
        loudness->level16 = (uint16_t)target;
    } else {
        int now = loudness->level16;
        int shift = target < now ? LOUDNESS_RISE_SHIFT : LOUDNESS_FALL_SHIFT;
        int step = (target - now) / (1 << shift);
        if (step == 0)
            step = (target > now) - (target < now);
        loudness->level16 = (uint16_t)(now + step);
    }
    return (uint8_t)(loudness->level16 / 16);
}

static int speakers_find(const struct speakers *speakers, uint64_t transport, uint8_t track)
{
    for (int i = 0; i < speakers->voices; i++) {
        if (speakers->lanes[i].transport == transport && speakers->lanes[i].track == track)
            return i;
    }
    return -1;
}

/* The lane the challenger may have: a free one, one in a pause, or the quietest that is clearly
 * less loud and had its time. */
static int speakers_victim(const struct speakers *speakers, uint8_t level, uint64_t now_ms)
{
    int victim = -1;
    int victim_level = -1;
    for (int i = 0; i < speakers->voices; i++) {
        const struct speaker *lane = &speakers->lanes[i];
        if (lane->transport == 0)
            return i;
        bool paused = now_ms - lane->loud_ms >= SPEAKERS_PAUSE_MS;
        int lane_level = paused ? SPEAKERS_SILENCE : lane->level;
        if (!paused && now_ms - lane->since_ms < SPEAKERS_HOLD_MS)
            continue;
        if (level + SPEAKERS_MARGIN <= lane_level && lane_level > victim_level) {
            victim = i;
            victim_level = lane_level;
        }
    }
    return victim;
}

int speakers_packet(struct speakers *speakers, const struct speaker *speaker, uint64_t now_ms,
                    bool *ret_taken, struct speaker *ret_displaced)
{
    *ret_taken = false;
    bool loud = speaker->level <= SPEAKERS_LOUD;
    int lane = speakers_find(speakers, speaker->transport, speaker->track);
    if (lane < 0) {
        if (!loud)
            return -1;
        lane = speakers_victim(speakers, speaker->level, now_ms);
        if (lane < 0)
            return -1;
        *ret_taken = true;
        *ret_displaced = speakers->lanes[lane];
        speakers->lanes[lane] = *speaker;
        speakers->lanes[lane].since_ms = now_ms;
    }
    speakers->lanes[lane].level = speaker->level;
    if (loud)
        speakers->lanes[lane].loud_ms = now_ms;
    return lane;
}

bool speakers_expire(struct speakers *speakers, uint64_t now_ms, struct speaker *ret_released)
{
    for (int i = 0; i < speakers->voices; i++) {
        struct speaker *lane = &speakers->lanes[i];
        if (lane->transport == 0 || now_ms - lane->loud_ms < SPEAKERS_SILENCE_MS)
            continue;
        *ret_released = *lane;
        *lane = (struct speaker){0};
        return true;
    }
    return false;
}

bool speakers_remove(struct speakers *speakers, uint64_t transport, uint8_t track)
{
    int lane = speakers_find(speakers, transport, track);
    if (lane < 0)
        return false;
    speakers->lanes[lane] = (struct speaker){0};
    return true;
}

bool speakers_order(struct speakers *speakers)
{
    bool changed = false;
    uint8_t order[MEDIA_VOICES_MAX];
    uint8_t count = 0;
    bool listed[MEDIA_VOICES_MAX] = {false};
    for (uint8_t i = 0; i < speakers->order_count; i++) {
        uint8_t lane = speakers->order[i];
        /* A lane that changed hands begins at the end, as a new one does. */
        if (speakers->lanes[lane].transport != speakers->listed[i]) {
            changed = true;
            continue;
        }
        order[count++] = lane;
        listed[lane] = true;
    }
    for (uint8_t lane = 0; lane < speakers->voices; lane++) {
        if (speakers->lanes[lane].transport != 0 && !listed[lane]) {
            order[count++] = lane;
            changed = true;
        }
    }
    for (uint8_t i = 1; i < count; i++) {
        for (uint8_t at = i; at > 0; at--) {
            const struct speaker *quiet = &speakers->lanes[order[at - 1]];
            const struct speaker *loud = &speakers->lanes[order[at]];
            if (loud->level + SPEAKERS_MARGIN > quiet->level)
                break;
            uint8_t swap = order[at];
            order[at] = order[at - 1];
            order[at - 1] = swap;
            changed = true;
        }
    }
    memcpy(speakers->order, order, count);
    speakers->order_count = count;
    for (uint8_t i = 0; i < count; i++)
        speakers->listed[i] = speakers->lanes[order[i]].transport;
    return changed;
}
