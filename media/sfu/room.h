/*
 * media/sfu/room.h - the voices of a room on one worker: lanes for those who listen
 * here, and, on the room's home worker, the choice of who is heard.
 *
 * Thread: each worker has its own room object.
 */
#ifndef MEDIA_SFU_ROOM_H
#define MEDIA_SFU_ROOM_H

#include "core/status.h"
#include "media/media.h"
#include "media/packet.h"
#include "media/sfu/feed.h"
#include "media/sfu/speakers.h"
#include "media/worker.h"

#include <stdint.h>

enum { ROOM_SPEAKERS_EVENT_MS = 200 };

struct room {
    uint64_t id;
    uint32_t members; /* transports here */
    struct feed lanes[MEDIA_VOICES_MAX];

    /* Home only. */
    uint64_t workers; /* with members, a bit each */
    struct speakers speakers;
    uint64_t told_ms;
    bool tell;
};

/* A transport of the room was adopted here, or ends. Errors: STATUS_NO_MEMORY. */
MUST_USE enum status room_join(struct worker *worker, struct transport *transport);
void room_leave(struct worker *worker, struct transport *transport);
/* The microphone of this track is gone; tells the home when it had a lane. */
void room_microphone_gone(struct worker *worker, const struct track *track);
/* Publisher's worker: a microphone's packet that may be heard. */
void room_voice(struct worker *worker, const struct track *track, struct packet *packet);
/* Home, listeners' worker: by ring or direct. */
void room_voice_up(struct worker *worker, uint64_t room, uint8_t from, struct packet *packet);
void room_voice_down(struct worker *worker, uint64_t room, uint8_t lane, struct packet *packet);
/* Home: silent speakers lose their lanes, the event is sent. */
void room_tick(struct worker *worker, struct room *room);
struct room *room_free(struct worker *worker, struct room *room);

/* Letters to the home: room, from, on; room, transport, track. */
void room_on_members(struct worker *worker, const struct letter *letter);
void room_on_microphone_gone(struct worker *worker, const struct letter *letter);

#endif
