/*
 * Who is at the other end of a call: their name in the meeting, and the address of ours that they
 * reach.
 */
#include "signalling/sip/calls.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* What everybody in the meeting sees: a display name, or a number with its middle hidden. */
void call_name(struct call *call, const char *name)
{
    size_t length = strlen(call->number);
    bool numeric = name == NULL || name[strspn(name, "+0123456789 ()-./")] == '\0';
    if (!call->hidden && name != NULL && name[0] != '\0' && !numeric && registry_name_valid(name))
        snprintf(call->name, sizeof call->name, "%s", name);
    else if (!call->hidden && length >= 7 && strspn(call->number, "+0123456789") == length)
        snprintf(call->name, sizeof call->name, "%.3s•••%s", call->number,
                 call->number + length - 2);
    else
        snprintf(call->name, sizeof call->name, "%s", "Phone");
}

/*
 * The address in our SDP: the configured one of the peer's family unless the call comes from this
 * machine, else the one this machine would send to the peer from.
 */
void call_address(struct call *call)
{
    const struct config_list *addresses = &call->dialin->config.addresses;
    bool loopback = strncmp(call->source, "127.", 4) == 0 || strcmp(call->source, "::1") == 0;
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(9)};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(9)};
    bool ip6 = strchr(call->source, ':') != NULL;
    snprintf(call->address, sizeof call->address, "%s", ip6 ? "::1" : "127.0.0.1");
    for (size_t i = 0; i < addresses->count && !loopback; i++) {
        struct in_addr found;
        char address[INET6_ADDRSTRLEN];
        snprintf(address, sizeof address, "%.*s", (int)strcspn(addresses->items[i], ":"),
                 addresses->items[i]);
        if (!ip6 && inet_pton(AF_INET, address, &found) == 1) {
            snprintf(call->address, sizeof call->address, "%s", address);
            return;
        }
    }
    int fd = socket(ip6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool told = ip6 ? inet_pton(AF_INET6, call->source, &in6.sin6_addr) == 1 &&
                          connect(fd, (struct sockaddr *)&in6, sizeof in6) == 0
                    : inet_pton(AF_INET, call->source, &in.sin_addr) == 1 &&
                          connect(fd, (struct sockaddr *)&in, sizeof in) == 0;
    socklen_t size = ip6 ? sizeof in6 : sizeof in;
    void *name = ip6 ? (void *)&in6 : (void *)&in;
    if (told && getsockname(fd, name, &size) == 0)
        inet_ntop(ip6 ? AF_INET6 : AF_INET, ip6 ? (void *)&in6.sin6_addr : (void *)&in.sin_addr,
                  call->address, sizeof call->address);
    if (fd >= 0)
        close(fd);
}
