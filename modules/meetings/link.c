/*
 * Transports: an offer becomes a link of its member; the media side's events come as
 * letters and end in the roster, on the stage or at the client.
 */
#include "modules/meetings/conductor.h"

#include "core/clock.h"
#include "core/log.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- opening and closing ---- */

static struct link *link_free(struct link *link)
{
    if (link == NULL)
        return NULL;
    free(link->uses);
    free(link->spec);
    free(link);
    return NULL;
}

static enum status link_new(struct member *member, const struct media_transport_spec *spec,
                            struct link **ret_link)
{
    struct link *link = calloc(1, sizeof *link);
    if (link == NULL)
        return STATUS_NO_MEMORY;
    size_t size = media_transport_spec_size(spec);
    link->uses = calloc(spec->slot_count > 0 ? spec->slot_count : 1, sizeof *link->uses);
    link->spec = malloc(size);
    if (link->uses == NULL || link->spec == NULL) {
        link_free(link);
        return STATUS_NO_MEMORY;
    }
    memcpy(link->spec, spec, size);
    link->spec->room = member->meeting->room;
    link->id = spec->id;
    link->member = member;
    link->offered_ns = clock_mono_ns();
    memset(link->track_of, -1, sizeof link->track_of);
    for (size_t i = 0; i < spec->track_count; i++) {
        link->track_of[spec->tracks[i].source] = (int8_t)i;
        size_t layers = spec->tracks[i].rid_count;
        link->tracks[i].layers = (uint8_t)(layers > 0 ? layers : 1);
    }
    *ret_link = link;
    return STATUS_OK;
}

enum status link_open(struct member *member, const struct media_transport_spec *spec)
{
    struct meetings *meetings = member->meetings;
    struct link *link;
    enum status status = link_new(member, spec, &link);
    if (status != STATUS_OK)
        return status;
    status = map_put(meetings->links, link->id, link);
    if (status == STATUS_OK) {
        /* media copies the whole struct, so it gets the caller's with our room. */
        struct media_transport_spec *full = malloc(sizeof *full);
        status = full != NULL ? STATUS_OK : STATUS_NO_MEMORY;
        if (full != NULL) {
            memcpy(full, spec, sizeof *full);
            full->room = link->spec->room;
            status = media_transport_open(meetings->media, full);
        }
        free(full);
    }
    if (status != STATUS_OK) {
        map_remove(meetings->links, link->id);
        link_free(link);
        return status;
    }
    link_close(member);
    member->link = link;
    stage_assign_uses(member);
    return STATUS_OK;
}

void link_close(struct member *member)
{
    struct link *link = member->link;
    if (link == NULL)
        return;
    struct meetings *meetings = member->meetings;
    member->link = NULL;
    map_remove(meetings->links, link->id);
    media_transport_close(meetings->media, link->id);
    for (struct member *other = member->meeting->first; other != NULL; other = other->next) {
        for (size_t i = 0; other->link != NULL && i < other->link->spec->slot_count; i++) {
            if (other->link->uses[i].shown == member)
                other->link->uses[i].shown = NULL;
        }
    }
    link_free(link);
    stage_changed(member->meeting);
}

bool link_source(const struct member *member, enum media_source_kind kind,
                 struct media_source *ret_source)
{
    const struct link *link = member->link;
    if (link == NULL || !link->connected || link->track_of[kind] < 0)
        return false;
    *ret_source = (struct media_source){
        .transport = link->id, .track = (uint8_t)link->track_of[kind], .worker = link->worker};
    return true;
}

void link_gate(struct member *member, enum media_source_kind kind, bool open)
{
    struct media_source source;
    struct link *link = member->link;
    if (link == NULL || link->track_of[kind] < 0)
        return;
    struct track_use *track = &link->tracks[link->track_of[kind]];
    if (track->gated == !open)
        return;
    track->gated = !open;
    if (link_source(member, kind, &source))
        media_track_gate(member->meetings->media, source, open);
}

/* ---- calls ---- */

struct offer_question {
    struct member *member;
    const struct media_transport_spec *spec;
    bool restart;
    struct msg_slot_line *lines;
    enum status status;
};

static const char *const use_names[] = {"voice", "screen_audio", "tile", "screen"};

