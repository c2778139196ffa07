#include "peer.h"
#include "stun.h"
#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <sys/socket.h>
#include <unistd.h>

#define CHECK_FAST (20 * NS_MS)   /* between checks until connected */
#define CHECK_SLOW (2500 * NS_MS) /* consent, once connected */

static SSL_CTX *ctx;
static BIO_METHOD *bio_method;
static char fingerprint[32 * 3 + 1];
static srtp_profile_t srtp_kind;
static size_t key_len, salt_len;

/* A BIO that keeps datagram boundaries: reads the one datagram at hand, writes straight to the
 * socket. */
static int bio_read(BIO *b, char *out, int n)
{
    struct peer *p = BIO_get_data(b);
    BIO_clear_retry_flags(b);
    if (!p->in) {
        BIO_set_retry_read(b);
        return -1;
    }
    if (n > p->in_len)
        n = p->in_len;
    memcpy(out, p->in, (size_t)n);
    p->in = NULL;
    return n;
}

static int bio_write(BIO *b, const char *d, int n)
{
    struct peer *p = BIO_get_data(b);
    BIO_clear_retry_flags(b);
    if (send(p->fd, d, (size_t)n, 0) < 0)
        return n; /* as if lost: DTLS sends it again */
    return n;
}

static long bio_ctrl(BIO *b, int cmd, long num, void *ptr)
{
    (void)b, (void)num, (void)ptr;
    switch (cmd) {
    case BIO_CTRL_FLUSH:
        return 1;
    case BIO_CTRL_DGRAM_QUERY_MTU:
    case BIO_CTRL_DGRAM_GET_FALLBACK_MTU:
        return 1200;
    case BIO_CTRL_DGRAM_GET_MTU_OVERHEAD:
        return 28;
    default:
        return 0;
    }
}

static int bio_create(BIO *b)
{
    BIO_set_init(b, 1);
    return 1;
}

static int accept_any(int ok, X509_STORE_CTX *s)
{
    (void)ok, (void)s; /* the fingerprint is what is checked, after the handshake */
    return 1;
}

void peer_global_init(const char *profile)
{
    const char *name;
    if (!strcmp(profile, "gcm128")) {
        name = "SRTP_AEAD_AES_128_GCM";
        srtp_kind = srtp_profile_aead_aes_128_gcm;
        key_len = 16, salt_len = 12;
    } else if (!strcmp(profile, "gcm256")) {
        name = "SRTP_AEAD_AES_256_GCM";
        srtp_kind = srtp_profile_aead_aes_256_gcm;
        key_len = 32, salt_len = 12;
    } else if (!strcmp(profile, "cm80")) {
        name = "SRTP_AES128_CM_SHA1_80";
        srtp_kind = srtp_profile_aes128_cm_sha1_80;
        key_len = 16, salt_len = 14;
    } else
        die("unknown SRTP profile %s (gcm128, gcm256 or cm80)", profile);
    if (srtp_init() != srtp_err_status_ok)
        die("srtp_init failed");

    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = X509_new();
    X509_set_version(cert, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), (long)(mono_ns() & 0x7fffffff));
    X509_gmtime_adj(X509_getm_notBefore(cert), -86400);
    X509_gmtime_adj(X509_getm_notAfter(cert), 86400 * 30);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC,
                               (const uint8_t *)"sfuload", -1, -1, 0);
    X509_set_issuer_name(cert, X509_get_subject_name(cert));
    X509_set_pubkey(cert, key);
    if (!X509_sign(cert, key, EVP_sha256()))
        die("cannot sign a certificate");
    uint8_t d[32];
    unsigned n = sizeof d;
    X509_digest(cert, EVP_sha256(), d, &n);
    for (unsigned i = 0; i < n; i++)
        sprintf(fingerprint + i * 3, "%02X:", d[i]);
    fingerprint[95] = 0;

    ctx = SSL_CTX_new(DTLS_method());
    SSL_CTX_set_min_proto_version(ctx, DTLS1_2_VERSION);
    SSL_CTX_use_certificate(ctx, cert);
    SSL_CTX_use_PrivateKey(ctx, key);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, accept_any);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    if (SSL_CTX_set_tlsext_use_srtp(ctx, name))
        die("OpenSSL does not know %s", name);
    X509_free(cert);
    EVP_PKEY_free(key);
    bio_method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "datagram");
    BIO_meth_set_read(bio_method, bio_read);
    BIO_meth_set_write(bio_method, bio_write);
    BIO_meth_set_ctrl(bio_method, bio_ctrl);
    BIO_meth_set_create(bio_method, bio_create);
}

