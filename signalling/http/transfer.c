#include "signalling/http/transfer.h"

#include "signalling/http/request.h"

#include <stdlib.h>
#include <string.h>

enum job { JOB_TAKE, JOB_END, JOB_READ, JOB_FREE };

struct piece {
    size_t length, done; /* length 0: empty; done: of them sent */
    char bytes[HTTP_PIECE];
};

struct transfer {
    struct conn *conn;
    struct http_sink sink;
    struct http_source source;
    bool held;       /* sink or source is not freed yet */
    bool late;       /* the client was too slow while the pool had a piece */
    uint64_t left;   /* bytes that the client has not sent, or the source not given */
    uint64_t unsent; /* outwards: of the whole body */
    enum job job;    /* what the pool does, or did last */
    size_t at;       /* with which piece */
    size_t got;      /* outwards: how much it has become */
    enum status status;
    size_t front; /* the piece the edge works on */
    struct piece pieces[2];
};

bool transfer_room(const struct http *http)
{
    return http->transfer_count < http->limits.transfers_max;
}

/* ---- on the pool ---- */

static void let_go(struct transfer *transfer)
{
    if (transfer->sink.context != NULL)
        transfer->sink.free(transfer->sink.context);
    else
        transfer->source.free(transfer->source.context);
    transfer->held = false;
}

static void piece_read(struct transfer *transfer)
{
    struct piece *piece = &transfer->pieces[transfer->at];
    size_t want = transfer->left < HTTP_PIECE ? (size_t)transfer->left : HTTP_PIECE;
    transfer->got = 0;
    transfer->status = STATUS_OK;
    while (transfer->status == STATUS_OK && transfer->got < want) {
        size_t part = 0;
        transfer->status = transfer->source.read(
            transfer->source.context, piece->bytes + transfer->got, want - transfer->got, &part);
        if (transfer->status == STATUS_OK && part == 0)
            transfer->status = STATUS_CORRUPT;
        transfer->got += part;
    }
}

static void transfer_home(void *arg);

static void job_run(void *arg)
{
    struct transfer *transfer = arg;
    struct http_reply *reply = &transfer->conn->request->reply;
    struct mailbox *mailbox = transfer->conn->http->mailbox;
    const struct piece *piece = &transfer->pieces[transfer->at];
    bool last = true;
    switch (transfer->job) {
    case JOB_TAKE:
        transfer->sink.take(transfer->sink.context, piece->bytes, piece->length, reply);
        last = reply->status != 0;
        break;
    case JOB_END:
        transfer->sink.end(transfer->sink.context, reply);
        break;
    case JOB_READ:
        piece_read(transfer);
        last = transfer->status != STATUS_OK || transfer->got == transfer->left;
        break;
    case JOB_FREE:
        break;
    }
    if (last)
        let_go(transfer);
    /* There is room for a letter of each transfer; memory may come back in a moment. */
    while (mailbox_post(mailbox, transfer_home, transfer) != STATUS_OK) {
        struct timespec pause = {.tv_nsec = CLOCK_NS_PER_MS};
        nanosleep(&pause, NULL);
    }
}

/* The pool has places for a job of each transfer besides those of requests. */
static enum status submit(struct transfer *transfer, enum job job, size_t at)
{
    struct conn *conn = transfer->conn;
    transfer->job = job;
    transfer->at = at;
    enum status status = crew_submit(conn->http->config.crew, job_run, transfer);
    if (status != STATUS_OK)
        return status;
    conn->in_pool = true;
    conn->http->exchange_count++;
    return STATUS_OK;
}

/* ---- on the edge ---- */

static enum status transfer_new(struct conn *conn, uint64_t length)
{
    const struct http_reply *reply = &conn->request->reply;
    struct transfer lost = {.sink = reply->sink, .source = reply->source};
    struct transfer *transfer = transfer_room(conn->http) ? calloc(1, sizeof *transfer) : NULL;
    if (transfer == NULL) {
        let_go(&lost);
        return STATUS_NO_MEMORY;
    }
    transfer->conn = conn;
    transfer->sink = reply->sink;
    transfer->source = reply->source;
    transfer->held = true;
    transfer->left = length;
    conn->http->transfer_count++;
    conn->transfer = transfer;
    return STATUS_OK;
}

enum status transfer_in(struct conn *conn, uint64_t length)
{
    enum status status = transfer_new(conn, length);
    if (status == STATUS_OK)
        conn_deadline(conn, conn_transfer_ms(conn, HTTP_PIECE));
    return status;
}

enum status transfer_out(struct conn *conn, uint64_t length)
{
    enum status status = transfer_new(conn, length);
    if (status == STATUS_OK)
        conn->transfer->unsent = length;
    return status;
}

bool transfer_over(const struct transfer *transfer)
{
    return transfer->unsent == 0;
}

