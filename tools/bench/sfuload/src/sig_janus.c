/* Janus's HTTP API, videoroom plugin. One session; one handle for each peer; events by long poll.
 */
#include "http.h"
#include "json.h"
#include "signal.h"

static const struct sig_config *c;
static char session[64];
static unsigned next_tx;

/* Sends {"janus":WHAT,"transaction":T,...extra}; the reply's body is malloc'ed. T goes to tx. */
static char *request(const char *handle, const char *what, const char *extra, char tx[16])
{
    char url[256];
    struct http_reply r;
    size_t cap = strlen(extra) + 128;
    char *body = malloc(cap);
    snprintf(tx, 16, "t%u", ++next_tx);
    snprintf(body, cap, "{\"janus\":\"%s\",\"transaction\":\"%s\"%s%s}", what, tx,
             *extra ? "," : "", extra);
    snprintf(url, sizeof url, "%s%s%s%s%s", c->janus_url, *session ? "/" : "", session,
             handle ? "/" : "", handle ? handle : "");
    int rc = http_call("POST", url, "application/json", NULL, body, c->timeout_ms, &r);
    free(body);
    if (rc) {
        say("janus: no reply to %s", what);
        return NULL;
    }
    return r.body;
}

/* Waits for the event that answers transaction tx. */
static char *event(const char *tx)
{
    char url[256], t[64], kind[32];
    struct http_reply r;
    uint64_t until = mono_ns() + (uint64_t)c->timeout_ms * NS_MS;
    snprintf(url, sizeof url, "%s/%s?maxev=1", c->janus_url, session);
    while (mono_ns() < until) {
        if (http_call("GET", url, NULL, NULL, NULL, c->timeout_ms, &r))
            return NULL;
        if (json_str(r.body, "janus", kind, sizeof kind) && !strcmp(kind, "event") &&
            json_str(r.body, "transaction", t, sizeof t) && !strcmp(t, tx))
            return r.body;
        free(r.body);
    }
    return NULL;
}

/* A plugin message; the answer is the reply itself (sync) or the event after it (async). */
static char *message(const char *handle, const char *body, const char *jsep_type, char *sdp)
{
    char tx[16], kind[32];
    size_t cap = strlen(body) + (sdp ? strlen(sdp) * 2 : 0) + 256;
    char *extra = malloc(cap);
    if (sdp) {
        char *q = json_quote(sdp);
        cap += strlen(q);
        extra = realloc(extra, cap);
        snprintf(extra, cap, "\"body\":%s,\"jsep\":{\"type\":\"%s\",\"sdp\":%s}", body, jsep_type,
                 q);
        free(q);
    } else
        snprintf(extra, cap, "\"body\":%s", body);
    char *r = request(handle, "message", extra, tx);
    free(extra);
    free(sdp);
    if (r && json_str(r, "janus", kind, sizeof kind) && !strcmp(kind, "ack")) {
        free(r);
        r = event(tx);
    }
    char why[256];
    if (!r)
        say("janus: no answer to %.120s", body);
    else if (json_str(r, "plugindata.data.error", why, sizeof why) ||
             json_str(r, "error.reason", why, sizeof why)) {
        say("janus: %s (%.120s)", why, body);
        free(r);
        r = NULL;
    }
    return r;
}

static bool attach(char *out, size_t cap)
{
    char tx[16];
    char *r = request(NULL, "attach", "\"plugin\":\"janus.plugin.videoroom\"", tx);
    bool ok = r && json_str(r, "data.id", out, cap);
    if (!ok)
        say("janus: attach failed: %.200s", r ? r : "");
    free(r);
    return ok;
}

static const char *codec_name(void)
{
    return c->codec == CODEC_VP8 ? "vp8" : c->codec == CODEC_H264 ? "h264" : "opus";
}

