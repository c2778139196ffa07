/*
 * signalling/sdp/sdp.h - session descriptions (RFC 8866) as structs, and back to text.
 *
 * What the program uses is typed; every other attribute stays as text in `attributes`, in
 * order. The parser takes hostile bytes: everything that can grow has a _MAX. It forgives
 * what real clients do (LF alone, no last newline, unknown lines and attributes) and
 * refuses what is malformed in an attribute it types, naming the line; malformed
 * candidates are left out, since there will always be new kinds of them (RFC 8839 5.1).
 *
 * Names begin with desc_: sdp_ belongs to sofia-sip.
 * Memory: all in the caller's arena; texts are NUL-terminated. Any thread.
 */
#ifndef SIGNALLING_SDP_SDP_H
#define SIGNALLING_SDP_SDP_H

#include "core/arena.h"
#include "core/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    DESC_TEXT_MAX = 1 << 18,   /* bytes of a description */
    DESC_LINES_MAX = 16384,    /* 55 slots of Chromium with all codecs have 6,000 */
    DESC_MEDIA_MAX = 256,      /* m-lines */
    DESC_FORMATS_MAX = 128,    /* of one m-line: there are no more payload types */
    DESC_ATTRIBUTES_MAX = 512, /* of one kind in one section */
    DESC_GROUPS_MAX = 16,      /* a=group of the session */
    DESC_RIDS_MAX = 32,        /* a=rid of one m-line */
    DESC_ALTERNATIVES_MAX = 8, /* of one simulcast stream */
    DESC_SSRC_GROUP_MAX = 16,  /* SSRCs of one group */
    DESC_DIGEST_MAX = 64,      /* bytes: SHA-512 */
    DESC_ERROR_MAX = 128,
    DESC_RTCP_FB_ALL = -1, /* a=rtcp-fb:* */
};

/* Bits: what the one who wrote the description wants to do. */
enum desc_direction {
    DESC_INACTIVE = 0,
    DESC_SENDONLY = 1,
    DESC_RECVONLY = 2,
    DESC_SENDRECV = DESC_SENDONLY | DESC_RECVONLY,
};

/* a=setup (RFC 8842 5.2) */
enum desc_setup {
    DESC_SETUP_NONE,
    DESC_SETUP_ACTPASS,
    DESC_SETUP_ACTIVE,
    DESC_SETUP_PASSIVE,
    DESC_SETUP_HOLDCONN,
};

struct desc_attribute {
    const char *name, *value; /* value NULL: a property attribute */
};

struct desc_connection {
    const char *address; /* NULL: no c= line */
    bool ip6;
};

struct desc_bandwidth {
    const char *type; /* "AS", "TIAS" */
    uint32_t value;
};

struct desc_fingerprint {
    const char *algorithm; /* lower case */
    uint8_t digest[DESC_DIGEST_MAX];
    size_t length;
};

/* RFC 8285 8 */
struct desc_extmap {
    uint16_t id;
    enum desc_direction direction;
    bool directed; /* "/direction" was written */
    const char *uri;
    const char *parameters; /* NULL: none */
};

struct desc_rtpmap {
    uint8_t type;
    const char *encoding;
    uint32_t rate;
    uint8_t channels; /* 0: not written */
};

struct desc_fmtp {
    uint8_t type;
    const char *parameters;
};

/* RFC 4585 4.2; value as written: "nack pli". */
struct desc_rtcp_fb {
    int16_t type; /* DESC_RTCP_FB_ALL: every format */
    const char *value;
};

/* RFC 5576 4.1 */
struct desc_ssrc {
    uint32_t ssrc;
    const char *name;
    const char *value; /* NULL: none */
};

/* RFC 5576 4.2: "FID", "SIM" */
struct desc_ssrc_group {
    const char *semantics;
    uint32_t ssrcs[DESC_SSRC_GROUP_MAX];
    size_t ssrc_count;
};

/* RFC 8851 */
struct desc_rid {
    const char *id;
    bool send;              /* else recv */
    const char *parameters; /* "pt=96,97;max-width=1280"; NULL: none */
};

struct desc_alternative {
    const char *rid;
    bool paused; /* "~" */
};

/* One simulcast stream: its alternatives, most wanted first. */
struct desc_stream {
    struct desc_alternative alternatives[DESC_ALTERNATIVES_MAX];
    size_t alternative_count;
};

/* RFC 8853 5.1 */
struct desc_simulcast {
    struct desc_stream *send, *recv;
    size_t send_count, recv_count;
};

