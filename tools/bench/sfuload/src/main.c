/* sfuload: many WebRTC publishers and subscribers in one process, to measure what a server spends
 * on forwarding. See README.md. */
#include "media.h"
#include "peer.h"
#include "proc.h"
#include "signal.h"
#include <errno.h>
#include <getopt.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define BATCH 64
#define MAX_PIDS 8

struct publisher {
    struct peer peer;
    struct source src;
    uint64_t next_send, rtcp_at, keyframe_requests, nacks, sent, mark_sent;
    bool sending;
};

static struct {
    struct sig_config sig;
    const struct signaller *via;
    const char *profile, *json, *label;
    int subs, size, burst, sample, rcvbuf, cpu, wait_ms, poll_us, read_ms;
    double kbps, fps, warm_s, run_s, gop_s, join_gap_ms;
    bool bundle, user_ts, keep;
    int pid[MAX_PIDS], n_pids;
} o = {
    .sig = {.janus_url = "http://127.0.0.1:8088/janus",
            .offer_setup = "actpass",
            .codec = CODEC_VP8,
            .pt = 96,
            .nack = true,
            .rooms = 1,
            .first_room = 7000,
            .pubs = 1,
            .timeout_ms = 10000},
    .via = &sig_whip,
    .profile = "gcm128",
    .label = "sfu",
    .subs = 10,
    .size = 1200,
    .burst = 1,
    .sample = 16,
    .rcvbuf = 4 << 20,
    .cpu = -1,
    .wait_ms = 10000,
    .poll_us = 1000,
    .kbps = 1500,
    .fps = 30,
    .warm_s = 3,
    .run_s = 20,
    .gop_s = 10,
    .bundle = true,
};

static struct publisher *pubs;
static struct peer *subs;
static int n_pubs, n_subs, ep;
static bool in_turn; /* sockets are read one after another, not when something came */
static struct hist lat, join_pub, join_sub;
static bool measuring, stopping;
static volatile sig_atomic_t interrupted;
static uint64_t late, damaged, no_mark, sampled, reordered;

static void on_signal(int s)
{
    (void)s;
    interrupted = 1;
}

/* ---- sending ---- */

static void send_media(struct publisher *p, uint64_t now)
{
    static uint8_t buf[BATCH][MEDIA_MAX + 64];
    struct mmsghdr m[BATCH];
    struct iovec v[BATCH];
    int n = o.burst < BATCH ? o.burst : BATCH;
    uint64_t first = p->src.counter;
    memset(m, 0, sizeof m[0] * (size_t)n);
    for (int i = 0; i < n; i++) {
        int len = (int)source_packet(&p->src, buf[i], now);
        if (srtp_protect(p->peer.out_ctx, buf[i], &len))
            p->peer.srtp_err++;
        v[i] = (struct iovec){buf[i], (size_t)len};
        m[i].msg_hdr.msg_iov = &v[i];
        m[i].msg_hdr.msg_iovlen = 1;
    }
    uint64_t at = real_ns();
    for (int i = 0; i < n; i++)
        source_sent(&p->src, first + (uint64_t)i, at);
    int k = sendmmsg(p->peer.fd, m, (unsigned)n, 0);
    p->sent += k > 0 ? (uint64_t)k : 0;
}

static void send_rtcp(struct peer *p, uint8_t *b, int n)
{
    if (!srtp_protect_rtcp(p->out_ctx, b, &n))
        (void)!send(p->fd, b, (size_t)n, 0);
}

static int sdes(uint8_t *b, uint32_t ssrc)
{
    b[0] = 0x81, b[1] = 202;
    put16(b + 2, 4);
    put32(b + 4, ssrc);
    memcpy(b + 8, "\x01\x07sfuload\0\0\0", 12);
    return 20;
}

static void sender_report(struct publisher *p)
{
    uint8_t b[256];
    uint64_t t = real_ns();
    b[0] = 0x80, b[1] = 200;
    put16(b + 2, 6);
    put32(b + 4, p->src.ssrc);
    put32(b + 8, (uint32_t)(t / NS_S + 2208988800u));
    put32(b + 12, (uint32_t)((t % NS_S << 32) / NS_S));
    put32(b + 16, p->src.ts);
    put32(b + 20, (uint32_t)p->sent);
    put32(b + 24, (uint32_t)(p->sent * (uint64_t)(p->src.size - 12)));
    send_rtcp(&p->peer, b, 28 + sdes(b + 28, p->src.ssrc));
}

