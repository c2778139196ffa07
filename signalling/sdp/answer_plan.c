#include "signalling/sdp/answering.h"
#include "signalling/sdp/payload.h"

#include <string.h>

static bool bundled(const struct desc_group *bundle, const char *mid)
{
    for (size_t i = 0; mid != NULL && i < bundle->mid_count; i++)
        if (strcmp(bundle->mids[i], mid) == 0)
            return true;
    return false;
}

/* Profiles of RTP over DTLS as RFC 9429 5.1.2 lists them. */
static bool protocol_known(const char *protocol)
{
    static const char *const known[] = {"UDP/TLS/RTP/SAVPF", "UDP/TLS/RTP/SAVP",
                                        "TCP/TLS/RTP/SAVPF", "RTP/SAVPF"};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strcmp(protocol, known[i]) == 0)
            return true;
    return false;
}

static bool track_known(const struct media_transport_spec *previous, const char *mid)
{
    for (size_t i = 0; previous != NULL && i < previous->track_count; i++)
        if (strcmp(previous->tracks[i].mid, mid) == 0)
            return true;
    return false;
}

/* What the line is for, by role and direction; LINE_REJECTED sets why. */
static enum line_use line_use(const struct answering *answering, struct line *line)
{
    const struct media_transport_spec *previous = answering->config->previous;
    enum desc_direction direction = desc_direction_of(&answering->offer, line->offer);
    switch (answering->config->role) {
    case ANSWER_PUBLISH:
        line->why = "a publisher must send on it";
        return (direction & DESC_SENDONLY) != 0 ? LINE_TRACK : LINE_REJECTED;
    case ANSWER_PLAY:
        line->why = "a viewer must receive on it";
        return (direction & DESC_RECVONLY) != 0 ? LINE_SLOT : LINE_REJECTED;
    case ANSWER_CALL:
        break;
    }
    if ((direction & DESC_SENDONLY) != 0)
        return LINE_TRACK;
    if ((direction & DESC_RECVONLY) != 0)
        return LINE_SLOT;
    /* Put to rest for now: what it was keeps its place in the spec. */
    if (track_known(previous, line_mid(line)))
        return LINE_TRACK;
    return slot_known(previous, line_mid(line)) != NULL ? LINE_SLOT : LINE_IDLE;
}

/* NULL when the line may be taken, or why not. */
static const char *line_refusal(const struct answering *answering, const struct line *line)
{
    const struct desc_media *offer = line->offer;
    if (strcmp(offer->kind, "application") == 0)
        return "data channels are not taken, messages go through the gateway";
    if (strcmp(offer->kind, "audio") != 0 && strcmp(offer->kind, "video") != 0)
        return "neither audio nor video";
    if (offer->port == 0 && !offer->bundle_only)
        return "its port is 0";
    if (!protocol_known(offer->protocol))
        return "not RTP over DTLS (UDP/TLS/RTP/SAVPF)";
    if (answering->bundle != NULL && !bundled(answering->bundle, offer->mid))
        return "not in the BUNDLE group";
    return NULL;
}

/* microphone and screen_audio are audio, camera and screen are video. */
static enum media_kind source_kind(enum media_source_kind source)
{
    return source == MEDIA_SOURCE_MICROPHONE || source == MEDIA_SOURCE_SCREEN_AUDIO ? MEDIA_AUDIO
                                                                                    : MEDIA_VIDEO;
}

static enum status line_source(struct answering *answering, struct line *line)
{
    const struct answer_config *config = answering->config;
    line->source = line->kind == MEDIA_AUDIO ? MEDIA_SOURCE_MICROPHONE : MEDIA_SOURCE_CAMERA;
    for (size_t i = 0; config->role == ANSWER_CALL && i < config->source_count; i++) {
        if (strcmp(config->sources[i].mid, line_mid(line)) != 0)
            continue;
        line->source = config->sources[i].source;
        if (source_kind(line->source) != line->kind)
            return answering_refuse(answering, STATUS_INVALID,
                                    "mid %s: a %s line is no such source", line_mid(line),
                                    line->offer->kind);
    }
    return STATUS_OK;
}

static enum status line_plan(struct answering *answering, struct line *line)
{
    line->why = line_refusal(answering, line);
    if (line->why != NULL)
        return STATUS_OK;
    line->kind = line->offer->kind[0] == 'a' ? MEDIA_AUDIO : MEDIA_VIDEO;
    enum line_use use = line_use(answering, line);
    if (use == LINE_REJECTED)
        return STATUS_OK;
    if (strlen(line_mid(line)) >= MEDIA_TEXT_MAX)
        return answering_refuse(answering, STATUS_LIMIT, "line %u: a=mid longer than %d characters",
                                line->offer->line, MEDIA_TEXT_MAX - 1);
    enum status status = extensions_negotiate(&answering->offer, line->offer, line->kind,
                                              use != LINE_SLOT, &answering->extension_ids,
                                              answering->arena, &line->extensions, line->answer);
    if (status != STATUS_OK)
        return status;
    payloads_negotiate(line->offer, line->kind, line->extensions.transport_cc != 0,
                       use == LINE_SLOT, line->payloads, &line->payload_count);
    line->why = line->payload_count == 0 ? "no common codec" : NULL;
    if (line->why != NULL)
        return STATUS_OK;
    line->use = use;
    status = line_source(answering, line);
    /* Of speech each packet repeats the one before it: what is lost on its way to us once. */
    if (status == STATUS_OK && use == LINE_TRACK && line->source == MEDIA_SOURCE_MICROPHONE &&
        !payloads_stereo(line->offer))
        payloads_redundant_first(line->payloads, line->payload_count);
    return status;
}

