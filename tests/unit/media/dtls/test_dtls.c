/*
 * The DTLS server against OpenSSL's client over an invented network that loses,
 * doubles and reorders by a seed. The clock is invented too: gettimeofday below is
 * what OpenSSL's retransmission timers read, so nothing here sleeps.
 */
#include "core/bytes.h"
#include "core/rng.h"
#include "media/dtls/datagram_bio.h"
#include "media/dtls/dtls.h"
#include "tests/support/alloc_fail.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>

#include <cmocka.h>

enum {
    QUEUE_MAX = 256,
    CLIENT_EXTENSION = 0xfe01, /* a private number: makes a ClientHello as large as wanted */
    CLIENT_EXTENSION_MAX = 1300,
};

/* ---- the clock ---- */

static int64_t clock_us = INT64_C(1700000000) * 1000000;

int gettimeofday(struct timeval *restrict now, void *restrict zone)
    __attribute__((visibility("default")));

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    (void)zone;
    now->tv_sec = clock_us / 1000000;
    now->tv_usec = clock_us % 1000000;
    return 0;
}

/* ---- the network ---- */

struct datagram {
    bool to_server;
    size_t length;
    uint8_t bytes[DTLS_DATAGRAM_MAX];
};

struct network {
    struct rng rng;
    uint32_t loss, doubled, swapped; /* percent */
    int drop_to_client;              /* the next so many are lost */
    struct datagram queue[QUEUE_MAX];
    size_t count;
    size_t sent_by_server, bytes_by_server, bytes_by_client;
};

static void network_put(struct network *network, bool to_server, const uint8_t *bytes,
                        size_t length)
{
    assert_true(length <= DTLS_DATAGRAM_MAX);
    if (rng_below(&network->rng, 100) < network->loss)
        return;
    if (!to_server && network->drop_to_client > 0) {
        network->drop_to_client--;
        return;
    }
    int copies = rng_below(&network->rng, 100) < network->doubled ? 2 : 1;
    while (copies-- > 0) {
        assert_true(network->count < QUEUE_MAX);
        struct datagram *datagram = &network->queue[network->count++];
        datagram->to_server = to_server;
        datagram->length = length;
        memcpy(datagram->bytes, bytes, length);
        if (network->count >= 2 && rng_below(&network->rng, 100) < network->swapped) {
            struct datagram other = network->queue[network->count - 2];
            network->queue[network->count - 2] = *datagram;
            *datagram = other;
        }
    }
}

static void from_server(void *context, const uint8_t *bytes, size_t length)
{
    struct network *network = context;
    assert_true(length <= DTLS_MTU);
    network->sent_by_server++;
    network->bytes_by_server += length;
    network_put(network, false, bytes, length);
}

static void from_client(void *context, const uint8_t *bytes, size_t length)
{
    struct network *network = context;
    network->bytes_by_client += length;
    network_put(network, true, bytes, length);
}

/* ---- the client ---- */

static struct dtls_identity *identity;

struct client {
    SSL_CTX *context;
    SSL *ssl;
    struct datagram_bio datagrams;
    struct media_fingerprint fingerprint;
    bool connected, closed, failed;
};

struct client_options {
    const char *profiles;  /* NULL: no use_srtp */
    const char *algorithm; /* of the fingerprint; NULL: sha-256 */
    size_t extension;      /* bytes of ballast in the ClientHello */
    bool no_certificate, old_version;
    const char *ciphers; /* NULL: OpenSSL's */
};

static unsigned int client_timer(SSL *ssl, unsigned int last_us)
{
    (void)ssl;
    return last_us == 0 ? 50000 : last_us * 2;
}

static int accept_any(int good, X509_STORE_CTX *store)
{
    (void)good;
    (void)store;
    return 1;
}

static int ballast_add(SSL *ssl, unsigned int type, const unsigned char **out, size_t *length,
                       int *alert, void *context)
{
    static const unsigned char ballast[CLIENT_EXTENSION_MAX];
    (void)ssl;
    (void)type;
    (void)alert;
    *out = ballast;
    *length = *(const size_t *)context;
    return 1;
}

