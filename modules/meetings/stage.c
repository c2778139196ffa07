/*
 * The stage: which source each slot carries, which layers somebody watches, who presents.
 *
 * Slots never move once given: a source that is still wanted keeps its slot, so that a
 * picture does not jump from one video element to another; free slots take what is new.
 */
#include "modules/meetings/conductor.h"

#include <string.h>

enum { HEIGHT_FULL = UINT16_MAX, HEIGHT_LOWEST = 1 };

/* A look costs about 10 µs a member, so a large meeting is looked at less often. */
void stage_changed(struct meeting *meeting)
{
    meeting->stage_dirty = true;
    meeting_wake(meeting, 1 + meeting->count / 10);
}

/* Voices first, the last audio line for the screen's sound; tiles first, the last video line for
 * the screen. A WHEP viewer's lines are all alike. */
void stage_assign_uses(struct member *member)
{
    struct peer *peer = member->peer;
    const struct media_transport_spec *spec = peer->spec;
    size_t voices = member->meetings->config.voices, audio = 0, video = 0, videos = 0;
    bool player = member->kind == MEMBER_PLAYER;
    for (size_t i = 0; i < spec->slot_count; i++)
        videos += spec->slots[i].kind == MEDIA_VIDEO;
    for (size_t i = 0; i < spec->slot_count; i++) {
        struct slot_use *use = &peer->uses[i];
        if (spec->slots[i].kind == MEDIA_AUDIO) {
            bool voice = !player && audio < voices;
            use->kind = voice ? SLOT_VOICE : SLOT_SCREEN_AUDIO;
            use->index = (uint8_t)(voice || player ? audio : audio - voices);
            audio++;
        } else {
            bool screen = !player && videos > 1 && video == videos - 1;
            use->kind = screen ? SLOT_SCREEN : SLOT_TILE;
            use->index = (uint8_t)(screen ? 0 : video);
            video++;
        }
    }
}

/* ---- slots ---- */

static bool source_on(const struct member *member, enum media_source_kind kind)
{
    switch (kind) {
    case MEDIA_SOURCE_MICROPHONE:
        return true;
    case MEDIA_SOURCE_CAMERA:
        return member->camera;
    case MEDIA_SOURCE_SCREEN:
        return member->screen && member->meeting->presenter == member;
    case MEDIA_SOURCE_SCREEN_AUDIO:
        return member->screen_audio && member->meeting->presenter == member;
    }
    return false;
}

/* False when there is nothing to be shown of `shown` now. */
static bool want_of(const struct member *shown, enum media_source_kind kind, uint16_t height,
                    uint8_t priority, struct media_want *ret_want)
{
    struct media_source source;
    if (shown == NULL || !member_visible(shown) || !source_on(shown, kind) ||
        !peer_source(shown, kind, &source))
        return false;
    *ret_want = (struct media_want){
        .mode = MEDIA_WANT_SOURCE, .source = source, .height = height, .priority = priority};
    return true;
}

static bool want_equal(const struct media_want *a, const struct media_want *b)
{
    return a->mode == b->mode && a->voice == b->voice &&
           a->source.transport == b->source.transport && a->source.track == b->source.track &&
           a->height == b->height && a->priority == b->priority && a->purpose == b->purpose;
}

/* Tells media when the want changed; says whether the source did. */
static bool slot_set(struct peer *peer, size_t slot, const struct media_want *want,
                     struct member *shown, enum media_source_kind source)
{
    struct slot_use *use = &peer->uses[slot];
    bool moved = use->shown != shown || (shown != NULL && use->source != source) ||
                 use->want.source.transport != want->source.transport;
    if (moved) {
        use->paused = false;
        use->ceiling = UINT8_MAX;
    }
    if (!want_equal(&use->want, want))
        media_slot_set(peer->member->meetings->media, peer->id, peer->worker, (uint8_t)slot, want);
    use->want = *want;
    use->shown = shown;
    use->source = source;
    return moved;
}

/* Whom this viewer should see when there is room for one only. */
static bool speaks_to(const struct member *viewer, const struct member *shown)
{
    const uint64_t *loudest = viewer->meeting->loudest;
    uint64_t speaker = loudest[0] == viewer->peer->id ? loudest[1] : loudest[0];
    return speaker != 0 && shown->peer->id == speaker;
}

struct casting {
    struct member *shown[MEDIA_SLOTS_MAX]; /* by slot; NULL: free */
    struct media_want wants[MEDIA_SLOTS_MAX];
    enum media_source_kind sources[MEDIA_SLOTS_MAX];
};