static void receiver_report(struct peer *p, uint64_t now)
{
    uint8_t b[1200];
    int n = 0, at = 8;
    for (int i = 0; i < p->n_flows && n < 31; i++) {
        if (!p->flow[i].media)
            continue;
        memset(b + at, 0, 24);
        put32(b + at, p->flow[i].ssrc);
        put32(b + at + 8, p->flow[i].ext_max);
        if (p->flow[i].sr != 0) {
            put32(b + at + 16, p->flow[i].sr);
            put32(b + at + 20, (uint32_t)(((now - p->flow[i].sr_at) << 16) / NS_S));
        }
        at += 24;
        n++;
    }
    b[0] = (uint8_t)(0x80 | n), b[1] = 201;
    put16(b + 2, (uint16_t)(at / 4 - 1));
    put32(b + 4, p->own_ssrc);
    at += sdes(b + at, p->own_ssrc);
    send_rtcp(p, b, at);
}

/* ---- receiving ---- */

static void pub_rtcp(struct publisher *p, uint8_t *d, int n)
{
    if (srtp_unprotect_rtcp(p->peer.in_ctx, d, &n))
        return;
    for (int at = 0; at + 8 <= n;) {
        int fmt = d[at] & 31, type = d[at + 1], len = (get16(d + at + 2) + 1) * 4;
        if (type == 206 && (fmt == 1 || fmt == 4)) {
            p->keyframe_requests++;
            p->src.want_key = true;
        } else if (type == 205 && fmt == 1)
            p->nacks++;
        at += len;
    }
}

static struct flow *flow_of(struct peer *p, uint32_t ssrc)
{
    unsigned i = (ssrc * 2654435761u) >> 26;
    for (int n = 0; n < PEER_FLOWS; n++, i = (i + 1) & (PEER_FLOWS - 1)) {
        struct flow *f = &p->flow[i];
        if (f->used && f->ssrc == ssrc)
            return f;
        if (!f->used) {
            *f = (struct flow){.ssrc = ssrc, .used = true, .pub = -1};
            p->n_flows++;
            return f;
        }
    }
    return NULL;
}

static void sub_rtcp(struct peer *p, uint8_t *d, int n, uint64_t now)
{
    if (srtp_unprotect_rtcp(p->in_ctx, d, &n))
        return;
    for (int at = 0; at + 8 <= n;) {
        int type = d[at + 1], len = (get16(d + at + 2) + 1) * 4;
        struct flow *f = type == 200 && at + 28 <= n ? flow_of(p, get32(d + at + 4)) : NULL;
        if (f) {
            f->sr = get32(d + at + 10);
            f->sr_at = now;
        }
        at += len;
    }
}

static void sub_rtp(struct peer *p, uint8_t *d, int n, uint64_t rx_at)
{
    struct flow *f = flow_of(p, get32(d + 8));
    uint16_t seq = get16(d + 2);
    if (!f || !p->srtp_ready) {
        p->rx_other++;
        return;
    }
    if (!f->packets)
        f->ext_max = f->first = seq;
    else {
        int16_t step = (int16_t)(seq - (uint16_t)f->ext_max);
        if (step > 0)
            f->ext_max += (uint32_t)step;
        else
            reordered++;
    }
    f->packets++;
    f->bytes += (uint64_t)n;
    if (f->decrypted && seq % o.sample)
        return;
    int pub;
    uint64_t counter;
    bool bad;
    if (srtp_unprotect(p->in_ctx, d, &n)) {
        p->srtp_err++;
        return;
    }
    f->decrypted = true;
    sampled++;
    if (!media_mark(d, (size_t)n, &pub, &counter, &bad) || pub < 0 || pub >= n_pubs) {
        no_mark++;
        return;
    }
    damaged += bad;
    f->media = true;
    f->pub = pub;
    struct source *s = &pubs[pub].src;
    if (measuring && s->sent_no[counter % SENT_RING] == counter) {
        uint64_t sent = s->sent_at[counter % SENT_RING];
        hist_add(&lat, rx_at > sent ? rx_at - sent : 0);
    }
}

static void packet(struct peer *p, uint8_t *d, int n, uint64_t rx_at, uint64_t now)
{
    if (n < 1)
        return;
    if (d[0] < 128 || d[0] > 191 || n < 12) {
        peer_handshake_packet(p, d, (size_t)n, now);
        return;
    }
    if (d[1] >= 192 && d[1] <= 223) {
        p->rx_rtcp++;
        if (p->publisher && p->srtp_ready)
            pub_rtcp((struct publisher *)p, d, n);
        else if (p->srtp_ready)
            sub_rtcp(p, d, n, now);
        return;
    }
    if (p->publisher)
        p->rx_other++;
    else
        sub_rtp(p, d, n, rx_at);
}

