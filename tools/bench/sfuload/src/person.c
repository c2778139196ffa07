#include "person.h"
#include "json.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    HEAD_MAX = 4096, /* bytes of the answer to the upgrade */
    READS = 64,      /* datagrams, or pieces of frames, at one event */
    GATEWAY = 1,     /* in an event's data, beside the person's address */
};
#define JOIN_MAX (20 * NS_S)
#define HEARTBEAT (5 * NS_S)

__attribute__((format(printf, 2, 3))) static void fail(struct person *p, const char *format, ...)
{
    va_list args;
    if (p->state == PERSON_FAILED)
        return;
    va_start(args, format);
    vsnprintf(p->why, sizeof p->why, format, args);
    va_end(args);
    p->state = PERSON_FAILED;
}

/* ---- websocket (RFC 6455), text only ---- */

/* What the socket has no room for at once is a failure: commands are small and few. */
static void tcp_write(struct person *p, const void *data, size_t n)
{
    if (p->gateway >= 0 && send(p->gateway, data, n, MSG_NOSIGNAL) != (ssize_t)n)
        fail(p, "gateway: %m");
}

static void ws_open(struct person *p)
{
    char head[512];
    int on = 1;
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons((uint16_t)p->spec.port),
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    p->gateway = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (p->gateway < 0 || connect(p->gateway, (struct sockaddr *)&a, sizeof a)) {
        fail(p, "connect to port %d: %m", p->spec.port);
        return;
    }
    setsockopt(p->gateway, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    int n = snprintf(head, sizeof head,
                     "GET /gateway HTTP/1.1\r\nHost: localhost:%d\r\nUpgrade: websocket\r\n"
                     "Connection: Upgrade\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
                     "Sec-WebSocket-Version: 13\r\n\r\n",
                     p->spec.port);
    tcp_write(p, head, (size_t)n);
    struct epoll_event e = {.events = EPOLLIN, .data.u64 = (uintptr_t)p | GATEWAY};
    if (epoll_ctl(p->spec.ep, EPOLL_CTL_ADD, p->gateway, &e))
        die("epoll_ctl: %m");
}

static void ws_close(struct person *p)
{
    if (p->gateway >= 0)
        close(p->gateway);
    p->gateway = -1;
}

static void ws_send(struct person *p, const char *text)
{
    size_t n = strlen(text), at = 2;
    uint8_t *frame = malloc(n + 14);
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
    tcp_write(p, frame, at + 4 + n);
    free(frame);
}

/* A whole frame at the start of n bytes: its length, where its text is; 0: more is to come. */
static size_t ws_frame(const uint8_t *b, size_t n, size_t *ret_at)
{
    size_t at = 2, length;
    if (n < 2)
        return 0;
    length = b[1] & 127;
    if (length == 126) {
        at = 4;
        length = n >= at ? get16(b + 2) : 0;
    } else if (length == 127) {
        at = 10;
        length = n >= at ? get64(b + 2) : 0;
    }
    if (length >= PERSON_FRAME_MAX)
        die("gateway: a frame of %zu bytes", length);
    *ret_at = at;
    return n >= at + length ? at + length : 0;
}

void person_command(struct person *p, const char *type, const char *d)
{
    size_t size = strlen(d) + 128;
    char *frame = malloc(size);
    snprintf(frame, size, "{\"op\":\"command\",\"t\":\"%s\",\"s\":%llu,\"d\":%s}", type,
             (unsigned long long)++p->commands, d);
    ws_send(p, frame);
    free(frame);
}

/* ---- the offer ---- */

static void add_line(FILE *sdp, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add_line(FILE *sdp, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vfprintf(sdp, format, args);
    va_end(args);
    fputs("\r\n", sdp);
}

static void add_media(FILE *sdp, const struct person *p, int mid, bool audio, uint32_t ssrc)
{
    int pt = audio ? PERSON_VOICE_PT : PERSON_VIDEO_PT;
    add_line(sdp, "m=%s 9 UDP/TLS/RTP/SAVPF %d", audio ? "audio" : "video", pt);
    add_line(sdp, "c=IN IP4 0.0.0.0");
    add_line(sdp, "a=ice-ufrag:%s", p->peer.ufrag);
    add_line(sdp, "a=ice-pwd:%s", p->peer.pwd);
    add_line(sdp, "a=fingerprint:sha-256 %s", peer_fingerprint());
    add_line(sdp, "a=setup:actpass\r\na=mid:%d\r\na=rtcp-mux", mid);
    add_line(sdp, ssrc ? "a=sendonly" : "a=recvonly");
    if (audio) {
        add_line(sdp, "a=extmap:%d urn:ietf:params:rtp-hdrext:ssrc-audio-level", PERSON_LEVEL_EXT);
        add_line(sdp, "a=rtpmap:%d opus/48000/2\r\na=fmtp:%d useinbandfec=1", pt, pt);
    } else {
        add_line(sdp, "a=rtpmap:%d VP8/90000\r\na=rtcp-fb:%d nack\r\na=rtcp-fb:%d nack pli", pt, pt,
                 pt);
    }
    if (ssrc)
        add_line(sdp, "a=ssrc:%u cname:crowd", ssrc);
}

/* JSON-quoted; the caller frees it. */
static char *offer_make(const struct person *p)
{
    char *text = NULL;
    size_t size;
    FILE *sdp = open_memstream(&text, &size);
    int lines = 2 + PERSON_VOICES + 1 + PERSON_TILES + 1;
    add_line(sdp, "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0");
    fputs("a=group:BUNDLE", sdp);
    for (int i = 0; i < lines; i++)
        fprintf(sdp, " %d", i);
    add_line(sdp, "%s", "");
    add_media(sdp, p, 0, true, p->voice_ssrc);
    add_media(sdp, p, 1, false, p->video_ssrc);
    for (int i = 2; i < lines; i++)
        add_media(sdp, p, i, i < 2 + PERSON_VOICES + 1, 0);
    fclose(sdp);
    char *quoted = json_quote(text);
    free(text);
    return quoted;
}

/* ---- joining, step by step ---- */

static bool is(const char *frame, const char *path, const char *value)
{
    char text[64];
    return json_str(frame, path, text, sizeof text) && !strcmp(text, value);
}

static void identify(struct person *p)
{
    char text[512];
    snprintf(text, sizeof text,
             "{\"op\":\"identify\",\"d\":{\"meeting\":\"%s\",\"name\":\"Person "
             "%d\",\"audio\":true,\"video\":%s}}",
             p->spec.meeting, p->peer.index, p->spec.films ? "true" : "false");
    ws_send(p, text);
    p->state = PERSON_IDENTIFYING;
}

static void offer(struct person *p, const char *ready)
{
    if (!json_str(ready, "d.self", p->id, sizeof p->id)) {
        fail(p, "ready without self: %.100s", ready);
        return;
    }
    char *sdp = offer_make(p);
    size_t size = strlen(sdp) + 128;
    char *d = malloc(size);
    snprintf(d, size,
             "{\"sdp\":%s,\"tracks\":[{\"mid\":\"0\",\"source\":\"microphone\"},{\"mid\":\"1\","
             "\"source\":\"camera\"}]}",
             sdp);
    p->state = PERSON_OFFERING;
    person_command(p, "media.offer", d);
    free(d);
    free(sdp);
}

static void answered(struct person *p, const char *reply)
{
    static char sdp[PERSON_FRAME_MAX];
    char err[128];
    if (!json_str(reply, "d.result.sdp", sdp, sizeof sdp)) {
        fail(p, "no answer: %.150s", reply);
    } else if (!sdp_parse(sdp, &p->peer.remote, err, sizeof err)) {
        fail(p, "the answer has %s", err);
    } else {
        p->state = PERSON_CONNECTING;
        peer_start(&p->peer, true);
    }
}

static void on_frame(struct person *p, const char *frame)
{
    if (p->state == PERSON_IDENTIFYING && is(frame, "t", "ready"))
        offer(p, frame);
    else if (p->state == PERSON_OFFERING && is(frame, "t", "reply"))
        answered(p, frame);
    else if (p->state < PERSON_IN && is(frame, "op", "invalid"))
        fail(p, "refused: %.150s", frame);
}

static size_t on_head(struct person *p)
{
    const char *end = memmem(p->in, p->have, "\r\n\r\n", 4);
    if (end == NULL) {
        if (p->have > HEAD_MAX)
            fail(p, "gateway: a long answer");
        return 0;
    }
    if (strncmp((const char *)p->in, "HTTP/1.1 101", 12))
        fail(p, "gateway: %.*s", (int)strcspn((const char *)p->in, "\r"), (const char *)p->in);
    else
        identify(p);
    return (size_t)(end + 4 - (const char *)p->in);
}

/* Takes whole frames out of what was read. */
static void digest(struct person *p)
{
    size_t used = 0, at, n;
    if (p->state == PERSON_GREETING)
        used = on_head(p);
    while (p->state < PERSON_IN && p->state != PERSON_GREETING &&
           (n = ws_frame(p->in + used, p->have - used, &at)) > 0) {
        uint8_t *text = p->in + used + at, kept = text[n - at];
        text[n - at] = 0;
        if ((p->in[used] & 15) == 1)
            on_frame(p, (const char *)text);
        text[n - at] = kept;
        used += n;
    }
    memmove(p->in, p->in + used, p->have - used);
    p->have -= used;
}

/* Who is in needs no word of the gateway: it is read past. */
static void gateway_read(struct person *p)
{
    static char sink[1 << 16];
    ssize_t n = 1;
    for (int i = 0; i < READS && n > 0 && p->gateway >= 0; i++) {
        if (p->state >= PERSON_IN) {
            n = recv(p->gateway, sink, sizeof sink, MSG_DONTWAIT);
            if (n >= (ssize_t)sizeof p->tail)
                memcpy(p->tail, sink + n - sizeof p->tail, sizeof p->tail);
        } else {
            if (p->room - p->have < 4096)
                p->in = realloc(p->in, (p->room = p->room * 2 + 16384) + 1);
            n = recv(p->gateway, p->in + p->have, p->room - p->have, MSG_DONTWAIT);
            p->have += n > 0 ? (size_t)n : 0;
            if (n > 0)
                digest(p);
        }
    }
    if (n > 0 || (n < 0 && errno == EAGAIN))
        return;
    ws_close(p);
    if (p->state == PERSON_LEAVING)
        p->state = PERSON_GONE;
    else
        fail(p, "gateway closed the connection (%d)",
             p->tail[0] == 0x88 && p->tail[1] == 2 ? get16(p->tail + 2) : 0);
}

/* ---- the connection ---- */

static void media_read(struct person *p, uint64_t now)
{
    uint8_t d[2048];
    for (int i = 0; i < READS; i++) {
        ssize_t n = recv(p->peer.fd, d, sizeof d, MSG_DONTWAIT);
        if (n <= 0)
            return;
        if (p->state >= PERSON_LEAVING)
            continue;
        if (n < 12 || d[0] < 128 || d[0] > 191)
            peer_handshake_packet(&p->peer, d, (size_t)n, now);
        else if (p->spec.on_media != NULL)
            p->spec.on_media(p, d, (int)n);
    }
}

static void watch_connection(struct person *p, uint64_t now)
{
    if (p->state == PERSON_NEW || p->state >= PERSON_LEAVING)
        return;
    if (p->peer.state == PEER_FAILED)
        fail(p, "the connection failed");
    if (p->peer.state != PEER_UP || p->state != PERSON_CONNECTING)
        return;
    p->state = PERSON_IN;
    p->took = now - p->began;
    p->heartbeat_at = now + HEARTBEAT;
    free(p->in);
    p->in = NULL;
    p->have = p->room = 0;
}

/* ---- from outside ---- */

void person_begin(struct person *p, const struct person_spec *spec, int index)
{
    memset(p, 0, sizeof *p);
    p->spec = *spec;
    p->gateway = -1;
    p->peer.index = index;
    p->began = mono_ns();
    p->state = PERSON_GREETING;
    rnd_bytes(&p->voice_ssrc, 4);
    rnd_bytes(&p->video_ssrc, 4);
    peer_open(&p->peer, 1 << 20, false);
    struct epoll_event e = {.events = EPOLLIN, .data.u64 = (uintptr_t)p};
    if (epoll_ctl(spec->ep, EPOLL_CTL_ADD, p->peer.fd, &e))
        die("epoll_ctl: %m");
    ws_open(p);
}

struct person *person_of(const struct epoll_event *event)
{
    return (struct person *)(uintptr_t)(event->data.u64 & ~(uint64_t)GATEWAY);
}

void person_event(const struct epoll_event *event, uint64_t now)
{
    struct person *p = person_of(event);
    if (event->data.u64 & GATEWAY)
        gateway_read(p);
    else
        media_read(p, now);
    watch_connection(p, now);
}

void person_timer(struct person *p, uint64_t now)
{
    if (p->state == PERSON_NEW || p->state > PERSON_IN)
        return;
    peer_timer(&p->peer, now);
    if (p->state == PERSON_IN && now >= p->heartbeat_at) {
        ws_send(p, "{\"op\":\"heartbeat\"}");
        p->heartbeat_at = now + HEARTBEAT;
    }
    if (p->state < PERSON_IN && now - p->began > JOIN_MAX)
        fail(p, "not joined in 20 s (step %d)", p->state);
}

void person_leave(struct person *p, enum person_leave how)
{
    p->state = PERSON_LEAVING;
    if (how == PERSON_BY_COMMAND) {
        person_command(p, "leave", "{}");
    } else if (how == PERSON_BY_CLOSING) {
        ws_close(p);
        p->state = PERSON_GONE;
    } else {
        p->peer.state = PEER_FAILED;
    }
}

void person_close(struct person *p)
{
    ws_close(p);
    peer_close(&p->peer);
    free(p->in);
    p->in = NULL;
    p->state = PERSON_NEW;
}
