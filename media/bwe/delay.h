/*
 * media/bwe/delay.h - what the arrival times say: does a queue grow, and how long is it.
 *
 * Packets that left within 5 ms are one group (draft-ietf-rmcat-gcc-02 5.2, 5.3); the
 * trend of the groups' delay over the last of them is compared with a threshold that
 * adapts to the path's jitter (5.4). Beside it the least one-way delay of late tells how
 * much of the present delay is queue.
 *
 * Times are microseconds: sent on our clock, arrivals on the receiver's.
 */
#ifndef MEDIA_BWE_DELAY_H
#define MEDIA_BWE_DELAY_H

#include <stdbool.h>
#include <stdint.h>

enum {
    DELAY_POINTS = 20,     /* groups a trend is drawn through */
    DELAY_GROUP_US = 5000, /* the draft's burst time */
    DELAY_BASE_US =
        8000000, /* the least delay is of the last 8..16 s: clocks drift, paths change */
};

enum delay_usage { DELAY_NORMAL, DELAY_OVERUSE, DELAY_UNDERUSE };

struct delay_group {
    int64_t sent_first_us, sent_us, arrival_first_us, arrival_us;
};

/* Zero-filled is the beginning. */
struct delay {
    bool grouping, grouped; /* `now`, `before` hold something */
    struct delay_group now, before;

    uint8_t count, next; /* of points */
    uint32_t deltas;
    int64_t origin_us; /* arrival the points count from */
    double accumulated_ms, smoothed_ms;
    double times_ms[DELAY_POINTS], delays_ms[DELAY_POINTS];

    double threshold_ms, trend_before, over_ms;
    uint32_t over_count;
    int64_t adapted_us;
    enum delay_usage usage;

    bool based;
    int64_t base_us[2]; /* least delay of the former and of the present period */
    int64_t base_begun_us;
    int64_t least_us; /* of the batch at hand */
    bool batched;
    double jitter_ms; /* mean change of delay from group to group */
};

/* A packet was received; in order of sequence. */
void delay_packet(struct delay *delay, int64_t sent_us, int64_t arrival_us);
/* All of a feedback are in: how long the queue is, in microseconds. */
int64_t delay_queue(struct delay *delay);
/* What stands is no queue of ours: it is the path's delay from now on. */
void delay_rebase(struct delay *delay);

#endif
