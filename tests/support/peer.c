#include "tests/support/peer.h"

#include "core/bytes.h"
#include "core/clock.h"
#include "core/crypto.h"
#include "media/ice/ice.h"
#include "media/ice/tcp_frame.h"
#include "media/srtp/srtp.h"
#include "tests/support/stun_client.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    PEERS_EVENTS = 64,
    PEER_DATAGRAM_MAX = 4096,
    PEER_CHECK_MS = 2500,
    PEER_KEYS_MAX = 2 * (PROTECTOR_KEY_MAX + PROTECTOR_SALT_MAX),
    PEER_DTLS_FIRST_US = 50000,
    PEER_SOCKET_BUFFER = 1 << 20,
};

struct sent_ssrc {
    uint32_t ssrc, roc;
    uint16_t newest;
};

struct crowd {
    int epoll_fd;
    SSL_CTX *context;
    EVP_PKEY *key;
    X509 *certificate;
    struct media_fingerprint fingerprint;
    struct peer *first;
};

struct peer {
    struct crowd *peers;
    struct peer *next;
    struct peer_config config;
    char ufrag[16], pwd[32], server_ufrag[MEDIA_TEXT_MAX], server_pwd[MEDIA_TEXT_MAX];
    int fd;
    bool checking, answered, connected, closed;
    uint32_t answers;
    uint64_t check_due_ms, dtls_due_ms;
    SSL *ssl; /* owns both memory BIOs */
    struct protector *protector;
    struct unprotector *unprotector;
    struct sent_ssrc sent[PEER_SSRCS_MAX];
    uint8_t sent_count;
    struct tcp_frame_reader reader;
};

static uint64_t now_ms(void)
{
    return clock_mono_ns() / CLOCK_NS_PER_MS;
}

/* ---- all of them ---- */

static bool certificate_make(struct crowd *peers)
{
    peers->key = EVP_EC_gen("P-256");
    peers->certificate = X509_new();
    if (peers->key == NULL || peers->certificate == NULL)
        return false;
    X509 *certificate = peers->certificate;
    X509_NAME *name = X509_get_subject_name(certificate);
    unsigned length = sizeof peers->fingerprint.digest;
    bool made = X509_set_version(certificate, 2) == 1 &&
                ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1) == 1 &&
                X509_gmtime_adj(X509_getm_notBefore(certificate), -3600) != NULL &&
                X509_gmtime_adj(X509_getm_notAfter(certificate), 86400) != NULL &&
                X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const uint8_t *)"peer", -1,
                                           -1, 0) == 1 &&
                X509_set_issuer_name(certificate, name) == 1 &&
                X509_set_pubkey(certificate, peers->key) == 1 &&
                X509_sign(certificate, peers->key, EVP_sha256()) != 0 &&
                X509_digest(certificate, EVP_sha256(), peers->fingerprint.digest, &length) == 1;
    memcpy(peers->fingerprint.algorithm, "sha-256", sizeof "sha-256");
    peers->fingerprint.length = length;
    return made;
}

static int accept_any(int verified, X509_STORE_CTX *store)
{
    (void)verified;
    (void)store;
    return 1; /* the server's fingerprint is media_local's business, not these tests' */
}

static bool context_make(struct crowd *peers)
{
    peers->context = SSL_CTX_new(DTLS_client_method());
    if (peers->context == NULL)
        return false;
    SSL_CTX_set_verify(peers->context, SSL_VERIFY_PEER, accept_any);
    SSL_CTX_set_read_ahead(peers->context, 1);
    return SSL_CTX_use_certificate(peers->context, peers->certificate) == 1 &&
           SSL_CTX_use_PrivateKey(peers->context, peers->key) == 1;
}

enum status crowd_new(struct crowd **ret_peers)
{
    struct crowd *peers = calloc(1, sizeof *peers);
    if (peers == NULL)
        return STATUS_NO_MEMORY;
    peers->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (peers->epoll_fd < 0 || !certificate_make(peers) || !context_make(peers)) {
        crowd_free(peers);
        return STATUS_INTERNAL;
    }
    *ret_peers = peers;
    return STATUS_OK;
}

