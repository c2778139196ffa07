#include "core/crypto.h"
#include "core/list.h"
#include "signalling/sdp/answering.h"
#include "signalling/sdp/payload.h"
#include "signalling/sdp/simulcast.h"

#include <stdio.h>
#include <string.h>

enum {
    VERSION_DIGITS_MAX = 18, /* of o=, so that it fits 63 bits */
    PORT_DISCARD = 9,        /* no candidate to name (RFC 9429 5.3.1) */
};

/* One server, one name: what plays together is said by a=msid. */
static const char cname[] = "parley";

static void raw_attribute(struct answering *answering, struct desc_section *section,
                          const char *name, const char *value, enum status *status)
{
    struct desc_attribute *item =
        LIST_ADD(answering->arena, section->attributes, section->attribute_count);
    if (item == NULL)
        *status = STATUS_NO_MEMORY;
    else
        *item = (struct desc_attribute){.name = name, .value = value};
}

/* ---- slots ---- */

static bool ssrc_taken(const struct media_transport_spec *spec, uint32_t ssrc)
{
    for (size_t i = 0; i < spec->track_count; i++)
        if (spec->tracks[i].ssrc == ssrc || spec->tracks[i].rtx_ssrc == ssrc)
            return true;
    for (size_t i = 0; i < spec->slot_count; i++)
        if (spec->slots[i].ssrc == ssrc || spec->slots[i].rtx_ssrc == ssrc)
            return true;
    return false;
}

/* Not used by this transport, nor by the one it continues: a kept SSRC may come later. */
static uint32_t ssrc_new(const struct answering *answering)
{
    const struct media_transport_spec *previous = answering->config->previous;
    uint32_t ssrc;
    do {
        ssrc = crypto_random_u32();
    } while (ssrc == 0 || ssrc_taken(answering->spec, ssrc) ||
             (previous != NULL && ssrc_taken(previous, ssrc)));
    return ssrc;
}

static bool has_rtx(const struct line *line)
{
    for (size_t i = 0; i < line->payload_count; i++)
        if (line->payloads[i].rtx_type != 0)
            return true;
    return false;
}

static void slot_number(struct answering *answering, const struct line *line,
                        struct media_slot_spec *slot)
{
    const struct media_slot_spec *known =
        answering->change == ANSWER_NEW ? NULL : slot_known(answering->config->previous, slot->mid);
    slot->ssrc = known != NULL ? known->ssrc : ssrc_new(answering);
    if (!has_rtx(line))
        return;
    do {
        slot->rtx_ssrc =
            known != NULL && known->rtx_ssrc != 0 ? known->rtx_ssrc : ssrc_new(answering);
    } while (slot->rtx_ssrc == slot->ssrc);
}

static enum status source_add(struct answering *answering, struct desc_media *answer, uint32_t ssrc)
{
    struct desc_ssrc *item = LIST_ADD(answering->arena, answer->ssrcs, answer->ssrc_count);
    if (item == NULL)
        return STATUS_NO_MEMORY;
    *item = (struct desc_ssrc){.ssrc = ssrc, .name = "cname", .value = cname};
    return STATUS_OK;
}

/*
 * A slot of a call carries now this person, now that, so each is a stream of its own. A
 * player's k-th audio and k-th video line are one publisher: one stream, lips in sync.
 */
static enum status slot_msid(struct answering *answering, const struct line *line)
{
    struct desc_media *answer = line->answer;
    struct desc_msid *msid = LIST_ADD(answering->arena, answer->msids, answer->msid_count);
    if (msid == NULL)
        return STATUS_NO_MEMORY;
    msid->stream = answering->config->role == ANSWER_PLAY
                       ? arena_printf(answering->arena, "play-%zu", line->nth)
                       : arena_printf(answering->arena, "slot-%s", line_mid(line));
    msid->track = arena_printf(answering->arena, "%s-%s", line->offer->kind, line_mid(line));
    return msid->stream != NULL && msid->track != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}

