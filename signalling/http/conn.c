#include "signalling/http/conn.h"

#include "core/bytes.h"
#include "core/log.h"
#include "core/metrics.h"
#include "signalling/http/request.h"
#include "signalling/http/transfer.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    STUN_MAGIC_COOKIE = 0x2112A442, /* RFC 8489 5 */
    STUN_HEADER_BYTES = 20,
};

void conn_deadline(struct conn *conn, uint64_t ms)
{
    ev_timer_stop(conn->http->loop, &conn->timer);
    if (ms == 0)
        return;
    /* Relative to now, not to when this turn of the loop began. */
    ev_now_update(conn->http->loop);
    ev_timer_set(&conn->timer, (double)ms / 1000.0, 0.);
    ev_timer_start(conn->http->loop, &conn->timer);
}

uint64_t conn_transfer_ms(const struct conn *conn, uint64_t bytes)
{
    const struct edge_limits *limits = &conn->http->limits;
    return limits->transfer_ms + bytes * 1000 / limits->transfer_bytes;
}

void conn_linger(struct conn *conn)
{
    link_finish(&conn->link);
    buffer_clear(&conn->in);
    conn->lingered = 0;
    conn->state = CONN_LINGER;
    conn_deadline(conn, conn->http->limits.linger_ms);
}

/* An RFC 4571 frame that holds a STUN message: length, two zero bits, length, cookie. */
static bool is_framed_stun(const uint8_t bytes[CONN_FIRST_BYTES])
{
    uint16_t frame = load_be16(bytes);
    return frame >= STUN_HEADER_BYTES && (bytes[2] & 0xc0) == 0 &&
           load_be16(bytes + 4) + STUN_HEADER_BYTES == frame &&
           load_be32(bytes + 6) == STUN_MAGIC_COOKIE;
}

static void give_to_ice(struct conn *conn)
{
    struct http *http = conn->http;
    int fd = conn->link.fd;
    conn->link.fd = -1;
    ev_io_stop(http->loop, &conn->io);
    /* Nothing was taken from the socket: it was only looked at. */
    http->config.ice_tcp(http->config.ice_tcp_context, fd, (const uint8_t *)"", 0);
}

/* HTTPS port: the socket says it is readable when CONN_FIRST_BYTES are there (SO_RCVLOWAT). */
static enum conn_step conn_first(struct conn *conn)
{
    uint8_t bytes[CONN_FIRST_BYTES];
    ssize_t got = recv(conn->link.fd, bytes, sizeof bytes, MSG_PEEK);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
        conn->link.wants_read = true;
        return CONN_WAIT;
    }
    if (got < CONN_FIRST_BYTES)
        return CONN_OVER;
    int one = 1;
    (void)setsockopt(conn->link.fd, SOL_SOCKET, SO_RCVLOWAT, &one, sizeof one);
    if (bytes[0] == 0x16 && bytes[1] == 3) { /* RFC 8446 5.1: a handshake record */
        if (link_secure(&conn->link, conn->http->tls) != STATUS_OK)
            return CONN_OVER;
        conn->state = CONN_HANDSHAKE;
        return CONN_GO_ON;
    }
    if (is_framed_stun(bytes) && conn->http->config.ice_tcp != NULL) {
        give_to_ice(conn);
        return CONN_OVER;
    }
    if (isupper(bytes[0]) && isupper(bytes[1])) {
        static const struct refusal refusal = {400, "https_required", "this port speaks HTTPS"};
        conn_refuse(conn, &refusal, false);
        return CONN_GO_ON;
    }
    return CONN_OVER;
}

static enum conn_step conn_handshake(struct conn *conn)
{
    int done = link_handshake(&conn->link);
    if (done == LINK_WAIT)
        return CONN_WAIT;
    if (done != 1) {
        log_event(LOG_HTTP, LOG_DEBUG, "tls_refused", "peer=%s", conn->address);
        return CONN_OVER;
    }
    conn->state = CONN_HEAD;
    conn_deadline(conn, conn->http->limits.head_ms);
    return CONN_GO_ON;
}

