/*
 * signalling/whip/whip.h - publishing by WHIP (RFC 9725) and watching by WHEP
 * (draft-ietf-wish-whep): POST an offer, get an answer; PATCH and DELETE the resource.
 *
 *   POST /whip/{meeting}?as=NAME         POST /whep/{meeting}?from=NAME|all
 *   PATCH, DELETE /whip/r/{resource}     PATCH, DELETE /whep/r/{resource}
 *
 * Who may: anybody where the meeting is open (no lobby, not locked), else the bearer of
 * its host token. Thread: handlers run on the request pool.
 */
#ifndef SIGNALLING_WHIP_WHIP_H
#define SIGNALLING_WHIP_WHIP_H

#include "modules/meetings/adhoc.h"
#include "modules/meetings/meetings.h"
#include "signalling/http/http.h"

struct whip {
    struct db *db;
    struct meetings *meetings;
    struct media *media;
    enum adhoc adhoc;
};

/* Adds the routes; whip must outlive http. */
MUST_USE enum status whip_routes(struct http *http, struct whip *whip);

#endif
