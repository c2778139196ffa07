/* How a peer's SDP reaches the server. */
#ifndef SIGNAL_H
#define SIGNAL_H
#include "peer.h"

struct sig_config {
    const char *janus_url;           /* http://127.0.0.1:8088/janus */
    const char *whip_url, *whep_url; /* with {room}, {pub} and {sub} in them */
    const char *token;
    const char *offer_setup; /* a=setup: of our offers */
    enum codec codec;
    int pt;
    bool nack;
    int rooms, first_room, pubs, timeout_ms;
};

struct signaller {
    const char *name;
    void (*open)(const struct sig_config *c);
    /* Exchange SDP and call peer_start(). Return false, having said why, on failure. */
    bool (*publish)(struct peer *p, int room, int pub);
    /* pub < 0: every publisher of the room over one connection (c->pubs m-lines). */
    bool (*subscribe)(struct peer *p, int room, int sub, int pub);
    void (*keepalive)(void);
    void (*leave)(struct peer *p);
    void (*close)(void);
};

extern const struct signaller sig_janus, sig_whip;

static inline struct local_sdp local_of(const struct sig_config *c, const struct peer *p,
                                        const char *setup)
{
    return (struct local_sdp){
        .ufrag = p->ufrag,
        .pwd = p->pwd,
        .fp = peer_fingerprint(),
        .setup = setup,
        .addr = p->local,
        .codec = c->codec,
        .pt = c->pt,
        .nack = c->nack,
        .ssrc = p->ssrc,
        .n_mlines = 1,
    };
}
#endif
