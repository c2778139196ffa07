/*
 * tests/support/net_path.h - one direction of a bad network: a bottleneck with a queue, then a
 * way that delays, jitters, drops and repeats.
 *
 * No sockets and no clock: time is an argument and every dice is thrown by a seeded generator,
 * so a run with the same seed and the same times replays. Thread: one owner.
 */
#ifndef TESTS_SUPPORT_NET_PATH_H
#define TESTS_SUPPORT_NET_PATH_H

#include "core/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    NET_PATH_DATAGRAM_MAX = 2048, /* bytes; media over UDP stays below 1,500 */
    NET_PATH_PACKETS_MAX = 16384, /* queued and under way together; more are dropped as `queue` */
    NET_PATH_OVERHEAD = 28,       /* bytes of IPv4 and UDP that the bottleneck carries, too */
    NET_PATH_PPM = 1000000,       /* probabilities are in parts of this */
};

/* Plain data; zeroed: a perfect way. */
struct net_path_settings {
    uint64_t rate_bps;    /* of the bottleneck, headers of IP and UDP included; 0: none */
    uint32_t queue_bytes; /* the bottleneck holds that much, 0: no limit in bytes */
    uint32_t queue_ms;    /* and that much at its rate, 0: no limit in time; the smaller holds */
    uint32_t delay_us;    /* of everything */
    uint32_t jitter_us;   /* evenly 0..jitter on top */
    bool reorder;         /* jitter may change the order; otherwise one waits for the one before */
    uint32_t loss_ppm;    /* behind the bottleneck, each by itself */
    /* Gilbert-Elliott: per packet from good to bad, from bad to good, and the loss while bad. */
    uint32_t burst_enter_ppm, burst_leave_ppm, burst_loss_ppm;
    uint32_t duplicate_ppm;
};

struct net_path_counters {
    uint64_t offered, offered_bytes;
    uint64_t delivered, delivered_bytes; /* duplicates included */
    uint64_t lost;                       /* by dice */
    uint64_t lost_queue;                 /* the bottleneck was full */
    uint64_t lost_outage;
    uint64_t duplicated, reordered;
    uint64_t queue_us_max; /* longest wait in the bottleneck, sending included */
};

struct net_packet {
    uint64_t due_us;     /* when it arrives */
    uint64_t number;     /* in the order of being offered */
    uint64_t offered_us; /* when */
    void *tag;           /* the caller's */
    uint32_t length;
    uint8_t bytes[NET_PATH_DATAGRAM_MAX];
};

struct net_path;

/* Errors: STATUS_NO_MEMORY. */
MUST_USE enum status net_path_new(uint64_t seed, struct net_path **ret_path);
struct net_path *net_path_free(struct net_path *path); /* accepts NULL, returns NULL */

/* What already left the bottleneck keeps its time; what waits there goes on at the new rate. */
void net_path_set(struct net_path *path, const struct net_path_settings *settings, uint64_t now_us);
const struct net_path_settings *net_path_settings(const struct net_path *path);
/* Everything offered before `until_us` is dropped; what is under way still arrives. */
void net_path_outage(struct net_path *path, uint64_t until_us);

/* Takes a copy. Errors: STATUS_INVALID (too long), STATUS_LIMIT (dropped: queue, outage),
 * STATUS_NO_MEMORY. A packet the dice will drop is taken: it uses the bottleneck's time. */
MUST_USE enum status net_path_offer(struct net_path *path, const void *bytes, size_t length,
                                    void *tag, uint64_t now_us);
/* When net_path_take may have something; UINT64_MAX: nothing is under way. */
uint64_t net_path_due_us(const struct net_path *path);
/* The next that has arrived by now, NULL: none. Valid until the next call. */
const struct net_packet *net_path_take(struct net_path *path, uint64_t now_us);

const struct net_path_counters *net_path_counters(const struct net_path *path);
uint32_t net_path_queued_bytes(const struct net_path *path); /* in the bottleneck now */

#endif
