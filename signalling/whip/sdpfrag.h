/*
 * signalling/whip/sdpfrag.h - what a PATCH brings: application/trickle-ice-sdpfrag
 * (RFC 8840 9). We are ICE-lite, so candidates are read past; credentials matter.
 */
#ifndef SIGNALLING_WHIP_SDPFRAG_H
#define SIGNALLING_WHIP_SDPFRAG_H

#include "core/arena.h"
#include "core/status.h"
#include "media/media.h"

enum { SDPFRAG_MAX = 16384 /* bytes */ };

struct sdpfrag {
    char ufrag[MEDIA_UFRAG_MAX + 1], pwd[MEDIA_PWD_MAX + 1]; /* "" when absent */
};

/* Errors: STATUS_INVALID (control character, a line that is not TYPE=VALUE, two different
 * credentials, too long).
 */
MUST_USE enum status sdpfrag_read(const char *text, size_t length, struct sdpfrag *ret_frag);

/*
 * The answer to an ICE restart: what spec->ice says of us, the lines it is for, and all our
 * candidates (RFC 9725 4.3.3). Errors: STATUS_NO_MEMORY.
 */
MUST_USE enum status sdpfrag_write(const struct media_transport_spec *spec,
                                   const struct media_local *local, struct arena *arena,
                                   const char **ret_text);

#endif
