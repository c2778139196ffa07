/*
 * media/sfu/redundancy.h - redundant audio (RFC 2198) at the two ends of this server.
 *
 * RED is a matter of one hop. What a publisher sends in it is taken apart where it
 * comes in: everything behind sees plain Opus, and a packet that was lost on the way
 * here is made again from the copy that a later one carries. What a subscriber gets in
 * it is made for this subscriber from the history all of them share, as deep as its
 * own losses ask for (docs/design/loss.md).
 *
 * Thread: receiving, the publisher's worker; sending, the subscriber's.
 */
#ifndef MEDIA_SFU_REDUNDANCY_H
#define MEDIA_SFU_REDUNDANCY_H

#include "core/status.h"
#include "media/packet.h"
#include "media/rtp/red.h"
#include "media/sfu/history.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    REDUNDANCY_DEPTH_MAX = 4,       /* copies of earlier packets in one we send: 80 ms of speech */
    REDUNDANCY_BYTES_MAX = 1100,    /* of a RED payload we make; it fits every path */
    REDUNDANCY_RECOVERED_MAX = 9,   /* RED_BLOCKS_MAX less the primary */
    REDUNDANCY_WINDOW_PACKETS = 64, /* remembered as come; older ones are not made again */
};

/* ---- receiving ---- */

/* Which packets of a stream have come, so that no copy of one is made twice. Zero-filled: none. */
struct redundancy_window {
    bool started;
    int64_t newest;
    uint64_t come; /* bit n: newest - n */
};

/* False: it has come before, by itself or as a copy; or it is too old to know. */
bool redundancy_arrived(struct redundancy_window *window, int64_t index);

/* What RED carried of packets that have not come; oldest first. */
struct redundancy_copies {
    size_t count;
    struct {
        int64_t index;
        uint32_t timestamp;
        const uint8_t *data; /* in the packet */
        uint16_t length;
    } copies[REDUNDANCY_RECOVERED_MAX];
};

/*
 * Takes a RED packet apart: payload_offset and payload_length become those of the primary
 * block. The copies it carries are those of the packets just before it, as every sender of
 * this format does it; those not yet in `window` are listed and noted as come. The packet's
 * own index has been noted by the caller. Blocks of other payload types than `primary_type`
 * are not taken.
 * Errors: STATUS_TRUNCATED, STATUS_LIMIT (as red_parse), STATUS_INVALID (primary of another type).
 */
MUST_USE enum status redundancy_unwrap(struct packet *packet, uint8_t primary_type,
                                       struct redundancy_window *window,
                                       struct redundancy_copies *ret_copies);
/* The packet that was lost: facts of `carrier`, bytes of its copy. NULL: no memory. */
struct packet *redundancy_packet(const struct packet *carrier,
                                 const struct redundancy_copies *copies, size_t which,
                                 struct packets *packets);

/* ---- sending ---- */

/*
 * The blocks with which `packet` leaves: at most `depth` copies of those before it that are
 * held in `history`, came from the same stream, have an index of at least `begin` and fit the
 * fields of RFC 2198 3. Borrowed from the history. False: none, the packet goes without RED.
 */
bool redundancy_view(const struct history *history, const struct packet *packet, int64_t begin,
                     uint8_t depth, uint8_t primary_type, struct red_view *ret_view);

#endif
