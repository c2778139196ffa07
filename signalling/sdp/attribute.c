/*
 * Attributes. One table says for each name where it may stand, whether it wants a value
 * and who reads it; simple ones (a flag, a text, a number) are stored by offset.
 */
#include "core/list.h"
#include "signalling/sdp/parser.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

enum level { LEVEL_BOTH, LEVEL_SESSION, LEVEL_MEDIA };

struct attribute_rule {
    const char *name;
    enum level level;
    bool valued;
    enum status (*read)(struct desc_parser *parser, const struct attribute_rule *rule, char *value);
    size_t offset; /* into desc_section, desc or desc_media, by level */
    int constant;
};

/* Adds to a list of the section or of the m-line, or returns from the reader. */
#define ADD_OR_RETURN(parser, rule, item, list, count, max)                                        \
    do {                                                                                           \
        if ((count) >= (max))                                                                      \
            return parser_fail((parser), STATUS_LIMIT, "more than %d a=%s", (int)(max),            \
                               (rule)->name);                                                      \
        (item) = LIST_ADD((parser)->arena, (list), (count));                                       \
        if ((item) == NULL)                                                                        \
            return STATUS_NO_MEMORY;                                                               \
    } while (0)

static enum status malformed(struct desc_parser *parser, const struct attribute_rule *rule)
{
    return parser_fail(parser, STATUS_INVALID, "malformed a=%s", rule->name);
}

static void *rule_target(struct desc_parser *parser, const struct attribute_rule *rule)
{
    char *base = rule->level == LEVEL_SESSION ? (char *)parser->desc
                 : rule->level == LEVEL_MEDIA ? (char *)parser->media
                                              : (char *)parser->section;
    return base + rule->offset;
}

static enum status flag_read(struct desc_parser *parser, const struct attribute_rule *rule,
                             char *value)
{
    (void)value;
    *(bool *)rule_target(parser, rule) = true;
    return STATUS_OK;
}

static enum status text_read(struct desc_parser *parser, const struct attribute_rule *rule,
                             char *value)
{
    if (*value == '\0')
        return malformed(parser, rule);
    *(const char **)rule_target(parser, rule) = value;
    return STATUS_OK;
}

static enum status word_read(struct desc_parser *parser, const struct attribute_rule *rule,
                             char *value)
{
    char *word = parser_word(&value);
    if (word == NULL || parser_word(&value) != NULL)
        return malformed(parser, rule);
    *(const char **)rule_target(parser, rule) = word;
    return STATUS_OK;
}

static enum status mid_read(struct desc_parser *parser, const struct attribute_rule *rule,
                            char *value)
{
    if (!desc_is_token(value))
        return malformed(parser, rule);
    parser->media->mid = value;
    return STATUS_OK;
}

static enum status number_read(struct desc_parser *parser, const struct attribute_rule *rule,
                               char *value)
{
    /* RFC 8866 6.4 allows "2.5": what is no whole number counts as not said. */
    uint32_t *target = rule_target(parser, rule);
    if (!parser_number(value, UINT32_MAX, target))
        *target = 0;
    return STATUS_OK;
}

static enum status direction_read(struct desc_parser *parser, const struct attribute_rule *rule,
                                  char *value)
{
    (void)value;
    parser->section->direction = (enum desc_direction)rule->constant;
    parser->section->directed = true;
    return STATUS_OK;
}

