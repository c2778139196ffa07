/*
 * media/rtp/twcc.h - transport-wide congestion control feedback
 * (draft-holmer-rmcat-transport-wide-cc-extensions-01 3).
 *
 * Receiver side: twcc_recorder remembers when each transport-wide sequence number
 * arrived and builds feedback. Every number is reported once: as received, or as
 * missing when a later one was received. One that comes after it was reported missing
 * is reported again, as received, and all after it with it (that is what libwebrtc
 * does, and its estimator expects). Packets of one sender only; the caller calls
 * twcc_build every 50..100 ms while there is something.
 *
 * Sender side: twcc_parse yields what a peer reports.
 *
 * Thread: one media worker owns a recorder. Times are arguments, in microseconds of
 * any one clock that does not go back.
 */
#ifndef MEDIA_RTP_TWCC_H
#define MEDIA_RTP_TWCC_H

#include "core/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    TWCC_WINDOW_MAX = 2048,  /* sequence numbers kept: 1 s at 20 Mbit/s; power of two */
    TWCC_WINDOW_US = 500000, /* a packet later than its successors by more is not reported again */
    TWCC_TICK_US = 250,      /* unit of deltas */
    TWCC_BASE_US = 64000,    /* unit of the reference time */
    TWCC_FEEDBACK_MIN =
        28, /* bytes: header, a chunk for a gap, one for a packet, a delta, padding */
    TWCC_LATE_RUN_MAX = 100, /* so many in a row behind the window: the sender counts anew */
};

/* Arrivals. Plain memory of a transport, about 16 KiB; zero-filled is empty. */
struct twcc_recorder {
    bool started;
    uint8_t feedback_count, late_run;
    int64_t end, begin;                 /* unwrapped: highest received + 1; first to be reported */
    uint64_t arrivals[TWCC_WINDOW_MAX]; /* microseconds + 1; 0: not received */
};

void twcc_recorder_init(struct twcc_recorder *recorder);
/*
 * A packet with this number arrived.
 * Errors: STATUS_DUPLICATE (the first arrival stays), STATUS_LATE (behind the window).
 */
MUST_USE enum status twcc_record(struct twcc_recorder *recorder, uint16_t sequence,
                                 uint64_t now_us);
/* True when twcc_build has something to say. */
bool twcc_pending(const struct twcc_recorder *recorder);
/*
 * Writes one feedback packet of at most `size` bytes (>= TWCC_FEEDBACK_MIN) that begins at the
 * first number not reported; call until STATUS_NOT_FOUND (nothing left) to send all.
 * Errors: STATUS_NOT_FOUND, STATUS_TRUNCATED (size too small).
 */
MUST_USE enum status twcc_build(struct twcc_recorder *recorder, uint32_t sender_ssrc,
                                uint32_t media_ssrc, uint8_t *ret_packet, size_t size,
                                size_t *ret_length);

/* ---- sender side ---- */

struct twcc_feedback {
    uint32_t sender_ssrc, media_ssrc;
    uint16_t base_sequence, status_count;
    int32_t reference_time; /* 24 bits signed, in TWCC_BASE_US */
    uint8_t feedback_count;
};

struct twcc_report {
    uint16_t sequence;
    bool received;
    int32_t delta;      /* TWCC_TICK_US since the packet received before it, or since the base */
    int64_t arrival_us; /* on the receiver's clock, from reference_time; received only */
};

/*
 * Parses a whole RTCP packet (rtcp_packet's bytes, length of kind RTCP_TWCC). Fills at most
 * `max` reports in order of sequence; *ret_count says how many.
 * Errors: STATUS_TRUNCATED, STATUS_INVALID (status count 0, not such a packet),
 * STATUS_LIMIT (more than max). Outputs are then unspecified but within bounds.
 */
MUST_USE enum status twcc_parse(const uint8_t *packet, size_t length,
                                struct twcc_feedback *ret_feedback, struct twcc_report *ret_reports,
                                size_t max, size_t *ret_count);

#endif
