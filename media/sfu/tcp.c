/*
 * A connection begins undecided: its bytes are kept as they came until the first frame
 * is whole. That frame is a check and says whose connection it is. If the transport is
 * another worker's, descriptor and bytes go there unread; else they go through the frame
 * reader from then on.
 */
#include "media/sfu/tcp.h"

#include "core/bytes.h"
#include "core/map.h"
#include "media/ice/tcp_frame.h"
#include "media/sfu/inlet.h"
#include "media/sfu/tapping.h"
#include "media/sfu/transport.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TCP_READ_BYTES = 16384 };

struct connection {
    struct worker *worker;
    uint32_t number;
    int fd;
    struct loop_watch *watch;
    struct ice_address address;
    struct transport *transport; /* NULL: no check has passed */
    bool decided;
    uint64_t since_ms;
    bool unsent, blocked; /* in worker->unsent; waiting for EPOLLOUT */
    struct connection *unsent_next;
    uint32_t taken_length;
    uint8_t taken[TCP_TAKEN_MAX]; /* what came before it was decided */
    struct tcp_frame_reader reader;
    uint32_t queued;
    uint8_t queue[TCP_QUEUE_MAX];
};

static struct connection *connection_of(const struct worker *worker, uint32_t number)
{
    return map_get(worker->connections, number);
}

static void unsent_remove(struct connection *connection)
{
    struct connection **at = &connection->worker->unsent;
    while (connection->unsent && *at != connection)
        at = &(*at)->unsent_next;
    if (connection->unsent)
        *at = connection->unsent_next;
    connection->unsent = false;
}

/* Without telling anybody; the descriptor too unless it has moved on. */
static void connection_free(struct connection *connection)
{
    unsent_remove(connection);
    map_remove(connection->worker->connections, connection->number);
    loop_fd_remove(connection->watch);
    if (connection->fd >= 0)
        close(connection->fd);
    free(connection);
}

static void connection_close(struct connection *connection)
{
    struct transport *transport = connection->transport;
    uint32_t number = connection->number;
    connection_free(connection);
    if (transport != NULL)
        transport_stream_closed(transport, number);
}

/* ---- sending ---- */

void tcp_send(struct worker *worker, uint32_t stream, const uint8_t *bytes, size_t length)
{
    struct connection *connection = connection_of(worker, stream);
    if (connection == NULL || length > UINT16_MAX ||
        connection->queued + TCP_FRAME_HEAD + length > TCP_QUEUE_MAX) {
        worker->counters.dropped_tcp++;
        return;
    }
    if (worker->tap != NULL) {
        const struct ice_path path = {.address = connection->address, .stream = stream};
        tapping_stream_out(worker, connection->transport, &path, bytes, length);
    }
    uint8_t *out = connection->queue + connection->queued;
    store_be16(out, (uint16_t)length);
    memcpy(out + TCP_FRAME_HEAD, bytes, length);
    connection->queued += (uint32_t)(TCP_FRAME_HEAD + length);
    worker->counters.sent++;
    worker->counters.sent_bytes += TCP_FRAME_HEAD + length;
    if (!connection->unsent && !connection->blocked) {
        connection->unsent = true;
        connection->unsent_next = worker->unsent;
        worker->unsent = connection;
    }
}

void tcp_local(const struct worker *worker, uint32_t stream, struct ice_address *ret_address)
{
    const struct connection *connection = connection_of(worker, stream);
    struct sockaddr_storage own;
    socklen_t length = sizeof own;
    if (connection != NULL && getsockname(connection->fd, (struct sockaddr *)&own, &length) == 0)
        (void)!ice_address_from((const struct sockaddr *)&own, ret_address);
}

/* False: the connection is broken. */
static bool queue_write(struct connection *connection)
{
    ssize_t sent =
        send(connection->fd, connection->queue, connection->queued, MSG_DONTWAIT | MSG_NOSIGNAL);
    connection->worker->counters.send_calls++;
    if (sent < 0 && errno != EAGAIN && errno != EINTR)
        return false;
    if (sent > 0) {
        connection->queued -= (uint32_t)sent;
        memmove(connection->queue, connection->queue + sent, connection->queued);
    }
    bool blocked = connection->queued > 0;
    if (blocked != connection->blocked) {
        connection->blocked = blocked;
        loop_fd_change(connection->watch,
                       blocked ? (uint32_t)(EPOLLIN | EPOLLOUT) : (uint32_t)EPOLLIN);
    }
    return true;
}

