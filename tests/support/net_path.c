/*
 * Two stages. The bottleneck is a list in order, whose head has `head_bits` left to send since
 * `head_since_us`. What has left it goes into a heap by the time of its arrival. Both are walked by
 * net_path_offer and net_path_take with the time they are given, never by a timer of their own.
 */
#include "tests/support/net_path.h"

#include "core/rng.h"

#include <stdlib.h>
#include <string.h>

struct node {
    struct node *next; /* in the bottleneck or the free list */
    struct net_packet packet;
};

struct net_path {
    struct net_path_settings settings;
    struct net_path_counters counters;
    struct rng rng;
    bool bad; /* Gilbert-Elliott */
    uint64_t outage_until_us;
    uint64_t numbers;

    struct node *first, **last; /* bottleneck */
    uint64_t head_bits;         /* millionths of a bit, to stay exact over changes of the rate */
    uint64_t head_since_us;
    uint32_t queued_bytes;

    struct node *heap[NET_PATH_PACKETS_MAX];
    uint32_t heap_count;
    uint64_t last_due_us, last_delivered;

    uint32_t packets; /* in both stages */
    struct node *unused, *taken;
};

enum { MICRO = 1000000 };

enum status net_path_new(uint64_t seed, struct net_path **ret_path)
{
    struct net_path *path = calloc(1, sizeof *path);
    if (!path)
        return STATUS_NO_MEMORY;
    rng_seed(&path->rng, seed);
    path->last = &path->first;
    *ret_path = path;
    return STATUS_OK;
}

static void list_free(struct node *node)
{
    while (node) {
        struct node *next = node->next;
        free(node);
        node = next;
    }
}

struct net_path *net_path_free(struct net_path *path)
{
    if (!path)
        return NULL;
    list_free(path->first);
    list_free(path->unused);
    free(path->taken);
    for (uint32_t i = 0; i < path->heap_count; i++)
        free(path->heap[i]);
    free(path);
    return NULL;
}

static bool chance(struct net_path *path, uint32_t ppm)
{
    return ppm > 0 && rng_below(&path->rng, NET_PATH_PPM) < ppm;
}

/* One step of both loss models; the dice are thrown even when the other already dropped it. */
static bool dice_drop(struct net_path *path)
{
    const struct net_path_settings *settings = &path->settings;
    if (chance(path, path->bad ? settings->burst_leave_ppm : settings->burst_enter_ppm))
        path->bad = !path->bad;
    bool burst = path->bad && chance(path, settings->burst_loss_ppm);
    return chance(path, settings->loss_ppm) || burst;
}

/* ---- nodes ---- */

static struct node *node_take(struct net_path *path)
{
    if (path->packets == NET_PATH_PACKETS_MAX)
        return NULL;
    struct node *node = path->unused;
    if (node)
        path->unused = node->next;
    else
        node = malloc(sizeof *node);
    if (node)
        path->packets++;
    return node;
}

static void node_give(struct net_path *path, struct node *node)
{
    node->next = path->unused;
    path->unused = node;
    path->packets--;
}

/* ---- the heap of what is under way ---- */

static bool earlier(const struct node *a, const struct node *b)
{
    if (a->packet.due_us != b->packet.due_us)
        return a->packet.due_us < b->packet.due_us;
    return a->packet.number < b->packet.number;
}

static void heap_sink(struct net_path *path, uint32_t at)
{
    struct node *node = path->heap[at];
    for (;;) {
        uint32_t child = 2 * at + 1;
        if (child >= path->heap_count)
            break;
        if (child + 1 < path->heap_count && earlier(path->heap[child + 1], path->heap[child]))
            child++;
        if (!earlier(path->heap[child], node))
            break;
        path->heap[at] = path->heap[child];
        at = child;
    }
    path->heap[at] = node;
}

