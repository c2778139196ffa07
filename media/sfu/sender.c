#include "media/sfu/sender.h"

#include "media/srtp/mac_batch.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { NO_PACKET = UINT16_MAX };

struct sender_message {
    struct ice_address to;
    uint16_t first, last; /* packets, a chain */
    uint16_t count;
    uint16_t segment; /* bytes of each but the last */
    uint32_t total;
    bool closed; /* a smaller packet ended it */
};

/* One message as the kernel takes it. */
struct sender_wire {
    struct sockaddr_storage address;
    union {
        struct cmsghdr head;
        uint8_t bytes[CMSG_SPACE(sizeof(uint16_t))];
    } control;
};

struct sender {
    int fd, family;
    bool gso;
    sender_tap_fn *tap;
    void *tap_context;
    struct mac_batch *macs; /* NULL: none */
    uint32_t batch;         /* never 0 */
    uint16_t packet_count, message_count;
    uint16_t period; /* never 0 */
    uint32_t destinations;
    struct sender_counts counts;
    struct sender_message messages[SENDER_PACKETS_MAX];
    uint16_t lengths[SENDER_PACKETS_MAX], next[SENDER_PACKETS_MAX];
    struct mmsghdr headers[SENDER_PACKETS_MAX];
    struct iovec vectors[SENDER_PACKETS_MAX];
    struct sender_wire wires[SENDER_PACKETS_MAX];
    uint8_t bytes[SENDER_PACKETS_MAX][SENDER_PACKET_BYTES];
};

enum status sender_new(struct sender **ret_sender)
{
    struct sender *sender = calloc(1, sizeof *sender);
    if (sender == NULL)
        return STATUS_NO_MEMORY;
    sender->fd = -1;
    sender->batch = 1;
    sender->period = 1;
    *ret_sender = sender;
    return STATUS_OK;
}

struct sender *sender_free(struct sender *sender)
{
    if (sender != NULL)
        mac_batch_free(sender->macs);
    free(sender);
    return NULL;
}

/* Whether IPv4 may fragment. Never is the rule: a datagram that may be fragmented costs the kernel
 * an identification drawn from a keyed hash. */
static void fragments(const struct sender *sender, bool allowed)
{
    const int discover = allowed ? IP_PMTUDISC_WANT : IP_PMTUDISC_DO;
    (void)setsockopt(sender->fd, IPPROTO_IP, IP_MTU_DISCOVER, &discover, sizeof discover);
}

void sender_socket(struct sender *sender, int fd, int family)
{
    sender->fd = fd;
    sender->family = family;
    int off = 0;
    sender->gso = setsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &off, sizeof off) == 0;
    fragments(sender, false);
}

void sender_tap(struct sender *sender, sender_tap_fn *tap, void *context)
{
    sender->tap = tap;
    sender->tap_context = context;
}

void sender_macs_open(struct sender *sender)
{
    if (sender->macs == NULL)
        (void)!mac_batch_new(&sender->macs); /* without it each tag is made at once */
}

struct mac_batch *sender_macs(const struct sender *sender)
{
    return sender->tap == NULL ? sender->macs : NULL;
}

uint8_t *sender_room(struct sender *sender)
{
    if (sender->packet_count == SENDER_PACKETS_MAX)
        sender_flush(sender);
    return sender->bytes[sender->packet_count];
}

/* The group's message if one more packet of this length may join it. */
static struct sender_message *message_open(const struct sender *sender,
                                           const struct sender_group *group, size_t length)
{
    if (group == NULL || group->batch != sender->batch || !sender->gso)
        return NULL;
    const struct sender_message *message = &sender->messages[group->message];
    if (message->closed || length > message->segment || message->count >= SENDER_SEGMENTS_MAX ||
        message->total + length > SENDER_MESSAGE_MAX)
        return NULL;
    return (struct sender_message *)(uintptr_t)message;
}

uint8_t sender_padding(const struct sender *sender, const struct sender_group *group, size_t length)
{
    const struct sender_message *message = message_open(sender, group, length);
    if (message == NULL || message->segment - length > SENDER_PAD_MAX)
        return 0;
    return (uint8_t)(message->segment - length);
}

void sender_commit(struct sender *sender, const struct ice_address *to, struct sender_group *group,
                   size_t length)
{
    uint16_t packet = sender->packet_count++;
    if (sender->tap != NULL)
        sender->tap(sender->tap_context, to, sender->bytes[packet], length);
    sender->lengths[packet] = (uint16_t)length;
    sender->next[packet] = NO_PACKET;
    struct sender_message *message = message_open(sender, group, length);
    if (message != NULL && ice_address_equal(&message->to, to)) {
        sender->next[message->last] = packet;
        message->last = packet;
        message->count++;
        message->total += (uint32_t)length;
        message->closed = length < message->segment;
        return;
    }
    message = &sender->messages[sender->message_count];
    *message = (struct sender_message){
        .to = *to,
        .first = packet,
        .last = packet,
        .count = 1,
        .segment = (uint16_t)length,
        .total = (uint32_t)length,
    };
    if (group != NULL) {
        sender->destinations += group->period != sender->period;
        *group = (struct sender_group){sender->batch, sender->message_count, sender->period};
    }
    sender->message_count++;
}

