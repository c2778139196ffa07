#include "signalling/sip/negotiate.h"

#include "core/crypto.h"
#include "signalling/sdp/sdp.h"
#include "signalling/sip/sdes.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { COMFORT_STATIC_TYPE = 13, EVENT_OFFER_TYPE = 101, OPUS_OFFER_TYPE = 107 };

static const struct codec {
    enum media_leg_codec codec;
    const char *name;
    uint32_t clock;
    int fixed; /* RFC 3551 6; -1: none */
} codecs[] = {
    {MEDIA_LEG_OPUS, "opus", 48000, -1},
    {MEDIA_LEG_G722, "G722", 8000, 9},
    {MEDIA_LEG_PCMU, "PCMU", 8000, 0},
    {MEDIA_LEG_PCMA, "PCMA", 8000, 8},
};

enum { CODECS = sizeof codecs / sizeof codecs[0] };

/* ---- reading ---- */

static const struct codec *codec_of(const struct desc_media *media, uint8_t type)
{
    const struct desc_rtpmap *map = desc_rtpmap_of(media, type);
    for (size_t i = 0; i < CODECS; i++) {
        if (map == NULL
                ? codecs[i].fixed == type
                : strcasecmp(map->encoding, codecs[i].name) == 0 && map->rate == codecs[i].clock)
            return &codecs[i];
    }
    return NULL;
}

static void format_read(const struct desc_media *media, uint8_t type,
                        struct media_leg_stream *stream)
{
    const struct codec *codec = codec_of(media, type);
    const struct desc_rtpmap *map = desc_rtpmap_of(media, type);
    if (codec != NULL) {
        if (stream->format_count < MEDIA_LEG_FORMATS_MAX)
            stream->formats[stream->format_count++] =
                (struct media_leg_format){.codec = codec->codec, .receive = type, .send = type};
    } else if (map != NULL && strcasecmp(map->encoding, "telephone-event") == 0) {
        bool known = map->rate == 8000 || map->rate == 16000 || map->rate == 48000;
        if (known && stream->event_count < MEDIA_LEG_EVENTS_MAX)
            stream->events[stream->event_count++] =
                (struct media_leg_event){.receive = type, .send = type, .clock = map->rate};
    } else if (map == NULL ? type == COMFORT_STATIC_TYPE
                           : strcasecmp(map->encoding, "CN") == 0 && map->rate == 8000) {
        stream->comfort_type = type;
    }
}

static bool address_read(const char *text, uint16_t port, struct sockaddr_storage *ret_address)
{
    struct sockaddr_storage address = {0};
    struct sockaddr_in *in = (struct sockaddr_in *)&address;
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&address;
    if (inet_pton(AF_INET, text, &in->sin_addr) == 1)
        address.ss_family = AF_INET;
    else if (inet_pton(AF_INET6, text, &in6->sin6_addr) == 1)
        address.ss_family = AF_INET6;
    else
        return false;
    in->sin_port = htons(port); /* IPv6 has it in the same place */
    *ret_address = address;
    return true;
}

static bool unspecified(const struct sockaddr_storage *address)
{
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)address;
    return address->ss_family == AF_INET
               ? ((const struct sockaddr_in *)address)->sin_addr.s_addr == INADDR_ANY
               : IN6_IS_ADDR_UNSPECIFIED(&in6->sin6_addr);
}

static const char *attribute_of(const struct desc_section *section, const char *name, size_t nth)
{
    for (size_t i = 0; i < section->attribute_count; i++) {
        const struct desc_attribute *attribute = &section->attributes[i];
        if (strcmp(attribute->name, name) == 0 && attribute->value != NULL && nth-- == 0)
            return attribute->value;
    }
    return NULL;
}

/* a=rtcp:PORT [IN IP4 ADDRESS] (RFC 3605); anything else in it counts as not there. */
static void rtcp_read(const struct desc_media *media, const char *connection,
                      struct media_leg_stream *stream)
{
    const char *value = attribute_of(&media->section, "rtcp", 0);
    char address[64];
    unsigned port;
    int found = value != NULL ? sscanf(value, "%5u IN IP%*1[46] %63s", &port, address) : 0;
    if (found >= 1 && port > 0 && port <= UINT16_MAX)
        (void)address_read(found == 2 ? address : connection, (uint16_t)port, &stream->remote_rtcp);
}

static uint8_t ptime_of(const struct desc_media *media)
{
    uint32_t ptime = media->ptime != 0 ? media->ptime : NEGOTIATE_PTIME_MS;
    if (media->maxptime != 0 && ptime > media->maxptime)
        ptime = media->maxptime;
    static const uint8_t known[] = {60, 40, 30, 20};
    for (size_t i = 0; i < sizeof known; i++) {
        if (ptime >= known[i])
            return known[i];
    }
    return MEDIA_LEG_PTIME_MIN_MS;
}

