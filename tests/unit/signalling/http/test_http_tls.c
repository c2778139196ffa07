/*
 * tests/unit/signalling/http/test_http_tls.c - the HTTPS port: certificates, versions,
 * ALPN, reload, and telling TLS from ICE-TCP and from plain HTTP.
 */
#include "fixture.h"

#include "signalling/http/certificate.h"

#include <openssl/x509v3.h>

#define GET(path) "GET " path " HTTP/1.1\r\nHost: localhost\r\n\r\n"

/* The serial number of the certificate the server showed, as hex. */
static void shown_serial(const struct wire *wire, char ret_serial[64])
{
    X509 *certificate = SSL_get1_peer_certificate(wire->ssl);
    assert_non_null(certificate);
    BIGNUM *number = ASN1_INTEGER_to_BN(X509_get_serialNumber(certificate), NULL);
    char *text = BN_bn2hex(number);
    snprintf(ret_serial, 64, "%s", text);
    OPENSSL_free(text);
    BN_free(number);
    X509_free(certificate);
}

static void expect_page(struct wire *wire)
{
    struct reply reply;
    wire_text(wire, GET("/"));
    wire_reply(wire, false, &reply);
    assert_int_equal(reply.status, 200);
    assert_string_equal(reply.body, PAGE_TEXT);
    reply_free(&reply);
}

static void a_pair_is_made_and_kept(void **state)
{
    (void)state;
    struct fixture f;
    char first[64], second[64], path[SCRATCH_PATH_MAX + 32];
    fixture_plain(&f);
    struct wire wire = wire_open_tls(f.tls_port);
    X509 *certificate = SSL_get1_peer_certificate(wire.ssl);
    assert_non_null(certificate);
    assert_int_equal(X509_check_host(certificate, "localhost", 0, 0, NULL), 1);
    assert_int_equal(X509_check_ip_asc(certificate, "127.0.0.1", 0), 1);
    assert_int_equal(X509_check_ip_asc(certificate, "::1", 0), 1);
    assert_int_equal(EVP_PKEY_get_bits(X509_get0_pubkey(certificate)), 256);
    X509_free(certificate);
    shown_serial(&wire, first);
    expect_page(&wire);
    wire_close(&wire);
    struct stat info;
    snprintf(path, sizeof path, "%s/self-signed.key", f.folder);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    /* Another start shows the same one. */
    const struct http_config config = {
        .https = true, .directory = f.folder, .web = f.web, .crew = f.crew};
    f.http = http_free(f.http);
    fixture_new(&f, &config);
    fixture_start(&f);
    wire = wire_open_tls(f.tls_port);
    shown_serial(&wire, second);
    assert_string_equal(first, second);
    wire_close(&wire);
    fixture_free(&f);
}

static void reload_drops_nobody(void **state)
{
    (void)state;
    struct fixture f;
    char first[64], second[64], path[SCRATCH_PATH_MAX + 32];
    fixture_plain(&f);
    struct wire old = wire_open_tls(f.tls_port);
    expect_page(&old);
    shown_serial(&old, first);
    snprintf(path, sizeof path, "%s/self-signed.crt", f.folder);
    assert_int_equal(unlink(path), 0); /* a new pair is made */
    assert_int_equal(http_reload(f.http), STATUS_OK);
    WAIT_UNTIL(({
        struct wire young = wire_open_tls(f.tls_port);
        shown_serial(&young, second);
        expect_page(&young);
        wire_close(&young);
        strcmp(first, second) != 0;
    }));
    expect_page(&old);
    wire_close(&old);
    fixture_free(&f);
}

