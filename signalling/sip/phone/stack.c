#include "signalling/sip/phone/stack.h"

#include "core/log.h"

#include <arpa/inet.h>
#include <sofia-sip/nta_tag.h>
#include <sofia-sip/su_log.h>
#include <sofia-sip/tport_tag.h>
#include <sofia-sip/url.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    STACK_END_MS = 1500,      /* for BYEs to be answered when the server is gone */
    STACK_SESSION_S = 1800,   /* Session-Expires we ask for (RFC 4028 4.2: 1800 is suggested) */
    STACK_SESSION_MIN_S = 90, /* RFC 4028 5: no less */
    STACK_GIVE_UP_MS = 10000, /* RFC 3261's 64*T1, 32 s, would keep three times the transactions of
                                 a source that never says ACK in a list the stack walks for each */
    STACK_UDP_MTU = 65535,    /* a long answer goes where the request came from, not to TCP */
};

#define STACK_METHODS "INVITE, ACK, BYE, CANCEL, OPTIONS, PRACK, UPDATE, INFO"

static const char *const transport_names[] = {"udp", "tcp", "tls"};

static void on_event(nua_event_t event, int status, const char *phrase, nua_t *nua,
                     struct stack *stack, nua_handle_t *nh, struct phone_handle *handle,
                     const sip_t *sip, tagi_t tags[])
{
    struct agent *agent = NULL;
    for (size_t i = 0; i < WIRE_TRANSPORTS; i++) {
        if (stack->agents[i].nua == nua)
            agent = &stack->agents[i];
    }
    if (agent == NULL) /* while it is being made */
        return;
    if (event == nua_r_shutdown) {
        agent->down = status >= 200;
        bool down = true;
        for (size_t i = 0; i < WIRE_TRANSPORTS; i++)
            down &= stack->agents[i].nua == NULL || stack->agents[i].down;
        if (down)
            su_root_break(stack->root);
        return;
    }
    const struct phone_event what = {event, status, phrase, agent, nh, sip, tags};
    if (handle != NULL && handle->kind == HANDLE_TRUNK)
        trunk_event((struct trunk *)handle, &what);
    else
        call_event(stack, (struct phone_call *)handle, &what);
}

static void log_nothing(void *context, const char *format, va_list args)
{
    (void)context, (void)format, (void)args; /* it would print what callers send */
}

enum status stack_new(struct wire_end *server, struct stack **ret_stack)
{
    struct stack *stack = calloc(1, sizeof *stack);
    if (stack == NULL)
        return STATUS_NO_MEMORY;
    su_init();
    su_log_redirect(NULL, log_nothing, NULL);
    digest_install();
    stack->root = su_root_create(stack);
    if (stack->root == NULL || sieve_install() != STATUS_OK || refresh_install() != STATUS_OK ||
        restart_install() != STATUS_OK) {
        free(stack);
        return STATUS_NO_MEMORY;
    }
    su_root_threading(stack->root, 0); /* one thread: what it reads, it answers */
    stack->server = server;
    stack->next_call = 1;
    *ret_stack = stack;
    return STATUS_OK;
}

/* ---- configuration ---- */

static enum status take_listen(struct stack *stack, const struct wire_message *message)
{
    const char *address = message->fields[WIRE_ADDRESS];
    const char *folder = message->fields[WIRE_FILE], *told = message->fields[WIRE_DOMAIN];
    const char *colon = address != NULL ? strrchr(address, ':') : NULL;
    if (message->code >= WIRE_TRANSPORTS || colon == NULL)
        return STATUS_INVALID;
    struct agent *agent = &stack->agents[message->code];
    agent->stack = stack;
    agent->port = (uint16_t)strtoul(colon + 1, NULL, 10);
    snprintf(agent->folder, sizeof agent->folder, "%s", folder != NULL ? folder : "");
    snprintf(agent->told, sizeof agent->told, "%s", told != NULL ? told : "");
    /* The stack listens for TLS at a sips address only; Contact is agent_contact's. */
    int used = snprintf(agent->url, sizeof agent->url, "%s:%s;transport=%s",
                        message->code == WIRE_TLS ? "sips" : "sip", address,
                        transport_names[message->code]);
    return used > 0 && (size_t)used < sizeof agent->url ? STATUS_OK : STATUS_INVALID;
}

