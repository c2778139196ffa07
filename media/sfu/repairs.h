/*
 * media/sfu/repairs.h - which of the packets that a subscriber asks for again it gets: each
 * once a round trip, and all together no more than a share of what it is sent anyway, so
 * that repairs of an overfull link do not drown it.
 *
 * Pure: time is an argument. Thread: the subscriber's worker.
 */
#ifndef MEDIA_SFU_REPAIRS_H
#define MEDIA_SFU_REPAIRS_H

#include <stdbool.h>
#include <stdint.h>

enum {
    REPAIRS_ENTRIES = 64,        /* power of two; repetitions remembered, by number */
    REPAIRS_SPACING_MS_MIN = 20, /* between two repetitions of one packet */
    REPAIRS_RTT_MS_DEFAULT = 100,
    REPAIRS_KNOWN_MS = 1000,
    REPAIRS_SHARE = 3,               /* one byte in so many of all video sent, repairs included */
    REPAIRS_FLOOR_BYTES_PER_MS = 25, /* and this much whatever is sent: 200 kbit/s */
    REPAIRS_ROOM_MAX = 65536,        /* bytes of credit: a third of a large key frame */
    REPAIRS_SPARE = 8,               /* what a second copy leaves room for: so many like it */
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

/* Whether it was sent again within the last REPAIRS_KNOWN_MS. */
bool repairs_known(const struct repairs *repairs, uint8_t slot, uint16_t sequence, uint64_t now_ms);
/*
 * The packet of this slot and number was asked for. `bytes`: its size; `rtt_ms`: 0 unknown;
 * `sent`: video bytes sent so far. REPAIRS_SEND counts as sent.
 */
enum repairs_verdict repairs_ask(struct repairs *repairs, uint8_t slot, uint16_t sequence,
                                 uint32_t bytes, uint32_t rtt_ms, uint64_t sent, uint64_t now_ms);

/* Whether there is room for a second copy of what was just sent again; then it counts as sent. Not
 * when others would soon have none for the first. */
bool repairs_spare(struct repairs *repairs, uint32_t bytes);

#endif
