#include "media/sfu/room.h"

#include "media/phone/phone.h"
#include "media/sfu/track.h"
#include "media/sfu/transport.h"

#include <stdlib.h>

static struct room *room_get(struct worker *worker, uint64_t id)
{
    struct room *room = map_get(worker->rooms, id);
    if (room != NULL)
        return room;
    room = calloc(1, sizeof *room);
    if (room == NULL)
        return NULL;
    room->id = id;
    room->speakers.voices = worker->media->voices;
    for (size_t lane = 0; lane < MEDIA_VOICES_MAX; lane++)
        feed_voice_init(&room->lanes[lane]);
    if (map_put(worker->rooms, id, room) != STATUS_OK) {
        free(room);
        return NULL;
    }
    return room;
}

struct room *room_free(struct worker *worker, struct room *room)
{
    if (room == NULL)
        return NULL;
    for (size_t lane = 0; lane < MEDIA_VOICES_MAX; lane++)
        feed_fini(worker, &room->lanes[lane]);
    free(room);
    return NULL;
}

static void room_drop_unused(struct worker *worker, struct room *room)
{
    if (room->members > 0 || room->workers != 0)
        return;
    map_remove(worker->rooms, room->id);
    room_free(worker, room);
}

static void members_tell(struct worker *worker, const struct room *room, bool on)
{
    const struct letter letter = {.room = room->id, .from = worker->number, .on = on};
    worker_tell(worker, worker_home(worker, room->id), room_on_members, &letter);
}

enum status room_join(struct worker *worker, struct transport *transport)
{
    if (transport->room_id == 0)
        return STATUS_OK;
    struct room *room = room_get(worker, transport->room_id);
    if (room == NULL)
        return STATUS_NO_MEMORY;
    transport->room = room;
    if (room->members++ == 0)
        members_tell(worker, room, true);
    return STATUS_OK;
}

void room_leave(struct worker *worker, struct transport *transport)
{
    struct room *room = transport->room;
    if (room == NULL)
        return;
    transport->room = NULL;
    if (--room->members > 0)
        return;
    members_tell(worker, room, false);
    room_drop_unused(worker, room); /* the home keeps it until its own letter comes */
}

void room_on_members(struct worker *worker, const struct letter *letter)
{
    struct room *room =
        letter->on ? room_get(worker, letter->room) : map_get(worker->rooms, letter->room);
    if (room == NULL)
        return;
    if (letter->on)
        room->workers |= UINT64_C(1) << letter->from;
    else
        room->workers &= ~(UINT64_C(1) << letter->from);
    room_drop_unused(worker, room);
}

/* ---- the choice ---- */

static void lane_tell(struct worker *worker, const struct speaker *speaker, int lane)
{
    const struct letter letter = {
        .transport = speaker->transport, .track = speaker->track, .lane = (int8_t)lane};
    worker_tell(worker, speaker->worker, track_on_lane, &letter);
}

void room_voice(struct worker *worker, const struct track *track, struct packet *packet)
{
    if (track->lane == TRACK_LANE_NONE && packet->loudness > SPEAKERS_LOUD)
        return;
    uint64_t id = track->transport->room_id;
    uint8_t home = worker_home(worker, id);
    if (home == worker->number) {
        room_voice_up(worker, id, worker->number, packet);
        return;
    }
    const struct message message = {
        .kind = MESSAGE_VOICE_UP, .room = id, .packet = packet_ref(packet)};
    worker_send(worker, home, &message);
}

void room_voice_up(struct worker *worker, uint64_t id, uint8_t from, struct packet *packet)
{
    struct room *room = map_get(worker->rooms, id);
    if (room == NULL)
        return;
    const struct speaker speaker = {.transport = packet->source,
                                    .track = packet->track,
                                    .worker = from,
                                    .level = packet->loudness};
    bool taken;
    struct speaker displaced = {0};
    int lane =
        speakers_packet(&room->speakers, &speaker, worker_now_ms(worker), &taken, &displaced);
    if (lane < 0)
        return;
    if (taken) {
        if (displaced.transport != 0)
            lane_tell(worker, &displaced, TRACK_LANE_NONE);
        lane_tell(worker, &speaker, lane);
        room->tell = true;
    }
    for (uint8_t to = 0; to < worker->media->worker_count; to++) {
        if ((room->workers >> to & 1) == 0)
            continue;
        if (to == worker->number) {
            room_voice_down(worker, id, (uint8_t)lane, packet);
        } else {
            const struct message message = {.kind = MESSAGE_VOICE_DOWN,
                                            .lane = (int8_t)lane,
                                            .room = id,
                                            .packet = packet_ref(packet)};
            worker_send(worker, to, &message);
        }
    }
}

void room_voice_down(struct worker *worker, uint64_t id, uint8_t lane, struct packet *packet)
{
    struct room *room = map_get(worker->rooms, id);
    if (room != NULL && lane < MEDIA_VOICES_MAX)
        feed_deliver(worker, &room->lanes[lane], &packet, 1);
    phone_voice(worker->phone, id, lane, packet);
}

void room_microphone_gone(struct worker *worker, const struct track *track)
{
    const struct letter letter = {.room = track->transport->room_id,
                                  .transport = track->transport->id,
                                  .track = track->number};
    worker_tell(worker, worker_home(worker, letter.room), room_on_microphone_gone, &letter);
}

void room_on_microphone_gone(struct worker *worker, const struct letter *letter)
{
    struct room *room = map_get(worker->rooms, letter->room);
    if (room != NULL && speakers_remove(&room->speakers, letter->transport, letter->track))
        room->tell = true;
}

void room_tick(struct worker *worker, struct room *room)
{
    uint64_t now_ms = worker_now_ms(worker);
    struct speaker released;
    while (speakers_expire(&room->speakers, now_ms, &released)) {
        lane_tell(worker, &released, TRACK_LANE_NONE);
        room->tell = true;
    }
    if (now_ms - room->told_ms < ROOM_SPEAKERS_EVENT_MS)
        return;
    if (!speakers_order(&room->speakers) && !room->tell)
        return;
    room->tell = false;
    room->told_ms = now_ms;
    if (worker->media->events.speakers == NULL)
        return;
    uint64_t transports[MEDIA_VOICES_MAX];
    uint8_t levels[MEDIA_VOICES_MAX];
    for (uint8_t i = 0; i < room->speakers.order_count; i++) {
        const struct speaker *speaker = &room->speakers.lanes[room->speakers.order[i]];
        transports[i] = speaker->transport;
        levels[i] = speaker->level;
    }
    worker->media->events.speakers(worker->media->events_context, room->id, transports, levels,
                                   room->speakers.order_count);
}