static int drain(struct peer *p)
{
    static uint8_t buf[BATCH][1600], ctl[BATCH][128];
    static struct iovec v[BATCH];
    static struct mmsghdr m[BATCH];
    for (int i = 0; i < BATCH; i++) {
        v[i] = (struct iovec){buf[i], sizeof buf[i]};
        m[i].msg_hdr = (struct msghdr){.msg_iov = &v[i], .msg_iovlen = 1};
        if (!p->publisher && !o.user_ts)
            m[i].msg_hdr.msg_control = ctl[i], m[i].msg_hdr.msg_controllen = sizeof ctl[i];
    }
    int n = recvmmsg(p->fd, m, BATCH, MSG_DONTWAIT, NULL);
    if (n <= 0)
        return 0;
    uint64_t now = mono_ns(), wall = p->publisher ? 0 : real_ns();
    for (int i = 0; i < n; i++) {
        uint64_t at = wall;
        struct cmsghdr *c = m[i].msg_hdr.msg_control ? CMSG_FIRSTHDR(&m[i].msg_hdr) : NULL;
        for (; c; c = CMSG_NXTHDR(&m[i].msg_hdr, c)) {
            if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_TIMESTAMPNS) {
                struct timespec t;
                memcpy(&t, CMSG_DATA(c), sizeof t);
                at = (uint64_t)t.tv_sec * NS_S + (uint64_t)t.tv_nsec;
            } else if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_RXQ_OVFL)
                memcpy(&p->rxq_drop, CMSG_DATA(c), 4);
        }
        packet(p, buf[i], (int)m[i].msg_len, at, now);
    }
    return n;
}

/* ---- the loop ---- */

/* Reads the sockets on which something came; returns how many may hold more. */
static int read_ready(void)
{
    struct epoll_event ev[512];
    int n = epoll_wait(ep, ev, 512, 0), full = 0;
    for (int i = 0; i < n; i++)
        full += drain(ev[i].data.ptr) == BATCH;
    return full;
}

/* Reads of all sockets one after another as many as the time since the last call asks for, so that
 * each has its turn every o.read_ms; a call then takes several packets. */
static void read_in_turn(uint64_t now)
{
    static uint64_t last;
    static int at;
    uint64_t span = (uint64_t)o.read_ms * NS_MS, since = last == 0 ? 0 : now - last;
    int all = n_pubs + n_subs;
    int due = since > span ? all : (int)((uint64_t)all * since / span);
    if (due == 0 && last != 0)
        return;
    last = now;
    for (int i = 0; i < due; i++, at = (at + 1) % all) {
        struct peer *p = at < n_pubs ? &pubs[at].peer : &subs[at - n_pubs];
        for (int calls = 0; calls < 16 && drain(p) == BATCH; calls++)
            continue;
    }
}

/* One turn: send what is due, read what has come, run timers; sleep when idle, until `limit` at
 * most. */
static void turn(uint64_t limit)
{
    static uint64_t timers_at;
    uint64_t now = mono_ns(), next = limit;
    for (int i = 0; i < n_pubs && !stopping; i++) {
        struct publisher *p = &pubs[i];
        if (!p->sending || p->peer.state != PEER_UP)
            continue;
        uint64_t gap = (uint64_t)(1e6 * o.burst * o.size * 8 / o.kbps);
        if (now > p->next_send + 20 * NS_MS) { /* fell behind: say so, do not flood */
            late += p->next_send ? 1 : 0;
            uint32_t r;
            rnd_bytes(&r, sizeof r);
            p->next_send = now + r % gap;
        }
        while (p->next_send <= now) {
            send_media(p, now);
            p->next_send += gap;
        }
        if (p->next_send < next)
            next = p->next_send;
        if (now >= p->rtcp_at) {
            p->rtcp_at = now + NS_S;
            sender_report(p);
        }
    }
    int full = 0;
    if (in_turn)
        read_in_turn(now);
    else
        full = read_ready();
    now = mono_ns();
    if (now >= timers_at) {
        timers_at = now + 5 * NS_MS;
        static int rr;
        for (int i = 0; i < n_pubs; i++)
            peer_timer(&pubs[i].peer, now);
        for (int i = 0; i < n_subs; i++) {
            peer_timer(&subs[i], now);
            if (i % 200 == rr && subs[i].state == PEER_UP) /* one second is 200 turns of 5 ms */
                receiver_report(&subs[i], now);
        }
        rr = (rr + 1) % 200;
    }
    if (full)
        return;
    if (now + (uint64_t)o.poll_us * 1000 < next)
        next = now + (uint64_t)o.poll_us * 1000;
    if (next > now) {
        struct timespec t = {(time_t)(next / NS_S), (long)(next % NS_S)};
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
    }
}

