/*
 * media/sfu/sender.h - what a worker sends in one turn, gathered and sent together.
 *
 * Packets of one group (a transport) whose sizes fit leave as one message by UDP GSO
 * (UDP_SEGMENT: all equal, only the last may be smaller), all messages by sendmmsg. Never
 * blocks: what the kernel does not take is dropped and counted. When the kernel says that
 * it cannot do GSO, it is not asked again. Datagrams are never fragmented but where a path is
 * known to be too narrow for one.
 *
 * All memory is taken at start, but that for tags with the first who needs them. Thread: the
 * worker.
 */
#ifndef MEDIA_SFU_SENDER_H
#define MEDIA_SFU_SENDER_H

#include "core/status.h"
#include "media/ice/ice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SENDER_PACKETS_MAX = 512,   /* of one batch; a full batch is sent at once */
    SENDER_PACKET_BYTES = 1664, /* room for one: a received one with other extensions and a tag */
    SENDER_SEGMENTS_MAX = 64,   /* UDP_MAX_SEGMENTS of Linux */
    SENDER_MESSAGE_MAX = 65000, /* bytes of one message with GSO */
    SENDER_PAD_MAX = 8,         /* bytes of padding spent to make sizes equal */
};

struct mac_batch;
struct sender;

/* Where a group's last message of this batch is; zero-filled is nowhere. */
struct sender_group {
    uint32_t batch;
    uint16_t message;
    uint16_t period; /* in which it was counted as a destination last */
};

struct sender_counts {
    uint64_t packets, bytes, calls, segmented; /* segmented: packets that shared a message */
    uint64_t dropped;                          /* not taken by the kernel */
};

MUST_USE enum status sender_new(struct sender **ret_sender);
/* Drops what was not flushed. Accepts NULL, returns NULL. */
struct sender *sender_free(struct sender *sender);
/* The bound UDP socket of `family` (AF_INET6 dual-stack or AF_INET); stays the caller's. */
void sender_socket(struct sender *sender, int fd, int family);

/* SENDER_PACKET_BYTES to write the next packet into; flushes when the batch is full. */
uint8_t *sender_room(struct sender *sender);
/* Padding that makes a packet of this length equal to those before it in the group; 0: none. */
uint8_t sender_padding(const struct sender *sender, const struct sender_group *group,
                       size_t length);
/* What was written into the room goes to `to`. `group` NULL: by itself. */
void sender_commit(struct sender *sender, const struct ice_address *to, struct sender_group *group,
                   size_t length);
/* Room and commit of bytes that are already there; longer than SENDER_PACKET_BYTES: dropped. */
void sender_copy(struct sender *sender, const struct ice_address *to, const uint8_t *bytes,
                 size_t length);
void sender_flush(struct sender *sender);
/* From now on tags come with the flush, where the library for it is there. */
void sender_macs_open(struct sender *sender);
/* For the packet in the room (protector_rtp_later). NULL: it has to be whole when committed. */
struct mac_batch *sender_macs(const struct sender *sender);
/* Called with every packet that leaves; NULL: nobody. */
typedef void sender_tap_fn(void *context, const struct ice_address *to, const uint8_t *bytes,
                           size_t length);
void sender_tap(struct sender *sender, sender_tap_fn *tap, void *context);
/* Packets not flushed yet, and the messages they will leave in. */
size_t sender_waiting(const struct sender *sender);
size_t sender_messages(const struct sender *sender);
const struct sender_counts *sender_counts(const struct sender *sender);
/* Groups that sent something since the last call. */
uint32_t sender_destinations(struct sender *sender);

#endif