static void offer_answer(void *arg)
{
    struct offer_question *question = arg;
    struct member *member = question->member;
    const struct media_transport_spec *spec = question->spec;
    struct link *link = member->link;
    if (member->meeting == NULL || !member->admitted) {
        question->status = STATUS_DENIED;
        return;
    }
    if (question->restart) {
        question->status =
            link != NULL && link->id == spec->id
                ? media_transport_restart(member->meetings->media, spec->id, &spec->ice)
                : STATUS_NOT_FOUND;
        if (question->status == STATUS_OK)
            link->spec->ice = spec->ice;
    } else {
        question->status = link_open(member, spec);
    }
    if (question->status != STATUS_OK)
        return;
    link = member->link;
    for (size_t i = 0; i < link->spec->slot_count; i++)
        question->lines[i] = (struct msg_slot_line){.mid = spec->slots[i].mid,
                                                    .kind = use_names[link->uses[i].kind],
                                                    .index = link->uses[i].index};
}

enum status meetings_offer(struct meetings *meetings, struct meeting_member *member,
                           const struct media_transport_spec *spec, bool restart,
                           struct msg_slot_line *ret_lines)
{
    struct offer_question question = {
        .member = (struct member *)member, .spec = spec, .restart = restart, .lines = ret_lines};
    enum status status = conductor_ask(meetings, offer_answer, &question);
    return status != STATUS_OK ? status : question.status;
}

struct spec_question {
    struct member *member;
    struct media_transport_spec *spec;
    enum status status;
};

static void spec_answer(void *arg)
{
    struct spec_question *question = arg;
    const struct link *link = question->member->link;
    if (link == NULL) {
        question->status = STATUS_NOT_FOUND;
        return;
    }
    memcpy(question->spec, link->spec, media_transport_spec_size(link->spec));
}

enum status meetings_transport(struct meetings *meetings, struct meeting_member *member,
                               struct media_transport_spec *ret_spec)
{
    struct spec_question question = {.member = (struct member *)member, .spec = ret_spec};
    enum status status = conductor_ask(meetings, spec_answer, &question);
    return status != STATUS_OK ? status : question.status;
}

static void media_close_answer(void *arg)
{
    struct member *member = arg;
    if (member->meeting != NULL)
        link_close(member);
}

void meetings_media_close(struct meetings *meetings, struct meeting_member *member)
{
    (void)!conductor_ask(meetings, media_close_answer, member);
}

/* ---- the media side's events: worker threads post, the conductor reads ---- */

struct transport_letter {
    struct meetings *meetings;
    uint64_t transport;
    uint8_t worker;
    enum media_transport_state state;
    bool over_tcp;
};

static void link_connected(struct link *link, const struct transport_letter *letter)
{
    struct member *member = link->member;
    if (!link->connected)
        metric_observe(member->meetings->join_seconds,
                       (double)(clock_mono_ns() - link->offered_ns) / 1e9);
    link->connected = true;
    link->worker = letter->worker;
    for (size_t i = 0; i < link->spec->track_count; i++) {
        struct media_source source = {
            .transport = link->id, .track = (uint8_t)i, .worker = link->worker};
        if (link->tracks[i].gated)
            media_track_gate(member->meetings->media, source, false);
    }
    stage_changed(member->meeting);
}

static void transport_read(void *arg)
{
    static const char *const names[] = {"connected", "lost", "restored", "failed"};
    struct transport_letter *letter = arg;
    struct link *link = map_get(letter->meetings->links, letter->transport);
    if (link != NULL) {
        struct member *member = link->member;
        log_event(LOG_MEETING, LOG_INFO, "transport",
                  "meeting=%s participant=%s transport=%" PRIu64 " worker=%u state=%s tcp=%d",
                  member->meeting->id, member->id, letter->transport, letter->worker,
                  names[letter->state], letter->over_tcp);
        link->tcp = letter->over_tcp;
        struct msg_media_state state = {.state = names[letter->state], .tcp = link->tcp};
        member_send(member, "media.state", &msg_media_state_table, &state);
        if (letter->state == MEDIA_TRANSPORT_CONNECTED) {
            link_connected(link, letter);
        } else if (letter->state == MEDIA_TRANSPORT_FAILED && member->port != NULL) {
            link_close(member);
            struct msg_reason why = {.reason = "lost"};
            member_send(member, "media.need_offer", &msg_reason_table, &why);
        } else if (letter->state == MEDIA_TRANSPORT_FAILED ||
                   (letter->state == MEDIA_TRANSPORT_LOST && member->port == NULL)) {
            member_exit(member); /* WHIP and WHEP live as long as their connection */
            member_free(member);
        }
    }
    free(letter);
}