static void heap_put(struct net_path *path, struct node *node)
{
    uint32_t at = path->heap_count++;
    while (at > 0 && earlier(node, path->heap[(at - 1) / 2])) {
        path->heap[at] = path->heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    path->heap[at] = node;
}

static struct node *heap_pop(struct net_path *path)
{
    struct node *top = path->heap[0];
    path->heap[0] = path->heap[--path->heap_count];
    if (path->heap_count > 0)
        heap_sink(path, 0);
    return top;
}

/* ---- behind the bottleneck ---- */

static uint64_t arrival_us(struct net_path *path, uint64_t left_us)
{
    const struct net_path_settings *settings = &path->settings;
    uint64_t due = left_us + settings->delay_us;
    if (settings->jitter_us > 0)
        due += rng_below(&path->rng, settings->jitter_us + 1);
    if (!settings->reorder && due < path->last_due_us)
        due = path->last_due_us;
    if (due > path->last_due_us)
        path->last_due_us = due;
    return due;
}

static void leave_bottleneck(struct net_path *path, struct node *node, uint64_t now_us)
{
    uint64_t waited = now_us - node->packet.offered_us;
    if (waited > path->counters.queue_us_max)
        path->counters.queue_us_max = waited;
    if (dice_drop(path)) {
        path->counters.lost++;
        node_give(path, node);
        return;
    }
    node->packet.due_us = arrival_us(path, now_us);
    heap_put(path, node);
    struct node *copy = chance(path, path->settings.duplicate_ppm) ? node_take(path) : NULL;
    if (!copy)
        return;
    copy->packet = node->packet;
    copy->packet.due_us = arrival_us(path, now_us);
    heap_put(path, copy);
    path->counters.duplicated++;
}

/* ---- the bottleneck ---- */

static uint64_t bits_micro(const struct node *node)
{
    return (uint64_t)(node->packet.length + NET_PATH_OVERHEAD) * 8 * MICRO;
}

/* When the head has been sent, rounded up. */
static uint64_t head_done_us(const struct net_path *path)
{
    if (path->settings.rate_bps == 0)
        return path->head_since_us;
    return path->head_since_us +
           (path->head_bits + path->settings.rate_bps - 1) / path->settings.rate_bps;
}

static void drain(struct net_path *path, uint64_t now_us)
{
    while (path->first) {
        uint64_t done = head_done_us(path);
        if (done > now_us)
            break;
        struct node *node = path->first;
        path->first = node->next;
        if (!path->first)
            path->last = &path->first;
        path->queued_bytes -= node->packet.length + NET_PATH_OVERHEAD;
        leave_bottleneck(path, node, done);
        if (path->first) {
            path->head_bits = bits_micro(path->first);
            path->head_since_us = done;
        }
    }
}

static bool queue_full(const struct net_path *path, size_t length)
{
    const struct net_path_settings *settings = &path->settings;
    uint64_t size = path->queued_bytes + length + NET_PATH_OVERHEAD;
    if (!path->first || settings->rate_bps == 0)
        return false;
    if (settings->queue_bytes > 0 && size > settings->queue_bytes)
        return true;
    return settings->queue_ms > 0 && size * 8000 > settings->rate_bps * settings->queue_ms;
}

void net_path_set(struct net_path *path, const struct net_path_settings *settings, uint64_t now_us)
{
    drain(path, now_us);
    if (path->first && now_us > path->head_since_us) {
        uint64_t sent = path->settings.rate_bps * (now_us - path->head_since_us);
        path->head_bits -= sent < path->head_bits ? sent : path->head_bits;
        path->head_since_us = now_us;
    }
    path->settings = *settings;
    if (settings->burst_enter_ppm == 0)
        path->bad = false;
}

const struct net_path_settings *net_path_settings(const struct net_path *path)
{
    return &path->settings;
}

void net_path_outage(struct net_path *path, uint64_t until_us)
{
    path->outage_until_us = until_us;
}

enum status net_path_offer(struct net_path *path, const void *bytes, size_t length, void *tag,
                           uint64_t now_us)
{
    if (length > NET_PATH_DATAGRAM_MAX)
        return STATUS_INVALID;
    drain(path, now_us);
    path->counters.offered++;
    path->counters.offered_bytes += length;
    if (now_us < path->outage_until_us) {
        path->counters.lost_outage++;
        return STATUS_LIMIT;
    }
    if (queue_full(path, length) || path->packets == NET_PATH_PACKETS_MAX) {
        path->counters.lost_queue++;
        return STATUS_LIMIT;
    }
    struct node *node = node_take(path);
    if (!node)
        return STATUS_NO_MEMORY;
    node->next = NULL;
    node->packet.number = path->numbers++;
    node->packet.offered_us = now_us;
    node->packet.tag = tag;
    node->packet.length = (uint32_t)length;
    if (length > 0)
        memcpy(node->packet.bytes, bytes, length);
    if (!path->first) {
        path->head_bits = bits_micro(node);
        path->head_since_us = now_us;
    }
    *path->last = node;
    path->last = &node->next;
    path->queued_bytes += (uint32_t)length + NET_PATH_OVERHEAD;
    drain(path, now_us);
    return STATUS_OK;
}

uint64_t net_path_due_us(const struct net_path *path)
{
    uint64_t due = path->heap_count > 0 ? path->heap[0]->packet.due_us : UINT64_MAX;
    /* The head may be dropped behind the bottleneck; then nothing is there to take yet. */
    uint64_t head = path->first ? head_done_us(path) : UINT64_MAX;
    return head < due ? head : due;
}

const struct net_packet *net_path_take(struct net_path *path, uint64_t now_us)
{
    if (path->taken)
        node_give(path, path->taken);
    path->taken = NULL;
    drain(path, now_us);
    if (path->heap_count == 0 || path->heap[0]->packet.due_us > now_us)
        return NULL;
    path->taken = heap_pop(path);
    const struct net_packet *packet = &path->taken->packet;
    path->counters.delivered++;
    path->counters.delivered_bytes += packet->length;
    if (packet->number < path->last_delivered)
        path->counters.reordered++;
    else
        path->last_delivered = packet->number;
    return packet;
}

const struct net_path_counters *net_path_counters(const struct net_path *path)
{
    return &path->counters;
}

uint32_t net_path_queued_bytes(const struct net_path *path)
{
    return path->queued_bytes;
}
