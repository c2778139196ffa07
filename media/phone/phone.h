/*
 * media/phone/phone.h - the phone legs of one worker: who they are, the beats that move
 * them, and the mixes of the rooms they are in.
 *
 * Sound is made in beats of 20 ms, one of PHONE_BEATS interleaved ones for each room, so
 * that the legs of a worker do not all send at once. A beat in which nobody speaks and
 * nothing is played stops until a packet or a letter wakes it.
 *
 * Thread: the worker's.
 */
#ifndef MEDIA_PHONE_PHONE_H
#define MEDIA_PHONE_PHONE_H

#include "core/loop.h"
#include "core/status.h"
#include "media/leg.h"
#include "media/mix/mix.h"
#include "media/worker.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    PHONE_BEATS = 4,      /* 5 ms apart */
    PHONE_BEATS_LATE = 5, /* a worker held up for longer leaves the rest out */
    PHONE_SECOND_MS = 1000,
    PHONE_BATCH = 4, /* datagrams of a leg read at once */
};

struct leg;

/* A room of which this worker has legs. */
struct phone_room {
    struct phone_room *next; /* of its beat */
    uint64_t id;
    struct mix *mix;
    uint8_t beat;
    bool playing; /* some lane is not silent */
};

struct phone_beat {
    struct phone *phone;
    struct loop_timer timer;
    uint64_t due_ms; /* of the next one; while it runs, of this one */
    bool stepping, woken;
    struct leg *legs; /* by leg->beat_next */
    struct phone_room *rooms;
};

struct phone {
    struct worker *worker;
    struct media_leg_config config;
    struct map *legs;  /* id -> struct leg */
    struct map *rooms; /* id -> struct phone_room */
    struct phone_beat beats[PHONE_BEATS];
    struct loop_timer second;
};

/* config NULL: any port, no events. Errors: STATUS_NO_MEMORY. */
MUST_USE enum status phone_new(struct worker *worker, const struct media_leg_config *config,
                               struct phone **ret_phone);
/* All legs end, each with its event. Accepts NULL. */
void phone_end(struct phone *phone);
/* After phone_end. Accepts NULL, returns NULL. */
struct phone *phone_free(struct phone *phone);

/* Its next beat comes within 20 ms, and so on while there is something to do. */
void phone_wake(struct phone *phone, uint8_t beat);
/* The room, made when it is not there, for one more leg at this rate. NULL: no memory. */
struct phone_room *phone_room_enter(struct phone *phone, uint64_t room, uint32_t rate);
void phone_room_leave(struct phone *phone, struct phone_room *room, uint32_t rate);
/* Once a second while there are legs. */
void phone_second_start(struct phone *phone);
/* A packet of a voice lane (media/sfu/room.h). */
void phone_voice(struct phone *phone, uint64_t room, uint8_t lane, struct packet *packet);

#endif
