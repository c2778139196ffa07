/*
 * Writing. Two passes over the same code: the first counts, the second writes, so that
 * the arena is asked once for the exact size.
 */
#include "signalling/sdp/sdp.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct printer {
    char *out; /* NULL: only count */
    size_t size, used;
};

static void put(struct printer *printer, const char *format, ...) PRINTF_LIKE(2, 3);

static void put(struct printer *printer, const char *format, ...)
{
    bool writes = printer->out != NULL;
    va_list arguments;
    va_start(arguments, format);
    int written = vsnprintf(writes ? printer->out + printer->used : NULL,
                            writes ? printer->size - printer->used : 0, format, arguments);
    va_end(arguments);
    if (written > 0)
        printer->used += (size_t)written;
}

static void put_text(struct printer *printer, const char *name, const char *value)
{
    if (value != NULL)
        put(printer, "a=%s:%s\r\n", name, value);
}

static void put_flag(struct printer *printer, const char *name, bool set)
{
    if (set)
        put(printer, "a=%s\r\n", name);
}

static const char *direction_name(enum desc_direction direction)
{
    static const char *const names[] = {
        [DESC_INACTIVE] = "inactive",
        [DESC_SENDONLY] = "sendonly",
        [DESC_RECVONLY] = "recvonly",
        [DESC_SENDRECV] = "sendrecv",
    };
    return names[direction & DESC_SENDRECV];
}

static void put_connection(struct printer *printer, const struct desc_section *section)
{
    if (section->title != NULL)
        put(printer, "i=%s\r\n", section->title);
    if (section->connection.address != NULL)
        put(printer, "c=IN IP%c %s\r\n", section->connection.ip6 ? '6' : '4',
            section->connection.address);
    for (size_t i = 0; i < section->bandwidth_count; i++)
        put(printer, "b=%s:%u\r\n", section->bandwidths[i].type, section->bandwidths[i].value);
}

static void put_extmap(struct printer *printer, const struct desc_extmap *extmap)
{
    put(printer, "a=extmap:%u%s%s %s%s%s\r\n", extmap->id, extmap->directed ? "/" : "",
        extmap->directed ? direction_name(extmap->direction) : "", extmap->uri,
        extmap->parameters != NULL ? " " : "",
        extmap->parameters != NULL ? extmap->parameters : "");
}

static void put_fingerprint(struct printer *printer, const struct desc_fingerprint *fingerprint)
{
    put(printer, "a=fingerprint:%s ", fingerprint->algorithm);
    for (size_t i = 0; i < fingerprint->length; i++)
        put(printer, "%s%02X", i > 0 ? ":" : "", fingerprint->digest[i]);
    put(printer, "\r\n");
}

static void put_section(struct printer *printer, const struct desc_section *section)
{
    static const char *const setups[] = {
        [DESC_SETUP_NONE] = NULL,           [DESC_SETUP_ACTPASS] = "actpass",
        [DESC_SETUP_ACTIVE] = "active",     [DESC_SETUP_PASSIVE] = "passive",
        [DESC_SETUP_HOLDCONN] = "holdconn",
    };
    put_text(printer, "ice-ufrag", section->ice_ufrag);
    put_text(printer, "ice-pwd", section->ice_pwd);
    put_text(printer, "ice-options", section->ice_options);
    for (size_t i = 0; i < section->fingerprint_count; i++)
        put_fingerprint(printer, &section->fingerprints[i]);
    put_text(printer, "setup", setups[section->setup]);
    put_flag(printer, "extmap-allow-mixed", section->extmap_allow_mixed);
    for (size_t i = 0; i < section->extmap_count; i++)
        put_extmap(printer, &section->extmaps[i]);
    if (section->directed)
        put(printer, "a=%s\r\n", direction_name(section->direction));
    for (size_t i = 0; i < section->attribute_count; i++) {
        const struct desc_attribute *attribute = &section->attributes[i];
        if (attribute->value != NULL)
            put_text(printer, attribute->name, attribute->value);
        else
            put_flag(printer, attribute->name, true);
    }
}

static void put_formats(struct printer *printer, const struct desc_media *media)
{
    for (size_t i = 0; i < media->rtpmap_count; i++) {
        const struct desc_rtpmap *map = &media->rtpmaps[i];
        put(printer, "a=rtpmap:%u %s/%u", map->type, map->encoding, map->rate);
        if (map->channels > 0)
            put(printer, "/%u", map->channels);
        put(printer, "\r\n");
    }
    for (size_t i = 0; i < media->rtcp_fb_count; i++) {
        const struct desc_rtcp_fb *feedback = &media->rtcp_fbs[i];
        if (feedback->type == DESC_RTCP_FB_ALL)
            put(printer, "a=rtcp-fb:* %s\r\n", feedback->value);
        else
            put(printer, "a=rtcp-fb:%d %s\r\n", feedback->type, feedback->value);
    }
    for (size_t i = 0; i < media->fmtp_count; i++)
        put(printer, "a=fmtp:%u %s\r\n", media->fmtps[i].type, media->fmtps[i].parameters);
}

static void put_streams(struct printer *printer, const char *direction,
                        const struct desc_stream *streams, size_t count)
{
    if (count > 0)
        put(printer, "%s ", direction);
    for (size_t i = 0; i < count; i++) {
        put(printer, "%s", i > 0 ? ";" : "");
        for (size_t k = 0; k < streams[i].alternative_count; k++)
            put(printer, "%s%s%s", k > 0 ? "," : "", streams[i].alternatives[k].paused ? "~" : "",
                streams[i].alternatives[k].rid);
    }
}

