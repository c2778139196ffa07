/* media/dtls/identity.h - what a connection needs of the identity. Private to media/dtls. */
#ifndef MEDIA_DTLS_IDENTITY_H
#define MEDIA_DTLS_IDENTITY_H

#include "media/dtls/dtls.h"

#include <openssl/ssl.h>

/* The context all connections are made from; borrowed. */
SSL_CTX *dtls_identity_context(struct dtls_identity *identity);

/* In conn.c: holds the peer's certificate against the fingerprint
 * (SSL_CTX_set_cert_verify_callback). */
int dtls_conn_verify(X509_STORE_CTX *store, void *unused);

#endif
