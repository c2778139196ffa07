/*
 * media/sfu/observe.h - how transports fare, as histograms: each is looked at every
 * OBSERVE_MS while it sends or receives. Thread: the worker; updates are relaxed atomics.
 */
#ifndef MEDIA_SFU_OBSERVE_H
#define MEDIA_SFU_OBSERVE_H

#include "core/metrics.h"

#include <stdint.h>

enum {
    OBSERVE_MS = 10000,
    OBSERVE_ESTIMATE = 8,    /* an eighth: the noise of an estimate is less */
    OBSERVE_FIRST_MS = 2000, /* after adoption: a short call is seen too */
};

struct transport;

/* Shared by all workers; constant after start. */
struct observations {
    struct metric *round_trip, *uplink_loss, *downlink_loss, *estimate;
};

void observations_init(struct observations *observations, struct metrics *metrics);
/* Once a second; does something OBSERVE_FIRST_MS after adoption and then every OBSERVE_MS. */
void observe(struct transport *transport, uint64_t now_ms);
/* Tells the conductor when the estimate has moved by OBSERVE_ESTIMATE of itself. */
void observe_estimate(struct transport *transport, uint32_t estimate_bps);

#endif