/* More of the body, into what is free of the piece. */
static enum conn_step piece_fill(struct conn *conn, struct piece *piece)
{
    struct transfer *transfer = conn->transfer;
    size_t room = HTTP_PIECE - piece->length, early = buffer_length(&conn->in);
    size_t want = transfer->left < room ? (size_t)transfer->left : room;
    ssize_t got;
    if (early > 0) {
        got = (ssize_t)(early < want ? early : want);
        memcpy(piece->bytes + piece->length, buffer_front(&conn->in), (size_t)got);
        buffer_take(&conn->in, (size_t)got);
    } else {
        got = link_read(&conn->link, piece->bytes + piece->length, want);
        if (got == LINK_WAIT)
            return CONN_WAIT;
        if (got <= 0)
            return CONN_OVER;
    }
    piece->length += (size_t)got;
    transfer->left -= (size_t)got;
    return CONN_GO_ON;
}

enum conn_step transfer_fill(struct conn *conn)
{
    struct transfer *transfer = conn->transfer;
    struct piece *piece = &transfer->pieces[transfer->front];
    if (transfer->left > 0 && piece->length < HTTP_PIECE)
        return piece_fill(conn, piece);
    conn_deadline(conn, 0);
    if (conn->in_pool)
        return CONN_WAIT;
    if (piece->length == 0) {
        conn->state = CONN_POOL;
        return submit(transfer, JOB_END, 0) == STATUS_OK ? CONN_GO_ON : CONN_OVER;
    }
    if (submit(transfer, JOB_TAKE, transfer->front) != STATUS_OK)
        return CONN_OVER;
    transfer->front ^= 1;
    if (transfer->left > 0)
        conn_deadline(conn, conn_transfer_ms(conn, HTTP_PIECE));
    return CONN_GO_ON;
}

/* The pool reads ahead into a piece that is empty. */
static enum status read_ahead(struct conn *conn)
{
    struct transfer *transfer = conn->transfer;
    size_t at = transfer->front;
    if (conn->in_pool || transfer->left == 0)
        return STATUS_OK;
    if (transfer->pieces[at].length > 0)
        at ^= 1;
    return transfer->pieces[at].length > 0 ? STATUS_OK : submit(transfer, JOB_READ, at);
}

enum conn_step transfer_send(struct conn *conn)
{
    struct transfer *transfer = conn->transfer;
    if (read_ahead(conn) != STATUS_OK)
        return CONN_OVER;
    struct piece *piece = &transfer->pieces[transfer->front];
    if (piece->length == 0) {
        piece = &transfer->pieces[transfer->front ^ 1];
        if (piece->length == 0) {
            conn_deadline(conn, 0);
            return CONN_WAIT;
        }
        transfer->front ^= 1;
    }
    if (piece->done == 0)
        conn_deadline(conn, conn_transfer_ms(conn, piece->length));
    ssize_t put = link_write(&conn->link, piece->bytes + piece->done, piece->length - piece->done);
    if (put == LINK_WAIT)
        return CONN_WAIT;
    if (put < 0)
        return CONN_OVER;
    piece->done += (size_t)put;
    transfer->unsent -= (size_t)put;
    if (piece->done == piece->length)
        piece->done = piece->length = 0;
    return CONN_GO_ON;
}

static const struct refusal too_slow = {408, "too_slow", "the request did not arrive in time"};

bool transfer_late(struct conn *conn)
{
    conn->transfer->late = conn->in_pool;
    return !conn->in_pool;
}

bool transfer_drop(struct conn *conn)
{
    struct transfer *transfer = conn->transfer;
    if (transfer->held && submit(transfer, JOB_FREE, 0) == STATUS_OK)
        return true;
    /* The pool takes nothing any more: rather a slow turn here than a leak. */
    if (transfer->held)
        let_go(transfer);
    return false;
}

void transfer_free(struct conn *conn)
{
    if (conn->transfer == NULL)
        return;
    conn->http->transfer_count--;
    free(conn->transfer);
    conn->transfer = NULL;
}

/* Letter of the pool. */
static void transfer_home(void *arg)
{
    struct transfer *transfer = arg;
    struct conn *conn = transfer->conn;
    struct piece *piece = &transfer->pieces[transfer->at];
    conn->http->exchange_count--;
    conn->in_pool = false;
    if (conn->link.fd < 0) {
        conn_end(conn);
        return;
    }
    switch (transfer->job) {
    case JOB_TAKE:
        piece->length = 0;
        if (conn->request->reply.status != 0) {
            conn->keep = false; /* the rest of the body is not read */
            conn_reply(conn);
        } else if (transfer->late) {
            conn_refuse(conn, &too_slow, false);
        }
        break;
    case JOB_END:
        conn_reply(conn);
        break;
    case JOB_READ:
        if (transfer->status != STATUS_OK) {
            conn_abort(conn);
            return;
        }
        piece->length = transfer->got;
        transfer->left -= transfer->got;
        break;
    case JOB_FREE:
        break;
    }
    conn_drive(conn);
}
