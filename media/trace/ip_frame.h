/*
 * media/trace/ip_frame.h - IP and UDP or TCP headers around what a socket sent or received, with
 * checksums as they would be on the wire (RFC 791, RFC 8200, RFC 768, RFC 9293).
 */
#ifndef MEDIA_TRACE_IP_FRAME_H
#define MEDIA_TRACE_IP_FRAME_H

#include "media/ice/ice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { IP_FRAME_HEAD_MAX = 40 + 20 + 2 /* IPv6, TCP, and RFC 4571's length */ };

struct ip_frame {
    struct ice_address from, to; /* of one family */
    bool tcp;
    uint32_t sequence, acknowledged; /* TCP */
};

/* `out` holds length and IP_FRAME_HEAD_MAX. On TCP the bytes are framed (RFC 4571). Returns bytes.
 */
size_t ip_frame_write(const struct ip_frame *frame, const uint8_t *bytes, size_t length,
                      uint8_t *out);

#endif
