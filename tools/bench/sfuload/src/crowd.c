/*
 * crowd: many participants of one meeting in one process, each with one connection that
 * sends and receives, joined through the gateway like a browser. Prints what arrived, what
 * was lost in sequence, and the server's memory a participant. Loopback only; bounded.
 */
#include "json.h"
#include "media.h"
#include "peer.h"
#include "proc.h"
#include "util.h"
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    PEOPLE_MAX = 2000,
    FRAME_MAX = 1 << 19, /* bytes of a gateway frame */
    SLOTS_MAX = 16,
    VOICE_PT = 111,
    VIDEO_PT = 96,
    LEVEL_EXT = 1, /* id of the audio level extension in our offers */
};

static struct {
    int port, people, video, pid, talkers, kbps;
    double seconds;
    const char *meeting, *json;
} o = {.people = 300, .video = 30, .talkers = 4, .kbps = 500, .seconds = 20};

/* ---- a participant ---- */

struct slot {
    uint32_t ssrc;
    bool used;
    uint16_t highest;
    uint64_t packets, lost;
};

struct person {
    struct peer peer;
    int gateway; /* TCP socket of the websocket */
    uint64_t commands;
    char id[64], video_mids[SLOTS_MAX][16];
    bool films;
    uint32_t voice_ssrc, video_ssrc;
    struct source video;
    uint16_t voice_seq;
    uint32_t voice_ts;
    uint64_t next_voice, next_video;
    struct slot slots[64];
    uint64_t received, errors;
};

static struct person *people;
static int joined, ep;
static uint64_t join_max_ns, join_total_ns, key_requests;

/* ---- websocket (RFC 6455), blocking, text only ---- */

static void tcp_write(int fd, const void *data, size_t n)
{
    const char *at = data;
    while (n > 0) {
        ssize_t k = write(fd, at, n);
        if (k < 0 && errno == EAGAIN) {
            poll(&(struct pollfd){fd, POLLOUT, 0}, 1, 1000);
            continue;
        }
        if (k <= 0)
            die("gateway: %m");
        at += k;
        n -= (size_t)k;
    }
}

static void tcp_read(int fd, void *data, size_t n)
{
    char *at = data;
    while (n > 0) {
        ssize_t k = read(fd, at, n);
        if (k < 0 && errno == EAGAIN) {
            if (poll(&(struct pollfd){fd, POLLIN, 0}, 1, 20000) == 0)
                die("gateway: silent for 20 s");
            continue;
        }
        if (k <= 0)
            die("gateway closed the connection");
        at += k;
        n -= (size_t)k;
    }
}

static void ws_open(struct person *p)
{
    char head[4096];
    size_t n = 0;
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons((uint16_t)o.port),
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    p->gateway = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (p->gateway < 0 || connect(p->gateway, (struct sockaddr *)&a, sizeof a))
        die("connect to port %d: %m", o.port);
    int k = snprintf(head, sizeof head,
                     "GET /gateway HTTP/1.1\r\nHost: localhost:%d\r\nUpgrade: websocket\r\n"
                     "Connection: Upgrade\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
                     "Sec-WebSocket-Version: 13\r\n\r\n",
                     o.port);
    tcp_write(p->gateway, head, (size_t)k);
    while (n < 4 || memcmp(head + n - 4, "\r\n\r\n", 4)) {
        tcp_read(p->gateway, head + n, 1);
        if (++n == sizeof head)
            die("gateway: a long answer");
    }
    if (strncmp(head, "HTTP/1.1 101", 12))
        die("gateway: %.*s", (int)strcspn(head, "\r"), head);
}

static void ws_send(struct person *p, const char *text)
{
    size_t n = strlen(text);
    uint8_t *frame = malloc(n + 14);
    size_t at = 2;
    frame[0] = 0x81;
    if (n < 126) {
        frame[1] = (uint8_t)(0x80 | n);
    } else if (n < 65536) {
        frame[1] = 0x80 | 126;
        put16(frame + 2, (uint16_t)n);
        at = 4;
    } else {
        frame[1] = 0x80 | 127;
        put64(frame + 2, n);
        at = 10;
    }
    memset(frame + at, 0, 4); /* a mask of zeros */
    memcpy(frame + at + 4, text, n);
    tcp_write(p->gateway, frame, at + 4 + n);
    free(frame);
}

