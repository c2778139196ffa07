#include "media/sfu/slot_fec.h"

#include "core/bytes.h"
#include "media/rtp/rtp.h"

#include <string.h>

enum { HEADER_MAX = 512 };

static bool fec_possible(const struct slot *slot, const struct leaving *leaving)
{
    const struct packet *packet = leaving->packet;
    return slot->red_type != 0 && slot->ulpfec_type != 0 && !leaving->repair && !leaving->empty &&
           !slot_repairs_plainly(slot) && slot->transport->path.stream == 0 &&
           (packet->picture_id != PACKET_NUMBER_NONE || packet->frame_number != PACKET_NUMBER_NONE);
}

bool slot_fec_covers(struct worker *worker, struct slot *slot, const struct leaving *leaving)
{
    if (slot->transport->loss.fec_every == 0) {
        /* What waits for the pacer may be protected yet. */
        if (slot->fec != NULL && slot->transport->pacing.first == NULL)
            slot_fec_end(worker, slot);
        return false;
    }
    if (!fec_possible(slot, leaving))
        return false;
    if (slot->fec != NULL)
        return true;
    slot->fec = pool_get(worker->fecs);
    if (slot->fec == NULL)
        return false;
    memset(slot->fec, 0, sizeof *slot->fec);
    return true;
}

void slot_fec_end(struct worker *worker, struct slot *slot)
{
    if (slot->fec != NULL)
        pool_put(worker->fecs, slot->fec);
    slot->fec = NULL;
}

/* Receivers take what changes when a packet leaves for zero (libwebrtc), or it does not matter to
 * them: it is at the same place in each packet. */
static void mutable_clear(const struct slot *slot, uint8_t *header, size_t length)
{
    struct rtp_header parsed;
    struct rtp_element element;
    if (rtp_parse(header, length, &parsed) != STATUS_OK)
        return;
    struct rtp_elements elements = rtp_elements_of(header, &parsed);
    while (rtp_elements_next(&elements, &element)) {
        if (element.id == slot->extensions.transport_cc ||
            element.id == slot->extensions.abs_send_time)
            memset(header + (element.value - header), 0, element.length);
    }
}

bool slot_fec_due(struct slot *slot, bool marker)
{
    struct slot_fec *fec = slot->fec;
    fec->packets++;
    fec->pictures += marker;
    if (fec->packets < slot->transport->loss.fec_every && fec->pictures < SLOT_FEC_PICTURES)
        return false;
    fec->packets = fec->pictures = 0;
    return true;
}

void slot_fec_add(struct slot *slot, const struct ulpfec_media *media)
{
    struct slot_fec *fec = slot->fec;
    uint8_t header[HEADER_MAX];
    if (media->header_length > sizeof header)
        return;
    memcpy(header, media->header, media->header_length);
    rtp_payload_type_set(header, slot->payload->type);
    mutable_clear(slot, header, media->header_length);
    struct ulpfec_media plain = *media;
    plain.header = header;
    /* One that came too late for this parity goes without. */
    if (ulpfec_protect(&fec->parity, &plain) == STATUS_OK)
        fec->timestamp = load_be32(header + 4);
}

bool slot_fec_send(struct worker *worker, struct slot *slot, int64_t index)
{
    struct slot_fec *fec = slot->fec;
    if (fec == NULL || fec->parity.mask == 0)
        return false;
    const struct own own = {.type = slot->red_type,
                            .ssrc = slot->ssrc,
                            .timestamp = fec->timestamp,
                            .index = index,
                            .parity = &fec->parity};
    slot_send_own(worker, slot, &own);
    worker->counters.fec_sent++;
    ulpfec_clear(&fec->parity);
    return true;
}