static void client_certificate(struct client *client, const char *algorithm)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = X509_new();
    assert_non_null(key);
    assert_non_null(certificate);
    X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_set_pubkey(certificate, key);
    assert_true(X509_sign(certificate, key, EVP_sha256()) > 0);
    assert_int_equal(SSL_CTX_use_certificate(client->context, certificate), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(client->context, key), 1);
    const EVP_MD *digest = strcmp(algorithm, "sha-512") == 0   ? EVP_sha512()
                           : strcmp(algorithm, "sha-384") == 0 ? EVP_sha384()
                                                               : EVP_sha256();
    unsigned int length = 0;
    X509_digest(certificate, digest, client->fingerprint.digest, &length);
    client->fingerprint.length = length;
    snprintf(client->fingerprint.algorithm, sizeof client->fingerprint.algorithm, "%s", algorithm);
    X509_free(certificate);
    EVP_PKEY_free(key);
}

static void client_start(struct client *client, struct network *network,
                         const struct client_options *options)
{
    memset(client, 0, sizeof *client);
    client->context = SSL_CTX_new(DTLS_client_method());
    assert_non_null(client->context);
    struct client spare = {.context = SSL_CTX_new(DTLS_client_method())};
    client_certificate(options->no_certificate ? &spare : client,
                       options->algorithm != NULL ? options->algorithm : "sha-256");
    if (options->no_certificate)
        client->fingerprint = spare.fingerprint;
    SSL_CTX_free(spare.context);
    if (options->profiles != NULL)
        assert_int_equal(SSL_CTX_set_tlsext_use_srtp(client->context, options->profiles), 0);
    if (options->old_version) {
        SSL_CTX_set_cipher_list(client->context, "ALL:@SECLEVEL=0");
        SSL_CTX_set_min_proto_version(client->context, DTLS1_VERSION);
        SSL_CTX_set_max_proto_version(client->context, DTLS1_VERSION);
    }
    if (options->ciphers != NULL)
        assert_int_equal(SSL_CTX_set_cipher_list(client->context, options->ciphers), 1);
    if (options->extension > 0)
        SSL_CTX_add_client_custom_ext(client->context, CLIENT_EXTENSION, ballast_add, NULL,
                                      (void *)(uintptr_t)&options->extension, NULL, NULL);
    SSL_CTX_set_verify(client->context, SSL_VERIFY_PEER, accept_any);
    client->ssl = SSL_new(client->context);
    client->datagrams = (struct datagram_bio){.send = from_client, .context = network};
    BIO *bio = datagram_bio_new(&client->datagrams);
    assert_non_null(client->ssl);
    assert_non_null(bio);
    SSL_set_bio(client->ssl, bio, bio);
    SSL_set_options(client->ssl, SSL_OP_NO_QUERY_MTU);
    SSL_set_mtu(client->ssl, DTLS_MTU);
    SSL_set_connect_state(client->ssl);
    DTLS_set_timer_cb(client->ssl, client_timer);
}

static void client_end(struct client *client)
{
    SSL_free(client->ssl);
    SSL_CTX_free(client->context);
    ERR_clear_error();
}

static void client_judge(struct client *client, int result)
{
    int code = SSL_get_error(client->ssl, result);
    client->closed |= code == SSL_ERROR_ZERO_RETURN;
    client->failed |= code == SSL_ERROR_SSL || code == SSL_ERROR_SYSCALL;
}

static void client_run(struct client *client, const uint8_t *bytes, size_t length)
{
    uint8_t scratch[64];
    if (client->failed || client->closed)
        return;
    ERR_clear_error();
    client->datagrams.bytes = bytes;
    client->datagrams.length = length;
    int result = client->connected ? 1 : SSL_do_handshake(client->ssl);
    client->connected |= result == 1;
    if (client->connected)
        result = SSL_read(client->ssl, scratch, sizeof scratch);
    if (result <= 0)
        client_judge(client, result);
    client->datagrams.bytes = NULL;
    ERR_clear_error();
}

/* ---- both together ---- */

struct meeting {
    struct network network;
    struct client client;
    struct dtls_conn *conn;
};

