#include "sdp.h"
#include "util.h"
#include <arpa/inet.h>
#include <stdarg.h>
#include <strings.h>

static const char *after(const char *line, const char *prefix)
{
    size_t n = strlen(prefix);
    return strncmp(line, prefix, n) ? NULL : line + n;
}

static void copy(char *out, size_t cap, const char *v)
{
    snprintf(out, cap, "%s", v);
}

static bool parse_fp(const char *v, uint8_t out[32])
{
    if (strncasecmp(v, "sha-256 ", 8))
        return false;
    v += 8;
    for (int i = 0; i < 32; i++) {
        unsigned b;
        if (sscanf(v, "%2x", &b) != 1)
            return false;
        out[i] = (uint8_t)b;
        v += 2;
        if (*v == ':')
            v++;
    }
    return true;
}

static void parse_candidate(const char *v, struct remote_sdp *r)
{
    char foundation[64], proto[16], ip[64], type[16];
    unsigned comp, port;
    unsigned long prio;
    if (sscanf(v, "%63s %u %15s %lu %63s %u typ %15s", foundation, &comp, proto, &prio, ip, &port,
               type) != 7)
        return;
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    if (comp != 1 || strcasecmp(proto, "udp") || inet_pton(AF_INET, ip, &a.sin_addr) != 1)
        return;
    if ((ntohl(a.sin_addr.s_addr) >> 24) != 127) /* loopback only */
        return;
    if (!r->have_addr) {
        r->addr = a;
        r->have_addr = true;
    }
}

bool sdp_parse(const char *sdp, struct remote_sdp *r, char *err, size_t err_len)
{
    struct mline *m = NULL;
    const char *v;
    memset(r, 0, sizeof *r);
    for (const char *p = sdp; *p;) {
        char l[1024];
        size_t n = strcspn(p, "\r\n");
        snprintf(l, sizeof l, "%.*s", (int)n, p);
        p += n + strspn(p + n, "\r\n");
        if ((v = after(l, "m="))) {
            unsigned port = 0;
            char proto[64], pts[256] = "";
            if (r->n_mlines == MAX_MLINES)
                break;
            m = &r->m[r->n_mlines++];
            m->pt = -1;
            sscanf(v, "%15s %u %63s %255[^\n]", m->kind, &port, proto, pts);
            m->rejected = port == 0;
            sscanf(pts, "%d", &m->pt);
        } else if ((v = after(l, "a=mid:")) && m)
            copy(m->mid, sizeof m->mid, v);
        else if ((v = after(l, "a=rtpmap:")) && m) {
            if (atoi(v) == m->pt && strchr(v, ' '))
                copy(m->rtpmap, sizeof m->rtpmap, strchr(v, ' ') + 1);
        } else if ((v = after(l, "a=fmtp:")) && m) {
            if (atoi(v) == m->pt && strchr(v, ' '))
                copy(m->fmtp, sizeof m->fmtp, strchr(v, ' ') + 1);
        } else if ((v = after(l, "a=rtcp-fb:")) && m) {
            const char *s = strchr(v, ' ');
            if (s && !strcmp(s, " nack"))
                m->nack = true;
        } else if ((v = after(l, "a=ice-ufrag:")) && !*r->ufrag)
            copy(r->ufrag, sizeof r->ufrag, v);
        else if ((v = after(l, "a=ice-pwd:")) && !*r->pwd)
            copy(r->pwd, sizeof r->pwd, v);
        else if ((v = after(l, "a=fingerprint:")) && !r->have_fp)
            r->have_fp = parse_fp(v, r->fp);
        else if ((v = after(l, "a=setup:")) && !*r->setup)
            copy(r->setup, sizeof r->setup, v);
        else if ((v = after(l, "a=candidate:")))
            parse_candidate(v, r);
        else if (!strcmp(l, "a=ice-lite"))
            r->ice_lite = true;
    }
    const char *e = NULL;
    if (!r->n_mlines)
        e = "no m-line";
    else if (r->m[0].rejected)
        e = "first m-line rejected";
    else if (!*r->ufrag || !*r->pwd)
        e = "no ICE credentials";
    else if (!r->have_fp)
        e = "no sha-256 fingerprint";
    else if (!r->have_addr)
        e = "no loopback UDP candidate";
    if (e && err)
        snprintf(err, err_len, "%s", e);
    return !e;
}

struct text {
    char *s;
    size_t n, cap;
};