static void run_for(double s)
{
    uint64_t until = mono_ns() + (uint64_t)(s * 1e9), alive = mono_ns() + 25 * NS_S;
    while (!interrupted && mono_ns() < until) {
        turn(until);
        if (o.via->keepalive && mono_ns() > alive) {
            o.via->keepalive();
            alive = mono_ns() + 25 * NS_S;
        }
    }
}

static bool wait_up(struct peer *p)
{
    uint64_t until = mono_ns() + (uint64_t)o.wait_ms * NS_MS;
    while (!interrupted && p->state != PEER_UP && p->state != PEER_FAILED && mono_ns() < until)
        turn(mono_ns() + NS_MS);
    if (p->state != PEER_UP)
        say("%s %d: not connected (state %d, check ok %d, nominated %d, STUN received %lu)",
            p->publisher ? "publisher" : "subscriber", p->index, p->state, p->check_ok,
            p->nominated, p->stun_rx);
    return p->state == PEER_UP;
}

static void watch(struct peer *p)
{
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = p};
    int on = 1;
    setsockopt(p->fd, SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof on);
    if (epoll_ctl(ep, EPOLL_CTL_ADD, p->fd, &e))
        die("epoll_ctl: %m");
}

/* ---- set-up, report ---- */

static void join_all(struct proc_sample *mid)
{
    int per_room = o.sig.pubs;
    double pps = o.kbps * 1000 / 8 / o.size;
    int per_frame = o.sig.codec == CODEC_OPUS ? 1 : (int)(pps / o.fps + 0.5);
    if (per_frame < 1)
        per_frame = 1;
    uint32_t step = o.sig.codec == CODEC_OPUS ? 960 : (uint32_t)(90000.0 * per_frame / pps);
    n_pubs = 0;
    for (int i = 0; i < o.sig.rooms * per_room; i++) {
        struct publisher *p = &pubs[i];
        p->peer.index = i;
        p->peer.publisher = true;
        p->peer.room = o.sig.first_room + i / per_room;
        rnd_bytes(&p->peer.ssrc, 4);
        peer_open(&p->peer, o.rcvbuf, false);
        source_init(&p->src, o.sig.codec, i, o.sig.pt, p->peer.ssrc, o.size, per_frame, step,
                    (uint64_t)(o.gop_s * 1e9));
        n_pubs++;
        watch(&p->peer);
        uint64_t t = mono_ns();
        if (!o.via->publish(&p->peer, p->peer.room, i % per_room) || !wait_up(&p->peer))
            die("publisher %d did not connect", i);
        hist_add(&join_pub, mono_ns() - t);
        p->sending = true;
    }
    run_for(0.5);
    for (int i = 0; i < o.n_pids; i++)
        proc_read(o.pid[i], &mid[i]);
    int per_sub = o.bundle ? 1 : per_room, total = o.sig.rooms * o.subs * per_sub;
    for (int i = 0; i < total; i++) {
        struct peer *p = &subs[i];
        int sub = i / per_sub % o.subs, pub = o.bundle && per_room > 1 ? -1 : i % per_sub;
        p->index = i;
        p->room = o.sig.first_room + i / (o.subs * per_sub);
        peer_open(p, o.rcvbuf, !o.user_ts);
        n_subs++;
        watch(p);
        uint64_t t = mono_ns();
        if (!o.via->subscribe(p, p->room, sub, pub) || !wait_up(p))
            die("subscriber %d did not connect", i);
        hist_add(&join_sub, mono_ns() - t);
        if (interrupted)
            exit(130);
        if (o.join_gap_ms > 0)
            run_for(o.join_gap_ms / 1000);
    }
}

struct totals {
    uint64_t packets, lost, other, bytes, expected_flows, flows, silent;
};

static struct totals window(void)
{
    struct totals t = {0};
    for (int i = 0; i < n_subs; i++)
        for (int k = 0; k < PEER_FLOWS; k++) {
            struct flow *f = &subs[i].flow[k];
            if (!f->used)
                continue;
            uint64_t got = f->packets - f->mark_packets;
            if (!f->media) {
                t.other += got;
                continue;
            }
            int64_t span =
                (int64_t)f->ext_max - (int64_t)(f->mark_packets ? f->mark_ext : f->first - 1);
            t.flows++;
            t.silent += got == 0;
            t.packets += got;
            t.lost += span > (int64_t)got ? (uint64_t)(span - (int64_t)got) : 0;
        }
    return t;
}