static void janus_open(const struct sig_config *conf)
{
    char tx[16], h[64], b[512];
    c = conf;
    *session = 0;
    char *r = request(NULL, "create", "", tx);
    if (!r || !json_str(r, "data.id", session, sizeof session))
        die("janus: cannot create a session at %s", c->janus_url);
    free(r);
    if (!attach(h, sizeof h))
        exit(1);
    for (int i = 0; i < c->rooms; i++) {
        snprintf(b, sizeof b,
                 "{\"request\":\"create\",\"room\":%d,\"permanent\":false,\"publishers\":%d,"
                 "\"bitrate\":0,"
                 "\"fir_freq\":0,\"%scodec\":\"%s\",\"notify_joining\":false}",
                 c->first_room + i, c->pubs + 1, c->codec == CODEC_OPUS ? "audio" : "video",
                 codec_name());
        r = message(h, b, NULL, NULL);
        if (!r)
            exit(1);
        free(r);
    }
}

static bool janus_publish(struct peer *p, int room, int pub)
{
    char b[256], err[128];
    static char sdp[65536];
    if (!attach(p->resource, sizeof p->resource))
        return false;
    snprintf(b, sizeof b,
             "{\"request\":\"joinandconfigure\",\"room\":%d,\"ptype\":\"publisher\",\"id\":%d}",
             room, pub + 1);
    struct local_sdp l = local_of(c, p, c->offer_setup);
    char *r = message(p->resource, b, "offer", sdp_offer(&l, true));
    bool ok = r && json_str(r, "jsep.sdp", sdp, sizeof sdp);
    free(r);
    if (!ok || !sdp_parse(sdp, &p->remote, err, sizeof err)) {
        say("janus: publisher's answer: %s", ok ? err : "none");
        return false;
    }
    peer_start(p, true);
    return true;
}

static bool janus_subscribe(struct peer *p, int room, int sub, int pub)
{
    char b[4096], err[128];
    static char sdp[262144];
    (void)sub;
    if (!attach(p->resource, sizeof p->resource))
        return false;
    size_t n = (size_t)snprintf(
        b, sizeof b, "{\"request\":\"join\",\"room\":%d,\"ptype\":\"subscriber\",\"streams\":[",
        room);
    for (int i = pub < 0 ? 0 : pub; i < (pub < 0 ? c->pubs : pub + 1); i++)
        n += (size_t)snprintf(b + n, sizeof b - n, "%s{\"feed\":%d}", b[n - 1] == '[' ? "" : ",",
                              i + 1);
    snprintf(b + n, sizeof b - n, "]}");
    char *r = message(p->resource, b, NULL, NULL);
    bool ok = r && json_str(r, "jsep.sdp", sdp, sizeof sdp);
    free(r);
    if (!ok || !sdp_parse(sdp, &p->remote, err, sizeof err)) {
        say("janus: subscriber's offer: %s", ok ? err : "none");
        return false;
    }
    bool active = strcmp(p->remote.setup, "active") != 0;
    struct local_sdp l = local_of(c, p, active ? "active" : "passive");
    snprintf(b, sizeof b, "{\"request\":\"start\"}");
    r = message(p->resource, b, "answer", sdp_answer(&l, &p->remote));
    if (!r)
        return false;
    free(r);
    peer_start(p, false);
    return true;
}

static void janus_keepalive(void)
{
    char tx[16];
    free(request(NULL, "keepalive", "", tx));
}

static void janus_leave(struct peer *p)
{
    char tx[16];
    if (*p->resource)
        free(request(p->resource, "detach", "", tx));
}

static void janus_close(void)
{
    char tx[16], h[64], b[128];
    if (attach(h, sizeof h))
        for (int i = 0; i < c->rooms; i++) {
            snprintf(b, sizeof b, "{\"request\":\"destroy\",\"room\":%d}", c->first_room + i);
            free(message(h, b, NULL, NULL));
        }
    free(request(NULL, "destroy", "", tx));
    *session = 0;
}

const struct signaller sig_janus = {"janus",         janus_open,  janus_publish, janus_subscribe,
                                    janus_keepalive, janus_leave, janus_close};
