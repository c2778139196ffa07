/*
 * signalling/http/pump.c - a connection that became a websocket: bytes go to libwebsockets
 * and back, at most CONN_PIECE at a time waiting either way, so a slow side slows the other.
 */
#include "core/log.h"
#include "signalling/http/conn.h"
#include "signalling/http/request.h"
#include "signalling/http/websocket.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum { WS_PROTOCOL_ERROR = 1002 }; /* RFC 6455 7.4.1 */

static void pump_ready(struct ev_loop *loop, struct ev_io *io, int events)
{
    (void)loop;
    (void)events;
    conn_drive(io->data);
}

/* The upgrade request as libwebsockets gets it: ours from the first byte to the last. */
static enum status pump_greet(struct conn *conn)
{
    const struct head *head = &conn->request->head;
    struct buffer greeting = {0};
    enum status status =
        buffer_printf(&greeting,
                      "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\n"
                      "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                      "Sec-WebSocket-Key: %s\r\n\r\n",
                      conn->http->ws_path, head->host, head_get(head, "sec-websocket-key"));
    if (status == STATUS_OK) {
        ssize_t length = (ssize_t)buffer_length(&greeting);
        /* A new socket's buffer has room for it. */
        if (send(conn->pump->fd, buffer_front(&greeting), (size_t)length, MSG_NOSIGNAL) != length)
            status = STATUS_IO;
    }
    buffer_clear(&greeting);
    return status;
}

enum status conn_pump_begin(struct conn *conn)
{
    struct http *http = conn->http;
    struct conn_pump *pump = calloc(1, sizeof *pump);
    if (pump == NULL)
        return STATUS_NO_MEMORY;
    pump->fd = -1;
    conn->pump = pump;
    enum status status = websocket_adopt(http->websockets, conn, conn->address, conn->loopback,
                                         &pump->ws, &pump->fd);
    if (status == STATUS_OK)
        status = pump_greet(conn);
    if (status != STATUS_OK) {
        conn_pump_free(conn);
        return status;
    }
    ev_io_init(&pump->io, pump_ready, pump->fd, EV_READ);
    pump->io.data = conn;
    conn->request = request_free(conn->request);
    conn->state = CONN_SOCKET;
    conn_deadline(conn, 0);
    /* Frames may have come with the head. */
    pump->refused = buffer_length(&conn->in) > 0 &&
                    !frames_pass(&pump->frames, (const uint8_t *)buffer_front(&conn->in),
                                 buffer_length(&conn->in));
    return STATUS_OK;
}

void conn_pump_free(struct conn *conn)
{
    struct conn_pump *pump = conn->pump;
    if (pump == NULL)
        return;
    if (ev_is_active(&pump->io) || ev_is_pending(&pump->io)) {
        ev_io_stop(conn->http->loop, &pump->io);
        ev_clear_pending(conn->http->loop, &pump->io);
    }
    if (pump->fd >= 0)
        close(pump->fd);
    if (pump->ws != NULL)
        websocket_part(pump->ws);
    buffer_clear(&pump->down);
    free(pump);
    conn->pump = NULL;
}

static void pump_refuse(struct conn *conn)
{
    log_event(LOG_HTTP, LOG_DEBUG, "websocket_refused", "peer=%s reason=framing", conn->address);
    buffer_clear(&conn->in);
    conn->pump->refused = true;
    http_ws_close(conn->pump->ws, WS_PROTOCOL_ERROR);
}

/* Client to libwebsockets. */
static enum conn_step pump_up(struct conn *conn)
{
    struct conn_pump *pump = conn->pump;
    if (pump->refused || pump->ended) {
        if (buffer_length(&conn->in) > 0)
            pump_refuse(conn);
        return CONN_WAIT;
    }
    if (buffer_length(&conn->in) == 0) {
        if (buffer_reserve(&conn->in, CONN_PIECE) != STATUS_OK)
            return CONN_OVER;
        ssize_t got = link_read(&conn->link, conn->in.bytes + conn->in.end, CONN_PIECE);
        if (got == LINK_WAIT) {
            buffer_clear(&conn->in);
            return CONN_WAIT;
        }
        if (got <= 0)
            return CONN_OVER;
        if (!frames_pass(&pump->frames, (const uint8_t *)conn->in.bytes + conn->in.end,
                         (size_t)got)) {
            pump_refuse(conn);
            return CONN_GO_ON;
        }
        conn->in.end += (size_t)got;
    }
    ssize_t put = send(pump->fd, buffer_front(&conn->in), buffer_length(&conn->in), MSG_NOSIGNAL);
    if (put < 0 && errno == EAGAIN) {
        pump->wants_write = true;
        return CONN_WAIT;
    }
    if (put < 0) { /* libwebsockets has closed; its last bytes may still be on their way */
        buffer_clear(&conn->in);
        pump->ended = true;
        return CONN_GO_ON;
    }
    buffer_take(&conn->in, (size_t)put);
    return CONN_GO_ON;
}

/* Libwebsockets to client. */
static enum conn_step pump_down(struct conn *conn)
{
    struct conn_pump *pump = conn->pump;
    if (buffer_length(&pump->down) == 0) {
        if (buffer_reserve(&pump->down, CONN_PIECE) != STATUS_OK)
            return CONN_OVER;
        ssize_t got = recv(pump->fd, pump->down.bytes + pump->down.end, CONN_PIECE, 0);
        if (got < 0 && errno == EAGAIN) {
            buffer_clear(&pump->down);
            pump->wants_read = true;
            return CONN_WAIT;
        }
        if (got <= 0) {
            conn_pump_free(conn);
            conn_linger(conn);
            return CONN_GO_ON;
        }
        if (frames_closing(&pump->farewell, (const uint8_t *)pump->down.bytes + pump->down.end,
                           (size_t)got) &&
            !pump->closing) {
            pump->closing = true;
            conn_deadline(conn, conn->http->limits.linger_ms);
        }
        pump->down.end += (size_t)got;
    }
    ssize_t put = link_write(&conn->link, buffer_front(&pump->down), buffer_length(&pump->down));
    if (put == LINK_WAIT) {
        if (!ev_is_active(&conn->timer))
            conn_deadline(conn, conn->http->limits.stall_ms);
        return CONN_WAIT;
    }
    if (put < 0)
        return CONN_OVER;
    if (ev_is_active(&conn->timer) && !pump->closing)
        conn_deadline(conn, 0);
    buffer_take(&pump->down, (size_t)put);
    return CONN_GO_ON;
}

enum conn_step conn_pump(struct conn *conn)
{
    struct conn_pump *pump = conn->pump;
    pump->wants_read = pump->wants_write = false;
    enum conn_step up = pump_up(conn);
    enum conn_step down = up != CONN_OVER ? pump_down(conn) : CONN_OVER;
    if (up == CONN_OVER || down == CONN_OVER)
        return CONN_OVER;
    if (conn->pump == NULL)
        return CONN_GO_ON;
    int events = (pump->wants_read ? EV_READ : 0) | (pump->wants_write ? EV_WRITE : 0);
    if (!ev_is_active(&pump->io) || (pump->io.events & (EV_READ | EV_WRITE)) != events) {
        ev_io_stop(conn->http->loop, &pump->io);
        ev_io_set(&pump->io, pump->fd, events);
        if (events != 0)
            ev_io_start(conn->http->loop, &pump->io);
    }
    return up == CONN_GO_ON || down == CONN_GO_ON ? CONN_GO_ON : CONN_WAIT;
}
