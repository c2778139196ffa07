#include "signalling/sdp/payload.h"
#include "core/list.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    H264_PROFILE_DEFAULT = 0x42000a, /* Baseline level 1 (RFC 6184 8.1) */
    H264_IDC_BASELINE = 0x42,
    H264_IDC_MAIN = 0x4d,
    H264_IDC_HIGH = 0x64,
    VP9_PROFILE_8BIT = 0,
    VP9_PROFILE_10BIT = 2,
};

struct codec_rule {
    enum media_codec codec;
    enum media_kind kind;
    const char *encoding;
    uint32_t rate;
    uint8_t channels; /* as written in rtpmap; 0: not written */
};

static const struct codec_rule rules[] = {
    {MEDIA_CODEC_OPUS, MEDIA_AUDIO, "opus", 48000, 2},
    {MEDIA_CODEC_RED, MEDIA_AUDIO, "red", 48000, 2},
    {MEDIA_CODEC_VP8, MEDIA_VIDEO, "VP8", 90000, 0},
    {MEDIA_CODEC_VP9, MEDIA_VIDEO, "VP9", 90000, 0},
    {MEDIA_CODEC_H264, MEDIA_VIDEO, "H264", 90000, 0},
    {MEDIA_CODEC_AV1, MEDIA_VIDEO, "AV1", 90000, 0},
    {MEDIA_CODEC_RED, MEDIA_VIDEO, "red", 90000, 0},
    {MEDIA_CODEC_ULPFEC, MEDIA_VIDEO, "ulpfec", 90000, 0},
};

static const struct codec_rule *rule_of(enum media_codec codec, enum media_kind kind)
{
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
        if (rules[i].codec == codec && rules[i].kind == kind)
            return &rules[i];
    return NULL;
}

static const struct codec_rule *rule_named(const struct desc_rtpmap *map, enum media_kind kind)
{
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
        if (rules[i].kind == kind && rules[i].rate == map->rate &&
            strcasecmp(rules[i].encoding, map->encoding) == 0 &&
            (rules[i].channels == 0 || rules[i].channels == map->channels))
            return &rules[i];
    return NULL;
}

static bool h264_constrained_baseline(uint32_t profile_level_id)
{
    uint32_t idc = profile_level_id >> 16, iop = profile_level_id >> 8 & 0xff;
    return (idc == H264_IDC_BASELINE && (iop & 0x40) != 0) ||
           (idc == H264_IDC_MAIN && (iop & 0x80) != 0);
}

static bool h264_read(const char *parameters, struct media_payload *payload)
{
    char text[8];
    uint32_t profile = H264_PROFILE_DEFAULT;
    if (desc_parameter(parameters, "profile-level-id", text, sizeof text)) {
        if (strlen(text) != 6 || strspn(text, "0123456789abcdefABCDEF") != 6)
            return false;
        profile = (uint32_t)strtoul(text, NULL, 16);
    }
    uint32_t mode = desc_parameter_number(parameters, "packetization-mode", 0);
    uint32_t idc = profile >> 16;
    payload->h264_profile_level_id = profile;
    payload->h264_packetization_mode = (uint8_t)mode;
    return mode <= 1 && (idc == H264_IDC_BASELINE || idc == H264_IDC_MAIN || idc == H264_IDC_HIGH);
}

/* "111/111": the primary and each redundant block are Opus of this line. */
static bool red_read(const struct desc_media *offer, const char *parameters)
{
    if (parameters == NULL)
        return false;
    size_t blocks = 0;
    for (const char *at = parameters;; at++) {
        char number[4] = "";
        size_t digits = strspn(at, "0123456789");
        if (digits == 0 || digits >= sizeof number)
            return false;
        memcpy(number, at, digits);
        int type = desc_payload_type(number);
        const struct desc_rtpmap *map = type >= 0 ? desc_rtpmap_of(offer, (uint8_t)type) : NULL;
        const struct codec_rule *rule = map != NULL ? rule_named(map, MEDIA_AUDIO) : NULL;
        if (rule == NULL || rule->codec != MEDIA_CODEC_OPUS)
            return false;
        at += digits;
        if (++blocks > 1 && *at == '\0')
            return true;
        if (*at != '/')
            return false;
    }
}

/* Reads what distinguishes formats of one codec; false when it is none of ours. */
static bool format_read(const struct desc_media *offer, enum media_kind kind,
                        struct media_payload *payload)
{
    const char *parameters = desc_fmtp_of(offer, payload->type);
    switch (payload->codec) {
    case MEDIA_CODEC_RED:
        return kind == MEDIA_VIDEO || red_read(offer, parameters);
    case MEDIA_CODEC_VP9: {
        uint32_t profile = desc_parameter_number(parameters, "profile-id", VP9_PROFILE_8BIT);
        payload->vp9_profile = (uint8_t)profile;
        return profile == VP9_PROFILE_8BIT || profile == VP9_PROFILE_10BIT;
    }
    case MEDIA_CODEC_H264:
        return h264_read(parameters, payload);
    case MEDIA_CODEC_AV1:
        return desc_parameter_number(parameters, "profile", 0) == 0;
    default:
        return true;
    }
}

