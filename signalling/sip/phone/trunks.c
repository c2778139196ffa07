/*
 * Trunks: where a trunk's requests go, whether it answers, and its registration.
 *
 *   down ── REGISTER 200, or OPTIONS answered ──▶ up ── OPTIONS each interval ──▶ up
 *    ▲                                            │
 *    └── next target at once; after the last ◀────┘ no answer in TRUNK_ANSWER_MS, 408, 5xx,
 *        one later each time, with jitter           or a refusal of REGISTER
 *
 * The stack renews a registration by itself; its own time-outs of 32 s are not waited for. Targets
 * are numeric and come from the server, which resolves names (../trunks.c).
 */
#include "signalling/sip/phone/trunk.h"

#include "core/crypto.h"
#include "core/log.h"

#include <arpa/inet.h>
#include <sofia-sip/msg_header.h>
#include <sofia-sip/nta_tag.h>
#include <sofia-sip/sip.h>
#include <sofia-sip/sip_tag.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    TRUNK_RETRY_FIRST_MS = 1000,
    TRUNK_RETRY_MAX_MS = 60000,
};

static void trunk_try(struct trunk *trunk);

static const char *const transport_names[] = {"udp", "tcp", "tls"};

/* ---- configuration ---- */

static bool text_take(char into[TRUNK_TEXT_MAX], const char *text)
{
    return (size_t)snprintf(into, TRUNK_TEXT_MAX, "%s", text != NULL ? text : "") < TRUNK_TEXT_MAX;
}

struct trunk *trunk_find(struct stack *stack, const char *name)
{
    for (size_t i = 0; name != NULL && i < stack->trunk_count; i++) {
        if (strcmp(stack->trunks[i].name, name) == 0)
            return &stack->trunks[i];
    }
    return NULL;
}

struct trunk *trunk_of(struct stack *stack, const struct sockaddr *source)
{
    int owner = gate_owner(source);
    return owner != GATE_NO_OWNER ? &stack->trunks[owner] : NULL;
}

enum status trunk_add(struct stack *stack, const struct wire_message *message)
{
    if (stack->trunk_count == PHONE_TRUNKS_MAX)
        return STATUS_LIMIT;
    if (stack->trunks == NULL)
        stack->trunks = calloc(PHONE_TRUNKS_MAX, sizeof *stack->trunks);
    if (stack->trunks == NULL)
        return STATUS_NO_MEMORY;
    struct trunk *trunk = &stack->trunks[stack->trunk_count];
    const char *const *fields = message->fields;
    trunk->handle.kind = HANDLE_TRUNK;
    trunk->stack = stack;
    trunk->retry_ms = TRUNK_RETRY_FIRST_MS;
    trunk->options_ms = (message->code & (WIRE_TRUSTED - 1)) * 1000U;
    trunk->trusted = (message->code & WIRE_TRUSTED) != 0;
    if (!text_take(trunk->name, fields[WIRE_NAME]) || !text_take(trunk->user, fields[WIRE_USER]) ||
        !text_take(trunk->password, fields[WIRE_PASSWORD]) ||
        !text_take(trunk->domain, fields[WIRE_DOMAIN]) ||
        !text_take(trunk->realm, fields[WIRE_REALM]) ||
        !text_take(trunk->expires, fields[WIRE_EXPIRES]))
        return STATUS_LIMIT;
    if (fields[WIRE_HOST] != NULL && stack->agents[WIRE_TLS].stack != NULL) {
        const char *authorities = fields[WIRE_FILE] != NULL ? fields[WIRE_FILE] : "";
        enum status status = verify_add((int)stack->trunk_count, authorities, fields[WIRE_HOST]);
        if (status != STATUS_OK)
            return status;
    }
    stack->trunk_count++;
    return STATUS_OK;
}