static nua_t *nua_make(struct stack *stack, const struct agent *agent)
{
    return nua_create(
        stack->root, on_event, stack, NUTAG_URL(agent->url),
        TAG_IF(agent->folder[0] != '\0', NUTAG_CERTIFICATE_DIR(agent->folder)),
        NUTAG_MEDIA_ENABLE(0), NUTAG_AUTOALERT(0), NUTAG_AUTOANSWER(0), NUTAG_AUTOACK(1),
        NUTAG_EARLY_MEDIA(1), NUTAG_ENABLEMESSAGE(0), NUTAG_APPL_METHOD("UPDATE"),
        NUTAG_SESSION_TIMER(STACK_SESSION_S), NUTAG_MIN_SE(STACK_SESSION_MIN_S),
        SIPTAG_ALLOW_STR(STACK_METHODS), SIPTAG_SUPPORTED_STR("timer, 100rel"),
        SIPTAG_ALLOW_EVENTS(NULL), SIPTAG_USER_AGENT_STR("Parley"), NTATAG_UDP_MTU(STACK_UDP_MTU),
        NTATAG_SIP_T1X64(STACK_GIVE_UP_MS), NTATAG_MAXSIZE(PHONE_DATAGRAM_MAX), TAG_END());
}

static enum status agent_start(struct stack *stack, struct agent *agent)
{
    agent->nua = nua_make(stack, agent);
    if (agent->nua == NULL)
        return STATUS_EXISTS;
    return gate_close(agent == &stack->agents[WIRE_UDP] ? SOCK_DGRAM : SOCK_STREAM, agent->port);
}

static enum status take_start(struct stack *stack, const struct wire_message *message)
{
    enum status status = STATUS_OK;
    char why[256] = "no sandbox";
    gate_rate(message->code);
    for (size_t i = 0; status == STATUS_OK && i < WIRE_TRANSPORTS; i++) {
        if (stack->agents[i].stack == NULL)
            continue;
        status = agent_start(stack, &stack->agents[i]);
        if (status != STATUS_OK)
            snprintf(why, sizeof why, "phone.%s: cannot listen on %.150s", transport_names[i],
                     stack->agents[i].url);
    }
    if (status == STATUS_OK)
        status = sandbox_enter();
    struct wire_message told = {.type = status == STATUS_OK ? WIRE_READY : WIRE_FAILED};
    told.fields[WIRE_REASON] = status == STATUS_OK ? NULL : why;
    stack_say(stack, &told);
    if (status == STATUS_OK)
        trunks_start(stack);
    return status;
}

static enum status take_allow(struct stack *stack, const struct wire_message *message)
{
    struct network network;
    const char *address = message->fields[WIRE_ADDRESS];
    enum status status = address != NULL ? network_read(address, &network) : STATUS_INVALID;
    if (status != STATUS_OK)
        return status;
    const char *trunk = message->fields[WIRE_NAME];
    return trunk != NULL ? trunk_allow(stack, &network, trunk)
                         : gate_allow(&network, GATE_NO_OWNER);
}

static enum status message_take(struct stack *stack, const struct wire_message *message)
{
    switch (message->type) {
    case WIRE_LISTEN:
        return take_listen(stack, message);
    case WIRE_ALLOW:
        return take_allow(stack, message);
    case WIRE_TRUNK:
        return trunk_add(stack, message);
    case WIRE_START:
        return take_start(stack, message);
    case WIRE_TARGETS:
        trunk_targets(stack, message);
        return STATUS_OK;
    case WIRE_ANSWER:
    case WIRE_REFUSE:
    case WIRE_HANGUP:
    case WIRE_DIAL:
        call_take(stack, message);
        return STATUS_OK;
    default:
        return STATUS_INVALID;
    }
}

/* ---- our address ---- */

/* The address we would send to `peer` from, of a SIP address with a numeric host. */
static bool address_towards(const char *peer, char ret_address[INET6_ADDRSTRLEN])
{
    su_home_t home[1] = {SU_HOME_INIT(home)};
    union {
        struct sockaddr any;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
    } to = {.any = {.sa_family = AF_UNSPEC}};
    su_home_init(home);
    url_t *url = url_make(home, peer);
    char host[INET6_ADDRSTRLEN] = "";
    if (url != NULL && url->url_host != NULL) {
        bool six = url->url_host[0] == '[';
        snprintf(host, sizeof host, "%.*s", (int)strcspn(url->url_host + six, "]"),
                 url->url_host + six);
    }
    su_home_deinit(home);
    if (inet_pton(AF_INET, host, &to.in.sin_addr) == 1)
        to.in.sin_family = AF_INET;
    else if (inet_pton(AF_INET6, host, &to.in6.sin6_addr) == 1)
        to.in6.sin6_family = AF_INET6;
    else
        return false;
    to.in.sin_port = htons(9); /* nothing is sent */
    socklen_t size = to.any.sa_family == AF_INET ? sizeof to.in : sizeof to.in6;
    int fd = socket(to.any.sa_family, SOCK_DGRAM, 0);
    bool found =
        fd >= 0 && connect(fd, &to.any, size) == 0 && getsockname(fd, &to.any, &size) == 0 &&
        inet_ntop(to.any.sa_family,
                  to.any.sa_family == AF_INET ? (void *)&to.in.sin_addr : (void *)&to.in6.sin6_addr,
                  ret_address, INET6_ADDRSTRLEN) != NULL;
    if (fd >= 0)
        close(fd);
    return found;
}

