#include "media/sfu/repairs.h"

static void room_fill(struct repairs *repairs, uint64_t sent, uint64_t now_ms)
{
    uint64_t room = repairs->room + (sent - repairs->sent_before) / REPAIRS_SHARE +
                    (now_ms - repairs->filled_ms) * REPAIRS_FLOOR_BYTES_PER_MS;
    repairs->room = room > REPAIRS_ROOM_MAX ? REPAIRS_ROOM_MAX : (uint32_t)room;
    repairs->sent_before = sent;
    repairs->filled_ms = now_ms;
}

enum repairs_verdict repairs_ask(struct repairs *repairs, uint8_t slot, uint16_t sequence,
                                 uint32_t bytes, uint32_t rtt_ms, uint64_t sent, uint64_t now_ms)
{
    uint32_t spacing_ms = rtt_ms != 0 ? rtt_ms : REPAIRS_RTT_MS_DEFAULT;
    if (spacing_ms < REPAIRS_SPACING_MS_MIN)
        spacing_ms = REPAIRS_SPACING_MS_MIN;
    /* Numbers asked for together follow each other: each has a place of its own. */
    uint32_t place = (sequence + slot * (REPAIRS_ENTRIES / 4 + 1u)) % REPAIRS_ENTRIES;
    if (repairs->entries[place].slot == slot + 1 && repairs->entries[place].sequence == sequence &&
        (uint32_t)now_ms - repairs->entries[place].when_ms < spacing_ms)
        return REPAIRS_REPEATED;
    room_fill(repairs, sent, now_ms);
    if (repairs->room < bytes)
        return REPAIRS_OVER;
    repairs->room -= bytes;
    repairs->entries[place].slot = (uint8_t)(slot + 1);
    repairs->entries[place].sequence = sequence;
    repairs->entries[place].when_ms = (uint32_t)now_ms;
    return REPAIRS_SEND;
}
