/*
 * signalling/sdp/answer.h - an offer becomes a transport and an answer (RFC 9429 5.3,
 * RFC 8843, RFC 8853). The server only ever answers; it is ICE-lite and passive.
 *
 * Thread: any; straight-line, no I/O. Everything comes from the offer's own numbers:
 * payload types, extension ids, mids.
 */
#ifndef SIGNALLING_SDP_ANSWER_H
#define SIGNALLING_SDP_ANSWER_H

#include "core/arena.h"
#include "core/status.h"
#include "media/media.h"

enum {
    SDP_OFFER_MAX = 1 << 18, /* bytes; 55 slots of Chromium with all codecs are 247 kB */
    ANSWER_ERROR_MAX = 160,
};

enum answer_role {
    ANSWER_CALL, /* a gateway client: its sendonly lines become tracks, its recvonly lines slots */
    ANSWER_PUBLISH, /* WHIP: audio and video lines that may send become tracks */
    ANSWER_PLAY,    /* WHEP: audio and video lines that may receive become slots */
};

/* Which mid carries what (ANSWER_CALL); a mid not listed is microphone (audio) or camera (video).
 */
struct answer_source {
    const char *mid;
    enum media_source_kind source;
};

struct answer_config {
    enum answer_role role;
    const struct media_local *local;
    const struct answer_source *sources;
    size_t source_count;
    uint64_t transport_id, room;
    /*
     * NULL for a new transport. Otherwise the transport this offer continues: local ICE
     * credentials change when the offer's do (restart), SSRCs of slots are kept by mid.
     */
    const struct media_transport_spec *previous;
};

struct answer_error {
    char text[ANSWER_ERROR_MAX]; /* for the one who sent the offer: "m-line 2 (mid 1): no common
                                    codec" */
};

/* What the offer's fingerprint or ICE credentials say against `previous`. */
enum answer_change { ANSWER_NEW, ANSWER_SAME, ANSWER_RESTART };

/*
 * Takes up to six times the offer's size and 32 KiB of the arena. ret_answer is in it, CRLF
 * lines, m-lines in the offer's order; what we do not take is rejected with port 0, or in the
 * roles of WHIP and WHEP refuses the whole offer. Data channels are rejected: the gateway
 * carries messages.
 * Errors: STATUS_INVALID (malformed, ret_error names the line), STATUS_UNSUPPORTED (no
 * line usable, no DTLS fingerprint, setup:passive, no BUNDLE with several lines, no
 * rtcp-mux), STATUS_LIMIT (too many lines), STATUS_NO_MEMORY.
 */
MUST_USE enum status answer_make(const char *offer, size_t length,
                                 const struct answer_config *config, struct arena *arena,
                                 struct media_transport_spec *ret_spec,
                                 enum answer_change *ret_change, const char **ret_answer,
                                 struct answer_error *ret_error);

/*
 * New local credentials for the client's new ones: an ICE restart without an offer (WHIP's
 * PATCH, RFC 9725 4.3.2). Errors: STATUS_INVALID (not a ufrag and a password of RFC 8839 5.4).
 */
MUST_USE enum status answer_restart(const char *remote_ufrag, const char *remote_pwd,
                                    struct media_ice *ret_ice);

#endif
