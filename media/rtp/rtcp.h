/*
 * media/rtp/rtcp.h - RTCP read packet by packet and written into a buffer.
 *
 * RFC 3550 6 (SR, RR, SDES, BYE), RFC 5506 (reduced size), RFC 4585 6 (NACK, PLI),
 * RFC 5104 4.3.1 (FIR), draft-alvestrand-rmcat-remb-03 (REMB), RFC 3611 4.4, 4.5
 * (receiver reference time, DLRR). Transport-wide feedback is twcc.h's.
 *
 * Reading: rtcp_walk_next() yields one typed packet after another; lists (report
 * blocks, NACK entries, SSRCs) stay in the packet and are read by index. Unknown types
 * are yielded as RTCP_OTHER, and a packet that is malformed in itself as RTCP_BROKEN:
 * the rest of the compound is still read, only a wrong length ends the walk.
 *
 * Pure functions, any thread. NTP times are 32.32, "middle" times the middle 32 bits.
 */
#ifndef MEDIA_RTP_RTCP_H
#define MEDIA_RTP_RTCP_H

#include "core/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    RTCP_BLOCKS_MAX = 31,  /* report blocks of an SR or RR: RC has five bits */
    RTCP_SSRCS_MAX = 255,  /* REMB's count has eight bits */
    RTCP_CNAME_MAX = 255,  /* RFC 3550 6.5: length is one byte */
    RTCP_REASON_MAX = 255, /* RFC 3550 6.6 */
    RTCP_NACK_SPAN = 17,   /* sequence numbers in one entry of a generic NACK: PID and BLP */
};

enum rtcp_kind {
    RTCP_SR,
    RTCP_RR,
    RTCP_SDES,
    RTCP_BYE,
    RTCP_NACK,
    RTCP_PLI,
    RTCP_FIR,
    RTCP_REMB,
    RTCP_TWCC,   /* body is whole and goes to twcc_parse */
    RTCP_XR,     /* RFC 3611; what it holds is read with rtcp_xr_* */
    RTCP_OTHER,  /* well-formed, of no meaning to us */
    RTCP_BROKEN, /* of a known type, but its own fields do not fit its length */
};

/* RFC 3550 6.4.1. */
struct rtcp_block {
    uint32_t ssrc;
    uint8_t fraction_lost;     /* 1/256 */
    int32_t cumulative_lost;   /* 24 bits signed */
    uint32_t highest_sequence; /* extended */
    uint32_t jitter;           /* clock ticks */
    uint32_t last_sr;          /* middle of the SR's NTP time; 0: none seen */
    uint32_t delay_since_sr;   /* 1/65536 s */
};

/* Sender info of an SR. */
struct rtcp_sender {
    uint64_t ntp;
    uint32_t rtp_timestamp, packets, bytes;
};

/* RFC 3611 4.5: one sub-block of a DLRR. */
struct rtcp_dlrr {
    uint32_t ssrc;
    uint32_t last_rr;        /* middle of the reference time's NTP */
    uint32_t delay_since_rr; /* 1/65536 s */
};

/* One packet of a compound. Borrows the buffer. */
struct rtcp_packet {
    enum rtcp_kind kind;
    uint8_t type, count;       /* raw PT; raw RC/SC/FMT */
    const uint8_t *bytes;      /* whole, header included */
    size_t length;             /* without padding */
    uint32_t sender_ssrc;      /* 0 for SDES, and for BYE without SSRC */
    uint32_t media_ssrc;       /* feedback only */
    struct rtcp_sender sender; /* RTCP_SR */
    size_t item_count;         /* report blocks, NACK entries, FIR entries, REMB and BYE SSRCs */
    uint64_t bitrate;          /* RTCP_REMB, bit/s */
};

struct rtcp_walk {
    const uint8_t *at, *end;
};

/*
 * RFC 3550 A.2's checks on lengths and versions over the whole compound; the first
 * packet may be of any type (RFC 5506). Errors: STATUS_INVALID, STATUS_TRUNCATED.
 */
MUST_USE enum status rtcp_walk_new(const uint8_t *compound, size_t length,
                                   struct rtcp_walk *ret_walk);