static uint8_t rtx_find(const struct desc_media *offer, uint8_t type)
{
    for (size_t i = 0; i < offer->format_count; i++) {
        int rtx = desc_payload_type(offer->formats[i]);
        const struct desc_rtpmap *map = rtx > 0 ? desc_rtpmap_of(offer, (uint8_t)rtx) : NULL;
        if (map != NULL && strcasecmp(map->encoding, "rtx") == 0 &&
            desc_parameter_number(desc_fmtp_of(offer, (uint8_t)rtx), "apt", UINT32_MAX) == type)
            return (uint8_t)rtx;
    }
    return 0;
}

static void feedback_read(const struct desc_media *offer, bool transport_cc,
                          struct media_payload *payload)
{
    bool remb = false;
    for (size_t i = 0; i < offer->rtcp_fb_count; i++) {
        const struct desc_rtcp_fb *feedback = &offer->rtcp_fbs[i];
        if (feedback->type != DESC_RTCP_FB_ALL && feedback->type != payload->type)
            continue;
        payload->nack |= strcmp(feedback->value, "nack") == 0;
        payload->pli |= strcmp(feedback->value, "nack pli") == 0;
        payload->fir |= strcmp(feedback->value, "ccm fir") == 0;
        payload->transport_cc |= transport_cc && strcmp(feedback->value, "transport-cc") == 0;
        remb |= strcmp(feedback->value, "goog-remb") == 0;
    }
    /* Both at once would be two estimates of one link. */
    payload->remb = remb && !payload->transport_cc;
}

static unsigned h264_rank(const struct media_payload *payload)
{
    return (payload->h264_packetization_mode == 1 ? 0u : 2u) +
           (h264_constrained_baseline(payload->h264_profile_level_id) ? 0u : 1u);
}

/* Insertion sort of the H264 entries over the places they have; stable. */
static void h264_sort(struct media_payload *payloads, size_t count)
{
    size_t places[MEDIA_PAYLOADS_MAX], used = 0;
    for (size_t i = 0; i < count; i++)
        if (payloads[i].codec == MEDIA_CODEC_H264)
            places[used++] = i;
    for (size_t i = 1; i < used; i++) {
        struct media_payload moving = payloads[places[i]];
        size_t k = i;
        for (; k > 0 && h264_rank(&payloads[places[k - 1]]) > h264_rank(&moving); k--)
            payloads[places[k]] = payloads[places[k - 1]];
        payloads[places[k]] = moving;
    }
}

static bool type_taken(const struct media_payload *payloads, size_t count, int type)
{
    for (size_t i = 0; i < count; i++)
        if (payloads[i].type == type || payloads[i].rtx_type == type)
            return true;
    return false;
}

static bool is_protection(const struct media_payload *payload)
{
    return payload->codec == MEDIA_CODEC_RED || payload->codec == MEDIA_CODEC_ULPFEC;
}

/* Of video's RED and ULPFEC: both and only where we send, or neither; and not without media. */
static size_t payloads_settle(struct media_payload *payloads, size_t count, enum media_kind kind,
                              bool we_send)
{
    size_t media = 0, red = 0, ulpfec = 0, kept = 0;
    for (size_t i = 0; i < count; i++) {
        red += payloads[i].codec == MEDIA_CODEC_RED;
        ulpfec += payloads[i].codec == MEDIA_CODEC_ULPFEC;
        media += !is_protection(&payloads[i]);
    }
    bool protects = we_send && red == 1 && ulpfec == 1 && media > 0;
    if (kind == MEDIA_AUDIO || protects)
        return count;
    for (size_t i = 0; i < count; i++) {
        if (!is_protection(&payloads[i]))
            payloads[kept++] = payloads[i];
    }
    return kept;
}

void payloads_negotiate(const struct desc_media *offer, enum media_kind kind, bool transport_cc,
                        bool we_send, struct media_payload ret_payloads[MEDIA_PAYLOADS_MAX],
                        size_t *ret_count)
{
    size_t count = 0;
    for (size_t i = 0; i < offer->format_count && count < MEDIA_PAYLOADS_MAX; i++) {
        int type = desc_payload_type(offer->formats[i]);
        const struct desc_rtpmap *map = type >= 0 ? desc_rtpmap_of(offer, (uint8_t)type) : NULL;
        const struct codec_rule *rule = map != NULL ? rule_named(map, kind) : NULL;
        if (rule == NULL || type_taken(ret_payloads, count, type))
            continue;
        struct media_payload payload = {.codec = rule->codec, .type = (uint8_t)type};
        if (!format_read(offer, kind, &payload))
            continue;
        if (kind == MEDIA_VIDEO)
            payload.rtx_type = rtx_find(offer, payload.type);
        feedback_read(offer, transport_cc, &payload);
        ret_payloads[count++] = payload;
    }
    h264_sort(ret_payloads, count);
    *ret_count = payloads_settle(ret_payloads, count, kind, we_send);
}

