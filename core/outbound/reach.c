#include "core/outbound/reach.h"

#include <netinet/in.h>

/* IANA's IPv4 special-purpose registry, and what is no host's. */
static const struct network refused4[] = {
    {AF_INET, {0}, 8},             /* "this network", RFC 791 */
    {AF_INET, {10}, 8},            /* private, RFC 1918 */
    {AF_INET, {100, 64}, 10},      /* shared by carriers' NAT, RFC 6598 */
    {AF_INET, {127}, 8},           /* loopback, RFC 1122 */
    {AF_INET, {169, 254}, 16},     /* link-local, RFC 3927: clouds' metadata too */
    {AF_INET, {172, 16}, 12},      /* private */
    {AF_INET, {192, 0, 0}, 24},    /* protocol assignments, RFC 6890 */
    {AF_INET, {192, 0, 2}, 24},    /* documentation, RFC 5737 */
    {AF_INET, {192, 31, 196}, 24}, /* AS112, RFC 7535 */
    {AF_INET, {192, 52, 193}, 24}, /* AMT, RFC 7450 */
    {AF_INET, {192, 88, 99}, 24},  /* 6to4 relays, RFC 7526 */
    {AF_INET, {192, 168}, 16},     /* private */
    {AF_INET, {192, 175, 48}, 24}, /* AS112, RFC 7534 */
    {AF_INET, {198, 18}, 15},      /* benchmarking, RFC 2544 */
    {AF_INET, {198, 51, 100}, 24}, /* documentation */
    {AF_INET, {203, 0, 113}, 24},  /* documentation */
    {AF_INET, {224}, 4},           /* multicast, RFC 5771 */
    {AF_INET, {240}, 4},           /* reserved and broadcast, RFC 1112, RFC 919 */
};

/* Of IPv6 only this is given to hosts (RFC 4291 2.4, IANA): ::, ::1, mapped and NAT64 addresses,
 * unique local, link-local, site-local and multicast ones lie outside. */
static const struct network global6 = {AF_INET6, {0x20}, 3};

static const struct network refused6[] = {
    {AF_INET6, {0x20, 0x01, 0}, 23},             /* Teredo and protocol assignments, RFC 2928 */
    {AF_INET6, {0x20, 0x01, 0x0d, 0xb8}, 32},    /* documentation, RFC 3849 */
    {AF_INET6, {0x20, 0x02}, 16},                /* 6to4, RFC 3056 */
    {AF_INET6, {0x26, 0x20, 0, 0x4f, 0x80}, 48}, /* AS112, RFC 7534 */
    {AF_INET6, {0x3f, 0xff}, 20},                /* documentation, RFC 9637 */
};

static bool is_in(const struct network *networks, size_t count, sa_family_t family,
                  const uint8_t *address)
{
    for (size_t i = 0; i < count; i++)
        if (network_has(&networks[i], family, address))
            return true;
    return false;
}

bool reach_is_public(sa_family_t family, const uint8_t *address)
{
    if (family == AF_INET)
        return !is_in(refused4, sizeof refused4 / sizeof refused4[0], family, address);
    return family == AF_INET6 && network_has(&global6, family, address) &&
           !is_in(refused6, sizeof refused6 / sizeof refused6[0], family, address);
}

static bool port_permitted(const struct reach *reach, uint16_t port)
{
    if (reach->port_count == 0)
        return port == 80 || port == 443;
    for (size_t i = 0; i < reach->port_count; i++)
        if (reach->ports[i] == port)
            return true;
    return false;
}

bool reach_permits(const struct reach *reach, const struct sockaddr *address)
{
    const uint8_t *bytes;
    uint16_t port;
    if (address->sa_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)address;
        bytes = (const uint8_t *)&in->sin_addr;
        port = ntohs(in->sin_port);
    } else if (address->sa_family == AF_INET6) {
        const struct sockaddr_in6 *in = (const struct sockaddr_in6 *)(const void *)address;
        bytes = in->sin6_addr.s6_addr;
        port = ntohs(in->sin6_port);
    } else {
        return false;
    }
    return port_permitted(reach, port) &&
           (reach_is_public(address->sa_family, bytes) ||
            is_in(reach->allowed, reach->allowed_count, address->sa_family, bytes));
}