void tcp_flush(struct worker *worker)
{
    while (worker->unsent != NULL) {
        struct connection *connection = worker->unsent;
        unsent_remove(connection);
        /* A broken one is found by its own reader, which may be at work above us. */
        if (connection->queued > 0 && !queue_write(connection))
            shutdown(connection->fd, SHUT_RDWR);
    }
}

/* ---- receiving ---- */

static bool take_frame(void *context, const uint8_t *bytes, size_t length)
{
    struct connection *connection = context;
    struct worker *worker = connection->worker;
    uint32_t number = connection->number;
    if (length > PACKET_BYTES_MAX) {
        worker->counters.dropped_malformed++;
        return true;
    }
    const struct ice_path from = {.address = connection->address, .stream = number};
    struct packet *packet = worker_packet(worker, &from, bytes, length);
    if (packet == NULL)
        return true;
    worker->counters.received++;
    worker->counters.received_bytes += length;
    inlet_datagram(worker, packet);
    packet_unref(packet, worker->packets);
    return connection_of(worker, number) != NULL;
}

/* False: the connection is gone. */
static bool connection_take(struct connection *connection, const uint8_t *bytes, size_t length)
{
    enum status status = tcp_frame_read(&connection->reader, bytes, length, take_frame, connection);
    if (status == STATUS_OK)
        return true;
    if (status != STATUS_CLOSED)
        connection_close(connection);
    return false;
}

/* Descriptor and bytes to the worker that owns the transport. */
static void connection_move(struct connection *connection, uint8_t to)
{
    struct worker *worker = connection->worker;
    struct letter letter = {.stream = {.fd = connection->fd, .length = connection->taken_length}};
    letter.stream.bytes = malloc(connection->taken_length);
    if (letter.stream.bytes != NULL) {
        memcpy(letter.stream.bytes, connection->taken, connection->taken_length);
        letter.to = worker->media->workers[to];
        if (worker_post(letter.to, tcp_on_adopt, &letter) == STATUS_OK)
            connection->fd = -1;
        else
            free(letter.stream.bytes);
    }
    connection_free(connection);
}

/* Looks whose the first frame is. False: the connection is gone from here. */
static bool connection_decide(struct connection *connection)
{
    struct worker *worker = connection->worker;
    if (connection->taken_length < TCP_FRAME_HEAD)
        return true;
    size_t length = load_be16(connection->taken);
    if (length + TCP_FRAME_HEAD > TCP_TAKEN_MAX) {
        connection_free(connection);
        return false;
    }
    if (connection->taken_length < TCP_FRAME_HEAD + length)
        return true;
    struct transport *transport =
        inlet_transport_of(worker, connection->taken + TCP_FRAME_HEAD, length);
    if (transport == NULL)
        return true; /* its letter may be on the way: tcp_expire looks again */
    int owner = atomic_load(&transport->owner);
    if (owner != TRANSPORT_UNOWNED && owner != worker->number) {
        connection_move(connection, (uint8_t)owner);
        return false;
    }
    connection->decided = true;
    return connection_take(connection, connection->taken, connection->taken_length);
}

