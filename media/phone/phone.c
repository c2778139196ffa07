#include "media/phone/phone.h"

#include "media/phone/leg.h"

#include <stdlib.h>

static void on_beat(void *context);
static void on_second(void *context);

enum status phone_new(struct worker *worker, const struct media_leg_config *config,
                      struct phone **ret_phone)
{
    static const struct media_leg_events none;
    struct phone *phone = calloc(1, sizeof *phone);
    if (phone == NULL)
        return STATUS_NO_MEMORY;
    phone->worker = worker;
    if (config != NULL)
        phone->config = *config;
    if (phone->config.events == NULL)
        phone->config.events = &none;
    for (size_t i = 0; i < PHONE_BEATS; i++) {
        struct phone_beat *beat = &phone->beats[i];
        beat->phone = phone;
        beat->timer = (struct loop_timer){.name = "phone beat", .fn = on_beat, .context = beat};
    }
    phone->second = (struct loop_timer){.name = "phone second", .fn = on_second, .context = phone};
    enum status status = map_new(&phone->legs);
    if (status == STATUS_OK)
        status = map_new(&phone->rooms);
    if (status != STATUS_OK) {
        phone_free(phone);
        return status;
    }
    *ret_phone = phone;
    return STATUS_OK;
}

void phone_end(struct phone *phone)
{
    struct leg *leg;
    if (phone == NULL)
        return;
    for (size_t cursor = 0; (leg = map_next(phone->legs, &cursor)) != NULL; cursor = 0)
        leg_close(leg, MEDIA_LEG_ENDED);
    for (size_t i = 0; i < PHONE_BEATS; i++)
        loop_timer_stop(phone->worker->loop, &phone->beats[i].timer);
    loop_timer_stop(phone->worker->loop, &phone->second);
}

struct phone *phone_free(struct phone *phone)
{
    if (phone != NULL) {
        map_free(phone->legs);
        map_free(phone->rooms);
        free(phone);
    }
    return NULL;
}

/* ---- beats ---- */

/* Beat i falls on the milliseconds that are 5 * i of each 20. */
void phone_wake(struct phone *phone, uint8_t number)
{
    struct phone_beat *beat = &phone->beats[number];
    beat->woken = true;
    if (beat->stepping || loop_timer_running(&beat->timer))
        return;
    const uint64_t offset = number * (VOICE_FRAME_MS / PHONE_BEATS);
    uint64_t now_ms = worker_now_ms(phone->worker);
    uint64_t frames = (now_ms - offset) / VOICE_FRAME_MS + 1;
    beat->due_ms = frames * VOICE_FRAME_MS + offset;
    loop_timer_start(phone->worker->loop, &beat->timer, beat->due_ms - now_ms);
}

static bool beat_step(struct phone_beat *beat, uint64_t now_ms)
{
    bool going_on = false;
    for (struct leg *leg = beat->legs; leg != NULL; leg = leg->beat_next)
        going_on = leg_voice_beat(leg, now_ms, beat->due_ms) || going_on;
    for (struct phone_room *room = beat->rooms; room != NULL; room = room->next) {
        room->playing = mix_turn(room->mix, now_ms);
        going_on = going_on || room->playing;
    }
    for (struct leg *leg = beat->legs; leg != NULL; leg = leg->beat_next)
        going_on = leg_out_beat(leg, beat->due_ms) || going_on;
    return going_on;
}

static void on_beat(void *context)
{
    struct phone_beat *beat = context;
    struct worker *worker = beat->phone->worker;
    uint64_t now_ms = worker_now_ms(worker);
    bool going_on = false;
    beat->stepping = true;
    beat->woken = false;
    for (int i = 0; i < PHONE_BEATS_LATE && beat->due_ms <= now_ms; i++) {
        going_on = beat_step(beat, now_ms);
        beat->due_ms += VOICE_FRAME_MS;
    }
    beat->stepping = false;
    if (!going_on && !beat->woken)
        return;
    while (beat->due_ms <= now_ms)
        beat->due_ms += VOICE_FRAME_MS;
    loop_timer_start(worker->loop, &beat->timer, beat->due_ms - now_ms);
}

static void on_second(void *context)
{
    struct phone *phone = context;
    uint64_t now_ms = worker_now_ms(phone->worker);
    struct leg *leg;
    for (size_t cursor = 0; (leg = map_next(phone->legs, &cursor)) != NULL;)
        leg_second(leg, now_ms);
    if (map_count(phone->legs) > 0)
        loop_timer_start(phone->worker->loop, &phone->second, PHONE_SECOND_MS);
}

void phone_second_start(struct phone *phone)
{
    if (!loop_timer_running(&phone->second))
        loop_timer_start(phone->worker->loop, &phone->second, PHONE_SECOND_MS);
}

/* ---- rooms ---- */

static struct phone_room *room_make(struct phone *phone, uint64_t id)
{
    struct phone_room *room = calloc(1, sizeof *room);
    if (room == NULL)
        return NULL;
    room->id = id;
    room->beat = (uint8_t)(id % PHONE_BEATS);
    if (mix_new(phone->worker->media->voices, phone->worker->packets, &room->mix) != STATUS_OK ||
        map_put(phone->rooms, id, room) != STATUS_OK) {
        mix_free(room->mix);
        free(room);
        return NULL;
    }
    room->next = phone->beats[room->beat].rooms;
    phone->beats[room->beat].rooms = room;
    return room;
}

static void room_drop_unheard(struct phone *phone, struct phone_room *room)
{
    if (mix_listeners(room->mix) > 0)
        return;
    struct phone_room **at = &phone->beats[room->beat].rooms;
    while (*at != room)
        at = &(*at)->next;
    *at = room->next;
    map_remove(phone->rooms, room->id);
    mix_free(room->mix);
    free(room);
}

struct phone_room *phone_room_enter(struct phone *phone, uint64_t id, uint32_t rate)
{
    struct phone_room *room = map_get(phone->rooms, id);
    if (room == NULL)
        room = room_make(phone, id);
    if (room == NULL)
        return NULL;
    if (mix_listen(room->mix, rate) != STATUS_OK) {
        room_drop_unheard(phone, room);
        return NULL;
    }
    return room;
}

void phone_room_leave(struct phone *phone, struct phone_room *room, uint32_t rate)
{
    mix_unlisten(room->mix, rate);
    room_drop_unheard(phone, room);
}

void phone_voice(struct phone *phone, uint64_t id, uint8_t lane, struct packet *packet)
{
    struct phone_room *room = map_get(phone->rooms, id);
    if (room == NULL)
        return;
    mix_voice(room->mix, lane, packet, worker_now_ms(phone->worker));
    phone_wake(phone, room->beat);
}
