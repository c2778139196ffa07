#include "core/network.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

enum status network_read(const char *text, struct network *ret_network)
{
    char address[INET6_ADDRSTRLEN];
    size_t length = strcspn(text, "/");
    if (length >= sizeof address)
        return STATUS_INVALID;
    memcpy(address, text, length);
    address[length] = '\0';
    struct network network = {.family = AF_INET};
    unsigned long most = 32;
    if (inet_pton(AF_INET, address, network.address) != 1) {
        network.family = AF_INET6;
        most = 128;
        if (inet_pton(AF_INET6, address, network.address) != 1)
            return STATUS_INVALID;
    }
    char *end = NULL;
    unsigned long bits = text[length] == '/' ? strtoul(text + length + 1, &end, 10) : most;
    if (bits > most || (end != NULL && (*end != '\0' || text[length + 1] == '\0')))
        return STATUS_INVALID;
    network.bits = (uint8_t)bits;
    *ret_network = network;
    return STATUS_OK;
}

bool network_has(const struct network *network, sa_family_t family, const uint8_t *address)
{
    size_t whole = network->bits / 8U;
    unsigned rest = network->bits % 8U;
    if (network->family != family || memcmp(network->address, address, whole) != 0)
        return false;
    return rest == 0 || (network->address[whole] ^ address[whole]) >> (8 - rest) == 0;
}
