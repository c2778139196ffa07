#include "media/sfu/repairs.h"

static void room_fill(struct repairs *repairs, uint64_t sent, uint64_t now_ms)
{
    uint64_t room = repairs->room + (sent - repairs->sent_before) / REPAIRS_SHARE +
                    (now_ms - repairs->filled_ms) * REPAIRS_FLOOR_BYTES_PER_MS;
    repairs->room = room > REPAIRS_ROOM_MAX ? REPAIRS_ROOM_MAX : (uint32_t)room;
    repairs->sent_before = sent;
    repairs->filled_ms = now_ms;
}

/* Numbers asked for together follow each other: each has a place of its own. */
static uint32_t place_of(uint8_t slot, uint16_t sequence)
{
    return (sequence + slot * (REPAIRS_ENTRIES / 4 + 1u)) % REPAIRS_ENTRIES;
}

static bool sent_within(const struct repairs *repairs, uint8_t slot, uint16_t sequence,
                        uint32_t time_ms, uint64_t now_ms)
{
    uint32_t place = place_of(slot, sequence);
    return repairs->entries[place].slot == slot + 1 &&
           repairs->entries[place].sequence == sequence &&
           (uint32_t)now_ms - repairs->entries[place].when_ms < time_ms;
}

bool repairs_known(const struct repairs *repairs, uint8_t slot, uint16_t sequence, uint64_t now_ms)
{
    return sent_within(repairs, slot, sequence, REPAIRS_KNOWN_MS, now_ms);
}

enum repairs_verdict repairs_ask(struct repairs *repairs, uint8_t slot, uint16_t sequence,
                                 uint32_t bytes, uint32_t rtt_ms, uint64_t sent, uint64_t now_ms)
{
    uint32_t spacing_ms = rtt_ms != 0 ? rtt_ms : REPAIRS_RTT_MS_DEFAULT;
    if (spacing_ms < REPAIRS_SPACING_MS_MIN)
        spacing_ms = REPAIRS_SPACING_MS_MIN;
    if (sent_within(repairs, slot, sequence, spacing_ms, now_ms))
        return REPAIRS_REPEATED;
    uint32_t place = place_of(slot, sequence);
    room_fill(repairs, sent, now_ms);
    if (repairs->room < bytes)
        return REPAIRS_OVER;
    repairs->room -= bytes;
    repairs->entries[place].slot = (uint8_t)(slot + 1);
    repairs->entries[place].sequence = sequence;
    repairs->entries[place].when_ms = (uint32_t)now_ms;
    return REPAIRS_SEND;
}

bool repairs_spare(struct repairs *repairs, uint32_t bytes)
{
    if (repairs->room < bytes * (1 + REPAIRS_SPARE))
        return false;
    repairs->room -= bytes;
    return true;
}
