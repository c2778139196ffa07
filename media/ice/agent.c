/*
 * media/ice/agent.c - the ICE-lite agent; see ice.h. The only file that knows libnice.
 *
 * libnice's STUN code is careful about credentials and careless about a few lengths;
 * wire_read stands before it. What else it needs: the password must live until the
 * reply is finished (it lies in the agent), IPv4 addresses must not come as mapped
 * IPv6, the reply buffer must hold ICE_REPLY_MAX.
 */
#include "core/bytes.h"
#include "core/clock.h"
#include "media/ice/ice.h"
#include "media/ice/stun_wire.h"

#include <stdlib.h>
#include <stun/stunagent.h>
#include <stun/usages/ice.h>

struct credentials {
    char ufrag[MEDIA_TEXT_MAX], pwd[MEDIA_TEXT_MAX];
};

struct checked_path {
    struct ice_path path;
    uint64_t checked_ns; /* when its last check passed */
    bool used;
};

struct ice_agent {
    struct credentials current, next;
    bool restarting; /* next waits for its first check */
    bool lost;       /* said so, and no check since */
    bool nominated;  /* the selected path was, by USE-CANDIDATE */
    int8_t selected; /* index into paths; -1: none */
    struct checked_path paths[ICE_PATHS_MAX];
};

/* One check while it is being answered. */
struct check {
    struct ice_agent *agent;
    StunAgent stun;
    StunMessage request, reply;
    struct wire_message wire;
    struct credentials *used; /* whose password the request was held against */
};

/* Comprehension-required attributes that libnice or we understand; all others get 420. */
static const uint16_t known_attributes[] = {
    STUN_ATTRIBUTE_MAPPED_ADDRESS,
    STUN_ATTRIBUTE_USERNAME,
    STUN_ATTRIBUTE_MESSAGE_INTEGRITY,
    STUN_ATTRIBUTE_ERROR_CODE,
    STUN_ATTRIBUTE_UNKNOWN_ATTRIBUTES,
    STUN_ATTRIBUTE_REALM,
    STUN_ATTRIBUTE_NONCE,
    0x001c, /* MESSAGE-INTEGRITY-SHA256: may stand behind MESSAGE-INTEGRITY (RFC 8489 9.1.2) */
    STUN_ATTRIBUTE_XOR_MAPPED_ADDRESS,
    STUN_ATTRIBUTE_PRIORITY,
    STUN_ATTRIBUTE_USE_CANDIDATE,
    0,
};

static enum status credentials_set(const struct media_ice *ice, struct credentials *ret_credentials)
{
    size_t ufrag = strnlen(ice->local_ufrag, MEDIA_TEXT_MAX);
    size_t pwd = strnlen(ice->local_pwd, MEDIA_TEXT_MAX);
    if (ufrag == 0 || ufrag == MEDIA_TEXT_MAX || pwd == 0 || pwd == MEDIA_TEXT_MAX)
        return STATUS_INVALID;
    struct credentials credentials = {0};
    memcpy(credentials.ufrag, ice->local_ufrag, ufrag);
    memcpy(credentials.pwd, ice->local_pwd, pwd);
    *ret_credentials = credentials;
    return STATUS_OK;
}

enum status ice_agent_new(const struct media_ice *ice, struct ice_agent **ret_agent)
{
    struct credentials credentials;
    enum status status = credentials_set(ice, &credentials);
    if (status != STATUS_OK)
        return status;
    struct ice_agent *agent = calloc(1, sizeof *agent);
    if (agent == NULL)
        return STATUS_NO_MEMORY;
    agent->current = credentials;
    agent->selected = -1;
    *ret_agent = agent;
    return STATUS_OK;
}

struct ice_agent *ice_agent_free(struct ice_agent *agent)
{
    free(agent);
    return NULL;
}

enum status ice_agent_restart(struct ice_agent *agent, const struct media_ice *ice)
{
    struct credentials credentials;
    enum status status = credentials_set(ice, &credentials);
    if (status != STATUS_OK)
        return status;
    agent->next = credentials;
    agent->restarting = true;
    return STATUS_OK;
}

/* ---- paths ---- */

static bool path_fresh(const struct checked_path *path, uint64_t now_ns, uint64_t limit_ms)
{
    return path->used && now_ns < path->checked_ns + limit_ms * CLOCK_NS_PER_MS;
}

/* The entry of this path, else a free one, else the one silent longest that media does not use. */
static int8_t path_entry(const struct ice_agent *agent, const struct ice_path *path)
{
    int8_t best = -1;
    for (int8_t i = 0; i < ICE_PATHS_MAX; i++) {
        const struct checked_path *entry = &agent->paths[i];
        if (entry->used && ice_path_equal(&entry->path, path))
            return i;
        if (i == agent->selected)
            continue;
        if (best < 0 || (agent->paths[best].used &&
                         (!entry->used || entry->checked_ns < agent->paths[best].checked_ns)))
            best = i;
    }
    return best;
}