static void usage(void)
{
    puts(
        "sfuload [options]\n"
        "  --via whip|janus        signalling (whip)\n"
        "  --whip URL --whep URL   templates with {room}, {pub} and {sub}; {pub} is 'all' for a "
        "bundle\n"
        "  --token T               bearer token for WHIP and WHEP\n"
        "  --janus URL             (http://127.0.0.1:8088/janus)\n"
        "  --pubs N --subs N       for each room (1, 10)\n"
        "  --rooms N --first-room N\n"
        "  --no-bundle             one connection for each pair of subscriber and publisher\n"
        "  --codec vp8|h264|opus   (vp8)   --kbps N (1500)  --size BYTES (1200)  --fps N (30)  "
        "--gop S (10)\n"
        "  --burst N               packets sent back to back (1: evenly paced)\n"
        "  --srtp gcm128|cm80|gcm256\n"
        "  --setup actpass|active  a=setup: of our offers\n"
        "  --no-nack               do not negotiate NACK\n"
        "  --warm S --time S       (3, 20; time is at most 120)\n"
        "  --sample N              decrypt and check 1 packet in N (16)\n"
        "  --user-ts               arrival times by clock_gettime, not by the kernel\n"
        "  --poll US               how long the loop sleeps when idle (1000)\n"
        "  --read MS               once all are up, every socket is read once in so long, not when "
        "something came:\n"
        "                          spares the generator most of its time in a crowd\n"
        "  --pid PID               a server process to account (repeat for more)\n"
        "  --cpu N                 run on this CPU\n"
        "  --label TEXT --json FILE   append one line of JSON ('-': standard output)");
    exit(0);
}