/* The next text frame, NUL-terminated; valid until the next call. */
static const char *ws_receive(struct person *p)
{
    static uint8_t text[FRAME_MAX];
    for (;;) {
        uint8_t head[10];
        tcp_read(p->gateway, head, 2);
        uint64_t n = head[1] & 127;
        if (n == 126) {
            tcp_read(p->gateway, head, 2);
            n = get16(head);
            head[0] = 0x81;
        } else if (n == 127) {
            tcp_read(p->gateway, head + 2, 8);
            n = get64(head + 2);
        }
        if (n >= sizeof text)
            die("gateway: a frame of %llu bytes", (unsigned long long)n);
        tcp_read(p->gateway, text, n);
        text[n] = 0;
        if ((head[0] & 15) == 1)
            return (const char *)text;
    }
}

__attribute__((format(printf, 3, 4))) static void command(struct person *p, const char *type,
                                                          const char *format, ...)
{
    static char d[FRAME_MAX], frame[FRAME_MAX + 256];
    va_list args;
    va_start(args, format);
    vsnprintf(d, sizeof d, format, args);
    va_end(args);
    snprintf(frame, sizeof frame, "{\"op\":\"command\",\"t\":\"%s\",\"s\":%llu,\"d\":%s}", type,
             (unsigned long long)++p->commands, d);
    ws_send(p, frame);
}

static bool is(const char *frame, const char *path, const char *value)
{
    char text[64];
    return json_str(frame, path, text, sizeof text) && !strcmp(text, value);
}

/* ---- the offer ---- */

static void add_line(char *sdp, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add_line(char *sdp, const char *format, ...)
{
    size_t n = strlen(sdp);
    va_list args;
    va_start(args, format);
    vsnprintf(sdp + n, FRAME_MAX - n, format, args);
    va_end(args);
    strcat(sdp, "\r\n");
}

static void add_media(char *sdp, const struct person *p, int mid, bool audio, uint32_t ssrc)
{
    int pt = audio ? VOICE_PT : VIDEO_PT;
    add_line(sdp, "m=%s 9 UDP/TLS/RTP/SAVPF %d", audio ? "audio" : "video", pt);
    add_line(sdp, "c=IN IP4 0.0.0.0");
    add_line(sdp, "a=ice-ufrag:%s", p->peer.ufrag);
    add_line(sdp, "a=ice-pwd:%s", p->peer.pwd);
    add_line(sdp, "a=fingerprint:sha-256 %s", peer_fingerprint());
    add_line(sdp, "a=setup:actpass\r\na=mid:%d\r\na=rtcp-mux", mid);
    add_line(sdp, ssrc ? "a=sendonly" : "a=recvonly");
    if (audio) {
        add_line(sdp, "a=extmap:%d urn:ietf:params:rtp-hdrext:ssrc-audio-level", LEVEL_EXT);
        add_line(sdp, "a=rtpmap:%d opus/48000/2\r\na=fmtp:%d useinbandfec=1", pt, pt);
    } else {
        add_line(sdp, "a=rtpmap:%d VP8/90000\r\na=rtcp-fb:%d nack\r\na=rtcp-fb:%d nack pli", pt, pt,
                 pt);
    }
    if (ssrc)
        add_line(sdp, "a=ssrc:%u cname:crowd", ssrc);
}

/* JSON-quoted; the caller frees it. */
static char *offer_make(const struct person *p, int voices, int tiles)
{
    char *sdp = calloc(1, FRAME_MAX);
    int lines = 2 + voices + 1 + tiles + 1;
    add_line(sdp, "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0");
    strcat(sdp, "a=group:BUNDLE");
    for (int i = 0; i < lines; i++)
        snprintf(sdp + strlen(sdp), 16, " %d", i);
    strcat(sdp, "\r\n");
    add_media(sdp, p, 0, true, p->voice_ssrc);
    add_media(sdp, p, 1, false, p->video_ssrc);
    for (int i = 2; i < lines; i++)
        add_media(sdp, p, i, i < 2 + voices + 1, 0);
    char *quoted = json_quote(sdp);
    free(sdp);
    return quoted;
}

/* ---- joining ---- */

static void turn(uint64_t until);

/* Reads frames until one is of this type; frames of others are read past. */
static const char *await(struct person *p, const char *type)
{
    for (int i = 0; i < 5000; i++) {
        const char *frame = ws_receive(p);
        if (is(frame, "t", type))
            return frame;
        if (is(frame, "op", "invalid"))
            die("refused: %s", frame);
    }
    die("no %s came", type);
}

static void connect_media(struct person *p)
{
    char err[128];
    static char sdp[FRAME_MAX];
    unsigned long long voices = 3, tiles = 9;
    char *offer = offer_make(p, (int)voices, (int)tiles);
    command(p, "media.offer",
            "{\"sdp\":%s,\"tracks\":[{\"mid\":\"0\",\"source\":\"microphone\"},{\"mid\":\"1\","
            "\"source\":\"camera\"}]}",
            offer);
    free(offer);
    const char *reply = await(p, "reply");
    if (!json_str(reply, "d.result.sdp", sdp, sizeof sdp))
        die("no answer: %.400s", reply);
    if (!sdp_parse(sdp, &p->peer.remote, err, sizeof err))
        die("the answer has %s", err);
    peer_start(&p->peer, true);
    uint64_t until = mono_ns() + 10 * NS_S;
    while (p->peer.state != PEER_UP && p->peer.state != PEER_FAILED && mono_ns() < until)
        turn(mono_ns() + NS_MS);
    if (p->peer.state != PEER_UP)
        die("participant %d did not connect (state %d)", p->peer.index, p->peer.state);
}

static void join(struct person *p, int index)
{
    p->peer.index = index;
    p->films = index < o.video;
    rnd_bytes(&p->voice_ssrc, 4);
    rnd_bytes(&p->video_ssrc, 4);
    peer_open(&p->peer, 1 << 20, false);
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = p};
    if (epoll_ctl(ep, EPOLL_CTL_ADD, p->peer.fd, &e))
        die("epoll_ctl: %m");
    uint64_t start = mono_ns();
    ws_open(p);
    char text[512];
    snprintf(text, sizeof text,
             "{\"op\":\"identify\",\"d\":{\"meeting\":\"%s\",\"name\":\"Person "
             "%d\",\"audio\":true,\"video\":%s}}",
             o.meeting, index, p->films ? "true" : "false");
    ws_send(p, text);
    const char *ready = await(p, "ready");
    if (!json_str(ready, "d.self", p->id, sizeof p->id))
        die("ready without self: %.300s", ready);
    connect_media(p);
    uint64_t took = mono_ns() - start;
    join_total_ns += took;
    join_max_ns = took > join_max_ns ? took : join_max_ns;
    uint64_t now = mono_ns();
    source_init(&p->video, CODEC_VP8, index, VIDEO_PT, p->video_ssrc, 1200,
                o.kbps * 1000 / 8 / 1200 / 15 + 1, 6000, 10 * NS_S);
    p->next_voice = now + (uint64_t)(index % 20) * NS_MS;
    p->next_video = now + (uint64_t)(index % 66) * NS_MS;
}