static enum status stream_read(const struct desc *desc, const struct desc_media *media,
                               struct media_leg_stream *ret_stream)
{
    struct media_leg_stream stream = {
        .comfort_type = MEDIA_LEG_PT_NONE, .symmetric = true, .rtcp_mux = media->rtcp_mux};
    const char *address = media->section.connection.address != NULL
                              ? media->section.connection.address
                              : desc->section.connection.address;
    if (address == NULL || !address_read(address, media->port, &stream.remote))
        return STATUS_UNSUPPORTED;
    for (size_t i = 0; i < media->format_count; i++) {
        int type = desc_payload_type(media->formats[i]);
        if (type >= 0)
            format_read(media, (uint8_t)type, &stream);
    }
    if (stream.format_count == 0)
        return STATUS_UNSUPPORTED;
    enum desc_direction ours = desc_direction_mirror(desc_direction_of(desc, media));
    bool hold = unspecified(&stream.remote);
    stream.sending = (ours & DESC_SENDONLY) != 0 && !hold;
    stream.hearing = (ours & DESC_RECVONLY) != 0;
    stream.ptime_ms = ptime_of(media);
    rtcp_read(media, address, &stream);
    *ret_stream = stream;
    return STATUS_OK;
}

static enum status sdes_pick(const struct desc_media *media, struct negotiated *negotiated)
{
    const char *value;
    struct media_leg_security *security = &negotiated->security;
    for (size_t i = 0; (value = attribute_of(&media->section, "crypto", i)) != NULL; i++) {
        if (sdes_read(value, &negotiated->crypto_tag, &security->suite, security->receive_key) ==
            STATUS_OK) {
            security->kind = MEDIA_LEG_SDES;
            crypto_random(security->send_key, sizeof security->send_key);
            return STATUS_OK;
        }
    }
    return STATUS_UNSUPPORTED;
}

static enum status dtls_pick(const struct desc *desc, const struct desc_media *media,
                             struct negotiated *negotiated)
{
    const struct desc_section *section =
        media->section.fingerprint_count > 0 ? &media->section : &desc->section;
    enum desc_setup setup =
        media->section.setup != DESC_SETUP_NONE ? media->section.setup : desc->section.setup;
    struct media_leg_security *security = &negotiated->security;
    for (size_t i = 0; i < section->fingerprint_count; i++) {
        const struct desc_fingerprint *fingerprint = &section->fingerprints[i];
        if (strcmp(fingerprint->algorithm, "sha-256") != 0 &&
            strcmp(fingerprint->algorithm, "sha-384") != 0 &&
            strcmp(fingerprint->algorithm, "sha-512") != 0)
            continue;
        security->kind = MEDIA_LEG_DTLS;
        snprintf(security->fingerprint.algorithm, sizeof security->fingerprint.algorithm, "%s",
                 fingerprint->algorithm);
        memcpy(security->fingerprint.digest, fingerprint->digest, fingerprint->length);
        security->fingerprint.length = fingerprint->length;
        /* RFC 5763 5: of actpass the one who answers is active. */
        security->active = setup != DESC_SETUP_ACTIVE;
        return setup == DESC_SETUP_HOLDCONN ? STATUS_UNSUPPORTED : STATUS_OK;
    }
    return STATUS_UNSUPPORTED;
}

static enum status line_read(const struct desc *desc, const struct desc_media *media,
                             struct negotiated *negotiated)
{
    bool sdes = strcmp(media->protocol, "RTP/SAVP") == 0;
    bool dtls = strcmp(media->protocol, "UDP/TLS/RTP/SAVP") == 0 ||
                strcmp(media->protocol, "UDP/TLS/RTP/SAVPF") == 0;
    bool plain = strcmp(media->protocol, "RTP/AVP") == 0;
    if (strcmp(media->kind, "audio") != 0 || media->port == 0 || (!sdes && !dtls && !plain))
        return STATUS_UNSUPPORTED;
    negotiated->security = (struct media_leg_security){.kind = MEDIA_LEG_PLAIN};
    negotiated->protocol = media->protocol;
    enum status status = sdes   ? sdes_pick(media, negotiated)
                         : dtls ? dtls_pick(desc, media, negotiated)
                                : STATUS_OK;
    return status == STATUS_OK ? stream_read(desc, media, &negotiated->stream) : status;
}

static enum status lines_keep(const struct desc *desc, struct arena *arena,
                              struct negotiated *negotiated)
{
    negotiated->line_count = desc->media_count;
    negotiated->lines = arena_alloc(arena, (desc->media_count + 1) * sizeof *negotiated->lines);
    if (negotiated->lines == NULL)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < desc->media_count; i++) {
        const struct desc_media *media = &desc->media[i];
        negotiated->lines[i] = arena_printf(arena, "%s 0 %s %s", media->kind, media->protocol,
                                            media->format_count > 0 ? media->formats[0] : "0");
        if (negotiated->lines[i] == NULL)
            return STATUS_NO_MEMORY;
    }
    return STATUS_OK;
}