struct crowd *crowd_free(struct crowd *peers)
{
    if (peers == NULL)
        return NULL;
    while (peers->first != NULL)
        peer_free(peers->first);
    SSL_CTX_free(peers->context);
    X509_free(peers->certificate);
    EVP_PKEY_free(peers->key);
    if (peers->epoll_fd >= 0)
        close(peers->epoll_fd);
    free(peers);
    return NULL;
}

const struct media_fingerprint *crowd_fingerprint(const struct crowd *peers)
{
    return &peers->fingerprint;
}

/* ---- one of them ---- */

const char *peer_ufrag(const struct peer *peer)
{
    return peer->ufrag;
}

const char *peer_pwd(const struct peer *peer)
{
    return peer->pwd;
}

bool peer_connected(const struct peer *peer)
{
    return peer->connected;
}

void *peer_context(const struct peer *peer)
{
    return peer->config.context;
}

uint32_t peer_checks_answered(const struct peer *peer)
{
    return peer->answers;
}

uint16_t peer_port(const struct peer *peer)
{
    struct sockaddr_in address;
    socklen_t length = sizeof address;
    if (getsockname(peer->fd, (struct sockaddr *)&address, &length) != 0)
        return 0;
    return ntohs(address.sin_port);
}

static void peer_send(struct peer *peer, const uint8_t *bytes, size_t length)
{
    uint8_t frame[TCP_FRAME_HEAD + PEER_DATAGRAM_MAX];
    if (length > PEER_DATAGRAM_MAX)
        return;
    if (peer->config.tcp) {
        store_be16(frame, (uint16_t)length);
        memcpy(frame + TCP_FRAME_HEAD, bytes, length);
        bytes = frame;
        length += TCP_FRAME_HEAD;
    }
    /* Lost on the way is lost, as on any network. */
    (void)!send(peer->fd, bytes, length, MSG_NOSIGNAL | (peer->config.tcp ? 0 : MSG_DONTWAIT));
}

static void peer_check(struct peer *peer)
{
    struct stun_text check;
    char username[MEDIA_TEXT_MAX * 2];
    snprintf(username, sizeof username, "%s:%s", peer->server_ufrag, peer->ufrag);
    stun_text_check(&check, username, peer->server_pwd, true);
    peer_send(peer, check.bytes, check.length);
}

static void dtls_flush(struct peer *peer)
{
    uint8_t datagram[PEER_DATAGRAM_MAX];
    int length;
    while ((length = BIO_read(SSL_get_wbio(peer->ssl), datagram, sizeof datagram)) > 0)
        peer_send(peer, datagram, (size_t)length);
}

static enum protector_profile profile_chosen(const SSL *ssl)
{
    const SRTP_PROTECTION_PROFILE *chosen = SSL_get_selected_srtp_profile((SSL *)(uintptr_t)ssl);
    return chosen == NULL ? PROTECTOR_AES_CM_SHA1_80 : (enum protector_profile)chosen->id;
}

/* RFC 5764 4.2: client key, server key, client salt, server salt. */
static bool peer_key(struct peer *peer)
{
    static const char label[] = "EXTRACTOR-dtls_srtp";
    struct protector_keys ours = {.profile = profile_chosen(peer->ssl)};
    struct protector_keys theirs = ours;
    size_t key = protector_key_length(ours.profile);
    size_t salt = protector_salt_length(ours.profile);
    uint8_t material[PEER_KEYS_MAX];
    if (SSL_export_keying_material(peer->ssl, material, 2 * (key + salt), label, sizeof label - 1,
                                   NULL, 0, 0) != 1)
        return false;
    memcpy(ours.key, material, key);
    memcpy(theirs.key, material + key, key);
    memcpy(ours.salt, material + 2 * key, salt);
    memcpy(theirs.salt, material + 2 * key + salt, salt);
    return protector_new(&ours, &peer->protector) == STATUS_OK &&
           unprotector_new(&theirs, &peer->unprotector) == STATUS_OK;
}

