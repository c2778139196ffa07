/*
 * signalling/api/api.h - REST under /api/v1 and the operator's endpoints.
 * Thread: handlers run on the request pool.
 */
#ifndef SIGNALLING_API_API_H
#define SIGNALLING_API_API_H

#include "core/metrics.h"
#include "modules/meetings/adhoc.h"
#include "modules/meetings/meetings.h"
#include "signalling/http/http.h"

#include <stdatomic.h>

struct api {
    struct db *db;
    struct meetings *meetings;
    struct metrics *metrics;
    enum adhoc adhoc;
    uint8_t voices;
    atomic_bool ready; /* what /readyz says */
};

/* Adds the routes; api must outlive http. */
MUST_USE enum status api_routes(struct http *http, struct api *api);

#endif