/* A check passed: consent for its path, and perhaps media moves there. */
static void path_passed(struct ice_agent *agent, const struct ice_path *path, bool nominates,
                        uint64_t now_ns, struct ice_outcome *outcome)
{
    int8_t at = path_entry(agent, path);
    agent->paths[at] = (struct checked_path){.path = *path, .checked_ns = now_ns, .used = true};
    bool held = agent->selected >= 0 && agent->nominated &&
                path_fresh(&agent->paths[agent->selected], now_ns, ICE_SILENT_MS);
    if (nominates || !held) {
        outcome->moved = at != agent->selected;
        agent->nominated = nominates || (agent->nominated && !outcome->moved);
        agent->selected = at;
    }
    outcome->passed = true;
    outcome->restored = agent->lost;
    agent->lost = false;
}

void ice_agent_heard(struct ice_agent *agent, const struct ice_path *path, uint64_t now_ns)
{
    for (int8_t i = 0; i < ICE_PATHS_MAX; i++)
        if (path_fresh(&agent->paths[i], now_ns, ICE_CONSENT_MS) &&
            ice_path_equal(&agent->paths[i].path, path))
            agent->paths[i].checked_ns = now_ns;
}

bool ice_agent_path_open(const struct ice_agent *agent, const struct ice_path *path,
                         uint64_t now_ns)
{
    for (int8_t i = 0; i < ICE_PATHS_MAX; i++)
        if (path_fresh(&agent->paths[i], now_ns, ICE_CONSENT_MS) &&
            ice_path_equal(&agent->paths[i].path, path))
            return true;
    return false;
}

const struct ice_path *ice_agent_selected(const struct ice_agent *agent, uint64_t now_ns)
{
    if (agent->selected < 0 || !path_fresh(&agent->paths[agent->selected], now_ns, ICE_CONSENT_MS))
        return NULL;
    return &agent->paths[agent->selected].path;
}

static int8_t path_last_checked(const struct ice_agent *agent, uint64_t now_ns)
{
    int8_t best = -1;
    for (int8_t i = 0; i < ICE_PATHS_MAX; i++)
        if (path_fresh(&agent->paths[i], now_ns, ICE_CONSENT_MS) &&
            (best < 0 || agent->paths[i].checked_ns > agent->paths[best].checked_ns))
            best = i;
    return best;
}

bool ice_agent_stream_closed(struct ice_agent *agent, uint32_t stream, uint64_t now_ns)
{
    if (stream == 0)
        return false;
    for (int8_t i = 0; i < ICE_PATHS_MAX; i++)
        if (agent->paths[i].used && agent->paths[i].path.stream == stream)
            agent->paths[i].used = false;
    if (agent->selected < 0 || agent->paths[agent->selected].used)
        return false;
    agent->selected = path_last_checked(agent, now_ns);
    agent->nominated = false;
    return true;
}

bool ice_agent_tick(struct ice_agent *agent, uint64_t now_ns)
{
    bool any = false, open = false;
    for (int8_t i = 0; i < ICE_PATHS_MAX; i++) {
        any |= agent->paths[i].used;
        open |= path_fresh(&agent->paths[i], now_ns, ICE_CONSENT_MS);
    }
    if (!any || open || agent->lost)
        return false;
    agent->lost = true;
    return true;
}

/* ---- checks ---- */

/* libnice asks for the password that goes with a user name. */
static bool give_password(StunAgent *stun, StunMessage *message, uint8_t *username,
                          uint16_t username_length, uint8_t **password, size_t *password_length,
                          void *user_data)
{
    (void)stun;
    (void)message;
    struct check *check = user_data;
    struct ice_agent *agent = check->agent;
    const uint8_t *colon = memchr(username, ':', username_length);
    if (colon == NULL)
        return false;
    size_t length = (size_t)(colon - username);
    struct credentials *offered[] = {&agent->current, agent->restarting ? &agent->next : NULL};
    for (size_t i = 0; i < 2 && offered[i] != NULL; i++) {
        if (strlen(offered[i]->ufrag) != length || memcmp(offered[i]->ufrag, username, length) != 0)
            continue;
        check->used = offered[i];
        *password = (uint8_t *)offered[i]->pwd;
        *password_length = strlen(offered[i]->pwd);
        return true;
    }
    return false;
}

/* An error reply, signed when the request proved it knows our password. 0 when it cannot be made or
 * is longer than what a stranger sent. */