static void meeting_start(struct meeting *meeting, const struct client_options *options)
{
    memset(meeting, 0, sizeof *meeting);
    rng_seed(&meeting->network.rng, 1);
    client_start(&meeting->client, &meeting->network, options);
    assert_int_equal(dtls_conn_new(identity, &meeting->client.fingerprint, DTLS_SERVER, from_server,
                                   &meeting->network, &meeting->conn),
                     STATUS_OK);
}

static void meeting_end(struct meeting *meeting)
{
    client_end(&meeting->client);
    dtls_conn_free(meeting->conn);
}

static void deliver_all(struct meeting *meeting)
{
    while (meeting->network.count > 0) {
        struct datagram datagram = meeting->network.queue[0];
        meeting->network.count--;
        memmove(meeting->network.queue, meeting->network.queue + 1,
                meeting->network.count * sizeof datagram);
        if (datagram.to_server)
            dtls_conn_receive(meeting->conn, datagram.bytes, datagram.length);
        else
            client_run(&meeting->client, datagram.bytes, datagram.length);
    }
}

/* Sets the clock to whichever timer is next; false when none runs. */
static bool wait_for_timer(struct meeting *meeting)
{
    int64_t wait_us = INT64_MAX;
    struct timeval client_wait;
    int32_t server_wait = dtls_conn_wait_ms(meeting->conn);
    if (server_wait >= 0)
        wait_us = server_wait * INT64_C(1000);
    if (!meeting->client.connected && !meeting->client.failed &&
        DTLSv1_get_timeout(meeting->client.ssl, &client_wait) == 1) {
        int64_t us = client_wait.tv_sec * INT64_C(1000000) + client_wait.tv_usec;
        wait_us = us < wait_us ? us : wait_us;
    }
    if (wait_us == INT64_MAX)
        return false;
    clock_us += wait_us;
    return true;
}

/* Until nothing moves any more. */
static void meeting_run(struct meeting *meeting)
{
    client_run(&meeting->client, NULL, 0);
    for (int round = 0; round < 100; round++) {
        deliver_all(meeting);
        if (meeting->client.connected && dtls_conn_wait_ms(meeting->conn) < 0)
            return;
        if (!wait_for_timer(meeting))
            return;
        dtls_conn_tick(meeting->conn);
        if (!meeting->client.connected && !meeting->client.failed &&
            DTLSv1_handle_timeout(meeting->client.ssl) < 0)
            meeting->client.failed = true;
    }
}

static const char all_profiles[] =
    "SRTP_AES128_CM_SHA1_80:SRTP_AEAD_AES_256_GCM:SRTP_AEAD_AES_128_GCM";
static const struct client_options plain = {.profiles = all_profiles};

/* What the client would use, from its own export. */
static void client_keys(struct client *client, enum protector_profile profile,
                        struct protector_keys *ret_send, struct protector_keys *ret_receive)
{
    uint8_t material[128];
    size_t key = protector_key_length(profile), salt = protector_salt_length(profile);
    assert_int_equal(SSL_export_keying_material(client->ssl, material, 2 * (key + salt),
                                                "EXTRACTOR-dtls_srtp", 19, NULL, 0, 0),
                     1);
    memset(ret_send, 0, sizeof *ret_send);
    memset(ret_receive, 0, sizeof *ret_receive);
    ret_send->profile = ret_receive->profile = profile;
    memcpy(ret_send->key, material, key);
    memcpy(ret_receive->key, material + key, key);
    memcpy(ret_send->salt, material + 2 * key, salt);
    memcpy(ret_receive->salt, material + 2 * key + salt, salt);
}

static void check_keys(struct meeting *meeting, enum protector_profile profile)
{
    struct protector_keys send, receive, theirs_send, theirs_receive;
    assert_int_equal(dtls_conn_keys(meeting->conn, &send, &receive), STATUS_OK);
    assert_int_equal(send.profile, profile);
    client_keys(&meeting->client, profile, &theirs_send, &theirs_receive);
    assert_memory_equal(send.key, theirs_receive.key, sizeof send.key);
    assert_memory_equal(send.salt, theirs_receive.salt, sizeof send.salt);
    assert_memory_equal(receive.key, theirs_send.key, sizeof send.key);
    assert_memory_equal(receive.salt, theirs_send.salt, sizeof send.salt);
}

