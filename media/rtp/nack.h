/*
 * media/rtp/nack.h - what is missing of one incoming stream, and when to ask for it.
 *
 * Packets go in with their sequence number; a gap becomes entries that are asked for
 * as soon as they can no longer be merely out of order, again after a round trip, and given
 * up after NACK_RETRIES_MAX or NACK_AGE_MS, or when there are too many: then only a key
 * frame helps. How long the network keeps packets out of order and how long a repair takes
 * is learnt from what comes.
 *
 * Thread: one media worker owns it. Times are milliseconds of a clock that does not
 * go back.
 */
#ifndef MEDIA_RTP_NACK_H
#define MEDIA_RTP_NACK_H

#include "core/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    NACK_ENTRIES_MAX = 256, /* gaps held; more: all are dropped and a key frame is asked for */
    NACK_JUMP_MAX = 2048,   /* a jump further ahead than this is a restart, not a gap */
    NACK_RETRIES_MAX = 10,
    NACK_AGE_MS = 1000, /* a picture older than this is of no use */
    NACK_SPACING_MS_MIN =
        20, /* between two requests for one packet, when the round trip is shorter */
    NACK_RTT_MS_DEFAULT = 100,
    NACK_AGAIN_ROW_MAX = 8,   /* then requests are taken to be too close together */
    NACK_REORDER_MS_MAX = 80, /* longest wait for one that may be out of order */
};

struct nack_entry {
    uint16_t sequence;
    uint8_t retries;
    uint64_t found_ms, asked_ms; /* asked_ms: with retries > 0 */
};

/* Plain memory, about 6 KiB; zero-filled is empty. Entries are in order of sequence. */
struct nack_list {
    bool started, key_frame_wanted;
    uint16_t newest;
    uint16_t reorder_ms;   /* waited at least before the first request; 0: asks at once */
    uint16_t reorder16_ms; /* waited longer than that, as learnt; in sixteenths */
    uint32_t rtt_ms;       /* as set; 0: unknown */
    uint32_t repair8_ms;   /* request to repair, as learnt; in eighths, 0: none came yet */
    uint8_t again_row;     /* repairs in a row that came after a second request */
    uint64_t recovered, given_up;
    size_t count;
    struct nack_entry entries[NACK_ENTRIES_MAX];
};

void nack_init(struct nack_list *list, uint16_t reorder_ms);
void nack_rtt_set(struct nack_list *list, uint32_t rtt_ms);
/*
 * A packet came, by itself or `repaired` (RTX, a copy). Returns how often it was asked for (0: it
 * was not missed, or its gap was new).
 */
uint8_t nack_received(struct nack_list *list, uint16_t sequence, bool repaired, uint64_t now_ms);
/* How long a gap waits now before it is asked for. */
uint32_t nack_reorder_ms(const struct nack_list *list);
/* The stream shows a whole key frame that begins at this number: what is older is forgotten. */
void nack_key_frame(struct nack_list *list, uint16_t sequence);
/* Sequence numbers to ask for now, ascending, at most `max`; they count as asked. */
size_t nack_due(struct nack_list *list, uint64_t now_ms, uint16_t *ret_sequences, size_t max);
/* When nack_due has something again; UINT64_MAX: nothing is missing. */
uint64_t nack_next_ms(const struct nack_list *list);
/* True once for each time that gaps were given up and only a key frame repairs the picture. */
bool nack_key_frame_wanted(struct nack_list *list);

#endif
