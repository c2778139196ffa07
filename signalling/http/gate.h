/*
 * signalling/http/gate.h - the listening sockets: binds them, accepts, and hands each
 * connection to conn.h. Edge thread once it runs.
 */
#ifndef SIGNALLING_HTTP_GATE_H
#define SIGNALLING_HTTP_GATE_H

#include "signalling/http/edge.h"

enum {
    GATE_BACKLOG = 1024,
    GATE_ACCEPTS_MAX = 64,    /* in one turn of the loop */
    GATE_PAUSE_MS = 100,      /* after running out of descriptors */
    GATE_PORT_TRIES_MAX = 16, /* for one free port on 127.0.0.1 and ::1 alike */
};

/* Binds what the config wants. Errors: STATUS_EXISTS, STATUS_IO; ret_error gets one line. */
MUST_USE enum status gate_open(struct http *http, char *ret_error, size_t error_size);
/* Begins to accept. */
void gate_start(struct http *http);
/* Stops accepting and gives the ports back. Twice is no error. */
void gate_close(struct http *http);

#endif
