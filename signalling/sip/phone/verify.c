/*
 * Who is at the other end of a TLS connection that we open. The stack verifies against the name in
 * the address it connects to, and those are numeric here; so its SSL_connect is ours: the chain and
 * the trunk's name are checked by OpenSSL during the handshake, which fails when they do not hold.
 * Connections that others open to us are known by their address (gate.c), as over UDP and TCP.
 */
#include "signalling/sip/phone/phone.h"

#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

enum { VERIFY_HOST_MAX = 256 };

static struct {
    X509_STORE *authorities; /* NULL: this trunk is not spoken to by TLS */
    char host[VERIFY_HOST_MAX];
} verified[PHONE_TRUNKS_MAX];

enum status verify_add(int trunk, const char *authorities, const char *host)
{
    if (trunk < 0 || trunk >= PHONE_TRUNKS_MAX || strlen(host) >= VERIFY_HOST_MAX)
        return STATUS_LIMIT;
    X509_STORE *store = X509_STORE_new();
    if (store == NULL)
        return STATUS_NO_MEMORY;
    int read = authorities[0] != '\0' ? X509_STORE_load_file(store, authorities)
                                      : X509_STORE_set_default_paths(store);
    if (read != 1) {
        X509_STORE_free(store);
        return STATUS_IO;
    }
    verified[trunk].authorities = store;
    snprintf(verified[trunk].host, VERIFY_HOST_MAX, "%s", host);
    return STATUS_OK;
}

/* False: it is none of ours, or cannot be verified: nothing is said to it. */
static bool verify_ask(SSL *ssl)
{
    struct sockaddr_storage peer;
    socklen_t size = sizeof peer;
    if (getpeername(SSL_get_fd(ssl), (struct sockaddr *)&peer, &size) != 0)
        return false;
    int trunk = gate_owner((const struct sockaddr *)&peer);
    if (trunk == GATE_NO_OWNER || verified[trunk].authorities == NULL)
        return false;
    const char *host = verified[trunk].host;
    X509_VERIFY_PARAM *expected = SSL_get0_param(ssl);
    if (X509_VERIFY_PARAM_set1_ip_asc(expected, host) != 1) {
        X509_VERIFY_PARAM_set_hostflags(expected, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
        if (X509_VERIFY_PARAM_set1_host(expected, host, 0) != 1 ||
            SSL_set_tlsext_host_name(ssl, host) != 1)
            return false;
    }
    SSL_set_verify(ssl, SSL_VERIFY_PEER, NULL); /* NULL: what OpenSSL found is final */
    return SSL_set1_verify_cert_store(ssl, verified[trunk].authorities) == 1;
}

PHONE_EXPORTED int SSL_connect(SSL *ssl)
{
    if (SSL_in_before(ssl)) {
        if (!verify_ask(ssl))
            return -1;
        SSL_set_connect_state(ssl);
    }
    return SSL_do_handshake(ssl);
}