/* Everybody watches nine of those who film, not themselves. */
static void watch(struct person *p)
{
    char tiles[4096] = "";
    for (int i = 0, n = 0; i < o.video && n < 9; i++) {
        const struct person *other = &people[(p->peer.index + i) % o.video];
        if (other == p)
            continue;
        n++;
        snprintf(tiles + strlen(tiles), sizeof tiles - strlen(tiles),
                 "%s{\"source\":{\"id\":\"%s\",\"kind\":\"camera\"},\"height\":180,\"priority\":1}",
                 *tiles ? "," : "", other->id);
    }
    command(p, "media.view", "{\"tiles\":[%s]}", tiles);
}

/* ---- media ---- */

static void protect_and_send(struct person *p, uint8_t *packet, int n)
{
    if (srtp_protect(p->peer.out_ctx, packet, &n) == srtp_err_status_ok)
        (void)!send(p->peer.fd, packet, (size_t)n, 0);
}

/* A few talk at a time and take turns; the rest is as loud as a quiet room. */
static uint8_t level_of(const struct person *p, uint64_t now)
{
    int speaking = (int)(now / (2 * NS_S)) * o.talkers % joined;
    int place = (p->peer.index - speaking + joined) % joined;
    return place < o.talkers ? (uint8_t)(25 + place * 3) : 100;
}

static void send_voice(struct person *p, uint64_t now)
{
    uint8_t b[256] = {0x90, VOICE_PT};
    put16(b + 2, p->voice_seq++);
    put32(b + 4, p->voice_ts);
    put32(b + 8, p->voice_ssrc);
    put16(b + 12, 0xBEDE);
    put16(b + 14, 1);
    b[16] = LEVEL_EXT << 4;
    b[17] = level_of(p, now);
    b[20] = 0x78;
    p->voice_ts += 960;
    protect_and_send(p, b, 20 + 80);
}

static void send_frame(struct person *p, uint64_t now)
{
    uint8_t b[MEDIA_MAX + 64];
    do
        protect_and_send(p, b, (int)source_packet(&p->video, b, now));
    while (p->video.in_frame != 0);
}

static void send_due(uint64_t now)
{
    for (int i = 0; i < joined; i++) {
        struct person *p = &people[i];
        if (p->peer.state != PEER_UP)
            continue;
        if (now >= p->next_voice) {
            send_voice(p, now);
            p->next_voice += 20 * NS_MS;
        }
        if (p->films && now >= p->next_video) {
            send_frame(p, now);
            p->next_video += NS_S / 15;
        }
    }
}