/* ---- tests ---- */

static void test_handshake(void **state)
{
    (void)state;
    struct meeting meeting;
    struct protector_keys keys, other;
    meeting_start(&meeting, &plain);
    assert_int_equal(dtls_conn_state(meeting.conn), DTLS_HANDSHAKE);
    assert_int_equal(dtls_conn_wait_ms(meeting.conn), -1);
    assert_int_equal(dtls_conn_keys(meeting.conn, &keys, &other), STATUS_AGAIN);
    meeting_run(&meeting);
    assert_true(meeting.client.connected);
    assert_int_equal(dtls_conn_state(meeting.conn), DTLS_CONNECTED);
    assert_string_equal(dtls_conn_error(meeting.conn), "");
    check_keys(&meeting, PROTECTOR_AES_GCM_128);
    meeting_end(&meeting);
}

/* Calls share the identity, and nothing else: each handshake gives keys of its own, each way. */
static void test_keys_are_nobody_elses(void **state)
{
    (void)state;
    enum { CALLS = 4, KEY_BYTES = 16, SALT_BYTES = 12 }; /* of the shortest profile */
    struct protector_keys keys[CALLS * 2];
    for (size_t i = 0; i < CALLS; i++) {
        struct meeting meeting;
        meeting_start(&meeting, &plain);
        meeting_run(&meeting);
        assert_int_equal(dtls_conn_keys(meeting.conn, &keys[i * 2], &keys[i * 2 + 1]), STATUS_OK);
        meeting_end(&meeting);
    }
    for (size_t i = 0; i < CALLS * 2; i++) {
        for (size_t j = 0; j < i; j++) {
            assert_memory_not_equal(keys[i].key, keys[j].key, KEY_BYTES);
            assert_memory_not_equal(keys[i].salt, keys[j].salt, SALT_BYTES);
        }
    }
}

static void test_our_order_of_profiles(void **state)
{
    (void)state;
    static const struct {
        const char *offered;
        enum protector_profile chosen;
    } cases[] = {
        {all_profiles, PROTECTOR_AES_GCM_128},
        {"SRTP_AES128_CM_SHA1_80:SRTP_AEAD_AES_256_GCM", PROTECTOR_AES_GCM_256},
        {"SRTP_AES128_CM_SHA1_32:SRTP_AES128_CM_SHA1_80", PROTECTOR_AES_CM_SHA1_80},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct meeting meeting;
        struct client_options options = {.profiles = cases[i].offered};
        meeting_start(&meeting, &options);
        meeting_run(&meeting);
        assert_int_equal(dtls_conn_state(meeting.conn), DTLS_CONNECTED);
        check_keys(&meeting, cases[i].chosen);
        meeting_end(&meeting);
    }
    static const char *const useless[] = {NULL, "SRTP_AES128_CM_SHA1_32"};
    for (size_t i = 0; i < 2; i++) {
        struct meeting meeting;
        struct client_options options = {.profiles = useless[i]};
        struct protector_keys keys, other;
        meeting_start(&meeting, &options);
        meeting_run(&meeting);
        assert_int_equal(dtls_conn_state(meeting.conn), DTLS_FAILED);
        assert_string_equal(dtls_conn_error(meeting.conn), "no common SRTP profile");
        assert_int_equal(dtls_conn_keys(meeting.conn, &keys, &other), STATUS_AGAIN);
        meeting_end(&meeting);
    }
}