enum status negotiate_read(const char *text, struct arena *arena, struct negotiated *ret_negotiated)
{
    struct desc desc;
    struct desc_error error;
    size_t length = strlen(text);
    if (length > NEGOTIATE_TEXT_MAX)
        return STATUS_INVALID;
    enum status status = desc_parse(text, length, arena, &desc, &error);
    if (status != STATUS_OK)
        return status == STATUS_LIMIT ? STATUS_INVALID : status;
    struct negotiated *best = arena_alloc(arena, sizeof *best);
    struct negotiated *line = arena_alloc(arena, sizeof *line);
    if (best == NULL || line == NULL)
        return STATUS_NO_MEMORY;
    status = STATUS_UNSUPPORTED;
    for (size_t i = 0; i < desc.media_count; i++) {
        *line = (struct negotiated){.line = i};
        if (line_read(&desc, &desc.media[i], line) != STATUS_OK)
            continue;
        if (status != STATUS_OK ||
            (best->security.kind == MEDIA_LEG_PLAIN && line->security.kind != MEDIA_LEG_PLAIN))
            *best = *line;
        status = STATUS_OK;
    }
    if (status == STATUS_OK)
        status = lines_keep(&desc, arena, best);
    if (status == STATUS_OK)
        *ret_negotiated = *best;
    return status;
}

/* ---- writing ---- */

static const char *family_of(const struct negotiate_local *local)
{
    return strchr(local->address, ':') != NULL ? "IP6" : "IP4";
}

static const char *head_make(const struct negotiate_local *local, struct arena *arena)
{
    const char *family = family_of(local);
    return arena_printf(arena,
                        "v=0\r\no=- %" PRIu64 " %" PRIu32 " IN %s %s\r\ns=-\r\nc=IN %s %s\r\n"
                        "t=0 0\r\n",
                        local->session, local->version, family, local->address, family,
                        local->address);
}

static const char *name_of(enum media_leg_codec codec)
{
    for (size_t i = 0; i < CODECS; i++) {
        if (codecs[i].codec == codec)
            return codecs[i].codec == MEDIA_LEG_OPUS ? "opus/48000/2"
                                                     : codecs[i].name; /* its clock is added */
    }
    return "";
}

/* "a=rtpmap:0 PCMU/8000" and what belongs to it; appended to both texts. */
static void formats_make(const struct media_leg_stream *stream, struct arena *arena,
                         const char **types, const char **maps)
{
    *types = *maps = "";
    for (size_t i = 0; *maps != NULL && *types != NULL && i < stream->format_count; i++) {
        const struct media_leg_format *format = &stream->formats[i];
        bool opus = format->codec == MEDIA_LEG_OPUS;
        *types = arena_printf(arena, "%s %u", *types, format->receive);
        *maps = arena_printf(arena, "%sa=rtpmap:%u %s%s\r\n", *maps, format->receive,
                             name_of(format->codec), opus ? "" : "/8000");
        if (opus && *maps != NULL)
            *maps = arena_printf(arena, "%sa=fmtp:%u useinbandfec=1;maxplaybackrate=16000\r\n",
                                 *maps, format->receive);
    }
    for (size_t i = 0; *maps != NULL && *types != NULL && i < stream->event_count; i++) {
        const struct media_leg_event *event = &stream->events[i];
        *types = arena_printf(arena, "%s %u", *types, event->receive);
        *maps =
            arena_printf(arena, "%sa=rtpmap:%u telephone-event/%" PRIu32 "\r\na=fmtp:%u 0-16\r\n",
                         *maps, event->receive, event->clock, event->receive);
    }
    if (stream->comfort_type != MEDIA_LEG_PT_NONE && *maps != NULL && *types != NULL) {
        *types = arena_printf(arena, "%s %u", *types, stream->comfort_type);
        *maps = arena_printf(arena, "%sa=rtpmap:%u CN/8000\r\n", *maps, stream->comfort_type);
    }
}

static const char *security_make(const struct negotiated *negotiated,
                                 const struct negotiate_local *local, struct arena *arena)
{
    const struct media_leg_security *security = &negotiated->security;
    char crypto[SDES_LINE_MAX];
    switch (security->kind) {
    case MEDIA_LEG_SDES:
        sdes_write(negotiated->crypto_tag, security->suite, security->send_key, crypto);
        return arena_printf(arena, "a=crypto:%s\r\n", crypto);
    case MEDIA_LEG_DTLS:
        return arena_printf(arena, "a=fingerprint:%s\r\na=setup:%s\r\n", local->fingerprint,
                            security->fingerprint.length == 0
                                ? "actpass" /* an offer (RFC 5763 5) */
                            : security->active ? "active"
                                               : "passive");
    case MEDIA_LEG_PLAIN:
        break;
    }
    return "";
}