static enum status setup_read(struct desc_parser *parser, const struct attribute_rule *rule,
                              char *value)
{
    static const char *const names[] = {
        [DESC_SETUP_ACTPASS] = "actpass",
        [DESC_SETUP_ACTIVE] = "active",
        [DESC_SETUP_PASSIVE] = "passive",
        [DESC_SETUP_HOLDCONN] = "holdconn",
    };
    for (int i = DESC_SETUP_ACTPASS; i <= DESC_SETUP_HOLDCONN; i++) {
        if (strcmp(value, names[i]) == 0) {
            parser->section->setup = (enum desc_setup)i;
            return STATUS_OK;
        }
    }
    return malformed(parser, rule);
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)tolower((unsigned char)c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* "AB:CD:..." */
static bool digest_read(const char *text, struct desc_fingerprint *fingerprint)
{
    for (size_t length = 0; length < DESC_DIGEST_MAX; length++, text += 3) {
        int high = hex_digit(text[0]);
        int low = high >= 0 ? hex_digit(text[1]) : -1;
        if (low < 0)
            return false;
        fingerprint->digest[length] = (uint8_t)(high << 4 | low);
        fingerprint->length = length + 1;
        if (text[2] != ':')
            return text[2] == '\0';
    }
    return false;
}

static enum status fingerprint_read(struct desc_parser *parser, const struct attribute_rule *rule,
                                    char *value)
{
    char *algorithm = parser_word(&value);
    char *digest = parser_word(&value);
    struct desc_fingerprint fingerprint = {.algorithm = algorithm};
    if (digest == NULL || !digest_read(digest, &fingerprint))
        return malformed(parser, rule);
    for (char *c = algorithm; *c != '\0'; c++)
        *c = (char)tolower((unsigned char)*c);
    struct desc_fingerprint *item;
    ADD_OR_RETURN(parser, rule, item, parser->section->fingerprints,
                  parser->section->fingerprint_count, DESC_GROUPS_MAX);
    *item = fingerprint;
    return STATUS_OK;
}

static bool direction_named(const char *name, enum desc_direction *ret_direction)
{
    static const struct {
        const char *name;
        enum desc_direction direction;
    } names[] = {{"sendrecv", DESC_SENDRECV},
                 {"sendonly", DESC_SENDONLY},
                 {"recvonly", DESC_RECVONLY},
                 {"inactive", DESC_INACTIVE}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(name, names[i].name) == 0) {
            *ret_direction = names[i].direction;
            return true;
        }
    }
    return false;
}

/* "4/recvonly urn:... parameters" */
static enum status extmap_read(struct desc_parser *parser, const struct attribute_rule *rule,
                               char *value)
{
    struct desc_extmap extmap = {.direction = DESC_SENDRECV};
    char *number = parser_word(&value);
    extmap.uri = parser_word(&value);
    if (extmap.uri == NULL)
        return malformed(parser, rule);
    char *slash = strchr(number, '/');
    if (slash != NULL) {
        *slash = '\0';
        extmap.directed = true;
        if (!direction_named(slash + 1, &extmap.direction))
            return malformed(parser, rule);
    }
    uint32_t id;
    if (!parser_number(number, UINT16_MAX, &id))
        return malformed(parser, rule);
    extmap.id = (uint16_t)id;
    value += strspn(value, " ");
    extmap.parameters = *value != '\0' ? value : NULL;
    struct desc_extmap *item;
    ADD_OR_RETURN(parser, rule, item, parser->section->extmaps, parser->section->extmap_count,
                  DESC_ATTRIBUTES_MAX);
    *item = extmap;
    return STATUS_OK;
}

static enum status group_read(struct desc_parser *parser, const struct attribute_rule *rule,
                              char *value)
{
    struct desc *desc = parser->desc;
    struct desc_group group = {.semantics = parser_word(&value)};
    if (group.semantics == NULL)
        return malformed(parser, rule);
    for (char *mid; (mid = parser_word(&value)) != NULL;) {
        const char **item;
        ADD_OR_RETURN(parser, rule, item, group.mids, group.mid_count, DESC_MEDIA_MAX);
        *item = mid;
    }
    struct desc_group *item;
    ADD_OR_RETURN(parser, rule, item, desc->groups, desc->group_count, DESC_GROUPS_MAX);
    *item = group;
    return STATUS_OK;
}

/* Keeps what no struct above holds. */
static enum status raw_add(struct desc_parser *parser, const char *name, const char *value)
{
    struct desc_section *section = parser->section;
    if (section->attribute_count == DESC_ATTRIBUTES_MAX)
        return parser_fail(parser, STATUS_LIMIT, "more than %d attributes", DESC_ATTRIBUTES_MAX);
    struct desc_attribute *item =
        LIST_ADD(parser->arena, section->attributes, section->attribute_count);
    if (item == NULL)
        return STATUS_NO_MEMORY;
    *item = (struct desc_attribute){.name = name, .value = value};
    return STATUS_OK;
}

/*
 * The payload type at the start of a rtpmap, fmtp or rtcp-fb; `value` moves on to what
 * follows. -1: not a payload type, so a format of another protocol.
 */
static int format_take(char **value)
{
    size_t digits = strspn(*value, "0123456789");
    if (digits == 0 || digits > 3 || (*value)[digits] != ' ')
        return -1;
    (*value)[digits] = '\0';
    int type = desc_payload_type(*value);
    (*value)[digits] = ' ';
    if (type >= 0)
        *value += digits + strspn(*value + digits, " ");
    return type;
}