static struct slot *slot_of(struct person *p, uint32_t ssrc)
{
    for (size_t i = 0; i < sizeof p->slots / sizeof p->slots[0]; i++) {
        if (!p->slots[i].used)
            p->slots[i] = (struct slot){.ssrc = ssrc, .used = true};
        if (p->slots[i].ssrc == ssrc)
            return &p->slots[i];
    }
    return NULL;
}

static void on_rtp(struct person *p, const uint8_t *d)
{
    struct slot *slot = slot_of(p, get32(d + 8));
    uint16_t seq = get16(d + 2);
    if (slot == NULL) {
        p->errors++;
        return;
    }
    int16_t step = (int16_t)(seq - slot->highest);
    if (slot->packets == 0 || step > 0) {
        slot->lost += slot->packets > 0 ? (uint64_t)(step - 1) : 0;
        slot->highest = seq;
    } else if (slot->lost > 0) {
        slot->lost--;
    }
    slot->packets++;
    p->received++;
}

static void on_rtcp(struct person *p, uint8_t *d, int n)
{
    if (!p->peer.srtp_ready || srtp_unprotect_rtcp(p->peer.in_ctx, d, &n))
        return;
    for (int at = 0; at + 8 <= n; at += (get16(d + at + 2) + 1) * 4) {
        if (d[at + 1] == 206 && ((d[at] & 31) == 1 || (d[at] & 31) == 4)) {
            p->video.want_key = true;
            key_requests++;
        }
    }
}

static void receive(struct person *p, uint64_t now)
{
    uint8_t d[2048];
    for (int i = 0; i < 64; i++) {
        ssize_t n = recv(p->peer.fd, d, sizeof d, MSG_DONTWAIT);
        if (n <= 0)
            return;
        if (n < 12 || d[0] < 128 || d[0] > 191)
            peer_handshake_packet(&p->peer, d, (size_t)n, now);
        else if (d[1] >= 192 && d[1] <= 223)
            on_rtcp(p, d, (int)n);
        else
            on_rtp(p, d);
    }
}

static void turn(uint64_t until)
{
    struct epoll_event events[256];
    uint64_t now = mono_ns();
    int ms = until > now ? (int)((until - now) / NS_MS) : 0;
    int n = epoll_wait(ep, events, 256, ms > 1 ? 1 : ms);
    now = mono_ns();
    for (int i = 0; i < n; i++)
        receive(events[i].data.ptr, now);
    send_due(now);
    static uint64_t timers;
    if (now > timers) {
        for (int i = 0; i < o.people && people[i].peer.state != PEER_NEW; i++)
            peer_timer(&people[i].peer, now);
        timers = now + 5 * NS_MS;
    }
}

/* Every five seconds; what the gateway says meanwhile is read past. */
static void beat(void)
{
    static uint64_t due;
    static char sink[65536];
    if (mono_ns() < due)
        return;
    due = mono_ns() + 5 * NS_S;
    for (int i = 0; i < joined; i++) {
        while (recv(people[i].gateway, sink, sizeof sink, MSG_DONTWAIT) > 0)
            continue;
        ws_send(&people[i], "{\"op\":\"heartbeat\"}");
    }
}

static void run_for(double seconds)
{
    uint64_t until = mono_ns() + (uint64_t)(seconds * 1e9);
    while (mono_ns() < until) {
        turn(until);
        beat();
    }
}

/* ---- the run ---- */

struct tally {
    uint64_t packets, lost, streams, errors, least;
};

static struct tally tally_all(void)
{
    struct tally t = {.least = UINT64_MAX};
    for (int i = 0; i < joined; i++) {
        uint64_t live = 0;
        for (size_t k = 0; k < sizeof people[i].slots / sizeof people[i].slots[0]; k++) {
            live += people[i].slots[k].packets > 0;
            t.lost += people[i].slots[k].lost;
        }
        t.packets += people[i].received;
        t.errors += people[i].errors;
        t.streams += live;
        t.least = live < t.least ? live : t.least;
    }
    return t;
}