static const char *direction_of(const struct media_leg_stream *stream)
{
    if (stream->sending)
        return stream->hearing ? "sendrecv" : "sendonly";
    return stream->hearing ? "recvonly" : "inactive";
}

static const char *line_make(const struct negotiated *negotiated,
                             const struct negotiate_local *local, struct arena *arena)
{
    const struct media_leg_stream *stream = &negotiated->stream;
    const char *types, *maps, *security = security_make(negotiated, local, arena), *rtcp = "";
    formats_make(stream, arena, &types, &maps);
    if (stream->rtcp_mux)
        rtcp = "a=rtcp-mux\r\n";
    else if (local->rtcp_port != local->port + 1)
        rtcp = arena_printf(arena, "a=rtcp:%u\r\n", local->rtcp_port);
    if (types == NULL || maps == NULL || security == NULL || rtcp == NULL)
        return NULL;
    return arena_printf(arena, "m=audio %u %s%s\r\n%sa=ptime:%u\r\n%s%sa=%s\r\n", local->port,
                        negotiated->protocol, types, maps, stream->ptime_ms, rtcp, security,
                        direction_of(stream));
}

enum status negotiate_answer(const struct negotiated *negotiated,
                             const struct negotiate_local *local, struct arena *arena,
                             const char **ret_text)
{
    const char *text = head_make(local, arena);
    for (size_t i = 0; text != NULL && i < negotiated->line_count; i++) {
        const char *line = i == negotiated->line
                               ? line_make(negotiated, local, arena)
                               : arena_printf(arena, "m=%s\r\n", negotiated->lines[i]);
        text = line != NULL ? arena_printf(arena, "%s%s", text, line) : NULL;
    }
    if (text == NULL)
        return STATUS_NO_MEMORY;
    *ret_text = text;
    return STATUS_OK;
}

const char *negotiate_codec(const struct media_leg_stream *stream)
{
    for (size_t i = 0; i < CODECS && stream->format_count > 0; i++) {
        if (codecs[i].codec == stream->formats[0].codec)
            return codecs[i].name;
    }
    return NULL;
}

static const char *protocol_of(enum media_leg_security_kind kind)
{
    static const char *const protocols[] = {[MEDIA_LEG_PLAIN] = "RTP/AVP",
                                            [MEDIA_LEG_SDES] = "RTP/SAVP",
                                            [MEDIA_LEG_DTLS] = "UDP/TLS/RTP/SAVP"};
    return protocols[kind];
}

void negotiate_keys(enum media_leg_security_kind kind, struct media_leg_security *ret_security)
{
    *ret_security =
        (struct media_leg_security){.kind = kind, .suite = MEDIA_LEG_AES_CM_128_HMAC_SHA1_80};
    if (kind == MEDIA_LEG_SDES)
        crypto_random(ret_security->send_key, sizeof ret_security->send_key);
}

enum status negotiate_answered(const struct media_leg_security *offered,
                               struct negotiated *negotiated)
{
    struct media_leg_security *security = &negotiated->security;
    if (security->kind != offered->kind)
        return STATUS_UNSUPPORTED;
    if (security->kind == MEDIA_LEG_SDES && security->suite != offered->suite)
        return STATUS_UNSUPPORTED;
    memcpy(security->send_key, offered->send_key, sizeof security->send_key);
    return STATUS_OK;
}

enum status negotiate_offer(const struct negotiate_local *local,
                            const struct media_leg_security *security, struct arena *arena,
                            const char **ret_text)
{
    struct negotiated ours = {.protocol = protocol_of(security->kind),
                              .security = *security,
                              .crypto_tag = 1,
                              .line_count = 1};
    ours.stream = (struct media_leg_stream){.comfort_type = COMFORT_STATIC_TYPE,
                                            .ptime_ms = NEGOTIATE_PTIME_MS,
                                            .sending = true,
                                            .hearing = true};
    for (size_t i = 0; i < CODECS; i++) {
        uint8_t type = codecs[i].fixed >= 0 ? (uint8_t)codecs[i].fixed : OPUS_OFFER_TYPE;
        ours.stream.formats[ours.stream.format_count++] =
            (struct media_leg_format){.codec = codecs[i].codec, .receive = type, .send = type};
    }
    ours.stream.events[ours.stream.event_count++] = (struct media_leg_event){
        .receive = EVENT_OFFER_TYPE, .send = EVENT_OFFER_TYPE, .clock = 8000};
    enum status status = negotiate_answer(&ours, local, arena, ret_text);
    crypto_wipe(&ours.security, sizeof ours.security);
    return status;
}
