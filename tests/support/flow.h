/*
 * tests/support/flow.h - one subscriber's download over a link of tests/support/link.h:
 * a sender with layers that obeys media/bwe/, and a receiver that answers with
 * transport-wide feedback. Steps of FLOW_STEP_US; a seed replays all of it.
 */
#ifndef TESTS_SUPPORT_FLOW_H
#define TESTS_SUPPORT_FLOW_H

#include "media/bwe/bwe.h"
#include "media/bwe/pacer.h"
#include "tests/support/link.h"

enum {
    FLOW_STEP_US = 5000,
    FLOW_LAYERS_MAX = 6,
    FLOW_AUDIO_BPS = 40000,
    FLOW_SENT = 4096,  /* packets on the way, power of two */
    FLOW_QUEUE = 1024, /* packets held back by the pacer */
    FLOW_BATCHES = 64,
    FLOW_REPORTS = 2048,
};

struct flow_batch {
    uint64_t due_us;
    size_t count;
    struct twcc_report reports[FLOW_REPORTS];
};

struct flow {
    struct link link;
    struct rng rng;
    struct bwe bwe;
    struct pacer pacer;
    uint32_t layers[FLOW_LAYERS_MAX]; /* bit/s, ascending; video's choices beside none at all */
    size_t layer_count;
    uint32_t feedback_us, back_us; /* spacing and delay of feedback */
    uint32_t feedback_loss;        /* of LINK_ONE */
    int64_t clock_us;              /* receiver's clock less ours */
    uint32_t cross_bps;            /* of another flow, between cross_from_us and cross_to_us */
    uint64_t cross_from_us, cross_to_us;

    uint64_t now_us, frame_us, audio_us, cross_us, fed_back_us;
    int layer; /* now; -1: no video */
    bool key;  /* the next frame is one */
    uint16_t queue[FLOW_QUEUE];
    size_t queue_first, queue_count, queue_bytes;
    uint64_t arrivals[FLOW_SENT]; /* by sequence; 0: lost */
    int64_t sent, told;           /* packets sent; of them told about */
    uint64_t audio_late_us;       /* longest the pacer or our queue held audio: must stay 0 */
    uint64_t video_bytes;
    size_t batch_first, batch_count;
    struct flow_batch batches[FLOW_BATCHES];
};

/* After link, layers and the other givens are set. */
void flow_begin(struct flow *flow);
void flow_step(struct flow *flow);
void flow_end(struct flow *flow);
/* What would be used if the link bore it. */
uint32_t flow_desired(const struct flow *flow);

#endif