static enum status slot_write(struct answering *answering, const struct line *line)
{
    struct desc_media *answer = line->answer;
    struct media_slot_spec *slot = &answering->spec->slots[answering->spec->slot_count];
    snprintf(slot->mid, sizeof slot->mid, "%s", line_mid(line));
    slot->kind = line->kind;
    slot->extensions = line->extensions;
    memcpy(slot->payloads, line->payloads, sizeof slot->payloads);
    slot->payload_count = line->payload_count;
    slot_number(answering, line, slot);
    answering->spec->slot_count++;
    enum status status = slot_msid(answering, line);
    if (status == STATUS_OK)
        status = source_add(answering, answer, slot->ssrc);
    if (status != STATUS_OK || slot->rtx_ssrc == 0)
        return status;
    struct desc_ssrc_group *group =
        LIST_ADD(answering->arena, answer->ssrc_groups, answer->ssrc_group_count);
    if (group == NULL)
        return STATUS_NO_MEMORY;
    *group = (struct desc_ssrc_group){
        .semantics = "FID", .ssrcs = {slot->ssrc, slot->rtx_ssrc}, .ssrc_count = 2};
    return source_add(answering, answer, slot->rtx_ssrc);
}

/* ---- tracks ---- */

static enum status track_write(struct answering *answering, const struct line *line)
{
    struct media_track_spec *track = &answering->spec->tracks[answering->spec->track_count++];
    snprintf(track->mid, sizeof track->mid, "%s", line_mid(line));
    track->kind = line->kind;
    track->source = line->source;
    track->extensions = line->extensions;
    memcpy(track->payloads, line->payloads, sizeof track->payloads);
    track->payload_count = line->payload_count;
    return simulcast_negotiate(line->offer, answering->arena, track, line->answer);
}

/*
 * Speech pauses save most of a large meeting's audio. Shared sound, and whoever publishes
 * stereo by WHIP, is music as likely as not: there pauses are cut wrongly.
 */
static struct payload_wish audio_wish(const struct answering *answering, const struct line *line)
{
    if (line->use != LINE_TRACK)
        return (struct payload_wish){0};
    bool stereo = line->source == MEDIA_SOURCE_SCREEN_AUDIO ||
                  (answering->config->role == ANSWER_PUBLISH && payloads_stereo(line->offer));
    return (struct payload_wish){.stereo = stereo, .dtx = !stereo};
}

/* ---- any line ---- */

static const struct media_candidate *default_candidate(const struct media_local *local)
{
    for (size_t i = 0; i < local->candidate_count; i++)
        if (!local->candidates[i].tcp)
            return &local->candidates[i];
    return NULL;
}

static enum status candidates_write(struct answering *answering, struct desc_media *answer)
{
    const struct media_local *local = answering->config->local;
    for (size_t i = 0; i < local->candidate_count; i++) {
        const struct media_candidate *candidate = &local->candidates[i];
        struct desc_candidate *item =
            LIST_ADD(answering->arena, answer->candidates, answer->candidate_count);
        if (item == NULL)
            return STATUS_NO_MEMORY;
        *item = (struct desc_candidate){
            .foundation = candidate->foundation,
            .component = 1,
            .transport = candidate->tcp ? "tcp" : "udp",
            .priority = candidate->priority,
            .address = candidate->address,
            .port = candidate->port,
            .type = "host",
            .tcptype = candidate->tcp ? "passive" : NULL,
        };
    }
    answer->section.end_of_candidates = true;
    return STATUS_OK;
}

/* What every accepted line says of the transport; some clients look at each. */
static enum status line_transport(struct answering *answering, const struct line *line)
{
    const struct media_local *local = answering->config->local;
    struct desc_section *section = &line->answer->section;
    const struct media_candidate *candidate = default_candidate(local);
    enum status status = STATUS_OK;
    line->answer->port = PORT_DISCARD;
    if (candidate != NULL) {
        line->answer->port = candidate->port;
        section->connection = (struct desc_connection){
            .address = candidate->address, .ip6 = strchr(candidate->address, ':') != NULL};
    }
    section->ice_ufrag = answering->spec->ice.local_ufrag;
    section->ice_pwd = answering->spec->ice.local_pwd;
    section->setup = DESC_SETUP_PASSIVE;
    raw_attribute(answering, section, "fingerprint", local->fingerprint, &status);
    if (status == STATUS_OK && line == answering->tagged)
        status = candidates_write(answering, line->answer);
    return status;
}

