/*
 * signalling/sip/wire.h - what the server and parley-phone say to each other.
 *
 * A message is a frame on a Unix stream socket, numbers big-endian:
 *
 *   u32 length of what follows | u8 version | u8 type | u16 code | u64 call | fields
 *   field: u8 name | u16 length | text | 0
 *
 * Neither side trusts the other: a frame that is too long, of another version, or malformed
 * in any way ends the connection. Any thread; nothing here keeps state but struct wire_in.
 */
#ifndef SIGNALLING_SIP_WIRE_H
#define SIGNALLING_SIP_WIRE_H

#include "core/status.h"

#include <stddef.h>
#include <stdint.h>

enum {
    WIRE_VERSION = 3,
    WIRE_HEAD = 16,           /* bytes before the fields, the length counted */
    WIRE_FRAME_MAX = 1 << 16, /* bytes: an SDP of 32 KiB and what else an INVITE says */
    WIRE_TEXT_MAX = 1 << 15,  /* bytes of one field */
    WIRE_OUT_MAX = 8 << 20,   /* bytes that may wait for a slow other side */
};

enum wire_type {
    /* to the process, in this order, before anything else */
    WIRE_LISTEN = 1, /* ADDRESS; code: enum wire_transport; FILE: folder of agent.pem for TLS;
                        DOMAIN: address told to others, behind NAT */
    WIRE_ALLOW,      /* ADDRESS: "192.0.2.0/24", a source that is let in; NAME: of this trunk */
    WIRE_TRUNK, /* NAME, DOMAIN, USER, PASSWORD, REALM, FILE: authorities for TLS, HOST: the name
                   in its certificate, EXPIRES: seconds to register for, none: it does not;
                   code: seconds between OPTIONS, WIRE_TRUSTED */
    WIRE_START, /* code: packets a second from one source; 0: the built-in limit */
    /* to the process, after START */
    WIRE_TARGETS, /* NAME of the trunk, ADDRESS: "udp:192.0.2.1:5060 tls:[2001:db8::1]:5061" */
    /* to the process, of a call */
    WIRE_ANSWER, /* SDP: 200 to the INVITE or re-INVITE that waits */
    WIRE_REFUSE, /* code, REASON: a final answer to the INVITE or re-INVITE that waits */
    WIRE_HANGUP, /* BYE; 480 to what is not answered yet, CANCEL when the call is ours */
    WIRE_DIAL,   /* NAME of the trunk, SDP, CALLED: a number or "sip:user@host", NUMBER and REASON:
                    ours and the name beside it, none: no name; call: with WIRE_CALL_OUT set */
    /* from the process */
    WIRE_READY,       /* listening, and in its sandbox; ADDRESS of UDP */
    WIRE_FAILED,      /* REASON: it cannot listen, and ends */
    WIRE_INVITE,      /* SDP (none: late offer), NUMBER, NAME, CALLED, ADDRESS, VIA: the trunk,
                         IDENTITY, DATE, TO: of RFC 8224; code: hidden */
    WIRE_REINVITE,    /* SDP (none: late offer) */
    WIRE_ACK,         /* SDP: the answer to a late offer; none: there was none in it */
    WIRE_DIGIT,       /* NAME: the key, by SIP INFO */
    WIRE_ENDED,       /* code, REASON: the last one of its call */
    WIRE_TRUNK_STATE, /* NAME, ADDRESS in use, REASON; code: 1 it answers, and is registered if it
                         is to be; 0: not */
    WIRE_PROGRESS,    /* of a call of ours; code: 180, 183 …; SDP: early media */
    WIRE_ANSWERED,    /* of a call of ours: 200; SDP (none: what came with WIRE_PROGRESS) */
    WIRE_REFRESHED,   /* SDP: the answer to a re-INVITE of the process's own, which said again what
                         was said last */
    WIRE_TYPE_END
};

enum { WIRE_TRUSTED = 1 << 15 /* in the code of TRUNK: what it asserts is believed */ };

/* Calls out are numbered by the server, in the upper half; calls in by the process. */
#define WIRE_CALL_OUT (UINT64_C(1) << 63)

enum wire_transport { WIRE_UDP, WIRE_TCP, WIRE_TLS, WIRE_TRANSPORTS };

enum wire_field {
    WIRE_SDP,
    WIRE_NUMBER,
    WIRE_NAME,
    WIRE_CALLED, /* user part of the Request-URI */
    WIRE_ADDRESS,
    WIRE_REASON,
    WIRE_USER,
    WIRE_PASSWORD,
    WIRE_DOMAIN,
    WIRE_FILE,
    WIRE_REALM,
    WIRE_HOST,
    WIRE_EXPIRES,
    WIRE_VIA,
    WIRE_IDENTITY,
    WIRE_DATE,
    WIRE_TO, /* user part of To */
    WIRE_FIELDS
};

struct wire_message {
    enum wire_type type;
    uint16_t code;
    uint64_t call;                   /* 0: of no call */
    const char *fields[WIRE_FIELDS]; /* NULL: not there */
};

/* Writes a frame of at most `size` bytes. Errors: STATUS_LIMIT (a text or the frame is too long),
 * STATUS_TRUNCATED (`size` is too small). */
MUST_USE enum status wire_write(const struct wire_message *message, uint8_t *bytes, size_t size,
                                size_t *ret_length);
/* Length of the frame that begins at `bytes`. Errors: STATUS_AGAIN (not all of it is there),
 * STATUS_INVALID. */
MUST_USE enum status wire_frame(const uint8_t *bytes, size_t length, size_t *ret_frame);
/* One whole frame; the message's texts are inside `bytes`. Errors: STATUS_INVALID. */
MUST_USE enum status wire_parse(const uint8_t *bytes, size_t length,
                                struct wire_message *ret_message);

/* ---- an end of the connection ---- */

struct wire_end {
    int fd; /* non-blocking; the caller's */
    uint8_t in[WIRE_FRAME_MAX];
    size_t in_length;
    uint8_t *out; /* what the socket did not take yet */
    size_t out_length, out_size;
};

typedef void wire_read_fn(void *context, const struct wire_message *message);

/* Frees what waits; the struct and fd are the caller's. */
void wire_end_clear(struct wire_end *end);
/* Reads what is there and calls fn for each message. Errors: STATUS_CLOSED (the other side is
 * gone), STATUS_INVALID (what it said), STATUS_IO. */
MUST_USE enum status wire_end_read(struct wire_end *end, wire_read_fn *fn, void *context);
/* Sends, or keeps for wire_end_flush. Errors: as wire_write, STATUS_LIMIT (WIRE_OUT_MAX),
 * STATUS_NO_MEMORY, STATUS_CLOSED, STATUS_IO. */
MUST_USE enum status wire_end_send(struct wire_end *end, const struct wire_message *message);
/* Errors: STATUS_AGAIN (more waits: poll for writing), STATUS_CLOSED, STATUS_IO. */
MUST_USE enum status wire_end_flush(struct wire_end *end);

#endif