enum status trunk_allow(struct stack *stack, const struct network *network, const char *name)
{
    struct trunk *trunk = trunk_find(stack, name);
    if (trunk == NULL)
        return STATUS_NOT_FOUND;
    trunk->fixed_sources++;
    return gate_allow(network, (int)(trunk - stack->trunks));
}

/* ---- targets ---- */

/* "udp:192.0.2.1:5060", "tls:[2001:db8::1]:5061". */
static bool target_read(const struct stack *stack, const char *text, size_t length,
                        struct trunk_target *ret_target, struct network *ret_network)
{
    char copy[TRUNK_TARGET_TEXT_MAX], address[INET6_ADDRSTRLEN];
    if (length >= sizeof copy)
        return false;
    memcpy(copy, text, length);
    copy[length] = '\0';
    char *host = strchr(copy, ':'), *port = strrchr(copy, ':');
    if (host == NULL || port == host)
        return false;
    *host++ = '\0';
    *port = '\0';
    size_t bracket = host[0] == '[' ? 1 : 0;
    snprintf(address, sizeof address, "%.*s", (int)strcspn(host + bracket, "]"), host + bracket);
    for (size_t i = 0; i < WIRE_TRANSPORTS; i++) {
        if (strcmp(copy, transport_names[i]) != 0 || stack->agents[i].nua == NULL ||
            network_read(address, ret_network) != STATUS_OK)
            continue;
        ret_target->transport = (enum wire_transport)i;
        int used = snprintf(ret_target->url, sizeof ret_target->url, "sip:%s:%s;transport=%s", host,
                            port + 1, copy);
        return used > 0 && (size_t)used < sizeof ret_target->url;
    }
    return false;
}

/* Its number among the trunk's targets, or their count. */
static size_t target_find(const struct trunk *trunk, const struct trunk_target *target)
{
    size_t i = 0;
    while (i < trunk->target_count && strcmp(trunk->targets[i].url, target->url) != 0)
        i++;
    return i;
}

static void sources_put(struct stack *stack)
{
    for (size_t i = 0; i < WIRE_TRANSPORTS; i++) {
        if (stack->agents[i].nua != NULL && gate_close(i == WIRE_UDP ? SOCK_DGRAM : SOCK_STREAM,
                                                       stack->agents[i].port) != STATUS_OK)
            _exit(EXIT_FAILURE); /* with the old list it would let in who is no longer in it */
    }
}

void trunk_targets(struct stack *stack, const struct wire_message *message)
{
    struct trunk *trunk = trunk_find(stack, message->fields[WIRE_NAME]);
    if (trunk == NULL || message->fields[WIRE_ADDRESS] == NULL)
        return;
    struct trunk_target before = trunk->targets[trunk->target], next;
    bool idle = trunk->target_count == 0;
    int owner = (int)(trunk - stack->trunks);
    gate_forget(owner, trunk->fixed_sources);
    trunk->target_count = 0;
    for (const char *at = message->fields[WIRE_ADDRESS]; *at != '\0';) {
        struct network network;
        size_t length = strcspn(at, " ");
        if (target_read(stack, at, length, &next, &network) &&
            trunk->target_count < TRUNK_TARGETS_MAX &&
            target_find(trunk, &next) == trunk->target_count &&
            gate_allow(&network, owner) == STATUS_OK)
            trunk->targets[trunk->target_count++] = next;
        at += length + strspn(at + length, " ");
    }
    sources_put(stack);
    trunk->target = target_find(trunk, &before);
    if (!idle && trunk->target < trunk->target_count)
        return; /* what it uses is still there */
    trunk->target = 0;
    trunk->retry_ms = TRUNK_RETRY_FIRST_MS;
    trunk_try(trunk);
}

/* ---- state ---- */

static void state_tell(struct trunk *trunk, bool up, const char *reason)
{
    struct wire_message told = {.type = WIRE_TRUNK_STATE, .code = up};
    trunk->up = up;
    told.fields[WIRE_NAME] = trunk->name;
    told.fields[WIRE_ADDRESS] = trunk->target_count > 0 ? trunk->targets[trunk->target].url : NULL;
    told.fields[WIRE_REASON] = reason;
    stack_say(trunk->stack, &told);
}

