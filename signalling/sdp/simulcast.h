/*
 * signalling/sdp/simulcast.h - the layers of a track (RFC 8853) and its SSRCs (RFC 5576).
 * Part of answer_make. Any thread.
 */
#ifndef SIGNALLING_SDP_SIMULCAST_H
#define SIGNALLING_SDP_SIMULCAST_H

#include "media/media.h"
#include "signalling/sdp/sdp.h"

/*
 * Fills rids, or else ssrc and rtx_ssrc, of a track whose payloads and extensions are
 * known. Of each stream the first alternative that can be received counts; streams past
 * MEDIA_RIDS_MAX are not taken, and without mid and rid extensions none is: the layers
 * could not be told apart. Adds a=rid and a=simulcast to the answer's line.
 * Errors: STATUS_NO_MEMORY.
 */
MUST_USE enum status simulcast_negotiate(const struct desc_media *offer, struct arena *arena,
                                         struct media_track_spec *track, struct desc_media *answer);

#endif