static void a_bad_certificate_keeps_the_old(void **state)
{
    (void)state;
    struct fixture f;
    char certificate[SCRATCH_PATH_MAX + 32], key[SCRATCH_PATH_MAX + 32], error[256];
    fixture_plain(&f); /* makes a pair to play with */
    snprintf(certificate, sizeof certificate, "%s/self-signed.crt", f.folder);
    snprintf(key, sizeof key, "%s/self-signed.key", f.folder);
    struct http_config config = {.https = true,
                                 .directory = f.folder,
                                 .web = f.web,
                                 .crew = f.crew,
                                 .certificate = certificate,
                                 .key = key};
    f.http = http_free(f.http);
    fixture_new(&f, &config);
    fixture_start(&f);
    struct wire wire = wire_open_tls(f.tls_port);
    struct reply reply;
    wire_text(&wire, "GET / HTTP/1.1\r\nHost: meet.example.org\r\n\r\n");
    wire_reply(&wire, false, &reply);
    /* A certificate of the operator's is a promise to stay with HTTPS. */
    assert_string_equal(reply_field(&reply, "Strict-Transport-Security"), "max-age=31536000");
    reply_free(&reply);
    wire_close(&wire);
    write_file(certificate, "no certificate", 14);
    assert_int_equal(http_reload(f.http), STATUS_INVALID);
    wire = wire_open_tls(f.tls_port);
    wire_close(&wire);
    struct http *http = NULL;
    assert_int_equal(http_new(&config, &http, error), STATUS_INVALID);
    assert_non_null(strstr(error, certificate));
    config.key = NULL;
    assert_int_equal(http_new(&config, &http, error), STATUS_INVALID);
    fixture_free(&f);
}

/* Whether a client with these settings gets through a handshake. */
static bool shakes(uint16_t port, int version, const char *alpn, char ret_alpn[16])
{
    struct wire wire = wire_open(port);
    wire.context = SSL_CTX_new(TLS_client_method());
    assert_non_null(wire.context);
    SSL_CTX_set_security_level(wire.context, 0);
    SSL_CTX_set_min_proto_version(wire.context, version);
    SSL_CTX_set_max_proto_version(wire.context, version);
    wire.ssl = SSL_new(wire.context);
    assert_non_null(wire.ssl);
    if (alpn != NULL)
        SSL_set_alpn_protos(wire.ssl, (const unsigned char *)alpn, (unsigned)strlen(alpn));
    SSL_set_fd(wire.ssl, wire.fd);
    bool done = SSL_connect(wire.ssl) == 1;
    const unsigned char *chosen = NULL;
    unsigned length = 0;
    SSL_get0_alpn_selected(wire.ssl, &chosen, &length);
    snprintf(ret_alpn, 16, "%.*s", (int)length, chosen != NULL ? (const char *)chosen : "");
    wire_close(&wire);
    return done;
}

static void versions_and_alpn(void **state)
{
    (void)state;
    struct fixture f;
    char alpn[16];
    fixture_plain(&f);
    assert_true(shakes(f.tls_port, TLS1_3_VERSION, NULL, alpn));
    assert_string_equal(alpn, "");
    assert_true(shakes(f.tls_port, TLS1_2_VERSION, "\x08http/1.1", alpn));
    assert_string_equal(alpn, "http/1.1");
    assert_true(shakes(f.tls_port, TLS1_3_VERSION, "\x02h2\x08http/1.1", alpn));
    assert_string_equal(alpn, "http/1.1");
    assert_false(shakes(f.tls_port, TLS1_2_VERSION, "\x02h2", alpn));
    assert_false(shakes(f.tls_port, TLS1_1_VERSION, NULL, alpn));
    fixture_free(&f);
}

/* A STUN binding request without attributes behind its RFC 4571 length. */
static const uint8_t framed_stun[22] = {0x00, 0x14, 0x00, 0x01, 0x00, 0x00,
                                        0x21, 0x12, 0xa4, 0x42, 1};

