/*
 * media/phone/jitter.h - puts one voice stream back into order and time.
 *
 * Playing lags behind the fastest packet of late by a delay between JITTER_MIN_MS and
 * JITTER_MAX_MS, as much as the arrivals of the last JITTER_WINDOW_MS spread. It grows
 * when a packet is missing sooner than planned (nothing is played over in its place)
 * and shrinks by fading two packets into one, at once where it is quiet, else one in
 * JITTER_SHRINK_MS. The same keeps up with a sender whose clock is not ours.
 *
 * Pauses (timestamps jump, sequence numbers do not; RFC 3551 4.1) are silence, not loss,
 * and the delay is set anew after each. The same is true of what follows numbers that
 * carry no voice, until a voice comes again: no voice is missing while keys are pressed.
 *
 * Pure: time is an argument. Holds references to packets. Thread: one media worker.
 */
#ifndef MEDIA_PHONE_JITTER_H
#define MEDIA_PHONE_JITTER_H

#include "core/status.h"
#include "media/packet.h"
#include "media/rtp/recv_stats.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    JITTER_SLOTS = 64, /* packets; power of two. 10 ms each: 640 ms */
    JITTER_MIN_MS = 20,
    JITTER_FIRST_MS = 40, /* until enough has come to know better */
    JITTER_MAX_MS = 120,
    JITTER_MARGIN_MS = 10, /* more than the arrivals spread */
    JITTER_BUCKETS = 8,
    JITTER_BUCKET_MS = 500,
    JITTER_WINDOW_MS = JITTER_BUCKETS * JITTER_BUCKET_MS,
    JITTER_SLACK_MS = 20,   /* later than wanted by that much: it shrinks */
    JITTER_SHRINK_MS = 400, /* between two packets faded into one while somebody speaks */
    JITTER_MISSES_MAX = 10, /* of 20 ms without a packet: the stream has ended or pauses */
    JITTER_DROPOUT = 3000,  /* sequence numbers ahead: it has begun anew (RFC 3550 A.1) */
};

struct jitter_entry {
    bool present;
    struct packet *packet; /* NULL: a number that carries no voice */
    int64_t sequence, timestamp;
};

/* Arrivals of JITTER_BUCKET_MS: transit is arrival less timestamp, in ticks. */
struct jitter_bucket {
    uint64_t number; /* time / JITTER_BUCKET_MS; 0: empty */
    int64_t fastest, slowest;
};

struct jitter {
    uint32_t clock;        /* Hz */
    uint32_t packet_ticks; /* of the packet played last, assumed of lost ones */
    struct jitter_entry entries[JITTER_SLOTS];
    struct seq_unwrapper sequences;
    bool started, playing;
    bool voiceless; /* the number passed last carried no voice */
    bool resumed;   /* the packet played last came after a pause: what was concealed was none */
    uint32_t last_timestamp;
    int64_t timestamp; /* last_timestamp unwrapped */
    int64_t next;      /* sequence number to be played */
    int64_t played;    /* those below have had their time */
    int64_t highest;   /* seen */
    int64_t position;  /* timestamp to be played */
    int64_t end;       /* timestamp behind the packet played last */
    uint32_t held;     /* entries present */
    uint8_t misses;    /* in a row, nothing was here */
    uint8_t owed;      /* packets concealed though they may only be late */
    struct jitter_bucket buckets[JITTER_BUCKETS];
    uint64_t shrunk_ms;
    uint64_t lost, late; /* packets */
};

enum jitter_verdict {
    JITTER_PLAY,  /* *ret_packet, whose reference goes to the caller */
    JITTER_MERGE, /* the same, but the next one, which is there, is to be faded into it */
    JITTER_LOST,  /* conceal as long as a packet, or take it from jitter_after */
    JITTER_HOLD,  /* conceal 20 ms: what is due may still come */
    JITTER_PAUSE, /* silence: nothing was sent for now */
    JITTER_EMPTY, /* silence: there is no stream */
};

/* Of this clock rate; forgets all. What it holds must have been cleared. */
void jitter_init(struct jitter *jitter, uint32_t clock);
/* Gives back what it holds and begins anew. home as in packet_unref. */
void jitter_clear(struct jitter *jitter, const struct packets *home);
/*
 * A packet came; STATUS_OK takes a reference. packet NULL: the number carries no voice
 * (telephone-event, comfort noise). Errors: STATUS_LATE, STATUS_DUPLICATE.
 */
MUST_USE enum status jitter_put(struct jitter *jitter, struct packet *packet, uint16_t sequence,
                                uint32_t timestamp, uint64_t now_ms, const struct packets *home);
/* What comes next. `quiet`: nobody spoke in what was played last. */
enum jitter_verdict jitter_take(struct jitter *jitter, bool quiet, uint64_t now_ms,
                                const struct packets *home, struct packet **ret_packet);
/* After JITTER_LOST: the voice that follows what was lost, borrowed until the next call; NULL: it
 * is not here. */
const struct packet *jitter_after(struct jitter *jitter);
/* After JITTER_PLAY and JITTER_MERGE: so long was it, in ticks. */
void jitter_played(struct jitter *jitter, uint32_t ticks);
/* Wanted and present delay; the latter 0 when nothing plays. */
uint32_t jitter_target_ms(const struct jitter *jitter, uint64_t now_ms);
uint32_t jitter_delay_ms(const struct jitter *jitter, uint64_t now_ms);

#endif
