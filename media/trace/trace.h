/*
 * media/trace/trace.h - the packets of one client, into a capture file for Wireshark.
 *
 * A trace is a file and the thread that writes it. A tap is the way of one transport's packets
 * to it: a ring between the transport's worker and the writer. What does not fit into the ring is
 * counted, and the count stands in the file. The file ends by itself when it is as large or as old
 * as it may be; the workers notice and let go of the tap.
 *
 * Threads: trace_new and trace_free any; tap_new the conductor; tap_put the worker that owns the
 * transport; references any.
 */
#ifndef MEDIA_TRACE_TRACE_H
#define MEDIA_TRACE_TRACE_H

#include "core/status.h"
#include "media/ice/ice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    TRACE_TAPS_MAX = 16,     /* transports of one trace: each reconnect is one */
    TRACE_RING = 1024,       /* packets on the way to the writer: 1.7 MB */
    TRACE_PACKET_MAX = 1664, /* bytes; what workers send and receive is no longer */
    TRACE_TURN_MS = 20,      /* the writer looks that often */
};

struct trace;
struct tap;

struct trace_result {
    const char *path;
    uint64_t bytes, written, dropped; /* packets */
    bool failed;                      /* the file could not be written any more */
};

struct trace_config {
    const char *path, *comment; /* a new file; comment: whom it is about */
    /* RTP and RTCP as they are inside SRTP, instead of as they are on the wire. */
    bool decrypted;
    uint64_t bytes_max;
    uint32_t seconds_max;
    /* The writer's thread, once, when the file is closed. */
    void (*ended)(void *context, const struct trace_result *result);
    void *context;
};

/* Errors: STATUS_EXISTS (the file is there), STATUS_IO, STATUS_NO_MEMORY. */
MUST_USE enum status trace_new(const struct trace_config *config, struct trace **ret_trace);
/* Writes what waits, closes the file, joins the thread. Nobody makes taps of it any more; those
 * there are may go on and write nowhere. Accepts NULL, returns NULL. */
struct trace *trace_free(struct trace *trace);

/* One reference for the caller. Errors: STATUS_LIMIT (TRACE_TAPS_MAX), STATUS_CLOSED (the file has
 * ended), STATUS_NO_MEMORY. */
MUST_USE enum status tap_new(struct trace *trace, uint64_t transport, struct tap **ret_tap);
struct tap *tap_ref(struct tap *tap);
void tap_unref(struct tap *tap); /* accepts NULL */
uint64_t tap_transport(const struct tap *tap);
bool tap_decrypted(const struct tap *tap);
bool tap_ended(const struct tap *tap);

struct tap_packet {
    uint64_t mono_ns;          /* clock_mono */
    struct ice_address remote; /* the client's */
    struct ice_address local;  /* ours; its address may be unspecified: found by the writer */
    bool outbound, tcp;
    uint16_t length;
};

/* Copies the bytes; what is too long or finds no room is counted as dropped. */
void tap_put(struct tap *tap, const struct tap_packet *packet, const uint8_t *bytes);

#endif
