/*
 * media/sfu/slot_choose.h - which layer and temporal level of its source a slot carries, within
 * what the allocator gives it.
 *
 * Thread: the subscriber's worker.
 */
#ifndef MEDIA_SFU_SLOT_CHOOSE_H
#define MEDIA_SFU_SLOT_CHOOSE_H

#include "media/sfu/slot.h"

/* Sets the subscription's target to what is wanted and borne; asks for the key frame it needs. */
void slot_aim(struct worker *worker, struct slot *slot, struct subscription *subscription);
/* The allocator has decided anew. `paused`: until now the slot was. */
void slot_allocated(struct worker *worker, struct slot *slot, bool paused);
/* The slot begins with this key frame: the spatial layer and the temporal level it begins with. */
void slot_level_begin(struct slot *slot, const struct packet *packet);
/*
 * Whether a packet of the carried stream goes on to the subscriber. Levels and layers go at the
 * next frame where the stream allows it, and come back at a switching point or a key picture.
 */
bool slot_level_fits(struct slot *slot, const struct packet *packet);
/* A spatial layer is awaited and a key picture needed for it. */
bool slot_awaits_key(const struct slot *slot);

#endif