void payloads_redundant_first(struct media_payload *payloads, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        if (payloads[i].codec != MEDIA_CODEC_RED)
            continue;
        struct media_payload red = payloads[i];
        memmove(&payloads[1], payloads, i * sizeof payloads[0]);
        payloads[0] = red;
        return;
    }
}

bool payloads_stereo(const struct desc_media *offer)
{
    for (size_t i = 0; i < offer->rtpmap_count; i++) {
        const char *parameters = desc_fmtp_of(offer, offer->rtpmaps[i].type);
        if (strcasecmp(offer->rtpmaps[i].encoding, "opus") == 0 &&
            (desc_parameter_number(parameters, "stereo", 0) == 1 ||
             desc_parameter_number(parameters, "sprop-stereo", 0) == 1))
            return true;
    }
    return false;
}

/* fmtp of the answer, "" when none is needed; NULL without memory. */
static const char *fmtp_text(const struct desc_media *offer, const struct media_payload *payload,
                             struct payload_wish wish, struct arena *arena)
{
    const char *offered = desc_fmtp_of(offer, payload->type);
    switch (payload->codec) {
    case MEDIA_CODEC_OPUS:
        return arena_printf(arena, "minptime=10;useinbandfec=1%s%s", wish.stereo ? ";stereo=1" : "",
                            wish.dtx ? ";usedtx=1" : "");
    case MEDIA_CODEC_RED:
        return offered != NULL ? offered : "";
    case MEDIA_CODEC_VP9:
        if (desc_parameter_number(offered, "profile-id", UINT32_MAX) == UINT32_MAX)
            return "";
        return arena_printf(arena, "profile-id=%u", payload->vp9_profile);
    case MEDIA_CODEC_H264:
        /* Profile and mode must be the offer's (RFC 6184 8.2.2). */
        return arena_printf(arena, "%spacketization-mode=%u;profile-level-id=%06x",
                            desc_parameter_number(offered, "level-asymmetry-allowed", 0) == 1
                                ? "level-asymmetry-allowed=1;"
                                : "",
                            payload->h264_packetization_mode, payload->h264_profile_level_id);
    case MEDIA_CODEC_AV1:
        if (offered == NULL)
            return "";
        return arena_printf(arena, "level-idx=%u;profile=0;tier=%u",
                            desc_parameter_number(offered, "level-idx", 5),
                            desc_parameter_number(offered, "tier", 0));
    default:
        return "";
    }
}

static bool fmtp_add(struct arena *arena, struct desc_media *answer, uint8_t type,
                     const char *parameters)
{
    if (parameters == NULL)
        return false;
    if (*parameters == '\0')
        return true;
    struct desc_fmtp *item = LIST_ADD(arena, answer->fmtps, answer->fmtp_count);
    if (item != NULL)
        *item = (struct desc_fmtp){.type = type, .parameters = parameters};
    return item != NULL;
}

static bool format_add(struct arena *arena, struct desc_media *answer, struct desc_rtpmap map)
{
    const char **format = LIST_ADD(arena, answer->formats, answer->format_count);
    struct desc_rtpmap *item = LIST_ADD(arena, answer->rtpmaps, answer->rtpmap_count);
    if (format == NULL || item == NULL)
        return false;
    *item = map;
    *format = arena_printf(arena, "%u", map.type);
    return *format != NULL;
}

static bool feedback_add(struct arena *arena, struct desc_media *answer,
                         const struct media_payload *payload)
{
    const struct {
        bool wanted;
        const char *value;
    } all[] = {{payload->remb, "goog-remb"},
               {payload->transport_cc, "transport-cc"},
               {payload->fir, "ccm fir"},
               {payload->nack, "nack"},
               {payload->pli, "nack pli"}};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        if (!all[i].wanted)
            continue;
        struct desc_rtcp_fb *item = LIST_ADD(arena, answer->rtcp_fbs, answer->rtcp_fb_count);
        if (item == NULL)
            return false;
        *item = (struct desc_rtcp_fb){.type = payload->type, .value = all[i].value};
    }
    return true;
}

enum status payloads_describe(const struct desc_media *offer, const struct media_payload *payloads,
                              size_t count, enum media_kind kind, struct payload_wish wish,
                              struct arena *arena, struct desc_media *answer)
{
    for (size_t i = 0; i < count; i++) {
        const struct media_payload *payload = &payloads[i];
        const struct codec_rule *rule = rule_of(payload->codec, kind);
        struct desc_rtpmap map = {.type = payload->type,
                                  .encoding = rule->encoding,
                                  .rate = rule->rate,
                                  .channels = rule->channels};
        if (!format_add(arena, answer, map) || !feedback_add(arena, answer, payload) ||
            !fmtp_add(arena, answer, payload->type, fmtp_text(offer, payload, wish, arena)))
            return STATUS_NO_MEMORY;
        if (payload->rtx_type == 0)
            continue;
        map =
            (struct desc_rtpmap){.type = payload->rtx_type, .encoding = "rtx", .rate = rule->rate};
        if (!format_add(arena, answer, map) ||
            !fmtp_add(arena, answer, payload->rtx_type,
                      arena_printf(arena, "apt=%u", payload->type)))
            return STATUS_NO_MEMORY;
    }
    return STATUS_OK;
}
