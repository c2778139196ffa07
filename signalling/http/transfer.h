/*
 * signalling/http/transfer.h - a body that goes through the edge in pieces, either way.
 *
 * Two pieces of HTTP_PIECE: while the request pool works on one, the edge fills or empties the
 * other. When both are full, the edge reads no more from the client, so that TCP slows it down;
 * when both are empty, it waits for the pool. So memory is constant, no thread of the pool waits
 * for a client, and files are read and written by the pool only.
 *
 *   inwards:   client -> piece -> sink.take, ... sink.end -> the answer
 *   outwards:  the answer's head, then source.read -> piece -> client
 *
 * A client has the time of conn_transfer_ms for each piece, not for the whole; while it is the
 * pool that is waited for, no time runs.
 *
 * Thread: edge; the functions of sink and source run on the request pool, one at a time
 * (conn->in_pool is true meanwhile).
 */
#ifndef SIGNALLING_HTTP_TRANSFER_H
#define SIGNALLING_HTTP_TRANSFER_H

#include "signalling/http/conn.h"

struct transfer;

/* There is room for one more. */
bool transfer_room(const struct http *http);
/* The reply of the request has a sink: its body of `length` bytes is next. Takes the sink, also on
 * an error. Errors: STATUS_NO_MEMORY. */
MUST_USE enum status transfer_in(struct conn *conn, uint64_t length);
/* Likewise the source, for `length` bytes of it: 0 lets go of it. */
MUST_USE enum status transfer_out(struct conn *conn, uint64_t length);
/* A step of CONN_PIECES. */
enum conn_step transfer_fill(struct conn *conn);
/* The head has left: a step of CONN_ANSWER. */
enum conn_step transfer_send(struct conn *conn);
/* The whole body has been sent. */
bool transfer_over(const struct transfer *transfer);
/* The client was too slow. True: it is to be told so now; false: when the pool is done. */
bool transfer_late(struct conn *conn);
/* Lets go of sink or source, on the pool; nothing of it is with the pool. True: the connection
 * stays until conn->in_pool is false again. */
bool transfer_drop(struct conn *conn);
/* Accepts NULL. Sink and source are gone. */
void transfer_free(struct conn *conn);

#endif
