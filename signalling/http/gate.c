#include "signalling/http/gate.h"

#include "core/log.h"
#include "signalling/http/conn.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    struct sockaddr_storage space;
};

static void address_set(union address *address, int family, bool loopback, uint16_t port)
{
    memset(address, 0, sizeof *address);
    if (family == AF_INET) {
        address->v4.sin_family = AF_INET;
        address->v4.sin_port = htons(port);
        address->v4.sin_addr.s_addr = htonl(loopback ? INADDR_LOOPBACK : INADDR_ANY);
    } else {
        address->v6.sin6_family = AF_INET6;
        address->v6.sin6_port = htons(port);
        address->v6.sin6_addr = loopback ? in6addr_loopback : in6addr_any;
    }
}

/* Errors: STATUS_EXISTS, STATUS_UNSUPPORTED (no such address family here), STATUS_IO. */
static enum status listener_open(struct http *http, enum gate_kind kind, int family, uint16_t port,
                                 uint16_t *ret_port)
{
    bool loopback = kind == GATE_PLAIN;
    int one = 1, dual = loopback ? 1 : 0;
    union address address;
    address_set(&address, family, loopback, port);
    socklen_t length = family == AF_INET ? sizeof address.v4 : sizeof address.v6;
    int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return errno == EAFNOSUPPORT ? STATUS_UNSUPPORTED : STATUS_IO;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (family == AF_INET6)
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &dual, sizeof dual);
    if (bind(fd, &address.any, length) != 0 || listen(fd, GATE_BACKLOG) != 0 ||
        getsockname(fd, &address.any, &length) != 0) {
        int error = errno;
        close(fd);
        return error == EADDRINUSE      ? STATUS_EXISTS
               : error == EADDRNOTAVAIL ? STATUS_UNSUPPORTED
                                        : STATUS_IO;
    }
    struct listener *listener = &http->listeners[http->listener_count++];
    *listener = (struct listener){.http = http, .kind = kind, .fd = fd};
    *ret_port = ntohs(family == AF_INET ? address.v4.sin_port : address.v6.sin6_port);
    return STATUS_OK;
}

static void listener_drop(struct http *http)
{
    close(http->listeners[--http->listener_count].fd);
}

/* 127.0.0.1 and ::1 with one port; a host without IPv6 has the first only. */
static enum status plain_open(struct http *http)
{
    enum status status = STATUS_EXISTS;
    for (int i = 0; i < GATE_PORT_TRIES_MAX && status == STATUS_EXISTS; i++) {
        uint16_t port = 0;
        status = listener_open(http, GATE_PLAIN, AF_INET, http->config.port, &http->port);
        if (status != STATUS_OK)
            break;
        status = listener_open(http, GATE_PLAIN, AF_INET6, http->port, &port);
        if (status == STATUS_UNSUPPORTED)
            status = STATUS_OK;
        if (status == STATUS_OK)
            break;
        listener_drop(http);
        if (http->config.port != 0)
            break;
    }
    return status;
}

/* All addresses: one socket for both families, or IPv4 alone. */
static enum status wide_open(struct http *http, enum gate_kind kind, uint16_t port,
                             uint16_t *ret_port)
{
    enum status status = listener_open(http, kind, AF_INET6, port, ret_port);
    if (status == STATUS_UNSUPPORTED)
        status = listener_open(http, kind, AF_INET, port, ret_port);
    return status;
}

static enum status explain(enum status status, const char *what, uint16_t port, char *ret_error,
                           size_t error_size)
{
    if (status != STATUS_OK)
        snprintf(ret_error, error_size, "%s: port %u: %s", what, port,
                 status == STATUS_EXISTS ? "the port is taken" : strerror(errno));
    return status;
}

enum status gate_open(struct http *http, char *ret_error, size_t error_size)
{
    const struct http_config *config = &http->config;
    uint16_t redirect = 0;
    enum status status =
        explain(plain_open(http), "http.port", config->port, ret_error, error_size);
    if (status == STATUS_OK && config->https)
        status = explain(wide_open(http, GATE_SECURE, config->https_port, &http->secure_port),
                         "https.port", config->https_port, ret_error, error_size);
    if (status == STATUS_OK && config->https && config->redirect_port != 0)
        status = explain(wide_open(http, GATE_REDIRECT, config->redirect_port, &redirect),
                         "https.redirect_port", config->redirect_port, ret_error, error_size);
    if (status != STATUS_OK)
        gate_close(http);
    return status;
}

static void gate_pause(struct http *http)
{
    log_event(LOG_HTTP, LOG_WARN, "accept_failed", "reason=%s", strerrorname_np(errno));
    for (size_t i = 0; i < http->listener_count; i++)
        ev_io_stop(http->loop, &http->listeners[i].io);
    ev_timer_set(&http->accept_again, GATE_PAUSE_MS / 1000.0, 0.);
    ev_timer_start(http->loop, &http->accept_again);
}

static void gate_ready(struct ev_loop *loop, struct ev_io *io, int events)
{
    (void)loop;
    (void)events;
    const struct listener *listener = io->data;
    struct http *http = listener->http;
    for (int i = 0; i < GATE_ACCEPTS_MAX; i++) {
        union address address = {0};
        socklen_t length = sizeof address;
        int fd = accept4(listener->fd, &address.any, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            conn_open(http, listener->kind, fd, &address.any);
            continue;
        }
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
            gate_pause(http);
        else if (errno == ECONNABORTED || errno == EINTR)
            continue;
        return;
    }
}

static void gate_again(struct ev_loop *loop, struct ev_timer *timer, int events)
{
    (void)loop;
    (void)events;
    struct http *http = timer->data;
    for (size_t i = 0; i < http->listener_count; i++)
        ev_io_start(http->loop, &http->listeners[i].io);
}

void gate_start(struct http *http)
{
    ev_init(&http->accept_again, gate_again);
    http->accept_again.data = http;
    for (size_t i = 0; i < http->listener_count; i++) {
        struct listener *listener = &http->listeners[i];
        ev_io_init(&listener->io, gate_ready, listener->fd, EV_READ);
        listener->io.data = listener;
        ev_io_start(http->loop, &listener->io);
    }
}

void gate_close(struct http *http)
{
    while (http->listener_count > 0) {
        struct listener *listener = &http->listeners[http->listener_count - 1];
        if (http->loop != NULL && ev_is_active(&listener->io))
            ev_io_stop(http->loop, &listener->io);
        listener_drop(http);
    }
    if (http->loop != NULL && ev_is_active(&http->accept_again))
        ev_timer_stop(http->loop, &http->accept_again);
}
