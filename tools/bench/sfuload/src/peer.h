/* One WebRTC peer connection: a UDP socket, ICE checks, a DTLS handshake, SRTP keys. */
#ifndef PEER_H
#define PEER_H
#include "sdp.h"
#include "util.h"
#include <openssl/ssl.h>
#include <srtp2/srtp.h>

#define PEER_FLOWS 64 /* SSRCs that one subscriber can receive */

enum peer_state { PEER_NEW, PEER_ICE, PEER_DTLS, PEER_UP, PEER_FAILED };

/* A received RTP stream. */
struct flow {
    uint32_t ssrc;
    bool used, media; /* media: its payload carries our mark */
    int pub;          /* index of the publisher, once known */
    bool decrypted;   /* the first packet of a flow is always decrypted */
    uint32_t ext_max; /* highest extended sequence number */
    uint32_t first;
    uint64_t packets, bytes;
    uint64_t mark_packets; /* as they were when the window opened */
    uint32_t mark_ext;
    uint32_t sr;    /* middle of the last sender report's NTP time; 0: none */
    uint64_t sr_at; /* when it came */
};

struct peer {
    int index, room, fd;
    bool publisher, controlling, dtls_client, srtp_ready;
    enum peer_state state;
    char ufrag[9], pwd[25];
    struct sockaddr_in local;
    struct remote_sdp remote;
    uint64_t tiebreaker, next_check, t_start, t_up;
    uint8_t tx[12];
    bool check_ok, nominated;
    SSL *ssl;
    const uint8_t *in;
    int in_len;
    srtp_t out_ctx, in_ctx;
    uint64_t rx_other, rx_rtcp, srtp_err, stun_rx;
    uint32_t rxq_drop;
    char resource[512]; /* URL or handle to delete at the end */
    /* publisher */
    uint32_t ssrc;
    int pt;
    /* subscriber */
    uint32_t own_ssrc; /* for its receiver reports */
    int n_flows;
    struct flow flow[PEER_FLOWS];
};

/* profile: "gcm128", "gcm256" or "cm80". */
void peer_global_init(const char *profile);
const char *peer_fingerprint(void);
void peer_open(struct peer *p, int rcvbuf, bool timestamps);
/* The far side's SDP is in p->remote: connect and start the checks. offered: our SDP was the offer.
 */
void peer_start(struct peer *p, bool offered);
/* A datagram that is not RTP or RTCP. */
void peer_handshake_packet(struct peer *p, const uint8_t *d, size_t n, uint64_t now);
void peer_timer(struct peer *p, uint64_t now);
void peer_close(struct peer *p);
const char *peer_srtp_name(const struct peer *p);
#endif
