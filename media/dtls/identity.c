/* media/dtls/identity.c - the process's certificate and what all connections agree on; see dtls.h.
 */
#include "media/dtls/identity.h"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    CERTIFICATE_BACK_S = 24 * 3600,       /* clocks of clients may be behind */
    CERTIFICATE_LIFE_S = 365 * 24 * 3600, /* nobody looks: the fingerprint is what counts */
    SERIAL_BYTES = 8,
};

struct dtls_identity {
    SSL_CTX *context;
    char fingerprint[DTLS_FINGERPRINT_CHARS];
};

/* Our order decides (RFC 5764 4.1.1: the server picks). */
static const char srtp_profiles[] =
    "SRTP_AEAD_AES_128_GCM:SRTP_AEAD_AES_256_GCM:SRTP_AES128_CM_SHA1_80";

/* RFC 8827 6.5 asks for the first. AEAD only: with encrypt-then-MAC, OpenSSL ends a DTLS connection
 * on one damaged record, which a stranger can send. Telephones that are the server may have RSA
 * keys. */
static const char ciphers[] = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305:"
                              "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256:"
                              "ECDHE-RSA-AES256-GCM-SHA384";

static X509 *certificate_new(EVP_PKEY *key)
{
    uint8_t serial[SERIAL_BYTES];
    X509 *certificate = X509_new();
    BIGNUM *number = NULL;
    if (certificate == NULL || RAND_bytes(serial, sizeof serial) != 1)
        goto failed;
    serial[0] &= 0x7f;
    number = BN_bin2bn(serial, sizeof serial, NULL);
    X509_NAME *name = X509_get_subject_name(certificate);
    static const unsigned char common_name[] = "parley";
    if (number == NULL || X509_set_version(certificate, X509_VERSION_3) != 1 ||
        BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) == NULL ||
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, common_name, -1, -1, 0) != 1 ||
        X509_set_issuer_name(certificate, name) != 1 ||
        X509_gmtime_adj(X509_getm_notBefore(certificate), -CERTIFICATE_BACK_S) == NULL ||
        X509_gmtime_adj(X509_getm_notAfter(certificate), CERTIFICATE_LIFE_S) == NULL ||
        X509_set_pubkey(certificate, key) != 1 || X509_sign(certificate, key, EVP_sha256()) == 0)
        goto failed;
    BN_free(number);
    return certificate;
failed:
    BN_free(number);
    X509_free(certificate);
    return NULL;
}

static bool fingerprint_write(const X509 *certificate, char text[DTLS_FINGERPRINT_CHARS])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int length = 0;
    if (X509_digest(certificate, EVP_sha256(), digest, &length) != 1)
        return false;
    size_t at = (size_t)snprintf(text, DTLS_FINGERPRINT_CHARS, "sha-256 ");
    for (unsigned int i = 0; i < length; i++)
        at += (size_t)snprintf(text + at, DTLS_FINGERPRINT_CHARS - at, i == 0 ? "%02X" : ":%02X",
                               digest[i]);
    return true;
}

static bool context_set_up(SSL_CTX *context, X509 *certificate, EVP_PKEY *key)
{
    SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION |
                                     SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                                     SSL_OP_NO_QUERY_MTU);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    SSL_CTX_set_cert_verify_callback(context, dtls_conn_verify, NULL);
    SSL_CTX_set_read_ahead(context, 1); /* a datagram is read whole or lost */
#ifdef DTLS1_3_VERSION
    int newest = DTLS1_3_VERSION;
#else
    int newest = DTLS1_2_VERSION;
#endif
    /* use_srtp's call returns 0 when it went well. */
    return SSL_CTX_set_min_proto_version(context, DTLS1_2_VERSION) == 1 &&
           SSL_CTX_set_max_proto_version(context, newest) == 1 &&
           SSL_CTX_use_certificate(context, certificate) == 1 &&
           SSL_CTX_use_PrivateKey(context, key) == 1 &&
           SSL_CTX_set_cipher_list(context, ciphers) == 1 &&
           SSL_CTX_set1_groups_list(context, "X25519:P-256:P-384") == 1 &&
           SSL_CTX_set_max_send_fragment(context, DTLS_MTU) == 1 &&
           SSL_CTX_set_tlsext_use_srtp(context, srtp_profiles) == 0;
}

enum status dtls_identity_new(struct dtls_identity **ret_identity)
{
    enum status status = STATUS_INTERNAL;
    struct dtls_identity *identity = calloc(1, sizeof *identity);
    if (identity == NULL)
        return STATUS_NO_MEMORY;
    X509 *certificate = NULL;
    EVP_PKEY *key = EVP_EC_gen("P-256");
    identity->context = SSL_CTX_new(DTLS_method());
    if (key == NULL || identity->context == NULL)
        goto out;
    certificate = certificate_new(key);
    if (certificate == NULL || !fingerprint_write(certificate, identity->fingerprint) ||
        !context_set_up(identity->context, certificate, key))
        goto out;
    *ret_identity = identity;
    identity = NULL;
    status = STATUS_OK;
out:
    X509_free(certificate);
    EVP_PKEY_free(key);
    dtls_identity_free(identity);
    ERR_clear_error();
    return status;
}

struct dtls_identity *dtls_identity_free(struct dtls_identity *identity)
{
    if (identity != NULL) {
        SSL_CTX_free(identity->context);
        free(identity);
    }
    return NULL;
}

const char *dtls_identity_fingerprint(const struct dtls_identity *identity)
{
    return identity->fingerprint;
}

SSL_CTX *dtls_identity_context(struct dtls_identity *identity)
{
    return identity->context;
}