/*
 * A call takes what it can. A publisher or viewer gets all the audio and video it offers or
 * a refusal: half a session would mislead whoever set it up (RFC 9725 4.4.3).
 */
static enum status line_whole(struct answering *answering, size_t index)
{
    const struct line *line = &answering->lines[index];
    if (answering->config->role == ANSWER_CALL || line->use != LINE_REJECTED ||
        strcmp(line->offer->kind, "application") == 0 ||
        (line->offer->port == 0 && !line->offer->bundle_only))
        return STATUS_OK;
    return answering_refuse(answering, STATUS_UNSUPPORTED, "m-line %zu (%.16s, mid %.32s): %s",
                            index + 1, line->offer->kind, line_mid(line), line->why);
}

static enum status mids_check(struct answering *answering)
{
    const struct desc *offer = &answering->offer;
    for (size_t i = 0; i < offer->media_count; i++)
        for (size_t k = 0; offer->media[i].mid != NULL && k < i; k++)
            if (offer->media[k].mid != NULL &&
                strcmp(offer->media[i].mid, offer->media[k].mid) == 0)
                return answering_refuse(answering, STATUS_INVALID,
                                        "line %u: mid %.32s is there twice", offer->media[i].line,
                                        offer->media[i].mid);
    return STATUS_OK;
}

/* Lines in use, and the one that carries the transport: the first of them in the group. */
static size_t lines_used(struct answering *answering)
{
    size_t used = 0, best = SIZE_MAX;
    for (size_t i = 0; i < answering->offer.media_count; i++) {
        const struct line *line = &answering->lines[i];
        if (line->use == LINE_REJECTED)
            continue;
        used++;
        size_t place = 0;
        while (answering->bundle != NULL &&
               strcmp(answering->bundle->mids[place], line_mid(line)) != 0)
            place++;
        if (place < best) {
            best = place;
            answering->tagged = line;
        }
    }
    return used;
}

static enum status nothing_used(struct answering *answering)
{
    if (answering->offer.media_count == 0)
        return answering_refuse(answering, STATUS_UNSUPPORTED, "the offer has no m-line");
    const struct line *line = &answering->lines[0];
    return answering_refuse(answering, STATUS_UNSUPPORTED,
                            "no usable line; m-line 1 (%.16s, mid %.32s): %s", line->offer->kind,
                            line_mid(line), line->why);
}

static enum status counts_check(struct answering *answering)
{
    size_t tracks = 0, slots = 0, of_kind[2] = {0};
    for (size_t i = 0; i < answering->offer.media_count; i++) {
        struct line *line = &answering->lines[i];
        tracks += line->use == LINE_TRACK;
        if (line->use != LINE_SLOT)
            continue;
        slots++;
        line->nth = of_kind[line->kind]++;
    }
    if (tracks > MEDIA_TRACKS_MAX)
        return answering_refuse(answering, STATUS_LIMIT, "more than %d sending lines",
                                MEDIA_TRACKS_MAX);
    if (slots > MEDIA_SLOTS_MAX)
        return answering_refuse(answering, STATUS_LIMIT, "more than %d receiving lines",
                                MEDIA_SLOTS_MAX);
    return STATUS_OK;
}

enum status answering_plan(struct answering *answering)
{
    struct desc *offer = &answering->offer;
    size_t count = offer->media_count;
    for (size_t i = 0; i < offer->group_count && answering->bundle == NULL; i++)
        if (strcmp(offer->groups[i].semantics, "BUNDLE") == 0)
            answering->bundle = &offer->groups[i];
    answering->lines = arena_alloc(answering->arena, (count + 1) * sizeof *answering->lines);
    answering->answer.media =
        arena_alloc(answering->arena, (count + 1) * sizeof *answering->answer.media);
    if (answering->lines == NULL || answering->answer.media == NULL)
        return STATUS_NO_MEMORY;
    answering->answer.media_count = count;
    enum status status = mids_check(answering);
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        answering->lines[i].offer = &offer->media[i];
        answering->lines[i].answer = &answering->answer.media[i];
        status = line_plan(answering, &answering->lines[i]);
        if (status == STATUS_OK)
            status = line_whole(answering, i);
    }
    if (status != STATUS_OK)
        return status;
    size_t used = lines_used(answering);
    if (used == 0)
        return nothing_used(answering);
    if (used > 1 && answering->bundle == NULL)
        return answering_refuse(answering, STATUS_UNSUPPORTED,
                                "several m-lines need a=group:BUNDLE");
    return counts_check(answering);
}
