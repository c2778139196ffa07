/*
 * getaddrinfo for everything in this process: numeric addresses only. The SIP stack would ask
 * the system's resolver on its one thread and wait, seconds, for a name an INVITE gave it. The
 * names of trunks are resolved by the server.
 */
#include "signalling/sip/phone/phone.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

/* One allocation for both, as freeaddrinfo expects of one that is its own. */
struct found {
    struct addrinfo info;
    struct sockaddr_storage address;
};

static bool address_read(const char *node, bool passive, int family, struct found *found)
{
    struct sockaddr_in *in = (struct sockaddr_in *)&found->address;
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&found->address;
    const char *four = node != NULL ? node : passive ? "0.0.0.0" : "127.0.0.1";
    const char *six = node != NULL ? node : passive ? "::" : "::1";
    if (family != AF_INET6 && inet_pton(AF_INET, four, &in->sin_addr) == 1) {
        in->sin_family = AF_INET;
        found->info.ai_addrlen = sizeof *in;
    } else if (family != AF_INET && inet_pton(AF_INET6, six, &in6->sin6_addr) == 1) {
        in6->sin6_family = AF_INET6;
        found->info.ai_addrlen = sizeof *in6;
    } else {
        return false;
    }
    return true;
}

static bool port_read(const char *service, struct found *found)
{
    char *end = NULL;
    unsigned long port = service != NULL ? strtoul(service, &end, 10) : 0;
    if (service != NULL && (*service == '\0' || *end != '\0' || port > UINT16_MAX))
        return false;
    ((struct sockaddr_in *)&found->address)->sin_port = htons((uint16_t)port);
    return true; /* IPv6 has it in the same place */
}

PHONE_EXPORTED int getaddrinfo(const char *restrict node, const char *restrict service,
                               const struct addrinfo *restrict hints,
                               struct addrinfo **restrict ret_info)
{
    struct found *found = calloc(1, sizeof *found);
    if (found == NULL)
        return EAI_MEMORY;
    bool passive = hints != NULL && (hints->ai_flags & AI_PASSIVE) != 0;
    if (!address_read(node, passive, hints != NULL ? hints->ai_family : AF_UNSPEC, found) ||
        !port_read(service, found)) {
        free(found);
        return EAI_NONAME;
    }
    found->info.ai_family = found->address.ss_family;
    found->info.ai_socktype = hints != NULL ? hints->ai_socktype : 0;
    found->info.ai_protocol = hints != NULL ? hints->ai_protocol : 0;
    found->info.ai_addr = (struct sockaddr *)&found->address;
    *ret_info = &found->info;
    return 0;
}

PHONE_EXPORTED void freeaddrinfo(struct addrinfo *info)
{
    free(info);
}