/* "111 opus/48000/2" */
static enum status rtpmap_read(struct desc_parser *parser, const struct attribute_rule *rule,
                               char *value)
{
    int type = format_take(&value);
    char *rate_text = strchr(value, '/');
    uint32_t rate, channels = 0;
    if (type < 0 || rate_text == NULL || rate_text == value)
        return malformed(parser, rule);
    *rate_text++ = '\0';
    char *channels_text = strchr(rate_text, '/');
    if (channels_text != NULL) {
        *channels_text++ = '\0';
        if (!parser_number(channels_text, UINT8_MAX, &channels))
            return malformed(parser, rule);
    }
    if (!parser_number(rate_text, UINT32_MAX, &rate))
        return malformed(parser, rule);
    struct desc_media *media = parser->media;
    struct desc_rtpmap *item;
    ADD_OR_RETURN(parser, rule, item, media->rtpmaps, media->rtpmap_count, DESC_FORMATS_MAX);
    *item = (struct desc_rtpmap){
        .type = (uint8_t)type, .encoding = value, .rate = rate, .channels = (uint8_t)channels};
    return STATUS_OK;
}

static enum status fmtp_read(struct desc_parser *parser, const struct attribute_rule *rule,
                             char *value)
{
    struct desc_media *media = parser->media;
    int type = format_take(&value);
    if (type < 0)
        return raw_add(parser, rule->name, value);
    struct desc_fmtp *item;
    ADD_OR_RETURN(parser, rule, item, media->fmtps, media->fmtp_count, DESC_FORMATS_MAX);
    *item = (struct desc_fmtp){.type = (uint8_t)type, .parameters = value};
    return STATUS_OK;
}

static enum status rtcp_fb_read(struct desc_parser *parser, const struct attribute_rule *rule,
                                char *value)
{
    struct desc_media *media = parser->media;
    int type = DESC_RTCP_FB_ALL;
    if (strncmp(value, "* ", 2) == 0)
        value += 2;
    else if ((type = format_take(&value)) < 0)
        return malformed(parser, rule);
    if (*value == '\0')
        return malformed(parser, rule);
    struct desc_rtcp_fb *item;
    ADD_OR_RETURN(parser, rule, item, media->rtcp_fbs, media->rtcp_fb_count, DESC_ATTRIBUTES_MAX);
    *item = (struct desc_rtcp_fb){.type = (int16_t)type, .value = value};
    return STATUS_OK;
}

/* "1001 cname:x" */
static enum status ssrc_read(struct desc_parser *parser, const struct attribute_rule *rule,
                             char *value)
{
    struct desc_media *media = parser->media;
    char *number = parser_word(&value);
    uint32_t ssrc;
    if (number == NULL || !parser_number(number, UINT32_MAX, &ssrc) || *value == '\0')
        return malformed(parser, rule);
    char *colon = strchr(value, ':');
    if (colon != NULL)
        *colon++ = '\0';
    struct desc_ssrc *item;
    ADD_OR_RETURN(parser, rule, item, media->ssrcs, media->ssrc_count, DESC_ATTRIBUTES_MAX);
    *item = (struct desc_ssrc){.ssrc = ssrc, .name = value, .value = colon};
    return STATUS_OK;
}

static enum status ssrc_group_read(struct desc_parser *parser, const struct attribute_rule *rule,
                                   char *value)
{
    struct desc_media *media = parser->media;
    struct desc_ssrc_group group = {.semantics = parser_word(&value)};
    for (char *number; (number = parser_word(&value)) != NULL; group.ssrc_count++) {
        if (group.ssrc_count == DESC_SSRC_GROUP_MAX)
            return parser_fail(parser, STATUS_LIMIT, "too many SSRCs in a group");
        if (!parser_number(number, UINT32_MAX, &group.ssrcs[group.ssrc_count]))
            return malformed(parser, rule);
    }
    if (group.ssrc_count == 0)
        return malformed(parser, rule);
    struct desc_ssrc_group *item;
    ADD_OR_RETURN(parser, rule, item, media->ssrc_groups, media->ssrc_group_count, DESC_RIDS_MAX);
    *item = group;
    return STATUS_OK;
}