static void test_fingerprints(void **state)
{
    (void)state;
    static const char *const algorithms[] = {"sha-256", "sha-384", "sha-512", "SHA-256"};
    for (size_t i = 0; i < sizeof algorithms / sizeof *algorithms; i++) {
        struct meeting meeting;
        struct client_options options = {.profiles = all_profiles, .algorithm = algorithms[i]};
        meeting_start(&meeting, &options);
        meeting_run(&meeting);
        assert_int_equal(dtls_conn_state(meeting.conn), DTLS_CONNECTED);
        meeting_end(&meeting);
    }
    struct meeting meeting;
    struct dtls_conn *conn = NULL;
    meeting_start(&meeting, &plain);
    struct media_fingerprint wrong = meeting.client.fingerprint;
    wrong.digest[31] ^= 1;
    assert_int_equal(
        dtls_conn_new(identity, &wrong, DTLS_SERVER, from_server, &meeting.network, &conn),
        STATUS_OK);
    dtls_conn_free(meeting.conn);
    meeting.conn = conn;
    meeting_run(&meeting);
    assert_int_equal(dtls_conn_state(conn), DTLS_FAILED);
    assert_string_equal(dtls_conn_error(conn), "fingerprint mismatch");
    assert_false(meeting.client.connected);
    assert_true(meeting.client.failed); /* it got an alert */
    assert_int_equal(dtls_conn_wait_ms(conn), -1);
    wrong.length = 20;
    assert_int_equal(dtls_conn_new(identity, &wrong, DTLS_SERVER, from_server, NULL, &conn),
                     STATUS_INVALID);
    snprintf(wrong.algorithm, sizeof wrong.algorithm, "sha-1");
    assert_int_equal(dtls_conn_new(identity, &wrong, DTLS_SERVER, from_server, NULL, &conn),
                     STATUS_INVALID);
    meeting_end(&meeting);
}

static void test_refused_clients(void **state)
{
    (void)state;
    static const struct client_options cases[] = {
        {.profiles = all_profiles, .no_certificate = true},
        {.profiles = all_profiles, .old_version = true},
        {.profiles = all_profiles, .ciphers = "ECDHE-ECDSA-AES128-SHA"}, /* no AEAD */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct meeting meeting;
        meeting_start(&meeting, &cases[i]);
        meeting_run(&meeting);
        assert_int_equal(dtls_conn_state(meeting.conn), DTLS_FAILED);
        assert_true(strlen(dtls_conn_error(meeting.conn)) > 0);
        meeting_end(&meeting);
    }
}

/* As today's browsers: a ClientHello of 1,413 bytes in two datagrams, here in either order. */
static void test_fragmented_client_hello(void **state)
{
    (void)state;
    for (int swapped = 0; swapped < 2; swapped++) {
        struct meeting meeting;
        struct client_options options = {.profiles = all_profiles, .extension = 1250};
        meeting_start(&meeting, &options);
        client_run(&meeting.client, NULL, 0);
        assert_int_equal(meeting.network.count, 2);
        assert_true(meeting.network.bytes_by_client >= 1400);
        if (swapped) {
            struct datagram first = meeting.network.queue[0];
            meeting.network.queue[0] = meeting.network.queue[1];
            meeting.network.queue[1] = first;
        }
        deliver_all(&meeting);
        assert_true(meeting.client.connected); /* without any timer */
        assert_int_equal(dtls_conn_state(meeting.conn), DTLS_CONNECTED);
        meeting_end(&meeting);
    }
}

static void test_bad_networks(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        struct meeting meeting;
        struct client_options options = {.profiles = all_profiles, .extension = 1250};
        meeting_start(&meeting, &options);
        rng_seed(&meeting.network.rng, seed);
        meeting.network.loss = 20;
        meeting.network.doubled = 20;
        meeting.network.swapped = 30;
        int64_t begun = clock_us;
        meeting_run(&meeting);
        assert_int_equal(dtls_conn_state(meeting.conn), DTLS_CONNECTED);
        assert_true(meeting.client.connected);
        assert_true(clock_us - begun < INT64_C(30000000));
        check_keys(&meeting, PROTECTOR_AES_GCM_128);
        meeting_end(&meeting);
    }
}

