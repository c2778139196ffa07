#include "media/sfu/narrow.h"

bool narrow_report(struct narrow *narrow, uint8_t loss, uint64_t remb, uint64_t sent,
                   uint64_t now_ms)
{
    bool bad = loss > NARROW_LOSS_HIGH || (remb != 0 && remb < sent);
    /* A step up may double what is sent: only when the peer's estimate leaves room for it. */
    bool calm = loss < NARROW_LOSS_LOW && (remb == 0 || remb > sent * 2);
    if (!bad)
        narrow->bad_since_ms = 0;
    else if (narrow->bad_since_ms == 0)
        narrow->bad_since_ms = now_ms;
    if (!calm)
        narrow->calm_since_ms = 0;
    else if (narrow->calm_since_ms == 0)
        narrow->calm_since_ms = now_ms;
    if (bad && now_ms - narrow->bad_since_ms >= NARROW_BAD_MS) {
        narrow->bad_since_ms = now_ms;
        if (narrow->steps == NARROW_STEPS_MAX)
            return false;
        narrow->steps++;
        return true;
    }
    if (calm && now_ms - narrow->calm_since_ms >= NARROW_CALM_MS) {
        narrow->calm_since_ms = now_ms;
        if (narrow->steps == 0)
            return false;
        narrow->steps--;
        return true;
    }
    return false;
}

uint8_t narrow_layers(const struct narrow *narrow)
{
    return narrow->steps >= MEDIA_RIDS_MAX ? 1 : (uint8_t)(MEDIA_RIDS_MAX - narrow->steps);
}

uint8_t narrow_temporal(const struct narrow *narrow)
{
    return narrow->steps >= NARROW_STEPS_MAX ? 0 : UINT8_MAX;
}