/* A letter is a copy in memory of its own; when it cannot be posted the event is lost and said. */
static void letter_post(struct meetings *meetings, mailbox_fn *fn, const void *letter, size_t size)
{
    void *copy = malloc(size);
    enum status status = STATUS_NO_MEMORY;
    if (copy != NULL) {
        memcpy(copy, letter, size);
        status = loop_post(meetings->loop, fn, copy);
    }
    if (status == STATUS_OK)
        return;
    free(copy);
    if (status != STATUS_CLOSED)
        log_event(LOG_MEETING, LOG_ERROR, "media_event_lost", "status=%s", status_name(status));
}

static void on_transport(void *context, uint64_t transport, uint8_t worker,
                         enum media_transport_state state, bool over_tcp)
{
    struct transport_letter letter = {context, transport, worker, state, over_tcp};
    letter_post(context, transport_read, &letter, sizeof letter);
}

struct track_letter {
    struct meetings *meetings;
    struct media_source source;
    struct media_layer_info layers[CONDUCTOR_LAYERS_MAX];
    size_t layer_count;
};

static void track_read(void *arg)
{
    struct track_letter *letter = arg;
    struct link *link = map_get(letter->meetings->links, letter->source.transport);
    if (link != NULL && letter->source.track < link->spec->track_count) {
        struct track_use *track = &link->tracks[letter->source.track];
        for (size_t i = 0; i < letter->layer_count; i++) {
            if (letter->layers[i].height > 0)
                track->heights[i] = letter->layers[i].height;
        }
        stage_changed(link->member->meeting);
    }
    free(letter);
}

static void on_track(void *context, struct media_source source, enum media_codec codec,
                     const struct media_layer_info *layers, size_t layer_count)
{
    (void)codec;
    struct track_letter letter = {.meetings = context, .source = source};
    letter.layer_count = layer_count < CONDUCTOR_LAYERS_MAX ? layer_count : CONDUCTOR_LAYERS_MAX;
    if (letter.layer_count > 0)
        memcpy(letter.layers, layers, letter.layer_count * sizeof *layers);
    letter_post(context, track_read, &letter, sizeof letter);
}

struct speakers_letter {
    struct meetings *meetings;
    uint64_t room;
    uint64_t transports[MEDIA_VOICES_MAX];
    uint8_t levels[MEDIA_VOICES_MAX];
    size_t count;
};

static void speakers_read(void *arg)
{
    struct speakers_letter *letter = arg;
    struct meeting *meeting = map_get(letter->meetings->by_room, letter->room);
    if (meeting != NULL) {
        struct msg_speaker speakers[MEDIA_VOICES_MAX];
        struct msg_speakers message = {{.items = speakers}};
        for (size_t i = 0; i < letter->count; i++) {
            const struct link *link = map_get(letter->meetings->links, letter->transports[i]);
            if (link != NULL)
                speakers[message.speakers.count++] =
                    (struct msg_speaker){.id = link->member->id, .level = letter->levels[i]};
        }
        meeting_send(meeting, NULL, "speakers", &msg_speakers_table, &message);
    }
    free(letter);
}

static void on_speakers(void *context, uint64_t room, const uint64_t *transports,
                        const uint8_t *levels, size_t count)
{
    struct speakers_letter letter = {.meetings = context, .room = room};
    letter.count = count < MEDIA_VOICES_MAX ? count : MEDIA_VOICES_MAX;
    if (letter.count > 0) {
        memcpy(letter.transports, transports, letter.count * sizeof *transports);
        memcpy(letter.levels, levels, letter.count);
    }
    letter_post(context, speakers_read, &letter, sizeof letter);
}

struct slot_letter {
    struct meetings *meetings;
    uint64_t transport;
    uint8_t slot, layer;
    enum media_slot_state state;
};

static void slot_read(void *arg)
{
    static const char *const names[] = {"empty", "waiting", "live", "unsupported"};
    struct slot_letter *letter = arg;
    struct link *link = map_get(letter->meetings->links, letter->transport);
    if (link != NULL && letter->slot < link->spec->slot_count &&
        link->uses[letter->slot].kind != SLOT_VOICE) {
        struct msg_slot_state state = {.mid = link->spec->slots[letter->slot].mid,
                                       .state = names[letter->state],
                                       .layer = letter->layer};
        member_send(link->member, "slot", &msg_slot_state_table, &state);
    }
    free(letter);
}

static void on_slot(void *context, uint64_t transport, uint8_t slot, enum media_slot_state state,
                    struct media_source source, uint8_t layer)
{
    (void)source;
    struct slot_letter letter = {context, transport, slot, layer, state};
    letter_post(context, slot_read, &letter, sizeof letter);
}

const struct media_events meetings_media_events = {
    .transport = on_transport, .track = on_track, .speakers = on_speakers, .slot = on_slot};
