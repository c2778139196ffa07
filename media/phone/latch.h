/*
 * media/phone/latch.h - whose packets are a leg's, and where its own go (symmetric RTP,
 * RFC 4961, RFC 7362).
 *
 * Plain RTP carries no proof of who sent it, so the source is chosen once: the signalled
 * address at its first packet, another one only after a run of LATCH_RUN packets in order
 * from one SSRC (LATCH_RUN_NEAR from the signalled IP address: a NAT that changed the
 * port) before the signalled address was heard. From then on only that source counts; it
 * may change its port, with its SSRC, after LATCH_SILENT_MS of silence (a NAT that forgot).
 * An authentic SRTP packet proves itself: the latch follows it.
 *
 * Pure: time is an argument. Thread: one media worker.
 */
#ifndef MEDIA_PHONE_LATCH_H
#define MEDIA_PHONE_LATCH_H

#include "media/ice/ice.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    LATCH_RUN = 4,
    LATCH_RUN_NEAR = 2,
    LATCH_RUN_STEP = 8, /* sequence numbers from one packet of a run to the next, at most */
    LATCH_RUN_MS = 500, /* a run paused for that long is over */
    LATCH_SILENT_MS = 2000,
};

struct latch {
    struct ice_address signalled;
    struct ice_address target; /* where our packets go */
    bool symmetric;
    bool latched; /* target has been heard */
    uint32_t ssrc;
    uint64_t heard_ms;
    struct ice_address candidate;
    uint32_t candidate_ssrc;
    uint16_t candidate_sequence;
    uint8_t run; /* 0: no candidate */
    uint64_t candidate_ms;
};

/* A packet as the latch looks at it: RTP that parses, of a negotiated payload type. */
struct latch_packet {
    struct ice_address from;
    uint32_t ssrc;
    uint16_t sequence;
    bool authentic; /* SRTP unprotected it */
};

/* A signalled address, at the beginning or by re-negotiation: the same one changes nothing. */
void latch_signal(struct latch *latch, const struct ice_address *signalled, bool symmetric);
/* True: it is our peer's. */
bool latch_take(struct latch *latch, const struct latch_packet *packet, uint64_t now_ms);
/* May a datagram that is no RTP (RTCP, DTLS) be of our peer, by its IP address? */
bool latch_near(const struct latch *latch, const struct ice_address *from);

#endif