static enum status line_accept(struct answering *answering, const struct line *line)
{
    struct desc_media *answer = line->answer;
    struct desc_section *section = &answer->section;
    enum desc_direction wanted =
        desc_direction_mirror(desc_direction_of(&answering->offer, line->offer));
    enum desc_direction able = line->use == LINE_TRACK  ? DESC_RECVONLY
                               : line->use == LINE_SLOT ? DESC_SENDONLY
                                                        : DESC_INACTIVE;
    section->directed = true;
    section->direction = wanted & able;
    section->extmap_allow_mixed = line->offer->section.extmap_allow_mixed;
    answer->rtcp_mux = true;
    answer->rtcp_rsize = line->offer->rtcp_rsize;
    enum status status = line_transport(answering, line);
    if (status == STATUS_OK)
        status = payloads_describe(line->offer, line->payloads, line->payload_count, line->kind,
                                   audio_wish(answering, line), answering->arena, answer);
    if (status == STATUS_OK && line->use == LINE_TRACK)
        status = track_write(answering, line);
    if (status == STATUS_OK && line->use == LINE_SLOT)
        status = slot_write(answering, line);
    return status;
}

/* RFC 9429 5.3.1: a rejected line keeps its formats, its mid, and nothing else. */
static void line_reject(const struct line *line)
{
    struct desc_media *answer = line->answer;
    answer->formats = line->offer->formats;
    answer->format_count = line->offer->format_count;
    answer->section = (struct desc_section){.directed = true, .direction = DESC_INACTIVE};
}

static enum status line_write(struct answering *answering, const struct line *line)
{
    struct desc_media *answer = line->answer;
    enum status status = STATUS_OK;
    answer->kind = line->offer->kind;
    answer->protocol = line->offer->protocol;
    answer->mid = line->offer->mid;
    if (line->use == LINE_REJECTED)
        line_reject(line);
    else
        status = line_accept(answering, line);
    if (answer->section.connection.address == NULL)
        answer->section.connection.address = "0.0.0.0";
    return status;
}

/* ---- the session ---- */

/* RFC 9143 7.3.3: the group without what was rejected, in the offer's order. */
static enum status group_write(struct answering *answering)
{
    if (answering->bundle == NULL)
        return STATUS_OK;
    struct desc *answer = &answering->answer;
    struct desc_group group = {.semantics = "BUNDLE"};
    for (size_t i = 0; i < answering->bundle->mid_count; i++) {
        for (size_t k = 0; k < answer->media_count; k++) {
            const struct line *line = &answering->lines[k];
            if (line->use == LINE_REJECTED ||
                strcmp(line_mid(line), answering->bundle->mids[i]) != 0)
                continue;
            const char **mid = LIST_ADD(answering->arena, group.mids, group.mid_count);
            if (mid == NULL)
                return STATUS_NO_MEMORY;
            *mid = line_mid(line);
        }
    }
    struct desc_group *item = LIST_ADD(answering->arena, answer->groups, answer->group_count);
    if (item == NULL)
        return STATUS_NO_MEMORY;
    *item = group;
    return STATUS_OK;
}

/*
 * The version must grow with each answer of a transport (RFC 3264 8); the offer's own does
 * so, which spares us a count.
 */
static enum status origin_write(struct answering *answering)
{
    const char *version = answering->offer.origin.version;
    bool usable = version != NULL && strlen(version) <= VERSION_DIGITS_MAX &&
                  strspn(version, "0123456789") == strlen(version);
    const char *id =
        arena_printf(answering->arena, "%llu", (unsigned long long)answering->spec->id);
    if (id == NULL)
        return STATUS_NO_MEMORY;
    answering->answer.origin = (struct desc_origin){
        .username = "-", .id = id, .version = usable ? version : "1", .address = "127.0.0.1"};
    return STATUS_OK;
}

static enum status session_write(struct answering *answering)
{
    struct desc *answer = &answering->answer;
    answer->ice_lite = true;
    answer->section.ice_options = "trickle";
    answer->section.extmap_allow_mixed = answering->offer.section.extmap_allow_mixed;
    enum status status = origin_write(answering);
    if (status == STATUS_OK)
        status = group_write(answering);
    if (status == STATUS_OK)
        raw_attribute(answering, &answer->section, "msid-semantic", "WMS *", &status);
    return status;
}

enum status answering_write(struct answering *answering)
{
    enum status status = session_write(answering);
    for (size_t i = 0; i < answering->offer.media_count && status == STATUS_OK; i++)
        status = line_write(answering, &answering->lines[i]);
    return status;
}
