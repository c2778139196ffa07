/* media/phone/ports.c - a leg's sockets: RTP on an even port, RTCP on the next (RFC 3550 11). */
#include "core/crypto.h"
#include "media/phone/leg.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    PORT_LEAST = 1024,
    PORT_TRIES_ANY = 64, /* where the system chooses */
};

static int socket_bound(int family, uint16_t port)
{
    const int off = 0;
    int fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    struct sockaddr_in6 any6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    struct sockaddr_in any4 = {.sin_family = AF_INET, .sin_port = htons(port)};
    if (family == AF_INET6)
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    int bound = family == AF_INET6 ? bind(fd, (const struct sockaddr *)&any6, sizeof any6)
                                   : bind(fd, (const struct sockaddr *)&any4, sizeof any4);
    if (bound != 0) {
        int error = errno;
        close(fd);
        errno = error;
        return -1;
    }
    return fd;
}

static int family_usable(void)
{
    int fd = socket_bound(AF_INET6, 0);
    if (fd < 0)
        return AF_INET; /* a machine without IPv6 */
    close(fd);
    return AF_INET6;
}

static uint16_t port_of(int fd)
{
    struct sockaddr_storage bound;
    socklen_t length = sizeof bound;
    if (getsockname(fd, (struct sockaddr *)&bound, &length) != 0)
        return 0;
    return ntohs(bound.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&bound)->sin6_port
                                             : ((struct sockaddr_in *)&bound)->sin_port);
}

/* port 0: the system's choice, good only when it is even. */
static bool pair_open(int family, uint16_t port, struct leg_sockets *ret_sockets)
{
    int rtp = socket_bound(family, port);
    if (rtp < 0)
        return false;
    uint16_t taken = port != 0 ? port : port_of(rtp);
    int rtcp = taken % 2 == 0 && taken != 0 ? socket_bound(family, (uint16_t)(taken + 1)) : -1;
    if (rtcp < 0) {
        close(rtp);
        return false;
    }
    *ret_sockets = (struct leg_sockets){.rtp = rtp, .rtcp = rtcp, .family = family, .port = taken};
    return true;
}

enum status leg_sockets_open(uint16_t first, uint16_t last, struct leg_sockets *ret_sockets)
{
    int family = family_usable();
    if (first == 0) {
        for (int i = 0; i < PORT_TRIES_ANY; i++) {
            if (pair_open(family, 0, ret_sockets))
                return STATUS_OK;
            if (errno == EMFILE || errno == ENFILE)
                return STATUS_IO;
        }
        return STATUS_LIMIT;
    }
    uint32_t even = first + first % 2U, pairs = last > even ? (last - even + 1) / 2 : 0;
    if (first < PORT_LEAST || pairs == 0)
        return STATUS_LIMIT;
    /* From a place nobody can guess, so that nobody waits there for a call. */
    uint32_t start = crypto_random_u32() % pairs;
    for (uint32_t i = 0; i < pairs; i++) {
        if (pair_open(family, (uint16_t)(even + (start + i) % pairs * 2), ret_sockets))
            return STATUS_OK;
        if (errno == EMFILE || errno == ENFILE)
            return STATUS_IO;
    }
    return STATUS_LIMIT;
}
