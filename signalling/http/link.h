/*
 * signalling/http/link.h - a client's socket, with TLS on it or not, never blocking.
 * Owner: a connection of the edge thread.
 */
#ifndef SIGNALLING_HTTP_LINK_H
#define SIGNALLING_HTTP_LINK_H

#include "core/status.h"

#include <openssl/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct link {
    int fd;
    SSL *ssl;                     /* NULL: plain */
    bool wants_read, wants_write; /* set by a call that could not go on */
};

enum { LINK_END = 0, LINK_WAIT = -1, LINK_BROKEN = -2 };

/* Puts TLS on it, as server. Errors: STATUS_NO_MEMORY. */
MUST_USE enum status link_secure(struct link *link, SSL_CTX *context);
/* 1 when done, LINK_WAIT, LINK_BROKEN. */
int link_handshake(struct link *link);
/* Bytes read or written (> 0), LINK_END (reading only), LINK_WAIT or LINK_BROKEN. size > 0. */
ssize_t link_read(struct link *link, void *bytes, size_t size);
ssize_t link_write(struct link *link, const void *bytes, size_t length);
/* No more will be written: close_notify and FIN. */
void link_finish(struct link *link);
void link_close(struct link *link);

#endif