/* The client says Finished again: our last flight was lost. */
static void test_last_flight_is_repeated(void **state)
{
    (void)state;
    struct meeting meeting;
    meeting_start(&meeting, &plain);
    client_run(&meeting.client, NULL, 0);
    while (dtls_conn_state(meeting.conn) == DTLS_HANDSHAKE && meeting.network.count > 0) {
        struct datagram datagram = meeting.network.queue[0];
        meeting.network.count--;
        memmove(meeting.network.queue, meeting.network.queue + 1,
                meeting.network.count * sizeof datagram);
        if (datagram.to_server)
            dtls_conn_receive(meeting.conn, datagram.bytes, datagram.length);
        else
            client_run(&meeting.client, datagram.bytes, datagram.length);
    }
    assert_int_equal(dtls_conn_state(meeting.conn), DTLS_CONNECTED);
    assert_true(meeting.network.count > 0);
    meeting.network.count = 0; /* lost */
    assert_false(meeting.client.connected);
    meeting_run(&meeting);
    assert_true(meeting.client.connected);
    assert_int_equal(dtls_conn_state(meeting.conn), DTLS_CONNECTED);
    meeting_end(&meeting);
}

static void test_timer(void **state)
{
    (void)state;
    struct meeting meeting;
    meeting_start(&meeting, &plain);
    client_run(&meeting.client, NULL, 0);
    struct datagram hello = meeting.network.queue[0];
    meeting.network.count = 0;
    meeting.network.loss = 100; /* from here on nothing arrives */
    dtls_conn_receive(meeting.conn, hello.bytes, hello.length);
    assert_true(meeting.network.sent_by_server > 0);
    int32_t expected = DTLS_TIMER_FIRST_MS;
    int64_t begun = clock_us;
    while (dtls_conn_state(meeting.conn) == DTLS_HANDSHAKE) {
        assert_int_equal(dtls_conn_wait_ms(meeting.conn), expected);
        clock_us += (expected - 20) * INT64_C(1000);
        size_t before = meeting.network.sent_by_server;
        dtls_conn_tick(meeting.conn); /* too early: nothing */
        assert_int_equal(meeting.network.sent_by_server, before);
        clock_us += 20 * 1000;
        dtls_conn_tick(meeting.conn);
        if (dtls_conn_state(meeting.conn) == DTLS_HANDSHAKE)
            assert_true(meeting.network.sent_by_server > before);
        expected = 2 * expected < DTLS_TIMER_MAX_MS ? 2 * expected : DTLS_TIMER_MAX_MS;
    }
    assert_int_equal(dtls_conn_state(meeting.conn), DTLS_FAILED);
    assert_string_equal(dtls_conn_error(meeting.conn), "no answer from the peer");
    assert_true(clock_us - begun < INT64_C(60000000));
    meeting_end(&meeting);
}

static void test_close(void **state)
{
    (void)state;
    struct meeting meeting;
    meeting_start(&meeting, &plain);
    meeting_run(&meeting);
    dtls_conn_close(meeting.conn);
    deliver_all(&meeting);
    assert_int_equal(dtls_conn_state(meeting.conn), DTLS_CLOSED);
    assert_true(meeting.client.closed);
    size_t sent = meeting.network.sent_by_server;
    dtls_conn_close(meeting.conn);
    assert_int_equal(meeting.network.sent_by_server, sent);
    meeting_end(&meeting);

    meeting_start(&meeting, &plain);
    meeting_run(&meeting);
    SSL_shutdown(meeting.client.ssl);
    deliver_all(&meeting);
    assert_int_equal(dtls_conn_state(meeting.conn), DTLS_CLOSED);
    assert_true(meeting.client.closed); /* answered */
    meeting_end(&meeting);

    meeting_start(&meeting, &plain); /* before any handshake there is nobody to tell */
    dtls_conn_close(meeting.conn);
    assert_int_equal(dtls_conn_state(meeting.conn), DTLS_CLOSED);
    assert_int_equal(meeting.network.sent_by_server, 0);
    meeting_end(&meeting);
}

