#include "signalling/sdp/simulcast.h"
#include "core/list.h"

#include <stdio.h>
#include <string.h>

static const struct desc_rid *rid_find(const struct desc_media *offer, const char *id)
{
    for (size_t i = 0; i < offer->rid_count; i++)
        if (offer->rids[i].send && strcmp(offer->rids[i].id, id) == 0)
            return &offer->rids[i];
    return NULL;
}

static bool rid_taken(const struct media_track_spec *track, const char *id)
{
    for (size_t i = 0; i < track->rid_count; i++)
        if (strcmp(track->rids[i], id) == 0)
            return true;
    return false;
}

static bool type_accepted(const struct media_track_spec *track, int type)
{
    for (size_t i = 0; i < track->payload_count; i++)
        if (track->payloads[i].type == type)
            return true;
    return false;
}

/* The "pt=96,97" of a rid without the types we do not take; false when none is left. */
static bool types_filter(const struct media_track_spec *track, const char *types, char *ret_kept,
                         size_t size)
{
    size_t used = 0;
    ret_kept[0] = '\0';
    for (const char *at = types; *at != '\0';) {
        char number[4] = "";
        size_t length = strcspn(at, ",");
        if (length > 0 && length < sizeof number) {
            memcpy(number, at, length);
            if (type_accepted(track, desc_payload_type(number)))
                used += (size_t)snprintf(ret_kept + used, size - used, "%s%s", used > 0 ? "," : "",
                                         number);
        }
        at += length + (at[length] == ',');
        if (used + sizeof number + 1 >= size)
            break;
    }
    return used > 0;
}

/*
 * Restrictions are echoed (RFC 8851 6.3): they say what will be sent, and leaving them out
 * would refuse them. ret_parameters NULL: none.
 */
static enum status rid_restrict(const struct desc_rid *rid, const struct media_track_spec *track,
                                struct arena *arena, const char **ret_parameters, bool *ret_usable)
{
    char types[256], kept[256];
    *ret_usable = true;
    *ret_parameters = rid->parameters;
    if (!desc_parameter(rid->parameters, "pt", types, sizeof types))
        return STATUS_OK;
    *ret_usable = types_filter(track, types, kept, sizeof kept);
    const char *rest = strchr(rid->parameters, ';'); /* pt comes first (RFC 8851 10) */
    *ret_parameters = arena_printf(arena, "pt=%s%s", kept, rest != NULL ? rest : "");
    return *ret_parameters != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}

static enum status stream_add(const struct desc_alternative *alternative, const char *parameters,
                              struct arena *arena, struct media_track_spec *track,
                              struct desc_media *answer)
{
    const char *id = alternative->rid;
    struct desc_rid *rid = LIST_ADD(arena, answer->rids, answer->rid_count);
    struct desc_stream *stream =
        LIST_ADD(arena, answer->simulcast.recv, answer->simulcast.recv_count);
    if (rid == NULL || stream == NULL)
        return STATUS_NO_MEMORY;
    *rid = (struct desc_rid){.id = id, .parameters = parameters};
    /* Pausing is the sender's choice: answered without its "~", a layer would be switched on. */
    *stream = (struct desc_stream){.alternatives = {*alternative}, .alternative_count = 1};
    snprintf(track->rids[track->rid_count++], MEDIA_TEXT_MAX, "%s", id);
    return STATUS_OK;
}

static enum status stream_negotiate(const struct desc_media *offer,
                                    const struct desc_stream *offered, struct arena *arena,
                                    struct media_track_spec *track, struct desc_media *answer)
{
    for (size_t i = 0; i < offered->alternative_count; i++) {
        const char *id = offered->alternatives[i].rid;
        const struct desc_rid *rid = rid_find(offer, id);
        if (rid == NULL || strlen(id) >= MEDIA_TEXT_MAX || rid_taken(track, id))
            continue;
        const char *parameters;
        bool usable;
        enum status status = rid_restrict(rid, track, arena, &parameters, &usable);
        if (status != STATUS_OK)
            return status;
        if (usable)
            return stream_add(&offered->alternatives[i], parameters, arena, track, answer);
    }
    return STATUS_OK;
}

/* Without layers: the first FID pair, or the first SSRC named. */
static void ssrcs_read(const struct desc_media *offer, struct media_track_spec *track)
{
    for (size_t i = 0; i < offer->ssrc_group_count; i++) {
        const struct desc_ssrc_group *group = &offer->ssrc_groups[i];
        if (strcmp(group->semantics, "FID") == 0 && group->ssrc_count == 2) {
            track->ssrc = group->ssrcs[0];
            track->rtx_ssrc = group->ssrcs[1];
            return;
        }
    }
    if (offer->ssrc_count > 0)
        track->ssrc = offer->ssrcs[0].ssrc;
}

enum status simulcast_negotiate(const struct desc_media *offer, struct arena *arena,
                                struct media_track_spec *track, struct desc_media *answer)
{
    bool told_apart = track->extensions.mid != 0 && track->extensions.rid != 0;
    for (size_t i = 0; told_apart && i < offer->simulcast.send_count; i++) {
        if (track->rid_count == MEDIA_RIDS_MAX)
            break;
        enum status status =
            stream_negotiate(offer, &offer->simulcast.send[i], arena, track, answer);
        if (status != STATUS_OK)
            return status;
    }
    if (track->rid_count == 0)
        ssrcs_read(offer, track);
    return STATUS_OK;
}
