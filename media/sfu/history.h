/*
 * media/sfu/history.h - the last packets of one layer, kept once per worker for all
 * subscribers that may ask for one again (RFC 4585 6.2.1).
 *
 * Bounded by packets and by time. Thread: the worker that owns the feed.
 */
#ifndef MEDIA_SFU_HISTORY_H
#define MEDIA_SFU_HISTORY_H

#include "core/status.h"
#include "media/packet.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    HISTORY_VIDEO_PACKETS = 512, /* 1 s at 5 Mbit/s */
    HISTORY_AUDIO_PACKETS = 64,  /* 1.3 s of 20 ms */
    HISTORY_MS = 1000,           /* older ones come too late to be played */
    HISTORY_NEAR_MS = 250,       /* where everybody's round trip is short */
};

/* How long to keep packets whose subscribers' longest round trip is this one; 0: unknown. A
 * repair may be lost too, so there is time for several. */
static inline uint32_t history_keep_ms(uint32_t rtt_ms)
{
    uint32_t keep_ms = HISTORY_NEAR_MS + 4 * rtt_ms;
    return rtt_ms == 0 || keep_ms > HISTORY_MS ? HISTORY_MS : keep_ms;
}

/* Zero-filled is empty and holds nothing. */
struct history {
    struct packet **entries; /* by index & mask */
    uint32_t mask;
    uint32_t keep_ms; /* at most HISTORY_MS, which it begins with; the feed's to change */
    bool started;
    int64_t oldest, newest; /* indexes that may be held */
};

/* `packets`: a power of two. Errors: STATUS_INVALID, STATUS_NO_MEMORY. */
MUST_USE enum status history_init(struct history *history, uint32_t packets);
/* Drops all and gives the memory back. `home` as in packet_unref. */
void history_fini(struct history *history, const struct packets *home);
void history_clear(struct history *history, const struct packets *home);
/* Keeps a reference of its own; what falls out of the bounds is dropped. A packet too old to have
 * a place, or held already, is not kept. */
void history_put(struct history *history, struct packet *packet, const struct packets *home);
/* Drops what is older than keep_ms. */
void history_expire(struct history *history, uint64_t now_ns, const struct packets *home);
/* Borrowed until the next call; NULL: not held. */
struct packet *history_get(const struct history *history, int64_t index);

#endif
