/*
 * Who is at the other end of a TLS connection that we open. The stack verifies against the name in
 * the address it connects to, and those are numeric here; so its SSL_connect is ours: the chain and
 * the trunk's name are checked by OpenSSL during the handshake, which fails when they do not hold.
 * Two trunks of one address share a connection; when they expect different names there, or trust
 * different authorities, there is no connection that would be right for both, and none is made.
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
    char host[VERIFY_HOST_MAX], file[VERIFY_HOST_MAX];
} verified[PHONE_TRUNKS_MAX];

enum status verify_add(int trunk, const char *authorities, const char *host)
{
    if (trunk < 0 || trunk >= PHONE_TRUNKS_MAX || strlen(host) >= VERIFY_HOST_MAX ||
        strlen(authorities) >= VERIFY_HOST_MAX)
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
    snprintf(verified[trunk].file, VERIFY_HOST_MAX, "%s", authorities);
    return STATUS_OK;
}

static int trunk_expected(const struct sockaddr *peer)
{
    int expected = GATE_NO_OWNER;
    for (int i = 0; i < PHONE_TRUNKS_MAX; i++) {
        if (verified[i].authorities == NULL || !gate_owns(i, peer))
            continue;
        if (expected != GATE_NO_OWNER && (strcmp(verified[i].host, verified[expected].host) != 0 ||
                                          strcmp(verified[i].file, verified[expected].file) != 0))
            return GATE_NO_OWNER;
        expected = i;
    }
    return expected;
}

/* What OpenSSL found is final; the stack's own callback would overrule it. */
static int on_verified(int found, X509_STORE_CTX *context)
{
    (void)context;
    return found;
}

/* False: it is none of ours, or cannot be verified: nothing is said to it. */
static bool verify_ask(SSL *ssl)
{
    struct sockaddr_storage peer;
    socklen_t size = sizeof peer;
    if (getpeername(SSL_get_fd(ssl), (struct sockaddr *)&peer, &size) != 0)
        return false;
    int trunk = trunk_expected((const struct sockaddr *)&peer);
    if (trunk == GATE_NO_OWNER)
        return false;
    const char *host = verified[trunk].host;
    X509_VERIFY_PARAM *expected = SSL_get0_param(ssl);
    if (X509_VERIFY_PARAM_set1_ip_asc(expected, host) != 1) {
        X509_VERIFY_PARAM_set_hostflags(expected, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
        if (X509_VERIFY_PARAM_set1_host(expected, host, 0) != 1 ||
            SSL_set_tlsext_host_name(ssl, host) != 1)
            return false;
    }
    SSL_set_verify(ssl, SSL_VERIFY_PEER, on_verified);
    return SSL_set1_verify_cert_store(ssl, verified[trunk].authorities) == 1;
}

PHONE_EXPORTED int SSL_connect(SSL *ssl)
{
    if (SSL_in_before(ssl)) {
        if (!verify_ask(ssl) || SSL_set_min_proto_version(ssl, TLS1_2_VERSION) != 1)
            return -1;
        SSL_set_connect_state(ssl);
    }
    return SSL_do_handshake(ssl);
}

PHONE_EXPORTED int SSL_accept(SSL *ssl)
{
    if (SSL_in_before(ssl)) {
        if (SSL_set_min_proto_version(ssl, TLS1_2_VERSION) != 1)
            return -1;
        SSL_set_accept_state(ssl);
    }
    return SSL_do_handshake(ssl);
}
