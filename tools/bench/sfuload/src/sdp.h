/* Writes offers and answers, and reads the few lines of the far side's SDP that a client needs. */
#ifndef SDP_H
#define SDP_H
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#define MAX_MLINES 64
enum codec { CODEC_VP8, CODEC_H264, CODEC_OPUS };

struct mline {
    char mid[32], kind[16];
    int pt;          /* first payload type that is not rtx/red/ulpfec */
    char rtpmap[64]; /* its rtpmap's value */
    char fmtp[128];
    bool rejected;
    bool nack;
};

struct remote_sdp {
    char ufrag[264], pwd[264];
    uint8_t fp[32];
    bool have_fp, ice_lite;
    char setup[16];
    struct sockaddr_in addr;
    bool have_addr;
    int n_mlines;
    struct mline m[MAX_MLINES];
};

struct local_sdp {
    const char *ufrag, *pwd, *fp; /* fp: "AB:CD:..." */
    const char *setup;
    struct sockaddr_in addr;
    enum codec codec;
    int pt;
    bool nack;
    uint32_t ssrc; /* of a publisher */
    int n_mlines;  /* of a subscriber's offer */
};

bool sdp_parse(const char *sdp, struct remote_sdp *r, char *err, size_t err_len);
char *sdp_offer(const struct local_sdp *l, bool publish);
char *sdp_answer(const struct local_sdp *l,
                 const struct remote_sdp *offer); /* recvonly on each m-line */
#endif
