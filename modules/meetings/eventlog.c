/*
 * Switches of slots and estimates of links as log lines of topic sfu, for whoever asks why a
 * picture was small at half past three. Off unless that topic is at debug: then a worker looks at
 * one atomic per event and does no more.
 */
#include "core/log.h"
#include "media/stats.h"
#include "modules/meetings/conductor.h"

#include <inttypes.h>
#include <stdlib.h>

struct switch_letter {
    struct meetings *meetings;
    uint64_t transport;
    uint8_t slot;
    struct media_switch change;
};

static void switch_read(void *arg)
{
    struct switch_letter *letter = arg;
    const struct peer *peer = map_get(letter->meetings->peers, letter->transport);
    if (peer != NULL && letter->slot < peer->spec->slot_count) {
        const struct slot_use *use = &peer->uses[letter->slot];
        log_event(LOG_SFU, LOG_DEBUG, "switch",
                  "meeting=%s participant=%s transport=%" PRIu64
                  " mid=%s reason=%s from=%d to=%d shown=%s",
                  peer->member->meeting->id, peer->member->id, letter->transport,
                  peer->spec->slots[letter->slot].mid,
                  media_switch_reason_name((enum media_switch_reason)letter->change.reason),
                  letter->change.from, letter->change.to, use->shown != NULL ? use->shown->id : "");
    }
    free(letter);
}

void eventlog_switched(void *context, uint64_t transport, uint8_t slot,
                       const struct media_switch *change)
{
    if (!log_wants(LOG_SFU, LOG_DEBUG))
        return;
    const struct switch_letter letter = {context, transport, slot, *change};
    conductor_letter(context, switch_read, &letter, sizeof letter);
}

struct estimate_letter {
    struct meetings *meetings;
    uint64_t transport;
    uint32_t estimate_bps;
};

static void estimate_read(void *arg)
{
    struct estimate_letter *letter = arg;
    const struct peer *peer = map_get(letter->meetings->peers, letter->transport);
    if (peer != NULL)
        log_event(LOG_SFU, LOG_DEBUG, "estimate",
                  "meeting=%s participant=%s transport=%" PRIu64 " bps=%" PRIu32,
                  peer->member->meeting->id, peer->member->id, letter->transport,
                  letter->estimate_bps);
    free(letter);
}

void eventlog_estimated(void *context, uint64_t transport, uint32_t estimate_bps)
{
    if (!log_wants(LOG_SFU, LOG_DEBUG))
        return;
    const struct estimate_letter letter = {context, transport, estimate_bps};
    conductor_letter(context, estimate_read, &letter, sizeof letter);
}
