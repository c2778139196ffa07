/* WHIP (RFC 9725) to publish and WHEP to play: one POST of an SDP offer, one answer, DELETE to
 * leave. */
#include "http.h"
#include "signal.h"

static const struct sig_config *c;

static void expand(char *out, size_t cap, const char *tpl, int room, int sub, int pub)
{
    size_t n = 0;
    while (*tpl && n + 16 < cap) {
        if (!strncmp(tpl, "{room}", 6)) {
            n += (size_t)sprintf(out + n, "%d", room);
            tpl += 6;
        } else if (!strncmp(tpl, "{sub}", 5)) {
            n += (size_t)sprintf(out + n, "%d", sub);
            tpl += 5;
        } else if (!strncmp(tpl, "{pub}", 5)) {
            n += pub < 0 ? (size_t)sprintf(out + n, "all") : (size_t)sprintf(out + n, "%d", pub);
            tpl += 5;
        } else
            out[n++] = *tpl++;
    }
    out[n] = 0;
}

static bool exchange(struct peer *p, const char *url, char *offer)
{
    struct http_reply r;
    char err[128];
    int rc = http_call("POST", url, "application/sdp", c->token, offer, c->timeout_ms, &r);
    free(offer);
    if (rc || r.status != 201) {
        say("POST %s: %d %.200s", url, rc ? 0 : r.status, rc ? "no reply" : r.body);
        if (!rc)
            free(r.body);
        return false;
    }
    if (!strncmp(r.location, "http://", 7))
        snprintf(p->resource, sizeof p->resource, "%s", r.location);
    else if (*r.location == '/') {
        const char *slash = strchr(url + 7, '/');
        snprintf(p->resource, sizeof p->resource, "%.*s%.400s", (int)(slash - url), url,
                 r.location);
    }
    bool ok = sdp_parse(r.body, &p->remote, err, sizeof err);
    if (!ok)
        say("POST %s: answer has %s:\n%s", url, err, r.body);
    free(r.body);
    if (ok)
        peer_start(p, true);
    return ok;
}

static void whip_open(const struct sig_config *conf)
{
    c = conf;
    if (!c->whip_url || !c->whep_url)
        die("--whip and --whep URLs are needed");
}

static bool whip_publish(struct peer *p, int room, int pub)
{
    char url[512];
    struct local_sdp l = local_of(c, p, c->offer_setup);
    expand(url, sizeof url, c->whip_url, room, 0, pub);
    return exchange(p, url, sdp_offer(&l, true));
}

static bool whep_subscribe(struct peer *p, int room, int sub, int pub)
{
    char url[512];
    struct local_sdp l = local_of(c, p, c->offer_setup);
    l.n_mlines = pub < 0 ? c->pubs : 1;
    expand(url, sizeof url, c->whep_url, room, sub, pub);
    return exchange(p, url, sdp_offer(&l, false));
}

static void whip_leave(struct peer *p)
{
    struct http_reply r;
    if (*p->resource && !http_call("DELETE", p->resource, NULL, c->token, NULL, c->timeout_ms, &r))
        free(r.body);
}

const struct signaller sig_whip = {"whip", whip_open,  whip_publish, whep_subscribe,
                                   NULL,   whip_leave, NULL};
