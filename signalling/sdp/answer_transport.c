#include "core/crypto.h"
#include "signalling/sdp/answering.h"

#include <stdio.h>
#include <string.h>

enum {
    ICE_UFRAG_CHARS = 16, /* 96 bits: unique in the process without asking anybody */
    ICE_PWD_CHARS = 24,   /* 144 bits; RFC 8445 5.3 wants at least 128 */
    ICE_UFRAG_MIN = 4,    /* RFC 8839 5.4 */
    ICE_PWD_MIN = 22,
};

/*
 * The offer's sections that may say how to connect, the likeliest first: our tagged line,
 * the offerer's (bundle-only lines say nothing, RFC 9143 7.2.1), the session.
 */
enum { TRANSPORT_SECTIONS = 3 };

static void transport_sections(const struct answering *answering,
                               const struct desc_section *ret_sections[TRANSPORT_SECTIONS])
{
    const struct desc *offer = &answering->offer;
    const struct desc_section *first = &answering->tagged->offer->section;
    ret_sections[0] = ret_sections[1] = first;
    for (size_t i = 0; answering->bundle != NULL && i < offer->media_count; i++)
        if (offer->media[i].mid != NULL &&
            strcmp(offer->media[i].mid, answering->bundle->mids[0]) == 0)
            ret_sections[1] = &offer->media[i].section;
    ret_sections[2] = &offer->section;
}

/* RFC 8839 5.4: ice-char is ALPHA, DIGIT, "+", "/"; some clients also send "-" and "_". */
static bool ice_text_valid(const char *text, size_t min, size_t max)
{
    size_t length = strlen(text);
    return length >= min && length <= max &&
           strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_=") ==
               length;
}

static enum status ice_read(struct answering *answering,
                            const struct desc_section *sections[TRANSPORT_SECTIONS])
{
    struct media_ice *ice = &answering->spec->ice;
    for (size_t i = 0; i < TRANSPORT_SECTIONS; i++) {
        const char *ufrag = sections[i]->ice_ufrag, *pwd = sections[i]->ice_pwd;
        if (ufrag == NULL || pwd == NULL)
            continue;
        if (!ice_text_valid(ufrag, ICE_UFRAG_MIN, MEDIA_UFRAG_MAX) ||
            !ice_text_valid(pwd, ICE_PWD_MIN, MEDIA_PWD_MAX))
            return answering_refuse(answering, STATUS_INVALID,
                                    "malformed a=ice-ufrag or a=ice-pwd");
        snprintf(ice->remote_ufrag, sizeof ice->remote_ufrag, "%s", ufrag);
        snprintf(ice->remote_pwd, sizeof ice->remote_pwd, "%s", pwd);
        return STATUS_OK;
    }
    return answering_refuse(answering, STATUS_INVALID, "no a=ice-ufrag and a=ice-pwd");
}

/* The strongest digest of a section that has any we know. */
static enum status fingerprint_read(struct answering *answering,
                                    const struct desc_section *sections[TRANSPORT_SECTIONS])
{
    static const struct {
        const char *algorithm;
        size_t length;
    } known[] = {{"sha-512", 64}, {"sha-384", 48}, {"sha-256", 32}};
    struct media_fingerprint *ret = &answering->spec->fingerprint;
    for (size_t i = 0; i < TRANSPORT_SECTIONS; i++) {
        for (size_t k = 0; k < sizeof known / sizeof known[0]; k++) {
            for (size_t f = 0; f < sections[i]->fingerprint_count; f++) {
                const struct desc_fingerprint *offered = &sections[i]->fingerprints[f];
                if (strcmp(offered->algorithm, known[k].algorithm) != 0 ||
                    offered->length != known[k].length)
                    continue;
                snprintf(ret->algorithm, sizeof ret->algorithm, "%s", offered->algorithm);
                memcpy(ret->digest, offered->digest, offered->length);
                ret->length = offered->length;
                return STATUS_OK;
            }
        }
    }
    return answering_refuse(answering, STATUS_UNSUPPORTED,
                            "no DTLS a=fingerprint of sha-256, sha-384 or sha-512");
}