/* RFC 8839 5.1, RFC 6544 4.5 */
struct desc_candidate {
    const char *foundation;
    uint16_t component;
    const char *transport; /* as written: "udp", "UDP", "tcp" */
    uint32_t priority;
    const char *address; /* a number, or a name ending in .local */
    uint16_t port;
    const char *type;    /* "host" */
    const char *tcptype; /* "active", "passive", "so"; NULL: none */
};

/* a=msid (RFC 8830) */
struct desc_msid {
    const char *stream;
    const char *track; /* NULL: none */
};

/* What may stand at the session's and at an m-line's level. */
struct desc_section {
    const char *title; /* i=, NULL: none */
    struct desc_connection connection;
    struct desc_bandwidth *bandwidths;
    size_t bandwidth_count;
    const char *ice_ufrag, *ice_pwd, *ice_options; /* NULL: not there */
    struct desc_fingerprint *fingerprints;
    size_t fingerprint_count;
    enum desc_setup setup;
    enum desc_direction direction; /* means something when directed */
    bool directed;
    bool extmap_allow_mixed;
    bool end_of_candidates;
    struct desc_extmap *extmaps;
    size_t extmap_count;
    struct desc_attribute *attributes; /* all that is not typed here */
    size_t attribute_count;
};

struct desc_media {
    uint32_t line;    /* of its m=, from 1 */
    const char *kind; /* "audio" */
    uint16_t port;
    uint16_t port_count; /* 1 unless written */
    const char *protocol;
    const char **formats;
    size_t format_count;
    struct desc_section section;
    const char *mid; /* NULL: none */
    bool bundle_only, rtcp_mux, rtcp_mux_only, rtcp_rsize;
    uint32_t ptime, maxptime; /* ms; 0: not there */
    struct desc_rtpmap *rtpmaps;
    size_t rtpmap_count;
    struct desc_fmtp *fmtps;
    size_t fmtp_count;
    struct desc_rtcp_fb *rtcp_fbs;
    size_t rtcp_fb_count;
    struct desc_ssrc *ssrcs;
    size_t ssrc_count;
    struct desc_ssrc_group *ssrc_groups;
    size_t ssrc_group_count;
    struct desc_rid *rids;
    size_t rid_count;
    struct desc_simulcast simulcast;
    struct desc_candidate *candidates;
    size_t candidate_count;
    struct desc_msid *msids;
    size_t msid_count;
};

/* a=group (RFC 5888) */
struct desc_group {
    const char *semantics;
    const char **mids;
    size_t mid_count;
};

/* o= */
struct desc_origin {
    const char *username, *id, *version, *address;
    bool ip6;
};

struct desc {
    struct desc_origin origin;
    const char *name; /* s= */
    struct desc_section section;
    bool ice_lite;
    struct desc_group *groups;
    size_t group_count;
    struct desc_media *media;
    size_t media_count;
};

struct desc_error {
    char text[DESC_ERROR_MAX]; /* "line 12: a=mid without a value" */
};

/*
 * Errors: STATUS_INVALID, STATUS_LIMIT (each with ret_error), STATUS_NO_MEMORY. A
 * description takes about three times its own size in the arena.
 */
MUST_USE enum status desc_parse(const char *text, size_t length, struct arena *arena,
                                struct desc *ret_desc, struct desc_error *ret_error);
/* The text with CRLF line ends, in the arena. Texts in `desc` must be printable and without
 * line ends, as those of the parser are. Errors: STATUS_NO_MEMORY. */
MUST_USE enum status desc_print(const struct desc *desc, struct arena *arena,
                                const char **ret_text);

/* The m-line's direction, or else the session's, or else sendrecv (RFC 8866 6.7). */
enum desc_direction desc_direction_of(const struct desc *desc, const struct desc_media *media);
/* The same seen from the other side. */
enum desc_direction desc_direction_mirror(enum desc_direction direction);
/* NULL when there is none. */
const struct desc_rtpmap *desc_rtpmap_of(const struct desc_media *media, uint8_t type);
const char *desc_fmtp_of(const struct desc_media *media, uint8_t type);
/*
 * Value of one "name=value" of a fmtp text (names in any case), copied with a NUL; false
 * when absent or longer than size - 1. parameters may be NULL.
 */
bool desc_parameter(const char *parameters, const char *name, char *ret_value, size_t size);
/* The same as a decimal number; `fallback` when absent or no number up to 2^32-1. */
uint32_t desc_parameter_number(const char *parameters, const char *name, uint32_t fallback);
/* A payload type, 0..127, or -1. */
int desc_payload_type(const char *format);
/* RFC 8866 9 token: what a mid, a rid or a protocol may be made of. */
bool desc_is_token(const char *text);

#endif