static void options(int argc, char **argv)
{
    enum {
        VIA = 256,
        WHIP,
        WHEP,
        TOKEN,
        JANUS,
        PUBS,
        SUBS,
        ROOMS,
        FIRST,
        NOBUNDLE,
        CODEC,
        KBPS,
        SIZE,
        FPS,
        GOP,
        BURST,
        SRTP,
        SETUP,
        NONACK,
        WARM,
        TIME,
        SAMPLE,
        USERTS,
        POLL,
        READ,
        PID,
        CPU,
        LABEL,
        JSON,
        HELP,
        GAP
    };
    static const struct option l[] = {{"via", 1, 0, VIA},          {"whip", 1, 0, WHIP},
                                      {"whep", 1, 0, WHEP},        {"token", 1, 0, TOKEN},
                                      {"janus", 1, 0, JANUS},      {"pubs", 1, 0, PUBS},
                                      {"subs", 1, 0, SUBS},        {"rooms", 1, 0, ROOMS},
                                      {"first-room", 1, 0, FIRST}, {"no-bundle", 0, 0, NOBUNDLE},
                                      {"codec", 1, 0, CODEC},      {"kbps", 1, 0, KBPS},
                                      {"size", 1, 0, SIZE},        {"fps", 1, 0, FPS},
                                      {"gop", 1, 0, GOP},          {"burst", 1, 0, BURST},
                                      {"srtp", 1, 0, SRTP},        {"setup", 1, 0, SETUP},
                                      {"no-nack", 0, 0, NONACK},   {"warm", 1, 0, WARM},
                                      {"time", 1, 0, TIME},        {"sample", 1, 0, SAMPLE},
                                      {"user-ts", 0, 0, USERTS},   {"poll", 1, 0, POLL},
                                      {"read", 1, 0, READ},        {"pid", 1, 0, PID},
                                      {"cpu", 1, 0, CPU},          {"label", 1, 0, LABEL},
                                      {"json", 1, 0, JSON},        {"help", 0, 0, HELP},
                                      {"join-gap", 1, 0, GAP},     {0}};
    for (int k; (k = getopt_long(argc, argv, "", l, NULL)) != -1;) {
        switch (k) {
        case VIA:
            o.via = !strcmp(optarg, "janus") ? &sig_janus : &sig_whip;
            break;
        case WHIP:
            o.sig.whip_url = optarg;
            break;
        case WHEP:
            o.sig.whep_url = optarg;
            break;
        case TOKEN:
            o.sig.token = optarg;
            break;
        case JANUS:
            o.sig.janus_url = optarg;
            break;
        case PUBS:
            o.sig.pubs = atoi(optarg);
            break;
        case SUBS:
            o.subs = atoi(optarg);
            break;
        case ROOMS:
            o.sig.rooms = atoi(optarg);
            break;
        case FIRST:
            o.sig.first_room = atoi(optarg);
            break;
        case NOBUNDLE:
            o.bundle = false;
            break;
        case CODEC:
            o.sig.codec = !strcmp(optarg, "opus")   ? CODEC_OPUS
                          : !strcmp(optarg, "h264") ? CODEC_H264
                                                    : CODEC_VP8;
            if (o.sig.codec == CODEC_OPUS)
                o.size = 160, o.kbps = 64, o.sig.pt = 111; /* 50 packets a second */
            break;
        case KBPS:
            o.kbps = atof(optarg);
            break;
        case SIZE:
            o.size = atoi(optarg);
            break;
        case FPS:
            o.fps = atof(optarg);
            break;
        case GOP:
            o.gop_s = atof(optarg);
            break;
        case BURST:
            o.burst = atoi(optarg);
            break;
        case SRTP:
            o.profile = optarg;
            break;
        case SETUP:
            o.sig.offer_setup = optarg;
            break;
        case NONACK:
            o.sig.nack = false;
            break;
        case WARM:
            o.warm_s = atof(optarg);
            break;
        case TIME:
            o.run_s = atof(optarg);
            break;
        case SAMPLE:
            o.sample = atoi(optarg);
            break;
        case USERTS:
            o.user_ts = true;
            break;
        case POLL:
            o.poll_us = atoi(optarg);
            break;
        case READ:
            o.read_ms = atoi(optarg);
            break;
        case PID:
            if (o.n_pids < MAX_PIDS)
                o.pid[o.n_pids++] = atoi(optarg);
            break;
        case CPU:
            o.cpu = atoi(optarg);
            break;
        case LABEL:
            o.label = optarg;
            break;
        case JSON:
            o.json = optarg;
            break;
        case GAP:
            o.join_gap_ms = atof(optarg);
            break;
        default:
            usage();
        }
    }
    if (o.size < 64 || o.size > MEDIA_MAX || o.burst < 1 || o.burst > BATCH || o.sample < 1 ||
        o.kbps <= 0)
        die("size is 64 to %d, burst 1 to %d, sample and kbps above 0", MEDIA_MAX, BATCH);
    if (o.run_s > 120 || o.warm_s > 60)
        die("--time is at most 120, --warm 60");
    if (o.read_ms < 0 || o.read_ms > 500)
        die("--read is at most 500");
    if (o.sig.pubs > MAX_MLINES && o.bundle)
        die("at most %d publishers in a bundle", MAX_MLINES);
}

