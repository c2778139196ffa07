/*
 * signalling/sdp/extension.h - which RTP header extensions (RFC 8285) a line gets, with the
 * offer's ids. Part of answer_make. Any thread.
 */
#ifndef SIGNALLING_SDP_EXTENSION_H
#define SIGNALLING_SDP_EXTENSION_H

#include "media/media.h"
#include "signalling/sdp/sdp.h"

enum { EXTENSION_ID_MAX = 14 /* of a one-byte header (RFC 8285 4.2) */ };

/*
 * What each id stands for on the lines answered so far. Lines of one transport share it: a
 * client that reads extensions before it knows the line (aiortc 1.4) can tell them by id only.
 */
struct extension_ids {
    const char *uris[EXTENSION_ID_MAX + 1]; /* literals; NULL: free */
};

/*
 * `sends`: the offerer sends on this line, so that its extension must be one it sends;
 * otherwise one it receives. An extension both ways is fine for either. Ids above 14 need
 * two-byte headers and are left out, and so are ids that mean something else already. Adds
 * a=extmap to the answer's line.
 * Errors: STATUS_NO_MEMORY.
 */
MUST_USE enum status extensions_negotiate(const struct desc *desc, const struct desc_media *offer,
                                          enum media_kind kind, bool sends,
                                          struct extension_ids *ids, struct arena *arena,
                                          struct media_extensions *ret_extensions,
                                          struct desc_media *answer);

#endif
