/*
 * media/sfu/inlet.h - datagrams that come to a worker: read in batches, and whose they are
 * (docs/design/sfu.md, "Adoption").
 *
 * By their address, or for a check by the ufrag it names. What another worker owns goes to it
 * through the ring, once; a check whose transport nobody told us of yet waits for a turn.
 *
 * Thread: the worker's.
 */
#ifndef MEDIA_SFU_INLET_H
#define MEDIA_SFU_INLET_H

#include "core/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct inlet;
struct packet;
struct transport;
struct worker;

/* Errors: STATUS_NO_MEMORY. */
MUST_USE enum status inlet_new(struct inlet **ret_inlet);
/* Gives back the packets it holds; the thread has ended. */
void inlet_drop(struct worker *worker);
/* Accepts NULL, returns NULL. */
struct inlet *inlet_free(struct inlet *inlet);

/* Handler of the worker's socket: context is the worker. */
void inlet_readable(void *context, uint32_t events);
/* A datagram or a TCP frame came; its bytes and `from` are in the packet, which stays the caller's.
 */
void inlet_datagram(struct worker *worker, struct packet *packet);
/* One that came to worker `from`, through the ring. */
void inlet_relayed(struct worker *worker, struct packet *packet, uint8_t from);
/* Which worker the datagram at hand was relayed by; false: it came here. */
bool inlet_relayer(const struct worker *worker, uint8_t *ret_from);
/* The end of a turn. */
void inlet_turn(struct worker *worker);
/* The transport a check is for; NULL: not a check, or unknown here. */
struct transport *inlet_transport_of(const struct worker *worker, const uint8_t *bytes,
                                     size_t length);

#endif
