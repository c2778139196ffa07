/* What publishers send: RTP that looks like video (or Opus) to a server, carrying a mark for us. */
#ifndef MEDIA_H
#define MEDIA_H
#include "sdp.h"
#include "util.h"
#include <stdbool.h>

#define MEDIA_MAX 1460
#define SENT_RING 8192 /* sends whose times are kept, for each publisher */

struct source {
    enum codec codec;
    int pub, pt, size, per_frame; /* size: RTP header and payload, before SRTP */
    uint32_t ssrc, ts, ts_step;
    uint16_t seq;
    int in_frame; /* packets already made of the current frame */
    bool key, want_key;
    uint16_t picture;
    uint64_t counter; /* packets made */
    uint64_t gop_ns, next_key;
    uint64_t sent_at[SENT_RING]; /* CLOCK_REALTIME at the send call */
    uint64_t sent_no[SENT_RING];
};

void media_init(void);
void source_init(struct source *s, enum codec codec, int pub, int pt, uint32_t ssrc, int size,
                 int per_frame, uint32_t ts_step, uint64_t gop_ns);
size_t source_packet(struct source *s, uint8_t *out, uint64_t now);
void source_sent(struct source *s, uint64_t counter, uint64_t at);
/* Reads the mark in a decrypted RTP packet: false when it is not one of ours or is damaged. */
bool media_mark(const uint8_t *rtp, size_t n, int *pub, uint64_t *counter, bool *damaged);
#endif