static void dtls_turn(struct peer *peer)
{
    if (peer->connected) {
        uint8_t none[64];
        while (SSL_read(peer->ssl, none, sizeof none) > 0)
            continue;
        if ((SSL_get_shutdown(peer->ssl) & SSL_RECEIVED_SHUTDOWN) != 0 && !peer->closed) {
            peer->closed = true;
            if (peer->config.events->closed != NULL)
                peer->config.events->closed(peer->config.context, peer);
        }
        dtls_flush(peer);
        return;
    }
    bool done = SSL_do_handshake(peer->ssl) == 1;
    ERR_clear_error();
    dtls_flush(peer);
    peer->dtls_due_ms = now_ms() + PEER_DTLS_FIRST_US / 1000;
    if (!done || !peer_key(peer))
        return;
    peer->connected = true;
    if (peer->config.events->connected != NULL)
        peer->config.events->connected(peer->config.context, peer);
}

static unsigned dtls_timer(SSL *ssl, unsigned before_us)
{
    (void)ssl;
    return before_us == 0 ? PEER_DTLS_FIRST_US : before_us * 2;
}

static void peer_media(struct peer *peer, uint8_t *bytes, size_t length, enum ice_kind kind)
{
    size_t plain;
    uint64_t index;
    if (peer->unprotector == NULL)
        return;
    if (kind == ICE_KIND_RTCP) {
        if (unprotector_rtcp(peer->unprotector, bytes, length, &plain) == STATUS_OK &&
            peer->config.events->rtcp != NULL)
            peer->config.events->rtcp(peer->config.context, peer, bytes, plain);
    } else if (unprotector_rtp(peer->unprotector, bytes, length, &plain, &index) == STATUS_OK &&
               peer->config.events->rtp != NULL) {
        peer->config.events->rtp(peer->config.context, peer, bytes, plain);
    }
}

static void peer_answered(struct peer *peer)
{
    peer->answers++;
    if (peer->answered)
        return;
    peer->answered = true;
    peer->check_due_ms = now_ms() + peer->config.check_ms;
    if (!peer->connected)
        dtls_turn(peer);
}

static void peer_datagram(struct peer *peer, const uint8_t *bytes, size_t length)
{
    uint8_t copy[PEER_DATAGRAM_MAX];
    enum ice_kind kind = ice_kind_of(bytes, length);
    if (length > sizeof copy)
        return;
    if (kind == ICE_KIND_STUN) {
        if (stun_reply_error(bytes, length) == 0 && length >= 2 && load_be16(bytes) == 0x0101)
            peer_answered(peer);
    } else if (kind == ICE_KIND_DTLS) {
        BIO_write(SSL_get_rbio(peer->ssl), bytes, (int)length);
        dtls_turn(peer);
    } else if (kind == ICE_KIND_RTP || kind == ICE_KIND_RTCP) {
        memcpy(copy, bytes, length);
        peer_media(peer, copy, length, kind);
    }
}

static bool take_frame(void *context, const uint8_t *packet, size_t length)
{
    peer_datagram(context, packet, length);
    return true;
}

static void peer_readable(struct peer *peer)
{
    uint8_t bytes[PEER_DATAGRAM_MAX];
    for (;;) {
        ssize_t got = recv(peer->fd, bytes, sizeof bytes, MSG_DONTWAIT);
        if (got < 0 || (got == 0 && !peer->config.tcp))
            return;
        if (got == 0) {
            epoll_ctl(peer->peers->epoll_fd, EPOLL_CTL_DEL, peer->fd, NULL);
            if (!peer->closed && peer->config.events->closed != NULL)
                peer->config.events->closed(peer->config.context, peer);
            peer->closed = true;
            return;
        }
        if (!peer->config.tcp)
            peer_datagram(peer, bytes, (size_t)got);
        else if (tcp_frame_read(&peer->reader, bytes, (size_t)got, take_frame, peer) != STATUS_OK)
            return;
    }
}