static void end_somehow(struct meeting *meeting, int how)
{
    struct datagram *first = &meeting->network.queue[0], *second = first + 1;
    switch (how) {
    case 0: /* we close */
        dtls_conn_close(meeting->conn);
        break;
    case 1: /* the client closes, and gets an answer */
        SSL_shutdown(meeting->client.ssl);
        break;
    case 2: /* behind data, in one datagram */
        SSL_write(meeting->client.ssl, "x", 1);
        SSL_shutdown(meeting->client.ssl);
        assert_int_equal(meeting->network.count, 2);
        memcpy(first->bytes + first->length, second->bytes, second->length);
        first->length += second->length;
        meeting->network.count = 1;
        break;
    default: /* damaged or cut anywhere, it is nothing */
        SSL_shutdown(meeting->client.ssl);
        for (size_t at = 0; at < first->length; at++) {
            struct datagram datagram = *first;
            datagram.bytes[at == 1 || at == 2 ? 3 : at] ^= 4; /* OpenSSL skips an alert's version */
            assert_int_equal(dtls_conn_receive(meeting->conn, datagram.bytes, datagram.length),
                             DTLS_CONNECTED);
            assert_int_equal(dtls_conn_receive(meeting->conn, first->bytes, at), DTLS_CONNECTED);
        }
    }
    deliver_all(meeting);
}

/* OpenSSL's state is gone; what is left must speak to OpenSSL's client all the same. */
static void test_settled(void **state)
{
    (void)state;
    static const struct {
        const char *suite;
        bool settles; /* the last: the same, left to OpenSSL */
    } cases[] = {
        {"ECDHE-ECDSA-AES128-GCM-SHA256", true},
        {"ECDHE-ECDSA-AES256-GCM-SHA384", true},
        {"ECDHE-ECDSA-CHACHA20-POLY1305", true},
        {"ECDHE-ECDSA-AES128-GCM-SHA256", false},
    };
    for (size_t i = 0; i < 4 * sizeof cases / sizeof *cases; i++) {
        struct meeting meeting;
        struct protector_keys keys, other;
        struct client_options options = {.profiles = all_profiles, .ciphers = cases[i / 4].suite};
        meeting_start(&meeting, &options);
        dtls_conn_settle(meeting.conn); /* too early: nothing */
        meeting_run(&meeting);
        assert_int_equal(dtls_conn_state(meeting.conn), DTLS_CONNECTED);
        check_keys(&meeting, PROTECTOR_AES_GCM_128);
        if (cases[i / 4].settles) {
            dtls_conn_settle(meeting.conn);
            dtls_conn_settle(meeting.conn);
            assert_int_equal(dtls_conn_keys(meeting.conn, &keys, &other), STATUS_CLOSED);
        }
        assert_int_equal(dtls_conn_tick(meeting.conn), DTLS_CONNECTED);
        assert_int_equal(dtls_conn_wait_ms(meeting.conn), -1);
        end_somehow(&meeting, (int)(i % 4));
        assert_int_equal(dtls_conn_state(meeting.conn), DTLS_CLOSED);
        assert_true(meeting.client.closed);
        meeting_end(&meeting);
    }
}

/* Without memory it goes on with OpenSSL. */
static void test_settle_starved(void **state)
{
    (void)state;
    struct meeting meeting;
    meeting_start(&meeting, &plain);
    meeting_run(&meeting);
    alloc_fail_at(1);
    dtls_conn_settle(meeting.conn);
    assert_true(alloc_fail_fired());
    check_keys(&meeting, PROTECTOR_AES_GCM_128);
    dtls_conn_close(meeting.conn);
    deliver_all(&meeting);
    assert_true(meeting.client.closed);
    meeting_end(&meeting);
}

static void test_noise_changes_nothing(void **state)
{
    (void)state;
    struct meeting meeting;
    struct rng rng;
    uint8_t noise[DTLS_DATAGRAM_MAX + 1];
    rng_seed(&rng, 7);
    meeting_start(&meeting, &plain);
    meeting_run(&meeting);
    for (int i = 0; i < 2000; i++) {
        size_t length = rng_below(&rng, i % 2 == 0 ? 100 : sizeof noise) + 1;
        for (size_t at = 0; at < length; at++)
            noise[at] = (uint8_t)rng_next(&rng);
        noise[0] = (uint8_t)(20 + rng_below(&rng, 44));
        if (length > 2 && i % 3 != 0)
            store_be16(noise + 1, 0xfefd);
        if (length > 12 && i % 5 != 0)
            store_be16(noise + 11, (uint16_t)(length - 13));
        assert_int_equal(dtls_conn_receive(meeting.conn, noise, length), DTLS_CONNECTED);
    }
    static const char data[] = "application data";
    for (int i = 0; i < 10; i++)
        assert_true(SSL_write(meeting.client.ssl, data, sizeof data) > 0);
    deliver_all(&meeting);
    assert_int_equal(dtls_conn_state(meeting.conn), DTLS_CONNECTED);
    SSL_shutdown(meeting.client.ssl); /* and it still understands */
    deliver_all(&meeting);
    assert_int_equal(dtls_conn_state(meeting.conn), DTLS_CLOSED);
    meeting_end(&meeting);
}