const char *peer_fingerprint(void)
{
    return fingerprint;
}

const char *peer_srtp_name(const struct peer *p)
{
    SRTP_PROTECTION_PROFILE *s = p->ssl ? SSL_get_selected_srtp_profile(p->ssl) : NULL;
    return s ? s->name : "none";
}

void peer_open(struct peer *p, int rcvbuf, bool timestamps)
{
    int on = 1;
    socklen_t len = sizeof p->local;
    p->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (p->fd < 0)
        die("socket: %m");
    p->local =
        (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (bind(p->fd, (struct sockaddr *)&p->local, len) ||
        getsockname(p->fd, (struct sockaddr *)&p->local, &len))
        die("bind: %m");
    if (setsockopt(p->fd, SOL_SOCKET, SO_RCVBUFFORCE, &rcvbuf, sizeof rcvbuf))
        setsockopt(p->fd, SOL_SOCKET, SO_RCVBUF, &rcvbuf, sizeof rcvbuf);
    if (timestamps)
        setsockopt(p->fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
    rnd_text(p->ufrag, 8);
    rnd_text(p->pwd, 24);
    rnd_bytes(&p->tiebreaker, sizeof p->tiebreaker);
    rnd_bytes(p->tx, sizeof p->tx);
    rnd_bytes(&p->own_ssrc, sizeof p->own_ssrc);
}

static unsigned dtls_timeout(SSL *s, unsigned us);

void peer_start(struct peer *p, bool offered)
{
    if (connect(p->fd, (struct sockaddr *)&p->remote.addr, sizeof p->remote.addr))
        die("connect: %m");
    p->controlling = offered || p->remote.ice_lite;
    /* We offer actpass, or answer an offer of actpass with active: the client unless told
     * otherwise. */
    p->dtls_client = strcmp(p->remote.setup, "active") != 0;
    p->ssl = SSL_new(ctx);
    SSL_set_options(p->ssl, SSL_OP_NO_QUERY_MTU);
    SSL_set_mtu(p->ssl, 1200);
    DTLS_set_timer_cb(p->ssl, dtls_timeout);
    BIO *b = BIO_new(bio_method);
    BIO_set_data(b, p);
    SSL_set_bio(p->ssl, b, b);
    if (p->dtls_client)
        SSL_set_connect_state(p->ssl);
    else
        SSL_set_accept_state(p->ssl);
    p->state = PEER_ICE;
    p->t_start = mono_ns();
    p->next_check = 0;
    peer_timer(p, p->t_start);
}

static void fail(struct peer *p, const char *why)
{
    say("%s %d (room %d): %s", p->publisher ? "publisher" : "subscriber", p->index, p->room, why);
    p->state = PEER_FAILED;
}

/* As browsers do: the first retransmission after 50 ms, not a second. */
static unsigned dtls_timeout(SSL *s, unsigned us)
{
    (void)s;
    return us ? (us > 1500000 ? 3000000 : us * 2) : 50000;
}

static srtp_t make_ctx(const uint8_t *key, const uint8_t *salt, bool out)
{
    uint8_t k[64];
    srtp_policy_t pol = {0};
    srtp_t s;
    memcpy(k, key, key_len);
    memcpy(k + key_len, salt, salt_len);
    if (srtp_crypto_policy_set_from_profile_for_rtp(&pol.rtp, srtp_kind) ||
        srtp_crypto_policy_set_from_profile_for_rtcp(&pol.rtcp, srtp_kind))
        die("libsrtp lacks this profile");
    pol.ssrc.type = out ? ssrc_any_outbound : ssrc_any_inbound;
    pol.key = k;
    pol.window_size = 1024;
    pol.allow_repeat_tx = 1;
    if (srtp_create(&s, &pol))
        die("srtp_create failed");
    return s;
}

static void handshake(struct peer *p, uint64_t now)
{
    int r = SSL_do_handshake(p->ssl);
    if (r != 1) {
        int e = SSL_get_error(p->ssl, r);
        if (e != SSL_ERROR_WANT_READ && e != SSL_ERROR_WANT_WRITE) {
            char t[256];
            ERR_error_string_n(ERR_get_error(), t, sizeof t);
            fail(p, t);
        }
        ERR_clear_error();
        return;
    }
    X509 *c = SSL_get1_peer_certificate(p->ssl);
    uint8_t d[32], m[128];
    unsigned n = sizeof d;
    if (!c || !X509_digest(c, EVP_sha256(), d, &n) || memcmp(d, p->remote.fp, 32)) {
        fail(p, "the certificate does not match the SDP's fingerprint");
        return;
    }
    X509_free(c);
    if (!SSL_get_selected_srtp_profile(p->ssl)) {
        fail(p, "no SRTP profile agreed");
        return;
    }
    if (SSL_export_keying_material(p->ssl, m, 2 * (key_len + salt_len), "EXTRACTOR-dtls_srtp", 19,
                                   NULL, 0, 0) != 1) {
        fail(p, "no keying material");
        return;
    }
    const uint8_t *ck = m, *sk = m + key_len, *cs = m + 2 * key_len, *ss = cs + salt_len;
    bool cl = p->dtls_client;
    p->out_ctx = make_ctx(cl ? ck : sk, cl ? cs : ss, true);
    p->in_ctx = make_ctx(cl ? sk : ck, cl ? ss : cs, false);
    p->srtp_ready = true;
    p->state = PEER_UP;
    p->t_up = now;
}

static void maybe_dtls(struct peer *p, uint64_t now)
{
    if (p->state != PEER_ICE || !p->check_ok || (!p->controlling && !p->nominated))
        return;
    p->state = PEER_DTLS;
    if (p->dtls_client)
        handshake(p, now);
}

static void send_check(struct peer *p)
{
    uint8_t b[1024];
    size_t n = stun_request(b, p->tx, p->remote.ufrag, p->ufrag, p->remote.pwd, p->controlling,
                            p->tiebreaker, true);
    (void)!send(p->fd, b, n, 0);
}

void peer_handshake_packet(struct peer *p, const uint8_t *d, size_t n, uint64_t now)
{
    if (stun_looks_like(d, n)) {
        struct stun_msg m;
        p->stun_rx++;
        bool request = get16(d) == STUN_REQUEST;
        if (!stun_parse(d, n, request ? p->pwd : p->remote.pwd, &m))
            return;
        if (request && m.integrity_ok) {
            uint8_t b[256];
            size_t k = stun_response(b, m.tx, &p->remote.addr, p->pwd);
            (void)!send(p->fd, b, k, 0);
            if (m.use_candidate)
                p->nominated = true;
            maybe_dtls(p, now);
        } else if (m.type == STUN_SUCCESS && m.integrity_ok && !memcmp(m.tx, p->tx, 12)) {
            p->check_ok = true;
            rnd_bytes(p->tx, sizeof p->tx);
            maybe_dtls(p, now);
        } else if (m.type == STUN_ERROR && m.error == 487 && !memcmp(m.tx, p->tx, 12)) {
            p->controlling = !p->controlling;
            rnd_bytes(p->tx, sizeof p->tx);
        }
        return;
    }
    if (n > 13 && d[0] >= 20 && d[0] <= 63 && p->ssl) {
        p->in = d;
        p->in_len = (int)n;
        if (p->state == PEER_ICE || p->state == PEER_DTLS) {
            p->state = PEER_DTLS;
            handshake(p, now);
        } else if (p->state == PEER_UP) {
            char t[2048];
            int r = SSL_read(p->ssl, t, sizeof t);
            if (r <= 0 && SSL_get_error(p->ssl, r) == SSL_ERROR_ZERO_RETURN)
                fail(p, "the far side closed DTLS");
            ERR_clear_error();
        }
        p->in = NULL;
        return;
    }
    p->rx_other++;
}

void peer_timer(struct peer *p, uint64_t now)
{
    if (p->state == PEER_NEW || p->state == PEER_FAILED)
        return;
    if (now >= p->next_check) {
        send_check(p);
        p->next_check = now + (p->check_ok ? CHECK_SLOW : CHECK_FAST);
    }
    if (p->state == PEER_DTLS) {
        struct timeval tv;
        if (DTLSv1_get_timeout(p->ssl, &tv) && !tv.tv_sec && tv.tv_usec < 1000)
            DTLSv1_handle_timeout(p->ssl);
    }
}

void peer_close(struct peer *p)
{
    if (p->ssl) {
        if (p->state == PEER_UP)
            SSL_shutdown(p->ssl);
        SSL_free(p->ssl);
    }
    if (p->out_ctx)
        srtp_dealloc(p->out_ctx);
    if (p->in_ctx)
        srtp_dealloc(p->in_ctx);
    if (p->fd > 0)
        close(p->fd);
    p->ssl = NULL;
    p->out_ctx = p->in_ctx = NULL;
    p->fd = -1;
}