static void peer_timers(struct peer *peer, uint64_t time_ms)
{
    if (peer->checking && time_ms >= peer->check_due_ms) {
        peer->check_due_ms =
            time_ms + (peer->answered ? peer->config.check_ms : (uint64_t)PEER_CHECK_FAST_MS);
        peer_check(peer);
    }
    if (peer->answered && !peer->connected && time_ms >= peer->dtls_due_ms) {
        peer->dtls_due_ms = time_ms + PEER_DTLS_FIRST_US / 1000;
        DTLSv1_handle_timeout(peer->ssl);
        dtls_flush(peer);
    }
}

void crowd_turn(struct crowd *peers, int wait_ms)
{
    struct epoll_event events[PEERS_EVENTS];
    int count = epoll_wait(peers->epoll_fd, events, PEERS_EVENTS, wait_ms);
    for (int i = 0; i < count; i++)
        peer_readable(events[i].data.ptr);
    uint64_t time_ms = now_ms();
    for (struct peer *peer = peers->first; peer != NULL; peer = peer->next)
        peer_timers(peer, time_ms);
}

bool crowd_until(struct crowd *peers, const bool *done, int wait_ms)
{
    uint64_t end_ms = now_ms() + (uint64_t)wait_ms;
    while (!*done && now_ms() < end_ms)
        crowd_turn(peers, 5);
    return *done;
}

/* ---- sending ---- */

static uint32_t roc_of(struct peer *peer, uint32_t ssrc, uint16_t sequence)
{
    for (uint8_t i = 0; i < peer->sent_count; i++) {
        struct sent_ssrc *sent = &peer->sent[i];
        if (sent->ssrc != ssrc)
            continue;
        int16_t ahead = seq_diff(sequence, sent->newest);
        uint32_t roc = sent->roc;
        if (ahead > 0) {
            if (sequence < sent->newest)
                roc = ++sent->roc;
            sent->newest = sequence;
        } else if (sequence > sent->newest) {
            roc--;
        }
        return roc;
    }
    if (peer->sent_count < PEER_SSRCS_MAX)
        peer->sent[peer->sent_count++] = (struct sent_ssrc){.ssrc = ssrc, .newest = sequence};
    return 0;
}

void peer_send_rtp(struct peer *peer, const uint8_t *packet, size_t length)
{
    uint8_t out[PEER_PACKET_MAX + PROTECTOR_RTP_TAIL_MAX];
    size_t protected_length;
    if (!peer->connected || length > PEER_PACKET_MAX || length < 12)
        return;
    size_t head = 12 + (size_t)(packet[0] & 0x0f) * 4;
    if ((packet[0] & 0x10) != 0 && head + 4 <= length)
        head += 4 + (size_t)load_be16(packet + head + 2) * 4;
    if (head > length)
        return;
    uint32_t roc = roc_of(peer, load_be32(packet + 8), load_be16(packet + 2));
    if (protector_rtp(peer->protector, roc, packet, head, packet + head, length - head, out,
                      &protected_length) == STATUS_OK)
        peer_send(peer, out, protected_length);
}

void peer_send_rtcp(struct peer *peer, const uint8_t *packet, size_t length)
{
    uint8_t out[PEER_PACKET_MAX + PROTECTOR_RTCP_TAIL_MAX];
    size_t protected_length;
    if (!peer->connected || length > PEER_PACKET_MAX)
        return;
    memcpy(out, packet, length);
    if (protector_rtcp(peer->protector, out, length, sizeof out, &protected_length) == STATUS_OK)
        peer_send(peer, out, protected_length);
}

/* ---- beginning and end ---- */

