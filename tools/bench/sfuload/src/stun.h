/* The part of STUN (RFC 8489) that an ICE client's checks need. */
#ifndef STUN_H
#define STUN_H
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    STUN_REQUEST = 0x0001,
    STUN_INDICATION = 0x0011,
    STUN_SUCCESS = 0x0101,
    STUN_ERROR = 0x0111
};

struct stun_msg {
    int type;
    uint8_t tx[12];
    bool use_candidate, controlling, controlled, integrity_ok;
    int error;
};

static inline bool stun_looks_like(const uint8_t *p, size_t n)
{
    return n >= 20 && p[0] < 4 && p[4] == 0x21 && p[5] == 0x12 && p[6] == 0xa4 && p[7] == 0x42;
}
/* Parses and checks MESSAGE-INTEGRITY against key; false when malformed. */
bool stun_parse(const uint8_t *p, size_t n, const char *key, struct stun_msg *m);
size_t stun_request(uint8_t *out, const uint8_t tx[12], const char *remote_ufrag,
                    const char *local_ufrag, const char *remote_pwd, bool controlling,
                    uint64_t tiebreaker, bool nominate);
size_t stun_response(uint8_t *out, const uint8_t tx[12], const struct sockaddr_in *mapped,
                     const char *local_pwd);
#endif
