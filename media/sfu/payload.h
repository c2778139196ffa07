/*
 * media/sfu/payload.h - which payload type of one peer stands for a format another peer
 * sends. Pure.
 */
#ifndef MEDIA_SFU_PAYLOAD_H
#define MEDIA_SFU_PAYLOAD_H

#include "media/packet.h"
#include "media/sfu/transport.h"

#include <stdbool.h>
#include <stddef.h>

/* Which of the payload types a decoder of this subscriber takes this format as; NULL: none. */
const struct payload *payload_for(const struct payload *payloads, size_t count,
                                  const struct packet_format *format);
bool format_equal(const struct packet_format *left, const struct packet_format *right);

#endif
