/*
 * media/sfu/tapping.h - where a worker's packets pass by the tap of a trace (media/trace/trace.h).
 *
 * Without one it costs a comparison of worker->tap (and of the sender's) a packet; the calls are
 * made only when there is one. Thread: the worker.
 */
#ifndef MEDIA_SFU_TAPPING_H
#define MEDIA_SFU_TAPPING_H

#include "media/ice/ice.h"
#include "media/packet.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct letter;
struct transport;
struct worker;

/* A datagram or frame of this transport, as it came. */
void tapping_in(struct worker *worker, const struct transport *transport,
                const struct packet *packet);
/* The sender's and ICE-TCP's bytes as they leave. */
void tapping_out(void *worker, const struct ice_address *to, const uint8_t *bytes, size_t length);
void tapping_stream_out(struct worker *worker, const struct transport *transport,
                        const struct ice_path *to, const uint8_t *bytes, size_t length);
/* RTP or RTCP without its protection, for a trace that wants it so. */
void tapping_plain(struct worker *worker, const struct transport *transport, bool outbound,
                   const uint8_t *bytes, size_t length);

/* Letter of the conductor: object (struct tap, a reference). Takes the place of the one before. */
void tapping_on_tap(struct worker *worker, const struct letter *letter);
/* Ten times a second: lets go of a tap whose file has ended. */
void tapping_tick(struct worker *worker);
void tapping_end(struct worker *worker);

#endif
