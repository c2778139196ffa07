/*
 * media/rtp/rtp.h - the RTP header and its extensions, read in place and written.
 *
 * RFC 3550 5.1, RFC 8285 (header extensions, one- and two-byte), RFC 6464 (audio
 * level), draft-holmer-rmcat-transport-wide-cc-extensions-01 2, RFC 8843 15 (mid),
 * RFC 8852 (rid), abs-send-time (24 bits of 6.18 fixed point seconds).
 *
 * Pure functions: no clock, no memory of their own. Offsets count from the first
 * byte of the packet, so that a view stays right when the packet is copied. Any
 * thread.
 */
#ifndef MEDIA_RTP_RTP_H
#define MEDIA_RTP_RTP_H

#include "core/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    RTP_HEADER_BYTES = 12,       /* the fixed part, RFC 3550 5.1 */
    RTP_CSRCS_MAX = 15,          /* CC has four bits */
    RTP_ONE_BYTE_ID_MAX = 14,    /* RFC 8285 4.2: id 15 means stop */
    RTP_ONE_BYTE_VALUE_MAX = 16, /* bytes of an element in the one-byte form */
    RTP_TWO_BYTE_VALUE_MAX = 255,
    RTP_EXTENSIONS_MAX = 16, /* elements one header written by us may carry */
    RTP_PROFILE_ONE_BYTE = 0xBEDE,
    RTP_PROFILE_TWO_BYTE = 0x1000, /* RFC 8285 4.3: 0x100 and four appbits */
};

enum rtp_extension_form {
    RTP_EXTENSION_NONE,
    RTP_EXTENSION_ONE_BYTE,
    RTP_EXTENSION_TWO_BYTE,
    RTP_EXTENSION_OTHER, /* another profile: skipped, holds no elements for us */
};

/* A parsed header. Plain data; points nowhere. */
struct rtp_header {
    bool marker, padding;
    uint8_t payload_type; /* 0..127 */
    uint8_t csrc_count;
    uint16_t sequence;
    uint32_t timestamp, ssrc;
    uint32_t csrcs[RTP_CSRCS_MAX];
    enum rtp_extension_form extension_form;
    uint16_t extension_profile;
    size_t extension_offset, extension_length; /* the elements, without the 4-byte block header */
    size_t payload_offset, payload_length;     /* without padding; length may be 0 */
    size_t padding_length; /* bytes after the payload, its count byte included */
};

/*
 * Errors: STATUS_INVALID (not version 2, padding count 0 or larger than what is there),
 * STATUS_TRUNCATED (CSRC list or extension block go past the end).
 */
MUST_USE enum status rtp_parse(const uint8_t *packet, size_t length, struct rtp_header *ret_header);

/* RFC 5761 4: true when the second byte of an RTP-or-RTCP packet says RTCP (types 192..223). */
bool rtp_is_rtcp(const uint8_t *packet, size_t length);

/* ---- reading extension elements ---- */

struct rtp_element {
    uint8_t id;           /* 1..14, or 1..255 in the two-byte form */
    uint8_t length;       /* of value; 1..16, or 0..255 in the two-byte form */
    const uint8_t *value; /* in the packet */
};

/* Walks the elements of a header in order; padding is skipped. */
struct rtp_elements {
    const uint8_t *at, *end;
    enum rtp_extension_form form;
};

struct rtp_elements rtp_elements_of(const uint8_t *packet, const struct rtp_header *header);
/* False at the end, at id 15 (one-byte form) and at an element that goes past the block. */
bool rtp_elements_next(struct rtp_elements *elements, struct rtp_element *ret_element);
/* The first element with this id; id 0 finds nothing. */
bool rtp_element_find(const uint8_t *packet, const struct rtp_header *header, uint8_t id,
                      struct rtp_element *ret_element);

/* RFC 6464: level in -dBov, 0 loudest, 127 silence; `voice` is the V bit. False: not this
 * extension. */
bool rtp_audio_level_read(const struct rtp_element *element, uint8_t *ret_level, bool *ret_voice);
/* Transport-wide sequence number. */
bool rtp_transport_seq_read(const struct rtp_element *element, uint16_t *ret_seq);
/* abs-send-time: 24 bits, seconds modulo 64 in 6.18 fixed point. */
bool rtp_send_time_read(const struct rtp_element *element, uint32_t *ret_time);
/* mid, rid, repaired rid (RFC 7941 text): NUL-terminated copy. False: empty, longer than size - 1,
 * or with bytes that no token holds (control characters, space, DEL, non-ASCII). */
bool rtp_text_read(const struct rtp_element *element, char *ret_text, size_t size);
/* Video orientation (3GPP TS 26.114 7.4.5): clockwise quarter turns 0..3. */
bool rtp_orientation_read(const struct rtp_element *element, uint8_t *ret_quarters);

/* ---- writing ---- */

/* A header to be written. The caller owns what values point to. */
struct rtp_writing {
    bool marker;
    uint8_t payload_type;
    uint16_t sequence;
    uint32_t timestamp, ssrc;
    uint8_t csrc_count;
    uint32_t csrcs[RTP_CSRCS_MAX];
    struct rtp_element elements[RTP_EXTENSIONS_MAX]; /* id 0 is left out */
    size_t element_count;
};

/*
 * Writes header and extensions; the payload goes to *ret_length, which is a multiple of
 * 4. One-byte form unless an element has id > 14, length 0 or length > 16 (RFC 8285 4.2),
 * then two-byte. The P bit is not set: rtp_pad does that.
 * Errors: STATUS_TRUNCATED (does not fit in `size`), STATUS_INVALID (counts or fields out of
 * range).
 */
MUST_USE enum status rtp_write(const struct rtp_writing *writing, uint8_t *ret_packet, size_t size,
                               size_t *ret_length);
/* What rtp_write would take, in bytes. Counts must be in range. */
size_t rtp_write_size(const struct rtp_writing *writing);

/*
 * Appends `count` padding bytes (1..255) to a packet of `length` bytes that has none, and sets P.
 * Errors: STATUS_TRUNCATED (does not fit), STATUS_INVALID (count 0 or P already set).
 */
MUST_USE enum status rtp_pad(uint8_t *packet, size_t length, size_t size, uint8_t count,
                             size_t *ret_length);

/* The values of elements, for rtp_writing; each returns what was written. */
struct rtp_element rtp_audio_level_element(uint8_t id, uint8_t level, bool voice,
                                           uint8_t ret_value[1]);
struct rtp_element rtp_transport_seq_element(uint8_t id, uint16_t seq, uint8_t ret_value[2]);
struct rtp_element rtp_send_time_element(uint8_t id, uint32_t time, uint8_t ret_value[3]);
/* 6.18 seconds modulo 64 of a nanosecond clock. */
uint32_t rtp_send_time_of(uint64_t now_ns);

/* Stores at fixed places of a packet already written (RTP_HEADER_BYTES at least). */
void rtp_sequence_set(uint8_t *packet, uint16_t sequence);
void rtp_timestamp_set(uint8_t *packet, uint32_t timestamp);
void rtp_ssrc_set(uint8_t *packet, uint32_t ssrc);
void rtp_payload_type_set(uint8_t *packet, uint8_t payload_type);
void rtp_marker_set(uint8_t *packet, bool marker);

#endif