static void cast(struct casting *casting, size_t slot, struct member *shown,
                 enum media_source_kind source, const struct media_want *want)
{
    casting->shown[slot] = shown;
    casting->sources[slot] = source;
    casting->wants[slot] = *want;
}

/* Whether this slot is what a tile takes in this round. */
static bool slot_suits(const struct slot_use *use, const struct member *shown, int round)
{
    switch (round) {
    case 0:
        return use->shown == shown;
    case 1:
        return use->shown != NULL;
    default:
        return true;
    }
}

/*
 * Tiles in three rounds: who has a slot keeps it; then the others take those just vacated, where
 * the picture goes on until the key frame is there, and a decoder sees no pause; then the free.
 */
static void cast_tiles(struct member *member, struct casting *casting)
{
    const struct peer *peer = member->peer;
    bool placed[MEETING_TILES_MAX + 1]; /* or nothing to place */
    struct member *shown[MEETING_TILES_MAX + 1];
    struct media_want wants[MEETING_TILES_MAX + 1];
    for (size_t t = 0; t < member->tile_count; t++) {
        const struct tile *tile = &member->tiles[t];
        shown[t] = tile->screen ? NULL : member_find(member->meeting, tile->id);
        placed[t] = shown[t] == member || !want_of(shown[t], MEDIA_SOURCE_CAMERA, tile->height,
                                                   tile->priority, &wants[t]);
        if (!placed[t] && speaks_to(member, shown[t]))
            wants[t].purpose = MEDIA_FOR_SPEAKER;
    }
    for (int round = 0; round < 3; round++) {
        for (size_t t = 0; t < member->tile_count; t++) {
            for (size_t slot = 0; slot < peer->spec->slot_count && !placed[t]; slot++) {
                if (peer->uses[slot].kind == SLOT_TILE && casting->shown[slot] == NULL &&
                    slot_suits(&peer->uses[slot], shown[t], round)) {
                    cast(casting, slot, shown[t], MEDIA_SOURCE_CAMERA, &wants[t]);
                    placed[t] = true;
                }
            }
        }
    }
}

static void cast_presenter(struct member *member, struct casting *casting)
{
    struct member *presenter = member->meeting->presenter;
    if (presenter == NULL || presenter == member)
        return;
    const struct peer *peer = member->peer;
    for (size_t slot = 0; slot < peer->spec->slot_count; slot++) {
        struct media_want want;
        if (peer->uses[slot].kind == SLOT_SCREEN_AUDIO &&
            want_of(presenter, MEDIA_SOURCE_SCREEN_AUDIO, 0, UINT8_MAX, &want))
            cast(casting, slot, presenter, MEDIA_SOURCE_SCREEN_AUDIO, &want);
        if (peer->uses[slot].kind != SLOT_SCREEN)
            continue;
        if (member->screen_due && want_of(presenter, MEDIA_SOURCE_SCREEN, 0, UINT8_MAX, &want))
            cast(casting, slot, presenter, MEDIA_SOURCE_SCREEN, &want);
        for (size_t t = 0; t < member->tile_count; t++) {
            const struct tile *tile = &member->tiles[t];
            if (tile->screen && strcmp(tile->id, presenter->id) == 0 &&
                want_of(presenter, MEDIA_SOURCE_SCREEN, tile->height, tile->priority, &want)) {
                want.purpose = MEDIA_FOR_SCREEN;
                cast(casting, slot, presenter, MEDIA_SOURCE_SCREEN, &want);
            }
        }
    }
}

/* WHEP: the k-th line of a kind carries the k-th publisher, microphone and camera alike. */
static void cast_player(struct member *player, struct casting *casting)
{
    const struct peer *peer = player->peer;
    publishers_lines(player);
    for (size_t slot = 0; slot < peer->spec->slot_count; slot++) {
        size_t line = peer->uses[slot].index;
        if (line >= player->line_count || player->lines[line][0] == '\0')
            continue;
        struct member *shown = member_find(player->meeting, player->lines[line]);
        enum media_source_kind source =
            peer->uses[slot].kind == SLOT_TILE ? MEDIA_SOURCE_CAMERA : MEDIA_SOURCE_MICROPHONE;
        struct media_want want;
        if (want_of(shown, source, 0, 0, &want))
            cast(casting, slot, shown, source, &want);
    }
}

static const char *const source_names[] = {"microphone", "camera", "screen", "screen_audio"};