/* The offerer must be able to be the DTLS client: we never are. */
static enum status setup_check(struct answering *answering,
                               const struct desc_section *sections[TRANSPORT_SECTIONS])
{
    enum desc_setup setup = DESC_SETUP_NONE;
    for (size_t i = 0; i < TRANSPORT_SECTIONS && setup == DESC_SETUP_NONE; i++)
        setup = sections[i]->setup;
    if (setup == DESC_SETUP_PASSIVE || setup == DESC_SETUP_HOLDCONN)
        return answering_refuse(answering, STATUS_UNSUPPORTED, "a=setup must be actpass or active");
    return STATUS_OK;
}

static enum status mux_check(struct answering *answering)
{
    for (size_t i = 0; i < answering->offer.media_count; i++) {
        const struct line *line = &answering->lines[i];
        if (line->use != LINE_REJECTED && !line->offer->rtcp_mux &&
            !answering->tagged->offer->rtcp_mux)
            return answering_refuse(answering, STATUS_UNSUPPORTED,
                                    "m-line %zu (mid %s): no a=rtcp-mux", i + 1, line_mid(line));
    }
    return STATUS_OK;
}

static void ice_text(char *ret_text, size_t chars)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint8_t bytes[MEDIA_TEXT_MAX];
    crypto_random(bytes, chars);
    for (size_t i = 0; i < chars; i++)
        ret_text[i] = alphabet[bytes[i] & 63];
    ret_text[chars] = '\0';
}

enum status answer_restart(const char *remote_ufrag, const char *remote_pwd,
                           struct media_ice *ret_ice)
{
    if (!ice_text_valid(remote_ufrag, ICE_UFRAG_MIN, MEDIA_UFRAG_MAX) ||
        !ice_text_valid(remote_pwd, ICE_PWD_MIN, MEDIA_PWD_MAX))
        return STATUS_INVALID;
    struct media_ice ice = {0};
    snprintf(ice.remote_ufrag, sizeof ice.remote_ufrag, "%s", remote_ufrag);
    snprintf(ice.remote_pwd, sizeof ice.remote_pwd, "%s", remote_pwd);
    ice_text(ice.local_ufrag, ICE_UFRAG_CHARS);
    ice_text(ice.local_pwd, ICE_PWD_CHARS);
    *ret_ice = ice;
    return STATUS_OK;
}

/* Compares with the transport this offer continues, and gives ours its credentials. */
static void change_decide(struct answering *answering)
{
    const struct media_transport_spec *previous = answering->config->previous;
    struct media_transport_spec *spec = answering->spec;
    spec->id = answering->config->transport_id;
    spec->room = answering->config->room;
    answering->change = ANSWER_NEW;
    if (previous != NULL &&
        strcmp(previous->fingerprint.algorithm, spec->fingerprint.algorithm) == 0 &&
        previous->fingerprint.length == spec->fingerprint.length &&
        memcmp(previous->fingerprint.digest, spec->fingerprint.digest, spec->fingerprint.length) ==
            0) {
        bool same = strcmp(previous->ice.remote_ufrag, spec->ice.remote_ufrag) == 0 &&
                    strcmp(previous->ice.remote_pwd, spec->ice.remote_pwd) == 0;
        answering->change = same ? ANSWER_SAME : ANSWER_RESTART;
        spec->id = previous->id;
    }
    if (answering->change == ANSWER_SAME) {
        memcpy(spec->ice.local_ufrag, previous->ice.local_ufrag, sizeof spec->ice.local_ufrag);
        memcpy(spec->ice.local_pwd, previous->ice.local_pwd, sizeof spec->ice.local_pwd);
    } else {
        ice_text(spec->ice.local_ufrag, ICE_UFRAG_CHARS);
        ice_text(spec->ice.local_pwd, ICE_PWD_CHARS);
    }
}

enum status answering_transport(struct answering *answering)
{
    const struct desc_section *sections[TRANSPORT_SECTIONS];
    transport_sections(answering, sections);
    if (answering->offer.ice_lite)
        return answering_refuse(answering, STATUS_UNSUPPORTED,
                                "a=ice-lite: the server is lite itself and waits for checks");
    enum status status = ice_read(answering, sections);
    if (status == STATUS_OK)
        status = fingerprint_read(answering, sections);
    if (status == STATUS_OK)
        status = setup_check(answering, sections);
    if (status == STATUS_OK)
        status = mux_check(answering);
    if (status == STATUS_OK)
        change_decide(answering);
    return status;
}
