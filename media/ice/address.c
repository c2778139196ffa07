/* media/ice/address.c - IP addresses in one form; see ice.h. */
#include "core/bytes.h"
#include "media/ice/ice.h"

#include <netinet/in.h>

static const uint8_t v4_prefix[12] = {[10] = 0xff, [11] = 0xff}; /* RFC 4291 2.5.5.2 */

enum status ice_address_from(const struct sockaddr *address, struct ice_address *ret_address)
{
    struct ice_address result = {0};
    if (address->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, address, sizeof in);
        memcpy(result.ip, v4_prefix, sizeof v4_prefix);
        memcpy(result.ip + sizeof v4_prefix, &in.sin_addr, 4);
        result.port = ntohs(in.sin_port);
    } else if (address->sa_family == AF_INET6) {
        struct sockaddr_in6 in6;
        memcpy(&in6, address, sizeof in6);
        memcpy(result.ip, &in6.sin6_addr, sizeof result.ip);
        result.port = ntohs(in6.sin6_port);
        if (IN6_IS_ADDR_LINKLOCAL(&in6.sin6_addr))
            result.scope = in6.sin6_scope_id;
    } else {
        return STATUS_INVALID;
    }
    *ret_address = result;
    return STATUS_OK;
}

enum status ice_address_to(const struct ice_address *address, sa_family_t family,
                           struct sockaddr_storage *ret_address, socklen_t *ret_length)
{
    if (family == AF_INET) {
        if (!ice_address_is_v4(address))
            return STATUS_UNSUPPORTED;
        struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(address->port)};
        memcpy(&in.sin_addr, address->ip + sizeof v4_prefix, 4);
        memcpy(ret_address, &in, sizeof in);
        *ret_length = sizeof in;
    } else {
        struct sockaddr_in6 in6 = {.sin6_family = AF_INET6,
                                   .sin6_port = htons(address->port),
                                   .sin6_scope_id = address->scope};
        memcpy(&in6.sin6_addr, address->ip, sizeof address->ip);
        memcpy(ret_address, &in6, sizeof in6);
        *ret_length = sizeof in6;
    }
    return STATUS_OK;
}

bool ice_address_is_v4(const struct ice_address *address)
{
    return memcmp(address->ip, v4_prefix, sizeof v4_prefix) == 0;
}

bool ice_address_equal(const struct ice_address *left, const struct ice_address *right)
{
    return left->port == right->port && left->scope == right->scope &&
           memcmp(left->ip, right->ip, sizeof left->ip) == 0;
}

uint64_t ice_address_hash(const struct ice_address *address)
{
    uint64_t high = load_be64(address->ip), low = load_be64(address->ip + 8);
    uint64_t mix =
        high * UINT64_C(0x9e3779b97f4a7c15) ^ low ^ (uint64_t)address->port << 48 ^ address->scope;
    mix = (mix ^ mix >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    mix = (mix ^ mix >> 27) * UINT64_C(0x94d049bb133111eb);
    return mix ^ mix >> 31;
}

bool ice_path_equal(const struct ice_path *left, const struct ice_path *right)
{
    return left->stream == right->stream && ice_address_equal(&left->address, &right->address);
}
