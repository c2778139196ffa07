/*
 * media/trace/pcapng.h - a capture file as Wireshark reads it (draft-ietf-opsawg-pcapng): one
 * section, one interface of raw IP packets with timestamps in ns, in this machine's byte order.
 *
 * Without a file: each call writes one block into a buffer. Any thread, one at a time per buffer.
 */
#ifndef MEDIA_TRACE_PCAPNG_H
#define MEDIA_TRACE_PCAPNG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    PCAPNG_TEXT_MAX = 256,          /* bytes of a comment or name; longer ones are cut */
    PCAPNG_BLOCK_OVERHEAD_MAX = 64, /* of a packet's block */
    PCAPNG_HEAD_MAX = 4 * PCAPNG_TEXT_MAX,
    PCAPNG_STATISTICS_MAX = 128,
};

struct pcapng_statistics {
    uint64_t began_ns, ended_ns; /* since 1970 */
    uint64_t received, dropped;  /* packets seen; of them not in the file for want of room */
};

/* Section header and interface description; `out` holds PCAPNG_HEAD_MAX. Returns bytes. */
size_t pcapng_head(uint8_t *out, const char *application, const char *comment,
                   const char *interface);
/* One packet, whole; `out` holds its length and PCAPNG_BLOCK_OVERHEAD_MAX. Returns bytes. */
size_t pcapng_packet(uint8_t *out, uint64_t at_ns, bool outbound, const uint8_t *bytes,
                     size_t length);
/* The end; `out` holds PCAPNG_STATISTICS_MAX. Returns bytes. */
size_t pcapng_statistics(uint8_t *out, const struct pcapng_statistics *statistics);

#endif