static bool connection_read(struct connection *connection)
{
    if (!connection->decided) {
        ssize_t got = recv(connection->fd, connection->taken + connection->taken_length,
                           TCP_TAKEN_MAX - connection->taken_length, MSG_DONTWAIT);
        if (got < 0 && (errno == EAGAIN || errno == EINTR))
            return true;
        /* Full without a frame we know: no client of ours. */
        if (got <= 0) {
            connection_free(connection);
            return false;
        }
        connection->taken_length += (uint32_t)got;
        return connection_decide(connection);
    }
    uint8_t bytes[TCP_READ_BYTES];
    ssize_t got = recv(connection->fd, bytes, sizeof bytes, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return true;
    if (got <= 0) {
        connection_close(connection);
        return false;
    }
    return connection_take(connection, bytes, (size_t)got);
}

static void on_ready(void *context, uint32_t events)
{
    struct connection *connection = context;
    if ((events & EPOLLOUT) != 0 && !queue_write(connection)) {
        connection_close(connection);
        return;
    }
    if ((events & ~(uint32_t)EPOLLOUT) != 0)
        (void)connection_read(connection);
}

/* ---- beginning and end ---- */

static enum status connection_new(struct worker *worker, const struct letter *letter,
                                  struct connection **ret_connection)
{
    struct sockaddr_storage peer;
    socklen_t peer_length = sizeof peer;
    struct ice_address address;
    if (map_count(worker->connections) >= WORKER_CONNECTIONS_MAX ||
        letter->stream.length > TCP_TAKEN_MAX)
        return STATUS_LIMIT;
    if (getpeername(letter->stream.fd, (struct sockaddr *)&peer, &peer_length) != 0 ||
        ice_address_from((struct sockaddr *)&peer, &address) != STATUS_OK)
        return STATUS_INVALID;
    struct connection *connection = malloc(sizeof *connection);
    if (connection == NULL)
        return STATUS_NO_MEMORY;
    /* The queue is left untouched: its pages come when it is used. */
    memset(connection, 0, offsetof(struct connection, queue));
    connection->worker = worker;
    connection->fd = letter->stream.fd;
    connection->address = address;
    connection->since_ms = worker_now_ms(worker);
    do {
        connection->number = ++worker->last_connection;
    } while (connection->number == 0 || connection_of(worker, connection->number) != NULL);
    enum status status = map_put(worker->connections, connection->number, connection);
    if (status == STATUS_OK) {
        status = loop_fd_add(worker->loop, connection->fd, EPOLLIN, "ice-tcp", on_ready, connection,
                             &connection->watch);
        if (status != STATUS_OK)
            map_remove(worker->connections, connection->number);
    }
    if (status != STATUS_OK) {
        free(connection);
        return status;
    }
    *ret_connection = connection;
    return STATUS_OK;
}

void tcp_on_adopt(struct worker *worker, const struct letter *letter)
{
    struct connection *connection;
    if (worker->closing || connection_new(worker, letter, &connection) != STATUS_OK) {
        close(letter->stream.fd);
        free(letter->stream.bytes);
        return;
    }
    memcpy(connection->taken, letter->stream.bytes, letter->stream.length);
    connection->taken_length = (uint32_t)letter->stream.length;
    free(letter->stream.bytes);
    (void)connection_decide(connection);
}

void tcp_bind(struct worker *worker, uint32_t stream, struct transport *transport)
{
    struct connection *connection = connection_of(worker, stream);
    if (connection != NULL)
        connection->transport = transport;
}

struct transport *tcp_transport(const struct worker *worker, uint32_t stream)
{
    const struct connection *connection = connection_of(worker, stream);
    return connection == NULL ? NULL : connection->transport;
}

/* Frees those for which `done` says so; the map must not change while it is walked. */
static void close_where(struct worker *worker,
                        bool (*done)(const struct connection *connection, const void *argument),
                        const void *argument)
{
    bool again = true;
    while (again) {
        size_t cursor = 0;
        struct connection *connection;
        again = false;
        while ((connection = map_next(worker->connections, &cursor)) != NULL) {
            if (!done(connection, argument))
                continue;
            connection_free(connection);
            again = true;
            break;
        }
    }
}

static bool belongs(const struct connection *connection, const void *argument)
{
    return connection->transport == argument;
}

void tcp_close_of(struct worker *worker, const struct transport *transport)
{
    close_where(worker, belongs, transport);
}

static bool overdue(const struct connection *connection, const void *argument)
{
    (void)argument;
    return connection->transport == NULL &&
           worker_now_ms(connection->worker) - connection->since_ms >= TCP_PROVE_MS;
}

void tcp_expire(struct worker *worker)
{
    close_where(worker, overdue, NULL);
    bool again = map_count(worker->connections) > 0;
    while (again) {
        size_t cursor = 0;
        struct connection *connection;
        again = false;
        while ((connection = map_next(worker->connections, &cursor)) != NULL) {
            if (connection->decided || connection->taken_length < TCP_FRAME_HEAD)
                continue;
            uint32_t number = connection->number;
            (void)connection_decide(connection);
            const struct connection *left = connection_of(worker, number);
            /* The map has changed under the walk when it is gone; begin anew. */
            if (left == NULL) {
                again = true;
                break;
            }
        }
    }
}

static bool always(const struct connection *connection, const void *argument)
{
    (void)connection;
    (void)argument;
    return true;
}

void tcp_close_all(struct worker *worker)
{
    close_where(worker, always, NULL);
}
