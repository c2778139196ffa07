/*
 * tests/support/peer.h - WebRTC clients as far as transport goes, many on one epoll
 * loop: ICE checks, a DTLS client, SRTP. What they send and want is the caller's.
 *
 * A peer's SDP side is data: it has a fingerprint and ICE credentials, and is told the
 * server's. So tests feed media_transport_open directly, and a load tool writes SDP.
 * Everything happens inside crowd_turn; callbacks may send, not free.
 *
 * Thread: the one that calls crowd_turn.
 */
#ifndef TESTS_SUPPORT_PEER_H
#define TESTS_SUPPORT_PEER_H

#include "core/status.h"
#include "media/media.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    PEER_PACKET_MAX = 1500,  /* bytes of a packet sent or received, before protection */
    PEER_SSRCS_MAX = 32,     /* SSRCs one peer sends */
    PEER_CHECK_FAST_MS = 50, /* between checks until one is answered */
};

struct crowd;
struct peer;

struct peer_events {
    /* DTLS is done. */
    void (*connected)(void *context, struct peer *peer);
    /* Decrypted; borrowed. */
    void (*rtp)(void *context, struct peer *peer, const uint8_t *packet, size_t length);
    void (*rtcp)(void *context, struct peer *peer, const uint8_t *packet, size_t length);
    /* close_notify, or the TCP connection's end. */
    void (*closed)(void *context, struct peer *peer);
};

struct peer_config {
    struct sockaddr_in server;
    bool tcp;          /* ICE-TCP: connects, frames by RFC 4571 */
    const char *srtp;  /* profiles for use_srtp; NULL: "SRTP_AEAD_AES_128_GCM" */
    uint32_t check_ms; /* consent interval once answered; 0: 2500 */
    const char *server_ufrag, *server_pwd; /* copied */
    const struct peer_events *events;
    void *context;
};

/* Takes a certificate that all its peers share. Errors: STATUS_NO_MEMORY, STATUS_INTERNAL. */
MUST_USE enum status crowd_new(struct crowd **ret_peers);
/* Frees its peers too. Accepts NULL, returns NULL. */
struct crowd *crowd_free(struct crowd *peers);
const struct media_fingerprint *crowd_fingerprint(const struct crowd *peers);
/* Waits at most wait_ms, then does what is to be done. */
void crowd_turn(struct crowd *peers, int wait_ms);
/* Turns until *done or the time is over; returns *done. */
bool crowd_until(struct crowd *peers, const bool *done, int wait_ms);

/* Opens its socket and begins to check. Errors: STATUS_NO_MEMORY, STATUS_IO. */
MUST_USE enum status peer_new(struct crowd *peers, const struct peer_config *config,
                              struct peer **ret_peer);
/* Sends close_notify when connected. Not inside a callback. */
void peer_free(struct peer *peer);
/* Ours, for the server's spec: 8 and 24 characters. */
const char *peer_ufrag(const struct peer *peer);
const char *peer_pwd(const struct peer *peer);
bool peer_connected(const struct peer *peer);
void *peer_context(const struct peer *peer);
/* Local UDP or TCP port. */
uint16_t peer_port(const struct peer *peer);

/* Protects a copy and sends it. `packet` is a whole RTP packet (rtp_write); its sequence numbers
 * may wrap. Dropped before it is connected. */
void peer_send_rtp(struct peer *peer, const uint8_t *packet, size_t length);
void peer_send_rtcp(struct peer *peer, const uint8_t *packet, size_t length);

/* The network changed: a new socket, checks at once from there. UDP only. */
MUST_USE enum status peer_move(struct peer *peer);
/* false: sends no more checks (consent runs out). */
void peer_set_checking(struct peer *peer, bool on);
/* ICE restart: new credentials of the server; checks at once. */
void peer_restart(struct peer *peer, const char *server_ufrag, const char *server_pwd);
/* Checks answered so far. */
uint32_t peer_checks_answered(const struct peer *peer);

#endif