void agent_contact(const struct agent *agent, const char *peer, const char *user,
                   char ret_contact[STACK_CONTACT_MAX])
{
    char host[INET6_ADDRSTRLEN], address[INET6_ADDRSTRLEN + 2] = "";
    const char *listen = strchr(agent->url, ':') + 1, *port = strrchr(listen, ':');
    size_t length = port != NULL ? (size_t)(port - listen) : 0;
    bool wild = strncmp(listen, "0.0.0.0", length) == 0 || strncmp(listen, "[::]", length) == 0;
    bool found = wild && peer != NULL && address_towards(peer, host);
    bool loopback = found && (strncmp(host, "127.", 4) == 0 || strcmp(host, "::1") == 0);
    if (agent->told[0] != '\0' && !loopback && (wild || strncmp(listen, "127.", 4) != 0))
        snprintf(address, sizeof address, "%s", agent->told);
    else if (found)
        snprintf(address, sizeof address, strchr(host, ':') != NULL ? "[%s]" : "%s", host);
    else
        snprintf(address, sizeof address, "%.*s", (int)length, listen);
    snprintf(ret_contact, STACK_CONTACT_MAX, "<sip:%.250s%s%s:%u;transport=%s>", user,
             user[0] != '\0' ? "@" : "", address, agent->port,
             transport_names[agent - agent->stack->agents]);
}

/* ---- running ---- */

static void on_end_late(struct stack *stack, su_timer_t *timer, su_timer_arg_t *arg)
{
    (void)stack, (void)timer, (void)arg;
    /* A transaction that never ends must not keep the next process from the port. */
    _exit(EXIT_SUCCESS);
}

/* Calls first, then the agents, then a deadline: nua_shutdown alone leaves callers in the dark. */
static void stack_end(struct stack *stack)
{
    if (stack->ending)
        return;
    stack->ending = true;
    su_timer_t *timer = su_timer_create(su_root_task(stack->root), STACK_END_MS);
    if (timer == NULL || su_timer_set(timer, on_end_late, NULL) != 0)
        _exit(EXIT_SUCCESS);
    calls_hang_up(stack);
    bool any = false;
    for (size_t i = 0; i < WIRE_TRANSPORTS; i++) {
        if (stack->agents[i].nua != NULL) {
            nua_shutdown(stack->agents[i].nua);
            any = true;
        }
    }
    if (!any)
        _exit(EXIT_SUCCESS);
}

static void on_message(void *context, const struct wire_message *message)
{
    struct stack *stack = context;
    enum status status = message_take(stack, message);
    if (status != STATUS_OK) {
        log_event(LOG_PHONE, LOG_ERROR, "phone_message", "type=%d status=%s", message->type,
                  status_name(status));
        stack_end(stack);
    }
}

static int on_server(struct stack *stack, su_wait_t *wait, su_wakeup_arg_t *arg)
{
    (void)arg;
    short events = (short)su_wait_events(wait, stack->server->fd);
    enum status status = STATUS_OK;
    if ((events & SU_WAIT_OUT) != 0)
        status = wire_end_flush(stack->server);
    if (status == STATUS_OK)
        su_root_eventmask(stack->root, stack->server_wait, stack->server->fd, SU_WAIT_IN);
    status = wire_end_read(stack->server, on_message, stack);
    if (status != STATUS_OK) {
        su_root_deregister(stack->root, stack->server_wait);
        stack_end(stack);
    }
    return 0;
}

void stack_say(struct stack *stack, const struct wire_message *message)
{
    enum status status = wire_end_send(stack->server, message);
    if (status == STATUS_CLOSED)
        return; /* on_server hears of it too */
    if (status != STATUS_OK) {
        /* What the server does not know of a call it would never learn. */
        log_event(LOG_PHONE, LOG_ERROR, "server_not_told", "type=%d status=%s", message->type,
                  status_name(status));
        _exit(EXIT_FAILURE);
    }
    if (stack->server->out_length > 0)
        su_root_eventmask(stack->root, stack->server_wait, stack->server->fd,
                          SU_WAIT_IN | SU_WAIT_OUT);
}

enum status stack_run(struct stack *stack)
{
    su_wait_t wait;
    su_wait_init(&wait);
    if (su_wait_create(&wait, stack->server->fd, SU_WAIT_IN) != 0)
        return STATUS_IO;
    stack->server_wait = su_root_register(stack->root, &wait, on_server, NULL, 0);
    if (stack->server_wait <= 0)
        return STATUS_IO;
    su_root_run(stack->root);
    return STATUS_OK;
}