int main(int argc, char **argv)
{
    options(argc, argv);
    say("%s through %s", o.label, o.via->name);
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    signal(SIGPIPE, SIG_IGN);
    prctl(PR_SET_TIMERSLACK, 1000ul);
    struct rlimit rl = {65536, 65536};
    setrlimit(RLIMIT_NOFILE, &rl);
    if (o.cpu >= 0) {
        cpu_set_t set;
        CPU_ZERO(&set);
        CPU_SET(o.cpu, &set);
        sched_setaffinity(0, sizeof set, &set);
    }
    media_init();
    peer_global_init(o.profile);
    ep = epoll_create1(EPOLL_CLOEXEC);
    pubs = calloc((size_t)(o.sig.rooms * o.sig.pubs), sizeof *pubs);
    subs = calloc((size_t)(o.sig.rooms * o.subs * (o.bundle ? 1 : o.sig.pubs)) + 1, sizeof *subs);
    hist_reset(&lat);
    hist_reset(&join_pub);
    hist_reset(&join_sub);

    struct proc_sample p_mid[MAX_PIDS], p0[MAX_PIDS], p1[MAX_PIDS];
    struct cpu_sample c0, c1;
    memset(p_mid, 0, sizeof p_mid);
    o.via->open(&o.sig);
    join_all(p_mid);
    say("%d publishers and %d subscriber connections are up (%s)", n_pubs, n_subs,
        peer_srtp_name(&pubs[0].peer));
    in_turn = o.read_ms > 0;
    run_for(o.warm_s);

    uint64_t sent0 = 0, sent1 = 0, t0 = mono_ns(), late0 = late, reord0 = reordered;
    struct rusage r0, r1;
    for (int i = 0; i < o.n_pids; i++)
        if (!proc_read(o.pid[i], &p0[i]))
            die("no process %d", o.pid[i]);
    cpu_read(&c0);
    getrusage(RUSAGE_SELF, &r0);
    for (int i = 0; i < n_pubs; i++)
        sent0 += pubs[i].mark_sent = pubs[i].sent;
    uint64_t drop0 = 0, drop1 = 0;
    for (int i = 0; i < n_subs; i++) {
        drop0 += subs[i].rxq_drop;
        for (int k = 0; k < PEER_FLOWS; k++) {
            subs[i].flow[k].mark_packets = subs[i].flow[k].packets;
            subs[i].flow[k].mark_ext = subs[i].flow[k].ext_max;
        }
    }
    measuring = true;
    run_for(o.run_s);
    measuring = false;
    uint64_t t1 = mono_ns();
    for (int i = 0; i < o.n_pids; i++)
        if (!proc_read(o.pid[i], &p1[i]))
            die("process %d has gone", o.pid[i]);
    cpu_read(&c1);
    getrusage(RUSAGE_SELF, &r1);
    for (int i = 0; i < n_pubs; i++)
        sent1 += pubs[i].sent;
    struct totals w = window();
    stopping = true;
    run_for(0.5); /* let the tail arrive */
    struct totals all = window();

    uint64_t srtp_err = 0, up = 0, pli = 0, nacks = 0;
    for (int i = 0; i < n_subs; i++) {
        drop1 += subs[i].rxq_drop;
        srtp_err += subs[i].srtp_err;
        up += subs[i].state == PEER_UP;
    }
    for (int i = 0; i < n_pubs; i++) {
        pli += pubs[i].keyframe_requests;
        nacks += pubs[i].nacks;
    }
    double secs = (double)(t1 - t0) / 1e9, cpu = 0, rss = 0;
    uint64_t fan = (uint64_t)o.subs, offered = (sent1 - sent0) * fan;
    double gen_us = (double)(r1.ru_utime.tv_sec - r0.ru_utime.tv_sec + r1.ru_stime.tv_sec -
                             r0.ru_stime.tv_sec) *
                        1e6 +
                    (double)(r1.ru_utime.tv_usec - r0.ru_utime.tv_usec + r1.ru_stime.tv_usec -
                             r0.ru_stime.tv_usec);
    printf("\n%s: %d rooms x %d publishers x %d subscribers, %.0f kbit/s of %d B, %s, %.1f s\n",
           o.label, o.sig.rooms, o.sig.pubs, o.subs, o.kbps, o.size, peer_srtp_name(&pubs[0].peer),
           secs);
    printf("  sent %lu  to forward %lu  received %lu (%.1f/s)  lost in sequence %lu (%.3f %%)  in "
           "flows %lu (%lu silent)\n",
           sent1 - sent0, offered, w.packets, (double)w.packets / secs, all.lost,
           w.packets ? 100.0 * (double)all.lost / (double)(all.packets + all.lost) : 0, w.flows,
           w.silent);
    printf("  our receive-queue drops %lu  late sends %lu  reordered %lu  other RTP %lu  SRTP "
           "errors %lu  damaged %lu  "
           "unmarked %lu  up %lu/%d\n",
           drop1 - drop0, late - late0, reordered - reord0, w.other, srtp_err, damaged, no_mark, up,
           n_subs);
    printf("  latency us: p50 %.1f  p95 %.1f  p99 %.1f  p99.9 %.1f  max %.1f  (%lu samples)\n",
           (double)hist_quantile(&lat, .5) / 1e3, (double)hist_quantile(&lat, .95) / 1e3,
           (double)hist_quantile(&lat, .99) / 1e3, (double)hist_quantile(&lat, .999) / 1e3,
           (double)lat.max / 1e3, lat.n);
    printf("  join ms: publisher p50 %.1f max %.1f  subscriber p50 %.1f max %.1f   key frame "
           "requests %lu  NACKs %lu\n",
           (double)hist_quantile(&join_pub, .5) / 1e6, (double)join_pub.max / 1e6,
           (double)hist_quantile(&join_sub, .5) / 1e6, (double)join_sub.max / 1e6, pli, nacks);
    for (int i = 0; i < o.n_pids; i++) {
        char name[32];
        proc_name(o.pid[i], name);
        double u = (double)(p1[i].user_us - p0[i].user_us),
               s = (double)(p1[i].sys_us - p0[i].sys_us);
        cpu += u + s;
        rss += (double)p1[i].rss_kb;
        printf("  %s[%d]: %.1f %% CPU (user %.2f s, system %.2f s) = %.3f us a forwarded packet;  "
               "RSS %.1f MiB "
               "(%.1f KiB a subscriber), %d threads, switches %.0f/s\n",
               name, o.pid[i], (u + s) / secs / 1e4, u / 1e6, s / 1e6,
               w.packets ? (u + s) / (double)w.packets : 0, (double)p1[i].rss_kb / 1024,
               ((double)p1[i].rss_kb - (double)p_mid[i].rss_kb) / (o.sig.rooms * o.subs),
               p1[i].threads, (double)(p1[i].vol + p1[i].invol - p0[i].vol - p0[i].invol) / secs);
    }
    printf("  machine:");
    for (int i = 0; i < c1.n; i++)
        printf("  cpu%d %.1f %% (irq %.1f, steal %.1f)", i,
               (double)(c1.busy_us[i] - c0.busy_us[i]) / secs / 1e4,
               (double)(c1.soft_us[i] - c0.soft_us[i]) / secs / 1e4,
               (double)(c1.steal_us[i] - c0.steal_us[i]) / secs / 1e4);
    double busy = 0;
    for (int i = 0; i < c1.n; i++)
        busy += (double)(c1.busy_us[i] - c0.busy_us[i]);
    double others = (busy - gen_us - cpu) / secs / 1e4;
    printf("  generator %.1f %%  others %.1f %%%s\n", gen_us / secs / 1e4, others,
           o.n_pids && others > 8 ? "  (NOISY: something else was running)" : "");
    if (o.n_pids)
        printf("  => %.3f CPU us a forwarded packet, %.0f packets a CPU second\n",
               w.packets ? cpu / (double)w.packets : 0,
               cpu > 0 ? (double)w.packets / cpu * 1e6 : 0);
    if (o.json) {
        FILE *f = strcmp(o.json, "-") ? fopen(o.json, "a") : stdout;
        if (!f)
            die("%s: %m", o.json);
        fprintf(f,
                "{\"label\":\"%s\",\"via\":\"%s\",\"srtp\":\"%s\",\"rooms\":%d,\"pubs\":%d,"
                "\"subs\":%d,\"bundle\":%s,"
                "\"kbps\":%.0f,\"size\":%d,\"burst\":%d,\"seconds\":%.3f,\"sent\":%lu,\"offered\":%"
                "lu,\"received\":%lu,"
                "\"lost\":%lu,\"rxq_drops\":%lu,\"late\":%lu,\"damaged\":%lu,\"srtp_errors\":%lu,"
                "\"lat_p50_us\":%.1f,"
                "\"lat_p95_us\":%.1f,\"lat_p99_us\":%.1f,\"lat_max_us\":%.1f,\"cpu_us\":%.0f,\"us_"
                "per_packet\":%.4f,"
                "\"rss_kib\":%.0f,\"rss_kib_per_sub\":%.1f,\"join_sub_p50_ms\":%.2f,\"gen_cpu_"
                "pct\":%.1f,\"others_cpu_pct\":%.1f}\n",
                o.label, o.via->name, peer_srtp_name(&pubs[0].peer), o.sig.rooms, o.sig.pubs,
                o.subs, o.bundle ? "true" : "false", o.kbps, o.size, o.burst, secs, sent1 - sent0,
                offered, w.packets, all.lost, drop1 - drop0, late - late0, damaged, srtp_err,
                (double)hist_quantile(&lat, .5) / 1e3, (double)hist_quantile(&lat, .95) / 1e3,
                (double)hist_quantile(&lat, .99) / 1e3, (double)lat.max / 1e3, cpu,
                w.packets ? cpu / (double)w.packets : 0, rss,
                o.n_pids ? ((double)p1[0].rss_kb - (double)p_mid[0].rss_kb) / (o.sig.rooms * o.subs)
                         : 0,
                (double)hist_quantile(&join_sub, .5) / 1e6, gen_us / secs / 1e4, others);
        if (f != stdout)
            fclose(f);
    }
    bool good = w.packets > 0 && up == (uint64_t)n_subs && !damaged &&
                w.flows == (uint64_t)n_pubs * fan && !w.silent;
    for (int i = 0; i < n_subs; i++)
        o.via->leave(&subs[i]), peer_close(&subs[i]);
    for (int i = 0; i < n_pubs; i++)
        o.via->leave(&pubs[i].peer), peer_close(&pubs[i].peer);
    if (o.via->close)
        o.via->close();
    srtp_shutdown();
    return good ? 0 : 2;
}