__attribute__((format(printf, 2, 3))) static void add(struct text *t, const char *fmt, ...)
{
    va_list ap;
    if (t->cap - t->n < 2048)
        t->s = realloc(t->s, t->cap = t->cap * 2 + 4096);
    va_start(ap, fmt);
    t->n += (size_t)vsnprintf(t->s + t->n, t->cap - t->n, fmt, ap);
    va_end(ap);
    memcpy(t->s + t->n, "\r\n", 3);
    t->n += 2;
}

static void head(struct text *t, int mlines, const struct remote_sdp *offer)
{
    uint32_t id;
    char bundle[MAX_MLINES * 34] = "";
    rnd_bytes(&id, sizeof id);
    add(t, "v=0");
    add(t, "o=- %u 2 IN IP4 127.0.0.1", id);
    add(t, "s=-");
    add(t, "t=0 0");
    for (int i = 0, n = 0; i < mlines; i++) {
        if (offer)
            n += snprintf(bundle + n, sizeof bundle - (size_t)n, " %s", offer->m[i].mid);
        else
            n += snprintf(bundle + n, sizeof bundle - (size_t)n, " %d", i);
    }
    add(t, "a=group:BUNDLE%s", bundle);
    add(t, "a=msid-semantic: WMS *");
}

static void transport(struct text *t, const struct local_sdp *l, const char *mid)
{
    char ip[32];
    inet_ntop(AF_INET, &l->addr.sin_addr, ip, sizeof ip);
    add(t, "c=IN IP4 %s", ip);
    add(t, "a=rtcp:9 IN IP4 0.0.0.0");
    add(t, "a=candidate:1 1 udp 2130706431 %s %u typ host", ip, ntohs(l->addr.sin_port));
    add(t, "a=end-of-candidates");
    add(t, "a=ice-ufrag:%s", l->ufrag);
    add(t, "a=ice-pwd:%s", l->pwd);
    add(t, "a=fingerprint:sha-256 %s", l->fp);
    add(t, "a=setup:%s", l->setup);
    add(t, "a=mid:%s", mid);
    add(t, "a=rtcp-mux");
    add(t, "a=rtcp-rsize");
}

static void codec_lines(struct text *t, enum codec c, int pt, bool nack)
{
    switch (c) {
    case CODEC_VP8:
        add(t, "a=rtpmap:%d VP8/90000", pt);
        break;
    case CODEC_H264:
        add(t, "a=rtpmap:%d H264/90000", pt);
        add(t, "a=fmtp:%d level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f",
            pt);
        break;
    case CODEC_OPUS:
        add(t, "a=rtpmap:%d opus/48000/2", pt);
        add(t, "a=fmtp:%d minptime=10;useinbandfec=1", pt);
        return;
    }
    if (nack)
        add(t, "a=rtcp-fb:%d nack", pt);
    add(t, "a=rtcp-fb:%d nack pli", pt);
    add(t, "a=rtcp-fb:%d ccm fir", pt);
}

char *sdp_offer(const struct local_sdp *l, bool publish)
{
    struct text t = {0};
    int n = publish ? 1 : l->n_mlines;
    head(&t, n, NULL);
    for (int i = 0; i < n; i++) {
        char mid[16];
        snprintf(mid, sizeof mid, "%d", i);
        add(&t, "m=%s 9 UDP/TLS/RTP/SAVPF %d", l->codec == CODEC_OPUS ? "audio" : "video", l->pt);
        transport(&t, l, mid);
        add(&t, publish ? "a=sendonly" : "a=recvonly");
        codec_lines(&t, l->codec, l->pt, l->nack);
        if (publish) {
            add(&t, "a=msid:load load-track");
            add(&t, "a=ssrc:%u cname:load%u", l->ssrc, l->ssrc);
            add(&t, "a=ssrc:%u msid:load load-track", l->ssrc);
        }
    }
    return t.s;
}

char *sdp_answer(const struct local_sdp *l, const struct remote_sdp *o)
{
    struct text t = {0};
    head(&t, o->n_mlines, o);
    for (int i = 0; i < o->n_mlines; i++) {
        const struct mline *m = &o->m[i];
        add(&t, "m=%s 9 UDP/TLS/RTP/SAVPF %d", m->kind, m->pt);
        transport(&t, l, m->mid);
        add(&t, "a=recvonly");
        add(&t, "a=rtpmap:%d %s", m->pt, m->rtpmap);
        if (*m->fmtp)
            add(&t, "a=fmtp:%d %s", m->pt, m->fmtp);
        if (!strcmp(m->kind, "video")) {
            if (l->nack && m->nack)
                add(&t, "a=rtcp-fb:%d nack", m->pt);
            add(&t, "a=rtcp-fb:%d nack pli", m->pt);
            add(&t, "a=rtcp-fb:%d ccm fir", m->pt);
        }
    }
    return t.s;
}
