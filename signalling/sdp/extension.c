#include "signalling/sdp/extension.h"
#include "core/list.h"

#include <string.h>

enum {
    USE_AUDIO = 1,
    USE_VIDEO = 2,
    USE_SENT = 4,     /* by the offerer */
    USE_RECEIVED = 8, /* by the offerer */
    USE_ANY = USE_AUDIO | USE_VIDEO | USE_SENT | USE_RECEIVED,
};

static const struct extension_rule {
    const char *uri;
    size_t offset; /* of its id in struct media_extensions */
    unsigned uses;
} rules[] = {
    {"urn:ietf:params:rtp-hdrext:ssrc-audio-level", offsetof(struct media_extensions, audio_level),
     USE_AUDIO | USE_SENT | USE_RECEIVED},
    {"urn:ietf:params:rtp-hdrext:sdes:mid", offsetof(struct media_extensions, mid), USE_ANY},
    {"urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id", offsetof(struct media_extensions, rid),
     USE_VIDEO | USE_SENT},
    {"urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id",
     offsetof(struct media_extensions, repaired_rid), USE_VIDEO | USE_SENT},
    {"http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
     offsetof(struct media_extensions, transport_cc), USE_ANY},
    {"http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time",
     offsetof(struct media_extensions, abs_send_time), USE_ANY},
    {"https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension",
     offsetof(struct media_extensions, dependency_descriptor), USE_VIDEO | USE_SENT | USE_RECEIVED},
    {"urn:3gpp:video-orientation", offsetof(struct media_extensions, video_orientation),
     USE_VIDEO | USE_SENT | USE_RECEIVED},
    {"http://www.webrtc.org/experiments/rtp-hdrext/playout-delay",
     offsetof(struct media_extensions, playout_delay), USE_VIDEO | USE_SENT | USE_RECEIVED},
    {"http://www.webrtc.org/experiments/rtp-hdrext/color-space",
     offsetof(struct media_extensions, color_space), USE_VIDEO | USE_SENT | USE_RECEIVED},
};

static const struct extension_rule *rule_find(const char *uri, unsigned use)
{
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
        if ((rules[i].uses & use) == use && strcmp(rules[i].uri, uri) == 0)
            return &rules[i];
    return NULL;
}

static enum status section_negotiate(const struct desc_section *section, unsigned use,
                                     struct extension_ids *ids, struct arena *arena,
                                     struct media_extensions *extensions, struct desc_media *answer)
{
    enum desc_direction needed = (use & USE_SENT) != 0 ? DESC_SENDONLY : DESC_RECVONLY;
    for (size_t i = 0; i < section->extmap_count; i++) {
        const struct desc_extmap *offered = &section->extmaps[i];
        const struct extension_rule *rule = rule_find(offered->uri, use);
        if (rule == NULL || (offered->direction & needed) == 0 || offered->id == 0 ||
            offered->id > EXTENSION_ID_MAX)
            continue;
        const char *meant = ids->uris[offered->id];
        if (meant != NULL && strcmp(meant, rule->uri) != 0)
            continue;
        uint8_t *id = (uint8_t *)extensions + rule->offset;
        if (*id != 0)
            continue;
        struct desc_extmap *item =
            LIST_ADD(arena, answer->section.extmaps, answer->section.extmap_count);
        if (item == NULL)
            return STATUS_NO_MEMORY;
        *item = (struct desc_extmap){.id = offered->id,
                                     .direction = desc_direction_mirror(offered->direction),
                                     .directed = offered->directed,
                                     .uri = rule->uri};
        *id = (uint8_t)offered->id;
        ids->uris[offered->id] = rule->uri;
    }
    return STATUS_OK;
}

enum status extensions_negotiate(const struct desc *desc, const struct desc_media *offer,
                                 enum media_kind kind, bool sends, struct extension_ids *ids,
                                 struct arena *arena, struct media_extensions *ret_extensions,
                                 struct desc_media *answer)
{
    struct media_extensions extensions = {0};
    unsigned use =
        (kind == MEDIA_AUDIO ? USE_AUDIO : USE_VIDEO) | (sends ? USE_SENT : USE_RECEIVED);
    enum status status = section_negotiate(&offer->section, use, ids, arena, &extensions, answer);
    if (status == STATUS_OK)
        status = section_negotiate(&desc->section, use, ids, arena, &extensions, answer);
    if (status == STATUS_OK)
        *ret_extensions = extensions;
    return status;
}