void sender_copy(struct sender *sender, const struct ice_address *to, const uint8_t *bytes,
                 size_t length)
{
    if (length > SENDER_PACKET_BYTES) {
        sender->counts.dropped++;
        return;
    }
    memcpy(sender_room(sender), bytes, length);
    sender_commit(sender, to, NULL, length);
}

/* Headers of all messages; returns how many. Those whose address the socket cannot reach are left
 * out. */
static unsigned sender_prepare(struct sender *sender)
{
    unsigned count = 0;
    size_t vector = 0;
    for (uint16_t i = 0; i < sender->message_count; i++) {
        const struct sender_message *message = &sender->messages[i];
        struct sender_wire *wire = &sender->wires[count];
        struct msghdr *header = &sender->headers[count].msg_hdr;
        socklen_t address_length;
        if (ice_address_to(&message->to, (sa_family_t)sender->family, &wire->address,
                           &address_length) != STATUS_OK) {
            sender->counts.dropped += message->count;
            continue;
        }
        *header = (struct msghdr){
            .msg_name = &wire->address,
            .msg_namelen = address_length,
            .msg_iov = &sender->vectors[vector],
            .msg_iovlen = message->count,
        };
        for (uint16_t at = message->first; at != NO_PACKET; at = sender->next[at])
            sender->vectors[vector++] = (struct iovec){sender->bytes[at], sender->lengths[at]};
        if (message->count > 1) {
            header->msg_control = &wire->control;
            header->msg_controllen = sizeof wire->control;
            struct cmsghdr *control = &wire->control.head;
            control->cmsg_level = IPPROTO_UDP;
            control->cmsg_type = UDP_SEGMENT;
            control->cmsg_len = CMSG_LEN(sizeof(uint16_t));
            memcpy(CMSG_DATA(control), &message->segment, sizeof message->segment);
        }
        count++;
    }
    return count;
}

static void count_sent(struct sender *sender, const struct msghdr *header)
{
    sender->counts.packets += header->msg_iovlen;
    if (header->msg_iovlen > 1)
        sender->counts.segmented += header->msg_iovlen;
    for (size_t i = 0; i < header->msg_iovlen; i++)
        sender->counts.bytes += header->msg_iov[i].iov_len;
}

static bool send_one(struct sender *sender, const struct msghdr *header, const struct iovec *vector)
{
    sender->counts.calls++;
    if (sendto(sender->fd, vector->iov_base, vector->iov_len, MSG_DONTWAIT, header->msg_name,
               header->msg_namelen) < 0)
        return false;
    sender->counts.packets++;
    sender->counts.bytes += vector->iov_len;
    return true;
}

/* A message's packets one by one, those too large for the path in fragments. True: there was such
 * a one. */
static bool send_singly(struct sender *sender, const struct msghdr *header)
{
    bool narrow = false;
    for (size_t i = 0; i < header->msg_iovlen; i++) {
        const struct iovec *vector = &header->msg_iov[i];
        bool sent = send_one(sender, header, vector);
        if (!sent && errno == EMSGSIZE) {
            narrow = true;
            fragments(sender, true);
            sent = send_one(sender, header, vector);
            fragments(sender, false);
        }
        sender->counts.dropped += !sent;
    }
    return narrow;
}

/* What the kernel has not taken by sendmmsg, which set errno. */
static void send_refused(struct sender *sender, const struct msghdr *header)
{
    bool segments = header->msg_controllen != 0;
    if (errno != EMSGSIZE && !(segments && (errno == EINVAL || errno == EIO))) {
        sender->counts.dropped += header->msg_iovlen;
        return;
    }
    /* A path narrower than the segments (EINVAL of older kernels) says nothing about others. */
    bool narrow = errno == EMSGSIZE;
    if (!send_singly(sender, header) && !narrow)
        sender->gso = false;
}

void sender_flush(struct sender *sender)
{
    if (sender->packet_count == 0)
        return;
    if (sender->macs != NULL)
        mac_batch_finish(sender->macs);
    unsigned count = sender_prepare(sender);
    unsigned at = 0;
    while (at < count) {
        int sent = sendmmsg(sender->fd, &sender->headers[at], count - at, MSG_DONTWAIT);
        sender->counts.calls++;
        for (int i = 0; i < sent; i++)
            count_sent(sender, &sender->headers[at + (unsigned)i].msg_hdr);
        if (sent > 0) {
            at += (unsigned)sent;
            continue;
        }
        if (errno == EINTR)
            continue;
        send_refused(sender, &sender->headers[at].msg_hdr);
        at++;
    }
    sender->packet_count = 0;
    sender->message_count = 0;
    if (++sender->batch == 0)
        sender->batch = 1;
}

uint32_t sender_destinations(struct sender *sender)
{
    uint32_t destinations = sender->destinations;
    sender->destinations = 0;
    if (++sender->period == 0)
        sender->period = 1;
    return destinations;
}

size_t sender_waiting(const struct sender *sender)
{
    return sender->packet_count;
}

size_t sender_messages(const struct sender *sender)
{
    return sender->message_count;
}

const struct sender_counts *sender_counts(const struct sender *sender)
{
    return &sender->counts;
}
