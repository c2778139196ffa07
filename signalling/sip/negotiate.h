/*
 * signalling/sip/negotiate.h - offer and answer with a telephone (RFC 3264): one audio line of
 * RTP/AVP, RTP/SAVP by SDES (RFC 4568) or UDP/TLS/RTP/SAVP (RFC 5763), to what media/leg.h takes.
 *
 * Straight-line, no state; any thread. Memory is the arena's.
 */
#ifndef SIGNALLING_SIP_NEGOTIATE_H
#define SIGNALLING_SIP_NEGOTIATE_H

#include "core/arena.h"
#include "media/leg.h"

enum {
    NEGOTIATE_TEXT_MAX = 1 << 15, /* bytes of a telephone's SDP */
    NEGOTIATE_PTIME_MS = 20,      /* when the telephone does not say (RFC 3551 4.2) */
};

/* Ours, as it goes into SDP. */
struct negotiate_local {
    const char *address; /* numeric */
    uint16_t port, rtcp_port;
    uint64_t session;        /* o=: of the call */
    uint32_t version;        /* o=: one more for each SDP of ours */
    const char *fingerprint; /* media_local()->fingerprint */
};

struct negotiated {
    struct media_leg_stream stream;
    struct media_leg_security security; /* SDES: send_key is drawn here */
    size_t line, line_count;            /* the m-line taken, of how many */
    const char **lines;                 /* "audio 0 RTP/AVP 0": how the others are refused */
    const char *protocol;               /* as offered */
    int crypto_tag;                     /* SDES: of the line taken */
};

/*
 * Reads an offer, or an answer to negotiate_offer. A line of no media (port 0) or of no codec of
 * ours is passed over; the first good audio line is taken, secured lines before plain ones.
 * Hold in every way: a=sendonly, a=recvonly, a=inactive, c= with 0.0.0.0 (RFC 3264 8.4).
 * Errors: STATUS_INVALID (malformed), STATUS_UNSUPPORTED (nothing we can take: 488),
 * STATUS_NO_MEMORY.
 */
MUST_USE enum status negotiate_read(const char *text, struct arena *arena,
                                    struct negotiated *ret_negotiated);
/* The answer to what was read as an offer. Errors: STATUS_NO_MEMORY. */
MUST_USE enum status negotiate_answer(const struct negotiated *negotiated,
                                      const struct negotiate_local *local, struct arena *arena,
                                      const char **ret_text);
/* An offer of ours: every codec. `security`: its kind, and for SDES the suite and send_key that we
 * offer (negotiate_keys). */
MUST_USE enum status negotiate_offer(const struct negotiate_local *local,
                                     const struct media_leg_security *security, struct arena *arena,
                                     const char **ret_text);
/* Name of the codec that is sent: "PCMU". */
const char *negotiate_codec(const struct media_leg_stream *stream);
/* What an offer of ours is sealed by: for SDES a key drawn anew. */
void negotiate_keys(enum media_leg_security_kind kind, struct media_leg_security *ret_security);
/* The answer to such an offer, after negotiate_read: another kind than was offered is refused, and
 * our key is the one we offered. Errors: STATUS_UNSUPPORTED. */
MUST_USE enum status negotiate_answered(const struct media_leg_security *offered,
                                        struct negotiated *negotiated);

#endif