static void put_simulcast(struct printer *printer, const struct desc_media *media)
{
    for (size_t i = 0; i < media->rid_count; i++) {
        const struct desc_rid *rid = &media->rids[i];
        put(printer, "a=rid:%s %s%s%s\r\n", rid->id, rid->send ? "send" : "recv",
            rid->parameters != NULL ? " " : "", rid->parameters != NULL ? rid->parameters : "");
    }
    const struct desc_simulcast *simulcast = &media->simulcast;
    if (simulcast->send_count + simulcast->recv_count == 0)
        return;
    put(printer, "a=simulcast:");
    put_streams(printer, "send", simulcast->send, simulcast->send_count);
    if (simulcast->send_count > 0 && simulcast->recv_count > 0)
        put(printer, " ");
    put_streams(printer, "recv", simulcast->recv, simulcast->recv_count);
    put(printer, "\r\n");
}

static void put_sources(struct printer *printer, const struct desc_media *media)
{
    for (size_t i = 0; i < media->msid_count; i++)
        put(printer, "a=msid:%s%s%s\r\n", media->msids[i].stream,
            media->msids[i].track != NULL ? " " : "",
            media->msids[i].track != NULL ? media->msids[i].track : "");
    for (size_t i = 0; i < media->ssrc_group_count; i++) {
        const struct desc_ssrc_group *group = &media->ssrc_groups[i];
        put(printer, "a=ssrc-group:%s", group->semantics);
        for (size_t k = 0; k < group->ssrc_count; k++)
            put(printer, " %u", group->ssrcs[k]);
        put(printer, "\r\n");
    }
    for (size_t i = 0; i < media->ssrc_count; i++) {
        const struct desc_ssrc *ssrc = &media->ssrcs[i];
        put(printer, "a=ssrc:%u %s%s%s\r\n", ssrc->ssrc, ssrc->name, ssrc->value != NULL ? ":" : "",
            ssrc->value != NULL ? ssrc->value : "");
    }
}

static void put_candidates(struct printer *printer, const struct desc_media *media)
{
    for (size_t i = 0; i < media->candidate_count; i++) {
        const struct desc_candidate *candidate = &media->candidates[i];
        put(printer, "a=candidate:%s %u %s %u %s %u typ %s%s%s\r\n", candidate->foundation,
            candidate->component, candidate->transport, candidate->priority, candidate->address,
            candidate->port, candidate->type, candidate->tcptype != NULL ? " tcptype " : "",
            candidate->tcptype != NULL ? candidate->tcptype : "");
    }
    put_flag(printer, "end-of-candidates", media->section.end_of_candidates);
}

static void put_media(struct printer *printer, const struct desc_media *media)
{
    put(printer, "m=%s %u", media->kind, media->port);
    if (media->port_count > 1)
        put(printer, "/%u", media->port_count);
    put(printer, " %s", media->protocol);
    for (size_t i = 0; i < media->format_count; i++)
        put(printer, " %s", media->formats[i]);
    put(printer, "\r\n");
    put_connection(printer, &media->section);
    put_candidates(printer, media);
    put_text(printer, "mid", media->mid);
    put_flag(printer, "bundle-only", media->bundle_only);
    put_section(printer, &media->section);
    put_flag(printer, "rtcp-mux", media->rtcp_mux);
    put_flag(printer, "rtcp-mux-only", media->rtcp_mux_only);
    put_flag(printer, "rtcp-rsize", media->rtcp_rsize);
    put_formats(printer, media);
    if (media->ptime > 0)
        put(printer, "a=ptime:%u\r\n", media->ptime);
    if (media->maxptime > 0)
        put(printer, "a=maxptime:%u\r\n", media->maxptime);
    put_simulcast(printer, media);
    put_sources(printer, media);
}

static void put_session(struct printer *printer, const struct desc *desc)
{
    const struct desc_origin *origin = &desc->origin;
    put(printer, "v=0\r\n");
    if (origin->address != NULL)
        put(printer, "o=%s %s %s IN IP%c %s\r\n", origin->username, origin->id, origin->version,
            origin->ip6 ? '6' : '4', origin->address);
    put(printer, "s=%s\r\n", desc->name != NULL && *desc->name != '\0' ? desc->name : "-");
    put_connection(printer, &desc->section);
    put(printer, "t=0 0\r\n");
    put_flag(printer, "ice-lite", desc->ice_lite);
    for (size_t i = 0; i < desc->group_count; i++) {
        put(printer, "a=group:%s", desc->groups[i].semantics);
        for (size_t k = 0; k < desc->groups[i].mid_count; k++)
            put(printer, " %s", desc->groups[i].mids[k]);
        put(printer, "\r\n");
    }
    put_section(printer, &desc->section);
    put_flag(printer, "end-of-candidates", desc->section.end_of_candidates);
}

static void put_desc(struct printer *printer, const struct desc *desc)
{
    put_session(printer, desc);
    for (size_t i = 0; i < desc->media_count; i++)
        put_media(printer, &desc->media[i]);
}

enum status desc_print(const struct desc *desc, struct arena *arena, const char **ret_text)
{
    struct printer printer = {0};
    put_desc(&printer, desc);
    printer.size = printer.used + 1;
    printer.used = 0;
    printer.out = arena_alloc(arena, printer.size);
    if (printer.out == NULL)
        return STATUS_NO_MEMORY;
    put_desc(&printer, desc);
    *ret_text = printer.out;
    return STATUS_OK;
}
