/*
 * Trunks that want a REGISTER (RFC 3261 10): digest, refreshed by the stack, and tried again for
 * ever when it fails, later each time and never two trunks at once.
 */
#include "signalling/sip/phone/stack.h"

#include "core/crypto.h"

#include <sofia-sip/msg_header.h>
#include <sofia-sip/sip.h>
#include <sofia-sip/sip_tag.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    TRUNK_TEXT_MAX = 128,
    TRUNK_RETRY_FIRST_MS = 1000,
    TRUNK_RETRY_MAX_MS = 60000,
};

struct trunk {
    struct phone_handle handle;
    struct stack *stack;
    char name[TRUNK_TEXT_MAX], address[TRUNK_TEXT_MAX], user[TRUNK_TEXT_MAX],
        password[TRUNK_TEXT_MAX], domain[TRUNK_TEXT_MAX];
    enum wire_transport transport;
    nua_handle_t *nh;
    su_timer_t *retry;
    uint32_t retry_ms;
    bool challenged; /* our answer to a challenge is on its way */
};

static void text_take(char into[TRUNK_TEXT_MAX], const char *text)
{
    snprintf(into, TRUNK_TEXT_MAX, "%s", text != NULL ? text : "");
}

enum status trunk_add(struct stack *stack, const struct wire_message *message)
{
    if (stack->trunk_count == PHONE_TRUNKS_MAX || message->code >= WIRE_TRANSPORTS)
        return STATUS_LIMIT;
    if (stack->trunks == NULL)
        stack->trunks = calloc(PHONE_TRUNKS_MAX, sizeof *stack->trunks);
    if (stack->trunks == NULL)
        return STATUS_NO_MEMORY;
    struct trunk *trunk = &stack->trunks[stack->trunk_count++];
    trunk->handle.kind = HANDLE_TRUNK;
    trunk->stack = stack;
    trunk->transport = (enum wire_transport)message->code;
    trunk->retry_ms = TRUNK_RETRY_FIRST_MS;
    text_take(trunk->name, message->fields[WIRE_NAME]);
    text_take(trunk->address, message->fields[WIRE_ADDRESS]);
    text_take(trunk->user, message->fields[WIRE_USER]);
    text_take(trunk->password, message->fields[WIRE_PASSWORD]);
    text_take(trunk->domain, message->fields[WIRE_DOMAIN]);
    return STATUS_OK;
}

static void trunk_register(struct trunk *trunk)
{
    struct agent *agent = &trunk->stack->agents[trunk->transport];
    char domain[TRUNK_TEXT_MAX + 8], address[TRUNK_TEXT_MAX * 2 + 8], proxy[TRUNK_TEXT_MAX + 32];
    static const char *const transports[] = {"udp", "tcp", "tls"};
    if (agent->nua == NULL)
        return;
    snprintf(domain, sizeof domain, "sip:%s", trunk->domain);
    snprintf(address, sizeof address, "<sip:%s@%s>", trunk->user, trunk->domain);
    snprintf(proxy, sizeof proxy, "sip:%s;transport=%s", trunk->address,
             transports[trunk->transport]);
    trunk->challenged = false;
    if (trunk->nh == NULL)
        trunk->nh = nua_handle(agent->nua, &trunk->handle, SIPTAG_TO_STR(address),
                               SIPTAG_FROM_STR(address), TAG_END());
    if (trunk->nh != NULL)
        nua_register(trunk->nh, NUTAG_REGISTRAR(domain), NUTAG_PROXY(proxy),
                     NUTAG_M_USERNAME(trunk->user), NUTAG_KEEPALIVE(30000),
                     SIPTAG_EXPIRES_STR("300"), TAG_END());
}

static void on_retry(struct stack *stack, su_timer_t *timer, su_timer_arg_t *arg)
{
    (void)timer;
    if (!stack->ending)
        trunk_register((struct trunk *)arg);
}

static void trunk_retry(struct trunk *trunk)
{
    uint32_t wait_ms = trunk->retry_ms / 2 + crypto_random_u32() % trunk->retry_ms;
    trunk->retry_ms =
        trunk->retry_ms * 2 < TRUNK_RETRY_MAX_MS ? trunk->retry_ms * 2 : TRUNK_RETRY_MAX_MS;
    if (trunk->retry != NULL)
        su_timer_set_interval(trunk->retry, on_retry, (su_timer_arg_t *)trunk, wait_ms);
}

void trunks_start(struct stack *stack)
{
    for (size_t i = 0; i < stack->trunk_count; i++) {
        struct trunk *trunk = &stack->trunks[i];
        trunk->retry = su_timer_create(su_root_task(stack->root), TRUNK_RETRY_FIRST_MS);
        if (trunk->user[0] != '\0')
            trunk_register(trunk);
    }
}

static bool trunk_authenticate(struct trunk *trunk, const sip_t *sip)
{
    const msg_auth_t *challenge = NULL;
    if (sip != NULL)
        challenge = sip->sip_www_authenticate != NULL ? sip->sip_www_authenticate
                                                      : sip->sip_proxy_authenticate;
    const char *realm =
        challenge != NULL ? msg_header_find_param(challenge->au_common, "realm=") : NULL;
    if (realm == NULL || trunk->challenged)
        return false;
    char credentials[TRUNK_TEXT_MAX * 4];
    snprintf(credentials, sizeof credentials, "Digest:%.200s:%s:%s", realm, trunk->user,
             trunk->password);
    trunk->challenged = true;
    nua_authenticate(trunk->nh, NUTAG_AUTH(credentials), TAG_END());
    crypto_wipe(credentials, sizeof credentials);
    return true;
}

void trunk_event(struct stack *stack, struct trunk *trunk, const struct phone_event *event)
{
    if (event->event != nua_r_register || event->status < 200 || stack->ending)
        return;
    if ((event->status == 401 || event->status == 407) && trunk_authenticate(trunk, event->sip))
        return;
    struct wire_message told = {.type = WIRE_REGISTERED, .code = (uint16_t)event->status};
    told.fields[WIRE_NAME] = trunk->name;
    stack_say(stack, &told);
    trunk->challenged = false;
    if (event->status < 300)
        trunk->retry_ms = TRUNK_RETRY_FIRST_MS;
    else
        trunk_retry(trunk);
}
