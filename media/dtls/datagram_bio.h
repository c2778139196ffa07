/*
 * media/dtls/datagram_bio.h - an OpenSSL BIO that is one datagram in and a callback out.
 *
 * OpenSSL's memory BIO forgets where datagrams end; this one copies nothing and keeps
 * each. Private to media/dtls. Thread: the owner's.
 */
#ifndef MEDIA_DTLS_DATAGRAM_BIO_H
#define MEDIA_DTLS_DATAGRAM_BIO_H

#include "media/dtls/dtls.h"

#include <openssl/bio.h>

struct datagram_bio {
    const uint8_t *bytes; /* the datagram to be read; NULL: none */
    size_t length;
    dtls_send_fn *send;
    void *context;
};

/* A BIO over `state`, which must outlive it. NULL without memory. */
BIO *datagram_bio_new(struct datagram_bio *state);

#endif