static void ice_tcp_is_given_away_whole(void **state)
{
    (void)state;
    static const size_t pieces[] = {22, 1};
    for (size_t p = 0; p < 2; p++) {
        struct fixture f;
        uint8_t read[sizeof framed_stun];
        fixture_plain(&f);
        struct wire wire = wire_open(f.tls_port);
        for (size_t at = 0; at < sizeof framed_stun; at += pieces[p])
            wire_send(&wire, framed_stun + at, pieces[p]);
        WAIT_UNTIL(atomic_load(&f.ice_fd) >= 0);
        int fd = atomic_load(&f.ice_fd);
        assert_true((fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
        size_t have = 0;
        WAIT_UNTIL(({
            ssize_t got = recv(fd, read + have, sizeof read - have, 0);
            have += got > 0 ? (size_t)got : 0;
            have == sizeof read;
        }));
        assert_memory_equal(read, framed_stun, sizeof read);
        assert_int_equal(send(fd, "back", 4, 0), 4);
        char back[4];
        wire_exactly(&wire, back, 4);
        assert_memory_equal(back, "back", 4);
        wire_close(&wire);
        fixture_free(&f); /* the descriptor is ours: it lives on */
        assert_int_equal(close(fd), 0);
    }
}

static void what_is_neither_is_cut_off(void **state)
{
    (void)state;
    struct fixture f;
    struct reply reply;
    fixture_plain(&f);
    struct wire wire = wire_open(f.tls_port);
    wire_text(&wire, GET("/"));
    wire_reply(&wire, false, &reply);
    assert_int_equal(reply.status, 400);
    assert_non_null(strstr(reply.body, "https_required"));
    reply_free(&reply);
    assert_true(wire_ended(&wire));
    wire_close(&wire);
    static const char *const others[] = {
        "\x01\x14\x00\x01\x00\x00\x21\x12\xa4\x42", /* lengths that do not fit */
        "\x00\x14\x00\x01\x00\x00\x21\x12\xa4\x43", /* no cookie */
        "\x00\x14\x80\x01\x00\x00\x21\x12\xa4\x42", /* not STUN */
        "\x80\x2e\x01\x03\x01\x00\x15\x00\x00\x00", /* SSLv2 */
        "0123456789",
    };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        wire = wire_open(f.tls_port);
        wire_send(&wire, others[i], 10);
        assert_true(wire_ended(&wire));
        wire_close(&wire);
    }
    wire = wire_open(f.tls_port); /* ends before it can be told */
    wire_send(&wire, framed_stun, 9);
    shutdown(wire.fd, SHUT_WR);
    assert_true(wire_ended(&wire));
    wire_close(&wire);
    assert_int_equal(atomic_load(&f.ice_fd), -1);
    fixture_free(&f);
}

/* A free port; nobody else on this machine is likely to take it before we do. */
static uint16_t free_port(void)
{
    struct sockaddr_in6 address = {.sin6_family = AF_INET6};
    socklen_t length = sizeof address;
    int fd = socket(AF_INET6, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    close(fd);
    return ntohs(address.sin6_port);
}

static void the_redirect_port_only_redirects(void **state)
{
    (void)state;
    struct fixture f;
    struct http_config config;
    struct reply reply;
    char expected[128];
    fixture_config(&f, &config);
    config.redirect_port = free_port();
    fixture_new(&f, &config);
    fixture_start(&f);
    ask(config.redirect_port, "GET /m/a%20b%0?x=%41 HTTP/1.1\r\nHost: meet.example.org:80\r\n\r\n",
        &reply);
    assert_int_equal(reply.status, 400);
    reply_free(&reply);
    ask(config.redirect_port,
        "GET /m/a%20b%C3%A9?x=%41 HTTP/1.1\r\nHost: meet.example.org:80\r\n\r\n", &reply);
    assert_int_equal(reply.status, 308);
    snprintf(expected, sizeof expected, "https://meet.example.org:%u/m/a%%20b%%C3%%A9?x=%%41",
             f.tls_port);
    assert_string_equal(reply_field(&reply, "Location"), expected);
    reply_free(&reply);
    ask(config.redirect_port, "GET / HTTP/1.1\r\nHost: [2001:db8::1]\r\n\r\n", &reply);
    snprintf(expected, sizeof expected, "https://[2001:db8::1]:%u/", f.tls_port);
    assert_string_equal(reply_field(&reply, "Location"), expected);
    reply_free(&reply);
    ask(config.redirect_port, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\na",
        &reply);
    assert_int_equal(reply.status, 403);
    reply_free(&reply);
    fixture_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pair_is_made_and_kept),
        cmocka_unit_test(reload_drops_nobody),
        cmocka_unit_test(a_bad_certificate_keeps_the_old),
        cmocka_unit_test(versions_and_alpn),
        cmocka_unit_test(ice_tcp_is_given_away_whole),
        cmocka_unit_test(what_is_neither_is_cut_off),
        cmocka_unit_test(the_redirect_port_only_redirects),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
