/*
 * media/sfu/repairs.h - which of the packets that a subscriber asks for again it gets: each
 * once a round trip, and all together no more than a share of what it is sent anyway, so
 * that repairs of an overfull link do not drown it.
 *
 * Pure: time is an argument. Thread: the subscriber's worker.
 */
#ifndef MEDIA_SFU_REPAIRS_H
#define MEDIA_SFU_REPAIRS_H

#include <stdint.h>

enum {
    REPAIRS_ENTRIES = 64,        /* power of two; repetitions remembered, by number */
    REPAIRS_SPACING_MS_MIN = 20, /* between two repetitions of one packet */
    REPAIRS_RTT_MS_DEFAULT = 100,
    REPAIRS_SHARE = 3,               /* one byte in so many of all video sent, repairs included */
    REPAIRS_FLOOR_BYTES_PER_MS = 25, /* and this much whatever is sent: 200 kbit/s */
    REPAIRS_ROOM_MAX = 65536,        /* bytes of credit: a third of a large key frame */
};

enum repairs_verdict { REPAIRS_SEND, REPAIRS_REPEATED, REPAIRS_OVER };

/* Zero-filled is new. */
struct repairs {
    struct {
        uint32_t when_ms;
        uint16_t sequence;
        uint8_t slot; /* number + 1; 0: empty */
    } entries[REPAIRS_ENTRIES];
    uint64_t filled_ms, sent_before;
    uint32_t room; /* bytes that may be repeated now */
};

/*
 * The packet of this slot and number was asked for. `bytes`: its size; `rtt_ms`: 0 unknown;
 * `sent`: video bytes sent so far. REPAIRS_SEND counts as sent.
 */
enum repairs_verdict repairs_ask(struct repairs *repairs, uint8_t slot, uint16_t sequence,
                                 uint32_t bytes, uint32_t rtt_ms, uint64_t sent, uint64_t now_ms);

#endif