static void slots_send(struct member *member)
{
    const struct peer *peer = member->peer;
    struct msg_slot_source slots[MEDIA_SLOTS_MAX];
    struct msg_slots message = {{.items = slots}};
    for (size_t i = 0; i < peer->spec->slot_count; i++) {
        const struct slot_use *use = &peer->uses[i];
        if (use->kind == SLOT_VOICE)
            continue;
        struct msg_slot_source *slot = &slots[message.slots.count++];
        *slot = (struct msg_slot_source){.mid = peer->spec->slots[i].mid};
        if (use->shown != NULL)
            slot->source =
                (struct msg_source){.id = use->shown->id, .kind = source_names[use->source]};
    }
    member_send(member, "slots", &msg_slots_table, &message);
}

static void member_cast(struct member *member)
{
    struct peer *peer = member->peer;
    if (peer == NULL || !peer->connected)
        return;
    struct casting casting = {0};
    if (member->kind == MEMBER_PLAYER) {
        cast_player(member, &casting);
    } else {
        cast_tiles(member, &casting);
        cast_presenter(member, &casting);
    }
    bool moved = false;
    for (size_t slot = 0; slot < peer->spec->slot_count; slot++) {
        if (peer->uses[slot].kind == SLOT_VOICE)
            casting.wants[slot] =
                (struct media_want){.mode = MEDIA_WANT_VOICE, .voice = peer->uses[slot].index};
        moved |=
            slot_set(peer, slot, &casting.wants[slot], casting.shown[slot], casting.sources[slot]);
    }
    if (moved)
        slots_send(member);
}

void stage_slot_report(struct peer *peer, uint8_t slot, const struct media_slot_report *report)
{
    struct slot_use *use = &peer->uses[slot];
    /* What it says of another source has been overtaken. */
    if (report->source.transport != use->want.source.transport ||
        report->source.track != use->want.source.track)
        return;
    bool paused = report->state == MEDIA_SLOT_PAUSED;
    uint8_t ceiling = report->limited ? report->ceiling : UINT8_MAX;
    if (paused == use->paused && ceiling == use->ceiling)
        return;
    use->paused = paused;
    use->ceiling = ceiling;
    stage_changed(peer->member->meeting);
}

void stage_spoken(struct meeting *meeting, const uint64_t *transports, size_t count)
{
    /* Who spoke last stays the speaker while nobody speaks. */
    if (count == 0 || transports[0] == meeting->loudest[0])
        return;
    meeting->loudest[1] = count > 1 ? transports[1] : meeting->loudest[0];
    meeting->loudest[0] = transports[0];
    stage_changed(meeting);
}

/* ---- layers ---- */

/* The smallest layer at least `height` high: media chooses the same way. */
static uint8_t layer_for(const struct track_use *track, uint16_t height)
{
    uint8_t top = (uint8_t)(track->layers - 1);
    uint16_t guess = 0; /* of layers never seen: half of the next, 720 at the top */
    for (uint8_t layer = 0; layer < track->layers; layer++) {
        if (track->heights[layer] > 0)
            guess = track->heights[layer];
        else
            guess = (uint16_t)(guess > 0 ? guess * 2 : 720 >> top);
        if (height != 0 && height <= guess)
            return layer;
    }
    return top;
}

/* `ceiling`: the highest layer the viewer's link bears; -1: none. */
static void layer_mark(struct member *shown, enum media_source_kind source, uint16_t height,
                       int ceiling)
{
    struct peer *peer = shown->peer;
    if (peer == NULL || peer->track_of[source] < 0)
        return;
    struct track_use *track = &peer->tracks[peer->track_of[source]];
    /* Until the layer comes (a small camera may never send it) a lower one stands in. */
    int layer = layer_for(track, height);
    for (; layer > ceiling; layer--)
        track->longed[layer] = true;
    if (layer < 0)
        return;
    do
        track->marked[layer] = true;
    while (!track->sent[layer] && layer-- > 0);
    uint16_t wanted = height == 0 ? HEIGHT_FULL : height;
    if (wanted > track->height)
        track->height = wanted;
}