/* Refused; what OpenSSL's client makes of it is a fatal alert. */
static void test_no_renegotiation(void **state)
{
    (void)state;
    struct meeting meeting;
    meeting_start(&meeting, &plain);
    meeting_run(&meeting);
    meeting.client.connected = false;
    SSL_renegotiate(meeting.client.ssl);
    client_run(&meeting.client, NULL, 0);
    assert_true(meeting.network.count > 0);
    deliver_all(&meeting);
    assert_false(meeting.client.connected);
    assert_int_equal(dtls_conn_state(meeting.conn), DTLS_FAILED);
    meeting_end(&meeting);
}

static enum status make_identity(void *context)
{
    (void)context;
    struct dtls_identity *made = NULL;
    enum status status = dtls_identity_new(&made);
    dtls_identity_free(made);
    return status;
}

static enum status make_conn(void *context)
{
    struct dtls_conn *conn = NULL;
    enum status status = dtls_conn_new(identity, context, DTLS_SERVER, from_server, NULL, &conn);
    dtls_conn_free(conn);
    return status;
}

static void test_starved(void **state)
{
    (void)state;
    struct media_fingerprint fingerprint = {.algorithm = "sha-256", .length = 32};
    assert_true(alloc_fail_each(make_identity, NULL) > 0);
    assert_true(alloc_fail_each(make_conn, &fingerprint) > 0);
    assert_null(dtls_identity_free(NULL));
    assert_null(dtls_conn_free(NULL));
}

static void test_identity(void **state)
{
    (void)state;
    struct dtls_identity *other = NULL;
    const char *text = dtls_identity_fingerprint(identity);
    assert_int_equal(strlen(text), DTLS_FINGERPRINT_CHARS - 1);
    assert_memory_equal(text, "sha-256 ", 8);
    assert_int_equal(dtls_identity_new(&other), STATUS_OK);
    assert_string_not_equal(text, dtls_identity_fingerprint(other)); /* fresh each time */
    dtls_identity_free(other);
    struct meeting meeting;
    char expected[DTLS_FINGERPRINT_CHARS];
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int length = 0;
    meeting_start(&meeting, &plain);
    meeting_run(&meeting);
    X509 *seen = SSL_get1_peer_certificate(meeting.client.ssl);
    assert_non_null(seen);
    X509_digest(seen, EVP_sha256(), digest, &length);
    for (unsigned int i = 0; i < length; i++)
        snprintf(expected + 3 * i, 4, "%02X:", digest[i]);
    assert_memory_equal(text + 8, expected, strlen(text) - 8);
    X509_free(seen);
    meeting_end(&meeting);
}

int main(void)
{
    if (dtls_identity_new(&identity) != STATUS_OK)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_handshake),
        cmocka_unit_test(test_keys_are_nobody_elses),
        cmocka_unit_test(test_our_order_of_profiles),
        cmocka_unit_test(test_fingerprints),
        cmocka_unit_test(test_refused_clients),
        cmocka_unit_test(test_fragmented_client_hello),
        cmocka_unit_test(test_bad_networks),
        cmocka_unit_test(test_last_flight_is_repeated),
        cmocka_unit_test(test_timer),
        cmocka_unit_test(test_close),
        cmocka_unit_test(test_settled),
        cmocka_unit_test(test_settle_starved),
        cmocka_unit_test(test_noise_changes_nothing),
        cmocka_unit_test(test_no_renegotiation),
        cmocka_unit_test(test_starved),
        cmocka_unit_test(test_identity),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    dtls_identity_free(identity);
    return failed;
}