static size_t reply_error(struct check *check, StunError error, bool authentic, size_t length,
                          uint8_t reply[ICE_REPLY_MAX])
{
    if (!stun_agent_init_error(&check->stun, &check->reply, reply, ICE_REPLY_MAX, &check->request,
                               error))
        return 0;
    size_t made = stun_agent_finish_message(&check->stun, &check->reply,
                                            authentic ? check->request.key : NULL,
                                            authentic ? check->request.key_len : 0);
    return authentic || made <= length ? made : 0;
}

static size_t reply_success(struct check *check, const struct ice_path *path,
                            uint8_t reply[ICE_REPLY_MAX])
{
    struct sockaddr_storage source;
    socklen_t source_length = 0;
    sa_family_t family = ice_address_is_v4(&path->address) ? AF_INET : AF_INET6;
    if (ice_address_to(&path->address, family, &source, &source_length) != STATUS_OK)
        return 0;
    bool controlling = false;
    size_t made = ICE_REPLY_MAX;
    StunUsageIceReturn result = stun_usage_ice_conncheck_create_reply(
        &check->stun, &check->request, &check->reply, reply, &made, &source, source_length,
        &controlling, 0, STUN_USAGE_ICE_COMPATIBILITY_RFC5245);
    return result == STUN_USAGE_ICE_RETURN_SUCCESS ? made : 0;
}

/* The request is authentic and understood. */
static void accept_check(struct check *check, const struct ice_path *path, uint64_t now_ns,
                         uint8_t reply[ICE_REPLY_MAX], struct ice_outcome *outcome)
{
    struct ice_agent *agent = check->agent;
    bool nominates = stun_usage_ice_conncheck_use_candidate(&check->request);
    outcome->reply_length = reply_success(check, path, reply);
    if (outcome->reply_length == 0)
        return;
    if (check->used == &agent->next) {
        agent->current = agent->next;
        agent->restarting = false;
        agent->nominated = false; /* that was the old session's word */
        outcome->restarted = true;
    }
    path_passed(agent, path, nominates, now_ns, outcome);
}

enum status ice_agent_receive(struct ice_agent *agent, const uint8_t *bytes, size_t length,
                              const struct ice_path *path, uint64_t now_ns,
                              uint8_t reply[ICE_REPLY_MAX], struct ice_outcome *ret_outcome)
{
    struct check check = {.agent = agent};
    struct ice_outcome outcome = {0};
    if (length > ICE_REQUEST_MAX || wire_read(bytes, length, &check.wire) != STATUS_OK ||
        check.wire.type != WIRE_BINDING_REQUEST)
        return STATUS_INVALID;
    stun_agent_init(&check.stun, known_attributes, STUN_COMPATIBILITY_RFC5389,
                    STUN_AGENT_USAGE_SHORT_TERM_CREDENTIALS | STUN_AGENT_USAGE_USE_FINGERPRINT);
    StunValidationStatus verdict =
        stun_agent_validate(&check.stun, &check.request, bytes, length, give_password, &check);
    switch (verdict) {
    case STUN_VALIDATION_SUCCESS:
        if (check.wire.controlled) /* RFC 8445 7.3.1.1: a lite agent cannot change its role */
            outcome.reply_length =
                reply_error(&check, STUN_ERROR_ROLE_CONFLICT, true, length, reply);
        else
            accept_check(&check, path, now_ns, reply, &outcome);
        break;
    case STUN_VALIDATION_UNKNOWN_REQUEST_ATTRIBUTE:
        outcome.reply_length = stun_agent_build_unknown_attributes_error(
            &check.stun, &check.reply, reply, ICE_REPLY_MAX, &check.request);
        break;
    case STUN_VALIDATION_UNAUTHORIZED:
    case STUN_VALIDATION_UNAUTHORIZED_BAD_REQUEST: {
        /* RFC 8489 9.1.3: without credentials 400, with wrong ones 401. */
        bool complete = check.wire.integrity && check.wire.username != NULL;
        outcome.reply_length =
            reply_error(&check, complete ? STUN_ERROR_UNAUTHORIZED : STUN_ERROR_BAD_REQUEST, false,
                        length, reply);
        break;
    }
    case STUN_VALIDATION_BAD_REQUEST:
        if (check.wire.fingerprint) /* a wrong one: no STUN at all (RFC 8489 14.7) */
            return STATUS_INVALID;
        outcome.reply_length = reply_error(&check, STUN_ERROR_BAD_REQUEST, false, length, reply);
        break;
    default:
        return STATUS_INVALID;
    }
    *ret_outcome = outcome;
    return STATUS_OK;
}
