/* media/ice/candidates.c - see candidates.h. */
#include "media/ice/candidates.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum {
    TYPE_HOST = 126,       /* RFC 8445 5.1.2.2 */
    DIRECTION_PASSIVE = 4, /* RFC 6544 4.2: for host candidates */
    OTHER_MAX = 8191,      /* 13 bits of local preference below the direction */
    COMPONENT_RTP = 1,
    TEXT_MAX = INET6_ADDRSTRLEN + 16, /* an advertised "[address]:port" */
};

/* The addresses, before they become candidates: IPv6 and IPv4 apart, each in order. */
struct address_list {
    struct {
        char text[INET6_ADDRSTRLEN];
        uint16_t udp_port;
        bool v6;
    } items[MEDIA_CANDIDATES_MAX];
    size_t count;
    size_t limit; /* half of the candidates when TCP gets the other half */
};

static bool list_add(struct address_list *list, int family, const void *address, uint16_t udp_port)
{
    char text[INET6_ADDRSTRLEN];
    if (inet_ntop(family, address, text, sizeof text) == NULL)
        return false;
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i].text, text) == 0 && list->items[i].udp_port == udp_port)
            return true;
    if (list->count == list->limit)
        return false;
    memcpy(list->items[list->count].text, text, sizeof text);
    list->items[list->count].udp_port = udp_port;
    list->items[list->count++].v6 = family == AF_INET6;
    return true;
}

static bool parse_port(const char *text, uint16_t *ret_port)
{
    char *end = NULL;
    if (*text < '0' || *text > '9')
        return false;
    unsigned long value = strtoul(text, &end, 10);
    if (*end != '\0' || value == 0 || value > UINT16_MAX)
        return false;
    *ret_port = (uint16_t)value;
    return true;
}

/* "a.b.c.d", "a.b.c.d:port", "x::y", "[x::y]", "[x::y]:port". */
static enum status parse_advertised(const char *advertised, uint16_t port,
                                    struct address_list *list)
{
    char text[TEXT_MAX];
    if (strlen(advertised) >= sizeof text)
        return STATUS_INVALID;
    strcpy(text, advertised);
    char *host = text, *colon = NULL;
    if (text[0] == '[') {
        char *bracket = strchr(text, ']');
        if (bracket == NULL || (bracket[1] != '\0' && bracket[1] != ':'))
            return STATUS_INVALID;
        host = text + 1;
        colon = bracket[1] == ':' ? bracket + 1 : NULL;
        *bracket = '\0';
    } else if ((colon = strchr(text, ':')) != NULL && strchr(colon + 1, ':') != NULL) {
        colon = NULL; /* several: IPv6 without a port */
    }
    if (colon != NULL) {
        *colon = '\0';
        if (!parse_port(colon + 1, &port))
            return STATUS_INVALID;
    }
    uint8_t address[sizeof(struct in6_addr)];
    int family = strchr(host, ':') != NULL ? AF_INET6 : AF_INET;
    if (inet_pton(family, host, address) != 1)
        return STATUS_INVALID;
    return list_add(list, family, address, port) ? STATUS_OK : STATUS_LIMIT;
}

/* Unusable ones (link-local, unspecified, down) are passed over. */
static void take_interface(const struct ifaddrs *interface, bool loopback, uint16_t udp_port,
                           struct address_list *list)
{
    if (interface->ifa_addr == NULL || !(interface->ifa_flags & IFF_UP) ||
        !(interface->ifa_flags & IFF_LOOPBACK) == loopback)
        return;
    if (interface->ifa_addr->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, interface->ifa_addr, sizeof in);
        list_add(list, AF_INET, &in.sin_addr, udp_port);
    } else if (interface->ifa_addr->sa_family == AF_INET6) {
        struct sockaddr_in6 in6;
        memcpy(&in6, interface->ifa_addr, sizeof in6);
        if (!IN6_IS_ADDR_LINKLOCAL(&in6.sin6_addr))
            list_add(list, AF_INET6, &in6.sin6_addr, udp_port);
    }
}

static void list_interfaces(const struct media_config *config, uint16_t udp_port,
                            const struct ifaddrs *interfaces, struct address_list *list)
{
    for (const struct ifaddrs *at = interfaces; at != NULL; at = at->ifa_next)
        take_interface(at, false, udp_port, list);
    if (!config->loopback && list->count > 0)
        return;
    for (const struct ifaddrs *at = interfaces; at != NULL; at = at->ifa_next)
        take_interface(at, true, udp_port, list);
}

static void add_candidate(struct media_local *local, const char *address, bool tcp, uint16_t port,
                          uint32_t preference)
{
    struct media_candidate *candidate = &local->candidates[local->candidate_count];
    *candidate = (struct media_candidate){
        .tcp = tcp,
        .port = port,
        .priority = (uint32_t)TYPE_HOST << 24 | preference << 8 | (256 - COMPONENT_RTP),
    };
    memcpy(candidate->address, address, sizeof candidate->address);
    /* RFC 8445 5.1.1.3: another one for each base address and protocol. */
    snprintf(candidate->foundation, sizeof candidate->foundation, "%zu",
             local->candidate_count + 1);
    local->candidate_count++;
}

/* Each address once per protocol, UDP before TCP, IPv6 before IPv4 (RFC 8421 4). */
static void make_candidates(const struct address_list *list, uint16_t tcp_port,
                            struct media_local *local)
{
    for (int tcp = 0; tcp < (tcp_port != 0 ? 2 : 1); tcp++) {
        /* RFC 6544 4.2: TCP has its direction in the upper 3 of the 16 bits; UDP stands above. */
        uint32_t preference = tcp ? DIRECTION_PASSIVE << 13 | OTHER_MAX : UINT16_MAX;
        for (int v6 = 1; v6 >= 0; v6--)
            for (size_t i = 0; i < list->count; i++)
                if (list->items[i].v6 == (v6 == 1))
                    add_candidate(local, list->items[i].text, tcp == 1,
                                  tcp ? tcp_port : list->items[i].udp_port, preference--);
    }
}

enum status candidates_from(const struct media_config *config, uint16_t udp_port,
                            const struct ifaddrs *interfaces, struct media_local *ret_local)
{
    struct address_list list = {.limit = MEDIA_CANDIDATES_MAX / (config->tcp_port != 0 ? 2u : 1u)};
    for (size_t i = 0; i < config->address_count; i++) {
        enum status status = parse_advertised(config->addresses[i], udp_port, &list);
        if (status != STATUS_OK)
            return status;
    }
    if (config->address_count == 0)
        list_interfaces(config, udp_port, interfaces, &list);
    if (list.count == 0)
        return STATUS_NOT_FOUND;
    ret_local->candidate_count = 0;
    make_candidates(&list, config->tcp_port, ret_local);
    return STATUS_OK;
}

enum status candidates_gather(const struct media_config *config, uint16_t udp_port,
                              struct media_local *ret_local)
{
    struct ifaddrs *interfaces = NULL;
    if (getifaddrs(&interfaces) != 0)
        return STATUS_IO;
    enum status status = candidates_from(config, udp_port, interfaces, ret_local);
    freeifaddrs(interfaces);
    return status;
}