static void handles_end(struct trunk *trunk)
{
    nua_handle_t *handles[] = {trunk->registration, trunk->question};
    for (size_t i = 0; i < 2; i++) {
        if (handles[i] != NULL) {
            nua_handle_bind(handles[i], NULL);
            nua_handle_destroy(handles[i]);
        }
    }
    trunk->registration = trunk->question = NULL;
}

static void on_timer(struct stack *stack, su_timer_t *timer, su_timer_arg_t *arg);

static void timer_set(struct trunk *trunk, enum trunk_wait wait, uint32_t wait_ms)
{
    trunk->wait = wait;
    if (trunk->timer != NULL)
        su_timer_set_interval(trunk->timer, on_timer, (su_timer_arg_t *)trunk, wait_ms);
}

static void trunk_failed(struct trunk *trunk, const char *reason)
{
    handles_end(trunk);
    trunk->target++;
    if (trunk->target < trunk->target_count) {
        state_tell(trunk, false, reason);
        trunk_try(trunk);
        return;
    }
    trunk->target = 0;
    state_tell(trunk, false, reason);
    timer_set(trunk, TRUNK_RETRY, trunk->retry_ms / 2 + crypto_random_u32() % trunk->retry_ms);
    trunk->retry_ms =
        trunk->retry_ms * 2 < TRUNK_RETRY_MAX_MS ? trunk->retry_ms * 2 : TRUNK_RETRY_MAX_MS;
}

static void trunk_answered(struct trunk *trunk, const char *reason)
{
    trunk->retry_ms = TRUNK_RETRY_FIRST_MS;
    if (!trunk->up)
        state_tell(trunk, true, reason);
    timer_set(trunk, TRUNK_PAUSE, trunk->options_ms);
}

/* ---- requests ---- */

static void options_ask(struct trunk *trunk)
{
    const struct trunk_target *target = &trunk->targets[trunk->target];
    char domain[TRUNK_TEXT_MAX + 8];
    snprintf(domain, sizeof domain, "sip:%s", trunk->domain);
    if (trunk->question == NULL)
        trunk->question = nua_handle(trunk->stack->agents[target->transport].nua, &trunk->handle,
                                     SIPTAG_TO_STR(domain), TAG_END());
    if (trunk->question != NULL)
        nua_options(trunk->question, NUTAG_URL(domain), NUTAG_PROXY(target->url), TAG_END());
    timer_set(trunk, TRUNK_ANSWER, TRUNK_ANSWER_MS);
}

static void trunk_register(struct trunk *trunk)
{
    const struct trunk_target *target = &trunk->targets[trunk->target];
    struct agent *agent = &trunk->stack->agents[target->transport];
    char domain[TRUNK_TEXT_MAX + 8], address[TRUNK_TEXT_MAX * 2 + 8], contact[STACK_CONTACT_MAX];
    snprintf(domain, sizeof domain, "sip:%s", trunk->domain);
    snprintf(address, sizeof address, "<sip:%s@%s>", trunk->user, trunk->domain);
    agent_contact(agent, target->url, trunk->user, contact);
    trunk->challenged = false;
    if (trunk->registration == NULL)
        trunk->registration = nua_handle(agent->nua, &trunk->handle, SIPTAG_TO_STR(address),
                                         SIPTAG_FROM_STR(address), TAG_END());
    if (trunk->registration != NULL)
        nua_register(trunk->registration, NUTAG_REGISTRAR(domain), NUTAG_PROXY(target->url),
                     SIPTAG_CONTACT_STR(contact),
                     NUTAG_OUTBOUND("no-outbound no-validate no-options-keepalive no-natify"),
                     NUTAG_KEEPALIVE(0), SIPTAG_EXPIRES_STR(trunk->expires), TAG_END());
    timer_set(trunk, TRUNK_ANSWER, TRUNK_ANSWER_MS);
}