static enum conn_step conn_lingering(struct conn *conn)
{
    char thrown[4096];
    ssize_t got = link_read(&conn->link, thrown, sizeof thrown);
    if (got == LINK_WAIT)
        return CONN_WAIT;
    if (got <= 0)
        return CONN_OVER;
    conn->lingered += (size_t)got;
    return conn->lingered > CONN_LINGER_BYTES ? CONN_OVER : CONN_GO_ON;
}

static enum conn_step conn_step(struct conn *conn)
{
    switch (conn->state) {
    case CONN_FIRST:
        return conn_first(conn);
    case CONN_HANDSHAKE:
        return conn_handshake(conn);
    case CONN_HEAD:
        return conn_head(conn);
    case CONN_BODY:
        return conn_body(conn);
    case CONN_POOL:
        return CONN_WAIT;
    case CONN_PIECES:
        return transfer_fill(conn);
    case CONN_ANSWER:
        return conn_answer(conn);
    case CONN_SOCKET:
        return conn_pump(conn);
    case CONN_LINGER:
        return conn_lingering(conn);
    }
    return CONN_OVER;
}

static void conn_watch(struct conn *conn)
{
    int events = (conn->link.wants_read ? EV_READ : 0) | (conn->link.wants_write ? EV_WRITE : 0);
    struct ev_loop *loop = conn->http->loop;
    if (ev_is_active(&conn->io) && (conn->io.events & (EV_READ | EV_WRITE)) == events)
        return;
    ev_io_stop(loop, &conn->io);
    ev_io_set(&conn->io, conn->link.fd, events);
    if (events != 0)
        ev_io_start(loop, &conn->io);
}

void conn_drive(struct conn *conn)
{
    enum conn_step step = CONN_GO_ON;
    for (int i = 0; i < CONN_STEPS_MAX && step == CONN_GO_ON; i++) {
        conn->link.wants_read = conn->link.wants_write = false;
        step = conn_step(conn);
    }
    if (step == CONN_OVER) {
        conn_close(conn);
        return;
    }
    conn_watch(conn);
    if (step == CONN_GO_ON)
        ev_feed_event(conn->http->loop, &conn->io, EV_CUSTOM);
}

static void conn_ready(struct ev_loop *loop, struct ev_io *io, int events)
{
    (void)loop;
    (void)events;
    conn_drive(io->data);
}

static void conn_late(struct ev_loop *loop, struct ev_timer *timer, int events)
{
    (void)loop;
    (void)events;
    static const struct refusal late = {408, "too_slow", "the request did not arrive in time"};
    struct conn *conn = timer->data;
    bool begun = conn->state == CONN_BODY || conn->state == CONN_PIECES ||
                 (conn->state == CONN_HEAD && buffer_length(&conn->in) > 0);
    if (conn->state == CONN_PIECES && !transfer_late(conn))
        return;
    if (!begun) {
        /* An idle client may be about to ask again: it gets a proper end. */
        if (conn->state == CONN_HEAD)
            conn_close(conn);
        else
            conn_abort(conn);
        return;
    }
    conn_refuse(conn, &late, false);
    conn_drive(conn);
}

static struct conn *conn_new(struct http *http, enum gate_kind kind, int fd,
                             const struct sockaddr *address)
{
    struct conn *conn = calloc(1, sizeof *conn);
    if (conn == NULL)
        return NULL;
    conn->http = http;
    conn->kind = kind;
    conn->link.fd = fd;
    conn->state = kind == GATE_SECURE ? CONN_FIRST : CONN_HEAD;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    if (address->sa_family == AF_INET) {
        memcpy(&v4, address, sizeof v4);
        inet_ntop(AF_INET, &v4.sin_addr, conn->address, sizeof conn->address);
        conn->loopback = (ntohl(v4.sin_addr.s_addr) >> 24) == 127;
    } else {
        memcpy(&v6, address, sizeof v6);
        if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) {
            inet_ntop(AF_INET, v6.sin6_addr.s6_addr + 12, conn->address, sizeof conn->address);
            conn->loopback = v6.sin6_addr.s6_addr[12] == 127;
        } else {
            inet_ntop(AF_INET6, &v6.sin6_addr, conn->address, sizeof conn->address);
            conn->loopback = IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr);
        }
    }
    ev_io_init(&conn->io, conn_ready, fd, EV_READ);
    conn->io.data = conn;
    ev_init(&conn->timer, conn_late);
    conn->timer.data = conn;
    crypto_id(conn->id);
    return conn;
}