static void meeting_mark(struct meeting *meeting)
{
    bool newcomer = false; /* somebody who will say in a moment what to see: wake the cameras */
    for (struct member *member = meeting->first; member != NULL; member = member->next) {
        newcomer |= member->admitted && member->port != NULL && !member->viewed && !member->away;
        for (size_t i = 0; member->peer != NULL && i < member->peer->spec->track_count; i++) {
            struct track_use *track = &member->peer->tracks[i];
            track->height = 0;
            memset(track->marked, 0, sizeof track->marked);
            memset(track->longed, 0, sizeof track->longed);
        }
    }
    for (struct member *member = meeting->first; member != NULL; member = member->next) {
        if (newcomer)
            layer_mark(member, MEDIA_SOURCE_CAMERA, HEIGHT_LOWEST, UINT8_MAX);
        const struct peer *peer = member->peer;
        for (size_t i = 0; peer != NULL && i < peer->spec->slot_count; i++) {
            const struct slot_use *use = &peer->uses[i];
            if (use->shown != NULL)
                layer_mark(use->shown, use->source, use->want.height,
                           use->paused ? -1 : use->ceiling);
        }
    }
}

/*
 * Says whether a layer is watched; one that no longer is rests a while before it is paused. A link
 * may soon be back, and a layer that begins anew costs all layers a key picture.
 */
static bool layer_refresh(struct track_use *track, uint64_t now_ms, bool *changed, bool *resting)
{
    bool any = false;
    for (uint8_t layer = 0; layer < track->layers; layer++) {
        bool watched = track->marked[layer];
        if (watched) {
            track->rest_ms[layer] = 0;
        } else if (track->watched[layer]) {
            if (track->rest_ms[layer] == 0)
                track->rest_ms[layer] =
                    now_ms + (track->longed[layer] ? MEETING_LINK_REST_MS : MEETING_LAYER_REST_MS);
            watched = now_ms < track->rest_ms[layer];
            *resting |= watched;
        }
        *changed |= watched != track->watched[layer];
        track->watched[layer] = watched;
        any |= watched;
    }
    return any;
}

static bool member_layers(struct member *member, uint64_t now_ms)
{
    struct peer *peer = member->peer;
    bool changed = !member->layers_told, resting = false;
    if (peer == NULL || member->port == NULL)
        return false;
    struct msg_layers layers = {0};
    const char *active[CONDUCTOR_LAYERS_MAX];
    layers.active.items = active;
    int camera = peer->track_of[MEDIA_SOURCE_CAMERA], screen = peer->track_of[MEDIA_SOURCE_SCREEN];
    if (camera >= 0) {
        struct track_use *track = &peer->tracks[camera];
        layers.camera = layer_refresh(track, now_ms, &changed, &resting);
        layers.camera_height = track->height == HEIGHT_FULL ? 0 : track->height;
        const struct media_track_spec *spec = &peer->spec->tracks[camera];
        for (size_t i = 0; i < spec->rid_count; i++) {
            if (track->watched[i])
                active[layers.active.count++] = spec->rids[i];
        }
    }
    if (screen >= 0)
        layers.screen = layer_refresh(&peer->tracks[screen], now_ms, &changed, &resting);
    if (changed)
        member_send(member, "layers", &msg_layers_table, &layers);
    member->layers_told = true;
    return resting;
}

/* ---- the tick ---- */

void stage_update(struct meeting *meeting, uint64_t now_ms)
{
    for (struct member *member = meeting->first; member != NULL; member = member->next)
        member_cast(member);
    meeting_mark(meeting);
    bool resting = false;
    for (struct member *member = meeting->first; member != NULL; member = member->next)
        resting |= member_layers(member, now_ms);
    if (resting) { /* look again when the rest is over */
        meeting->stage_dirty = true;
        meeting_wake(meeting, MEETING_LAYER_REST_MS);
    }
}

/* ---- the presenter ---- */

static void screen_set(struct member *member, bool on, bool sound)
{
    if (member == NULL || member->meeting == NULL)
        return;
    member->screen = on;
    member->screen_audio = on && sound;
    peer_gate(member, MEDIA_SOURCE_SCREEN, on);
    roster_changed(member, ROSTER_UPDATED);
}

void stage_present(struct meeting *meeting, struct member *member, bool sound)
{
    struct member *before = meeting->presenter;
    if (before != member)
        screen_set(before, false, false);
    screen_set(member, true, sound);
    stage_changed(meeting);
    if (before == member)
        return;
    meeting->presenter = member;
    /* Every page in view is about to ask for it: its first picture is on the way by then. */
    for (struct member *other = meeting->first; other != NULL; other = other->next)
        other->screen_due = member != NULL && other->tile_count > 0;
    struct msg_id presenter = {.id = member != NULL ? member->id : NULL};
    meeting_send(meeting, NULL, "presenter", &msg_id_table, &presenter);
}
