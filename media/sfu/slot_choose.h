/*
 * media/sfu/slot_choose.h - which layer and temporal level of its source a slot carries.
 *
 * Thread: the subscriber's worker.
 */
#ifndef MEDIA_SFU_SLOT_CHOOSE_H
#define MEDIA_SFU_SLOT_CHOOSE_H

#include "media/sfu/slot.h"

/* Sets the subscription's target to what is wanted and borne; asks for the key frame it needs. */
void slot_aim(struct worker *worker, struct slot *slot, struct subscription *subscription);
/* Levels go at the next frame, and come back only where the stream allows it. */
bool slot_temporal_fits(struct slot *slot, const struct packet *packet);

#endif
