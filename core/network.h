/*
 * core/network.h - IP networks as settings name them, such as 192.0.2.0/24 or 2001:db8::/32.
 * Any thread.
 */
#ifndef CORE_NETWORK_H
#define CORE_NETWORK_H

#include "core/status.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

struct network {
    sa_family_t family;  /* AF_INET, AF_INET6 */
    uint8_t address[16]; /* the first 4 of AF_INET */
    uint8_t bits;        /* of the prefix */
};

/* "192.0.2.7", "192.0.2.0/24", "2001:db8::/32". Errors: STATUS_INVALID. */
MUST_USE enum status network_read(const char *text, struct network *ret_network);
/* `address`: 4 or 16 bytes, as the family says. */
bool network_has(const struct network *network, sa_family_t family, const uint8_t *address);

#endif
