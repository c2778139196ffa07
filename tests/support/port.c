#include "tests/support/port.h"

#include "core/crypto.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    FIRST = 10240, /* below ip_local_port_range */
    COUNT = 20000,
    TRIES = 100,
};

int port_socket(const char *address, int *ret_port)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in at = {.sin_family = AF_INET};
    socklen_t size = sizeof at;
    if (fd >= 0 && inet_pton(AF_INET, address, &at.sin_addr) == 1 &&
        bind(fd, (struct sockaddr *)&at, size) == 0 &&
        getsockname(fd, (struct sockaddr *)&at, &size) == 0) {
        *ret_port = ntohs(at.sin_port);
        return fd;
    }
    if (fd >= 0)
        close(fd);
    return -1;
}

static bool is_free(int type, uint16_t port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port)};
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
    bool free = fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof at) == 0;
    if (fd >= 0)
        close(fd);
    return free;
}

int port_free(void)
{
    for (int i = 0; i < TRIES; i++) {
        uint16_t port = (uint16_t)(FIRST + crypto_random_u32() % COUNT);
        if (is_free(SOCK_DGRAM, port) && is_free(SOCK_STREAM, port))
            return port;
    }
    return 0;
}
