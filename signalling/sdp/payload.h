/*
 * signalling/sdp/payload.h - which of a line's payload types we and the offerer have in
 * common, and how the answer says so. Part of answer_make.
 *
 * Audio: Opus, and RED over it (RFC 2198). Video: VP8, VP9 profiles 0 and 2, H264 with
 * packetization modes 1 and 0, AV1 profile 0, each with its RTX (RFC 4588). RED and ULPFEC of
 * video (RFC 5109 14.1) only where we send: what publishers lose on the way to us is
 * repaired by RTX (docs/design/loss.md). Any thread.
 */
#ifndef SIGNALLING_SDP_PAYLOAD_H
#define SIGNALLING_SDP_PAYLOAD_H

#include "media/media.h"
#include "signalling/sdp/sdp.h"

/* What we ask of a publisher's Opus (RFC 7587 7.1). */
struct payload_wish {
    bool stereo, dtx;
};

/*
 * In the offer's order, except that H264 entries are sorted among themselves: packetization
 * mode 1 first, constrained baseline first, since that is what everybody decodes.
 * `transport_cc`: its extension is negotiated, without which the feedback says nothing.
 * `we_send`: the line is a slot.
 */
void payloads_negotiate(const struct desc_media *offer, enum media_kind kind, bool transport_cc,
                        bool we_send, struct media_payload ret_payloads[MEDIA_PAYLOADS_MAX],
                        size_t *ret_count);
/* RED (RFC 2198) before what it repeats: who sends takes the first (RFC 8829 5.3.1). */
void payloads_redundant_first(struct media_payload *payloads, size_t count);
/* Adds formats, rtpmap, rtcp-fb and fmtp to the answer's line. Errors: STATUS_NO_MEMORY. */
MUST_USE enum status payloads_describe(const struct desc_media *offer,
                                       const struct media_payload *payloads, size_t count,
                                       enum media_kind kind, struct payload_wish wish,
                                       struct arena *arena, struct desc_media *answer);
/* Whether the offer's Opus of this line is stereo, by its own words or by what it wants. */
bool payloads_stereo(const struct desc_media *offer);

#endif