static void report_json(const struct tally *t, double rss_kib, double us, double seconds)
{
    FILE *f = fopen(o.json, "w");
    if (f == NULL)
        die("%s: %m", o.json);
    fprintf(f,
            "{\"people\":%d,\"video\":%d,\"seconds\":%.3f,\"join_mean_ms\":%.2f,"
            "\"join_max_ms\":%.2f,\"received\":%llu,\"streams\":%llu,\"streams_least\":%llu,"
            "\"lost\":%llu,\"unknown\":%llu,\"rss_kib_per_participant\":%.1f,"
            "\"us_per_packet\":%.3f}\n",
            joined, o.video, seconds, (double)join_total_ns / joined / 1e6,
            (double)join_max_ns / 1e6, (unsigned long long)t->packets,
            (unsigned long long)t->streams, (unsigned long long)t->least,
            (unsigned long long)t->lost, (unsigned long long)t->errors, rss_kib, us);
    fclose(f);
}

static void report(const struct proc_sample *before, const struct proc_sample *p0,
                   const struct proc_sample *p1, double seconds)
{
    struct tally t = tally_all();
    double rss_kib = (double)(p1->rss_kb - before->rss_kb) / joined;
    double us = (double)(p1->user_us + p1->sys_us - p0->user_us - p0->sys_us) /
                (double)(t.packets > 0 ? t.packets : 1);
    printf("%d participants, %d with video, %d talk at a time, %.1f s\n", joined, o.video,
           o.talkers, seconds);
    printf("join: mean %.1f ms, longest %.1f ms\n", (double)join_total_ns / joined / 1e6,
           (double)join_max_ns / 1e6);
    printf("received %llu packets (%.0f/s) in %llu streams (least %llu a participant), lost in "
           "sequence %llu, unknown %llu, key frames asked %llu\n",
           (unsigned long long)t.packets, (double)t.packets / seconds,
           (unsigned long long)t.streams, (unsigned long long)t.least, (unsigned long long)t.lost,
           (unsigned long long)t.errors, (unsigned long long)key_requests);
    if (o.pid > 0)
        printf("server: %.1f KiB a participant (RSS %ld to %ld KiB), %.2f CPU us a packet sent "
               "to us\n",
               rss_kib, (long)before->rss_kb, (long)p1->rss_kb, us);
    if (o.json != NULL)
        report_json(&t, rss_kib, us, seconds);
}

static void options(int argc, char **argv)
{
    for (int i = 1; i + 1 < argc; i += 2) {
        const char *v = argv[i + 1];
        if (!strcmp(argv[i], "--port"))
            o.port = atoi(v);
        else if (!strcmp(argv[i], "--meeting"))
            o.meeting = v;
        else if (!strcmp(argv[i], "--people"))
            o.people = atoi(v);
        else if (!strcmp(argv[i], "--video"))
            o.video = atoi(v);
        else if (!strcmp(argv[i], "--talkers"))
            o.talkers = atoi(v);
        else if (!strcmp(argv[i], "--kbps"))
            o.kbps = atoi(v);
        else if (!strcmp(argv[i], "--seconds"))
            o.seconds = atof(v);
        else if (!strcmp(argv[i], "--json"))
            o.json = v;
        else if (!strcmp(argv[i], "--pid"))
            o.pid = atoi(v);
        else
            die("unknown option %s", argv[i]);
    }
    if (!o.port || !o.meeting || o.people < 2 || o.people > PEOPLE_MAX || o.video < 1 ||
        o.video > o.people || o.seconds > 120)
        die("crowd --port HTTP_PORT --meeting ID [--people N] [--video N] [--talkers N] [--kbps N] "
            "[--seconds S (at most 120)] [--pid SERVER] [--json FILE]");
}

int main(int argc, char **argv)
{
    options(argc, argv);
    setrlimit(RLIMIT_NOFILE, &(struct rlimit){20000, 20000});
    media_init();
    peer_global_init("gcm128");
    ep = epoll_create1(EPOLL_CLOEXEC);
    people = calloc((size_t)o.people, sizeof *people);
    struct proc_sample before = {0}, p0 = {0}, p1 = {0};
    if (o.pid > 0 && !proc_read(o.pid, &before))
        die("no process %d", o.pid);
    for (int i = 0; i < o.people; i++) {
        join(&people[i], i);
        joined = i + 1;
        beat();
    }
    for (int i = 0; i < joined; i++)
        watch(&people[i]);
    run_for(5); /* until every slot is live */
    for (int i = 0; i < joined; i++) {
        people[i].received = people[i].errors = 0;
        for (size_t k = 0; k < 64; k++)
            people[i].slots[k].packets = people[i].slots[k].lost = 0;
    }
    if (o.pid > 0)
        proc_read(o.pid, &p0);
    uint64_t start = mono_ns();
    run_for(o.seconds);
    double seconds = (double)(mono_ns() - start) / 1e9;
    if (o.pid > 0 && !proc_read(o.pid, &p1))
        die("the server has gone");
    report(&before, &p0, &p1, seconds);
    return 0;
}