/* False at the end. */
bool rtcp_walk_next(struct rtcp_walk *walk, struct rtcp_packet *ret_packet);

/* index < item_count is the caller's promise; kind too. */
struct rtcp_block rtcp_block_at(const struct rtcp_packet *packet, size_t index); /* SR, RR */
uint32_t rtcp_ssrc_at(const struct rtcp_packet *packet, size_t index); /* REMB, BYE, FIR */
uint8_t rtcp_fir_sequence_at(const struct rtcp_packet *packet, size_t index);
/* NACK entry: first sequence number and the bitmask of the 16 after it. */
uint16_t rtcp_nack_at(const struct rtcp_packet *packet, size_t index, uint16_t *ret_mask);
/* All sequence numbers asked for, in order of the entries; at most `max`. */
size_t rtcp_nack_list(const struct rtcp_packet *packet, uint16_t *ret_sequences, size_t max);
/* RTCP_XR: NTP time of a receiver reference time block. False: none. */
bool rtcp_xr_reference_time(const struct rtcp_packet *packet, uint64_t *ret_ntp);
/* RTCP_XR: the DLRR sub-block about `ssrc`. False: none. */
bool rtcp_xr_dlrr_find(const struct rtcp_packet *packet, uint32_t ssrc, struct rtcp_dlrr *ret_dlrr);

/*
 * Round trip in 1/65536 s from a report block or DLRR (RFC 3550 6.4.1): now is the middle
 * 32 bits of the NTP clock that made the SR. False: nothing to compute, or less than 0.
 */
bool rtcp_round_trip(uint32_t now, uint32_t last, uint32_t delay, uint32_t *ret_round_trip);
/* Middle 32 bits of an NTP time. */
uint32_t rtcp_ntp_middle(uint64_t ntp);

/* ---- writing: one buffer, packet after packet ---- */

struct rtcp_writer {
    uint8_t *bytes;
    size_t size, length;
};

struct rtcp_writer rtcp_writer_of(uint8_t *buffer, size_t size);

/* Each appends one whole packet, or nothing. Errors: STATUS_TRUNCATED (no room); STATUS_INVALID
 * (a count or field out of range). */
MUST_USE enum status rtcp_write_sr(struct rtcp_writer *writer, uint32_t ssrc,
                                   const struct rtcp_sender *sender,
                                   const struct rtcp_block *blocks, size_t block_count);
MUST_USE enum status rtcp_write_rr(struct rtcp_writer *writer, uint32_t ssrc,
                                   const struct rtcp_block *blocks, size_t block_count);
MUST_USE enum status rtcp_write_sdes(struct rtcp_writer *writer, uint32_t ssrc, const char *cname);
MUST_USE enum status rtcp_write_bye(struct rtcp_writer *writer, const uint32_t *ssrcs,
                                    size_t count);
/* Sequence numbers ascending (RFC 1982); packed into as few entries as possible. */
MUST_USE enum status rtcp_write_nack(struct rtcp_writer *writer, uint32_t sender_ssrc,
                                     uint32_t media_ssrc, const uint16_t *sequences, size_t count);
MUST_USE enum status rtcp_write_pli(struct rtcp_writer *writer, uint32_t sender_ssrc,
                                    uint32_t media_ssrc);
/* `sequence` goes up by one per new request, stays for a repetition (RFC 5104 4.3.1.2). */
MUST_USE enum status rtcp_write_fir(struct rtcp_writer *writer, uint32_t sender_ssrc,
                                    uint32_t media_ssrc, uint8_t sequence);
/* The bitrate is rounded down to what 18 bits of mantissa hold. */
MUST_USE enum status rtcp_write_remb(struct rtcp_writer *writer, uint32_t sender_ssrc,
                                     uint64_t bitrate, const uint32_t *ssrcs, size_t count);
MUST_USE enum status rtcp_write_xr_reference_time(struct rtcp_writer *writer, uint32_t ssrc,
                                                  uint64_t ntp);
MUST_USE enum status rtcp_write_xr_dlrr(struct rtcp_writer *writer, uint32_t ssrc,
                                        const struct rtcp_dlrr *blocks, size_t count);

#endif