static enum status peer_socket(struct peer *peer)
{
    const int bytes = PEER_SOCKET_BUFFER, on = 1;
    int fd = socket(AF_INET, (peer->config.tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return STATUS_IO;
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
    if (peer->config.tcp)
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = peer};
    if (connect(fd, (const struct sockaddr *)&peer->config.server, sizeof peer->config.server) !=
            0 ||
        epoll_ctl(peer->peers->epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0) {
        close(fd);
        return STATUS_IO;
    }
    if (peer->fd >= 0)
        close(peer->fd);
    peer->fd = fd;
    return STATUS_OK;
}

static enum status peer_ssl(struct peer *peer)
{
    peer->ssl = SSL_new(peer->peers->context);
    BIO *in = BIO_new(BIO_s_mem());
    BIO *out = BIO_new(BIO_s_mem());
    if (peer->ssl == NULL || in == NULL || out == NULL) {
        BIO_free(in);
        BIO_free(out);
        return STATUS_NO_MEMORY;
    }
    BIO_set_mem_eof_return(in, -1);
    BIO_set_mem_eof_return(out, -1);
    SSL_set_bio(peer->ssl, in, out);
    SSL_set_connect_state(peer->ssl);
    SSL_set_options(peer->ssl, SSL_OP_NO_QUERY_MTU);
    SSL_set_mtu(peer->ssl, 1200);
    DTLS_set_timer_cb(peer->ssl, dtls_timer);
    const char *profiles = peer->config.srtp;
    /* 0 is success here. */
    return SSL_set_tlsext_use_srtp(peer->ssl,
                                   profiles != NULL ? profiles : "SRTP_AEAD_AES_128_GCM") == 0
               ? STATUS_OK
               : STATUS_INTERNAL;
}

static void copy_text(char *ret_text, size_t size, const char *text)
{
    snprintf(ret_text, size, "%s", text);
}

enum status peer_new(struct crowd *peers, const struct peer_config *config, struct peer **ret_peer)
{
    struct peer *peer = calloc(1, sizeof *peer);
    if (peer == NULL)
        return STATUS_NO_MEMORY;
    uint8_t random[12];
    crypto_random(random, sizeof random);
    crypto_hex(random, 4, peer->ufrag);
    crypto_hex(random, sizeof random, peer->pwd);
    peer->peers = peers;
    peer->config = *config;
    if (peer->config.check_ms == 0)
        peer->config.check_ms = PEER_CHECK_MS;
    copy_text(peer->server_ufrag, sizeof peer->server_ufrag, config->server_ufrag);
    copy_text(peer->server_pwd, sizeof peer->server_pwd, config->server_pwd);
    peer->fd = -1;
    peer->checking = true;
    peer->next = peers->first;
    peers->first = peer;
    enum status status = peer_ssl(peer);
    if (status == STATUS_OK)
        status = peer_socket(peer);
    if (status != STATUS_OK) {
        peer_free(peer);
        return status;
    }
    *ret_peer = peer;
    return STATUS_OK;
}

void peer_free(struct peer *peer)
{
    if (peer == NULL)
        return;
    struct peer **at = &peer->peers->first;
    while (*at != peer)
        at = &(*at)->next;
    *at = peer->next;
    if (peer->connected && !peer->closed) {
        SSL_shutdown(peer->ssl);
        dtls_flush(peer);
    }
    SSL_free(peer->ssl);
    protector_free(peer->protector);
    unprotector_free(peer->unprotector);
    if (peer->fd >= 0)
        close(peer->fd);
    free(peer);
}

enum status peer_move(struct peer *peer)
{
    enum status status = peer_socket(peer);
    peer->check_due_ms = 0;
    peer->answered = false;
    return status;
}

void peer_set_checking(struct peer *peer, bool on)
{
    peer->checking = on;
    peer->check_due_ms = 0;
}

void peer_restart(struct peer *peer, const char *server_ufrag, const char *server_pwd)
{
    copy_text(peer->server_ufrag, sizeof peer->server_ufrag, server_ufrag);
    copy_text(peer->server_pwd, sizeof peer->server_pwd, server_pwd);
    peer->answered = false;
    peer->check_due_ms = 0;
}