void conn_open(struct http *http, enum gate_kind kind, int fd, const struct sockaddr *address)
{
    struct conn *conn = NULL;
    if (http->conn_count < http->limits.connections_max)
        conn = conn_new(http, kind, fd, address);
    if (conn == NULL || visitors_enter(http->visitors, address, conn->loopback, edge_now_ms(),
                                       &conn->visitor) != STATUS_OK) {
        log_event(LOG_HTTP, LOG_DEBUG, "connection_refused", "peer=%s",
                  conn != NULL ? conn->address : "?");
        metric_add(http->refusals, 1);
        free(conn);
        close(fd);
        return;
    }
    int one = 1, first = CONN_FIRST_BYTES;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (kind == GATE_SECURE)
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &first, sizeof first);
    conn->next = http->conns;
    if (conn->next != NULL)
        conn->next->prev = conn;
    http->conns = conn;
    http->conn_count++;
    metric_set(http->connections, http->conn_count);
    conn_deadline(conn, http->limits.first_ms);
    ev_io_start(http->loop, &conn->io);
}

static void conn_free(struct conn *conn)
{
    struct http *http = conn->http;
    if (conn->prev != NULL)
        conn->prev->next = conn->next;
    else
        http->conns = conn->next;
    if (conn->next != NULL)
        conn->next->prev = conn->prev;
    http->conn_count--;
    metric_set(http->connections, http->conn_count);
    free(conn);
}

void conn_close(struct conn *conn)
{
    struct ev_loop *loop = conn->http->loop;
    ev_io_stop(loop, &conn->io);
    ev_clear_pending(loop, &conn->io);
    ev_timer_stop(loop, &conn->timer);
    conn_pump_free(conn);
    link_close(&conn->link);
    if (conn->visitor != NULL)
        visitors_leave(conn->visitor);
    conn->visitor = NULL;
    answer_clear(&conn->answer);
    buffer_clear(&conn->in);
    /* The pool still works with the request: its letter ends both. */
    if (!conn->in_pool)
        conn_end(conn);
}

void conn_end(struct conn *conn)
{
    if (conn->transfer != NULL && transfer_drop(conn))
        return;
    transfer_free(conn);
    conn->request = request_free(conn->request);
    conn_free(conn);
}

void conn_abort(struct conn *conn)
{
    const struct linger at_once = {.l_onoff = 1};
    (void)setsockopt(conn->link.fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    conn_close(conn);
}

/* The handler has given a sink or a source: they are used from now on, or let go of. */
static enum status transfer_take(struct conn *conn)
{
    const struct request *request = conn->request;
    const struct http_reply *reply = &request->reply;
    bool head = strcmp(request->head.method, "HEAD") == 0;
    if (reply->sink.context != NULL)
        return transfer_in(conn, request->head.content_length);
    if (reply->source.context != NULL)
        return transfer_out(conn, head ? 0 : reply->source.length);
    return STATUS_OK;
}

void conn_replied(void *arg)
{
    struct request *request = arg;
    struct conn *conn = request->conn;
    conn->http->exchange_count--;
    conn->in_pool = false;
    enum status status = transfer_take(conn);
    if (conn->link.fd < 0) {
        conn_end(conn);
        return;
    }
    /* What a handler has not taken of a body stands between it and the next request. */
    if (request->route->body_max == HTTP_STREAMED && request->head.content_length > 0 &&
        conn->transfer == NULL)
        conn->keep = false;
    if (status != STATUS_OK) {
        static const struct refusal busy = {503, "busy", "the server has too much to do"};
        conn_refuse(conn, &busy, conn->keep);
    } else if (request->reply.sink.context != NULL) {
        conn_body_wanted(conn);
    } else {
        conn_reply(conn);
    }
    conn_drive(conn);
}