/* RFC 8851 10: a rid-id is alphanumeric, "-" or "_" (RFC 8852 3.1 allows less). */
static bool rid_valid(const char *rid)
{
    return *rid != '\0' &&
           rid[strspn(rid, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")] ==
               '\0';
}

static enum status rid_read(struct desc_parser *parser, const struct attribute_rule *rule,
                            char *value)
{
    struct desc_media *media = parser->media;
    char *id = parser_word(&value);
    char *direction = parser_word(&value);
    if (direction == NULL || !rid_valid(id) ||
        (strcmp(direction, "send") != 0 && strcmp(direction, "recv") != 0))
        return malformed(parser, rule);
    struct desc_rid *item;
    ADD_OR_RETURN(parser, rule, item, media->rids, media->rid_count, DESC_RIDS_MAX);
    *item = (struct desc_rid){
        .id = id, .send = direction[0] == 's', .parameters = *value != '\0' ? value : NULL};
    return STATUS_OK;
}

/* "q,~h" */
static bool stream_read(char *text, struct desc_stream *stream)
{
    for (char *next = text; next != NULL;) {
        char *rid = next;
        next = strchr(rid, ',');
        if (next != NULL)
            *next++ = '\0';
        bool paused = *rid == '~';
        rid += paused;
        if (!rid_valid(rid) || stream->alternative_count == DESC_ALTERNATIVES_MAX)
            return false;
        stream->alternatives[stream->alternative_count++] =
            (struct desc_alternative){.rid = rid, .paused = paused};
    }
    return true;
}

/* "send q;~h;f,g recv a" */
static enum status simulcast_read(struct desc_parser *parser, const struct attribute_rule *rule,
                                  char *value)
{
    struct desc_simulcast simulcast = parser->media->simulcast;
    if (simulcast.send_count + simulcast.recv_count > 0)
        return malformed(parser, rule); /* at most one (RFC 8853 5.1) */
    for (char *direction; (direction = parser_word(&value)) != NULL;) {
        char *next = parser_word(&value);
        bool send = strcmp(direction, "send") == 0;
        if (next == NULL || (!send && strcmp(direction, "recv") != 0) ||
            (send ? simulcast.send_count : simulcast.recv_count) > 0)
            return malformed(parser, rule);
        while (next != NULL) {
            char *text = next;
            next = strchr(text, ';');
            if (next != NULL)
                *next++ = '\0';
            struct desc_stream *stream;
            if (send)
                ADD_OR_RETURN(parser, rule, stream, simulcast.send, simulcast.send_count,
                              DESC_RIDS_MAX);
            else
                ADD_OR_RETURN(parser, rule, stream, simulcast.recv, simulcast.recv_count,
                              DESC_RIDS_MAX);
            if (!stream_read(text, stream))
                return malformed(parser, rule);
        }
    }
    if (simulcast.send_count + simulcast.recv_count == 0)
        return malformed(parser, rule);
    parser->media->simulcast = simulcast;
    return STATUS_OK;
}

/* Fields of a=candidate; false when it is none that is understood. */
static bool candidate_take(char *value, struct desc_candidate *ret_candidate)
{
    char *words[8];
    for (size_t i = 0; i < 8; i++)
        if ((words[i] = parser_word(&value)) == NULL)
            return false;
    uint32_t component, priority, port;
    if (!parser_number(words[1], 256, &component) ||
        !parser_number(words[3], UINT32_MAX, &priority) ||
        !parser_number(words[5], UINT16_MAX, &port) || strcmp(words[6], "typ") != 0)
        return false;
    *ret_candidate = (struct desc_candidate){
        .foundation = words[0],
        .component = (uint16_t)component,
        .transport = words[2],
        .priority = priority,
        .address = words[4],
        .port = (uint16_t)port,
        .type = words[7],
    };
    for (char *name; (name = parser_word(&value)) != NULL;) {
        char *extension = parser_word(&value);
        if (extension != NULL && strcmp(name, "tcptype") == 0)
            ret_candidate->tcptype = extension;
    }
    return true;
}

static enum status candidate_read(struct desc_parser *parser, const struct attribute_rule *rule,
                                  char *value)
{
    struct desc_media *media = parser->media;
    struct desc_candidate candidate, *item;
    if (!candidate_take(value, &candidate))
        return STATUS_OK;
    ADD_OR_RETURN(parser, rule, item, media->candidates, media->candidate_count,
                  DESC_ATTRIBUTES_MAX);
    *item = candidate;
    return STATUS_OK;
}

static enum status msid_read(struct desc_parser *parser, const struct attribute_rule *rule,
                             char *value)
{
    struct desc_media *media = parser->media;
    const char *stream = parser_word(&value);
    if (stream == NULL)
        return malformed(parser, rule);
    struct desc_msid *item;
    ADD_OR_RETURN(parser, rule, item, media->msids, media->msid_count, DESC_RIDS_MAX);
    *item = (struct desc_msid){.stream = stream, .track = parser_word(&value)};
    return STATUS_OK;
}

#define FLAG(name, level, type, member)                                                            \
    {                                                                                              \
        name, level, false, flag_read, offsetof(type, member), 0                                   \
    }
#define DIRECTION(name, value)                                                                     \
    {                                                                                              \
        name, LEVEL_BOTH, false, direction_read, 0, value                                          \
    }
#define MEDIA(name, read)                                                                          \
    {                                                                                              \
        name, LEVEL_MEDIA, true, read, 0, 0                                                        \
    }

/* The most frequent first. */
static const struct attribute_rule rules[] = {
    MEDIA("rtcp-fb", rtcp_fb_read),
    MEDIA("rtpmap", rtpmap_read),
    MEDIA("fmtp", fmtp_read),
    {"extmap", LEVEL_BOTH, true, extmap_read, 0, 0},
    MEDIA("candidate", candidate_read),
    MEDIA("ssrc", ssrc_read),
    MEDIA("ssrc-group", ssrc_group_read),
    MEDIA("mid", mid_read),
    MEDIA("msid", msid_read),
    DIRECTION("sendrecv", DESC_SENDRECV),
    DIRECTION("sendonly", DESC_SENDONLY),
    DIRECTION("recvonly", DESC_RECVONLY),
    DIRECTION("inactive", DESC_INACTIVE),
    {"ice-ufrag", LEVEL_BOTH, true, word_read, offsetof(struct desc_section, ice_ufrag), 0},
    {"ice-pwd", LEVEL_BOTH, true, word_read, offsetof(struct desc_section, ice_pwd), 0},
    {"ice-options", LEVEL_BOTH, true, text_read, offsetof(struct desc_section, ice_options), 0},
    {"fingerprint", LEVEL_BOTH, true, fingerprint_read, 0, 0},
    {"setup", LEVEL_BOTH, true, setup_read, 0, 0},
    FLAG("extmap-allow-mixed", LEVEL_BOTH, struct desc_section, extmap_allow_mixed),
    FLAG("end-of-candidates", LEVEL_BOTH, struct desc_section, end_of_candidates),
    FLAG("rtcp-mux", LEVEL_MEDIA, struct desc_media, rtcp_mux),
    FLAG("rtcp-mux-only", LEVEL_MEDIA, struct desc_media, rtcp_mux_only),
    FLAG("rtcp-rsize", LEVEL_MEDIA, struct desc_media, rtcp_rsize),
    FLAG("bundle-only", LEVEL_MEDIA, struct desc_media, bundle_only),
    FLAG("ice-lite", LEVEL_SESSION, struct desc, ice_lite),
    MEDIA("rid", rid_read),
    MEDIA("simulcast", simulcast_read),
    {"ptime", LEVEL_MEDIA, true, number_read, offsetof(struct desc_media, ptime), 0},
    {"maxptime", LEVEL_MEDIA, true, number_read, offsetof(struct desc_media, maxptime), 0},
    {"group", LEVEL_SESSION, true, group_read, 0, 0},
};

enum status parser_attribute(struct desc_parser *parser, char *text)
{
    char *value = strchr(text, ':');
    if (value != NULL)
        *value++ = '\0';
    if (*text == '\0')
        return parser_fail(parser, STATUS_INVALID, "attribute without a name");
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        const struct attribute_rule *rule = &rules[i];
        if (strcmp(text, rule->name) != 0)
            continue;
        if ((rule->level == LEVEL_SESSION && parser->media != NULL) ||
            (rule->level == LEVEL_MEDIA && parser->media == NULL))
            break;
        if (rule->valued && value == NULL)
            return parser_fail(parser, STATUS_INVALID, "a=%s without a value", rule->name);
        return rule->read(parser, rule, value);
    }
    return raw_add(parser, text, value);
}