static void trunk_try(struct trunk *trunk)
{
    if (trunk->stack->ending || trunk->target_count == 0)
        return;
    handles_end(trunk);
    if (trunk->expires[0] != '\0')
        trunk_register(trunk);
    else
        options_ask(trunk);
}

static void on_timer(struct stack *stack, su_timer_t *timer, su_timer_arg_t *arg)
{
    struct trunk *trunk = (struct trunk *)arg;
    (void)timer;
    if (stack->ending || trunk->target_count == 0)
        return;
    if (trunk->wait == TRUNK_ANSWER)
        trunk_failed(trunk, "no answer");
    else if (trunk->wait == TRUNK_PAUSE)
        options_ask(trunk);
    else
        trunk_try(trunk);
}

void trunk_doubt(struct trunk *trunk)
{
    if (trunk->up && trunk->wait == TRUNK_PAUSE)
        options_ask(trunk);
}

void trunks_start(struct stack *stack)
{
    for (size_t i = 0; i < stack->trunk_count; i++)
        stack->trunks[i].timer =
            su_timer_create(su_root_task(stack->root), (su_duration_t)TRUNK_RETRY_FIRST_MS);
}

/* ---- answers ---- */

bool trunk_authenticate(const struct trunk *trunk, nua_handle_t *nh, const sip_t *sip)
{
    const msg_auth_t *challenge = NULL;
    char wanted[TRUNK_TEXT_MAX + 2], credentials[TRUNK_TEXT_MAX * 4];
    bool any = false;
    if (sip != NULL)
        challenge = sip->sip_www_authenticate != NULL ? sip->sip_www_authenticate
                                                      : sip->sip_proxy_authenticate;
    snprintf(wanted, sizeof wanted, "\"%s\"", trunk->realm);
    for (; challenge != NULL && trunk->user[0] != '\0'; challenge = challenge->au_next) {
        const char *realm = msg_header_find_param(challenge->au_common, "realm=");
        if (realm == NULL || strlen(realm) > TRUNK_TEXT_MAX ||
            (trunk->realm[0] != '\0' && strcmp(realm, wanted) != 0 &&
             strcmp(realm, trunk->realm) != 0))
            continue;
        snprintf(credentials, sizeof credentials, "Digest:%s:%s:%s", realm, trunk->user,
                 trunk->password);
        nua_authenticate(nh, NUTAG_AUTH(credentials), TAG_END());
        any = true;
        break; /* the others of one answer are of the same realm (RFC 8760 2.4) */
    }
    crypto_wipe(credentials, sizeof credentials);
    return any;
}

static void on_registered(struct trunk *trunk, const struct phone_event *event)
{
    char reason[64];
    snprintf(reason, sizeof reason, "%d %.50s", event->status, event->phrase);
    if ((event->status == 401 || event->status == 407) && !trunk->challenged) {
        trunk->challenged = true;
        if (trunk_authenticate(trunk, trunk->registration, event->sip))
            return;
    }
    trunk->challenged = false;
    if (event->status < 300)
        trunk_answered(trunk, "registered");
    else
        trunk_failed(trunk, reason);
}

void trunk_event(struct trunk *trunk, const struct phone_event *event)
{
    if (event->status < 200 || trunk->stack->ending)
        return;
    if (event->event == nua_r_register && event->nh == trunk->registration) {
        on_registered(trunk, event);
    } else if (event->event == nua_r_options && event->nh == trunk->question) {
        /* Whatever it says to OPTIONS, it is there; 408 and 503 are also the stack's own. */
        if (event->status != 408 && event->status != 503)
            trunk_answered(trunk, "answers");
        else
            trunk_failed(trunk, event->phrase);
    }
}
