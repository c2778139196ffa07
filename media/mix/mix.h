/*
 * media/mix/mix.h - a room as the phone legs of one worker hear it: the room's voices,
 * decoded once per rate and added up once, however many legs listen.
 *
 * What comes in are the packets of the room's voice lanes (media/sfu/room.h), of browsers
 * and of other legs alike; each leg hears the sum less the lane that is its own. A mix
 * whose lanes are silent decodes nothing.
 *
 * Thread: one worker. Memory is taken by mix_new and mix_listen only.
 */
#ifndef MEDIA_MIX_MIX_H
#define MEDIA_MIX_MIX_H

#include "core/status.h"
#include "media/codec/voice.h"
#include "media/media.h"
#include "media/packet.h"

#include <stdbool.h>
#include <stdint.h>

struct mix;

/* voices: lanes, 1..MEDIA_VOICES_MAX. home: the pool of this worker, for references given back.
 * Errors: STATUS_NO_MEMORY. */
MUST_USE enum status mix_new(uint8_t voices, const struct packets *home, struct mix **ret_mix);
/* Accepts NULL, returns NULL. */
struct mix *mix_free(struct mix *mix);

/* One more leg at this rate (VOICE_RATE_NARROW or _WIDE). Errors: STATUS_NO_MEMORY. */
MUST_USE enum status mix_listen(struct mix *mix, uint32_t rate);
void mix_unlisten(struct mix *mix, uint32_t rate);
/* Of all rates. */
uint32_t mix_listeners(const struct mix *mix);

/* An Opus packet of a lane; others are left. Keeps the caller's reference. */
void mix_voice(struct mix *mix, uint8_t lane, struct packet *packet, uint64_t now_ms);
/*
 * The next 20 ms of a leg of this worker that has a lane, before mix_turn, in place of its
 * packets: nothing is encoded, decoded or waited for.
 */
void mix_own(struct mix *mix, uint8_t lane, uint64_t source, uint32_t rate, const int16_t *samples);
/* The next 20 ms of all lanes. False: all are silent, and stay so until mix_voice. */
bool mix_turn(struct mix *mix, uint64_t now_ms);
/* Of this turn, without the voice of `self`: voice_frame(rate) samples, added up, which may be more
 * than 16 bits hold. False: silence, nothing is written. */
bool mix_hear(const struct mix *mix, uint32_t rate, uint64_t self, int32_t *ret_sum);

#endif
