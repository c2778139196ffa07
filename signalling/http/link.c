#include "signalling/http/link.h"

#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

enum status link_secure(struct link *link, SSL_CTX *context)
{
    SSL *ssl = SSL_new(context);
    if (ssl == NULL || SSL_set_fd(ssl, link->fd) != 1) {
        SSL_free(ssl);
        ERR_clear_error();
        return STATUS_NO_MEMORY;
    }
    SSL_set_accept_state(ssl);
    link->ssl = ssl;
    return STATUS_OK;
}

/* What to do after a TLS call that returned `result` <= 0. */
static int ssl_outcome(struct link *link, int result)
{
    int error = SSL_get_error(link->ssl, result);
    ERR_clear_error();
    switch (error) {
    case SSL_ERROR_WANT_READ:
        link->wants_read = true;
        return LINK_WAIT;
    case SSL_ERROR_WANT_WRITE:
        link->wants_write = true;
        return LINK_WAIT;
    case SSL_ERROR_ZERO_RETURN:
        return LINK_END;
    default:
        /* Nothing more may be done on it, not even a close_notify. */
        SSL_set_quiet_shutdown(link->ssl, 1);
        return LINK_BROKEN;
    }
}

int link_handshake(struct link *link)
{
    ERR_clear_error();
    int result = SSL_do_handshake(link->ssl);
    if (result == 1)
        return 1;
    int outcome = ssl_outcome(link, result);
    return outcome == LINK_END ? LINK_BROKEN : outcome;
}

ssize_t link_read(struct link *link, void *bytes, size_t size)
{
    if (link->ssl != NULL) {
        ERR_clear_error();
        int result = SSL_read(link->ssl, bytes, size < INT_MAX ? (int)size : INT_MAX);
        return result > 0 ? result : ssl_outcome(link, result);
    }
    ssize_t result = recv(link->fd, bytes, size, 0);
    if (result >= 0)
        return result;
    if (errno == EAGAIN || errno == EINTR) {
        link->wants_read = true;
        return LINK_WAIT;
    }
    return LINK_BROKEN;
}

ssize_t link_write(struct link *link, const void *bytes, size_t length)
{
    if (link->ssl != NULL) {
        ERR_clear_error();
        int result = SSL_write(link->ssl, bytes, length < INT_MAX ? (int)length : INT_MAX);
        if (result > 0)
            return result;
        int outcome = ssl_outcome(link, result);
        return outcome == LINK_END ? LINK_BROKEN : outcome;
    }
    ssize_t result = send(link->fd, bytes, length, MSG_NOSIGNAL);
    if (result >= 0)
        return result;
    if (errno == EAGAIN || errno == EINTR) {
        link->wants_write = true;
        return LINK_WAIT;
    }
    return LINK_BROKEN;
}

void link_finish(struct link *link)
{
    if (link->ssl != NULL && SSL_is_init_finished(link->ssl)) {
        ERR_clear_error();
        SSL_shutdown(link->ssl);
        ERR_clear_error();
    }
    shutdown(link->fd, SHUT_WR);
}

void link_close(struct link *link)
{
    SSL_free(link->ssl);
    link->ssl = NULL;
    if (link->fd >= 0)
        close(link->fd);
    link->fd = -1;
}
