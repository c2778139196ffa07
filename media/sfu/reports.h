/*
 * media/sfu/reports.h - RTCP of one transport: what we say to it and what it says.
 *
 * Thread: its worker.
 */
#ifndef MEDIA_SFU_REPORTS_H
#define MEDIA_SFU_REPORTS_H

#include "media/packet.h"
#include "media/sfu/transport.h"

#include <stdint.h>

enum {
    REPORTS_COMPOUND_MAX = 1200, /* bytes, so that no path fragments it */
    REPORTS_FEEDBACK_MS = 50,    /* between two transport-wide feedbacks */
    REPORTS_REMB = 20000000,     /* bit/s told to publishers without transport-wide feedback */
};

/* Everything due now. Returns ms until it wants another call. */
uint64_t reports_send(struct transport *transport, uint64_t now_ns);
/* A decrypted compound. */
void reports_receive(struct transport *transport, const uint8_t *bytes, size_t length);

#endif
